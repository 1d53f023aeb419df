//! The one place that decides. Every path that shows a document, or its existence, asks here: whether a document
//! in hand may be had ([`decide`]), or which documents a search may find ([`visible`]). Both say the same, a test
//! compares them.
//!
//! A document belongs to the patients it is about. A Binary is about nobody: it belongs to what anchors it, its
//! security context and the documents that name it as their content (decision 17).

use charta_model::{
    Confidentiality, Custody, Description, Document, Entry, EntryValue, Filter, ReferenceMatch, ResourceId,
    ResourceType, Scope, TokenMatch,
};

use crate::{
    Action, Grant,
    grant::{Companions, Power},
};

/// Types that are about nobody in particular: a patient's app may read them where its scopes say so. A resource
/// of any other type that is about nobody is not the patient's.
const DIRECTORY: [&str; 22] = [
    "ActivityDefinition",
    "CapabilityStatement",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "Conformance",
    "Endpoint",
    "HealthcareService",
    "ImplementationGuide",
    "InsurancePlan",
    "Library",
    "Location",
    "Medication",
    "NamingSystem",
    "OperationDefinition",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "SearchParameter",
    "StructureDefinition",
    "ValueSet",
];

/// Types that are security contexts: what a document is part of or about.
const CONTEXTS: [&str; 30] = [
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "Claim",
    "ClinicalImpression",
    "Communication",
    "Composition",
    "Condition",
    "Consent",
    "Contract",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentManifest",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "ExplanationOfBenefit",
    "ImagingStudy",
    "Immunization",
    "List",
    "Media",
    "MedicationRequest",
    "Observation",
    "Patient",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "ServiceRequest",
    "Task",
];

/// Types that name Binaries as their content.
const ANCHORS: [ResourceType; 2] = [ResourceType::DOCUMENT_REFERENCE, ResourceType::DIAGNOSTIC_REPORT];

/// What access to a document is decided by.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'d> {
    /// Its type.
    pub kind: &'d ResourceType,
    /// Its id.
    pub id: &'d ResourceId,
    /// What it says; of a deletion, what the version before it said.
    pub description: &'d Description,
}

impl<'d> Subject<'d> {
    /// The subject that a version is; `None` for a deletion.
    #[must_use]
    pub fn of(document: &'d Document) -> Option<Self> {
        let description = document.description.as_ref()?;
        Some(Self { kind: &document.kind, id: &document.id, description })
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Yes.
    Allowed,
    /// If the current version of one of these documents fulfils all filters beside it.
    If(Vec<Condition>),
    /// No: a scope is missing. This may be said.
    ScopeMissing,
    /// No: for this caller there is no such document.
    NotTheirs,
}

/// What remains to be asked of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The document's type.
    pub kind: ResourceType,
    /// Its id.
    pub id: ResourceId,
    /// What it must fulfil.
    pub filters: Vec<Filter>,
}

/// Whether the grant has any scope for `action` on the type, so that it is worth looking anything up.
#[must_use]
pub fn covers(grant: &Grant, action: Action, kind: &ResourceType) -> bool {
    grant.is_everything() || grant.powers().iter().any(|power| is_covered(grant, power, action, kind))
}

fn is_covered(grant: &Grant, power: &Power, action: Action, kind: &ResourceType) -> bool {
    power.covers(action, kind.as_str()) && (!kind.is_binary() || has_companion(grant, power))
}

pub(crate) fn has_companion(grant: &Grant, power: &Power) -> bool {
    match grant.companions() {
        Companions::Anchor => true,
        Companions::OneOf(kinds) => kinds.iter().any(|kind| power.covers(Action::Read, kind)),
    }
}

