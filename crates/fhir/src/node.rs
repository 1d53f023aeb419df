//! A resource on its way out: a tree that both formats are written from, and the pieces that
//! writing gives. Content is never in the tree, only the place where it belongs, so that a document
//! of any size can be streamed into its resource form.

use std::borrow::Cow;

use bytes::Bytes;

/// A value of a resource. Objects keep the order of their members, which XML needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A string, code, uri, instant ...
    String(Cow<'static, str>),
    /// A boolean.
    Bool(bool),
    /// A number, digit for digit as it was given.
    Number(String),
    /// The base64 of content number so-and-so of the answer.
    Base64(usize),
    /// Members in order. A resource begins with `resourceType`.
    Object(Vec<(Cow<'static, str>, Node)>),
    /// A repeated element; never empty.
    Array(Vec<Node>),
    /// Only inside an array of primitives: the place of an item that has a value and no extension, or
    /// an extension and no value.
    ///
    /// Clause: FHIR R4 json.html#primitive
    Null,
}

/// A stretch of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Text(Bytes),
    /// The base64 of content number so-and-so, without line breaks.
    Base64(usize),
}

impl Node {
    /// A string.
    pub fn text(value: impl Into<Cow<'static, str>>) -> Self {
        Self::String(value.into())
    }

    /// A number.
    #[must_use]
    pub fn number(value: u64) -> Self {
        Self::Number(value.to_string())
    }

    /// An object of `members`; those without a value are left out, since FHIR has no null.
    pub fn object<const N: usize>(members: [(&'static str, Option<Node>); N]) -> Self {
        let valued = members.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?)));
        Self::Object(valued.collect())
    }

    /// A repeated element, or `None` where nothing is repeated, since FHIR has no empty arrays.
    #[must_use]
    pub fn array(items: Vec<Node>) -> Option<Self> {
        if items.is_empty() { None } else { Some(Self::Array(items)) }
    }
}

/// Text and places of content on their way into [`Piece`]s; adjacent text becomes one piece.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    finished: Vec<Piece>,
    text: String,
}

impl Pieces {
    pub(crate) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn base64(&mut self, slot: usize) {
        self.end_text();
        self.finished.push(Piece::Base64(slot));
    }

    /// A line break and `depth` steps of two spaces.
    pub(crate) fn line(&mut self, depth: usize) {
        self.text.push('\n');
        for _ in 0..depth {
            self.text.push_str("  ");
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Piece> {
        self.end_text();
        self.finished
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.finished.push(Piece::Text(std::mem::take(&mut self.text).into()));
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Piece;

    /// What the pieces say, with `{slot}` where content goes.
    pub(crate) fn text_of(pieces: &[Piece]) -> String {
        let texts = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            Piece::Base64(slot) => format!("{{{slot}}}"),
        });
        texts.collect()
    }
}
