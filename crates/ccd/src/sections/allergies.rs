//! Allergies and Intolerances.
//!
//! Clause: C-CDA 2.1 AllergiesAndIntolerancesSection

use charta_model::facts::{Absence, Allergy, Concept, Onset, Period, Topic};

use super::entries::{self, ACT, ASSERTION, OBSERVATION};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    instant::Open,
    party,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Allergies,
    templates: &[(".2.6", &["", "2015-08-01"]), (".2.6.1", &["", "2015-08-01"])],
    code: ("48765-2", "Allergies and adverse reactions Document"),
    title: "Allergies",
    prefix: "alg",
    columns: &["Substance", "Reaction", "Kind", "Criticality", "Status", "Since", "Recorded", "Comment"],
    is_required: true,
    is_limited: true,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut allergies: Vec<&Allergy> =
        context.facts.allergies.iter().filter(|one| is_shown(context, one)).collect();
    allergies.sort_by_cached_key(|one| instant::newest(started(one).or(one.recorded.as_ref())));
    for allergy in &allergies {
        write(&mut section, context, allergy);
    }
    let absences = context.facts.absences.iter().filter(|one| one.topic == Topic::Allergies);
    for absence in absences.filter(|one| context.layout.limits.has_begun(one.said.as_ref())) {
        // Nothing known and something known: then it is the something that is true.
        if allergies.is_empty() || !absence.code.is_empty() {
            write_absence(&mut section, context, absence);
        }
    }
    section.finish()
}

fn started(allergy: &Allergy) -> Option<&charta_model::facts::Moment> {
    allergy.onset.as_ref().and_then(Onset::moment)
}

fn is_active(allergy: &Allergy) -> bool {
    let ended = matches!(allergy.clinical_status.as_deref(), Some("inactive" | "resolved"));
    !ended && allergy.resolved.is_none()
}

fn is_shown(context: &Context<'_>, allergy: &Allergy) -> bool {
    let limits = &context.layout.limits;
    if is_active(allergy) {
        return limits.has_begun(started(allergy));
    }
    let start = started(allergy).or(allergy.recorded.as_ref()).cloned();
    limits.overlaps(&Period { start, end: allergy.resolved.clone() })
}

struct Anchors {
    row: Anchor,
    substance: Option<Anchor>,
    reactions: Vec<Option<Anchor>>,
    criticality: Option<Anchor>,
    status: Option<Anchor>,
    comments: Vec<Option<Anchor>>,
}

fn write(section: &mut Section<'_>, context: &Context<'_>, allergy: &Allergy) {
    let mut row = section.row();
    let kind = kind_of(allergy);
    let is_refuted = allergy.verification.as_deref() == Some("refuted");
    let label = allergy.code.label().unwrap_or("Substance not named");
    let substance = if is_refuted { format!("Not allergic: {label}") } else { label.to_owned() };
    let substance = row.cell(&substance);
    let reactions = row.cells(&entries::reaction_lines(&allergy.reactions));
    row.plain(kind.2);
    let criticality = row.cell(criticality_of(allergy).map_or("", |fixed| fixed.2));
    let status = row.cell(&status_text(allergy));
    row.plain(&since(allergy));
    row.plain(&recorded(context, allergy));
    let comments = row.cells(&allergy.notes);
    let anchors = Anchors { row: row.anchor(), substance, reactions, criticality, status, comments };
    section.push(row);
    section.entry(allergy.origin.place, |x| concern(x, context, allergy, &anchors));
}

