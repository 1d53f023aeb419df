//! Writes inside the writer's transaction.

use charta_model::{
    Change, Digest, Document, Guard, Index, ResourceId, ResourceType, TenantId, Timestamp, Write,
    WriteOutcome,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    entry,
    names::{Names, Shelf},
    neighbour, read, reference, search,
};
use crate::{
    CommitError, Error, TransactError, Uploaded,
    catalog::{
        Companion, ContentRecord, Forgotten,
        entry::{dialect, standing, takes_bytes},
        moving::Moved,
        record,
    },
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
    /// Whether it took away bytes that a link may name.
    took_bytes: bool,
    /// Binaries that the new version names as its content.
    pub(super) named: Vec<ResourceId>,
}

impl Applied {
    fn nothing(outcome: WriteOutcome) -> Self {
        Self { outcome, adopted: false, replaced: false, took_bytes: false, named: Vec::new() }
    }

    /// The new version, if there is one.
    pub(super) const fn version(&self) -> Option<&Document> {
        match &self.outcome {
            WriteOutcome::Created(document)
            | WriteOutcome::Updated(document)
            | WriteOutcome::Deleted(document) => Some(document),
            _ => None,
        }
    }
}

/// What writes are done with.
pub(super) struct Writing<'w> {
    pub(super) connection: &'w Connection,
    pub(super) names: &'w mut Names,
    pub(super) companion: &'w dyn Companion,
    pub(super) tenant: &'w TenantId,
    pub(super) now: Timestamp,
}

