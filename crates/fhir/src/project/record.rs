//! A resource as no single version has it: every element that any version knows, under one name each.
//!
//! A version is read into the record and the record is written as a version; nothing goes from version to
//! version, so nothing is lost on the way. The rows of a type say where each version keeps an element; what
//! it has no place for becomes an extension of the resource, and is found there again when that is read.

use std::collections::BTreeMap;

use super::code::{self, Code};
use super::extension::{self, Wire};
use super::members::{Item, Members};
use super::reference::{self, Target};
use super::{codeable_reference, datatype};
use crate::{Node, Version};

/// An element of a resource type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Its name in the record.
    pub name: &'static str,
    /// Where DSTU2, STU3, R4, R4B and R5 have it.
    pub places: [Option<Place>; 5],
    pub kind: Kind,
    /// The version whose extension carries it where it has no place, or not enough of it.
    pub home: Version,
    /// The last version that demands it.
    pub required: Option<Version>,
}

/// Where a version has an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// A member of the resource; `context.x` for a member of `context`.
    pub path: &'static str,
    pub repeats: bool,
}

pub(super) const fn one(path: &'static str) -> Option<Place> {
    Some(Place { path, repeats: false })
}

pub(super) const fn many(path: &'static str) -> Option<Place> {
    Some(Place { path, repeats: true })
}

