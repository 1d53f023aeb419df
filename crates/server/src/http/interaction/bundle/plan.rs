//! What the entries of a Bundle come to: identities, links, states, and what all that depends on.

use std::collections::{HashMap, HashSet};

use charta_fhir::{Node, Version, references};
use charta_model::{
    Document, Guard, Intent, Query, ResourceId, ResourceType, VersionMatch, Write, WriteOutcome,
};
use charta_store::{CommitError, Uploaded};
use http::{Method, StatusCode};

use super::{EntryAnswer, entry::Entry, links, links::Identities, shows_resources, single};
use crate::{
    clock,
    http::{
        call::Call,
        interaction::{Offered, create, patch, state},
        outcome::Refusal,
    },
    intake::Facts,
};

/// A plan that the store can carry out in one step.
pub struct Plan {
    pub(super) entries: Vec<Planned>,
    guards: Vec<Guard>,
    /// How many entries were asked for; what comes after them follows from them.
    asked: usize,
}

/// An entry and its identity.
pub(super) struct Planned {
    pub(super) entry: Entry,
    pub(super) role: Role,
}

pub(super) enum Role {
    /// Asks and changes nothing.
    Read,
    /// What it would create is there already.
    Existing(ResourceType, ResourceId),
    /// Changes this resource.
    Write(ResourceType, Intent, ResourceId),
}

