//! A [`Query`] as SQL.

use charta_model::{
    Comparison, Document, Filter, LabelKind, MediaType, Order, Query, SortKey, Timestamp, TokenMatch,
    TypeMatch,
};
use rusqlite::{Connection, params_from_iter, types::Value};

use super::record::{self, BINARY, COLUMNS, PROFILE, SECURITY, TAG};
use crate::{Error, Stored, stored::SearchPage};

/// More alternatives than this make an expression that SQLite refuses.
const ALTERNATIVES_MAX: usize = 500;

/// Structured suffixes (RFC 6838): a type below `text/xml` may be `application/hl7-v3+xml`.
const SUFFIXES: [&str; 6] = ["xml", "json", "zip", "gzip", "cbor", "yaml"];

/// A page of a search; the caller sees to it that all statements see the same state.
pub(super) fn page(connection: &Connection, tenant: i64, query: &Query) -> Result<SearchPage, Error> {
    let condition = Condition::of(tenant, query)?;
    let total = condition.count(connection, tenant, query)?;
    let wanted = query.limit > 0 && query.offset < total;
    let matches = if wanted { condition.rows(connection, query)? } else { Vec::new() };
    Ok(SearchPage { matches: matches.into_iter().map(Into::into).collect(), total })
}

/// The first two matches: whether there is none, one or several is all that a condition asks.
pub(super) fn first_two(connection: &Connection, tenant: i64, query: &Query) -> Result<Vec<Document>, Error> {
    let query = Query { limit: 2, offset: 0, ..query.clone() };
    let rows = Condition::of(tenant, &query)?.rows(connection, &query)?;
    Ok(rows.into_iter().map(|stored| stored.document).collect())
}

/// A WHERE clause over `document d` and its parameters.
struct Condition {
    sql: String,
    values: Vec<Value>,
}

impl Condition {
    fn of(tenant: i64, query: &Query) -> Result<Self, Error> {
        let mut condition = Self {
            sql: "d.tenant = ? AND d.kind = ? AND d.updated_ms IS NOT NULL".into(),
            values: vec![tenant.into(), BINARY.into()],
        };
        for filter in &query.filters {
            condition.sql.push_str(" AND ");
            condition.filter(tenant, filter)?;
        }
        Ok(condition)
    }

