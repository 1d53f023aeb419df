//! Plan of Treatment: care plans, orders, appointments, planned encounters and medication.
//!
//! Clause: C-CDA 2.1 PlanOfTreatmentSection

mod care_plans;
mod immunizations;
mod supplies;

use charta_model::facts::{
    Activity, Appointment, CarePlan, Concept, DueImmunization, Encounter, Medication, Moment, Order, Period,
    Topic,
};

use super::{
    entries::{self, Reasons},
    medications,
};
use crate::{
    code::{self, Style},
    context::Context,
    id, instant,
    instant::Open,
    layout, party,
    section::{Kind, Pieces, Section, templates},
    system,
};

static KIND: Kind = Kind {
    topic: Topic::Plan,
    templates: &[(".2.10", &["", "2014-06-09"])],
    code: ("18776-5", "Plan of care note"),
    title: "Plan of Treatment",
    prefix: "plan",
    columns: &["Planned", "Details", "Time", "Status", "By", "Reason", "Comment"],
    is_required: false,
    is_limited: false,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let facts = context.facts;
    let mut plans: Vec<&CarePlan> = facts.plans.iter().filter(|one| is_plan_shown(context, one)).collect();
    plans.sort_by_cached_key(|one| instant::newest(one.period.start.as_ref().or(one.created.as_ref())));
    for plan in plans {
        care_plans::write(&mut section, context, plan);
    }
    let mut orders: Vec<&Order> = facts.orders.iter().filter(|one| is_order_shown(context, one)).collect();
    orders.sort_by_cached_key(|one| instant::newest(one.occurrence.start.as_ref().or(one.authored.as_ref())));
    for one in orders {
        order(&mut section, context, one);
    }
    for &at in &context.layout.planned_medications {
        medication(&mut section, context, &facts.medications[at]);
    }
    let known = |one: &&DueImmunization| is_known_by_then(context, one.made.as_ref(), one.due.as_ref());
    for one in facts.due_immunizations.iter().filter(known) {
        immunizations::write(&mut section, context, one);
    }
    let booked = |one: &&Appointment| {
        matches!(one.status.as_deref(), Some("proposed" | "pending" | "booked" | "waitlist") | None)
    };
    for one in facts.appointments.iter().filter(booked) {
        let label =
            one.kinds.iter().find_map(Concept::label).or(one.description.as_deref()).unwrap_or("Appointment");
        let kind = one.kinds.first().cloned().unwrap_or_else(|| Concept::of_text(label));
        let details = one.description.as_deref().filter(|text| *text != label).unwrap_or_default();
        let visit = Visit {
            origin: &one.origin,
            kind: &kind,
            period: &one.period,
            status: one.status.as_deref(),
            details,
        };
        encounter(&mut section, context, &visit, &context.labels(&one.performers), &one.reasons);
    }
    let planned = |one: &&Encounter| one.status.as_deref() == Some("planned");
    for one in facts.encounters.iter().filter(planned) {
        let kind = one
            .kinds
            .first()
            .or(one.class.as_ref())
            .cloned()
            .unwrap_or_else(|| Concept::of_text("Encounter"));
        let visit = Visit {
            origin: &one.origin,
            kind: &kind,
            period: &one.period,
            status: Some("planned"),
            details: "",
        };
        encounter(&mut section, context, &visit, &context.labels(&one.performers), &one.reasons);
    }
    section.finish()
}

pub(super) fn is_plan_shown(context: &Context<'_>, one: &CarePlan) -> bool {
    let limits = &context.layout.limits;
    let start = one.period.start.as_ref().or(one.created.as_ref());
    match one.status.as_deref() {
        Some("cancelled" | "revoked" | "rejected") => false,
        Some("completed" | "inactive") => limits.overlaps(&one.period),
        _ => is_known_by_then(context, one.created.as_ref(), start),
    }
}

