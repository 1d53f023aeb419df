//! Rows that a commit is about to write, gathered so that a table takes one statement, however many they are.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use charta_model::{Change, ContentLink, Document, Entry};
use deadpool_postgres::ClientWrapper as Client;
use futures_util::future::{BoxFuture, join_all};
use tokio_postgres::{Statement, types::ToSql};

use super::{
    failure::Failure,
    names::{Names, Needed, plain},
    value::{self, clean, word},
};
use crate::{
    Error,
    catalog::{
        entry::{self, Cell},
        record,
    },
};

/// A new version of a document and all that goes with it.
pub(super) struct Version {
    pub(super) sequence: i64,
    pub(super) document: i64,
    pub(super) is_new: bool,
    pub(super) kind: i64,
    /// That of its source, or of the version before a deletion.
    pub(super) dialect: String,
    /// The dialect of the version before, unless that is a deletion.
    pub(super) shelved: Option<String>,
    pub(super) state: Document,
    pub(super) content: Option<i64>,
    pub(super) entries: Vec<Entry>,
    pub(super) links: Vec<ContentLink>,
}

/// New bytes.
pub(super) struct Content {
    pub(super) key: i64,
    pub(super) digest: [u8; 32],
    pub(super) size_bytes: i64,
    pub(super) file: Option<String>,
    pub(super) bytes: Option<bytes::Bytes>,
    /// Takes the place of bytes that were lost, under this key of the content store.
    pub(super) replaces: Option<String>,
}

/// What is to be written.
#[derive(Default)]
pub(super) struct Stage {
    pub(super) versions: Vec<Version>,
    pub(super) contents: Vec<Content>,
}

/// A statement about to be run.
type Run<'r> = BoxFuture<'r, Result<u64, tokio_postgres::Error>>;

impl Stage {
    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.contents.is_empty()
    }

    /// Writes all of it, and then `last`, without waiting in between. Whether what failed is `last` alone is told.
    pub(super) async fn write(
        self,
        client: &Client,
        names: &Names,
        tenant: i64,
        last: Option<&str>,
    ) -> Result<(), (Failure, bool)> {
        let before = |failure: Failure| (failure, false);
        let rows = Rows::of(&self, names, tenant).map_err(|error| before(error.into()))?;
        let tables = rows.tables(&tenant);
        let mut statements: Vec<(Statement, Vec<&(dyn ToSql + Sync)>)> = Vec::new();
        for (sql, values) in tables {
            let statement = client.prepare_cached(sql).await.map_err(|error| before(error.into()))?;
            statements.push((statement, values));
        }
        // Each is sent when it is first polled, which is in this order.
        let mut runs: Vec<Run<'_>> = Vec::new();
        for (statement, values) in &statements {
            runs.push(Box::pin(client.execute(statement, values)));
        }
        if let Some(last) = last {
            runs.push(Box::pin(async { client.batch_execute(last).await.map(|()| 0) }));
        }
        let number = statements.len();
        let done = join_all(runs).await;
        // The first to fail is what was wrong; the others only say that the transaction has failed.
        for (at, result) in done.into_iter().enumerate() {
            result.map_err(|error| (Failure::from(error), at == number))?;
        }
        Ok(())
    }
}

/// The names in these rows that have no number yet.
pub(super) fn unknown(names: &Names, tenant: i64, versions: &[Version]) -> Needed {
    let mut needed = Needed::default();
    for version in versions {
        for entry in &version.entries {
            let Some((shape, cells)) = entry::cells(&entry.value) else { continue };
            let parameter = plain(&entry.parameter);
            if names.parameter(tenant, version.kind, &parameter, &version.dialect, shape).is_none() {
                let kind = version.state.kind.clone();
                needed.parameters.insert((kind, version.dialect.clone(), parameter, shape));
            }
            cells.iter().for_each(|cell| needed.add(names, cell));
        }
    }
    needed
}

impl Needed {
    fn add(&mut self, names: &Names, cell: &Cell<'_>) {
        match cell {
            Cell::System(Some(system)) if names.system(system).is_none() => {
                self.systems.insert((*system).to_owned());
            }
            Cell::Kind(kind) if names.kind(kind).is_none() => drop(self.kinds.insert((*kind).clone())),
            Cell::Unit { system, code } => {
                let (system, code) = (system.unwrap_or_default(), code.unwrap_or_default());
                if names.unit(system, code).is_none() {
                    self.units.insert((system.to_owned(), code.to_owned()));
                }
            }
            _ => {}
        }
    }
}

