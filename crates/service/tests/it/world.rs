//! Two patients, their documents, and every way in which a Binary belongs to somebody.

use charta_auth::{Claims, Companions, Grant, Terms};
use charta_model::{
    Confidentiality, ContentLink, Custody, Entry, EntryValue, Filter, Intent, NewState, Reference,
    ResourceId, ResourceType, TenantId, Timestamp, TokenMatch, Write, WriteOutcome,
};
use charta_service::{Service, WriteError};
use charta_store::{Access, Options, Store, testing};

pub struct World {
    pub service: Service,
    pub tenant: TenantId,
    _directory: tempfile::TempDir,
}

/// A resource that is to be written.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    pub name: &'static str,
    pub patients: &'static [&'static str],
    pub confidentiality: Confidentiality,
    pub withdrawn: bool,
    pub links: &'static [&'static str],
    pub context: Option<&'static str>,
    pub category: Option<&'static str>,
}

/// Of a patient.
pub fn of(patient: &'static [&'static str], name: &'static str) -> Resource {
    Resource { name, patients: patient, ..Resource::default() }
}

/// Of nobody.
pub fn free(name: &'static str) -> Resource {
    of(&[], name)
}

const A: &[&str] = &["a"];
const B: &[&str] = &["b"];

/// What is there, in the order in which it was written. Of names that come twice the second is the current version.
pub fn all() -> Vec<Resource> {
    let restricted = Confidentiality::Restricted;
    vec![
        free("Patient/a"),
        free("Patient/b"),
        free("Organization/o"),
        free("List/nobodys"),
        Resource { category: Some("lab"), ..of(A, "Observation/a-lab") },
        Resource { category: Some("vitals"), ..of(A, "Observation/a-vitals") },
        Resource { category: Some("lab"), ..of(B, "Observation/b-lab") },
        free("Binary/a"),
        free("Binary/b"),
        free("Binary/both"),
        free("Binary/free"),
        free("Binary/in-error"),
        free("Binary/restricted"),
        free("Binary/report"),
        free("Binary/moved"),
        free("Binary/before"),
        Resource { context: Some("Patient/a"), ..free("Binary/of-patient-a") },
        Resource { context: Some("DocumentReference/b"), ..free("Binary/of-document-b") },
        Resource { links: &["before"], ..of(A, "DocumentReference/a") },
        Resource { links: &["a", "both"], category: Some("note"), ..of(A, "DocumentReference/a") },
        Resource { links: &["b", "both"], ..of(B, "DocumentReference/b") },
        Resource { links: &["in-error"], withdrawn: true, ..of(A, "DocumentReference/in-error") },
        Resource {
            links: &["restricted"],
            confidentiality: restricted,
            ..of(A, "DocumentReference/restricted")
        },
        Resource { links: &["report"], ..of(A, "DiagnosticReport/a") },
        Resource { links: &["moved"], ..of(A, "DocumentReference/moved") },
        Resource { links: &["moved"], ..of(B, "DocumentReference/moved") },
    ]
}

pub fn split(name: &str) -> (ResourceType, ResourceId) {
    let (kind, id) = name.split_once('/').expect("Type/id");
    (testing::kind(kind), testing::id(id))
}

pub fn now() -> Timestamp {
    testing::at(1_000)
}

