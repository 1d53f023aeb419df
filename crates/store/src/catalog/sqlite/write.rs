//! One write inside the writer's transaction.

use charta_model::{Change, Description, Document, ResourceId, TenantId, Timestamp, Write, WriteOutcome};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    read,
    record::{self, BINARY},
    search,
};
use crate::{
    CommitError, Error, Uploaded,
    catalog::{Companion, ContentRecord, Forgotten},
    commit::{self, Step},
    upload::Body,
};

/// What a write did, and what that means for its file.
pub(super) struct Applied {
    pub(super) outcome: WriteOutcome,
    /// Whether a record now names the uploaded content.
    pub(super) adopted: bool,
    /// Whether content that other records name was replaced.
    pub(super) replaced: bool,
}

/// Decides the write and stores what comes of it.
pub(super) fn apply(
    connection: &Connection,
    companion: &dyn Companion,
    tenant: &TenantId,
    write: &Write,
    content: Option<&Uploaded>,
    now: Timestamp,
) -> Result<Applied, CommitError> {
    let key = read::tenant_key(connection, tenant)?;
    let matches = match (commit::criteria(&write.intent), key) {
        (Some(query), Some(key)) => search::first_two(connection, key, query)?,
        _ => Vec::new(),
    };
    let target = match commit::target(&write.intent, &matches)? {
        Step::Done(outcome) => return Ok(Applied { outcome: *outcome, adopted: false, replaced: false }),
        Step::On(target) => target,
    };
    let newest = read::current(connection, tenant, &target.id, false)?.map(|stored| stored.document);
    let bytes = content.map(|content| (content.size_bytes(), content.digest()));
    let outcome = commit::decide(&target, newest.as_ref(), write, bytes, now)?;
    let (adopted, replaced) = match &outcome {
        WriteOutcome::Created(document)
        | WriteOutcome::Updated(document)
        | WriteOutcome::Deleted(document) => store(connection, companion, tenant, document, content)?,
        _ => (false, false),
    };
    Ok(Applied { outcome, adopted, replaced })
}

fn store(
    connection: &Connection,
    companion: &dyn Companion,
    tenant: &TenantId,
    document: &Document,
    content: Option<&Uploaded>,
) -> Result<(bool, bool), Error> {
    let tenant = ensure_tenant(connection, tenant)?;
    let (content, adopted, replaced) = match (&document.description, content) {
        (Some(_), Some(uploaded)) => place(connection, companion, tenant, uploaded)?,
        _ => (None, false, false),
    };
    let key = ensure_document(connection, tenant, &document.id)?;
    let sequence = insert_version(connection, tenant, key, document, content)?;
    point_to(connection, key, sequence, document)?;
    index_labels(connection, tenant, key, document.description.as_ref())?;
    let live = match document.change {
        Change::Created => 1,
        Change::Updated => 0,
        Change::Deleted => -1,
    };
    count(connection, tenant, live, 1)?;
    Ok((adopted, replaced))
}

fn ensure_tenant(connection: &Connection, tenant: &TenantId) -> Result<i64, Error> {
    if let Some(key) = read::tenant_key(connection, tenant)? {
        return Ok(key);
    }
    connection.prepare_cached("INSERT INTO tenant (name) VALUES (?)")?.execute([tenant.as_str()])?;
    Ok(connection.last_insert_rowid())
}

/// Contract 9: the content row of these bytes within the tenant, made if there is none. Also tells
/// whether it names the uploaded bytes, and whether it named others before.
fn place(
    connection: &Connection,
    companion: &dyn Companion,
    tenant: i64,
    uploaded: &Uploaded,
) -> Result<(Option<i64>, bool, bool), Error> {
    let digest = uploaded.digest();
    let sql = "SELECT key, digest, size_bytes, file FROM content WHERE tenant = ? AND digest = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let found: Option<ContentRecord> =
        statement.query_row(params![tenant, digest.as_bytes()], read::content_record).optional()?;
    let (bytes, file) = match uploaded.body() {
        Body::Memory(bytes) => (Some(&bytes[..]), None),
        Body::File(placed) => (None, Some(placed.key())),
    };
    let Some(found) = found else {
        let sql = "INSERT INTO content (tenant, digest, size_bytes, file, bytes) VALUES (?, ?, ?, ?, ?)";
        let mut statement = connection.prepare_cached(sql)?;
        statement.execute(params![tenant, digest.as_bytes(), uploaded.size_bytes(), file, bytes])?;
        return Ok((Some(connection.last_insert_rowid()), true, false));
    };
    // Contract 1: bytes that were lost are no reason to throw away the same bytes.
    if found.file.as_ref().is_none_or(|file| companion.holds(file, found.size_bytes)) {
        return Ok((Some(found.key), false, false));
    }
    let mut statement = connection.prepare_cached("UPDATE content SET file = ?, bytes = ? WHERE key = ?")?;
    statement.execute(params![file, bytes, found.key])?;
    // What is left of the old file, if anything, goes with the next sweep.
    connection.prepare_cached("INSERT INTO trash (file) VALUES (?)")?.execute([found.file])?;
    Ok((Some(found.key), true, true))
}

