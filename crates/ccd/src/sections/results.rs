//! Results: reports with their observations, and observations that no report gathers.
//!
//! Clause: C-CDA 2.1 ResultsSection

use charta_model::facts::{
    Concept, Link, Measure, Moment, Observation, Onset, Origin, Period, Report, Specimen, Topic, Value,
};

use super::{
    entries::{self, OBSERVATION},
    value,
};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    layout::{Place, report_period},
    party,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::{Xml, is_visible},
};

static KIND: Kind = Kind {
    topic: Topic::Results,
    templates: &[(".2.3", &["", "2015-08-01"]), (".2.3.1", &["", "2015-08-01"])],
    code: ("30954-2", "Relevant diagnostic tests/laboratory data note"),
    title: "Results",
    prefix: "res",
    columns: &["Test", "Value", "Range", "Meaning", "Time", "Status", "By", "Comment"],
    is_required: true,
    is_limited: true,
};

/// What an organizer gathers.
struct Group<'a> {
    origin: &'a Origin,
    code: &'a Concept,
    status: &'static str,
    period: Period,
    specimens: Vec<&'a Link>,
    author: Option<&'a Link>,
    issued: Option<&'a Moment>,
    comments: Vec<String>,
    /// An observation, and which part of it: the whole or a component.
    parts: Vec<(&'a Observation, Option<usize>)>,
    /// What it says where it has no results.
    words: Option<String>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut groups = reported(context);
    groups.extend(lone(context));
    groups.sort_by_cached_key(|group| instant::newest(group.period.start.as_ref()));
    for group in &groups {
        match &group.words {
            Some(words) => write_words(&mut section, context, group, words),
            None => write(&mut section, context, group),
        }
    }
    section.finish()
}

fn reported<'a>(context: &'a Context<'_>) -> Vec<Group<'a>> {
    let facts = context.facts;
    let reports = context.layout.reports.iter().map(|(at, results)| (&facts.reports[*at], results));
    let groups = reports.map(|(report, results)| {
        let mut parts = Vec::new();
        for result in results {
            add_parts(context, &facts.observations[*result], &mut parts, &mut Vec::new());
        }
        let is_words = results.is_empty();
        Group {
            origin: &report.origin,
            code: &report.code,
            status: status(report.status.as_deref()),
            period: report_period(report),
            specimens: report.specimens.iter().collect(),
            author: report.performers.first(),
            issued: report.issued.as_ref(),
            comments: if is_words { Vec::new() } else { remarks(report) },
            parts,
            words: is_words.then(|| in_words(report)),
        }
    });
    groups.filter(|group| !group.parts.is_empty() || group.words.is_some()).collect()
}

/// What a report without results found, or where that stands.
fn in_words(report: &Report) -> String {
    let remarks = remarks(report);
    let said: Vec<&str> = remarks.iter().map(String::as_str).filter(|text| is_visible(text)).collect();
    match (said.is_empty(), report.contents.is_empty()) {
        (false, _) => said.join("\n"),
        (true, false) => "The text stands among the notes.".to_owned(),
        (true, true) => String::new(),
    }
}

fn remarks(report: &Report) -> Vec<String> {
    let conclusions = report.conclusion_codes.iter().filter_map(Concept::label).map(str::to_owned);
    report.conclusion.iter().cloned().chain(conclusions).collect()
}

fn lone<'a>(context: &'a Context<'_>) -> Vec<Group<'a>> {
    let observations = context.facts.observations.iter().zip(&context.layout.observations);
    let lone = observations.filter(|(_, places)| places.contains(&Place::Result));
    let groups = lone.map(|(one, _)| {
        let mut parts = Vec::new();
        add_parts(context, one, &mut parts, &mut Vec::new());
        Group {
            origin: &one.origin,
            code: &one.measure.code,
            status: status(one.status.as_deref()),
            period: one.period(),
            specimens: one.specimen.iter().collect(),
            author: one.performers.first(),
            issued: one.issued.as_ref(),
            comments: Vec::new(),
            parts,
            words: None,
        }
    });
    groups.filter(|group| !group.parts.is_empty()).collect()
}

