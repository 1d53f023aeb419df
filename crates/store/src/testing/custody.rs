//! What access is decided by, in every catalog: kept with each version, found by searches.

use charta_model::{
    Confidentiality, ContentLink, Custody, Filter, HistoryQuery, HistoryScope, Intent, Label, Query,
    Reference, ReferenceMatch, ResourceType, TokenMatch, Write,
};

use super::{
    binaries,
    catalog::{Subject, found, put, stored},
    delete_record, id, kind, put_record, scope, tenant, text, update, write,
};

fn of(mut write: Write, custody: Custody) -> Write {
    if let Some(state) = &mut write.state {
        state.custody = custody;
        state.writer = Some("somebody".into());
    }
    write
}

fn patients(names: &[&str]) -> Custody {
    Custody { patients: names.iter().map(|name| id(name)).collect(), ..Custody::default() }
}

fn naming(mut write: Write, binaries: &[&str]) -> Write {
    let link = |name: &&str| ContentLink { binary: id(name), version: None, in_error: false };
    if let Some(state) = &mut write.state {
        state.index.links = binaries.iter().map(link).collect();
    }
    write
}

fn of_patient(name: &str) -> Filter {
    let matches = vec![ReferenceMatch::Local(Some(ResourceType::PATIENT), id(name))];
    Filter::Reference(Custody::PATIENT.into(), matches)
}

fn careful(code: &str) -> Filter {
    let matches = vec![TokenMatch { system: None, code: Some(code.into()), case_sensitive: true }];
    Filter::Token(Custody::CONFIDENTIALITY.into(), matches)
}

async fn check(catalog: &Subject, kinds: &[&str], filter: Filter, expected: &[&str]) {
    let scopes = kinds.iter().map(|kind| scope(kind)).collect();
    let query = Query { scopes, filters: vec![filter], limit: 99, ..Query::default() };
    assert_eq!(found(catalog, &query).await, expected, "{query:?}");
}

/// Each version has its own; searches look at the current one.
pub async fn custody_is_kept_with_each_version(catalog: &Subject) {
    let first =
        Custody { withdrawn: true, confidentiality: Confidentiality::Restricted, ..patients(&["p", "q"]) };
    stored(put(catalog, of(put_record("Observation", "x", "1"), first.clone()), b"", 1).await);
    stored(put(catalog, of(put_record("Observation", "x", "2"), patients(&["q"])), b"", 2).await);
    for (version, expected) in [(1, first), (2, patients(&["q"]))] {
        let stored =
            catalog.version(&tenant("t"), &kind("Observation"), &id("x"), version).await.unwrap().unwrap();
        assert_eq!(stored.document.writer.as_deref(), Some("somebody"));
        assert_eq!(stored.document.description.unwrap().custody, expected);
    }
    check(catalog, &["Observation"], of_patient("q"), &["x"]).await;
    check(catalog, &["Observation"], of_patient("p"), &[]).await;
    check(catalog, &["Observation"], careful("R"), &[]).await;
}

/// By their labels, which merge, and by what their elements ask for.
pub async fn documents_are_found_by_how_carefully_they_are_shown(catalog: &Subject) {
    let label = |code: &str| Label {
        system: Some("http://terminology.hl7.org/CodeSystem/v3-Confidentiality".into()),
        code: Some(code.into()),
        ..Label::default()
    };
    for (name, codes, own) in [
        ("a", vec!["R"], Confidentiality::Normal),
        ("b", vec!["N"], Confidentiality::Normal),
        ("c", vec!["R"], Confidentiality::VeryRestricted),
        ("a", vec!["N"], Confidentiality::Normal),
    ] {
        let mut write =
            of(put_record("Observation", name, name), Custody { confidentiality: own, ..Custody::default() });
        if let Some(state) = &mut write.state {
            state.labels.security = codes.into_iter().map(label).collect();
        }
        put(catalog, write, b"", 1).await.unwrap();
    }
    check(catalog, &["Observation"], careful("R"), &["a"]).await;
    check(catalog, &["Observation"], careful("V"), &["c"]).await;
    let either = Filter::Any(vec![careful("R"), careful("V")]);
    check(catalog, &["Observation"], Filter::Not(Box::new(either)), &["b"]).await;
}

