//! Conditions on one entry, over `@`: what the columns mean stands in the migration.

use charta_model::{
    Comparison, Filter, LabelKind, QuantityMatch, ReferenceMatch, TextMatch, TokenMatch, UriMatch,
};

use super::{
    condition::{Among, Builder, checked},
    sql::{Dialect, Sql, Value, beginning},
};
use crate::{
    Error,
    catalog::entry::{self, Shape},
};

/// Entries of some parameters that pass one of some tests.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) parameters: Vec<i64>,
    pub(super) tests: Vec<Sql>,
}

/// How few documents a filter lets through, by experience: what comes first is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Id,
    Reference,
    Identifier,
    Code,
    Words,
    Time,
    Number,
    Anything,
}

/// What a filter asks of single entries; `None` if it is of another kind.
pub(super) fn leaves(
    builder: &Builder<'_>,
    among: &Among,
    filter: &Filter,
) -> Result<Option<(Rank, Vec<Leaf>)>, Error> {
    let of = |name: &str, shape: Shape, tests: Vec<Sql>| -> Result<Leaf, Error> {
        let parameters = builder.parameters(among, name, |found| found == shape)?;
        Ok(Leaf { parameters: parameters.into_iter().map(|(key, _)| key).collect(), tests })
    };
    let tokens = |name: &str, wanted: &[TokenMatch]| -> Result<(Rank, Vec<Leaf>), Error> {
        let tests = checked(wanted)?.iter().filter_map(|wanted| token(builder, wanted).transpose());
        let rank = wanted.iter().map(|wanted| match (&wanted.system, &wanted.code) {
            (Some(_), Some(_)) => Rank::Identifier,
            (None, Some(_)) => Rank::Code,
            _ => Rank::Anything,
        });
        Ok((rank.max().unwrap_or(Rank::Id), vec![of(name, Shape::Token, tests.collect::<Result<_, _>>()?)?]))
    };
    let found = match filter {
        Filter::Token(name, wanted) => tokens(name, wanted)?,
        Filter::Label(kind, wanted) => tokens(label(*kind), wanted)?,
        Filter::Profile(urls) => {
            let exactly = |url: &String| TokenMatch {
                system: Some(String::new()),
                code: Some(url.clone()),
                case_sensitive: true,
            };
            tokens(entry::PROFILE, &urls.iter().map(exactly).collect::<Vec<_>>())?
        }
        Filter::Reference(name, wanted) => {
            let local = checked(wanted)?.iter().filter_map(|wanted| local(builder, wanted).transpose());
            let elsewhere = wanted.iter().filter_map(|wanted| match wanted {
                ReferenceMatch::Elsewhere(url) => Some(is(url)),
                ReferenceMatch::Local(..) => None,
            });
            let local = of(name, Shape::Reference, local.collect::<Result<_, _>>()?)?;
            (Rank::Reference, vec![local, of(name, Shape::Uri, elsewhere.collect())?])
        }
        Filter::Text(name, wanted) => {
            let starts = wanted.iter().all(|wanted| matches!(wanted, TextMatch::Starts(_)));
            let tests = checked(wanted)?.iter().map(|wanted| text(builder.dialect(), wanted)).collect();
            (if starts { Rank::Words } else { Rank::Anything }, vec![of(name, Shape::Text, tests)?])
        }
        Filter::Uri(name, wanted) => (
            Rank::Code,
            vec![of(
                name,
                Shape::Uri,
                checked(wanted)?.iter().map(|wanted| uri(builder.dialect(), wanted)).collect(),
            )?],
        ),
        Filter::Date(name, wanted) => {
            let of = |shape: Shape| {
                let tests = wanted.iter().map(|wanted| date(*wanted, shape.length_ms_max()));
                of(name, shape, tests.collect())
            };
            checked(wanted)?;
            (Rank::Time, Shape::DATES.into_iter().map(of).collect::<Result<_, _>>()?)
        }
        Filter::Quantity(name, wanted) => {
            let tests = checked(wanted)?.iter().filter_map(|wanted| quantity(builder, wanted).transpose());
            (Rank::Number, vec![of(name, Shape::Quantity, tests.collect::<Result<_, _>>()?)?])
        }
        _ => return Ok(None),
    };
    let (rank, leaves) = found;
    let able = |leaf: &Leaf| !leaf.parameters.is_empty() && !leaf.tests.is_empty();
    Ok(Some((rank, leaves.into_iter().filter(able).collect())))
}

