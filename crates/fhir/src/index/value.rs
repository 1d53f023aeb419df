//! One value of a resource as the entries that a parameter of some kind makes of it.

use charta_model::{EntryValue, ResourceId, ResourceType};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{Node, definitions::ParameterKind, search};

/// What a path leads to.
pub(super) struct Found<'n> {
    /// The element's value.
    pub(super) node: &'n Node,
    /// The name of its type.
    pub(super) of: &'n str,
}

/// The entries of one value; those marked stand beside the parameter, under `name:identifier`.
pub(super) fn entries(kind: ParameterKind, found: &Found<'_>, targets: &[&str]) -> Vec<(bool, EntryValue)> {
    let Found { node, of } = found;
    let plain = |values: Vec<EntryValue>| values.into_iter().map(|value| (false, value)).collect();
    match kind {
        ParameterKind::Token => plain(tokens(node, of)),
        ParameterKind::Reference => references(node, of, targets),
        ParameterKind::Date => plain(date(node, of).into_iter().collect()),
        ParameterKind::String => plain(texts(node, of)),
        ParameterKind::Uri => plain(node.as_text().map(uri).into_iter().collect()),
        ParameterKind::Quantity | ParameterKind::Number => plain(quantities(node, of)),
        ParameterKind::Composite | ParameterKind::Special => Vec::new(),
    }
}

