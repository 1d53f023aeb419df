//! How every catalog compares entries, filter by filter.

use charta_model::{
    Comparison, Entry, Filter, Order, QuantityMatch, Query, ReferenceMatch, ResourceType, Scope, SortKey,
    Source, TextMatch, TokenMatch, UriMatch,
};

use super::{
    at, binaries,
    catalog::{Subject, found, put, stored},
    entry::{date, part, quantity, reference, text, token, uri, with},
    id, put_record, scope, tenant, update,
};
use crate::Error;

/// Observations, each with these entries.
async fn fill(catalog: &Subject, records: impl IntoIterator<Item = (&str, Vec<Entry>)>) {
    for (name, entries) in records {
        stored(put(catalog, with(put_record("Observation", name, "1"), entries), b"", 1).await);
    }
}

/// That a filter finds these of them, alone, negated, and together with a filter that an index gives first.
async fn check(catalog: &Subject, filter: Filter, expected: &str) {
    let search = async |filters: Vec<Filter>| {
        let query = Query { scopes: vec![scope("Observation")], filters, ..binaries() };
        let names = found(catalog, &query).await;
        let total = catalog.search(&tenant("t"), &query).await.unwrap().total;
        assert_eq!(total, names.len() as u64, "{query:?}");
        let none = catalog.search(&tenant("t"), &Query { limit: 0, ..query }).await.unwrap();
        assert_eq!((none.total, none.matches.len()), (total, 0));
        names
    };
    let expected: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(search(vec![filter.clone()]).await, expected, "{filter:?}");
    let mut others = search(vec![]).await;
    others.retain(|name| !expected.contains(&name.as_str()));
    let negated = Filter::Not(Box::new(filter.clone()));
    assert_eq!(search(vec![negated]).await, others, "not {filter:?}");
    let ids = Filter::Id(["a", "b", "c", "d", "e", "f", "g", "h"].map(id).into());
    assert_eq!(search(vec![filter.clone(), ids]).await, expected, "{filter:?} beside ids");
    let either = Filter::Any(vec![Filter::Nothing, filter.clone()]);
    assert_eq!(search(vec![either]).await, expected, "{filter:?} or nothing");
}

fn code(system: Option<&str>, code: Option<&str>, case_sensitive: bool) -> TokenMatch {
    TokenMatch { system: system.map(Into::into), code: code.map(Into::into), case_sensitive }
}

fn codes(wanted: Vec<TokenMatch>) -> Filter {
    Filter::Token("code".into(), wanted)
}

/// With and without system, letter case and code.
pub async fn tokens(catalog: &Subject) {
    fill(
        catalog,
        [
            ("a", vec![token("code", "s", "X"), token("other", "s", "y")]),
            ("b", vec![token("code", "", "x")]),
            ("c", vec![token("code", "r", "x"), token("code", "s", "Y")]),
            ("d", vec![token("code", "s", "")]),
            ("e", vec![]),
        ],
    )
    .await;
    let cases = [
        (vec![code(None, Some("x"), true)], "b c"),
        (vec![code(None, Some("x"), false)], "a b c"),
        (vec![code(None, Some("X"), false)], "a b c"),
        (vec![code(None, Some("X"), true)], "a"),
        (vec![code(Some("s"), Some("x"), false)], "a"),
        (vec![code(Some("s"), Some("x"), true)], ""),
        (vec![code(Some(""), Some("x"), true)], "b"),
        (vec![code(Some("s"), None, true)], "a c d"),
        (vec![code(Some(""), None, true)], "b"),
        (vec![code(Some("unknown"), Some("x"), true)], ""),
        (vec![code(None, Some("Y"), true), code(Some("r"), None, true)], "c"),
        (vec![code(Some("unknown"), None, true), code(None, Some("X"), true)], "a"),
        (vec![], ""),
    ];
    for (wanted, expected) in cases {
        check(catalog, codes(wanted), expected).await;
    }
    check(catalog, Filter::Token("unknown".into(), vec![code(None, Some("x"), true)]), "").await;
}

