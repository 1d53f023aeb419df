//! What a caller may write: theirs before, theirs after, and naming only what is theirs.

use charta_auth::Grant;
use charta_model::{Confidentiality, Filter, Intent, Query, WriteOutcome};
use charta_service::WriteError;
use charta_store::{CommitError, testing};

use crate::world::{Caller, Resource, World, for_a, free, now, of, split, with};

/// What a write comes to, in a word.
fn word(outcome: &Result<WriteOutcome, WriteError>) -> &'static str {
    match outcome {
        Ok(WriteOutcome::Created(_)) => "created",
        Ok(WriteOutcome::Updated(_)) => "updated",
        Ok(WriteOutcome::Unchanged(_)) => "unchanged",
        Ok(WriteOutcome::Existing(_)) => "existing",
        Ok(WriteOutcome::Deleted(_)) => "deleted",
        Ok(WriteOutcome::NothingToDelete) => "nothing",
        Err(WriteError::Forbidden) => "forbidden",
        Err(WriteError::NotFound) => "not found",
        Err(WriteError::Names) => "names",
        Err(WriteError::Commit(_)) => "commit",
    }
}

#[derive(Clone, Copy)]
enum How {
    Create,
    Update,
    Delete,
}

async fn write(
    world: &World,
    grant: &Grant,
    how: How,
    resource: &Resource,
) -> Result<WriteOutcome, WriteError> {
    let (kind, id) = split(resource.name);
    let intent = match how {
        How::Create => Intent::Create { id },
        How::Update => Intent::Update { id },
        How::Delete => Intent::Delete { id },
    };
    world.write(grant, intent, kind, resource).await
}

/// In a world of its own for each.
async fn check(caller: Caller, how: How, resource: Resource, expected: &str) {
    let world = World::new().await;
    let outcome = write(&world, &caller.grant(), how, &resource).await;
    assert_eq!(word(&outcome), expected, "{} with {}", resource.name, caller.scope);
}

const A: &[&str] = &["a"];
const B: &[&str] = &["b"];

#[tokio::test]
async fn a_patients_app_writes_what_is_the_patients() {
    use How::{Create, Delete, Update};
    let all = for_a("patient/*.cruds");
    let lab = for_a("patient/Observation.cruds?category=s|lab");
    let changed = |resource| Resource { links: &["x"], ..resource };
    for (caller, how, resource, expected) in [
        (all, Create, of(A, "Observation/new"), "created"),
        (all, Create, of(B, "Observation/new"), "forbidden"),
        (all, Create, free("List/new"), "forbidden"),
        (all, Create, free("Organization/new"), "forbidden"),
        (all, Create, free("Patient/new"), "forbidden"),
        (all, Update, free("Patient/a"), "unchanged"),
        (all, Update, free("Patient/b"), "not found"),
        (all, Update, Resource { category: Some("x"), ..of(A, "DiagnosticReport/a") }, "updated"),
        (all, Update, of(B, "Observation/b-lab"), "not found"),
        (all, Update, of(A, "Observation/b-lab"), "not found"),
        (all, Update, of(A, "Observation/unknown"), "not found"),
        (all, Update, of(B, "Observation/a-lab"), "forbidden"),
        (all, Update, of(&["a", "b"], "Observation/a-lab"), "updated"),
        (all, Delete, free("Observation/a-lab"), "deleted"),
        (all, Delete, free("Observation/b-lab"), "not found"),
        (all, Delete, free("Observation/unknown"), "not found"),
        (for_a("patient/*.rs"), Create, of(A, "Observation/new"), "forbidden"),
        (for_a("patient/*.rs"), Delete, free("Observation/b-lab"), "forbidden"),
        (for_a("patient/Observation.c"), Update, of(A, "Observation/a-lab"), "forbidden"),
        (lab, Create, Resource { category: Some("lab"), ..of(A, "Observation/new") }, "created"),
        (lab, Create, Resource { category: Some("vitals"), ..of(A, "Observation/new") }, "forbidden"),
        (lab, Update, Resource { category: Some("lab"), ..of(A, "Observation/a-vitals") }, "not found"),
        (lab, Delete, free("Observation/a-vitals"), "not found"),
        (with("system/*.cruds"), Update, changed(of(B, "Observation/unknown")), "created"),
        (with("system/*.cruds"), Update, of(B, "DocumentReference/a"), "updated"),
        (with("system/Observation.cud"), Delete, free("Observation/a-lab"), "deleted"),
    ] {
        check(caller, how, resource, expected).await;
    }
}

