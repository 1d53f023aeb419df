//! Names as numbers: tenants, types, parameters, systems and units. The writer makes them and remembers them.

use std::{borrow::Cow, collections::HashMap};

use charta_model::{ResourceType, TenantId};
use rusqlite::{Connection, OptionalExtension, Params};

use crate::{Error, catalog::entry::Shape};

/// More than so many remembered systems and units are forgotten: whoever writes can make up any number.
const REMEMBERED_MAX: usize = 100_000;

/// What documents of one type and dialect within a tenant have in common.
#[derive(Clone, Copy)]
pub(super) struct Shelf<'a> {
    pub(super) tenant: i64,
    pub(super) kind: i64,
    /// Of the source; empty without one.
    pub(super) dialect: &'a str,
}

/// By dialect and name.
type Dialects = HashMap<String, HashMap<Cow<'static, str>, i64>>;

/// What the writer remembers of the numbers that the catalog gives names.
#[derive(Default)]
pub(super) struct Names {
    tenants: HashMap<TenantId, i64>,
    kinds: HashMap<ResourceType, i64>,
    /// By tenant, type and shape.
    parameters: HashMap<(i64, i64, Shape), Dialects>,
    systems: HashMap<String, i64>,
    /// By system and code.
    units: HashMap<String, HashMap<String, i64>>,
    /// Some were made since the last commit.
    fresh: bool,
    remembered: usize,
}

impl Names {
    /// The commit is done.
    pub(super) fn committed(&mut self) {
        self.fresh = false;
        if self.remembered > REMEMBERED_MAX {
            *self = Self::default();
        }
    }

    /// Something since the last commit was taken back, perhaps with names in it.
    pub(super) fn taken_back(&mut self) {
        if self.fresh {
            *self = Self::default();
        }
    }

    pub(super) fn tenant(&mut self, connection: &Connection, tenant: &TenantId) -> Result<i64, Error> {
        if let Some(key) = self.tenants.get(tenant) {
            return Ok(*key);
        }
        let key = self.number(
            connection,
            "SELECT key FROM tenant WHERE name = ?1",
            "INSERT INTO tenant (name) VALUES (?1)",
            [tenant.as_str()],
        )?;
        self.tenants.insert(tenant.clone(), key);
        Ok(key)
    }

    pub(super) fn kind(&mut self, connection: &Connection, kind: &ResourceType) -> Result<i64, Error> {
        if let Some(key) = self.kinds.get(kind) {
            return Ok(*key);
        }
        let key = self.number(
            connection,
            "SELECT key FROM kind WHERE name = ?1",
            "INSERT INTO kind (name) VALUES (?1)",
            [kind.as_str()],
        )?;
        self.kinds.insert(kind.clone(), key);
        Ok(key)
    }

    #[allow(clippy::ptr_arg, reason = "a name that is borrowed is cloned for nothing")]
    pub(super) fn parameter(
        &mut self,
        connection: &Connection,
        shelf: &Shelf<'_>,
        shape: Shape,
        name: &Cow<'static, str>,
    ) -> Result<i64, Error> {
        let Shelf { tenant, kind, dialect } = *shelf;
        let known = self.parameters.get(&(tenant, kind, shape)).and_then(|known| known.get(dialect));
        if let Some(key) = known.and_then(|known| known.get(name)) {
            return Ok(*key);
        }
        let key = self.number(
            connection,
            "SELECT key FROM parameter \
             WHERE tenant = ?1 AND kind = ?2 AND name = ?3 AND dialect = ?4 AND shape = ?5",
            "INSERT INTO parameter (tenant, kind, name, dialect, shape) VALUES (?1, ?2, ?3, ?4, ?5)",
            (tenant, kind, &**name, dialect, shape as i64),
        )?;
        let known = self.parameters.entry((tenant, kind, shape)).or_default();
        known.entry(dialect.to_owned()).or_default().insert(name.clone(), key);
        Ok(key)
    }

    /// 0 for none.
    pub(super) fn system(&mut self, connection: &Connection, name: Option<&str>) -> Result<i64, Error> {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(0) };
        if let Some(key) = self.systems.get(name) {
            return Ok(*key);
        }
        let key = self.number(
            connection,
            "SELECT key FROM system WHERE name = ?1",
            "INSERT INTO system (name) VALUES (?1)",
            [name],
        )?;
        self.systems.insert(name.to_owned(), key);
        Ok(key)
    }

    /// 0 for none.
    pub(super) fn unit(
        &mut self,
        connection: &Connection,
        system: Option<&str>,
        code: Option<&str>,
    ) -> Result<i64, Error> {
        let (system, code) = (system.unwrap_or_default(), code.unwrap_or_default());
        if system.is_empty() && code.is_empty() {
            return Ok(0);
        }
        if let Some(key) = self.units.get(system).and_then(|known| known.get(code)) {
            return Ok(*key);
        }
        let key = self.number(
            connection,
            "SELECT key FROM unit WHERE system = ?1 AND code = ?2",
            "INSERT INTO unit (system, code) VALUES (?1, ?2)",
            [system, code],
        )?;
        self.units.entry(system.to_owned()).or_default().insert(code.to_owned(), key);
        Ok(key)
    }

    fn number(
        &mut self,
        connection: &Connection,
        select: &str,
        insert: &str,
        name: impl Params + Clone,
    ) -> Result<i64, Error> {
        let found =
            connection.prepare_cached(select)?.query_row(name.clone(), |row| row.get(0)).optional()?;
        self.remembered += 1;
        if let Some(key) = found {
            return Ok(key);
        }
        self.fresh = true;
        connection.prepare_cached(insert)?.execute(name)?;
        Ok(connection.last_insert_rowid())
    }
}