/// Of a type or any, and to somewhere else.
pub async fn references(catalog: &Subject) {
    fill(
        catalog,
        [
            ("a", vec![reference("subject", "Patient/1")]),
            ("b", vec![reference("subject", "Group/1"), reference("subject", "Patient/2")]),
            ("c", vec![uri("subject", "https://else.example/Patient/1")]),
            ("d", vec![reference("performer", "Patient/1")]),
        ],
    )
    .await;
    let local = |kind: Option<&str>, name: &str| ReferenceMatch::Local(kind.map(super::kind), id(name));
    let elsewhere = |url: &str| ReferenceMatch::Elsewhere(url.into());
    for (wanted, expected) in [
        (vec![local(Some("Patient"), "1")], "a"),
        (vec![local(None, "1")], "a b"),
        (vec![local(Some("Device"), "1")], ""),
        (vec![local(Some("Patient"), "3")], ""),
        (vec![elsewhere("https://else.example/Patient/1")], "c"),
        (vec![local(Some("Patient"), "2"), elsewhere("https://else.example/Patient/1")], "b c"),
        (vec![local(Some("Patient"), "1"), local(Some("Patient"), "2")], "a b"),
        (vec![], ""),
    ] {
        check(catalog, Filter::Reference("subject".into(), wanted), expected).await;
    }
}

/// Beginnings, parts, and to the letter.
pub async fn texts(catalog: &Subject) {
    fill(
        catalog,
        [
            ("a", vec![text("name", "Eve Everywoman")]),
            ("b", vec![text("name", "eve")]),
            ("c", vec![text("name", "Steve"), text("name", "STEVE")]),
            ("d", vec![text("name", "Zoë \u{10ffff}x")]),
            ("e", vec![text("name", "")]),
        ],
    )
    .await;
    let starts = |text: &str| TextMatch::Starts(text.into());
    let contains = |text: &str| TextMatch::Contains(text.into());
    let exactly = |text: &str| TextMatch::Exactly(text.into());
    for (wanted, expected) in [
        (vec![starts("eve")], "a b"),
        (vec![starts("eve e")], "a"),
        (vec![starts("evf")], ""),
        (vec![starts("zoë \u{10ffff}")], "d"),
        (vec![starts("zo\u{ea}")], ""),
        (vec![starts("")], "a b c d e"),
        (vec![contains("eve")], "a b c"),
        (vec![contains("%")], ""),
        (vec![exactly("eve")], "b"),
        (vec![exactly("Eve Everywoman")], "a"),
        (vec![exactly("Eve")], ""),
        (vec![exactly("STEVE")], "c"),
        (vec![starts("steve"), exactly("eve")], "b c"),
        (vec![], ""),
    ] {
        check(catalog, Filter::Text("name".into(), wanted), expected).await;
    }
}

