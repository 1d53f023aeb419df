//! FHIRPath Patch: a Parameters resource whose operations name their places by FHIRPath.
//!
//! Clause: FHIR R4 fhirpatch.html

use std::borrow::Cow;

use crate::definitions::{Definitions, Type};
use crate::typed::{element_name, type_of};
use crate::{Node, Version};

use super::budget::Budget;
use super::edit::{self, Item};
use super::find::{Finder, Found, Hop, names_other_type};
use super::path::{Path, Step};
use super::value::{self, Content, Named, Part};
use super::{OPERATIONS_MAX, Operation, PatchError, finish, malformed};

/// `resource` changed by the operations of `parameters`, in order.
///
/// Elements that are added stand last among their siblings, which JSON allows and XML does not. What a
/// deletion leaves empty is gone from the result. It is the caller who knows that DSTU2 has no patch and
/// STU3 not this one.
///
/// # Errors
/// `Malformed` if `parameters` are not a FHIRPath Patch or a path uses what is not supported, whatever the
/// resource; `NotApplicable` if a path leads to no element or to several, or the value is
/// none that the element can have; `Forbidden` if an element of the server would change; `TooCostly`
/// beyond [`OPERATIONS_MAX`] or the limits of size, depth and work.
///
/// Clause: FHIR R4 fhirpatch.html
pub fn fhirpath_patch(resource: &Node, parameters: &Node, version: Version) -> Result<Node, PatchError> {
    let steps = read(parameters)?;
    let definitions = version.definitions();
    let mut patched = Patched { root: resource.clone(), definitions, budget: Budget::new(resource) };
    for step in &steps {
        patched.apply(step)?;
    }
    finish(resource, patched.root)
}

struct Operand<'a> {
    operation: Operation,
    path: Path,
    act: Act<'a>,
}

enum Act<'a> {
    Add { name: String, value: Content<'a> },
    Insert { list: String, index: usize, value: Content<'a> },
    Delete,
    Replace(Content<'a>),
    Move { list: String, source: usize, destination: usize },
}

fn read(parameters: &Node) -> Result<Vec<Operand<'_>>, PatchError> {
    let Node::Object(members) = parameters else { return Err(malformed("a FHIRPath Patch is a resource")) };
    let member = |name: &str| members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
    if member("resourceType") != Some(&Node::text("Parameters")) {
        return Err(malformed("a FHIRPath Patch is a Parameters resource"));
    }
    let operations = match member("parameter") {
        None => &[],
        Some(Node::Array(operations)) => operations.as_slice(),
        Some(_) => return Err(malformed("'parameter' is not an array")),
    };
    if operations.len() > OPERATIONS_MAX {
        return Err(PatchError::TooCostly);
    }
    operations.iter().zip(1..).map(|(node, number)| Operand::read(node, Operation(number))).collect()
}

impl<'a> Operand<'a> {
    fn read(node: &'a Node, operation: Operation) -> Result<Self, PatchError> {
        let Part { name: "operation", content: Content::Parts(parts) } = Part::read(node, operation)? else {
            return Err(operation.malformed("a parameter is called 'operation' and has parts"));
        };
        let mut parts = Parts { parts, operation };
        let path =
            Path::read(parts.take("path")?.text(operation)?).map_err(|fault| operation.malformed(fault))?;
        let mut operand = Self { operation, path, act: Act::Delete };
        operand.act = match parts.take("type")?.text(operation)? {
            "add" => {
                let name = parts.take("name")?.text(operation)?.to_owned();
                Act::Add { name, value: parts.take("value")?.content }
            }
            "insert" => {
                let index = parts.take("index")?.index(operation)?;
                Act::Insert { list: operand.take_list()?, index, value: parts.take("value")?.content }
            }
            "delete" => Act::Delete,
            "replace" => Act::Replace(parts.take("value")?.content),
            "move" => {
                let source = parts.take("source")?.index(operation)?;
                let destination = parts.take("destination")?.index(operation)?;
                Act::Move { list: operand.take_list()?, source, destination }
            }
            _ => {
                return Err(operation.malformed("'type' is not one of add, insert, delete, replace and move"));
            }
        };
        parts.end()?;
        Ok(operand)
    }

    /// The list that the path ends with, which is then the path of the element it is in. A list may be
    /// empty, and then nothing is found at its own path.
    fn take_list(&mut self) -> Result<String, PatchError> {
        match self.path.steps.pop() {
            Some(Step::Child(name)) => Ok(name),
            _ => Err(self.operation.malformed("the path does not end with the name of a list")),
        }
    }
}

struct Parts<'a> {
    parts: Vec<(&'a str, Content<'a>)>,
    operation: Operation,
}

