//! Assessment: what clinicians make of what was found. The guide has no entries for it.
//!
//! Clause: C-CDA 2.1 AssessmentSection

use charta_model::facts::{Assessment, Concept, Period, Topic};

use super::entries::Reasons;
use crate::{
    context::Context,
    instant,
    range::is_of_encounter,
    section::{Kind, Pieces, Section},
};

static KIND: Kind = Kind {
    topic: Topic::Assessments,
    templates: &[(".2.8", &[""])],
    code: ("51848-0", "Evaluation note"),
    title: "Assessment",
    prefix: "asm",
    columns: &["Assessment", "Findings", "Prognosis", "Time", "By", "Comment"],
    is_required: false,
    is_limited: true,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::narrative(context, &KIND);
    let shown = |one: &&Assessment| {
        let limits = &context.layout.limits;
        is_of_encounter(context, one.encounter.as_ref()) && limits.touches(&period(one))
    };
    let mut all: Vec<&Assessment> = context.facts.assessments.iter().filter(shown).collect();
    all.sort_by_cached_key(|one| instant::newest(period(one).start.as_ref()));
    for one in all {
        write(&mut section, context, one);
    }
    section.finish()
}

/// The time that it is about, else when it was made.
fn period(one: &Assessment) -> Period {
    if one.period.is_empty() {
        return one.made.clone().map(Period::at).unwrap_or_default();
    }
    one.period.clone()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Assessment) {
    let kind = one.code.as_ref().and_then(Concept::label).map(str::to_owned);
    let said: Vec<String> =
        kind.into_iter().chain(one.description.clone()).chain(one.summary.clone()).collect();
    let findings = Reasons::of(context, &one.findings, &one.finding_links).lines;
    let prognoses: Vec<&str> = one.prognoses.iter().filter_map(Concept::label).collect();
    if said.is_empty() && findings.is_empty() && prognoses.is_empty() && one.notes.is_empty() {
        return;
    }
    let mut row = section.row();
    row.plain(&said.join("\n"));
    row.plain(&findings.join("\n"));
    row.plain(&prognoses.join("\n"));
    row.plain(&instant::human_period(&period(one)));
    row.plain(&one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    row.plain(&one.notes.join("\n"));
    section.push(row);
}
