//! What is recorded of requests, and who may read it. Recording is not the caller's to ask for, so it takes no
//! grant; reading asks the same policy as every other read.

use charta_auth::{Action, Decision, Grant, Subject, covers, decide, visible};
use charta_model::{
    Custody, Description, Document, Filter, Labels, ReferenceMatch, ResourceId, ResourceType, TenantId,
    audit::{AuditFilter, AuditQuery, Event},
};
use charta_store::{AuditLog, AuditPage, AuditStatistics, Error, Place, Stored};

use crate::{ReadError, Service, access::Access};

impl Service {
    /// The same with an audit log.
    #[must_use]
    pub fn recording(mut self, log: AuditLog) -> Self {
        self.audit = Some(log);
        self
    }

    /// Whether what is done now can be recorded: to be asked before it is done.
    ///
    /// # Errors
    /// Why the log cannot be written, if requests are to be refused then.
    pub fn can_record(&self) -> Result<(), Error> {
        self.audit.as_ref().map_or(Ok(()), AuditLog::ready)
    }

    /// Records an event: one for each of the patients, so that no patient's trail shows another.
    ///
    /// # Errors
    /// If it is not kept.
    pub async fn record<'e>(&self, event: &mut Event<'e>, patients: &[&'e ResourceId]) -> Result<(), Error> {
        let Some(log) = &self.audit else { return Ok(()) };
        // One without a patient if there is none.
        for place in 0..patients.len().max(1) {
            if let Some(patient) = patients.get(place) {
                event.patient = patient.as_str().into();
            }
            if !log.record_at_once(event)? {
                log.record(event).await?;
            }
        }
        Ok(())
    }

    /// The patients that a version concerns; of a deletion, those of the version before.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn patients(&self, tenant: &TenantId, document: &Document) -> Result<Vec<ResourceId>, Error> {
        let operator = Grant::of_operator();
        let access = Access { store: &self.store, tenant, grant: &operator };
        if document.description.is_none() && document.version > 1 {
            let Document { kind, id, version, .. } = document;
            return match self.store.version(tenant, kind, id, version - 1).await? {
                Some(before) => access.patients(&before).await,
                None => Ok(Vec::new()),
            };
        }
        access.patients(&Stored::new(document.clone(), Place::Nowhere)).await
    }

    /// A page of events, newest first, of those that the caller may see.
    ///
    /// # Errors
    /// `Forbidden` if no scope is for AuditEvents; `Store`.
    pub async fn events(
        &self,
        tenant: &TenantId,
        grant: &Grant,
        action: Action,
        query: AuditQuery,
    ) -> Result<AuditPage, ReadError> {
        if !covers(grant, action, &ResourceType::AUDIT_EVENT) {
            return Err(ReadError::Forbidden);
        }
        let Some(log) = &self.audit else { return Ok(AuditPage::default()) };
        let mut query = AuditQuery { tenant: tenant.as_str().to_owned(), ..query };
        // Narrowed before it is carried out, so that neither a short page nor a link tells of events of others.
        let bounds = visible(grant, action, &ResourceType::AUDIT_EVENT).unwrap_or_default();
        query.filters.extend(bounds.iter().filter_map(patients).map(AuditFilter::Patient));
        let mut page = log.search(query).await?;
        if !grant.is_everything() {
            page.events.retain(|(number, event)| is_visible(grant, action, *number, event));
        }
        Ok(page)
    }

    /// Counters of the log.
    #[must_use]
    pub fn audit_statistics(&self) -> AuditStatistics {
        self.audit.as_ref().map(AuditLog::statistics).unwrap_or_default()
    }
}

/// The patients that a filter asks for; `None` if it asks for something else.
fn patients(filter: &Filter) -> Option<Vec<String>> {
    let id = |wanted: &ReferenceMatch| match wanted {
        ReferenceMatch::Local(_, id) => Some(id.to_string()),
        ReferenceMatch::Elsewhere(_) => None,
    };
    match filter {
        Filter::Reference(parameter, matches) if *parameter == Custody::PATIENT => {
            Some(matches.iter().filter_map(id).collect())
        }
        Filter::Any(ways) => Some(ways.iter().map(patients).collect::<Option<Vec<_>>>()?.concat()),
        _ => None,
    }
}

/// An event belongs to the patient whom it concerns.
fn is_visible(grant: &Grant, action: Action, number: u64, event: &Event<'_>) -> bool {
    let Ok(id) = ResourceId::new(&number.to_string()) else { return false };
    let patients = ResourceId::new(&event.patient).into_iter().collect();
    let description = Description {
        content: None,
        labels: Labels::default(),
        custody: Custody { patients, ..Custody::default() },
        source: None,
    };
    let subject = Subject { kind: &ResourceType::AUDIT_EVENT, id: &id, description: &description };
    decide(grant, action, subject, &[]) == Decision::Allowed
}
