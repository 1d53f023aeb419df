//! The record of one patient as a whole: what a document is made of when somebody asks for it.

use std::sync::Arc;

use charta_auth::{Decision, Making, NewSubject, Subject, makes, may_make, may_tell};
use charta_model::{Custody, Filter, Query, ReferenceMatch, ResourceId, ResourceType, Scope};
use charta_store::Stored;

use crate::{Lookup, ReadError, access::Access};

/// A page of what a patient's record says.
#[derive(Debug, Default)]
pub struct RecordPage {
    /// What there is, by id.
    pub parts: Vec<Part>,
    /// Whether there is more after it.
    pub more: bool,
}

/// A part of a patient's record.
#[derive(Debug)]
pub struct Part {
    /// What it says.
    pub stored: Arc<Stored>,
    /// Whether a document may tell it to the caller; if not, that it is there may be said, not what it says.
    pub is_told: bool,
}

/// Ids that are asked for at once.
const IDS_AT_ONCE: usize = 200;

impl Lookup<'_> {
    /// Whether there are scopes for a document that is made, before anything is looked up.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn makes(&self, what: Making) -> Result<(), ReadError> {
        if makes(self.access().grant, what) { Ok(()) } else { Err(ReadError::Forbidden) }
    }

    /// The patient of a document that is to be made and that `reference` would name.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` if there is no such patient for this caller; `Store`.
    pub async fn patient_of_made(
        &self,
        what: Making,
        patient: &ResourceId,
        reference: &NewSubject<'_>,
    ) -> Result<Arc<Stored>, ReadError> {
        let Access { store, tenant, grant } = *self.access();
        match may_make(grant, what, reference) {
            Decision::Allowed => {}
            Decision::ScopeMissing => return Err(ReadError::Forbidden),
            Decision::NotTheirs | Decision::If(_) => return Err(ReadError::NotFound),
        }
        let found = store.current(tenant, &ResourceType::PATIENT, patient).await?;
        found.filter(|stored| self.may_be_told(patient, stored)).ok_or(ReadError::NotFound)
    }

    /// What there is of a type about a patient: `limit` parts of it after the first `offset`.
    ///
    /// The right to the document comes first: [`Lookup::patient_of_made`].
    ///
    /// # Errors
    /// `Store`.
    pub async fn record(
        &self,
        patient: &ResourceId,
        kind: &ResourceType,
        offset: u64,
        limit: usize,
    ) -> Result<RecordPage, ReadError> {
        let Access { store, tenant, .. } = *self.access();
        let about = vec![ReferenceMatch::Local(Some(ResourceType::PATIENT), patient.clone())];
        let query = Query {
            scopes: vec![Scope { kind: kind.clone(), dialect: None }],
            filters: vec![Filter::Reference(Custody::PATIENT.into(), about)],
            limit,
            offset,
            uncounted: true,
            ..Query::default()
        };
        let page = store.search(tenant, &query).await?;
        let more = page.total > offset + page.matches.len() as u64;
        let part = |stored: Arc<Stored>| Part { is_told: self.may_be_told(patient, &stored), stored };
        Ok(RecordPage { parts: page.matches.into_iter().map(part).collect(), more })
    }

    /// What a record names beside the patient's own: people, organizations, places. Each once; what may not be told
    /// is left out.
    ///
    /// # Errors
    /// `Store`.
    pub async fn named_in_record(
        &self,
        patient: &ResourceId,
        kind: &ResourceType,
        ids: &[ResourceId],
    ) -> Result<Vec<Arc<Stored>>, ReadError> {
        let Access { store, tenant, .. } = *self.access();
        let mut found = Vec::new();
        for ids in ids.chunks(IDS_AT_ONCE) {
            let query = Query {
                scopes: vec![Scope { kind: kind.clone(), dialect: None }],
                filters: vec![Filter::Id(ids.to_vec())],
                limit: ids.len(),
                uncounted: true,
                ..Query::default()
            };
            found.extend(store.search(tenant, &query).await?.matches);
        }
        found.retain(|stored| self.may_be_told(patient, stored));
        Ok(found)
    }

    /// Documents of `kind` that refer by `parameter` to any of these and may be told; at most `limit`.
    ///
    /// # Errors
    /// `Store`.
    pub async fn referring_in_record(
        &self,
        patient: &ResourceId,
        to: &[(ResourceType, ResourceId)],
        kind: ResourceType,
        parameter: &str,
        limit: usize,
    ) -> Result<Vec<Arc<Stored>>, ReadError> {
        let Access { store, tenant, .. } = *self.access();
        let scope = Scope { kind, dialect: None };
        let mut found = store.referring(tenant, to, &scope, Some(parameter), limit).await?;
        found.retain(|stored| self.may_be_told(patient, stored));
        Ok(found)
    }

    fn may_be_told(&self, patient: &ResourceId, stored: &Stored) -> bool {
        let subject = Subject::of(&stored.document);
        subject.is_some_and(|subject| may_tell(self.access().grant, patient, subject))
    }
}
