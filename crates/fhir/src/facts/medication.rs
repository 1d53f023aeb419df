//! What was ordered, stated, given and dispensed.

use charta_model::facts::{
    Absence, Administration, Concept, Dispense, Dosage, Drug, Facts, Link, Medication, MedicationKind,
    Moment, Period, Supply, Timing, Topic,
};

use super::{clinical, read::At};

const NO_MEDICATIONS: [&str; 3] = ["no-known-medications", "787481004", "182904002"];

/// What it is: a concept, a reference, or a CodeableReference of R5.
fn what(at: At<'_>) -> (Concept, Option<Link>) {
    let medication = at.at("medication");
    let concept = at.concept("medicationCodeableConcept").or_else(|| medication.concept("concept"));
    let link = at.link("medicationReference").or_else(|| {
        (medication.at("reference").is_there() && medication.at("concept").is_there())
            .then(|| medication.own_link())?
            .or_else(|| medication.own_link())
    });
    let link = link.or_else(|| if concept.is_none() { medication.own_link() } else { None });
    (concept.unwrap_or_default(), link)
}

pub(super) fn medication(facts: &mut Facts, at: At<'_>) {
    let kind = match at.text("resourceType").as_deref() {
        Some("MedicationStatement" | "MedicationUsage") => MedicationKind::Statement,
        _ if is_taken_by_itself(at) => MedicationKind::Statement,
        _ => MedicationKind::Order,
    };
    let (code, drug) = what(at);
    let authored = ["authoredOn", "dateWritten", "dateAsserted"].iter().find_map(|name| at.moment(name));
    let author = ["requester", "informationSource", "prescriber", "recorder"].iter().find_map(|name| {
        // In STU3 the requester has an agent.
        at.at(name).link("agent").or_else(|| at.link(name))
    });
    if code.one_of(&NO_MEDICATIONS).is_some() {
        let text = code.label().map(str::to_owned);
        let topic = Topic::Medications;
        facts.absences.push(Absence { origin: at.origin(), topic, text, code, said: authored, author });
        return;
    }
    let status = at.text("status");
    let not_taken = at.text("taken").as_deref() == Some("n") || status.as_deref() == Some("not-taken");
    facts.medications.push(Medication {
        origin: at.origin(),
        kind,
        is_not_taken: not_taken
            || at.flag("doNotPerform") == Some(true)
            || at.flag("wasNotTaken") == Some(true)
            || at.at("adherence").code("code").as_deref() == Some("not-taking"),
        status,
        intent: at.text("intent"),
        code,
        drug,
        effective: effective(at),
        authored,
        author,
        encounter: ["encounter", "context"].iter().find_map(|name| at.link(name)),
        reasons: [clinical::reasons(at), at.concepts("reasonForUseCodeableConcept")].concat(),
        reason_links: [clinical::reason_links(at), at.links("reasonForUseReference")].concat(),
        dosages: dosages(at),
        supply: supply(at.at("dispenseRequest")),
        adherence: adherence(at),
        based_on: [at.links("basedOn"), at.links("partOf")].concat(),
        notes: at.notes(),
    });
}

/// Whether an order says what somebody reports to take, as US Core has what is bought without prescription.
fn is_taken_by_itself(at: At<'_>) -> bool {
    let is_reported = ["reportedBoolean", "reported"].iter().any(|name| at.flag(name) == Some(true))
        || at.link("reportedReference").is_some();
    is_reported && at.text("intent").as_deref() == Some("plan")
}

/// From when until when.
fn effective(at: At<'_>) -> Period {
    for name in ["effectivePeriod", "effectiveTimePeriod", "occurencePeriod", "occurrencePeriod"] {
        let period = at.period(name);
        if !period.is_empty() {
            return period;
        }
    }
    let names = ["effectiveDateTime", "effectiveTimeDateTime", "occurenceDateTime", "occurrenceDateTime"];
    let point = names.iter().find_map(|name| at.moment(name));
    point.map(Period::at).unwrap_or_default()
}

fn adherence(at: At<'_>) -> Vec<(Concept, Option<Moment>)> {
    let of = at.extensions("us-core-medication-adherence").filter_map(|at| {
        let part = |url: &str| at.list("extension").find(|at| at.text("url").as_deref() == Some(url));
        let said = part("dateAsserted").and_then(|at| at.moment("valueDateTime"));
        Some((part("medicationAdherence")?.own_value()?.own_concept()?, said))
    });
    of.collect()
}

