//! Measurements, findings, answers, reports, specimens.

use charta_model::facts::{Measure, Moment, Observation, Onset, Period, Range, Report, Specimen, Value};

use super::{
    documents,
    read::{At, exact},
};

pub(super) fn observation(at: At<'_>) -> Observation {
    // Before R4 members are relations of a kind.
    let related = at.list("related").filter(|at| matches!(at.text("type").as_deref(), Some("has-member")));
    let members = at.links("hasMember").into_iter().chain(related.filter_map(|at| at.link("target")));
    Observation {
        origin: at.origin(),
        status: at.text("status"),
        categories: at.concepts("category"),
        measure: measure(at),
        effective: at.when(&["effective"]),
        issued: at.moment("issued"),
        performers: at.links("performer"),
        encounter: ["encounter", "context"].iter().find_map(|name| at.link(name)),
        specimen: at.link("specimen"),
        device: at.link("device"),
        body_site: at.concept("bodySite"),
        method: at.concept("method"),
        components: exact(at.list("component").map(measure)),
        members: exact(members),
        notes: at.notes(),
    }
}

fn measure(at: At<'_>) -> Measure {
    Measure {
        code: at.concept("code").unwrap_or_default(),
        value: value(at),
        absent_reason: at.concept("dataAbsentReason"),
        interpretations: at.concepts("interpretation"),
        ranges: exact(at.list("referenceRange").map(range)),
    }
}

/// The value, of whatever type.
pub(super) fn value(at: At<'_>) -> Option<Value> {
    choice(at, "value")
}

/// The choice element that begins with `name`.
pub(super) fn choice(at: At<'_>, name: &str) -> Option<Value> {
    let form = |of: &str| format!("{name}{of}");
    if let Some(quantity) = at.quantity(&form("Quantity")) {
        return Some(Value::Quantity(quantity));
    }
    if let Some(concept) = at.concept(&form("CodeableConcept")) {
        return Some(Value::Concept(concept));
    }
    if let Some(text) = at.text(&form("String")).or_else(|| at.text(&form("Time"))) {
        return Some(Value::Text(text));
    }
    if let Some(number) = at.text(&form("Integer")) {
        return Some(Value::Integer(number));
    }
    if let Some(flag) = at.flag(&form("Boolean")) {
        return Some(Value::Boolean(flag));
    }
    if let Some(range) = at.at(&form("Range")).own_range() {
        return Some(Value::Range(Box::new(range)));
    }
    if let Some(ratio) = at.at(&form("Ratio")).own_ratio() {
        return Some(Value::Ratio(Box::new(ratio)));
    }
    if let Some(moment) = at.moment(&form("DateTime")) {
        return Some(Value::Moment(moment));
    }
    let period = at.period(&form("Period"));
    if !period.is_empty() {
        return Some(Value::Period(period));
    }
    // Samples are numbers between blanks.
    at.at(&form("SampledData")).text("data").map(Value::Text)
}

fn range(at: At<'_>) -> Range {
    Range {
        low: at.quantity("low"),
        high: at.quantity("high"),
        text: at.text("text"),
        kind: at.concept("type").or_else(|| at.concept("meaning")),
    }
}

pub(super) fn report(at: At<'_>) -> Report {
    // STU3 has `codedDiagnosis`, and an actor within the performer.
    let performers = at.list("performer").filter_map(|at| at.link("actor").or_else(|| at.own_link()));
    let media = at.list("media").chain(at.list("image")).map(|at| documents::linked(at.link("link")));
    Report {
        origin: at.origin(),
        status: at.text("status"),
        categories: at.concepts("category"),
        code: at.concept("code").unwrap_or_default(),
        effective: match at.when(&["effective"]) {
            Some(Onset::At(moment)) => Period::at(moment),
            Some(Onset::During(period)) => period,
            _ => Period::default(),
        },
        issued: at.moment("issued"),
        performers: exact(performers.chain(at.links("resultsInterpreter"))),
        encounter: ["encounter", "context"].iter().find_map(|name| at.link(name)),
        specimens: at.links("specimen"),
        results: at.links("result"),
        conclusion: at.text("conclusion"),
        conclusion_codes: [at.concepts("conclusionCode"), at.concepts("codedDiagnosis")].concat(),
        contents: exact(at.list("presentedForm").map(documents::content).chain(media.flatten())),
    }
}

pub(super) fn specimen(at: At<'_>) -> Specimen {
    let collection = at.at("collection");
    Specimen {
        origin: at.origin(),
        kind: at.concept("type"),
        collected: collected(collection),
        body_site: collection.concept("bodySite"),
        conditions: at.concepts("condition"),
    }
}

fn collected(at: At<'_>) -> Option<Moment> {
    at.moment("collectedDateTime").or_else(|| at.period("collectedPeriod").start)
}
