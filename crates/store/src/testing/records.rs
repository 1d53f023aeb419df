//! What every catalog does with resources of any type, their entries and their links.

use charta_model::{
    Change, Filter, HistoryScope, Label, LabelKind, Query, ReferenceMatch, ResourceType, Scope, Source,
    TokenMatch, Write, WriteOutcome,
};

use super::{
    at, binaries, by_tag,
    catalog::{Subject, found, history_of, listed, put, stored},
    delete, delete_record,
    entry::{date, link, linking, reference, text, token, uri, with},
    id, kind, put_record, scope, tagged, tenant, update, write,
};
use crate::{CommitError, Place};

/// A search for all documents of a type.
fn all(name: &str) -> Query {
    Query { scopes: vec![scope(name)], ..binaries() }
}

fn in_dialect(dialect: &str, mut write: Write) -> Write {
    let state = write.state.as_mut().expect("no deletion");
    state.source = Some(Source { dialect: dialect.into(), body: "{}".into() });
    write
}

/// It has no bytes; its source comes back and decides whether an update changes something.
pub async fn a_record_is_its_source(catalog: &Subject) {
    let first = stored(put(catalog, put_record("Patient", "a", "1"), b"", 1000).await);
    assert_eq!((first.kind.as_str(), first.version, first.change), ("Patient", 1, Change::Created));
    assert_eq!((first.content(), first.source().unwrap().body.as_str()), (None, "1"));
    let again = put(catalog, put_record("Patient", "a", "1"), b"", 2000).await;
    assert!(matches!(again, Ok(WriteOutcome::Unchanged(d)) if d == first));
    let second = stored(put(catalog, put_record("Patient", "a", "2"), b"", 2000).await);
    assert_eq!((second.version, second.change), (2, Change::Updated));
    let current = catalog.current(&tenant("t"), &ResourceType::PATIENT, &id("a")).await.unwrap().unwrap();
    assert_eq!((&current.document, &current.place), (&second, &Place::Nowhere));
    let third = stored(put(catalog, delete_record("Patient", "a"), b"", 3000).await);
    assert_eq!((third.version, third.description.is_none()), (3, true));
    for document in [first, second, third] {
        let version = catalog.version(&tenant("t"), &document.kind, &id("a"), document.version).await;
        assert_eq!(version.unwrap().unwrap().document, document);
    }
}

