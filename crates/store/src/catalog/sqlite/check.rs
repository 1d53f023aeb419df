//! Compares the catalog with itself.

use charta_model::{Description, Document, Entry, EntryValue};
use rusqlite::{Connection, params};

use super::{
    entry,
    names::{Names, Shelf},
    write,
};
use crate::{
    Error, Finding,
    catalog::{
        entry::{STANDING, dialect, standing},
        record::{self, BESIDE, COLUMNS},
    },
};

/// Everything that is not as it should be. With `repair` what is derived is derived again.
pub(super) fn run(connection: &Connection, repair: bool) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    integrity(connection, &mut findings)?;
    versions(connection, &mut findings)?;
    documents(connection, repair, &mut findings)?;
    strays(connection, repair, &mut findings)?;
    tallies(connection, repair, &mut findings)?;
    Ok(findings)
}

fn lasting(problem: String) -> Finding {
    Finding { problem, repaired: false }
}

fn integrity(connection: &Connection, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            findings.push(lasting(format!("catalog: {text}")));
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, key, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let key = key.unwrap_or_default();
        findings.push(lasting(format!("catalog: row {key} of {table} refers to nothing in {parent}")));
    }
    Ok(())
}

/// Contract 6: from 1 without gaps, later and later.
fn versions(connection: &Connection, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT k.name || '/' || d.id, v.version, v.before, v.updated_ms > v.updated_before FROM \
         (SELECT document, version, updated_ms, lag(version, 1, 0) OVER versions AS before, \
          lag(updated_ms, 1, -9223372036854775808) OVER versions AS updated_before FROM version \
          WINDOW versions AS (PARTITION BY document ORDER BY version)) v \
         LEFT JOIN document d ON d.key = v.document LEFT JOIN kind k ON k.key = d.kind \
         WHERE v.version <> v.before + 1 OR v.updated_ms <= v.updated_before",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: Option<String> = row.get(0)?;
        let name = name.unwrap_or_default();
        let (version, before, later): (i64, i64, bool) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let problem = if later {
            format!("{name}: version {version} follows version {before}")
        } else {
            format!("{name}: version {version} is not later than the one before")
        };
        findings.push(lasting(problem));
    }
    let mut statement = connection.prepare(
        "SELECT k.name || '/' || d.id FROM document d JOIN kind k ON k.key = d.kind \
         WHERE NOT EXISTS (SELECT 1 FROM version WHERE document = d.key)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        findings.push(lasting(format!("{}: has no version", row.get::<_, String>(0)?)));
    }
    Ok(())
}

