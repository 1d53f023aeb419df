//! Reads a JSON text that was kept. Numbers stay digit for digit, which `serde_json` would not grant:
//! in FHIR, 1.10 says more than 1.1.

use std::borrow::Cow;

use crate::Node;

/// Deepest nesting; more than was ever stored, less than a stack.
const DEPTH_MAX: usize = 128;

/// The value that `text` is, or `None` if it is not JSON. [`crate::resource::read`] is for what clients send.
#[must_use]
pub fn read(text: &str) -> Option<Node> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.space();
    (reader.at == text.len()).then_some(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => self.list(b'{', b'}', |reader| reader.member(depth)).map(Node::Object),
            b'[' => self.list(b'[', b']', |reader| reader.value(depth + 1)).map(Node::Array),
            b'"' => self.string().map(|text| Node::String(Cow::Owned(text))),
            b't' => self.word("true", Node::Bool(true)),
            b'f' => self.word("false", Node::Bool(false)),
            b'n' => self.word("null", Node::Null),
            _ => self.number(),
        }
    }

    fn list<T>(
        &mut self,
        open: u8,
        close: u8,
        mut each: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.take(open)?;
        let mut items = Vec::new();
        if self.take(close).is_some() {
            return Some(items);
        }
        loop {
            items.push(each(self)?);
            if self.take(close).is_some() {
                return Some(items);
            }
            self.take(b',')?;
        }
    }

    fn member(&mut self, depth: usize) -> Option<(Cow<'static, str>, Node)> {
        self.space();
        let name = match self.plain_string() {
            Some(name) => known(name).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed),
            None => Cow::Owned(self.escaped_string()?),
        };
        self.take(b':')?;
        Some((name, self.value(depth + 1)?))
    }

    fn string(&mut self) -> Option<String> {
        match self.plain_string() {
            Some(text) => Some(text.to_owned()),
            None => self.escaped_string(),
        }
    }

    /// A string that stands there as it is, as most do: without an escape or a control character.
    fn plain_string(&mut self) -> Option<&str> {
        let rest = self.text.get(self.at..)?.strip_prefix('"')?;
        let end = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
        let text = rest[end..].starts_with('"').then(|| &rest[..end])?;
        self.at += end + 2;
        Some(text)
    }

    fn escaped_string(&mut self) -> Option<String> {
        let rest = self.text.get(self.at..)?;
        let mut escaped = false;
        let end = rest.bytes().enumerate().skip(1).find_map(|(at, byte)| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes.then_some(at + 1)
        })?;
        self.at += end;
        serde_json::from_str(&rest[..end]).ok()
    }

    fn number(&mut self) -> Option<Node> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
        let digits = &rest[..end];
        serde_json::from_str::<serde_json::Number>(digits).ok()?;
        self.at += end;
        Some(Node::Number(digits.to_owned()))
    }

    fn word(&mut self, word: &str, node: Node) -> Option<Node> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())?;
        Some(node)
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
    }
}

/// The names that most members have, by length: they need no room of their own.
const NAMES: [&[&str]; 15] = [
    &[],
    &[],
    &["id"],
    &["url", "use", "div", "end", "who"],
    &["code", "text", "unit", "type", "meta", "line", "city", "name", "date", "data"],
    &["value", "start", "given", "state", "class", "route", "agent", "title"],
    &["coding", "system", "status", "period", "family", "intent", "target", "gender", "active", "issued"],
    &["display", "subject", "version", "telecom", "address", "country", "content", "context"],
    &["category", "language", "location"],
    &["encounter", "performer", "component", "requester", "extension", "hasMember", "contained", "reference"],
    &["authoredOn", "identifier", "postalCode", "attachment", "conclusion", "individual"],
    &["participant", "contentType", "valueString", "vaccineCode"],
    &["resourceType", "valueDecimal", "recordedDate"],
    &["valueQuantity", "onsetDateTime", "valueDateTime"],
    &["clinicalStatus", "referenceRange", "interpretation"],
];

/// The name as it stands in the program, if it is one of [`NAMES`].
fn known(name: &str) -> Option<&'static str> {
    NAMES.get(name.len())?.iter().find(|known| **known == name).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::node::testing::text_of;

    #[test]
    fn what_is_read_is_written_again() {
        for text in [
            r#"{"a":[1.10,-0.50e+3,null,true,false],"b":{},"c":"\"\\é"}"#,
            "[]",
            "\"\\u0001\"",
            r#"{"a":{"b":[{"c":"d"}]}}"#,
        ] {
            let spaced = format!(" \n{text}\t");
            assert_eq!(text_of(&crate::json::write(&read(&spaced).unwrap(), false)), text);
        }
    }

    #[test]
    fn names_that_are_known_stand_where_they_are_looked_for() {
        for (length, names) in NAMES.iter().enumerate() {
            assert!(names.iter().all(|name| name.len() == length && known(name) == Some(name)), "{names:?}");
        }
        assert_eq!(known("codes"), None);
        let read = read(r#"{"code":1,"c\u006fde":2,"other":3}"#).unwrap();
        assert_eq!(text_of(&crate::json::write(&read, false)), r#"{"code":1,"code":2,"other":3}"#);
    }

    #[test]
    fn what_is_not_json_is_not_read() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "01",
            "1.",
            "tru",
            "\"",
            "\"\\\"",
            "1 2",
            "\"\u{1}\"",
            "é",
            &deep,
        ] {
            assert_eq!(read(text), None, "{text:.20}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]{}\",:\\\\0-9.eEtrufalsn é-]{0,40}") {
            let _ = read(&text);
        }
    }
}
