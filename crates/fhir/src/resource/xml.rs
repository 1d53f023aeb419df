//! XML as the tree that JSON has: what repeats becomes an array, what a primitive has beside its value goes to
//! the member with the underscore. Repetition is judged here, because JSON no longer shows it; values are judged
//! later. Elements are taken in any order, though the schema has one: it carries no meaning, systems in use get it
//! wrong, and what we write is in order.
//!
//! Clause: FHIR R4 xml.html
//! Clause: FHIR R4 json.html#primitive

use std::borrow::Cow;

use quick_xml::{
    NsReader,
    events::{BytesStart, Event},
    name::{Namespace, ResolveResult},
};

use super::{DEPTH_MAX, PROBLEMS_MAX, ReadError, ReadErrorKind, VALUES_MAX};
use crate::{
    Node, Version,
    definitions::{Definitions, Type, TypeKind},
    parse::{declaration, is_fhir, xml_element},
};

type Members = Vec<(Cow<'static, str>, Node)>;

const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Reads the resource that `text` is, with the problems that were passed over.
pub(super) fn read(text: &str, version: Version) -> Result<(Node, Vec<ReadError>), ReadError> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let definitions = version.definitions();
    let mut reader = Reader { text, reader, definitions, problems: Vec::new(), values: 0, depth: 0 };
    let resource = reader.document()?;
    Ok((resource, reader.problems))
}

struct Reader<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    definitions: &'static Definitions,
    problems: Vec<ReadError>,
    values: usize,
    depth: usize,
}

/// What stands inside an element.
enum Child<'a> {
    Start(BytesStart<'a>),
    /// An element of the XHTML namespace.
    Narrative(BytesStart<'a>),
    End,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node, ReadError> {
        let mut first = true;
        loop {
            let (namespace, event) = self.reader.read_resolved_event().map_err(|_| malformed(""))?;
            let is_fhir = is_fhir(&namespace);
            match event {
                Event::Start(start) if is_fhir => {
                    let resource = self.resource(&start, "")?;
                    return self.nothing_follows().map(|()| resource);
                }
                Event::Start(_) => return Err(fault("", "the root is not in the FHIR namespace")),
                Event::Decl(decl) if first => declaration(&decl)?,
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if is_space(&text) => {}
                _ => return Err(malformed("")),
            }
            first = false;
        }
    }

    fn nothing_follows(&mut self) -> Result<(), ReadError> {
        loop {
            match self.reader.read_event().map_err(|_| malformed(""))? {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if is_space(&text) => {}
                _ => return Err(fault("", "there is more after the resource")),
            }
        }
    }

    /// The resource whose start tag was read.
    fn resource(&mut self, start: &BytesStart<'_>, path: &str) -> Result<Node, ReadError> {
        let name = start.local_name().into_inner().to_owned();
        let path = if path.is_empty() { name.clone() } else { path.to_owned() };
        let mut members: Members = vec![("resourceType".into(), Node::text(name.clone()))];
        let Some(of) = self.definitions.resource(&name) else {
            self.problem(&path, "this version has no resource of this type");
            self.skip()?;
            return Ok(Node::Object(members));
        };
        self.attributes(start, of, &path)?;
        members.extend(self.children(of, &path)?);
        Ok(Node::Object(members))
    }

    /// The members that the children of an element of this type are, up to its end tag.
    fn children(&mut self, of: &Type, path: &str) -> Result<Members, ReadError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(costly(path));
        }
        let mut collected: Vec<(String, Vec<(Node, Node)>)> = Vec::new();
        loop {
            let start = match self.next(path)? {
                Child::End => break,
                Child::Start(start) | Child::Narrative(start) => start.into_owned(),
            };
            let name = start.local_name().into_inner().to_owned();
            let Some(property) = of.property(&name).filter(|property| !property.element.attribute) else {
                self.problem(&crate::parse::member_path(path, &name), "the element is unknown here");
                self.skip()?;
                continue;
            };
            let at = match collected.iter().position(|(known, _)| *known == name) {
                Some(at) => at,
                None => {
                    collected.push((name.clone(), Vec::new()));
                    collected.len() - 1
                }
            };
            let place = property.element;
            let count = collected.get(at).map_or(0, |(_, items)| items.len());
            let path =
                if place.repeats { format!("{path}.{name}[{count}]") } else { format!("{path}.{name}") };
            if count > 0 && !place.repeats {
                self.problem(&path, "the element is given twice");
            }
            let of = self.definitions.type_at(property.type_index);
            let item = self.item(&start, of, &path)?;
            if let Some((_, items)) = collected.get_mut(at) {
                items.push(item);
            }
        }
        self.depth -= 1;
        Ok(collected.into_iter().flat_map(|(name, items)| members(of, name, items)).collect())
    }

    /// The value of one element and what stands beside it.
    fn item(
        &mut self,
        start: &BytesStart<'_>,
        of: &'static Type,
        path: &str,
    ) -> Result<(Node, Node), ReadError> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(costly(path));
        }
        if of.name == "xhtml" {
            return Ok((self.narrative(start, path)?, Node::Null));
        }
        if of.kind == TypeKind::Abstract {
            return Ok((self.wrapped(path)?, Node::Null));
        }
        let attributes = self.attributes(start, of, path)?;
        let children = self.children(of, path)?;
        if of.kind != TypeKind::Primitive {
            return Ok((Node::Object(attributes.into_iter().chain(children).collect()), Node::Null));
        }
        let (values, beside): (Members, Members) =
            attributes.into_iter().partition(|(name, _)| name == "value");
        let value = values.into_iter().next().map_or(Node::Null, |(_, value)| primitive(of, value));
        let beside: Members = beside.into_iter().chain(children).collect();
        let beside = if beside.is_empty() { Node::Null } else { Node::Object(beside) };
        Ok((value, beside))
    }

    /// The one resource inside an element such as `contained`.
    fn wrapped(&mut self, path: &str) -> Result<Node, ReadError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(costly(path));
        }
        let mut found = None;
        while let Child::Start(start) | Child::Narrative(start) = self.next(path)? {
            let start = start.into_owned();
            let resource = self.resource(&start, path)?;
            if found.replace(resource).is_some() {
                self.problem(path, "there is room for one resource");
            }
        }
        self.depth -= 1;
        Ok(found.unwrap_or_else(|| Node::Object(Vec::new())))
    }

    /// The XHTML from its start tag, which was read, to its end tag, as it stands.
    fn narrative(&mut self, start: &BytesStart<'_>, path: &str) -> Result<Node, ReadError> {
        let length = usize::try_from(self.reader.buffer_position()).unwrap_or_default();
        let begin = self.text.get(..length).and_then(|before| before.rfind('<')).unwrap_or_default();
        self.skip()?;
        let end = usize::try_from(self.reader.buffer_position()).unwrap_or_default();
        let raw = self.text.get(begin..end).unwrap_or_default();
        let has_namespace = start.attributes().flatten().any(|attribute| {
            attribute.key.as_namespace_binding().is_some_and(|_| &*attribute.value == XHTML)
        });
        if !has_namespace || start.name().prefix().is_some() {
            self.problem(path, "the narrative has to declare the XHTML namespace at its div");
        }
        Ok(Node::text(raw.to_owned()))
    }

    fn next(&mut self, path: &str) -> Result<Child<'a>, ReadError> {
        loop {
            let (namespace, event) = self.reader.read_resolved_event().map_err(|_| malformed(path))?;
            let is_fhir = is_fhir(&namespace);
            let is_xhtml = namespace == ResolveResult::Bound(Namespace(XHTML));
            match event {
                Event::Start(start) if is_fhir => return Ok(Child::Start(start)),
                Event::Start(start) if is_xhtml => return Ok(Child::Narrative(start)),
                Event::Start(_) => return Err(fault(path, "an element is not in the FHIR namespace")),
                Event::End(_) => return Ok(Child::End),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if is_space(&text) => {}
                Event::Eof => return Err(fault(path, "the body ends early")),
                _ => return Err(fault(path, "there is text where only elements can be")),
            }
        }
    }

    /// Passes over what is left of the element whose start tag was read.
    fn skip(&mut self) -> Result<(), ReadError> {
        let mut open = 1_usize;
        while open > 0 {
            self.values += 1;
            match self.reader.read_event().map_err(|_| malformed(""))? {
                Event::Start(_) => open += 1,
                Event::End(_) => open -= 1,
                Event::Eof => return Err(fault("", "the body ends early")),
                Event::DocType(_) => return Err(malformed("")),
                _ => {}
            }
            if open > 4 * DEPTH_MAX || self.values > VALUES_MAX {
                return Err(costly(""));
            }
        }
        Ok(())
    }

    fn attributes(&mut self, start: &BytesStart<'_>, of: &Type, path: &str) -> Result<Members, ReadError> {
        let read = xml_element(start, &self.reader, path)?;
        let mut members = Members::new();
        for (name, value) in read.attributes {
            let known = match of.kind {
                TypeKind::Primitive => name == "value" || name == "id",
                _ => of.property(&name).is_some_and(|property| property.element.attribute),
            };
            if known {
                members.push((name.into(), Node::text(value)));
            } else {
                self.problem(path, "an attribute is unknown here");
            }
        }
        Ok(members)
    }

    fn problem(&mut self, path: &str, message: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(fault(path, message));
        }
    }
}

