//! Who refers to what: documents to documents by the entries of current versions, versions to Binaries by
//! links.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use charta_model::{ResourceId, ResourceType, Scope, TenantId};
use rusqlite::{Connection, OptionalExtension, params};

use super::read;
use crate::{
    Error, Referrer, Stored,
    catalog::{
        entry::{Shape, WHICHEVER},
        record::{self, BESIDE, COLUMNS, EXTRA},
    },
};

/// The versions that name a Binary as their content, newest first.
pub(super) fn referrers(
    connection: &Connection,
    tenant: &TenantId,
    binary: &ResourceId,
    limit: usize,
) -> Result<Vec<Referrer>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, d.current = l.sequence, l.version, l.in_error FROM link l \
         JOIN version v ON v.sequence = l.sequence JOIN document d ON d.key = v.document {BESIDE} \
         WHERE l.tenant = (SELECT key FROM tenant WHERE name = ?) AND l.binary = ? \
         ORDER BY l.sequence DESC, l.version DESC LIMIT ?"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![tenant.as_str(), binary.as_str(), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let version: i64 = row.get(EXTRA + 1)?;
        found.push(Referrer {
            document: Arc::new(record::stored(row, false)?),
            current: row.get(EXTRA)?,
            version: u64::try_from(version).ok(),
            in_error: row.get(EXTRA + 2)?,
        });
    }
    Ok(found)
}

/// The documents that name a Binary as their content, in any version.
pub(super) fn anchors(
    connection: &Connection,
    tenant: &TenantId,
    binary: &ResourceId,
    limit: usize,
) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT k.name, d.id FROM link l JOIN document d ON d.key = l.document \
         JOIN kind k ON k.key = d.kind \
         WHERE l.tenant = (SELECT key FROM tenant WHERE name = ?) AND l.binary = ? LIMIT ?",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![tenant.as_str(), binary.as_str(), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((record::kind(row, 0)?, record::id(row, 1)?));
    }
    Ok(found)
}

/// A current document that names the Binary by whatever version is current, and is not in error.
pub(super) fn in_use(
    connection: &Connection,
    tenant: &TenantId,
    binary: &ResourceId,
) -> Result<Option<(ResourceType, ResourceId)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT k.name, d.id FROM link l JOIN document d ON d.key = l.document AND d.current = l.sequence \
         JOIN kind k ON k.key = d.kind \
         WHERE l.tenant = (SELECT key FROM tenant WHERE name = ?) AND l.binary = ? AND l.version = ? \
         AND NOT l.in_error ORDER BY l.sequence DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![tenant.as_str(), binary.as_str(), WHICHEVER])?;
    rows.next()?.map(|row| Ok((record::kind(row, 0)?, record::id(row, 1)?))).transpose()
}

/// What current documents refer to, each once, in the order of `from`.
pub(super) fn references(
    connection: &Connection,
    tenant: &TenantId,
    from: &[(ResourceType, ResourceId)],
    parameter: Option<&str>,
    target: Option<&ResourceType>,
) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT k.name, e.value FROM document d CROSS JOIN entry e ON e.document = d.key \
         CROSS JOIN parameter p ON p.key = e.parameter JOIN kind k ON k.key = e.second \
         WHERE d.tenant = ?1 AND d.kind = (SELECT key FROM kind WHERE name = ?2) AND d.id = ?3 \
         AND p.shape = ?4 AND (?5 IS NULL OR p.name = ?5) AND (?6 IS NULL OR k.name = ?6) \
         ORDER BY e.parameter, e.number",
    )?;
    let (shape, target) = (Shape::Reference as i64, target.map(ResourceType::as_str));
    let (mut found, mut known) = (Vec::new(), HashSet::new());
    for (kind, id) in from {
        let mut rows =
            statement.query(params![tenant, kind.as_str(), id.as_str(), shape, parameter, target])?;
        while let Some(row) = rows.next()? {
            let named = (record::kind(row, 0)?, record::id(row, 1)?);
            if known.insert(named.clone()) {
                found.push(named);
            }
        }
    }
    Ok(found)
}

/// The first current documents of `scope`, by id, that refer to any of these.
pub(super) fn referring(
    connection: &Connection,
    tenant: &TenantId,
    to: &[(ResourceType, ResourceId)],
    scope: &Scope,
    parameter: Option<&str>,
    limit: usize,
) -> Result<Vec<Arc<Stored>>, Error> {
    let Some(tenant) = read::tenant_key(connection, tenant)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT p.key FROM parameter p WHERE p.tenant = ?1 \
         AND p.kind = (SELECT key FROM kind WHERE name = ?2) AND p.shape = ?3 AND (?4 IS NULL OR p.name = ?4) \
         AND (?5 IS NULL OR p.dialect = ?5)",
    )?;
    let values = params![tenant, scope.kind.as_str(), Shape::Reference as i64, parameter, scope.dialect];
    let parameters: Vec<i64> = statement.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT e.document FROM entry e INDEXED BY entry_value \
         WHERE e.parameter = ? AND e.value = ? AND e.second = ?",
    )?;
    let mut keys: BTreeSet<i64> = BTreeSet::new();
    for (kind, id) in to {
        let Some(kind) = read::kind_key(connection, kind)? else { continue };
        for parameter in &parameters {
            let rows = statement.query_map(params![parameter, id.as_str(), kind], |row| row.get(0))?;
            for key in rows {
                keys.insert(key?);
            }
        }
    }
    first_by_id(connection, &keys, limit)
}

fn first_by_id(
    connection: &Connection,
    keys: &BTreeSet<i64>,
    limit: usize,
) -> Result<Vec<Arc<Stored>>, Error> {
    let mut statement = connection.prepare_cached("SELECT id, current FROM document WHERE key = ?")?;
    let mut named: Vec<(String, i64)> = Vec::new();
    for key in keys {
        named.extend(statement.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?);
    }
    named.sort_unstable();
    named.truncate(limit);
    let versions =
        named.into_iter().filter_map(|(_, sequence)| read::at_sequence(connection, sequence).transpose());
    versions.map(|stored| stored.map(Arc::new)).collect()
}
