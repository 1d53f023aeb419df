//! Goals.
//!
//! Clause: C-CDA 2.1 GoalsSection

use charta_model::facts::{Concept, Goal, Topic, Value};

use super::{entries, value};
use crate::{
    code::{self, Style},
    context::Context,
    id, instant,
    instant::Open,
    party,
    section::{Kind, Pieces, Section, templates},
    system,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Goals,
    templates: &[(".2.60", &[""])],
    code: ("61146-7", "Goals Narrative"),
    title: "Goals",
    prefix: "goal",
    columns: &["Goal", "Target", "Since", "Due", "Status", "By", "Comment"],
    is_required: false,
    is_limited: false,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut goals: Vec<&Goal> = context.facts.goals.iter().filter(|one| is_shown(context, one)).collect();
    goals.sort_by_cached_key(|one| instant::newest(one.start.as_ref().or(one.said.as_ref())));
    for goal in goals {
        write(&mut section, context, goal);
    }
    section.finish()
}

fn is_shown(context: &Context<'_>, one: &Goal) -> bool {
    let given_up = matches!(one.status.as_deref(), Some("rejected" | "cancelled"));
    !given_up && context.layout.limits.has_begun(one.start.as_ref())
}

/// Whether a goal stands in the document with this key.
pub(super) fn is_shown_by_key(context: &Context<'_>, key: &str) -> bool {
    context.facts.goals.iter().any(|one| one.origin.key == key && is_shown(context, one))
}

fn write(section: &mut Section<'_>, context: &Context<'_>, goal: &Goal) {
    let mut row = section.row();
    let label = goal.description.label().unwrap_or("Goal not named");
    let name = row.cell(label);
    let measure = goal.measure.as_ref().and_then(Concept::label).map(str::to_owned);
    let target = goal.target.as_ref().map(value::human_value);
    row.plain(&measure.into_iter().chain(target).collect::<Vec<_>>().join(": "));
    row.plain(&goal.start.as_ref().map(instant::human).unwrap_or_default());
    row.plain(&goal.due.as_ref().map(instant::human).unwrap_or_default());
    row.plain(goal.status.as_deref().unwrap_or_default());
    row.plain(&goal.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    let comments = row.cells(&goal.notes);
    let anchor = row.anchor();
    section.push(row);
    section.entry(goal.origin.place, |x| {
        x.element("observation", &[("classCode", "OBS"), ("moodCode", "GOL")], |x| {
            templates(x, ".4.121", &["", "2022-06-01"]);
            id::ids(x, &context.request.namespace, &goal.origin, "");
            let what = goal.measure.as_ref().unwrap_or(&goal.description);
            let prefer = [system::LOINC, system::SNOMED];
            code::write(
                x,
                "code",
                what,
                Style { prefer: &prefer, anchor: name.as_ref(), ..Style::default() },
            );
            anchor.text(x);
            x.empty("statusCode", &[("code", "active")]);
            if goal.start.is_some() || goal.due.is_some() {
                instant::interval(
                    x,
                    "effectiveTime",
                    "",
                    goal.start.as_ref(),
                    goal.due.as_ref(),
                    Open::Silent,
                );
            }
            write_target(x, goal, label);
            let said = goal.said.as_ref().or(goal.start.as_ref());
            party::recorder(x, context, &goal.origin.key, goal.author.as_ref(), said);
            for link in &goal.addresses {
                let known = context.facts.key(link).filter(|key| {
                    let all = context.layout.problems.iter().chain(&context.layout.concerns);
                    all.map(|at| &context.facts.conditions[*at]).any(|one| one.origin.key == **key)
                });
                if let Some(key) = known {
                    entries::refer(x, context, "REFR", key);
                }
            }
            entries::comments(x, &comments);
        });
    });
}

/// Which value is aimed at: as a value, else in words.
fn write_target(x: &mut Xml, goal: &Goal, label: &str) {
    let words = Value::Text(label.to_owned());
    value::write_value(x, "value", goal.target.as_ref().unwrap_or(&words), None);
}