/// The same id in another type is another document.
pub async fn types_do_not_meet(catalog: &Subject) {
    stored(put(catalog, put_record("Patient", "a", "1"), b"", 1).await);
    stored(put(catalog, put_record("Observation", "a", "1"), b"", 1).await);
    stored(put(catalog, update("a"), b"1", 1).await);
    stored(put(catalog, delete_record("Observation", "a"), b"", 2).await);
    for (name, there) in [("Patient", 1), ("Observation", 0), ("Binary", 1), ("Condition", 0)] {
        assert_eq!(catalog.search(&tenant("t"), &all(name)).await.unwrap().total, there, "{name}");
    }
    assert!(catalog.current(&tenant("t"), &kind("Condition"), &id("a")).await.unwrap().is_none());
    assert!(!catalog.purge(&tenant("t"), &kind("Condition"), &id("a")).await.unwrap());
    assert!(catalog.purge(&tenant("t"), &ResourceType::PATIENT, &id("a")).await.unwrap());
    assert!(catalog.current(&tenant("t"), &ResourceType::PATIENT, &id("a")).await.unwrap().is_none());
    assert!(catalog.current(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap().is_some());
    let tally = catalog.tally().await.unwrap();
    assert_eq!((tally.documents, tally.versions), (1, 3));
}

/// One type, several, some dialects, the whole tenant: page by page, newest first.
pub async fn histories_cover_types_and_dialects(catalog: &Subject) {
    for (number, dialect) in [(0, "x"), (1, "y"), (2, "x")] {
        for name in ["Patient", "Observation"] {
            let write = put_record(name, &format!("r{number}"), "1");
            stored(put(catalog, in_dialect(dialect, write), b"", number).await);
        }
        stored(put(catalog, update(&format!("r{number}")), b"1", number).await);
    }
    let of = |name: &str, dialect| Scope { dialect, ..scope(name) };
    for (scope, expected) in [
        (HistoryScope::Tenant, "r2 r2 r2 r1 r1 r1 r0 r0 r0"),
        (HistoryScope::Types(vec![scope("Patient")]), "r2 r1 r0"),
        (HistoryScope::Types(vec![of("Patient", Some("x"))]), "r2 r0"),
        (HistoryScope::Types(vec![of("Patient", Some("z"))]), ""),
        (HistoryScope::Types(vec![of("Patient", Some("x")), of("Patient", Some("y"))]), "r2 r1 r0"),
        (HistoryScope::Types(vec![of("Patient", Some("y")), scope("Binary")]), "r2 r1 r1 r0"),
        (HistoryScope::Types(vec![scope("Condition")]), ""),
        (HistoryScope::Types(vec![]), ""),
    ] {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        let mut query = history_of(scope);
        query.limit = 2;
        let (mut names, mut total) = (Vec::new(), 0);
        loop {
            let page = catalog.history(&tenant("t"), &query).await.unwrap();
            assert!(total == 0 || total == page.total);
            total = page.total;
            names.extend(page.entries.iter().map(|(_, stored)| stored.document.id.to_string()));
            query.before = page.entries.last().map(|(sequence, _)| *sequence);
            if !page.more {
                break;
            }
        }
        assert_eq!(
            (names, total),
            (expected.iter().map(ToString::to_string).collect(), expected.len() as u64)
        );
    }
    let since = charta_model::HistoryQuery { since: Some(at(2)), ..history_of(HistoryScope::Tenant) };
    assert_eq!(listed(catalog, &since).await.1, 3);
}

/// Also when the document changes its dialect in between.
pub async fn a_deletion_stays_in_the_history_of_its_dialect(catalog: &Subject) {
    let put_in = |dialect| in_dialect(dialect, put_record("Patient", "a", "1"));
    stored(put(catalog, put_in("x"), b"", 1).await);
    stored(put(catalog, put_in("y"), b"", 2).await);
    stored(put(catalog, delete_record("Patient", "a"), b"", 3).await);
    let of = |dialect| Scope { dialect: Some(dialect), ..scope("Patient") };
    for (dialect, versions) in [("x", vec![1]), ("y", vec![3, 2])] {
        let history = history_of(HistoryScope::Types(vec![of(dialect)]));
        let (entries, total) = listed(catalog, &history).await;
        assert_eq!(entries.iter().map(|(_, version)| *version).collect::<Vec<_>>(), versions);
        assert_eq!(total, versions.len() as u64);
        let query = Query { scopes: vec![of(dialect)], ..binaries() };
        assert_eq!(catalog.search(&tenant("t"), &query).await.unwrap().total, 0);
    }
    stored(put(catalog, put_in("x"), b"", 4).await);
    for (dialect, there) in [("x", 1), ("y", 0)] {
        let query = Query { scopes: vec![of(dialect)], ..binaries() };
        assert_eq!(catalog.search(&tenant("t"), &query).await.unwrap().total, there);
    }
}

fn by_code(code: &str) -> Query {
    let token = TokenMatch { system: None, code: Some(code.into()), case_sensitive: true };
    Query { filters: vec![Filter::Token("code".into(), vec![token])], ..all("Observation") }
}

/// Old ones go with a new version and with a deletion.
pub async fn entries_are_those_of_the_current_version(catalog: &Subject) {
    let observed = |body: &str, code: &str| {
        let entries = [
            token("code", "s", code),
            text("note", code),
            uri("url", code),
            date("date", 1, 2),
            reference("subject", "Patient/p"),
        ];
        with(put_record("Observation", "a", body), entries)
    };
    stored(put(catalog, observed("1", "one"), b"", 1).await);
    assert_eq!(found(catalog, &by_code("one")).await, ["a"]);
    stored(put(catalog, observed("2", "two"), b"", 2).await);
    assert_eq!(found(catalog, &by_code("one")).await, Vec::<String>::new());
    assert_eq!(found(catalog, &by_code("two")).await, ["a"]);
    stored(put(catalog, delete_record("Observation", "a"), b"", 3).await);
    assert_eq!(found(catalog, &by_code("two")).await, Vec::<String>::new());
    stored(put(catalog, observed("1", "one"), b"", 4).await);
    assert_eq!(found(catalog, &by_code("one")).await, ["a"]);
    // What a Binary is found by is indexed like all else.
    stored(put(catalog, with(update("b"), [token("code", "s", "one")]), b"1", 5).await);
    let binary = Query { scopes: vec![scope("Binary")], ..by_code("one") };
    assert_eq!(found(catalog, &binary).await, ["b"]);
}

/// Nothing is left of them.
pub async fn a_purge_takes_entries_and_links_along(catalog: &Subject) {
    let document = with(put_record("DocumentReference", "d", "1"), [token("code", "s", "x")]);
    stored(put(catalog, linking(document, [link("b", None), link("b", Some(1))]), b"", 1).await);
    stored(put(catalog, put_record("DocumentReference", "d", "2"), b"", 2).await);
    assert_eq!(catalog.referrers(&tenant("t"), &id("b"), 9).await.unwrap().len(), 2);
    assert!(catalog.purge(&tenant("t"), &ResourceType::DOCUMENT_REFERENCE, &id("d")).await.unwrap());
    assert_eq!(catalog.referrers(&tenant("t"), &id("b"), 9).await.unwrap().len(), 0);
}

/// Tags, security labels and profiles, merged as a write merges them.
pub async fn labels_are_found_in_every_type(catalog: &Subject) {
    let mut labelled = put_record("Patient", "a", "1");
    let labels = &mut labelled.state.as_mut().unwrap().labels;
    labels.tags.push(Label { code: Some("T".into()), ..Label::default() });
    labels.security.push(Label { system: Some("s".into()), code: Some("R".into()), ..Label::default() });
    labels.profiles.push("http://p/One".into());
    stored(put(catalog, labelled, b"", 1).await);
    let mut second = put_record("Patient", "a", "2");
    second.state.as_mut().unwrap().labels.profiles.push("http://p/Two".into());
    stored(put(catalog, second, b"", 2).await);
    stored(
        put(catalog, write(charta_model::Intent::Update { id: id("b") }, tagged("s", "T")), b"1", 3).await,
    );
    assert_eq!(found(catalog, &Query { scopes: vec![scope("Patient")], ..by_tag("T") }).await, ["a"]);
    let both = Query { scopes: vec![scope("Patient"), scope("Binary")], ..by_tag("T") };
    assert_eq!(found(catalog, &both).await, ["b", "a"], "sorted by the names of the types");
    let profile = |url: &str| Query { filters: vec![Filter::Profile(vec![url.into()])], ..all("Patient") };
    assert_eq!(found(catalog, &profile("http://p/Two")).await, ["a"]);
    assert_eq!(found(catalog, &profile("http://p/One")).await, Vec::<String>::new());
    let has = |has| Query { filters: vec![Filter::HasLabel(LabelKind::Security, has)], ..all("Patient") };
    assert_eq!((found(catalog, &has(true)).await.len(), found(catalog, &has(false)).await.len()), (1, 0));
}

/// Newest first, with the version that says so.
pub async fn links_are_kept_of_every_version(catalog: &Subject) {
    let document = |name: &str, body: &str, links: Vec<charta_model::ContentLink>| {
        linking(put_record("DocumentReference", name, body), links)
    };
    stored(put(catalog, document("d", "1", vec![link("b", None)]), b"", 1).await);
    stored(put(catalog, document("e", "1", vec![link("b", Some(2)), link("c", None)]), b"", 2).await);
    stored(put(catalog, document("d", "2", vec![]), b"", 3).await);
    let referrers = async |binary: &str, limit| {
        let found = catalog.referrers(&tenant("t"), &id(binary), limit).await.unwrap();
        let said = found.into_iter().map(|found| {
            let document = &found.document.document;
            (document.id.to_string(), document.version, found.current, found.version)
        });
        said.collect::<Vec<_>>()
    };
    let (d, e) = (("d".to_owned(), 1, false, None), ("e".to_owned(), 1, true, Some(2)));
    assert_eq!(referrers("b", 9).await, [e.clone(), d]);
    assert_eq!(referrers("b", 1).await, [e]);
    assert_eq!(referrers("none", 9).await, []);
    assert_eq!(catalog.referrers(&tenant("u"), &id("b"), 9).await.unwrap().len(), 0);
    stored(put(catalog, delete_record("DocumentReference", "e"), b"", 4).await);
    assert_eq!(referrers("c", 9).await, [("e".to_owned(), 1, false, None)]);
}

fn in_use(result: Result<WriteOutcome, CommitError>) {
    let Err(CommitError::InUse { kind, id }) = result else { panic!("{result:?}") };
    assert_eq!((kind.as_str(), id.as_str()), ("DocumentReference", "d"));
}

/// Contract 11: as long as a current document names whatever is current.
pub async fn bytes_in_use_stay(catalog: &Subject) {
    stored(put(catalog, update("b"), b"1", 1).await);
    let document = |body: &str, links| linking(put_record("DocumentReference", "d", body), links);
    stored(put(catalog, document("1", vec![link("b", None)]), b"", 1).await);
    in_use(put(catalog, update("b"), b"2", 2).await);
    in_use(put(catalog, delete("b"), b"", 2).await);
    let html =
        || write(charta_model::Intent::Update { id: id("b") }, super::typed("text/html", super::text()));
    in_use(put(catalog, html(), b"1", 2).await);
    assert!(matches!(put(catalog, update("b"), b"1", 2).await, Ok(WriteOutcome::Unchanged(_))));
    let labelled = write(charta_model::Intent::Update { id: id("b") }, tagged("s", "x"));
    assert_eq!(stored(put(catalog, labelled, b"1", 2).await).version, 2, "the bytes are the same");
    // The names of other tenants and types are none.
    stored(super::catalog::commit(catalog, "u", update("b"), Some(super::uploaded(b"1").await), 1).await);
    stored(super::catalog::commit(catalog, "u", update("b"), Some(super::uploaded(b"2").await), 1).await);
    stored(put(catalog, put_record("Patient", "b", "1"), b"", 1).await);
    stored(put(catalog, delete_record("Patient", "b"), b"", 1).await);

    stored(put(catalog, document("2", vec![]), b"", 3).await);
    stored(put(catalog, update("b"), b"2", 4).await);
    stored(put(catalog, document("3", vec![link("b", None)]), b"", 5).await);
    in_use(put(catalog, delete("b"), b"", 6).await);
    stored(put(catalog, delete_record("DocumentReference", "d"), b"", 7).await);
    stored(put(catalog, delete("b"), b"", 8).await);
    // A link to what is not there holds nobody up.
    stored(put(catalog, document("4", vec![link("b", None)]), b"", 9).await);
    stored(put(catalog, update("b"), b"3", 10).await);
    in_use(put(catalog, update("b"), b"4", 11).await);
}

/// These links let go.
pub async fn an_error_or_a_pinned_version_uses_nothing(catalog: &Subject) {
    stored(put(catalog, update("b"), b"1", 1).await);
    let mut wrong = link("b", None);
    wrong.in_error = true;
    let links = [wrong, link("b", Some(1)), link("b", Some(u64::MAX)), link("b", Some(0))];
    stored(put(catalog, linking(put_record("DocumentReference", "d", "1"), links), b"", 1).await);
    stored(put(catalog, update("b"), b"2", 2).await);
    stored(put(catalog, delete("b"), b"", 3).await);
    let found = catalog.referrers(&tenant("t"), &id("b"), 9).await.unwrap();
    assert_eq!(found.iter().filter(|found| found.in_error && found.version.is_none()).count(), 1);
    assert_eq!(found.iter().filter(|found| found.version == Some(1)).count(), 1);
}

/// As `_include` and `_revinclude` ask for it.
pub async fn references_are_followed_both_ways(catalog: &Subject) {
    let refers = |name: &str, targets: &[(&'static str, &str)]| {
        let entries = targets.iter().map(|(parameter, target)| reference(parameter, target));
        with(put_record("Observation", name, "1"), entries)
    };
    let of_p = [("subject", "Patient/p"), ("patient", "Patient/p"), ("performer", "Practitioner/x")];
    stored(put(catalog, refers("b", &of_p), b"", 1).await);
    stored(put(catalog, refers("a", &[("subject", "Patient/p"), ("performer", "Patient/q")]), b"", 1).await);
    stored(put(catalog, in_dialect("y", refers("c", &[("subject", "Patient/p")])), b"", 1).await);
    stored(put(catalog, refers("gone", &of_p), b"", 1).await);
    stored(put(catalog, delete_record("Observation", "gone"), b"", 2).await);
    let from: Vec<_> = ["a", "b", "gone", "none"].map(|name| (kind("Observation"), id(name))).into();
    let forward = async |parameter, target: Option<&ResourceType>| {
        let found = catalog.references(&tenant("t"), &from, parameter, target).await.unwrap();
        let mut names: Vec<String> = found.iter().map(|(kind, id)| format!("{kind}/{id}")).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(forward(None, None).await, ["Patient/p", "Patient/q", "Practitioner/x"]);
    assert_eq!(forward(Some("performer"), None).await, ["Patient/q", "Practitioner/x"]);
    assert_eq!(forward(Some("performer"), Some(&kind("Practitioner"))).await, ["Practitioner/x"]);
    assert_eq!(forward(Some("none"), None).await, Vec::<String>::new());

    let to = [(ResourceType::PATIENT, id("p")), (kind("Practitioner"), id("x"))];
    let backward = async |scope: Scope, parameter, limit| {
        let found = catalog.referring(&tenant("t"), &to, &scope, parameter, limit).await.unwrap();
        found.iter().map(|stored| stored.document.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(backward(scope("Observation"), Some("subject"), 9).await, ["a", "b", "c"]);
    assert_eq!(backward(scope("Observation"), Some("subject"), 2).await, ["a", "b"]);
    assert_eq!(backward(scope("Observation"), Some("performer"), 9).await, ["b"]);
    assert_eq!(backward(scope("Observation"), None, 9).await, ["a", "b", "c"]);
    let of_y = Scope { dialect: Some("y"), ..scope("Observation") };
    assert_eq!(backward(of_y, Some("subject"), 9).await, ["c"]);
    assert_eq!(backward(scope("Condition"), None, 9).await, Vec::<String>::new());

    let wanted = ReferenceMatch::Local(Some(ResourceType::PATIENT), id("q"));
    let query =
        Query { filters: vec![Filter::Reference("performer".into(), vec![wanted])], ..all("Observation") };
    assert_eq!(found(catalog, &query).await, ["a"]);
}
