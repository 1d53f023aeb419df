//! Plans, goals, orders, documents, provenance.

use std::sync::Arc;

use charta_model::facts::{
    Activity, Appointment, Assessment, CarePlan, Coding, Concept, Content, Directive, DueImmunization, Facts,
    Goal, Link, Note, Onset, Order, Period, Provenance, Role,
};

use super::{clinical, links, observation, read::At};

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
    let code = code.or_else(|| item.concept("code")).or_else(|| at.at("oralDiet").concept("type"));
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

/// Codes of what is an advance directive.
const DIRECTIVES: [&str; 9] =
    ["42348-3", "84095-9", "81334-5", "75320-2", "86533-7", "92664-2", "64298-3", "93037-0", "acd"];

/// A document: an advance directive, or a note.
pub(super) fn document(facts: &mut Facts, at: At<'_>) {
    if !matches!(at.text("status").as_deref(), Some("current") | None) {
        return;
    }
    let kind = at.concept("type").unwrap_or_default();
    let categories = at.concepts("category");
    let context = at.at("context");
    let written = ["date", "indexed", "created"].iter().find_map(|name| at.moment(name));
    let contents = at.list("content").map(|at| content(at.at("attachment"))).collect();
    let author = at.link("author");
    let mut all = categories.iter().chain(std::iter::once(&kind));
    if all.any(|concept| concept.one_of(&DIRECTIVES).is_some()) {
        let verifiers = at.extensions("extension-DocumentReference.attester").filter_map(attester);
        facts.directives.push(Directive {
            origin: at.origin(),
            kind,
            value: None,
            period: context.period("period"),
            verifiers: verifiers
                .chain(at.list("attester").filter_map(|at| Some((at.link("party")?, at.moment("time")))))
                .collect(),
            custodian: at.link("custodian"),
            author,
            said: written,
            contents,
        });
        return;
    }
    facts.notes.push(Note {
        origin: at.origin(),
        kind,
        categories,
        title: at.text("description"),
        written,
        period: if at.at("period").is_there() { at.period("period") } else { context.period("period") },
        authors: at.links("author"),
        encounters: [context.links("encounter"), at.links("context")].concat(),
        contents,
    });
}

fn attester(at: At<'_>) -> Option<(Link, Option<charta_model::facts::Moment>)> {
    let part = |url: &str| at.list("extension").find(|at| at.text("url").as_deref() == Some(url));
    let time = part("time").and_then(|at| at.moment("valueDateTime"));
    Some((part("party")?.own_value()?.own_link()?, time))
}

/// An advance directive in the form of a consent.
pub(super) fn consent(facts: &mut Facts, at: At<'_>) {
    let kinds = at.concepts("category");
    let is_directive = kinds.iter().any(|kind| kind.one_of(&DIRECTIVES).is_some())
        || at.code("scope").as_deref() == Some("adr");
    if !is_directive || !matches!(at.text("status").as_deref(), Some("active") | None) {
        return;
    }
    facts.directives.push(Directive {
        origin: at.origin(),
        kind: kinds.into_iter().next().unwrap_or_default(),
        value: at.at("provision").concept("code"),
        period: at.at("provision").period("period"),
        verifiers: at
            .list("verification")
            .filter_map(|at| Some((at.link("verifiedWith")?, at.moment("verificationDate"))))
            .collect(),
        custodian: at.link("organization"),
        author: at.link("performer").or_else(|| at.link("grantor")),
        said: at.moment("dateTime").or_else(|| at.moment("date")),
        contents: at.list("sourceAttachment").map(content).collect(),
    });
}

/// An attachment.
pub(super) fn content(at: At<'_>) -> Content {
    Content {
        media_type: at.text("contentType"),
        base64: at.text("data"),
        url: at.text("url"),
        title: at.text("title"),
    }
}

/// A Binary.
pub(super) fn binary(at: At<'_>) -> Content {
    Content {
        media_type: at.text("contentType"),
        base64: at.text("data").or_else(|| at.text("content")),
        ..Content::default()
    }
}

/// Content that stands in another resource.
pub(super) fn linked(link: Option<Link>) -> Option<Content> {
    let link = link?;
    Some(Content { url: Some(link.target?), title: link.display, ..Content::default() })
}

/// Who recorded what it names.
pub(super) fn provenance(facts: &mut Facts, at: At<'_>) {
    let is_author =
        |at: &At<'_>| at.concepts("type").iter().chain(&at.concepts("role")).any(|kind| kind.has("author"));
    let agents: Vec<At<'_>> = at.list("agent").collect();
    let Some(agent) = agents.iter().find(|at| is_author(at)).or(agents.first()) else { return };
    let who = ["who", "whoReference", "actor"].iter().find_map(|name| agent.link(name));
    let organization = ["onBehalfOf", "onBehalfOfReference"].iter().find_map(|name| agent.link(name));
    let said = Arc::new(Provenance {
        recorded: at.moment("recorded"),
        author: who,
        organization,
        kind: agent.concept("type").and_then(|kind: Concept| kind.codings.into_iter().next()),
        identifiers: Vec::new(),
    });
    for target in at.list("target").filter_map(|at| at.text("reference")) {
        let link = Link { target: Some(links::target(&target, at.owner())), display: None };
        if let Some(key) = facts.key(&link).map(str::to_owned) {
            facts.provenances.entry(key).or_insert_with(|| Arc::clone(&said));
        }
    }
}
