//! Parts of a document: `Range`, `If-Range` and the shape of `multipart/byteranges`.
//!
//! Only bytes as they are stored have parts, never a resource form; the caller sees to that. Every number
//! here counts bytes; ranges exclude their end.
//!
//! Clause: RFC 9110 14

use std::ops::Range;
use std::time::UNIX_EPOCH;

/// So many ranges may be asked for at once. Who asks for more gets the whole.
const RANGES_MAX: usize = 16;

/// What a `Range` header comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ranges {
    /// The header is to be ignored: malformed, in another unit, or too many ranges.
    Whole,
    /// One or more ranges, none empty, none touching another, all inside the document.
    Satisfiable(Vec<Range<u64>>),
    /// Well-formed, but nothing of it lies inside the document.
    Unsatisfiable,
}

/// Reads the value of `Range` for a document of `size` bytes.
///
/// The order asked for is kept. Ranges that overlap or adjoin become one, at the place of the first of them.
/// Numbers beyond 64 bits mean the end of the document.
#[must_use]
pub fn parse(header: &str, size: u64) -> Ranges {
    let Some((unit, list)) = header.split_once('=') else { return Ranges::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ranges::Whole;
    }
    let mut asked = 0;
    let mut ranges = Vec::new();
    for spec in list.split(',').map(|spec| spec.trim_matches([' ', '\t'])).filter(|spec| !spec.is_empty()) {
        asked += 1;
        let Some(range) = one(spec, size) else { return Ranges::Whole };
        if asked > RANGES_MAX {
            return Ranges::Whole;
        }
        if !range.is_empty() {
            merge(&mut ranges, range);
        }
    }
    match (asked, ranges.is_empty()) {
        (0, _) => Ranges::Whole,
        (_, true) => Ranges::Unsatisfiable,
        (_, false) => Ranges::Satisfiable(ranges),
    }
}

/// Whether a part may be sent: the client has a part of exactly the bytes that are current.
///
/// `last_modified_s` counts seconds since 1970. It is to be `None` unless the caller knows that no other
/// version was current within the same second: else a date does not tell two versions apart, and parts of
/// both would be joined. A weak tag never holds, for the same reason.
///
/// Clause: RFC 9110 13.1.5
#[must_use]
pub fn if_range_holds(header: &str, strong_etag: &str, last_modified_s: Option<i64>) -> bool {
    let header = header.trim();
    if header.contains('"') {
        // A weak tag begins with W and is not equal to a strong one.
        return header == strong_etag && strong_etag.starts_with('"');
    }
    let (Ok(date), Some(modified)) = (httpdate::parse_http_date(header), last_modified_s) else {
        return false;
    };
    let seconds = date.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds == Some(modified)
}

/// The value of `Content-Range` for a part.
#[must_use]
pub fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// A `multipart/byteranges` body whose bytes are yet to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multipart {
    /// The answer's `Content-Type`.
    pub content_type: String,
    /// For each part what stands before its bytes, and which bytes.
    pub parts: Vec<(String, Range<u64>)>,
    /// What stands behind the last part.
    pub end: String,
    /// The answer's `Content-Length`.
    pub length: u64,
}

impl Multipart {
    /// The body for some ranges of a document of `size` bytes and the stored type `content_type`. `boundary`
    /// is a token that the bytes do not hold, which is the case if it is long and random.
    #[must_use]
    pub fn new(ranges: &[Range<u64>], size: u64, content_type: &str, boundary: &str) -> Self {
        let mut parts = Vec::with_capacity(ranges.len());
        let mut line_break = "";
        for range in ranges {
            let place = content_range(range, size);
            let head = format!(
                "{line_break}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {place}\r\n\r\n"
            );
            parts.push((head, range.clone()));
            line_break = "\r\n";
        }
        let end = format!("{line_break}--{boundary}--\r\n");
        let heads = parts.iter().map(|(head, _)| head.len()).sum::<usize>() + end.len();
        let length = parts.iter().fold(heads as u64, |length, (_, range)| {
            length.saturating_add(range.end.saturating_sub(range.start))
        });
        Self { content_type: format!("multipart/byteranges; boundary={boundary}"), parts, end, length }
    }
}

/// One range; empty if nothing of it lies inside the document, `None` if it is malformed.
fn one(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(size.saturating_sub(number(last)?)..size);
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    // Both ends are cut, so that a start behind the document leaves nothing.
    (first <= last).then(|| first.min(size)..last.saturating_add(1).min(size))
}

