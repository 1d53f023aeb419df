//! The body of a document: the table of contents, the sections with their narratives, or what stands in place of them.

use super::{
    encoding, media, narrative,
    page::Page,
    people::participants,
    tree::{Child, Element},
    values::{absent, code, distinct, name},
};

/// A section with the sections in it.
struct Section<'t> {
    element: Element<'t>,
    title: String,
    id: String,
    inner: Vec<Section<'t>>,
}

/// Writes the body: the contents, then `main`, which `end` writes the last part of.
pub fn write<'t>(page: &mut Page<'t>, document: Element<'t>, end: impl FnOnce(&mut Page<'t>)) {
    let body = document.path(&["component", "structuredBody"]);
    let sections = body.map(|body| sections(body, "s")).unwrap_or_default();
    page.html.open("nav", &[("class", "contents")]);
    page.html.element("h2", &[], "Contents");
    contents(page, &sections, true);
    page.html.close("nav");
    page.html.open("main", &[]);
    if let Some(other) = document.path(&["component", "nonXMLBody"]) {
        unstructured(page, other);
    } else if sections.is_empty() {
        page.html.element("p", &[("class", "notice")], "This document has no sections.");
    }
    for section in &sections {
        write_section(page, section, 2);
    }
    end(page);
    page.html.close("main");
}

fn sections<'t>(outer: Element<'t>, id: &str) -> Vec<Section<'t>> {
    let elements = outer.all("component").flat_map(|component| component.all("section"));
    elements
        .enumerate()
        .map(|(at, element)| {
            let id = format!("{id}-{}", at + 1);
            Section { element, title: title(element), inner: sections(element, &id), id }
        })
        .collect()
}

fn title(section: Element<'_>) -> String {
    let titled = section.child("title").map(Element::text).filter(|title| !title.is_empty());
    let coded = || section.child("code").map(code).filter(|title| !title.is_empty());
    titled.or_else(coded).unwrap_or("Section without a title".to_owned())
}

fn contents(page: &mut Page<'_>, sections: &[Section<'_>], is_outer: bool) {
    page.html.open("ol", &[]);
    for section in sections {
        page.html.open("li", &[]);
        page.html.element("a", &[("href", &format!("#{}", section.id))], &section.title);
        if !section.inner.is_empty() {
            contents(page, &section.inner, false);
        }
        page.html.close("li");
    }
    if is_outer {
        page.html.raw("<li><a href=\"#about\">About this document</a></li>");
    }
    page.html.close("ol");
}

fn write_section<'t>(page: &mut Page<'t>, section: &Section<'t>, level: usize) {
    const HEADINGS: [&str; 7] = ["h1", "h1", "h2", "h3", "h4", "h5", "h6"];
    let heading = HEADINGS[level.min(HEADINGS.len() - 1)];
    let element = section.element;
    page.html.line();
    page.html.open("section", &[("id", &section.id), ("lang", section_language(element))]);
    let anchor = page.id(element);
    page.html.element(heading, &[("id", &anchor)], &section.title);
    remarks(page, element);
    match element.child("text") {
        Some(text) => narrative::write(page, text),
        None if section.inner.is_empty() => {
            page.html.element("p", &[("class", "placeholder")], "This section has no narrative.");
        }
        None => {}
    }
    for inner in &section.inner {
        write_section(page, inner, level + 1);
    }
    page.html.close("section");
}

fn section_language(section: Element<'_>) -> &str {
    let code = section.child("languageCode").and_then(|language| language.attribute("code"));
    code.filter(|code| narrative::is_language(code)).unwrap_or_default()
}

/// Whatever a section says of itself that changes how it is read.
fn remarks(page: &mut Page<'_>, section: Element<'_>) {
    let mut remarks = Vec::new();
    // That there is no information, the narrative says as well.
    if let Some(flavor) = section.attribute("nullFlavor").filter(|flavor| *flavor != "NI") {
        remarks.push(("Content", absent(flavor).to_owned()));
    }
    if let Some(confidentiality) = section.child("confidentialityCode")
        && confidentiality.attribute("code") != Some("N")
    {
        remarks.push(("Confidentiality", code(confidentiality)));
    }
    if let Some(subject) = section.path(&["subject", "relatedSubject"]) {
        let who =
            subject.path(&["subject", "name"]).map(name).into_iter().chain(subject.child("code").map(code));
        remarks.push(("About", distinct(who).join(", ")));
    }
    for party in participants(section) {
        let words = [party.called().to_owned(), party.time.clone()];
        let who = distinct(words.into_iter()).join(", ");
        remarks.push((if party.role == "Author" { "Author" } else { "Informant" }, who));
    }
    remarks.retain(|(_, text)| !text.is_empty());
    if remarks.is_empty() {
        return;
    }
    page.html.open("p", &[("class", "remarks")]);
    for (label, text) in remarks {
        page.html.element("span", &[], &format!("{label}: {text}"));
        page.html.text(" ");
    }
    page.html.close("p");
}

/// A document whose body is a file of another kind: shown if it is text or a picture, else named.
fn unstructured(page: &mut Page<'_>, body: Element<'_>) {
    page.html.open("section", &[("class", "unstructured")]);
    page.html.element("h2", &[], "Content");
    let Some(text) = body.child("text") else {
        page.html.element("p", &[("class", "placeholder")], "This document holds nothing.");
        return page.html.close("section");
    };
    let media_type = text.attribute("mediaType").unwrap_or("text/plain");
    let is_base64 = text.attribute("representation") == Some("B64");
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if let Some(target) = text.child("reference").and_then(|reference| reference.attribute("value")) {
        // A link of a document may lead anywhere.
        page.html.element(
            "p",
            &[("class", "notice")],
            &format!("This document is {}, kept elsewhere: {target}", media::kind(media_type)),
        );
    } else if essence == "text/plain" {
        page.html.element("div", &[("class", "narrative plain")], &plain(text, is_base64));
    } else if let Some(source) = media::picture(text) {
        page.html.open("img", &[("src", &source), ("alt", "The content of this document")]);
    } else {
        held(page, text, media_type, is_base64);
    }
    page.html.close("section");
}

fn plain(text: Element<'_>, is_base64: bool) -> String {
    if is_base64 {
        let bytes = media::bytes(text).unwrap_or_default();
        return match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => encoding::windows_1252(error.as_bytes()).into_owned(),
        };
    }
    let mut whole = String::new();
    gather(text, &mut whole);
    whole
}

fn gather(element: Element<'_>, whole: &mut String) {
    for child in element.children() {
        match child {
            Child::Text(text) => whole.push_str(text),
            Child::Element(element) => gather(element, whole),
        }
    }
}

/// What it is and how large; the way to it is the document itself.
fn held(page: &mut Page<'_>, text: Element<'_>, media_type: &str, is_base64: bool) {
    let length =
        if is_base64 { media::bytes(text).map(|bytes| bytes.len()) } else { Some(plain(text, false).len()) };
    let size = length.map_or("damaged".to_owned(), media::size);
    let sentence = format!(
        "This document holds {} ({size}), which is not shown on this page. ",
        media::kind(media_type)
    );
    page.html.open("p", &[("class", "notice")]);
    page.html.text(&sentence);
    if let Some(native) = page.native.clone() {
        page.html.element("a", &[("href", &native)], "Get the document with what it holds");
        page.html.text(".");
    }
    page.html.close("p");
}
