//! A [`Query`] as SQL.
//!
//! Every condition can be asked of one document: its columns, or whether it has an entry. Most can also be
//! turned around, into a set of documents that an index gives; `plan` picks one of these to begin with, and
//! asks the others of what it gives.

pub(super) mod column;
mod compare;
mod condition;
mod plan;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use charta_model::{Document, Order, Query, SortKey};
use rusqlite::{Connection, params_from_iter, types::Value};

use self::{
    condition::{Among, Builder},
    plan::Plan,
    sql::Sql,
};
use super::{
    entry::Shape,
    read,
    record::{self, BESIDE, COLUMNS},
};
use crate::{Error, Stored, stored::SearchPage};

/// A page of a search; the caller sees to it that all statements see the same state.
pub(super) fn page(connection: &Connection, tenant: i64, query: &Query) -> Result<SearchPage, Error> {
    let Some(search) = Search::of(connection, tenant, query)? else { return Ok(SearchPage::default()) };
    let wanted = query.limit.saturating_add(usize::from(query.uncounted)); // one more tells whether there are more
    let mut matches: Vec<Arc<Stored>> =
        search.rows(wanted, query.offset)?.into_iter().map(Arc::new).collect();
    let found = matches.len();
    let total = if query.uncounted || found < query.limit && (found > 0 || query.offset == 0) {
        query.offset + found as u64 // the page ends before it is full
    } else {
        search.count()?
    };
    matches.truncate(query.limit);
    Ok(SearchPage { matches, total })
}

/// The keys of all matches.
pub(super) fn keys(connection: &Connection, tenant: i64, query: &Query) -> Result<Vec<i64>, Error> {
    let Some(search) = Search::of(connection, tenant, query)? else { return Ok(Vec::new()) };
    let mut sql = Sql::new("SELECT d.key FROM document d WHERE ");
    sql.append(search.plan.page(None).1);
    let mut statement = connection.prepare_cached(&sql.text)?;
    let found = statement.query_map(params_from_iter(sql.values), |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The first two matches: whether there is none, one or several is all that a condition asks.
pub(super) fn first_two(connection: &Connection, tenant: i64, query: &Query) -> Result<Vec<Document>, Error> {
    let Some(search) = Search::of(connection, tenant, query)? else { return Ok(Vec::new()) };
    Ok(search.rows(2, 0)?.into_iter().map(|stored| stored.document).collect())
}

/// A search whose names are known.
struct Search<'q> {
    connection: &'q Connection,
    tenant: i64,
    query: &'q Query,
    among: Among,
    plan: Plan,
}

impl<'q> Search<'q> {
    /// `None` if nothing can match.
    fn of(connection: &'q Connection, tenant: i64, query: &'q Query) -> Result<Option<Self>, Error> {
        let mut builder = Builder::new(connection, tenant);
        let among = builder.among(&query.scopes)?;
        if among.is_empty() {
            return Ok(None);
        }
        let plan = builder.plan(&among, &query.filters)?;
        Ok(Some(Self { connection, tenant, query, among, plan }))
    }

    fn count(&self) -> Result<u64, Error> {
        if self.query.filters.is_empty() {
            let shelves = read::shelves(self.connection, self.tenant, Some(&self.query.scopes))?;
            return Ok(shelves.iter().map(|shelf| shelf.documents).sum());
        }
        let sql = self.plan.count();
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        Ok(statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?)
    }

    fn rows(&self, limit: usize, offset: u64) -> Result<Vec<Stored>, Error> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let sql = self.page(limit, offset)?;
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(sql.values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(record::stored(row, false)?);
        }
        Ok(found)
    }

    /// The page is found without its rows; only those of the page are then joined.
    fn page(&self, limit: usize, offset: u64) -> Result<Sql, Error> {
        let sorting = Sorting::of(self)?;
        let order = &sorting.order;
        let (from, condition) = self.plan.page(sorting.walks());
        let mut sql = Sql::new(&format!("SELECT {COLUMNS} FROM (SELECT d.key, d.kind, d.id, d.current, "));
        sql.push("d.updated_ms, d.size_bytes, d.content_type");
        sql.append(&sorting.columns);
        sql.push(&format!(" FROM {from} WHERE "));
        sql.append(condition);
        sql.push(&format!(" ORDER BY {order} LIMIT ? OFFSET ?) d JOIN version v ON v.sequence = d.current "));
        sql.push(&format!("{BESIDE} ORDER BY {order}"));
        sql.values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        sql.values.push(i64::try_from(offset).unwrap_or(i64::MAX).into());
        Ok(sql)
    }
}

/// How the matches are sorted.
struct Sorting {
    /// Columns beside those of the document: values of parameters.
    columns: Sql,
    order: String,
    by: Option<SortKey>,
}

impl Sorting {
    fn of(search: &Search<'_>) -> Result<Self, Error> {
        let only_binaries = search.query.scopes.iter().all(|scope| scope.kind.is_binary());
        let mut sorting = Self { columns: Sql::default(), order: String::new(), by: None };
        for (number, Order { key, descending }) in search.query.order.iter().enumerate() {
            let (column, nullable) = match key {
                SortKey::Id => ("d.id".to_owned(), false),
                SortKey::Updated => ("d.updated_ms".to_owned(), false),
                SortKey::Size => ("d.size_bytes".to_owned(), !only_binaries),
                SortKey::ContentType => ("d.content_type".to_owned(), !only_binaries),
                SortKey::Parameter(name) => {
                    let builder = Builder::new(search.connection, search.tenant);
                    let parameters = builder.parameters(&search.among, name, |_| true)?;
                    sorting.columns.push(", ");
                    sorting.columns.append(&extreme(&parameters, *descending));
                    sorting.columns.push(&format!(" AS sort{number}"));
                    (format!("sort{number}"), true)
                }
            };
            let direction = if *descending { " DESC" } else { "" };
            let last = if nullable { " NULLS LAST" } else { "" };
            sorting.order.push_str(&format!("{column}{direction}{last}, "));
        }
        sorting.order.push_str(&search.among.by_name("d.kind"));
        sorting.order.push_str("d.id");
        sorting.by = search.query.order.first().map(|order| order.key.clone());
        Ok(sorting)
    }

    /// The index that gives this order, or at least its first key.
    fn walks(&self) -> Option<&'static str> {
        match self.by {
            None | Some(SortKey::Id) => Some("document_id"),
            Some(SortKey::Updated) => Some("document_updated"),
            _ => None,
        }
    }
}

/// The least value of these parameters, or the greatest: of what lies between two values, its end.
fn extreme(parameters: &[(i64, Shape)], descending: bool) -> Sql {
    let ranges = |shape: &Shape| matches!(shape, Shape::Day | Shape::Year | Shape::Ever | Shape::Quantity);
    let wanted = match (descending, parameters.iter().any(|(_, shape)| ranges(shape))) {
        (false, _) => "min(e.value)",
        (true, false) => "max(e.value)",
        (true, true) => "max(e.second)",
    };
    let mut sql = Sql::new(&format!("(SELECT {wanted} FROM entry e WHERE e.document = d.key AND "));
    sql.one_of("e.parameter", parameters.iter().map(|(key, _)| Value::from(*key)));
    sql.push(")");
    sql
}