impl Writing<'_> {
    /// Does all writes in order. If one fails, what the others did is to be taken back.
    ///
    /// Contract 11: guards hold before the writes, links of current documents after all of them.
    pub(super) fn apply(
        &mut self,
        guards: &[Guard],
        writes: Vec<Write>,
        contents: &[Option<Uploaded>],
    ) -> Result<Vec<Applied>, TransactError> {
        for guard in guards {
            self.check(guard).map_err(|error| TransactError { index: None, error })?;
        }
        let mut done = Vec::with_capacity(writes.len());
        for (index, write) in writes.into_iter().enumerate() {
            let content = contents.get(index).and_then(Option::as_ref);
            let failed = |error| TransactError { index: Some(index), error };
            done.push(self.one(&write, content).map_err(failed)?);
        }
        for (index, applied) in done.iter().enumerate().filter(|(_, applied)| applied.took_bytes) {
            let failed = |error| TransactError { index: Some(index), error };
            applied.version().map_or(Ok(()), |binary| self.check_links(&binary.id)).map_err(failed)?;
        }
        Ok(done)
    }

    fn check(&self, guard: &Guard) -> Result<(), CommitError> {
        let matches = self.matches(&guard.criteria)?;
        match (&matches[..], &guard.found) {
            ([], None) => Ok(()),
            ([one], Some(id)) if one.id == *id => Ok(()),
            _ => Err(CommitError::Changed),
        }
    }

    fn matches(&self, criteria: &charta_model::Query) -> Result<Vec<Document>, Error> {
        match read::tenant_key(self.connection, self.tenant)? {
            Some(tenant) => search::first_two(self.connection, tenant, criteria),
            None => Ok(Vec::new()),
        }
    }

    /// Bytes that a current document names by whatever is current must stay.
    fn check_links(&self, binary: &ResourceId) -> Result<(), CommitError> {
        match reference::in_use(self.connection, self.tenant, binary)? {
            Some((kind, id)) => Err(CommitError::InUse { kind, id }),
            None => Ok(()),
        }
    }

    /// Decides one write and stores what comes of it.
    fn one(&mut self, write: &Write, content: Option<&Uploaded>) -> Result<Applied, CommitError> {
        let matches = match commit::criteria(&write.intent) {
            Some(criteria) => self.matches(criteria)?,
            None => Vec::new(),
        };
        let target = match commit::target(&write.intent, &matches)? {
            Step::Done(outcome) => return Ok(Applied::nothing(*outcome)),
            Step::On(target) => target,
        };
        let newest = read::current(self.connection, self.tenant, &write.kind, &target.id, false)?;
        let newest = newest.map(|stored| stored.document);
        let bytes = content.map(|content| (content.size_bytes(), content.digest()));
        let outcome = commit::decide(&target, newest.as_ref(), write, bytes, self.now)?;
        let mut applied = Applied::nothing(outcome);
        if let Some(document) = applied.version() {
            let index = write.state.as_ref().map(|state| &state.index);
            let took_bytes = takes_bytes(newest.as_ref(), document);
            let (adopted, replaced) = self.store(None, newest.as_ref(), document, index, content)?;
            let named = index.map_or_else(Vec::new, named);
            applied = Applied { adopted, replaced, took_bytes, named, ..applied };
        }
        Ok(applied)
    }

    /// Stores a version as it is elsewhere, with its sequence number. Whether a record names the content that came
    /// with it.
    pub(super) fn adopt(&mut self, moved: &Moved, content: Option<&Uploaded>) -> Result<bool, Error> {
        let document = &moved.stored.document;
        let newest = read::current(self.connection, self.tenant, &document.kind, &document.id, false)?;
        let mut newest = newest.map(|stored| stored.document);
        if document.version == 1 && newest.is_some() {
            // It was purged where it comes from, and made anew.
            purge(self.connection, self.tenant, &document.kind, &document.id)?;
            newest = None;
        }
        if document.version != newest.as_ref().map_or(0, |newest| newest.version) + 1 {
            let Document { kind, id, version, .. } = document;
            return Err(Error::Corrupt(
                format!("{kind}/{id}: version {version} lacks the one before").into(),
            ));
        }
        let entries = moved.entries.clone().unwrap_or_default();
        let index = Index { entries, links: moved.links.clone() };
        let (adopted, _) =
            self.store(Some(moved.sequence), newest.as_ref(), document, Some(&index), content)?;
        Ok(adopted)
    }

    /// With the next sequence number, or with one that the version has elsewhere.
    fn store(
        &mut self,
        sequence: Option<u64>,
        before: Option<&Document>,
        document: &Document,
        index: Option<&Index>,
        content: Option<&Uploaded>,
    ) -> Result<(bool, bool), Error> {
        let connection = self.connection;
        let tenant = self.names.tenant(connection, self.tenant)?;
        let kind = self.names.kind(connection, &document.kind)?;
        let (content, adopted, replaced) = match (document.content(), content) {
            (Some(_), Some(uploaded)) => place(connection, self.companion, tenant, uploaded)?,
            (Some(facts), None) => (Some(held(connection, tenant, &facts.digest)?), false, false),
            _ => (None, false, false),
        };
        let shelved = before.filter(|before| before.description.is_some()).map(dialect);
        let dialect = match document.change {
            Change::Deleted => shelved.unwrap_or_default(),
            _ => dialect(document),
        };
        let shelf = Shelf { tenant, kind, dialect };
        let key = match before {
            Some(_) => read::document_key(connection, tenant, kind, &document.id)?,
            None => None,
        };
        let (key, is_new) = match key {
            Some(key) => (key, false),
            None => (insert_document(connection, &shelf, document)?, true),
        };
        let sequence = insert_version(connection, sequence, &shelf, key, document, content)?;
        if is_new {
            let sql = "UPDATE document SET current = ? WHERE key = ?";
            connection.prepare_cached(sql)?.execute([sequence, key])?;
        } else {
            point_to(connection, key, sequence, document)?;
            entry::remove(connection, key)?;
        }
        if let (Some(description), Some(index)) = (&document.description, index) {
            let standing = standing(description);
            let of = entry::Of { document: key, sequence };
            entry::add(connection, self.names, &shelf, of, &standing, 0)?;
            entry::add(connection, self.names, &shelf, of, &index.entries, standing.len())?;
            entry::link(connection, tenant, key, sequence, &index.links)?;
        }
        let mut live = i64::from(document.change != Change::Deleted);
        match shelved {
            Some(shelved) if shelved == shelf.dialect => live -= 1,
            Some(shelved) => count(connection, &Shelf { dialect: shelved, ..shelf }, -1, 0)?,
            None => {}
        }
        count(connection, &shelf, live, 1)?;
        Ok((adopted, replaced))
    }
}

