//! Finds the payload in FHIR XML.
//!
//! Knows tags, attributes and what to skip, and counts depth. Whether names match and are the right
//! ones shows when the envelope is read; there the payload's attribute has
//! a placeholder for its value.

use crate::base64::run_length;

use super::split::Split;
use super::{DEPTH_MAX, ENVELOPE_BYTES_MAX, ReadError, ReadErrorKind, xml_tree};

/// Longest name and reference that matters here; longer ones are cut, and then name nothing.
const TOKEN_BYTES_MAX: usize = 128;

#[derive(Debug)]
pub struct XmlSplitter {
    state: State,
    /// Open elements.
    depth: usize,
    /// Whether the root element was seen.
    rooted: bool,
    /// The markup that began last, up to the longest that matters; for the root tag all of it.
    markup: Vec<u8>,
    /// The name of the current attribute, or a reference in the payload.
    token: Vec<u8>,
    /// Whether the current element is the payload's.
    in_payload_element: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the body; so many bytes of a byte order mark were seen.
    Start(u8),
    /// Between tags.
    Text,
    /// After `<`, until it shows what begins.
    Markup,
    /// In what ends at this text: a comment, a processing instruction, CDATA or a closing tag.
    Until(&'static [u8]),
    /// In a document type declaration, with so many brackets open.
    DocType { quote: Option<u8>, brackets: usize },
    /// In a comment within a document type declaration, with so many brackets open around it.
    DocTypeComment { brackets: usize },
    /// In the name of an element.
    Element,
    /// In a tag, between attributes; `closing` after a slash.
    Tag { closing: bool },
    /// In the name of an attribute, up to its equals sign.
    Attribute,
    /// After the equals sign.
    Equals,
    /// In the value of an attribute that ends at this quote.
    Value(u8),
    /// In the payload.
    Payload(u8),
    /// In a reference in the payload, after the ampersand.
    Reference(u8),
}

impl XmlSplitter {
    pub const fn new() -> Self {
        Self {
            state: State::Start(0),
            depth: 0,
            rooted: false,
            markup: Vec::new(),
            token: Vec::new(),
            in_payload_element: false,
        }
    }

    pub fn is_complete(&self) -> bool {
        self.rooted && self.depth == 0 && self.state == State::Text
    }

    /// Takes the next bytes and returns how many.
    pub fn step(
        &mut self,
        rest: &[u8],
        split: &mut Split,
        content: &mut Vec<u8>,
    ) -> Result<usize, ReadError> {
        if let State::Payload(quote) = self.state {
            let run = run_length(rest, |byte| byte == quote || byte == b'&' || byte == b'<');
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
            State::Payload(quote) => self.payload(byte, quote, split),
            State::Reference(quote) => self.reference(byte, quote, split, content),
            State::DocType { .. } | State::DocTypeComment { .. } => {
                self.doc_type(byte);
                Ok(())
            }
            _ => {
                split.keep(byte)?;
                self.markup(byte, split)
            }
        }
    }

    fn start(&mut self, byte: u8, seen: u8, split: &mut Split) -> Result<(), ReadError> {
        self.state = match (seen, byte) {
            (0, 0xEF) => State::Start(1),
            (1, 0xBB) => State::Start(2),
            (2, 0xBF) => State::Text,
            (0, _) if byte == b'<' || is_space(byte) => {
                split.keep(byte)?;
                self.state = State::Text;
                return self.markup(byte, split);
            }
            _ => return split.malformed("not well-formed XML"),
        };
        Ok(())
    }

    fn markup(&mut self, byte: u8, split: &mut Split) -> Result<(), ReadError> {
        if self.state != State::Text && self.markup.len() < self.markup_bytes_max() {
            self.markup.push(byte);
        }
        match self.state {
            State::Text if byte == b'<' => {
                self.markup.clear();
                self.state = State::Markup;
            }
            State::Text if self.depth == 0 && !is_space(byte) => {
                return split.malformed("there is text outside the resource");
            }
            State::Markup => return self.begin(split),
            State::Until(end) if self.markup.ends_with(end) => {
                self.state = State::Text;
                if end == b">" {
                    return self.close(split);
                }
            }
            // Of what is skipped only the end matters.
            State::Until(_) if self.markup.len() > TOKEN_BYTES_MAX / 2 => {
                self.markup.drain(..TOKEN_BYTES_MAX / 4);
            }
            State::Element if is_space(byte) || matches!(byte, b'/' | b'>') => {
                self.named(split)?;
                self.state = State::Tag { closing: false };
                return self.tag(byte, false, split);
            }
            State::Tag { closing } => return self.tag(byte, closing, split),
            State::Attribute if byte == b'=' => self.state = State::Equals,
            State::Attribute if is_space(byte) => {}
            State::Attribute => {
                if matches!(byte, b'"' | b'\'' | b'<' | b'>') {
                    return split.malformed("not well-formed XML");
                }
                if self.token.len() < TOKEN_BYTES_MAX {
                    self.token.push(byte);
                }
            }
            State::Equals if is_space(byte) => {}
            State::Equals if matches!(byte, b'"' | b'\'') => {
                if self.in_payload_element && self.token == b"value" {
                    self.state = State::Payload(byte);
                    return split.begin_payload();
                }
                self.state = State::Value(byte);
            }
            State::Equals => return split.malformed("not well-formed XML"),
            State::Value(quote) if byte == quote => self.state = State::Tag { closing: false },
            State::Value(_) if byte == b'<' => return split.malformed("not well-formed XML"),
            _ => {}
        }
        Ok(())
    }

    /// How much of a piece of markup is looked at.
    const fn markup_bytes_max(&self) -> usize {
        if self.rooted { TOKEN_BYTES_MAX } else { ENVELOPE_BYTES_MAX }
    }

