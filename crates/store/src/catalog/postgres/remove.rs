//! What takes away: purges, sweeps and their announcements, and the locks between them.

use std::time::Duration;

use charta_model::{ResourceId, ResourceType, TenantId};

use super::{
    Node,
    failure::Failure,
    moving,
    pool::Lease,
    read::{self, STALE},
    schema::lock_key,
};
use crate::{
    Error,
    catalog::{Forgotten, moving::Standstill},
};

impl Node {
    /// Begins a transaction under a tenant's lock.
    async fn begin(&self, lease: &Lease, tenant: &str) -> Result<(), Failure> {
        let lock = lock_key(&self.schema, &format!("tenant/{tenant}"));
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({lock})");
        Ok(lease.client()?.batch_execute(&begin).await?)
    }

    /// Removes a document with every version. Its contents become doubtful; a sweep looks at them.
    pub(super) async fn purge(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
        expected: Option<Standstill>,
    ) -> Result<bool, Failure> {
        let lease = self.pools.writer().await?;
        let client = lease.client()?;
        let lock = lock_key(&self.schema, &format!("tenant/{tenant}"));
        let gate = self.gate();
        let begin = format!(
            "BEGIN; SELECT pg_advisory_xact_lock_shared({gate}); SELECT pg_advisory_xact_lock({lock})"
        );
        client.batch_execute(&begin).await?;
        // Decision 0019: only a copy on its way purges what was purged where it comes from.
        if moving::standstill(client).await? != expected {
            client.batch_execute("ROLLBACK").await?;
            lease.free();
            let no_copy = Error::Unusable("the target is no copy on its way");
            return Err(expected.map_or(Error::Standstill, |_| no_copy).into());
        }
        let sql = "SELECT d.key FROM document d WHERE d.tenant = (SELECT key FROM tenant WHERE name = $1) \
                   AND d.kind = (SELECT key FROM kind WHERE name = $2) AND d.id = $3";
        let row = client.query_opt(sql, &[&tenant.as_str(), &kind.as_str(), &id.as_str()]).await?;
        let key: Option<i64> = row.map(|row| row.get(0));
        if let Some(key) = key {
            for sql in PURGE {
                client.execute(sql, &[&key]).await?;
            }
        }
        client.batch_execute("COMMIT").await?;
        lease.free();
        Ok(key.is_some())
    }

    /// Removes the records of content that no version refers to, tenant by tenant.
    pub(super) async fn forget_unreferenced(&self) -> Result<Forgotten, Failure> {
        let lease = self.pools.writer().await?;
        let sql = "SELECT DISTINCT t.name FROM doubtful f JOIN content c ON c.key = f.content \
                   JOIN tenant t ON t.key = c.tenant";
        let tenants = lease.client()?.query(sql, &[]).await?;
        let mut forgotten = Forgotten::default();
        for tenant in tenants {
            let tenant: &str = tenant.get(0);
            self.begin(&lease, tenant).await?;
            let row = lease.client()?.query_one(FORGET, &[&tenant]).await?;
            lease.client()?.batch_execute("COMMIT").await?;
            forgotten.contents += row.get::<_, i64>(0).unsigned_abs();
            forgotten.bytes += row.get::<_, i64>(1).unsigned_abs();
        }
        lease.client()?.execute(&given_up(), &[]).await?;
        let trash = lease.client()?.query("SELECT file FROM trash", &[]).await?;
        forgotten.keys = trash.iter().map(|row| row.get(0)).collect();
        lease.free();
        Ok(forgotten)
    }

    /// Forgets keys whose content has been removed.
    pub(super) async fn removed(&self, keys: &[String]) -> Result<(), Failure> {
        let lease = self.pools.writer().await?;
        lease.client()?.execute("DELETE FROM trash WHERE file = ANY ($1)", &[&keys]).await?;
        lease.free();
        Ok(())
    }

    /// Says that there will be content under a key before its record is there.
    pub(super) async fn announce(&self, key: &str) -> Result<(), Failure> {
        let lease = self.pools.writer().await?;
        let client = lease.client()?;
        let statement = client.prepare_cached("INSERT INTO announced (file) VALUES ($1)").await?;
        client.execute(&statement, &[&key]).await?;
        lease.free();
        Ok(())
    }

    /// Contract 8: which of these keys, that were listed before, belong to whoever sweeps. What was announced long ago
    /// is taken out of there, and a commit that holds it is waited for; only then is looked for records.
    pub(super) async fn claim(&self, keys: &[String]) -> Result<Vec<bool>, Failure> {
        let lease = self.pools.writer().await?;
        let client = lease.client()?;
        let sql = format!("DELETE FROM announced WHERE file = ANY ($1) AND {STALE}");
        client.execute(&sql, &[&keys]).await?;
        let known = read::known(client, keys).await?;
        lease.free();
        Ok(known.into_iter().map(|known| !known).collect())
    }