/// The current version is the newest, and what repeats it says the same.
fn documents(connection: &Connection, repair: bool, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let sql = format!(
        "SELECT {COLUMNS}, d.key, d.tenant, d.current, v.sequence, d.updated_ms, d.dialect, \
         d.size_bytes, d.content_type, d.essence FROM document d \
         JOIN version v ON v.document = d.key \
          AND v.version = (SELECT max(version) FROM version WHERE document = d.key) \
         {BESIDE} ORDER BY d.key"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut wrong = Vec::new();
    while let Some(row) = rows.next()? {
        let document = match record::stored(row, false) {
            Ok(stored) => stored.document,
            Err(error) => {
                findings.push(lasting(error.to_string()));
                continue;
            }
        };
        let at = |column: usize| record::EXTRA + column;
        let (key, tenant): (i64, i64) = (row.get(at(0))?, row.get(at(1))?);
        let (current, newest): (i64, i64) = (row.get(at(2))?, row.get(at(3))?);
        let repeated: Repeated =
            (row.get(at(4))?, row.get(at(5))?, row.get(at(6))?, row.get(at(7))?, row.get(at(8))?);
        let right = current == newest
            && repeated == repeats(&document)
            && labels(connection, key)? == expected(document.description.as_ref());
        if !right {
            wrong.push((key, tenant, newest, document));
        }
    }
    for (key, tenant, newest, document) in wrong {
        if repair {
            write::point_to(connection, key, newest, &document)?;
            index_labels(connection, tenant, entry::Of { document: key, sequence: newest }, &document)?;
        }
        let problem =
            format!("{}/{}: the search index differs from its newest version", document.kind, document.id);
        findings.push(Finding { problem, repaired: repair });
    }
    Ok(())
}

/// Time, dialect, size, type and essence as they stand in the document's row.
type Repeated = (Option<i64>, Option<String>, Option<u64>, Option<String>, Option<String>);

fn repeats(document: &Document) -> Repeated {
    if document.description.is_none() {
        return (None, None, None, None, None);
    }
    let facts = document.content();
    (
        Some(document.updated.as_millisecond()),
        Some(dialect(document).to_owned()),
        facts.map(|facts| facts.size_bytes),
        facts.map(|facts| facts.content_type.as_str().to_owned()),
        facts.map(|facts| facts.content_type.essence().to_owned()),
    )
}

/// A label as it is found: parameter, system, code.
type LabelRow = (String, String, String);

fn expected(description: Option<&Description>) -> Vec<LabelRow> {
    let entries = description.map_or_else(Vec::new, standing);
    let row = |entry: Entry| match entry.value {
        EntryValue::Token { system, code } => {
            (entry.parameter.into_owned(), system.unwrap_or_default(), code.unwrap_or_default())
        }
        EntryValue::Reference { kind, id } => {
            (entry.parameter.into_owned(), kind.as_str().to_owned(), id.as_str().to_owned())
        }
        _ => (entry.parameter.into_owned(), String::new(), String::new()),
    };
    let mut rows: Vec<LabelRow> = entries.into_iter().map(row).collect();
    rows.sort_unstable();
    rows
}

/// That a parameter is one of [`STANDING`].
fn is_standing() -> String {
    format!("name IN ('{}')", STANDING.join("', '"))
}

fn labels(connection: &Connection, key: i64) -> Result<Vec<LabelRow>, Error> {
    let sql = format!(
        "SELECT p.name, coalesce(CASE p.shape WHEN 2 THEN k.name ELSE s.name END, ''), \
         coalesce(e.third, e.value) FROM entry e JOIN parameter p ON p.key = e.parameter AND p.{} \
         LEFT JOIN system s ON s.key = e.second LEFT JOIN kind k ON k.key = e.second WHERE e.document = ?",
        is_standing()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<LabelRow>>>()?;
    rows.sort_unstable();
    Ok(rows)
}

fn index_labels(
    connection: &Connection,
    tenant: i64,
    of: entry::Of,
    document: &Document,
) -> Result<(), Error> {
    let sql = format!(
        "DELETE FROM entry WHERE document = ? AND parameter IN (SELECT key FROM parameter WHERE {})",
        is_standing()
    );
    connection.execute(&sql, [of.document])?;
    let Some(description) = &document.description else { return Ok(()) };
    let mut names = Names::default();
    let kind = names.kind(connection, &document.kind)?;
    let shelf = Shelf { tenant, kind, dialect: dialect(document) };
    entry::add(connection, &mut names, &shelf, of, standing(description), 0)
}

/// Entries belong to undeleted documents of their parameter's tenant and type, links to versions. Whether they
/// are the right ones only those can tell who made them.
fn strays(connection: &Connection, repair: bool, findings: &mut Vec<Finding>) -> Result<(), Error> {
    for (what, table, stray) in [
        (
            "entries belong to no document",
            "entry",
            "NOT EXISTS (SELECT 1 FROM document d JOIN parameter p ON p.key = entry.parameter \
             AND p.tenant = d.tenant AND p.kind = d.kind AND p.dialect = d.dialect \
             WHERE d.key = entry.document AND d.updated_ms IS NOT NULL)",
        ),
        (
            "links belong to no version",
            "link",
            "NOT EXISTS (SELECT 1 FROM version v WHERE v.sequence = link.sequence \
             AND v.document = link.document AND v.tenant = link.tenant)",
        ),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE {stray}");
        let number: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        if number > 0 {
            if repair {
                connection.execute(&format!("DELETE FROM {table} WHERE {stray}"), [])?;
            }
            findings.push(Finding { problem: format!("search index: {number} {what}"), repaired: repair });
        }
    }
    Ok(())
}

fn tallies(connection: &Connection, repair: bool, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT t.key, t.name, s.kind, n.name, s.dialect, coalesce(k.documents, 0), coalesce(k.versions, 0), \
         (SELECT count(*) FROM document d \
          WHERE d.tenant = s.tenant AND d.kind = s.kind AND d.updated_ms IS NOT NULL AND d.dialect = s.dialect), \
         (SELECT count(*) FROM version v \
          WHERE v.tenant = s.tenant AND v.kind = s.kind AND v.dialect = s.dialect) \
         FROM (SELECT tenant, kind, dialect FROM tally UNION SELECT tenant, kind, dialect FROM version) s \
         JOIN tenant t ON t.key = s.tenant JOIN kind n ON n.key = s.kind \
         LEFT JOIN tally k ON k.tenant = s.tenant AND k.kind = s.kind AND k.dialect = s.dialect",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (tenant, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let (kind, kind_name, dialect): (i64, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let said: (i64, i64) = (row.get(5)?, row.get(6)?);
        let counted: (i64, i64) = (row.get(7)?, row.get(8)?);
        if said == counted {
            continue;
        }
        if repair {
            connection.execute(
                "INSERT OR REPLACE INTO tally (tenant, kind, dialect, documents, versions) VALUES (?, ?, ?, ?, ?)",
                params![tenant, kind, dialect, counted.0, counted.1],
            )?;
        }
        findings.push(Finding {
            problem: format!(
                "tenant {name}: counts {said:?} documents and versions of {kind_name} {dialect:?}, has {counted:?}"
            ),
            repaired: repair,
        });
    }
    Ok(())
}
