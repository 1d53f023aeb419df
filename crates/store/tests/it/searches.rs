//! Random documents and random searches, compared with a search that looks at every document.

use charta_model::{
    Comparison, Entry, EntryValue, Filter, Order, QuantityMatch, Query, ReferenceMatch, ResourceId,
    ResourceType, SortKey, TextMatch, TokenMatch, UriMatch,
};
use charta_store::testing::{self, entry};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::support::{Place, TestStore};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// One of a few types and ids, so that references hit.
#[derive(Debug, Clone, PartialEq)]
struct Record {
    kind: ResourceType,
    id: ResourceId,
    entries: Vec<Entry>,
}

fn kind() -> impl Strategy<Value = ResourceType> {
    select(vec!["Patient", "Observation"]).prop_map(testing::kind)
}

fn id() -> impl Strategy<Value = ResourceId> {
    select(vec!["a", "b", "c", "d", "e"]).prop_map(testing::id)
}

fn system() -> impl Strategy<Value = &'static str> {
    select(vec!["", "s", "r"])
}

fn code() -> impl Strategy<Value = &'static str> {
    select(vec!["x", "X", "y"])
}

fn word() -> impl Strategy<Value = &'static str> {
    select(vec!["ab", "Ab", "abc", "b", ""])
}

fn url() -> impl Strategy<Value = &'static str> {
    select(vec!["http://h", "http://h/a", "http://h/a/b", "http://h/ab", "urn:x"])
}

/// Of every length, around the same days.
fn stretch() -> impl Strategy<Value = (i64, i64)> {
    let length = select(vec![1, DAY, DAY + 1, 400 * DAY, 401 * DAY]);
    let closed = (-3..4i64, length).prop_map(|(day, length)| (day * DAY, day * DAY + length));
    prop_oneof![
        8 => closed,
        1 => (-3..4i64).prop_map(|day| (i64::MIN, day * DAY)),
        1 => (-3..4i64).prop_map(|day| (day * DAY, i64::MAX)),
    ]
}

fn amount() -> impl Strategy<Value = (f64, f64)> {
    (-2..3i8, 0..3i8).prop_map(|(low, more)| (f64::from(low), f64::from(low) + f64::from(more)))
}

fn component(token: &'static str, quantity: &'static str) -> impl Strategy<Value = Entry> {
    prop_oneof![
        (system(), code()).prop_map(move |(system, code)| entry::token(token, system, code)),
        (amount(), system(), code())
            .prop_map(move |((low, high), system, code)| entry::quantity(quantity, low, high, system, code)),
    ]
}

fn any_entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        component("token", "quantity"),
        (component("pair.0", "pair.1"), 1..3u32).prop_map(|(entry, part)| entry::part(part, entry)),
        (kind(), id()).prop_map(|(kind, id)| entry::reference("reference", &format!("{kind}/{id}"))),
        url().prop_map(|url| entry::uri("reference", url)),
        word().prop_map(|word| entry::text("text", word)),
        url().prop_map(|url| entry::uri("uri", url)),
        stretch().prop_map(|(start, end)| entry::date("date", start, end)),
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let record =
        (kind(), id(), vec(any_entry(), 0..8)).prop_map(|(kind, id, entries)| Record { kind, id, entries });
    vec(record, 0..12).prop_map(|mut records| {
        records.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
        records.dedup_by(|a, b| (&a.kind, &a.id) == (&b.kind, &b.id));
        records
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison as C;
    select(vec![
        C::Equal,
        C::NotEqual,
        C::Greater,
        C::GreaterOrEqual,
        C::Less,
        C::LessOrEqual,
        C::StartsAfter,
        C::EndsBefore,
        C::Overlaps,
    ])
}

fn tokens(name: &'static str) -> impl Strategy<Value = Filter> {
    let token = (option::of(system()), option::of(code()), any::<bool>()).prop_map(
        |(system, code, case_sensitive)| TokenMatch {
            system: system.map(Into::into),
            code: code.map(Into::into),
            case_sensitive,
        },
    );
    vec(token, 0..3).prop_map(move |tokens| Filter::Token(name.into(), tokens))
}

fn quantities(name: &'static str) -> impl Strategy<Value = Filter> {
    let quantity = (comparison(), amount(), option::of(system()), option::of(code())).prop_map(
        |(comparison, (low, high), system, code)| QuantityMatch {
            comparison,
            low: low - 0.5,
            high: high + 0.5,
            system: system.map(Into::into),
            code: code.map(Into::into),
        },
    );
    vec(quantity, 0..3).prop_map(move |quantities| Filter::Quantity(name.into(), quantities))
}

fn leaf() -> impl Strategy<Value = Filter> {
    let reference = prop_oneof![
        (option::of(kind()), id()).prop_map(|(kind, id)| ReferenceMatch::Local(kind, id)),
        url().prop_map(|url| ReferenceMatch::Elsewhere(url.into())),
    ];
    let text = (word(), 0..3).prop_map(|(word, way)| match way {
        0 => TextMatch::Starts(word.to_lowercase()),
        1 => TextMatch::Contains(word.to_lowercase()),
        _ => TextMatch::Exactly(word.into()),
    });
    let uri = (url(), 0..3).prop_map(|(url, way)| match way {
        0 => UriMatch::Exactly(url.into()),
        1 => UriMatch::Below(url.into()),
        _ => UriMatch::Above(url.into()),
    });
    let date = (comparison(), stretch()).prop_map(|(comparison, (start, end))| (comparison, start, end));
    let names = ["token", "reference", "text", "uri", "date", "quantity", "pair.0", "none"];
    prop_oneof![
        3 => tokens("token"),
        3 => vec(reference, 0..3).prop_map(|wanted| Filter::Reference("reference".into(), wanted)),
        2 => vec(text, 0..3).prop_map(|wanted| Filter::Text("text".into(), wanted)),
        2 => vec(uri, 0..3).prop_map(|wanted| Filter::Uri("uri".into(), wanted)),
        4 => vec(date, 0..3).prop_map(|wanted| Filter::Date("date".into(), wanted)),
        2 => quantities("quantity"),
        2 => (tokens("pair.0"), quantities("pair.1")).prop_map(|(a, b)| Filter::Composite(vec![a, b])),
        1 => (select(names.to_vec()), any::<bool>()).prop_map(|(name, is)| Filter::Missing(name.into(), is)),
        1 => vec(id(), 0..3).prop_map(Filter::Id),
        1 => Just(Filter::Nothing),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Filter::Not(Box::new(inner))),
            vec(inner.clone(), 0..3).prop_map(Filter::Any),
            (kind(), inner.clone()).prop_map(|(kind, inner)| {
                Filter::Chain("reference".into(), vec![testing::scope(kind.as_str())], Box::new(inner))
            }),
            (kind(), inner).prop_map(|(kind, inner)| {
                Filter::Has(testing::scope(kind.as_str()), "reference".into(), Box::new(inner))
            }),
        ]
    })
}

