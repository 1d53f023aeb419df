//! Family History.
//!
//! Clause: C-CDA 2.1 FamilyHistorySection

use charta_model::facts::{Onset, Relative, RelativeCondition, Topic};

use super::entries::{self, OBSERVATION};
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
    topic: Topic::FamilyHistory,
    templates: &[(".2.15", &["", "2015-08-01"])],
    code: ("10157-6", "History of family member diseases note"),
    title: "Family History",
    prefix: "fam",
    columns: &["Relative", "Condition", "Onset", "Outcome", "Born and died", "Recorded", "Comment"],
    is_required: false,
    is_limited: false,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    for relative in
        context.facts.relatives.iter().filter(|one| context.layout.limits.has_begun(one.said.as_ref()))
    {
        write(&mut section, context, relative);
    }
    section.finish()
}

fn label(relative: &Relative) -> String {
    let kind = relative.relationship.label().unwrap_or("Relative");
    match &relative.name {
        Some(name) => format!("{kind} ({name})"),
        None => kind.to_owned(),
    }
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Relative) {
    let nothing = [RelativeCondition::default()];
    let is_known = !one.conditions.is_empty();
    let conditions = if is_known { &one.conditions[..] } else { &nothing[..] };
    let mut anchors = Vec::new();
    let mut comments = Vec::new();
    for (n, condition) in conditions.iter().enumerate() {
        let mut row = section.row();
        row.plain(&label(one));
        let what = condition.code.label().unwrap_or(if is_known { "Condition not named" } else { "" });
        let name = row.cell(what);
        row.plain(&condition.onset.as_ref().map(instant::human_onset).unwrap_or_default());
        let outcome = condition.outcome.as_ref().and_then(|outcome| outcome.label()).unwrap_or_default();
        row.plain(if condition.is_cause_of_death && outcome.is_empty() { "died of it" } else { outcome });
        row.plain(&life(one));
        let who = one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default();
        row.plain(format!("{} {who}", one.said.as_ref().map(instant::human).unwrap_or_default()).trim());
        if n == 0 {
            comments = row.cells(&one.notes);
        }
        anchors.push((row.anchor(), name));
        section.push(row);
    }
    section.entry(one.origin.place, |x| organizer(x, context, one, conditions, (&anchors, &comments)));
}

fn life(one: &Relative) -> String {
    let born = one.born.as_ref().map(|moment| format!("born {}", instant::human(moment)));
    let died = match (&one.deceased, one.is_deceased) {
        (Some(onset), _) => Some(format!("died {}", instant::human_onset(onset))),
        (None, Some(true)) => Some("died".to_owned()),
        (None, _) => None,
    };
    born.into_iter().chain(died).collect::<Vec<_>>().join(", ")
}

type Anchors<'a> = (&'a [(Anchor, Option<Anchor>)], &'a [Option<Anchor>]);

/// C-CDA: Family History Organizer.
fn organizer(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Relative,
    conditions: &[RelativeCondition],
    anchors: Anchors<'_>,
) {
    x.element("organizer", &[("classCode", "CLUSTER"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.45", &["", "2015-08-01"]);
        id::ids(x, &context.request.namespace, &one.origin, "");
        entries::completed(x);
        x.element("subject", &[], |x| subject(x, one));
        party::recorder(x, context, &one.origin.key, one.author.as_ref(), one.said.as_ref());
        for (n, (condition, anchor)) in conditions.iter().zip(anchors.0).enumerate() {
            x.element("component", &[], |x| observation(x, context, one, (condition, n), anchor));
        }
        for anchor in anchors.1.iter().flatten() {
            x.element("component", &[], |x| entries::comment(x, anchor));
        }
    });
}

fn subject(x: &mut Xml, one: &Relative) {
    x.element("relatedSubject", &[("classCode", "PRS")], |x| {
        let style = Style { prefer: &[system::ROLE_CODE, system::SNOMED], ..Style::default() };
        code::write(x, "code", &one.relationship, style);
        x.element("subject", &[], |x| {
            if let Some(name) = &one.name {
                x.leaf("name", &[], name);
            }
            match one.gender.as_deref() {
                Some("male") => Fixed(system::GENDER, "M", "Male").plain(x, "administrativeGenderCode", ""),
                Some("female") => {
                    Fixed(system::GENDER, "F", "Female").plain(x, "administrativeGenderCode", "")
                }
                _ => x.empty("administrativeGenderCode", &[("nullFlavor", "UNK")]),
            }
            if one.born.is_some() {
                instant::point(x, "birthTime", one.born.as_ref());
            }
            if let Some(died) = one.is_deceased {
                x.empty("sdtc:deceasedInd", &[("value", if died { "true" } else { "false" })]);
                if died {
                    instant::point(x, "sdtc:deceasedTime", one.deceased.as_ref().and_then(Onset::moment));
                }
            }
        });
    });
}

/// C-CDA: Family History Observation.
fn observation(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Relative,
    (condition, n): (&RelativeCondition, usize),
    (row, name): &(Anchor, Option<Anchor>),
) {
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.46", &["", "2015-08-01"]);
        id::own(x, &context.request.namespace, &format!("{}/condition/{n}", one.origin.key));
        entries::problem_code(x);
        row.text(x);
        entries::completed(x);
        if let Some(onset) = condition.onset.as_ref().and_then(Onset::moment) {
            instant::point(x, "effectiveTime", Some(onset));
        }
        let prefer = [system::SNOMED, system::ICD10CM];
        let style = Style { kind: "CD", prefer: &prefer, anchor: name.as_ref(), ..Style::default() };
        code::write(x, "value", &condition.code, style);
        entries::age(x, condition.onset.as_ref());
        if condition.is_cause_of_death {
            x.element("entryRelationship", &[("typeCode", "CAUS")], death);
        }
    });
}

/// C-CDA: Family History Death Observation.
fn death(x: &mut Xml) {
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.47", &[""]);
        entries::ASSERTION.plain(x, "code", "");
        entries::completed(x);
        Fixed(system::SNOMED, "419099009", "Dead").plain(x, "value", "CD");
    });
}
