//! A catalog that is left for another, and one that is come to.

use std::{borrow::Cow, collections::HashMap};

use charta_model::{ContentLink, Digest, Entry, EntryValue, TenantId};
use deadpool_postgres::ClientWrapper as Client;
use tokio_postgres::Row;

use super::{
    Node,
    failure::Failure,
    schema::lock_key,
    search::Place,
    value::{self, unclean},
};
use crate::{
    Error,
    catalog::{
        entry::{STANDING, Shape},
        moving::{Count, Moved, Standstill},
        record::{self, BESIDE, COLUMNS, Columns as _, EXTRA},
    },
};

/// No further version joins a page whose sources have so many bytes.
const SOURCE_BYTES_MAX: u64 = 4 << 20;

/// The word that stops writes.
pub(super) const STANDSTILL: &str = "SELECT value FROM setting WHERE name = 'standstill'";

/// What [`STANDSTILL`] has found.
pub(super) fn standstill_of(row: Option<&Row>) -> Option<Standstill> {
    row.map(|row| Standstill::of_word(&String::from_utf8_lossy(row.get(0))))
}

pub(super) async fn standstill(client: &Client) -> Result<Option<Standstill>, Failure> {
    Ok(standstill_of(client.query_opt(STANDSTILL, &[]).await?.as_ref()))
}

pub(super) async fn secret(client: &Client) -> Result<[u8; 32], Failure> {
    let row = client.query_one("SELECT value FROM setting WHERE name = 'secret'", &[]).await?;
    let secret: &[u8] = row.get(0);
    Ok(secret.try_into().map_err(|_| Error::Corrupt("the store's secret has another length".into()))?)
}

pub(super) async fn tenants(client: &Client) -> Result<Vec<TenantId>, Failure> {
    let rows = client.query("SELECT name FROM tenant ORDER BY name", &[]).await?;
    rows.iter().map(|row| Ok(tenant_id(row.get(0))?)).collect()
}

fn tenant_id(name: &str) -> Result<TenantId, Error> {
    TenantId::new(name).map_err(|_| Error::Corrupt(format!("{name:?} is no name of a tenant").into()))
}

pub(super) async fn counts(client: &Client) -> Result<Vec<Count>, Failure> {
    let sql = "SELECT k.name, t.name, sum(c.documents)::bigint, sum(c.versions)::bigint FROM tally c \
               JOIN tenant t ON t.key = c.tenant JOIN kind k ON k.key = c.kind \
               GROUP BY t.name, k.name HAVING sum(c.versions) > 0 ORDER BY t.name, k.name";
    let count = |row: &Row| {
        Ok(Count {
            tenant: tenant_id(row.get(1))?,
            kind: record::kind(row, 0)?,
            documents: row.integer(2)?.max(0).unsigned_abs(),
            versions: row.integer(3)?.max(0).unsigned_abs(),
        })
    };
    client.query(sql, &[]).await?.iter().map(count).collect()
}

pub(super) async fn last_given(client: &Client) -> Result<u64, Failure> {
    let sql = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM version_sequence";
    Ok(client.query_one(sql, &[]).await?.integer(0)?.max(0).unsigned_abs())
}

pub(super) async fn last_of(place: Place<'_>) -> Result<u64, Failure> {
    let sql = "SELECT coalesce(max(l.sequence), 0) FROM tally t CROSS JOIN LATERAL ( \
                 SELECT sequence FROM version v WHERE v.tenant = t.tenant AND v.kind = t.kind \
                 AND v.dialect = t.dialect ORDER BY sequence DESC LIMIT 1) l WHERE t.tenant = $1";
    Ok(place.client.query_one(sql, &[&place.tenant]).await?.integer(0)?.max(0).unsigned_abs())
}

pub(super) async fn held(place: Place<'_>, digests: &[Digest]) -> Result<Vec<bool>, Failure> {
    let digests: Vec<&[u8]> = digests.iter().map(|digest| &digest.as_bytes()[..]).collect();
    let sql = "SELECT EXISTS (SELECT 1 FROM content c WHERE c.tenant = $1 AND c.digest = d.digest) \
               FROM unnest($2::bytea[]) WITH ORDINALITY d (digest, at) ORDER BY d.at";
    Ok(place.client.query(sql, &[&place.tenant, &digests]).await?.iter().map(|row| row.get(0)).collect())
}

