//! What all nodes recorded.

use deadpool_postgres::ClientWrapper as Client;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::{failure::Failure, pool::Pools, value::clean};
use crate::catalog::events::{Found, Node, Shipment, Wanted};

/// Rows that go at once, so that none is locked for long.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

pub(super) async fn node(client: &Client, name: &str, shipped: u64) -> Result<Node, Failure> {
    let known = "SELECT number, shipped, process FROM audit_node WHERE name = $1";
    if let Some(row) = client.query_opt(known, &[&name]).await? {
        return Ok(node_of(&row));
    }
    let sql = "INSERT INTO audit_node (name, shipped) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    client.execute(sql, &[&name, &integer(shipped)]).await?;
    Ok(node_of(&client.query_one(known, &[&name]).await?))
}

fn node_of(row: &Row) -> Node {
    Node { number: natural(row, 0), shipped: natural(row, 1), process: row.get(2) }
}

/// Events and how far they go are one statement, so that after a crash or a lost answer both are there, or neither.
const ADD: &str = "WITH moved AS ( \
       UPDATE audit_node SET shipped = $3, process = $11 WHERE number = $1 AND shipped = $2 RETURNING number), \
     added AS ( \
       INSERT INTO audit_event (number, recorded, status, tenant, interaction, keys, line) \
       SELECT number, recorded, status, tenant, interaction, keys::bigint[], line \
       FROM unnest($4::bigint[], $5::bigint[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::bytea[]) \
         AS event (number, recorded, status, tenant, interaction, keys, line) \
       WHERE EXISTS (SELECT FROM moved) ON CONFLICT DO NOTHING) \
     SELECT EXISTS (SELECT FROM moved)";

pub(super) async fn add(client: &Client, shipment: &Shipment) -> Result<bool, Failure> {
    let Shipment { node, from, to, process, events } = shipment;
    let numbers: Vec<i64> = events.iter().map(|event| integer(event.number)).collect();
    let times: Vec<i64> = events.iter().map(|event| event.recorded_ms).collect();
    let statuses: Vec<i16> = events.iter().map(|event| small(event.status)).collect();
    let tenants: Vec<_> = events.iter().map(|event| clean(&event.tenant)).collect();
    let interactions: Vec<&str> = events.iter().map(|event| event.interaction).collect();
    let keys: Vec<String> = events.iter().map(|event| array(&event.keys)).collect();
    let lines: Vec<&[u8]> = events.iter().map(|event| &event.line[..]).collect();
    let statement = client.prepare_cached(ADD).await?;
    let (node, from, to) = (integer(*node), integer(*from), integer(*to));
    let values: [&(dyn ToSql + Sync); 11] =
        [&node, &from, &to, &numbers, &times, &statuses, &tenants, &interactions, &keys, &lines, process];
    Ok(client.query_one(&statement, &values).await?.get(0))
}

/// An array as a text, since arrays of arrays must all have one length.
fn array(keys: &[u64]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| key.cast_signed().to_string()).collect();
    format!("{{{}}}", keys.join(","))
}

pub(super) async fn find(client: &Client, wanted: &Wanted) -> Result<Found, Failure> {
    let mut sql = Conditions::default();
    sql.with("tenant = ", clean(&wanted.tenant).into_owned(), Type::TEXT);
    if let Some(only) = wanted.only {
        sql.with("number = ", integer(only), Type::INT8);
    }
    if let Some(after) = wanted.after {
        let place = "SELECT recorded FROM audit_event WHERE number = $1";
        // What comes after an event whose time is over is over as well.
        let Some(row) = client.query_opt(place, &[&integer(after)]).await? else {
            return Ok(Found::default());
        };
        sql.with("(recorded, number) < (", row.get::<_, i64>(0), Type::INT8);
        sql.text(", ", integer(after), Type::INT8, ")");
    }
    for (from, to) in &wanted.within {
        sql.with("recorded BETWEEN ", *from, Type::INT8);
        sql.text(" AND ", *to, Type::INT8, "");
    }
    for (from, to) in &wanted.outside {
        sql.with("recorded NOT BETWEEN ", *from, Type::INT8);
        sql.text(" AND ", *to, Type::INT8, "");
    }
    for (keys, _) in &wanted.keys {
        let keys: Vec<i64> = keys.iter().map(|key| key.cast_signed()).collect();
        sql.with("keys && ", keys, Type::INT8_ARRAY);
    }
    page(client, wanted, sql).await
}

