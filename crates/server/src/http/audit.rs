//! What is noted of a request for the audit log while it is answered, and recorded before the answer leaves. No token,
//! no body; the query string is what the log is asked for.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use charta_auth::Claims;
use charta_model::{
    Document, ResourceId, ResourceType,
    audit::{Caller, Entity, Event, Interaction},
};
use charta_service::{Patients, ReadError, Shown};
use http::{Method, StatusCode, Uri};

use super::{call::Call, client::Client, outcome::Refusal, target::Target};
use crate::clock;

/// What is noted of one request.
pub struct Notes<'a> {
    /// Whether it is recorded at all.
    pub active: bool,
    /// The request's URL.
    pub uri: &'a Uri,
    /// Where it came from.
    pub address: Cow<'a, str>,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    /// The form of a search by POST.
    form: String,
    now: Part,
    /// Entries of a Bundle, which are events of their own.
    entries: Vec<(Interaction, StatusCode, Part)>,
}

#[derive(Default)]
struct Part {
    /// The one document of a read, which is not taken apart until it is recorded.
    read: Option<Shown>,
    patients: Vec<ResourceId>,
    documents: Vec<(ResourceType, ResourceId, u64)>,
}

impl Part {
    /// The patients whom it concerns, each once.
    fn concerned(&self) -> Patients<'_> {
        let mut each = self.read.as_ref().map(Shown::patients).unwrap_or_default();
        for patient in &self.patients {
            if !each.contains(&patient) {
                each.push(patient);
            }
        }
        each
    }
}

impl<'a> Notes<'a> {
    /// Nothing yet.
    pub fn new(active: bool, uri: &'a Uri, address: Cow<'a, str>) -> Self {
        Self { active, uri, address, noted: Mutex::default() }
    }

    /// The form of a search.
    pub fn form(&self, form: &[u8]) {
        if self.active {
            self.noted().form = String::from_utf8_lossy(form).into_owned();
        }
    }

    /// This version was read.
    pub fn read(&self, shown: Shown) {
        if self.active {
            self.noted().now.read = Some(shown);
        }
    }

    /// The request concerns these patients.
    pub fn patients(&self, patients: Vec<ResourceId>) {
        let mut noted = self.noted();
        if noted.now.patients.is_empty() {
            noted.now.patients = patients;
            return;
        }
        for patient in patients {
            if !noted.now.patients.contains(&patient) {
                noted.now.patients.push(patient);
            }
        }
    }

    /// This version was shown or written.
    pub fn document(&self, document: &Document) {
        let Document { kind, id, version, .. } = document;
        self.noted().now.documents.push((kind.clone(), id.clone(), *version));
    }