    fn count(&self, connection: &Connection, tenant: i64, query: &Query) -> Result<u64, Error> {
        if query.filters.is_empty() {
            return super::read::live_documents(connection, tenant);
        }
        let sql = format!("SELECT count(*) FROM document d WHERE {}", self.sql);
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_row(params_from_iter(&self.values), |row| row.get(0))?)
    }

    fn rows(&self, connection: &Connection, query: &Query) -> Result<Vec<Stored>, Error> {
        // The page is found in the indexes alone; only its rows are then joined.
        let sql = format!(
            "SELECT {COLUMNS} FROM (SELECT d.key, d.id, d.current, d.updated_ms, d.size_bytes, d.content_type \
             FROM document d WHERE {} ORDER BY {} LIMIT ? OFFSET ?) d \
             JOIN version v ON v.sequence = d.current LEFT JOIN content c ON c.key = v.content ORDER BY {}",
            self.sql,
            order(&query.order),
            order(&query.order),
        );
        let mut values = self.values.clone();
        values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
        values.push(i64::try_from(query.offset).unwrap_or(i64::MAX).into());
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(record::stored(row, false)?);
        }
        Ok(found)
    }

    fn push(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn filter(&mut self, tenant: i64, filter: &Filter) -> Result<(), Error> {
        match filter {
            Filter::Id(ids) => self.one_of("d.id", ids.iter().map(|id| id.as_str().to_owned().into())),
            Filter::ContentType(types) => self.any(types, |this, wanted| this.content_type(wanted))?,
            Filter::Updated(ranges) => self.any(ranges, |this, (comparison, start, end)| {
                this.updated(*comparison, *start, *end);
            })?,
            Filter::Size(sizes) => self.any(sizes, |this, (comparison, size)| {
                let size = i64::try_from(*size).unwrap_or(i64::MAX).into();
                this.push(&format!("d.size_bytes {} ?", operator(*comparison)), [size]);
            })?,
            Filter::Label(kind, tokens) => {
                self.labelled(tenant, *kind);
                self.sql.push_str(" AND ");
                self.any(tokens, Self::token)?;
                self.sql.push(')');
            }
            Filter::Profile(urls) => {
                self.labelled(tenant, LabelKind::Profile);
                self.push(" AND system = '' AND ", []);
                self.one_of("folded", urls.iter().map(|url| record::fold(url).into()));
                self.sql.push_str(" AND ");
                self.one_of("code", urls.iter().map(|url| url.clone().into()));
                self.sql.push(')');
            }
            Filter::Not(inner) => {
                self.sql.push_str("NOT (");
                self.filter(tenant, inner)?;
                self.sql.push(')');
            }
            Filter::HasLabel(kind, wanted) => {
                let not = if *wanted { "" } else { "NOT " };
                let sql =
                    format!("{not}EXISTS (SELECT 1 FROM label l WHERE l.document = d.key AND l.which = ?)");
                self.push(&sql, [which(*kind).into()]);
            }
            Filter::Nothing => self.sql.push('0'),
        }
        Ok(())
    }

    /// `(… OR …)`; no alternatives match nothing.
    fn any<T>(&mut self, alternatives: &[T], mut one: impl FnMut(&mut Self, &T)) -> Result<(), Error> {
        if alternatives.len() > ALTERNATIVES_MAX {
            return Err(Error::Unusable("too many alternatives in one search parameter"));
        }
        if alternatives.is_empty() {
            self.sql.push('0');
            return Ok(());
        }
        for (at, alternative) in alternatives.iter().enumerate() {
            self.sql.push_str(if at == 0 { "((" } else { ") OR (" });
            one(self, alternative);
        }
        self.sql.push_str("))");
        Ok(())
    }

    fn one_of(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let before = self.values.len();
        self.values.extend(values);
        let marks = vec!["?"; self.values.len() - before].join(",");
        self.sql.push_str(&format!("{column} IN ({marks})"));
    }

    fn labelled(&mut self, tenant: i64, kind: LabelKind) {
        self.push(
            "d.key IN (SELECT document FROM label WHERE tenant = ? AND which = ?",
            [tenant.into(), which(kind).into()],
        );
    }

    fn token(&mut self, token: &TokenMatch) {
        let mut parts = Vec::new();
        if let Some(code) = &token.code {
            parts.push("folded = ?");
            self.values.push(record::fold(code).into());
            if token.case_sensitive {
                parts.push("code = ?");
                self.values.push(code.clone().into());
            }
        }
        if let Some(system) = &token.system {
            parts.push("system = ?");
            self.values.push(system.clone().into());
        }
        self.sql.push_str(if parts.is_empty() { "1" } else { "" });
        self.sql.push_str(&parts.join(" AND "));
    }

    fn content_type(&mut self, wanted: &TypeMatch) {
        match wanted {
            TypeMatch::Exactly(text) => {
                if let Ok(media_type) = MediaType::new(text) {
                    self.push("d.essence = ? AND ", [media_type.essence().to_owned().into()]);
                }
                self.push("lower(d.content_type) = lower(?)", [text.clone().into()]);
            }
            TypeMatch::Below(essence) => {
                self.push("d.essence = ?", [essence.clone().into()]);
                let subtype = essence.split('/').nth(1).unwrap_or_default();
                if SUFFIXES.contains(&subtype) {
                    let length = -i64::try_from(subtype.len() + 1).unwrap_or(0);
                    let suffix = format!("+{subtype}");
                    self.push(" OR substr(d.essence, ?) = ?", [length.into(), suffix.into()]);
                }
            }
        }
    }

    /// Commit times are whole milliseconds, so a bound within one means the next.
    fn updated(&mut self, comparison: Comparison, start: Timestamp, end: Timestamp) {
        let (start, end) = (ceil_ms(start), ceil_ms(end));
        match comparison {
            Comparison::Equal => {
                self.push("d.updated_ms >= ? AND d.updated_ms < ?", [start.into(), end.into()]);
            }
            Comparison::NotEqual => {
                self.push("d.updated_ms < ? OR d.updated_ms >= ?", [start.into(), end.into()]);
            }
            Comparison::Greater => self.push("d.updated_ms >= ?", [end.into()]),
            Comparison::GreaterOrEqual => self.push("d.updated_ms >= ?", [start.into()]),
            Comparison::Less => self.push("d.updated_ms < ?", [start.into()]),
            Comparison::LessOrEqual => self.push("d.updated_ms < ?", [end.into()]),
        }
    }
}

/// The first whole millisecond that is not before `time`.
pub(super) fn ceil_ms(time: Timestamp) -> i64 {
    let whole = time.as_millisecond();
    if time.as_nanosecond() > i128::from(whole) * 1_000_000 { whole + 1 } else { whole }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
    }
}

fn which(kind: LabelKind) -> i64 {
    match kind {
        LabelKind::Security => SECURITY,
        LabelKind::Tag => TAG,
        LabelKind::Profile => PROFILE,
    }
}

fn order(orders: &[Order]) -> String {
    let mut text = String::new();
    for order in orders {
        let column = match order.key {
            SortKey::Id => "d.id",
            SortKey::Updated => "d.updated_ms",
            SortKey::Size => "d.size_bytes",
            SortKey::ContentType => "d.content_type",
        };
        text.push_str(column);
        text.push_str(if order.descending { " DESC, " } else { ", " });
    }
    text + "d.id"
}