/// Whether what is to come was known at the end of the time: it was made by then, or nobody asked for an end.
fn is_known_by_then(context: &Context<'_>, made: Option<&Moment>, start: Option<&Moment>) -> bool {
    let limits = &context.layout.limits;
    match made {
        Some(_) => limits.has_begun(made),
        None => context.request.end.is_none() || limits.has_begun(start),
    }
}

/// Whether it is still to be carried out.
pub(super) fn is_open(one: &Order) -> bool {
    one.status.as_deref() != Some("completed")
}

/// Whether a step of a plan was carried out; it stands among the interventions then.
pub(super) fn is_done(one: &Activity) -> bool {
    one.status.as_deref() == Some("completed")
}

pub(super) fn is_order_shown(context: &Context<'_>, one: &Order) -> bool {
    let limits = &context.layout.limits;
    match one.status.as_deref() {
        Some("cancelled" | "revoked" | "rejected" | "suspended" | "aborted") => false,
        Some("completed") => {
            let start = one.occurrence.start.clone().or_else(|| one.authored.clone());
            limits.touches(&Period { start, end: one.occurrence.end.clone() })
        }
        _ => is_known_by_then(context, one.authored.as_ref(), one.occurrence.start.as_ref()),
    }
}

/// What an order is for: which statement of the plan says it.
fn form(one: &Order) -> (&'static str, &'static str, &'static str, &'static [&'static str]) {
    let is = |codes: &[&str]| one.categories.iter().any(|category| category.one_of(codes).is_some());
    if is(&["108252007", "laboratory", "LAB"]) {
        ("observation", "OBS", ".4.44", &["", "2014-06-09"])
    } else {
        // An act would say it better for some; see `whole`.
        ("procedure", "PROC", ".4.41", &["", "2014-06-09", "2022-06-01"])
    }
}

/// C-CDA: Planned Procedure.
/// C-CDA: Planned Observation.
fn order(section: &mut Section<'_>, context: &Context<'_>, one: &Order) {
    let mut row = section.row();
    let label = one.code.label().unwrap_or("Order");
    let name =
        row.cell(&if one.is_not_to_do { format!("Not to be done: {label}") } else { label.to_owned() });
    let details = one.details.iter().chain(&one.categories).filter_map(Concept::label).map(str::to_owned);
    let quantity = one.quantity.iter().map(|amount| format!("quantity {amount}"));
    row.plain(&details.chain(quantity).collect::<Vec<_>>().join(", "));
    let when = instant::human_period(&one.occurrence);
    let made =
        one.authored.as_ref().map(|moment| format!("ordered {}", instant::human(moment))).unwrap_or_default();
    row.plain([when, made].join(" ").trim());
    row.plain(one.status.as_deref().unwrap_or_default());
    row.plain(&one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    let reasons = Reasons::of(context, &one.reasons, &one.reason_links);
    let reason_anchors = row.cells(&reasons.lines);
    let lines: Vec<String> = one.patient_instruction.iter().chain(&one.notes).cloned().collect();
    let comments = row.cells(&lines);
    let anchor = row.anchor();
    section.push(row);
    if one.is_supply && !one.is_not_to_do {
        let anchors = supplies::Anchors {
            row: &anchor,
            name: name.as_ref(),
            reasons: &reason_anchors,
            comments: &comments,
        };
        return section.entry(one.origin.place, |x| supplies::write(x, context, one, &reasons, &anchors));
    }
    let (element, class, root, extensions) = form(one);
    section.entry(one.origin.place, |x| {
        let negation = if one.is_not_to_do { "true" } else { "" };
        x.element(element, &[("classCode", class), ("moodCode", "RQO"), ("negationInd", negation)], |x| {
            templates(x, root, extensions);
            id::ids(x, &context.request.namespace, &one.origin, "");
            let prefer = [system::SNOMED, system::LOINC, system::CPT, system::HCPCS];
            code::write(
                x,
                "code",
                &one.code,
                Style { prefer: &prefer, anchor: name.as_ref(), ..Style::default() },
            );
            anchor.text(x);
            x.empty("statusCode", &[("code", "active")]);
            if !one.occurrence.is_empty() {
                let Period { start, end } = &one.occurrence;
                match end {
                    None => instant::point(x, "effectiveTime", start.as_ref()),
                    _ => instant::period(x, "effectiveTime", &one.occurrence),
                }
            }
            party::recorder(x, context, &one.origin.key, one.author.as_ref(), one.authored.as_ref());
            reasons.write(x, context, &one.origin.key, &reason_anchors, true);
            entries::comments(x, &comments);
        });
    });
}

/// C-CDA: Planned Medication Activity.
fn medication(section: &mut Section<'_>, context: &Context<'_>, one: &Medication) {
    let code = context.medication(&one.code, one.drug.as_ref());
    let period = layout::medication_period(one);
    let mut row = section.row();
    let name = row.cell(code.label().unwrap_or("Medication not named"));
    row.plain(&one.dosages.iter().map(medications::sig).collect::<Vec<_>>().join("; "));
    row.plain(&instant::human_period(&period));
    let parts = [one.status.as_deref(), one.intent.as_deref()];
    row.plain(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    row.plain(&one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    let reasons = Reasons::of(context, &one.reasons, &one.reason_links);
    row.plain(&reasons.lines.join(", "));
    let comments = row.cells(&one.notes);
    let anchor = row.anchor();
    section.push(row);
    section.entry(one.origin.place, |x| {
        let negation = if one.is_not_taken { "true" } else { "" };
        let attributes = [("classCode", "SBADM"), ("moodCode", "INT"), ("negationInd", negation)];
        x.element("substanceAdministration", &attributes, |x| {
            templates(x, ".4.42", &["", "2014-06-09"]);
            id::ids(x, &context.request.namespace, &one.origin, "");
            anchor.text(x);
            x.empty("statusCode", &[("code", "active")]);
            instant::interval(
                x,
                "effectiveTime",
                "IVL_TS",
                period.start.as_ref(),
                period.end.as_ref(),
                Open::Silent,
            );
            if let Some(dosage) = one.dosages.first() {
                if let Some(way) = &dosage.route {
                    medications::route(x, way);
                }
                if let Some(dose) = &dosage.dose {
                    medications::dose_quantity(x, dose);
                }
            }
            x.element("consumable", &[], |x| {
                medications::product(x, context, &code, one.drug.as_ref(), name.as_ref());
            });
            party::recorder(x, context, &one.origin.key, one.author.as_ref(), one.authored.as_ref());
            entries::comments(x, &comments);
        });
    });
}

/// An encounter that is to come.
struct Visit<'a> {
    origin: &'a charta_model::facts::Origin,
    kind: &'a Concept,
    period: &'a Period,
    status: Option<&'a str>,
    details: &'a str,
}

/// C-CDA: Planned Encounter.
fn encounter(
    section: &mut Section<'_>,
    context: &Context<'_>,
    visit: &Visit<'_>,
    who: &str,
    reasons: &[Concept],
) {
    let mut row = section.row();
    let name = row.cell(visit.kind.label().unwrap_or("Encounter"));
    row.plain(visit.details);
    row.plain(&instant::human_period(visit.period));
    row.plain(visit.status.unwrap_or_default());
    row.plain(who);
    row.plain(&reasons.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", "));
    let anchor = row.anchor();
    section.push(row);
    section.entry(visit.origin.place, |x| {
        x.element("encounter", &[("classCode", "ENC"), ("moodCode", "INT")], |x| {
            templates(x, ".4.40", &["", "2014-06-09"]);
            id::ids(x, &context.request.namespace, visit.origin, "");
            let prefer = [system::SNOMED, system::CPT];
            code::write(
                x,
                "code",
                visit.kind,
                Style { prefer: &prefer, anchor: name.as_ref(), ..Style::default() },
            );
            anchor.text(x);
            x.empty("statusCode", &[("code", "active")]);
            if !visit.period.is_empty() {
                instant::period(x, "effectiveTime", visit.period);
            }
        });
    });
}
