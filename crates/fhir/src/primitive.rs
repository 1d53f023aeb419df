//! The forms that values of primitive types have.
//!
//! Clause: FHIR R4 datatypes.html#primitive

use charta_model::ResourceId;

use crate::{Node, base64::Decoder, parse::is_number};

/// Whether `value` is one of the primitive type of this name, in JSON's terms.
pub(crate) fn fits(type_name: &str, value: &Node) -> bool {
    match (type_name, value) {
        ("boolean", Node::Bool(_)) => true,
        ("decimal", Node::Number(number)) => is_number(number),
        ("integer", Node::Number(number)) => is_integer(number, i32::MIN),
        ("unsignedInt", Node::Number(number)) => is_integer(number, 0),
        ("positiveInt", Node::Number(number)) => is_integer(number, 1),
        ("boolean" | "decimal" | "integer" | "unsignedInt" | "positiveInt", _) => false,
        (_, Node::String(text)) => text_fits(type_name, text),
        _ => false,
    }
}

fn is_integer(number: &str, lowest: i32) -> bool {
    is_number(number) && number.parse::<i32>().is_ok_and(|number| number >= lowest)
}

fn text_fits(type_name: &str, text: &str) -> bool {
    if text.is_empty() || !text.chars().all(is_writable) {
        return false;
    }
    match type_name {
        "uri" | "url" | "canonical" => !text.contains(char::is_whitespace),
        "oid" => text.strip_prefix("urn:oid:").is_some_and(is_oid),
        "uuid" => text.strip_prefix("urn:uuid:").is_some_and(is_uuid),
        "code" => text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace)),
        "id" => ResourceId::new(text).is_ok(),
        "integer64" => is_number(text) && text.parse::<i64>().is_ok(),
        "date" => is_date(text),
        "time" => is_time(text),
        "instant" => is_date_time(text),
        "dateTime" => is_date(text) || is_date_time(text),
        "base64Binary" => {
            let mut decoder = Decoder::default();
            decoder.push(text.as_bytes(), &mut Vec::new()).is_ok() && decoder.finish().is_ok()
        }
        _ => true,
    }
}

fn is_oid(text: &str) -> bool {
    text.starts_with(['0', '1', '2'])
        && text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Whether XML can hold it; what came in one format has to be able to leave in the other.
pub(crate) const fn is_writable(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// `2024`, `2024-05` or `2024-05-31`
pub(crate) fn is_date(text: &str) -> bool {
    let within =
        |part: Option<&str>, lowest, highest| part.is_none_or(|part| number(part, 2, lowest, highest));
    let mut parts = text.split('-');
    parts.next().is_some_and(|year| number(year, 4, 1, 9999))
        && within(parts.next(), 1, 12)
        && within(parts.next(), 1, 31)
        && parts.next().is_none()
}

/// `10:30:00` or `10:30:00.125`
pub(crate) fn is_time(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let parts: Vec<&str> = whole.split(':').collect();
    let fraction_fits =
        |digits: &str| (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    matches!(*parts, [hour, minute, second]
        if number(hour, 2, 0, 23) && number(minute, 2, 0, 59) && number(second, 2, 0, 60))
        && fraction.is_none_or(fraction_fits)
}

/// A whole date, `T`, a time with seconds and an offset.
pub(crate) fn is_date_time(text: &str) -> bool {
    let Some((date, rest)) = text.split_once('T') else { return false };
    let time = rest.strip_suffix('Z').or_else(|| {
        let at = rest.rfind(['+', '-'])?;
        let (time, offset) = rest.split_at(at);
        let (hours, minutes) = offset.get(1..)?.split_once(':')?;
        (number(hours, 2, 0, 14) && number(minutes, 2, 0, 59)).then_some(time)
    });
    date.len() == 10 && is_date(date) && time.is_some_and(is_time)
}

fn number(text: &str, digits: usize, lowest: u32, highest: u32) -> bool {
    text.len() == digits
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse().is_ok_and(|number| (lowest..=highest).contains(&number))
}