/// The parameter under which labels are found.
pub(super) const fn label(kind: LabelKind) -> &'static str {
    match kind {
        LabelKind::Security => entry::SECURITY,
        LabelKind::Tag => entry::TAG,
        LabelKind::Profile => entry::PROFILE,
    }
}

/// `None` if nothing can match.
fn token(builder: &Builder<'_>, wanted: &TokenMatch) -> Result<Option<Sql>, Error> {
    let mut parts = Vec::new();
    if let Some(code) = &wanted.code {
        parts.push(is(&entry::fold(code)));
    }
    if let Some(system) = &wanted.system {
        let Some(key) = builder.system(system)? else { return Ok(None) };
        parts.push(Sql::with("@.second = ?", [Value::Key(key)]));
    }
    if let Some(code) = wanted.code.as_ref().filter(|_| wanted.case_sensitive) {
        parts.push(if entry::fold(code) == **code {
            Sql::new("@.third IS NULL")
        } else {
            Sql::with("@.third = ?", [code.clone().into()])
        });
    }
    let mut sql = Sql::default();
    sql.all(&parts);
    Ok(Some(sql))
}

fn is(value: &str) -> Sql {
    Sql::with("@.value = ?", [Value::Word(value.to_owned())])
}

fn local(builder: &Builder<'_>, wanted: &ReferenceMatch) -> Result<Option<Sql>, Error> {
    let id = |id: &charta_model::ResourceId| Value::from(id.as_str().to_owned());
    Ok(match wanted {
        ReferenceMatch::Local(None, named) => Some(Sql::with("@.value = ?", [id(named)])),
        ReferenceMatch::Local(Some(kind), named) => builder
            .kind(kind)?
            .map(|kind| Sql::with("(@.value = ? AND @.second = ?)", [id(named), Value::Key(kind)])),
        ReferenceMatch::Elsewhere(_) => None,
    })
}

fn text(dialect: Dialect, wanted: &TextMatch) -> Sql {
    match wanted {
        TextMatch::Starts(text) => starts(dialect, text),
        TextMatch::Contains(text) => dialect.contains(text),
        TextMatch::Exactly(text) => dialect.exactly(text),
    }
}

/// What begins with this text. An index that has not all of a value is asked for as much as it has.
fn starts(dialect: Dialect, text: &str) -> Sql {
    let indexed = beginning(text, dialect.indexed_bytes());
    if indexed.len() == text.len() {
        return between(text);
    }
    let mut sql = Sql::default();
    sql.all(&[
        between(indexed),
        Sql::with("strpos(coalesce(@.whole, @.value), ?) = 1", [text.to_owned().into()]),
    ]);
    sql
}