#[tokio::test]
async fn nobody_comes_to_a_document_by_naming_it() {
    use How::{Create, Update};
    let all = for_a("patient/*.cruds");
    let naming = |links| Resource { links, ..of(A, "DocumentReference/new") };
    let context = |context| Resource { context: Some(context), ..free("Binary/new") };
    for (caller, how, resource, expected) in [
        (all, Create, naming(&["a"]), "created"),
        (all, Create, naming(&["b"]), "names"),
        (all, Create, naming(&["free"]), "names"),
        (all, Create, naming(&["unknown"]), "names"),
        (all, Create, naming(&["restricted"]), "names"),
        (all, Update, Resource { links: &["b"], ..of(A, "DocumentReference/a") }, "names"),
        (
            all,
            Update,
            Resource { links: &["in-error", "report"], ..of(A, "DocumentReference/in-error") },
            "updated",
        ),
        (all, Create, context("Patient/a"), "created"),
        (all, Create, context("Patient/b"), "names"),
        (all, Create, context("DocumentReference/b"), "names"),
        (all, Create, context("DocumentReference/unknown"), "names"),
        (all, Create, context("https://elsewhere.example/Patient/a"), "names"),
        (all, Update, Resource { context: Some("Patient/a"), ..free("Binary/b") }, "not found"),
        (all, Update, Resource { context: Some("Patient/b"), ..free("Binary/of-patient-a") }, "names"),
    ] {
        check(caller, how, resource, expected).await;
    }
}

#[tokio::test]
async fn what_a_patients_app_has_just_written_can_be_named_by_it_and_by_nobody_else() {
    let world = World::new().await;
    let grant = for_a("patient/*.cruds").grant();
    let (kind, id) = split("Binary/new");
    write(&world, &grant, How::Create, &free("Binary/new")).await.expect("may create");
    let read = async || world.service.lookup(&world.tenant, &grant).read(&kind, &id).await.is_ok();
    assert!(!read().await, "nothing says whose it is");
    let others = Caller { patient: Some("b"), ..with("patient/*.cruds") }.grant();
    let stolen = Resource { links: &["new"], ..of(B, "DocumentReference/theft") };
    assert_eq!(word(&write(&world, &others, How::Create, &stolen).await), "names");
    let named = Resource { links: &["new"], ..of(A, "DocumentReference/new") };
    assert_eq!(word(&write(&world, &grant, How::Create, &named).await), "created");
    assert!(read().await);
}

#[tokio::test]
async fn a_document_and_its_content_are_written_in_one_step() {
    let world = World::new().await;
    let grant = for_a("patient/*.cruds").grant();
    let step = async |binary: &'static str, document: Resource| {
        let (kind, id) = split(binary);
        let first = world.prepared(&grant, Intent::Update { id }, kind, &free(binary)).await;
        let (kind, id) = split(document.name);
        let second = world.prepared(&grant, Intent::Create { id }, kind, &document).await;
        let outcome =
            world.service.transact(&world.tenant, &grant, vec![first, second], Vec::new(), now()).await;
        outcome.map_err(|(index, error)| (index, word(&Err(error))))
    };
    let with_content = |name| Resource { links: &["inside"], ..of(A, name) };
    assert!(step("Binary/inside", with_content("DocumentReference/x")).await.is_ok());
    assert!(step("Binary/inside", with_content("DocumentReference/y")).await.is_ok(), "its own once more");
    let other = Resource { links: &["b"], ..of(A, "DocumentReference/z") };
    assert_eq!(step("Binary/b", other).await.unwrap_err(), (Some(0), "not found"));
    let apart = step("Binary/apart", of(A, "DocumentReference/z")).await;
    assert_eq!(apart.unwrap_err(), (Some(0), "not found"), "an id that nothing in the step names");
}

