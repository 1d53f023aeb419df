//! Entity tags and the conditions that clients make of them.
//!
//! A version has two families of tags. The bytes have strong ones, because parts of them are served:
//! `"3-n"`, and `"3-n-gzip"` where a content coding changes what is sent. Resources have `W/"3"`, the number
//! in `meta.versionId`. A condition may use any of them: all name version 3.
//!
//! Clause: RFC 9110 8.8.3

use std::time::UNIX_EPOCH;

use charta_model::VersionMatch;
use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH};

/// `If-Match` is no list of entity tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("If-Match is neither * nor a list of tags such as W/\"3\"")]
pub struct Malformed;

/// The tag of a version's bytes, sent as they are or in a content coding such as `gzip`.
#[must_use]
pub fn strong_etag(version: u64, coding: Option<&str>) -> String {
    match coding {
        Some(coding) => format!("\"{version}-n-{coding}\""),
        None => format!("\"{version}-n\""),
    }
}

/// The tag of a version in any resource form.
///
/// Clause: FHIR R4 http.html#versions
#[must_use]
pub fn weak_etag(version: u64) -> String {
    weak_etag_of(&version.to_string())
}

/// The tag of something that is not a version of a resource, such as a capability statement. `state` holds
/// visible ASCII without quotes.
#[must_use]
pub fn weak_etag_of(state: &str) -> String {
    format!("W/\"{state}\"")
}

/// Whether `If-None-Match` names this very tag, or any: for what is no version of a resource.
#[must_use]
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).iter().map(http::HeaderValue::as_bytes);
    let known: Vec<&[u8]> = lines.flat_map(elements).collect();
    known == [b"*"] || known.iter().any(|tag| opaque(tag).is_some() && opaque(tag) == opaque(etag.as_bytes()))
}

/// The versions of which one must be current; `None` if the client does not care. A tag that is well-formed
/// but names no version of ours is left out: it matches nothing.
///
/// FHIR compares weakly here, other than RFC 9110.
///
/// # Errors
/// If the header is there and is neither `*` nor a list of entity tags.
///
/// Clause: FHIR R5 http.html#concurrency
pub fn if_match(headers: &HeaderMap) -> Result<Option<VersionMatch>, Malformed> {
    match Tags::read(headers, &IF_MATCH) {
        None => Ok(None),
        Some(tags) if tags.well_formed => Ok(Some(tags.matching)),
        Some(_) => Err(Malformed),
    }
}

/// The versions of which none must be current; `None` if the client does not care. What is no entity tag
/// matches nothing.
#[must_use]
pub fn if_none_match(headers: &HeaderMap) -> Option<VersionMatch> {
    Tags::read(headers, &IF_NONE_MATCH).map(|tags| tags.matching)
}

/// Whether a reader already has what it asks for: 304. `If-None-Match` wins over `If-Modified-Since`.
/// `last_modified_s` counts whole seconds since 1970, rounded down.
///
/// Clause: RFC 9110 13.2.2
#[must_use]
pub fn not_modified(headers: &HeaderMap, version: u64, last_modified_s: i64) -> bool {
    if let Some(known) = if_none_match(headers) {
        return known.matches(Some(version));
    }
    since(headers).is_some_and(|since| last_modified_s <= since)
}

/// The seconds since 1970 that `If-Modified-Since` names, if it is there once and well-formed.
fn since(headers: &HeaderMap) -> Option<i64> {
    let mut lines = headers.get_all(IF_MODIFIED_SINCE).iter();
    let (only, None) = (lines.next()?, lines.next()) else { return None };
    let date = httpdate::parse_http_date(only.to_str().ok()?.trim()).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

struct Tags {
    matching: VersionMatch,
    well_formed: bool,
}

impl Tags {
    /// All lines of a header as one list; `None` if there is no line.
    fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let lines: Vec<&[u8]> = headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
        match lines.as_slice() {
            [] => return None,
            [only] if only.trim_ascii() == b"*" => {
                return Some(Self { matching: VersionMatch::Any, well_formed: true });
            }
            _ => {}
        }
        let mut versions = Vec::new();
        let mut seen = 0;
        let mut well_formed = true;
        for element in lines.iter().flat_map(|line| elements(line)) {
            seen += 1;
            match opaque(element) {
                Some(opaque) => versions.extend(version(opaque)),
                None => well_formed = false,
            }
        }
        Some(Self { matching: VersionMatch::OneOf(versions), well_formed: well_formed && seen > 0 })
    }
}

/// The elements of a list, trimmed, empty ones left out. Commas in quotes belong to the tag.
fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    })
    .map(<[u8]>::trim_ascii)
    .filter(|element| !element.is_empty())
}

/// What stands between the quotes of an entity tag, weak or strong.
fn opaque(tag: &[u8]) -> Option<&[u8]> {
    let quoted = tag.strip_prefix(b"W/").unwrap_or(tag);
    let opaque = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    opaque.iter().all(|byte| *byte == b'!' || *byte >= b'#' && *byte != 0x7f).then_some(opaque)
}