fn ensure_document(connection: &Connection, tenant: i64, id: &ResourceId) -> Result<i64, Error> {
    if let Some(key) = read::document_key(connection, tenant, id)? {
        return Ok(key);
    }
    // 0 stands for the version that follows in the same transaction.
    let sql = "INSERT INTO document (tenant, kind, id, current) VALUES (?, ?, ?, 0)";
    connection.prepare_cached(sql)?.execute(params![tenant, BINARY, id.as_str()])?;
    Ok(connection.last_insert_rowid())
}

fn insert_version(
    connection: &Connection,
    tenant: i64,
    key: i64,
    document: &Document,
    content: Option<i64>,
) -> Result<i64, Error> {
    let sql = "INSERT INTO version (tenant, kind, document, version, updated_ms, change, content_type, \
               content, security_context, labels, source_dialect, source_body) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let description = document.description.as_ref();
    let source = description.and_then(|description| description.source.as_ref());
    connection.prepare_cached(sql)?.execute(params![
        tenant,
        BINARY,
        key,
        document.version,
        document.updated.as_millisecond(),
        match document.change {
            Change::Created => 1,
            Change::Updated => 2,
            Change::Deleted => 3,
        },
        description.map(|description| description.content_type.as_str()),
        content,
        description.and_then(|description| description.security_context.as_ref()).map(|r| r.as_str()),
        description.and_then(|description| record::labels_text(&description.labels)),
        source.map(|source| &source.dialect),
        source.map(|source| &source.body),
    ])?;
    Ok(connection.last_insert_rowid())
}

/// Makes `sequence` the current version and repeats in the document what searches look at.
pub(super) fn point_to(
    connection: &Connection,
    key: i64,
    sequence: i64,
    document: &Document,
) -> Result<(), Error> {
    let sql = "UPDATE document SET current = ?, updated_ms = ?, size_bytes = ?, content_type = ?, essence = ? \
               WHERE key = ?";
    let description = document.description.as_ref();
    connection.prepare_cached(sql)?.execute(params![
        sequence,
        description.map(|_| document.updated.as_millisecond()),
        description.map(|description| description.size_bytes),
        description.map(|description| description.content_type.as_str()),
        description.map(|description| description.content_type.essence()),
        key,
    ])?;
    Ok(())
}

/// Replaces what the label index says about a document.
pub(super) fn index_labels(
    connection: &Connection,
    tenant: i64,
    key: i64,
    description: Option<&Description>,
) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM label WHERE document = ?")?.execute([key])?;
    let Some(description) = description else { return Ok(()) };
    let sql = "INSERT INTO label (document, which, system, code, folded, tenant) VALUES (?, ?, ?, ?, ?, ?)";
    for (which, system, code, folded) in record::label_rows(&description.labels) {
        connection.prepare_cached(sql)?.execute(params![key, which, system, code, folded, tenant])?;
    }
    Ok(())
}

fn count(connection: &Connection, tenant: i64, documents: i64, versions: i64) -> Result<(), Error> {
    let sql = "INSERT INTO tally (tenant, kind, documents, versions) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET documents = documents + ?3, versions = versions + ?4";
    connection.prepare_cached(sql)?.execute(params![tenant, BINARY, documents, versions])?;
    Ok(())
}

/// Removes a document with every version. Its contents become doubtful; a sweep looks at them.
pub(super) fn purge(connection: &Connection, tenant: &TenantId, id: &ResourceId) -> Result<bool, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(false) };
    let Some(key) = read::document_key(connection, tenant, id)? else { return Ok(false) };
    let live: i64 =
        connection.query_row("SELECT updated_ms IS NOT NULL FROM document WHERE key = ?", [key], |row| {
            row.get(0)
        })?;
    connection.execute(
        "INSERT OR IGNORE INTO doubtful SELECT content FROM version WHERE document = ? AND content IS NOT NULL",
        [key],
    )?;
    connection.execute("DELETE FROM label WHERE document = ?", [key])?;
    let versions = connection.execute("DELETE FROM version WHERE document = ?", [key])?;
    connection.execute("DELETE FROM document WHERE key = ?", [key])?;
    count(connection, tenant, -live, -i64::try_from(versions).unwrap_or(0))?;
    Ok(true)
}

/// Removes the records of content that no version refers to.
pub(super) fn forget_unreferenced(connection: &Connection) -> Result<Forgotten, Error> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM content WHERE key IN (SELECT content FROM doubtful) \
         AND NOT EXISTS (SELECT 1 FROM version WHERE version.content = content.key) \
         RETURNING key, digest, size_bytes, file",
    )?;
    let records = statement.query_map([], read::content_record)?.collect::<rusqlite::Result<Vec<_>>>()?;
    connection.execute("DELETE FROM doubtful", [])?;
    let mut forgotten = Forgotten { contents: records.len() as u64, ..Forgotten::default() };
    for record in records {
        match record.file {
            Some(file) => {
                connection.prepare_cached("INSERT INTO trash (file) VALUES (?)")?.execute([file])?;
            }
            None => forgotten.bytes += record.size_bytes,
        }
    }
    let mut statement = connection.prepare_cached("SELECT file FROM trash")?;
    forgotten.keys = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(forgotten)
}

/// Forgets files that have been removed.
pub(super) fn removed(connection: &Connection, keys: &[String]) -> Result<(), Error> {
    let mut statement = connection.prepare_cached("DELETE FROM trash WHERE file = ?")?;
    for key in keys {
        statement.execute([key])?;
    }
    Ok(())
}
