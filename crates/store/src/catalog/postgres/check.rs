//! Compares the catalog with itself.
//!
//! All is looked at in the state of one instant. What is to be repaired is looked at again, under the lock of its
//! tenant, and then derived anew.

use std::collections::HashMap;

use charta_model::{Description, Document, Entry, EntryValue};
use deadpool_postgres::ClientWrapper as Client;
use tokio_postgres::Row;

use super::{
    Node,
    failure::Failure,
    schema::lock_key,
    stage::{self, Version},
    value::{clean, word},
};
use crate::{
    Error, Finding,
    catalog::{
        entry::{STANDING, dialect, standing},
        record::{self, BESIDE, COLUMNS, Columns as _, EXTRA},
    },
};

/// Documents are looked at in groups of so many.
const GROUP: i64 = 1000;

/// Whole tables are compared, so that what serves a lookup does not serve here.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_seqscan = on; \
     SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on";

impl Node {
    /// Everything that is not as it should be. With `repair` what is derived is derived again.
    pub(super) async fn check(&self, repair: bool) -> Result<Vec<Finding>, Failure> {
        let lease = self.pools.lasting().await?;
        let client = lease.client()?;
        client.batch_execute(BEGIN).await?;
        let mut findings = Vec::new();
        versions(client, &mut findings).await?;
        let wrong = documents(client, &mut findings).await?;
        let strays = strays(client).await?;
        let tallies = tallies(client).await?;
        client.batch_execute("COMMIT").await?;
        for wrong in wrong {
            if repair {
                self.derive(client, &wrong).await?;
            }
            let Document { kind, id, .. } = &wrong.state;
            let problem = format!("{kind}/{id}: the search index differs from its newest version");
            findings.push(Finding { problem, repaired: repair });
        }
        for (problem, sql) in strays {
            if repair {
                client
                    .batch_execute(&format!("SET enable_hashjoin = on; {sql}; SET enable_hashjoin = off"))
                    .await?;
            }
            findings.push(Finding { problem, repaired: repair });
        }
        for Counted { problem, tenant, name, kind, dialect } in tallies {
            if repair {
                self.locked(client, &name).await?;
                client.execute(RECOUNT, &[&tenant, &kind, &dialect]).await?;
                client.batch_execute("COMMIT").await?;
            }
            findings.push(Finding { problem, repaired: repair });
        }
        lease.free();
        Ok(findings)
    }

    async fn locked(&self, client: &Client, tenant: &str) -> Result<(), Failure> {
        let lock = lock_key(&self.schema, &format!("tenant/{tenant}"));
        Ok(client.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({lock})")).await?)
    }

    /// Derives what repeats the newest version, unless there is another meanwhile.
    async fn derive(&self, client: &Client, wrong: &Wrong) -> Result<(), Failure> {
        self.names.load_kinds(client).await?;
        self.names.load_parameters(client, wrong.tenant).await?;
        let entries = wrong.state.description.as_ref().map_or_else(Vec::new, standing);
        let version = Version {
            sequence: wrong.sequence,
            document: wrong.key,
            is_new: false,
            kind: wrong.kind,
            dialect: dialect(&wrong.state).to_owned(),
            shelved: None,
            state: wrong.state.clone(),
            content: None,
            entries,
            links: Vec::new(),
        };
        let needed = stage::unknown(&self.names, wrong.tenant, std::slice::from_ref(&version));
        self.make_names(wrong.tenant, &needed).await?;
        self.locked(client, &wrong.tenant_name).await?;
        let sql = "SELECT max(sequence) FROM version WHERE document = $1";
        let newest: Option<i64> = client.query_one(sql, &[&wrong.key]).await?.get(0);
        if newest == Some(wrong.sequence) {
            let sql = format!(
                "DELETE FROM entry WHERE document = $1 AND parameter IN ({})",
                is_standing("SELECT key")
            );
            client.execute(&sql, &[&wrong.key]).await?;
            stage::derive(client, &self.names, wrong.tenant, &version).await?;
        }
        Ok(client.batch_execute("COMMIT").await?)
    }
}

fn lasting(problem: String) -> Finding {
    Finding { problem, repaired: false }
}

/// Contract 6: from 1 without gaps, later and later.
async fn versions(client: &Client, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let sql = "SELECT k.name || '/' || d.id, v.version, v.before, v.updated_ms > v.updated_before FROM \
               (SELECT document, version, updated_ms, lag(version, 1, 0::bigint) OVER versions AS before, \
                lag(updated_ms, 1, -9223372036854775808) OVER versions AS updated_before FROM version \
                WINDOW versions AS (PARTITION BY document ORDER BY version)) v \
               LEFT JOIN document d ON d.key = v.document LEFT JOIN kind k ON k.key = d.kind \
               WHERE v.version <> v.before + 1 OR v.updated_ms <= v.updated_before";
    for row in client.query(sql, &[]).await? {
        let name: Option<&str> = row.get(0);
        let name = name.unwrap_or_default();
        let (version, before, later): (i64, i64, bool) = (row.get(1), row.get(2), row.get(3));
        findings.push(lasting(if later {
            format!("{name}: version {version} follows version {before}")
        } else {
            format!("{name}: version {version} is not later than the one before")
        }));
    }
    let sql = "SELECT k.name || '/' || d.id FROM document d JOIN kind k ON k.key = d.kind \
               WHERE NOT EXISTS (SELECT 1 FROM version WHERE document = d.key)";
    for row in client.query(sql, &[]).await? {
        findings.push(lasting(format!("{}: has no version", row.get::<_, &str>(0))));
    }
    Ok(())
}

/// A document whose row or entries differ from its newest version.
struct Wrong {
    key: i64,
    tenant: i64,
    tenant_name: String,
    kind: i64,
    sequence: i64,
    state: Document,
}

/// The current version is the newest, and what repeats it says the same.
async fn documents(client: &Client, findings: &mut Vec<Finding>) -> Result<Vec<Wrong>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS}, d.key, d.tenant, t.name, d.kind, d.current, v.sequence, d.updated_ms, d.dialect, \
         d.size_bytes, d.content_type, d.essence \
         FROM (SELECT * FROM document WHERE key > $1 ORDER BY key LIMIT {GROUP}) d \
         JOIN tenant t ON t.key = d.tenant JOIN version v ON v.document = d.key \
          AND v.version = (SELECT max(version) FROM version WHERE document = d.key) {BESIDE} ORDER BY d.key"
    );
    let (mut wrong, mut after) = (Vec::new(), 0_i64);
    loop {
        let rows = client.query(&sql, &[&after]).await?;
        let Some(last) = rows.last() else { return Ok(wrong) };
        after = last.get(EXTRA);
        let keys: Vec<i64> = rows.iter().map(|row| row.get(EXTRA)).collect();
        let found = labels(client, &keys).await?;
        for row in &rows {
            match examine(row, &found) {
                Ok(found) => wrong.extend(found),
                Err(error) => findings.push(lasting(error.to_string())),
            }
        }
    }
}

