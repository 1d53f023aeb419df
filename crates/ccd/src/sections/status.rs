//! Functional Status and Mental Status.
//!
//! Clause: C-CDA 2.1 FunctionalStatusSection
//! Clause: C-CDA 2.1 MentalStatusSection

use charta_model::facts::{Observation, Topic};

use super::{
    entries::{self, OBSERVATION},
    results::{self, Anchors, loinc},
    scale, value,
};
use crate::{
    code::{self, Fixed},
    context::Context,
    instant,
    layout::Place,
    section::{Kind, Pieces, Section, templates},
    system,
    xml::Xml,
};

const COLUMNS: &[&str] = &["Item", "Value", "Range", "Meaning", "Time", "Status", "By", "Comment"];

static FUNCTIONAL: Kind = Kind {
    topic: Topic::FunctionalStatus,
    templates: &[(".2.14", &["", "2014-06-09"])],
    code: ("47420-5", "Functional status assessment note"),
    title: "Functional Status",
    prefix: "func",
    columns: COLUMNS,
    is_required: false,
    is_limited: true,
};

static MENTAL: Kind = Kind {
    topic: Topic::MentalStatus,
    templates: &[(".2.56", &["2015-08-01"])],
    code: ("10190-7", "Mental status Narrative"),
    title: "Mental Status",
    prefix: "ment",
    columns: COLUMNS,
    is_required: false,
    is_limited: true,
};

pub(super) fn functional(context: &Context<'_>) -> Option<Pieces> {
    section(context, &FUNCTIONAL, Place::Functional)
}

pub(super) fn mental(context: &Context<'_>) -> Option<Pieces> {
    section(context, &MENTAL, Place::Mental)
}

fn section(context: &Context<'_>, kind: &'static Kind, place: Place) -> Option<Pieces> {
    let mut section = Section::new(context, kind);
    for one in scale::placed(context, place) {
        if scale::is_scale(one) {
            scale::write(&mut section, context, one);
            continue;
        }
        let whole = one.measure.value.is_some() || one.components.is_empty();
        for part in whole.then_some(None).into_iter().chain((0..one.components.len()).map(Some)) {
            let anchors = results::row(&mut section, context, one, part);
            section.entry(one.origin.place, |x| statement(x, context, one, part, &anchors, place));
        }
    }
    section.finish()
}

/// C-CDA: Functional Status Observation.
/// C-CDA: Mental Status Observation.
fn statement(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Observation,
    part: Option<usize>,
    anchors: &Anchors,
    place: Place,
) {
    let measure = results::measure(one, part);
    x.element("observation", OBSERVATION, |x| {
        let anchor = anchors.name.as_ref();
        results_templates(x, place);
        results::ids(x, context, one, part);
        let (own, also) = match place {
            Place::Mental => (
                Fixed(system::SNOMED, "373930000", "Cognitive function"),
                Some(loinc("75275-8", "Cognitive function")),
            ),
            _ => (loinc("54522-8", "Functional status"), None),
        };
        // The guide fixes the code; what was asked stands beside it.
        own.write(x, "code", "", |x| {
            code::original_text(x, measure.code.label(), anchor);
            if let Some(also) = also {
                also.plain(x, "translation", "");
            }
            for coding in &measure.code.codings {
                code::write_plain(x, "translation", coding);
            }
        });
        anchors.row.text(x);
        entries::completed(x);
        instant::period(x, "effectiveTime", &one.period());
        value::write(x, measure, anchors.value.as_ref());
        value::interpretations(x, measure);
        results::author(x, context, one);
        entries::comments(x, &anchors.comments);
        value::ranges(x, measure);
    });
}

fn results_templates(x: &mut Xml, place: Place) {
    match place {
        Place::Mental => templates(x, ".4.74", &["", "2015-08-01"]),
        _ => templates(x, ".4.67", &["", "2014-06-09"]),
    }
}