    /// The lock between sweeps and those who need that nothing is swept, if it is free.
    async fn try_sweep_lock(&self, kind: Kind) -> Result<Option<SweepGuard>, Failure> {
        let lease = self.pools.lasting().await?;
        let key = lock_key(&self.schema, "sweep");
        let (take, release) = match kind {
            Kind::Alone => ("pg_try_advisory_lock", "pg_advisory_unlock"),
            Kind::Shared => ("pg_try_advisory_lock_shared", "pg_advisory_unlock_shared"),
        };
        let row = lease.client()?.query_one(&format!("SELECT {take}({key})"), &[]).await?;
        if row.get(0) {
            return Ok(Some(SweepGuard { lease: Some(lease), release: format!("SELECT {release}({key})") }));
        }
        lease.free();
        Ok(None)
    }

    /// For a sweep; `None` if it is held by others for longer than it takes to let go.
    pub(super) async fn begin_sweep(&self) -> Result<Option<SweepGuard>, Failure> {
        for _ in 0..10 {
            if let Some(guard) = self.try_sweep_lock(Kind::Alone).await? {
                return Ok(Some(guard));
            }
            tokio::time::sleep(BETWEEN).await;
        }
        Ok(None)
    }

    /// Waits for a sweep that runs.
    pub(super) async fn hold_off_sweeps(&self) -> Result<SweepGuard, Error> {
        loop {
            if let Some(guard) = self.try_sweep_lock(Kind::Shared).await? {
                return Ok(guard);
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }
}

/// So often a lock is asked for that another holds.
const BETWEEN: Duration = Duration::from_millis(100);

#[derive(Clone, Copy)]
enum Kind {
    /// For a sweep.
    Alone,
    /// For those who keep sweeps away.
    Shared,
}

/// A lock that goes with its connection, and a moment after it is dropped.
pub(super) struct SweepGuard {
    lease: Option<Lease>,
    release: String,
}

impl Drop for SweepGuard {
    fn drop(&mut self) {
        let (Some(lease), Ok(runtime)) = (self.lease.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let release = std::mem::take(&mut self.release);
        runtime.spawn(async move {
            if let Ok(client) = lease.client()
                && client.batch_execute(&release).await.is_ok()
            {
                lease.free();
            }
        });
    }
}

/// In this order, with the document's key.
pub(super) const PURGE: [&str; 7] = [
    "INSERT INTO doubtful (content) SELECT DISTINCT content FROM version \
     WHERE document = $1 AND content IS NOT NULL ON CONFLICT DO NOTHING",
    "UPDATE tally SET documents = documents - 1 FROM document d WHERE d.key = $1 AND d.tenant = tally.tenant \
     AND d.kind = tally.kind AND d.dialect = tally.dialect",
    "UPDATE tally SET versions = versions - v.number \
     FROM (SELECT tenant, kind, dialect, count(*) AS number FROM version WHERE document = $1 \
      GROUP BY tenant, kind, dialect) v \
     WHERE tally.tenant = v.tenant AND tally.kind = v.kind AND tally.dialect = v.dialect",
    "DELETE FROM entry WHERE document = $1",
    "DELETE FROM link WHERE document = $1",
    "DELETE FROM version WHERE document = $1",
    "DELETE FROM document WHERE key = $1",
];

/// What may lie under the keys of uploads that were given up is to be removed. A commit that comes after all misses its
/// key, as with `claim`.
fn given_up() -> String {
    format!(
        "WITH gone AS (DELETE FROM announced WHERE {STALE} RETURNING file) \
         INSERT INTO trash (file) SELECT file FROM gone ON CONFLICT DO NOTHING"
    )
}

/// Counts the contents of a tenant that were forgotten, and the bytes among them that the catalog kept.
const FORGET: &str = "WITH mine AS (SELECT f.content FROM doubtful f JOIN content c ON c.key = f.content \
      WHERE c.tenant = (SELECT key FROM tenant WHERE name = $1)), \
     gone AS (DELETE FROM content c WHERE c.key IN (SELECT content FROM mine) \
      AND NOT EXISTS (SELECT 1 FROM version v WHERE v.content = c.key) RETURNING c.file, c.size_bytes), \
     trashed AS (INSERT INTO trash (file) SELECT file FROM gone WHERE file IS NOT NULL ON CONFLICT DO NOTHING), \
     settled AS (DELETE FROM doubtful WHERE content IN (SELECT content FROM mine)) \
     SELECT count(*), coalesce(sum(size_bytes) FILTER (WHERE file IS NULL), 0)::bigint FROM gone";
