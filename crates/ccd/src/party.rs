//! Who did what: authors, performers, places. In full where they are first named, by id from then on.
//!
//! C-CDA: Author Participation.

use std::borrow::Cow;

use charta_model::facts::{Concept, Link, Moment, Party, PartyKind, Place, Role};

use crate::{
    code::{self, Style},
    context::Context,
    id, instant, name,
    section::templates,
    system,
    xml::{Xml, is_visible},
};

/// Somebody who is named, as far as they are known.
pub(crate) struct Known<'a> {
    pub(crate) party: Option<&'a Party>,
    pub(crate) label: Option<String>,
    key: Cow<'a, str>,
}

impl<'a> Known<'a> {
    /// Whom a link names; none if it says nothing at all.
    pub(crate) fn of(context: &'a Context<'_>, link: &'a Link) -> Option<Self> {
        let party = context.facts.party(link);
        let label = context.label(link);
        let key = match context.facts.key(link) {
            Some(key) => Cow::Borrowed(key),
            // Named in words only: the same words are the same one.
            None => Cow::Owned(format!("named/{}", label.as_deref()?)),
        };
        Some(Self { party, label, key })
    }

    /// Its first id, by which it is known throughout the document, and the others.
    pub(crate) fn ids(&self, x: &mut Xml, context: &Context<'_>, all: bool) {
        let identifiers = self.party.map(|party| party.origin.identifiers.as_slice()).unwrap_or_default();
        let mut written = 0;
        // A social security number tells a reader nothing about who wrote something.
        for identifier in identifiers.iter().filter(|one| !is_private(one)) {
            if written == 0 || all {
                written += usize::from(id::write(x, identifier));
            }
        }
        if written == 0 {
            id::own(x, &context.request.namespace, &self.key);
        }
    }

    /// Notes that it is written in full now; says whether it was before.
    fn is_written(&self, context: &Context<'_>) -> bool {
        !context.state.written.borrow_mut().insert(self.key.clone().into_owned())
    }
}

/// Whether an identifier is nobody's business.
pub(crate) fn is_private(identifier: &charta_model::facts::Identifier) -> bool {
    identifier.system.as_deref() == Some("http://hl7.org/fhir/sid/us-ssn")
        || matches!(identifier.kind.as_deref(), Some("SS" | "SB"))
}

/// The author of a statement, and when it was written; nothing if nobody is named.
pub(crate) fn author(x: &mut Xml, context: &Context<'_>, link: Option<&Link>, time: Option<&Moment>) {
    let Some(known) = link.and_then(|link| Known::of(context, link)) else { return };
    x.element("author", &[], |x| {
        templates(x, ".4.119", &[""]);
        instant::point(x, "time", time);
        x.element("assignedAuthor", &[], |x| assigned(x, context, &known));
    });
}

/// The server as the author, where an author has to be.
pub(crate) fn server_author(x: &mut Xml, context: &Context<'_>, time: Option<&Moment>) {
    x.element("author", &[], |x| {
        templates(x, ".4.119", &[""]);
        instant::point(x, "time", time);
        x.element("assignedAuthor", &[], |x| id::own(x, &context.request.namespace, crate::header::DEVICE));
    });
}

/// Who recorded a fact: the one it names, else the one of its provenance.
pub(crate) fn recorder(
    x: &mut Xml,
    context: &Context<'_>,
    key: &str,
    link: Option<&Link>,
    time: Option<&Moment>,
) {
    let provenance = context.facts.provenances.get(key);
    let link = link.or_else(|| provenance.and_then(|one| one.author.as_ref()));
    let time = time.or_else(|| provenance.and_then(|one| one.recorded.as_ref()));
    author(x, context, link, time);
}

/// The inside of an assigned author.
fn assigned(x: &mut Xml, context: &Context<'_>, known: &Known<'_>) {
    let again = known.is_written(context);
    known.ids(x, context, !again);
    if again {
        return;
    }
    let party = known.party;
    specialty(x, party);
    contact(x, party);
    let label = known.label.as_deref();
    match party.map(|party| party.kind) {
        Some(PartyKind::Organization) => {
            // The guide wants a person; there is none.
            x.element("assignedPerson", &[], |x| x.empty("name", &[("nullFlavor", "NA")]));
            organization(x, "representedOrganization", context, known);
        }
        Some(PartyKind::Device) => x.element("assignedAuthoringDevice", &[], |x| {
            let label = label.unwrap_or("Unnamed device");
            x.leaf("manufacturerModelName", &[], label);
            x.leaf("softwareName", &[], label);
        }),
        _ => {
            let name = party.and_then(|party| party.names.first());
            x.element("assignedPerson", &[], |x| name::person(x, name, label));
        }
    }
    represented(x, context, party);
}

/// What somebody is by profession.
fn specialty(x: &mut Xml, party: Option<&Party>) {
    let specialties = party.map(|party| party.specialties.as_slice()).unwrap_or_default();
    let coded = |concept: &&Concept| code::has_system(concept, &[system::NUCC]);
    if let Some(specialty) = specialties.iter().find(coded) {
        let style = Style { prefer: &[system::NUCC], only: true, ..Style::default() };
        code::write(x, "code", specialty, style);
    }
}

