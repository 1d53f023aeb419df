//! An accepted resource as the store keeps it: what the model has a place for apart from the rest.

use charta_model::{Label, Labels, ResourceId, ResourceType, Source};

use crate::{Node, Version, json};

/// The code systems of `SUBSETTED`, R4's and the one before.
const OBSERVATION_VALUE: [&str; 2] =
    ["http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "http://hl7.org/fhir/v3/ObservationValue"];

/// What a label can say of a Coding.
const LABEL: [&str; 5] = ["system", "version", "code", "display", "userSelected"];

/// A resource taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// Its type.
    pub kind: ResourceType,
    /// The id that it claims.
    pub id: Option<ResourceId>,
    /// Profiles, security labels and tags.
    pub labels: Labels,
    /// Whether it says of itself that parts of it were left out.
    ///
    /// Clause: FHIR R4 search.html#summary
    pub subsetted: bool,
    /// All the rest; begins with `resourceType`.
    pub rest: Node,
}

impl Parts {
    /// Takes apart a resource that was checked; `None` if it says no type.
    #[must_use]
    pub fn of(mut resource: Node) -> Option<Self> {
        let kind = ResourceType::new(resource.text_at("resourceType")?).ok()?;
        let id = resource.take("id").and_then(|id| ResourceId::new(id.as_text()?).ok());
        let (labels, subsetted) = meta(&mut resource);
        Some(Self { kind, id, labels, subsetted, rest: resource })
    }

    /// The rest as it is kept.
    #[must_use]
    pub fn source(&self, version: Version) -> Source {
        Source { dialect: version.name().to_owned(), body: json::text(&self.rest) }
    }
}

/// Takes labels out, and what the server alone decides; says whether a tag calls the resource incomplete.
fn meta(resource: &mut Node) -> (Labels, bool) {
    let Some(mut meta) = resource.take("meta") else { return (Labels::default(), false) };
    for name in ["versionId", "_versionId", "lastUpdated", "_lastUpdated"] {
        meta.take(name);
    }
    let profiles = match meta.take("profile") {
        Some(Node::Array(items)) => items.iter().filter_map(Node::as_text).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let labels = Labels { profiles, security: labels(&mut meta, "security"), tags: labels(&mut meta, "tag") };
    if matches!(&meta, Node::Object(members) if !members.is_empty()) {
        insert_meta(resource, meta);
    }
    let is_of_system =
        |tag: &Label| tag.system.as_deref().is_some_and(|system| OBSERVATION_VALUE.contains(&system));
    let subsetted =
        labels.tags.iter().any(|tag| tag.code.as_deref() == Some("SUBSETTED") && is_of_system(tag));
    (labels, subsetted)
}

fn insert_meta(resource: &mut Node, meta: Node) {
    if let Node::Object(members) = resource {
        members.insert(1.min(members.len()), ("meta".into(), meta));
    }
}

/// Takes the labels `name` out; those stay that have more than a label can say.
fn labels(meta: &mut Node, name: &'static str) -> Vec<Label> {
    let codings = match meta.take(name) {
        Some(Node::Array(items)) => items,
        _ => Vec::new(),
    };
    let is_richer = |coding: &&Node| match coding {
        Node::Object(members) => members.iter().any(|(name, _)| !LABEL.contains(&name.as_ref())),
        _ => false,
    };
    let richer: Vec<Node> = codings.iter().filter(is_richer).cloned().collect();
    if !richer.is_empty() {
        meta.set(name, Node::Array(richer));
    }
    codings.iter().map(label).filter(|label| *label != Label::default()).collect()
}

fn label(coding: &Node) -> Label {
    let text = |name: &str| coding.text_at(name).map(str::to_owned);
    Label {
        system: text("system"),
        version: text("version"),
        code: text("code"),
        display: text("display"),
        user_selected: match coding.member("userSelected") {
            Some(Node::Bool(selected)) => Some(*selected),
            _ => None,
        },
    }
}
