//! Problems, and the statement about a problem that other sections share.
//!
//! Clause: C-CDA 2.1 ProblemSection

use charta_model::facts::{Absence, Concept, Condition, Onset, Topic};

use super::entries::{self, ACT, OBSERVATION};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    instant::Open,
    layout, party,
    section::{Kind, Pieces, Section, templates},
    system,
    table::{Anchor, Row},
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Problems,
    templates: &[(".2.5", &["", "2015-08-01"]), (".2.5.1", &["", "2015-08-01"])],
    code: ("11450-4", "Problem list"),
    title: "Problems",
    prefix: "prob",
    columns: &["Problem", "Status", "Since", "Until", "Severity and site", "Recorded", "Comment"],
    is_required: true,
    is_limited: true,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut problems: Vec<&Condition> =
        context.layout.problems.iter().map(|at| &context.facts.conditions[*at]).collect();
    sort(&mut problems);
    for problem in &problems {
        let mut row = section.row();
        let anchors = cells(&mut row, context, problem);
        section.push(row);
        section.entry(problem.origin.place, |x| concern(x, context, problem, &anchors));
    }
    let absences = context.facts.absences.iter().filter(|one| one.topic == Topic::Problems);
    for absence in absences.filter(|one| context.layout.limits.has_begun(one.said.as_ref())) {
        if problems.is_empty() || !absence.code.is_empty() {
            write_absence(&mut section, context, absence);
        }
    }
    if !context.layout.diagnoses.is_empty() {
        section.paragraph(
            "Diagnoses that are over stand with the encounters at which they were made.".to_owned(),
        );
    }
    section.finish()
}

/// The newest first.
pub(super) fn sort(conditions: &mut [&Condition]) {
    conditions.sort_by_cached_key(|one| {
        instant::newest(one.onset.as_ref().and_then(Onset::moment).or(one.recorded.as_ref()))
    });
}

/// Where the narrative says what.
pub(super) struct Anchors {
    row: Anchor,
    name: Option<Anchor>,
    status: Option<Anchor>,
    grade: Option<Anchor>,
    comments: Vec<Option<Anchor>>,
}