fn examine(row: &Row, labels: &HashMap<i64, Vec<LabelRow>>) -> Result<Option<Wrong>, Error> {
    let state = record::stored(row, false)?.document;
    let at = |column: usize| EXTRA + column;
    let (key, tenant, kind) = (row.integer(at(0))?, row.integer(at(1))?, row.integer(at(3))?);
    let (current, sequence) = (row.integer(at(4))?, row.integer(at(5))?);
    let repeated: Repeated =
        (row.get(at(6)), row.get(at(7)), row.get(at(8)), row.get(at(9)), row.get(at(10)));
    let found = labels.get(&key).cloned().unwrap_or_default();
    if current == sequence && repeated == repeats(&state) && found == expected(state.description.as_ref()) {
        return Ok(None);
    }
    let tenant_name = row.text(at(2))?.unwrap_or_default().to_owned();
    Ok(Some(Wrong { key, tenant, tenant_name, kind, sequence, state }))
}

/// Time, dialect, size, type and essence as they stand in the document's row.
type Repeated = (Option<i64>, Option<String>, Option<i64>, Option<String>, Option<String>);

fn repeats(document: &Document) -> Repeated {
    if document.description.is_none() {
        return (None, None, None, None, None);
    }
    let facts = document.content();
    (
        Some(document.updated.as_millisecond()),
        Some(dialect(document).to_owned()),
        facts.map(|facts| i64::try_from(facts.size_bytes).unwrap_or(i64::MAX)),
        facts.map(|facts| facts.content_type.as_str().to_owned()),
        facts.map(|facts| facts.content_type.essence().to_owned()),
    )
}

/// A label as it is found: parameter, system or type, code or id.
type LabelRow = (String, String, String);

fn expected(description: Option<&Description>) -> Vec<LabelRow> {
    let entries = description.map_or_else(Vec::new, standing);
    let row = |entry: Entry| {
        let (of, code) = match &entry.value {
            EntryValue::Token { system, code } => {
                let system = word(system.as_deref().unwrap_or_default()).into_owned();
                (system, clean(code.as_deref().unwrap_or_default()).into_owned())
            }
            EntryValue::Reference { kind, id } => (kind.as_str().to_owned(), id.as_str().to_owned()),
            _ => (String::new(), String::new()),
        };
        (entry.parameter.into_owned(), of, code)
    };
    let mut rows: Vec<LabelRow> = entries.into_iter().map(row).collect();
    rows.sort_unstable();
    rows
}

