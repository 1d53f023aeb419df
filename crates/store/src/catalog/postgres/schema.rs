//! The schema's migrations.
//!
//! Several nodes may start at once, and programs of two releases run side by side while they are replaced. So a
//! migration only widens what is there, and says from which release on a program can still work with it.

use charta_model::Digest;
use tokio_postgres::Client;

use super::failure::{Failure, said};
use crate::{Access, OpenError};

/// A migration, and the oldest schema whose programs can work beside it.
struct Migration {
    sql: &'static str,
    compatible: i32,
}

/// In order, numbered from 1. They stay as released.
const MIGRATIONS: [Migration; 3] = [
    Migration { sql: include_str!("../../../migrations/postgres/0001_documents.sql"), compatible: 1 },
    Migration { sql: include_str!("../../../migrations/postgres/0002_long_names.sql"), compatible: 1 },
    Migration { sql: include_str!("../../../migrations/postgres/0003_audit.sql"), compatible: 1 },
];

/// What was done; made before anything else. The names say what it is about where a database has other tables.
const JOURNAL: &str = "CREATE TABLE charta_migration (number integer PRIMARY KEY, compatible integer NOT NULL, \
     done timestamptz NOT NULL DEFAULT now())";

/// What a catalog has in its schema of a database.
pub(super) struct Found {
    /// The schema's name.
    pub(super) schema: String,
    pub(super) secret: [u8; 32],
}

/// Brings the schema to what this program knows, or says why it cannot be used.
pub(super) async fn open(client: &mut Client, place: &str, access: Access) -> Result<Found, OpenError> {
    let failed = |error: tokio_postgres::Error| unreachable(place, &said(&error));
    let row = client.query_one("SELECT current_schema()::text", &[]).await.map_err(failed)?;
    let schema: Option<String> = row.get(0);
    let schema = schema.ok_or_else(|| unreachable(place, "search_path names no schema that is there"))?;
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    let mut found = version(client, place).await?;
    if access == Access::Exclusive && found.unwrap_or(0) < known {
        migrate(client, &schema, place).await?;
        found = version(client, place).await?;
    }
    match found {
        None => return Err(OpenError::NotADatabase { place: place.into() }),
        Some(found) if found < known => {
            return Err(OpenError::OlderSchema { directory: place.into(), found: found.unsigned_abs() });
        }
        Some(_) => {}
    }
    let secret =
        client.query_one("SELECT value FROM setting WHERE name = 'secret'", &[]).await.map_err(failed)?;
    let secret: &[u8] = secret.get(0);
    let secret =
        secret.try_into().map_err(|_| unreachable(place, "the store's secret has another length"))?;
    Ok(Found { schema, secret })
}

fn unreachable(place: &str, problem: &str) -> OpenError {
    OpenError::Unreachable { place: place.into(), problem: problem.into() }
}

/// The last migration that was done, if this is a catalog that this program can work with.
async fn version(client: &Client, place: &str) -> Result<Option<i32>, OpenError> {
    let failed = |error: tokio_postgres::Error| unreachable(place, &said(&error));
    let sql = "SELECT to_regclass('charta_migration') IS NOT NULL, \
               EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())";
    let row = client.query_one(sql, &[]).await.map_err(failed)?;
    match (row.get(0), row.get(1)) {
        (false, true) => return Err(OpenError::NotADatabase { place: place.into() }),
        (false, false) => return Ok(None),
        (true, _) => {}
    }
    let sql = "SELECT number, compatible FROM charta_migration ORDER BY number DESC LIMIT 1";
    let Some(row) = client.query_opt(sql, &[]).await.map_err(failed)? else { return Ok(None) };
    let (found, compatible): (i32, i32) = (row.get(0), row.get(1));
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if found > known && compatible > known {
        let (found, known) = (found.unsigned_abs(), known.unsigned_abs());
        return Err(OpenError::NewerSchema { directory: place.into(), found, known });
    }
    Ok(Some(found))
}

/// Each migration is one transaction, and whoever comes at the same time waits for it.
async fn migrate(client: &mut Client, schema: &str, place: &str) -> Result<(), OpenError> {
    let failed = |error: tokio_postgres::Error| unreachable(place, &said(&error));
    for (number, migration) in (1i32..).zip(&MIGRATIONS) {
        let transaction = client.transaction().await.map_err(failed)?;
        let lock = lock_key(schema, "migration");
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&lock]).await.map_err(failed)?;
        if version(transaction.client(), place).await?.is_some_and(|done| done >= number) {
            continue; // by another node, just now
        }
        if number == 1 {
            transaction.batch_execute(JOURNAL).await.map_err(failed)?;
        }
        transaction.batch_execute(migration.sql).await.map_err(failed)?;
        if number == 1 {
            let sql = "INSERT INTO setting (name, value) VALUES ('secret', $1)";
            transaction.execute(sql, &[&&random()[..]]).await.map_err(failed)?;
        }
        let sql = "INSERT INTO charta_migration (number, compatible) VALUES ($1, $2)";
        transaction.execute(sql, &[&number, &migration.compatible]).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
    }
    Ok(())
}

fn random() -> [u8; 32] {
    let parts = [(); 3].map(|()| uuid::Uuid::new_v4().into_bytes());
    *Digest::of(&parts.concat()).as_bytes()
}

/// The number of an advisory lock. Locks are shared by all schemas of a database, so the schema goes into it.
pub(super) fn lock_key(schema: &str, what: &str) -> i64 {
    let digest = Digest::of(format!("charta/{schema}/{what}").as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Whether the catalog answers.
pub(super) async fn ping(client: &Client) -> Result<(), Failure> {
    client.query_one("SELECT count(*) FROM setting", &[]).await?;
    Ok(())
}
