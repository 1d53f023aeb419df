//! Whose document it is, and who belongs to them.
//!
//! Clause: C-CDA 2.1 USRealmHeader

use charta_model::facts::{Coding, Party, Patient};

use super::relationship;
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant, name, party,
    party::Known,
    section::templates,
    system,
    xml::Xml,
};

pub(super) fn record_target(x: &mut Xml, context: &Context<'_>) {
    let nobody = Patient::default();
    let patient = context.facts.patient.as_ref().unwrap_or(&nobody);
    x.element("recordTarget", &[], |x| {
        x.element("patientRole", &[], |x| {
            identifiers(x, context, patient);
            if patient.addresses.is_empty() {
                name::address(x, None);
            }
            for address in &patient.addresses {
                name::address(x, Some(address));
            }
            name::telecoms(x, &patient.telecoms);
            x.element("patient", &[], |x| person(x, patient));
            let managing = patient.managing_organization.as_ref();
            if let Some(known) = managing.and_then(|link| Known::of(context, link)) {
                party::organization(x, "providerOrganization", context, &known);
            }
        });
    });
}

/// Medical record numbers first. What the state numbers people by is left out.
fn identifiers(x: &mut Xml, context: &Context<'_>, patient: &Patient) {
    let mut identifiers: Vec<_> =
        patient.origin.identifiers.iter().filter(|one| !party::is_private(one)).collect();
    identifiers.sort_by_key(|identifier| identifier.kind.as_deref() != Some("MR"));
    for identifier in identifiers {
        id::write(x, identifier);
    }
    id::own(x, &context.request.namespace, &patient.origin.key);
}

fn person(x: &mut Xml, patient: &Patient) {
    let mut names: Vec<_> = patient.names.iter().collect();
    // The name that is in use comes first.
    names.sort_by_key(|name| matches!(name.usage.as_deref(), Some("old" | "maiden" | "temp")));
    if names.is_empty() {
        x.element("name", &[], |x| {
            x.empty("given", &[("nullFlavor", "UNK")]);
            x.empty("family", &[("nullFlavor", "UNK")]);
        });
    }
    for one in names {
        name::patient(x, one);
    }
    gender(x, patient.gender.as_deref());
    instant::point(x, "birthTime", patient.birth.as_ref());
    death(x, patient);
    if let Some(status) = &patient.marital_status
        && code::has_system(status, &[system::MARITAL])
    {
        code::write(
            x,
            "maritalStatusCode",
            status,
            Style { prefer: &[system::MARITAL], only: true, ..Style::default() },
        );
    }
    if let Some(religion) = &patient.religion
        && code::has_system(religion, &[system::RELIGION])
    {
        let style = Style { prefer: &[system::RELIGION], only: true, ..Style::default() };
        code::write(x, "religiousAffiliationCode", religion, style);
    }
    category(x, "raceCode", "sdtc:raceCode", &patient.races, &patient.races_detailed);
    category(
        x,
        "ethnicGroupCode",
        "sdtc:ethnicGroupCode",
        &patient.ethnicities,
        &patient.ethnicities_detailed,
    );
    guardians(x, patient);
    birth_place(x, patient);
    languages(x, patient);
}

fn gender(x: &mut Xml, gender: Option<&str>) {
    let (code, display) = match gender {
        Some("male") => ("M", "Male"),
        Some("female") => ("F", "Female"),
        Some("other") => ("UN", "Undifferentiated"),
        _ => return x.empty("administrativeGenderCode", &[("nullFlavor", "UNK")]),
    };
    Fixed(system::GENDER, code, display).plain(x, "administrativeGenderCode", "");
}

fn death(x: &mut Xml, patient: &Patient) {
    match (patient.is_deceased, &patient.deceased_at) {
        (_, Some(moment)) => {
            x.empty("sdtc:deceasedInd", &[("value", "true")]);
            instant::point(x, "sdtc:deceasedTime", Some(moment));
        }
        (Some(true), None) => {
            x.empty("sdtc:deceasedInd", &[("value", "true")]);
            instant::point(x, "sdtc:deceasedTime", None);
        }
        (Some(false), None) => x.empty("sdtc:deceasedInd", &[("value", "false")]),
        (None, None) => {}
    }
}

