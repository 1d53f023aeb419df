//! Lookups and what else only reads.

use bytes::Bytes;
use charta_model::{Digest, ResourceId, ResourceType, TenantId};
use deadpool_postgres::ClientWrapper as Client;
use tokio_postgres::{Row, types::Type};

use super::failure::Failure;
use crate::{
    Error, Stored,
    catalog::{
        ContentRecord, Tally,
        record::{self, BESIDE, COLUMNS, Columns},
    },
};

impl Columns for Row {
    fn integer(&self, column: usize) -> Result<i64, Error> {
        let found = match self.columns().get(column).map(tokio_postgres::Column::type_) {
            Some(&Type::INT2) => self.try_get::<_, i16>(column).map(i64::from),
            Some(&Type::INT4) => self.try_get::<_, i32>(column).map(i64::from),
            _ => self.try_get(column),
        };
        found.map_err(|error| Failure::from(error).error)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Error> {
        self.try_get(column).map_err(|error| Failure::from(error).error)
    }

    fn blob(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        self.try_get(column).map_err(|error| Failure::from(error).error)
    }
}

/// The document of three names, which are the first values.
const NAMED: &str = "d.tenant = (SELECT key FROM tenant WHERE name = $1) \
     AND d.kind = (SELECT key FROM kind WHERE name = $2) AND d.id = $3";

/// The newest version of a document, with the bytes that the catalog keeps.
pub(super) async fn current(
    client: &Client,
    tenant: &TenantId,
    kind: &ResourceType,
    id: &ResourceId,
) -> Result<Option<Stored>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS}, c.bytes FROM document d JOIN version v ON v.sequence = d.current {BESIDE} WHERE {NAMED}"
    );
    let statement = client.prepare_cached(&sql).await?;
    let row = client.query_opt(&statement, &[&tenant.as_str(), &kind.as_str(), &id.as_str()]).await?;
    Ok(row.map(|row| record::stored(&row, true)).transpose()?)
}

pub(super) async fn version(
    client: &Client,
    tenant: &TenantId,
    kind: &ResourceType,
    id: &ResourceId,
    version: u64,
) -> Result<Option<Stored>, Failure> {
    let Ok(version) = i64::try_from(version) else { return Ok(None) };
    let sql = format!(
        "SELECT {COLUMNS} FROM document d JOIN version v ON v.document = d.key AND v.version = $4 {BESIDE} \
         WHERE {NAMED}"
    );
    let statement = client.prepare_cached(&sql).await?;
    let row =
        client.query_opt(&statement, &[&tenant.as_str(), &kind.as_str(), &id.as_str(), &version]).await?;
    Ok(row.map(|row| record::stored(&row, false)).transpose()?)
}

/// The versions of these sequence numbers, in this order, without content.
pub(super) async fn at_sequences(client: &Client, sequences: &[i64]) -> Result<Vec<Stored>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS} FROM unnest($1::bigint[]) WITH ORDINALITY s (sequence, at) \
         JOIN version v ON v.sequence = s.sequence JOIN document d ON d.key = v.document {BESIDE} ORDER BY s.at"
    );
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &[&sequences]).await?;
    if rows.len() != sequences.len() {
        return Err(Error::Corrupt("a version is incomplete".into()).into());
    }
    Ok(rows.iter().map(|row| record::stored(row, false)).collect::<Result<_, _>>()?)
}

/// The key of a document.
pub(super) async fn document_key(
    client: &Client,
    tenant: i64,
    kind: i64,
    id: &ResourceId,
) -> Result<Option<i64>, Failure> {
    let sql = "SELECT key FROM document WHERE tenant = $1 AND kind = $2 AND id = $3";
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_opt(&statement, &[&tenant, &kind, &id.as_str()]).await?.map(|row| row.get(0)))
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
pub(super) async fn shelves(
    client: &Client,
    tenant: i64,
    scopes: Option<&[charta_model::Scope]>,
) -> Result<Vec<Tallied>, Failure> {
    let sql = "SELECT t.kind, t.dialect, t.documents, t.versions, k.name FROM tally t \
               JOIN kind k ON k.key = t.kind WHERE t.tenant = $1";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant]).await?;
    let within = |row: &&Row| {
        let (name, dialect): (&str, &str) = (row.get(4), row.get(1));
        let fits = |scope: &charta_model::Scope| {
            scope.kind.as_str() == name && scope.dialect.is_none_or(|wanted| wanted == dialect)
        };
        scopes.is_none_or(|scopes| scopes.iter().any(fits))
    };
    let tallied = |row: &Row| Tallied {
        kind: row.get(0),
        dialect: row.get(1),
        documents: row.get::<_, i64>(2).max(0).unsigned_abs(),
        versions: row.get::<_, i64>(3).max(0).unsigned_abs(),
    };
    Ok(rows.iter().filter(within).map(tallied).collect())
}