/// The cells of a condition, for tables with the columns of this section.
pub(super) fn cells(row: &mut Row, context: &Context<'_>, condition: &Condition) -> Anchors {
    let label = condition.code.label().unwrap_or("Problem not named");
    let is_refuted = condition.verification.as_deref() == Some("refuted");
    let name = row.cell(&if is_refuted { format!("Not: {label}") } else { label.to_owned() });
    let parts = [condition.clinical_status.as_deref(), condition.verification.as_deref()];
    let status = row.cell(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    row.plain(&condition.onset.as_ref().map(instant::human_onset).unwrap_or_default());
    row.plain(&condition.abatement.as_ref().map(instant::human_onset).unwrap_or_default());
    let sites = condition.severity.iter().chain(&condition.body_sites).filter_map(Concept::label);
    let grade = row.cell(&sites.collect::<Vec<_>>().join(", "));
    row.plain(&recorded(context, condition));
    let stages = condition.stages.iter().filter_map(Concept::label).map(|label| format!("Stage: {label}"));
    let evidence =
        condition.evidence.iter().filter_map(Concept::label).map(|label| format!("Evidence: {label}"));
    let lines: Vec<String> = condition.notes.iter().cloned().chain(stages).chain(evidence).collect();
    let comments = row.cells(&lines);
    Anchors { row: row.anchor(), name, status, grade, comments }
}

fn recorded(context: &Context<'_>, condition: &Condition) -> String {
    let when = condition.recorded.as_ref().map(instant::human).unwrap_or_default();
    let who = condition.recorder.as_ref().and_then(|link| context.label(link)).unwrap_or_default();
    format!("{when} {who}").trim().to_owned()
}

/// C-CDA: Problem Concern Act.
fn concern(x: &mut Xml, context: &Context<'_>, condition: &Condition, anchors: &Anchors) {
    let is_over = is_over(condition);
    x.element("act", ACT, |x| {
        templates(x, ".4.3", &["", "2015-08-01", "2024-05-01"]);
        id::ids(x, &context.request.namespace, &condition.origin, "concern");
        Fixed(system::ACT_CLASS, "CONC", "Concern").plain(x, "code", "");
        x.empty("statusCode", &[("code", if is_over { "completed" } else { "active" })]);
        let low = condition.recorded.as_ref().or(condition.onset.as_ref().and_then(Onset::moment));
        let high = condition.abatement.as_ref().and_then(Onset::moment).filter(|_| is_over);
        instant::interval(
            x,
            "effectiveTime",
            "",
            low,
            high,
            if is_over { Open::Unknown } else { Open::Silent },
        );
        recorder(x, context, condition);
        x.element("entryRelationship", &[("typeCode", "SUBJ")], |x| {
            observation(x, context, condition, anchors)
        });
    });
}

fn recorder(x: &mut Xml, context: &Context<'_>, condition: &Condition) {
    party::recorder(
        x,
        context,
        &condition.origin.key,
        condition.recorder.as_ref(),
        condition.recorded.as_ref(),
    );
}

/// Whether nobody is concerned any more.
pub(super) fn is_over(condition: &Condition) -> bool {
    match condition.clinical_status.as_deref() {
        Some("resolved") => true,
        Some("active" | "recurrence" | "relapse") => false,
        _ => condition.abatement.is_some() || !layout::is_active(condition),
    }
}

/// C-CDA: Problem Observation.
pub(super) fn observation(x: &mut Xml, context: &Context<'_>, condition: &Condition, anchors: &Anchors) {
    let is_refuted = condition.verification.as_deref() == Some("refuted");
    let negation = if is_refuted { "true" } else { "" };
    x.element("observation", &[OBSERVATION[0], OBSERVATION[1], ("negationInd", negation)], |x| {
        templates(x, ".4.4", &["", "2015-08-01", "2022-06-01", "2024-05-01"]);
        id::ids(x, &context.request.namespace, &condition.origin, "");
        kind(x, condition);
        anchors.row.text(x);
        entries::completed(x);
        let ended = condition.abatement.is_some() || condition.clinical_status.as_deref() == Some("resolved");
        let low = condition.onset.as_ref().and_then(Onset::moment);
        let high = condition.abatement.as_ref().and_then(Onset::moment);
        instant::interval(
            x,
            "effectiveTime",
            "",
            low,
            high,
            if ended { Open::Unknown } else { Open::Silent },
        );
        let prefer = [system::SNOMED, system::ICD10CM, system::ICD9CM];
        let anchor = anchors.name.as_ref();
        code::write(
            x,
            "value",
            &condition.code,
            Style { kind: "CD", prefer: &prefer, anchor, ..Style::default() },
        );
        for site in &condition.body_sites {
            code::write(x, "targetSiteCode", site, Style { prefer: &[system::SNOMED], ..Style::default() });
        }
        recorder(x, context, condition);
        party::informant(x, context, condition.asserter.as_ref());
        entries::age(x, condition.onset.as_ref());
        status(x, condition, anchors.status.as_ref());
        let grade = condition
            .severity
            .iter()
            .flat_map(|one| &one.codings)
            .filter_map(|coding| coding.code.as_deref());
        if let Some(grade) = grade.filter_map(entries::severity_of).next() {
            entries::severity(x, grade, anchors.grade.as_ref());
        }
        diagnosed(x, condition);
        entries::comments(x, &anchors.comments);
    });
}

/// Problem, diagnosis or concern.
fn kind(x: &mut Xml, condition: &Condition) {
    let is = |code: &str| condition.categories.iter().any(|category| category.has(code));
    let (kind, loinc) = if is("encounter-diagnosis") {
        (Fixed(system::SNOMED, "282291009", "Diagnosis"), Fixed(system::LOINC, "29308-4", "Diagnosis"))
    } else {
        (entries::PROBLEM, entries::PROBLEM_LOINC)
    };
    kind.write(x, "code", "", |x| loinc.plain(x, "translation", ""));
}

/// C-CDA: Problem Status.
fn status(x: &mut Xml, condition: &Condition, anchor: Option<&Anchor>) {
    let (code, display) = match condition.clinical_status.as_deref() {
        Some("active") => ("55561003", "Active"),
        Some("recurrence") => ("246455001", "Recurrence"),
        Some("relapse") => ("263855007", "Relapse phase"),
        Some("inactive") => ("73425007", "Inactive"),
        Some("remission") => ("277022003", "Remission phase"),
        Some("resolved") => ("413322009", "Resolved"),
        _ => return,
    };
    x.element("entryRelationship", &[("typeCode", "REFR")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.6", &["", "2019-06-20"]);
            Fixed(system::LOINC, "33999-4", "Status").plain(x, "code", "");
            if let Some(anchor) = anchor {
                anchor.text(x);
            }
            entries::completed(x);
            Fixed(system::SNOMED, code, display).plain(x, "value", "CD");
        });
    });
}