/// A page of versions; the caller sees to it that all statements see the same state.
pub(super) async fn export(place: Place<'_>, after: u64, limit: usize) -> Result<Vec<Moved>, Failure> {
    let sequences = sequences(place, after, limit).await?;
    let sql = format!(
        "SELECT {COLUMNS}, v.sequence, d.key, d.current = v.sequence FROM version v \
         JOIN document d ON d.key = v.document {BESIDE} WHERE v.sequence = ANY ($1) ORDER BY v.sequence"
    );
    let statement = place.client.prepare_cached(&sql).await?;
    let rows = place.client.query(&statement, &[&sequences]).await?;
    let is_current = |row: &Row| row.get::<_, bool>(EXTRA + 2);
    let current: Vec<i64> = rows.iter().filter(|row| is_current(row)).map(|row| row.get(EXTRA + 1)).collect();
    let mut entries = entries(place.client, &current).await?;
    let mut links = links(place.client, &sequences).await?;
    let moved = |row: &Row| {
        let (sequence, document): (i64, i64) = (row.get(EXTRA), row.get(EXTRA + 1));
        Ok(Moved {
            sequence: sequence.unsigned_abs(),
            stored: record::stored(row, false)?,
            links: links.remove(&sequence).unwrap_or_default(),
            entries: is_current(row).then(|| entries.remove(&document).unwrap_or_default()),
        })
    };
    rows.iter().map(moved).collect()
}

/// The next sequence numbers of a tenant. No index has them in their order but that of each type and dialect.
async fn sequences(place: Place<'_>, after: u64, limit: usize) -> Result<Vec<i64>, Failure> {
    let sql = "SELECT n.sequence, n.bytes FROM tally t CROSS JOIN LATERAL ( \
                 SELECT sequence, coalesce(octet_length(source), 0) AS bytes FROM version v \
                 WHERE v.tenant = t.tenant AND v.kind = t.kind AND v.dialect = t.dialect AND v.sequence > $2 \
                 ORDER BY sequence LIMIT $3) n WHERE t.tenant = $1 ORDER BY n.sequence LIMIT $3";
    let statement = place.client.prepare_cached(sql).await?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (mut sequences, mut bytes) = (Vec::new(), 0);
    for row in place.client.query(&statement, &[&place.tenant, &after, &limit]).await? {
        if bytes >= SOURCE_BYTES_MAX {
            break;
        }
        sequences.push(row.get(0));
        bytes += row.integer(1)?.unsigned_abs();
    }
    Ok(sequences)
}

async fn links(client: &Client, sequences: &[i64]) -> Result<HashMap<i64, Vec<ContentLink>>, Failure> {
    // By the document, of which there is an index.
    let sql = "SELECT 'a link', l.\"binary\", l.version, l.in_error, l.sequence FROM version v \
               JOIN link l ON l.document = v.document AND l.sequence = v.sequence \
               WHERE v.sequence = ANY ($1) ORDER BY l.\"binary\", l.version";
    let statement = client.prepare_cached(sql).await?;
    let mut links: HashMap<i64, Vec<ContentLink>> = HashMap::new();
    for row in client.query(&statement, &[&sequences]).await? {
        let version = u64::try_from(row.integer(2)?).ok();
        let link = ContentLink { binary: record::id(&row, 1)?, version, in_error: row.get(3) };
        links.entry(row.get(4)).or_default().push(link);
    }
    Ok(links)
}

async fn entries(client: &Client, documents: &[i64]) -> Result<HashMap<i64, Vec<Entry>>, Failure> {
    let sql = "SELECT p.name, k.name, p.shape, e.part, coalesce(e.whole, e.value), e.second, e.third, \
                coalesce(ls.name, s.name), coalesce(lu.system, u.system), coalesce(lu.code, u.code), e.document \
               FROM entry e JOIN parameter p ON p.key = e.parameter \
               LEFT JOIN kind k ON k.key = CASE WHEN p.shape = 2 THEN e.second::bigint END \
               LEFT JOIN system s ON s.key = CASE WHEN p.shape = 1 THEN e.second::bigint END \
               LEFT JOIN long_system ls ON ls.key = s.key \
               LEFT JOIN unit u ON u.key = CASE WHEN p.shape = 8 THEN e.third::bigint END \
               LEFT JOIN long_unit lu ON lu.key = u.key \
               WHERE e.document = ANY ($1) ORDER BY e.document, p.name, e.number";
    let statement = client.prepare_cached(sql).await?;
    let mut entries: HashMap<i64, Vec<Entry>> = HashMap::new();
    for row in client.query(&statement, &[&documents]).await? {
        let parameter = unclean(row.get(0));
        if !STANDING.contains(&&*parameter) {
            let part = u32::try_from(row.integer(3)?).unwrap_or(u32::MAX);
            let entry = Entry { parameter: Cow::Owned(parameter.into_owned()), part, value: value(&row)? };
            entries.entry(row.get(10)).or_default().push(entry);
        }
    }
    Ok(entries)
}

