//! What a commit knows: what its transactions are about is read in one go at its beginning, the rest when it is asked for.

use std::collections::HashSet;

use charta_model::{Digest, Intent, ResourceId, ResourceType};
use deadpool_postgres::ClientWrapper as Client;

use super::{Asked, Batch, Name, Newest, User, Value};
use crate::{
    Error,
    catalog::{
        postgres::{Node, failure::Failure, moving::STANDSTILL, names::Names, read},
        record::{self, BESIDE, COLUMNS, EXTRA},
    },
};

/// Begins the transaction of a commit and reads what it is about. Everything is sent at once; the lock is had before
/// the rest is answered.
pub(in crate::catalog::postgres) async fn begin<'b>(
    node: &'b Node,
    client: &'b Client,
    (tenant, lock): (i64, i64),
    asked: &[Asked],
) -> Result<Batch<'b>, Failure> {
    let names = &node.names;
    let (targets, uploads) = (targets(asked), uploads(asked));
    let writes = asked.iter().map(|asked| asked.writes.len()).sum::<usize>();
    let numbers = i64::try_from(writes).unwrap_or(i64::MAX);
    let fresh = client.prepare_cached(
        "SELECT nextval('version_sequence'), nextval('document_key'), nextval('content_key') \
         FROM generate_series(1, $1::bigint)",
    );
    let fresh = fresh.await?;
    let contents = client.prepare_cached(
        "SELECT c.key, c.digest, c.size_bytes, c.file FROM unnest($2::bytea[]) n (digest) CROSS JOIN LATERAL \
           (SELECT * FROM content WHERE tenant = $1 AND digest = n.digest LIMIT 1) c",
    );
    let contents = contents.await?;
    let announced =
        client.prepare_cached("DELETE FROM announced WHERE file = ANY ($1) RETURNING file").await?;
    let mut batch = Batch::empty(node, client, tenant);
    let (newest_sql, users_sql) = (newest_sql(), USERS);
    let newest = client.prepare_cached(&newest_sql).await?;
    let users = client.prepare_cached(users_sql).await?;
    let Columns { kinds, ids, binaries } = Columns::of(names, &targets);
    let digests: Vec<&[u8]> = uploads.digests.iter().map(|digest| &digest.as_bytes()[..]).collect();
    let standstill = client.prepare_cached(STANDSTILL).await?;
    // Decision 0019: what stops all commits takes the gate alone.
    let gate = node.gate();
    let begin =
        format!("BEGIN; SELECT pg_advisory_xact_lock_shared({gate}); SELECT pg_advisory_xact_lock({lock})");
    let (of_newest, of_users): ([Value<'_>; 3], [Value<'_>; 2]) =
        ([&tenant, &kinds, &ids], [&tenant, &binaries]);
    let (of_contents, of_announced): ([Value<'_>; 2], [Value<'_>; 1]) =
        ([&tenant, &digests], [&uploads.announced]);
    let of_fresh: [Value<'_>; 1] = [&numbers];
    // Contract 11: each of these sees what was committed before the lock was had.
    let (begun, standstill, newest, users, contents, announced, fresh) = tokio::join!(
        biased;
        client.batch_execute(&begin),
        client.query_opt(&standstill, &[]),
        client.query(&newest, &of_newest),
        client.query(&users, &of_users),
        async {
            if digests.is_empty() { Ok(Vec::new()) } else { client.query(&contents, &of_contents).await }
        },
        async {
            if uploads.announced.is_empty() {
                Ok(Vec::new())
            } else {
                client.query(&announced, &of_announced).await
            }
        },
        client.query(&fresh, &of_fresh),
    );
    begun?;
    if standstill?.is_some() {
        client.batch_execute("ROLLBACK").await?;
        return Err(Error::Standstill.into());
    }
    batch.remember_newest(&targets, &newest?)?;
    batch.remember_users(&targets, &users?)?;
    for row in contents? {
        let record = read::content_record(&row)?;
        batch.contents.insert(record.digest, record);
    }
    batch.announced = announced?.iter().map(|row| row.get(0)).collect();
    let fresh: Vec<_> = fresh?.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    batch.fresh = fresh.into_iter();
    Ok(batch)
}

/// One look into the index for each name. As a plain join, and without statistics, it would go through a whole type.
pub(super) fn newest_sql() -> String {
    format!(
        "SELECT {COLUMNS}, d.key FROM unnest($2::bigint[], $3::text[]) n (kind, id) CROSS JOIN LATERAL \
           (SELECT * FROM document WHERE tenant = $1 AND kind = n.kind AND id = n.id LIMIT 1) d \
         JOIN version v ON v.sequence = d.current {BESIDE}"
    )
}

