//! Procedures, done and not done.
//!
//! Clause: C-CDA 2.1 ProceduresSection

use charta_model::facts::{Concept, Link, Procedure, Topic};

use super::{
    devices,
    entries::{self, Reasons},
};
use crate::{
    code::{self, Style},
    context::Context,
    id, instant, party,
    range::is_of_encounter,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Procedures,
    templates: &[(".2.7", &["", "2014-06-09"]), (".2.7.1", &["", "2014-06-09"])],
    code: ("47519-4", "History of Procedures Document"),
    title: "Procedures",
    prefix: "proc",
    columns: &["Procedure", "Time", "Status", "Site", "By and where", "Reason", "Device", "Comment"],
    is_required: false,
    is_limited: true,
};

struct Anchors {
    row: Anchor,
    name: Option<Anchor>,
    reasons: Vec<Option<Anchor>>,
    comments: Vec<Option<Anchor>>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let all = context.facts.procedures.iter();
    let mut shown: Vec<&Procedure> = all
        .filter(|one| context.layout.limits.touches(&one.period()))
        .filter(|one| is_of_encounter(context, one.encounter.as_ref()))
        .collect();
    shown.sort_by_cached_key(|one| instant::newest(one.period().start.as_ref()));
    for one in shown {
        write(&mut section, context, one);
    }
    section.finish()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Procedure) {
    let mut row = section.row();
    let label = one.code.label().unwrap_or("Procedure not named");
    let name = row.cell(&if one.is_not_done { format!("Not done: {label}") } else { label.to_owned() });
    row.plain(&one.performed.as_ref().map(instant::human_onset).unwrap_or_default());
    row.plain(one.status.as_deref().unwrap_or_default());
    row.plain(&one.body_sites.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", "));
    let place = one.place.as_ref().and_then(|link| context.label(link)).unwrap_or_default();
    let who = context.labels(&one.performers);
    row.plain(&[who, place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "));
    let reasons = Reasons::of(context, &one.reasons, &one.reason_links);
    let reason_anchors = row.cells(&reasons.lines);
    row.plain(
        &one.devices.iter().filter_map(|link| devices::label(context, link)).collect::<Vec<_>>().join(", "),
    );
    let outcome = one.outcome.as_ref().and_then(Concept::label).map(|label| format!("Outcome: {label}"));
    let comments = row.cells(&one.notes.iter().cloned().chain(outcome).collect::<Vec<_>>());
    let anchors = Anchors { row: row.anchor(), name, reasons: reason_anchors, comments };
    section.push(row);
    section.entry(one.origin.place, |x| activity(x, context, one, &reasons, &anchors));
}

/// C-CDA: Procedure Activity Procedure.
fn activity(x: &mut Xml, context: &Context<'_>, one: &Procedure, reasons: &Reasons<'_>, anchors: &Anchors) {
    let negation = if one.is_not_done { "true" } else { "" };
    let attributes = [("classCode", "PROC"), ("moodCode", "EVN"), ("negationInd", negation)];
    x.element("procedure", &attributes, |x| {
        templates(x, ".4.14", &["", "2014-06-09", "2022-06-01", "2024-05-01"]);
        id::ids(x, &context.request.namespace, &one.origin, "");
        let prefer =
            [system::SNOMED, system::CPT, system::HCPCS, system::ICD10PCS, system::CDT, system::LOINC];
        code::write(
            x,
            "code",
            &one.code,
            Style { prefer: &prefer, anchor: anchors.name.as_ref(), ..Style::default() },
        );
        anchors.row.text(x);
        x.empty("statusCode", &[("code", status(one))]);
        instant::period(x, "effectiveTime", &one.period());
        for site in &one.body_sites {
            code::write(x, "targetSiteCode", site, Style { prefer: &[system::SNOMED], ..Style::default() });
        }
        party::performers(x, context, &one.performers);
        let period = one.period();
        let time = one.recorded.as_ref().or(period.start.as_ref());
        party::recorder(x, context, &one.origin.key, one.recorder.as_ref(), time);
        party::place(x, context, one.place.as_ref());
        for link in &one.devices {
            device(x, context, link);
        }
        reasons.write(x, context, &one.origin.key, &anchors.reasons, false);
        entries::comments(x, &anchors.comments);
    });
}

/// The status of a procedure, as CDA has it.
fn status(one: &Procedure) -> &'static str {
    match one.status.as_deref() {
        Some("in-progress" | "preparation" | "on-hold" | "suspended") => "active",
        Some("stopped" | "aborted") => "aborted",
        Some("not-done") => "cancelled",
        _ => "completed",
    }
}

fn device(x: &mut Xml, context: &Context<'_>, link: &Link) {
    let key = context.facts.key(link);
    if let Some(device) = context.facts.devices.iter().find(|one| Some(one.origin.key.as_str()) == key) {
        x.element("participant", &[("typeCode", "DEV")], |x| {
            devices::product_instance(x, context, device, None)
        });
    }
}
