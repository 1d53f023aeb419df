//! Writes resources as FHIR XML. The tree is that of JSON, so this knows where the two differ:
//! which members become attributes, what a resource looks like inside another, and that `_name`
//! belongs to the element `name`.

use crate::node::Pieces;
use crate::{Node, Piece};

type Members = [(std::borrow::Cow<'static, str>, Node)];

/// Writes `node`, which is a resource; `pretty` indents by two spaces.
///
/// Characters that XML 1.0 cannot carry become U+FFFD.
///
/// Clause: FHIR R4 xml.html
#[must_use]
pub fn write(node: &Node, pretty: bool) -> Vec<Piece> {
    let mut writer = Writer { out: Pieces::default(), pretty };
    writer.out.text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    if let Node::Object(members) = node
        && let Some(kind) = resource_type(members)
    {
        writer.resource(kind, members, 0);
    }
    writer.out.finish()
}

struct Writer {
    out: Pieces,
    pretty: bool,
}

impl Writer {
    fn resource(&mut self, kind: &str, members: &Members, depth: usize) {
        self.open(kind, depth);
        self.attribute("xmlns", "http://hl7.org/fhir");
        self.content(kind, members.iter().filter(|(name, _)| name != "resourceType"), members, depth);
    }

    /// An element of `name`, or several where it is repeated. `companion` is the member `_name`.
    fn element(&mut self, name: &str, value: Option<&Node>, companion: Option<&Node>, depth: usize) {
        match value.or(companion) {
            Some(Node::Array(_)) => self.repeated(name, value, companion, depth),
            Some(Node::Object(members)) if value.is_some() => self.complex(name, members, depth),
            _ if name == "div" => self.narrative(value, depth),
            _ => self.primitive(name, value, companion, depth),
        }
    }

    fn repeated(&mut self, name: &str, value: Option<&Node>, companion: Option<&Node>, depth: usize) {
        let (values, companions) = (items(value), items(companion));
        for at in 0..values.len().max(companions.len()) {
            let value = values.get(at).filter(|node| **node != Node::Null);
            let companion = companions.get(at).filter(|node| **node != Node::Null);
            self.element(name, value, companion, depth);
        }
    }

    fn complex(&mut self, name: &str, members: &Members, depth: usize) {
        self.open(name, depth);
        if let Some(kind) = resource_type(members) {
            self.out.text(">");
            self.resource(kind, members, depth + 1);
            return self.close(name, depth);
        }
        let is_extension = matches!(name, "extension" | "modifierExtension");
        let is_attribute = |member: &str| member == "id" || (member == "url" && is_extension);
        for (member, value) in members {
            if let (true, Node::String(text)) = (is_attribute(member), value) {
                self.attribute(member, text);
            }
        }
        self.content(name, members.iter().filter(|(member, _)| !is_attribute(member)), members, depth);
    }

    fn primitive(&mut self, name: &str, value: Option<&Node>, companion: Option<&Node>, depth: usize) {
        let members: &Members = if let Some(Node::Object(members)) = companion { members } else { &[] };
        if value.is_none() && members.is_empty() {
            return;
        }
        self.open(name, depth);
        if let Some((_, Node::String(id))) = members.iter().find(|(member, _)| member == "id") {
            self.attribute("id", id);
        }
        match value {
            Some(Node::String(text)) => self.attribute("value", text),
            Some(Node::Bool(value)) => self.attribute("value", if *value { "true" } else { "false" }),
            Some(Node::Number(digits)) => self.attribute("value", digits),
            Some(Node::Base64(slot)) => {
                self.out.text(" value=\"");
                self.out.base64(*slot);
                self.out.text("\"");
            }
            _ => {}
        }
        self.content(name, members.iter().filter(|(member, _)| member == "extension"), members, depth);
    }

    /// The narrative is XHTML as it stands.
    ///
    /// Clause: FHIR R4 narrative.html
    fn narrative(&mut self, value: Option<&Node>, depth: usize) {
        if let Some(Node::String(xhtml)) = value {
            self.line(depth);
            let clean: String = xhtml.chars().map(|c| if is_xml(c) { c } else { '\u{FFFD}' }).collect();
            self.out.text(&clean);
        }
    }

    /// Ends an open start tag: with children `of` the members and an end tag, or at once.
    fn content<'a>(
        &mut self,
        name: &str,
        of: impl Iterator<Item = &'a (std::borrow::Cow<'static, str>, Node)>,
        members: &Members,
        depth: usize,
    ) {
        let mut children =
            of.filter(|(member, _)| is_element_name(member.strip_prefix('_').unwrap_or(member))).peekable();
        if children.peek().is_none() {
            return self.out.text("/>");
        }
        self.out.text(">");
        for (member, value) in children {
            match member.strip_prefix('_') {
                Some(element) if find(members, element).is_some() => {}
                Some(element) => self.element(element, None, Some(value), depth + 1),
                None => self.element(member, Some(value), find(members, &format!("_{member}")), depth + 1),
            }
        }
        self.close(name, depth);
    }

    fn open(&mut self, name: &str, depth: usize) {
        self.line(depth);
        self.out.text("<");
        self.out.text(name);
    }

    fn close(&mut self, name: &str, depth: usize) {
        self.line(depth);
        self.out.text("</");
        self.out.text(name);
        self.out.text(">");
    }

    fn line(&mut self, depth: usize) {
        if self.pretty {
            self.out.line(depth);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.text(" ");
        self.out.text(name);
        self.out.text("=\"");
        let mut plain = 0;
        for (at, c) in value.char_indices() {
            let escape = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                // A reader would make spaces of them.
                '\t' => "&#x9;",
                '\n' => "&#xA;",
                '\r' => "&#xD;",
                _ if is_xml(c) => continue,
                _ => "\u{FFFD}",
            };
            self.out.text(&value[plain..at]);
            self.out.text(escape);
            plain = at + c.len_utf8();
        }
        self.out.text(&value[plain..]);
        self.out.text("\"");
    }
}