fn number(digits: &str) -> Option<u64> {
    let fits = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    fits.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Adds a range to ranges that do not touch each other, so that they still do not.
fn merge(ranges: &mut Vec<Range<u64>>, mut added: Range<u64>) {
    let mut place = None;
    let mut at = 0;
    ranges.retain(|kept| {
        let touches = kept.start <= added.end && added.start <= kept.end;
        if touches {
            added = kept.start.min(added.start)..kept.end.max(added.end);
            place = place.or(Some(at));
        } else {
            at += 1;
        }
        !touches
    });
    ranges.insert(place.unwrap_or(ranges.len()), added);
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]
mod tests {
    use super::*;

    fn check(header: &str, size: u64, expected: &[Range<u64>]) {
        assert_eq!(parse(header, size), Ranges::Satisfiable(expected.to_vec()), "{header} of {size}");
    }

    #[test]
    fn one_range_is_cut_to_the_document() {
        check("bytes=0-0", 10, &[0..1]);
        check("bytes=0-99", 1000, &[0..100]);
        check("bytes=5-", 10, &[5..10]);
        check("bytes=-3", 10, &[7..10]);
        check("bytes=-30", 10, &[0..10]);
        check("bytes=5-999", 10, &[5..10]);
        check("Bytes=9-9", 10, &[9..10]);
        check("bytes=0-99999999999999999999999", 10, &[0..10]);
        check("bytes=-99999999999999999999999", 10, &[0..10]);
        check("bytes=0-18446744073709551615", u64::MAX, &[0..u64::MAX]);
    }

    #[test]
    fn several_ranges_keep_their_order_and_merge_where_they_touch() {
        check("bytes=0-0,-1", 10, &[0..1, 9..10]);
        check("bytes=8-9, 0-1", 10, &[8..10, 0..2]);
        check("bytes=0-1,2-3", 10, &[0..4]);
        check("bytes=0-5,3-8", 10, &[0..9]);
        check("bytes=6-7,0-1,3-4,1-6", 10, &[0..8]);
        check("bytes=9-9,0-1,3-4,1-3", 10, &[9..10, 0..5]);
        check("bytes=0-1,,50-60, ,4-4", 10, &[0..2, 4..5]);
    }

    #[test]
    fn ranges_outside_the_document_are_unsatisfiable() {
        for header in
            ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-", "bytes=10-,11-"]
        {
            assert_eq!(parse(header, 10), Ranges::Unsatisfiable, "{header}");
        }
        for header in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(parse(header, 0), Ranges::Unsatisfiable, "{header}");
        }
    }

    #[test]
    fn malformed_and_foreign_ranges_are_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=1-2-3",
            "bytes=+1-2",
            "items=0-1",
            "bytes=0-1,x",
            "bytes=1 - 2",
            "bytes=--1",
            "bytes=0x1-2",
            "é=0-1",
            "bytes=٣-٤",
        ] {
            assert_eq!(parse(header, 10), Ranges::Whole, "{header}");
        }
    }

    #[test]
    fn more_than_sixteen_ranges_are_ignored() {
        let many =
            |count: u64| format!("bytes={}", (0..count).map(|n| format!("{n}0-{n}1,")).collect::<String>());
        assert!(matches!(parse(&many(16), 1000), Ranges::Satisfiable(ranges) if ranges.len() == 16));
        assert_eq!(parse(&many(17), 1000), Ranges::Whole);
    }

    #[test]
    fn if_range_wants_the_same_bytes() {
        let modified = 784_903_526;
        let holds = |header| if_range_holds(header, "\"3-n\"", Some(modified));
        assert!(holds("\"3-n\""));
        assert!(holds(" Tue, 15 Nov 1994 12:45:26 GMT"));
        for header in [
            "W/\"3-n\"",
            "\"3\"",
            "W/\"3\"",
            "3-n",
            "*",
            "",
            "\"3-n\", \"4-n\"",
            "Tue, 15 Nov 1994 12:45:25 GMT",
            "Tue, 15 Nov 1994 12:45:27 GMT",
            "Thu, 01 Jan 1801 00:00:00 GMT",
        ] {
            assert!(!holds(header), "{header}");
        }
        assert!(!if_range_holds("Tue, 15 Nov 1994 12:45:26 GMT", "\"3-n\"", None));
        assert!(!if_range_holds("W/\"3\"", "W/\"3\"", None));
    }

    #[test]
    fn a_multipart_body_is_as_long_as_it_says() {
        let document: Vec<u8> = (0..100).collect();
        let answer = Multipart::new(&[0..1, 50..60], 100, "text/plain; a=b", "xyz");
        assert_eq!(answer.content_type, "multipart/byteranges; boundary=xyz");
        let mut body = Vec::new();
        for (head, range) in &answer.parts {
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&document[range.start as usize..range.end as usize]);
        }
        body.extend_from_slice(answer.end.as_bytes());
        assert_eq!(body.len() as u64, answer.length);
        let text = String::from_utf8_lossy(&body);
        assert!(text.starts_with(
            "--xyz\r\nContent-Type: text/plain; a=b\r\nContent-Range: bytes 0-0/100\r\n\r\n\0\r\n--xyz\r\n"
        ));
        assert!(text.ends_with("bytes 50-59/100\r\n\r\n23456789:;\r\n--xyz--\r\n"));
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let answer = Multipart::new(&[0..u64::MAX], u64::MAX, "a/b", "x");
        assert_eq!(answer.length, u64::MAX);
        assert_eq!(content_range(&(0..0), 0), "bytes 0-0/0");
    }
}
