//! Entries and links: what documents are found by, in rows. Made here, compared in `search`.

use std::borrow::Cow;

use charta_model::{
    Confidentiality, ContentLink, Custody, Description, Entry, EntryValue, Label, ResourceId, ResourceType,
};
use rusqlite::{CachedStatement, Connection, ToSql, params};

use super::names::{Names, Shelf};
use crate::Error;

/// What the columns of an entry mean; the numbers stand in `parameter`, the meanings in the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Token = 1,
    Reference = 2,
    Text = 3,
    Uri = 4,
    /// A date of at most a day.
    Day = 5,
    /// A longer one, of at most 400 days.
    Year = 6,
    /// A longer one.
    Ever = 7,
    Quantity = 8,
}

impl Shape {
    /// Dates by how long they are: who looks for one that ends after some time knows by it how much earlier
    /// it may have started.
    pub(super) const DATES: [Self; 3] = [Self::Day, Self::Year, Self::Ever];

    /// The shape that a row of `parameter` has.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        let [day, year, ever] = Self::DATES;
        let all = [Self::Token, Self::Reference, Self::Text, Self::Uri, day, year, ever, Self::Quantity];
        all.into_iter().find(|shape| *shape as i64 == number)
    }

    fn of_date(start_ms: i64, end_ms: i64) -> Self {
        let length_ms = end_ms.saturating_sub(start_ms);
        let fits = |shape: &Self| shape.length_ms_max().is_none_or(|max| length_ms <= max);
        Self::DATES.into_iter().find(fits).unwrap_or(Self::Ever)
    }

    /// The greatest length of a date of this shape, if there is one.
    pub(super) const fn length_ms_max(self) -> Option<i64> {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        match self {
            Self::Day => Some(DAY_MS),
            Self::Year => Some(400 * DAY_MS),
            _ => None,
        }
    }
}

/// The parameters under which labels are entries.
pub(super) const SECURITY: &str = "meta.security";
pub(super) const TAG: &str = "meta.tag";
pub(super) const PROFILE: &str = "meta.profile";

/// The parameters of the entries that a description makes by itself.
pub(super) const STANDING: [&str; 6] =
    [SECURITY, TAG, PROFILE, Custody::PATIENT, Custody::CONFIDENTIALITY, Custody::CONTEXT];

