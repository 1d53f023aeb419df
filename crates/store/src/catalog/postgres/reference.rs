//! Who refers to what: documents to documents by the entries of current versions, versions to Binaries by
//! links.

use std::{collections::HashSet, sync::Arc};

use charta_model::{ResourceId, ResourceType, Scope, TenantId};

use super::{failure::Failure, search::Place};
use crate::{
    Referrer, Stored,
    catalog::{
        entry::Shape,
        record::{self, BESIDE, COLUMNS, Columns as _, EXTRA},
    },
};

/// The versions that name a Binary as their content, newest first.
pub(super) async fn referrers(
    client: &deadpool_postgres::ClientWrapper,
    tenant: &TenantId,
    binary: &ResourceId,
    limit: usize,
) -> Result<Vec<Referrer>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS}, d.current = l.sequence, l.version, l.in_error FROM link l \
         JOIN version v ON v.sequence = l.sequence JOIN document d ON d.key = v.document {BESIDE} \
         WHERE l.tenant = (SELECT key FROM tenant WHERE name = $1) AND l.\"binary\" = $2 \
         ORDER BY l.sequence DESC, l.version DESC LIMIT $3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &[&tenant.as_str(), &binary.as_str(), &limit]).await?;
    let referrer = |row: &tokio_postgres::Row| {
        Ok(Referrer {
            document: Arc::new(record::stored(row, false)?),
            current: row.get(EXTRA),
            version: u64::try_from(row.integer(EXTRA + 1)?).ok(),
            in_error: row.get(EXTRA + 2),
        })
    };
    rows.iter().map(referrer).collect()
}

/// The documents that name a Binary as their content, in any version.
pub(super) async fn anchors(
    client: &deadpool_postgres::ClientWrapper,
    tenant: &TenantId,
    binary: &ResourceId,
    limit: usize,
) -> Result<Vec<(ResourceType, ResourceId)>, Failure> {
    let sql = "SELECT DISTINCT k.name, d.id FROM link l JOIN document d ON d.key = l.document \
               JOIN kind k ON k.key = d.kind \
               WHERE l.tenant = (SELECT key FROM tenant WHERE name = $1) AND l.\"binary\" = $2 LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant.as_str(), &binary.as_str(), &limit]).await?;
    rows.iter().map(|row| Ok((record::kind(row, 0)?, record::id(row, 1)?))).collect()
}

/// Types and ids, each beside the other.
fn columns(of: &[(ResourceType, ResourceId)]) -> (Vec<&str>, Vec<&str>) {
    of.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip()
}

/// What current documents refer to, each once, in the order of `from`.
pub(super) async fn references(
    place: Place<'_>,
    from: &[(ResourceType, ResourceId)],
    parameter: Option<&str>,
    target: Option<&ResourceType>,
) -> Result<Vec<(ResourceType, ResourceId)>, Failure> {
    let sql = "SELECT t.name, e.value FROM unnest($2::text[], $3::text[]) WITH ORDINALITY f (kind, id, at) \
               JOIN kind k ON k.name = f.kind \
               JOIN document d ON d.tenant = $1 AND d.kind = k.key AND d.id = f.id \
               JOIN entry e ON e.document = d.key JOIN parameter p ON p.key = e.parameter AND p.shape = 2 \
               JOIN kind t ON t.key = CASE WHEN p.shape = 2 THEN e.second::bigint END \
               WHERE ($4::text IS NULL OR p.name = $4) AND ($5::text IS NULL OR t.name = $5) \
               ORDER BY f.at, e.parameter, e.number";
    let (kinds, ids) = columns(from);
    let target = target.map(ResourceType::as_str);
    let statement = place.client.prepare_cached(sql).await?;
    let rows = place.client.query(&statement, &[&place.tenant, &kinds, &ids, &parameter, &target]).await?;
    let (mut found, mut known) = (Vec::new(), HashSet::new());
    for row in &rows {
        let named = (record::kind(row, 0)?, record::id(row, 1)?);
        if known.insert(named.clone()) {
            found.push(named);
        }
    }
    Ok(found)
}

/// The first current documents of `scope`, by id, that refer to any of these.
pub(super) async fn referring(
    place: Place<'_>,
    to: &[(ResourceType, ResourceId)],
    scope: &Scope,
    parameter: Option<&str>,
    limit: usize,
) -> Result<Vec<Arc<Stored>>, Failure> {
    // Parameters times targets, each one stretch of the index.
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT d.* FROM document d WHERE d.key = ANY (ARRAY( \
           SELECT DISTINCT e.document FROM parameter p \
           JOIN unnest($2::text[], $3::text[]) t (kind, id) ON true JOIN kind k ON k.name = t.kind \
           CROSS JOIN LATERAL (SELECT document FROM entry \
             WHERE parameter = p.key AND value = t.id AND second = k.key::text OFFSET 0) e \
           WHERE p.tenant = $1 AND p.kind = (SELECT key FROM kind WHERE name = $4) AND p.shape = {} \
           AND ($5::text IS NULL OR p.name = $5) AND ($6::text IS NULL OR p.dialect = $6))) \
         ORDER BY d.id LIMIT $7) d JOIN version v ON v.sequence = d.current {BESIDE} ORDER BY d.id",
        Shape::Reference as i16
    );
    let (kinds, ids) = columns(to);
    let (kind, limit) = (scope.kind.as_str(), i64::try_from(limit).unwrap_or(i64::MAX));
    let statement = place.client.prepare_cached(&sql).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
        [&place.tenant, &kinds, &ids, &kind, &parameter, &scope.dialect, &limit];
    let rows = place.client.query(&statement, &values).await?;
    rows.iter().map(|row| Ok(Arc::new(record::stored(row, false)?))).collect()
}
