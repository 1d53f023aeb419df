//! Finds the elements that a path leads to.

use crate::Node;
use crate::definitions::{Definitions, Type, TypeKind};
use crate::typed::{element_name, type_of};

use super::PatchError;
use super::budget::Budget;
use super::json_patch::same_value;
use super::path::{Condition, Literal, Step};

/// What finding one element costs, in bytes looked at.
const ELEMENT_COST: usize = 32;

/// An element of a resource, with all that JSON keeps of it.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// The way to it from the root.
    pub hops: Vec<Hop>,
    /// Its type; of a resource its own, not the abstract one of its place.
    pub of: &'static Type,
    /// The type that it is an element of; none of the root.
    pub parent: Option<&'static Type>,
    value: Option<&'a Node>,
    /// The id and extensions of a primitive.
    beside: Option<&'a Node>,
}

/// A step from an object of the tree to one of its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// As in JSON, so `deceasedBoolean` and not `deceased`.
    pub property: String,
    /// Which item, if it is an array.
    pub index: Option<usize>,
    /// Whether what is inside stands beside the value, under the name with an underscore.
    pub is_primitive: bool,
}

/// Finds elements of one resource.
pub struct Finder<'a, 'b> {
    pub root: &'a Node,
    pub definitions: &'static Definitions,
    pub budget: &'b mut Budget,
}

impl<'a> Finder<'a, '_> {
    /// The elements that `steps` lead to from the root, in order; none if they begin with the name of
    /// another type.
    pub fn find(&mut self, steps: &[Step]) -> Result<Vec<Found<'a>>, PatchError> {
        let Some(of) = type_of(self.root, self.definitions) else { return Ok(Vec::new()) };
        if names_other_type(steps, of) {
            return Ok(Vec::new());
        }
        let root = Found { hops: Vec::new(), of, parent: None, value: Some(self.root), beside: None };
        let steps = match steps.split_first() {
            // A path may begin with the type of what it is applied to.
            Some((Step::Child(name), rest)) if is_type_name(name) => rest,
            _ => steps,
        };
        self.follow(vec![root], steps)
    }

    fn follow(&mut self, mut found: Vec<Found<'a>>, steps: &[Step]) -> Result<Vec<Found<'a>>, PatchError> {
        for step in steps {
            found = self.step(found, step)?;
        }
        Ok(found)
    }

    fn step(&mut self, mut found: Vec<Found<'a>>, step: &Step) -> Result<Vec<Found<'a>>, PatchError> {
        self.budget.work(found.len())?;
        match step {
            Step::Child(name) => self.children_of_all(&found, name),
            Step::Index(index) => Ok(found.into_iter().skip(*index).take(1).collect()),
            Step::First => Ok(found.into_iter().take(1).collect()),
            Step::Last => Ok(found.pop().into_iter().collect()),
            Step::OfType(name) => {
                found.retain(|each| each.of.name.eq_ignore_ascii_case(name));
                Ok(found)
            }
            Step::Extension(url) => {
                let mut extensions = self.children_of_all(&found, "extension")?;
                extensions.retain(|each| has_url(each.value, url));
                Ok(extensions)
            }
            Step::Where(conditions) => {
                let mut kept = Vec::new();
                for each in found {
                    if self.all_hold(&each, conditions)? {
                        kept.push(each);
                    }
                }
                Ok(kept)
            }
        }
    }

    fn all_hold(&mut self, of: &Found<'a>, conditions: &[Condition]) -> Result<bool, PatchError> {
        for Condition { path, value } in conditions {
            self.budget.work(ELEMENT_COST)?;
            // The way there is of no use to a condition.
            let found = self.follow(vec![Found { hops: Vec::new(), ..*of }], path)?;
            let [one] = found.as_slice() else { return Ok(false) };
            if !one.value.is_some_and(|node| is_value(node, value)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn children_of_all(&mut self, found: &[Found<'a>], name: &str) -> Result<Vec<Found<'a>>, PatchError> {
        let mut children = Vec::new();
        for each in found {
            self.children(each, name, &mut children)?;
        }
        Ok(children)
    }

    fn children(
        &mut self,
        parent: &Found<'a>,
        name: &str,
        children: &mut Vec<Found<'a>>,
    ) -> Result<(), PatchError> {
        let object = if parent.of.kind == TypeKind::Primitive { parent.beside } else { parent.value };
        let Some(Node::Object(members)) = object else { return Ok(()) };
        self.budget.work(members.len())?;
        for (at, (member, _)) in members.iter().enumerate() {
            let property_name = element_name(member).0;
            let Some(property) = parent.of.property(property_name) else { continue };
            let is_named = property.element.name == name || property_name == name;
            if !is_named || members[..at].iter().any(|(earlier, _)| element_name(earlier).0 == property_name)
            {
                continue;
            }
            let of = self.definitions.type_at(property.type_index);
            let is_primitive = of.kind == TypeKind::Primitive;
            let value = members.iter().find(|(member, _)| member == property_name).map(|(_, value)| value);
            let beside = members.iter().find(|(member, _)| member.strip_prefix('_') == Some(property_name));
            let beside = beside.map(|(_, value)| value).filter(|_| is_primitive);
            let many = [value, beside].into_iter().flatten().filter_map(|node| match node {
                Node::Array(items) => Some(items.len()),
                _ => None,
            });
            let indexes = match many.max() {
                Some(count) => (0..count).map(Some).collect(),
                None => vec![None],
            };
            self.budget.work(indexes.len().saturating_mul(ELEMENT_COST + parent.hops.len()))?;
            for index in indexes {
                let (value, beside) = (item(value, index), item(beside, index));
                let of = match (of.kind, value) {
                    (TypeKind::Abstract, Some(resource)) => type_of(resource, self.definitions).unwrap_or(of),
                    _ => of,
                };
                if value.is_some() || beside.is_some() {
                    let mut hops = parent.hops.clone();
                    hops.push(Hop { property: property_name.to_owned(), index, is_primitive });
                    children.push(Found { hops, of, parent: Some(parent.of), value, beside });
                }
            }
        }
        Ok(())
    }
}

fn item(node: Option<&Node>, index: Option<usize>) -> Option<&Node> {
    let item = match (node?, index) {
        (Node::Array(items), Some(index)) => items.get(index)?,
        (Node::Array(_), None) => return None,
        (single, None | Some(0)) => single,
        (_, Some(_)) => return None,
    };
    (*item != Node::Null).then_some(item)
}

/// Whether a path begins with a type that is not `of`. Types begin with a capital letter, elements never
/// do.
pub fn names_other_type(steps: &[Step], of: &Type) -> bool {
    match steps.first() {
        Some(Step::Child(name)) if is_type_name(name) => {
            name != of.name && !matches!(name.as_str(), "Resource" | "DomainResource")
        }
        _ => false,
    }
}

fn is_type_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

fn has_url(extension: Option<&Node>, url: &str) -> bool {
    let Some(Node::Object(members)) = extension else { return false };
    members.iter().any(|(name, value)| name == "url" && *value == Node::String(url.to_owned().into()))
}

fn is_value(node: &Node, literal: &Literal) -> bool {
    match (node, literal) {
        (Node::String(text), Literal::Text(wanted)) => text == wanted,
        (Node::Number(digits), Literal::Number(wanted)) => same_value(digits, wanted),
        (Node::Bool(value), Literal::Bool(wanted)) => value == wanted,
        _ => false,
    }
}