/// The parameters that are one of [`STANDING`].
fn is_standing(select: &str) -> String {
    format!("{select} FROM parameter WHERE name IN ('{}')", STANDING.join("', '"))
}

async fn labels(client: &Client, keys: &[i64]) -> Result<HashMap<i64, Vec<LabelRow>>, Failure> {
    let sql = format!(
        "SELECT e.document, p.name, coalesce(CASE p.shape WHEN 2 THEN k.name ELSE s.name END, ''), \
         coalesce(e.third, e.whole, e.value) FROM entry e JOIN ({}) p ON p.key = e.parameter \
         LEFT JOIN system s ON s.key::text = e.second AND p.shape <> 2 \
         LEFT JOIN kind k ON k.key::text = e.second AND p.shape = 2 WHERE e.document = ANY ($1)",
        is_standing("SELECT key, name, shape")
    );
    let mut found: HashMap<i64, Vec<LabelRow>> = HashMap::new();
    for row in client.query(&sql, &[&keys]).await? {
        found.entry(row.get(0)).or_default().push((row.get(1), row.get(2), row.get(3)));
    }
    found.values_mut().for_each(|rows| rows.sort_unstable());
    Ok(found)
}

/// Entries belong to undeleted documents of their parameter's tenant and type, links to versions, all of them to a
/// tenant and a type. Whether they are the right ones only those can tell who made them. With what removes them.
async fn strays(client: &Client) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    for (what, table, stray) in [
        (
            "entries belong to no document",
            "entry",
            "NOT EXISTS (SELECT 1 FROM document d JOIN parameter p ON p.tenant = d.tenant AND p.kind = d.kind \
             AND p.dialect = d.dialect WHERE d.key = entry.document AND p.key = entry.parameter \
             AND d.updated_ms IS NOT NULL)",
        ),
        (
            "links belong to no version",
            "link",
            "NOT EXISTS (SELECT 1 FROM version v WHERE v.sequence = link.sequence \
             AND v.document = link.document AND v.tenant = link.tenant)",
        ),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE {stray}");
        let number: i64 = client.query_one(&sql, &[]).await?.get(0);
        if number > 0 {
            let problem = format!("search index: {number} {what}");
            found.push((problem, format!("DELETE FROM {table} WHERE {stray}")));
        }
    }
    Ok(found)
}

/// A tally that is wrong.
struct Counted {
    problem: String,
    tenant: i64,
    name: String,
    kind: i64,
    dialect: String,
}

async fn tallies(client: &Client) -> Result<Vec<Counted>, Failure> {
    let sql = "SELECT s.tenant, t.name, s.kind, n.name, s.dialect, s.said, s.versions_said, s.has, s.versions_has FROM \
               (SELECT tenant, kind, dialect, sum(said)::bigint AS said, sum(versions_said)::bigint AS versions_said, \
                sum(has)::bigint AS has, sum(versions_has)::bigint AS versions_has FROM \
                (SELECT tenant, kind, dialect, documents AS said, versions AS versions_said, 0 AS has, \
                 0 AS versions_has FROM tally \
                 UNION ALL SELECT tenant, kind, dialect, 0, 0, count(*), 0 FROM document \
                 WHERE updated_ms IS NOT NULL GROUP BY tenant, kind, dialect \
                 UNION ALL SELECT tenant, kind, dialect, 0, 0, 0, count(*) FROM version \
                 GROUP BY tenant, kind, dialect) c GROUP BY tenant, kind, dialect) s \
               JOIN tenant t ON t.key = s.tenant JOIN kind n ON n.key = s.kind \
               WHERE s.said <> s.has OR s.versions_said <> s.versions_has";
    let counted = |row: &Row| {
        let (name, kind_name, dialect): (String, &str, String) = (row.get(1), row.get(3), row.get(4));
        let said: (i64, i64) = (row.get(5), row.get(6));
        let has: (i64, i64) = (row.get(7), row.get(8));
        let problem = format!(
            "tenant {name}: counts {said:?} documents and versions of {kind_name} {dialect:?}, has {has:?}"
        );
        Counted { problem, tenant: row.get(0), name, kind: row.get(2), dialect }
    };
    Ok(client.query(sql, &[]).await?.iter().map(counted).collect())
}

const RECOUNT: &str = "INSERT INTO tally (tenant, kind, dialect, documents, versions) SELECT $1, $2, $3, \
     (SELECT count(*) FROM document WHERE tenant = $1 AND kind = $2 AND dialect = $3 AND updated_ms IS NOT NULL), \
     (SELECT count(*) FROM version WHERE tenant = $1 AND kind = $2 AND dialect = $3) \
     ON CONFLICT (tenant, kind, dialect) DO UPDATE SET documents = excluded.documents, versions = excluded.versions";
