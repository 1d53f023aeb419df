//! What a client sent beside what the model knows, put back where it stood.
//!
//! The version that it was sent in gets all of it; of the rest only `language` means the same in
//! every version, whereas `implicitRules` and extensions are promises about one.

use std::borrow::Cow;

use charta_model::{Description, Label, Reference};

use crate::{Node, Version, json};

type Members = Vec<(Cow<'static, str>, Node)>;

/// The members that were kept of a resource.
pub(super) struct Kept(Members);

impl Kept {
    /// Those that `version` can show.
    pub(super) fn of(description: Option<&Description>, version: Version) -> Self {
        let source = description.and_then(|description| description.source.as_ref());
        let members = source.map(|source| (json::read(&source.body), source.dialect == version.name()));
        match members {
            Some((Some(Node::Object(members)), true)) => Self(in_order(members)),
            Some((Some(Node::Object(mut members)), false)) => {
                members.retain(|(name, _)| name == "language");
                Self(members)
            }
            _ => Self(Members::new()),
        }
    }

    /// What was kept of `meta`.
    pub(super) fn within(meta: Option<Node>) -> Self {
        match meta {
            Some(Node::Object(members)) => Self(in_order(members)),
            _ => Self(Members::new()),
        }
    }

    /// The members of the object `name`.
    pub(super) fn inside(&self, name: &str) -> Self {
        match self.member(name) {
            Some(Node::Object(members)) => Self(members),
            _ => Self(Members::new()),
        }
    }

    /// One of them.
    pub(super) fn member(&self, name: &str) -> Option<Node> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value.clone())
    }

    /// The labels as Codings: as they were sent, if they then had more than a label can say.
    pub(super) fn codings(&self, name: &str, labels: &[Label]) -> Vec<Node> {
        let sent = match self.member(name) {
            Some(Node::Array(sent)) => sent,
            _ => Vec::new(),
        };
        let known = labels.iter().map(|label| {
            let whole = sent.iter().find(|coding| is(coding, label));
            whole.cloned().unwrap_or_else(|| coding(label))
        });
        // A Coding of extensions alone is no label.
        let is_label = |coding: &&Node| labels.iter().any(|label| is(coding, label));
        known.chain(sent.iter().filter(|coding| !is_label(coding)).cloned()).collect()
    }

    /// A Reference to `target`, with whatever stood beside the target.
    pub(super) fn reference(&self, target: Option<&Reference>) -> Option<Node> {
        let target = target.map(|target| ("reference".into(), Node::text(target.as_str().to_owned())));
        let beside = self.0.iter().filter(|(name, _)| name != "reference").cloned();
        let members: Members = target.into_iter().chain(beside).collect();
        if members.is_empty() { None } else { Some(Node::Object(in_order(members))) }
    }
}

/// An object of `members` in their order, each followed by its `_name`.
pub(super) fn with_companions<const N: usize>(
    members: [(&'static str, Option<Node>); N],
    kept: &Kept,
) -> Node {
    let pairs = members.into_iter().flat_map(|(name, value)| {
        let companion = format!("_{name}");
        let extension = kept.member(&companion).map(|extension| (Cow::Owned(companion), extension));
        value.map(|value| (Cow::Borrowed(name), value)).into_iter().chain(extension)
    });
    Node::Object(pairs.collect())
}

/// The order that XML has and JSON has not, of everything that an extension, Reference or Coding is made of:
/// one list, since no two of these types disagree.
const ORDER: [&str; 19] = [
    "id",
    "extension",
    "url",
    "use",
    "reference",
    "type",
    "identifier",
    "system",
    "version",
    "value",
    "code",
    "coding",
    "text",
    "display",
    "userSelected",
    "period",
    "assigner",
    "start",
    "end",
];

fn ordered(node: Node) -> Node {
    match node {
        Node::Object(members) => Node::Object(in_order(members)),
        Node::Array(items) => Node::Array(items.into_iter().map(ordered).collect()),
        other => other,
    }
}

fn in_order(members: Members) -> Members {
    let mut members: Members = members.into_iter().map(|(name, value)| (name, ordered(value))).collect();
    members.sort_by_key(|(name, _)| {
        let element = name.strip_prefix('_').unwrap_or(name);
        (ORDER.iter().position(|known| *known == element).unwrap_or(ORDER.len()), name.starts_with('_'))
    });
    members
}

fn is(coding: &Node, label: &Label) -> bool {
    let Node::Object(members) = coding else { return false };
    let text = |name: &str| {
        members.iter().find_map(|(member, value)| match value {
            Node::String(text) if member == name => Some(text.as_ref()),
            _ => None,
        })
    };
    text("system") == label.system.as_deref() && text("code") == label.code.as_deref()
}

pub(super) fn coding(label: &Label) -> Node {
    let text = |value: &Option<String>| value.clone().map(Node::text);
    Node::object([
        ("system", text(&label.system)),
        ("version", text(&label.version)),
        ("code", text(&label.code)),
        ("display", text(&label.display)),
        ("userSelected", label.user_selected.map(Node::Bool)),
    ])
}
