//! Tables of a narrative. Whatever stands where no row or cell can stand gets a row or cell of its own, or its place before
//! the table: a browser would move it there by rules of its own.

use super::{
    narrative::{self, classes, language},
    page::Page,
    tree::{Child, Element},
};

/// Cells that claim to reach further do not.
const SPAN_MAX: u32 = 200;

/// What a table has besides columns, which say nothing.
const PARTS: [&str; 5] = ["caption", "thead", "tbody", "tfoot", "tr"];

/// Writes a table.
pub fn write<'t>(page: &mut Page<'t>, table: Element<'t>) {
    for child in table.children().filter(|child| is_stray(*child, &PARTS)) {
        page.html.open("div", &[]);
        narrative::child(page, child);
        page.html.close("div");
    }
    let id = page.id(table);
    page.html.open("div", &[("class", "table")]);
    page.html.open("table", &[("class", &classes(table)), ("id", &id), ("lang", language(table))]);
    captions(page, table);
    let mut in_body = false;
    for part in table.elements() {
        let group = match part.name() {
            "thead" => Some("thead"),
            "tbody" => Some("tbody"),
            "tfoot" => Some("tfoot"),
            "tr" => None,
            _ => continue,
        };
        if in_body && group.is_some() {
            page.html.close("tbody");
            in_body = false;
        }
        match group {
            Some(name) => rows(page, name, part),
            None => {
                if !in_body {
                    page.html.open("tbody", &[]);
                    in_body = true;
                }
                row(page, part, false);
            }
        }
    }
    if in_body {
        page.html.close("tbody");
    }
    page.html.close("table");
    page.html.close("div");
}

/// A table has one caption; what further ones say stands in it.
fn captions<'t>(page: &mut Page<'t>, table: Element<'t>) {
    let mut captions = table.elements().filter(|part| part.name() == "caption").peekable();
    if captions.peek().is_none() {
        return;
    }
    page.html.open("caption", &[]);
    for caption in captions {
        let id = page.id(caption);
        page.html.open("div", &[("id", &id), ("class", &classes(caption))]);
        narrative::children(page, caption);
        page.html.close("div");
    }
    page.html.close("caption");
}

fn rows<'t>(page: &mut Page<'t>, name: &'static str, group: Element<'t>) {
    let id = page.id(group);
    page.html.open(name, &[("class", &classes(group)), ("id", &id)]);
    for child in group.children() {
        match child {
            Child::Element(element) if element.name() == "tr" => row(page, element, name == "thead"),
            other if is_stray(other, &[]) => {
                page.html.open("tr", &[]);
                stray_cell(page, other);
                page.html.close("tr");
            }
            _ => {}
        }
    }
    page.html.close(name);
}

fn row<'t>(page: &mut Page<'t>, row: Element<'t>, in_head: bool) {
    let id = page.id(row);
    page.html.open("tr", &[("class", &classes(row)), ("id", &id)]);
    let mut is_first = true;
    for child in row.children() {
        match child {
            Child::Element(element) if matches!(element.name(), "td" | "th") => {
                cell(page, element, in_head, is_first)
            }
            other if is_stray(other, &[]) => stray_cell(page, other),
            _ => continue,
        }
        is_first = false;
    }
    page.html.close("tr");
    page.html.line();
}

fn cell<'t>(page: &mut Page<'t>, cell: Element<'t>, in_head: bool, is_first: bool) {
    let (name, scope) = match (cell.name(), cell.attribute("scope")) {
        ("th", Some("col")) => ("th", "col"),
        ("th", Some("row")) => ("th", "row"),
        ("th", Some("colgroup")) => ("th", "colgroup"),
        ("th", Some("rowgroup")) => ("th", "rowgroup"),
        ("th", _) if in_head => ("th", "col"),
        ("th", _) if is_first => ("th", "row"),
        ("th", _) => ("th", ""),
        _ => ("td", ""),
    };
    let id = page.id(cell);
    let (columns, rows) = (span(cell, "colspan"), span(cell, "rowspan"));
    let attributes = [
        ("class", &*classes(cell)),
        ("id", &*id),
        ("lang", language(cell)),
        ("scope", scope),
        ("colspan", &*columns),
        ("rowspan", &*rows),
    ];
    page.html.open(name, &attributes);
    narrative::children(page, cell);
    page.html.close(name);
}

fn span(cell: Element<'_>, name: &str) -> String {
    let number = cell.attribute(name).and_then(|text| text.parse::<u32>().ok()).filter(|number| *number > 1);
    number.map_or(String::new(), |number| number.min(SPAN_MAX).to_string())
}

fn stray_cell<'t>(page: &mut Page<'t>, child: Child<'t>) {
    page.html.open("td", &[]);
    narrative::child(page, child);
    page.html.close("td");
}

/// Whether it says something and is none of what is expected.
fn is_stray(child: Child<'_>, expected: &[&str]) -> bool {
    match child {
        Child::Text(text) => !text.trim().is_empty(),
        Child::Element(element) if matches!(element.name(), "col" | "colgroup") => !element.text().is_empty(),
        Child::Element(element) => !expected.contains(&element.name()),
    }
}
