//! Values as PostgreSQL gets them.

use std::borrow::Cow;

use charta_model::Digest;
use tokio_postgres::types::{ToSql, Type};

use crate::catalog::search::{INDEXED_BYTES, Sql, Value, beginning};

/// A statement with numbered values.
pub(super) struct Statement {
    pub(super) text: String,
    values: Vec<Bound>,
}

enum Bound {
    Integer(i64),
    Text(String),
}

impl Statement {
    pub(super) fn of(sql: &Sql) -> Self {
        Self { text: numbered(&sql.text), values: sql.values.iter().map(bound).collect() }
    }

    /// The values with their types: as they are given, nothing has to be asked before.
    pub(super) fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(Bound::typed).collect()
    }
}

impl Bound {
    fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Integer(number) => (number, Type::INT8),
            Self::Text(text) => (text, Type::TEXT),
        }
    }
}

/// With `$1`, `$2` … instead of each `?`.
fn numbered(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len() + text.len() / 8);
    for (number, piece) in text.split('?').enumerate() {
        if number > 0 {
            numbered.push('$');
            numbered.push_str(&number.to_string());
        }
        numbered.push_str(piece);
    }
    numbered
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::Integer(number) => Bound::Integer(*number),
        Value::Text(text) => Bound::Text(clean(text).into_owned()),
        Value::Word(text) => Bound::Text(word(text).into_owned()),
        Value::Time(ms) => Bound::Text(time(*ms)),
        Value::Number(bound) => Bound::Text(number(*bound)),
        Value::Key(key) => Bound::Text(key.to_string()),
    }
}

/// A time as a text of the same order.
pub(super) fn time(ms: i64) -> String {
    format!("{:016x}", ms.cast_unsigned() ^ (1 << 63))
}

/// A number as a text of the same order; both zeros are one.
pub(super) fn number(number: f64) -> String {
    let bits = (number + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    format!("{ordered:016x}")
}

/// The inverse of [`time`].
pub(super) fn time_of(text: &str) -> Option<i64> {
    let ordered = u64::from_str_radix(text, 16).ok()?;
    Some((ordered ^ (1 << 63)).cast_signed())
}

/// The inverse of [`number`].
pub(super) fn number_of(text: &str) -> Option<f64> {
    let ordered = u64::from_str_radix(text, 16).ok()?;
    Some(f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered }))
}

/// What an index takes: a long text is its beginning and its digest.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    let clean = clean(text);
    if clean.len() <= INDEXED_BYTES {
        return clean;
    }
    let digest = Digest::of(text.as_bytes()).hex();
    Cow::Owned(format!("{}~{digest}", beginning(&clean, INDEXED_BYTES)))
}

/// Whether [`word`] cuts a text off.
pub(super) fn is_long(text: &str) -> bool {
    clean(text).len() > INDEXED_BYTES
}

/// Stands before what stands for a character that cannot be there itself. Unicode promises that it is no character.
const ESCAPE: char = '\u{ffff}';

/// PostgreSQL takes every character but NUL, which is written in two others.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(ESCAPE, "\u{ffff}1").replace('\0', "\u{ffff}0"))
}

/// The inverse of [`clean`].
pub(super) fn unclean(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\u{ffff}0", "\0").replace("\u{ffff}1", "\u{ffff}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_numbers_have_their_order() {
        let times = [i64::MIN, -86_400_000, -1, 0, 1, 86_400_000, i64::MAX].map(time);
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        let least = f64::from_bits(1);
        let numbers = [f64::NEG_INFINITY, -1e300, -1.5, -least, 0.0, least, 1.5, 2.0, 1e300, f64::INFINITY];
        let texts = numbers.map(number);
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        assert_eq!(number(-0.0), number(0.0));
        assert!([i64::MIN, -1, 0, 1, i64::MAX].into_iter().all(|ms| time_of(&time(ms)) == Some(ms)));
        let back = [f64::NEG_INFINITY, -1.5, -least, 0.0, least, 2.0, f64::INFINITY];
        assert!(back.into_iter().all(|one| number_of(&number(one)) == Some(one)));
        assert_eq!((time_of("no time"), number_of("")), (None, None));
    }

    #[test]
    fn a_long_word_keeps_its_beginning_and_differs_from_others() {
        let long = |end: &str| format!("{}{end}", "ä".repeat(400));
        let (a, b) = (long("a"), long("b"));
        assert_ne!(word(&a), word(&b));
        assert!(word(&a).starts_with(&"ä".repeat(300)) && word(&a).len() < 700);
        assert_eq!(word("short"), "short");
        assert!(is_long(&a) && !is_long("short") && !is_long(&"x".repeat(INDEXED_BYTES)));
        let nuls = "\0".repeat(INDEXED_BYTES);
        assert!(is_long(&nuls) && word(&nuls).len() < 700, "an index takes it");
    }

    #[test]
    fn what_cannot_be_there_is_written_in_others() {
        for text in ["", "plain", "\0", "a\0b", "\u{ffff}", "\u{ffff}0", "\0\u{ffff}1\0", "\u{ffff}\u{ffff}0"]
        {
            let kept = clean(text);
            assert!(!kept.contains('\0') && unclean(&kept) == text, "{text:?} {kept:?}");
        }
        let texts = ["\0", "\u{ffff}", "\u{ffff}0", "\u{ffff}1", "\0\u{ffff}"].map(clean);
        assert!(texts.iter().enumerate().all(|(at, text)| !texts[..at].contains(text)), "{texts:?}");
    }

    #[test]
    fn each_question_mark_has_its_number() {
        assert_eq!(numbered("a = ? AND b IN (?,?)"), "a = $1 AND b IN ($2,$3)");
    }
}
