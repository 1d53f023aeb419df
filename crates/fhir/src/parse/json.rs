//! Finds the payload in FHIR JSON.
//!
//! Follows the grammar at the top level alone; inside members it counts brackets and skips strings.
//! What is wrong in there shows when the envelope is read.

use crate::base64::run_length;

use super::split::Split;
use super::{DEPTH_MAX, ReadError, ReadErrorKind};

/// Longest spelling, escapes included, of a name that matters here.
const TOKEN_BYTES_MAX: usize = 128;

#[derive(Debug)]
pub struct JsonSplitter {
    state: State,
    /// Open objects and arrays.
    depth: usize,
    /// The text of the current top-level name or `resourceType`, as it is spelled; longer ones are
    /// cut, and then name nothing.
    token: Vec<u8>,
    /// What the current top-level member is.
    member: Member,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the body; so many bytes of a byte order mark were seen.
    Start(u8),
    /// In the resource, before a name or the end.
    Name { first: bool },
    /// After a name.
    Colon,
    /// Before a value of the resource.
    Value,
    /// In a number, a literal, an object or an array.
    Inside,
    /// After a string, an object or an array.
    Comma,
    /// In a string; `escaped` after a backslash.
    Text { what: Text, escaped: bool },
    /// In the payload.
    Payload,
    /// After a backslash in the payload.
    Escape,
    /// After so many digits of a `\u` escape, with their value.
    Unicode(u8, u32),
    /// After the resource.
    End,
}

/// What a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Name,
    /// The value of a top-level member.
    Value,
    /// Deeper.
    Inner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    ResourceType,
    Payload,
    Else,
}

impl JsonSplitter {
    pub const fn new() -> Self {
        Self { state: State::Start(0), depth: 0, token: Vec::new(), member: Member::Else }
    }

    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Takes the next bytes and returns how many.
    pub fn step(
        &mut self,
        rest: &[u8],
        split: &mut Split,
        content: &mut Vec<u8>,
    ) -> Result<usize, ReadError> {
        if self.state == State::Payload {
            let run = run_length(rest, |byte| byte == b'"' || byte == b'\\' || byte < b' ');
            if run > 0 {
                return split.payload(&rest[..run], content).map(|()| run);
            }
        }
        match rest {
            [byte, ..] => self.byte(*byte, split, content).map(|()| 1),
            [] => Ok(0),
        }
    }

    fn byte(&mut self, byte: u8, split: &mut Split, content: &mut Vec<u8>) -> Result<(), ReadError> {
        match self.state {
            State::Start(seen) => self.start(byte, seen, split),
            State::Payload | State::Escape | State::Unicode(..) => self.payload(byte, split, content),
            State::Text { what, escaped } => {
                split.keep(byte)?;
                self.text(byte, what, escaped, split)
            }
            State::Inside => {
                split.keep(byte)?;
                self.inside(byte, split)
            }
            State::End if is_space(byte) => Ok(()),
            State::End => split.malformed("there is more after the resource"),
            State::Name { .. } | State::Colon | State::Value | State::Comma => {
                split.keep(byte)?;
                if is_space(byte) { Ok(()) } else { self.resource(byte, split) }
            }
        }
    }

    fn start(&mut self, byte: u8, seen: u8, split: &mut Split) -> Result<(), ReadError> {
        match (seen, byte) {
            (0, 0xEF) => self.state = State::Start(1),
            (1, 0xBB) => self.state = State::Start(2),
            (2, 0xBF) => {
                self.state = State::Start(3);
                return split.fail(ReadErrorKind::Structure, "Binary", "JSON begins without byte order mark");
            }
            (0 | 3, b'{') => {
                self.depth = 1;
                self.state = State::Name { first: true };
                return split.keep(byte);
            }
            (0 | 3, _) if is_space(byte) => {}
            _ => return split.malformed("not a JSON object"),
        }
        Ok(())
    }

    /// A byte of the resource between its names and values.
    fn resource(&mut self, byte: u8, split: &mut Split) -> Result<(), ReadError> {
        match (self.state, byte) {
            (State::Name { .. }, b'"') => {
                self.token.clear();
                self.state = State::Text { what: Text::Name, escaped: false };
            }
            (State::Colon, b':') => self.state = State::Value,
            (State::Value, _) => return self.value(byte, split),
            (State::Comma, b',') => self.state = State::Name { first: false },
            (State::Comma | State::Name { first: true }, b'}') => {
                self.depth = 0;
                self.state = State::End;
                return if split.root == super::Root::Unknown { split.malformed("") } else { Ok(()) };
            }
            _ => return split.malformed("not well-formed JSON"),
        }
        Ok(())
    }

