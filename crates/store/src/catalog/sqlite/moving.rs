//! A catalog that is left for another, and one that is come to.

use std::borrow::Cow;

use charta_model::{ContentLink, Digest, Entry, EntryValue, ResourceId, ResourceType, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    names::Names,
    read, schema,
    write::{self, Writing},
};
use crate::{
    Error, Uploaded,
    catalog::{
        Companion,
        entry::{STANDING, Shape},
        moving::{Count, Moved, Standstill},
        record::{self, BESIDE, COLUMNS, EXTRA},
    },
};

/// No further version joins a page whose sources have so many bytes.
const SOURCE_BYTES_MAX: usize = 4 << 20;

/// The word that stops writes, if there is one.
pub(super) fn standstill(connection: &Connection) -> Result<Option<Standstill>, Error> {
    let sql = "SELECT value FROM setting WHERE name = 'standstill'";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Standstill::of_word(row.get_ref(0)?.as_str().unwrap_or_default())))
}

/// To be asked inside the transaction that is to write.
pub(super) fn writable(connection: &Connection) -> Result<(), Error> {
    standstill(connection)?.map_or(Ok(()), |_| Err(Error::Standstill))
}

fn stop(connection: &Connection, why: Standstill) -> Result<(), Error> {
    let sql = "INSERT INTO setting (name, value) VALUES ('standstill', ?)";
    connection.execute(sql, [why.word()])?;
    Ok(())
}

fn go_on(connection: &Connection) -> Result<(), Error> {
    connection.execute("DELETE FROM setting WHERE name = 'standstill'", [])?;
    Ok(())
}

pub(super) fn leave(connection: &Connection, leaving: bool) -> Result<(), Error> {
    match (standstill(connection)?, leaving) {
        (Some(Standstill::Adopting), _) => {
            Err(Error::Unusable("the store is itself a copy that is not yet whole"))
        }
        (None, true) => stop(connection, Standstill::Leaving),
        (Some(Standstill::Leaving), false) => go_on(connection),
        (Some(Standstill::Leaving), true) | (None, false) => Ok(()),
    }
}

pub(super) fn begin_adoption(connection: &Connection, secret: [u8; 32]) -> Result<(), Error> {
    let here = schema::secret(connection)?;
    let is_empty = !connection.prepare("SELECT 1 FROM tenant")?.exists([])?;
    match standstill(connection)? {
        Some(Standstill::Adopting) if here == secret => Ok(()),
        None if is_empty => {
            connection.execute("UPDATE setting SET value = ? WHERE name = 'secret'", [secret])?;
            stop(connection, Standstill::Adopting)
        }
        _ => Err(Error::Unusable("the target is neither empty nor an unfinished migration of this store")),
    }
}

fn assert_adopting(connection: &Connection) -> Result<(), Error> {
    match standstill(connection)? {
        Some(Standstill::Adopting) => Ok(()),
        _ => Err(Error::Unusable("the target is no copy on its way")),
    }
}

/// `sqlite_sequence` is where AUTOINCREMENT looks.
pub(super) fn finish_adoption(connection: &Connection, last_given: u64) -> Result<(), Error> {
    assert_adopting(connection)?;
    let sql = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'version'";
    if connection.execute(sql, [last_given])? == 0 {
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('version', ?)", [last_given])?;
    }
    go_on(connection)
}

pub(super) fn last_given(connection: &Connection) -> Result<u64, Error> {
    let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'version'";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

pub(super) fn tenants(connection: &Connection) -> Result<Vec<TenantId>, Error> {
    let mut statement = connection.prepare("SELECT name FROM tenant ORDER BY name")?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    names.iter().map(|name| tenant_id(name)).collect()
}

fn tenant_id(name: &str) -> Result<TenantId, Error> {
    TenantId::new(name).map_err(|_| Error::Corrupt(format!("{name:?} is no name of a tenant").into()))
}

pub(super) fn counts(connection: &Connection) -> Result<Vec<Count>, Error> {
    let mut statement = connection.prepare(
        "SELECT k.name, t.name, sum(c.documents), sum(c.versions) FROM tally c JOIN tenant t ON t.key = c.tenant \
         JOIN kind k ON k.key = c.kind GROUP BY t.name, k.name HAVING sum(c.versions) > 0 ORDER BY t.name, k.name",
    )?;
    let mut rows = statement.query([])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let tenant = tenant_id(&row.get::<_, String>(1)?)?;
        let kind = record::kind(row, 0)?;
        counts.push(Count { tenant, kind, documents: row.get(2)?, versions: row.get(3)? });
    }
    Ok(counts)
}

