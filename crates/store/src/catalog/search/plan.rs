//! Where a search begins.
//!
//! A filter that an index can answer gives a set of documents. The one to begin with is chosen by a fixed
//! order of their kinds, identifiers before codes before times; but the first one that turns out to give few
//! documents is taken, so that a code which every document has does not win over a rare date. Filters that say
//! what must not be are never begun with.

use charta_model::{Filter, Scope};

use super::{
    column,
    compare::{self, Leaf, Rank},
    condition::{Among, Builder, test},
    sql::{Dialect, Sql},
};
use crate::Error;

/// So few entries are reason enough to look no further.
const FEW: u64 = 500;

/// Beyond so many, a page that an index gives in its order is found by walking along it.
const MANY: u64 = 50_000;

/// More sets than this are not joined into one: SQLite has a limit.
const SETS_MAX: usize = 400;

/// How a search is done: as conditions on `document d`.
#[derive(Debug)]
pub(super) struct Plan {
    /// Of all filters, beginning with the set that was chosen, if any.
    begun: Sql,
    /// Of all filters, without a set to begin with: for walking along an index.
    walked: Sql,
    /// How many documents the set has, roughly.
    size: u64,
    /// Gives the keys of all matches, if that takes no look at documents.
    keys: Option<Sql>,
    dialect: Dialect,
}

/// A filter that can be begun with.
struct Set {
    rank: Rank,
    /// Gives keys of documents, some of them more than once.
    keys: Sql,
    /// How many it gives, roughly.
    size: Size,
    /// Whether what it gives is undeleted and of the types that were asked for.
    exact: bool,
}

enum Size {
    Known(u64),
    /// As many as these give rows.
    Rows(Sql),
}

impl Plan {
    /// The tables with `d`, and the condition, for a page that `index` would give in its order.
    pub(super) fn page(&self, index: Option<&'static str>) -> (String, &Sql) {
        match index {
            Some(index) if self.size >= MANY => {
                (format!("document d{}", self.dialect.indexed(index)), &self.walked)
            }
            _ => ("document d".to_owned(), &self.begun),
        }
    }

    pub(super) fn count(&self) -> Sql {
        let mut sql = Sql::default();
        match &self.keys {
            Some(keys) => {
                sql.push("SELECT count(DISTINCT key) FROM (");
                sql.append(keys);
                sql.push(") k");
            }
            None => {
                sql.push("SELECT count(*) FROM document d WHERE ");
                sql.append(&self.begun);
            }
        }
        sql
    }
}

