//! Searches, on a connection.
//!
//! The planner does not wait. What it has to ask is collected, answered, and it is run again with the answers: mostly
//! once, as names are remembered.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use charta_model::{Document, Query, ResourceType};
use deadpool_postgres::ClientWrapper as Client;
use tokio_postgres::Row;

use super::{
    failure::Failure,
    names::Names,
    read,
    value::{Statement, word},
};
use crate::{
    Error, Stored,
    catalog::{
        entry::Shape,
        record,
        search::{self, Dialect, Lookup, Search, Sql},
    },
    stored::SearchPage,
};

/// Where a search is done.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) client: &'p Client,
    pub(super) names: &'p Names,
    pub(super) tenant: i64,
}

/// A page of a search; the caller sees to it that all statements see the same state.
pub(super) async fn page(place: Place<'_>, query: &Query) -> Result<SearchPage, Failure> {
    let wanted = search::wanted(query);
    let make = |lookup: &dyn Lookup| {
        let Some(search) = Search::of(lookup, place.tenant, query)? else { return Ok(None) };
        Ok(Some((search.page(wanted, query.offset)?, search.count())))
    };
    let Some((page, count)) = planned(place, &make).await? else { return Ok(SearchPage::default()) };
    let found = if wanted == 0 { Vec::new() } else { stored(place.client, &page).await? };
    let total = match (search::total(query, found.len()), count) {
        (Some(total), _) => total,
        (None, Some(count)) => number(place.client, &count).await?,
        (None, None) => {
            let shelves = read::shelves(place.client, place.tenant, Some(&query.scopes)).await?;
            shelves.iter().map(|shelf| shelf.documents).sum()
        }
    };
    Ok(search::page_of(query, found, total))
}

/// The keys of all matches.
pub(super) async fn keys(place: Place<'_>, query: &Query) -> Result<Vec<i64>, Failure> {
    let make = |lookup: &dyn Lookup| Ok(Search::of(lookup, place.tenant, query)?.map(|search| search.keys()));
    let Some(sql) = planned(place, &make).await? else { return Ok(Vec::new()) };
    Ok(rows(place.client, &sql).await?.iter().map(|row| row.get(0)).collect())
}

/// The first two matches: whether there is none, one or several is all that a condition asks.
pub(super) async fn first_two(place: Place<'_>, query: &Query) -> Result<Vec<Document>, Failure> {
    let make = |lookup: &dyn Lookup| {
        Search::of(lookup, place.tenant, query)?.map(|search| search.page(2, 0)).transpose()
    };
    let Some(sql) = planned(place, &make).await? else { return Ok(Vec::new()) };
    Ok(stored(place.client, &sql).await?.into_iter().map(|stored| stored.document).collect())
}

async fn rows(client: &Client, sql: &Sql) -> Result<Vec<Row>, Failure> {
    let statement = Statement::of(sql);
    // Of one round trip, and planned for these values: there is no end to what searches look like.
    Ok(client.query_typed(&statement.text, &statement.values()).await?)
}

async fn stored(client: &Client, sql: &Sql) -> Result<Vec<Stored>, Failure> {
    let rows = rows(client, sql).await?;
    Ok(rows.iter().map(|row| record::stored(row, false)).collect::<Result<_, _>>()?)
}

async fn number(client: &Client, sql: &Sql) -> Result<u64, Failure> {
    let rows = rows(client, sql).await?;
    let number: i64 = rows.first().map_or(0, |row| row.get(0));
    Ok(number.max(0).unsigned_abs())
}

/// Makes statements of what a catalog answers.
type Make<'m, T> = dyn Fn(&dyn Lookup) -> Result<Option<T>, Error> + Sync + 'm;

/// What `make` makes when all its questions are answered.
async fn planned<T>(place: Place<'_>, make: &Make<'_, T>) -> Result<Option<T>, Failure> {
    place.names.load_parameters(place.client, place.tenant).await?;
    let mut answers = Answers::default();
    loop {
        let open = {
            let planner = Planner { names: place.names, answers: &answers, open: RefCell::default() };
            let made = make(&planner)?;
            let open = planner.open.into_inner();
            if open.is_empty() {
                return Ok(made);
            }
            open
        };
        answers.find(place, open).await?;
    }
}

