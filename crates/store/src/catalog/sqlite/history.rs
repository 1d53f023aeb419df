//! Pages of versions, newest first.
//!
//! Versions of one type and dialect are found in the order of their sequence numbers by one index. A history
//! of several merges them: of each, the newest that could be on the page.

use std::sync::Arc;

use charta_model::{HistoryQuery, HistoryScope, TenantId};
use rusqlite::{Connection, named_params, types::ToSql};

use super::{
    read::{self, Tallied},
    search,
};
use crate::{
    Error, HistoryPage, Stored,
    catalog::times::{Times, before},
};

/// A page of a history; the caller sees to it that all statements see the same state.
pub(super) fn page(
    connection: &Connection,
    tenant: &TenantId,
    query: &HistoryQuery,
) -> Result<HistoryPage, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(HistoryPage::default()) };
    let wanted = Wanted::of(query);
    let (mut total, mut sequences) = (0, Vec::new());
    for source in sources(connection, tenant, &query.scope)? {
        let (matches, oldest) = source.count(connection, tenant, &wanted)?;
        total += matches;
        if matches > 0 && query.limit > 0 {
            source.sequences(connection, tenant, &wanted, oldest, &mut sequences)?;
        }
    }
    sequences.sort_unstable_by(|a, b| b.cmp(a));
    let more = sequences.len() > query.limit || (query.limit == 0 && total > 0);
    sequences.truncate(query.limit);
    let mut entries = Vec::with_capacity(sequences.len());
    for sequence in sequences {
        entries.push((u64::try_from(sequence).unwrap_or(0), version(connection, sequence)?));
    }
    Ok(HistoryPage { entries, total, more })
}

fn version(connection: &Connection, sequence: i64) -> Result<Arc<Stored>, Error> {
    let stored = read::at_sequence(connection, sequence)?;
    let stored = stored.ok_or_else(|| Error::Corrupt(format!("version {sequence} is incomplete").into()))?;
    Ok(stored.into())
}

/// Where versions come from.
enum Source {
    Document(i64),
    Shelf(Tallied),
}

fn sources(connection: &Connection, tenant: i64, scope: &HistoryScope) -> Result<Vec<Source>, Error> {
    let scopes = match scope {
        HistoryScope::Document(kind, id) => {
            let Some(kind) = read::kind_key(connection, kind)? else { return Ok(Vec::new()) };
            let key = read::document_key(connection, tenant, kind, id)?;
            return Ok(key.map(Source::Document).into_iter().collect());
        }
        HistoryScope::Found(query) => {
            let keys = search::keys(connection, tenant, query)?;
            return Ok(keys.into_iter().map(Source::Document).collect());
        }
        HistoryScope::Types(scopes) => Some(&scopes[..]),
        HistoryScope::Tenant => None,
    };
    Ok(read::shelves(connection, tenant, scopes)?.into_iter().map(Source::Shelf).collect())
}

impl Source {
    /// Number of matches, and a sequence number before which there is none.
    fn count(&self, connection: &Connection, tenant: i64, wanted: &Wanted) -> Result<(u64, i64), Error> {
        match self {
            Self::Shelf(shelf) if !wanted.by_time => return Ok((shelf.versions, 0)),
            Self::Document(key) if !wanted.by_time => {
                let sql = "SELECT count(*) FROM version WHERE document = ?";
                let count = connection.prepare_cached(sql)?.query_row([key], |row| row.get(0))?;
                return Ok((count, 0));
            }
            _ => {}
        }
        let sql = format!(
            "SELECT count(*), coalesce(min(v.sequence), 0) FROM version v WHERE {} AND {TIMES}",
            self.condition()
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let times: [(&str, &dyn ToSql); 3] =
            [(":since", &wanted.since), (":start", &wanted.start), (":end", &wanted.end)];
        let mut values = times.to_vec();
        values.extend(self.values(&tenant));
        Ok(statement.query_row(values.as_slice(), |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// The newest matches: one more than the limit, so that the caller sees whether there are more.
    fn sequences(
        &self,
        connection: &Connection,
        tenant: i64,
        wanted: &Wanted,
        oldest: i64,
        found: &mut Vec<i64>,
    ) -> Result<(), Error> {
        // `+` keeps the time out of the choice of an index: the sequence gives order and bounds.
        let times =
            if wanted.by_time { TIMES.replace("v.updated_ms", "+v.updated_ms") } else { "1".to_owned() };
        let order = if matches!(self, Self::Document(_)) { "v.version" } else { "v.sequence" };
        let sql = format!(
            "SELECT v.sequence FROM version v \
             WHERE {} AND v.sequence >= :oldest AND v.sequence < :before AND {times} \
             ORDER BY {order} DESC LIMIT :limit",
            self.condition()
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut values: Vec<(&str, &dyn ToSql)> = self.values(&tenant);
        values.extend(
            named_params! { ":oldest": oldest, ":before": wanted.before, ":limit": wanted.limit }
                .iter()
                .copied(),
        );
        if wanted.by_time {
            values.extend(
                named_params! { ":since": wanted.since, ":start": wanted.start, ":end": wanted.end }
                    .iter()
                    .copied(),
            );
        }
        let mut rows = statement.query(values.as_slice())?;
        while let Some(row) = rows.next()? {
            found.push(row.get(0)?);
        }
        Ok(())
    }

    const fn condition(&self) -> &'static str {
        match self {
            Self::Document(_) => "v.document = :document",
            Self::Shelf(_) => "v.tenant = :tenant AND v.kind = :kind AND v.dialect = :dialect",
        }
    }

    fn values<'a>(&'a self, tenant: &'a i64) -> Vec<(&'static str, &'a dyn ToSql)> {
        match self {
            Self::Document(key) => vec![(":document", key)],
            Self::Shelf(shelf) => {
                vec![(":tenant", tenant), (":kind", &shelf.kind), (":dialect", &shelf.dialect)]
            }
        }
    }
}

/// Not before `since`; begun before `end` and not followed by another version by `start`.
const TIMES: &str = "v.updated_ms >= :since AND v.updated_ms < :end AND NOT EXISTS \
    (SELECT 1 FROM version n WHERE n.document = v.document AND n.version = v.version + 1 \
     AND n.updated_ms <= :start)";

/// Which of the versions are wanted.
struct Wanted {
    by_time: bool,
    since: i64,
    start: i64,
    end: i64,
    before: i64,
    limit: i64,
}

impl Wanted {
    fn of(query: &HistoryQuery) -> Self {
        let times = Times::of(query);
        let Times { since, start, end } =
            times.unwrap_or(Times { since: i64::MIN, start: i64::MIN, end: i64::MAX });
        Self {
            by_time: times.is_some(),
            since,
            start,
            end,
            before: before(query),
            limit: i64::try_from(query.limit).unwrap_or(i64::MAX - 1) + 1,
        }
    }
}