/// The search that looks at every document.
struct All<'a>(&'a [Record]);

impl All<'_> {
    fn matches(&self, record: &Record, filter: &Filter) -> bool {
        let some = |name: &str, test: &dyn Fn(&EntryValue) -> bool| {
            record.entries.iter().any(|entry| entry.parameter == name && test(&entry.value))
        };
        match filter {
            Filter::Nothing => false,
            Filter::Id(ids) => ids.contains(&record.id),
            Filter::Not(inner) => !self.matches(record, inner),
            Filter::Any(inner) => inner.iter().any(|inner| self.matches(record, inner)),
            Filter::Missing(name, missing) => some(name, &|_| true) != *missing,
            Filter::Composite(parts) => (1..3).any(|part| {
                let entries = record.entries.iter().filter(|entry| entry.part == part).cloned().collect();
                let of_part = Record { entries, ..record.clone() };
                parts.iter().all(|filter| self.matches(&of_part, filter))
            }),
            Filter::Chain(name, scopes, inner) => self.0.iter().any(|target| {
                scopes.iter().any(|scope| scope.kind == target.kind)
                    && some(name, &|value| refers(value, target))
                    && self.matches(target, inner)
            }),
            Filter::Has(scope, name, inner) => self.0.iter().any(|source| {
                let refers = |entry: &Entry| entry.parameter == *name && refers(&entry.value, record);
                source.kind == scope.kind && source.entries.iter().any(refers) && self.matches(source, inner)
            }),
            Filter::Token(name, wanted) => {
                some(name, &|value| wanted.iter().any(|wanted| token(value, wanted)))
            }
            Filter::Reference(name, wanted) => {
                some(name, &|value| wanted.iter().any(|wanted| reference(value, wanted)))
            }
            Filter::Text(name, wanted) => {
                some(name, &|value| wanted.iter().any(|wanted| text(value, wanted)))
            }
            Filter::Uri(name, wanted) => some(name, &|value| wanted.iter().any(|wanted| uri(value, wanted))),
            Filter::Date(name, wanted) => {
                some(name, &|value| wanted.iter().any(|wanted| date(value, *wanted)))
            }
            Filter::Quantity(name, wanted) => {
                some(name, &|value| wanted.iter().any(|wanted| quantity(value, wanted)))
            }
            other => panic!("{other:?}"),
        }
    }
}

fn refers(value: &EntryValue, to: &Record) -> bool {
    matches!(value, EntryValue::Reference { kind, id } if *kind == to.kind && *id == to.id)
}

