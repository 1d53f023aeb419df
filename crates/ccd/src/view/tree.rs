//! A CDA document read for its view: header, sections and narrative as a flat tree that borrows from the text.
//! Entries are passed over, but for the media that a narrative may show.
//!
//! What is read is hostile: no document type, no entities of its own, and everything that grows is bounded.

mod element;

use std::{borrow::Cow, ops::Range};

use quick_xml::{
    Reader,
    escape::{resolve_predefined_entity, unescape},
    events::{Event, attributes::Attributes},
};

use super::{DEPTH_MAX, NODES_MAX, ViewError};
pub use element::{Child, Element};

const CDA: &str = "urn:hl7-org:v3";
const SDTC: &str = "urn:hl7-org:sdtc";
const ATTRIBUTES_MAX: usize = 64;
const BINDINGS_MAX: usize = 64;

/// Where a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Namespace {
    Cda,
    Sdtc,
    Other,
}

#[derive(Debug)]
enum What<'a> {
    Text(Cow<'a, str>),
    Element { name: &'a str, namespace: Namespace, attributes: Range<u32> },
}

#[derive(Debug)]
struct Node<'a> {
    what: What<'a>,
    /// The first child; 0 is none, because the root is nobody's child.
    first: u32,
    /// The next sibling, or 0.
    next: u32,
}

/// The document.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
}

/// Reads a document.
///
/// # Errors
/// [`ViewError`]; `NotCda` as soon as the root is something else.
pub fn read(text: &str) -> Result<Tree<'_>, ViewError> {
    let mut builder = Builder::default();
    let mut reader = Reader::from_str(text);
    let mut from = 0;
    loop {
        let event = reader.read_event().map_err(|_| builder.malformed())?;
        let to = usize::try_from(reader.buffer_position()).map_err(|_| ViewError::Malformed)?;
        match event {
            Event::Start(tag) => builder.open(tag_of(text, from, to, 1)?, tag.name().into_inner().len())?,
            Event::Empty(tag) => {
                builder.open(tag_of(text, from, to, 2)?, tag.name().into_inner().len())?;
                builder.close();
            }
            Event::End(_) => builder.close(),
            Event::Text(text) => builder.text(text.into_inner())?,
            Event::CData(text) => builder.text(text.into_inner())?,
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Cow::Owned(character.to_string()),
                    Ok(None) => resolve_predefined_entity(&reference).ok_or(ViewError::Declarations)?.into(),
                    Err(_) => return Err(ViewError::Malformed),
                };
                builder.text(text)?;
            }
            Event::DocType(_) => return Err(ViewError::Declarations),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return builder.finish(),
        }
        from = to;
    }
}

/// The text between `<` and the end of a tag.
fn tag_of(text: &str, from: usize, to: usize, end: usize) -> Result<&str, ViewError> {
    text.get(from + 1..to - end).ok_or(ViewError::Malformed)
}

/// What an element is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Header and structure.
    Body,
    /// A title or a text: every blank counts.
    Narrative,
    /// Coded statements, which are passed over.
    Entry,
    /// A medium in an entry.
    Media,
}

impl Part {
    /// What an element of CDA is part of, and whether it is kept.
    fn of(self, name: &str) -> (Self, bool) {
        match (self, name) {
            (Self::Body, "entry") => (Self::Entry, false),
            (Self::Body, "text" | "title") => (Self::Narrative, true),
            (Self::Entry, "observationMedia") => (Self::Media, true),
            (Self::Entry, "regionOfInterest") => (Self::Entry, true),
            (Self::Entry, _) => (Self::Entry, false),
            (part, _) => (part, true),
        }
    }
}

/// An element that is not closed yet.
struct Open {
    /// Itself, or where it is passed over the nearest that is kept.
    node: u32,
    /// The last child so far, or 0.
    last: u32,
    is_kept: bool,
    part: Part,
    /// How many bindings of prefixes were in scope outside.
    bindings: usize,
}

#[derive(Default)]
struct Builder<'a> {
    tree: Tree<'a>,
    open: Vec<Open>,
    bindings: Vec<(&'a str, Namespace)>,
}

impl<'a> Builder<'a> {
    /// What broken XML is: before its root it is no CDA.
    fn malformed(&self) -> ViewError {
        if self.tree.nodes.is_empty() { ViewError::NotCda } else { ViewError::Malformed }
    }