fn named(index: &Index) -> Vec<ResourceId> {
    index.links.iter().map(|link| link.binary.clone()).collect()
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

/// The content row of bytes that are there already.
fn held(connection: &Connection, tenant: i64, digest: &Digest) -> Result<i64, Error> {
    let sql = "SELECT key FROM content WHERE tenant = ? AND digest = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let key = statement.query_row(params![tenant, digest.as_bytes()], |row| row.get(0)).optional()?;
    key.ok_or_else(|| Error::Missing(digest.hex().into()))
}

/// The row of a new document. It points to 0 until its version follows in the same transaction.
fn insert_document(connection: &Connection, shelf: &Shelf<'_>, document: &Document) -> Result<i64, Error> {
    let key = neighbour::key(connection, shelf.tenant, document)?;
    let sql = "INSERT INTO document (key, tenant, kind, id, current, updated_ms, dialect, size_bytes, \
               content_type, essence) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?)";
    let facts = document.content();
    connection.prepare_cached(sql)?.execute(params![
        key,
        shelf.tenant,
        shelf.kind,
        document.id.as_str(),
        document.updated.as_millisecond(),
        shelf.dialect,
        facts.map(|facts| facts.size_bytes),
        facts.map(|facts| facts.content_type.as_str()),
        facts.map(|facts| facts.content_type.essence()),
    ])?;
    Ok(key)
}

fn insert_version(
    connection: &Connection,
    sequence: Option<u64>,
    shelf: &Shelf<'_>,
    key: i64,
    document: &Document,
    content: Option<i64>,
) -> Result<i64, Error> {
    let sql = "INSERT INTO version (sequence, tenant, kind, dialect, document, version, updated_ms, change, \
               content_type, content, security_context, labels, source, custody, writer) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let facts = document.content();
    let labels = document.description.as_ref().map(|description| &description.labels);
    connection.prepare_cached(sql)?.execute(params![
        sequence,
        shelf.tenant,
        shelf.kind,
        shelf.dialect,
        key,
        document.version,
        document.updated.as_millisecond(),
        record::change_number(document.change),
        facts.map(|facts| facts.content_type.as_str()),
        content,
        facts.and_then(|facts| facts.security_context.as_ref()).map(|context| context.as_str()),
        labels.and_then(record::labels_text),
        document.source().map(|source| &source.body),
        document.description.as_ref().and_then(|description| record::custody_text(&description.custody)),
        document.writer,
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
    let sql = "UPDATE document SET current = ?, updated_ms = ?, dialect = ?, size_bytes = ?, \
               content_type = ?, essence = ? WHERE key = ?";
    let there = document.description.is_some();
    let facts = document.content();
    connection.prepare_cached(sql)?.execute(params![
        sequence,
        there.then(|| document.updated.as_millisecond()),
        there.then(|| dialect(document)),
        facts.map(|facts| facts.size_bytes),
        facts.map(|facts| facts.content_type.as_str()),
        facts.map(|facts| facts.content_type.essence()),
        key,
    ])?;
    Ok(())
}

fn count(connection: &Connection, shelf: &Shelf<'_>, documents: i64, versions: i64) -> Result<(), Error> {
    let sql = "INSERT INTO tally (tenant, kind, dialect, documents, versions) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT DO UPDATE SET documents = documents + ?4, versions = versions + ?5";
    let values = params![shelf.tenant, shelf.kind, shelf.dialect, documents, versions];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Removes a document with every version. Its contents become doubtful; a sweep looks at them.
pub(super) fn purge(
    connection: &Connection,
    tenant: &TenantId,
    kind: &ResourceType,
    id: &ResourceId,
) -> Result<bool, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(false) };
    let Some(kind) = read::kind_key(connection, kind)? else { return Ok(false) };
    let Some(key) = read::document_key(connection, tenant, kind, id)? else { return Ok(false) };
    connection.execute(
        "INSERT OR IGNORE INTO doubtful SELECT content FROM version WHERE document = ? AND content IS NOT NULL",
        [key],
    )?;
    connection.execute(
        "UPDATE tally SET documents = documents - 1 FROM document d WHERE d.key = ? AND d.tenant = tally.tenant \
         AND d.kind = tally.kind AND d.dialect = tally.dialect",
        [key],
    )?;
    connection.execute(
        "UPDATE tally SET versions = versions - v.number \
         FROM (SELECT dialect, count(*) AS number FROM version WHERE document = ? GROUP BY dialect) v \
         WHERE tally.tenant = ? AND tally.kind = ? AND tally.dialect = v.dialect",
        [key, tenant, kind],
    )?;
    entry::remove(connection, key)?;
    connection.execute("DELETE FROM link WHERE document = ?", [key])?;
    connection.execute("DELETE FROM version WHERE document = ?", [key])?;
    connection.execute("DELETE FROM document WHERE key = ?", [key])?;
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