/// The statements that an observation makes: itself if it has a value, its components, its members.
fn add_parts<'a>(
    context: &'a Context<'_>,
    one: &'a Observation,
    parts: &mut Vec<(&'a Observation, Option<usize>)>,
    seen: &mut Vec<&'a str>,
) {
    if seen.contains(&one.origin.key.as_str()) {
        return;
    }
    seen.push(&one.origin.key);
    let has_parts = !one.components.is_empty() || !one.members.is_empty();
    if one.measure.value.is_some() || !has_parts {
        parts.push((one, None));
    }
    parts.extend((0..one.components.len()).map(|at| (one, Some(at))));
    for link in &one.members {
        let Some(&member) = context.facts.key(link).and_then(|key| context.layout.observation_at.get(key))
        else {
            continue;
        };
        // A member that stands elsewhere is not said here again.
        if context.layout.observations[member].is_empty() {
            let member = &context.facts.observations[member];
            if context.layout.limits.touches(&member.period()) {
                add_parts(context, member, parts, seen);
            }
        }
    }
    if parts.is_empty() {
        parts.push((one, None));
    }
}

/// The status of a result, as CDA has it.
pub(super) fn status(status: Option<&str>) -> &'static str {
    match status {
        Some("preliminary" | "registered" | "partial" | "modified" | "specimen-in-process") => "active",
        Some("cancelled") => "cancelled",
        _ => "completed",
    }
}

fn write(section: &mut Section<'_>, context: &Context<'_>, group: &Group<'_>) {
    let specimens: Vec<&Specimen> =
        group.specimens.iter().filter_map(|link| specimen(context, link)).collect();
    let heading = section.heading(&heading(context, group, &specimens));
    let comments: Vec<Anchor> =
        group.comments.iter().filter(|text| is_visible(text)).map(|text| section.heading(text)).collect();
    let mut rows = Vec::new();
    for (one, part) in &group.parts {
        rows.push(row(section, context, one, *part));
    }
    let place = group.parts.iter().map(|(one, _)| one.origin.place).min().unwrap_or_default();
    section.entry(place, |x| {
        x.element("organizer", &[("classCode", "BATTERY"), ("moodCode", "EVN")], |x| {
            templates(x, ".4.1", &["", "2015-08-01", "2023-05-01"]);
            let part =
                if group.parts.iter().any(|(one, part)| part.is_none() && one.origin.key == group.origin.key)
                {
                    "panel"
                } else {
                    ""
                };
            id::ids(x, &context.request.namespace, group.origin, part);
            panel_code(x, group, &heading);
            x.empty("statusCode", &[("code", group.status)]);
            if !group.period.is_empty() {
                instant::closed(x, "effectiveTime", &group.period);
            }
            for one in &specimens {
                write_specimen(x, context, one);
            }
            party::recorder(
                x,
                context,
                &group.origin.key,
                group.author,
                group.issued.or(group.period.start.as_ref()),
            );
            for ((one, part), anchors) in group.parts.iter().zip(&rows) {
                x.element("component", &[], |x| observation(x, context, one, *part, anchors));
            }
            if let Some((result, part)) = group.parts.first() {
                let own = &result.origin.key;
                let key = part_of(*part).map_or_else(|| own.clone(), |part| format!("{own}/{part}"));
                specimens.iter().for_each(|one| collection(x, context, one, &key));
            }
            for anchor in &comments {
                x.element("component", &[], |x| entries::comment(x, anchor));
            }
        });
    });
}

/// A report in words: one observation that says what it found.
fn write_words(section: &mut Section<'_>, context: &Context<'_>, group: &Group<'_>, words: &str) {
    let specimens: Vec<&Specimen> =
        group.specimens.iter().filter_map(|link| specimen(context, link)).collect();
    let mut row = section.row();
    let name = row.cell(group.code.label().unwrap_or("Report"));
    let said = row.cell(words);
    row.plain("");
    row.plain("");
    row.plain(&instant::human_period(&group.period));
    row.plain(group.status);
    row.plain(&group.author.and_then(|link| context.label(link)).unwrap_or_default());
    row.plain(&specimens.iter().filter_map(|one| one.kind.as_ref()?.label()).collect::<Vec<_>>().join(", "));
    let whole = row.anchor();
    section.push(row);
    section.entry(group.origin.place, |x| {
        x.element("organizer", &[("classCode", "BATTERY"), ("moodCode", "EVN")], |x| {
            templates(x, ".4.1", &["", "2015-08-01", "2023-05-01"]);
            id::ids(x, &context.request.namespace, group.origin, "");
            report_code(x, group, name.as_ref());
            x.empty("statusCode", &[("code", group.status)]);
            if !group.period.is_empty() {
                instant::closed(x, "effectiveTime", &group.period);
            }
            for one in &specimens {
                write_specimen(x, context, one);
            }
            let time = group.issued.or(group.period.start.as_ref());
            party::recorder(x, context, &group.origin.key, group.author, time);
            x.element("component", &[], |x| {
                x.element("observation", OBSERVATION, |x| {
                    templates(x, ".4.2", &["", "2015-08-01", "2023-05-01"]);
                    id::own(x, &context.request.namespace, &format!("{}/words", group.origin.key));
                    report_code(x, group, name.as_ref());
                    whole.text(x);
                    x.empty("statusCode", &[("code", group.status)]);
                    instant::period(x, "effectiveTime", &group.period);
                    match &said {
                        Some(said) => {
                            x.element("value", &[("xsi:type", "ED")], |x| said.reference(x));
                        }
                        None => x.empty("value", &[("xsi:type", "ED"), ("nullFlavor", "NI")]),
                    }
                });
            });
        });
    });
}

