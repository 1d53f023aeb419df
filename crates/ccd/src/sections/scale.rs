//! Questionnaires and scores, for the sections that hold them.
//!
//! C-CDA: Assessment Scale Observation.

use charta_model::facts::Observation;

use super::{
    entries::{self, OBSERVATION},
    results::{self, Anchors},
    social_history, value,
};
use crate::{
    code::{self, Style},
    context::Context,
    instant,
    layout::Place,
    section::{Section, templates},
    system,
    xml::Xml,
};

/// The observations of a section, the newest first.
pub(super) fn placed<'a>(context: &'a Context<'_>, place: Place) -> Vec<&'a Observation> {
    let observations = context.facts.observations.iter().zip(&context.layout.observations);
    let mut placed: Vec<&Observation> =
        observations.filter(|(_, places)| places.contains(&place)).map(|(one, _)| one).collect();
    placed.sort_by_cached_key(|one| instant::newest(one.period().start.as_ref()));
    placed
}

/// Whether it is an answer to a questionnaire, or holds some.
pub(super) fn is_scale(one: &Observation) -> bool {
    if one.measure.code.has("72166-2") {
        // A smoking status has a statement of its own, whatever it was asked with.
        return false;
    }
    let is_survey = one.categories.iter().any(|category| category.has("survey"));
    is_survey || !one.members.is_empty()
}

/// What stands in a questionnaire: components and members, however deep.
pub(super) fn items<'a>(
    context: &'a Context<'_>,
    one: &'a Observation,
    out: &mut Vec<(&'a Observation, Option<usize>)>,
    seen: &mut Vec<&'a str>,
) {
    if seen.contains(&one.origin.key.as_str()) {
        return;
    }
    seen.push(&one.origin.key);
    out.extend((0..one.components.len()).map(|at| (one, Some(at))));
    for link in &one.members {
        let Some(&member) = context.facts.key(link).and_then(|key| context.layout.observation_at.get(key))
        else {
            continue;
        };
        let member_of = &context.facts.observations[member];
        // A member that stands elsewhere, or out of the time, is not said here.
        if context.layout.observations[member].is_empty()
            && context.layout.limits.touches(&member_of.period())
        {
            // A part with parts of its own stands before them, as their heading.
            out.push((member_of, None));
            items(context, member_of, out, seen);
        }
    }
}

pub(super) fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Observation) {
    let mut parts = Vec::new();
    items(context, one, &mut parts, &mut Vec::new());
    let whole = results::row(section, context, one, None);
    let rows: Vec<Anchors> =
        parts.iter().map(|(one, part)| results::row(section, context, one, *part)).collect();
    section.entry(one.origin.place, |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.69", &["2022-06-01"]);
            // Who does not know scales reads what was asked about how the patient lives.
            templates(x, ".4.38", &["", "2015-08-01", "2022-06-01"]);
            inside(x, context, one, None, &whole);
            for ((one, part), anchors) in parts.iter().zip(&rows) {
                x.element("entryRelationship", &[("typeCode", "COMP")], |x| {
                    x.element("observation", OBSERVATION, |x| {
                        templates(x, ".4.86", &["2022-06-01"]);
                        inside(x, context, one, *part, anchors);
                    });
                });
            }
            entries::comments(x, &whole.comments);
        });
    });
    // They look into no scale either: each answer stands beside it once more, under the same id.
    for ((item, part), anchors) in parts.iter().zip(&rows) {
        section.entry(one.origin.place, |x| social_history::other(x, context, item, *part, anchors));
    }
}

fn inside(x: &mut Xml, context: &Context<'_>, one: &Observation, part: Option<usize>, anchors: &Anchors) {
    let measure = results::measure(one, part);
    results::ids(x, context, one, part);
    let prefer = [system::LOINC, system::SNOMED];
    code::write(
        x,
        "code",
        &measure.code,
        Style { prefer: &prefer, anchor: anchors.name.as_ref(), ..Style::default() },
    );
    anchors.row.text(x);
    entries::completed(x);
    instant::period(x, "effectiveTime", &one.period());
    value::write(x, measure, anchors.value.as_ref());
    value::interpretations(x, measure);
    results::author(x, context, one);
}
