//! Notes: clinical notes, and reports that are text.
//!
//! Clause: C-CDA 2.1 NotesSection

mod content;

use charta_model::facts::{Concept, Content, Link, Moment, Note, Origin, Period, Report, Topic};

use super::entries;
use crate::{
    code::{self, Fixed},
    context::Context,
    id, instant,
    layout::report_period,
    party,
    range::is_of_encounter,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Notes,
    templates: &[(".2.65", &["2016-11-01"])],
    code: ("34109-9", "Note"),
    title: "Notes",
    prefix: "note",
    columns: &["Note", "Time", "By", "Text"],
    is_required: false,
    is_limited: true,
};

/// A note, wherever it comes from.
struct Entry<'a> {
    origin: &'a Origin,
    part: &'static str,
    kind: &'a Concept,
    title: Option<&'a str>,
    written: Option<&'a Moment>,
    period: Period,
    authors: Vec<&'a Link>,
    encounters: Vec<&'a Link>,
    contents: Vec<&'a Content>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut entries = noted(context);
    entries.extend(reported(context, &entries));
    entries.sort_by_cached_key(|entry| instant::newest(entry.written.or(entry.period.start.as_ref())));
    for entry in &entries {
        write(&mut section, context, entry);
    }
    section.finish()
}

fn noted<'a>(context: &'a Context<'_>) -> Vec<Entry<'a>> {
    let limits = &context.layout.limits;
    let shown = |one: &&Note| {
        let about = if one.period.is_empty() {
            one.written.clone().map(Period::at).unwrap_or_default()
        } else {
            one.period.clone()
        };
        let asked_for = one.encounters.is_empty() && context.request.encounter.is_none()
            || one.encounters.iter().any(|link| is_of_encounter(context, Some(link)));
        limits.touches(&about) && asked_for
    };
    let entry = |one: &'a Note| Entry {
        origin: &one.origin,
        part: "",
        kind: &one.kind,
        title: one.title.as_deref(),
        written: one.written.as_ref(),
        period: one.period.clone(),
        authors: one.authors.iter().collect(),
        encounters: one.encounters.iter().collect(),
        contents: one.contents.iter().collect(),
    };
    context.facts.notes.iter().filter(shown).map(entry).collect()
}

/// The text of reports; what they conclude stands in the results. What a note says already is not said again.
fn reported<'a>(context: &'a Context<'_>, notes: &[Entry<'_>]) -> Vec<Entry<'a>> {
    let reports = context.layout.report_notes.iter().map(|at| &context.facts.reports[*at]);
    let known = |content: &Content| {
        content.base64.is_some()
            && notes.iter().flat_map(|note| &note.contents).any(|one| one.base64 == content.base64)
    };
    let entry = |one: &'a Report| Entry {
        origin: &one.origin,
        part: "note",
        kind: &one.code,
        title: None,
        written: one.issued.as_ref(),
        period: report_period(one),
        authors: one.performers.iter().collect(),
        encounters: one.encounter.iter().collect(),
        contents: one.contents.iter().filter(|content| !known(content)).collect(),
    };
    reports.map(entry).filter(|entry| !entry.contents.is_empty()).collect()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, entry: &Entry<'_>) {
    let bodies: Vec<content::Body<'_>> =
        entry.contents.iter().map(|one| content::body(context, one)).collect();
    let mut row = section.row();
    let label = entry.kind.label().or(entry.title).unwrap_or("Note");
    let title =
        entry.title.filter(|title| *title != label).map(|title| format!(": {title}")).unwrap_or_default();
    let name = row.cell(&format!("{label}{title}"));
    let written = entry.written.map(instant::human).unwrap_or_default();
    let about = instant::human_period(&entry.period);
    row.plain(&if about.is_empty() || about == written {
        written
    } else {
        format!("{about}, written {written}")
    });
    row.plain(&entry.authors.iter().filter_map(|link| context.label(link)).collect::<Vec<_>>().join(", "));
    let mut texts: Vec<String> = bodies.iter().map(content::Body::text).collect();
    if texts.iter().all(|text| !crate::xml::is_visible(text)) {
        texts = vec!["The text of this note is not here.".to_owned()];
    }
    let texts = row.cells(&texts);
    let anchor = texts.iter().flatten().next().cloned().unwrap_or_else(|| row.anchor());
    section.push(row);
    section.entry(entry.origin.place, |x| activity(x, context, entry, (&anchor, name.as_ref()), &bodies));
}

/// C-CDA: Note Activity.
fn activity(
    x: &mut Xml,
    context: &Context<'_>,
    entry: &Entry<'_>,
    (text, name): (&Anchor, Option<&Anchor>),
    bodies: &[content::Body<'_>],
) {
    x.element("act", entries::ACT, |x| {
        templates(x, ".4.202", &["2016-11-01"]);
        id::ids(x, &context.request.namespace, entry.origin, entry.part);
        Fixed(system::LOINC, "34109-9", "Note").write(x, "code", "", |x| {
            code::original_text(x, None, name);
            for coding in &entry.kind.codings {
                code::write_plain(x, "translation", coding);
            }
        });
        let embedded = bodies.iter().find_map(content::Body::embedded);
        match embedded {
            Some((kind, data)) => {
                x.element("text", &[("mediaType", kind), ("representation", "B64")], |x| {
                    text.reference(x);
                    x.raw(&data);
                });
            }
            None => text.text(x),
        }
        entries::completed(x);
        let time = entry.written.or(entry.period.start.as_ref());
        instant::point(x, "effectiveTime", entry.period.start.as_ref().or(entry.written));
        match entry.authors.first() {
            Some(author) => party::recorder(x, context, &entry.origin.key, Some(author), time),
            None => party::server_author(x, context, time),
        }
        for link in &entry.encounters {
            encounter(x, context, link);
        }
    });
}

/// The encounter that a note belongs to, if it stands in the document.
fn encounter(x: &mut Xml, context: &Context<'_>, link: &Link) {
    let Some(key) = context.facts.key(link) else { return };
    let listed = context.layout.encounters.iter().any(|at| context.facts.encounters[*at].origin.key == key);
    if listed {
        x.element("entryRelationship", &[("typeCode", "COMP"), ("inversionInd", "true")], |x| {
            x.element("encounter", &[("classCode", "ENC"), ("moodCode", "EVN")], |x| {
                id::own(x, &context.request.namespace, key);
            });
        });
    }
}