/// Whether `grant` allows `action` on this document. Of a Binary, `anchors` are the documents that it belongs to,
/// each as its current version says; those that are deleted are left out.
#[must_use]
pub fn decide(grant: &Grant, action: Action, subject: Subject<'_>, anchors: &[Subject<'_>]) -> Decision {
    if grant.is_everything() {
        return Decision::Allowed;
    }
    if !covers(grant, action, subject.kind) {
        return Decision::ScopeMissing;
    }
    let inherited = anchors.iter().map(|anchor| anchor.description.confidentiality());
    if inherited.fold(subject.description.confidentiality(), Ord::max) > grant.sees() {
        return Decision::NotTheirs;
    }
    let mut conditions = Vec::new();
    let mut refusal = Decision::NotTheirs;
    for power in grant.powers() {
        if !is_covered(grant, power, action, subject.kind) {
            continue;
        }
        let decision = match subject.kind.is_binary() {
            true => binary(grant, power, anchors),
            false => resource(power, action, subject),
        };
        match decision {
            Decision::Allowed => return Decision::Allowed,
            Decision::If(more) => conditions.extend(more),
            Decision::ScopeMissing => refusal = Decision::ScopeMissing,
            Decision::NotTheirs => {}
        }
    }
    if conditions.is_empty() { refusal } else { Decision::If(conditions) }
}

fn resource(power: &Power, action: Action, subject: Subject<'_>) -> Decision {
    if !is_of_patient(power, action, subject.kind, subject.id, &subject.description.custody) {
        return Decision::NotTheirs;
    }
    under_constraints(power, action, subject.kind, subject.id)
}

/// Whether the document lies within what the power's patient bounds.
pub(crate) fn is_of_patient(
    power: &Power,
    action: Action,
    kind: &ResourceType,
    id: &ResourceId,
    custody: &Custody,
) -> bool {
    let Some(patient) = &power.patient else { return true };
    let looks = matches!(action, Action::Read | Action::Search);
    if *kind == ResourceType::PATIENT {
        return id == patient;
    }
    custody.patients.contains(patient) || looks && is_directory(kind)
}

pub(crate) fn is_directory(kind: &ResourceType) -> bool {
    DIRECTORY.contains(&kind.as_str())
}

fn under_constraints(power: &Power, action: Action, kind: &ResourceType, id: &ResourceId) -> Decision {
    let mut conditions = Vec::new();
    for constraint in power.constraints(action, kind.as_str()) {
        if constraint.is_empty() {
            return Decision::Allowed;
        }
        conditions.push(Condition { kind: kind.clone(), id: id.clone(), filters: constraint.to_vec() });
    }
    if conditions.is_empty() { Decision::ScopeMissing } else { Decision::If(conditions) }
}

/// Decision 17: by any anchor; without one by those whom no patient bounds.
fn binary(grant: &Grant, power: &Power, anchors: &[Subject<'_>]) -> Decision {
    if anchors.is_empty() {
        return if power.patient.is_none() { Decision::Allowed } else { Decision::NotTheirs };
    }
    let mut conditions = Vec::new();
    let mut refusal = Decision::NotTheirs;
    for anchor in anchors {
        let custody = &anchor.description.custody;
        if custody.withdrawn && power.patient.is_some()
            || !is_of_patient(power, Action::Read, anchor.kind, anchor.id, custody)
        {
            continue;
        }
        if companion_reads(grant, power, anchor.kind) {
            return Decision::Allowed;
        }
        match under_constraints(power, Action::Read, anchor.kind, anchor.id) {
            Decision::Allowed => return Decision::Allowed,
            Decision::If(more) => conditions.extend(more),
            _ => refusal = Decision::ScopeMissing,
        }
    }
    if conditions.is_empty() { refusal } else { Decision::If(conditions) }
}

/// Whether an unconstrained scope for one of the types that the endpoint asks for stands for that of the anchor.
fn companion_reads(grant: &Grant, power: &Power, anchor: &ResourceType) -> bool {
    let Companions::OneOf(kinds) = grant.companions() else { return false };
    let whole = |kind: &&str| power.constraints(Action::Read, kind).any(<[Filter]>::is_empty);
    ANCHORS.contains(anchor) && kinds.iter().any(whole)
}

/// Whether the grant allows to write this: what it was, if it was there, and what it is to be.
///
/// The old state is decided as it stands; the new one must be the caller's as well, must not be shown with less
/// care than before unless the caller may decide that, and what a constraint asks must hold for it.
#[must_use]
pub fn may_become(grant: &Grant, action: Action, before: Option<&Description>, new: &NewSubject<'_>) -> bool {
    if grant.is_everything() {
        return true;
    }
    let lowered = before.is_some_and(|before| before.confidentiality() > new.confidentiality);
    if lowered && !grant.relabels() {
        return false;
    }
    let fits = |power: &Power| {
        (new.kind.is_binary() || is_of_patient(power, action, new.kind, new.id, new.custody))
            && power
                .constraints(action, new.kind.as_str())
                .any(|constraint| constraint.iter().all(|filter| new.fulfils(filter)))
    };
    grant.powers().iter().any(fits)
}

/// A version that is to be written.
pub struct NewSubject<'d> {
    /// Its type.
    pub kind: &'d ResourceType,
    /// Its id.
    pub id: &'d ResourceId,
    /// Whose it will be.
    pub custody: &'d Custody,
    /// How carefully it will be shown.
    pub confidentiality: Confidentiality,
    /// What it will be found by.
    pub entries: &'d [Entry],
}