/// What was found out for one search.
#[derive(Default)]
struct Answers {
    kinds: bool,
    systems: HashSet<String>,
    units: HashMap<Unit, Vec<i64>>,
    /// By statement.
    rows: HashMap<String, u64>,
}

/// System and code, as far as they are given.
type Unit = (Option<String>, Option<String>);

/// What is still to be found out.
#[derive(Default)]
struct Open {
    kinds: bool,
    systems: Vec<String>,
    units: Vec<Unit>,
    rows: Option<(String, Sql)>,
}

impl Open {
    fn is_empty(&self) -> bool {
        !self.names() && self.rows.is_none()
    }

    fn names(&self) -> bool {
        self.kinds || !self.systems.is_empty() || !self.units.is_empty()
    }
}

impl Answers {
    async fn find(&mut self, Place { client, names, .. }: Place<'_>, open: Open) -> Result<(), Failure> {
        if open.kinds {
            names.load_kinds(client).await?;
            self.kinds = true;
        }
        if !open.systems.is_empty() {
            names.load_systems(client, &open.systems).await?;
            self.systems.extend(open.systems);
        }
        for (system, code) in open.units {
            let found = units(client, system.as_deref(), code.as_deref()).await?;
            self.units.insert((system, code), found);
        }
        if let Some((key, sql)) = open.rows {
            let found = number(client, &sql).await?;
            self.rows.insert(key, found);
        }
        Ok(())
    }
}

async fn units(client: &Client, system: Option<&str>, code: Option<&str>) -> Result<Vec<i64>, Failure> {
    let sql =
        "SELECT key FROM unit WHERE ($1::text IS NULL OR system = $1) AND ($2::text IS NULL OR code = $2)";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&system.map(word), &code.map(word)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Answers from what is known, and notes what is not. An answer that is not known yet does not matter.
struct Planner<'p> {
    names: &'p Names,
    answers: &'p Answers,
    open: RefCell<Open>,
}

impl Lookup for Planner<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn kind(&self, kind: &ResourceType) -> Result<Option<i64>, Error> {
        let known = self.names.kind(kind);
        if known.is_none() && !self.answers.kinds {
            self.open.borrow_mut().kinds = true;
        }
        Ok(known)
    }

    fn parameters(
        &self,
        tenant: i64,
        kind: i64,
        name: &str,
        found: &mut dyn FnMut(i64, Shape, &str),
    ) -> Result<(), Error> {
        self.names.parameters(tenant, kind, name, found);
        Ok(())
    }

    fn system(&self, name: &str) -> Result<Option<i64>, Error> {
        let known = self.names.system(name);
        if known.is_none() && !self.answers.systems.contains(name) {
            self.open.borrow_mut().systems.push(name.to_owned());
        }
        Ok(known)
    }

    fn units(&self, system: Option<&str>, code: Option<&str>) -> Result<Vec<i64>, Error> {
        let unit = (system.map(str::to_owned), code.map(str::to_owned));
        let known = self.answers.units.get(&unit).cloned();
        if known.is_none() {
            self.open.borrow_mut().units.push(unit);
        }
        Ok(known.unwrap_or_default())
    }

    fn rows(&self, query: &Sql, enough: u64) -> Result<u64, Error> {
        let key = format!("{enough} {query:?}");
        if let Some(known) = self.answers.rows.get(&key) {
            return Ok(*known);
        }
        let mut open = self.open.borrow_mut();
        if !open.names() && open.rows.is_none() {
            let text = format!("SELECT count(*) FROM (SELECT 1 FROM ({}) q LIMIT {enough}) r", query.text);
            open.rows = Some((key, Sql { text, values: query.values.clone() }));
        }
        Ok(0)
    }
}