impl World {
    /// Without documents.
    pub fn empty() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(&Options::new(directory.path()), Access::Exclusive).expect("a store");
        Self { service: Service::new(store), tenant: testing::tenant("t"), _directory: directory }
    }

    /// With [`all`] of them.
    pub async fn new() -> Self {
        let world = Self::empty();
        for resource in all() {
            let (kind, id) = split(resource.name);
            world
                .write(&Grant::of_operator(), Intent::Update { id }, kind, &resource)
                .await
                .expect("the operator may");
        }
        world
    }

    pub async fn write(
        &self,
        grant: &Grant,
        intent: Intent,
        kind: ResourceType,
        resource: &Resource,
    ) -> Result<WriteOutcome, WriteError> {
        let (write, content) = self.prepared(grant, intent, kind, resource).await;
        self.service.write(&self.tenant, grant, write, content, now()).await
    }

    pub async fn prepared(
        &self,
        grant: &Grant,
        intent: Intent,
        kind: ResourceType,
        resource: &Resource,
    ) -> (Write, Option<charta_store::Uploaded>) {
        let state = NewState { writer: grant.writer().map(Into::into), ..state(resource, &kind) };
        let content = match kind.is_binary() {
            true => {
                let mut upload = self.service.upload();
                upload.write(resource.name.as_bytes().to_vec().into()).await.expect("room");
                Some(upload.finish().await.expect("room"))
            }
            false => None,
        };
        let deletes = matches!(intent, Intent::Delete { .. } | Intent::DeleteMatching { .. });
        let state = (!deletes).then_some(state);
        (Write { kind, intent, if_match: None, if_none_match: None, state }, content.filter(|_| !deletes))
    }
}

fn state(resource: &Resource, kind: &ResourceType) -> NewState {
    let token = |parameter: &'static str, code: &str| Entry {
        parameter: parameter.into(),
        part: 0,
        value: EntryValue::Token { system: Some("s".into()), code: Some(code.into()) },
    };
    let mut state = if kind.is_binary() {
        testing::text()
    } else {
        testing::record(&format!("{} {:?}", resource.name, resource.links))
    };
    if let Some(content) = &mut state.content {
        content.security_context = resource.context.map(|text| Reference::new(text).expect("a reference"));
    }
    state.custody = Custody {
        patients: resource.patients.iter().map(|id| testing::id(id)).collect(),
        confidentiality: resource.confidentiality,
        withdrawn: resource.withdrawn,
    };
    state.index.entries.extend(resource.category.map(|code| token("category", code)));
    state.index.entries.extend(resource.withdrawn.then(|| token("status", "entered-in-error")));
    let link = |binary: &&str| ContentLink {
        binary: testing::id(binary),
        version: None,
        in_error: resource.withdrawn,
    };
    state.index.links = resource.links.iter().map(link).collect();
    state
}

/// Who calls, with what.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    pub scope: &'static str,
    pub patient: Option<&'static str>,
    pub user: Option<&'static str>,
    pub companions: Companions,
    pub sees: Confidentiality,
}

/// With these scopes and no patient, on a standard endpoint.
pub const fn with(scope: &'static str) -> Caller {
    let sees = Confidentiality::Normal;
    Caller { scope, patient: None, user: None, companions: Companions::Anchor, sees }
}

/// With these scopes, for patient a.
pub const fn for_a(scope: &'static str) -> Caller {
    Caller { patient: Some("a"), ..with(scope) }
}

impl Caller {
    pub fn grant(&self) -> Grant {
        let claims = Claims {
            issuer: "https://login.example".into(),
            subject: Some("s".into()),
            client: Some("c".into()),
            scope: self.scope.into(),
            patient: self.patient.map(testing::id),
            user: self.user.map(str::to_owned),
            token_id: None,
            tenant: None,
            purposes: Vec::new(),
            expires_at: testing::at(i64::from(i32::MAX)),
        };
        let understand =
            |_: &ResourceType, constraint: &[(String, String)]| constraint.iter().map(token).collect();
        let terms = Terms {
            companions: self.companions,
            wildcards: true,
            patients_write: true,
            sees: self.sees,
            relabels: false,
            understand: &understand,
        };
        Grant::of_token(&claims, &terms)
    }
}

/// Parameters as an endpoint would understand them: `category` is one, nothing else.
fn token((name, value): &(String, String)) -> Option<Filter> {
    let code = value.rsplit('|').next().map(str::to_owned);
    let matches = vec![TokenMatch { system: None, code, case_sensitive: true }];
    (name == "category").then(|| Filter::Token("category".into(), matches))
}