/// The version that our tags name: `3`, `3-n`, `3-n-gzip`.
fn version(opaque: &[u8]) -> Option<u64> {
    let opaque = std::str::from_utf8(opaque).ok()?;
    let (number, rest) = opaque.split_once('-').map_or((opaque, None), |(number, rest)| (number, Some(rest)));
    let coding = match rest {
        None | Some("n") => None,
        Some(rest) => Some(rest.strip_prefix("n-")?),
    };
    let known =
        coding.is_none_or(|coding| !coding.is_empty() && coding.bytes().all(|b| b.is_ascii_alphanumeric()));
    // Written as we write it: no sign, no leading zero.
    let ours = number.starts_with(|first| ('1'..='9').contains(&first))
        && number.bytes().all(|b| b.is_ascii_digit());
    if known && ours { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers
    }

    fn one_of(versions: &[u64]) -> VersionMatch {
        VersionMatch::OneOf(versions.to_vec())
    }

    #[test]
    fn our_tags_name_their_version() {
        for tag in [
            strong_etag(3, None),
            strong_etag(3, Some("gzip")),
            weak_etag(3),
            "\"3\"".into(),
            "W/\"3-n\"".into(),
        ] {
            let headers = headers(&IF_MATCH, &[&tag]);
            assert_eq!(if_match(&headers), Ok(Some(one_of(&[3]))), "{tag}");
        }
        assert_eq!(strong_etag(3, Some("zstd")), "\"3-n-zstd\"");
    }

    #[test]
    fn lists_span_commas_and_lines() {
        let headers = headers(&IF_MATCH, &["W/\"1\" ,\"a,2\", ,\"2-n\"", "\"3-n-br\""]);
        assert_eq!(if_match(&headers), Ok(Some(one_of(&[1, 2, 3]))));
    }

    #[test]
    fn a_star_means_any_version() {
        assert_eq!(if_match(&headers(&IF_MATCH, &[" * "])), Ok(Some(VersionMatch::Any)));
        assert_eq!(if_none_match(&headers(&IF_NONE_MATCH, &["*"])), Some(VersionMatch::Any));
        assert_eq!(if_match(&headers(&IF_MATCH, &["*", "\"3\""])), Err(Malformed));
        assert_eq!(if_match(&HeaderMap::new()), Ok(None));
        assert_eq!(if_none_match(&HeaderMap::new()), None);
    }

    #[test]
    fn numbers_that_are_no_versions_match_nothing() {
        for tag in [
            "\"0\"",
            "\"03\"",
            "\"+3\"",
            "\"-3\"",
            "\"\"",
            "\"abc\"",
            "\"3-x\"",
            "\"3-n-\"",
            "\"3-n-a-b\"",
            "\"3n\"",
            "\"é\"",
            "\"99999999999999999999\"",
        ] {
            assert_eq!(if_match(&headers(&IF_MATCH, &[tag])), Ok(Some(one_of(&[]))), "{tag}");
            assert_eq!(if_none_match(&headers(&IF_NONE_MATCH, &[tag])), Some(one_of(&[])), "{tag}");
        }
    }

    #[test]
    fn what_is_no_tag_is_malformed_in_if_match_and_nothing_in_if_none_match() {
        for tag in ["3", "", ",", "\"3", "w/\"3\"", "W/3", "\"3\" \"4\"", "\"", "*, \"*\"", "\"a b\""] {
            assert_eq!(if_match(&headers(&IF_MATCH, &[tag])), Err(Malformed), "{tag}");
            assert_eq!(if_none_match(&headers(&IF_NONE_MATCH, &[tag])), Some(one_of(&[])), "{tag}");
        }
        assert_eq!(if_none_match(&headers(&IF_NONE_MATCH, &["3, \"4\""])), Some(one_of(&[4])));
    }

    #[test]
    fn if_none_match_wins_over_if_modified_since() {
        let modified = 784_903_526;
        let mut both = headers(&IF_NONE_MATCH, &["W/\"2\", \"3-n\""]);
        both.insert(IF_MODIFIED_SINCE, "Tue, 15 Nov 1994 12:45:26 GMT".parse().unwrap());
        assert!(not_modified(&both, 3, modified));
        assert!(not_modified(&both, 2, modified));
        assert!(!not_modified(&both, 4, modified));
    }

    #[test]
    fn a_tag_of_no_version_is_known_by_itself_alone() {
        let known = |lines: &[&str]| is_known(&headers(&IF_NONE_MATCH, lines), "W/\"3-view1\"");
        assert!(known(&["W/\"3-view1\""]) && known(&["\"a\", \"3-view1\""]) && known(&["*"]));
        assert!(
            !known(&[])
                && !known(&["W/\"3\", \"3-n\""])
                && !known(&["3-view1"])
                && !known(&["W/\"3-view2\""])
        );
    }

    #[test]
    fn if_modified_since_counts_seconds() {
        let modified = 784_903_526;
        let check = |lines: &[&str]| not_modified(&headers(&IF_MODIFIED_SINCE, lines), 3, modified);
        assert!(check(&["Tue, 15 Nov 1994 12:45:26 GMT"]));
        assert!(check(&["Tuesday, 15-Nov-94 12:45:27 GMT"]));
        assert!(!check(&["Tue, 15 Nov 1994 12:45:25 GMT"]));
        assert!(!check(&["yesterday"]));
        assert!(!check(&["é"]));
        assert!(!check(&["Tue, 15 Nov 1994 12:45:26 GMT", "Tue, 15 Nov 1994 12:45:26 GMT"]));
        assert!(!check(&[]));
    }
}
