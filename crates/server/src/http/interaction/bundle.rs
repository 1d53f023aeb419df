//! batch and transaction: `POST [base]`
//!
//! A transaction is planned first: every entry gets its identity, links between entries are put right, resources
//! are checked and their content is stored. Then the store carries out all of it or nothing, provided that what
//! the plan was made of still holds; if not, it is planned anew.
//!
//! Clause: FHIR R4 http.html#transaction

mod entry;
mod links;
mod plan;
mod single;
mod supersede;

use std::time::Instant;

use charta_fhir::{Node, Version, resource};
use charta_model::{Document, WriteOutcome};
use charta_store::{CommitError, Content};
use http::StatusCode;

use super::{Offered, prefer, resource_body};
use crate::http::request_body::RequestBody;
use crate::http::{
    answer::Answer, audit, call::Call, evenly::evenly, mhd, outcome, outcome::Refusal, respond,
};

pub use entry::Entry;
pub use plan::Plan;

/// Entries that a Bundle may have.
const ENTRIES_MAX: usize = 50_000;
/// How often a transaction is planned when others change what it depends on.
pub const ATTEMPTS: usize = 5;

/// Carries out the entries of the Bundle in the body.
///
/// # Errors
/// Those of the body; of a transaction, the first entry that fails, and nothing is stored.
pub async fn bundle(call: &Call<'_>, body: RequestBody) -> Result<Answer, Refusal> {
    let fhir_type = call.wanted.resource()?;
    let bundle = resource_body::read_unchecked(call, body).await?;
    if resource::type_of(&bundle) != Some("Bundle") {
        return Err(Refusal::Bundle("Only a Bundle can be posted here."));
    }
    let is_transaction = match bundle.text_at("type") {
        Some("transaction") => true,
        Some("batch") => false,
        _ => return Err(Refusal::Bundle("Only a Bundle of type batch or transaction can be carried out.")),
    };
    if bundle.items_at("entry").len() > ENTRIES_MAX {
        return Err(Refusal::Bundle("The Bundle has more than 50,000 entries."));
    }
    if is_transaction {
        let problems = resource::check(&bundle, call.version());
        if !problems.is_empty() {
            return Err(Refusal::Resource(problems));
        }
    }
    let provides_documents = mhd::check(&bundle, call.version())?;
    let mut answers = match is_transaction {
        true => transaction(call, &bundle, provides_documents).await?,
        false => batch(call, &bundle).await,
    };
    let mut contents: Vec<Content> = Vec::new();
    let mut entries = Vec::new();
    for answer in &mut answers {
        entries.push(answer.node(call, contents.len()));
        contents.append(&mut answer.contents);
    }
    let kind = if is_transaction { "transaction-response" } else { "batch-response" };
    let node = Node::object([
        ("resourceType", Some(Node::text("Bundle"))),
        ("id", Some(Node::text(crate::clock::fresh_uuid()))),
        ("type", Some(Node::text(kind))),
        ("entry", Node::array(entries)),
    ]);
    Ok(respond::fhir_with(call, StatusCode::OK, &fhir_type, node, &contents))
}

/// What became of one entry.
#[derive(Default)]
pub struct EntryAnswer {
    status: StatusCode,
    location: Option<String>,
    version: Option<u64>,
    updated: Option<String>,
    resource: Option<Node>,
    outcome: Option<Node>,
    contents: Vec<Content>,
    /// What was written, if anything was.
    pub done: Option<WriteOutcome>,
}

impl EntryAnswer {
    fn failed(call: &Call<'_>, refusal: &Refusal) -> Self {
        let (status, outcome) = outcome::of_entry(call, refusal);
        Self { status, outcome: Some(outcome), ..Self::default() }
    }

    /// The entry of the response; its contents come after `before` others.
    fn node(&mut self, call: &Call<'_>, before: usize) -> Node {
        let text = |text: Option<String>| text.map(Node::text);
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut resource = self.resource.take();
        if let Some(resource) = &mut resource {
            move_slots(resource, before);
        }
        // DSTU2 has no other place for an outcome.
        let outcome = self.outcome.take();
        let (resource, outcome) = match call.version() {
            Version::Dstu2 => (resource.or(outcome), None),
            _ => (resource, outcome),
        };
        let response = Node::object([
            ("status", text(Some(format!("{} {reason}", self.status.as_u16())))),
            ("location", text(self.location.take())),
            ("etag", text(self.version.map(|version| format!("W/\"{version}\"")))),
            ("lastModified", text(self.updated.take())),
            ("outcome", outcome),
        ]);
        Node::object([("resource", resource), ("response", Some(response))])
    }
}

