//! Where a new document's row stands: beside those of the same patient.
//!
//! A search of a patient's documents looks at the row and the entries of each. They come in over years, between those
//! of all others, and by the order of their arrival each would be a page of its own to read. So the keys of a
//! patient's documents follow each other. That is a guess about what is asked for together, and nothing but
//! speed depends on it.

use charta_model::{Digest, Document, ResourceId};
use rusqlite::{Connection, OptionalExtension};

use crate::Error;

/// So many keys belong to each group.
const OF_GROUP: i64 = 1 << 20;

/// Patients fall into so many groups by chance; two in one do no harm.
const GROUPS: i64 = 1 << 26;

/// The groups' keys begin here; below are those of whatever concerns no patient. With six bytes a key is as
/// short as it can be.
const GROUPED: i64 = 1 << 46;

/// A key for a new document.
pub(super) fn key(connection: &Connection, tenant: i64, document: &Document) -> Result<i64, Error> {
    let patients = document.description.as_ref().map(|description| &description.custody.patients);
    next(connection, tenant, patients.and_then(|patients| patients.first()))
}

fn next(connection: &Connection, tenant: i64, patient: Option<&ResourceId>) -> Result<i64, Error> {
    if let Some(patient) = patient {
        let first = GROUPED + group(tenant, patient) * OF_GROUP;
        let free = first_free(connection, first, first + OF_GROUP - 1)?;
        if let Some(key) = free {
            return Ok(key);
        }
    }
    let full = || Error::Unavailable("no key is left for another document".into());
    first_free(connection, 1, GROUPED - 1)?.ok_or_else(full)
}

fn group(tenant: i64, patient: &ResourceId) -> i64 {
    let digest = Digest::of(format!("{tenant}/{patient}").as_bytes());
    let [a, b, c, d, ..] = digest.as_bytes();
    i64::from(u32::from_be_bytes([*a, *b, *c, *d])) % GROUPS
}

/// The key behind the last that is taken from `first` to `last`, if it is no later.
fn first_free(connection: &Connection, first: i64, last: i64) -> Result<Option<i64>, Error> {
    let sql = "SELECT key FROM document WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let taken: Option<i64> = statement.query_row([first, last], |row| row.get(0)).optional()?;
    Ok(Some(taken.map_or(first, |taken| taken + 1)).filter(|key| *key <= last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::sqlite::schema;

    fn insert(connection: &Connection, key: i64) -> i64 {
        let sql = "INSERT INTO document (key, tenant, kind, id, current) VALUES (?1, 1, 1, ?1, 1)";
        connection.execute(sql, [key]).unwrap();
        key
    }

    #[test]
    fn documents_of_a_patient_stand_together() {
        let directory = tempfile::tempdir().unwrap();
        let connection = schema::open_writer(&directory.path().join("catalog")).unwrap();
        connection.execute("INSERT INTO tenant (key, name) VALUES (1, 't')", []).unwrap();
        let add = |patient: Option<&str>| {
            let patient = patient.map(|id| ResourceId::new(id).unwrap());
            insert(&connection, next(&connection, 1, patient.as_ref()).unwrap())
        };
        let (a, b, none) = (add(Some("a")), add(Some("b")), add(None));
        assert_eq!(none, 1);
        assert!(a >= GROUPED && b >= GROUPED && (a - b).abs() >= OF_GROUP);
        assert_eq!([add(Some("a")), add(Some("b")), add(None)], [a + 1, b + 1, none + 1]);
        // What no longer fits stands with what has no patient, not with another's.
        insert(&connection, a + OF_GROUP - 1);
        assert_eq!(add(Some("a")), none + 2);
    }
}
