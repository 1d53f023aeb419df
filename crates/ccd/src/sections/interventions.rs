//! Interventions: the steps of care plans that were carried out. What is still to be done stands in the plan.
//!
//! Clause: C-CDA 2.1 InterventionsSection

use charta_model::facts::{Activity, CarePlan, Concept, Topic};

use super::{
    entries::{self, ACT},
    plan::{is_done, is_plan_shown},
};
use crate::{
    code::{self, Fixed},
    context::Context,
    id, instant,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Interventions,
    templates: &[("2.16.840.1.113883.10.20.21.2.3", &["", "2015-08-01"])],
    code: ("62387-6", "Interventions Narrative"),
    title: "Interventions",
    prefix: "int",
    columns: &["Intervention", "Details", "Time", "Where", "Outcome"],
    is_required: false,
    is_limited: false,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut plans: Vec<&CarePlan> =
        context.facts.plans.iter().filter(|one| is_plan_shown(context, one)).collect();
    plans.sort_by_cached_key(|one| instant::newest(one.period.start.as_ref().or(one.created.as_ref())));
    for plan in plans {
        for (n, activity) in plan.activities.iter().enumerate().filter(|(_, one)| is_done(one)) {
            write(&mut section, context, plan, n, activity);
        }
    }
    section.finish()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, plan: &CarePlan, n: usize, one: &Activity) {
    let mut row = section.row();
    let label = one.code.label().or(one.description.as_deref()).unwrap_or("Activity of a care plan");
    let name = row.cell(label);
    row.plain(one.description.as_deref().filter(|text| *text != label).unwrap_or_default());
    row.plain(&instant::human_period(&one.scheduled));
    row.plain(&one.place.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    row.plain(&one.outcomes.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", "));
    let anchor = row.anchor();
    section.push(row);
    section.entry(plan.origin.place, |x| act(x, context, (plan, n, one), &anchor, name.as_ref()));
}

/// C-CDA: Intervention Act.
fn act(
    x: &mut Xml,
    context: &Context<'_>,
    (plan, n, one): (&CarePlan, usize, &Activity),
    row: &Anchor,
    name: Option<&Anchor>,
) {
    x.element("act", ACT, |x| {
        templates(x, ".4.131", &["2015-08-01"]);
        id::own(x, &context.request.namespace, &format!("{}/activity/{n}", plan.origin.key));
        // The guide fixes the code; what was done stands beside it.
        Fixed(system::SNOMED, "362956003", "Procedure / intervention").write(x, "code", "", |x| {
            code::original_text(x, one.code.label(), name);
            for coding in &one.code.codings {
                code::write_plain(x, "translation", coding);
            }
        });
        row.text(x);
        entries::completed(x);
        if !one.scheduled.is_empty() {
            instant::period(x, "effectiveTime", &one.scheduled);
        }
        let goals = one.goals.iter().filter_map(|link| context.facts.key(link));
        for key in goals.filter(|key| super::goals::is_shown_by_key(context, key)) {
            entries::refer(x, context, "RSON", key);
        }
    });
}