pub(super) fn held(
    connection: &Connection,
    tenant: &TenantId,
    digests: &[Digest],
) -> Result<Vec<bool>, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(vec![false; digests.len()]) };
    let mut statement = connection.prepare_cached("SELECT 1 FROM content WHERE tenant = ? AND digest = ?")?;
    digests.iter().map(|digest| Ok(statement.exists(params![tenant, digest.as_bytes()])?)).collect()
}

pub(super) fn last_of(connection: &Connection, tenant: &TenantId) -> Result<u64, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(0) };
    let mut statement = connection.prepare_cached(
        "SELECT sequence FROM version WHERE tenant = ? AND kind = ? AND dialect = ? ORDER BY sequence DESC LIMIT 1",
    )?;
    let mut last = 0;
    for shelf in read::shelves(connection, tenant, None)? {
        let found = statement.query_row(params![tenant, shelf.kind, shelf.dialect], |row| row.get(0));
        last = last.max(found.optional()?.unwrap_or(0));
    }
    Ok(last)
}

/// A page of versions; the caller sees to it that all statements see the same state.
pub(super) fn export(
    connection: &Connection,
    tenant: &TenantId,
    after: u64,
    limit: usize,
) -> Result<Vec<Moved>, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(Vec::new()) };
    let (mut page, mut bytes) = (Vec::new(), 0);
    for sequence in sequences(connection, tenant, after, limit)? {
        let Some(moved) = moved(connection, sequence)? else { continue };
        bytes += moved.stored.document.source().map_or(0, |source| source.body.len());
        page.push(moved);
        if bytes >= SOURCE_BYTES_MAX {
            break;
        }
    }
    Ok(page)
}

/// The next sequence numbers of a tenant. No index has them in their order but that of each type and dialect.
fn sequences(connection: &Connection, tenant: i64, after: u64, limit: usize) -> Result<Vec<u64>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence FROM version WHERE tenant = ? AND kind = ? AND dialect = ? AND sequence > ? \
         ORDER BY sequence LIMIT ?",
    )?;
    let mut found = Vec::new();
    for shelf in read::shelves(connection, tenant, None)? {
        let values = params![tenant, shelf.kind, shelf.dialect, after, limit];
        for sequence in statement.query_map(values, |row| row.get(0))? {
            found.push(sequence?);
        }
    }
    found.sort_unstable();
    found.truncate(limit);
    Ok(found)
}

fn moved(connection: &Connection, sequence: u64) -> Result<Option<Moved>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, d.key, d.current = v.sequence FROM version v JOIN document d ON d.key = v.document \
         {BESIDE} WHERE v.sequence = ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([sequence])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (document, is_current): (i64, bool) = (row.get(EXTRA)?, row.get(EXTRA + 1)?);
    let stored = record::stored(row, false)?;
    let links = links(connection, document, sequence)?;
    let entries = if is_current { Some(entries(connection, document)?) } else { None };
    Ok(Some(Moved { sequence, stored, links, entries }))
}

fn links(connection: &Connection, document: i64, sequence: u64) -> Result<Vec<ContentLink>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT 'a link', binary, version, in_error FROM link WHERE document = ? AND sequence = ? \
         ORDER BY binary, version",
    )?;
    let mut rows = statement.query(params![document, sequence])?;
    let mut links = Vec::new();
    while let Some(row) = rows.next()? {
        let version = u64::try_from(row.get::<_, i64>(2)?).ok();
        links.push(ContentLink { binary: record::id(row, 1)?, version, in_error: row.get(3)? });
    }
    Ok(links)
}

