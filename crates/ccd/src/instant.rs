//! Times in HL7 form, as precise as they are known and in the zone they were given in.
//!
//! Clause: C-CDA 2.1 DataTypesTS

use charta_model::facts::{Moment, Onset, Period};

use crate::xml::Xml;

/// `YYYYMMDDHHMMSS.ffff+ZZZZ`, as far as it is known.
pub(crate) fn hl7(moment: &Moment) -> String {
    let mut text = String::with_capacity("YYYYMMDDHHMMSS.ffff+ZZZZ".len());
    let digits = |part: &str, text: &mut String| text.extend(part.split(['-', ':']));
    digits(moment.date(), &mut text);
    let Some(time) = moment.time() else { return text };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    digits(clock, &mut text);
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction.get(..4).unwrap_or(fraction));
    }
    if let Some(minutes) = moment.offset_minutes() {
        text.push(if minutes < 0 { '-' } else { '+' });
        two_digits(minutes.abs() / 60, &mut text);
        two_digits(minutes.abs() % 60, &mut text);
    }
    text
}

/// A number below a hundred, with its zero.
fn two_digits(number: i32, text: &mut String) {
    let digit = |n: i32| char::from_digit((n % 10).unsigned_abs(), 10).unwrap_or('0');
    text.extend([digit(number / 10), digit(number)]);
}

/// For readers: `2020-05-01 12:30 +02:00`.
pub(crate) fn human(moment: &Moment) -> String {
    let Some(time) = moment.time() else { return moment.date().to_owned() };
    let clock = time.get(..5).unwrap_or(time);
    let zone = match moment.offset_minutes() {
        Some(0) => " UTC".to_owned(),
        Some(minutes) => {
            let mut zone = if minutes < 0 { " -" } else { " +" }.to_owned();
            two_digits(minutes.abs() / 60, &mut zone);
            zone.push(':');
            two_digits(minutes.abs() % 60, &mut zone);
            zone
        }
        None => String::new(),
    };
    format!("{} {clock}{zone}", moment.date())
}

/// For readers: a point, from, until, or both.
pub(crate) fn human_period(period: &Period) -> String {
    match (&period.start, &period.end) {
        (Some(start), Some(end)) if start == end => human(start),
        (Some(start), Some(end)) => format!("{} to {}", human(start), human(end)),
        (Some(start), None) => format!("{} to unknown or ongoing", human(start)),
        (None, Some(end)) => format!("until {}", human(end)),
        (None, None) => String::new(),
    }
}

/// For readers, as far as it is known.
pub(crate) fn human_onset(onset: &Onset) -> String {
    match onset {
        Onset::At(moment) => human(moment),
        Onset::During(period) => human_period(period),
        Onset::Age(age) => format!("at age {}", crate::quantity::human(age)),
        Onset::Text(text) => text.clone(),
        Onset::Unknown => "time unknown".to_owned(),
    }
}

/// A point in time, or that it is not known.
pub(crate) fn point(x: &mut Xml, name: &str, moment: Option<&Moment>) {
    match moment {
        Some(moment) => x.empty(name, &[("value", &hl7(moment))]),
        None => x.empty(name, &[("nullFlavor", "UNK")]),
    }
}

/// How an interval ends of which no end is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// It goes on, or nobody says.
    Silent,
    /// It has ended, nobody knows when.
    Unknown,
    /// It has no end.
    Never,
}

/// From and until. The start always stands there, known or not.
pub(crate) fn interval(
    x: &mut Xml,
    name: &str,
    kind: &str,
    low: Option<&Moment>,
    high: Option<&Moment>,
    open: Open,
) {
    x.element(name, &[("xsi:type", kind)], |x| bounds(x, low, high, open));
}

fn bounds(x: &mut Xml, low: Option<&Moment>, high: Option<&Moment>, open: Open) {
    point(x, "low", low);
    // An end before the start is no end that anybody could use; the narrative shows both.
    let is_reversed = low.zip(high).is_some_and(|(low, high)| is_after(low, high));
    match (high.filter(|_| !is_reversed), open) {
        (Some(high), _) => x.empty("high", &[("value", &hl7(high))]),
        (None, Open::Unknown) => x.empty("high", &[("nullFlavor", "UNK")]),
        (None, Open::Never) => x.empty("high", &[("nullFlavor", "NA")]),
        (None, Open::Silent) if is_reversed => x.empty("high", &[("nullFlavor", "UNK")]),
        (None, Open::Silent) => {}
    }
}

/// A point where start and end are the same, else an interval.
pub(crate) fn period(x: &mut Xml, name: &str, period: &Period) {
    match (&period.start, &period.end) {
        (Some(start), Some(end)) if start == end => point(x, name, Some(start)),
        (None, None) => point(x, name, None),
        (low, high) => interval(x, name, "", low.as_ref(), high.as_ref(), Open::Silent),
    }
}

/// From and until, both always there.
pub(crate) fn closed(x: &mut Xml, name: &str, period: &Period) {
    interval(x, name, "", period.start.as_ref(), period.end.as_ref(), Open::Unknown);
}

/// Whether all of `one` is after all of `other`, in whatever zone, or reads as if it were.
pub(crate) fn is_after(one: &Moment, other: &Moment) -> bool {
    one.span(0).0 > other.span(0).1
}

/// What sorts the newest first, and what has no time last.
pub(crate) fn newest(moment: Option<&Moment>) -> std::cmp::Reverse<i64> {
    std::cmp::Reverse(moment.map_or(i64::MIN, |moment| moment.span(0).0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_precision_and_zone() {
        for (fhir, expected) in [
            ("2020", "2020"),
            ("2020-05", "202005"),
            ("2020-05-01", "20200501"),
            ("2020-05-01T12:30Z", "202005011230+0000"),
            ("2020-05-01T12:30:15-05:30", "20200501123015-0530"),
            ("2020-05-01T12:30:15.123456+02:00", "20200501123015.1234+0200"),
            ("2020-05-01T12:30:15", "20200501123015"),
        ] {
            assert_eq!(hl7(&Moment::new(fhir).unwrap()), expected);
        }
    }

    #[test]
    fn an_end_before_the_start_is_unknown() {
        let moment = |text: &str| Moment::new(text).unwrap();
        let mut x = Xml::default();
        interval(&mut x, "t", "", Some(&moment("2020-02-01")), Some(&moment("2020-01-01")), Open::Silent);
        assert_eq!(x.into_string(), "<t><low value=\"20200201\"/><high nullFlavor=\"UNK\"/></t>");
    }
}