/// Who names these Binaries by whatever is current, newest first.
const USERS: &str = "SELECT l.\"binary\", l.document, k.name, d.id FROM link l \
    JOIN document d ON d.key = l.document AND d.current = l.sequence JOIN kind k ON k.key = d.kind \
    WHERE l.tenant = $1 AND l.\"binary\" = ANY ($2) AND l.version = -1 AND NOT l.in_error \
    ORDER BY l.sequence DESC";

/// The documents that writes name by themselves.
fn targets(asked: &[Asked]) -> Vec<Name> {
    let mut targets = HashSet::new();
    for write in asked.iter().flat_map(|asked| &asked.writes) {
        let mut add = |id: &ResourceId| {
            targets.insert((write.kind.clone(), id.clone()));
        };
        match &write.intent {
            Intent::Create { id } | Intent::Update { id } | Intent::Delete { id } => add(id),
            Intent::CreateUnlessExists { fresh, .. } => add(fresh),
            Intent::UpdateMatching { claimed, fresh, .. } => {
                add(fresh);
                claimed.iter().for_each(add);
            }
            Intent::DeleteMatching { .. } => {}
        }
    }
    targets.into_iter().collect()
}

/// What was uploaded, as far as it is looked up.
struct Uploads {
    digests: Vec<Digest>,
    announced: Vec<String>,
}

fn uploads(asked: &[Asked]) -> Uploads {
    let all = || asked.iter().flat_map(|asked| &asked.contents).flatten();
    let announced = all().filter(|brought| brought.is_announced).filter_map(|brought| brought.file.clone());
    Uploads { announced: announced.collect(), digests: all().map(|brought| brought.digest).collect() }
}

/// Names beside each other, as statements take them.
pub(super) struct Columns<'t> {
    pub(super) kinds: Vec<i64>,
    pub(super) ids: Vec<&'t str>,
    pub(super) binaries: Vec<&'t str>,
}

impl<'t> Columns<'t> {
    pub(super) fn of(names: &Names, targets: &'t [Name]) -> Self {
        let (kinds, ids) =
            targets.iter().filter_map(|(kind, id)| Some((names.kind(kind)?, id.as_str()))).unzip();
        let binaries =
            targets.iter().filter(|(kind, _)| kind.is_binary()).map(|(_, id)| id.as_str()).collect();
        Self { kinds, ids, binaries }
    }
}

impl Batch<'_> {
    pub(super) fn remember_newest(
        &mut self,
        asked: &[Name],
        rows: &[tokio_postgres::Row],
    ) -> Result<(), Error> {
        for name in asked {
            self.newest.entry(name.clone()).or_insert(None);
        }
        for row in rows {
            let state = record::stored(row, false)?.document;
            let name = (state.kind.clone(), state.id.clone());
            self.newest.insert(name, Some(Newest { key: row.get(EXTRA), state }));
        }
        Ok(())
    }

    fn remember_users(&mut self, asked: &[Name], rows: &[tokio_postgres::Row]) -> Result<(), Error> {
        for (_, binary) in asked.iter().filter(|(kind, _)| kind.is_binary()) {
            self.users.entry(binary.clone()).or_default();
        }
        for row in rows {
            let user = User { document: row.get(1), name: (record::kind(row, 2)?, record::id(row, 3)?) };
            self.users.entry(record::id(row, 0)?).or_default().push(user);
        }
        Ok(())
    }

    /// The newest version of a document, be it a deletion.
    pub(super) async fn newest(&mut self, name: &Name) -> Result<Option<Newest>, Failure> {
        if let Some(known) = self.newest.get(name) {
            return Ok(known.clone());
        }
        let asked = std::slice::from_ref(name);
        let Columns { kinds, ids, .. } = Columns::of(self.names, asked);
        let statement = self.client.prepare_cached(&newest_sql()).await?;
        let rows = self.client.query(&statement, &[&self.tenant, &kinds, &ids]).await?;
        self.remember_newest(asked, &rows)?;
        Ok(self.newest.get(name).cloned().flatten())
    }

    /// A current document that names this Binary by whatever is current, and is not in error.
    pub(super) async fn user(&mut self, binary: &ResourceId) -> Result<Option<Name>, Failure> {
        if let Some((name, _)) = self.uses.values().find(|(_, named)| named.contains(binary)) {
            return Ok(Some(name.clone()));
        }
        if !self.users.contains_key(binary) {
            let statement = self.client.prepare_cached(USERS).await?;
            let rows = self.client.query(&statement, &[&self.tenant, &vec![binary.as_str()]]).await?;
            self.remember_users(&[(ResourceType::BINARY, binary.clone())], &rows)?;
        }
        let users = self.users.get(binary).into_iter().flatten();
        let mut others = users.filter(|user| !self.uses.contains_key(&user.document));
        Ok(others.next().map(|user| user.name.clone()))
    }
}
