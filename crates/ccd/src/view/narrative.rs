//! The narrative of a section. What CDA's narrative block has becomes the HTML that means the same; of anything else the
//! text stays and nothing more. No attribute is copied: each is made of what it was understood as.
//!
//! Clause: CDA R2 4.3.5

use super::{
    media,
    page::Page,
    table,
    tree::{Child, Element},
};

/// Elements that stand in a line, if a document brings HTML where it must not.
const INLINE: [&str; 12] = ["a", "b", "big", "code", "em", "font", "i", "s", "small", "span", "strong", "u"];

/// Writes a narrative and the footnotes that are in it.
pub fn write<'t>(page: &mut Page<'t>, text: Element<'t>) {
    let id = page.id(text);
    let is_plain = text.elements().next().is_none();
    let class = if is_plain { "narrative plain" } else { "narrative" };
    page.html.open("div", &[("class", class), ("id", &id), ("lang", language(text))]);
    Writer { page }.children(text);
    page.html.close("div");
    footnotes(page);
}

/// Writes what is in one element of a narrative.
pub fn children<'t>(page: &mut Page<'t>, element: Element<'t>) {
    Writer { page }.children(element);
}

/// Writes one piece of a narrative.
pub fn child<'t>(page: &mut Page<'t>, child: Child<'t>) {
    Writer { page }.child(child);
}

fn footnotes(page: &mut Page<'_>) {
    if page.waiting.is_empty() {
        return;
    }
    page.html.open("ol", &[("class", "footnotes")]);
    // A footnote may hold another.
    let mut at = 0;
    while let Some(footnote) = page.waiting.get(at).copied() {
        at += 1;
        let number = page.footnote(footnote).unwrap_or_default().to_string();
        page.html.open("li", &[("id", &format!("f-{number}"))]);
        page.html.element("span", &[("class", "number")], &number);
        page.html.text(" ");
        children(page, footnote);
        page.html.close("li");
    }
    page.waiting.clear();
    page.html.close("ol");
}

/// The language that an element says it is in, if that can be one.
pub fn language(element: Element<'_>) -> &str {
    element.attribute("language").filter(|tag| is_language(tag)).unwrap_or_default()
}

/// Whether a text has the form of a language tag.
///
/// Clause: RFC 5646 2.1
pub fn is_language(tag: &str) -> bool {
    let fits =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    tag.len() <= 35 && tag.split('-').all(fits) && tag.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The classes of what style codes and alignments say; unknown ones say nothing.
pub fn classes(element: Element<'_>) -> String {
    let styles = element.attribute("styleCode").unwrap_or_default().split_whitespace();
    let alignment = element.attribute("align").unwrap_or_default();
    let classes: Vec<&str> = styles.chain([alignment]).filter_map(class).collect();
    classes.join(" ")
}

fn class(code: &str) -> Option<&'static str> {
    Some(match code {
        "Bold" | "xLabel" => "bold",
        "Italics" | "Emphasis" => "italic",
        "Underline" => "underline",
        "xAlert" | "xCritical" => "alert",
        "xSecondary" => "secondary",
        "left" => "left",
        "right" => "right",
        "center" => "center",
        "Arabic" => "arabic",
        "LittleAlpha" => "little-alpha",
        "BigAlpha" => "big-alpha",
        "LittleRoman" => "little-roman",
        "BigRoman" => "big-roman",
        "Disc" => "disc",
        "Circle" => "circle",
        "Square" => "square",
        _ => return None,
    })
}

struct Writer<'p, 't> {
    page: &'p mut Page<'t>,
}