/// Writes what repeats a version that is there: the row of its document, and its entries.
pub(super) async fn derive(
    client: &Client,
    names: &Names,
    tenant: i64,
    version: &Version,
) -> Result<(), Failure> {
    let mut rows = Rows::default();
    rows.documents.add(version);
    rows.entries.add(version, names, tenant)?;
    for (sql, values) in rows.tables(&tenant) {
        client.execute(sql, &values).await?;
    }
    Ok(())
}

/// The columns of all rows, by table.
#[derive(Default)]
struct Rows<'s> {
    contents: Contents<'s>,
    documents: Documents<'s>,
    versions: Versions<'s>,
    /// Of documents that had entries.
    stale: Vec<i64>,
    entries: Entries<'s>,
    links: Links<'s>,
    tallies: Tallies<'s>,
}

#[derive(Default)]
struct Contents<'s> {
    key: Vec<i64>,
    digest: Vec<&'s [u8]>,
    size_bytes: Vec<i64>,
    file: Vec<Option<&'s str>>,
    bytes: Vec<Option<&'s [u8]>>,
    replaced: Vec<&'s str>,
}

#[derive(Default)]
struct Documents<'s> {
    key: Vec<i64>,
    kind: Vec<i64>,
    id: Vec<&'s str>,
    current: Vec<i64>,
    updated_ms: Vec<Option<i64>>,
    dialect: Vec<Option<&'s str>>,
    size_bytes: Vec<Option<i64>>,
    content_type: Vec<Option<&'s str>>,
    essence: Vec<Option<&'s str>>,
}

#[derive(Default)]
struct Versions<'s> {
    sequence: Vec<i64>,
    kind: Vec<i64>,
    document: Vec<i64>,
    version: Vec<i64>,
    updated_ms: Vec<i64>,
    content: Vec<Option<i64>>,
    change: Vec<i16>,
    dialect: Vec<&'s str>,
    content_type: Vec<Option<&'s str>>,
    security_context: Vec<Option<&'s str>>,
    labels: Vec<Option<String>>,
    custody: Vec<Option<String>>,
    writer: Vec<Option<&'s str>>,
    source: Vec<Option<&'s str>>,
}

#[derive(Default)]
struct Entries<'s> {
    document: Vec<i64>,
    parameter: Vec<i64>,
    sequence: Vec<i64>,
    number: Vec<i32>,
    part: Vec<i32>,
    value: Vec<Cow<'s, str>>,
    second: Vec<Option<Cow<'s, str>>>,
    third: Vec<Option<Cow<'s, str>>>,
    whole: Vec<Option<Cow<'s, str>>>,
}

#[derive(Default)]
struct Links<'s> {
    binary: Vec<&'s str>,
    sequence: Vec<i64>,
    version: Vec<i64>,
    in_error: Vec<bool>,
    document: Vec<i64>,
}

#[derive(Default)]
struct Tallies<'s> {
    kind: Vec<i64>,
    dialect: Vec<&'s str>,
    documents: Vec<i64>,
    versions: Vec<i64>,
}

impl<'s> Rows<'s> {
    fn of(stage: &'s Stage, names: &Names, tenant: i64) -> Result<Self, Error> {
        let mut rows = Self::default();
        for content in &stage.contents {
            rows.contents.add(content);
        }
        // What is found of a document is its newest version, which is the last.
        let newest: HashMap<i64, i64> =
            stage.versions.iter().map(|version| (version.document, version.sequence)).collect();
        let had: HashSet<i64> =
            stage.versions.iter().filter(|version| !version.is_new).map(|version| version.document).collect();
        let mut tallied: BTreeMap<(i64, &str), (i64, i64)> = BTreeMap::new();
        for version in &stage.versions {
            rows.versions.add(version);
            rows.links.add(version);
            tally(&mut tallied, version);
            if newest.get(&version.document) == Some(&version.sequence) {
                rows.documents.add(version);
                rows.entries.add(version, names, tenant)?;
            }
        }
        rows.stale = had.into_iter().collect();
        for ((kind, dialect), (documents, versions)) in tallied {
            rows.tallies.kind.push(kind);
            rows.tallies.dialect.push(dialect);
            rows.tallies.documents.push(documents);
            rows.tallies.versions.push(versions);
        }
        Ok(rows)
    }

