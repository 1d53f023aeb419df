//! Encounters and their diagnoses.
//!
//! Clause: C-CDA 2.1 EncountersSection

use charta_model::facts::{Concept, Condition, Encounter, Topic};

use super::{
    entries::{self, ACT, Reasons},
    problems,
};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant, party,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Encounters,
    templates: &[(".2.22", &["", "2015-08-01"]), (".2.22.1", &["", "2015-08-01"])],
    code: ("46240-8", "History of Hospitalizations+Outpatient visits"),
    title: "Encounters",
    prefix: "enc",
    columns: &["Encounter", "Status", "From", "Until", "Reason", "By and where", "Diagnoses and discharge"],
    is_required: false,
    is_limited: true,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut encounters = context.layout.encounters.clone();
    encounters.sort_by_cached_key(|at| instant::newest(context.facts.encounters[*at].period.start.as_ref()));
    for at in encounters {
        write(&mut section, context, at);
    }
    section.finish()
}

/// The conditions that the encounter's own entry names or that name the encounter, and that stand elsewhere.
fn referred<'a>(context: &'a Context<'_>, encounter: &Encounter) -> Vec<&'a Condition> {
    let facts = context.facts;
    let all = context.layout.problems.iter().chain(&context.layout.concerns).map(|at| &facts.conditions[*at]);
    let named = |condition: &&Condition| {
        let names =
            encounter.diagnoses.iter().any(|link| facts.key(link) == Some(condition.origin.key.as_str()));
        let is_diagnosis = condition.categories.iter().any(|category| category.has("encounter-diagnosis"));
        let is_named = condition.encounter.as_ref().and_then(|link| facts.key(link))
            == Some(encounter.origin.key.as_str());
        names || (is_diagnosis && is_named)
    };
    all.filter(named).collect()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, at: usize) {
    let encounter = &context.facts.encounters[at];
    let mut row = section.row();
    let label =
        encounter.kinds.iter().chain(&encounter.class).find_map(Concept::label).unwrap_or("Encounter");
    let name = row.cell(label);
    row.plain(encounter.status.as_deref().unwrap_or_default());
    row.plain(&encounter.period.start.as_ref().map(instant::human).unwrap_or_default());
    row.plain(&encounter.period.end.as_ref().map(instant::human).unwrap_or_default());
    let reasons = Reasons::of(context, &encounter.reasons, &encounter.reason_links);
    let reason_anchors = row.cells(&reasons.lines);
    let places = encounter.places.iter().chain(&encounter.provider).filter_map(|link| context.label(link));
    let mut who: Vec<String> = std::iter::once(context.labels(&encounter.performers)).chain(places).collect();
    who.retain(|name| !name.is_empty());
    who.dedup();
    row.plain(&who.join(", "));
    let elsewhere = referred(context, encounter);
    row.plain(&summary(context, at, encounter, &elsewhere));
    let (row_anchor, name) = (row.anchor(), name);
    section.push(row);
    let diagnoses: Vec<(&Condition, problems::Anchors)> = diagnoses(context, at)
        .into_iter()
        .map(|condition| {
            let mut row = section.row();
            let anchors = problems::cells(&mut row, context, condition);
            section.push(row);
            (condition, anchors)
        })
        .collect();
    section.entry(encounter.origin.place, |x| {
        activity(x, context, encounter, (&row_anchor, name.as_ref()), |x| {
            for (condition, anchors) in &diagnoses {
                x.element("entryRelationship", &[("typeCode", "COMP")], |x| {
                    diagnosis(x, context, condition, anchors)
                });
            }
            for condition in &elsewhere {
                entries::refer(x, context, "REFR", &condition.origin.key);
            }
            reasons.write(x, context, &encounter.origin.key, &reason_anchors, true);
        });
    });
}

fn diagnoses<'a>(context: &'a Context<'_>, at: usize) -> Vec<&'a Condition> {
    let list = context.layout.diagnoses.get(&at).map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|at| &context.facts.conditions[*at]).collect()
}

/// The diagnoses that stand among the problems, and where the patient went.
fn summary(context: &Context<'_>, at: usize, encounter: &Encounter, elsewhere: &[&Condition]) -> String {
    let own = diagnoses(context, at);
    let labels =
        own.iter().chain(elsewhere).filter_map(|condition| condition.code.label()).map(str::to_owned);
    let discharge =
        encounter.discharge.as_ref().and_then(Concept::label).map(|label| format!("Discharge: {label}"));
    labels.chain(discharge).collect::<Vec<_>>().join("; ")
}

/// C-CDA: Encounter Activity.
fn activity(
    x: &mut Xml,
    context: &Context<'_>,
    encounter: &Encounter,
    (row, name): (&Anchor, Option<&Anchor>),
    more: impl FnOnce(&mut Xml),
) {
    x.element("encounter", &[("classCode", "ENC"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.49", &["", "2015-08-01"]);
        id::ids(x, &context.request.namespace, &encounter.origin, "");
        kind(x, encounter, name);
        row.text(x);
        let is_open = matches!(
            encounter.status.as_deref(),
            Some("in-progress" | "arrived" | "triaged" | "onleave" | "on-hold")
        );
        x.empty("statusCode", &[("code", if is_open { "active" } else { "completed" })]);
        let (low, high) = (encounter.period.start.as_ref(), encounter.period.end.as_ref());
        instant::interval(x, "effectiveTime", "", low, high, instant::Open::Silent);
        discharge(x, encounter);
        party::performers(x, context, &encounter.performers);
        let place = encounter.places.first().or(encounter.provider.as_ref());
        party::recorder(x, context, &encounter.origin.key, None, low);
        party::place(x, context, place);
        more(x);
    });
}

/// The kind of encounter, with its class as a translation.
fn kind(x: &mut Xml, encounter: &Encounter, anchor: Option<&Anchor>) {
    let codings = encounter
        .kinds
        .iter()
        .flat_map(|kind| &kind.codings)
        .chain(encounter.class.iter().flat_map(|one| &one.codings));
    let mut all = Concept { codings: codings.cloned().collect(), text: None };
    all.text = encounter.kinds.first().and_then(|kind| kind.text.clone());
    code::write(
        x,
        "code",
        &all,
        Style { prefer: &[system::CPT, system::SNOMED], anchor, ..Style::default() },
    );
}

fn discharge(x: &mut Xml, encounter: &Encounter) {
    let prefer = [system::DISCHARGE_NUBC, system::DISCHARGE_V2];
    if let Some(went) = encounter.discharge.as_ref().filter(|went| code::has_system(went, &prefer)) {
        code::write(
            x,
            "sdtc:dischargeDispositionCode",
            went,
            Style { prefer: &prefer, only: true, ..Style::default() },
        );
    }
}

/// C-CDA: Encounter Diagnosis.
fn diagnosis(x: &mut Xml, context: &Context<'_>, condition: &Condition, anchors: &problems::Anchors) {
    x.element("act", ACT, |x| {
        templates(x, ".4.80", &["", "2015-08-01", "2024-05-01"]);
        id::own(x, &context.request.namespace, &format!("{}/diagnosis", condition.origin.key));
        Fixed(system::LOINC, "29308-4", "Diagnosis").plain(x, "code", "");
        entries::completed(x);
        x.element("entryRelationship", &[("typeCode", "SUBJ")], |x| {
            problems::observation(x, context, condition, anchors);
        });
    });
}
