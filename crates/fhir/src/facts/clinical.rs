//! Allergies, conditions, immunizations, procedures, and what was said not to be.

use charta_model::facts::{
    Absence, Allergy, Concept, Condition, Facts, Immunization, Onset, Procedure, Reaction, Role, Topic,
};

use super::read::At;

/// Codes that say that nothing is known to be there.
const NO_ALLERGIES: [&str; 8] = [
    "716186003",
    "409137002",
    "429625007",
    "1003774007",
    "428607008",
    "160244002",
    "no-known-allergy",
    "no-known-allergies",
];
const NO_PROBLEMS: [&str; 2] = ["160245001", "no-known-problems"];

pub(super) fn allergy(facts: &mut Facts, at: At<'_>) {
    let code = at.concept("code").or_else(|| at.concept("substance")).unwrap_or_default();
    let recorded = ["recordedDate", "assertedDate"].iter().find_map(|name| at.moment(name));
    let recorder = at.link("recorder").or_else(|| participant(at, "author"));
    if code.one_of(&NO_ALLERGIES).is_some() {
        facts.absences.push(Absence {
            origin: at.origin(),
            topic: Topic::Allergies,
            text: code.label().map(str::to_owned),
            code,
            said: recorded,
            author: recorder,
        });
        return;
    }
    // DSTU2 has one status for both.
    let status = at.code("status");
    let verifying = |status: &String| ["unconfirmed", "confirmed", "refuted"].contains(&status.as_str());
    facts.allergies.push(Allergy {
        origin: at.origin(),
        code,
        clinical_status: at.code("clinicalStatus").or_else(|| status.clone().filter(|s| !verifying(s))),
        verification: at.code("verificationStatus").or_else(|| status.filter(verifying)),
        kind: at.code("type"),
        categories: at.list("category").filter_map(|at| at.own_text()).collect(),
        criticality: at.code("criticality"),
        onset: at.when(&["onset"]),
        resolved: at
            .extension("allergyintolerance-resolutionDate")
            .own_text()
            .and_then(|text| charta_model::facts::Moment::new(&text).ok()),
        last_occurrence: at.moment("lastOccurrence").or_else(|| at.moment("lastOccurence")),
        recorded,
        recorder,
        asserter: at
            .link("asserter")
            .or_else(|| at.link("reporter"))
            .or_else(|| participant(at, "informant")),
        reactions: at.list("reaction").chain(at.list("event")).map(reaction).collect(),
        notes: at.notes(),
    });
}

/// R5 has recorder and asserter among the participants.
fn participant(at: At<'_>, function: &str) -> Option<charta_model::facts::Link> {
    at.list("participant").find(|at| at.code("function").as_deref() == Some(function))?.link("actor")
}

fn reaction(at: At<'_>) -> Reaction {
    Reaction {
        manifestations: at.concepts("manifestation"),
        severity: at.code("severity"),
        onset: at.moment("onset"),
        description: at.text("description"),
        substance: at.concept("substance"),
    }
}

pub(super) fn condition(facts: &mut Facts, at: At<'_>) {
    let code = at.concept("code").unwrap_or_default();
    let recorded = ["recordedDate", "assertedDate", "dateRecorded", "dateAsserted"]
        .iter()
        .find_map(|name| at.moment(name));
    let recorder = at.link("recorder").or_else(|| participant(at, "author"));
    if code.one_of(&NO_PROBLEMS).is_some() {
        facts.absences.push(Absence {
            origin: at.origin(),
            topic: Topic::Problems,
            text: code.label().map(str::to_owned),
            code,
            said: recorded,
            author: recorder,
        });
        return;
    }
    let ended = at.flag("abatementBoolean") == Some(true);
    facts.conditions.push(Condition {
        origin: at.origin(),
        code,
        clinical_status: at.code("clinicalStatus"),
        verification: at.code("verificationStatus"),
        categories: at.concepts("category"),
        severity: at.concept("severity"),
        body_sites: at.concepts("bodySite"),
        onset: at.when(&["onset"]),
        abatement: at.when(&["abatement"]).or(ended.then_some(Onset::Unknown)),
        asserted: asserted(at),
        recorded,
        recorder,
        asserter: at.link("asserter").or_else(|| participant(at, "informant")),
        encounter: at.link("encounter").or_else(|| at.link("context")),
        stages: at.list("stage").filter_map(|at| at.concept("summary")).collect(),
        evidence: at
            .list("evidence")
            .flat_map(|at| {
                // In R5 the evidence is a CodeableReference itself.
                let inner = at.concepts("code");
                if inner.is_empty() { at.own_concept().into_iter().collect() } else { inner }
            })
            .collect(),
        notes: at.notes(),
    });
}

fn asserted(at: At<'_>) -> Option<charta_model::facts::Moment> {
    charta_model::facts::Moment::new(&at.extension("condition-assertedDate").own_text()?).ok()
}

/// Who took part, by `actor` and `function` of whatever name.
pub(super) fn performers(at: At<'_>) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for performer in at.list("performer") {
        let actor = performer.link("actor").or_else(|| performer.own_link());
        let role = ["function", "role", "type"].iter().find_map(|name| performer.concept(name));
        roles.extend(actor.map(|party| Role { party, role }));
    }
    roles
}

