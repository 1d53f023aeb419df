//! An envelope in XML as the same envelope in JSON: what repeats becomes an array, what a primitive
//! has beside its value goes to the member with the underscore. Order and repetition are judged
//! here, because JSON no longer shows them; values are judged later.
//!
//! Clause: FHIR R4 json.html#primitive

use crate::Version;

use super::elements::{Element, Type};
use super::value::{Object, Value, member_path};
use super::{ReadError, ReadErrorKind, xml_tree};

/// The members of `xml`, which is a `holds`.
pub fn members(
    xml: &xml_tree::Element,
    holds: Type,
    version: Version,
    path: &str,
) -> Result<Object, ReadError> {
    let mut members = attributes(xml, holds, version, path)?;
    let mut last_place = 0;
    for same in xml.children.chunk_by(|a, b| a.name == b.name) {
        let Some(name) = same.first().map(|first| first.name.as_str()) else { continue };
        let path = member_path(path, name);
        let Some((place, element)) = holds.element(name, version).filter(|(_, found)| !found.attribute)
        else {
            return Err(misplaced(&path, "the element is unknown here"));
        };
        if place < last_place {
            return Err(misplaced(&path, "the element is out of order"));
        }
        let chosen = element.is_choice() && last_place == place;
        if chosen || same.len() > 1 && !element.repeats {
            return Err(misplaced(&path, "the element is given twice"));
        }
        append(&mut members, element, same, version, &path)?;
        last_place = place;
    }
    Ok(members)
}

fn append(
    members: &mut Object,
    element: &Element,
    same: &[xml_tree::Element],
    version: Version,
    path: &str,
) -> Result<(), ReadError> {
    let mut values = Vec::new();
    let mut companions = Vec::new();
    for (at, xml) in same.iter().enumerate() {
        let path = if element.repeats { format!("{path}[{at}]") } else { path.to_owned() };
        let beside = self::members(xml, element.holds, version, &path)?;
        if element.holds.is_primitive() {
            let value = xml.attributes.iter().find(|(name, _)| name == "value");
            if value.is_none() && beside.is_empty() {
                return Err(misplaced(&path, "the element is empty"));
            }
            values.push(value.map_or(Value::Null, |(_, text)| primitive(text, element.holds)));
            companions.push(if beside.is_empty() { Value::Null } else { Value::Object(beside) });
        } else {
            values.push(Value::Object(beside));
        }
    }
    for (name, mut items) in [(element.name.to_owned(), values), (format!("_{}", element.name), companions)] {
        if items.iter().any(|item| *item != Value::Null) {
            let value = if element.repeats { Some(Value::Array(items)) } else { items.pop() };
            members.extend(value.map(|value| (name, value)));
        }
    }
    Ok(())
}

fn primitive(text: &str, holds: Type) -> Value {
    match (holds, text) {
        (Type::Boolean, "true") => Value::Bool(true),
        (Type::Boolean, "false") => Value::Bool(false),
        _ if holds.is_number() => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

/// The attributes as members, but for the value of a primitive.
fn attributes(
    xml: &xml_tree::Element,
    holds: Type,
    version: Version,
    path: &str,
) -> Result<Object, ReadError> {
    let mut members = Object::new();
    for (name, value) in &xml.attributes {
        match holds.element(name, version) {
            _ if holds.is_primitive() && name == "value" => {}
            Some((_, element)) if element.attribute => {
                members.push((name.clone(), Value::String(value.clone())));
            }
            _ => return Err(misplaced(path, "an attribute is unknown here")),
        }
    }
    Ok(members)
}

fn misplaced(path: &str, message: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Structure, path, message)
}
