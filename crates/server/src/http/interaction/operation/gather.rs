//! From the store to the facts about a patient: the record type by type and page by page, then what it names, such as
//! people and places. Every part is asked for with the caller's grant.

use std::{collections::BTreeSet, sync::Arc};

use base64_simd::STANDARD as BASE64;
use charta_fhir::{
    Node, Version, attachments,
    facts::{self, FactsBuilder},
    index, represent,
};
use charta_model::{ResourceId, ResourceType, facts::Facts};
use charta_service::{Part, ReadError};
use charta_store::Stored;
use futures_util::{StreamExt as _, stream};

use super::on_demand::TYPE;
use crate::http::{call::Call, outcome::Refusal};

/// Parts of a record that are read at once: as much of it is in memory beside the facts.
const PAGE: usize = 400;
/// Most pages of one type in a record, those that are read again among them.
const PAGES_MAX: usize = 250;
/// Most bytes of one document that stands inside a CCD; a larger one is named.
const CONTENT_BYTES_MAX: u64 = 1024 * 1024;
/// Most bytes of all of them together.
const CONTENTS_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// So many contents are read at the same time.
const READS_AT_ONCE: usize = 8;
/// How often what is named names more: a role names a person, a place its organization.
const ROUNDS_MAX: usize = 3;
/// Most roles of the people in a record.
const ROLES_MAX: usize = 1000;

/// What is known of a patient, as far as a document may tell the caller of it.
///
/// # Errors
/// The store's; 400 for a record that is too large.
pub async fn facts(call: &Call<'_>, patient: &Arc<Stored>) -> Result<Facts, Refusal> {
    let id = &patient.document.id;
    let mut gathered = Gathered::new(call.base());
    gathered.add(patient);
    for kind in facts::ABOUT_PATIENT.iter().filter_map(|name| ResourceType::new(name).ok()) {
        gathered = about(call, id, &kind, gathered).await?;
    }
    gathered = named(call, id, gathered).await?;
    contents(call, &mut gathered).await?;
    Ok(gathered.builder.finish())
}

/// Adds what there is of one type, page by page. A page begins with the last part of the one before: if that is another
/// part, something before it came or went, and parts could be missed; then it is all read again.
async fn about(
    call: &Call<'_>,
    patient: &ResourceId,
    kind: &ResourceType,
    mut gathered: Gathered,
) -> Result<Gathered, Refusal> {
    let (mut offset, mut last) = (0, None);
    for _ in 0..PAGES_MAX {
        let page = call.lookup().record(patient, kind, offset, PAGE).await?;
        let id = |part: Option<&Part>| part.map(|part| part.stored.document.id.clone());
        if last.is_some() && id(page.parts.first()) != last {
            (offset, last) = (0, None);
            continue;
        }
        last = id(page.parts.last());
        offset += page.parts.len().saturating_sub(1) as u64;
        if !page.parts.is_empty() {
            gathered = gathered.on_thread(move |gathered| gathered.add_all(page.parts)).await?;
        }
        if !page.more {
            return Ok(gathered);
        }
    }
    Err(Refusal::RecordTooLarge)
}

/// Adds what the record names, and what that names.
async fn named(call: &Call<'_>, patient: &ResourceId, mut gathered: Gathered) -> Result<Gathered, Refusal> {
    for round in 0..ROUNDS_MAX {
        let mut found = Vec::new();
        let next = std::mem::take(&mut gathered.named);
        for name in facts::NAMED {
            let Ok(kind) = ResourceType::new(name) else { continue };
            let ids: Vec<_> = next.iter().filter(|(of, _)| *of == name).map(|(_, id)| id.clone()).collect();
            if !ids.is_empty() {
                found.extend(call.lookup().named_in_record(patient, &kind, &ids).await?);
            }
        }
        if round == 0 {
            found.extend(roles(call, patient, &next).await?);
        }
        if found.is_empty() {
            break;
        }
        gathered =
            gathered.on_thread(move |gathered| found.iter().for_each(|stored| gathered.add(stored))).await?;
    }
    Ok(gathered)
}

