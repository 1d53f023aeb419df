//! Advance Directives.
//!
//! Clause: C-CDA 2.1 AdvanceDirectivesSection

use charta_model::facts::{Concept, Directive, Observation, Period, Topic, Value};

use super::{
    entries::{self, OBSERVATION},
    results, scale, value,
};
use crate::{
    code::{self, Style},
    context::Context,
    id, instant,
    instant::Open,
    layout::Place,
    party::{self, Known},
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::{Xml, is_visible},
};

static KIND: Kind = Kind {
    topic: Topic::Directives,
    templates: &[(".2.21", &["", "2015-08-01"]), (".2.21.1", &["", "2015-08-01"])],
    code: ("42348-3", "Advance healthcare directives"),
    title: "Advance Directives",
    prefix: "adv",
    columns: &["Directive", "What it says", "Time", "Verified", "By", "Document"],
    is_required: false,
    is_limited: false,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let shown = |one: &&Directive| context.layout.limits.has_begun(one.said.as_ref());
    for one in context.facts.directives.iter().filter(shown) {
        write(&mut section, context, one);
    }
    for one in scale::placed(context, Place::Directive) {
        observed(&mut section, context, one);
    }
    section.finish()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Directive) {
    let mut row = section.row();
    let kind = row.cell(one.kind.label().unwrap_or("Advance directive"));
    let said = row.cell(one.value.as_ref().and_then(Concept::label).unwrap_or_default());
    let time = if one.period.is_empty() {
        one.said.as_ref().map(instant::human).unwrap_or_default()
    } else {
        instant::human_period(&one.period)
    };
    row.plain(&time);
    let verified = one.verifiers.iter().map(|(link, when)| {
        let who = context.label(link).unwrap_or_default();
        format!("{who} {}", when.as_ref().map(instant::human).unwrap_or_default()).trim().to_owned()
    });
    row.plain(&verified.collect::<Vec<_>>().join(", "));
    row.plain(&one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    let documents = one.contents.iter().map(|content| {
        let name = content.title.as_deref().or(content.url.as_deref()).unwrap_or("Document");
        let kind = content.media_type.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
        format!("{name}{kind}")
    });
    let documents = row.cells(&documents.collect::<Vec<_>>());
    let anchor = row.anchor();
    section.push(row);
    section.entry(one.origin.place, |x| {
        observation(x, context, one, (&anchor, kind.as_ref(), said.as_ref()), &documents)
    });
}

type Anchors<'a> = (&'a Anchor, Option<&'a Anchor>, Option<&'a Anchor>);

/// C-CDA: Advance Directive Observation.
fn observation(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Directive,
    (row, kind, said): Anchors<'_>,
    documents: &[Option<Anchor>],
) {
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.48", &["", "2015-08-01"]);
        id::ids(x, &context.request.namespace, &one.origin, "");
        type_code(x, &one.kind, kind);
        row.text(x);
        entries::completed(x);
        let start = one.period.start.as_ref().or(one.said.as_ref());
        instant::interval(x, "effectiveTime", "", start, one.period.end.as_ref(), Open::Never);
        match &one.value {
            Some(what) => code::write(
                x,
                "value",
                what,
                Style { kind: "CD", prefer: &[system::SNOMED], anchor: said, ..Style::default() },
            ),
            None => x.empty("value", &[("xsi:type", "CD"), ("nullFlavor", "NI")]),
        }
        party::recorder(x, context, &one.origin.key, one.author.as_ref(), one.said.as_ref());
        for (link, when) in &one.verifiers {
            verifier(x, context, link, when.as_ref());
        }
        custodian(x, context, one);
        for (n, anchor) in documents.iter().enumerate() {
            if let Some(anchor) = anchor {
                document(x, context, one, n, anchor);
            }
        }
    });
}

