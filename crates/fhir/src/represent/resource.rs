//! A stored resource of any type but Binary, as a version shows it.

use charta_model::Document;

use super::{
    Subset,
    binary::meta,
    source::{Kept, coding},
};
use crate::{Node, Version, attachments, json, project};

/// The resource that `document` keeps, as `version` has it; attachments on this server become absolute URLs
/// below `base`. `None` for a deletion, and for a type that this version cannot show.
///
/// Decision 14: the accepted resource in its own version, its projection in others.
#[must_use]
pub fn resource(document: &Document, version: Version, subset: &Subset, base: &str) -> Option<Node> {
    let source = document.source()?;
    let mut accepted = json::read(&source.body)?;
    if source.dialect != version.name() {
        let from: Version = source.dialect.parse().ok()?;
        let updated = format!("{:.3}", document.updated);
        accepted = project::project(&accepted, from, version, &updated)?;
    }
    let kept = Kept::within(accepted.take("meta"));
    let labels_hold = source.dialect == version.name();
    let meta = meta(document, version, subset, &kept);
    let meta = if labels_hold { meta } else { without_profiles(meta) };
    if may_name_content(&source.body) {
        make_absolute(&mut accepted, version, base);
    }
    let Node::Object(members) = accepted else { return None };
    let mut shown = vec![
        ("resourceType".into(), Node::text(document.kind.as_str().to_owned())),
        ("id".into(), Node::text(document.id.as_str().to_owned())),
        ("meta".into(), meta),
    ];
    shown.extend(members.into_iter().filter(|(name, _)| name != "resourceType"));
    Some(subset.of_resource(Node::Object(shown), version))
}

/// The resource that `document` keeps in the version that it was accepted in, for who reads it and shows it to nobody:
/// of `meta` there are the security labels alone.
#[must_use]
pub fn told(document: &Document, base: &str) -> Option<(Node, Version)> {
    let source = document.source()?;
    let version: Version = source.dialect.parse().ok()?;
    let mut accepted = json::read(&source.body)?;
    if may_name_content(&source.body) {
        make_absolute(&mut accepted, version, base);
    }
    let Node::Object(members) = &mut accepted else { return None };
    members.retain(|(name, _)| !matches!(name.as_ref(), "resourceType" | "id" | "meta"));
    members.push(("resourceType".into(), Node::text(document.kind.as_str().to_owned())));
    members.push(("id".into(), Node::text(document.id.as_str().to_owned())));
    let labels = document.description.as_ref().map(|description| description.labels.security.as_slice());
    let labels: Vec<Node> = labels.unwrap_or_default().iter().map(coding).collect();
    if !labels.is_empty() {
        members.push(("meta".into(), Node::object([("security", Some(Node::Array(labels)))])));
    }
    Some((accepted, version))
}

/// Whether an attachment may be in `body` that names a Binary of this server; looking at each element takes longer.
fn may_name_content(body: &str) -> bool {
    body.contains("Binary/") || body.contains('\\')
}

/// Links to content on this server, as a client can follow them.
fn make_absolute(accepted: &mut Node, version: Version, base: &str) {
    attachments::change_attachments(accepted, version, &mut |_, members| {
        for (name, value) in members {
            if let (true, Node::String(url)) = (name == "url", &*value)
                && url.starts_with("Binary/")
            {
                *value = Node::text(format!("{base}/{url}"));
            }
        }
    });
}

/// A profile is a promise about the version that it was made for.
fn without_profiles(mut meta: Node) -> Node {
    meta.take("profile");
    meta
}