    /// The first byte of the value of a top-level member.
    fn value(&mut self, byte: u8, split: &mut Split) -> Result<(), ReadError> {
        self.token.clear();
        match (byte, self.member) {
            (b'"', Member::Payload) => {
                self.state = State::Payload;
                split.begin_payload()
            }
            (b'"', _) => {
                self.state = State::Text { what: Text::Value, escaped: false };
                Ok(())
            }
            (_, Member::ResourceType) => split.malformed("resourceType is not a string"),
            (_, member) => {
                self.state = State::Inside;
                if member == Member::Payload {
                    let path = split.payload_path();
                    split.fail(ReadErrorKind::Structure, &path, "the content is not a string")?;
                }
                self.inside(byte, split)
            }
        }
    }

    /// A byte of a value that is not a string.
    fn inside(&mut self, byte: u8, split: &mut Split) -> Result<(), ReadError> {
        match byte {
            b'"' if self.depth == 1 => return split.malformed("not well-formed JSON"),
            b'"' => self.state = State::Text { what: Text::Inner, escaped: false },
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    let message = format!("nested deeper than {DEPTH_MAX} levels");
                    return split.fail(ReadErrorKind::TooCostly, "Binary", &message);
                }
            }
            // A number or literal ends with what comes after it.
            b',' | b'}' if self.depth == 1 => {
                self.state = State::Comma;
                return self.resource(byte, split);
            }
            b']' if self.depth == 1 => return split.malformed("not well-formed JSON"),
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 1 {
                    self.state = State::Comma;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A byte of a string.
    fn text(&mut self, byte: u8, what: Text, escaped: bool, split: &mut Split) -> Result<(), ReadError> {
        if escaped || byte != b'"' {
            if what != Text::Inner && self.token.len() <= TOKEN_BYTES_MAX {
                self.token.push(byte);
            }
            self.state = State::Text { what, escaped: !escaped && byte == b'\\' };
            return Ok(());
        }
        match what {
            Text::Inner => self.state = State::Inside,
            Text::Value => {
                self.state = State::Comma;
                if self.member == Member::ResourceType && split.root == super::Root::Unknown {
                    return match self.spoken().as_deref() {
                        Some("Binary") => split.is_binary(),
                        _ => split.malformed(""),
                    };
                }
            }
            Text::Name => {
                self.state = State::Colon;
                return self.named(split);
            }
        }
        Ok(())
    }

    fn named(&mut self, split: &mut Split) -> Result<(), ReadError> {
        let name = self.spoken();
        let name = name.as_deref().unwrap_or_default();
        self.member = match name {
            "resourceType" => Member::ResourceType,
            _ if name == split.version.payload_element() => Member::Payload,
            _ => Member::Else,
        };
        if split.is_foreign_payload(name) { split.foreign_payload(name) } else { Ok(()) }
    }

    /// The token with its escapes resolved.
    fn spoken(&self) -> Option<String> {
        if self.token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        serde_json::from_slice(&[b"\"", self.token.as_slice(), b"\""].concat()).ok()
    }

    /// A byte that ends the payload or belongs to an escape in it.
    fn payload(&mut self, byte: u8, split: &mut Split, content: &mut Vec<u8>) -> Result<(), ReadError> {
        let spoken = match (self.state, byte) {
            (State::Payload, b'"') => {
                self.state = State::Comma;
                split.keep(byte)?;
                return split.end_payload();
            }
            (State::Payload, b'\\') => {
                self.state = State::Escape;
                return Ok(());
            }
            (State::Escape, b'u') => {
                self.state = State::Unicode(0, 0);
                return Ok(());
            }
            (State::Escape, b'n' | b't' | b'r') => b'\n',
            (State::Escape, b'"' | b'\\' | b'/') => byte,
            (State::Escape, b'b' | b'f') => 0,
            (State::Unicode(digits, value), _) => match char::from(byte).to_digit(16) {
                Some(digit) if digits < 3 => {
                    self.state = State::Unicode(digits + 1, value * 16 + digit);
                    return Ok(());
                }
                // Beyond ASCII nothing is base64, and neither is NUL.
                Some(digit) => u8::try_from(value * 16 + digit).ok().filter(u8::is_ascii).unwrap_or(0),
                None => return split.malformed("not well-formed JSON"),
            },
            _ => return split.malformed("not well-formed JSON"),
        };
        self.state = State::Payload;
        split.payload(&[spoken], content)
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