/// The first category, then the others and the details. Without a first there are no others.
fn category(x: &mut Xml, first: &str, more: &str, broad: &[Coding], detailed: &[Coding]) {
    let absent = |coding: &&Coding| matches!(coding.code.as_deref(), Some("UNK" | "ASKU" | "NASK"));
    let known: Vec<&Coding> = broad.iter().filter(|coding| !absent(coding)).collect();
    let is_omb = |coding: &Coding| {
        let omb = ["1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "2131-1", "2135-2", "2186-5"];
        coding.code.as_deref().is_some_and(|code| omb.contains(&code))
    };
    let main = known.iter().position(|coding| is_omb(coding));
    let wrote = main.is_some_and(|main| code::write_plain(x, first, known[main]));
    if !wrote {
        let flavor = match broad.iter().find_map(|coding| coding.code.as_deref().filter(|_| absent(&coding)))
        {
            Some("ASKU") => "ASKU",
            Some("NASK") => "NASK",
            _ => "UNK",
        };
        x.empty(first, &[("nullFlavor", flavor)]);
        return;
    }
    for (at, coding) in known.iter().enumerate() {
        if Some(at) != main {
            code::write_plain(x, more, coding);
        }
    }
    for coding in detailed {
        code::write_plain(x, more, coding);
    }
}

fn is_guardian(party: &Party) -> bool {
    party
        .relationships
        .iter()
        .any(|kind| kind.one_of(&["GUARD", "guardian", "N"]).is_some() && !kind.has("N"))
}

fn guardians(x: &mut Xml, patient: &Patient) {
    for guardian in patient.contacts.iter().filter(|party| is_guardian(party)) {
        x.element("guardian", &[], |x| {
            relationship::write(x, guardian);
            name::address(x, guardian.addresses.first());
            name::telecoms(x, &guardian.telecoms);
            let label = guardian.label();
            x.element("guardianPerson", &[], |x| name::person(x, guardian.names.first(), label.as_deref()));
        });
    }
}

fn birth_place(x: &mut Xml, patient: &Patient) {
    if let Some(place) = &patient.birth_place {
        x.element("birthplace", &[], |x| x.element("place", &[], |x| name::address(x, Some(place))));
    }
}

fn languages(x: &mut Xml, patient: &Patient) {
    for (language, is_preferred) in &patient.languages {
        let code = language
            .codings
            .iter()
            .filter_map(|coding| coding.code.as_deref())
            .find(|code| is_language(code));
        let Some(code) = code else { continue };
        x.element("languageCommunication", &[], |x| {
            x.empty("languageCode", &[("code", code)]);
            if let Some(is_preferred) = is_preferred {
                x.empty("preferenceInd", &[("value", if *is_preferred { "true" } else { "false" })]);
            }
        });
    }
}

/// Whether it looks like a language tag: `en`, `en-US`, `zh-Hans`.
fn is_language(code: &str) -> bool {
    let mut parts = code.split('-');
    let first = parts
        .next()
        .is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()));
    first
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// People who belong to the patient.
///
/// C-CDA: Related Person Relationship And Name Participant.
pub(super) fn related(x: &mut Xml, context: &Context<'_>) {
    let facts = context.facts;
    let contacts =
        facts.patient.iter().flat_map(|patient| &patient.contacts).filter(|party| !is_guardian(party));
    let mut people: Vec<&Party> = facts.parties.values().filter(|party| party.is_related).collect();
    people.sort_by(|a, b| a.origin.key.cmp(&b.origin.key));
    for person in contacts.chain(people) {
        if person.label().is_none() {
            continue;
        }
        x.element("participant", &[("typeCode", "IND")], |x| {
            templates(x, ".5.8", &["2023-05-01"]);
            x.element("associatedEntity", &[("classCode", "PRS")], |x| {
                relationship::write(x, person);
                name::address(x, person.addresses.first());
                name::telecoms(x, &person.telecoms);
                let label = person.label();
                x.element("associatedPerson", &[], |x| {
                    name::person(x, person.names.first(), label.as_deref())
                });
            });
        });
    }
}
