//! The parameters that narrow a search down.

use charta_model::{Filter, LabelKind, MediaType, ResourceId, Timestamp, TokenMatch, TypeMatch};

use super::parameter::{Parameter, Prefix, prefix, split, unescape};
use super::{SearchError, date};
use crate::Version;

/// What a parameter does.
pub(super) enum Filtered {
    /// Nothing; it is not one of these.
    Unknown,
    /// Every document fits.
    All,
    /// Only these fit.
    By(Filter),
}

/// The filter that a parameter is.
pub(super) fn filter(version: Version, parameter: &Parameter<'_>) -> Result<Filtered, SearchError> {
    let is_filter = match parameter.name {
        "_id" | "_lastUpdated" | "_tag" | "_security" | "_profile" => true,
        "contenttype" | "size" => !version.is_r4_or_later(),
        _ => false,
    };
    if !is_filter {
        return Ok(Filtered::Unknown);
    }
    if parameter.modifier.is_some_and(|modifier| !takes(parameter, modifier)) {
        return Err(parameter.modifier_error());
    }
    if parameter.modifier == Some("missing") {
        return missing(parameter);
    }
    if parameter.alternatives().next().is_none() {
        return Ok(Filtered::All);
    }
    let filter = match parameter.name {
        "_id" => ids(parameter),
        "_lastUpdated" => updated(parameter)?,
        "size" => size(parameter)?,
        "contenttype" => content_type(parameter)?,
        "_profile" => {
            Filter::Profile(parameter.alternatives().map(|uri| unescape(uri).into_owned()).collect())
        }
        _ => labels(version, parameter)?,
    };
    Ok(if parameter.modifier == Some("not") { negated(filter) } else { Filtered::By(filter) })
}

/// Whether this parameter has this modifier; `missing` every one has.
fn takes(parameter: &Parameter<'_>, modifier: &str) -> bool {
    match parameter.name {
        "contenttype" => matches!(modifier, "missing" | "not" | "below"),
        "_id" | "_tag" | "_security" => matches!(modifier, "missing" | "not"),
        _ => modifier == "missing",
    }
}

fn negated(filter: Filter) -> Filtered {
    match filter {
        Filter::Nothing => Filtered::All,
        filter => Filtered::By(Filter::Not(Box::new(filter))),
    }
}

/// Every document has an id, a time, a size and a type; labels it may have or not.
///
/// Clause: FHIR R4 search.html#modifiers
fn missing(parameter: &Parameter<'_>) -> Result<Filtered, SearchError> {
    let is_missing = parameter.is_missing()?;
    Ok(match label_kind(parameter.name) {
        Some(kind) => Filtered::By(Filter::HasLabel(kind, !is_missing)),
        None if is_missing => Filtered::By(Filter::Nothing),
        None => Filtered::All,
    })
}

fn label_kind(name: &str) -> Option<LabelKind> {
    match name {
        "_tag" => Some(LabelKind::Tag),
        "_security" => Some(LabelKind::Security),
        "_profile" => Some(LabelKind::Profile),
        _ => None,
    }
}

/// What cannot be an id is none that exists.
fn ids(parameter: &Parameter<'_>) -> Filter {
    let ids: Vec<_> = parameter.alternatives().filter_map(|id| ResourceId::new(&unescape(id)).ok()).collect();
    if ids.is_empty() { Filter::Nothing } else { Filter::Id(ids) }
}

fn updated(parameter: &Parameter<'_>) -> Result<Filter, SearchError> {
    let malformed = || parameter.value_error("a date, with a prefix or not, is expected");
    let ranges = parameter.alternatives().map(|text| {
        let (prefix, date) = prefix(text).ok_or_else(malformed)?;
        let (start, end) = date::range(date).ok_or_else(malformed)?;
        Ok(match prefix {
            Prefix::Exact(comparison) => (comparison, start, end),
            Prefix::Approximate => {
                let (start, end) = widened(start, end);
                (charta_model::Comparison::Equal, start, end)
            }
        })
    });
    Ok(Filter::Updated(ranges.collect::<Result<_, SearchError>>()?))
}

