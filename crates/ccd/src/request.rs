//! What a document is asked for with.

use charta_model::facts::{Address, Identifier, Moment, Telecom};

/// How a document is to be made.
#[derive(Debug, Clone)]
pub struct Request {
    /// The document's own id: a UUID.
    pub document_id: String,
    /// When it is made, with a zone.
    pub time: Moment,
    /// The base that ids are derived from; the same in every document of a store.
    pub namespace: String,
    /// Facts from then on.
    pub start: Option<Moment>,
    /// Facts until then.
    pub end: Option<Moment>,
    /// The key of the one encounter that it is about: `Encounter/1`.
    pub encounter: Option<String>,
    /// Who keeps the record.
    pub custodian: Custodian,
    /// The maker of the software, and the software with its version.
    pub software: (String, String),
}

/// The organization that keeps the record, where the patient names none.
#[derive(Debug, Clone, Default)]
pub struct Custodian {
    /// Its name.
    pub name: String,
    /// What it is known by.
    pub identifier: Option<Identifier>,
    /// How to reach it.
    pub telecom: Option<Telecom>,
    /// Its address.
    pub address: Option<Address>,
}
