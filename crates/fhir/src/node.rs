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

    /// The member `name` of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Node> {
        match self {
            Self::Object(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The member `name` of an object, to be changed.
    pub fn member_mut(&mut self, name: &str) -> Option<&mut Node> {
        match self {
            Self::Object(members) => {
                members.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text of the member `name` of an object.
    #[must_use]
    pub fn text_at(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_text()
    }

    /// The items of the repeated member `name` of an object; none if it is not there.
    #[must_use]
    pub fn items_at(&self, name: &str) -> &[Node] {
        match self.member(name) {
            Some(Self::Array(items)) => items,
            _ => &[],
        }
    }

    /// A string's text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Takes the member `name` out of an object.
    pub fn take(&mut self, name: &str) -> Option<Node> {
        let Self::Object(members) = self else { return None };
        let at = members.iter().position(|(known, _)| known == name)?;
        Some(members.remove(at).1)
    }

    /// Gives an object's member `name` this value, in its old place or at the end.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: Node) {
        let Self::Object(members) = self else { return };
        let name = name.into();
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => members.push((name, value)),
        }
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
