//! The header `Prefer`.
//!
//! Clause: RFC 7240
//! Clause: FHIR R4 http.html#ops

use http::{HeaderMap, HeaderName};

static PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a client wants back from a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// Headers alone.
    Minimal,
    /// What a read would give.
    Representation,
    /// An OperationOutcome; from STU3 on.
    Outcome,
}

/// The value of `return`, if it is one of the three.
pub fn returned(headers: &HeaderMap) -> Option<Return> {
    preference(headers, "return").and_then(|value| match value {
        "minimal" => Some(Return::Minimal),
        "representation" => Some(Return::Representation),
        "OperationOutcome" => Some(Return::Outcome),
        _ => None,
    })
}

/// Whether unknown search parameters are to be refused.
pub fn strict_handling(headers: &HeaderMap) -> bool {
    preference(headers, "handling") == Some("strict")
}

fn preference<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(&PREFER).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).find_map(|preference| {
        let (found, value) = preference.split_once('=')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_found_in_lists() {
        for (value, expected) in [
            ("return=minimal", Some(Return::Minimal)),
            ("handling=strict, return=representation", Some(Return::Representation)),
            ("respond-async; return=\"OperationOutcome\"", Some(Return::Outcome)),
            ("return=everything", None),
            ("return", None),
        ] {
            let headers = HeaderMap::from_iter([(PREFER.clone(), value.parse().unwrap())]);
            assert_eq!(returned(&headers), expected, "{value}");
        }
    }
}