fn entries(connection: &Connection, document: i64) -> Result<Vec<Entry>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT p.name, k.name, p.shape, e.part, e.value, e.second, e.third, s.name, u.system, u.code \
         FROM entry e JOIN parameter p ON p.key = e.parameter \
         LEFT JOIN kind k ON p.shape = 2 AND k.key = e.second LEFT JOIN system s ON p.shape = 1 AND s.key = e.second \
         LEFT JOIN unit u ON p.shape = 8 AND u.key = e.third WHERE e.document = ? ORDER BY p.name, e.number",
    )?;
    let mut rows = statement.query([document])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let parameter: String = row.get(0)?;
        if !STANDING.contains(&parameter.as_str()) {
            entries.push(Entry { parameter: Cow::Owned(parameter), part: row.get(3)?, value: value(row)? });
        }
    }
    Ok(entries)
}

/// What the columns of an entry mean.
fn value(row: &Row<'_>) -> Result<EntryValue, Error> {
    let given = |column: usize| -> Result<Option<String>, Error> {
        Ok(row.get::<_, Option<String>>(column)?.filter(|text| !text.is_empty()))
    };
    let shape =
        Shape::of_number(row.get(2)?).ok_or_else(|| Error::Corrupt("an entry without a shape".into()))?;
    Ok(match shape {
        Shape::Token => {
            let code = given(6)?.map_or_else(|| given(4), |exact| Ok(Some(exact)))?;
            EntryValue::Token { system: given(7)?, code }
        }
        Shape::Reference => EntryValue::Reference { kind: record::kind(row, 1)?, id: record::id(row, 4)? },
        Shape::Text => {
            let folded: String = row.get(4)?;
            let exact = row.get::<_, Option<String>>(5)?.unwrap_or_else(|| folded.clone());
            EntryValue::Text { folded, exact }
        }
        Shape::Uri => EntryValue::Uri(row.get(4)?),
        Shape::Day | Shape::Year | Shape::Ever => {
            EntryValue::Date { start_ms: row.get(4)?, end_ms: row.get(5)? }
        }
        Shape::Quantity => {
            let (low, high) = (row.get(4)?, row.get(5)?);
            EntryValue::Quantity { low, high, system: given(8)?, code: given(9)? }
        }
    })
}

pub(super) fn purge_adopted(
    connection: &Connection,
    tenant: &TenantId,
    kind: &ResourceType,
    id: &ResourceId,
) -> Result<(), Error> {
    assert_adopting(connection)?;
    write::purge(connection, tenant, kind, id).map(drop)
}

/// Stores versions as they are elsewhere; says of each whether a record names the content that came with it.
pub(super) fn adopt(
    connection: &Connection,
    companion: &dyn Companion,
    tenant: &TenantId,
    after: u64,
    versions: &[(Moved, Option<Uploaded>)],
) -> Result<Vec<bool>, Error> {
    assert_adopting(connection)?;
    if last_of(connection, tenant)? != after {
        return Err(Error::Unusable("somebody else moves to this store at the same time"));
    }
    let names = &mut Names::default();
    let mut writing = Writing { connection, names, companion, tenant, now: Timestamp::UNIX_EPOCH };
    versions.iter().map(|(moved, content)| writing.adopt(moved, content.as_ref())).collect()
}

/// Contract 2: what a record names is kept, what none names goes, and what a crash might bring back stays for the next
/// opening to look at.
pub(super) fn settle(
    versions: Vec<(Moved, Option<Uploaded>)>,
    adopted: Result<Vec<bool>, Error>,
) -> Result<(), Error> {
    let contents = versions.into_iter().map(|(_, content)| content);
    match adopted {
        Ok(adopted) => {
            let kept = contents.zip(adopted).filter(|(_, adopted)| *adopted);
            kept.filter_map(|(content, _)| content).for_each(Uploaded::keep);
            Ok(())
        }
        Err(error) => {
            let is_certain = matches!(error, Error::Full(_) | Error::Unusable(_));
            contents.flatten().filter(|_| !is_certain).for_each(Uploaded::leave);
            Err(error)
        }
    }
}