/// Whole, below and above, segment by segment.
pub async fn uris(catalog: &Subject) {
    fill(
        catalog,
        [
            ("a", vec![uri("url", "http://acme.example/fhir")]),
            ("b", vec![uri("url", "http://acme.example/fhir/ValueSet/1")]),
            ("c", vec![uri("url", "http://acme.example/fhirs")]),
            ("d", vec![uri("url", "urn:oid:1.2"), uri("url", "http://acme.example/")]),
        ],
    )
    .await;
    let exactly = |uri: &str| UriMatch::Exactly(uri.into());
    let below = |uri: &str| UriMatch::Below(uri.into());
    let above = |uri: &str| UriMatch::Above(uri.into());
    for (wanted, expected) in [
        (vec![exactly("http://acme.example/fhir")], "a"),
        (vec![exactly("HTTP://acme.example/fhir")], ""),
        (vec![exactly("urn:oid:1.2")], "d"),
        (vec![below("http://acme.example/fhir")], "a b"),
        (vec![below("http://acme.example/fhir/")], "b"),
        (vec![below("http://acme.example/fhi")], ""),
        (vec![below("http://acme.example")], "a b c d"),
        (vec![above("http://acme.example/fhir/ValueSet/1/_history/5")], "a b d"),
        (vec![above("http://acme.example/fhirs/x")], "c d"),
        (vec![above("http://acme.example/fhir")], "a d"),
        (vec![exactly("urn:oid:1.2"), below("http://acme.example/fhirs")], "c d"),
        (vec![], ""),
    ] {
        check(catalog, Filter::Uri("url".into(), wanted), expected).await;
    }
}

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Each prefix, with stretches of any length and open ends.
pub async fn dates(catalog: &Subject) {
    use Comparison as C;
    fill(
        catalog,
        [
            ("a", vec![date("date", 10 * DAY, 10 * DAY + 1)]),
            ("b", vec![date("date", 10 * DAY, 11 * DAY)]),
            ("c", vec![date("date", 5 * DAY, 35 * DAY)]),
            ("d", vec![date("date", i64::MIN, 10 * DAY)]),
            ("e", vec![date("date", 10 * DAY, i64::MAX)]),
            ("f", vec![date("date", 12 * DAY, 13 * DAY), date("date", 2 * DAY, 3 * DAY)]),
            ("g", vec![date("date", 0, 1000 * DAY)]),
            ("h", vec![]),
        ],
    )
    .await;
    let tenth = (10 * DAY, 11 * DAY);
    let month = (0, 31 * DAY);
    for (comparison, (start, end), expected) in [
        (C::Equal, tenth, "a b"),
        (C::NotEqual, tenth, "c d e f g"),
        (C::Greater, tenth, "c e f g"),
        (C::GreaterOrEqual, tenth, "a b c e f g"),
        (C::Less, tenth, "c d f g"),
        (C::LessOrEqual, tenth, "a b c d f g"),
        (C::StartsAfter, tenth, "f"),
        (C::EndsBefore, tenth, "d f"),
        (C::Overlaps, tenth, "a b c e g"),
        (C::Equal, month, "a b f"),
        (C::Greater, month, "c e g"),
        (C::Less, month, "d"),
        (C::StartsAfter, month, ""),
        (C::EndsBefore, month, ""),
        (C::Overlaps, month, "a b c d e f g"),
        (C::StartsAfter, (DAY, 10 * DAY), "a b e f"),
        (C::EndsBefore, (35 * DAY, 36 * DAY), "a b c d f"),
        (C::Overlaps, (i64::MIN, i64::MAX), "a b c d e f g"),
        (C::Equal, (i64::MIN, i64::MAX), "a b c d e f g"),
        (C::Greater, (i64::MIN, 10 * DAY), "a b c e f g"),
    ] {
        check(catalog, Filter::Date("date".into(), vec![(comparison, start, end)]), expected).await;
    }
    let either = vec![(C::Equal, 2 * DAY, 3 * DAY), (C::Equal, 10 * DAY, 10 * DAY + 5)];
    check(catalog, Filter::Date("date".into(), either), "a f").await;
    check(catalog, Filter::Date("date".into(), vec![]), "").await;
}

