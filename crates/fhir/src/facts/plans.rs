//! Plans, goals, orders, appointments, and what clinicians make of the findings.

use charta_model::facts::{
    Activity, Appointment, Assessment, CarePlan, Coding, Concept, DueImmunization, Facts, Goal, Onset, Order,
    Period, Role,
};

use super::{clinical, observation, read::At};

pub(super) fn care_plan(facts: &mut Facts, at: At<'_>) {
    let plan = CarePlan {
        origin: at.origin(),
        status: at.text("status"),
        intent: at.text("intent"),
        categories: at.concepts("category"),
        title: at.text("title"),
        description: at.text("description"),
        narrative: at.at("text").text("div"),
        period: at.period("period"),
        author: ["author", "custodian", "contributor"].iter().find_map(|name| at.link(name)),
        created: at.moment("created").or_else(|| at.moment("modified")),
        addresses: at.links("addresses"),
        activities: at.list("activity").filter_map(activity).collect(),
        notes: at.notes(),
    };
    facts.plans.push(plan);
}

/// A step of a plan, planned or done.
fn activity(at: At<'_>) -> Option<Activity> {
    let detail = at.any(&["detail", "plannedActivityDetail"]);
    // R5 has no detail; what was done stands where the others have what came of it.
    let performed = at.concepts("performedActivity");
    let outcomes = at.concepts("outcomeCodeableConcept");
    if !detail.is_there() {
        let code = performed.into_iter().next()?;
        return Some(Activity { code, status: Some("completed".to_owned()), ..Activity::default() });
    }
    Some(Activity {
        code: detail.concept("code").unwrap_or_default(),
        status: detail.text("status"),
        description: detail.text("description"),
        scheduled: match detail.when(&["scheduled"]) {
            Some(Onset::At(moment)) => Period { start: Some(moment), end: None },
            Some(Onset::During(period)) => period,
            _ => Period::default(),
        },
        place: detail.link("location"),
        outcomes,
        goals: detail.links("goal"),
    })
}

/// DSTU2 calls the author assessor, R5 performer.
pub(super) fn assessment(at: At<'_>) -> Assessment {
    let findings = || at.list("finding");
    let items = |at: At<'_>| ["itemCodeableConcept", "item"].iter().find_map(|name| at.concept(name));
    let linked = |at: At<'_>| ["itemReference", "item"].iter().find_map(|name| at.link(name));
    Assessment {
        origin: at.origin(),
        code: at.concept("code"),
        description: at.text("description"),
        summary: at.text("summary"),
        period: match at.when(&["effective"]) {
            Some(Onset::At(moment)) => Period::at(moment),
            Some(Onset::During(period)) => period,
            _ => Period::default(),
        },
        made: at.moment("date"),
        author: ["assessor", "performer"].iter().find_map(|name| at.link(name)),
        encounter: ["encounter", "context"].iter().find_map(|name| at.link(name)),
        findings: findings().filter_map(items).collect(),
        finding_links: findings().filter_map(linked).collect(),
        prognoses: [
            at.concepts("prognosisCodeableConcept"),
            at.text("prognosis").map(Concept::of_text).into_iter().collect(),
        ]
        .concat(),
        notes: at.notes(),
    }
}

/// The code for when a vaccine is due; the other dates say when it may be given, or when it is too late.
const DUE: &str = "30980-7";

pub(super) fn due_immunizations(at: At<'_>) -> Vec<DueImmunization> {
    let one = |(number, of): (usize, At<'_>)| {
        let is_due = |at: &At<'_>| at.concept("code").is_some_and(|code| code.has(DUE) || code.has("due"));
        let due = of.list("dateCriterion").find(is_due).and_then(|at| at.moment("value"));
        DueImmunization {
            origin: at.origin(),
            number,
            vaccines: of.concepts("vaccineCode"),
            diseases: of.concepts("targetDisease"),
            due,
            status: of.concept("forecastStatus"),
            reasons: of.concepts("forecastReason"),
            description: of.text("description"),
            made: at.moment("date").or_else(|| of.moment("date")),
            author: at.link("authority"),
        }
    };
    at.list("recommendation").enumerate().map(one).collect()
}

