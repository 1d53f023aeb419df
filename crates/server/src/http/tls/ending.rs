//! When a certificate ends, and whom to tell: the log, at the start and then once a day, from two weeks before.

use std::time::Duration;

use charta_model::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// So long before its end.
const SOON: Duration = Duration::from_secs(14 * DAY_SECONDS as u64);
const DAY_SECONDS: i64 = 86_400;

/// When the certificate counts no more; `None` if it cannot be read. Whether anything in it is true is not asked.
///
/// Clause: RFC 5280 4.1.2.5
pub fn not_after(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
    let (SEQUENCE, mut fields, _) = element(certificate)? else { return None };
    if let (VERSION, _, rest) = element(fields)? {
        fields = rest;
    }
    for _serial_algorithm_issuer in 0..3 {
        fields = element(fields)?.2;
    }
    let (SEQUENCE, validity, _) = element(fields)? else { return None };
    let (kind, text, _) = element(element(validity)?.2)?;
    time(kind, std::str::from_utf8(text).ok()?)
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Tag, content and what follows of the DER element that `data` begins with.
fn element(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = data.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0F))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` until 2049, then with four digits of the year.
fn time(kind: u8, text: &str) -> Option<Timestamp> {
    let full = match kind {
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? >= 50 { "19" } else { "20" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let digits = full.strip_suffix('Z').filter(|digits| digits.len() == 14 && digits.is_ascii())?;
    let part = |from: usize, to: usize| &digits[from..to];
    let (date, clock) = ((part(0, 4), part(4, 6), part(6, 8)), (part(8, 10), part(10, 12), part(12, 14)));
    format!("{}-{}-{}T{}:{}:{}Z", date.0, date.1, date.2, clock.0, clock.1, clock.2).parse().ok()
}

/// What was said of a certificate, and when.
#[derive(Default)]
pub struct Warnings {
    last: Option<(Timestamp, Timestamp)>,
}

impl Warnings {
    /// The days that are left, if that is to be said now; they are negative once it has ended. Said of each
    /// certificate once a day.
    pub fn due(&mut self, not_after: Timestamp, now: Timestamp) -> Option<i64> {
        let left = not_after.as_second() - now.as_second();
        let said = |(of, when): (Timestamp, Timestamp)| {
            of == not_after && now.as_second() < when.as_second() + DAY_SECONDS
        };
        if left > SOON.as_secs() as i64 || self.last.is_some_and(said) {
            return None;
        }
        self.last = Some((not_after, now));
        Some(left.div_euclid(DAY_SECONDS))
    }

    /// Says it in the log.
    pub fn say(&mut self, not_after: Timestamp, now: Timestamp) {
        match self.due(not_after, now) {
            Some(days @ 0..) => {
                tracing::warn!(days, %not_after, "the certificate ends soon; put a new one in its place")
            }
            Some(_) => tracing::error!(%not_after, "the certificate has ended; clients refuse it"),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_end_is_read_in_either_form_of_a_time() {
        for (year, month, day) in [(2027, 2, 28), (2049, 12, 31), (2050, 1, 1), (4096, 1, 1), (1999, 7, 1)] {
            let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            wanted.not_before = rcgen::date_time_ymd(1990, 1, 1);
            wanted.not_after = rcgen::date_time_ymd(year, month, day);
            let made = wanted.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            let expected = at(&format!("{year}-{month:02}-{day:02}T00:00:00Z"));
            assert_eq!(not_after(made.der()), Some(expected));
            for length in 0..made.der().len() {
                assert_eq!(not_after(&CertificateDer::from(&made.der()[..length])), None, "cut at {length}");
            }
        }
        assert_eq!(not_after(&CertificateDer::from(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..])), None);
        for text in ["2701010000Z", "270101000000", "271301000000Z", "é70101000000", ""] {
            assert_eq!(time(UTC_TIME, text), None, "{text}");
        }
    }

    #[test]
    fn it_is_said_once_a_day_from_two_weeks_before() {
        let end = at("2027-03-15T12:00:00Z");
        let mut warnings = Warnings::default();
        for (now, said) in [
            ("2027-03-01T11:59:59Z", None),
            ("2027-03-01T12:00:00Z", Some(14)),
            ("2027-03-01T12:00:02Z", None),
            ("2027-03-02T11:59:59Z", None),
            ("2027-03-02T12:00:00Z", Some(13)),
            ("2027-03-15T11:00:00Z", Some(0)),
            ("2027-03-16T11:00:00Z", Some(-1)),
        ] {
            assert_eq!(warnings.due(end, at(now)), said, "{now}");
        }
        let next = at("2027-03-18T00:00:00Z");
        assert_eq!(
            warnings.due(next, at("2027-03-16T11:00:02Z")),
            Some(1),
            "another certificate is another matter"
        );
        assert_eq!(warnings.due(at("2028-03-18T00:00:00Z"), at("2027-03-16T11:00:04Z")), None);
    }
}
