//! Compares the catalog with itself.

use charta_model::{Description, Document};
use rusqlite::{Connection, params};

use super::{
    record::{self, COLUMNS, LabelRow},
    write,
};
use crate::{Error, Finding};

/// Everything that is not as it should be. With `repair` what is derived is derived again.
pub(super) fn run(connection: &Connection, repair: bool) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    integrity(connection, &mut findings)?;
    versions(connection, &mut findings)?;
    documents(connection, repair, &mut findings)?;
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
        "SELECT d.id, v.version, v.before, v.updated_ms > v.updated_before FROM \
         (SELECT document, version, updated_ms, lag(version, 1, 0) OVER versions AS before, \
          lag(updated_ms, 1, -9223372036854775808) OVER versions AS updated_before FROM version \
          WINDOW versions AS (PARTITION BY document ORDER BY version)) v \
         LEFT JOIN document d ON d.key = v.document \
         WHERE v.version <> v.before + 1 OR v.updated_ms <= v.updated_before",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: Option<String> = row.get(0)?;
        let id = id.unwrap_or_default();
        let (version, before, later): (i64, i64, bool) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let problem = if later {
            format!("document {id}: version {version} follows version {before}")
        } else {
            format!("document {id}: version {version} is not later than the one before")
        };
        findings.push(lasting(problem));
    }
    let mut statement = connection.prepare(
        "SELECT id FROM document d WHERE NOT EXISTS (SELECT 1 FROM version WHERE document = d.key)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        findings.push(lasting(format!("document {}: has no version", row.get::<_, String>(0)?)));
    }
    Ok(())
}

/// The current version is the newest, and what repeats it says the same.
fn documents(connection: &Connection, repair: bool, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let sql = format!(
        "SELECT {COLUMNS}, d.key, d.tenant, d.current, v.sequence, d.updated_ms, d.size_bytes, \
         d.content_type, d.essence FROM document d \
         JOIN version v ON v.document = d.key \
          AND v.version = (SELECT max(version) FROM version WHERE document = d.key) \
         LEFT JOIN content c ON c.key = v.content ORDER BY d.key"
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
        let repeated: Repeated = (row.get(at(4))?, row.get(at(5))?, row.get(at(6))?, row.get(at(7))?);
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
            write::index_labels(connection, tenant, key, document.description.as_ref())?;
        }
        let problem = format!("document {}: the search index differs from its newest version", document.id);
        findings.push(Finding { problem, repaired: repair });
    }
    Ok(())
}

/// Time, size, type and essence as they stand in the document's row.
type Repeated = (Option<i64>, Option<u64>, Option<String>, Option<String>);

fn repeats(document: &Document) -> Repeated {
    let Some(description) = &document.description else { return (None, None, None, None) };
    let content_type = &description.content_type;
    (
        Some(document.updated.as_millisecond()),
        Some(description.size_bytes),
        Some(content_type.as_str().to_owned()),
        Some(content_type.essence().to_owned()),
    )
}

fn expected(description: Option<&Description>) -> Vec<LabelRow> {
    description.map_or_else(Vec::new, |description| record::label_rows(&description.labels))
}

fn labels(connection: &Connection, key: i64) -> Result<Vec<LabelRow>, Error> {
    let sql = "SELECT which, system, code, folded FROM label WHERE document = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<LabelRow>>>()?;
    rows.sort_unstable();
    Ok(rows)
}

fn tallies(connection: &Connection, repair: bool, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT t.key, t.name, k.kind, k.documents, k.versions, \
         (SELECT count(*) FROM document d WHERE d.tenant = t.key AND d.kind = k.kind AND d.updated_ms IS NOT NULL), \
         (SELECT count(*) FROM version v WHERE v.tenant = t.key AND v.kind = k.kind) \
         FROM tally k JOIN tenant t ON t.key = k.tenant",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (tenant, name, kind): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let said: (i64, i64) = (row.get(3)?, row.get(4)?);
        let counted: (i64, i64) = (row.get(5)?, row.get(6)?);
        if said == counted {
            continue;
        }
        if repair {
            connection.execute(
                "UPDATE tally SET documents = ?, versions = ? WHERE tenant = ? AND kind = ?",
                params![counted.0, counted.1, tenant, kind],
            )?;
        }
        findings.push(Finding {
            problem: format!("tenant {name}: counts {said:?} documents and versions, has {counted:?}"),
            repaired: repair,
        });
    }
    Ok(())
}