impl Plan {
    /// Plans the entries. `linked` says whether they may refer to each other and to what a condition finds.
    ///
    /// # Errors
    /// The entry that cannot be carried out.
    pub async fn of(call: &Call<'_>, entries: Vec<Entry>, linked: bool) -> Result<Self, Refusal> {
        let asked = entries.len();
        let mut plan = Self { entries: Vec::with_capacity(asked), guards: Vec::new(), asked };
        for entry in entries {
            let index = entry.index;
            let role = plan.role(call, &entry).await.map_err(|refusal| refusal.of_entry(index))?;
            plan.entries.push(Planned { entry, role });
        }
        plan.each_once()?;
        if linked {
            let mut identities = plan.identities();
            plan.link(call, &mut identities).await?;
        }
        Ok(plan)
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn writes_anything(&self) -> bool {
        self.entries.iter().any(|planned| matches!(planned.role, Role::Write(..)))
    }

    async fn role(&mut self, call: &Call<'_>, entry: &Entry) -> Result<Role, Refusal> {
        if matches!(entry.method, Method::GET | Method::HEAD) {
            return Ok(Role::Read);
        }
        let kind = entry.kind()?.clone();
        let offered = Offered::at(call, Some(&kind));
        if !offered.is_served {
            return Err(Refusal::TypeUnknown);
        }
        use crate::http::target::Target;
        let refused = || Refusal::MethodNotAllowed { allow: offered.allow(&entry.target) };
        let write = |intent, id| Ok(Role::Write(kind.clone(), intent, id));
        if matches!(entry.method, Method::POST | Method::PUT) {
            self.check_type(entry, &kind)?;
        }
        match (&entry.target, entry.method.as_str()) {
            (Target::Type(_), "POST") if offered.create => {
                let fresh = clock::fresh_id();
                let Some(text) = &entry.if_none_exist else {
                    return write(Intent::Create { id: fresh.clone() }, fresh);
                };
                let criteria = create::if_none_exist(call, &kind, text)?;
                match self.condition(call, criteria).await? {
                    Some(found) => Ok(Role::Existing(kind, found)),
                    None => write(Intent::Create { id: fresh.clone() }, fresh),
                }
            }
            (Target::Instance(_, id), "PUT") if offered.update => {
                if claimed(entry).as_ref() != Some(id) {
                    return Err(Refusal::IdMismatch);
                }
                write(Intent::Update { id: id.clone() }, id.clone())
            }
            (Target::Type(_), "PUT") if offered.conditional => {
                let criteria = state::criteria(call, &kind, &entry.parameters)?;
                let claimed = claimed(entry).filter(|_| call.version().is_r4_or_later());
                let found = self.condition(call, criteria).await?;
                match (found, claimed) {
                    (Some(found), Some(claimed)) if found != claimed => {
                        Err(Refusal::Commit(CommitError::ClaimedIdDiffers))
                    }
                    (Some(found), _) => write(Intent::Update { id: found.clone() }, found),
                    (None, Some(claimed)) => {
                        if call.version() == Version::R5 && call.lookup().read(&kind, &claimed).await.is_ok()
                        {
                            return Err(Refusal::Commit(CommitError::ClaimedIdExists));
                        }
                        write(Intent::Update { id: claimed.clone() }, claimed)
                    }
                    (None, None) => {
                        let fresh = clock::fresh_id();
                        write(Intent::Create { id: fresh.clone() }, fresh)
                    }
                }
            }
            (Target::Instance(_, id), "DELETE") if offered.delete => {
                write(Intent::Delete { id: id.clone() }, id.clone())
            }
            (Target::Type(_), "DELETE") if offered.conditional => {
                let criteria = state::criteria(call, &kind, &entry.parameters)?;
                match self.condition(call, criteria).await? {
                    Some(found) => write(Intent::Delete { id: found.clone() }, found),
                    // Nothing is there to be deleted, nor under a fresh id.
                    None => {
                        let fresh = clock::fresh_id();
                        write(Intent::Delete { id: fresh.clone() }, fresh)
                    }
                }
            }
            (Target::Instance(_, id), "PATCH") if offered.patch && call.version().is_r4_or_later() => {
                write(Intent::Update { id: id.clone() }, id.clone())
            }
            _ => Err(refused()),
        }
    }

    fn check_type(&self, entry: &Entry, kind: &ResourceType) -> Result<(), Refusal> {
        let found = entry
            .resource
            .as_ref()
            .ok_or(Refusal::Bundle("An entry that stores something needs a resource."))?;
        match found.text_at("resourceType") == Some(kind.as_str()) {
            true => Ok(()),
            false => Err(Refusal::TypeMismatch),
        }
    }

    /// The one match of a search, which must be the same when the plan is carried out.
    async fn condition(&mut self, call: &Call<'_>, criteria: Query) -> Result<Option<ResourceId>, Refusal> {
        let page = call.lookup().search(&criteria).await?;
        let found = match &page.matches[..] {
            [] => None,
            [one] => Some(one.document.id.clone()),
            _ => return Err(Refusal::Commit(CommitError::MultipleMatches)),
        };
        self.guards.push(Guard { criteria, found: found.clone() });
        Ok(found)
    }

    /// Clause: FHIR R4 http.html#trules
    fn each_once(&self) -> Result<(), Refusal> {
        let mut known = HashSet::new();
        for planned in &self.entries {
            if let Role::Write(kind, _, id) = &planned.role
                && !known.insert((kind.clone(), id.clone()))
            {
                let refusal = Refusal::Bundle("A resource appears twice in the Bundle.");
                return Err(refusal.of_entry(planned.entry.index));
            }
        }
        Ok(())
    }

    fn identities(&self) -> Identities {
        let identity = |planned: &Planned| {
            let (Role::Existing(kind, id) | Role::Write(kind, _, id)) = &planned.role else { return None };
            Some((links::key(planned.entry.full_url.as_deref()?), format!("{kind}/{id}")))
        };
        self.entries.iter().filter_map(identity).collect()
    }

    /// Puts what entries are going to be called in the place of what they call each other, and what a
    /// condition finds in the place of the condition.
    async fn link(&mut self, call: &Call<'_>, identities: &mut Identities) -> Result<(), Refusal> {
        let mut conditions: Vec<(usize, String)> = Vec::new();
        for planned in &self.entries {
            if let (Role::Write(..), Some(resource)) = (&planned.role, &planned.entry.resource) {
                let found = references::references(resource);
                let conditional = found.into_iter().filter(|(_, link)| links::is_condition(link));
                conditions.extend(conditional.map(|(_, link)| (planned.entry.index, link)));
            }
        }
        for (index, link) in conditions {
            if identities.contains_key(&link) {
                continue;
            }
            let found = self.referred(call, &link).await.map_err(|refusal| refusal.of_entry(index))?;
            identities.insert(link, found);
        }
        for planned in &mut self.entries {
            if let Some(resource) = &mut planned.entry.resource {
                links::put_right(resource, call.version(), identities);
            }
        }
        Ok(())
    }

    /// Clause: FHIR R4 http.html#cond-refs
    async fn referred(&mut self, call: &Call<'_>, link: &str) -> Result<String, Refusal> {
        let (kind, criteria) = link.split_once('?').unwrap_or((link, ""));
        let kind =
            ResourceType::new(kind).map_err(|_| Refusal::Bundle("A conditional reference names no type."))?;
        let parameters: Vec<_> = form_urlencoded::parse(criteria.as_bytes()).into_owned().collect();
        let criteria = state::criteria(call, &kind, &parameters)?;
        match self.condition(call, criteria).await? {
            Some(id) => Ok(format!("{kind}/{id}")),
            None => Err(Refusal::Dangling),
        }
    }

    /// Stores all of it, then answers what only asks.
    ///
    /// # Errors
    /// The entry that fails; nothing is stored then.
    pub async fn carry_out(mut self, call: &Call<'_>) -> Result<Vec<EntryAnswer>, Refusal> {
        let mut answers: Vec<EntryAnswer> = Vec::with_capacity(self.entries.len());
        answers.resize_with(self.entries.len(), EntryAnswer::default);
        let (writes, places) = self.writes(call).await?;
        let guards = std::mem::take(&mut self.guards);
        if !writes.is_empty() {
            let service = &call.app.service;
            let outcome = service.transact(call.tenant, &call.grant, writes, guards, call.now).await;
            let outcomes = outcome.map_err(|(at, error)| {
                let entry = at.and_then(|at| places.get(at).copied().flatten());
                match entry.and_then(|place| self.entries.get(place)) {
                    Some(planned) => overtaken(&planned.entry, error.into()).of_entry(planned.entry.index),
                    None => error.into(),
                }
            })?;
            for (outcome, place) in outcomes.into_iter().zip(&places) {
                if let Some(answer) = place.and_then(|place| answers.get_mut(place)) {
                    *answer = written(call, &outcome);
                }
            }
        }
        for (planned, answer) in self.entries.into_iter().zip(&mut answers) {
            let index = planned.entry.index;
            match planned.role {
                Role::Read => {
                    *answer = single::read(call, &planned.entry).await.map_err(|r| r.of_entry(index))?
                }
                Role::Existing(kind, id) => {
                    let stored = call.lookup().read(&kind, &id).await?;
                    *answer = written(call, &WriteOutcome::Existing(stored.document.clone()));
                }
                Role::Write(..) => {}
            }
        }
        answers.truncate(self.asked);
        Ok(answers)
    }

    /// The writes in the order in which they are carried out, and the entry that each one is of.
    async fn writes(
        &self,
        call: &Call<'_>,
    ) -> Result<(Vec<(Write, Option<Uploaded>)>, Vec<Option<usize>>), Refusal> {
        let mut writes = Vec::new();
        let mut places = Vec::new();
        let mut binaries: HashMap<ResourceId, Facts> = HashMap::new();
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|place| self.entries.get(*place).map(|planned| rank(&planned.entry)));
        for place in order {
            let Some(Planned { entry, role: Role::Write(kind, intent, id) }) = self.entries.get(place) else {
                continue;
            };
            let mut write = Write {
                kind: kind.clone(),
                intent: intent.clone(),
                if_match: entry.if_match.clone(),
                if_none_match: entry.if_none_match.clone(),
                state: None,
            };
            let mut content = None;
            if entry.method != Method::DELETE {
                let resource =
                    self.resource(call, entry, &mut write).await.map_err(|r| r.of_entry(entry.index))?;
                let prepared = state::prepared_with(call, resource, id, &binaries).await;
                let mut prepared = prepared.map_err(|refusal| refusal.of_entry(entry.index))?;
                if let Some(facts) = prepared.facts.take() {
                    binaries.insert(id.clone(), facts);
                }
                for (write, content) in std::mem::take(&mut prepared.binaries) {
                    writes.push((write, Some(content)));
                    places.push(None);
                }
                write.state = Some(prepared.state);
                content = prepared.content;
            }
            writes.push((write, content));
            places.push(Some(place));
        }
        Ok((writes, places))
    }