    /// Tells what begins from its first bytes, as far as there are enough.
    fn begin(&mut self, split: &mut Split) -> Result<(), ReadError> {
        const LONGER: [&[u8]; 3] = [b"!--", b"![CDATA[", b"!DOCTYPE"];
        let begun = self.markup.as_slice();
        self.state = match begun {
            b"?" => State::Until(b"?>"),
            b"/" => State::Until(b">"),
            b"!--" => State::Until(b"-->"),
            b"![CDATA[" => State::Until(b"]]>"),
            b"!DOCTYPE" => {
                split.fail(
                    ReadErrorKind::Structure,
                    "Binary",
                    "a document type declaration is not allowed",
                )?;
                State::DocType { quote: None, brackets: 0 }
            }
            [b'!', ..] if LONGER.iter().any(|whole| whole.starts_with(begun)) => State::Markup,
            [b'!' | b'>', ..] => return split.malformed("not well-formed XML"),
            [byte, ..] if is_space(*byte) => return split.malformed("not well-formed XML"),
            _ => State::Element,
        };
        if matches!(self.state, State::Until(_)) {
            self.markup.clear(); // so that `<!-->` is no comment
        }
        Ok(())
    }

    fn doc_type(&mut self, byte: u8) {
        self.markup.push(byte);
        if self.markup.len() > TOKEN_BYTES_MAX {
            self.markup.drain(..TOKEN_BYTES_MAX / 2);
        }
        self.state = match self.state {
            State::DocTypeComment { brackets } if self.markup.ends_with(b"-->") => {
                State::DocType { quote: None, brackets }
            }
            State::DocType { quote: None, brackets } => match byte {
                b'"' | b'\'' => State::DocType { quote: Some(byte), brackets },
                b'[' => State::DocType { quote: None, brackets: brackets + 1 },
                b']' => State::DocType { quote: None, brackets: brackets.saturating_sub(1) },
                b'>' if brackets == 0 => State::Text,
                _ if self.markup.ends_with(b"<!--") => State::DocTypeComment { brackets },
                _ => self.state,
            },
            State::DocType { quote: Some(quote), brackets } if byte == quote => {
                State::DocType { quote: None, brackets }
            }
            state => state,
        };
    }

    /// The name of an element is complete.
    fn named(&mut self, split: &mut Split) -> Result<(), ReadError> {
        self.in_payload_element = false;
        if self.depth == 0 && self.rooted {
            return split.malformed("there is more after the resource");
        }
        if self.depth == 1 {
            let name = self.markup.split_last().map_or(&b""[..], |(_, name)| name);
            let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
            self.in_payload_element = local == split.version.payload_element().as_bytes();
            for name in ["data", "content"] {
                if local == name.as_bytes() && split.is_foreign_payload(name) {
                    return split.foreign_payload(name);
                }
            }
        }
        Ok(())
    }

    /// A byte of a tag between its attributes.
    fn tag(&mut self, byte: u8, closing: bool, split: &mut Split) -> Result<(), ReadError> {
        match byte {
            b'>' => {
                self.state = State::Text;
                return self.open(closing, split);
            }
            _ if closing => return split.malformed("not well-formed XML"),
            b'/' => self.state = State::Tag { closing: true },
            _ if is_space(byte) => {}
            b'"' | b'\'' | b'<' | b'=' => return split.malformed("not well-formed XML"),
            _ => {
                self.token.clear();
                self.token.push(byte);
                self.state = State::Attribute;
            }
        }
        Ok(())
    }

    /// A tag is complete.
    fn open(&mut self, closing: bool, split: &mut Split) -> Result<(), ReadError> {
        if !self.rooted {
            self.rooted = true;
            if !xml_tree::is_binary_tag(&self.markup) {
                return split.malformed("");
            }
            split.is_binary()?;
        }
        if !closing {
            self.depth += 1;
        }
        if self.depth > DEPTH_MAX {
            let message = format!("nested deeper than {DEPTH_MAX} levels");
            return split.fail(ReadErrorKind::TooCostly, "Binary", &message);
        }
        Ok(())
    }

    /// A closing tag is complete.
    fn close(&mut self, split: &mut Split) -> Result<(), ReadError> {
        match self.depth.checked_sub(1) {
            Some(depth) => self.depth = depth,
            None => return split.malformed("not well-formed XML"),
        }
        Ok(())
    }

    /// A byte that ends the payload or begins a reference in it.
    fn payload(&mut self, byte: u8, quote: u8, split: &mut Split) -> Result<(), ReadError> {
        match byte {
            b'&' => {
                self.token.clear();
                self.state = State::Reference(quote);
                Ok(())
            }
            b'<' => split.malformed("not well-formed XML"),
            _ => {
                self.state = State::Tag { closing: false };
                split.keep(byte)?;
                split.end_payload()
            }
        }
    }

    /// A byte of a reference in the payload.
    fn reference(
        &mut self,
        byte: u8,
        quote: u8,
        split: &mut Split,
        content: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        if byte != b';' {
            if byte == quote || byte == b'<' || self.token.len() == TOKEN_BYTES_MAX {
                return split.malformed("not well-formed XML");
            }
            self.token.push(byte);
            return Ok(());
        }
        self.state = State::Payload(quote);
        match xml_tree::referenced(&self.token) {
            // Beyond ASCII nothing is base64, and neither is NUL.
            Some(character) => {
                let byte = u8::try_from(character).ok().filter(u8::is_ascii).unwrap_or(0);
                split.payload(&[byte], content)
            }
            None => split.malformed("not well-formed XML"),
        }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
