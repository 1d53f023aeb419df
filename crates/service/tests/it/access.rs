//! What a caller may read, and that a search finds just that.

use std::collections::BTreeSet;

use charta_auth::{Action, Companions, covers};
use charta_model::{Confidentiality, Filter, HistoryQuery, HistoryScope, Query, Scope};
use charta_service::ReadError;

use crate::world::{Caller, Resource, World, all, for_a, free, of, split, with};

/// Everything current that is neither restricted nor a Binary.
const OPEN: &str = "Patient/a Patient/b Organization/o List/nobodys Observation/a-lab Observation/a-vitals \
    Observation/b-lab DocumentReference/a DocumentReference/b DocumentReference/in-error DocumentReference/moved \
    DiagnosticReport/a";
const OF_A: &str = "Patient/a Organization/o Observation/a-lab Observation/a-vitals DocumentReference/a \
    DocumentReference/in-error DiagnosticReport/a Binary/a Binary/both Binary/before Binary/report \
    Binary/of-patient-a";
const MILLENNIUM: Companions = Companions::OneOf(&["DocumentReference", "DiagnosticReport"]);
const SOARIAN: Companions = Companions::OneOf(&["DocumentReference"]);

/// Reads every document, and searches every type that may be searched: both give what is expected.
async fn check(world: &World, caller: Caller, expected: &str) {
    let grant = caller.grant();
    let lookup = world.service.lookup(&world.tenant, &grant);
    let names: BTreeSet<&str> = all().iter().map(|resource| resource.name).collect();
    let expected: BTreeSet<&str> = expected.split_whitespace().collect();
    let (mut read, mut found, mut searchable) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for name in &names {
        let (kind, id) = split(name);
        match lookup.read(&kind, &id).await {
            Ok(_) => _ = read.insert(*name),
            Err(ReadError::NotFound | ReadError::Forbidden) => {}
            Err(error) => panic!("{name}: {error}"),
        }
        if covers(&grant, Action::Search, &kind) {
            searchable.insert(*name);
        }
        let query = Query {
            scopes: vec![Scope { kind: kind.clone(), dialect: None }],
            filters: vec![Filter::Id(vec![id])],
            limit: 9,
            ..Query::default()
        };
        match lookup.search(&query).await {
            Ok(page) if page.total == 1 => _ = found.insert(*name),
            Ok(page) => assert_eq!(page.total, 0, "{name}"),
            Err(ReadError::Forbidden) => assert!(!covers(&grant, Action::Search, &kind), "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert_eq!(read, expected, "read with {}", caller.scope);
    let expected: BTreeSet<&str> = expected.intersection(&searchable).copied().collect();
    assert_eq!(found, expected, "found with {}", caller.scope);
    let kinds: BTreeSet<_> = names.iter().map(|name| split(name).0).collect();
    let scopes = kinds.into_iter().map(|kind| Scope { kind, dialect: None }).collect();
    let page = lookup.search(&Query { scopes, limit: 99, ..Query::default() }).await;
    let total = page.map_or(0, |page| page.total);
    assert_eq!(total, expected.len() as u64, "found among all types with {}", caller.scope);
}

#[tokio::test]
async fn a_caller_reads_what_is_theirs_and_finds_just_that() {
    let world = World::new().await;
    let binaries = "Binary/a Binary/b Binary/both Binary/free Binary/in-error Binary/report Binary/moved Binary/before \
        Binary/of-patient-a Binary/of-document-b";
    let restricted = "DocumentReference/restricted Binary/restricted";
    let sees = Confidentiality::Restricted;
    for (caller, expected) in [
        (with(""), String::new()),
        (with("system/*.rs"), format!("{OPEN} {binaries}")),
        (Caller { sees, ..with("system/*.rs") }, format!("{OPEN} {binaries} {restricted}")),
        (with("system/*.read"), format!("{OPEN} {binaries}")),
        (with("patient/*.rs"), String::new()),
        (for_a("patient/*.rs"), OF_A.to_owned()),
        (Caller { sees, ..for_a("patient/*.rs") }, format!("{OF_A} {restricted}")),
        (for_a("patient/*.cruds"), OF_A.to_owned()),
        (for_a("patient/*.cud"), String::new()),
        (Caller { user: Some("Practitioner/p"), ..with("user/*.rs") }, format!("{OPEN} {binaries}")),
        (Caller { user: Some("https://x.example/r4/Patient/a"), ..with("user/*.rs") }, OF_A.to_owned()),
        (Caller { user: Some("RelatedPerson/r"), ..for_a("user/*.rs") }, OF_A.to_owned()),
        (Caller { user: Some("RelatedPerson/r"), ..with("user/*.rs") }, String::new()),
        (Caller { user: Some("Device/d"), ..with("user/*.rs") }, String::new()),
        (for_a("patient/Observation.rs"), "Observation/a-lab Observation/a-vitals".to_owned()),
        (for_a("patient/Observation.rs?category=s|lab"), "Observation/a-lab".to_owned()),
        (with("system/Observation.rs?category=s|lab"), "Observation/a-lab Observation/b-lab".to_owned()),
        (for_a("patient/Observation.rs?nothing=x"), String::new()),
        (
            for_a("patient/Observation.rs?category=s|lab patient/Observation.rs?category=s|vitals"),
            "Observation/a-lab Observation/a-vitals".to_owned(),
        ),
        (
            for_a("patient/Observation.rs?category=s|lab patient/Observation.rs"),
            "Observation/a-lab Observation/a-vitals".to_owned(),
        ),
        (for_a("patient/Binary.rs"), String::new()),
        (
            for_a("patient/Binary.rs patient/DocumentReference.rs"),
            "DocumentReference/a DocumentReference/in-error Binary/a Binary/both Binary/before".to_owned(),
        ),
        (
            for_a("patient/Binary.rs patient/DocumentReference.rs?category=note"),
            "DocumentReference/a Binary/a Binary/both Binary/before".to_owned(),
        ),
        (for_a("patient/Binary.rs patient/DocumentReference.rs?category=other"), String::new()),
        (
            for_a("patient/Binary.rs user/DocumentReference.rs"),
            "DocumentReference/a DocumentReference/b DocumentReference/in-error DocumentReference/moved"
                .to_owned(),
        ),
        (for_a("patient/Binary.rs patient/Patient.rs"), "Patient/a Binary/of-patient-a".to_owned()),
        (
            for_a("patient/Binary.rs patient/DiagnosticReport.r"),
            "DiagnosticReport/a Binary/report".to_owned(),
        ),
        (with("user/Binary.rs"), "Binary/free".to_owned()),
        (
            with("user/Binary.rs user/DiagnosticReport.rs"),
            "DiagnosticReport/a Binary/free Binary/report".to_owned(),
        ),
        (with("user/Binary.rs system/DocumentReference.c"), "Binary/free".to_owned()),
        (Caller { companions: MILLENNIUM, ..with("user/Binary.rs") }, String::new()),
        (
            Caller { companions: MILLENNIUM, ..with("user/Binary.rs user/DiagnosticReport.rs") },
            "DiagnosticReport/a Binary/a Binary/b Binary/both Binary/free Binary/in-error Binary/report \
             Binary/moved Binary/before Binary/of-document-b"
                .to_owned(),
        ),
        (
            Caller { companions: MILLENNIUM, ..for_a("patient/Binary.rs patient/DiagnosticReport.rs") },
            "DiagnosticReport/a Binary/a Binary/both Binary/report Binary/before".to_owned(),
        ),
        (
            Caller { companions: SOARIAN, ..with("user/Binary.rs user/DiagnosticReport.rs") },
            "DiagnosticReport/a".to_owned(),
        ),
        (Caller { companions: SOARIAN, ..with("user/Binary.rs system/DocumentReference.c") }, String::new()),
    ] {
        check(&world, caller, &expected).await;
    }
}

#[tokio::test]
async fn an_earlier_version_is_not_reached_through_whom_it_belonged_to() {
    let world = World::new().await;
    for (patient, expected) in [("a", [false, false]), ("b", [false, true])] {
        let grant = Caller { patient: Some(patient), ..with("patient/*.rs") }.grant();
        let lookup = world.service.lookup(&world.tenant, &grant);
        let (kind, id) = split("DocumentReference/moved");
        for (version, expected) in (1..).zip(expected) {
            let found = lookup.vread(&kind, &id, version).await.is_ok();
            assert_eq!(found, expected, "version {version} by {patient}");
        }
        let (kind, id) = split("Binary/moved");
        assert_eq!(lookup.read(&kind, &id).await.is_ok(), patient == "b");
    }
}

#[tokio::test]
async fn a_history_shows_versions_of_what_is_theirs() {
    let world = World::new().await;
    let grant = Caller { patient: Some("b"), ..with("patient/*.rs") }.grant();
    let lookup = world.service.lookup(&world.tenant, &grant);
    let scope =
        |name| HistoryScope::Types(vec![Scope { kind: charta_store::testing::kind(name), dialect: None }]);
    let query =
        HistoryQuery { scope: scope("DocumentReference"), since: None, at: None, before: None, limit: 9 };
    let page = lookup.history(&query).await.expect("may search");
    let shown: Vec<_> = page
        .entries
        .iter()
        .map(|(_, stored)| (stored.document.id.as_str(), stored.document.version))
        .collect();
    assert_eq!((shown, page.total, page.more), (vec![("moved", 2), ("b", 1)], None, false));
    let one = lookup.history(&HistoryQuery { limit: 1, ..query }).await.expect("may search");
    assert_eq!((one.entries.len(), one.more), (1, true));
    let nobody = with("patient/Observation.rs").grant();
    let query = HistoryQuery { scope: scope("Observation"), since: None, at: None, before: None, limit: 9 };
    let refused = world.service.lookup(&world.tenant, &nobody).history(&query).await;
    assert!(matches!(refused, Err(ReadError::Forbidden)));
}

#[tokio::test]
async fn a_deleted_document_is_gone_for_whom_it_was_and_unknown_to_others() {
    let world = World::new().await;
    let (kind, id) = split("DocumentReference/a");
    let intent = charta_model::Intent::Delete { id: id.clone() };
    let operator = charta_auth::Grant::of_operator();
    world.write(&operator, intent, kind.clone(), &all()[0]).await.expect("the operator may");
    for (patient, gone) in [("a", true), ("b", false)] {
        let grant = Caller { patient: Some(patient), ..with("patient/*.rs") }.grant();
        let read = world.service.lookup(&world.tenant, &grant).read(&kind, &id).await;
        match gone {
            true => assert!(matches!(read, Err(ReadError::Gone { version: 3, .. })), "{read:?}"),
            false => assert!(matches!(read, Err(ReadError::NotFound)), "{read:?}"),
        }
    }
    let grant = for_a("patient/*.rs").grant();
    let (kind, id) = split("Binary/a");
    let read = world.service.lookup(&world.tenant, &grant).read(&kind, &id).await;
    assert!(matches!(read, Err(ReadError::NotFound)), "what named it is gone: {read:?}");
}

#[tokio::test]
async fn conditions_on_other_documents_ask_only_those_that_are_theirs() {
    let world = World::new().await;
    let chain = |kind: &str| {
        let asked = Box::new(Filter::All(Vec::new()));
        let scopes = vec![charta_store::testing::scope(kind)];
        Query {
            scopes: vec![charta_store::testing::scope("Binary")],
            filters: vec![Filter::Linked(scopes, asked)],
            limit: 99,
            ..Query::default()
        }
    };
    let grant = for_a("patient/Binary.rs patient/DocumentReference.rs").grant();
    let lookup = world.service.lookup(&world.tenant, &grant);
    let found = async |kind| lookup.search(&chain(kind)).await.expect("may search").total;
    assert_eq!(found("DocumentReference").await, 3, "a, both, before");
    assert_eq!(found("DiagnosticReport").await, 0, "no scope for the type that is asked");
}

#[tokio::test]
async fn the_security_context_is_told_to_those_who_may_read_it() {
    let world = World::new().await;
    let (kind, id) = split("Binary/of-document-b");
    for (caller, told) in [
        (with("system/*.rs"), true),
        (with("user/Binary.rs user/DocumentReference.rs"), true),
        (Caller { companions: MILLENNIUM, ..with("user/Binary.rs user/DiagnosticReport.rs") }, false),
    ] {
        let grant = caller.grant();
        let found = world.service.lookup(&world.tenant, &grant).read(&kind, &id).await.expect(caller.scope);
        let context = found.document.content().expect("a Binary").security_context.clone();
        assert_eq!(context.is_some(), told, "{}", caller.scope);
    }
}

#[tokio::test]
async fn a_labelled_or_lost_guard_hides_from_searches_as_from_reads() {
    let world = World::new().await;
    let operator = charta_auth::Grant::of_operator();
    let restricted = Confidentiality::Restricted;
    let guard = |name| Resource { confidentiality: restricted, ..of(&["a"], name) };
    let guarded = |name, context| Resource { context: Some(context), ..free(name) };
    for resource in [
        guard("Patient/secret"),
        guard("Observation/secret"),
        guarded("Binary/by-patient", "Patient/secret"),
        guarded("Binary/by-observation", "Observation/secret"),
        guarded("Binary/by-nothing", "Observation/never-was"),
    ] {
        let (kind, id) = split(resource.name);
        let intent = charta_model::Intent::Update { id };
        world.write(&operator, intent, kind, &resource).await.expect("the operator may");
    }
    for (caller, expected) in [
        (with("system/*.read"), ""),
        (with("system/Binary.rs system/Observation.rs system/Patient.rs"), ""),
        (for_a("patient/*.rs"), ""),
        (Caller { sees: restricted, ..with("system/*.read") }, "by-patient by-observation"),
    ] {
        let grant = caller.grant();
        let lookup = world.service.lookup(&world.tenant, &grant);
        for name in ["by-patient", "by-observation", "by-nothing"] {
            let (kind, id) = split(&format!("Binary/{name}"));
            let query = Query {
                scopes: vec![Scope { kind: kind.clone(), dialect: None }],
                filters: vec![Filter::Id(vec![id.clone()])],
                limit: 9,
                ..Query::default()
            };
            let found = lookup.search(&query).await.expect("may search").total == 1;
            let read = lookup.read(&kind, &id).await.is_ok();
            let expected = expected.split(' ').any(|known| known == name);
            assert_eq!((read, found), (expected, expected), "{name} with {}", caller.scope);
        }
    }
}
