//! Connections, and the schema's migrations.

use std::{fs, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::OpenError;

/// Bytes of a catalog that readers map.
const MAPPED_BYTES_MAX: i64 = 1 << 40;
/// `PRAGMA application_id` of a catalog: "Chrt".
const APPLICATION_ID: i32 = 0x4368_7274;

/// The migrations in order; `user_version` counts those that are done. They stay as released.
const MIGRATIONS: [&str; 1] = [include_str!("../../../migrations/sqlite/0001_documents.sql")];

/// How long a connection waits for another, which is rarely ever.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long whoever writes beside the writer waits for it.
const BESIDE_TIMEOUT: Duration = Duration::from_secs(60);

/// Opens the connection that writes, creating or migrating the schema where needed.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Catalog { path: path.into(), source };
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    let found = version(&connection, path)?;
    configure_writer(&connection).map_err(failed)?;
    migrate(&mut connection, found).map_err(failed)?;
    Ok(connection)
}

fn configure_writer(connection: &Connection) -> rusqlite::Result<()> {
    configure(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Contract 1: every commit syncs the log.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Purged content is to be gone from the file, not only from the index.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(128);
    // Plans do not depend on values. Without this, each use of a prepared statement might prepare it anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Opens a connection that only reads, beside whoever writes.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    // Decision 0016: pages come out of the page cache without a call and a copy each.
    connection.pragma_update(None, "mmap_size", MAPPED_BYTES_MAX)?;
    match connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0)) {
        Ok(_) => Ok(connection),
        // On a read-only disk the log's index cannot be made. Without a log there is nothing to index.
        Err(_) if log_is_empty(path) => {
            let text = path.to_string_lossy();
            let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let uri = format!("file:{escaped}?immutable=1");
            let connection = Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?;
            configure(&connection)?;
            connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))?;
            Ok(connection)
        }
        Err(error) => Err(error),
    }
}

fn log_is_empty(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).map_or(true, |log| log.len() == 0)
}

/// Opens a connection that writes beside another process, if only a row.
pub(super) fn open_beside(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure_writer(&connection)?;
    connection.busy_timeout(BESIDE_TIMEOUT)?; // a large transaction takes a while
    Ok(connection)
}

/// Opens the first connection of a store that is only read.
pub(super) fn open_existing(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Catalog { path: path.into(), source };
    let connection = open_reader(path).map_err(failed)?;
    let found = version(&connection, path)?;
    if found == 0 {
        return Err(OpenError::NotAStore { directory: directory_of(path) });
    }
    if (found as usize) < MIGRATIONS.len() {
        return Err(OpenError::OlderSchema { directory: directory_of(path), found });
    }
    Ok(connection)
}

/// How many migrations have been done; 0 for an empty file.
fn version(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::NotAStore { directory: directory_of(path) },
        _ => OpenError::Catalog { path: path.into(), source },
    };
    let application = number("application_id").map_err(failed)?;
    let found = u32::try_from(number("user_version").map_err(failed)?).unwrap_or(u32::MAX);
    let is_new = application == 0 && found == 0 && number("page_count").map_err(failed)? <= 1;
    if application != i64::from(APPLICATION_ID) && !is_new {
        return Err(OpenError::NotAStore { directory: directory_of(path) });
    }
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::NewerSchema { directory: directory_of(path), found, known });
    }
    Ok(found)
}

fn directory_of(path: &Path) -> std::path::PathBuf {
    path.parent().unwrap_or(path).into()
}

/// Contract 7: each migration is one transaction, so that a crash leaves the old schema or the new.
fn migrate(connection: &mut Connection, found: u32) -> rusqlite::Result<()> {
    for (number, sql) in (1u32..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        if number == 1 {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.execute("INSERT INTO setting (name, value) VALUES ('secret', randomblob(32))", [])?;
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// The bytes that sign what the server hands out, made when the store was created.
pub(super) fn secret(connection: &Connection) -> rusqlite::Result<[u8; 32]> {
    connection.query_row("SELECT value FROM setting WHERE name = 'secret'", [], |row| row.get(0))
}
