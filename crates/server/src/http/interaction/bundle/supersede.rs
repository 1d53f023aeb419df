//! What follows from providing documents (IHE MHD): a document that is replaced is superseded, and the content of
//! every document is there.
//!
//! IHE MHD 4.2, volume 2, 3.65.4.1.3

use std::collections::HashSet;

use charta_fhir::{
    Node, attachments, index,
    parse::{ReadError, ReadErrorKind},
    represent::{self, Subset},
};
use charta_model::{Intent, ResourceId, ResourceType};
use charta_service::ReadError as LookupError;
use http::Method;

use super::{
    Entry,
    plan::{Plan, Planned, Role},
};
use crate::http::{call::Call, outcome::Refusal, target::Target};

const DOCUMENT: &str = "DocumentReference";

impl Plan {
    /// Adds what follows from the documents of the plan.
    ///
    /// # Errors
    /// The document that replaces one that is not there, or whose content is not.
    pub async fn provide(&mut self, call: &Call<'_>) -> Result<(), Refusal> {
        let mut written: HashSet<(ResourceType, ResourceId)> = HashSet::new();
        for planned in &self.entries {
            if let Role::Write(kind, _, id) | Role::Existing(kind, id) = &planned.role {
                written.insert((kind.clone(), id.clone()));
            }
        }
        let mut follows = Vec::new();
        for Planned { entry, role } in &self.entries {
            let (Role::Write(kind, ..), Some(resource)) = (role, &entry.resource) else { continue };
            if kind.as_str() != DOCUMENT || !matches!(entry.method, Method::POST | Method::PUT) {
                continue;
            }
            content_is_there(call, entry, resource, &written).await?;
            for id in replaced(call, resource) {
                let key = (kind.clone(), id);
                if written.contains(&key) {
                    continue; // the Bundle says itself what becomes of it
                }
                if is_current(call, entry, &key).await? {
                    follows.push(superseding(entry.index, &key));
                }
                written.insert(key);
            }
        }
        self.entries.extend(follows);
        Ok(())
    }
}

/// The documents of this server that a document replaces.
fn replaced(call: &Call<'_>, document: &Node) -> Vec<ResourceId> {
    let relations = document.items_at("relatesTo").iter();
    let replaces = relations.filter(|relation| relation.text_at("code") == Some("replaces"));
    let links = replaces.filter_map(|relation| relation.member("target")?.text_at("reference"));
    let local = |link: &str| {
        let path = match link.contains("://") {
            true => call.app.local_part(link, call.tenant)?.to_owned(),
            false => link.to_owned(),
        };
        let id = path.strip_prefix(DOCUMENT)?.strip_prefix('/')?;
        ResourceId::new(id.split('/').next()?).ok()
    };
    links.filter_map(local).collect()
}

async fn is_current(
    call: &Call<'_>,
    entry: &Entry,
    (kind, id): &(ResourceType, ResourceId),
) -> Result<bool, Refusal> {
    let stored = match call.lookup().read(kind, id).await {
        Ok(stored) => stored,
        Err(LookupError::NotFound | LookupError::Gone { .. }) => {
            return Err(problem(entry, "relatesTo", "the document that is replaced is not there"));
        }
        Err(error) => return Err(error.into()),
    };
    let shown = represent::resource(&stored.document, call.version(), &Subset::default(), call.base());
    Ok(shown.is_some_and(|shown| shown.text_at("status") == Some("current")))
}

/// The entry that a client would have sent for it.
fn superseding(index: usize, (kind, id): &(ResourceType, ResourceId)) -> Planned {
    let part = |name: &'static str, value: &'static str, text: &'static str| {
        Node::object([("name", Some(Node::text(name))), (value, Some(Node::text(text)))])
    };
    let parts = vec![
        part("type", "valueCode", "replace"),
        part("path", "valueString", "DocumentReference.status"),
        part("value", "valueCode", "superseded"),
    ];
    let operation = Node::object([("name", Some(Node::text("operation"))), ("part", Node::array(parts))]);
    let patch = Node::object([
        ("resourceType", Some(Node::text("Parameters"))),
        ("parameter", Node::array(vec![operation])),
    ]);
    let target = Target::Instance(kind.clone(), id.clone());
    let role = Role::Write(kind.clone(), Intent::Update { id: id.clone() }, id.clone());
    Planned { entry: Entry::new(index, Method::PATCH, target, patch), role }
}

/// A Binary of this server that is named is stored with the document, or was before.
async fn content_is_there(
    call: &Call<'_>,
    entry: &Entry,
    document: &Node,
    written: &HashSet<(ResourceType, ResourceId)>,
) -> Result<(), Refusal> {
    for attachment in attachments::attachments(document, call.version()) {
        let Some(url) = attachment.url else { continue };
        let path = if url.contains("://") { call.app.local_part(url, call.tenant) } else { Some(url) };
        let Some((id, _)) = path.and_then(index::binary_named) else { continue };
        if written.contains(&(ResourceType::BINARY, id.clone())) {
            continue;
        }
        match call.lookup().read(&ResourceType::BINARY, &id).await {
            Ok(_) => {}
            Err(LookupError::Store(error)) => return Err(Refusal::Store(error)),
            Err(_) => return Err(problem(entry, "content[0].attachment.url", "the Binary is not there")),
        }
    }
    Ok(())
}

fn problem(entry: &Entry, element: &str, message: &str) -> Refusal {
    let expression = format!("Bundle.entry[{}].resource.{element}", entry.index);
    let message = message.to_owned();
    Refusal::Profiles(vec![ReadError { kind: ReadErrorKind::Value, expression, message }])
}
