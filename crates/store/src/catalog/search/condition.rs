//! Filters as conditions on a document `d`.

use std::collections::BTreeMap;

use charta_model::{Filter, ResourceType, Scope};

use super::{
    column,
    compare::{self, Leaf},
    sql::{Dialect, Sql, Value},
};
use crate::{Error, catalog::entry::Shape};

/// More alternatives than this make an expression that SQLite refuses.
const ALTERNATIVES_MAX: usize = 500;

/// Conditions within conditions, at most so deep.
const DEPTH_MAX: usize = 16;

/// # Errors
/// `Unusable` if there are too many.
pub(super) fn checked<T>(alternatives: &[T]) -> Result<&[T], Error> {
    if alternatives.len() > ALTERNATIVES_MAX {
        return Err(Error::Unusable("too many alternatives in one search parameter"));
    }
    Ok(alternatives)
}

/// The types among which is searched, as far as there is anything of them.
#[derive(Debug, Default)]
pub(super) struct Among {
    /// By name: the key, and the dialects unless any will do.
    kinds: BTreeMap<String, (i64, Option<Vec<&'static str>>)>,
}

impl Among {
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The numbers of the types, by name.
    fn keys(&self) -> impl Iterator<Item = i64> {
        self.kinds.values().map(|(key, _)| *key)
    }

    /// That an undeleted document `@` is one of them.
    pub(super) fn condition(&self, tenant: i64) -> Sql {
        let mut by_dialects: BTreeMap<&Option<Vec<&str>>, Vec<i64>> = BTreeMap::new();
        for (key, dialects) in self.kinds.values() {
            by_dialects.entry(dialects).or_default().push(*key);
        }
        let of = |(dialects, kinds): (&Option<Vec<&str>>, Vec<i64>)| {
            let mut sql = Sql::default();
            sql.one_of("@.kind", kinds.into_iter().map(Value::from));
            if let Some(dialects) = dialects {
                sql.push(" AND ");
                sql.one_of("@.dialect", dialects.iter().map(|dialect| (*dialect).to_owned().into()));
            }
            sql
        };
        let kinds: Vec<Sql> = by_dialects.into_iter().map(of).collect();
        let mut sql = Sql::with("@.tenant = ? AND ", [tenant.into()]);
        match &kinds[..] {
            [one] => sql.append(one),
            several => sql.any(several),
        }
        sql.push(" AND @.updated_ms IS NOT NULL");
        sql
    }

    /// A sort key, with what parts it from the next, that sorts by the names of the types; nothing for one.
    pub(super) fn by_name(&self, column: &str) -> String {
        if self.kinds.len() < 2 {
            return String::new();
        }
        let places = self.keys().enumerate().map(|(place, key)| format!(" WHEN {key} THEN {place}"));
        format!("CASE {column}{} END, ", places.collect::<String>())
    }
}

/// What the catalog is asked while a statement is made.
pub(in crate::catalog) trait Lookup {
    /// Whose words to use.
    fn dialect(&self) -> Dialect;

    /// The number of a type, `None` if nothing of it was ever written.
    fn kind(&self, kind: &ResourceType) -> Result<Option<i64>, Error>;

    /// Gives the number, shape and dialect of each parameter of this name.
    fn parameters(
        &self,
        tenant: i64,
        kind: i64,
        name: &str,
        found: &mut dyn FnMut(i64, Shape, &str),
    ) -> Result<(), Error>;

    /// The number of a code system that has a name.
    fn system(&self, name: &str) -> Result<Option<i64>, Error>;

    /// The numbers of the units with this system and code, as far as they are given.
    fn units(&self, system: Option<&str>, code: Option<&str>) -> Result<Vec<i64>, Error>;

    /// How many rows a query gives, but at most so many.
    fn rows(&self, query: &Sql, enough: u64) -> Result<u64, Error>;
}

/// Makes SQL of filters, with what names mean in this tenant.
pub(in crate::catalog) struct Builder<'c> {
    pub(super) lookup: &'c dyn Lookup,
    pub(super) tenant: i64,
    aliases: usize,
    depth: usize,
}