    /// What an entry stores: its resource, or the present one patched.
    async fn resource(&self, call: &Call<'_>, entry: &Entry, write: &mut Write) -> Result<Node, Refusal> {
        let resource = entry
            .resource
            .clone()
            .ok_or(Refusal::Bundle("An entry that stores something needs a resource."))?;
        if entry.method != Method::PATCH {
            return Ok(resource);
        }
        let Intent::Update { id } = &write.intent else {
            return Err(Refusal::Internal("a patch of nothing"));
        };
        let stored = call.lookup().read(&write.kind, id).await?;
        write.if_match.get_or_insert(VersionMatch::OneOf(vec![stored.document.version]));
        patch::patched(call, &stored, &patch::Patch::FhirPath(resource))
    }
}

/// Deletes, creates, updates; a Binary before what names it, when it comes, and after, when it goes.
///
/// Clause: FHIR R4 http.html#trules
fn rank(entry: &Entry) -> (u8, bool) {
    let is_binary = entry.target.kind().is_some_and(ResourceType::is_binary);
    match entry.method.as_str() {
        "DELETE" => (0, is_binary),
        "POST" => (1, !is_binary),
        _ => (2, !is_binary),
    }
}

/// A patch holds for the version that it was applied to. If another one came between, and the client named none,
/// it can be applied to that.
fn overtaken(entry: &Entry, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Commit(CommitError::PreconditionFailed)
            if entry.method == Method::PATCH && entry.if_match.is_none() =>
        {
            Refusal::Commit(CommitError::Changed)
        }
        refusal => refusal,
    }
}

