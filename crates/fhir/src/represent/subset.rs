//! Which part of a resource the client asked for: `_summary` and `_elements`.

use std::borrow::Cow;

use crate::{
    Node, Version,
    definitions::{Definitions, Type, TypeKind},
};

type Members = Vec<(Cow<'static, str>, Node)>;

/// What the summary keeps inside of what it keeps: in `DocumentReference.content`, not the bytes.
fn summarized(members: Members, of: &Type, definitions: &Definitions) -> Members {
    let inside = |(name, value): (Cow<'static, str>, Node)| {
        let base = name.strip_prefix('_').unwrap_or(&name);
        let Some(property) = of.property(base) else { return (name, value) };
        let holds = definitions.type_at(property.type_index);
        let has_marks = matches!(holds.kind, TypeKind::Backbone) || holds.name == "Attachment";
        let value = if has_marks { part(value, holds, definitions) } else { value };
        (name, value)
    };
    members.into_iter().map(inside).collect()
}

fn part(value: Node, of: &Type, definitions: &Definitions) -> Node {
    match value {
        Node::Array(items) => {
            Node::Array(items.into_iter().map(|item| part(item, of, definitions)).collect())
        }
        Node::Object(members) => {
            let marked = members.into_iter().filter(|(name, _)| {
                let base = name.strip_prefix('_').unwrap_or(name);
                base == "id"
                    || of.property(base).is_some_and(|found| found.element.summary || found.element.min > 0)
            });
            Node::Object(summarized(marked.collect(), of, definitions))
        }
        other => other,
    }
}

/// The values of `_summary` that concern a single resource; `count` concerns searches alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Summary {
    /// The elements that the version marks as its summary.
    True,
    /// The narrative and what is mandatory; a Binary has no narrative.
    Text,
    /// All but the narrative.
    Data,
    /// Everything.
    False,
}

/// The part of a resource that is asked for; the default is all of it.
///
/// Where both are given, an element is kept that both keep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subset {
    /// `_summary`
    pub summary: Option<Summary>,
    /// `_elements`: names of top-level elements.
    pub elements: Option<Vec<String>>,
}

impl Subset {
    /// Whether the bytes of a Binary are left out, so that they need not be opened.
    #[must_use]
    pub fn drops_content(&self, version: Version) -> bool {
        !self.keeps(version.payload_element(), version)
    }

    /// Whether this top-level element of a Binary is kept.
    ///
    /// Mandatory elements are kept by everything but `_summary=true`, which goes by the marks alone.
    ///
    /// Clause: FHIR R4 search.html#summary
    pub(super) fn keeps(&self, element: &str, version: Version) -> bool {
        let always = matches!(element, "resourceType" | "id" | "meta" | "implicitRules" | "contentType");
        let content = element == version.payload_element();
        let mandatory_content = content && !version.is_r4_or_later();
        let in_summary = match self.summary {
            None | Some(Summary::False | Summary::Data) => true,
            Some(Summary::True) => element == "securityContext" || (content && version == Version::Dstu2),
            Some(Summary::Text) => mandatory_content,
        };
        let in_elements = match &self.elements {
            None => true,
            Some(names) => mandatory_content || names.iter().any(|name| name == element),
        };
        always || (in_summary && in_elements)
    }

    /// The part of a resource that is kept.
    ///
    /// Clause: FHIR R4 search.html#summary
    pub(super) fn of_resource(&self, resource: Node, version: Version) -> Node {
        let definitions = version.definitions();
        let of = resource.text_at("resourceType").and_then(|name| definitions.resource(name));
        let (Node::Object(members), Some(of)) = (&resource, of) else { return resource };
        let whole = self.elements.is_none()
            && !matches!(self.summary, Some(Summary::True | Summary::Text | Summary::Data));
        if whole {
            return resource;
        }
        let kept = members.iter().filter(|(name, _)| {
            let base = name.strip_prefix('_').unwrap_or(name);
            if matches!(base, "resourceType" | "id" | "meta" | "implicitRules") {
                return true;
            }
            let Some(property) = of.property(base) else { return false };
            let needed = property.element.min > 0 || property.element.modifier;
            let in_summary = match self.summary {
                None | Some(Summary::False) => true,
                Some(Summary::True) => property.element.summary,
                Some(Summary::Text) => base == "text" || property.element.min > 0,
                Some(Summary::Data) => base != "text",
            };
            let in_elements = self.elements.as_ref().is_none_or(|names| {
                needed || names.iter().any(|name| name == base || name == property.element.name)
            });
            in_summary && in_elements
        });
        let kept = kept.cloned().collect();
        match self.summary {
            Some(Summary::True) => Node::Object(summarized(kept, of, definitions)),
            _ => Node::Object(kept),
        }
    }

    /// Whether what is left is to be marked as a part. A Binary has no narrative that could be left out.
    pub(super) fn is_partial(&self, is_binary: bool) -> bool {
        let drops = match self.summary {
            Some(Summary::True | Summary::Text) => true,
            Some(Summary::Data) => !is_binary,
            Some(Summary::False) | None => false,
        };
        drops || self.elements.is_some()
    }
}