impl<'c> Builder<'c> {
    pub(super) const fn new(lookup: &'c dyn Lookup, tenant: i64) -> Self {
        Self { lookup, tenant, aliases: 0, depth: 0 }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.lookup.dialect()
    }

    pub(super) fn kind(&self, kind: &ResourceType) -> Result<Option<i64>, Error> {
        self.lookup.kind(kind)
    }

    pub(super) fn among(&self, scopes: &[Scope]) -> Result<Among, Error> {
        let mut among = Among::default();
        for scope in scopes {
            let Some(key) = self.kind(&scope.kind)? else { continue };
            let known = among.kinds.entry(scope.kind.as_str().to_owned());
            let (_, dialects) = known.or_insert_with(|| (key, Some(Vec::new())));
            match scope.dialect {
                None => *dialects = None,
                Some(dialect) => dialects.iter_mut().for_each(|dialects| dialects.push(dialect)),
            }
        }
        Ok(among)
    }

    /// The parameters of this name and of these shapes, of all these types and dialects.
    pub(super) fn parameters(
        &self,
        among: &Among,
        name: &str,
        wanted: impl Fn(Shape) -> bool,
    ) -> Result<Vec<(i64, Shape)>, Error> {
        let mut found = Vec::new();
        for (kind, dialects) in among.kinds.values() {
            let any = |dialect: &str| dialects.as_ref().is_none_or(|dialects| dialects.contains(&dialect));
            self.lookup.parameters(self.tenant, *kind, name, &mut |key, shape, dialect| {
                if wanted(shape) && any(dialect) {
                    found.push((key, shape));
                }
            })?;
        }
        Ok(found)
    }

    /// The number of a code system; 0 for none.
    pub(super) fn system(&self, name: &str) -> Result<Option<i64>, Error> {
        if name.is_empty() { Ok(Some(0)) } else { self.lookup.system(name) }
    }

    /// The numbers of the units with this system and code, as far as they are given.
    pub(super) fn units(&self, system: Option<&str>, code: Option<&str>) -> Result<Vec<i64>, Error> {
        let mut found = self.lookup.units(system, code)?;
        if system.is_none_or(str::is_empty) && code.is_none_or(str::is_empty) {
            found.push(0);
        }
        Ok(found)
    }

