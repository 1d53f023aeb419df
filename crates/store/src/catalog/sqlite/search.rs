//! Searches, on a connection.

#[cfg(test)]
mod tests;

use charta_model::{Document, Query, ResourceType};
use rusqlite::{
    Connection, OptionalExtension, ToSql, params, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::read;
use crate::{
    Error, Stored,
    catalog::{
        entry::Shape,
        record,
        search::{self, Dialect, Lookup, Search, Sql, Value},
    },
    stored::SearchPage,
};

/// A page of a search; the caller sees to it that all statements see the same state.
pub(super) fn page(connection: &Connection, tenant: i64, query: &Query) -> Result<SearchPage, Error> {
    let Some(search) = Search::of(connection, tenant, query)? else { return Ok(SearchPage::default()) };
    let found = rows(connection, &search, search::wanted(query), query.offset)?;
    let total = match search::total(query, found.len()) {
        Some(total) => total,
        None => count(connection, tenant, query, &search)?,
    };
    Ok(search::page_of(query, found, total))
}

/// The keys of all matches.
pub(super) fn keys(connection: &Connection, tenant: i64, query: &Query) -> Result<Vec<i64>, Error> {
    let Some(search) = Search::of(connection, tenant, query)? else { return Ok(Vec::new()) };
    let sql = search.keys();
    let mut statement = connection.prepare_cached(&sql.text)?;
    let found = statement.query_map(params_from_iter(sql.values), |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The first two matches: whether there is none, one or several is all that a condition asks.
pub(super) fn first_two(connection: &Connection, tenant: i64, query: &Query) -> Result<Vec<Document>, Error> {
    let Some(search) = Search::of(connection, tenant, query)? else { return Ok(Vec::new()) };
    Ok(rows(connection, &search, 2, 0)?.into_iter().map(|stored| stored.document).collect())
}

fn count(connection: &Connection, tenant: i64, query: &Query, search: &Search<'_>) -> Result<u64, Error> {
    let Some(sql) = search.count() else {
        let shelves = read::shelves(connection, tenant, Some(&query.scopes))?;
        return Ok(shelves.iter().map(|shelf| shelf.documents).sum());
    };
    let mut statement = connection.prepare_cached(&sql.text)?;
    Ok(statement.query_row(params_from_iter(sql.values), |row| row.get(0))?)
}

fn rows(
    connection: &Connection,
    search: &Search<'_>,
    limit: usize,
    offset: u64,
) -> Result<Vec<Stored>, Error> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let sql = search.page(limit, offset)?;
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(sql.values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(record::stored(row, false)?);
    }
    Ok(found)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) | Self::Time(number) | Self::Key(number) => ValueRef::Integer(*number),
            Self::Number(number) => ValueRef::Real(*number),
            Self::Text(text) | Self::Word(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Lookup for Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn kind(&self, kind: &ResourceType) -> Result<Option<i64>, Error> {
        read::kind_key(self, kind)
    }

    fn parameters(
        &self,
        tenant: i64,
        kind: i64,
        name: &str,
        found: &mut dyn FnMut(i64, Shape, &str),
    ) -> Result<(), Error> {
        let sql = "SELECT key, shape, dialect FROM parameter WHERE tenant = ? AND kind = ? AND name = ?";
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(params![tenant, kind, name])?;
        while let Some(row) = rows.next()? {
            if let Some(shape) = Shape::of_number(row.get(1)?) {
                found(row.get(0)?, shape, row.get_ref(2)?.as_str().unwrap_or_default());
            }
        }
        Ok(())
    }

    fn system(&self, name: &str) -> Result<Option<i64>, Error> {
        let mut statement = self.prepare_cached("SELECT key FROM system WHERE name = ?")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    fn units(&self, system: Option<&str>, code: Option<&str>) -> Result<Vec<i64>, Error> {
        let sql = "SELECT key FROM unit WHERE (?1 IS NULL OR system = ?1) AND (?2 IS NULL OR code = ?2)";
        let mut statement = self.prepare_cached(sql)?;
        let found = statement.query_map([system, code], |row| row.get(0))?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn rows(&self, query: &Sql, enough: u64) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM ({}) LIMIT {enough})", query.text);
        let mut statement = self.prepare_cached(&sql)?;
        Ok(statement.query_row(params_from_iter(&query.values), |row| row.get(0))?)
    }
}
