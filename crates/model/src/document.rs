//! A document: a stored resource, version by version. A Binary is known by its content; every other resource
//! is the JSON that was accepted.

use jiff::Timestamp;

use crate::{Confidentiality, Custody, Digest, MediaType, Reference, ResourceId, ResourceType};

/// How a version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The first version, or the first one after a deletion.
    Created,
    /// A later version.
    Updated,
    /// The version that says that the document is gone.
    Deleted,
}

/// One version of one document. Versions count from 1 without gaps, through deletions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The resource type.
    pub kind: ResourceType,
    /// The logical id, unique within the tenant and type.
    pub id: ResourceId,
    /// The number of this version, from 1.
    pub version: u64,
    /// When it was committed; later than every earlier version of the document. Milliseconds.
    pub updated: Timestamp,
    /// How it came to be.
    pub change: Change,
    /// Who wrote it, if the server was told: opaque, compared to the letter.
    pub writer: Option<Box<str>>,
    /// What it says; `None` for a deletion.
    pub description: Option<Description>,
}

impl Document {
    /// What is known about its bytes; `None` for a deletion, and for all but a Binary.
    #[must_use]
    pub fn content(&self) -> Option<&ContentFacts> {
        self.description.as_ref()?.content.as_ref()
    }

    /// The resource that was accepted; `None` for a deletion, and mostly for a Binary.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.description.as_ref()?.source.as_ref()
    }
}

/// What one version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The bytes of a Binary; no other resource has any.
    pub content: Option<ContentFacts>,
    /// Profiles, security labels and tags.
    pub labels: Labels,
    /// Whose it is.
    pub custody: Custody,
    /// What the client sent beside these: of a Binary what is left, if anything, of all others the resource.
    pub source: Option<Source>,
}

impl Description {
    /// How carefully it is to be shown, by its labels and its own elements.
    #[must_use]
    pub fn confidentiality(&self) -> Confidentiality {
        self.custody.confidentiality.max(Confidentiality::of_labels(&self.labels.security))
    }
}

/// What is known about the bytes of a Binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFacts {
    /// The stored type, to the last parameter.
    pub content_type: MediaType,
    /// Number of bytes; never 0.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub digest: Digest,
    /// The resource whose access rules apply to the bytes.
    pub security_context: Option<Reference>,
}

/// `meta.profile`, `meta.security` and `meta.tag`, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Labels {
    /// Canonical URLs of profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// Security labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<Label>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Label>,
}

impl Labels {
    /// The labels after an update with `new`: profiles replaced, security labels and tags merged.
    ///
    /// Clause: FHIR R4 resource.html#tag-updates
    #[must_use]
    pub fn updated_by(&self, new: &Self) -> Self {
        Self {
            profiles: new.profiles.clone(),
            security: merged(&self.security, &new.security),
            tags: merged(&self.tags, &new.tags),
        }
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty() && self.security.is_empty() && self.tags.is_empty()
    }
}

fn merged(old: &[Label], new: &[Label]) -> Vec<Label> {
    let kept = old.iter().filter(|old| !new.iter().any(|new| new.same_meaning(old)));
    kept.chain(new).cloned().collect()
}

/// A FHIR Coding as it stands in `meta`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Label {
    /// The code system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Words for the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// `userSelected`.
    #[serde(rename = "userSelected", default, skip_serializing_if = "Option::is_none")]
    pub user_selected: Option<bool>,
}

impl Label {
    /// Whether both say the same code of the same system.
    #[must_use]
    pub fn same_meaning(&self, other: &Self) -> bool {
        self.system == other.system && self.code == other.code
    }
}

/// What a client sent, without id, labels and content. Kept so that the same FHIR version gives it back;
/// opaque to everything but `fhir`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Names the FHIR version that understands `body`.
    pub dialect: String,
    /// The resource, or the rest of it, as JSON text.
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(code: &str, display: &str) -> Label {
        Label { code: Some(code.into()), display: Some(display.into()), ..Label::default() }
    }

    #[test]
    fn an_update_merges_labels_and_replaces_profiles() {
        let old = Labels {
            profiles: vec!["p1".into()],
            security: vec![label("R", "restricted")],
            tags: vec![label("a", "first"), label("b", "kept")],
        };
        let new = Labels { tags: vec![label("a", "second")], ..Labels::default() };
        let merged = old.updated_by(&new);
        assert_eq!(merged.profiles, Vec::<String>::new());
        assert_eq!(merged.security, old.security);
        assert_eq!(merged.tags, vec![label("b", "kept"), label("a", "second")]);
    }
}
