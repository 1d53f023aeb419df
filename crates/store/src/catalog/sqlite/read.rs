//! Lookups, histories and what else only reads.

use bytes::Bytes;
use charta_model::{Digest, HistoryQuery, HistoryScope, ResourceId, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::{
    record::{self, BINARY, COLUMNS},
    search::ceil_ms,
};
use crate::{
    Error, HistoryPage, Stored,
    catalog::{ContentRecord, Tally},
};

/// The key of a tenant, `None` if nothing was ever written for it.
pub(super) fn tenant_key(connection: &Connection, tenant: &TenantId) -> Result<Option<i64>, Error> {
    let mut statement = connection.prepare_cached("SELECT key FROM tenant WHERE name = ?")?;
    Ok(statement.query_row([tenant.as_str()], |row| row.get(0)).optional()?)
}

pub(super) fn live_documents(connection: &Connection, tenant: i64) -> Result<u64, Error> {
    tally_of(connection, tenant, "SELECT documents FROM tally WHERE tenant = ? AND kind = ?")
}

fn versions(connection: &Connection, tenant: i64) -> Result<u64, Error> {
    tally_of(connection, tenant, "SELECT versions FROM tally WHERE tenant = ? AND kind = ?")
}

fn tally_of(connection: &Connection, tenant: i64, sql: &str) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([tenant, BINARY], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(0))
}

/// The newest version of a document, with the bytes that the catalog keeps if `bytes`.
pub(super) fn current(
    connection: &Connection,
    tenant: &TenantId,
    id: &ResourceId,
    bytes: bool,
) -> Result<Option<Stored>, Error> {
    let extra = if bytes { ", c.bytes" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS}{extra} FROM document d JOIN version v ON v.sequence = d.current \
         LEFT JOIN content c ON c.key = v.content \
         WHERE d.tenant = (SELECT key FROM tenant WHERE name = ?) AND d.kind = ? AND d.id = ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![tenant.as_str(), BINARY, id.as_str()])?;
    rows.next()?.map(|row| record::stored(row, bytes)).transpose()
}

pub(super) fn version(
    connection: &Connection,
    tenant: &TenantId,
    id: &ResourceId,
    version: u64,
) -> Result<Option<Stored>, Error> {
    let Ok(version) = i64::try_from(version) else { return Ok(None) };
    let sql = format!(
        "SELECT {COLUMNS} FROM document d JOIN version v ON v.document = d.key AND v.version = ? \
         LEFT JOIN content c ON c.key = v.content \
         WHERE d.tenant = (SELECT key FROM tenant WHERE name = ?) AND d.kind = ? AND d.id = ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![version, tenant.as_str(), BINARY, id.as_str()])?;
    rows.next()?.map(|row| record::stored(row, false)).transpose()
}

/// A page of a history; the caller sees to it that all statements see the same state.
pub(super) fn history(
    connection: &Connection,
    tenant: &TenantId,
    query: &HistoryQuery,
) -> Result<HistoryPage, Error> {
    let Some(tenant) = tenant_key(connection, tenant)? else { return Ok(HistoryPage::default()) };
    let scope = match &query.scope {
        HistoryScope::Tenant => {
            Scope { sql: "v.tenant = :scope AND v.kind = 1", key: tenant, document: None }
        }
        HistoryScope::Document(id) => {
            let Some(key) = document_key(connection, tenant, id)? else { return Ok(HistoryPage::default()) };
            Scope { sql: "v.document = :scope", key, document: Some(key) }
        }
    };
    let bounds = Bounds::of(connection, &scope, query)?;
    let total = bounds.total;
    if total == 0 || query.limit == 0 {
        return Ok(HistoryPage { entries: Vec::new(), total, more: total > 0 });
    }
    let mut entries = page(connection, &scope, query, &bounds)?;
    let more = entries.len() > query.limit;
    entries.truncate(query.limit);
    Ok(HistoryPage { entries, total, more })
}

struct Scope {
    sql: &'static str,
    key: i64,
    document: Option<i64>,
}

/// How many versions match, and the sequence numbers between which they are.
struct Bounds {
    total: u64,
    from: i64,
}

impl Bounds {
    fn of(connection: &Connection, scope: &Scope, query: &HistoryQuery) -> Result<Self, Error> {
        if query.since.is_none() && query.at.is_none() {
            let total = match scope.document {
                None => versions(connection, scope.key)?,
                Some(key) => {
                    let sql = "SELECT count(*) FROM version WHERE document = ?";
                    connection.prepare_cached(sql)?.query_row([key], |row| row.get(0))?
                }
            };
            return Ok(Self { total, from: 0 });
        }
        let sql = format!(
            "SELECT count(*), coalesce(min(v.sequence), 0) FROM version v WHERE {} AND {TIMES}",
            scope.sql
        );
        let times = Times::of(query);
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_row(
            named_params! { ":scope": scope.key, ":since": times.since, ":start": times.start, ":end": times.end },
            |row| Ok(Self { total: row.get(0)?, from: row.get(1)? }),
        )?)
    }
}