pub(super) fn immunization(at: At<'_>) -> Immunization {
    let protocol = at.any(&["protocolApplied", "vaccinationProtocol"]);
    let explanation = at.at("explanation");
    let dose_number = ["doseNumber", "doseNumberPositiveInt", "doseNumberString", "doseSequence"];
    let mut performers = performers(at);
    for practitioner in at.list("practitioner") {
        let party = practitioner.link("actor");
        performers.extend(party.map(|party| Role { party, role: practitioner.concept("role") }));
    }
    Immunization {
        origin: at.origin(),
        vaccine: at.concept("vaccineCode").unwrap_or_default(),
        is_not_done: at.flag("notGiven") == Some(true)
            || at.flag("wasNotGiven") == Some(true)
            || at.text("status").as_deref() == Some("not-done"),
        status: at.text("status"),
        status_reasons: [at.concepts("statusReason"), explanation.concepts("reasonNotGiven")].concat(),
        reasons: [at.concepts("reasonCode"), at.concepts("reason"), explanation.concepts("reason")].concat(),
        occurred: at.when(&["occurrence", "date"]),
        lot: at.text("lotNumber"),
        expires: at.moment("expirationDate"),
        manufacturer: at.link("manufacturer"),
        site: at.concept("site"),
        route: at.concept("route"),
        dose: at.quantity("doseQuantity"),
        dose_number: dose_number.iter().find_map(|name| protocol.text(name)),
        performers,
        place: at.link("location"),
        encounter: at.link("encounter"),
        reactions: at
            .list("reaction")
            .map(|at| Reaction {
                manifestations: at.concept("manifestation").into_iter().collect(),
                onset: at.moment("date"),
                ..Reaction::default()
            })
            .filter(|reaction| !reaction.manifestations.is_empty())
            .collect(),
        recorded: at.moment("recorded"),
        notes: at.notes(),
    }
}

pub(super) fn procedure(at: At<'_>) -> Procedure {
    let devices = at.list("focalDevice").filter_map(|at| at.link("manipulated")).chain(at.links("used"));
    Procedure {
        origin: at.origin(),
        code: at.concept("code").unwrap_or_default(),
        status: at.text("status"),
        is_not_done: at.flag("notDone") == Some(true)
            || at.flag("notPerformed") == Some(true)
            || at.text("status").as_deref() == Some("not-done"),
        performed: at.when(&["performed", "occurrence"]),
        body_sites: at.concepts("bodySite"),
        performers: performers(at),
        place: at.link("location"),
        encounter: at.link("encounter").or_else(|| at.link("context")),
        reasons: reasons(at),
        reason_links: reason_links(at),
        outcome: at.concept("outcome"),
        devices: devices.collect(),
        recorded: at.moment("recorded"),
        recorder: at.link("recorder"),
        notes: at.notes(),
    }
}

/// Why, in codes or words. R5 has `reason`; DSTU2 a choice.
pub(super) fn reasons(at: At<'_>) -> Vec<Concept> {
    ["reasonCode", "reason", "reasonCodeableConcept"]
        .iter()
        .flat_map(|name| {
            // A reference is no concept.
            let plain =
                at.list(name).filter(|at| at.text("reference").is_none() && !at.at("reference").is_there());
            plain.filter_map(|at| at.own_concept()).collect::<Vec<_>>()
        })
        .collect()
}

/// Why, by reference.
pub(super) fn reason_links(at: At<'_>) -> Vec<charta_model::facts::Link> {
    let codeable =
        at.list("reason").filter(|at| at.at("reference").is_there()).filter_map(|at| at.own_link());
    at.links("reasonReference").into_iter().chain(codeable).collect()
}

/// A list that says it is empty because there is nothing.
pub(super) fn list(facts: &mut Facts, at: At<'_>) {
    empty(facts, at, at.moment("date"), at.link("source"));
}

/// The sections of a document that say so.
pub(super) fn composition(facts: &mut Facts, at: At<'_>) {
    for section in at.list("section") {
        empty(facts, section, at.moment("date"), at.link("author"));
    }
}

fn empty(
    facts: &mut Facts,
    at: At<'_>,
    said: Option<charta_model::facts::Moment>,
    author: Option<charta_model::facts::Link>,
) {
    let Some(code) = at.concept("code") else { return };
    if at.code("emptyReason").as_deref() != Some("nilknown") {
        return;
    }
    let topic = match code.one_of(&[
        "52473-6",
        "48765-2",
        "11450-4",
        "10160-0",
        "52471-0",
        "29549-3",
        "allergies",
        "problems",
        "medications",
    ]) {
        Some("52473-6" | "48765-2" | "allergies") => Topic::Allergies,
        Some("11450-4" | "problems") => Topic::Problems,
        Some(_) => Topic::Medications,
        None => return,
    };
    facts.absences.push(Absence {
        origin: at.origin(),
        topic,
        text: None,
        code: Concept::default(),
        said,
        author,
    });
}