    /// A statement for each table that gets something, in the order in which rows refer to each other.
    fn tables<'r>(&'r self, tenant: &'r i64) -> Vec<(&'static str, Vec<&'r (dyn ToSql + Sync)>)> {
        let Self { contents: c, documents: d, versions: v, entries: e, links: l, tallies: t, stale } = self;
        let all: [(bool, &'static str, Vec<&'r (dyn ToSql + Sync)>); 8] = [
            (c.key.is_empty(), CONTENT, vec![tenant, &c.key, &c.digest, &c.size_bytes, &c.file, &c.bytes]),
            (c.replaced.is_empty(), TRASH, vec![&c.replaced]),
            (
                d.key.is_empty(),
                DOCUMENT,
                vec![
                    tenant,
                    &d.key,
                    &d.kind,
                    &d.id,
                    &d.current,
                    &d.updated_ms,
                    &d.dialect,
                    &d.size_bytes,
                    &d.content_type,
                    &d.essence,
                ],
            ),
            (
                v.sequence.is_empty(),
                VERSION,
                vec![
                    tenant,
                    &v.sequence,
                    &v.kind,
                    &v.document,
                    &v.version,
                    &v.updated_ms,
                    &v.content,
                    &v.change,
                    &v.dialect,
                    &v.content_type,
                    &v.security_context,
                    &v.labels,
                    &v.custody,
                    &v.writer,
                    &v.source,
                ],
            ),
            (stale.is_empty(), STALE, vec![stale]),
            (
                e.document.is_empty(),
                ENTRY,
                vec![
                    &e.document,
                    &e.parameter,
                    &e.sequence,
                    &e.number,
                    &e.part,
                    &e.value,
                    &e.second,
                    &e.third,
                    &e.whole,
                ],
            ),
            (
                l.binary.is_empty(),
                LINK,
                vec![tenant, &l.sequence, &l.version, &l.document, &l.in_error, &l.binary],
            ),
            (t.kind.is_empty(), TALLY, vec![tenant, &t.kind, &t.dialect, &t.documents, &t.versions]),
        ];
        all.into_iter().filter(|(empty, ..)| !empty).map(|(_, sql, values)| (sql, values)).collect()
    }
}

const CONTENT: &str = "INSERT INTO content (tenant, key, digest, size_bytes, file, bytes) \
    SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::text[], $6::bytea[]) \
    ON CONFLICT (key) DO UPDATE SET file = excluded.file, bytes = excluded.bytes";

const TRASH: &str = "INSERT INTO trash (file) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";

const DOCUMENT: &str = "INSERT INTO document \
    (tenant, key, kind, id, current, updated_ms, dialect, size_bytes, content_type, essence) \
    SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], \
     $8::bigint[], $9::text[], $10::text[]) \
    ON CONFLICT (key) DO UPDATE SET current = excluded.current, updated_ms = excluded.updated_ms, \
     dialect = excluded.dialect, size_bytes = excluded.size_bytes, content_type = excluded.content_type, \
     essence = excluded.essence";

const VERSION: &str = "INSERT INTO version (tenant, sequence, kind, document, version, updated_ms, content, change, \
     dialect, content_type, security_context, labels, custody, writer, source) \
    SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], \
     $7::bigint[], $8::smallint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], \
     $15::text[])";

const STALE: &str = "DELETE FROM entry WHERE document = ANY ($1)";

const ENTRY: &str = "INSERT INTO entry \
    (document, parameter, sequence, number, part, value, second, third, whole) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[], $6::text[], \
     $7::text[], $8::text[], $9::text[])";

const LINK: &str = "INSERT INTO link (tenant, sequence, version, document, in_error, \"binary\") \
    SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::text[]) \
    ON CONFLICT DO NOTHING";

const TALLY: &str = "INSERT INTO tally (tenant, kind, dialect, documents, versions) \
    SELECT $1::bigint, * FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[]) \
    ON CONFLICT (tenant, kind, dialect) DO UPDATE SET documents = tally.documents + excluded.documents, \
     versions = tally.versions + excluded.versions";

impl<'s> Contents<'s> {
    fn add(&mut self, content: &'s Content) {
        self.key.push(content.key);
        self.digest.push(&content.digest);
        self.size_bytes.push(content.size_bytes);
        self.file.push(content.file.as_deref());
        self.bytes.push(content.bytes.as_deref());
        self.replaced.extend(content.replaces.as_deref());
    }
}

impl<'s> Documents<'s> {
    fn add(&mut self, version: &'s Version) {
        let state = &version.state;
        let (there, facts) = (state.description.is_some(), state.content());
        self.key.push(version.document);
        self.kind.push(version.kind);
        self.id.push(state.id.as_str());
        self.current.push(version.sequence);
        self.updated_ms.push(there.then(|| state.updated.as_millisecond()));
        self.dialect.push(there.then_some(&version.dialect));
        self.size_bytes.push(facts.map(|facts| integer(facts.size_bytes)));
        self.content_type.push(facts.map(|facts| facts.content_type.as_str()));
        self.essence.push(facts.map(|facts| facts.content_type.essence()));
    }
}