/// Each prefix, with units and ranges.
pub async fn quantities(catalog: &Subject) {
    use Comparison as C;
    fill(
        catalog,
        [
            ("a", vec![quantity("value", 5.4, 5.4, "ucum", "mg")]),
            ("b", vec![quantity("value", 5.46, 5.46, "ucum", "mg")]),
            ("c", vec![quantity("value", 5.4, 5.4, "ucum", "g"), quantity("value", 1.0, 2.0, "", "mg")]),
            ("d", vec![quantity("value", -3.0, 7.0, "", "")]),
            ("e", vec![quantity("value", f64::NEG_INFINITY, 1.0, "ucum", "mg")]),
            ("f", vec![quantity("value", f64::NAN, f64::NAN, "ucum", "mg")]),
        ],
    )
    .await;
    let about = |comparison| QuantityMatch { comparison, low: 5.35, high: 5.45, system: None, code: None };
    for (comparison, expected) in [
        (C::Equal, "a c"),
        (C::NotEqual, "b c d e"),
        (C::Greater, "b d"),
        (C::GreaterOrEqual, "a b c d"),
        (C::Less, "c d e"),
        (C::LessOrEqual, "a c d e"),
        (C::StartsAfter, "b"),
        (C::EndsBefore, "c e"),
        (C::Overlaps, "a c d"),
    ] {
        check(catalog, Filter::Quantity("value".into(), vec![about(comparison)]), expected).await;
    }
    let of = |system: Option<&str>, code: Option<&str>| QuantityMatch {
        system: system.map(Into::into),
        code: code.map(Into::into),
        low: -10.0,
        high: 10.0,
        comparison: C::Equal,
    };
    for (wanted, expected) in [
        (vec![of(None, Some("mg"))], "a b c"),
        (vec![of(Some("ucum"), Some("mg"))], "a b"),
        (vec![of(Some(""), Some("mg"))], "c"),
        (vec![of(Some(""), None)], "c d"),
        (vec![of(Some("ucum"), None)], "a b c"),
        (vec![of(Some("other"), Some("mg"))], ""),
        (vec![of(None, Some("g")), of(Some(""), Some(""))], "c d"),
        (vec![], ""),
    ] {
        check(catalog, Filter::Quantity("value".into(), wanted), expected).await;
    }
}

/// Only components of the same value count.
pub async fn composites(catalog: &Subject) {
    let pair = |number, name: &str, value: f64| {
        let name = token("pair.0", "s", name);
        [part(number, name), part(number, quantity("pair.1", value, value, "", "mg"))]
    };
    fill(
        catalog,
        [
            ("a", [pair(1, "x", 1.0), pair(2, "y", 9.0)].concat()),
            ("b", [pair(1, "x", 9.0), pair(2, "y", 1.0)].concat()),
            ("c", pair(1, "x", 9.0).to_vec()),
            ("d", vec![]),
        ],
    )
    .await;
    let above = |value| {
        let wanted = QuantityMatch {
            comparison: Comparison::Greater,
            low: value,
            high: value,
            system: None,
            code: None,
        };
        Filter::Quantity("pair.1".into(), vec![wanted])
    };
    let named = |name: &str| Filter::Token("pair.0".into(), vec![code(None, Some(name), true)]);
    check(catalog, Filter::Composite(vec![named("x"), above(5.0)]), "b c").await;
    check(catalog, Filter::Composite(vec![above(5.0), named("y")]), "a").await;
    check(catalog, Filter::Composite(vec![above(0.0), named("y")]), "a b").await;
    check(catalog, Filter::Composite(vec![named("z"), above(0.0)]), "").await;
    let both =
        [Filter::Composite(vec![named("x"), above(5.0)]), Filter::Composite(vec![named("y"), above(5.0)])];
    check(catalog, Filter::Any(both.into()), "a b c").await;
}

/// Of any shape, and of parameters that nobody has.
pub async fn what_is_missing(catalog: &Subject) {
    fill(
        catalog,
        [
            ("a", vec![token("code", "s", "x")]),
            ("b", vec![text("code", "x")]),
            ("c", vec![date("code", 1, 2), quantity("other", 1.0, 1.0, "", "")]),
            ("d", vec![]),
        ],
    )
    .await;
    check(catalog, Filter::Missing("code".into(), false), "a b c").await;
    check(catalog, Filter::Missing("code".into(), true), "d").await;
    check(catalog, Filter::Missing("other".into(), true), "a b d").await;
    check(catalog, Filter::Missing("nobody".into(), true), "a b c d").await;
    check(catalog, Filter::Missing("nobody".into(), false), "").await;
}

fn of_type(name: &str) -> Vec<Scope> {
    vec![scope(name)]
}

