//! Whose facts these are.

use charta_model::facts::{Coding, Concept, Moment, Party, Patient, Period};

use super::read::At;

pub(super) fn patient(at: At<'_>) -> Patient {
    let (races, races_detailed) = categories(at, "us-core-race");
    let (ethnicities, ethnicities_detailed) = categories(at, "us-core-ethnicity");
    let birth_place =
        ["patient-birthPlace", "birthPlace"].into_iter().map(|name| at.extension(name)).find(At::is_there);
    Patient {
        origin: at.origin(),
        names: at.names("name"),
        telecoms: at.telecoms("telecom"),
        addresses: at.addresses("address"),
        gender: at.text("gender"),
        birth: birth(at),
        is_deceased: at.flag("deceasedBoolean"),
        deceased_at: at.moment("deceasedDateTime"),
        marital_status: at.concept("maritalStatus"),
        races,
        races_detailed,
        ethnicities,
        ethnicities_detailed,
        religion: ["patient-religion", "us-core-religion", "religion"]
            .into_iter()
            .find_map(|name| at.extension(name).own_concept()),
        birth_place: birth_place.map(|at| at.own_address()),
        languages: at
            .list("communication")
            .filter_map(|at| Some((at.concept("language")?, at.flag("preferred"))))
            .collect(),
        birth_sex: at.extension("us-core-birthsex").own_text(),
        sex: at
            .extension("us-core-sex")
            .own_concept()
            .or_else(|| at.extension("us-core-individual-sex").own_concept()),
        gender_identities: identities(at),
        sexual_orientations: Vec::new(),
        tribes: at.extensions("us-core-tribal-affiliation").filter_map(tribe).collect(),
        pronouns: at
            .extensions("individual-pronouns")
            .filter_map(|at| part(at, "value").and_then(|at| at.own_concept()))
            .collect(),
        general_practitioners: ["generalPractitioner", "careProvider"]
            .into_iter()
            .flat_map(|name| at.links(name))
            .collect(),
        managing_organization: at.link("managingOrganization"),
        contacts: at.list("contact").enumerate().map(|(n, at)| contact(at, n)).collect(),
    }
}

/// The time of birth, if an extension tells it, else the date.
fn birth(at: At<'_>) -> Option<Moment> {
    let exact = at.at("_birthDate").extension("patient-birthTime").own_text();
    exact.and_then(|text| Moment::new(&text).ok()).or_else(|| at.moment("birthDate"))
}

/// The broad and the detailed categories of an extension of US Core. DSTU2 has one concept.
fn categories(at: At<'_>, name: &'static str) -> (Vec<Coding>, Vec<Coding>) {
    let parts = |url: &'static str| {
        let of = at.extensions(name).flat_map(move |at| at.list("extension").filter(move |at| is(*at, url)));
        of.filter_map(|at| Some(at.own_value()?.own_coding()))
            .filter(|coding| coding.code.is_some())
            .collect()
    };
    let broad: Vec<Coding> = parts("ombCategory");
    if !broad.is_empty() {
        return (broad, parts("detailed"));
    }
    (at.extension(name).list("coding").map(|at| at.own_coding()).collect(), Vec::new())
}

fn is(at: At<'_>, url: &str) -> bool {
    at.text("url").as_deref() == Some(url)
}

/// The value of a part of an extension.
fn part<'n>(at: At<'n>, url: &str) -> Option<At<'n>> {
    at.list("extension").find(|at| is(*at, url))?.own_value()
}

fn identities(at: At<'_>) -> Vec<(Concept, Period)> {
    let complex = at.extensions("individual-genderIdentity").filter_map(|at| {
        let period = part(at, "period").map(|at| at.own_period()).unwrap_or_default();
        Some((part(at, "value")?.own_concept()?, period))
    });
    let simple = at.extensions("us-core-genderIdentity").filter_map(|at| at.own_value()?.own_concept());
    complex.chain(simple.map(|concept| (concept, Period::default()))).collect()
}

fn tribe(at: At<'_>) -> Option<(Concept, Option<bool>)> {
    let enrolled =
        at.list("extension").find(|at| is(*at, "isEnrolled")).and_then(|at| at.flag("valueBoolean"));
    Some((part(at, "tribalAffiliation")?.own_concept()?, enrolled))
}

fn contact(at: At<'_>, n: usize) -> Party {
    let mut origin = at.origin();
    origin.key = format!("{}/contact/{n}", at.owner());
    Party {
        origin,
        names: at.names("name"),
        telecoms: at.telecoms("telecom"),
        addresses: at.addresses("address"),
        relationships: at.concepts("relationship"),
        organization: at.link("organization"),
        period: at.period("period"),
        is_related: true,
        ..Party::default()
    }
}