fn move_slots(node: &mut Node, by: usize) {
    match node {
        Node::Base64(slot) => *slot += by,
        Node::Object(members) => members.iter_mut().for_each(|(_, value)| move_slots(value, by)),
        Node::Array(items) => items.iter_mut().for_each(|item| move_slots(item, by)),
        _ => {}
    }
}

async fn transaction(
    call: &Call<'_>,
    bundle: &Node,
    provides_documents: bool,
) -> Result<Vec<EntryAnswer>, Refusal> {
    let mut attempt = 1;
    loop {
        let entries = Entry::all(call, bundle)?;
        let mut plan = Plan::of(call, entries, true).await?;
        if provides_documents {
            plan.provide(call).await?;
        }
        let answers = match plan.carry_out(call).await {
            Err(error) if is_changed(&error) && attempt < ATTEMPTS => {
                attempt += 1;
                continue;
            }
            result => result?,
        };
        if call.notes.active {
            for (entry, answer) in Entry::all(call, bundle)?.iter().zip(&answers) {
                record(call, entry, answer).await;
            }
        }
        return Ok(answers);
    }
}

/// Whether the plan was overtaken, and can be made anew.
pub fn is_changed(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Commit(CommitError::Changed) => true,
        Refusal::Entry { refusal, .. } => is_changed(refusal),
        _ => false,
    }
}

/// Notes what became of an entry, for the audit log.
async fn record(call: &Call<'_>, entry: &Entry, answer: &EntryAnswer) {
    if let Some(document) = answer.done.as_ref().and_then(written_document) {
        audit::written(call, document).await;
    }
    call.notes.entry(&entry.method, &entry.target, answer.status);
}

fn written_document(outcome: &WriteOutcome) -> Option<&Document> {
    match outcome {
        WriteOutcome::Created(document)
        | WriteOutcome::Updated(document)
        | WriteOutcome::Unchanged(document)
        | WriteOutcome::Existing(document)
        | WriteOutcome::Deleted(document) => Some(document),
        WriteOutcome::NothingToDelete => None,
    }
}

/// Each entry for itself.
async fn batch(call: &Call<'_>, bundle: &Node) -> Vec<EntryAnswer> {
    let mut answers = Vec::new();
    for index in 0..bundle.items_at("entry").len() {
        let begun = Instant::now();
        let answer = batch_entry(call, bundle, index).await;
        if matches!(answer, Err(Refusal::NotFound)) {
            evenly(&call.grant, begun).await;
        }
        let answer = answer.unwrap_or_else(|refusal| EntryAnswer::failed(call, &refusal));
        if let (true, Ok(entry)) = (call.notes.active, Entry::at(call, bundle, index)) {
            record(call, &entry, &answer).await;
        }
        answers.push(answer);
    }
    answers
}

async fn batch_entry(call: &Call<'_>, bundle: &Node, index: usize) -> Result<EntryAnswer, Refusal> {
    let mut attempt = 1;
    loop {
        let entry = Entry::at(call, bundle, index)?;
        if !Offered::at(call, entry.target.kind()).is_served {
            return Err(Refusal::TypeUnknown);
        }
        if let Some(resource) = &entry.resource {
            let problems = resource::check(resource, call.version());
            if !problems.is_empty() {
                return Err(Refusal::Resource(problems));
            }
        }
        let plan = Plan::of(call, vec![entry], false).await.map_err(alone)?;
        match plan.carry_out(call).await.map_err(alone) {
            Err(error) if is_changed(&error) && attempt < ATTEMPTS => attempt += 1,
            result => {
                return result?.pop().ok_or(Refusal::Internal("an entry without an answer"));
            }
        }
    }
}

/// The only entry of a plan needs no number.
fn alone(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Entry { refusal, .. } => *refusal,
        refusal => refusal,
    }
}

/// Whether the answer to a write is to show the resource.
fn shows_resources(call: &Call<'_>) -> bool {
    prefer::returned(call.headers) == Some(prefer::Return::Representation)
}