/// The entries that a description makes by itself: of its labels, and of what access is decided by.
pub(super) fn standing(description: &Description) -> Vec<Entry> {
    let labels = &description.labels;
    let token = |parameter, system: Option<&String>, code: Option<&String>| {
        let value = EntryValue::Token { system: system.cloned(), code: code.cloned() };
        Entry { parameter: Cow::Borrowed(parameter), part: 0, value }
    };
    let coded = |parameter| move |label: &Label| token(parameter, label.system.as_ref(), label.code.as_ref());
    let security = labels.security.iter().map(coded(SECURITY));
    let tags = labels.tags.iter().map(coded(TAG));
    let profiles = labels.profiles.iter().map(|url| token(PROFILE, None, Some(url)));
    let reference = |parameter, kind, id: ResourceId| Entry {
        parameter: Cow::Borrowed(parameter),
        part: 0,
        value: EntryValue::Reference { kind, id },
    };
    let custody = &description.custody;
    let patients =
        custody.patients.iter().map(|id| reference(Custody::PATIENT, ResourceType::PATIENT, id.clone()));
    let level = Some(description.confidentiality()).filter(|level| *level > Confidentiality::Normal);
    let level = level.map(|level| token(Custody::CONFIDENTIALITY, None, Some(&level.code().to_owned())));
    let context = description.content.as_ref().and_then(|content| content.security_context.as_ref());
    let context = context.and_then(|context| context.local());
    let context = context.map(|(kind, id)| reference(Custody::CONTEXT, kind, id));
    let mut entries: Vec<Entry> = Vec::new();
    for entry in security.chain(tags).chain(profiles).chain(patients).chain(level).chain(context) {
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// Whose entries they are.
#[derive(Clone, Copy)]
pub(super) struct Of {
    pub(super) document: i64,
    /// Of its current version.
    pub(super) sequence: i64,
}

/// Adds entries of a document, numbered from `first`.
pub(super) fn add(
    connection: &Connection,
    names: &mut Names,
    shelf: &Shelf<'_>,
    of: Of,
    entries: impl IntoIterator<Item = impl std::borrow::Borrow<Entry>>,
    first: usize,
) -> Result<(), Error> {
    let sql = "INSERT INTO entry (document, parameter, number, part, value, second, third, sequence) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let mut row = Row { insert: connection.prepare_cached(sql)?, of, number: first, part: 0 };
    for entry in entries {
        let entry = entry.borrow();
        row.number += 1;
        row.part = entry.part;
        let parameter =
            |names: &mut Names, shape| names.parameter(connection, shelf, shape, &entry.parameter);
        match &entry.value {
            EntryValue::Token { system, code } => {
                let parameter = parameter(names, Shape::Token)?;
                let system = names.system(connection, system.as_deref())?;
                let code = code.as_deref().unwrap_or_default();
                let folded = fold(code);
                let exact = (folded != code).then_some(code);
                row.insert(parameter, &folded, &system, &exact)?;
            }
            EntryValue::Reference { kind, id } => {
                let parameter = parameter(names, Shape::Reference)?;
                row.insert(parameter, &id.as_str(), &names.kind(connection, kind)?, &None::<i64>)?;
            }
            EntryValue::Text { folded, exact } => {
                let exact = (folded != exact).then_some(exact);
                row.insert(parameter(names, Shape::Text)?, folded, &exact, &None::<i64>)?;
            }
            EntryValue::Uri(uri) => {
                row.insert(parameter(names, Shape::Uri)?, uri, &None::<i64>, &None::<i64>)?;
            }
            EntryValue::Date { start_ms, end_ms } => {
                let parameter = parameter(names, Shape::of_date(*start_ms, *end_ms))?;
                row.insert(parameter, start_ms, end_ms, &None::<i64>)?;
            }
            // What is no number is equal to none, and SQLite has no place for it.
            EntryValue::Quantity { low, high, .. } if low.is_nan() || high.is_nan() => {}
            EntryValue::Quantity { low, high, system, code } => {
                let parameter = parameter(names, Shape::Quantity)?;
                let unit = names.unit(connection, system.as_deref(), code.as_deref())?;
                row.insert(parameter, low, high, &unit)?;
            }
        }
    }
    Ok(())
}

/// A code as it is compared where letter case does not count.
pub(super) fn fold(code: &str) -> Cow<'_, str> {
    if code.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        Cow::Borrowed(code)
    } else {
        Cow::Owned(code.to_lowercase())
    }
}

/// A row that is about to be inserted.
struct Row<'c> {
    insert: CachedStatement<'c>,
    of: Of,
    number: usize,
    part: u32,
}

impl Row<'_> {
    fn insert(
        &mut self,
        parameter: i64,
        value: &dyn ToSql,
        second: &dyn ToSql,
        third: &dyn ToSql,
    ) -> Result<(), Error> {
        let Of { document, sequence } = self.of;
        let values = params![document, parameter, self.number, self.part, value, second, third, sequence];
        self.insert.execute(values)?;
        Ok(())
    }
}

/// Removes all entries of a document.
pub(super) fn remove(connection: &Connection, document: i64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM entry WHERE document = ?")?.execute([document])?;
    Ok(())
}

/// A version of a Binary in a link that names none.
pub(super) const WHICHEVER: i64 = -1;

/// Adds the links of a version.
pub(super) fn link(
    connection: &Connection,
    tenant: i64,
    document: i64,
    sequence: i64,
    links: &[ContentLink],
) -> Result<(), Error> {
    let sql = "INSERT OR IGNORE INTO link (tenant, binary, sequence, version, in_error, document) \
               VALUES (?, ?, ?, ?, ?, ?)";
    for ContentLink { binary, version, in_error } in links {
        let version = version.map_or(WHICHEVER, |version| i64::try_from(version).unwrap_or(i64::MAX));
        let values = params![tenant, binary.as_str(), sequence, version, in_error, document];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}