/// C-CDA: Date Of Diagnosis Act.
fn diagnosed(x: &mut Xml, condition: &Condition) {
    let Some(moment) = condition.asserted.as_ref().or(condition.recorded.as_ref()) else { return };
    x.element("entryRelationship", &[("typeCode", "COMP")], |x| {
        x.element("act", ACT, |x| {
            templates(x, ".4.502", &["2022-06-01"]);
            Fixed(system::LOINC, "77975-1", "Earliest date of diagnosis").plain(x, "code", "");
            entries::completed(x);
            instant::point(x, "effectiveTime", Some(moment));
        });
    });
}

/// That there are no problems, because somebody said so.
fn write_absence(section: &mut Section<'_>, context: &Context<'_>, absence: &Absence) {
    let mut row = section.row();
    let name = row.cell(absence.text.as_deref().unwrap_or("No known problems"));
    for column in 1..KIND.columns.len() {
        let text = if column == 5 {
            absence.said.as_ref().map(instant::human).unwrap_or_default()
        } else {
            String::new()
        };
        row.plain(&text);
    }
    let anchor = name.unwrap_or_else(|| row.anchor());
    section.push(row);
    section.entry(absence.origin.place, |x| {
        x.element("act", ACT, |x| {
            templates(x, ".4.3", &["", "2015-08-01", "2024-05-01"]);
            id::ids(x, &context.request.namespace, &absence.origin, "concern");
            Fixed(system::ACT_CLASS, "CONC", "Concern").plain(x, "code", "");
            x.empty("statusCode", &[("code", "active")]);
            instant::interval(x, "effectiveTime", "", absence.said.as_ref(), None, Open::Silent);
            party::recorder(x, context, &absence.origin.key, absence.author.as_ref(), absence.said.as_ref());
            x.element("entryRelationship", &[("typeCode", "SUBJ")], |x| {
                x.element("observation", &[OBSERVATION[0], OBSERVATION[1], ("negationInd", "true")], |x| {
                    templates(x, ".4.4", &["", "2015-08-01", "2022-06-01", "2024-05-01"]);
                    id::ids(x, &context.request.namespace, &absence.origin, "");
                    entries::problem_code(x);
                    anchor.text(x);
                    entries::completed(x);
                    instant::interval(x, "effectiveTime", "", absence.said.as_ref(), None, Open::Silent);
                    entries::PROBLEM.plain(x, "value", "CD");
                    party::recorder(
                        x,
                        context,
                        &absence.origin.key,
                        absence.author.as_ref(),
                        absence.said.as_ref(),
                    );
                });
            });
        });
    });
}