fn contact(x: &mut Xml, party: Option<&Party>) {
    name::address(x, party.and_then(|party| party.addresses.first()));
    name::telecoms(x, party.map(|party| party.telecoms.as_slice()).unwrap_or_default());
}

/// Whom somebody acts for.
fn represented(x: &mut Xml, context: &Context<'_>, party: Option<&Party>) {
    let link = party
        .filter(|party| party.kind != PartyKind::Organization)
        .and_then(|party| party.organization.as_ref());
    if let Some(known) = link.and_then(|link| Known::of(context, link)) {
        organization(x, "representedOrganization", context, &known);
    }
}

/// An organization: ids, name, telecom, address.
pub(crate) fn organization(x: &mut Xml, element: &str, context: &Context<'_>, known: &Known<'_>) {
    x.element(element, &[], |x| {
        known.ids(x, context, true);
        match known.label.as_deref().filter(|label| is_visible(label)) {
            Some(label) => x.leaf("name", &[], label),
            None => x.empty("name", &[("nullFlavor", "UNK")]),
        }
        name::telecoms(x, known.party.map(|party| party.telecoms.as_slice()).unwrap_or_default());
        name::address(x, known.party.and_then(|party| party.addresses.first()));
    });
}

/// An assigned entity: of a performer, an informant, a verifier.
pub(crate) fn entity(x: &mut Xml, element: &str, context: &Context<'_>, known: &Known<'_>) {
    x.element(element, &[("classCode", if element == "assignedEntity" { "ASSIGNED" } else { "" })], |x| {
        entity_inside(x, context, known);
    });
}

fn entity_inside(x: &mut Xml, context: &Context<'_>, known: &Known<'_>) {
    known.ids(x, context, true);
    let party = known.party;
    specialty(x, party);
    contact(x, party);
    match party.map(|party| party.kind) {
        Some(PartyKind::Organization) => {
            x.element("assignedPerson", &[], |x| x.empty("name", &[("nullFlavor", "NA")]));
            organization(x, "representedOrganization", context, known);
        }
        _ => {
            let name = party.and_then(|party| party.names.first());
            x.element("assignedPerson", &[], |x| name::person(x, name, known.label.as_deref()));
            represented(x, context, party);
        }
    }
}

/// Those who did something.
pub(crate) fn performers(x: &mut Xml, context: &Context<'_>, roles: &[Role]) {
    for role in roles {
        if let Some(known) = Known::of(context, &role.party) {
            x.element("performer", &[("typeCode", "PRF")], |x| entity(x, "assignedEntity", context, &known));
        }
    }
}

/// On whose word something is said.
pub(crate) fn informant(x: &mut Xml, context: &Context<'_>, link: Option<&Link>) {
    let Some(known) = link.and_then(|link| Known::of(context, link)) else { return };
    let is_entity = known.party.is_some_and(|party| !party.is_related);
    if !is_entity {
        x.element("informant", &[], |x| {
            x.element("relatedEntity", &[("classCode", "PRS")], |x| {
                let name = known.party.and_then(|party| party.names.first());
                x.element("relatedPerson", &[], |x| name::person(x, name, known.label.as_deref()));
            });
        });
        return;
    }
    x.element("informant", &[], |x| entity(x, "assignedEntity", context, &known));
}

/// Where something happened.
///
/// C-CDA: Service Delivery Location.
pub(crate) fn place(x: &mut Xml, context: &Context<'_>, link: Option<&Link>) {
    let Some(link) = link else { return };
    let key = context.facts.key(link);
    let place = key.and_then(|key| context.facts.places.get(key));
    let label = context.label(link);
    if place.is_none() && label.is_none() {
        return;
    }
    x.element("participant", &[("typeCode", "LOC")], |x| {
        x.element("participantRole", &[("classCode", "SDLOC")], |x| {
            templates(x, ".4.32", &[""]);
            place_inside(x, context, place, key, label.as_deref());
        });
    });
}

fn place_inside(
    x: &mut Xml,
    context: &Context<'_>,
    place: Option<&Place>,
    key: Option<&str>,
    label: Option<&str>,
) {
    match (place, key) {
        (Some(place), _) => id::ids(x, &context.request.namespace, &place.origin, ""),
        (None, Some(key)) => id::own(x, &context.request.namespace, key),
        (None, None) => {}
    }
    let prefer = [system::HSLOC, system::PLACE_OF_SERVICE, system::SNOMED];
    let style = Style { prefer: &prefer, only: true, ..Style::default() };
    let kinds = place.map(|place| place.kinds.as_slice()).unwrap_or_default();
    let kind = kinds.iter().find(|kind| code::has_system(kind, &prefer)).or(kinds.first());
    code::write(x, "code", kind.unwrap_or(&Concept::default()), style);
    name::address(x, place.and_then(|place| place.address.as_ref()));
    name::telecoms(x, place.map(|place| place.telecoms.as_slice()).unwrap_or_default());
    if let Some(label) = label.filter(|label| is_visible(label)) {
        x.element("playingEntity", &[("classCode", "PLC")], |x| x.leaf("name", &[], label));
    }
}