impl NewSubject<'_> {
    /// Whether it fulfils a filter, of those kinds that constraints are made of; another holds for nothing.
    pub(crate) fn fulfils(&self, filter: &Filter) -> bool {
        match filter {
            Filter::Any(filters) => filters.iter().any(|filter| self.fulfils(filter)),
            Filter::All(filters) => filters.iter().all(|filter| self.fulfils(filter)),
            Filter::Token(parameter, matches) => self.values(parameter).any(|value| {
                matches!(value, EntryValue::Token { system, code }
                    if matches.iter().any(|wanted| is_token(wanted, system.as_deref(), code.as_deref())))
            }),
            Filter::Reference(parameter, matches) => self.values(parameter).any(|value| {
                matches!(value, EntryValue::Reference { kind, id }
                    if matches.iter().any(|wanted| is_reference(wanted, kind, id)))
            }),
            _ => false,
        }
    }

    fn values(&self, parameter: &str) -> impl Iterator<Item = &EntryValue> {
        self.entries.iter().filter(move |entry| entry.parameter == parameter).map(|entry| &entry.value)
    }
}

fn is_token(wanted: &TokenMatch, system: Option<&str>, code: Option<&str>) -> bool {
    let is_code = |wanted_code: &String| match wanted.case_sensitive {
        true => code == Some(wanted_code),
        false => code.is_some_and(|code| code.to_lowercase() == wanted_code.to_lowercase()),
    };
    wanted.system.as_ref().is_none_or(|wanted| wanted == system.unwrap_or_default())
        && wanted.code.as_ref().is_none_or(is_code)
}

fn is_reference(wanted: &ReferenceMatch, kind: &ResourceType, id: &ResourceId) -> bool {
    match wanted {
        ReferenceMatch::Local(of, wanted) => wanted == id && of.as_ref().is_none_or(|of| of == kind),
        ReferenceMatch::Elsewhere(_) => false,
    }
}

/// What a document of this type must fulfil for `grant` to allow `action` on it: `None` if none may be had, an
/// empty list if all.
#[must_use]
pub fn visible(grant: &Grant, action: Action, kind: &ResourceType) -> Option<Vec<Filter>> {
    if grant.is_everything() {
        return Some(Vec::new());
    }
    let mut ways = Vec::new();
    for power in grant.powers().iter().filter(|power| is_covered(grant, power, action, kind)) {
        match kind.is_binary() {
            true => ways.push(binaries(grant, power)),
            false => ways.extend(resources(power, action, kind)),
        }
    }
    if ways.is_empty() {
        return None;
    }
    let mut filters = careful(grant, kind);
    if !ways.iter().any(Vec::is_empty) {
        filters.push(any(ways));
    }
    Some(filters)
}

/// Each way to a document by this power: all its conditions.
fn resources(power: &Power, action: Action, kind: &ResourceType) -> Vec<Vec<Filter>> {
    let of_patient = match &power.patient {
        Some(patient) if *kind == ResourceType::PATIENT => vec![Filter::Id(vec![patient.clone()])],
        Some(patient) if !is_directory(kind) => vec![of_patient(patient)],
        _ => Vec::new(),
    };
    let constraints = power.constraints(action, kind.as_str());
    constraints.map(|constraint| [&of_patient, constraint].concat()).collect()
}

fn of_patient(patient: &ResourceId) -> Filter {
    let matches = vec![ReferenceMatch::Local(Some(ResourceType::PATIENT), patient.clone())];
    Filter::Reference(Custody::PATIENT.into(), matches)
}