impl Builder<'_> {
    /// How to find the documents that fulfil these filters.
    pub(super) fn plan(&mut self, among: &Among, filters: &[Filter]) -> Result<Plan, Error> {
        let (chosen, dialect) = (self.choose(among, filters)?, self.dialect());
        let scope = among.condition(self.tenant);
        let mut walked = scope.of("d");
        walked.push(" AND ");
        walked.append(&self.all(among, "d", filters)?);
        let Some((index, set, size)) = chosen else {
            return Ok(Plan { begun: walked.clone(), walked, size: u64::MAX, keys: None, dialect });
        };
        let (begun, keys) = self.begun(among, "d", filters, index, &set)?;
        Ok(Plan { begun, walked, size, keys, dialect })
    }

    /// The condition on a document `d` that begins with a set; and what gives the keys of all matches, if that
    /// takes no look at documents. Entries stand together, so they are asked before the document is read.
    fn begun(
        &mut self,
        among: &Among,
        d: &str,
        filters: &[Filter],
        index: usize,
        set: &Set,
    ) -> Result<(Sql, Option<Sql>), Error> {
        let others = filters.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, filter)| filter);
        let (of_entries, of_documents): (Vec<_>, Vec<_>) =
            others.partition(|filter| Self::is_of_entries(filter));
        let keys = if of_entries.is_empty() {
            set.keys.clone()
        } else {
            let s = self.alias('s');
            let mut keys = Sql::new(&format!("SELECT {s}.key AS key FROM ("));
            keys.append(&set.keys);
            keys.push(&format!(") {s} WHERE "));
            keys.append(&self.all(among, &s, of_entries)?);
            keys
        };
        let (before, behind) = self.dialect().one_of_set();
        let mut sql = Sql::new(&format!("{d}.key{before}"));
        sql.append(&keys);
        sql.push(behind);
        if !set.exact {
            sql.push(" AND ");
            sql.append(&among.condition(self.tenant).of(&format!("{}{d}", self.dialect().plain())));
        }
        let all = set.exact && of_documents.is_empty();
        if !of_documents.is_empty() {
            sql.push(" AND ");
            sql.append(&self.all(among, d, of_documents)?);
        }
        Ok((sql, all.then_some(keys)))
    }

    /// The filter to begin with, and how many documents it gives, roughly; none if no index helps.
    fn choose(&mut self, among: &Among, filters: &[Filter]) -> Result<Option<(usize, Set, u64)>, Error> {
        let mut sets = Vec::new();
        for (index, filter) in filters.iter().enumerate() {
            sets.extend(self.set(among, filter)?.map(|set| (index, set)));
        }
        sets.sort_by_key(|(_, set)| set.rank);
        for enough in [FEW, MANY] {
            let mut best = None;
            for (at, (_, set)) in sets.iter().enumerate() {
                let size = self.size(&set.size, enough)?;
                if size < best.map_or(enough, |(_, least)| least) {
                    best = Some((at, size));
                }
                if size < FEW {
                    break;
                }
            }
            if let Some((at, size)) = best {
                let (index, set) = sets.swap_remove(at);
                return Ok(Some((index, set, size)));
            }
        }
        let first = (!sets.is_empty()).then(|| sets.swap_remove(0));
        Ok(first.map(|(index, set)| (index, set, MANY)))
    }

    /// How many, but at most so many.
    fn size(&self, size: &Size, enough: u64) -> Result<u64, Error> {
        let rows = match size {
            Size::Known(known) => return Ok((*known).min(enough)),
            Size::Rows(rows) => rows,
        };
        self.lookup.rows(rows, enough)
    }

    /// The documents that a filter lets through, if an index gives them.
    fn set(&mut self, among: &Among, filter: &Filter) -> Result<Option<Set>, Error> {
        if let Some((condition, index)) = column::condition(self.dialect(), filter)? {
            return Ok(Some(self.by_column(among, filter, &condition, index)));
        }
        if let Some((rank, leaves)) = compare::leaves(self, among, filter)? {
            return Ok(by_entries(self.dialect(), rank, &leaves));
        }
        match filter {
            Filter::Any(filters) => self.deeper(|this| this.union(among, filters)),
            Filter::Composite(parts) => self.by_part(among, parts),
            Filter::Chain(name, scopes, inner) => {
                self.deeper(|this| this.chained(among, name, scopes, inner))
            }
            Filter::Has(scope, name, inner) => self.deeper(|this| this.having(scope, name, inner)),
            _ => Ok(None),
        }
    }

    fn by_column(&mut self, among: &Among, filter: &Filter, condition: &Sql, index: &str) -> Set {
        let x = self.alias('x');
        let indexed = self.dialect().indexed(index);
        let mut keys = Sql::new(&format!("SELECT {x}.key AS key FROM document {x}{indexed} WHERE "));
        keys.append(&among.condition(self.tenant).of(&x));
        match index {
            "document_size" => keys.push(&format!(" AND {x}.size_bytes IS NOT NULL")),
            "document_type" => keys.push(&format!(" AND {x}.essence IS NOT NULL")),
            _ => {}
        }
        keys.push(" AND ");
        keys.append(&condition.of(&x));
        let rank = match filter {
            Filter::Id(_) => Rank::Id,
            Filter::Updated(_) => Rank::Time,
            _ => Rank::Anything,
        };
        Set { rank, size: Size::Rows(keys.clone()), keys, exact: true }
    }

    fn union(&mut self, among: &Among, filters: &[Filter]) -> Result<Option<Set>, Error> {
        let mut all: Vec<Set> = Vec::new();
        for filter in filters {
            let Some(set) = self.set(among, filter)? else { return Ok(None) };
            all.push(set);
        }
        if all.len() == 1 {
            return Ok(all.pop());
        }
        let rank = all.iter().map(|set| set.rank).max().unwrap_or(Rank::Id);
        let (mut rows, mut known) = (Vec::new(), 0);
        for set in &all {
            match &set.size {
                Size::Known(size) => known += size,
                Size::Rows(sql) => rows.push(sql.clone()),
            }
        }
        let exact = all.iter().all(|set| set.exact);
        let Some(keys) = joined(all.into_iter().map(|set| set.keys)) else { return Ok(None) };
        let size = match joined(rows) {
            Some(rows) if known == 0 => Size::Rows(rows),
            _ => Size::Known(known + FEW), // not worth a second statement
        };
        Ok(Some(Set { rank, keys, size, exact }))
    }

    /// Begins with the component that promises the fewest, and looks at the others beside it.
    fn by_part(&mut self, among: &Among, parts: &[Filter]) -> Result<Option<Set>, Error> {
        let parts = self.parts(among, parts)?;
        let Some(best) = (0..parts.len()).min_by_key(|at| parts[*at].0) else { return Ok(None) };
        let (words, (rank, leaves)) = (self.dialect(), &parts[best]);
        let Some(Set { rank, keys, .. }) = by_entries(words, *rank, leaves) else { return Ok(None) };
        let mut sets = Vec::new();
        for (leaf, test) in singles(leaves) {
            let e = self.alias('e');
            let mut sql = of_entries(words, leaf, test, &e);
            for (_, other) in parts.iter().enumerate().filter(|(at, _)| *at != best).map(|(_, part)| part) {
                sql.push(" AND ");
                sql.append(&self.some_entry("", Some(&e), other));
            }
            sets.push(sql);
        }
        Ok(joined(sets).map(|all| Set { rank, keys: all, size: Size::Rows(keys), exact: true }))
    }

    /// The documents that refer to those which fulfil the inner filter, if those are a set.
    fn chained(
        &mut self,
        among: &Among,
        name: &str,
        scopes: &[Scope],
        inner: &Filter,
    ) -> Result<Option<Set>, Error> {
        let targets = self.among(scopes)?;
        let inner = std::slice::from_ref(inner);
        let (r, x) = (self.alias('r'), self.alias('x'));
        let Some((_, set, size)) = self.choose_inner(&targets, inner)? else { return Ok(None) };
        let words = self.dialect();
        let (then, indexed, kind) = (words.then(), words.indexed("entry_value"), words.named_kind(&x));
        let mut keys =
            Sql::new(&format!("SELECT {r}.document AS key FROM document {x} {then} entry {r}{indexed} "));
        keys.push(&format!("ON {r}.value = {x}.id AND {r}.second = {kind} AND "));
        keys.append(&self.referring(among, name, &r)?);
        keys.push(" WHERE ");
        keys.append(&self.begun(&targets, &x, inner, 0, &set)?.0);
        Ok(Some(Set { rank: Rank::Code, keys, size: Size::Known(size), exact: true }))
    }

    /// The documents that those refer to which fulfil the inner filter, if those are a set.
    fn having(&mut self, scope: &Scope, name: &str, inner: &Filter) -> Result<Option<Set>, Error> {
        let sources = self.among(std::slice::from_ref(scope))?;
        let inner = std::slice::from_ref(inner);
        let (r, x, y) = (self.alias('r'), self.alias('x'), self.alias('y'));
        let Some((_, set, size)) = self.choose_inner(&sources, inner)? else { return Ok(None) };
        let words = self.dialect();
        let (then, indexed, kind) = (words.then(), words.indexed("document_id"), words.kind_of(&r));
        let mut keys = Sql::new(&format!("SELECT {x}.key AS key FROM document {y} {then} entry {r} "));
        keys.push(&format!("ON {r}.document = {y}.key AND "));
        keys.append(&self.referring(&sources, name, &r)?);
        keys.push(&format!(" {then} document {x}{indexed} "));
        keys.push(&format!("ON {x}.tenant = ? AND {x}.kind = {kind} AND {x}.id = {r}.value WHERE "));
        keys.values.push(self.tenant.into());
        keys.append(&self.begun(&sources, &y, inner, 0, &set)?.0);
        Ok(Some(Set { rank: Rank::Code, keys, size: Size::Known(size), exact: false }))
    }

    /// Only if it gives few: whoever refers to them may be many more.
    fn choose_inner(
        &mut self,
        among: &Among,
        filters: &[Filter],
    ) -> Result<Option<(usize, Set, u64)>, Error> {
        if among.is_empty() {
            return Ok(None);
        }
        Ok(self.choose(among, filters)?.filter(|(_, _, size)| *size < MANY))
    }
}

