//! Judges an envelope by the tables: every member known, every value of its type, everything
//! required there, nothing without content.

use charta_model::ResourceId;

use crate::Version;
use crate::base64::Decoder;
use crate::primitive::{is_date, is_date_time, is_time, is_writable};

use super::elements::{Element, Type};
use super::value::{Object, Value, is_number, member_path};
use super::{ReadError, ReadErrorKind};

/// Judges `object`, which is a `holds`.
pub fn object(object: &Object, holds: Type, version: Version, path: &str) -> Result<(), ReadError> {
    let mut choice = None;
    for (name, value) in object {
        let path = member_path(path, name);
        let (base, is_companion) = name.strip_prefix('_').map_or((name.as_str(), false), |base| (base, true));
        let Some((_, element)) = holds.element(base, version) else {
            return Err(structure(&path, "the element is unknown here"));
        };
        if is_companion && (!element.holds.is_primitive() || element.attribute) {
            return Err(structure(&path, "the element is unknown here"));
        }
        if element.is_choice() && *choice.get_or_insert(base) != base {
            return Err(structure(&path, "an extension has one value"));
        }
        match (value, element.repeats) {
            (Value::Array(items), true) => {
                for (at, item) in items.iter().enumerate() {
                    self::item(item, element, is_companion, version, &format!("{path}[{at}]"))?;
                }
            }
            (_, true) => return Err(structure(&path, "a repeated element is an array")),
            (_, false) => self::item(value, element, is_companion, version, &path)?,
        }
    }
    let says_itself_what_it_is = holds == Type::Binary || holds.is_primitive();
    if !says_itself_what_it_is && !object.iter().any(|(name, _)| name != "id") {
        return Err(structure(path, "the element has neither value nor extension"));
    }
    if holds == Type::Extension {
        extension(object, choice.is_some(), path)?;
    }
    let missing = holds.elements(version).find(|element| {
        element.required
            && element.holds != Type::Base64
            && !object.iter().any(|(name, _)| name == element.name)
    });
    match missing {
        Some(element) => Err(required(&format!("{path}.{}", element.name))),
        None => Ok(()),
    }
}

/// An element that has to be there is not.
pub fn required(path: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Required, path, "the element is required")
}

fn item(
    item: &Value,
    element: &Element,
    is_companion: bool,
    version: Version,
    path: &str,
) -> Result<(), ReadError> {
    match item {
        // An item without extensions, beside others that have some.
        Value::Null if is_companion && element.repeats => Ok(()),
        Value::Object(members) if is_companion || !element.holds.is_primitive() => {
            object(members, element.holds, version, path)
        }
        _ if !is_companion && fits(item, element.holds) => Ok(()),
        Value::Null | Value::Object(_) | Value::Array(_) => {
            Err(structure(path, "the element has another form"))
        }
        _ => Err(ReadError::new(ReadErrorKind::Value, path, "the value is not one of its type")),
    }
}

/// Clause: FHIR R4 extensibility.html#Extension
fn extension(object: &Object, has_value: bool, path: &str) -> Result<(), ReadError> {
    let has_value = has_value || object.iter().any(|(name, _)| name.starts_with("_value"));
    let has_extensions = object.iter().any(|(name, _)| name == "extension");
    if has_value == has_extensions {
        return Err(structure(path, "an extension has either a value or extensions"));
    }
    Ok(())
}

fn fits(value: &Value, holds: Type) -> bool {
    match (holds, value) {
        (Type::Boolean, Value::Bool(_)) => true,
        (Type::Decimal, Value::Number(number)) => is_number(number),
        (Type::Integer | Type::UnsignedInt | Type::PositiveInt, Value::Number(number)) => {
            let lowest = match holds {
                Type::Integer => i32::MIN,
                Type::UnsignedInt => 0,
                _ => 1,
            };
            is_number(number) && number.parse::<i32>().is_ok_and(|number| number >= lowest)
        }
        (_, Value::String(text)) => !holds.is_number() && text_fits(text, holds),
        _ => false,
    }
}

fn text_fits(text: &str, holds: Type) -> bool {
    if text.is_empty() || !text.chars().all(is_writable) {
        return false;
    }
    match holds {
        Type::String => true,
        Type::Uri => !text.contains(char::is_whitespace),
        Type::Code => text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace)),
        Type::Id => ResourceId::new(text).is_ok(),
        Type::Integer64 => is_number(text) && text.parse::<i64>().is_ok(),
        Type::Date => is_date(text),
        Type::Time => is_time(text),
        Type::Instant => is_date_time(text),
        Type::DateTime => is_date(text) || is_date_time(text),
        Type::Base64 => {
            let mut decoder = Decoder::default();
            decoder.push(text.as_bytes(), &mut Vec::new()).is_ok() && decoder.finish().is_ok()
        }
        _ => false,
    }
}

fn structure(path: &str, message: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Structure, path, message)
}