/// From a document to what it refers to, and back.
pub async fn chains(catalog: &Subject) {
    let patients = [("p", "Eve", "1"), ("q", "Adam", "2"), ("gone", "Eve", "3")];
    for (name, given, number) in patients {
        let entries =
            [text("name", given), token("identifier", "s", number), reference("org", "Organization/o")];
        stored(put(catalog, with(put_record("Patient", name, "1"), entries), b"", 1).await);
    }
    stored(put(catalog, super::delete_record("Patient", "gone"), b"", 1).await);
    stored(put(catalog, with(put_record("Organization", "o", "1"), [text("name", "Clinic")]), b"", 1).await);
    stored(put(catalog, with(put_record("Group", "p", "1"), [text("name", "Eve")]), b"", 1).await);
    fill(
        catalog,
        [
            ("a", vec![reference("subject", "Patient/p"), token("code", "s", "x")]),
            ("b", vec![reference("subject", "Patient/q"), token("code", "s", "y")]),
            ("c", vec![reference("subject", "Patient/gone"), reference("subject", "Patient/none")]),
            ("d", vec![reference("subject", "Group/p"), reference("performer", "Patient/p")]),
        ],
    )
    .await;
    let named = |name: &str| Filter::Text("name".into(), vec![TextMatch::Starts(name.into())]);
    let to = |scopes: Vec<Scope>, filter| Filter::Chain("subject".into(), scopes, Box::new(filter));
    check(catalog, to(of_type("Patient"), named("eve")), "a").await;
    check(catalog, to(of_type("Group"), named("eve")), "d").await;
    check(catalog, to(vec![scope("Patient"), scope("Group")], named("eve")), "a d").await;
    check(catalog, to(of_type("Device"), named("eve")), "").await;
    check(catalog, to(of_type("Patient"), Filter::Id(vec![id("q"), id("gone")])), "b").await;
    let number = Filter::Token("identifier".into(), vec![code(Some("s"), Some("2"), true)]);
    check(catalog, to(of_type("Patient"), number), "b").await;
    check(catalog, to(of_type("Patient"), Filter::Not(Box::new(named("eve")))), "b").await;
    let clinic = Filter::Chain("org".into(), of_type("Organization"), Box::new(named("clinic")));
    check(catalog, to(of_type("Patient"), clinic), "a b").await;

    let patients = async |filter: Filter| {
        let query = Query { scopes: of_type("Patient"), filters: vec![filter], ..binaries() };
        found(catalog, &query).await
    };
    let has = |parameter: &'static str, filter| {
        Filter::Has(scope("Observation"), parameter.into(), Box::new(filter))
    };
    let coded = |text: &str| codes(vec![code(None, Some(text), true)]);
    assert_eq!(patients(has("subject", coded("x"))).await, ["p"]);
    assert_eq!(patients(has("subject", coded("z"))).await, Vec::<String>::new());
    assert_eq!(patients(has("performer", Filter::Id(vec![id("d")]))).await, ["p"]);
    assert_eq!(patients(has("subject", Filter::Not(Box::new(coded("x"))))).await, ["q"]);
    assert_eq!(patients(Filter::Not(Box::new(has("subject", coded("x"))))).await, ["q"]);
    let nested = Filter::Has(scope("Device"), "owner".into(), Box::new(Filter::Nothing));
    assert_eq!(patients(nested).await, Vec::<String>::new());
}