/// All texts that begin with this one lie between it and the next text of its length.
fn between(text: &str) -> Sql {
    let mut next: Vec<char> = text.chars().collect();
    while let Some(last) = next.pop() {
        let following = match last {
            '\u{d7ff}' => Some('\u{e000}'), // between them are no characters
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(following) = following {
            next.push(following);
            let next: String = next.into_iter().collect();
            return Sql::with("(@.value >= ? AND @.value < ?)", [text.to_owned().into(), next.into()]);
        }
    }
    Sql::with("@.value >= ?", [text.to_owned().into()])
}

fn uri(dialect: Dialect, wanted: &UriMatch) -> Sql {
    match wanted {
        UriMatch::Exactly(uri) => is(uri),
        UriMatch::Below(uri) => {
            let segment = if uri.ends_with('/') { uri.clone() } else { format!("{uri}/") };
            let mut sql = Sql::default();
            sql.any(&[is(uri), starts(dialect, &segment)]);
            sql
        }
        UriMatch::Above(uri) => {
            let borders = uri.match_indices('/').flat_map(|(at, _)| [&uri[..at], &uri[..=at]]);
            let above = borders.chain([&uri[..]]).filter(|above| !above.is_empty());
            let mut sql = Sql::default();
            sql.one_of("@.value", above.map(|above| Value::Word(above.to_owned())));
            sql
        }
    }
}

/// An entry from `value` to `second` compared with the range from `start` to `end`, ends excluded. The first
/// part of each bounds the start alone, for the index: what is no longer than `length_ms_max` and ends after
/// some time has not started much earlier.
fn date((comparison, start, end): (Comparison, i64, i64), length_ms_max: Option<i64>) -> Sql {
    let reaching = |time: i64| length_ms_max.map_or(i64::MIN, |max| time.saturating_sub(max));
    let sql = |text: &str, values: &[i64]| Sql::with(text, values.iter().copied().map(Value::Time));
    match comparison {
        Comparison::Equal => sql("(@.value >= ? AND @.value <= ? AND @.second <= ?)", &[start, end, end]),
        Comparison::NotEqual => sql("(@.value < ? OR @.second > ?)", &[start, end]),
        Comparison::Greater => sql("(@.value >= ? AND @.second > ?)", &[reaching(end), end]),
        Comparison::GreaterOrEqual => {
            sql("(@.value >= ? AND (@.second > ? OR @.value >= ?))", &[reaching(end).min(start), end, start])
        }
        Comparison::Less => sql("@.value < ?", &[start]),
        Comparison::LessOrEqual => {
            sql("(@.value <= ? AND (@.value < ? OR @.second <= ?))", &[start.max(end), start, end])
        }
        Comparison::StartsAfter => sql("@.value >= ?", &[end]),
        Comparison::EndsBefore => sql("(@.value <= ? AND @.second <= ?)", &[start, start]),
        Comparison::Overlaps => {
            sql("(@.value >= ? AND @.value < ? AND @.second > ?)", &[reaching(start), end, start])
        }
    }
}

/// An entry from `value` to `second`, both included, compared with the range from `low` to below `high`.
/// `None` if nothing can match.
fn quantity(builder: &Builder<'_>, wanted: &QuantityMatch) -> Result<Option<Sql>, Error> {
    let QuantityMatch { comparison, low, high, system, code } = wanted;
    let sql = |text: &str, values: &[f64]| Sql::with(text, values.iter().copied().map(Value::Number));
    let compared = match comparison {
        Comparison::Equal => sql("@.value >= ? AND @.value < ? AND @.second < ?", &[*low, *high, *high]),
        Comparison::NotEqual => sql("(@.value < ? OR @.second >= ?)", &[*low, *high]),
        Comparison::Greater => sql("@.second >= ?", &[*high]),
        Comparison::GreaterOrEqual => sql("(@.second >= ? OR @.value >= ?)", &[*high, *low]),
        Comparison::Less => sql("@.value < ?", &[*low]),
        Comparison::LessOrEqual => sql("(@.value < ? OR @.second < ?)", &[*low, *high]),
        Comparison::StartsAfter => sql("@.value >= ?", &[*high]),
        Comparison::EndsBefore => sql("@.second < ?", &[*low]),
        Comparison::Overlaps => sql("@.value < ? AND @.second >= ?", &[*high, *low]),
    };
    if system.is_none() && code.is_none() {
        return Ok(Some(compared));
    }
    let units = builder.units(system.as_deref(), code.as_deref())?;
    if units.is_empty() {
        return Ok(None);
    }
    let mut of_unit = Sql::default();
    of_unit.one_of(&format!("{}@.third", builder.dialect().plain()), units.into_iter().map(Value::Key));
    let mut sql = Sql::default();
    sql.all(&[compared, of_unit]);
    Ok(Some(sql))
}
