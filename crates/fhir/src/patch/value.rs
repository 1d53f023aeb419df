//! The `value` of an operation: read from Parameters, then made an element of the type that its place
//! asks for.
//!
//! Clause: FHIR R4 fhirpatch.html#anonymous

use std::borrow::Cow;

use crate::Node;
use crate::definitions::{Definitions, Type, TypeKind};

use super::edit::{self, Item};
use super::{Operation, PatchError};

/// What a part holds.
#[derive(Debug)]
pub enum Content<'a> {
    /// `value[x]`, by the name of its type as the property has it: `Boolean`, `HumanName`.
    Typed { type_suffix: &'a str, item: Item },
    /// Children by their names, for a type that no `value[x]` has.
    Parts(Vec<(&'a str, Content<'a>)>),
    /// A resource.
    Resource(&'a Node),
}

/// A part of Parameters.
#[derive(Debug)]
pub struct Part<'a> {
    pub name: &'a str,
    pub content: Content<'a>,
}

impl<'a> Part<'a> {
    /// Reads a part, and its parts.
    pub fn read(node: &'a Node, operation: Operation) -> Result<Self, PatchError> {
        let Node::Object(members) = node else { return Err(operation.malformed("a part is not an object")) };
        let mut name = None;
        let mut content = Vec::new();
        let mut values: Vec<(&str, Item)> = Vec::new();
        for (member, node) in members {
            match (member.as_ref(), node) {
                ("name", Node::String(text)) => name = Some(text.as_ref()),
                ("part", Node::Array(parts)) => content.push(Content::Parts(read_all(parts, operation)?)),
                ("resource", node) => content.push(Content::Resource(node)),
                (member, node) => {
                    let (property, is_beside) = crate::typed::element_name(member);
                    let Some(type_suffix) =
                        property.strip_prefix("value").filter(|suffix| !suffix.is_empty())
                    else {
                        continue;
                    };
                    let at =
                        values.iter().position(|(known, _)| *known == type_suffix).unwrap_or_else(|| {
                            values.push((type_suffix, Item::of(Node::Null)));
                            values.len() - 1
                        });
                    let item = &mut values[at].1;
                    *(if is_beside { &mut item.beside } else { &mut item.value }) = node.clone();
                }
            }
        }
        content.extend(values.into_iter().map(|(type_suffix, item)| Content::Typed { type_suffix, item }));
        let name = name.ok_or_else(|| operation.malformed("a part has no name"))?;
        match content.pop() {
            Some(content_of_part) if content.is_empty() => Ok(Self { name, content: content_of_part }),
            _ => Err(operation.malformed("a part has one value, or parts, or a resource")),
        }
    }

    /// The text of a code or string.
    pub fn text(&self, operation: Operation) -> Result<&str, PatchError> {
        match &self.content {
            Content::Typed { item: Item { value: Node::String(text), .. }, .. } => Ok(text),
            _ => Err(operation.malformed(&format!("'{}' is not a string", self.known_name()))),
        }
    }

    /// The number of an integer that is not negative.
    pub fn index(&self, operation: Operation) -> Result<usize, PatchError> {
        let digits = match &self.content {
            Content::Typed { item: Item { value: Node::Number(digits), .. }, .. } => digits.parse().ok(),
            _ => None,
        };
        digits.ok_or_else(|| operation.malformed(&format!("'{}' is not an index", self.known_name())))
    }

    /// The name, if it is one of ours to repeat.
    fn known_name(&self) -> &str {
        let known = ["type", "path", "name", "value", "index", "source", "destination"];
        if known.contains(&self.name) { self.name } else { "part" }
    }
}

fn read_all(parts: &[Node], operation: Operation) -> Result<Vec<(&str, Content<'_>)>, PatchError> {
    let parts = parts.iter().map(|part| Part::read(part, operation));
    parts.map(|part| part.map(|part| (part.name, part.content))).collect()
}

