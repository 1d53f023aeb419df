//! Who took part in a document: authors, custodian, the encounter's staff and so on, each in a line.

use super::{
    tree::Element,
    values::{address, code, distinct, id, name, period, telecom},
};

/// Somebody, or an organization, or a device.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// As what they took part.
    pub role: String,
    pub name: String,
    /// Profession, relationship or function.
    pub what: String,
    pub organization: String,
    pub time: String,
    pub contacts: Vec<String>,
    pub ids: Vec<String>,
}

impl Party {
    /// The name, else the organization.
    pub fn called(&self) -> &str {
        if self.name.is_empty() { &self.organization } else { &self.name }
    }
}

/// Where a role has its person or device.
const PERSONS: [&str; 9] = [
    "assignedPerson",
    "associatedPerson",
    "relatedPerson",
    "informationRecipient",
    "guardianPerson",
    "assignedAuthoringDevice",
    "maintainingDevice",
    "playingEntity",
    "subject",
];

/// Where it has its organization.
const ORGANIZATIONS: [&str; 7] = [
    "representedOrganization",
    "representedCustodianOrganization",
    "scopingOrganization",
    "receivedOrganization",
    "providerOrganization",
    "guardianOrganization",
    "serviceProviderOrganization",
];

/// Participations of a header and the elements in them that say who it is.
const PARTICIPATIONS: [(&str, &str, &str); 9] = [
    ("author", "assignedAuthor", "Author"),
    ("dataEnterer", "assignedEntity", "Entered by"),
    ("informant", "assignedEntity", "Informant"),
    ("informant", "relatedEntity", "Informant"),
    ("custodian", "assignedCustodian", "Custodian"),
    ("informationRecipient", "intendedRecipient", "Recipient"),
    ("legalAuthenticator", "assignedEntity", "Legally authenticated by"),
    ("authenticator", "assignedEntity", "Authenticated by"),
    ("participant", "associatedEntity", "Participant"),
];

/// Everybody whom the header names, in its order.
pub fn everybody(document: Element<'_>) -> Vec<Party> {
    let mut found = participants(document);
    let events = document.all("documentationOf").filter_map(|of| of.child("serviceEvent"));
    found.extend(events.flat_map(|event| members(event, "performer", "Performed by")));
    if let Some(encounter) = document.path(&["componentOf", "encompassingEncounter"]) {
        found.extend(members(encounter, "responsibleParty", "Responsible for the encounter"));
        found.extend(members(encounter, "encounterParticipant", "Took part in the encounter"));
    }
    found
}

/// Authors, informants and the like of a document or a section.
pub fn participants(element: Element<'_>) -> Vec<Party> {
    let mut found = Vec::new();
    for participation in element.elements() {
        for (name, role, label) in PARTICIPATIONS {
            if participation.name() == name
                && let Some(role) = participation.child(role)
            {
                found.push(party(label, participation, role));
            }
        }
    }
    found
}

fn members(element: Element<'_>, name: &'static str, label: &str) -> Vec<Party> {
    let members = element.all(name).filter_map(|member| Some((member, member.child("assignedEntity")?)));
    members.map(|(member, entity)| party(label, member, entity)).collect()
}

fn party(label: &str, participation: Element<'_>, role: Element<'_>) -> Party {
    let person = PERSONS.iter().find_map(|name| role.child(name));
    let organization = ORGANIZATIONS.iter().find_map(|name| role.child(name));
    let places = [Some(role), organization];
    let each = |name: &'static str| places.into_iter().flatten().flat_map(move |place| place.all(name));
    let whats = [participation.child("functionCode"), role.child("code")].into_iter().flatten().map(code);
    let time = participation.child("time").map(period).unwrap_or_default();
    Party {
        role: label.to_owned(),
        name: person.map(named).unwrap_or_default(),
        what: distinct(whats).join(", "),
        organization: organization.map(named).unwrap_or_default(),
        time,
        contacts: distinct(each("telecom").map(telecom).chain(each("addr").map(address))),
        ids: distinct(role.all("id").map(id)),
    }
}

/// What somebody or something is called: a person and an organization by name, a device by its software and model.
fn named(entity: Element<'_>) -> String {
    let names = entity.all("name").map(name);
    let device = ["softwareName", "manufacturerModelName"].into_iter().filter_map(|part| entity.child(part));
    distinct(names.chain(device.map(code_or_text))).join(", ")
}

fn code_or_text(element: Element<'_>) -> String {
    let text = element.text();
    if text.is_empty() { code(element) } else { text }
}