impl<'a> Parts<'a> {
    fn take(&mut self, name: &'static str) -> Result<Part<'a>, PatchError> {
        let at = self.parts.iter().position(|(known, _)| *known == name);
        let at = at.ok_or_else(|| self.operation.malformed(&format!("'{name}' is missing")))?;
        let (name, content) = self.parts.remove(at);
        Ok(Part { name, content })
    }

    /// What is left may be a part that other types of operation have, as some clients send all.
    fn end(self) -> Result<(), PatchError> {
        let others = ["name", "value", "index", "source", "destination"];
        match self.parts.iter().all(|(name, _)| others.contains(name)) {
            true => Ok(()),
            false => Err(self.operation.malformed("a part is unknown or given twice")),
        }
    }
}

struct Patched {
    root: Node,
    definitions: &'static Definitions,
    budget: Budget,
}

/// A place in the tree, free of borrows, so that it can be changed.
struct Place {
    hops: Vec<Hop>,
    of: &'static Type,
    parent: Option<&'static Type>,
}

impl Patched {
    fn apply(&mut self, operand: &Operand<'_>) -> Result<(), PatchError> {
        let operation = operand.operation;
        let found = self.find(&operand.path, operation)?;
        let place = match (found.len(), &operand.act) {
            (1, _) => found.into_iter().next(),
            (0, Act::Delete) => return Ok(()),
            _ => None,
        };
        let place = place.ok_or_else(|| {
            operation.not_applicable("the path does not lead to exactly one element of this resource")
        })?;
        match &operand.act {
            Act::Add { name, value } => self.add(&place, name, value, operation),
            Act::Insert { list, index, value } => self.insert(&place, list, *index, value, operation),
            Act::Delete => self.delete(place.hops, operation),
            Act::Replace(value) => self.replace(&place, value, operation),
            Act::Move { list, source, destination } => {
                self.reorder(&place, list, *source, *destination, operation)
            }
        }
    }

    fn find(&mut self, path: &Path, operation: Operation) -> Result<Vec<Place>, PatchError> {
        let of = type_of(&self.root, self.definitions)
            .ok_or_else(|| operation.not_applicable("this resource has no type that can be patched"))?;
        if names_other_type(&path.steps, of) {
            return Err(operation.not_applicable("the path begins with the name of another type"));
        }
        let mut finder = Finder { root: &self.root, definitions: self.definitions, budget: &mut self.budget };
        let found = finder.find(&path.steps)?;
        Ok(found.into_iter().map(|Found { hops, of, parent, .. }| Place { hops, of, parent }).collect())
    }

    fn add(
        &mut self,
        parent: &Place,
        name: &str,
        value: &Content<'_>,
        operation: Operation,
    ) -> Result<(), PatchError> {
        let element = element(parent.of, name, operation)?;
        let (property, item) = value::build(value, element, parent.of, self.definitions, operation)?;
        self.pay(&parent.hops, &item)?;
        let members = self.object_at(&parent.hops, operation)?;
        let is_there = members.iter().any(|(member, _)| {
            let known = parent.of.property(element_name(member).0);
            known.is_some_and(|known| known.element.name == element.name)
        });
        if is_there && !element.repeats {
            return Err(operation.not_applicable("the element is there already and does not repeat"));
        }
        let mut taken = edit::take(members, &property);
        taken.items.push(item);
        edit::put(members, &property, taken, element.repeats);
        Ok(())
    }

    fn insert(
        &mut self,
        parent: &Place,
        list: &str,
        index: usize,
        value: &Content<'_>,
        operation: Operation,
    ) -> Result<(), PatchError> {
        let element = repeating(parent.of, list, operation)?;
        let (property, item) = value::build(value, element, parent.of, self.definitions, operation)?;
        self.pay(&parent.hops, &item)?;
        let members = self.object_at(&parent.hops, operation)?;
        let mut taken = edit::take(members, &property);
        if index > taken.items.len() {
            return Err(operation.not_applicable("'index' is behind the end of the list"));
        }
        taken.items.insert(index, item);
        edit::put(members, &property, taken, true);
        Ok(())
    }

