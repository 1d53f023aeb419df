//! JSON Patch: six operations at places that JSON Pointers name.
//!
//! Clause: RFC 6902

use std::borrow::Cow;

use crate::Node;

use super::budget::Budget;
use super::{OPERATIONS_MAX, Operation, PatchError, finish, malformed};

/// `resource` changed by the operations of `patch`, in order.
///
/// Numbers are equal for `test` if their values are, however they are written. What removals leave
/// empty is gone from the result.
///
/// # Errors
/// `Malformed` if `patch` is not a JSON Patch, whatever the resource; `NotApplicable` if a path leads
/// nowhere or a test fails; `Forbidden` if an element of the server would change; `TooCostly` beyond
/// [`OPERATIONS_MAX`] or the limits of size, depth and work.
///
/// Clause: FHIR R5 http.html#patch
pub fn json_patch(resource: &Node, patch: &Node) -> Result<Node, PatchError> {
    let Node::Array(operations) = patch else {
        return Err(malformed("a JSON Patch is an array of operations"));
    };
    if operations.len() > OPERATIONS_MAX {
        return Err(PatchError::TooCostly);
    }
    // All are read before the first is applied, so that a malformed patch is one for every resource.
    let numbered = operations.iter().zip(1..);
    let steps = numbered.map(|(node, number)| Step::read(node, Operation(number)));
    let steps = steps.collect::<Result<Vec<_>, _>>()?;
    let mut patched = Patched { root: resource.clone(), budget: Budget::new(resource) };
    for step in &steps {
        patched.apply(step)?;
    }
    finish(resource, patched.root)
}

struct Step<'a> {
    operation: Operation,
    path: Pointer,
    act: Act<'a>,
}

enum Act<'a> {
    Add(&'a Node),
    Remove,
    Replace(&'a Node),
    Move(Pointer),
    Copy(Pointer),
    Test(&'a Node),
}

impl<'a> Step<'a> {
    fn read(node: &'a Node, operation: Operation) -> Result<Self, PatchError> {
        let Node::Object(_) = node else { return Err(operation.malformed("not an object")) };
        let pointer = |name| Pointer::read(text(node, name, operation)?, operation);
        let path = pointer("path")?;
        let act = match text(node, "op", operation)? {
            "add" => Act::Add(member(node, "value", operation)?),
            "remove" => Act::Remove,
            "replace" => Act::Replace(member(node, "value", operation)?),
            "move" => Act::Move(pointer("from")?),
            "copy" => Act::Copy(pointer("from")?),
            "test" => Act::Test(member(node, "value", operation)?),
            _ => {
                let message = "'op' is not one of add, remove, replace, move, copy and test";
                return Err(operation.malformed(message));
            }
        };
        match &act {
            Act::Move(from) if path.is_inside(from) => {
                Err(operation.malformed("nothing can be moved into itself"))
            }
            _ => Ok(Self { operation, path, act }),
        }
    }
}

/// The one member `name` of an operation.
fn member<'a>(node: &'a Node, name: &str, operation: Operation) -> Result<&'a Node, PatchError> {
    match super::members_named(node, name).as_slice() {
        [] => Err(operation.malformed(&format!("'{name}' is missing"))),
        [value] => Ok(value),
        _ => Err(operation.malformed(&format!("'{name}' is given twice"))),
    }
}

fn text<'a>(node: &'a Node, name: &str, operation: Operation) -> Result<&'a str, PatchError> {
    match member(node, name, operation)? {
        Node::String(text) => Ok(text),
        _ => Err(operation.malformed(&format!("'{name}' is not a string"))),
    }
}

/// The steps from the root to a value.
///
/// Clause: RFC 6901
struct Pointer(Vec<String>);

impl Pointer {
    fn read(text: &str, operation: Operation) -> Result<Self, PatchError> {
        let mut tokens = text.split('/');
        if tokens.next() != Some("") {
            return Err(operation.malformed("a JSON Pointer that is not empty begins with '/'"));
        }
        let unescaped = tokens.map(unescape).collect::<Option<_>>();
        unescaped.map(Self).ok_or_else(|| operation.malformed("in a JSON Pointer '~' is written '~0'"))
    }

    fn is_inside(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }
}

/// `~1` first, so that `~01` is `~1`.
fn unescape(token: &str) -> Option<String> {
    let stray = token.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1']));
    (!stray).then(|| token.replace("~1", "/").replace("~0", "~"))
}

struct Patched {
    root: Node,
    budget: Budget,
}

impl Patched {
    fn apply(&mut self, step: &Step<'_>) -> Result<(), PatchError> {
        let Step { operation, path, act } = step;
        match act {
            Act::Add(value) => self.add(path, (*value).clone(), *operation),
            Act::Remove => self.remove(path, *operation).map(drop),
            Act::Replace(value) => self.replace(path, value, *operation),
            Act::Copy(from) => {
                let value = self.find(from, *operation)?.clone();
                self.add(path, value, *operation)
            }
            Act::Move(from) if from.0 == path.0 => self.find(from, *operation).map(drop),
            Act::Move(from) => {
                let value = self.remove(from, *operation)?;
                self.add(path, value, *operation)
            }
            Act::Test(value) => {
                if equal(self.find(path, *operation)?, value) {
                    Ok(())
                } else {
                    Err(operation.not_applicable("the test failed"))
                }
            }
        }
    }

