//! Small worlds and grants made by chance: what may be read is what is found, and nothing is read or found with a
//! patient's token that is not the patient's.

use std::collections::{BTreeMap, BTreeSet};

use charta_auth::{Action, Companions, Grant, covers};
use charta_model::{Confidentiality, Filter, Intent, Query, Scope};
use charta_service::ReadError;
use proptest::{collection::vec, prelude::*, sample::select, sample::subsequence};

use crate::world::{Caller, Resource, World, split, with};

const BINARIES: [&str; 3] = ["Binary/1", "Binary/2", "Binary/3"];
const LINKS: [&str; 4] = ["1", "2", "3", "nowhere"];
const OTHERS: [&str; 10] = [
    "DocumentReference/1",
    "DocumentReference/2",
    "DocumentReference/3",
    "DiagnosticReport/1",
    "DiagnosticReport/2",
    "Observation/1",
    "Observation/2",
    "Patient/a",
    "Organization/1",
    "List/1",
];
const CONTEXTS: [Option<&str>; 8] = [
    None,
    None,
    Some("Patient/a"),
    Some("Patient/b"),
    Some("DocumentReference/1"),
    Some("DiagnosticReport/1"),
    Some("Observation/1"),
    Some("Patient/unknown"),
];
const SCOPES: [&str; 20] = [
    "patient/*.rs",
    "patient/*.cruds",
    "patient/Binary.rs",
    "patient/Binary.read",
    "patient/DocumentReference.rs",
    "patient/DocumentReference.rs?category=note",
    "patient/DiagnosticReport.read",
    "patient/Observation.rs?category=note",
    "patient/Patient.rs",
    "patient/*.cud",
    "user/*.rs",
    "user/Binary.rs",
    "user/DocumentReference.rs",
    "user/DiagnosticReport.rs?category=note",
    "system/*.read",
    "system/Binary.rs",
    "system/DocumentReference.rs?category=note",
    "system/Observation.rs",
    "openid",
    "patient/DocumentReference.dr",
];
const MILLENNIUM: Companions = Companions::OneOf(&["DocumentReference", "DiagnosticReport"]);
const SOARIAN: Companions = Companions::OneOf(&["DocumentReference"]);

/// One step in the making of a world: this is written, or what has its name is deleted.
#[derive(Debug, Clone)]
struct Step {
    resource: Resource,
    deletes: bool,
}

fn confidentiality() -> impl Strategy<Value = Confidentiality> {
    let normal = Confidentiality::Normal;
    select(vec![normal, normal, normal, Confidentiality::Restricted, Confidentiality::VeryRestricted])
}

fn binary() -> impl Strategy<Value = Resource> {
    (select(&BINARIES[..]), select(&CONTEXTS[..]), confidentiality()).prop_map(
        |(name, context, confidentiality)| Resource { name, context, confidentiality, ..Resource::default() },
    )
}

fn other() -> impl Strategy<Value = Resource> {
    let patients = subsequence(vec!["a", "b"], 0..=2);
    let links = subsequence(LINKS.to_vec(), 0..=2);
    let category = select(vec![None, Some("note"), Some("other")]);
    let parts =
        (select(&OTHERS[..]), patients, links, confidentiality(), category, any::<bool>(), any::<bool>());
    parts.prop_map(|(name, patients, links, confidentiality, category, odd, even)| {
        let names = name.starts_with("Document") || name.starts_with("Diagnostic");
        let about = !matches!(name, "Patient/a" | "Organization/1");
        Resource {
            name,
            patients: if about { patients.leak() } else { &[] },
            links: if names { links.leak() } else { &[] },
            confidentiality,
            category,
            withdrawn: names && odd && even,
            context: None,
        }
    })
}

fn world() -> impl Strategy<Value = Vec<Step>> {
    let resource = prop_oneof![1 => binary(), 2 => other()];
    let step = (resource, 0..8_u8).prop_map(|(resource, chance)| Step { resource, deletes: chance == 0 });
    vec(step, 4..16)
}