/// What an element holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A value of this primitive type.
    Primitive(&'static str),
    /// A code, with those that not every version has.
    Code(&'static [Code]),
    /// A value of this complex type.
    Value(&'static str),
    /// A reference to these.
    Reference(&'static [Target]),
    /// A CodeableReference in R5, a CodeableConcept before.
    CodeableReference,
    /// Something that the versions build differently.
    Shaped(&'static Shape),
}

/// How a structure differs between versions.
#[derive(Debug)]
pub(super) struct Shape {
    /// How its common form looks as an extension.
    pub wire: Wire,
    /// A value as a version has it, in the common form.
    pub widen: fn(Node, Version) -> Node,
    /// A value in the common form, as a version has it.
    pub narrow: fn(Node, Version) -> Fit,
}

/// Whether a version can hold a value.
#[derive(Debug)]
pub(super) enum Fit {
    Fits(Node),
    /// It cannot; the extension for the version that can will hold it, in the common form.
    Elsewhere(Node, Version),
}

impl Row {
    pub const fn new(name: &'static str, kind: Kind, places: [Option<Place>; 5]) -> Self {
        Self { name, places, kind, home: Version::R5, required: None }
    }

    /// An element that all versions have alike, once.
    pub const fn one(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, [one(name); 5])
    }

    /// A repeated element that all versions have alike.
    pub const fn many(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, [many(name); 5])
    }

    pub const fn home(self, home: Version) -> Self {
        Self { home, ..self }
    }

    pub const fn required_until(self, last: Version) -> Self {
        Self { required: Some(last), ..self }
    }

    pub const fn place(&self, version: Version) -> Option<Place> {
        self.places[version as usize]
    }

    fn is_required(&self, version: Version) -> bool {
        self.required.is_some_and(|last| version <= last)
    }

    fn is_primitive(&self) -> bool {
        matches!(self.kind, Kind::Primitive(_) | Kind::Code(_))
    }

    fn wire(&self) -> Wire {
        match self.kind {
            Kind::Primitive(value_type) | Kind::Value(value_type) => Wire::Value(value_type),
            Kind::Code(_) => Wire::Value("code"),
            Kind::Reference(_) => Wire::Value("Reference"),
            Kind::CodeableReference => Wire::Value("CodeableConcept"),
            Kind::Shaped(shape) => shape.wire,
        }
    }
}

/// What the rows of a type hold.
pub(super) type Record = BTreeMap<&'static str, Vec<Item>>;

/// Takes everything that `rows` know out of `members`, which are those of a resource of `from`.
pub(super) fn read(resource_type: &str, rows: &[Row], members: &mut Members, from: Version) -> Record {
    let mut record = Record::new();
    for row in rows {
        let kept = members.take_extensions(|extension| unpack(resource_type, row, extension));
        let mut items = in_place(row, members, from);
        if row.is_required(from) {
            // Only the version asked for it; another need not say that nothing is known.
            items.retain(|item| !extension::is_absent(item));
        }
        if let Kind::Code(codes) = row.kind {
            items = code::widen(codes, items.pop(), kept.into_iter().next(), from).into_iter().collect();
        } else {
            items.extend(kept);
        }
        if !items.is_empty() {
            record.insert(row.name, items);
        }
    }
    record
}

fn in_place(row: &Row, members: &mut Members, from: Version) -> Vec<Item> {
    let Some(place) = row.place(from) else { return Vec::new() };
    if row.is_primitive() {
        return members.take_primitive(place.path).into_iter().collect();
    }
    let said = members.take_items(place.path).into_iter().filter(|item| *item != Node::Object(Vec::new()));
    said.map(|value| Item::of(widen(row, value, from))).collect()
}

fn widen(row: &Row, value: Node, from: Version) -> Node {
    match row.kind {
        Kind::Value(value_type) => datatype::widen(value_type, value, from),
        Kind::Reference(_) => datatype::widen("Reference", value, from),
        Kind::CodeableReference => codeable_reference::widen(value, from),
        Kind::Shaped(shape) => (shape.widen)(value, from),
        Kind::Primitive(_) | Kind::Code(_) => value,
    }
}

/// What `extension` holds, if it stands for the element of any version.
fn unpack(resource_type: &str, row: &Row, extension: &Node) -> Option<Item> {
    let (version, path) = extension::stands_for(extension)?;
    let path = path.strip_prefix(resource_type)?.strip_prefix('.')?;
    row.place(version).filter(|place| place.path == path)?;
    match row.kind {
        Kind::CodeableReference => codeable_reference::unpack(extension).map(Item::of),
        _ => extension::decode(extension, row.wire()),
    }
}

/// Writes `record` as `to` has it, behind what `members` have already.
pub(super) fn write(resource_type: &str, rows: &[Row], record: Record, to: Version, members: &mut Members) {
    let mut record = record;
    let mut homeless = Vec::new();
    for row in rows {
        let items = record.remove(row.name).unwrap_or_default();
        let (mut fitting, spilled) = split(row, items, to);
        let packed =
            spilled.into_iter().filter_map(|(item, version)| pack(resource_type, row, item, version));
        homeless.extend(packed);
        let Some(place) = row.place(to) else { continue };
        if fitting.is_empty() && row.is_required(to) {
            fitting.push(absent(row));
        }
        if row.is_primitive() {
            fitting.into_iter().for_each(|item| members.put_primitive(place.path, item));
        } else if place.repeats {
            members.put_items(place.path, fitting.into_iter().filter_map(|item| item.value).collect());
        } else {
            members.put_some(place.path, fitting.into_iter().next().and_then(|item| item.value));
        }
    }
    members.add_extensions("extension", homeless);
}

/// What stands for an element of which nothing is known.
fn absent(row: &Row) -> Item {
    if row.is_primitive() { absent_primitive() } else { Item::of(extension::absent()) }
}

/// What stands for a primitive element of which nothing is known.
pub(super) fn absent_primitive() -> Item {
    Item { value: None, beside: Some(extension::absent()) }
}

/// What has a place in `to`, and the rest with the version that has one.
fn split(row: &Row, items: Vec<Item>, to: Version) -> (Vec<Item>, Vec<(Item, Version)>) {
    let (mut fitting, mut spilled) = (Vec::new(), Vec::new());
    let place = row.place(to);
    for item in items {
        let full = place.is_none_or(|place| !place.repeats && !fitting.is_empty());
        if full {
            spilled.push((item, row.home));
            continue;
        }
        if let Kind::Code(codes) = row.kind {
            let (code, lost) = code::split(codes, item, to);
            fitting.extend(code);
            spilled.extend(lost);
            continue;
        }
        let Item { value: Some(value), beside } = item else {
            fitting.push(item);
            continue;
        };
        match narrow(row, value, to) {
            Fit::Fits(value) => fitting.push(Item { value: Some(value), beside }),
            Fit::Elsewhere(value, version) => spilled.push((Item { value: Some(value), beside }, version)),
        }
    }
    (fitting, spilled)
}

fn narrow(row: &Row, value: Node, to: Version) -> Fit {
    match row.kind {
        Kind::Value(value_type) => Fit::Fits(datatype::narrow(value_type, value, to)),
        Kind::Reference(targets) => narrow_reference(value, targets, to),
        Kind::CodeableReference => codeable_reference::narrow(value, to),
        Kind::Shaped(shape) => (shape.narrow)(value, to),
        Kind::Primitive(_) | Kind::Code(_) => Fit::Fits(value),
    }
}

pub(super) fn narrow_reference(reference: Node, targets: &[Target], to: Version) -> Fit {
    match reference::elsewhere(&reference, targets, to) {
        None => Fit::Fits(datatype::narrow("Reference", reference, to)),
        Some(version) => Fit::Elsewhere(reference, version),
    }
}

fn pack(resource_type: &str, row: &Row, item: Item, version: Version) -> Option<Node> {
    let url = extension::url(version, &format!("{resource_type}.{}", row.place(version)?.path));
    match row.kind {
        Kind::CodeableReference => codeable_reference::pack(url, item.value?),
        _ => extension::encode(url, row.wire(), item),
    }
}