/// Clinical and verification status, in words.
fn status_text(allergy: &Allergy) -> String {
    let clinical = allergy.clinical_status.as_deref().unwrap_or_default();
    let verification = allergy.verification.as_deref().unwrap_or_default();
    let parts = [clinical, verification].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

fn since(allergy: &Allergy) -> String {
    let mut text = allergy.onset.as_ref().map(instant::human_onset).unwrap_or_default();
    if let Some(end) = &allergy.resolved {
        text = format!("{text} until {}", instant::human(end));
    }
    if let Some(last) = &allergy.last_occurrence {
        text = format!("{text} last seen {}", instant::human(last));
    }
    text.trim().to_owned()
}

fn recorded(context: &Context<'_>, allergy: &Allergy) -> String {
    let when = allergy.recorded.as_ref().map(instant::human).unwrap_or_default();
    let who = allergy.recorder.as_ref().and_then(|link| context.label(link)).unwrap_or_default();
    format!("{when} {who}").trim().to_owned()
}

/// C-CDA: Allergy Concern Act.
fn concern(x: &mut Xml, context: &Context<'_>, allergy: &Allergy, anchors: &Anchors) {
    x.element("act", ACT, |x| {
        templates(x, ".4.30", &["", "2015-08-01"]);
        id::ids(x, &context.request.namespace, &allergy.origin, "concern");
        Fixed(system::ACT_CLASS, "CONC", "Concern").plain(x, "code", "");
        let active = is_active(allergy);
        x.empty("statusCode", &[("code", if active { "active" } else { "completed" })]);
        let low = allergy.recorded.as_ref().or(started(allergy));
        let (high, open) =
            if active { (None, Open::Silent) } else { (allergy.resolved.as_ref(), Open::Unknown) };
        instant::interval(x, "effectiveTime", "", low, high, open);
        recorder(x, context, allergy);
        x.element("entryRelationship", &[("typeCode", "SUBJ")], |x| {
            observation(x, context, allergy, anchors)
        });
    });
}

fn recorder(x: &mut Xml, context: &Context<'_>, allergy: &Allergy) {
    party::recorder(x, context, &allergy.origin.key, allergy.recorder.as_ref(), allergy.recorded.as_ref());
}

/// C-CDA: Allergy Intolerance Observation.
fn observation(x: &mut Xml, context: &Context<'_>, allergy: &Allergy, anchors: &Anchors) {
    let is_refuted = allergy.verification.as_deref() == Some("refuted");
    let negation = if is_refuted { "true" } else { "" };
    x.element("observation", &[OBSERVATION[0], OBSERVATION[1], ("negationInd", negation)], |x| {
        observation_templates(x);
        id::ids(x, &context.request.namespace, &allergy.origin, "");
        ASSERTION.plain(x, "code", "");
        anchors.row.text(x);
        entries::completed(x);
        let open = if is_active(allergy) { Open::Silent } else { Open::Unknown };
        instant::interval(x, "effectiveTime", "", started(allergy), allergy.resolved.as_ref(), open);
        write_kind(x, kind_of(allergy));
        recorder(x, context, allergy);
        party::informant(x, context, allergy.asserter.as_ref());
        substance(x, &allergy.code, anchors.substance.as_ref(), "");
        status(x, allergy, anchors.status.as_ref());
        entries::reactions(x, context, &allergy.origin.key, &allergy.reactions, &anchors.reactions);
        criticality(x, allergy, anchors.criticality.as_ref());
        entries::comments(x, &anchors.comments);
    });
}

fn observation_templates(x: &mut Xml) {
    templates(x, ".4.7", &["", "2014-06-09"]);
    templates(x, "2.16.840.1.113883.10.20.24.3.90", &["", "2014-06-09"]);
}

fn substance(x: &mut Xml, code: &Concept, anchor: Option<&Anchor>, absent: &str) {
    x.element("participant", &[("typeCode", "CSM")], |x| {
        x.element("participantRole", &[("classCode", "MANU")], |x| {
            x.element("playingEntity", &[("classCode", "MMAT")], |x| {
                if !absent.is_empty() {
                    return x.empty("code", &[("nullFlavor", absent)]);
                }
                let prefer = [system::RXNORM, system::UNII, system::SNOMED, system::NDFRT, system::MEDRT];
                code::write(x, "code", code, Style { prefer: &prefer, anchor, ..Style::default() });
            });
        });
    });
}

/// C-CDA: Allergy Status Observation.
fn status(x: &mut Xml, allergy: &Allergy, anchor: Option<&Anchor>) {
    let fixed = match allergy.clinical_status.as_deref() {
        Some("active") => Fixed(system::SNOMED, "55561003", "Active"),
        Some("inactive") => Fixed(system::SNOMED, "73425007", "Inactive"),
        Some("resolved") => Fixed(system::SNOMED, "413322009", "Resolved"),
        _ => return,
    };
    x.element("entryRelationship", &[("typeCode", "SUBJ"), ("inversionInd", "true")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.28", &["", "2019-06-20"]);
            Fixed(system::LOINC, "33999-4", "Status").plain(x, "code", "");
            if let Some(anchor) = anchor {
                anchor.text(x);
            }
            entries::completed(x);
            fixed.plain(x, "value", "CE");
        });
    });
}

/// C-CDA: Criticality Observation.
fn criticality(x: &mut Xml, allergy: &Allergy, anchor: Option<&Anchor>) {
    let Some(fixed) = criticality_of(allergy) else { return };
    x.element("entryRelationship", &[("typeCode", "SUBJ"), ("inversionInd", "true")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.145", &[""]);
            Fixed(system::LOINC, "82606-5", "Criticality").plain(x, "code", "");
            if let Some(anchor) = anchor {
                anchor.text(x);
            }
            entries::completed(x);
            fixed.plain(x, "value", "CD");
        });
    });
}