    /// A name for a table of a statement that no other has.
    pub(super) fn alias(&mut self, letter: char) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases)
    }

    /// Runs `inner` one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.depth == DEPTH_MAX {
            return Err(Error::Unusable("a search with too many conditions within conditions"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Whether a filter asks for entries alone, and so for nothing of a document but its key.
    pub(super) fn is_of_entries(filter: &Filter) -> bool {
        match filter {
            Filter::Not(inner) => Self::is_of_entries(inner),
            Filter::Any(filters) | Filter::All(filters) => filters.iter().all(Self::is_of_entries),
            Filter::Id(_) | Filter::ContentType(_) | Filter::Updated(_) | Filter::Size(_) => false,
            Filter::Has(..) | Filter::Linked(..) => false, // asks for its id
            Filter::Kind(_) => false,
            _ => true,
        }
    }

    /// That all these filters hold for a document `d`; no index but those of entries by document is used.
    pub(super) fn all<'f>(
        &mut self,
        among: &Among,
        d: &str,
        filters: impl IntoIterator<Item = &'f Filter>,
    ) -> Result<Sql, Error> {
        let conditions: Vec<Sql> =
            filters.into_iter().map(|filter| self.condition(among, d, filter)).collect::<Result<_, _>>()?;
        let mut sql = Sql::default();
        sql.all(&conditions);
        Ok(sql)
    }

    fn condition(&mut self, among: &Among, d: &str, filter: &Filter) -> Result<Sql, Error> {
        if let Some((sql, _)) = column::condition(self.dialect(), filter)? {
            return Ok(sql.of(d));
        }
        if let Some((_, leaves)) = compare::leaves(self, among, filter)? {
            return Ok(self.some_entry(d, None, &leaves));
        }
        self.deeper(|this| this.nested(among, d, filter))
    }

    fn nested(&mut self, among: &Among, d: &str, filter: &Filter) -> Result<Sql, Error> {
        let mut sql = Sql::default();
        match filter {
            Filter::Not(inner) => {
                sql.push("NOT coalesce("); // what compares to nothing does not hold
                sql.append(&self.condition(among, d, inner)?);
                sql.push(", FALSE)");
            }
            Filter::Any(filters) => {
                let conditions = checked(filters)?.iter().map(|filter| self.condition(among, d, filter));
                sql.any(&conditions.collect::<Result<Vec<_>, _>>()?);
            }
            Filter::All(filters) => {
                sql.push("(");
                sql.append(&self.all(among, d, checked(filters)?)?);
                sql.push(")");
            }
            Filter::Kind(kinds) => {
                let keys = kinds.iter().filter_map(|kind| self.kind(kind).transpose());
                let keys: Vec<i64> = keys.collect::<Result<_, _>>()?;
                sql.one_of(&format!("{d}.kind"), keys.into_iter().map(Value::from));
            }
            Filter::HasLabel(kind, wanted) => {
                return self.missing(among, d, compare::label(*kind), !wanted);
            }
            Filter::Missing(name, missing) => return self.missing(among, d, name, *missing),
            Filter::Composite(parts) => {
                let parts = self.parts(among, parts)?;
                return Ok(self.composite(d, &parts));
            }
            Filter::Chain(name, scopes, inner) => {
                let targets = self.among(scopes)?;
                if targets.is_empty() {
                    return Ok(Sql::new("FALSE"));
                }
                let (r, x, words) = (self.alias('r'), self.alias('x'), self.dialect());
                let (then, indexed, kind) = (words.then(), words.indexed("document_id"), words.kind_of(&r));
                sql.push(&format!("EXISTS (SELECT 1 FROM entry {r} {then} document {x}{indexed} "));
                sql.push(&format!("ON {x}.tenant = ? AND {x}.kind = {kind} AND {x}.id = {r}.value "));
                sql.values.push(self.tenant.into());
                sql.push(&format!("WHERE {r}.document = {d}.key AND "));
                sql.append(&self.referring(among, name, &r)?);
                sql.push(" AND ");
                sql.append(&targets.condition(self.tenant).of(&format!("{}{x}", words.plain())));
                sql.push(" AND ");
                sql.append(&self.condition(&targets, &x, inner)?);
                sql.push(words.each());
            }
            Filter::Has(scope, name, inner) => {
                let sources = self.among(std::slice::from_ref(scope))?;
                if sources.is_empty() {
                    return Ok(Sql::new("FALSE"));
                }
                let (r, y, words) = (self.alias('r'), self.alias('y'), self.dialect());
                let (then, indexed, kind) = (words.then(), words.indexed("entry_value"), words.named_kind(d));
                sql.push(&format!("EXISTS (SELECT 1 FROM entry {r}{indexed} "));
                sql.push(&format!("{then} document {y} ON {y}.key = {r}.document WHERE "));
                sql.append(&self.referring(&sources, name, &r)?);
                sql.push(&format!(" AND {r}.value = {d}.id AND {r}.second = {kind} AND "));
                sql.append(&sources.condition(self.tenant).of(&format!("{}{y}", words.plain())));
                sql.push(" AND ");
                sql.append(&self.condition(&sources, &y, inner)?);
                sql.push(words.each());
            }
            Filter::Linked(scopes, inner) => {
                let sources = self.among(scopes)?;
                if sources.is_empty() {
                    return Ok(Sql::new("FALSE"));
                }
                let (l, y, words) = (self.alias('l'), self.alias('y'), self.dialect());
                let then = words.then();
                sql.push(&format!(
                    "EXISTS (SELECT 1 FROM link {l} {then} document {y} ON {y}.key = {l}.document "
                ));
                sql.push(&format!("WHERE {l}.tenant = {d}.tenant AND {l}.binary = {d}.id AND "));
                sql.append(&sources.condition(self.tenant).of(&format!("{}{y}", words.plain())));
                sql.push(" AND ");
                sql.append(&self.condition(&sources, &y, inner)?);
                sql.push(words.each());
            }
            _ => sql.push("FALSE"), // Nothing; the others are done
        }
        Ok(sql)
    }

    /// That an entry `r` is a reference by this parameter.
    pub(super) fn referring(&self, among: &Among, name: &str, r: &str) -> Result<Sql, Error> {
        let parameters = self.parameters(among, name, |shape| shape == Shape::Reference)?;
        let mut sql = Sql::default();
        sql.one_of(&format!("{r}.parameter"), parameters.into_iter().map(|(key, _)| Value::from(key)));
        Ok(sql)
    }

    fn missing(&mut self, among: &Among, d: &str, name: &str, missing: bool) -> Result<Sql, Error> {
        let parameters = self.parameters(among, name, |_| true)?;
        let tests = vec![Sql::new("TRUE")];
        let leaf = Leaf { parameters: parameters.into_iter().map(|(key, _)| key).collect(), tests };
        let mut sql = Sql::new(if missing { "NOT " } else { "" });
        sql.append(&self.some_entry(d, None, &[leaf]));
        Ok(sql)
    }

    /// What each component of a composite asks of an entry.
    pub(super) fn parts(
        &self,
        among: &Among,
        parts: &[Filter],
    ) -> Result<Vec<(compare::Rank, Vec<Leaf>)>, Error> {
        let part = |part| {
            let leaves = compare::leaves(self, among, part)?;
            leaves.ok_or(Error::Unusable("a component of a composite that is none"))
        };
        parts.iter().map(part).collect()
    }

    fn composite(&mut self, d: &str, parts: &[(compare::Rank, Vec<Leaf>)]) -> Sql {
        let Some(((_, first), rest)) = parts.split_first() else { return Sql::new("FALSE") };
        let e = self.alias('e');
        let mut sql = Sql::new(&format!("EXISTS (SELECT 1 FROM entry {e} WHERE {e}.document = {d}.key AND "));
        sql.append(&test(first, &e, self.dialect().plain()));
        for (_, part) in rest {
            sql.push(" AND ");
            sql.append(&self.some_entry(d, Some(&e), part));
        }
        sql.push(self.dialect().each());
        sql
    }

    /// That `d` has an entry which passes; with `beside` one of the same part as that entry.
    pub(super) fn some_entry(&mut self, d: &str, beside: Option<&str>, leaves: &[Leaf]) -> Sql {
        let words = self.dialect();
        let exists = |leaf: &Leaf| {
            let e = self.alias('e');
            let mut sql = Sql::new(&format!("EXISTS (SELECT 1 FROM entry {e} WHERE {e}.document = "));
            match beside {
                Some(other) => {
                    let plain = words.plain();
                    sql.push(&format!("{other}.document AND {plain}{e}.part = {other}.part AND "));
                }
                None => sql.push(&format!("{d}.key AND ")),
            }
            sql.append(&test(std::slice::from_ref(leaf), &e, words.plain()));
            sql.push(words.each());
            sql
        };
        let found: Vec<Sql> = leaves.iter().map(exists).collect();
        let mut sql = Sql::default();
        sql.any(&found);
        sql
    }
}

/// That an entry `e` passes. `plain` before the columns of values keeps them out of the choice of an index.
pub(super) fn test(leaves: &[Leaf], e: &str, plain: &str) -> Sql {
    let one = |leaf: &Leaf| {
        let mut sql = Sql::default();
        sql.one_of(&format!("{e}.parameter"), leaf.parameters.iter().map(|key| Value::from(*key)));
        sql.push(" AND ");
        let tests: Vec<Sql> = leaf.tests.iter().map(|test| test.of(&format!("{plain}{e}"))).collect();
        sql.any(&tests);
        sql
    };
    let found: Vec<Sql> = leaves.iter().map(one).collect();
    let mut sql = Sql::default();
    sql.any(&found);
    sql
}
