//! Vital Signs: what was measured at one time of one encounter, together.
//!
//! Clause: C-CDA 2.1 VitalSignsSection

use std::collections::HashMap;

use charta_model::facts::{Measure, Observation, Period, Topic, Value};

use super::{
    entries::{self, OBSERVATION},
    results::{self, Anchors, loinc},
    value,
};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    layout::{Place, is_vital},
    party, quantity,
    section::{Kind, Pieces, Section, templates},
    system,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::VitalSigns,
    templates: &[(".2.4", &["", "2015-08-01"]), (".2.4.1", &["", "2015-08-01"])],
    code: ("8716-3", "Vital signs note"),
    title: "Vital Signs",
    prefix: "vit",
    columns: &["Vital sign", "Value", "Range", "Meaning", "Time", "Status", "By", "Comment"],
    is_required: true,
    is_limited: true,
};

struct Group<'a> {
    key: String,
    period: Period,
    observations: Vec<&'a Observation>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut groups = groups(context);
    groups.sort_by_cached_key(|group| instant::newest(group.period.start.as_ref()));
    for group in &groups {
        write(&mut section, context, group);
    }
    section.finish()
}

/// Observations of one encounter and one time. What was measured twice then stands in a group of its own, or
/// nobody could tell which systolic pressure belongs to which diastolic one.
fn groups<'a>(context: &'a Context<'_>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    // How many groups of a time have a code already.
    let mut seen: HashMap<(String, &str), usize> = HashMap::new();
    let observations = context.facts.observations.iter().zip(&context.layout.observations);
    for (one, _) in observations.filter(|(_, places)| places.contains(&Place::Vital)) {
        let time = group_key(context, one);
        let codes = vital_codes(one);
        let known = codes.iter().filter_map(|code| seen.get(&(time.clone(), *code)));
        let earlier = known.max().copied().unwrap_or_default();
        seen.extend(codes.iter().map(|code| ((time.clone(), *code), earlier + 1)));
        let key = if earlier == 0 { time } else { format!("{time}/{}", earlier + 1) };
        let group = *at.entry(key.clone()).or_insert_with(|| {
            groups.push(Group { key, period: one.period(), observations: Vec::new() });
            groups.len() - 1
        });
        groups[group].observations.push(one);
    }
    groups
}

