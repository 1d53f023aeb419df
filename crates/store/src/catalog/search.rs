//! A [`Query`] as SQL, for every catalog that has the tables.
//!
//! Every condition can be asked of one document: its columns, or whether it has an entry. Most can also be
//! turned around, into a set of documents that an index gives; `plan` picks one of these to begin with, and
//! asks the others of what it gives. Where the databases' SQL differs stands in `sql`.

pub(super) mod column;
mod compare;
mod condition;
mod plan;
mod sql;

use std::sync::Arc;

use charta_model::{Order, Query, SortKey};

pub(super) use self::{
    condition::Lookup,
    sql::{Dialect, INDEXED_BYTES, Sql, Value, beginning},
};
use self::{
    condition::{Among, Builder},
    plan::Plan,
};
use super::{
    entry::Shape,
    record::{BESIDE, COLUMNS},
};
use crate::{Error, Stored, stored::SearchPage};

/// A search whose names are known.
pub(super) struct Search<'q> {
    lookup: &'q dyn Lookup,
    tenant: i64,
    query: &'q Query,
    among: Among,
    plan: Plan,
}

impl<'q> Search<'q> {
    /// `None` if nothing can match.
    pub(super) fn of(lookup: &'q dyn Lookup, tenant: i64, query: &'q Query) -> Result<Option<Self>, Error> {
        let mut builder = Builder::new(lookup, tenant);
        let among = builder.among(&query.scopes)?;
        if among.is_empty() {
            return Ok(None);
        }
        let plan = builder.plan(&among, &query.filters)?;
        Ok(Some(Self { lookup, tenant, query, among, plan }))
    }

    /// Gives the keys of all matches.
    pub(super) fn keys(&self) -> Sql {
        let mut sql = Sql::new("SELECT d.key FROM document d WHERE ");
        sql.append(self.plan.page(None).1);
        sql
    }

    /// Counts the matches; `None` if there is no filter, so that the tally knows.
    pub(super) fn count(&self) -> Option<Sql> {
        (!self.query.filters.is_empty()).then(|| self.plan.count())
    }

    /// The page is found without its rows; only those of the page are then joined.
    pub(super) fn page(&self, limit: usize, offset: u64) -> Result<Sql, Error> {
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

/// So many matches are to be looked for: one more than the limit tells whether there are more.
pub(super) fn wanted(query: &Query) -> usize {
    query.limit.saturating_add(usize::from(query.uncounted))
}

/// How many matches there are, if these say it.
pub(super) fn total(query: &Query, found: usize) -> Option<u64> {
    let ends = found < query.limit && (found > 0 || query.offset == 0); // the page ends before it is full
    (query.uncounted || ends).then(|| query.offset + found as u64)
}

/// The page of these matches.
pub(super) fn page_of(query: &Query, found: Vec<Stored>, total: u64) -> SearchPage {
    SearchPage { matches: found.into_iter().take(query.limit).map(Arc::new).collect(), total }
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
                    let builder = Builder::new(search.lookup, search.tenant);
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