fn report_code(x: &mut Xml, group: &Group<'_>, anchor: Option<&Anchor>) {
    let prefer = [system::LOINC, system::SNOMED];
    code::write(x, "code", group.code, Style { prefer: &prefer, anchor, ..Style::default() });
}

/// What the panel is. An observation on its own is the panel itself, if it found something.
fn panel_code(x: &mut Xml, group: &Group<'_>, heading: &Anchor) {
    let own = group.parts.iter().find(|(one, _)| one.origin.key == group.origin.key);
    let found_nothing = own.is_some_and(|(one, _)| {
        !matches!(&one.measure.value, Some(Value::Quantity(_) | Value::Concept(_) | Value::Text(_)))
            && one.components.is_empty()
    });
    if found_nothing {
        let all = loinc("30954-2", "Relevant diagnostic tests/laboratory data");
        return all.write(x, "code", "", |x| code::original_text(x, None, Some(heading)));
    }
    report_code(x, group, Some(heading));
}

fn heading(context: &Context<'_>, group: &Group<'_>, specimens: &[&Specimen]) -> String {
    let mut text = group.code.label().unwrap_or("Result").to_owned();
    let time = instant::human_period(&group.period);
    if !time.is_empty() {
        text = format!("{text}, {time}");
    }
    for specimen in specimens {
        if let Some(kind) = specimen.kind.as_ref().and_then(Concept::label) {
            text = format!("{text}, {kind}");
        }
        for more in specimen.conditions.iter().chain(&specimen.body_site).filter_map(Concept::label) {
            text = format!("{text}, {more}");
        }
        if let Some(collected) = &specimen.collected {
            text = format!("{text}, collected {}", instant::human(collected));
        }
    }
    if let Some(author) = group.author.and_then(|link| context.label(link)) {
        text = format!("{text}, {author}");
    }
    text
}

fn specimen<'a>(context: &'a Context<'_>, link: &Link) -> Option<&'a Specimen> {
    context.facts.specimens.get(context.facts.key(link)?)
}

fn write_specimen(x: &mut Xml, context: &Context<'_>, specimen: &Specimen) {
    x.element("specimen", &[], |x| {
        x.element("specimenRole", &[], |x| {
            id::ids(x, &context.request.namespace, &specimen.origin, "");
            if let Some(kind) = &specimen.kind {
                x.element("specimenPlayingEntity", &[], |x| {
                    code::write(x, "code", kind, Style { prefer: &[system::SNOMED], ..Style::default() });
                });
            }
        });
    });
}

/// How and when what was examined was taken, as far as somebody said; `result` is the key of what was found in it.
///
/// C-CDA: Specimen Collection Procedure.
fn collection(x: &mut Xml, context: &Context<'_>, one: &Specimen, result: &str) {
    if one.collected.is_none() && one.body_site.is_none() && one.conditions.is_empty() {
        return;
    }
    x.element("component", &[], |x| {
        x.element("procedure", &[("classCode", "PROC"), ("moodCode", "EVN")], |x| {
            templates(x, ".4.415", &["2018-09-01"]);
            Fixed(system::SNOMED, "17636008", "Specimen collection").plain(x, "code", "");
            if one.collected.is_some() {
                instant::point(x, "effectiveTime", one.collected.as_ref());
            }
            if let Some(site) = &one.body_site {
                let style = Style { prefer: &[system::SNOMED], ..Style::default() };
                code::write(x, "targetSiteCode", site, style);
            }
            x.element("specimen", &[], |x| {
                x.element("specimenRole", &[], |x| {
                    id::own(x, &context.request.namespace, &one.origin.key);
                });
            });
            entries::refer(x, context, "SUBJ", result);
            // There is room for one condition; the others stand in the narrative.
            if let Some(condition) = one.conditions.first() {
                x.element("entryRelationship", &[("typeCode", "COMP")], |x| state(x, condition));
            }
        });
    });
}

