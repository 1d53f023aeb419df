//! How SQLite goes about a search: never through all documents where an index gives few.

use charta_model::{
    Comparison, Filter, Order, QuantityMatch, Query, ReferenceMatch, ResourceId, ResourceType, Scope,
    SortKey, TextMatch, Timestamp, TokenMatch, UriMatch,
};
use rusqlite::{Connection, params_from_iter};

use super::{Search, Sql};
use crate::catalog::sqlite::schema;

/// One tenant with names of every shape, and no documents: plans do not depend on them.
fn catalog() -> (Connection, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    let connection = schema::open_writer(&place.path().join("catalog.sqlite")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO tenant (name) VALUES ('t');
             INSERT INTO kind (name) VALUES ('Patient'), ('DocumentReference');
             INSERT INTO system (name) VALUES ('s');
             INSERT INTO parameter (tenant, kind, dialect, name, shape) SELECT 1, kind.key, 'R4', n.name, n.shape
             FROM kind, (SELECT 'token' AS name, 1 AS shape UNION ALL VALUES ('reference', 2), ('text', 3),
              ('uri', 4), ('date', 5), ('date', 6), ('date', 7), ('quantity', 8), ('meta.tag', 1)) n;",
        )
        .unwrap();
    (connection, place)
}

/// The steps of a page and of a count.
fn steps(connection: &Connection, query: &Query) -> Vec<String> {
    let search = Search::of(connection, 1, query).unwrap().unwrap();
    let explain = |sql: &Sql| {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.text)).unwrap();
        let rows = statement.query_map(params_from_iter(&sql.values), |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    };
    [explain(&search.page(20, 0).unwrap()), explain(&search.count().unwrap_or_else(|| Sql::new("SELECT 1")))]
        .concat()
}

fn among(filters: Vec<Filter>, order: Vec<Order>) -> Query {
    let scopes = vec![Scope { kind: ResourceType::DOCUMENT_REFERENCE, dialect: None }];
    Query { scopes, filters, order, limit: 20, ..Query::default() }
}

fn token(system: Option<&str>) -> TokenMatch {
    TokenMatch { system: system.map(Into::into), code: Some("x".into()), case_sensitive: true }
}

fn reference() -> Filter {
    let patient = ReferenceMatch::Local(Some(ResourceType::PATIENT), ResourceId::new("p").unwrap());
    Filter::Reference("reference".into(), vec![patient])
}