/// An element of a type, by one of its names.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// Of an element with a choice of types, without the type.
    pub name: &'static str,
    pub is_choice: bool,
    pub repeats: bool,
}

/// The element of `of` that a patch calls `name`: `deceased`, `deceased[x]` or `deceasedBoolean`.
pub fn named(of: &'static Type, name: &str) -> Option<Named> {
    let name = name.strip_suffix("[x]").unwrap_or(name);
    let known = of.elements.iter().find(|element| element.name == name);
    let element = match known {
        Some(element) => element,
        None => of.property(name)?.element,
    };
    Some(Named { name: element.name, is_choice: element.choice, repeats: element.repeats })
}

/// Makes `content` an element of the type `of`; gives its property and what belongs there.
pub fn build(
    content: &Content<'_>,
    element: Named,
    of: &'static Type,
    definitions: &'static Definitions,
    operation: Operation,
) -> Result<(String, Item), PatchError> {
    let unfit = || operation.not_applicable("the value has a type that the element cannot have");
    let name = match content {
        Content::Typed { type_suffix, .. } if element.is_choice => format!("{}{type_suffix}", element.name),
        _ if element.is_choice => return Err(unfit()),
        _ => element.name.to_owned(),
    };
    let property = of.property(&name).filter(|property| property.element.name == element.name);
    let holds = definitions.type_at(property.ok_or_else(unfit)?.type_index);
    let item = match content {
        Content::Typed { type_suffix, item } if fits(type_suffix, item, holds) => item.clone(),
        Content::Parts(parts) if matches!(holds.kind, TypeKind::Complex | TypeKind::Backbone) => {
            Item::of(object(parts, holds, definitions, operation)?)
        }
        Content::Resource(resource) if holds.kind == TypeKind::Abstract => Item::of((*resource).clone()),
        _ => return Err(unfit()),
    };
    Ok((name, item))
}

/// Makes parts the children of an element.
fn object(
    parts: &[(&str, Content<'_>)],
    of: &'static Type,
    definitions: &'static Definitions,
    operation: Operation,
) -> Result<Node, PatchError> {
    let mut members: Vec<(Cow<'static, str>, Node)> = Vec::new();
    for (name, content) in parts {
        let element = named(of, name)
            .ok_or_else(|| operation.not_applicable("a part of the value is no element of its type"))?;
        let (property, item) = build(content, element, of, definitions, operation)?;
        let mut taken = edit::take(&mut members, &property);
        if !element.repeats && !taken.items.is_empty() {
            return Err(operation.malformed("a part of the value is given twice"));
        }
        taken.items.push(item);
        edit::put(&mut members, &property, taken, element.repeats);
    }
    Ok(Node::Object(members))
}

/// Whether a value may stand where `holds` is asked for. Primitives of another type are let through if
/// JSON writes them alike: `valueString` for a code is common, and the result is checked as any update
/// is.
fn fits(type_suffix: &str, item: &Item, holds: &Type) -> bool {
    match holds.kind {
        TypeKind::Primitive => match &item.value {
            Node::Null => true,
            Node::Bool(_) => holds.name == "boolean",
            Node::Number(_) => {
                matches!(holds.name, "integer" | "positiveInt" | "unsignedInt" | "decimal")
            }
            Node::String(_) | Node::Base64(_) => {
                let others = ["boolean", "integer", "positiveInt", "unsignedInt", "decimal"];
                !others.contains(&holds.name)
            }
            Node::Object(_) | Node::Array(_) => false,
        },
        TypeKind::Complex => {
            let is_quantity = |name| QUANTITIES.contains(&name);
            let is_same = type_suffix == holds.name || (is_quantity(type_suffix) && is_quantity(holds.name));
            is_same && matches!(item.value, Node::Object(_))
        }
        TypeKind::Backbone | TypeKind::Resource | TypeKind::Abstract => false,
    }
}

/// Types that differ in their rules only.
const QUANTITIES: [&str; 6] = ["Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration"];
