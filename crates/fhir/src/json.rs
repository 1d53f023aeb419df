//! FHIR JSON: writes resources, and reads back what was kept of one.

mod read;

pub use read::read;

use crate::node::Pieces;
use crate::{Node, Piece};

/// `node`, which has no place of content, as JSON without white space.
#[must_use]
pub fn text(node: &Node) -> String {
    let pieces = write(node, false);
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => std::str::from_utf8(text).unwrap_or_default(), // it was made of strings
        Piece::Base64(_) => "",
    });
    texts.collect()
}

/// Writes `node`; `pretty` indents by two spaces.
///
/// Clause: FHIR R4 json.html
#[must_use]
pub fn write(node: &Node, pretty: bool) -> Vec<Piece> {
    let mut writer = Writer { out: Pieces::default(), pretty };
    writer.value(node, 0);
    writer.out.finish()
}

struct Writer {
    out: Pieces,
    pretty: bool,
}

impl Writer {
    fn value(&mut self, node: &Node, depth: usize) {
        match node {
            Node::String(text) => self.string(text),
            Node::Bool(value) => self.out.text(if *value { "true" } else { "false" }),
            Node::Number(digits) => self.out.text(digits),
            Node::Null => self.out.text("null"),
            Node::Base64(slot) => {
                self.out.text("\"");
                self.out.base64(*slot);
                self.out.text("\"");
            }
            Node::Object(members) => self.list("{", "}", members, depth, |writer, (name, value)| {
                writer.string(name);
                writer.out.text(if writer.pretty { ": " } else { ":" });
                writer.value(value, depth + 1);
            }),
            Node::Array(items) => {
                self.list("[", "]", items, depth, |writer, item| writer.value(item, depth + 1));
            }
        }
    }

    fn list<T>(
        &mut self,
        open: &str,
        close: &str,
        of: &[T],
        depth: usize,
        mut each: impl FnMut(&mut Self, &T),
    ) {
        self.out.text(open);
        for (at, item) in of.iter().enumerate() {
            if at > 0 {
                self.out.text(",");
            }
            self.line(depth + 1);
            each(self, item);
        }
        if !of.is_empty() {
            self.line(depth);
        }
        self.out.text(close);
    }

    fn line(&mut self, depth: usize) {
        if self.pretty {
            self.out.line(depth);
        }
    }

    fn string(&mut self, text: &str) {
        self.out.text("\"");
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
            let (plain, special) = rest.split_at(at);
            self.out.text(plain);
            let code = special.as_bytes()[0];
            match code {
                b'"' => self.out.text("\\\""),
                b'\\' => self.out.text("\\\\"),
                b'\n' => self.out.text("\\n"),
                b'\r' => self.out.text("\\r"),
                b'\t' => self.out.text("\\t"),
                _ => self.out.text(&format!("\\u{code:04x}")),
            }
            rest = &special[1..];
        }
        self.out.text(rest);
        self.out.text("\"");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::node::testing::text_of;

    fn check(node: &Node, pretty: bool, expected: &str) {
        assert_eq!(text_of(&write(node, pretty)), expected);
    }

    #[test]
    fn members_keep_their_order_and_values_their_digits() {
        let node = Node::object([
            ("resourceType", Some(Node::text("Basic"))),
            ("left", None),
            ("flag", Some(Node::Bool(true))),
            ("value", Some(Node::Number("1.10".into()))),
            ("code", Node::array(vec![Node::text("a"), Node::Null])),
        ]);
        check(&node, false, r#"{"resourceType":"Basic","flag":true,"value":1.10,"code":["a",null]}"#);
        check(
            &node,
            true,
            "{\n  \"resourceType\": \"Basic\",\n  \"flag\": true,\n  \"value\": 1.10,\n  \"code\": [\n    \"a\",\n    null\n  ]\n}",
        );
    }

    #[test]
    fn content_is_a_piece_between_quotes() {
        let node = Node::object([("data", Some(Node::Base64(3))), ("x", Some(Node::text("é")))]);
        assert_eq!(
            write(&node, false),
            [Piece::Text("{\"data\":\"".into()), Piece::Base64(3), Piece::Text("\",\"x\":\"é\"}".into()),]
        );
    }

    proptest! {
        #[test]
        fn strings_survive(text: String) {
            let written = text_of(&write(&Node::text(text.clone()), false));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