async fn page(client: &Client, wanted: &Wanted, mut sql: Conditions) -> Result<Found, Failure> {
    // Of a patient or a document there are few events: they are fetched and sorted, whatever else the planner, which
    // may not know yet how many there are, would make of the order and the limit.
    let fence = if wanted.keys.iter().any(|(_, few)| *few) { "OFFSET 0" } else { "" };
    let looked_at = format!(
        "SELECT * FROM (SELECT * FROM audit_event WHERE {} {fence}) fitting \
         ORDER BY recorded DESC, number DESC LIMIT {}",
        std::mem::take(&mut sql.text),
        wanted.looked_at_max
    );
    let values_of_inner = sql.values.len();
    for codes in &wanted.interactions {
        let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        sql.with("interaction = ANY (", codes, Type::TEXT_ARRAY);
        sql.text.push(')');
    }
    for spans in &wanted.statuses {
        let spans = spans.iter().map(|(from, to)| format!("status BETWEEN {from} AND {to}"));
        let spans: Vec<String> = spans.collect();
        sql.and();
        sql.text.push_str(&if spans.is_empty() {
            "false".into()
        } else {
            format!("({})", spans.join(" OR "))
        });
    }
    let filtered = !sql.text.is_empty();
    let conditions = if filtered { &sql.text } else { "true" };
    let text = format!(
        "SELECT number, line FROM ({looked_at}) looked_at WHERE {conditions} \
         ORDER BY recorded DESC, number DESC LIMIT {}",
        wanted.limit.saturating_add(1)
    );
    let rows = client.query_typed(&text, &sql.values()).await?;
    let line = |row: &Row| (natural(row, 0), row.get::<_, &[u8]>(1).to_vec());
    let lines: Vec<_> = rows.iter().take(wanted.limit).map(line).collect();
    let next = if rows.len() > wanted.limit {
        lines.last().map(|(number, _)| *number)
    } else if filtered {
        // Perhaps it ended because enough was looked at.
        sql.values.truncate(values_of_inner);
        let last = wanted.looked_at_max.saturating_sub(1);
        let text = format!("SELECT number FROM ({looked_at}) looked_at OFFSET {last}");
        client.query_typed(&text, &sql.values()).await?.first().map(|row| natural(row, 0))
    } else {
        None
    };
    Ok(Found { lines, next })
}

/// Conditions with their values.
#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<(Box<dyn ToSql + Sync + Send>, Type)>,
}

impl Conditions {
    fn and(&mut self) {
        if !self.text.is_empty() {
            self.text.push_str(" AND ");
        }
    }

    /// One more, which ends with a value.
    fn with(&mut self, text: &str, value: impl ToSql + Sync + Send + 'static, kind: Type) {
        self.and();
        self.text(text, value, kind, "");
    }

    fn text(&mut self, before: &str, value: impl ToSql + Sync + Send + 'static, kind: Type, after: &str) {
        self.values.push((Box::new(value), kind));
        self.text.push_str(&format!("{before}${}{after}", self.values.len()));
    }

    fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
    }
}

/// A part at a time; what another node is just removing is left to it.
pub(super) async fn forget(pools: &Pools, before_ms: i64) -> Result<u64, Failure> {
    let sql = "DELETE FROM audit_event WHERE ctid = ANY (ARRAY( \
                 SELECT ctid FROM audit_event WHERE recorded < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))";
    let mut removed = 0;
    loop {
        let lease = pools.lasting().await?;
        let gone = lease.client()?.execute(sql, &[&before_ms, &FORGOTTEN_AT_ONCE]).await?;
        lease.free();
        removed += gone;
        if gone < FORGOTTEN_AT_ONCE.unsigned_abs() {
            return Ok(removed);
        }
    }
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn small(number: u16) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

fn natural(row: &Row, column: usize) -> u64 {
    row.get::<_, i64>(column).max(0).unsigned_abs()
}