fn said(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

fn token(value: &EntryValue, wanted: &TokenMatch) -> bool {
    let EntryValue::Token { system, code } = value else { return false };
    let same = |text: &String| match wanted.case_sensitive {
        true => said(code) == text,
        false => said(code).to_lowercase() == text.to_lowercase(),
    };
    wanted.system.as_ref().is_none_or(|text| said(system) == text) && wanted.code.as_ref().is_none_or(same)
}

fn reference(value: &EntryValue, wanted: &ReferenceMatch) -> bool {
    match (value, wanted) {
        (EntryValue::Reference { kind, id }, ReferenceMatch::Local(of, named)) => {
            id == named && of.as_ref().is_none_or(|of| of == kind)
        }
        (EntryValue::Uri(uri), ReferenceMatch::Elsewhere(url)) => uri == url,
        _ => false,
    }
}

fn text(value: &EntryValue, wanted: &TextMatch) -> bool {
    let EntryValue::Text { folded, exact } = value else { return false };
    match wanted {
        TextMatch::Starts(text) => folded.starts_with(text),
        TextMatch::Contains(text) => folded.contains(text),
        TextMatch::Exactly(text) => exact == text,
    }
}

fn uri(value: &EntryValue, wanted: &UriMatch) -> bool {
    let EntryValue::Uri(uri) = value else { return false };
    let below = |uri: &str, above: &str| uri == above || uri.starts_with(&format!("{above}/"));
    match wanted {
        UriMatch::Exactly(url) => uri == url,
        UriMatch::Below(url) => below(uri, url),
        UriMatch::Above(url) => below(url, uri),
    }
}

fn date(value: &EntryValue, (comparison, start, end): (Comparison, i64, i64)) -> bool {
    let EntryValue::Date { start_ms, end_ms } = value else { return false };
    let equal = *start_ms >= start && *end_ms <= end;
    match comparison {
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
        Comparison::Greater => *end_ms > end,
        Comparison::GreaterOrEqual => *end_ms > end || equal,
        Comparison::Less => *start_ms < start,
        Comparison::LessOrEqual => *start_ms < start || equal,
        Comparison::StartsAfter => *start_ms >= end,
        Comparison::EndsBefore => *end_ms <= start,
        Comparison::Overlaps => *start_ms < end && *end_ms > start,
    }
}

fn quantity(value: &EntryValue, wanted: &QuantityMatch) -> bool {
    let EntryValue::Quantity { low, high, system, code } = value else { return false };
    let equal = *low >= wanted.low && *high < wanted.high;
    let compared = match wanted.comparison {
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
        Comparison::Greater => *high >= wanted.high,
        Comparison::GreaterOrEqual => *high >= wanted.high || equal,
        Comparison::Less => *low < wanted.low,
        Comparison::LessOrEqual => *low < wanted.low || equal,
        Comparison::StartsAfter => *low >= wanted.high,
        Comparison::EndsBefore => *high < wanted.low,
        Comparison::Overlaps => *low < wanted.high && *high >= wanted.low,
    };
    compared
        && wanted.system.as_ref().is_none_or(|wanted| said(system) == wanted)
        && wanted.code.as_ref().is_none_or(|wanted| said(code) == wanted)
}

async fn run(store: TestStore, records: Vec<Record>, searches: Vec<(ResourceType, Vec<Filter>, bool)>) {
    let write = |record: &Record| {
        let write = testing::put_record(record.kind.as_str(), record.id.as_str(), "1");
        (entry::with(write, record.entries.clone()), None)
    };
    let writes = records.iter().map(write).collect();
    store.transact(&testing::tenant("t"), writes, Vec::new(), testing::at(1)).await.unwrap();
    let all = All(&records);
    for (kind, filters, sorted) in searches {
        let fits = |record: &&Record| {
            record.kind == kind && filters.iter().all(|filter| all.matches(record, filter))
        };
        let mut expected: Vec<&str> = records.iter().filter(fits).map(|record| record.id.as_str()).collect();
        let order = Order { key: SortKey::Parameter("date".into()), descending: true };
        let query = Query {
            scopes: vec![testing::scope(kind.as_str())],
            filters,
            order: if sorted { vec![order] } else { vec![] },
            limit: 100,
            offset: 0,
            ..Query::default()
        };
        let page = store.search(&testing::tenant("t"), &query).await.unwrap();
        let mut found: Vec<&str> = page.matches.iter().map(|stored| stored.document.id.as_str()).collect();
        if sorted {
            found.sort_unstable();
            expected.sort_unstable();
        }
        assert_eq!((found, page.total), (expected.clone(), expected.len() as u64), "{query:?}");
        let counted = Query { limit: 0, ..query };
        assert_eq!(store.search(&testing::tenant("t"), &counted).await.unwrap().total, expected.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_looking_at_everything_finds(
        records in records(),
        searches in vec((kind(), vec(filter(), 0..4), any::<bool>()), 1..25)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { run(TestStore::new(), records, searches).await });
    }

    #[test]
    #[ignore = "needs TEST_POSTGRES_URL"]
    fn the_same_over_postgres(
        records in records(),
        searches in vec((kind(), vec(filter(), 0..4), any::<bool>()), 1..25)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async { run(TestStore::at(Place::of_database()), records, searches).await });
    }
}