/// Content that the catalog keeps, verified.
pub(super) async fn bytes(client: &Client, content: i64) -> Result<Bytes, Failure> {
    let missing = || Error::Missing(format!("{content} of the catalog").into());
    let statement = client.prepare_cached("SELECT digest, bytes FROM content WHERE key = $1").await?;
    let row = client.query_opt(&statement, &[&content]).await?.ok_or_else(missing)?;
    let digest = record::digest(&row, 0)?;
    let bytes = row.blob(1)?.ok_or_else(missing)?;
    if Digest::of(bytes) != digest {
        return Err(Error::Corrupt(format!("content {} of the catalog differs", digest.hex()).into()).into());
    }
    Ok(Bytes::copy_from_slice(bytes))
}

/// What is announced longer than this ago is nobody's any more: no upload takes so long to get its record.
pub(super) const STALE: &str = "since < clock_timestamp() - interval '24 hours'";

/// Which of these keys a record names, a sweep is about to remove, or a write has announced.
pub(super) async fn known(client: &Client, keys: &[String]) -> Result<Vec<bool>, Failure> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM content c WHERE c.file = k.file) \
         OR EXISTS (SELECT 1 FROM trash t WHERE t.file = k.file) \
         OR EXISTS (SELECT 1 FROM announced a WHERE a.file = k.file AND NOT a.{STALE}) \
         FROM unnest($1::text[]) WITH ORDINALITY k (file, at) ORDER BY k.at"
    );
    let statement = client.prepare_cached(&sql).await?;
    Ok(client.query(&statement, &[&keys]).await?.iter().map(|row| row.get(0)).collect())
}

pub(super) async fn content_totals(client: &Client) -> Result<(u64, u64), Failure> {
    let sql = "SELECT count(*), coalesce(sum(size_bytes), 0)::bigint FROM content";
    let row = client.query_one(sql, &[]).await?;
    Ok((natural(&row, 0), natural(&row, 1)))
}

fn natural(row: &Row, column: usize) -> u64 {
    row.get::<_, i64>(column).max(0).unsigned_abs()
}

pub(super) async fn contents(
    client: &Client,
    after: i64,
    limit: usize,
) -> Result<Vec<ContentRecord>, Failure> {
    let sql = "SELECT key, digest, size_bytes, file FROM content WHERE key > $1 ORDER BY key LIMIT $2";
    let statement = client.prepare_cached(sql).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = client.query(&statement, &[&after, &limit]).await?;
    Ok(rows.iter().map(content_record).collect::<Result<_, _>>()?)
}

pub(super) fn content_record(row: &Row) -> Result<ContentRecord, Error> {
    Ok(ContentRecord {
        key: row.integer(0)?,
        digest: record::digest(row, 1)?,
        size_bytes: natural(row, 2),
        file: row.text(3)?.map(str::to_owned),
    })
}

pub(super) async fn confirm(client: &Client, record: &ContentRecord) -> Result<bool, Failure> {
    let sql = "SELECT key, digest, size_bytes, file FROM content WHERE key = $1";
    let row = client.query_opt(sql, &[&record.key]).await?;
    Ok(row.map(|row| content_record(&row)).transpose()?.as_ref() == Some(record))
}

pub(super) async fn tally(client: &Client) -> Result<Tally, Failure> {
    let sql = "SELECT coalesce(sum(documents), 0)::bigint, coalesce(sum(versions), 0)::bigint, \
               pg_database_size(current_database()) FROM tally";
    let statement = client.prepare_cached(sql).await?;
    let row = client.query_one(&statement, &[]).await?;
    Ok(Tally { documents: natural(&row, 0), versions: natural(&row, 1), catalog_bytes: natural(&row, 2) })
}