/// The roles of people, which name them and are not named.
async fn roles(
    call: &Call<'_>,
    patient: &ResourceId,
    named: &BTreeSet<(&'static str, ResourceId)>,
) -> Result<Vec<Arc<Stored>>, Refusal> {
    let (Ok(person), Ok(role)) = (ResourceType::new("Practitioner"), ResourceType::new("PractitionerRole"))
    else {
        return Ok(Vec::new());
    };
    let people: Vec<_> = named
        .iter()
        .filter(|(kind, _)| *kind == person.as_str())
        .map(|(_, id)| (person.clone(), id.clone()))
        .collect();
    Ok(call.lookup().referring_in_record(patient, &people, role, "practitioner", ROLES_MAX).await?)
}

/// Adds the bytes of the documents that notes name. What the caller may not read of them is said to be withheld.
async fn contents(call: &Call<'_>, gathered: &mut Gathered) -> Result<(), Refusal> {
    let wanted = std::mem::take(&mut gathered.contents);
    let mut found = stream::iter(wanted)
        .map(async |Wanted { id, version, of }| (content(call, &id, version).await, id, of))
        .buffered(READS_AT_ONCE);
    let mut room = CONTENTS_BYTES_MAX;
    while let Some((content, id, of)) = found.next().await {
        match content {
            Ok(Some((media_type, bytes))) if bytes.len() as u64 <= room => {
                room -= bytes.len() as u64;
                gathered.builder.add_content(id.as_str(), &media_type, BASE64.encode_to_string(&bytes));
            }
            Ok(_) => {}
            Err(ReadError::Store(error)) => return Err(error.into()),
            // At an open endpoint it is simply not there.
            Err(_) if call.grant.is_everything() => {}
            Err(_) => gathered.builder.withhold(&of),
        }
    }
    Ok(())
}

/// The type and the bytes of a Binary; none if it is too large to stand inside another document.
async fn content(
    call: &Call<'_>,
    id: &ResourceId,
    version: Option<u64>,
) -> Result<Option<(String, bytes::Bytes)>, ReadError> {
    let lookup = call.lookup();
    let stored = match version {
        None => lookup.read(&ResourceType::BINARY, id).await?,
        Some(version) => lookup.vread(&ResourceType::BINARY, id, version).await?,
    };
    let Some(facts) = stored.document.content().filter(|facts| facts.size_bytes <= CONTENT_BYTES_MAX) else {
        return Ok(None);
    };
    let bytes = lookup.content(&stored).await?.read(0..facts.size_bytes).await?;
    Ok(Some((facts.content_type.as_str().to_owned(), bytes)))
}

/// A Binary that a note names.
struct Wanted {
    id: ResourceId,
    version: Option<u64>,
    /// What says so, without what it says: enough to tell which part of a document it belongs to.
    of: Node,
}

/// What was gathered so far.
struct Gathered {
    base: String,
    builder: FactsBuilder,
    known: BTreeSet<(&'static str, ResourceId)>,
    /// What was named since it was last looked up.
    named: BTreeSet<(&'static str, ResourceId)>,
    contents: Vec<Wanted>,
}

impl Gathered {
    fn new(base: &str) -> Self {
        let base = base.to_owned();
        let (builder, known, named, contents) = Default::default();
        Self { base, builder, known, named, contents }
    }

    /// Reading resources takes time that other requests should not wait for.
    async fn on_thread(mut self, work: impl FnOnce(&mut Self) + Send + 'static) -> Result<Self, Refusal> {
        let done = tokio::task::spawn_blocking(move || {
            work(&mut self);
            self
        });
        done.await.map_err(|_| Refusal::Internal("a record could not be read"))
    }

    fn add_all(&mut self, parts: Vec<Part>) {
        for part in parts {
            match part.is_told {
                true => self.add(&part.stored),
                false => self.withhold(&part.stored),
            }
        }
    }

    fn add(&mut self, stored: &Stored) {
        let Some((resource, version)) = represent::told(&stored.document, &self.base) else { return };
        if is_summary(&resource) {
            return;
        }
        self.note_names(&resource);
        self.note_contents(&resource, version);
        self.builder.add(&resource);
    }

    fn withhold(&mut self, stored: &Stored) {
        if let Some((resource, _)) = represent::told(&stored.document, &self.base) {
            self.builder.withhold(&resource);
        }
    }

    fn note_names(&mut self, node: &Node) {
        match node {
            Node::Object(members) => members.iter().for_each(|(name, value)| match value {
                Node::String(reference) if name == "reference" => self.note_name(reference),
                value => self.note_names(value),
            }),
            Node::Array(items) => items.iter().for_each(|item| self.note_names(item)),
            _ => {}
        }
    }

    fn note_name(&mut self, reference: &str) {
        let current = reference.split("/_history/").next().unwrap_or_default();
        let mut parts = current.rsplit('/');
        let (Some(id), Some(kind)) = (parts.next(), parts.next()) else { return };
        let Some(kind) = facts::NAMED.into_iter().find(|known| *known == kind) else { return };
        if let Ok(id) = ResourceId::new(id)
            && self.known.insert((kind, id.clone()))
        {
            self.named.insert((kind, id));
        }
    }

    fn note_contents(&mut self, resource: &Node, version: Version) {
        let kind = resource.text_at("resourceType").unwrap_or_default();
        if !matches!(kind, "DocumentReference" | "DiagnosticReport" | "Media") {
            return;
        }
        for attachment in attachments::attachments(resource, version) {
            let local = attachment.url.and_then(|url| url.strip_prefix(&self.base)?.strip_prefix('/'));
            let Some((id, version)) = local.and_then(index::binary_named) else { continue };
            let of = Node::object([("resourceType", Some(Node::text(kind.to_owned())))]);
            self.contents.push(Wanted { id, version, of });
        }
    }
}

/// Whether this is a summary of the record, such as an earlier CCD: a summary does not stand inside another.
fn is_summary(resource: &Node) -> bool {
    let is_type =
        |coding: &Node| coding.text_at("system") == Some(TYPE.0) && coding.text_at("code") == Some(TYPE.1);
    resource.text_at("resourceType") == Some("DocumentReference")
        && resource.member("type").is_some_and(|kind| kind.items_at("coding").iter().any(is_type))
}
