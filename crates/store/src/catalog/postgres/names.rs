//! Names as numbers: tenants, types, parameters, systems and units. What has a number keeps it, so a node remembers
//! them. Whether there are more has to be asked.
//!
//! They are made before the commit that needs them, in a transaction of their own under one lock. So nothing of it is
//! taken back with a commit, tenants cannot wait for each other in a circle, and the numbers of parameters rise in the
//! order of commits: whoever knows all up to one asks for what comes after it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use charta_model::{ResourceType, TenantId};
use deadpool_postgres::ClientWrapper as Client;

use super::{
    failure::Failure,
    schema::lock_key,
    value::{clean, is_long, word},
};
use crate::{Error, catalog::entry::Shape};

/// More than so many remembered systems and units are forgotten: whoever writes can make up any number.
const REMEMBERED_MAX: usize = 100_000;

/// What a node remembers.
#[derive(Default)]
pub(super) struct Names(Mutex<Known>);

#[derive(Default)]
struct Known {
    tenants: HashMap<TenantId, i64>,
    kinds: HashMap<ResourceType, i64>,
    /// By tenant.
    parameters: HashMap<i64, Parameters>,
    systems: HashMap<String, i64>,
    /// By system and code.
    units: HashMap<(String, String), i64>,
}

/// Those of one tenant.
#[derive(Default)]
struct Parameters {
    /// All up to this one are known.
    last: i64,
    /// By type and name.
    of: HashMap<i64, HashMap<String, Vec<Parameter>>>,
}

struct Parameter {
    key: i64,
    shape: Shape,
    dialect: String,
}

/// Names that a write needs.
#[derive(Default)]
pub(super) struct Needed {
    pub(super) kinds: HashSet<ResourceType>,
    pub(super) parameters: HashSet<(ResourceType, String, String, Shape)>,
    pub(super) systems: HashSet<String>,
    pub(super) units: HashSet<(String, String)>,
}

impl Needed {
    pub(super) fn is_empty(&self) -> bool {
        let Self { kinds, parameters, systems, units } = self;
        kinds.is_empty() && parameters.is_empty() && systems.is_empty() && units.is_empty()
    }
}

impl Names {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a tenant, `None` if nothing was ever written for it.
    pub(super) async fn tenant(&self, client: &Client, tenant: &TenantId) -> Result<Option<i64>, Failure> {
        if let Some(key) = self.known().tenants.get(tenant) {
            return Ok(Some(*key));
        }
        let statement = client.prepare_cached("SELECT key FROM tenant WHERE name = $1").await?;
        let key: Option<i64> = client.query_opt(&statement, &[&tenant.as_str()]).await?.map(|row| row.get(0));
        if let Some(key) = key {
            self.known().tenants.insert(tenant.clone(), key);
        }
        Ok(key)
    }

    /// The key of a tenant, made if there is none.
    pub(super) async fn make_tenant(&self, client: &Client, tenant: &TenantId) -> Result<i64, Failure> {
        if let Some(key) = self.tenant(client, tenant).await? {
            return Ok(key);
        }
        let sql = "INSERT INTO tenant (name) VALUES ($1) ON CONFLICT DO NOTHING";
        client.execute(sql, &[&tenant.as_str()]).await?;
        let made = self.tenant(client, tenant).await?;
        made.ok_or_else(|| Error::Unavailable("catalog: a tenant has no number".into()).into())
    }

    pub(super) fn kind(&self, kind: &ResourceType) -> Option<i64> {
        self.known().kinds.get(kind).copied()
    }

    pub(super) async fn load_kinds(&self, client: &Client) -> Result<(), Failure> {
        let statement = client.prepare_cached("SELECT key, name FROM kind").await?;
        let rows = client.query(&statement, &[]).await?;
        let mut known = self.known();
        for row in rows {
            if let Ok(kind) = ResourceType::new(row.get(1)) {
                known.kinds.insert(kind, row.get(0));
            }
        }
        Ok(())
    }

    /// Learns of the parameters that came since.
    pub(super) async fn load_parameters(&self, client: &Client, tenant: i64) -> Result<(), Failure> {
        let sql = "SELECT key, kind, name, shape, dialect FROM parameter WHERE tenant = $1 AND key > $2 ORDER BY key";
        let statement = client.prepare_cached(sql).await?;
        let last = self.known().parameters.get(&tenant).map_or(0, |known| known.last);
        let rows = client.query(&statement, &[&tenant, &last]).await?;
        let mut known = self.known();
        let known = known.parameters.entry(tenant).or_default();
        for row in rows {
            let (key, kind, name, shape): (i64, i64, &str, i16) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            if key <= known.last {
                continue; // another has just learnt of it
            }
            known.last = key;
            if let Some(shape) = Shape::of_number(shape.into()) {
                let of = known.of.entry(kind).or_default().entry(name.to_owned()).or_default();
                of.push(Parameter { key, shape, dialect: row.get(4) });
            }
        }
        Ok(())
    }