/// `name` and `_name` of what was collected of one element.
fn members(of: &Type, name: String, items: Vec<(Node, Node)>) -> Members {
    let repeats = of.property(&name).is_some_and(|property| property.element.repeats);
    let (values, beside): (Vec<Node>, Vec<Node>) = items.into_iter().unzip();
    let companion = format!("_{name}");
    let mut members = Members::new();
    for (name, mut items) in [(name, values), (companion, beside)] {
        if items.iter().any(|item| *item != Node::Null) {
            let value = if repeats { Node::Array(items) } else { items.swap_remove(0) };
            members.push((name.into(), value));
        }
    }
    members
}

/// The text of an attribute as JSON writes a value of this type.
fn primitive(of: &Type, value: Node) -> Node {
    let Node::String(text) = &value else { return value };
    match (of.name, text.as_ref()) {
        ("boolean", "true") => Node::Bool(true),
        ("boolean", "false") => Node::Bool(false),
        ("integer" | "unsignedInt" | "positiveInt" | "decimal", digits) => Node::Number(digits.to_owned()),
        _ => value,
    }
}

fn is_space(text: &str) -> bool {
    text.bytes().all(|byte| b" \t\r\n".contains(&byte))
}

fn fault(path: &str, message: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Structure, path, message)
}

fn malformed(path: &str) -> ReadError {
    fault(path, "not well-formed XML")
}

fn costly(path: &str) -> ReadError {
    ReadError::new(ReadErrorKind::TooCostly, path, "too many or too deep elements")
}