fn supply(at: At<'_>) -> Option<Supply> {
    at.is_there().then(|| Supply {
        quantity: at.quantity("quantity"),
        repeats: at.text("numberOfRepeatsAllowed"),
        duration: at.quantity("expectedSupplyDuration"),
        validity: at.period("validityPeriod"),
    })
}

fn dosages(at: At<'_>) -> Vec<Dosage> {
    at.list("dosageInstruction").chain(at.list("dosage")).map(dosage).collect()
}

fn dosage(at: At<'_>) -> Dosage {
    // From R4 dose and rate stand together; before, beside the rest.
    let amount = if at.at("doseAndRate").is_there() { at.at("doseAndRate") } else { at };
    let max = at.any(&["maxDosePerPeriod"]);
    Dosage {
        text: at.text("text"),
        patient_instruction: at.text("patientInstruction"),
        additional: [at.concepts("additionalInstruction"), at.concepts("additionalInstructions")].concat(),
        timing: timing(at.at("timing")),
        is_as_needed: at.flag("asNeededBoolean") == Some(true) || at.flag("asNeeded") == Some(true),
        as_needed_for: [at.concepts("asNeededCodeableConcept"), at.concepts("asNeededFor")].concat(),
        route: at.concept("route"),
        site: at.concept("site").or_else(|| at.concept("siteCodeableConcept")),
        method: at.concept("method"),
        dose: amount
            .quantity("doseQuantity")
            .or_else(|| amount.quantity("doseSimpleQuantity"))
            .or_else(|| amount.quantity("quantity"))
            .or_else(|| amount.quantity("quantityQuantity"))
            .or_else(|| amount.quantity("dose")),
        dose_range: amount.any(&["doseRange", "quantityRange"]).own_range(),
        rate: ["rateQuantity", "rateSimpleQuantity"].iter().find_map(|name| amount.quantity(name)),
        rate_ratio: amount.at("rateRatio").own_ratio(),
        max: max.own_ratio(),
    }
}

fn timing(at: At<'_>) -> Timing {
    let repeat = at.at("repeat");
    Timing {
        code: at.concept("code"),
        bounds: repeat.period("boundsPeriod"),
        duration: repeat.quantity("boundsDuration").or_else(|| repeat.quantity("boundsQuantity")),
        frequency: repeat.text("frequency"),
        period: repeat.text("period"),
        period_max: repeat.text("periodMax"),
        period_unit: repeat.text("periodUnit").or_else(|| repeat.text("periodUnits")),
        when: repeat.texts("when"),
        offset_minutes: repeat.text("offset"),
        events: at.texts("event").iter().filter_map(|text| Moment::new(text).ok()).collect(),
    }
}

pub(super) fn drug(at: At<'_>) -> Drug {
    let batch = at.any(&["batch"]);
    let old_batch = at.at("package").at("batch");
    Drug {
        code: at.concept("code").unwrap_or_default(),
        manufacturer: at.link("manufacturer").or_else(|| at.link("marketingAuthorizationHolder")),
        lot: batch.text("lotNumber").or_else(|| old_batch.text("lotNumber")),
    }
}

pub(super) fn administration(at: At<'_>) -> Administration {
    let (code, drug) = what(at);
    Administration {
        origin: at.origin(),
        status: at.text("status"),
        is_not_done: at.flag("notGiven") == Some(true)
            || at.flag("wasNotGiven") == Some(true)
            || at.text("status").as_deref() == Some("not-done"),
        code,
        drug,
        effective: effective(at),
        encounter: ["encounter", "context"].iter().find_map(|name| at.link(name)),
        request: ["request", "prescription"].iter().find_map(|name| at.link(name)),
        dosage: dosages(at).into_iter().next(),
        performers: clinical::performers(at),
        reasons: clinical::reasons(at),
        reason_links: clinical::reason_links(at),
        notes: at.notes(),
    }
}

pub(super) fn dispense(at: At<'_>) -> Dispense {
    let (code, drug) = what(at);
    Dispense {
        origin: at.origin(),
        status: at.text("status"),
        code,
        drug,
        requests: at.links("authorizingPrescription"),
        kind: at.concept("type"),
        quantity: at.quantity("quantity"),
        days: at.quantity("daysSupply"),
        when: at.moment("whenHandedOver").or_else(|| at.moment("whenPrepared")),
        performers: [clinical::performers(at), dispensers(at)].concat(),
        dosages: dosages(at),
        notes: at.notes(),
    }
}

/// DSTU2 has one dispenser.
fn dispensers(at: At<'_>) -> Vec<charta_model::facts::Role> {
    let party = at.link("dispenser");
    party.into_iter().map(|party| charta_model::facts::Role { party, role: None }).collect()
}