/// Text without letter case and accents, as searches compare it.
///
/// Clause: FHIR R4 search.html#string
#[must_use]
pub fn folded(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

fn tokens(node: &Node, of: &str) -> Vec<EntryValue> {
    let text = |name: &str| node.text_at(name).map(str::to_owned);
    match (of, node) {
        ("CodeableConcept", _) => {
            node.items_at("coding").iter().flat_map(|coding| tokens(coding, "Coding")).collect()
        }
        ("CodeableReference", _) => {
            node.member("concept").map_or_else(Vec::new, |concept| tokens(concept, "CodeableConcept"))
        }
        ("Coding", _) => token(text("system"), text("code")),
        ("Identifier", _) => token(text("system"), text("value")),
        ("ContactPoint", _) => token(None, text("value")),
        ("Quantity", _) => token(text("system"), text("code")),
        (_, Node::Bool(value)) => token(None, Some(value.to_string())),
        (_, Node::Number(number)) => token(None, Some(number.clone())),
        (_, Node::String(code)) => token(None, Some(code.clone().into_owned())),
        // Asked for is only whether it is there.
        ("Period" | "dateTime" | "Range" | "Age", _) => token(None, Some("true".into())),
        _ => Vec::new(),
    }
}

fn token(system: Option<String>, code: Option<String>) -> Vec<EntryValue> {
    if system.is_none() && code.is_none() { Vec::new() } else { vec![EntryValue::Token { system, code }] }
}

fn references(node: &Node, of: &str, targets: &[&str]) -> Vec<(bool, EntryValue)> {
    let node = match of {
        "CodeableReference" => match node.member("reference") {
            Some(reference) => reference,
            None => return Vec::new(),
        },
        _ => node,
    };
    if let Some(text) = node.as_text() {
        return vec![(false, link(text))]; // a canonical or a uri
    }
    let fits = |value: &EntryValue| match value {
        EntryValue::Reference { kind, .. } => targets.is_empty() || targets.contains(&kind.as_str()),
        _ => true,
    };
    let named = node.text_at("reference").map(link).filter(fits);
    let identified = node.member("identifier").map_or_else(Vec::new, |found| tokens(found, "Identifier"));
    named
        .map(|value| (false, value))
        .into_iter()
        .chain(identified.into_iter().map(|value| (true, value)))
        .collect()
}

/// A local reference is what it names, whatever its version; all else is a URL.
fn link(text: &str) -> EntryValue {
    let current = text.split_once("/_history/").map_or(text, |(current, _)| current);
    let named = current.split_once('/').and_then(|(kind, id)| {
        Some(EntryValue::Reference { kind: ResourceType::new(kind).ok()?, id: ResourceId::new(id).ok()? })
    });
    named.unwrap_or_else(|| uri(text))
}

fn uri(text: &str) -> EntryValue {
    EntryValue::Uri(text.to_owned())
}

fn texts(node: &Node, of: &str) -> Vec<EntryValue> {
    let parts: &[&str] = match of {
        "HumanName" => &["text", "family", "given", "prefix", "suffix"],
        "Address" => &["text", "line", "city", "district", "state", "postalCode", "country"],
        "CodeableConcept" => &["text"],
        "Coding" => &["display"],
        "Annotation" => &["text"],
        _ => return node.as_text().map(text).into_iter().collect(),
    };
    let strings = parts.iter().filter_map(|part| node.member(part)).flat_map(|value| match value {
        Node::Array(items) => items.iter().filter_map(Node::as_text).collect::<Vec<_>>(),
        single => single.as_text().into_iter().collect(),
    });
    strings.map(text).collect()
}

fn text(exact: &str) -> EntryValue {
    EntryValue::Text { folded: folded(exact), exact: exact.to_owned() }
}

/// Clause: FHIR R4 search.html#date
fn date(node: &Node, of: &str) -> Option<EntryValue> {
    let range = |text: &str| search::date_range_ms(text);
    let (start_ms, end_ms) = match of {
        "Period" => {
            let start = node.text_at("start").and_then(range);
            let end = node.text_at("end").and_then(range);
            if start.is_none() && end.is_none() {
                return None;
            }
            (start.map_or(i64::MIN, |(start, _)| start), end.map_or(i64::MAX, |(_, end)| end))
        }
        "Timing" => {
            let bounds = node.member("repeat").and_then(|repeat| repeat.member("boundsPeriod"));
            let events = node.items_at("event").iter().filter_map(Node::as_text).filter_map(range);
            let all: Vec<(i64, i64)> = events.collect();
            match (all.iter().map(|(start, _)| *start).min(), all.iter().map(|(_, end)| *end).max(), bounds) {
                (Some(start), Some(end), _) => (start, end),
                (_, _, Some(bounds)) => return date(bounds, "Period"),
                _ => return None,
            }
        }
        _ => node.as_text().and_then(range)?,
    };
    Some(EntryValue::Date { start_ms, end_ms })
}

fn quantities(node: &Node, of: &str) -> Vec<EntryValue> {
    let number = |node: Option<&Node>| match node {
        Some(Node::Number(digits)) => digits.parse::<f64>().ok(),
        Some(Node::String(digits)) => digits.parse::<f64>().ok(), // integer64
        _ => None,
    };
    let made = |low: f64, high: f64, system: Option<&str>, code: Option<&str>| EntryValue::Quantity {
        low,
        high,
        system: system.map(str::to_owned),
        code: code.map(str::to_owned),
    };
    match of {
        "Range" => {
            let (low, high) = (node.member("low"), node.member("high"));
            let unit = low.or(high);
            let bound = |side: Option<&Node>| number(side.and_then(|side| side.member("value")));
            let (Some(unit), true) = (unit, bound(low).is_some() || bound(high).is_some()) else {
                return Vec::new();
            };
            let (low, high) = (bound(low).unwrap_or(f64::MIN), bound(high).unwrap_or(f64::MAX));
            vec![made(
                low,
                high,
                unit.text_at("system"),
                unit.text_at("code").or_else(|| unit.text_at("unit")),
            )]
        }
        "Money" if node.text_at("currency").is_some() => number(node.member("value"))
            .map(|value| made(value, value, Some("urn:iso:std:iso:4217"), node.text_at("currency")))
            .into_iter()
            .collect(),
        _ if matches!(node, Node::Object(_)) => {
            let Some(value) = number(node.member("value")) else { return Vec::new() };
            let (code, unit) = (node.text_at("code"), node.text_at("unit"));
            let mut entries = Vec::new();
            if code.is_some() || unit.is_none() {
                entries.push(made(value, value, node.text_at("system"), code));
            }
            // A search without system means the code or the unit as it is read.
            if unit.is_some() && unit != code {
                entries.push(made(value, value, None, unit));
            }
            entries
        }
        _ => number(Some(node)).map(|value| made(value, value, None, None)).into_iter().collect(),
    }
}
