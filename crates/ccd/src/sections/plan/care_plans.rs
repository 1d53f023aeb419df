//! Care plans with their steps, as far as these are still to be done.

use charta_model::facts::{CarePlan, Concept, Period};

use super::is_done;
use crate::{
    code::{self, Style},
    context::Context,
    id, instant,
    instant::Open,
    party, plain,
    section::{Section, templates},
    sections::entries::{self, Reasons},
    system,
    table::Anchor,
    xml::{Xml, is_visible},
};

/// The text of a plan: what its author wrote, or the narrative of the resource.
fn plan_text(one: &CarePlan) -> String {
    let narrative = one.narrative.as_deref().map(plain::of_html);
    let parts = [one.title.clone(), one.description.clone(), narrative];
    let mut lines: Vec<String> = Vec::new();
    for part in parts.into_iter().flatten().filter(|part| is_visible(part)) {
        if !lines.contains(&part) {
            lines.push(part);
        }
    }
    lines.join("\n")
}

pub(super) fn write(section: &mut Section<'_>, context: &Context<'_>, one: &CarePlan) {
    let mut row = section.row();
    let label = one.categories.iter().find_map(label_of).or(one.title.as_deref()).unwrap_or("Care plan");
    let name = row.cell(label);
    row.plain(&plan_text(one));
    row.plain(&instant::human_period(&one.period));
    row.plain(one.status.as_deref().unwrap_or_default());
    let who = one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default();
    row.plain(&who);
    let reasons = Reasons::of(context, &[], &one.addresses);
    row.plain(&reasons.lines.join(", "));
    let comments = row.cells(&one.notes);
    let anchor = row.anchor();
    section.push(row);
    let planned = || one.activities.iter().enumerate().filter(|(_, activity)| !is_done(activity));
    let activities: Vec<Option<Anchor>> = planned()
        .map(|(_, activity)| {
            let mut row = section.row();
            let label = activity.code.label().or(activity.description.as_deref()).unwrap_or("Activity");
            let name = row.cell(label);
            row.plain(activity.description.as_deref().filter(|text| *text != label).unwrap_or_default());
            row.plain(&instant::human_period(&activity.scheduled));
            row.plain(activity.status.as_deref().unwrap_or_default());
            row.plain(&activity.place.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
            section.push(row);
            name
        })
        .collect();
    section.entry(one.origin.place, |x| {
        whole(x, |x| {
            id::ids(x, &context.request.namespace, &one.origin, "");
            let nothing = Concept::default();
            let kind = one.categories.iter().find(|kind| label_of(kind).is_some()).unwrap_or(&nothing);
            let style =
                Style { prefer: &[system::SNOMED, system::LOINC], anchor: name.as_ref(), ..Style::default() };
            code::write(x, "code", kind, style);
            anchor.text(x);
            x.empty("statusCode", &[("code", "active")]);
            if !one.period.is_empty() {
                let Period { start, end } = &one.period;
                instant::interval(x, "effectiveTime", "", start.as_ref(), end.as_ref(), Open::Silent);
            }
            let made = one.created.as_ref().or(one.period.start.as_ref());
            party::recorder(x, context, &one.origin.key, one.author.as_ref(), made);
            for ((n, activity), anchor) in planned().zip(&activities) {
                x.element("entryRelationship", &[("typeCode", "COMP")], |x| {
                    act(x, |x| {
                        id::own(x, &context.request.namespace, &format!("{}/activity/{n}", one.origin.key));
                        let style =
                            Style { prefer: &[system::SNOMED], anchor: anchor.as_ref(), ..Style::default() };
                        code::write(x, "code", &activity.code, style);
                        if let Some(anchor) = anchor {
                            anchor.text(x);
                        }
                        x.empty("statusCode", &[("code", "active")]);
                        if !activity.scheduled.is_empty() {
                            instant::period(x, "effectiveTime", &activity.scheduled);
                        }
                    });
                });
            }
            for link in &one.addresses {
                if let Some(key) = context.facts.key(link).filter(|key| is_problem(context, key)) {
                    entries::refer(x, context, "RSON", key);
                }
            }
            entries::comments(x, &comments);
        });
    });
}

/// The words of a category that says something: FHIR's own `assess-plan` does not.
fn label_of(kind: &Concept) -> Option<&str> {
    let says = kind.text.is_some() || kind.codings.iter().any(|coding| coding.display.is_some());
    kind.label().filter(|_| says)
}

/// Whether a condition stands in the document with this key.
fn is_problem(context: &Context<'_>, key: &str) -> bool {
    let all = context.layout.problems.iter().chain(&context.layout.concerns);
    all.map(|at| &context.facts.conditions[*at]).any(|one| one.origin.key == key)
}

/// A care plan as a whole. C-CDA 3.0 knows no act among the entries of the section, only procedures.
fn whole(x: &mut Xml, inside: impl FnOnce(&mut Xml)) {
    x.element("procedure", &[("classCode", "PROC"), ("moodCode", "INT")], |x| {
        templates(x, ".4.41", &["", "2014-06-09", "2022-06-01"]);
        inside(x);
    });
}

/// C-CDA: Planned Act.
fn act(x: &mut Xml, inside: impl FnOnce(&mut Xml)) {
    x.element("act", &[("classCode", "ACT"), ("moodCode", "INT")], |x| {
        templates(x, ".4.39", &["", "2014-06-09"]);
        inside(x);
    });
}