    /// What was noted since the last entry of a Bundle is of this one.
    pub fn entry(&self, method: &Method, target: &Target, status: StatusCode) {
        if self.active {
            let mut noted = self.noted();
            let mut part = std::mem::take(&mut noted.now);
            name_target(target, &mut part);
            noted.entries.push((interaction(method, target), status, part));
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that a version is shown.
///
/// # Errors
/// If it cannot be said whom it concerns.
pub async fn shown(call: &Call<'_>, stored: &charta_store::Stored) -> Result<(), ReadError> {
    if call.notes.active {
        call.notes.patients(call.lookup().patients(stored).await?);
        call.notes.document(&stored.document);
    }
    Ok(())
}

/// Notes whom the results of a query concern; not what they are.
///
/// # Errors
/// If it cannot be said.
pub async fn found(call: &Call<'_>, results: &[&Arc<charta_store::Stored>]) -> Result<(), ReadError> {
    if call.notes.active {
        for stored in results {
            call.notes.patients(call.lookup().patients(stored).await?);
        }
    }
    Ok(())
}

/// Notes that a version was written. What is written already is not refused because nobody knows whose it is.
pub async fn written(call: &Call<'_>, document: &Document) {
    if call.notes.active {
        match call.app.service.patients(call.tenant, document).await {
            Ok(patients) => call.notes.patients(patients),
            Err(error) => tracing::error!(cause = %error, "a write is recorded without its patient"),
        }
        call.notes.document(document);
    }
}

/// Whether the request can be recorded: asked before anything is done.
///
/// # Errors
/// 503 while the log cannot be written.
pub fn ready(call: &Call<'_>) -> Result<(), Refusal> {
    if call.notes.active { call.app.service.can_record().map_err(Refusal::Store) } else { Ok(()) }
}

/// Records the request and the entries in it, before its answer leaves.
///
/// # Errors
/// 503 if it is not kept.
pub async fn record(call: &Call<'_>, status: StatusCode) -> Result<(), Refusal> {
    if !call.notes.active {
        return Ok(());
    }
    let mut noted = std::mem::take(&mut *call.notes.noted());
    let asked = interaction(&call.method, call.target);
    name_target(call.target, &mut noted.now);
    let asks = asked.is_query() || asked == Interaction::Operation;
    if asks {
        noted.now.patients.extend(named_patients(call.parameters));
        noted.now.patients.sort();
        noted.now.patients.dedup();
    }
    if asked.is_query() {
        (noted.now.read, noted.now.documents) = (None, Vec::new());
    }
    let query = if asks { query_text(call, &noted.form) } else { String::new() };
    let caller = caller(call);
    for (asked, status, part) in &noted.entries {
        let mut event = event(call, *asked, *status, Arc::clone(&caller), part, "");
        call.app.service.record(&mut event, &part.concerned()).await.map_err(Refusal::Store)?;
    }
    let mut event = event(call, asked, status, caller, &noted.now, &query);
    call.app.service.record(&mut event, &noted.now.concerned()).await.map_err(Refusal::Store)
}

/// Records that a client had all it may have: the first time in a while, as a flood must not fill the disk. That it is
/// turned away does not depend on the record.
pub async fn throttled(call: &Call<'_>, client: Client) {
    let tells_nothing = matches!(call.target, Target::Metadata | Target::SmartConfiguration);
    if call.notes.active && !tells_nothing && call.app.clients.records_refusal(client, Instant::now()) {
        let _ = record(call, StatusCode::TOO_MANY_REQUESTS).await; // the store logs why not
    }
}

fn event<'e>(
    call: &'e Call<'_>,
    interaction: Interaction,
    status: StatusCode,
    caller: Arc<Caller>,
    part: &'e Part,
    query: &'e str,
) -> Event<'e> {
    fn entity<'e>(kind: &'e ResourceType, id: &'e ResourceId, version: u64) -> Entity<'e> {
        Entity { kind: kind.as_str().into(), id: id.as_str().into(), version }
    }
    let read = part.read.iter().map(|shown| &shown.stored.document);
    let read = read.map(|document| entity(&document.kind, &document.id, document.version));
    let others = part.documents.iter().map(|(kind, id, version)| entity(kind, id, *version));
    Event {
        recorded: clock::now(),
        tenant: call.tenant.as_str().into(),
        interaction,
        status: status.as_u16(),
        endpoint: call.endpoint.path.as_str().into(),
        request_id: call.request_id.into(),
        caller,
        patient: "".into(),
        entities: read.chain(others).collect(),
        query: query.into(),
    }
}

fn caller(call: &Call<'_>) -> Arc<Caller> {
    let address = &*call.notes.address;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let with = |claims: &Claims| Caller {
        client: text(&claims.client),
        issuer: claims.issuer.clone(),
        subject: text(&claims.subject),
        user: text(&claims.user),
        token_id: text(&claims.token_id),
        address: address.to_owned(),
    };
    match &call.token {
        Some(token) => token.caller(address, with),
        None => Arc::new(Caller { address: address.to_owned(), ..Caller::default() }),
    }
}

/// What a refused request was about, as far as its path tells.
fn name_target(target: &Target, part: &mut Part) {
    let named = match target {
        Target::Instance(kind, id) | Target::InstanceHistory(kind, id) => Some((kind, id, 0)),
        Target::Version(kind, id, version) => Some((kind, id, *version)),
        Target::Compartment(kind, id, _) | Target::CompartmentSearch(kind, id, _) => Some((kind, id, 0)),
        _ => None,
    };
    let Some((kind, id, version)) = named else { return };
    if *kind == ResourceType::PATIENT && !part.patients.contains(id) {
        part.patients.push(id.clone());
    }
    if part.read.is_none() && part.documents.is_empty() {
        part.documents.push((kind.clone(), id.clone(), version));
    }
}

/// Patients that the parameters of a query name.
fn named_patients(parameters: &[(String, String)]) -> impl Iterator<Item = ResourceId> {
    let named = parameters.iter().filter_map(|(name, value)| match name.split(':').next() {
        Some("patient") => Some(value.rsplit('/').next().unwrap_or_default()),
        Some("subject") => value.split_once("Patient/").map(|(_, id)| id),
        _ => None,
    });
    named.flat_map(|ids| ids.split(',')).filter_map(|id| ResourceId::new(id).ok())
}

/// Method, URL and form of a query; a token that a client put there is left out.
fn query_text(call: &Call<'_>, form: &str) -> String {
    let plain = |text: &str| {
        let parts = text.split('&').map(|part| match part.split_once('=') {
            Some((name, _)) if name.contains("token") => format!("{name}="),
            _ => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("&")
    };
    let mut text = format!("{} {}", call.method, call.notes.uri.path());
    if let Some(query) = call.notes.uri.query() {
        text = format!("{text}?{}", plain(query));
    }
    if form.is_empty() { text } else { format!("{text}\n{}", plain(form)) }
}

/// What a method and a target ask for.
pub fn interaction(method: &Method, target: &Target) -> Interaction {
    let is_get = matches!(*method, Method::GET | Method::HEAD);
    match (target, method) {
        (Target::Operation(..), _) => Interaction::Operation,
        (Target::Instance(..), _) if is_get => Interaction::Read,
        (Target::Version(..), _) if is_get => Interaction::Vread,
        (Target::InstanceHistory(..), _) if is_get => Interaction::HistoryInstance,
        (Target::TypeHistory(_), _) if is_get => Interaction::HistoryType,
        (Target::SystemHistory, _) if is_get => Interaction::HistorySystem,
        (Target::Type(_) | Target::Compartment(..), _) if is_get => Interaction::SearchType,
        (Target::TypeSearch(_) | Target::CompartmentSearch(..), _) => Interaction::SearchType,
        (Target::System, _) if is_get => Interaction::SearchSystem,
        (Target::SystemSearch, _) => Interaction::SearchSystem,
        (Target::System, &Method::POST) => Interaction::Batch,
        (Target::Type(_), &Method::POST) => Interaction::Create,
        (Target::Instance(..) | Target::Type(_), &Method::PUT) => Interaction::Update,
        (Target::Instance(..) | Target::Type(_), &Method::PATCH) => Interaction::Patch,
        (Target::Instance(..) | Target::Type(_), &Method::DELETE) => Interaction::Delete,
        _ => Interaction::Unknown,
    }
}
