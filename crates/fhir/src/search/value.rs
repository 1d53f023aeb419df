//! The values of a search parameter by its kind.

use charta_model::{
    Comparison, Filter, QuantityMatch, ReferenceMatch, ResourceId, ResourceType, TextMatch, TokenMatch,
    UriMatch,
};

use super::{
    SearchError, date,
    parameter::{Parameter, split, unescape},
};
use crate::{Version, definitions::ParameterKind, index::folded, parse::is_number};

/// What a value is compared with.
pub(super) struct Asked<'a> {
    pub(super) version: Version,
    /// As entries have it: the parameter, or a component of a composite.
    pub(super) name: String,
    pub(super) kind: ParameterKind,
    /// Whether the element is a `code`, whose system is implied.
    pub(super) is_code: bool,
    /// The types that a reference can lead to.
    pub(super) targets: &'a [&'static str],
    /// URLs of this server, whose resources are local.
    pub(super) bases: &'a [String],
}

/// The filter of these alternatives.
pub(super) fn filter<'v>(
    asked: &Asked<'_>,
    parameter: &Parameter<'_>,
    alternatives: impl Iterator<Item = &'v str>,
) -> Result<Filter, SearchError> {
    let name = asked.name.clone().into();
    let modifier = parameter.modifier;
    Ok(match asked.kind {
        ParameterKind::Token => tokens(asked, parameter, alternatives)?,
        ParameterKind::Reference if modifier == Some("identifier") => {
            let name = format!("{}:identifier", asked.name).into();
            Filter::Token(
                name,
                alternatives.map(|text| token(asked, parameter, text)).collect::<Result<_, _>>()?,
            )
        }
        ParameterKind::Reference => references(asked, modifier, alternatives),
        ParameterKind::Date => {
            Filter::Date(name, alternatives.map(|text| period(parameter, text)).collect::<Result<_, _>>()?)
        }
        ParameterKind::String => {
            let matches = alternatives.map(|text| match (unescape(text), modifier) {
                (text, Some("exact")) => TextMatch::Exactly(text.into_owned()),
                (text, Some("contains")) => TextMatch::Contains(folded(&text)),
                (text, _) => TextMatch::Starts(folded(&text)),
            });
            Filter::Text(name, matches.collect())
        }
        ParameterKind::Uri => {
            // What leads to this server is indexed without its base.
            let own = |uri: String| match local(asked.bases, &uri) {
                Some(path) => path.to_owned(),
                None => uri,
            };
            let matches = alternatives.map(|text| match (own(unescape(text).into_owned()), modifier) {
                (uri, Some("below")) => UriMatch::Below(uri),
                (uri, Some("above")) => UriMatch::Above(uri),
                (uri, _) => UriMatch::Exactly(uri),
            });
            Filter::Uri(name, matches.collect())
        }
        ParameterKind::Number | ParameterKind::Quantity => Filter::Quantity(
            name,
            alternatives.map(|text| quantity(parameter, text)).collect::<Result<_, _>>()?,
        ),
        ParameterKind::Composite | ParameterKind::Special => {
            return Err(parameter.not_supported("this parameter is not supported"));
        }
    })
}

/// Clause: FHIR R4 search.html#token
fn tokens<'v>(
    asked: &Asked<'_>,
    parameter: &Parameter<'_>,
    alternatives: impl Iterator<Item = &'v str>,
) -> Result<Filter, SearchError> {
    let name = asked.name.clone().into();
    if parameter.modifier == Some("below") {
        // On MIME types: `text/xml` covers `text/xml; charset=utf-8`.
        let matches = alternatives.map(|text| {
            let code = unescape(text).trim().replace(' ', "+").to_lowercase();
            let with_parameters = TextMatch::Starts(format!("{code};"));
            let token = TokenMatch { system: None, code: Some(code), case_sensitive: false };
            (token, with_parameters)
        });
        let (tokens, texts): (Vec<_>, Vec<_>) = matches.unzip();
        let texts = Filter::Text(format!("{}:below", asked.name).into(), texts);
        return Ok(Filter::Any(vec![Filter::Token(name, tokens), texts]));
    }
    Ok(Filter::Token(name, alternatives.map(|text| token(asked, parameter, text)).collect::<Result<_, _>>()?))
}

fn token(asked: &Asked<'_>, parameter: &Parameter<'_>, text: &str) -> Result<TokenMatch, SearchError> {
    let known = |text: &str| Some(unescape(text).into_owned()).filter(|text| !text.is_empty());
    let (system, code) = match split(text, b'|')[..] {
        [code] => (None, known(code)),
        [system, code] => (Some(unescape(system).into_owned()), known(code)),
        _ => return Err(parameter.value_error("code, system|code, |code or system| is expected")),
    };
    if code.is_none() && system.as_deref().is_none_or(str::is_empty) {
        return Err(parameter.value_error("code, system|code, |code or system| is expected"));
    }
    let system = system.filter(|_| !asked.is_code);
    Ok(TokenMatch { system, code, case_sensitive: asked.version.is_r4_or_later() })
}