pub(super) fn goal(at: At<'_>) -> Goal {
    let target = at.at("target");
    let due = ["dueDate", "dueDateTime"].iter().find_map(|name| target.moment(name));
    Goal {
        origin: at.origin(),
        status: at.text("lifecycleStatus").or_else(|| at.text("status")),
        description: at.concept("description").unwrap_or_default(),
        start: at.moment("startDate"),
        due: due.or_else(|| at.moment("targetDate")),
        measure: target.concept("measure"),
        target: observation::choice(target, "detail"),
        author: ["expressedBy", "source", "author"].iter().find_map(|name| at.link(name)),
        said: at.moment("statusDate"),
        addresses: at.links("addresses"),
        notes: at.notes(),
    }
}

pub(super) fn order(facts: &mut Facts, at: At<'_>) {
    let item = at.at("item");
    let code = ["code", "type"].iter().find_map(|name| at.concept(name));
    let code = code
        .or_else(|| item.concept("code"))
        .or_else(|| at.concept("device"))
        .or_else(|| at.at("oralDiet").concept("type"));
    let occurrence = match at.when(&["occurrence", "scheduled"]) {
        Some(Onset::At(moment)) => Period { start: Some(moment), end: None },
        Some(Onset::During(period)) => period,
        _ => Period::default(),
    };
    let author = ["requester", "orderer"].iter().find_map(|name| {
        // In STU3 the requester has an agent.
        at.at(name).link("agent").or_else(|| at.link(name))
    });
    facts.orders.push(Order {
        origin: at.origin(),
        status: at.text("status"),
        intent: at.text("intent"),
        categories: if at.text("resourceType").as_deref() == Some("ReferralRequest") {
            vec![referral()]
        } else {
            at.concepts("category")
        },
        code: code.or_else(|| at.concept("codeCodeableConcept")).unwrap_or_default(),
        details: at.concepts("orderDetail"),
        is_not_to_do: at.flag("doNotPerform") == Some(true),
        is_referral: is_referral(at),
        is_supply: matches!(at.text("resourceType").as_deref(), Some("DeviceRequest" | "DeviceUseRequest")),
        quantity: at.text("quantity"),
        recipients: ["recipient", "performer"].iter().flat_map(|name| at.links(name)).collect(),
        occurrence,
        authored: ["authoredOn", "orderedOn", "dateTime", "date"].iter().find_map(|name| at.moment(name)),
        author,
        reasons: clinical::reasons(at),
        reason_links: clinical::reason_links(at),
        patient_instruction: at.text("patientInstruction"),
        notes: at.notes(),
    });
}

/// Categories by which an order is a referral: SNOMED CT's for the patient, and for a service.
const REFERRALS: [&str; 3] = ["3457005", "306206005", "referral"];

/// What R4 says with a category, which its resource type says until then.
fn referral() -> Concept {
    let text = |text: &str| Some(text.to_owned());
    let coding = Coding {
        system: text("http://snomed.info/sct"),
        code: text("3457005"),
        display: text("Patient referral"),
    };
    Concept { codings: vec![coding], text: None }
}

fn is_referral(at: At<'_>) -> bool {
    let is_kind = at.concepts("category").iter().any(|kind| kind.one_of(&REFERRALS).is_some());
    is_kind || at.text("resourceType").as_deref() == Some("ReferralRequest")
}

pub(super) fn appointment(at: At<'_>) -> Appointment {
    let performer = |at: At<'_>| {
        let party = at.link("actor")?;
        let is_patient = party.target.as_deref().is_some_and(|target| target.starts_with("Patient/"));
        (!is_patient).then(|| Role { party, role: at.concept("type") })
    };
    Appointment {
        origin: at.origin(),
        status: at.text("status"),
        kinds: ["serviceType", "appointmentType", "type"].iter().flat_map(|name| at.concepts(name)).collect(),
        description: at.text("description").or_else(|| at.text("comment")),
        period: at.own_period(),
        performers: at.list("participant").filter_map(performer).collect(),
        reasons: clinical::reasons(at),
    }
}