fn resource_type(members: &Members) -> Option<&str> {
    match members.first() {
        Some((name, Node::String(kind))) if name == "resourceType" && is_element_name(kind) => Some(kind),
        _ => None,
    }
}

fn find<'a>(members: &'a Members, name: &str) -> Option<&'a Node> {
    members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
}

fn items(node: Option<&Node>) -> &[Node] {
    match node {
        Some(Node::Array(items)) => items,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

/// Member names may come from a client; only these can be element names of FHIR.
fn is_element_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Clause: XML 1.0 2.2
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json;
    use crate::node::testing::text_of;

    const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

    fn check(json: &str, expected: &str) {
        let written = text_of(&write(&json::read(json).unwrap(), false));
        assert_eq!(written.strip_prefix(PROLOG).unwrap(), expected, "{json}");
    }

    #[test]
    fn elements_attributes_and_resources_find_their_places() {
        let cases = [
            (r#"{"resourceType":"A"}"#, r#"<A xmlns="http://hl7.org/fhir"/>"#),
            (
                r#"{"resourceType":"A","id":"1","b":{"id":"2","url":"u","n":[1.0,2]}}"#,
                r#"<A xmlns="http://hl7.org/fhir"><id value="1"/><b id="2"><url value="u"/><n value="1.0"/><n value="2"/></b></A>"#,
            ),
            (
                r#"{"resourceType":"A","extension":[{"url":"u","id":"x","valueBoolean":true}]}"#,
                r#"<A xmlns="http://hl7.org/fhir"><extension url="u" id="x"><valueBoolean value="true"/></extension></A>"#,
            ),
            (
                r#"{"resourceType":"A","b":"1","_b":{"id":"i","extension":[{"url":"u"}]},"_c":{"id":"j"}}"#,
                r#"<A xmlns="http://hl7.org/fhir"><b id="i" value="1"><extension url="u"/></b><c id="j"/></A>"#,
            ),
            (
                r#"{"resourceType":"A","b":["1",null],"_b":[null,{"id":"i"}]}"#,
                r#"<A xmlns="http://hl7.org/fhir"><b value="1"/><b id="i"/></A>"#,
            ),
            (
                r#"{"resourceType":"A","resource":{"resourceType":"B","id":"1"}}"#,
                r#"<A xmlns="http://hl7.org/fhir"><resource><B xmlns="http://hl7.org/fhir"><id value="1"/></B></resource></A>"#,
            ),
            (
                r#"{"resourceType":"A","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a &amp; b</div>"}}"#,
                r#"<A xmlns="http://hl7.org/fhir"><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a &amp; b</div></text></A>"#,
            ),
            (
                r#"{"resourceType":"A","b><script":"1","c":"<&>\"\n\u0001\uffff"}"#,
                "<A xmlns=\"http://hl7.org/fhir\"><c value=\"&lt;&amp;&gt;&quot;&#xA;\u{FFFD}\u{FFFD}\"/></A>",
            ),
        ];
        for (json, expected) in cases {
            check(json, expected);
        }
    }

    #[test]
    fn content_is_a_piece_inside_the_value() {
        let node =
            Node::object([("resourceType", Some(Node::text("Binary"))), ("data", Some(Node::Base64(0)))]);
        let start = format!("{PROLOG}<Binary xmlns=\"http://hl7.org/fhir\"><data value=\"");
        let expected = [Piece::Text(start.into()), Piece::Base64(0), Piece::Text("\"/></Binary>".into())];
        assert_eq!(write(&node, false), expected);
    }

    #[test]
    fn pretty_indents_elements() {
        let node = json::read(r#"{"resourceType":"A","b":{"c":"1"}}"#).unwrap();
        let expected = "\n<A xmlns=\"http://hl7.org/fhir\">\n  <b>\n    <c value=\"1\"/>\n  </b>\n</A>";
        assert_eq!(text_of(&write(&node, true)), format!("{PROLOG}{expected}"));
    }

    proptest! {
        #[test]
        fn values_are_well_formed(text: String) {
            let node = Node::object([("resourceType", Some(Node::text("A"))), ("b", Some(Node::text(text.clone())))]);
            let written = text_of(&write(&node, false));
            let mut reader = quick_xml::Reader::from_str(&written);
            let value = loop {
                if let quick_xml::events::Event::Empty(tag) = reader.read_event().unwrap() {
                    let attribute = tag.attributes().next().unwrap().unwrap();
                    break attribute.value.into_owned();
                }
            };
            let read = quick_xml::escape::unescape(&value).unwrap();
            let carried: String = text.chars().map(|c| if is_xml(c) { c } else { '\u{FFFD}' }).collect();
            prop_assert_eq!(read, carried);
        }
    }
}
