//! Dates of any precision as ranges of time.
//!
//! This counts days itself: the calendar types elsewhere end before the last day of year 9999, which
//! clients like to mean "for ever" by. Such ends are clamped to what a [`Timestamp`] can say.

use charta_model::Timestamp;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The time that `text` covers, end excluded: `2024` is a whole year. Without zone it is UTC.
///
/// A space before the offset is the `+` that a client forgot to encode.
///
/// Clause: FHIR R4 search.html#date
pub fn range(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = nanoseconds(text)?;
    Some((clamped(start), clamped(end)))
}

/// The same in milliseconds since 1970, however far away.
pub(crate) fn range_ms(text: &str) -> Option<(i64, i64)> {
    let (start, end) = nanoseconds(text)?;
    let floor = |time: i128| i64::try_from(time.div_euclid(1_000_000)).ok();
    Some((floor(start)?, floor(end + 999_999)?))
}

fn nanoseconds(text: &str) -> Option<(i128, i128)> {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let rest = &mut &*date;
    let year = digits(rest, 4).filter(|year| *year > 0)?;
    if rest.is_empty() && time.is_none() {
        return Some((days(year, 1, 1), days(year + 1, 1, 1)));
    }
    take(rest, '-')?;
    let month = digits(rest, 2).filter(|month| (1..=12).contains(month))?;
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let month_end = days(next_year, next_month, 1);
    if rest.is_empty() && time.is_none() {
        return Some((days(year, month, 1), month_end));
    }
    take(rest, '-')?;
    let day = digits(rest, 2).filter(|day| *day > 0 && rest.is_empty())?;
    let start = days(year, month, day);
    if start >= month_end {
        return None;
    }
    match time {
        None => Some((start, start + DAY)),
        Some(time) => time_of_day(time).map(|(from, to)| (start + from, start + to)),
    }
}

/// Nanoseconds from midnight UTC.
fn time_of_day(text: &str) -> Option<(i128, i128)> {
    let rest = &mut &*text;
    let hour = digits(rest, 2).filter(|hour| *hour < 24)?;
    take(rest, ':')?;
    let minute = digits(rest, 2).filter(|minute| *minute < 60)?;
    let mut start = (hour * 60 + minute) * 60 * SECOND;
    let mut length = 60 * SECOND;
    if take(rest, ':').is_some() {
        // 60 is a leap second.
        start += digits(rest, 2).filter(|second| *second <= 60)? * SECOND;
        length = SECOND;
        if take(rest, '.').is_some() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let places = end.min(9);
            let fraction = digits(rest, places).filter(|_| places > 0)?;
            *rest = &rest[end - places..];
            length = SECOND / 10_i128.pow(u32::try_from(places).ok()?);
            start += fraction * length;
        }
    }
    let offset = offset(rest)?;
    Some((start - offset, start - offset + length))
}

fn offset(zone: &str) -> Option<i128> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let (sign, mut rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix(['+', ' '])?),
    };
    let hours = digits(&mut rest, 2).filter(|hours| *hours <= 14)?;
    take(&mut rest, ':')?;
    let minutes = digits(&mut rest, 2).filter(|minutes| *minutes < 60 && rest.is_empty())?;
    Some(sign * (hours * 60 + minutes) * 60 * SECOND)
}

/// Nanoseconds from 1970 to a day of the Gregorian calendar: years begin in March, so that leap days end them.
fn days(year: i128, month: i128, day: i128) -> i128 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + in_year;
    (days - 719_468) * DAY
}

fn digits(rest: &mut &str, count: usize) -> Option<i128> {
    let (digits, after) = rest.split_at_checked(count)?;
    *rest = after;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn take(rest: &mut &str, c: char) -> Option<()> {
    *rest = rest.strip_prefix(c)?;
    Some(())
}

fn clamped(nanoseconds: i128) -> Timestamp {
    let nearest = if nanoseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_nanosecond(nanoseconds).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_covers_what_it_leaves_open() {
        let cases = [
            ("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2024-12", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("1969-12-31", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2024-05-01T10:30", "2024-05-01T10:30:00Z", "2024-05-01T10:31:00Z"),
            ("2024-05-01T10:30:15+02:00", "2024-05-01T08:30:15Z", "2024-05-01T08:30:16Z"),
            ("2024-05-01T10:30:15 02:00", "2024-05-01T08:30:15Z", "2024-05-01T08:30:16Z"),
            ("2024-05-01T10:30:15.25-00:30", "2024-05-01T11:00:15.25Z", "2024-05-01T11:00:15.26Z"),
            (
                "2024-05-01T10:30:15.1234567890Z",
                "2024-05-01T10:30:15.123456789Z",
                "2024-05-01T10:30:15.12345679Z",
            ),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:01Z"),
        ];
        for (text, start, end) in cases {
            assert_eq!(range(text), Some((start.parse().unwrap(), end.parse().unwrap())), "{text}");
        }
        assert_eq!(range("9999-12-31"), Some((Timestamp::MAX, Timestamp::MAX)));
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "24",
            "0000",
            "2024-",
            "2024-13",
            "2024-00",
            "2024-1",
            "2023-02-29",
            "2024-04-31",
            "2024-01-00",
            "2024-01-01Z",
            "2024-01-01T",
            "2024-01-01T10",
            "2024T10:00",
            "2024-01T10:00",
            "2024-01-01T24:00",
            "2024-01-01T10:60",
            "2024-01-01T10:00:61",
            "2024-01-01T10:00:00.",
            "2024-01-01T10:00:00+2",
            "é024",
            "2024-01-01T10:00:00+15:00",
            "2024-01-01T10:00:00z",
            "+2024",
            "2024-01-01T10:00:00.1é",
            " 2024",
        ] {
            assert_eq!(range(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn seconds_agree_with_the_calendar(second in -60_000_000_000_i64..200_000_000_000) {
            let time = Timestamp::from_second(second).unwrap();
            prop_assert_eq!(range(&time.to_string()).map(|(start, _)| start), Some(time));
        }

        #[test]
        fn no_text_panics(text in "[0-9T:.+Z é-]{0,30}") {
            let _ = range(&text);
        }
    }
}