/// All filters hold together, whichever comes first.
pub async fn combinations(catalog: &Subject) {
    let observed = |patient: &str, name: &str, day: i64| {
        let patient = reference("patient", patient);
        vec![patient, token("category", "s", name), date("date", day * DAY, day * DAY + 1)]
    };
    fill(
        catalog,
        [
            ("a", observed("Patient/1", "lab", 1)),
            ("b", observed("Patient/1", "note", 2)),
            ("c", observed("Patient/2", "note", 2)),
            ("d", observed("Patient/1", "note", 3)),
        ],
    )
    .await;
    let filters = [
        Filter::Reference(
            "patient".into(),
            vec![ReferenceMatch::Local(Some(ResourceType::PATIENT), id("1"))],
        ),
        Filter::Token("category".into(), vec![code(Some("s"), Some("note"), true)]),
        Filter::Date("date".into(), vec![(Comparison::GreaterOrEqual, 2 * DAY, 3 * DAY)]),
        Filter::Not(Box::new(Filter::Id(vec![id("d")]))),
        Filter::Missing("patient".into(), false),
        Filter::Updated(vec![(Comparison::Equal, at(0), at(100))]),
    ];
    for first in 0..filters.len() {
        let mut filters = filters.to_vec();
        filters.rotate_left(first);
        let query = Query { scopes: of_type("Observation"), filters, ..binaries() };
        assert_eq!(found(catalog, &query).await, ["b"], "{query:?}");
        assert_eq!(catalog.search(&tenant("t"), &query).await.unwrap().total, 1);
    }
}

/// Types and dialects; no scope finds nothing.
pub async fn scopes(catalog: &Subject) {
    let coded = |write| with(write, [token("code", "s", "x")]);
    for (name, dialect, kind) in
        [("a", "x", "Patient"), ("b", "y", "Patient"), ("a", "x", "Group"), ("c", "z", "Group")]
    {
        let mut write = coded(put_record(kind, name, "1"));
        let source = Source { dialect: dialect.into(), body: "{}".into() };
        write.state.as_mut().unwrap().source = Some(source);
        stored(put(catalog, write, b"", 1).await);
    }
    stored(put(catalog, coded(update("bytes")), b"1", 1).await);
    let of = |name: &str, dialect| Scope { dialect, ..scope(name) };
    let code = codes(vec![code(None, Some("x"), true)]);
    for (scopes, expected) in [
        (vec![], vec![]),
        (of_type("Patient"), vec!["Patient/a", "Patient/b"]),
        (vec![of("Patient", Some("y"))], vec!["Patient/b"]),
        (vec![of("Patient", Some("none"))], vec![]),
        (vec![scope("Patient"), scope("Group")], vec!["Group/a", "Group/c", "Patient/a", "Patient/b"]),
        (vec![of("Patient", Some("x")), of("Group", Some("z"))], vec!["Group/c", "Patient/a"]),
        (vec![of("Patient", Some("x")), of("Patient", Some("y"))], vec!["Patient/a", "Patient/b"]),
        (vec![of("Patient", Some("x")), scope("Patient")], vec!["Patient/a", "Patient/b"]),
        (vec![scope("Binary"), of("Group", Some("x"))], vec!["Binary/bytes", "Group/a"]),
        (vec![scope("Device")], vec![]),
    ] {
        for filters in [vec![], vec![code.clone()], vec![Filter::Missing("code".into(), false)]] {
            let query = Query { scopes: scopes.clone(), filters, ..binaries() };
            let page = catalog.search(&tenant("t"), &query).await.unwrap();
            let names = page.matches.iter().map(|stored| &stored.document);
            let names: Vec<String> =
                names.map(|document| format!("{}/{}", document.kind, document.id)).collect();
            assert_eq!(
                (names, page.total),
                (expected.iter().map(ToString::to_string).collect(), expected.len() as u64)
            );
        }
    }
}

