//! Reads `Accept`, entry by entry. An entry that cannot be read is left out; the rest counts.
//!
//! Clause: RFC 9110 12.5.1

use charta_model::MediaType;

use super::{Name, Rules};
use crate::Format;

/// The quality of an entry that states none, in thousandths.
const FULL: u16 = 1000;

/// One entry of `Accept`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) range: Range,
    /// Thousandths, at most [`FULL`]; 0 refuses.
    pub(super) quality: u16,
    /// Whether the version that it names is the endpoint's; `None` if it names none.
    pub(super) fhir_version: Option<bool>,
    /// The parameters as they were sent; `None` if there is none that could tell types apart.
    parameters: Option<Box<str>>,
}

/// What an entry speaks of.
#[derive(Debug, Clone)]
pub(super) enum Range {
    /// `*/*`
    Anything,
    /// `type/*`, lower-case
    Kind(Box<str>),
    /// JSON or XML, FHIR's or any.
    Named(Name),
    /// Any other `type/subtype`, lower-case
    Type(Box<str>),
}

/// How specific an entry is for what it covers, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Anything,
    Kind,
    /// Covers a type that is not called so: generic XML a CDA, HTML with another charset.
    Loose,
    Type,
    /// A type with parameters that the stored one has too.
    Parameters,
}

impl Entry {
    /// How specifically it covers the bytes of a document; `None` if it does not.
    ///
    /// A loose cover is our courtesy to the client, not the client's word on the type: it never excludes.
    pub(super) fn covers(&self, stored: &MediaType, rules: &Rules) -> Option<Rank> {
        let essence = stored.essence();
        let loose = (self.quality > 0).then_some(Rank::Loose);
        match &self.range {
            Range::Anything => Some(Rank::Anything),
            Range::Kind(kind) => (**kind == *stored.kind()).then_some(Rank::Kind),
            // A FHIR type that is taken means the FHIR form, also when the stored type is called the same.
            Range::Named(name) if !name.is_generic() => {
                (self.quality == 0 && name.as_str() == essence).then_some(Rank::Type)
            }
            Range::Named(name) if name.as_str() == essence => self.covers_parameters(stored).or(loose),
            Range::Named(name) => match name.format() {
                Format::Json => loose.filter(|_| stored.is_json()),
                Format::Xml => loose.filter(|_| stored.is_xml()),
            },
            Range::Type(wanted) if **wanted == *essence => self.covers_parameters(stored).or(loose),
            Range::Type(wanted) => loose.filter(|_| {
                rules.html_by_other_names() && &**wanted == "application/xhtml+xml" && essence == "text/html"
            }),
        }
    }

    /// How specific it is, whatever it covers.
    pub(super) const fn rank(&self) -> Rank {
        match &self.range {
            Range::Anything => Rank::Anything,
            Range::Kind(_) => Rank::Kind,
            Range::Named(name) if name.is_generic() => Rank::Loose,
            Range::Named(_) | Range::Type(_) => Rank::Type,
        }
    }

    pub(super) const fn claim(&self) -> super::Claim {
        super::Claim { quality: self.quality, rank: self.rank() }
    }

    fn covers_parameters(&self, stored: &MediaType) -> Option<Rank> {
        let Some(wanted) = &self.parameters else { return Some(Rank::Type) };
        let (_, has) = split_parameters(stored.as_str());
        let met = |(name, value): (&str, &str)| {
            name.eq_ignore_ascii_case("q")
                || parameters(has).any(|(n, v)| {
                    n.eq_ignore_ascii_case(name) && unquoted(v).eq_ignore_ascii_case(unquoted(value))
                })
        };
        parameters(wanted).all(met).then_some(Rank::Parameters)
    }
}

/// The entries of all lines, in order. Empty if all is taken: nothing was sent, or nothing readable.
pub(super) fn read(rules: &Rules, lines: &[&str]) -> Vec<Entry> {
    if let [only] = lines
        && only.trim() == "*/*"
    {
        return Vec::new();
    }
    lines.iter().flat_map(|line| split(line, b',')).filter_map(|text| entry(rules, text)).collect()
}

/// `type/subtype` and the text behind the first semicolon.
pub(super) fn split_parameters(text: &str) -> (&str, &str) {
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    (essence.trim(), parameters)
}

/// Whether the `fhirVersion` among `text` is one that the endpoint serves; `None` if there is none.
pub(super) fn fhir_version(rules: &Rules, text: &str) -> Option<bool> {
    let (_, value) = parameters(text).find(|(name, _)| name.eq_ignore_ascii_case("fhirVersion"))?;
    Some(rules.serves(unquoted(value)))
}

fn entry(rules: &Rules, text: &str) -> Option<Entry> {
    let (essence, rest) = split_parameters(text);
    let range = range(rules, essence)?;
    let mut entry = Entry { range, quality: FULL, fhir_version: None, parameters: None };
    let mut has_others = false;
    for (name, value) in parameters(rest) {
        let closed = !value.starts_with('"') || (value.len() > 1 && value.ends_with('"'));
        if !closed {
            return None;
        }
        if name.eq_ignore_ascii_case("q") {
            entry.quality = quality(value)?;
        } else if name.eq_ignore_ascii_case("fhirVersion") {
            entry.fhir_version = Some(rules.serves(unquoted(value)));
        } else {
            has_others = true;
        }
    }
    if has_others && matches!(entry.range, Range::Type(_) | Range::Named(_)) {
        entry.parameters = Some(rest.into());
    }
    Some(entry)
}

fn range(rules: &Rules, essence: &str) -> Option<Range> {
    if let Some(name) = Name::of(essence) {
        return Some(Range::Named(name));
    }
    match essence.split_once('/') {
        // `*` is what old Java clients send.
        None if essence == "*" => Some(Range::Anything),
        None if essence.eq_ignore_ascii_case("html") && rules.html_by_other_names() => {
            Some(Range::Type("text/html".into()))
        }
        Some(("*", "*")) => Some(Range::Anything),
        Some((kind, "*")) if is_token(kind) && kind != "*" => {
            Some(Range::Kind(kind.to_ascii_lowercase().into()))
        }
        Some((kind, subtype)) if is_token(kind) && kind != "*" && is_token(subtype) => {
            Some(Range::Type(essence.to_ascii_lowercase().into()))
        }
        _ => None,
    }
}

/// `0` to `1` with at most three decimals, in thousandths. `.5`, which old Java clients send, is read too.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || text.is_empty() || text == "." {
        return None;
    }
    let mut thousandths = 0;
    let mut place = FULL;
    for digit in decimals.bytes() {
        place /= 10;
        thousandths += u16::try_from(char::from(digit).to_digit(10)?).ok()? * place;
    }
    match whole {
        "" | "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL),
        _ => None,
    }
}

/// Names and values as they stand; what has no `=` is left out.
fn parameters(text: &str) -> impl Iterator<Item = (&str, &str)> {
    split(text, b';').filter_map(|parameter| parameter.split_once('=')).map(|(n, v)| (n.trim(), v.trim()))
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Splits at an ASCII delimiter that does not stand in quotes; empty pieces are left out. A quote that
/// nobody closes reaches to the end.
fn split(text: &str, delimiter: u8) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = piece_length(rest, delimiter);
            let piece = rest[..end].trim();
            rest = rest.get(end + 1..).unwrap_or_default();
            if !piece.is_empty() {
                return Some(piece);
            }
        }
        None
    })
}

fn piece_length(text: &str, delimiter: u8) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == delimiter && !quoted => return at,
            _ => {}
        }
    }
    text.len()
}