fn claimed(entry: &Entry) -> Option<ResourceId> {
    ResourceId::new(entry.resource.as_ref()?.text_at("id")?).ok()
}

fn written(call: &Call<'_>, outcome: &WriteOutcome) -> EntryAnswer {
    let (status, document) = match outcome {
        WriteOutcome::Created(document) => (StatusCode::CREATED, document),
        WriteOutcome::Updated(document)
        | WriteOutcome::Unchanged(document)
        | WriteOutcome::Existing(document) => (StatusCode::OK, document),
        WriteOutcome::Deleted(document) => {
            let (version, done) = (Some(document.version), Some(outcome.clone()));
            return EntryAnswer { status: StatusCode::NO_CONTENT, version, done, ..EntryAnswer::default() };
        }
        WriteOutcome::NothingToDelete => {
            return EntryAnswer { status: StatusCode::NO_CONTENT, ..EntryAnswer::default() };
        }
    };
    let Document { kind, id, version, updated, .. } = document;
    let shown = shows_resources(call) && document.content().is_none();
    EntryAnswer {
        status,
        location: Some(format!("{kind}/{id}/_history/{version}")),
        version: Some(*version),
        updated: Some(format!("{updated:.3}")),
        resource: shown.then(|| single::shown(call, document)).flatten(),
        done: Some(outcome.clone()),
        ..EntryAnswer::default()
    }
}
