//! The XHTML of a narrative: basic formatting and nothing that runs or fetches.
//!
//! Clause: FHIR R4 narrative.html#security

use quick_xml::{Reader, escape::unescape, events::Event};

/// Elements that a narrative can have.
const ELEMENTS: [&str; 63] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "area",
    "menu",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "nobr",
    "wbr",
];

/// Whether the text is the XHTML of a narrative.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let mut reader = Reader::from_str(text.trim_matches([' ', '\t', '\r', '\n']));
    reader.config_mut().expand_empty_elements = true;
    let mut depth = 0_usize;
    let mut has_root = false;
    loop {
        match reader.read_event().map_err(|_| "the narrative is not well-formed XHTML")? {
            Event::Start(start) => {
                let name = start.local_name();
                let name = name.into_inner();
                if depth == 0 && (has_root || name != "div") {
                    return Err("the narrative is one div");
                }
                if !ELEMENTS.contains(&name) {
                    return Err("the narrative has an element that is not allowed there");
                }
                for attribute in start.attributes() {
                    let attribute = attribute.map_err(|_| "the narrative is not well-formed XHTML")?;
                    let name = attribute.key.local_name();
                    attribute_fits(name.into_inner(), &attribute.value)?;
                }
                has_root = true;
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof if has_root && depth == 0 => return Ok(()),
            Event::Eof => return Err("the narrative is not well-formed XHTML"),
            Event::Text(text) if depth == 0 && !text.trim().is_empty() => {
                return Err("the narrative is one div");
            }
            Event::Text(_) | Event::Comment(_) | Event::CData(_) | Event::GeneralRef(_) => {}
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                return Err("the narrative has a declaration or instruction");
            }
        }
    }
}

/// No event handlers, and addresses only of what is shown.
fn attribute_fits(name: &str, value: &str) -> Result<(), &'static str> {
    let name = name.to_ascii_lowercase();
    if name.starts_with("on") {
        return Err("the narrative has an event handler");
    }
    let value = unescape(value).map_err(|_| "the narrative is not well-formed XHTML")?;
    // What browsers pass over when they look for a scheme.
    let plain: String = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let plain = plain.to_ascii_lowercase();
    let is_link = matches!(name.as_str(), "href" | "src" | "longdesc" | "cite" | "background" | "usemap");
    if is_link && !leads_to_something_shown(&plain) {
        return Err("the narrative has a link that runs something");
    }
    if name == "style"
        && ["expression(", "url(", "javascript:", "@import"].iter().any(|bad| plain.contains(bad))
    {
        return Err("the narrative has a style that runs or fetches something");
    }
    Ok(())
}

/// A relative URL, one of a scheme that is shown, or an image inside.
fn leads_to_something_shown(url: &str) -> bool {
    let scheme =
        url.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| !scheme.contains(['/', '?', '#']));
    match scheme {
        None => true,
        Some("data") => url.starts_with("data:image/") && !url.starts_with("data:image/svg"),
        Some(scheme) => matches!(scheme, "http" | "https" | "mailto" | "tel" | "cid" | "urn"),
    }
}