fn date(comparison: Comparison) -> Filter {
    Filter::Date("date".into(), vec![(comparison, 0, 1000)])
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn by_date() -> Vec<Order> {
    vec![Order { key: SortKey::Parameter("date".into()), descending: true }]
}

#[test]
fn a_filter_that_an_index_answers_is_begun_with() {
    let (connection, _place) = catalog();
    let quantity =
        QuantityMatch { comparison: Comparison::Equal, low: 1.0, high: 2.0, system: None, code: None };
    let starts = Filter::Text("text".into(), vec![TextMatch::Starts("x".into())]);
    let now = Timestamp::UNIX_EPOCH;
    let tokens = Filter::Token("token".into(), vec![token(Some("s")), token(None)]);
    let patients = vec![Scope { kind: ResourceType::PATIENT, dialect: Some("R4") }];
    let chain = Filter::Chain("reference".into(), patients.clone(), Box::new(tokens.clone()));
    let has = Filter::Has(patients[0].clone(), "reference".into(), Box::new(tokens.clone()));
    let composite =
        Filter::Composite(vec![tokens.clone(), Filter::Quantity("quantity".into(), vec![quantity.clone()])]);
    for filter in [
        reference(),
        tokens,
        starts,
        Filter::Text("text".into(), vec![TextMatch::Contains("x".into())]),
        Filter::Uri(
            "uri".into(),
            vec![UriMatch::Below("http://x".into()), UriMatch::Above("http://x".into())],
        ),
        Filter::Quantity("quantity".into(), vec![quantity]),
        date(Comparison::Equal),
        date(Comparison::Greater),
        date(Comparison::Overlaps),
        Filter::Id(vec![ResourceId::new("a").unwrap()]),
        Filter::Updated(vec![(Comparison::Greater, now, now)]),
        Filter::Label(charta_model::LabelKind::Tag, vec![token(None)]),
        Filter::Any(vec![reference(), date(Comparison::Less)]),
        chain,
        has,
        composite,
    ] {
        for filters in [vec![filter.clone()], vec![not(date(Comparison::Equal)), filter.clone()]] {
            for order in [vec![], by_date()] {
                let steps = steps(&connection, &among(filters.clone(), order));
                let begins: Vec<_> = steps.iter().filter(|step| step.contains("SEARCH d USING")).collect();
                let by_key = |step: &&String| step.as_str() == "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)";
                assert!(!begins.is_empty() && begins.iter().all(by_key), "{filter:?}: {steps:#?}");
                assert_searched(&steps);
            }
        }
    }
}

/// Nothing is gone through whole but what such a step has given.
#[track_caller]
fn assert_searched(steps: &[String]) {
    let tables = ["entry", "document", "version", "d ", "v ", "k ", "c "];
    for step in steps.iter().filter(|step| step.starts_with("SCAN ")) {
        let table = step.trim_start_matches("SCAN ");
        assert!(!tables.iter().any(|name| table.starts_with(name)) || step.contains("SCAN d"), "{steps:#?}");
    }
}

#[test]
fn the_rest_is_looked_up_by_document() {
    let (connection, _place) = catalog();
    let filters = vec![
        date(Comparison::GreaterOrEqual),
        Filter::Token("token".into(), vec![token(Some("s"))]),
        reference(),
    ];
    let steps = steps(&connection, &among(filters, by_date()));
    let by_value = steps.iter().filter(|step| step.contains("INDEX entry_value")).collect::<Vec<_>>();
    assert!(!by_value.is_empty());
    let whole = "(parameter=? AND value=? AND second=?)";
    assert!(by_value.iter().all(|step| step.ends_with(whole)), "only the reference: {steps:#?}");
    let by_document = steps.iter().filter(|step| step.contains("PRIMARY KEY (document=? AND parameter=?)"));
    assert!(by_document.count() >= 3, "{steps:#?}");
}

#[test]
fn dates_are_stretches_of_the_index() {
    let (connection, _place) = catalog();
    for (comparison, stretch) in [
        (Comparison::Equal, "(parameter=? AND value>? AND value<?)"),
        (Comparison::Greater, "(parameter=? AND value>?)"),
        (Comparison::GreaterOrEqual, "(parameter=? AND value>?)"),
        (Comparison::Less, "(parameter=? AND value<?)"),
        (Comparison::LessOrEqual, "(parameter=? AND value<?)"),
        (Comparison::StartsAfter, "(parameter=? AND value>?)"),
        (Comparison::EndsBefore, "(parameter=? AND value<?)"),
        (Comparison::Overlaps, "(parameter=? AND value>? AND value<?)"),
    ] {
        let steps = steps(&connection, &among(vec![date(comparison)], vec![]));
        let by_value: Vec<_> = steps.iter().filter(|step| step.contains("INDEX entry_value")).collect();
        assert!(by_value.iter().all(|step| step.ends_with(stretch)), "{comparison:?}: {steps:#?}");
        assert_eq!(by_value.len() % 3, 0, "one for each length: {steps:#?}");
    }
}

#[test]
fn without_such_a_filter_an_index_gives_the_order() {
    let (connection, _place) = catalog();
    let updated = |descending| vec![Order { key: SortKey::Updated, descending }];
    for filters in [vec![], vec![not(reference()), Filter::Missing("token".into(), true)]] {
        for (order, index) in [
            (vec![], "INDEX document_id (tenant=? AND kind=?)"),
            (updated(false), "INDEX document_updated (tenant=? AND kind=?"),
            (updated(true), "INDEX document_updated (tenant=? AND kind=?"),
        ] {
            let steps = steps(&connection, &among(filters.clone(), order));
            assert!(steps[..].iter().any(|step| step.contains(index)), "{steps:#?}");
        }
    }
}
