//! People, organizations, places, and who is who in which role.

use charta_model::facts::{Facts, Identifier, Name, Party, PartyKind, Place};

use super::{links, read::At};

/// Adds a person, a role or an organization.
pub(super) fn add(facts: &mut Facts, at: At<'_>) {
    let kind = at.text("resourceType").unwrap_or_default();
    let mut party = Party {
        origin: at.origin(),
        kind: if kind == "Organization" { PartyKind::Organization } else { PartyKind::Person },
        names: at.names("name"),
        telecoms: at.telecoms("telecom"),
        addresses: at.addresses("address"),
        is_related: kind == "RelatedPerson",
        period: at.period("period"),
        ..Party::default()
    };
    match kind.as_str() {
        "RelatedPerson" => party.relationships = at.concepts("relationship"),
        "PractitionerRole" => {
            party.specialties = at.concepts("code");
            party.specialties.splice(0..0, at.concepts("specialty"));
            party.person = at.link("practitioner");
            party.organization = at.link("organization");
        }
        "Practitioner" => {
            // DSTU2 has the roles inside.
            for role in at.list("practitionerRole") {
                party.specialties.extend(role.concepts("specialty"));
                party.specialties.extend(role.concept("role"));
                party.organization = party.organization.or_else(|| role.link("managingOrganization"));
            }
        }
        _ => party.organization = at.link("partOf"),
    }
    // R5 has them in `contact`.
    for contact in at.list("contact").filter(|_| kind == "Organization") {
        if party.telecoms.is_empty() {
            party.telecoms = contact.telecoms("telecom");
        }
        if party.addresses.is_empty() {
            party.addresses = contact.addresses("address");
        }
    }
    alias(facts, &kind, &party.origin.key, &party.origin.identifiers);
    facts.parties.insert(party.origin.key.clone(), party);
}

/// Adds a location.
pub(super) fn add_place(facts: &mut Facts, at: At<'_>) {
    let place = Place {
        origin: at.origin(),
        name: at.text("name"),
        kinds: at.concepts("type"),
        telecoms: at.telecoms("telecom"),
        address: at.addresses("address").into_iter().next(),
    };
    alias(facts, "Location", &place.origin.key, &place.origin.identifiers);
    facts.places.insert(place.origin.key.clone(), place);
}

/// A device as somebody who writes.
pub(super) fn device(at: At<'_>, name: Option<String>) -> Party {
    let names = name.into_iter().map(|text| Name { text: Some(text), ..Name::default() }).collect();
    Party { origin: at.origin(), kind: PartyKind::Device, names, ..Party::default() }
}

/// What a resource may be named by beside its key. A contained one is no one else's.
fn alias(facts: &mut Facts, kind: &str, key: &str, identifiers: &[Identifier]) {
    for identifier in identifiers.iter().filter(|_| !key.contains('#')) {
        if let (Some(system), Some(value)) = (&identifier.system, &identifier.value) {
            for kind in [kind, ""] {
                facts.aliases.entry(links::identified(kind, system, value)).or_insert_with(|| key.to_owned());
            }
        }
    }
}

/// Gives people what their roles say of them, where they do not say it themselves.
pub(super) fn join_roles(facts: &mut Facts) {
    let mut roles: Vec<Party> =
        facts.parties.values().filter(|party| party.person.is_some()).cloned().collect();
    roles.sort_by(|a, b| a.origin.key.cmp(&b.origin.key));
    for role in roles {
        let person = role.person.as_ref().and_then(|link| facts.key(link)).map(str::to_owned);
        let Some(person) = person.and_then(|key| facts.parties.get_mut(&key)) else { continue };
        if person.specialties.is_empty() {
            person.specialties.clone_from(&role.specialties);
        }
        if person.organization.is_none() {
            person.organization.clone_from(&role.organization);
        }
        if person.telecoms.is_empty() {
            person.telecoms.clone_from(&role.telecoms);
        }
        let (names, addresses, telecoms) =
            (person.names.clone(), person.addresses.clone(), person.telecoms.clone());
        let identifiers = person.origin.identifiers.clone();
        let Some(role) = facts.parties.get_mut(&role.origin.key) else { continue };
        role.names = names;
        role.addresses = addresses;
        if role.telecoms.is_empty() {
            role.telecoms = telecoms;
        }
        if role.origin.identifiers.is_empty() {
            role.origin.identifiers = identifiers;
        }
    }
}