    /// Gives the number, shape and dialect of each parameter of this name, as far as they are known.
    pub(super) fn parameters(
        &self,
        tenant: i64,
        kind: i64,
        name: &str,
        found: &mut dyn FnMut(i64, Shape, &str),
    ) {
        let known = self.known();
        let of = known.parameters.get(&tenant).and_then(|known| known.of.get(&kind)?.get(name));
        of.into_iter().flatten().for_each(|known| found(known.key, known.shape, &known.dialect));
    }

    pub(super) fn parameter(
        &self,
        tenant: i64,
        kind: i64,
        name: &str,
        dialect: &str,
        shape: Shape,
    ) -> Option<i64> {
        let mut key = None;
        self.parameters(tenant, kind, name, &mut |found, of_shape, of_dialect| {
            if of_shape == shape && of_dialect == dialect {
                key = Some(found);
            }
        });
        key
    }

    /// 0 for none.
    pub(super) fn system(&self, name: &str) -> Option<i64> {
        if name.is_empty() { Some(0) } else { self.known().systems.get(name).copied() }
    }

    /// Learns the numbers of these systems, as far as they have one.
    pub(super) async fn load_systems(&self, client: &Client, names: &[String]) -> Result<(), Failure> {
        let words: Vec<_> = names.iter().map(|name| word(name)).collect();
        let sql = "SELECT key, name FROM system WHERE name = ANY ($1)";
        let statement = client.prepare_cached(sql).await?;
        let rows = client.query(&statement, &[&words]).await?;
        let found: HashMap<&str, i64> = rows.iter().map(|row| (row.get(1), row.get(0))).collect();
        let mut known = self.known();
        for (name, word) in names.iter().zip(&words) {
            if let Some(key) = found.get(&**word) {
                known.systems.insert(name.clone(), *key);
            }
        }
        Ok(())
    }

    /// 0 for none.
    pub(super) fn unit(&self, system: &str, code: &str) -> Option<i64> {
        if system.is_empty() && code.is_empty() {
            return Some(0);
        }
        self.known().units.get(&(system.to_owned(), code.to_owned())).copied()
    }

    async fn load_units(&self, client: &Client, units: &[(String, String)]) -> Result<(), Failure> {
        let (systems, codes) = columns(units);
        let sql = "SELECT n.at, u.key FROM unnest($1::text[], $2::text[]) WITH ORDINALITY n (system, code, at) \
                   JOIN unit u ON u.system = n.system AND u.code = n.code";
        let statement = client.prepare_cached(sql).await?;
        let rows = client.query(&statement, &[&systems, &codes]).await?;
        let mut known = self.known();
        for row in rows {
            let at = usize::try_from(row.get::<_, i64>(0) - 1).unwrap_or(usize::MAX);
            if let Some(unit) = units.get(at) {
                known.units.insert(unit.clone(), row.get(1));
            }
        }
        Ok(())
    }