/// What cannot be a reference is one that nothing has.
///
/// Clause: FHIR R4 search.html#reference
fn references<'v>(
    asked: &Asked<'_>,
    modifier: Option<&str>,
    alternatives: impl Iterator<Item = &'v str>,
) -> Filter {
    let named = modifier.and_then(|kind| ResourceType::new(kind).ok());
    let only = match asked.targets {
        [only] => ResourceType::new(only).ok(),
        _ => None,
    };
    let matches: Vec<_> = alternatives
        .filter_map(|text| {
            let text = unescape(text);
            let path = local(asked.bases, &text).unwrap_or(&text);
            let path = path.split_once("/_history/").map_or(path, |(current, _)| current);
            match path.split_once('/') {
                None => Some(ReferenceMatch::Local(
                    named.clone().or_else(|| only.clone()),
                    ResourceId::new(path).ok()?,
                )),
                Some((kind, id)) => match (ResourceType::new(kind), ResourceId::new(id)) {
                    (Ok(kind), Ok(id)) if named.as_ref().is_none_or(|named| *named == kind) => {
                        let fits = asked.targets.is_empty() || asked.targets.contains(&kind.as_str());
                        fits.then_some(ReferenceMatch::Local(Some(kind), id))
                    }
                    (Ok(_), Ok(_)) => None,
                    _ => Some(ReferenceMatch::Elsewhere(text.into_owned())),
                },
            }
        })
        .collect();
    if matches.is_empty() { Filter::Nothing } else { Filter::Reference(asked.name.clone().into(), matches) }
}

/// What of a URL is behind a base of this server.
fn local<'t>(bases: &[String], url: &'t str) -> Option<&'t str> {
    let path = bases.iter().find_map(|base| url.strip_prefix(base.as_str())?.strip_prefix('/'))?;
    (!path.is_empty()).then_some(path)
}

/// Clause: FHIR R4 search.html#date
fn period(parameter: &Parameter<'_>, text: &str) -> Result<(Comparison, i64, i64), SearchError> {
    let malformed = || parameter.value_error("a date, with a prefix or not, is expected");
    let (prefix, date) = prefixed(text);
    let comparison = comparison(prefix).ok_or_else(malformed)?;
    let (start, end) = date::range_ms(date).ok_or_else(malformed)?;
    // About a day is the day before and the one after too.
    let slack = if prefix == "ap" { end.saturating_sub(start) } else { 0 };
    Ok((comparison, start.saturating_sub(slack), end.saturating_add(slack)))
}

/// Clause: FHIR R4 search.html#quantity
fn quantity(parameter: &Parameter<'_>, text: &str) -> Result<QuantityMatch, SearchError> {
    let malformed =
        || parameter.value_error("a number, or number|system|code, with a prefix or not, is expected");
    let parts = split(text, b'|');
    let known = |text: &str| unescape(text).into_owned();
    let (number, system, code) = match parts[..] {
        [number] => (number, None, None),
        [number, code] => (number, None, Some(known(code))),
        [number, system, code] => {
            (number, Some(known(system)).filter(|system| !system.is_empty()), Some(known(code)))
        }
        _ => return Err(malformed()),
    };
    let (prefix, number) = prefixed(number);
    let comparison = comparison(prefix).ok_or_else(malformed)?;
    let value: f64 =
        Some(number).filter(|n| is_number(n)).and_then(|n| n.parse().ok()).ok_or_else(malformed)?;
    let (low, high) = match comparison {
        Comparison::Equal | Comparison::NotEqual => {
            let half = half_of_last_digit(number);
            (value - half, value + half)
        }
        Comparison::Overlaps => (value - value.abs() / 10.0, (value + value.abs() / 10.0).next_up()),
        // The others take the number as exact.
        _ => (value, value.next_up()),
    };
    let code = code.filter(|code| !code.is_empty());
    Ok(QuantityMatch { comparison, low, high, system, code })
}

/// `100` means from 99.5 to 100.5, `5.40` from 5.395 to 5.405.
fn half_of_last_digit(number: &str) -> f64 {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let exponent = exponent.parse::<i32>().unwrap_or_default() - i32::try_from(places).unwrap_or_default();
    0.5 * 10_f64.powi(exponent)
}

fn prefixed(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    text.split_at(end)
}

/// Clause: FHIR R4 search.html#prefix
fn comparison(prefix: &str) -> Option<Comparison> {
    Some(match prefix {
        "" | "eq" => Comparison::Equal,
        "ne" => Comparison::NotEqual,
        "gt" => Comparison::Greater,
        "ge" => Comparison::GreaterOrEqual,
        "lt" => Comparison::Less,
        "le" => Comparison::LessOrEqual,
        "sa" => Comparison::StartsAfter,
        "eb" => Comparison::EndsBefore,
        "ap" => Comparison::Overlaps,
        _ => return None,
    })
}
