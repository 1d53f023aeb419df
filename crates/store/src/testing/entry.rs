//! Entries and links in few words.

use charta_model::{ContentLink, Entry, EntryValue, Write};

use super::{id, kind};

/// A code; empty texts are none.
#[must_use]
pub fn token(parameter: &'static str, system: &str, code: &str) -> Entry {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    entry(parameter, EntryValue::Token { system: given(system), code: given(code) })
}

/// A reference: `Type/id`.
#[must_use]
pub fn reference(parameter: &'static str, target: &str) -> Entry {
    let (of, name) = target.split_once('/').expect("tests use valid references");
    entry(parameter, EntryValue::Reference { kind: kind(of), id: id(name) })
}

/// A text.
#[must_use]
pub fn text(parameter: &'static str, exact: &str) -> Entry {
    entry(parameter, EntryValue::Text { folded: exact.to_lowercase(), exact: exact.to_owned() })
}

/// A URI.
#[must_use]
pub fn uri(parameter: &'static str, uri: &str) -> Entry {
    entry(parameter, EntryValue::Uri(uri.to_owned()))
}

/// A time, end excluded.
#[must_use]
pub fn date(parameter: &'static str, start_ms: i64, end_ms: i64) -> Entry {
    entry(parameter, EntryValue::Date { start_ms, end_ms })
}

/// A quantity; empty texts are none.
#[must_use]
pub fn quantity(parameter: &'static str, low: f64, high: f64, system: &str, code: &str) -> Entry {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    entry(parameter, EntryValue::Quantity { low, high, system: given(system), code: given(code) })
}

/// The same as a component of this value of a composite.
#[must_use]
pub fn part(part: u32, entry: Entry) -> Entry {
    Entry { part, ..entry }
}

fn entry(parameter: &'static str, value: EntryValue) -> Entry {
    Entry { parameter: parameter.into(), part: 0, value }
}

/// A link to this version of a Binary; `None` means the current one.
#[must_use]
pub fn link(binary: &str, version: Option<u64>) -> ContentLink {
    ContentLink { binary: id(binary), version, in_error: false }
}

/// The write with these entries.
#[must_use]
pub fn with(mut write: Write, entries: impl IntoIterator<Item = Entry>) -> Write {
    write.state.as_mut().expect("no deletion").index.entries.extend(entries);
    write
}

/// The write with these links.
#[must_use]
pub fn linking(mut write: Write, links: impl IntoIterator<Item = ContentLink>) -> Write {
    write.state.as_mut().expect("no deletion").index.links.extend(links);
    write
}
