//! A FHIR date or dateTime: as precise as it was given, with the zone that it was given with.

use std::fmt;

use jiff::civil;

/// A time as precise as it is known: `2020`, `2020-05`, `2020-05-01`, `2020-05-01T12:30:00.5+02:00`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Moment(String);

/// A text that is no date and no dateTime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date or dateTime")]
pub struct InvalidMoment;

impl Moment {
    /// Reads a FHIR date, dateTime or instant.
    ///
    /// # Errors
    /// If it is none, or names a day or a time that no calendar has.
    ///
    /// Clause: FHIR R4 datatypes.html#dateTime
    pub fn new(text: &str) -> Result<Self, InvalidMoment> {
        let moment = Self(text.to_owned());
        moment.span_in(0).map(|_| moment).ok_or(InvalidMoment)
    }

    /// The text, as FHIR has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Year, month and day, as far as they are given.
    #[must_use]
    pub fn date(&self) -> &str {
        self.0.split('T').next().unwrap_or_default()
    }

    /// The time of day without the zone, if one is given.
    #[must_use]
    pub fn time(&self) -> Option<&str> {
        let time = self.0.split_once('T')?.1;
        Some(&time[..zone_at(time)])
    }

    /// The zone in minutes east, if a time of day with a zone is given.
    #[must_use]
    pub fn offset_minutes(&self) -> Option<i32> {
        let time = self.0.split_once('T')?.1;
        offset(&time[zone_at(time)..])
    }

    /// The first and the last millisecond of it since 1970. What has no zone is read as `minutes_east`.
    #[must_use]
    pub fn span(&self, minutes_east: i32) -> (i64, i64) {
        self.span_in(minutes_east).unwrap_or((i64::MIN, i64::MAX)) // `new` has read it
    }

    fn span_in(&self, minutes_east: i32) -> Option<(i64, i64)> {
        let (date, time) = match self.0.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (self.0.as_str(), None),
        };
        let mut parts = date.split('-');
        let year = digits(parts.next()?, 4)?;
        let mut two = || parts.next().map(|part| digits(part, 2).and_then(|part| i8::try_from(part).ok()));
        let (month, day) = (two(), two());
        // What is there must be a number; what is not there is not known.
        let (month, day) = (
            month.map_or(Some(None), |part| part.map(Some))?,
            day.map_or(Some(None), |part| part.map(Some))?,
        );
        if parts.next().is_some() {
            return None;
        }
        let first = civil::Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
        let last = match (month, day) {
            (None, _) => first.last_of_year(),
            (_, None) => first.last_of_month(),
            _ => first,
        };
        let zone = i64::from(minutes_east) * 60_000;
        match time {
            None => Some((millis(first) - zone, millis(last) + 86_400_000 - 1 - zone)),
            Some(time) if day.is_some() => {
                let zone = match &time[zone_at(time)..] {
                    "" => zone,
                    given => i64::from(offset(given)?) * 60_000,
                };
                let (from, until) = time_of_day(&time[..zone_at(time)])?;
                Some((millis(first) + from - zone, millis(first) + until - zone))
            }
            Some(_) => None,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the zone of a time begins, or its end.
fn zone_at(time: &str) -> usize {
    time.find(['Z', '+', '-']).unwrap_or(time.len())
}

fn offset(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// The first and the last millisecond of the day that `HH:MM[:SS[.fff]]` names.
fn time_of_day(time: &str) -> Option<(i64, i64)> {
    let mut parts = time.splitn(3, ':');
    let hours = two_digits(parts.next()?)?;
    let minutes = two_digits(parts.next()?)?;
    let start = i64::from(hours * 60 + minutes) * 60_000;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let Some(seconds) = parts.next() else { return Some((start, start + 59_999)) };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    // A leap second is the last of its minute here.
    let seconds = i64::from(two_digits(seconds).filter(|seconds| *seconds <= 60)?.min(59));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let places = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    let millis = places.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
    let from = start + seconds * 1000 + millis;
    Some(if time.contains('.') { (from, from) } else { (from, from + 999) })
}

fn two_digits(text: &str) -> Option<i32> {
    digits(text, 2).map(i32::from)
}

/// A number of so many digits, four at most.
fn digits(text: &str, length: usize) -> Option<i16> {
    let is_number = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.bytes().fold(0, |number, digit| number * 10 + i16::from(digit - b'0')))
}

/// The millisecond at which a day begins in UTC: days are counted from March on, so that a leap day ends its year.
fn millis(date: civil::Date) -> i64 {
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let year = if month <= 2 { year - 1 } else { year };
    let days_of_months = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + days_of_months;
    (days - 719_468) * 86_400_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_spans_what_it_does_not_say() {
        for (text, zone, from, until) in [
            ("1970", 0, 0, 365 * 86_400_000 - 1),
            ("1970-01", 0, 0, 31 * 86_400_000 - 1),
            ("1970-01-02", 60, 86_400_000 - 3_600_000, 2 * 86_400_000 - 3_600_001),
            ("1970-01-01T00:00:01Z", 600, 1000, 1999),
            ("1970-01-01T01:00:00.5+01:00", 0, 500, 500),
            ("1970-01-01T00:00-00:30", 0, 1_800_000, 1_859_999),
        ] {
            assert_eq!(Moment::new(text).unwrap().span(zone), (from, until), "{text}");
        }
    }

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        let mut day = civil::Date::new(1, 1, 1).unwrap();
        // Every day until a leap day at the end of four centuries, then now and then.
        while let Ok(next) = day.checked_add(jiff::Span::new().days(if day.year() < 402 { 1 } else { 97 })) {
            let expected =
                day.to_datetime(civil::Time::midnight()).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
            assert_eq!(millis(day), expected.timestamp().as_millisecond(), "{day}");
            day = next;
        }
    }

    #[test]
    fn what_no_calendar_has_is_refused() {
        for text in [
            "",
            "20",
            "2020-13",
            "2020-02-30",
            "2020-1-1",
            "2020-01-01T",
            "2020-01T10:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T10:00:00+2",
            "2020-01-01T10:61:00Z",
            "2020-01-01T10:00:00.Z",
            "20200101",
            "today",
            "2020-01-01T1é:00Z",
        ] {
            assert_eq!(Moment::new(text), Err(InvalidMoment), "{text}");
        }
    }
}