/// Also by an earlier version; not by a document that is gone.
pub async fn a_binary_is_found_by_what_names_it(catalog: &Subject) {
    for name in ["a", "b", "c"] {
        stored(put(catalog, update(name), b"1", 1).await);
    }
    let document = |name, binaries, patient| {
        of(naming(put_record("DocumentReference", name, binaries), &[binaries]), patients(&[patient]))
    };
    stored(put(catalog, document("x", "a", "p"), b"", 1).await);
    stored(put(catalog, document("x", "b", "p"), b"", 2).await);
    stored(put(catalog, document("y", "b", "q"), b"", 3).await);
    stored(put(catalog, document("z", "c", "p"), b"", 4).await);
    stored(put(catalog, delete_record("DocumentReference", "z"), b"", 5).await);
    let linked = |filter| Filter::Linked(vec![scope("DocumentReference")], Box::new(filter));
    let anything = || Filter::All(Vec::new());
    check(catalog, &["Binary"], linked(of_patient("p")), &["a", "b"]).await;
    check(catalog, &["Binary"], linked(of_patient("q")), &["b"]).await;
    check(catalog, &["Binary"], linked(anything()), &["a", "b"]).await;
    check(catalog, &["Binary"], Filter::Not(Box::new(linked(anything()))), &["c"]).await;
    let reports = Filter::Linked(vec![scope("DiagnosticReport")], Box::new(anything()));
    check(catalog, &["Binary"], reports, &[]).await;
    let anchors = async |name| {
        let mut found = catalog.anchors(&tenant("t"), &id(name), 9).await.unwrap();
        found.sort_unstable();
        found.iter().map(|(kind, id)| format!("{kind}/{id}")).collect::<Vec<_>>()
    };
    assert_eq!(anchors("b").await, ["DocumentReference/x", "DocumentReference/y"]);
    assert_eq!(anchors("c").await, ["DocumentReference/z"], "the caller sees that it is gone");
    assert_eq!(anchors("none").await, [""; 0]);
    assert_eq!(catalog.anchors(&tenant("t"), &id("b"), 1).await.unwrap().len(), 1);
}

/// A security context is a reference like any other.
pub async fn a_binary_is_found_by_its_context(catalog: &Subject) {
    for (name, context) in
        [("a", "Patient/p"), ("b", "Patient/q/_history/2"), ("c", "https://x.example/Patient/p")]
    {
        let mut state = text();
        if let Some(content) = &mut state.content {
            content.security_context = Some(Reference::new(context).unwrap());
        }
        stored(put(catalog, write(Intent::Update { id: id(name) }, state), b"1", 1).await);
    }
    let of = |name| {
        let matches = vec![ReferenceMatch::Local(Some(ResourceType::PATIENT), id(name))];
        Filter::Reference(Custody::CONTEXT.into(), matches)
    };
    check(catalog, &["Binary"], of("p"), &["a"]).await;
    check(catalog, &["Binary"], of("q"), &["b"]).await;
    check(catalog, &["Binary"], Filter::Missing(Custody::CONTEXT.into(), true), &["c"]).await;
}

/// Conditions of one type beside those of another.
pub async fn types_have_conditions_of_their_own(catalog: &Subject) {
    for (kind, name, patient) in [
        ("Observation", "a", "p"),
        ("Observation", "b", "q"),
        ("Condition", "c", "p"),
        ("Condition", "d", "q"),
    ] {
        stored(put(catalog, of(put_record(kind, name, "1"), patients(&[patient])), b"", 1).await);
    }
    let of =
        |name, filters: Vec<Filter>| Filter::All([vec![Filter::Kind(vec![kind(name)])], filters].concat());
    let both = &["Observation", "Condition"];
    let filter = Filter::Any(vec![of("Observation", vec![of_patient("p")]), of("Condition", vec![])]);
    check(catalog, both, filter, &["c", "d", "a"]).await;
    check(catalog, both, Filter::All(vec![of_patient("q"), Filter::Kind(vec![kind("Condition")])]), &["d"])
        .await;
    check(catalog, both, Filter::Kind(vec![kind("Nothing")]), &[]).await;
    check(catalog, both, Filter::Kind(vec![]), &[]).await;
}

/// Of the documents that a search finds, all versions, and of no other.
pub async fn histories_of_what_is_found(catalog: &Subject) {
    for (name, body, patient) in
        [("a", "1", "p"), ("b", "1", "q"), ("a", "2", "p"), ("c", "1", "q"), ("c", "2", "p")]
    {
        stored(put(catalog, of(put_record("Observation", name, body), patients(&[patient])), b"", 1).await);
    }
    let search = Query { scopes: vec![scope("Observation")], filters: vec![of_patient("p")], ..binaries() };
    let query = |limit, before| HistoryQuery {
        scope: HistoryScope::Found(search.clone()),
        since: None,
        at: None,
        before,
        limit,
    };
    let page = catalog.history(&tenant("t"), &query(9, None)).await.unwrap();
    let shown = |entries: &[(u64, std::sync::Arc<crate::Stored>)]| {
        let name = |stored: &crate::Stored| format!("{}{}", stored.document.id, stored.document.version);
        entries.iter().map(|(_, stored)| name(stored)).collect::<Vec<_>>()
    };
    assert_eq!(
        (shown(&page.entries), page.total, page.more),
        (["c2", "c1", "a2", "a1"].map(str::to_owned).into(), 4, false)
    );
    let first = catalog.history(&tenant("t"), &query(3, None)).await.unwrap();
    assert!(first.more);
    let rest = catalog.history(&tenant("t"), &query(3, Some(first.entries[2].0))).await.unwrap();
    assert_eq!((shown(&rest.entries), rest.more), (vec!["a1".to_owned()], false));
}