impl<'s> Versions<'s> {
    fn add(&mut self, version: &'s Version) {
        let state = &version.state;
        let (description, facts) = (state.description.as_ref(), state.content());
        self.sequence.push(version.sequence);
        self.kind.push(version.kind);
        self.document.push(version.document);
        self.version.push(integer(state.version));
        self.updated_ms.push(state.updated.as_millisecond());
        self.content.push(version.content);
        self.change.push(record::change_number(state.change));
        self.dialect.push(&version.dialect);
        self.content_type.push(facts.map(|facts| facts.content_type.as_str()));
        let context = facts.and_then(|facts| facts.security_context.as_ref());
        self.security_context.push(context.map(charta_model::Reference::as_str));
        self.labels.push(description.and_then(|description| record::labels_text(&description.labels)));
        self.custody.push(description.and_then(|description| record::custody_text(&description.custody)));
        self.writer.push(state.writer.as_deref());
        self.source.push(state.source().map(|source| &*source.body));
    }
}

impl<'s> Entries<'s> {
    fn add(&mut self, version: &'s Version, names: &Names, tenant: i64) -> Result<(), Error> {
        for (number, Entry { parameter, part, value }) in (1..).zip(&version.entries) {
            let Some((shape, [value, second, third])) = entry::cells(value) else { continue };
            let key = names.parameter(tenant, version.kind, &plain(parameter), &version.dialect, shape);
            self.document.push(version.document);
            self.parameter.push(key.ok_or_else(unnamed)?);
            self.sequence.push(version.sequence);
            self.number.push(number);
            self.part.push(i32::try_from(*part).unwrap_or(i32::MAX));
            self.value_of(value, names)?;
            // The index has room for the numbers of names, not for another text.
            let (second, third) =
                if matches!(second, Cell::Text(_)) { (third, second) } else { (second, third) };
            self.second.push(column(second, names)?);
            self.third.push(column(third, names)?);
        }
        Ok(())
    }

    fn value_of(&mut self, value: Cell<'s>, names: &Names) -> Result<(), Error> {
        let Cell::Text(text) = value else {
            self.value.push(column(value, names)?.unwrap_or_default());
            self.whole.push(None);
            return Ok(());
        };
        let indexed = word(&text).into_owned();
        let is_whole = indexed.len() == text.len();
        self.whole.push((!is_whole).then(|| clean(&text).into_owned().into()));
        self.value.push(indexed.into());
        Ok(())
    }
}

/// What stands in a column.
fn column<'s>(cell: Cell<'s>, names: &Names) -> Result<Option<Cow<'s, str>>, Error> {
    let key = |key: Option<i64>| Ok(Some(key.ok_or_else(unnamed)?.to_string().into()));
    match cell {
        Cell::Nothing => Ok(None),
        Cell::Text(text) => {
            Ok(Some(if text.contains('\0') { clean(&text).into_owned().into() } else { text }))
        }
        Cell::Time(ms) => Ok(Some(value::time(ms).into())),
        Cell::Number(number) => Ok(Some(value::number(number).into())),
        Cell::System(system) => key(names.system(system.unwrap_or_default())),
        Cell::Kind(kind) => key(names.kind(kind)),
        Cell::Unit { system, code } => key(names.unit(system.unwrap_or_default(), code.unwrap_or_default())),
    }
}

/// Names are forgotten when there are very many, perhaps between their making and their use.
fn unnamed() -> Error {
    Error::Unavailable("catalog: a name was forgotten; try again".into())
}

impl<'s> Links<'s> {
    fn add(&mut self, version: &'s Version) {
        for link in &version.links {
            self.binary.push(link.binary.as_str());
            self.sequence.push(version.sequence);
            self.version.push(entry::linked_version(link));
            self.in_error.push(link.in_error);
            self.document.push(version.document);
        }
    }
}

fn tally<'s>(tallied: &mut BTreeMap<(i64, &'s str), (i64, i64)>, version: &'s Version) {
    if let Some(shelved) = &version.shelved {
        tallied.entry((version.kind, shelved)).or_default().0 -= 1;
    }
    let (documents, versions) = tallied.entry((version.kind, &version.dialect)).or_default();
    *documents += i64::from(version.state.change != Change::Deleted);
    *versions += 1;
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
