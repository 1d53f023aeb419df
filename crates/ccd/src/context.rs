//! What every part of a document is written from.

use std::{cell::RefCell, collections::HashSet};

use charta_model::facts::{Concept, Facts, Link, Role};

use crate::{layout::Layout, request::Request};

/// What every part of a document is written from.
pub(crate) struct Context<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) request: &'a Request,
    pub(crate) layout: &'a Layout,
    pub(crate) state: &'a State,
}

/// What is remembered from one part to the next.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The parties that were written in full: from then on their id says enough.
    pub(crate) written: RefCell<HashSet<String>>,
}

impl Context<'_> {
    /// The name of what `link` names, for readers.
    pub(crate) fn label(&self, link: &Link) -> Option<String> {
        self.facts
            .party(link)
            .and_then(charta_model::facts::Party::label)
            .or_else(|| self.patient_label(link))
            .or_else(|| self.facts.places.get(self.facts.key(link)?)?.name.clone())
            .or_else(|| link.display.clone())
    }

    fn patient_label(&self, link: &Link) -> Option<String> {
        let patient = self.facts.patient.as_ref()?;
        (self.facts.key(link)? == patient.origin.key).then(|| patient.names.first()?.label())?
    }

    /// The names of those who took part.
    pub(crate) fn labels(&self, roles: &[Role]) -> String {
        let names: Vec<String> = roles.iter().filter_map(|role| self.label(&role.party)).collect();
        names.join(", ")
    }

    /// What a medication is: its own concept, or that of the drug it names.
    pub(crate) fn medication<'c>(
        &'c self,
        code: &'c Concept,
        drug: Option<&'c Link>,
    ) -> std::borrow::Cow<'c, Concept> {
        use std::borrow::Cow;
        if !code.is_empty() {
            return Cow::Borrowed(code);
        }
        let Some(link) = drug else { return Cow::Borrowed(code) };
        let named = self.facts.key(link).and_then(|key| self.facts.drugs.get(key));
        match named {
            Some(drug) if !drug.code.is_empty() => Cow::Borrowed(&drug.code),
            _ => link.display.as_ref().map_or(Cow::Borrowed(code), |name| Cow::Owned(Concept::of_text(name))),
        }
    }
}