    fn replace(
        &mut self,
        place: &Place,
        value: &Content<'_>,
        operation: Operation,
    ) -> Result<(), PatchError> {
        let (Some((last, parents)), Some(parent)) = (place.hops.split_last(), place.parent) else {
            return Err(PatchError::Forbidden);
        };
        let element = element(parent, &last.property, operation)?;
        let (property, item) = value::build(value, element, parent, self.definitions, operation)?;
        self.pay(parents, &item)?;
        let members = self.object_at(parents, operation)?;
        let mut taken = edit::take(members, &last.property);
        let replaced = taken.items.get_mut(last.index.unwrap_or(0)).map(|old| std::mem::replace(old, item));
        edit::put(members, &property, taken, element.repeats);
        let replaced = replaced.ok_or_else(|| nowhere(operation))?;
        self.refund(&replaced)
    }

    /// Deletes an element, and those that have nothing left then.
    fn delete(&mut self, mut hops: Vec<Hop>, operation: Operation) -> Result<(), PatchError> {
        // Without its root a resource has lost its type.
        let mut last = hops.pop().ok_or(PatchError::Forbidden)?;
        let mut has_value = false;
        loop {
            let members = self.object_at(&hops, operation)?;
            let mut taken = edit::take(members, &last.property);
            let item = taken.items.get_mut(last.index.unwrap_or(0)).ok_or_else(|| nowhere(operation))?;
            let beside = std::mem::replace(&mut item.beside, Node::Null);
            let value = if has_value { Node::Null } else { std::mem::replace(&mut item.value, Node::Null) };
            edit::put(members, &last.property, taken, false);
            let is_empty = members.is_empty();
            self.refund(&Item { value, beside })?;
            match hops.pop() {
                Some(parent) if is_empty => {
                    // What stands beside a value may be gone while the value stays.
                    has_value = parent.is_primitive;
                    last = parent;
                }
                _ => return Ok(()),
            }
        }
    }

    fn reorder(
        &mut self,
        parent: &Place,
        list: &str,
        source: usize,
        destination: usize,
        operation: Operation,
    ) -> Result<(), PatchError> {
        let element = repeating(parent.of, list, operation)?;
        let members = self.object_at(&parent.hops, operation)?;
        let mut taken = edit::take(members, element.name);
        let count = taken.items.len();
        if source >= count || destination >= count {
            return Err(operation.not_applicable("'source' or 'destination' is behind the end of the list"));
        }
        let item = taken.items.remove(source);
        taken.items.insert(destination, item);
        edit::put(members, element.name, taken, true);
        Ok(())
    }

    fn object_at(
        &mut self,
        hops: &[Hop],
        operation: Operation,
    ) -> Result<&mut Vec<(Cow<'static, str>, Node)>, PatchError> {
        edit::object_at(&mut self.root, hops).ok_or_else(|| nowhere(operation))
    }

    fn pay(&mut self, parents: &[Hop], item: &Item) -> Result<(), PatchError> {
        let depth = parents.iter().map(|hop| 1 + usize::from(hop.index.is_some())).sum::<usize>() + 2;
        self.budget.added(&item.value, depth)?;
        self.budget.added(&item.beside, depth)
    }

    fn refund(&mut self, item: &Item) -> Result<(), PatchError> {
        self.budget.removed(&item.value)?;
        self.budget.removed(&item.beside)
    }
}

fn element(of: &'static Type, name: &str, operation: Operation) -> Result<Named, PatchError> {
    value::named(of, name).ok_or_else(|| operation.not_applicable("the type has no element of this name"))
}

fn repeating(of: &'static Type, name: &str, operation: Operation) -> Result<Named, PatchError> {
    let element = element(of, name, operation)?;
    match element.repeats {
        true => Ok(element),
        false => Err(operation.not_applicable("the element does not repeat")),
    }
}

fn nowhere(operation: Operation) -> PatchError {
    operation.not_applicable("the path leads nowhere in this resource")
}
