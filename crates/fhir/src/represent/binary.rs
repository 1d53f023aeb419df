//! A document as a Binary resource.

use charta_model::{Document, Label, Labels, MediaType, ResourceId, Timestamp};

use super::Subset;
use super::source::{Kept, with_companions};
use crate::{Node, Version};

/// The resource form of `document`; its bytes are content number `slot` of the answer.
///
/// A deletion has no resource form; asked for one all the same, this gives a Binary with id and meta.
/// DSTU2 has no `securityContext`; there only the header of the native form tells it.
///
/// Clause: FHIR R4 binary.html#resource
#[must_use]
pub fn binary(document: &Document, version: Version, subset: &Subset, slot: usize) -> Node {
    let content = document.content();
    let kept = Kept::of(document.description.as_ref(), version);
    let security_context = content
        .filter(|_| version != Version::Dstu2)
        .and_then(|content| kept.inside("securityContext").reference(content.security_context.as_ref()));
    let whole = with_companions(
        [
            ("resourceType", Some(Node::text("Binary"))),
            ("id", Some(Node::text(document.id.as_str().to_owned()))),
            ("meta", Some(meta(document, version, subset, &kept.inside("meta")))),
            ("implicitRules", kept.member("implicitRules")),
            ("language", kept.member("language")),
            ("contentType", content.map(|known| Node::text(known.content_type.as_str().to_owned()))),
            ("securityContext", security_context),
            (version.payload_element(), content.map(|_| Node::Base64(slot))),
        ],
        &kept,
    );
    subset_of(whole, version, subset)
}

fn subset_of(whole: Node, version: Version, subset: &Subset) -> Node {
    let Node::Object(mut members) = whole else { return whole };
    members.retain(|(name, _)| subset.keeps(name.strip_prefix('_').unwrap_or(name), version));
    Node::Object(members)
}

/// The resource form of a document that is made and not kept: it has no version. Its bytes are content number 0.
#[must_use]
pub fn made_binary(
    id: &ResourceId,
    updated: Timestamp,
    content_type: &MediaType,
    version: Version,
    subset: &Subset,
) -> Node {
    let tags = subset.is_partial(true).then(|| Node::Array(vec![subsetted(version)]));
    let meta = Node::object([("lastUpdated", Some(instant(updated))), ("tag", tags)]);
    let whole = Node::object([
        ("resourceType", Some(Node::text("Binary"))),
        ("id", Some(Node::text(id.as_str().to_owned()))),
        ("meta", Some(meta)),
        ("contentType", Some(Node::text(content_type.as_str().to_owned()))),
        (version.payload_element(), Some(Node::Base64(0))),
    ]);
    subset_of(whole, version, subset)
}

/// `[date]T[time]Z` to the millisecond, which is how a version is stored.
///
/// Clause: FHIR R4 datatypes.html#instant
pub(super) fn instant(time: Timestamp) -> Node {
    Node::text(format!("{time:.3}"))
}

pub(super) fn meta(document: &Document, version: Version, subset: &Subset, kept: &Kept) -> Node {
    let none = Labels::default();
    let labels = document.description.as_ref().map_or(&none, |description| &description.labels);
    let mut tags = kept.codings("tag", &labels.tags);
    if subset.is_partial(document.kind.is_binary()) {
        tags.push(subsetted(version));
    }
    let profiles = labels.profiles.iter().map(|profile| Node::text(profile.clone())).collect();
    let source = kept.member("source").filter(|_| version.is_r4_or_later());
    with_companions(
        [
            ("id", kept.member("id")),
            ("extension", kept.member("extension")),
            ("versionId", Some(Node::text(document.version.to_string()))),
            ("lastUpdated", Some(instant(document.updated))),
            ("source", source),
            ("profile", Node::array(profiles)),
            ("security", Node::array(kept.codings("security", &labels.security))),
            ("tag", Node::array(tags)),
        ],
        kept,
    )
}

/// Clause: FHIR R4 search.html#summary
fn subsetted(version: Version) -> Node {
    let system = if version.is_r4_or_later() {
        "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
    } else {
        "http://hl7.org/fhir/v3/ObservationValue"
    };
    let label = Label { system: Some(system.into()), code: Some("SUBSETTED".into()), ..Label::default() };
    super::source::coding(&label)
}