fn criticality_of(allergy: &Allergy) -> Option<Fixed> {
    let (code, display) = match allergy.criticality.as_deref()? {
        "low" | "CRITL" => ("CRITL", "low criticality"),
        "high" | "CRITH" => ("CRITH", "high criticality"),
        "unable-to-assess" | "CRITU" => ("CRITU", "unable to assess criticality"),
        _ => return None,
    };
    Some(Fixed(system::OBSERVATION_VALUE, code, display))
}

/// The kind. The newer editions do not know every kind of R2.1: what they do not know is a translation.
fn write_kind(x: &mut Xml, kind: Fixed) {
    if matches!(kind.1, "419199007" | "418038007") {
        let wider = Fixed(system::SNOMED, "420134006", "Propensity to adverse reactions");
        return wider.write(x, "value", "CD", |x| kind.plain(x, "translation", ""));
    }
    kind.plain(x, "value", "CD");
}

/// What kind of reaction to what kind of substance.
fn kind_of(allergy: &Allergy) -> Fixed {
    let category = allergy
        .categories
        .iter()
        .map(String::as_str)
        .find(|category| matches!(*category, "food" | "medication" | "environment" | "biologic"));
    let (code, display) = match (allergy.kind.as_deref(), category) {
        (Some("allergy"), Some("food")) => ("414285001", "Allergy to food"),
        (Some("allergy"), Some("medication")) => ("416098002", "Allergy to drug"),
        (Some("allergy"), _) => ("419199007", "Allergy to substance"),
        (Some("intolerance"), Some("food")) => ("235719002", "Intolerance to food"),
        (Some("intolerance"), Some("medication")) => ("59037007", "Intolerance to drug"),
        (_, Some("food")) => ("418471000", "Propensity to adverse reactions to food"),
        (_, Some("medication")) => ("419511003", "Propensity to adverse reactions to drug"),
        (_, Some("environment" | "biologic")) => {
            ("418038007", "Propensity to adverse reactions to substance")
        }
        _ => ("420134006", "Propensity to adverse reactions"),
    };
    Fixed(system::SNOMED, code, display)
}

/// That there is nothing known, because somebody said so.
fn write_absence(section: &mut Section<'_>, context: &Context<'_>, absence: &Absence) {
    let what =
        absence.code.codings.iter().filter_map(|coding| coding.code.as_deref()).find_map(|code| match code {
            "409137002" => Some(Fixed(system::SNOMED, "416098002", "Allergy to drug")),
            "429625007" => Some(Fixed(system::SNOMED, "414285001", "Allergy to food")),
            _ => None,
        });
    let what = what.unwrap_or(Fixed(system::SNOMED, "419199007", "Allergy to substance"));
    let mut row = section.row();
    let substance_anchor = row.cell(absence.text.as_deref().unwrap_or("No known allergies"));
    for column in 1..KIND.columns.len() {
        let text = if column == 6 {
            absence.said.as_ref().map(instant::human).unwrap_or_default()
        } else {
            String::new()
        };
        row.plain(&text);
    }
    let anchor = substance_anchor.unwrap_or_else(|| row.anchor());
    section.push(row);
    section.entry(absence.origin.place, |x| {
        x.element("act", ACT, |x| {
            templates(x, ".4.30", &["", "2015-08-01"]);
            id::ids(x, &context.request.namespace, &absence.origin, "concern");
            Fixed(system::ACT_CLASS, "CONC", "Concern").plain(x, "code", "");
            x.empty("statusCode", &[("code", "active")]);
            instant::interval(x, "effectiveTime", "", absence.said.as_ref(), None, Open::Silent);
            party::recorder(x, context, &absence.origin.key, absence.author.as_ref(), absence.said.as_ref());
            x.element("entryRelationship", &[("typeCode", "SUBJ")], |x| {
                x.element("observation", &[OBSERVATION[0], OBSERVATION[1], ("negationInd", "true")], |x| {
                    observation_templates(x);
                    id::ids(x, &context.request.namespace, &absence.origin, "");
                    ASSERTION.plain(x, "code", "");
                    anchor.text(x);
                    entries::completed(x);
                    instant::interval(x, "effectiveTime", "", absence.said.as_ref(), None, Open::Silent);
                    write_kind(x, what);
                    party::recorder(
                        x,
                        context,
                        &absence.origin.key,
                        absence.author.as_ref(),
                        absence.said.as_ref(),
                    );
                    substance(x, &Concept::default(), None, "NA");
                });
            });
        });
    });
}
