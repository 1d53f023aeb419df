//! Versions that come from another catalog as they are there.

use std::collections::HashSet;

use charta_model::{Digest, Index, ResourceType, TenantId};

use super::{
    Batch, Brought, Name, Value,
    known::{Columns, newest_sql},
};
use crate::{
    Error, Uploaded,
    catalog::{
        moving::Moved,
        postgres::{
            Node,
            failure::Failure,
            moving::{assert_adopting, last_of},
            names::Needed,
            read,
            remove::PURGE,
            schema::lock_key,
            search::Place,
        },
    },
};

impl Node {
    /// Stores versions; keeps what their records name and leaves what they may name.
    pub(in crate::catalog::postgres) async fn adopt(
        &self,
        tenant: &TenantId,
        after: u64,
        versions: Vec<(Moved, Option<Uploaded>)>,
    ) -> Result<(), Error> {
        let (versions, contents): (Vec<Moved>, Vec<Option<Uploaded>>) = versions.into_iter().unzip();
        let brought: Vec<Option<Brought>> =
            contents.iter().map(|content| content.as_ref().map(Brought::of)).collect();
        let adopted = self.store_as_they_are(tenant, after, &versions, &brought).await;
        let contents = contents.into_iter();
        match adopted {
            Ok(adopted) => {
                let kept = contents.zip(adopted).filter(|(_, adopted)| *adopted);
                kept.filter_map(|(content, _)| content).for_each(Uploaded::keep);
                Ok(())
            }
            Err((Failure { error, .. }, undecided)) => {
                // Contract 2: a record may name the bytes; a sweep finds out.
                contents.flatten().filter(|_| undecided).for_each(Uploaded::leave);
                Err(error)
            }
        }
    }

    /// Says of each whether a record names the content that came with it; of a failure, whether it may have come about.
    async fn store_as_they_are(
        &self,
        tenant: &TenantId,
        after: u64,
        versions: &[Moved],
        brought: &[Option<Brought>],
    ) -> Result<Vec<bool>, (Failure, bool)> {
        let before = |failure: Failure| (failure, false);
        let lease = self.pools.writer().await.map_err(before)?;
        let client = lease.client().map_err(before)?;
        let lock = lock_key(&self.schema, &format!("tenant/{tenant}"));
        let key = self.names.make_tenant(client, tenant).await.map_err(before)?;
        let kinds: HashSet<ResourceType> =
            versions.iter().map(|moved| moved.stored.document.kind.clone()).collect();
        self.make_names(key, &Needed { kinds, ..Needed::default() }).await.map_err(before)?;
        let announced = brought.iter().flatten().filter(|brought| brought.is_announced);
        let announced = announced.filter_map(|brought| brought.file.clone()).collect();
        let gate = self.gate();
        let mut batch = Batch::empty(self, client, key);
        let begun = batch.begin_adoption((gate, lock), after, versions, announced).await;
        begun.map_err(before)?;
        let mut adopted = Vec::with_capacity(versions.len());
        for (moved, brought) in versions.iter().zip(brought) {
            adopted.push(batch.adopt(moved, brought.as_ref()).await.map_err(before)?);
        }
        batch.commit().await?;
        lease.free();
        Ok(adopted)
    }
}

impl Batch<'_> {
    /// Takes the locks and reads what these versions are about.
    async fn begin_adoption(
        &mut self,
        (gate, lock): (i64, i64),
        after: u64,
        versions: &[Moved],
        announced: Vec<String>,
    ) -> Result<(), Failure> {
        let (client, names, tenant) = (self.client, self.names, self.tenant);
        let begin = format!(
            "BEGIN; SELECT pg_advisory_xact_lock_shared({gate}); SELECT pg_advisory_xact_lock({lock})"
        );
        client.batch_execute(&begin).await?;
        assert_adopting(super::moving::standstill(client).await?)?;
        if last_of(Place { client, names, tenant }).await? != after {
            return Err(Error::Unusable("somebody else moves to this store at the same time").into());
        }
        let targets: HashSet<Name> = versions.iter().map(name_of).collect();
        let targets: Vec<Name> = targets.into_iter().collect();
        let Columns { kinds, ids, .. } = Columns::of(names, &targets);
        let of_newest: [Value<'_>; 3] = [&tenant, &kinds, &ids];
        let newest = client.prepare_cached(&newest_sql()).await?;
        self.remember_newest(&targets, &client.query(&newest, &of_newest).await?)?;
        let facts = versions.iter().filter_map(|moved| moved.stored.document.content());
        let digests: Vec<Digest> = facts.map(|facts| facts.digest).collect();
        let digests: Vec<&[u8]> = digests.iter().map(|digest| &digest.as_bytes()[..]).collect();
        let sql = "SELECT key, digest, size_bytes, file FROM content WHERE tenant = $1 AND digest = ANY ($2)";
        for row in client.query(sql, &[&tenant, &digests]).await? {
            let record = read::content_record(&row)?;
            self.contents.insert(record.digest, record);
        }
        let sql = "DELETE FROM announced WHERE file = ANY ($1) RETURNING file";
        self.announced = client.query(sql, &[&announced]).await?.iter().map(|row| row.get(0)).collect();
        let sql = "SELECT 0::bigint, nextval('document_key'), nextval('content_key') \
                   FROM generate_series(1, $1::bigint)";
        let number = i64::try_from(versions.len()).unwrap_or(i64::MAX);
        let fresh = client.query(sql, &[&number]).await?;
        let fresh: Vec<_> = fresh.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        self.fresh = fresh.into_iter();
        Ok(())
    }

    /// Whether a record names the content that came with it.
    async fn adopt(&mut self, moved: &Moved, content: Option<&Brought>) -> Result<bool, Failure> {
        let document = moved.stored.document.clone();
        let name = name_of(moved);
        let mut newest = self.newest(&name).await?;
        if document.version == 1
            && let Some(purged) = newest.take()
        {
            // It was purged where it comes from, and made anew.
            for sql in PURGE {
                self.client.execute(sql, &[&purged.key]).await?;
            }
            self.newest.insert(name, None);
        }
        if document.version != newest.as_ref().map_or(0, |newest| newest.state.version) + 1 {
            let charta_model::Document { kind, id, version, .. } = document;
            let problem = format!("{kind}/{id}: version {version} lacks the one before");
            return Err(Error::Corrupt(problem.into()).into());
        }
        let entries = moved.entries.clone().unwrap_or_default();
        let index = Index { entries, links: moved.links.clone() };
        let sequence = i64::try_from(moved.sequence).unwrap_or(i64::MAX);
        let (adopted, _) = self.store(Some(sequence), newest, document, Some(&index), content)?;
        Ok(adopted)
    }
}

fn name_of(moved: &Moved) -> Name {
    let document = &moved.stored.document;
    (document.kind.clone(), document.id.clone())
}