/// C-CDA: Specimen Condition Observation.
fn state(x: &mut Xml, condition: &Concept) {
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.421", &["2018-06-12"]);
        loinc("93047-7", "Specimen condition").plain(x, "code", "");
        entries::completed(x);
        let style = Style { kind: "CD", prefer: &[system::SNOMED], ..Style::default() };
        code::write(x, "value", condition, style);
    });
}

/// Where the narrative says what of one observation.
pub(super) struct Anchors {
    pub(super) row: Anchor,
    pub(super) name: Option<Anchor>,
    pub(super) value: Option<Anchor>,
    pub(super) comments: Vec<Option<Anchor>>,
}

/// The measure of a whole observation or of a part of it.
pub(super) fn measure(one: &Observation, part: Option<usize>) -> &Measure {
    part.and_then(|part| one.components.get(part)).unwrap_or(&one.measure)
}

/// A row of an observation, for tables with the columns of this section.
pub(super) fn row(
    section: &mut Section<'_>,
    context: &Context<'_>,
    one: &Observation,
    part: Option<usize>,
) -> Anchors {
    let measure = measure(one, part);
    let mut row = section.row();
    let name = row.cell(measure.code.label().unwrap_or("Not named"));
    let value = row.cell(&value::human(measure));
    row.plain(&value::human_ranges(measure));
    row.plain(&value::human_interpretations(measure));
    row.plain(&when(one));
    row.plain(one.status.as_deref().unwrap_or_default());
    row.plain(&one.performers.iter().filter_map(|link| context.label(link)).collect::<Vec<_>>().join(", "));
    let more = [("Site", &one.body_site), ("Method", &one.method)]
        .into_iter()
        .filter_map(|(name, concept)| Some(format!("{name}: {}", concept.as_ref()?.label()?)));
    let device =
        one.device.as_ref().and_then(|link| context.label(link)).map(|label| format!("Device: {label}"));
    let lines: Vec<String> = if part.unwrap_or(0) == 0 {
        one.notes.iter().cloned().chain(more).chain(device).collect()
    } else {
        Vec::new()
    };
    let comments = row.cells(&lines);
    let anchors = Anchors { row: row.anchor(), name, value, comments };
    section.push(row);
    anchors
}

/// The time of an observation, for readers.
pub(super) fn when(one: &Observation) -> String {
    match &one.effective {
        Some(Onset::Text(text)) => text.clone(),
        _ => instant::human_period(&one.period()),
    }
}

/// The id of a whole observation or of a part of it.
pub(super) fn ids(x: &mut Xml, context: &Context<'_>, one: &Observation, part: Option<usize>) {
    let part = part_of(part).unwrap_or_default();
    id::ids(x, &context.request.namespace, &one.origin, &part);
}

/// What a part of an observation is called in its id.
fn part_of(part: Option<usize>) -> Option<String> {
    part.map(|part| format!("component/{part}"))
}

/// C-CDA: Result Observation.
pub(super) fn observation(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Observation,
    part: Option<usize>,
    anchors: &Anchors,
) {
    let measure = measure(one, part);
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.2", &["", "2015-08-01", "2023-05-01"]);
        ids(x, context, one, part);
        let prefer = [system::LOINC, system::SNOMED];
        code::write(
            x,
            "code",
            &measure.code,
            Style { prefer: &prefer, anchor: anchors.name.as_ref(), ..Style::default() },
        );
        anchors.row.text(x);
        x.empty("statusCode", &[("code", status(one.status.as_deref()))]);
        instant::period(x, "effectiveTime", &one.period());
        value::write(x, measure, anchors.value.as_ref());
        value::interpretations(x, measure);
        if let Some(method) = &one.method {
            code::write(x, "methodCode", method, Style::default());
        }
        if let Some(site) = &one.body_site {
            code::write(x, "targetSiteCode", site, Style { prefer: &[system::SNOMED], ..Style::default() });
        }
        author(x, context, one);
        entries::comments(x, &anchors.comments);
        value::ranges(x, measure);
    });
}

/// Who made an observation.
pub(super) fn author(x: &mut Xml, context: &Context<'_>, one: &Observation) {
    let period = one.period();
    let time = one.issued.as_ref().or(period.start.as_ref());
    party::recorder(x, context, &one.origin.key, one.performers.first(), time);
}

/// A code of LOINC that we choose.
pub(super) const fn loinc(code: &'static str, display: &'static str) -> Fixed {
    Fixed(system::LOINC, code, display)
}
