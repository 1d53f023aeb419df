//! Nutrition: how the patient is nourished, and by which assessments.
//!
//! Clause: C-CDA 2.1 NutritionSection

use charta_model::facts::{Observation, Topic};

use super::{
    entries::{self, OBSERVATION},
    results::{self, Anchors, loinc},
    scale, value,
};
use crate::{
    code::{self, Fixed},
    context::Context,
    id, instant,
    layout::{ASSESSMENT, Place},
    section::{Kind, Pieces, Section, templates},
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Nutrition,
    templates: &[(".2.57", &[""])],
    code: ("61144-2", "Diet and nutrition Narrative"),
    title: "Nutrition",
    prefix: "nut",
    columns: &["Item", "Value", "Range", "Meaning", "Time", "Status", "By", "Comment"],
    is_required: false,
    // Before C-CDA 3.0 nothing but a nutritional status may be an entry: the cut is said in words alone.
    is_limited: false,
};

const STATUS: Fixed = loinc("75305-3", "Nutrition status");
const ASSESSED: Fixed = loinc(ASSESSMENT, "Nutrition assessment");

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let all = scale::placed(context, Place::Nutrition);
    if let Some(words) = section.range_words().filter(|_| !all.is_empty()) {
        section.paragraph(words);
    }
    for one in all {
        write(&mut section, context, one);
    }
    section.finish()
}

/// A status with the assessments that it rests on, or an assessment from which nobody concluded a status.
fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Observation) {
    let mut parts = Vec::new();
    scale::items(context, one, &mut parts, &mut Vec::new());
    let is_assessment = one.measure.code.has(ASSESSMENT);
    let whole = results::row(section, context, one, None);
    let rows: Vec<Anchors> =
        parts.iter().map(|(one, part)| results::row(section, context, one, *part)).collect();
    section.entry(one.origin.place, |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.124", &[""]);
            if is_assessment {
                let key = format!("{}/nutrition", one.origin.key);
                id::own(x, &context.request.namespace, &key);
            } else {
                results::ids(x, context, one, None);
            }
            STATUS.write(x, "code", "", |x| {
                if !is_assessment {
                    code::original_text(x, None, whole.name.as_ref());
                }
            });
            whole.row.text(x);
            entries::completed(x);
            instant::period(x, "effectiveTime", &one.period());
            if is_assessment {
                nothing(x);
                return assessment(x, context, (one, None), &whole);
            }
            value::write(x, &one.measure, whole.value.as_ref());
            results::author(x, context, one);
            for (part, anchors) in parts.iter().zip(&rows) {
                assessment(x, context, *part, anchors);
            }
            if parts.is_empty() {
                unknown_assessment(x, context, one);
            }
            entries::comments(x, &whole.comments);
        });
    });
}

fn nothing(x: &mut Xml) {
    x.empty("value", &[("xsi:type", "CD"), ("nullFlavor", "NI")]);
}

/// C-CDA: Nutrition Assessment.
fn assessment(
    x: &mut Xml,
    context: &Context<'_>,
    (one, part): (&Observation, Option<usize>),
    anchors: &Anchors,
) {
    let measure = results::measure(one, part);
    x.element("entryRelationship", &[("typeCode", "SUBJ")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.138", &[""]);
            results::ids(x, context, one, part);
            ASSESSED.write(x, "code", "", |x| {
                code::original_text(x, None, anchors.name.as_ref());
                for coding in
                    measure.code.codings.iter().filter(|one| one.code.as_deref() != Some(ASSESSMENT))
                {
                    code::write_plain(x, "translation", coding);
                }
            });
            anchors.row.text(x);
            entries::completed(x);
            instant::period(x, "effectiveTime", &one.period());
            value::write(x, measure, anchors.value.as_ref());
            results::author(x, context, one);
        });
    });
}

/// The guide wants an assessment behind every status; nothing is known of this one.
fn unknown_assessment(x: &mut Xml, context: &Context<'_>, one: &Observation) {
    x.element("entryRelationship", &[("typeCode", "SUBJ")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.138", &[""]);
            id::own(x, &context.request.namespace, &format!("{}/assessment", one.origin.key));
            ASSESSED.plain(x, "code", "");
            entries::completed(x);
            instant::period(x, "effectiveTime", &one.period());
            nothing(x);
        });
    });
}
