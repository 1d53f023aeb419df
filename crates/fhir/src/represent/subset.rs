//! Which part of a resource the client asked for: `_summary` and `_elements`.

use crate::Version;

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

    /// Whether what is left is to be marked as a part.
    pub(super) fn is_partial(&self) -> bool {
        self.elements.is_some() || matches!(self.summary, Some(Summary::True | Summary::Text))
    }
}
