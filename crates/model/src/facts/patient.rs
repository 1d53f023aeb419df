//! People, organizations and places.

use super::{Coding, Concept, Identifier, Link, Moment, Origin, Period};

/// The patient.
#[derive(Debug, Clone, Default)]
pub struct Patient {
    /// Where it comes from.
    pub origin: Origin,
    /// All names, as they were given.
    pub names: Vec<Name>,
    /// All ways to reach the patient.
    pub telecoms: Vec<Telecom>,
    /// All addresses.
    pub addresses: Vec<Address>,
    /// `male`, `female`, `other`, `unknown`.
    pub gender: Option<String>,
    /// The birth, to the second where that is known.
    pub birth: Option<Moment>,
    /// Whether the patient has died.
    pub is_deceased: Option<bool>,
    /// When.
    pub deceased_at: Option<Moment>,
    /// Marital status.
    pub marital_status: Option<Concept>,
    /// Race: the broad categories.
    pub races: Vec<Coding>,
    /// Race: in detail.
    pub races_detailed: Vec<Coding>,
    /// Ethnicity: the broad category.
    pub ethnicities: Vec<Coding>,
    /// Ethnicity: in detail.
    pub ethnicities_detailed: Vec<Coding>,
    /// Religion.
    pub religion: Option<Concept>,
    /// Where the patient was born.
    pub birth_place: Option<Address>,
    /// Languages, and whether each is preferred.
    pub languages: Vec<(Concept, Option<bool>)>,
    /// Sex at birth: `F`, `M` or another code.
    pub birth_sex: Option<String>,
    /// Sex as recorded for clinical use.
    pub sex: Option<Concept>,
    /// Gender identity, and since when.
    pub gender_identities: Vec<(Concept, Period)>,
    /// Sexual orientation, and since when.
    pub sexual_orientations: Vec<(Concept, Period)>,
    /// Tribes, and whether enrolled.
    pub tribes: Vec<(Concept, Option<bool>)>,
    /// Pronouns.
    pub pronouns: Vec<Concept>,
    /// Who cares for the patient.
    pub general_practitioners: Vec<Link>,
    /// Who keeps the record.
    pub managing_organization: Option<Link>,
    /// Contacts: parties with relationships.
    pub contacts: Vec<Party>,
}

/// What a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartyKind {
    /// A person, professional or related.
    #[default]
    Person,
    /// An organization.
    Organization,
    /// A device.
    Device,
}

/// Somebody or something that takes part.
#[derive(Debug, Clone, Default)]
pub struct Party {
    /// Where it comes from.
    pub origin: Origin,
    /// What it is.
    pub kind: PartyKind,
    /// Names; an organization or a device has one text.
    pub names: Vec<Name>,
    /// All ways to reach it.
    pub telecoms: Vec<Telecom>,
    /// Addresses.
    pub addresses: Vec<Address>,
    /// What it is to the patient.
    pub relationships: Vec<Concept>,
    /// What it is by profession.
    pub specialties: Vec<Concept>,
    /// Whom it acts as: of a role the person.
    pub person: Option<Link>,
    /// Whom it acts for.
    pub organization: Option<Link>,
    /// Since when and until when.
    pub period: Period,
    /// Whether it is a patient's relative or friend.
    pub is_related: bool,
}

/// A name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Name {
    /// `usual`, `official`, `old`, `maiden` and so on.
    pub usage: Option<String>,
    /// The whole.
    pub text: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Given names.
    pub given: Vec<String>,
    /// Before the name.
    pub prefixes: Vec<String>,
    /// Behind it.
    pub suffixes: Vec<String>,
    /// When it is or was in use.
    pub period: Period,
}

impl Name {
    /// The name as it is read out.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        if let Some(text) = self.text.as_deref().filter(|text| !text.trim().is_empty()) {
            return Some(text.to_owned());
        }
        let parts = self.prefixes.iter().chain(&self.given).chain(&self.family).chain(&self.suffixes);
        let label =
            parts.map(|part| part.trim()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        (!label.is_empty()).then_some(label)
    }
}

/// A telephone number, a mail address and so on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Telecom {
    /// `phone`, `fax`, `email`, `url`, `sms`.
    pub system: Option<String>,
    /// The number or address.
    pub value: Option<String>,
    /// `home`, `work`, `mobile`, `temp`, `old`.
    pub usage: Option<String>,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Address {
    /// `home`, `work`, `temp`, `old`, `billing`.
    pub usage: Option<String>,
    /// The whole.
    pub text: Option<String>,
    /// Street, house, box.
    pub lines: Vec<String>,
    /// City.
    pub city: Option<String>,
    /// District or county.
    pub district: Option<String>,
    /// State.
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// When it is or was in use.
    pub period: Period,
}

/// Where something happens.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Where it comes from.
    pub origin: Origin,
    /// Its name.
    pub name: Option<String>,
    /// What kind of place.
    pub kinds: Vec<Concept>,
    /// All ways to reach it.
    pub telecoms: Vec<Telecom>,
    /// Its address.
    pub address: Option<Address>,
}

impl Party {
    /// The name for readers.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        let current =
            self.names.iter().filter(|name| !matches!(name.usage.as_deref(), Some("old" | "maiden")));
        current.chain(&self.names).find_map(Name::label)
    }

    /// Its identifier of this system.
    #[must_use]
    pub fn identifier(&self, system: &str) -> Option<&Identifier> {
        self.origin.identifiers.iter().find(|identifier| identifier.system.as_deref() == Some(system))
    }
}