/// What the columns of an entry mean.
fn value(row: &Row) -> Result<EntryValue, Error> {
    let given = |column: usize| -> Result<Option<String>, Error> {
        Ok(row.text(column)?.filter(|text| !text.is_empty()).map(|text| unclean(text).into_owned()))
    };
    let text = |column: usize| -> Result<String, Error> {
        Ok(unclean(row.text(column)?.unwrap_or_default()).into_owned())
    };
    let damaged = || Error::Corrupt("an entry makes no sense".into());
    let time = |column: usize| value::time_of(row.text(column)?.unwrap_or_default()).ok_or_else(damaged);
    let number = |column: usize| value::number_of(row.text(column)?.unwrap_or_default()).ok_or_else(damaged);
    Ok(match Shape::of_number(row.integer(2)?).ok_or_else(damaged)? {
        Shape::Token => {
            let code = given(6)?.map_or_else(|| given(4), |exact| Ok(Some(exact)))?;
            EntryValue::Token { system: given(7)?, code }
        }
        Shape::Reference => EntryValue::Reference { kind: record::kind(row, 1)?, id: record::id(row, 4)? },
        Shape::Text => {
            let folded = text(4)?;
            let exact = row.text(6)?.map_or_else(|| folded.clone(), |exact| unclean(exact).into_owned());
            EntryValue::Text { folded, exact }
        }
        Shape::Uri => EntryValue::Uri(text(4)?),
        Shape::Day | Shape::Year | Shape::Ever => EntryValue::Date { start_ms: time(4)?, end_ms: time(5)? },
        Shape::Quantity => {
            EntryValue::Quantity { low: number(4)?, high: number(5)?, system: given(8)?, code: given(9)? }
        }
    })
}

impl Node {
    /// Held shared by every transaction that writes what moves, alone by what stops them.
    pub(super) fn gate(&self) -> i64 {
        lock_key(&self.schema, "gate")
    }

    /// Runs a change of the standstill when no commit is under way.
    async fn change(&self, change: impl AsyncFnOnce(&Client) -> Result<(), Failure>) -> Result<(), Failure> {
        let lease = self.pools.lasting().await?;
        let client = lease.client()?;
        // A large transaction takes a while.
        let begin =
            format!("BEGIN; SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock({})", self.gate());
        client.batch_execute(&begin).await?;
        change(client).await?;
        client.batch_execute("COMMIT").await?;
        lease.free();
        Ok(())
    }

    pub(super) async fn leave(&self, leaving: bool) -> Result<(), Failure> {
        self.change(async |client| match (standstill(client).await?, leaving) {
            (Some(Standstill::Adopting), _) => {
                Err(Error::Unusable("the store is itself a copy that is not yet whole").into())
            }
            (None, true) => stop(client, Standstill::Leaving).await,
            (Some(Standstill::Leaving), false) => go_on(client).await,
            (Some(Standstill::Leaving), true) | (None, false) => Ok(()),
        })
        .await
    }

    pub(super) async fn begin_adoption(&self, wanted: [u8; 32]) -> Result<(), Failure> {
        self.change(async |client| {
            let here = secret(client).await?;
            let has_tenants = client.query_opt("SELECT 1 FROM tenant LIMIT 1", &[]).await?.is_some();
            match standstill(client).await? {
                Some(Standstill::Adopting) if here == wanted => Ok(()),
                None if !has_tenants => {
                    let sql = "UPDATE setting SET value = $1 WHERE name = 'secret'";
                    client.execute(sql, &[&&wanted[..]]).await?;
                    stop(client, Standstill::Adopting).await
                }
                _ => Err(Error::Unusable(
                    "the target is neither empty nor an unfinished migration of this store",
                )
                .into()),
            }
        })
        .await
    }

    pub(super) async fn finish_adoption(&self, last_given: u64) -> Result<(), Failure> {
        self.change(async |client| {
            assert_adopting(standstill(client).await?)?;
            let last_given = i64::try_from(last_given).unwrap_or(i64::MAX);
            if last_given > 0 {
                let sql = "SELECT setval('version_sequence', greatest($1, last_value)) FROM version_sequence";
                client.query_one(sql, &[&last_given]).await?;
            }
            go_on(client).await
        })
        .await
    }
}

pub(super) fn assert_adopting(standstill: Option<Standstill>) -> Result<(), Error> {
    match standstill {
        Some(Standstill::Adopting) => Ok(()),
        _ => Err(Error::Unusable("the target is no copy on its way")),
    }
}

async fn stop(client: &Client, why: Standstill) -> Result<(), Failure> {
    let sql = "INSERT INTO setting (name, value) VALUES ('standstill', $1)";
    client.execute(sql, &[&why.word().as_bytes()]).await?;
    Ok(())
}

async fn go_on(client: &Client) -> Result<(), Failure> {
    client.execute("DELETE FROM setting WHERE name = 'standstill'", &[]).await?;
    Ok(())
}