#[tokio::test]
async fn a_conditional_write_matches_only_what_is_theirs() {
    let world = World::new().await;
    let grant = for_a("patient/*.cruds").grant();
    let kind = testing::kind("Observation");
    let criteria = |id: &str| Query {
        scopes: vec![testing::scope("Observation")],
        filters: vec![Filter::Id(vec![testing::id(id)])],
        ..Query::default()
    };
    let unless = |id| Intent::CreateUnlessExists { fresh: testing::id("fresh-1"), criteria: criteria(id) };
    let matching = |id, claimed: Option<&str>, fresh: &str| Intent::UpdateMatching {
        criteria: criteria(id),
        claimed: claimed.map(testing::id),
        fresh: testing::id(fresh),
        claimed_must_be_new: false,
    };
    let deleting = |id| Intent::DeleteMatching { criteria: criteria(id) };
    for (intent, expected) in [
        (unless("a-lab"), "existing"),
        (unless("b-lab"), "created"),
        (matching("a-lab", None, "fresh-2"), "updated"),
        (matching("b-lab", None, "fresh-3"), "created"),
        (matching("a-lab", Some("a-lab"), "fresh-4"), "unchanged"),
        (matching("a-lab", Some("b-lab"), "fresh-5"), "not found"),
        (matching("none", Some("b-lab"), "fresh-6"), "not found"),
        (matching("none", Some("unknown"), "fresh-7"), "not found"),
        (deleting("b-lab"), "nothing"),
        (deleting("a-vitals"), "deleted"),
    ] {
        let shown = format!("{intent:?}");
        let resource = Resource { category: Some("new"), ..of(A, "Observation/any") };
        assert_eq!(word(&world.write(&grant, intent, kind.clone(), &resource).await), expected, "{shown}");
    }
}

#[tokio::test]
async fn labels_are_not_lowered_without_the_right_to_it() {
    let sees = Confidentiality::Restricted;
    let user = Caller { sees, user: Some("Practitioner/p"), ..with("user/*.cruds") };
    let restricted =
        |links| Resource { links, confidentiality: sees, ..of(A, "DocumentReference/restricted") };
    let normal = Resource { links: &["restricted"], ..of(A, "DocumentReference/restricted") };
    check(user, How::Update, restricted(&["restricted", "a"]), "updated").await;
    check(user, How::Update, normal.clone(), "forbidden").await;
    check(Caller { sees: Confidentiality::Normal, ..user }, How::Update, normal, "not found").await;
    let raised = Resource { confidentiality: Confidentiality::VeryRestricted, ..restricted(&["restricted"]) };
    check(user, How::Update, raised, "updated").await;
}

#[tokio::test]
async fn a_write_is_of_the_version_that_was_decided_about() {
    let world = World::new().await;
    let grant = for_a("patient/*.cruds").grant();
    let resource = Resource { category: Some("other"), ..of(A, "DocumentReference/a") };
    let (kind, id) = split(resource.name);
    let (mut stale, content) = world.prepared(&grant, Intent::Update { id }, kind, &resource).await;
    stale.if_match = Some(charta_model::VersionMatch::OneOf(vec![1]));
    let refused = world.service.write(&world.tenant, &grant, stale, content, now()).await;
    assert!(
        matches!(refused, Err(WriteError::Commit(CommitError::PreconditionFailed))),
        "the client's own condition"
    );
}
