//! Entries and links in rows.

use charta_model::{ContentLink, Entry};
use rusqlite::{
    Connection, params,
    types::{ToSqlOutput, ValueRef},
};

use super::names::{Names, Shelf};
use crate::{
    Error,
    catalog::entry::{self, Cell},
};

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
    let mut insert = connection.prepare_cached(sql)?;
    for (number, entry) in (first + 1..).zip(entries) {
        let Entry { parameter, part, value } = entry.borrow();
        let Some((shape, cells)) = entry::cells(value) else { continue };
        let parameter = names.parameter(connection, shelf, shape, parameter)?;
        let mut column = |cell| resolve(connection, names, cell).map(ToSqlOutput::Borrowed);
        let [value, second, third] = &cells;
        let (value, second, third) = (column(value)?, column(second)?, column(third)?);
        let Of { document, sequence } = of;
        insert.execute(params![document, parameter, number, part, value, second, third, sequence])?;
    }
    Ok(())
}

/// What stands in a column.
fn resolve<'e>(
    connection: &Connection,
    names: &mut Names,
    cell: &'e Cell<'_>,
) -> Result<ValueRef<'e>, Error> {
    Ok(match cell {
        Cell::Nothing => ValueRef::Null,
        Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        Cell::Time(time) => ValueRef::Integer(*time),
        Cell::Number(number) => ValueRef::Real(*number),
        Cell::System(system) => ValueRef::Integer(names.system(connection, *system)?),
        Cell::Kind(kind) => ValueRef::Integer(names.kind(connection, kind)?),
        Cell::Unit { system, code } => ValueRef::Integer(names.unit(connection, *system, *code)?),
    })
}

/// Removes all entries of a document.
pub(super) fn remove(connection: &Connection, document: i64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM entry WHERE document = ?")?.execute([document])?;
    Ok(())
}

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
    for link in links {
        let version = entry::linked_version(link);
        let values = params![tenant, link.binary.as_str(), sequence, version, link.in_error, document];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}