fn group_key(context: &Context<'_>, one: &Observation) -> String {
    let encounter = one.encounter.as_ref().and_then(|link| context.facts.key(link)).unwrap_or_default();
    let period = one.period();
    let text = |moment: &Option<charta_model::facts::Moment>| {
        moment.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    // Without a time nothing is known to belong together.
    let own = if period.is_empty() { one.origin.key.as_str() } else { "" };
    format!("{encounter}/vital-signs/{}/{}/{own}", text(&period.start), text(&period.end))
}

/// The codes of the numbers that an observation holds.
fn vital_codes(one: &Observation) -> Vec<&str> {
    let vital = parts(one).map(|part| results::measure(one, part)).filter(|measure| is_vital(measure));
    vital.filter_map(|measure| code::code_in(&measure.code, system::LOINC)).collect()
}

/// The statements of an observation: itself, its components.
fn parts(one: &Observation) -> impl Iterator<Item = Option<usize>> {
    let whole = one.measure.value.is_some() || (one.components.is_empty() && one.members.is_empty());
    whole.then_some(None).into_iter().chain((0..one.components.len()).map(Some))
}

/// Codes of a panel of pressures that its two numbers say together.
const PRESSURES: &str = "85354-9";

/// A panel without a value of its own, as a statement in words: its code would be lost. None where its numbers say
/// as much, or where it has none.
fn panel(context: &Context<'_>, one: &Observation) -> Option<Observation> {
    let is_panel = one.measure.value.is_none() && !(one.components.is_empty() && one.members.is_empty());
    if !is_panel || one.measure.code.has(PRESSURES) || one.measure.code.is_empty() {
        return None;
    }
    let members = one.members.iter().filter_map(|link| {
        let at = context.layout.observation_at.get(context.facts.key(link)?)?;
        Some(&context.facts.observations[*at].measure)
    });
    let said = one.components.iter().chain(members).filter_map(|measure| {
        let value = value::human(measure);
        (measure.value.is_some() && !value.is_empty())
            .then(|| format!("{} {value}", measure.code.label().unwrap_or_default()))
    });
    let words = said.collect::<Vec<_>>().join(", ");
    (!words.is_empty()).then(|| Observation {
        measure: Measure { value: Some(Value::Text(words)), ..one.measure.clone() },
        components: Vec::new(),
        members: Vec::new(),
        ..one.clone()
    })
}

fn write(section: &mut Section<'_>, context: &Context<'_>, group: &Group<'_>) {
    let time = instant::human_period(&group.period);
    let panels: Vec<Observation> = group.observations.iter().filter_map(|one| panel(context, one)).collect();
    let mut statements: Vec<(&Observation, Option<usize>)> =
        group.observations.iter().flat_map(|one| parts(one).map(|part| (*one, part))).collect();
    statements.extend(panels.iter().map(|one| (one, None)));
    if statements.is_empty() {
        return;
    }
    let heading = section.heading(if time.is_empty() { "Time not known" } else { &time });
    let rows: Vec<Anchors> =
        statements.iter().map(|(one, part)| results::row(section, context, one, *part)).collect();
    // Without a number there is nothing that an organizer of vital signs could hold.
    if !statements.iter().any(|(one, part)| is_vital(results::measure(one, *part))) {
        return;
    }
    let place = group.observations.iter().map(|one| one.origin.place).min().unwrap_or_default();
    section.entry(place, |x| {
        x.element("organizer", &[("classCode", "CLUSTER"), ("moodCode", "EVN")], |x| {
            templates(x, ".4.26", &["", "2015-08-01"]);
            id::own(x, &context.request.namespace, &group.key);
            Fixed(system::SNOMED, "46680005", "Vital signs").write(x, "code", "", |x| {
                code::original_text(x, None, Some(&heading));
                loinc(
                    "74728-7",
                    "Vital signs, weight, height, head circumference, oximetry, BMI, and BSA panel",
                )
                .plain(x, "translation", "");
            });
            entries::completed(x);
            instant::period(x, "effectiveTime", &group.period);
            if let Some(one) = group.observations.first() {
                party::author(x, context, one.performers.first(), group.period.start.as_ref());
            }
            for ((one, part), anchors) in statements.iter().zip(&rows) {
                let measure = results::measure(one, *part);
                if is_vital(measure) {
                    x.element("component", &[], |x| observation(x, context, one, *part, anchors));
                } else if panels.iter().any(|panel| std::ptr::eq(panel, *one)) {
                    x.element("component", &[], |x| words(x, context, one, anchors));
                } else if measure.value.is_some() {
                    x.element("component", &[], |x| results::observation(x, context, one, *part, anchors));
                }
            }
        });
    });
}

/// A panel in words. No template has a place for it: a vital sign is a number, and this is no result.
fn words(x: &mut Xml, context: &Context<'_>, one: &Observation, anchors: &Anchors) {
    x.element("observation", OBSERVATION, |x| {
        results::ids(x, context, one, None);
        let style = Style { prefer: &[system::LOINC], anchor: anchors.name.as_ref(), ..Style::default() };
        code::write(x, "code", &one.measure.code, style);
        anchors.row.text(x);
        entries::completed(x);
        instant::period(x, "effectiveTime", &one.period());
        value::write(x, &one.measure, anchors.value.as_ref());
        results::author(x, context, one);
        entries::comments(x, &anchors.comments);
    });
}

/// C-CDA: Vital Sign Observation.
fn observation(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Observation,
    part: Option<usize>,
    anchors: &Anchors,
) {
    let measure = results::measure(one, part);
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.27", &["", "2014-06-09"]);
        results::ids(x, context, one, part);
        let style = Style { prefer: &[system::LOINC], anchor: anchors.name.as_ref(), ..Style::default() };
        code::write(x, "code", &measure.code, style);
        anchors.row.text(x);
        entries::completed(x);
        instant::period(x, "effectiveTime", &one.period());
        if let Some(charta_model::facts::Value::Quantity(amount)) = &measure.value {
            quantity::with_unit(x, "value", "PQ", amount);
        }
        value::interpretations(x, measure);
        if let Some(method) = &one.method {
            code::write(x, "methodCode", method, Style::default());
        }
        if let Some(site) = &one.body_site {
            code::write(x, "targetSiteCode", site, Style { prefer: &[system::SNOMED], ..Style::default() });
        }
        results::author(x, context, one);
        entries::comments(x, &anchors.comments);
        value::ranges(x, measure);
    });
}