/// What the directive is about, with the code that all of them share.
fn type_code(x: &mut Xml, kind: &Concept, anchor: Option<&Anchor>) {
    let all = results::loinc("75320-2", "Advance directive");
    let prefer = [system::SNOMED, system::LOINC];
    code::write(x, "code", kind, Style { prefer: &prefer, anchor, also: Some(all), ..Style::default() });
}

fn verifier(
    x: &mut Xml,
    context: &Context<'_>,
    link: &charta_model::facts::Link,
    when: Option<&charta_model::facts::Moment>,
) {
    let Some(known) = Known::of(context, link) else { return };
    x.element("participant", &[("typeCode", "VRF")], |x| {
        templates(x, "2.16.840.1.113883.10.20.1.58", &[""]);
        if when.is_some() {
            instant::point(x, "time", when);
        }
        x.element("participantRole", &[("classCode", "ASSIGNED")], |x| {
            known.ids(x, context, true);
            x.element("playingEntity", &[], |x| {
                let name = known.party.and_then(|party| party.names.first());
                crate::name::person(x, name, known.label.as_deref());
            });
        });
    });
}

fn custodian(x: &mut Xml, context: &Context<'_>, one: &Directive) {
    let Some(known) = one.custodian.as_ref().and_then(|link| Known::of(context, link)) else { return };
    x.element("participant", &[("typeCode", "CST")], |x| {
        x.element("participantRole", &[("classCode", "AGNT")], |x| {
            known.ids(x, context, true);
            x.element("playingEntity", &[], |x| {
                let name = known.party.and_then(|party| party.names.first());
                crate::name::person(x, name, known.label.as_deref());
            });
        });
    });
}

/// C-CDA: External Document Reference.
fn document(x: &mut Xml, context: &Context<'_>, one: &Directive, n: usize, anchor: &Anchor) {
    x.element("reference", &[("typeCode", "REFR")], |x| {
        x.element("externalDocument", &[("classCode", "DOCCLIN"), ("moodCode", "EVN")], |x| {
            templates(x, ".4.115", &["2014-06-09"]);
            id::own(x, &context.request.namespace, &format!("{}/document/{n}", one.origin.key));
            code::write(x, "code", &one.kind, Style { prefer: &[system::LOINC], ..Style::default() });
            let media = one
                .contents
                .get(n)
                .and_then(|content| content.media_type.as_deref())
                .filter(|kind| is_visible(kind));
            x.element("text", &[("mediaType", media.unwrap_or_default())], |x| anchor.reference(x));
        });
    });
}

/// A directive in the form of an observation.
fn observed(section: &mut Section<'_>, context: &Context<'_>, one: &Observation) {
    let mut row = section.row();
    let kind = row.cell(one.measure.code.label().unwrap_or("Advance directive"));
    let said = row.cell(&value::human(&one.measure));
    row.plain(&results::when(one));
    row.plain("");
    row.plain(&one.performers.iter().filter_map(|link| context.label(link)).collect::<Vec<_>>().join(", "));
    let anchor = row.anchor();
    section.push(row);
    section.entry(one.origin.place, |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.48", &["", "2015-08-01"]);
            results::ids(x, context, one, None);
            type_code(x, &one.measure.code, kind.as_ref());
            anchor.text(x);
            entries::completed(x);
            let Period { start, end } = one.period();
            let is_point = start == end;
            instant::interval(
                x,
                "effectiveTime",
                "",
                start.as_ref(),
                end.as_ref().filter(|_| !is_point),
                Open::Never,
            );
            match &one.measure.value {
                Some(Value::Concept(what)) => {
                    let style = Style {
                        kind: "CD",
                        prefer: &[system::SNOMED],
                        anchor: said.as_ref(),
                        ..Style::default()
                    };
                    code::write(x, "value", what, style);
                }
                _ => x.element("value", &[("xsi:type", "CD"), ("nullFlavor", "OTH")], |x| {
                    code::original_text(x, None, said.as_ref());
                }),
            }
            results::author(x, context, one);
        });
    });
}