/// "About this time" is up to its own length earlier or later: about 2024 is 2023 to 2025. FHIR proposes a
/// tenth of the distance from now, but then the same link would find less every day.
fn widened(start: Timestamp, end: Timestamp) -> (Timestamp, Timestamp) {
    let (from, to) = (start.as_nanosecond(), end.as_nanosecond());
    let length = to - from;
    let moved = |nanosecond: i128, nearest| Timestamp::from_nanosecond(nanosecond).unwrap_or(nearest);
    (moved(from - length, Timestamp::MIN), moved(to + length, Timestamp::MAX))
}

fn size(parameter: &Parameter<'_>) -> Result<Filter, SearchError> {
    let malformed = || parameter.value_error("a whole number of bytes, with a prefix or not, is expected");
    let sizes = parameter.alternatives().map(|text| {
        let (prefix, digits) = prefix(text).ok_or_else(malformed)?;
        let Prefix::Exact(comparison) = prefix else {
            return Err(parameter.not_supported("the prefix ap is not supported"));
        };
        let is_number = digits.bytes().all(|b| b.is_ascii_digit());
        let size = digits.parse().ok().filter(|_| is_number).ok_or_else(malformed)?;
        Ok((comparison, size))
    });
    Ok(Filter::Size(sizes.collect::<Result<_, SearchError>>()?))
}

/// A stored type is a `code`, so its system is implied and need not be given.
///
/// Clause: FHIR STU3 search.html#token
fn content_type(parameter: &Parameter<'_>) -> Result<Filter, SearchError> {
    let malformed = || parameter.value_error("a media type is expected");
    let mut types = Vec::new();
    for text in parameter.alternatives() {
        let parts = split(text, b'|');
        let (system, code) = match parts[..] {
            [code] => ("", code),
            [system, code] => (system, code),
            _ => return Err(malformed()),
        };
        let code = MediaType::new(&plus_restored(&unescape(code))).map_err(|_| malformed())?;
        // Types have no other system, so what is asked for in another is not there.
        if matches!(&*unescape(system), "" | "urn:ietf:bcp:13" | "http://hl7.org/fhir/ValueSet/content-type")
        {
            types.push(match parameter.modifier {
                Some("below") => TypeMatch::Below(code.essence().to_owned()),
                _ => TypeMatch::Exactly(code.as_str().to_owned()),
            });
        }
    }
    Ok(if types.is_empty() { Filter::Nothing } else { Filter::ContentType(types) })
}

/// A type has no space before its parameters, but clients forget to encode the `+`.
fn plus_restored(text: &str) -> String {
    let (essence, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
    essence.trim().replace(' ', "+") + parameters
}

/// Clause: FHIR R4 search.html#token
fn labels(version: Version, parameter: &Parameter<'_>) -> Result<Filter, SearchError> {
    let malformed = || parameter.value_error("code, system|code, |code or system| is expected");
    let case_sensitive = version.is_r4_or_later();
    let known = |text: &str| Some(unescape(text).into_owned()).filter(|text| !text.is_empty());
    let tokens = parameter.alternatives().map(|text| {
        let (system, code) = match split(text, b'|')[..] {
            [code] => (None, known(code)),
            [system, code] => (Some(unescape(system).into_owned()), known(code)),
            _ => return Err(malformed()),
        };
        if code.is_none() && system.as_deref().is_none_or(str::is_empty) {
            return Err(malformed());
        }
        Ok(TokenMatch { system, code, case_sensitive })
    });
    let kind = label_kind(parameter.name).unwrap_or(LabelKind::Tag);
    Ok(Filter::Label(kind, tokens.collect::<Result<_, SearchError>>()?))
}