    /// Makes sure that all of these have numbers, which are known then.
    pub(super) async fn ensure(
        &self,
        client: &Client,
        schema: &str,
        tenant: i64,
        needed: &Needed,
    ) -> Result<(), Failure> {
        self.forget_much();
        let kinds: Vec<&str> =
            needed.kinds.iter().filter(|kind| self.kind(kind).is_none()).map(ResourceType::as_str).collect();
        let systems: Vec<String> =
            needed.systems.iter().filter(|name| self.system(name).is_none()).cloned().collect();
        let units: Vec<(String, String)> =
            needed.units.iter().filter(|(system, code)| self.unit(system, code).is_none()).cloned().collect();
        let unknown = |(kind, dialect, name, shape): &&(ResourceType, String, String, Shape)| {
            let kind = self.kind(kind);
            kind.and_then(|kind| self.parameter(tenant, kind, name, dialect, *shape)).is_none()
        };
        let parameters: Vec<_> = needed.parameters.iter().filter(unknown).collect();
        if kinds.is_empty() && systems.is_empty() && units.is_empty() && parameters.is_empty() {
            return Ok(());
        }
        let lock = format!("BEGIN; SELECT pg_advisory_xact_lock({})", lock_key(schema, "names"));
        client.batch_execute(&lock).await?;
        if !kinds.is_empty() {
            let sql = "INSERT INTO kind (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
            client.execute(sql, &[&kinds]).await?;
        }
        if !systems.is_empty() {
            let words: Vec<_> = systems.iter().map(|name| word(name)).collect();
            let sql = "INSERT INTO system (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
            client.execute(sql, &[&words]).await?;
            keep_long_systems(client, &systems).await?;
        }
        if !units.is_empty() {
            let (of_systems, codes) = columns(&units);
            let sql = "INSERT INTO unit (system, code) SELECT * FROM unnest($1::text[], $2::text[]) \
                       ON CONFLICT DO NOTHING";
            client.execute(sql, &[&of_systems, &codes]).await?;
            keep_long_units(client, &units).await?;
        }
        if !parameters.is_empty() {
            let kinds: Vec<&str> = parameters.iter().map(|(kind, ..)| kind.as_str()).collect();
            let dialects: Vec<&str> = parameters.iter().map(|(_, dialect, ..)| &**dialect).collect();
            let names: Vec<&str> = parameters.iter().map(|(_, _, name, _)| &**name).collect();
            let shapes: Vec<i16> = parameters.iter().map(|(.., shape)| *shape as i16).collect();
            let sql = "INSERT INTO parameter (tenant, kind, dialect, name, shape) \
                       SELECT $1, k.key, p.dialect, p.name, p.shape \
                       FROM unnest($2::text[], $3::text[], $4::text[], $5::smallint[]) p (kind, dialect, name, shape) \
                       JOIN kind k ON k.name = p.kind ON CONFLICT DO NOTHING";
            client.execute(sql, &[&tenant, &kinds, &dialects, &names, &shapes]).await?;
        }
        client.batch_execute("COMMIT").await?;
        self.load_kinds(client).await?;
        self.load_parameters(client, tenant).await?;
        self.load_systems(client, &systems).await?;
        self.load_units(client, &units).await
    }

    fn forget_much(&self) {
        let mut known = self.known();
        if known.systems.len() + known.units.len() > REMEMBERED_MAX {
            (known.systems, known.units) = (HashMap::new(), HashMap::new());
        }
    }
}

/// Keeps the whole names of systems that were cut off.
async fn keep_long_systems(client: &Client, systems: &[String]) -> Result<(), Failure> {
    let long: Vec<&String> = systems.iter().filter(|name| is_long(name)).collect();
    if long.is_empty() {
        return Ok(());
    }
    let words: Vec<_> = long.iter().map(|name| word(name)).collect();
    let names: Vec<_> = long.iter().map(|name| clean(name)).collect();
    let sql = "INSERT INTO long_system (key, name) SELECT s.key, n.name FROM unnest($1::text[], $2::text[]) n (word, name) \
               JOIN system s ON s.name = n.word ON CONFLICT DO NOTHING";
    client.execute(sql, &[&words, &names]).await?;
    Ok(())
}

/// Keeps the whole names of units that were cut off.
async fn keep_long_units(client: &Client, units: &[(String, String)]) -> Result<(), Failure> {
    let is_cut = |(system, code): &&(String, String)| is_long(system) || is_long(code);
    let long: Vec<(String, String)> = units.iter().filter(is_cut).cloned().collect();
    if long.is_empty() {
        return Ok(());
    }
    let (systems, codes) = columns(&long);
    let whole_systems: Vec<_> = long.iter().map(|(system, _)| clean(system)).collect();
    let whole_codes: Vec<_> = long.iter().map(|(_, code)| clean(code)).collect();
    let sql = "INSERT INTO long_unit (key, system, code) SELECT u.key, n.whole_system, n.whole_code \
               FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) n (system, code, whole_system, whole_code) \
               JOIN unit u ON u.system = n.system AND u.code = n.code ON CONFLICT DO NOTHING";
    client.execute(sql, &[&systems, &codes, &whole_systems, &whole_codes]).await?;
    Ok(())
}

/// Systems and codes as they are kept.
fn columns(units: &[(String, String)]) -> (Vec<String>, Vec<String>) {
    units.iter().map(|(system, code)| (word(system).into_owned(), word(code).into_owned())).unzip()
}

/// The name of a parameter or dialect as it is kept.
pub(super) fn plain(name: &str) -> String {
    clean(name).into_owned()
}
