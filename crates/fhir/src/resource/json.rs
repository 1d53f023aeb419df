//! JSON as a tree, strictly: no member twice, nothing after the resource, numbers as the text that they are.
//!
//! Clause: FHIR R4 json.html

use std::{borrow::Cow, collections::HashSet};

use super::{DEPTH_MAX, ReadError, ReadErrorKind, VALUES_MAX};
use crate::{Node, parse::is_number};

type Members = Vec<(Cow<'static, str>, Node)>;

/// More members than this are compared by a set and not one by one.
const FEW: usize = 16;

/// Reads the object that `text` is.
pub(super) fn read(text: &str) -> Result<Node, ReadError> {
    let mut reader = Reader { text, at: 0, values: 0 };
    let result = reader.value(0).and_then(|node| {
        reader.space();
        match node {
            Node::Object(_) if reader.at == text.len() => Ok(node),
            Node::Object(_) => Err(Fault::new("there is more after the resource")),
            _ => Err(Fault::new("not a JSON object")),
        }
    });
    result.map_err(Fault::told)
}

/// What ended reading; the path is put together on the way back.
struct Fault {
    kind: ReadErrorKind,
    message: &'static str,
    /// Innermost first.
    path: Vec<String>,
}

impl Fault {
    fn new(message: &'static str) -> Self {
        Self { kind: ReadErrorKind::Structure, message, path: Vec::new() }
    }

    fn inside(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    fn told(mut self) -> ReadError {
        self.path.reverse();
        let path = self.path.concat();
        ReadError::new(self.kind, path.strip_prefix('.').unwrap_or(&path), self.message)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            let message = "too many or too deep elements";
            return Err(Fault { kind: ReadErrorKind::TooCostly, message, path: Vec::new() });
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(|text| Node::String(Cow::Owned(text))),
            Some(_) => self.word(),
            None => Err(Fault::new("the body ends early")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Node, Fault> {
        self.at += 1;
        let mut members = Members::new();
        let mut names: HashSet<String> = HashSet::new();
        if self.took(b'}') {
            return Ok(Node::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(Fault::new("not well-formed JSON"));
            }
            let name = self.string()?;
            if members.len() == FEW {
                names.extend(members.iter().map(|(name, _)| name.clone().into_owned()));
            }
            let twice = match members.len() {
                0..FEW => members.iter().any(|(known, _)| *known == name),
                _ => !names.insert(name.clone()),
            };
            if twice {
                return Err(Fault::new("the member is given twice").inside(step(&name)));
            }
            if !self.took(b':') {
                return Err(Fault::new("not well-formed JSON").inside(step(&name)));
            }
            let value = self.value(depth + 1).map_err(|fault| fault.inside(step(&name)))?;
            members.push((Cow::Owned(name), value));
            if self.took(b'}') {
                return Ok(Node::Object(members));
            }
            if !self.took(b',') {
                return Err(Fault::new("not well-formed JSON"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Node, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        if self.took(b']') {
            return Ok(Node::Array(items));
        }
        loop {
            let item = self.value(depth + 1).map_err(|fault| fault.inside(format!("[{}]", items.len())))?;
            items.push(item);
            if self.took(b']') {
                return Ok(Node::Array(items));
            }
            if !self.took(b',') {
                return Err(Fault::new("not well-formed JSON"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let rest = &self.text[self.at..];
        let bytes = rest.as_bytes();
        let mut at = 1;
        let mut plain = true;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    at += 2;
                }
                Some(0..=0x1F) => return Err(Fault::new("not a well-formed JSON string")),
                Some(_) => at += 1,
                None => return Err(Fault::new("the body ends early")),
            }
        }
        self.at += at + 1;
        if plain {
            return Ok(rest[1..at].to_owned());
        }
        // Refuses surrogates that stand alone.
        serde_json::from_str(&rest[..=at]).map_err(|_| Fault::new("not a well-formed JSON string"))
    }

    /// A number or a literal.
    fn word(&mut self) -> Result<Node, Fault> {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(&b)));
        let word = &rest[..end.unwrap_or(rest.len())];
        self.at += word.len();
        match word {
            "null" => Ok(Node::Null),
            "true" => Ok(Node::Bool(true)),
            "false" => Ok(Node::Bool(false)),
            _ if is_number(word) => Ok(Node::Number(word.to_owned())),
            _ => Err(Fault::new("not well-formed JSON")),
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn took(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
    }
}

/// A step of a path, if the name can be repeated to the client.
fn step(name: &str) -> String {
    let plain =
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { format!(".{name}") } else { String::new() }
}