    fn add(&mut self, path: &Pointer, value: Node, operation: Operation) -> Result<(), PatchError> {
        self.budget.added(&value, path.0.len())?;
        let replaced = match path.0.split_last() {
            None => Some(std::mem::replace(&mut self.root, value)),
            Some((last, parents)) => match self.find_mut(parents, operation)? {
                Node::Object(members) => match members.iter_mut().find(|(name, _)| name == last) {
                    Some((_, old)) => Some(std::mem::replace(old, value)),
                    None => {
                        members.push((last.clone().into(), value));
                        None
                    }
                },
                Node::Array(items) => {
                    let at = if last == "-" { Some(items.len()) } else { index(last) };
                    let at = at.filter(|at| *at <= items.len()).ok_or_else(|| nowhere(operation))?;
                    items.insert(at, value);
                    None
                }
                _ => return Err(nowhere(operation)),
            },
        };
        replaced.map_or(Ok(()), |old| self.budget.removed(&old))
    }

    fn replace(&mut self, path: &Pointer, value: &Node, operation: Operation) -> Result<(), PatchError> {
        self.budget.added(value, path.0.len())?;
        let old = std::mem::replace(self.find_mut(&path.0, operation)?, value.clone());
        self.budget.removed(&old)
    }

    fn remove(&mut self, path: &Pointer, operation: Operation) -> Result<Node, PatchError> {
        // Without its root a resource has lost its type.
        let Some((last, parents)) = path.0.split_last() else { return Err(PatchError::Forbidden) };
        let removed = match self.find_mut(parents, operation)? {
            Node::Object(members) => {
                let at = members.iter().position(|(name, _)| name == last);
                at.map(|at| members.remove(at).1)
            }
            Node::Array(items) => {
                let at = index(last).filter(|at| *at < items.len());
                at.map(|at| items.remove(at))
            }
            _ => None,
        };
        let removed = removed.ok_or_else(|| nowhere(operation))?;
        self.budget.removed(&removed)?;
        Ok(removed)
    }

    fn find(&self, path: &Pointer, operation: Operation) -> Result<&Node, PatchError> {
        let found = path.0.iter().try_fold(&self.root, |node, token| match node {
            Node::Object(members) => members.iter().find(|(name, _)| name == token).map(|(_, value)| value),
            Node::Array(items) => items.get(index(token)?),
            _ => None,
        });
        found.ok_or_else(|| nowhere(operation))
    }

    fn find_mut(&mut self, path: &[String], operation: Operation) -> Result<&mut Node, PatchError> {
        let found = path.iter().try_fold(&mut self.root, |node, token| match node {
            Node::Object(members) => {
                members.iter_mut().find(|(name, _)| name == token).map(|(_, value)| value)
            }
            Node::Array(items) => items.get_mut(index(token)?),
            _ => None,
        });
        found.ok_or_else(|| nowhere(operation))
    }
}

fn nowhere(operation: Operation) -> PatchError {
    operation.not_applicable("the path leads nowhere in this resource")
}

/// The item that a token of a pointer names: digits without leading zeros.
fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || (!token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit()));
    if canonical { token.parse().ok() } else { None }
}

/// Whether two values are the same JSON: the order of members and the spelling of numbers say nothing.
///
/// Clause: RFC 6902 4.6
fn equal(left: &Node, right: &Node) -> bool {
    match (left, right) {
        (Node::Number(left), Node::Number(right)) => left == right || same_value(left, right),
        (Node::Array(left), Node::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Node::Object(left), Node::Object(right)) if left.len() == right.len() => {
            let (left, right) = (sorted(left), sorted(right));
            left.iter().zip(right).all(|(left, right)| left.0 == right.0 && equal(left.1, right.1))
        }
        _ => left == right,
    }
}

fn sorted<'a>(members: &'a [(Cow<'static, str>, Node)]) -> Vec<(&'a str, &'a Node)> {
    let mut sorted: Vec<_> = members.iter().map(|(name, value)| (name.as_ref(), value)).collect();
    sorted.sort_by(|left, right| left.0.cmp(right.0));
    sorted
}

pub(super) fn same_value(left: &str, right: &str) -> bool {
    decimal(left).is_some_and(|left| Some(left) == decimal(right))
}

/// A number as its sign, its digits without zeros at either end, and the power of ten of the last
/// digit. Nothing is computed with it, so an exponent costs nothing.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = i64::try_from(digits.len() - kept.len()).ok()?;
    let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    Some((negative, kept.trim_start_matches('0').to_owned(), power))
}
