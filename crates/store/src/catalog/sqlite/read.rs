//! Lookups and what else only reads.

use bytes::Bytes;
use charta_model::{Digest, ResourceId, ResourceType, TenantId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    Error, Stored,
    catalog::{
        ContentRecord, Tally,
        record::{self, BESIDE, COLUMNS, Columns},
    },
};

impl Columns for Row<'_> {
    fn integer(&self, column: usize) -> Result<i64, Error> {
        Ok(self.get(column)?)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Error> {
        let text = self.get_ref(column)?.as_str_or_null();
        text.map_err(|error| Error::Corrupt(format!("catalog: column {column}: {error}").into()))
    }

    fn blob(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        let blob = self.get_ref(column)?.as_blob_or_null();
        blob.map_err(|error| Error::Corrupt(format!("catalog: column {column}: {error}").into()))
    }
}

/// The key of a tenant, `None` if nothing was ever written for it.
pub(super) fn tenant_key(connection: &Connection, tenant: &TenantId) -> Result<Option<i64>, Error> {
    let mut statement = connection.prepare_cached("SELECT key FROM tenant WHERE name = ?")?;
    Ok(statement.query_row([tenant.as_str()], |row| row.get(0)).optional()?)
}

/// The key of a resource type, `None` if nothing of it was ever written.
pub(super) fn kind_key(connection: &Connection, kind: &ResourceType) -> Result<Option<i64>, Error> {
    let mut statement = connection.prepare_cached("SELECT key FROM kind WHERE name = ?")?;
    Ok(statement.query_row([kind.as_str()], |row| row.get(0)).optional()?)
}

/// How many documents of one type and dialect there are within a tenant.
pub(super) struct Tallied {
    pub(super) kind: i64,
    pub(super) dialect: String,
    /// Undeleted.
    pub(super) documents: u64,
    pub(super) versions: u64,
}

/// What there is within a tenant: of all types, or of these in these dialects, each once.
pub(super) fn shelves(
    connection: &Connection,
    tenant: i64,
    scopes: Option<&[charta_model::Scope]>,
) -> Result<Vec<Tallied>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT t.kind, t.dialect, t.documents, t.versions, k.name FROM tally t JOIN kind k ON k.key = t.kind \
         WHERE t.tenant = ?",
    )?;
    let mut rows = statement.query([tenant])?;
    let mut shelves = Vec::new();
    while let Some(row) = rows.next()? {
        let name = row.get_ref(4)?.as_str().unwrap_or_default();
        let dialect: String = row.get(1)?;
        let within = |scope: &charta_model::Scope| {
            scope.kind.as_str() == name && scope.dialect.is_none_or(|wanted| wanted == dialect)
        };
        if scopes.is_none_or(|scopes| scopes.iter().any(within)) {
            shelves.push(Tallied {
                kind: row.get(0)?,
                dialect,
                documents: row.get(2)?,
                versions: row.get(3)?,
            });
        }
    }
    Ok(shelves)
}

/// The newest version of a document, with the bytes that the catalog keeps if `bytes`.
pub(super) fn current(
    connection: &Connection,
    tenant: &TenantId,
    kind: &ResourceType,
    id: &ResourceId,
    bytes: bool,
) -> Result<Option<Stored>, Error> {
    let extra = if bytes { ", c.bytes" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS}{extra} FROM document d JOIN version v ON v.sequence = d.current {BESIDE} WHERE {NAMED}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![tenant.as_str(), kind.as_str(), id.as_str()])?;
    rows.next()?.map(|row| record::stored(row, bytes)).transpose()
}

/// The document of three names.
const NAMED: &str = "d.tenant = (SELECT key FROM tenant WHERE name = ?) \
     AND d.kind = (SELECT key FROM kind WHERE name = ?) AND d.id = ?";

pub(super) fn version(
    connection: &Connection,
    tenant: &TenantId,
    kind: &ResourceType,
    id: &ResourceId,
    version: u64,
) -> Result<Option<Stored>, Error> {
    let Ok(version) = i64::try_from(version) else { return Ok(None) };
    let sql = format!(
        "SELECT {COLUMNS} FROM document d JOIN version v ON v.document = d.key AND v.version = ? {BESIDE} \
         WHERE {NAMED}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![version, tenant.as_str(), kind.as_str(), id.as_str()])?;
    rows.next()?.map(|row| record::stored(row, false)).transpose()
}

/// The version of this sequence number, without content.
pub(super) fn at_sequence(connection: &Connection, sequence: i64) -> Result<Option<Stored>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM version v JOIN document d ON d.key = v.document {BESIDE} WHERE v.sequence = ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([sequence])?;
    rows.next()?.map(|row| record::stored(row, false)).transpose()
}

pub(super) fn document_key(
    connection: &Connection,
    tenant: i64,
    kind: i64,
    id: &ResourceId,
) -> Result<Option<i64>, Error> {
    let sql = "SELECT key FROM document WHERE tenant = ? AND kind = ? AND id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![tenant, kind, id.as_str()], |row| row.get(0)).optional()?)
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
