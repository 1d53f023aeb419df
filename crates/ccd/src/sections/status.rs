//! Functional Status and Mental Status.
//!
//! Clause: C-CDA 2.1 FunctionalStatusSection
//! Clause: C-CDA 2.1 MentalStatusSection

use charta_model::facts::{Coding, Measure, Observation, Topic, Value};

use super::{
    entries::{self, OBSERVATION},
    results::{self, Anchors, loinc},
    scale, value,
};
use crate::{
    code::{self, Fixed, Style},
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

/// What may be said of a person's care for themself: LOINC's activities, and SNOMED CT's degrees of ability.
const ACTIVITIES: [&str; 6] = ["28408-3", "28409-1", "28413-3", "46008-9", "46482-6", "46484-2"];
const ABILITIES: [&str; 16] = [
    "1091000175109",
    "371150009",
    "371151008",
    "371152001",
    "371153006",
    "371154000",
    "371155004",
    "371157007",
    "385640009",
    "444661000124105",
    "444671000124103",
    "444681000124100",
    "445141000124103",
    "445481000124102",
    "450461000124104",
    "717896003",
];

fn is_self_care(measure: &Measure) -> bool {
    let Some(Value::Concept(value)) = &measure.value else { return false };
    let is_one_of = |concept, system, codes: &[&str]| {
        code::code_in(concept, system).is_some_and(|code| codes.contains(&code))
    };
    is_one_of(&measure.code, system::LOINC, &ACTIVITIES) && is_one_of(value, system::SNOMED, &ABILITIES)
}

/// Which statement says it: its template, and the code that the guide fixes, with another of the same meaning.
type Form = (&'static str, &'static [&'static str], Option<Fixed>, Option<Fixed>);

fn form(one: &Observation, measure: &Measure, place: Place) -> Form {
    if place == Place::Mental {
        let own = Fixed(system::SNOMED, "373930000", "Cognitive function");
        return (".4.74", &["", "2015-08-01"], Some(own), Some(loinc("75275-8", "Cognitive function")));
    }
    if is_self_care(measure) {
        return (".4.128", &[""], None, None);
    }
    let is_disability = one.categories.iter().any(|category| category.has("disability-status"));
    if is_disability || code::code_in(&measure.code, system::LOINC) == Some(DISABILITY) {
        return (".4.505", &["2023-05-01"], Some(loinc(DISABILITY, "Disability Status [CUBS]")), None);
    }
    (".4.67", &["", "2014-06-09"], Some(loinc("54522-8", "Functional status")), None)
}

const DISABILITY: &str = "89571-4";

/// C-CDA: Functional Status Observation.
/// C-CDA: Self-Care Activities.
/// C-CDA: Disability Status Observation.
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
        let (root, extensions, own, also) = form(one, measure, place);
        templates(x, root, extensions);
        results::ids(x, context, one, part);
        match own {
            None => {
                let style = Style { prefer: &[system::LOINC], anchor, ..Style::default() };
                code::write(x, "code", &measure.code, style);
            }
            // The guide fixes the code; what was asked stands beside it, if it is something else.
            Some(own) => own.write(x, "code", "", |x| {
                code::original_text(x, measure.code.label(), anchor);
                if let Some(also) = also {
                    also.plain(x, "translation", "");
                }
                let others = |coding: &&Coding| coding.code.as_deref() != Some(own.1);
                for coding in measure.code.codings.iter().filter(others) {
                    code::write_plain(x, "translation", coding);
                }
            }),
        }
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
