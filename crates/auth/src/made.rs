//! Who gets a document that is made of a patient's record when it is asked for, and what it may tell.
//!
//! Such a document is one permission, not one for each type that it is made of: whoever may read the Binaries and
//! the DocumentReferences of a patient may read this document, as if it were stored. Labels count for each part: what
//! the caller must not see is left out of it.

use charta_model::{Filter, ResourceId, ResourceType};

use crate::{
    Action, Decision, Grant, NewSubject, Subject,
    grant::Power,
    policy::{has_companion, is_directory, is_of_patient},
};

/// What is to be had of a document that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// The DocumentReference that offers it.
    Reference,
    /// The document itself, which is a Binary.
    Content,
}

/// Whether the grant has any scopes for it, so that it is worth looking at what is asked.
#[must_use]
pub fn makes(grant: &Grant, what: Making) -> bool {
    grant.is_everything() || grant.powers().iter().any(|power| reads(grant, power, what))
}

/// Whether the grant opens the document that `reference` would name. The scopes that it takes are of one context.
#[must_use]
pub fn may_make(grant: &Grant, what: Making, reference: &NewSubject<'_>) -> Decision {
    if grant.is_everything() {
        return Decision::Allowed;
    }
    let mut refusal = Decision::ScopeMissing;
    for power in grant.powers().iter().filter(|power| reads(grant, power, what)) {
        if !is_of_patient(power, Action::Read, reference.kind, reference.id, reference.custody) {
            refusal = Decision::NotTheirs;
            continue;
        }
        let fulfils = |constraint: &[Filter]| constraint.iter().all(|filter| reference.fulfils(filter));
        if power.constraints(Action::Read, ResourceType::DOCUMENT_REFERENCE.as_str()).any(fulfils) {
            return Decision::Allowed;
        }
    }
    refusal
}

fn reads(grant: &Grant, power: &Power, what: Making) -> bool {
    let covers = |kind: ResourceType| power.covers(Action::Read, kind.as_str());
    covers(ResourceType::DOCUMENT_REFERENCE)
        && (what == Making::Reference || covers(ResourceType::BINARY) && has_companion(grant, power))
}

/// Whether a document about `patient`, which the grant opens, may tell its reader what `part` says: it is about
/// that patient or about nobody, and not kept from the reader by its labels.
#[must_use]
pub fn may_tell(grant: &Grant, patient: &ResourceId, part: Subject<'_>) -> bool {
    if grant.is_everything() {
        return true;
    }
    let is_theirs = match *part.kind == ResourceType::PATIENT {
        true => part.id == patient,
        false => part.description.custody.patients.contains(patient) || is_directory(part.kind),
    };
    is_theirs && part.description.confidentiality() <= grant.sees()
}