impl<'t> Writer<'_, 't> {
    fn children(&mut self, element: Element<'t>) {
        for child in element.children() {
            self.child(child);
        }
    }

    fn child(&mut self, child: Child<'t>) {
        match child {
            Child::Text(text) => self.page.html.text(text),
            Child::Element(element) => self.element(element),
        }
    }

    fn element(&mut self, element: Element<'t>) {
        match element.name() {
            "br" => {
                self.page.html.raw("<br>");
                self.children(element); // where there should be none
            }
            "content" => self.content(element),
            "paragraph" => self.wrapped("div", "paragraph", element),
            "caption" => self.wrapped("span", "caption", element),
            "sub" => self.wrapped("sub", "", element),
            "sup" => self.wrapped("sup", "", element),
            "linkHtml" => self.link(element),
            "list" => self.list(element),
            "table" => table::write(self.page, element),
            "footnote" => self.footnote(element),
            "footnoteRef" => self.footnote_reference(element),
            "renderMultiMedia" => self.media(element),
            _ if INLINE.contains(&element.local_name().to_ascii_lowercase().as_str()) => {
                self.wrapped("span", "", element);
            }
            _ => self.wrapped("div", "", element),
        }
    }

    /// The same text in an element of ours.
    fn wrapped(&mut self, name: &'static str, class: &str, element: Element<'t>) {
        let id = self.page.id(element);
        let classes = classes(element);
        let class = if class.is_empty() || classes.is_empty() {
            format!("{class}{classes}")
        } else {
            format!("{class} {classes}")
        };
        self.page.html.open(name, &[("class", &class), ("id", &id), ("lang", language(element))]);
        self.children(element);
        self.page.html.close(name);
    }

    /// What was taken out in a revision has to look so.
    fn content(&mut self, element: Element<'t>) {
        let name = match element.attribute("revised") {
            Some("delete") => "del",
            Some("insert") => "ins",
            _ => "span",
        };
        self.wrapped(name, "", element);
    }

    /// A link inside the document; of any other the target is shown, because it may be anything.
    fn link(&mut self, element: Element<'t>) {
        let href = element.attribute("href").unwrap_or_default();
        let inside =
            href.strip_prefix('#').and_then(|name| self.page.link(name)).filter(|_| !self.page.in_link);
        let Some(inside) = inside else {
            self.wrapped("span", "", element);
            if !href.is_empty() && !href.starts_with('#') {
                self.page.html.text(" ");
                self.page.html.element("span", &[("class", "target")], &format!("[{href}]"));
            }
            return;
        };
        let id = self.page.id(element);
        self.page.html.open("a", &[("href", &inside), ("id", &id), ("class", &classes(element))]);
        self.page.in_link = true;
        self.children(element);
        self.page.in_link = false;
        self.page.html.close("a");
    }

    fn list(&mut self, element: Element<'t>) {
        let id = self.page.id(element);
        for caption in element.elements().filter(|child| child.name() == "caption") {
            self.wrapped("div", "caption", caption);
        }
        let name = if element.attribute("listType") == Some("ordered") { "ol" } else { "ul" };
        self.page.html.open(name, &[("class", &classes(element)), ("id", &id), ("lang", language(element))]);
        for child in element.children() {
            match child {
                Child::Text(text) if text.trim().is_empty() => {}
                Child::Element(item) if item.name() == "item" => self.wrapped("li", "", item),
                Child::Element(caption) if caption.name() == "caption" => {}
                other => {
                    self.page.html.open("li", &[]);
                    self.child(other);
                    self.page.html.close("li");
                }
            }
        }
        self.page.html.close(name);
    }

    fn footnote(&mut self, element: Element<'t>) {
        let number = self.page.footnote(element);
        self.page.waiting.push(element);
        self.number(number);
    }

    fn footnote_reference(&mut self, element: Element<'t>) {
        let number = element.attribute("IDREF").and_then(|name| self.page.footnote_named(name));
        self.number(number);
        self.children(element);
    }

    fn number(&mut self, number: Option<usize>) {
        let Some(number) = number else { return };
        let html = &mut self.page.html;
        html.open("sup", &[]);
        match self.page.in_link {
            true => html.text(&number.to_string()),
            false => html.element("a", &[("href", &format!("#f-{number}"))], &number.to_string()),
        }
        html.close("sup");
    }

    /// Pictures that the document itself holds; of other media there is a word.
    fn media(&mut self, element: Element<'t>) {
        let names = element.attribute("referencedObject").unwrap_or_default();
        let id = self.page.id(element);
        self.page.html.open("figure", &[("id", &id)]);
        for name in names.split_whitespace() {
            self.medium(name);
        }
        for child in element.children() {
            match child {
                Child::Text(text) => self.page.html.text(text),
                Child::Element(caption) => self.wrapped("div", "caption", caption),
            }
        }
        self.page.html.close("figure");
    }

    fn medium(&mut self, name: &str) {
        let medium = self.page.medium(name);
        let value = medium.and_then(|medium| medium.child("value"));
        let first = medium.is_some_and(|medium| self.page.shows_first(medium));
        let (Some(value), true) = (value, first) else {
            let what = if first || medium.is_none() { "is not in this document" } else { "is shown above" };
            return self.placeholder(&format!("The medium {name} {what}."));
        };
        match media::picture(value) {
            Some(source) => self.page.html.open("img", &[("src", &source), ("alt", name)]),
            None => {
                let kind = value.attribute("mediaType").map_or("no known type".to_owned(), media::kind);
                self.placeholder(&format!("The medium {name}, {kind}, is not shown here."));
            }
        }
    }

    fn placeholder(&mut self, text: &str) {
        self.page.html.element("span", &[("class", "placeholder")], text);
    }
}
