//! Conditions on the columns of a document, over `@`.

use charta_model::{Comparison, Filter, MediaType, Timestamp, TypeMatch};

use super::{
    condition::checked,
    sql::{Dialect, Sql},
};
use crate::Error;

/// Structured suffixes (RFC 6838): a type below `text/xml` may be `application/hl7-v3+xml`.
const SUFFIXES: [&str; 6] = ["xml", "json", "zip", "gzip", "cbor", "yaml"];

/// The condition, and the index that finds what fulfils it; `None` if it is not about columns.
pub(super) fn condition(dialect: Dialect, filter: &Filter) -> Result<Option<(Sql, &'static str)>, Error> {
    let mut sql = Sql::default();
    let index = match filter {
        Filter::Id(ids) => {
            checked(ids)?;
            sql.one_of("@.id", ids.iter().map(|id| id.as_str().to_owned().into()));
            "document_id"
        }
        Filter::ContentType(types) => {
            let types: Vec<_> = checked(types)?.iter().map(|wanted| content_type(dialect, wanted)).collect();
            sql.any(&types);
            "document_type"
        }
        Filter::Updated(ranges) => {
            let ranges: Vec<_> = checked(ranges)?
                .iter()
                .map(|(comparison, start, end)| updated(*comparison, *start, *end))
                .collect();
            sql.any(&ranges);
            "document_updated"
        }
        Filter::Size(sizes) => {
            let sizes: Vec<_> =
                checked(sizes)?.iter().map(|(comparison, bytes)| size(*comparison, *bytes)).collect();
            sql.any(&sizes);
            "document_size"
        }
        _ => return Ok(None),
    };
    Ok(Some((sql, index)))
}

fn content_type(dialect: Dialect, wanted: &TypeMatch) -> Sql {
    match wanted {
        TypeMatch::Exactly(text) => {
            let mut sql = Sql::default();
            if let Ok(media_type) = MediaType::new(text) {
                sql = Sql::with("@.essence = ? AND ", [media_type.essence().to_owned().into()]);
            }
            sql.append(&Sql::with("lower(@.content_type) = lower(?)", [text.clone().into()]));
            sql
        }
        TypeMatch::Below(essence) => {
            let subtype = essence.split('/').nth(1).unwrap_or_default();
            let exactly = Sql::with("@.essence = ?", [essence.clone().into()]);
            if !SUFFIXES.contains(&subtype) {
                return exactly;
            }
            let mut sql = Sql::default();
            sql.any(&[exactly, dialect.ends("@.essence", &format!("+{subtype}"))]);
            sql
        }
    }
}

/// Commit times are whole milliseconds, so a bound within one means the next.
fn updated(comparison: Comparison, start: Timestamp, end: Timestamp) -> Sql {
    let (start, end) = (ceil_ms(start), ceil_ms(end));
    let both = [start.into(), end.into()];
    match comparison {
        Comparison::Equal | Comparison::Overlaps => Sql::with("@.updated_ms >= ? AND @.updated_ms < ?", both),
        Comparison::NotEqual => Sql::with("(@.updated_ms < ? OR @.updated_ms >= ?)", both),
        Comparison::Greater | Comparison::StartsAfter => Sql::with("@.updated_ms >= ?", [end.into()]),
        Comparison::GreaterOrEqual => Sql::with("@.updated_ms >= ?", [start.into()]),
        Comparison::Less | Comparison::EndsBefore => Sql::with("@.updated_ms < ?", [start.into()]),
        Comparison::LessOrEqual => Sql::with("@.updated_ms < ?", [end.into()]),
    }
}

fn size(comparison: Comparison, size_bytes: u64) -> Sql {
    let operator = match comparison {
        Comparison::Equal | Comparison::Overlaps => "=",
        Comparison::NotEqual => "<>",
        Comparison::Greater | Comparison::StartsAfter => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less | Comparison::EndsBefore => "<",
        Comparison::LessOrEqual => "<=",
    };
    let size_bytes = i64::try_from(size_bytes).unwrap_or(i64::MAX);
    Sql::with(&format!("@.size_bytes {operator} ?"), [size_bytes.into()])
}

/// The first whole millisecond that is not before `time`.
pub(in crate::catalog) fn ceil_ms(time: Timestamp) -> i64 {
    let whole = time.as_millisecond();
    if time.as_nanosecond() > i128::from(whole) * 1_000_000 { whole + 1 } else { whole }
}