/// Decision 17, as a search puts it. Of security contexts those count that are documents, the patient, or of a type
/// that a scope names.
fn binaries(grant: &Grant, power: &Power) -> Vec<Filter> {
    let everywhere =
        power.patient.is_none() && power.constraints(Action::Read, "*").any(<[Filter]>::is_empty);
    if everywhere {
        return vec![belongs_somewhere()];
    }
    let mut ways = Vec::new();
    for kind in ANCHORS.into_iter().chain([ResourceType::PATIENT]).chain(power.kinds(Action::Read)) {
        let mut conditions: Vec<Vec<Filter>> = resources(power, Action::Read, &kind);
        if companion_reads(grant, power, &kind) {
            conditions = vec![power.patient.iter().map(of_patient).collect()];
        }
        if conditions.is_empty() {
            continue;
        }
        let mut condition = vec![any(conditions)];
        if power.patient.is_some() && ANCHORS.contains(&kind) {
            condition.push(Filter::Not(Box::new(in_error())));
        }
        let condition = Box::new(Filter::All(condition));
        let scopes = vec![Scope { kind: kind.clone(), dialect: None }];
        if ANCHORS.contains(&kind) {
            ways.push(vec![Filter::Linked(scopes.clone(), condition.clone())]);
        }
        ways.push(vec![Filter::Chain(Custody::CONTEXT.into(), scopes, condition)]);
    }
    if power.patient.is_none() {
        let scopes = ANCHORS.map(|kind| Scope { kind, dialect: None }).to_vec();
        let named = Filter::Linked(scopes, Box::new(Filter::All(Vec::new())));
        ways.push(vec![Filter::Not(Box::new(named)), Filter::Missing(Custody::CONTEXT.into(), true)]);
    }
    vec![any(ways)]
}

fn in_error() -> Filter {
    let code = Some("entered-in-error".to_owned());
    Filter::Token("status".into(), vec![TokenMatch { system: None, code, case_sensitive: true }])
}

/// What the caller must not see for its labels, or those of what a Binary belongs to. A Binary whose security context
/// is of a type that is not asked about is not found by such a caller.
fn careful(grant: &Grant, kind: &ResourceType) -> Vec<Filter> {
    let above = Confidentiality::ABOVE_NORMAL.into_iter().filter(|level| *level > grant.sees());
    let code = |level: Confidentiality| Some(level.code().to_owned());
    let matches: Vec<TokenMatch> =
        above.map(|level| TokenMatch { system: None, code: code(level), case_sensitive: true }).collect();
    if matches.is_empty() {
        return Vec::new();
    }
    let labelled = Filter::Token(Custody::CONFIDENTIALITY.into(), matches);
    let open = Filter::Not(Box::new(labelled.clone()));
    let mut conditions = vec![open.clone()];
    if kind.is_binary() {
        let scopes = ANCHORS.map(|kind| Scope { kind, dialect: None }).to_vec();
        conditions.push(Filter::Not(Box::new(Filter::Linked(scopes, Box::new(labelled)))));
        let guarded = Filter::Chain(Custody::CONTEXT.into(), contexts(), Box::new(open));
        conditions.push(Filter::Any(vec![Filter::Missing(Custody::CONTEXT.into(), true), guarded]));
    }
    conditions
}

/// That a Binary has no security context, or one that is there, or a document that names it: a guard that is gone
/// guards still.
fn belongs_somewhere() -> Filter {
    let anything = || Box::new(Filter::All(Vec::new()));
    let anchors = ANCHORS.map(|kind| Scope { kind, dialect: None }).to_vec();
    Filter::Any(vec![
        Filter::Missing(Custody::CONTEXT.into(), true),
        Filter::Chain(Custody::CONTEXT.into(), contexts(), anything()),
        Filter::Linked(anchors, anything()),
    ])
}

fn contexts() -> Vec<Scope> {
    let kinds = CONTEXTS.iter().filter_map(|name| ResourceType::new(name).ok());
    kinds.map(|kind| Scope { kind, dialect: None }).collect()
}

/// One of these, each of which is all its conditions.
fn any(mut ways: Vec<Vec<Filter>>) -> Filter {
    let all = |mut conditions: Vec<Filter>| match conditions.len() {
        1 => conditions.remove(0),
        _ => Filter::All(conditions),
    };
    match ways.len() {
        1 => all(ways.remove(0)),
        _ => Filter::Any(ways.into_iter().map(all).collect()),
    }
}