fn caller() -> impl Strategy<Value = Caller> {
    let scope = vec(select(&SCOPES[..]), 1..4).prop_map(|scopes| &*scopes.join(" ").leak());
    let patient = select(vec![None, Some("a"), Some("b")]);
    let user = select(vec![None, Some("Practitioner/p"), Some("Patient/a"), Some("RelatedPerson/r")]);
    let companions = select(vec![0, 1, 2]).prop_map(|n| [Companions::Anchor, MILLENNIUM, SOARIAN][n]);
    (scope, patient, user, companions, confidentiality()).prop_map(
        |(scope, patient, user, companions, sees)| Caller { patient, user, companions, sees, ..with(scope) },
    )
}

/// What each name has become; deletions are `None`. And which Binaries its versions have ever named.
#[derive(Default)]
struct Made {
    now: BTreeMap<&'static str, Option<Resource>>,
    linked: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl Made {
    async fn in_world(world: &World, steps: &[Step]) -> Self {
        let mut made = Self::default();
        for Step { resource, deletes } in steps {
            let (kind, id) = split(resource.name);
            let intent = if *deletes { Intent::Delete { id } } else { Intent::Update { id } };
            // Some writes are refused, as that of content that a document names.
            if world.write(&Grant::of_operator(), intent, kind, resource).await.is_err() {
                continue;
            }
            made.now.insert(resource.name, (!deletes).then(|| resource.clone()));
            if !deletes {
                made.linked.entry(resource.name).or_default().extend(resource.links);
            }
        }
        made
    }

    /// Whether it has to do with this patient, by whatever way: more than which is never to be seen.
    fn is_of(&self, name: &str, patient: &str) -> bool {
        let Some(Some(resource)) = self.now.get(name) else { return false };
        if resource.name.starts_with("Binary/") {
            let id = resource.name.trim_start_matches("Binary/");
            let named = self.linked.iter().any(|(by, links)| links.contains(id) && self.is_of(by, patient));
            let context = resource.context;
            return named
                || context.is_some_and(|of| of == format!("Patient/{patient}") || self.is_of(of, patient));
        }
        name == format!("Patient/{patient}")
            || name == "Organization/1"
            || resource.patients.contains(&patient)
    }
}

/// Names that can be read, and those that can be found.
async fn seen(world: &World, grant: &Grant, made: &Made) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let lookup = world.service.lookup(&world.tenant, grant);
    let (mut read, mut found) = (BTreeSet::new(), BTreeSet::new());
    for name in made.now.keys() {
        let (kind, id) = split(name);
        match lookup.read(&kind, &id).await {
            Ok(_) => _ = read.insert(*name),
            Err(ReadError::Store(error)) => panic!("{error}"),
            Err(_) => {}
        }
        let scopes = vec![Scope { kind: kind.clone(), dialect: None }];
        let query = Query { scopes, filters: vec![Filter::Id(vec![id])], limit: 9, ..Query::default() };
        match lookup.search(&query).await {
            Ok(page) => found.extend((page.total == 1).then_some(*name)),
            Err(ReadError::Forbidden) => assert!(!covers(grant, Action::Search, &kind), "{name}"),
            Err(error) => panic!("{error}"),
        }
    }
    (read, found)
}

async fn check(steps: &[Step], caller: &Caller) {
    let world = World::empty();
    let made = Made::in_world(&world, steps).await;
    let grant = caller.grant();
    let (read, found) = seen(&world, &grant, &made).await;
    let what = format!("{} for {:?}, {:?}", caller.scope, caller.patient, caller.user);
    assert!(found.is_subset(&read), "found and not to be read with {what}: {:?}", found.difference(&read));
    for name in read.difference(&found) {
        // Of contexts a search knows those that are there and are documents, patients, or of a type that a scope
        // names: it may find less than can be read, never more.
        let narrowed = |resource: &Resource| {
            let stands = |of| matches!(made.now.get(of), Some(Some(_)));
            resource.context.is_some_and(|of| of.starts_with("Observation") || !stands(of))
        };
        let excused = made.now[name].as_ref().is_some_and(narrowed);
        assert!(excused, "{name} is read and not found with {what}");
    }
    let patient = caller.patient.unwrap_or("nobody");
    let bounded =
        caller.scope.split(' ').all(|scope| !scope.starts_with("user/") && !scope.starts_with("system/"));
    if bounded {
        for name in read.iter().chain(&found) {
            assert!(made.is_of(name, patient), "{name} is not of the patient: {what}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_what_is_found_and_nothing_of_another_patient(steps in world(), callers in vec(caller(), 3)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for caller in &callers {
            runtime.block_on(check(&steps, caller));
        }
    }
}