/// The least value, or the greatest in descending order; what has none comes last, ties by id.
pub async fn records_sort_by_parameters(catalog: &Subject) {
    fill(
        catalog,
        [
            ("a", vec![date("date", 5, 6), text("name", "b"), quantity("value", 2.0, 2.0, "", "")]),
            ("b", vec![date("date", 1, 2), date("date", 9, 10), text("name", "A")]),
            ("c", vec![]),
            ("d", vec![date("date", 5, 2 * DAY), text("name", "b"), quantity("value", 1.0, 3.0, "", "")]),
            ("e", vec![quantity("value", 10.0, 10.0, "", "")]),
        ],
    )
    .await;
    let by = |name: &'static str, descending| Order { key: SortKey::Parameter(name.into()), descending };
    let id_first = Order { key: SortKey::Id, descending: true };
    for (order, expected) in [
        (vec![by("date", false)], "b a d c e"),
        (vec![by("date", true)], "d b a c e"),
        (vec![by("name", false)], "b a d c e"),
        (vec![by("name", true)], "a d b c e"),
        (vec![by("value", false)], "d a e b c"),
        (vec![by("value", true)], "e d a b c"),
        (vec![by("name", true), by("date", true)], "d a b c e"),
        (vec![by("name", true), id_first.clone()], "d a b e c"),
        (vec![id_first], "e d c b a"),
        (vec![by("nobody", true)], "a b c d e"),
    ] {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        let mut names = Vec::new();
        for offset in [0, 2, 4] {
            let query = Query {
                scopes: of_type("Observation"),
                order: order.clone(),
                limit: 2,
                offset,
                ..binaries()
            };
            names.extend(found(catalog, &query).await);
        }
        assert_eq!(names, expected, "{order:?}");
    }
}

/// By whatever way they are found: nothing twice, nothing left out.
pub async fn pages_of_a_large_result_are_whole(catalog: &Subject) {
    let records = (0..700).map(|number| {
        // Two entries of one code must not make two matches.
        let entries = [token("code", "s", "x"), token("code", "r", "x"), date("date", number, number + 1)];
        (with(put_record("Observation", &format!("n{number:03}"), "1"), entries), None)
    });
    catalog.transact(&tenant("t"), records.collect(), Vec::new(), at(1)).await.unwrap();
    let code = codes(vec![code(None, Some("x"), true)]);
    let from = Filter::Date("date".into(), vec![(Comparison::GreaterOrEqual, 100, 101)]);
    for filters in [vec![], vec![code.clone()], vec![code.clone(), from.clone()], vec![from, code]] {
        let expected: Vec<String> =
            (if filters.len() < 2 { 0 } else { 100 }..700).map(|n| format!("n{n:03}")).collect();
        for order in [vec![], vec![Order { key: SortKey::Parameter("date".into()), descending: false }]] {
            let mut names = Vec::new();
            for offset in (0..).step_by(99) {
                let query = Query {
                    scopes: of_type("Observation"),
                    filters: filters.clone(),
                    order: order.clone(),
                    limit: 99,
                    offset,
                    ..Query::default()
                };
                let page = catalog.search(&tenant("t"), &query).await.unwrap();
                assert_eq!(page.total, expected.len() as u64);
                if page.matches.is_empty() {
                    break;
                }
                names.extend(page.matches.iter().map(|stored| stored.document.id.to_string()));
            }
            assert_eq!(names, expected);
        }
    }
}

/// With words for the client, not with an error of the catalog.
pub async fn a_search_that_asks_too_much_is_refused(catalog: &Subject) {
    fill(catalog, [("a", vec![token("code", "s", "x")])]).await;
    let refused = async |filter: Filter| {
        let query = Query { scopes: of_type("Observation"), filters: vec![filter], ..binaries() };
        let answer = catalog.search(&tenant("t"), &query).await;
        assert!(matches!(answer, Err(Error::Unusable(_))), "{answer:?}");
    };
    refused(codes(vec![code(None, Some("x"), true); 501])).await;
    refused(Filter::Id(vec![id("a"); 501])).await;
    refused(Filter::Composite(vec![Filter::Nothing])).await;
    let deep = (0..100).fold(Filter::Nothing, |inner, _| Filter::Not(Box::new(inner)));
    refused(deep).await;
    check(catalog, codes(vec![code(None, Some("x"), true); 500]), "a").await;
    check(catalog, Filter::Any(vec![codes(vec![code(None, Some("x"), true); 100]); 9]), "a").await;
}