fn by_entries(dialect: Dialect, rank: Rank, leaves: &[Leaf]) -> Option<Set> {
    let keys = joined(singles(leaves).map(|(leaf, test)| of_entries(dialect, leaf, test, "e")))?;
    Some(Set { rank, size: Size::Rows(keys.clone()), keys, exact: true })
}

/// Each test with its leaf: each is one stretch of the index.
fn singles(leaves: &[Leaf]) -> impl Iterator<Item = (&Leaf, &Sql)> {
    leaves.iter().flat_map(|leaf| leaf.tests.iter().map(move |test| (leaf, test)))
}

fn of_entries(dialect: Dialect, leaf: &Leaf, one: &Sql, e: &str) -> Sql {
    let leaf = Leaf { parameters: leaf.parameters.clone(), tests: vec![one.clone()] };
    let indexed = dialect.indexed("entry_value");
    let mut sql = Sql::new(&format!("SELECT {e}.document AS key FROM entry {e}{indexed} WHERE "));
    sql.append(&test(&[leaf], e, ""));
    sql
}

/// What joins sets.
const UNION: &str = " UNION ALL ";

/// All that these give. None of them gives nothing; too many are none.
fn joined(sets: impl IntoIterator<Item = Sql>) -> Option<Sql> {
    let mut sql = Sql::default();
    let mut number = 0;
    for set in sets {
        sql.push(if number == 0 { "" } else { UNION });
        sql.append(&set);
        number += 1 + set.text.matches(UNION).count();
    }
    match number {
        0 => Some(Sql::new("SELECT CAST(NULL AS bigint) AS key WHERE FALSE")),
        1..=SETS_MAX => Some(sql),
        _ => None,
    }
}