/// Not before `since`; begun before `end` and not followed by another version by `start`.
const TIMES: &str = "v.updated_ms >= :since AND v.updated_ms < :end AND NOT EXISTS \
    (SELECT 1 FROM version n WHERE n.document = v.document AND n.version = v.version + 1 \
     AND n.updated_ms <= :start)";

struct Times {
    since: i64,
    start: i64,
    end: i64,
}

impl Times {
    fn of(query: &HistoryQuery) -> Self {
        let (start, end) = match query.at {
            Some((start, end)) => (floor_ms(start), ceil_ms(end)),
            None => (i64::MIN, i64::MAX),
        };
        Self { since: query.since.map_or(i64::MIN, ceil_ms), start, end }
    }
}

/// The last whole millisecond that is not after `time`.
fn floor_ms(time: Timestamp) -> i64 {
    let ceil = ceil_ms(time);
    if time.as_nanosecond() < i128::from(ceil) * 1_000_000 { ceil - 1 } else { ceil }
}

/// One more than the limit, so that the caller sees whether there are more.
fn page(
    connection: &Connection,
    scope: &Scope,
    query: &HistoryQuery,
    bounds: &Bounds,
) -> Result<Vec<(u64, std::sync::Arc<Stored>)>, Error> {
    let times = if query.since.is_none() && query.at.is_none() { "1" } else { TIMES };
    // `+` keeps the time out of the choice of an index: the sequence gives order and bounds.
    let times = times.replace("v.updated_ms", "+v.updated_ms");
    let order = if scope.document.is_some() { "v.version" } else { "v.sequence" };
    let sql = format!(
        "SELECT {COLUMNS}, v.sequence FROM version v JOIN document d ON d.key = v.document \
         LEFT JOIN content c ON c.key = v.content \
         WHERE {} AND v.sequence >= :from AND v.sequence < :before AND {times} \
         ORDER BY {order} DESC LIMIT :limit",
        scope.sql
    );
    let before = query.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX - 1) + 1;
    let mut statement = connection.prepare_cached(&sql)?;
    let bounded = Times::of(query);
    let mut values: Vec<(&str, &dyn rusqlite::ToSql)> =
        vec![(":scope", &scope.key), (":from", &bounds.from), (":before", &before), (":limit", &limit)];
    if times != "1" {
        values.extend([
            (":since", &bounded.since as &dyn rusqlite::ToSql),
            (":start", &bounded.start),
            (":end", &bounded.end),
        ]);
    }
    let mut rows = statement.query(values.as_slice())?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push((row.get(record::EXTRA)?, record::stored(row, false)?.into()));
    }
    Ok(entries)
}

pub(super) fn document_key(
    connection: &Connection,
    tenant: i64,
    id: &ResourceId,
) -> Result<Option<i64>, Error> {
    let sql = "SELECT key FROM document WHERE tenant = ? AND kind = ? AND id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![tenant, BINARY, id.as_str()], |row| row.get(0)).optional()?)
}

/// Content that the catalog keeps, verified.
pub(super) fn bytes(connection: &Connection, content: i64) -> Result<Bytes, Error> {
    let missing = || Error::Missing(format!("{content} of the catalog").into());
    let mut statement = connection.prepare_cached("SELECT digest, bytes FROM content WHERE key = ?")?;
    let found: Option<(Digest, Option<Vec<u8>>)> = statement
        .query_row([content], |row| Ok((Digest::from_bytes(row.get(0)?), row.get(1)?)))
        .optional()?;
    let (digest, bytes) = found.ok_or_else(missing)?;
    let bytes = bytes.ok_or_else(missing)?;
    if Digest::of(&bytes) != digest {
        return Err(Error::Corrupt(format!("content {} of the catalog differs", digest.hex()).into()));
    }
    Ok(bytes.into())
}

pub(super) fn known(connection: &Connection, keys: &[String]) -> Result<Vec<bool>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM content WHERE file = ?1 UNION ALL SELECT 1 FROM trash WHERE file = ?1",
    )?;
    keys.iter().map(|key| Ok(statement.exists([key])?)).collect()
}

pub(super) fn content_totals(connection: &Connection) -> Result<(u64, u64), Error> {
    let sql = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM content";
    Ok(connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

pub(super) fn contents(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<ContentRecord>, Error> {
    let sql = "SELECT key, digest, size_bytes, file FROM content WHERE key > ? ORDER BY key LIMIT ?";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![after, limit], content_record)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn content_record(row: &Row<'_>) -> rusqlite::Result<ContentRecord> {
    Ok(ContentRecord {
        key: row.get(0)?,
        digest: Digest::from_bytes(row.get(1)?),
        size_bytes: row.get(2)?,
        file: row.get(3)?,
    })
}

pub(super) fn confirm(connection: &Connection, record: &ContentRecord) -> Result<bool, Error> {
    let sql = "SELECT key, digest, size_bytes, file FROM content WHERE key = ?";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([record.key], content_record).optional()?.as_ref() == Some(record))
}

pub(super) fn tally(connection: &Connection) -> Result<Tally, Error> {
    let sql = "SELECT coalesce(sum(documents), 0), coalesce(sum(versions), 0), \
               (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()) FROM tally";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([], |row| {
        Ok(Tally { documents: row.get(0)?, versions: row.get(1)?, catalog_bytes: row.get(2)? })
    })?)
}