    fn open(&mut self, tag: &'a str, name_length: usize) -> Result<(), ViewError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(ViewError::TooLarge);
        }
        let bindings = self.bindings.len();
        let attributes = self.bind(tag, name_length)?;
        let name = tag.get(..name_length).ok_or(ViewError::Malformed)?;
        let (prefix, name) = name.split_once(':').unwrap_or(("", name));
        let namespace = self.namespace(prefix);
        let is_cda = namespace == Namespace::Cda;
        let outside = match self.open.last() {
            Some(open) => open.part,
            None if !self.tree.nodes.is_empty() => return Err(ViewError::Malformed),
            None if !is_cda || name != "ClinicalDocument" => return Err(ViewError::NotCda),
            None => Part::Body,
        };
        let (part, is_kept) = if is_cda { outside.of(name) } else { (outside, outside != Part::Entry) };
        let (mut node, mut last) = self.open.last().map_or((0, 0), |open| (open.node, open.last));
        if is_kept {
            let start = index(self.tree.attributes.len())?;
            self.tree.attributes.extend(attributes);
            let attributes = start..index(self.tree.attributes.len())?;
            (node, last) = (self.append(What::Element { name, namespace, attributes })?, 0);
        }
        self.open.push(Open { node, last, is_kept, part, bindings });
        Ok(())
    }

    /// Notes the prefixes that a tag binds, and gives its other attributes that have none.
    fn bind(&mut self, tag: &'a str, name_length: usize) -> Result<Vec<(&'a str, Cow<'a, str>)>, ViewError> {
        let mut kept: Vec<(&str, Cow<'_, str>)> = Vec::new();
        let mut attributes = Attributes::new(tag, name_length);
        // Compared below, among few: the reader's own check takes the square of what there is.
        attributes.with_checks(false);
        for (count, attribute) in attributes.enumerate() {
            let attribute = attribute.map_err(|_| self.malformed())?;
            if count >= ATTRIBUTES_MAX || self.bindings.len() >= BINDINGS_MAX {
                return Err(ViewError::TooLarge);
            }
            let name = attribute.key.into_inner();
            let value = unescaped(attribute.value)?;
            match name.split_once(':') {
                None if name == "xmlns" => self.bindings.push(("", namespace(&value))),
                Some(("xmlns", prefix)) => self.bindings.push((prefix, namespace(&value))),
                Some(_) => {}
                None if kept.iter().any(|(other, _)| *other == name) => return Err(self.malformed()),
                None => kept.push((name, value)),
            }
        }
        Ok(kept)
    }

    fn namespace(&self, prefix: &str) -> Namespace {
        let bound = self.bindings.iter().rev().find(|(other, _)| *other == prefix);
        bound.map_or(Namespace::Other, |(_, namespace)| *namespace)
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.bindings.truncate(open.bindings);
            if !open.is_kept
                && let Some(parent) = self.open.last_mut()
            {
                parent.last = open.last; // what it held hangs on the nearest that is kept
            }
        }
    }

    fn text(&mut self, text: Cow<'a, str>) -> Result<(), ViewError> {
        let is_blank = text.chars().all(|c| c.is_ascii_whitespace());
        let Some(open) = self.open.last() else {
            return if is_blank { Ok(()) } else { Err(self.malformed()) };
        };
        if !open.is_kept {
            return Ok(());
        }
        match self.tree.nodes.get_mut(open.last as usize) {
            Some(Node { what: What::Text(before), .. }) if open.last != 0 => before.to_mut().push_str(&text),
            _ if is_blank && open.part != Part::Narrative => {}
            _ => {
                self.append(What::Text(text))?;
            }
        }
        Ok(())
    }

    /// Puts a node after the last child of the element that is open.
    fn append(&mut self, what: What<'a>) -> Result<u32, ViewError> {
        if self.tree.nodes.len() >= NODES_MAX {
            return Err(ViewError::TooLarge);
        }
        let at = index(self.tree.nodes.len())?;
        self.tree.nodes.push(Node { what, first: 0, next: 0 });
        if let Some(open) = self.open.last_mut() {
            let (parent, last) = (open.node as usize, std::mem::replace(&mut open.last, at) as usize);
            match last {
                0 => self.tree.nodes[parent].first = at,
                last => self.tree.nodes[last].next = at,
            }
        }
        Ok(at)
    }

    fn finish(self) -> Result<Tree<'a>, ViewError> {
        match (self.tree.nodes.is_empty(), self.open.is_empty()) {
            (true, _) => Err(ViewError::NotCda),
            (false, false) => Err(ViewError::Malformed),
            (false, true) => Ok(self.tree),
        }
    }
}

fn index(length: usize) -> Result<u32, ViewError> {
    u32::try_from(length).map_err(|_| ViewError::TooLarge)
}

fn namespace(uri: &str) -> Namespace {
    match uri {
        CDA => Namespace::Cda,
        SDTC => Namespace::Sdtc,
        _ => Namespace::Other,
    }
}

fn unescaped(value: Cow<'_, str>) -> Result<Cow<'_, str>, ViewError> {
    match value {
        Cow::Borrowed(value) => unescape(value).map_err(|_| ViewError::Declarations),
        Cow::Owned(value) => {
            Ok(Cow::Owned(unescape(&value).map_err(|_| ViewError::Declarations)?.into_owned()))
        }
    }
}
