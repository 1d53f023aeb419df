//! Medications: orders and statements, with what was dispensed and given of them.
//!
//! Clause: C-CDA 2.1 MedicationsSection

mod activity;
mod dose;
mod supply;

pub(super) use activity::product;
pub(super) use dose::{dose_quantity, route, sig};

use charta_model::facts::{
    Absence, Administration, Concept, Dispense, Dosage, Link, Medication, MedicationKind, Moment, Origin,
    Period, Topic,
};

use super::entries::Reasons;
use crate::{
    code,
    context::Context,
    id, instant, layout, party,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::is_visible,
};

static KIND: Kind = Kind {
    topic: Topic::Medications,
    templates: &[(".2.1", &["", "2014-06-09"]), (".2.1.1", &["", "2014-06-09"])],
    code: ("10160-0", "History of Medication use Narrative"),
    title: "Medications",
    prefix: "med",
    columns: &["Medication", "Directions", "Reason", "Time", "Status", "By", "Supply", "More"],
    is_required: true,
    is_limited: true,
};

/// What an entry says, wherever it comes from.
pub(super) struct Entry<'a> {
    pub(super) origin: &'a Origin,
    pub(super) mood: &'static str,
    pub(super) status: &'static str,
    pub(super) is_negated: bool,
    pub(super) code: std::borrow::Cow<'a, Concept>,
    pub(super) drug: Option<&'a Link>,
    pub(super) period: Period,
    pub(super) dosages: Vec<&'a Dosage>,
    pub(super) author: Option<&'a Link>,
    pub(super) authored: Option<&'a Moment>,
    pub(super) reasons: Reasons<'a>,
    pub(super) order: Option<&'a Medication>,
    pub(super) dispenses: Vec<&'a Dispense>,
    pub(super) administrations: Vec<&'a Administration>,
    pub(super) comments: Vec<String>,
    pub(super) status_text: String,
}

/// Where the narrative says what.
pub(super) struct Anchors {
    pub(super) row: Anchor,
    pub(super) name: Option<Anchor>,
    pub(super) sigs: Vec<Option<Anchor>>,
    pub(super) instructions: Vec<Option<Anchor>>,
    pub(super) reasons: Vec<Option<Anchor>>,
    pub(super) supplies: Vec<Option<Anchor>>,
    pub(super) adherence: Vec<Option<Anchor>>,
    pub(super) given: Vec<Option<Anchor>>,
    pub(super) comments: Vec<Option<Anchor>>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut entries: Vec<Entry<'_>> =
        context.layout.medications.iter().map(|at| ordered(context, *at)).collect();
    entries.extend(
        context
            .layout
            .lone_administrations
            .iter()
            .map(|at| given(context, &context.facts.administrations[*at])),
    );
    entries.extend(
        context.layout.lone_dispenses.iter().map(|at| dispensed(context, &context.facts.dispenses[*at])),
    );
    entries.sort_by_cached_key(|entry| instant::newest(entry.period.start.as_ref()));
    for entry in &entries {
        write(&mut section, context, entry);
    }
    let absences = context.facts.absences.iter().filter(|one| one.topic == Topic::Medications);
    for absence in absences.filter(|one| context.layout.limits.has_begun(one.said.as_ref())) {
        if entries.is_empty() || !absence.code.is_empty() {
            write_absence(&mut section, context, absence);
        }
    }
    section.finish()
}

fn ordered<'a>(context: &'a Context<'_>, at: usize) -> Entry<'a> {
    let (facts, layout) = (context.facts, context.layout);
    let medication = &facts.medications[at];
    let list = |of: &std::collections::HashMap<usize, Vec<usize>>| of.get(&at).cloned().unwrap_or_default();
    let mut comments = medication.notes.clone();
    for statement in list(&layout.statements) {
        let statement = &facts.medications[statement];
        let who = statement.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default();
        let when = instant::human_period(&layout::medication_period(statement));
        let status = statement.status.as_deref().unwrap_or_default();
        comments.push(format!("Stated as taken: {status} {when} {who}").trim().to_owned());
        comments.extend(statement.notes.iter().cloned());
    }
    Entry {
        origin: &medication.origin,
        mood: if medication.kind == MedicationKind::Statement { "EVN" } else { "INT" },
        status: status(medication.status.as_deref()),
        is_negated: medication.is_not_taken,
        code: context.medication(&medication.code, medication.drug.as_ref()),
        drug: medication.drug.as_ref(),
        period: layout::medication_period(medication),
        dosages: medication.dosages.iter().collect(),
        author: medication.author.as_ref(),
        authored: medication.authored.as_ref(),
        reasons: Reasons::of(context, &medication.reasons, &medication.reason_links),
        order: Some(medication),
        dispenses: list(&layout.dispenses).into_iter().map(|at| &facts.dispenses[at]).collect(),
        administrations: list(&layout.administrations)
            .into_iter()
            .map(|at| &facts.administrations[at])
            .collect(),
        comments,
        status_text: status_text(medication),
    }
}

fn status_text(medication: &Medication) -> String {
    let status = medication.status.as_deref().unwrap_or_default();
    match (medication.is_not_taken, medication.kind) {
        (true, MedicationKind::Order) => format!("{status}, not to be taken"),
        (true, MedicationKind::Statement) => format!("{status}, not taken"),
        (false, _) => status.to_owned(),
    }
}

fn given<'a>(context: &'a Context<'_>, one: &'a Administration) -> Entry<'a> {
    Entry {
        origin: &one.origin,
        mood: "EVN",
        status: status(one.status.as_deref()),
        is_negated: one.is_not_done,
        code: context.medication(&one.code, one.drug.as_ref()),
        drug: one.drug.as_ref(),
        period: one.effective.clone(),
        dosages: one.dosage.iter().collect(),
        author: one.performers.first().map(|role| &role.party),
        authored: one.effective.start.as_ref(),
        reasons: Reasons::of(context, &one.reasons, &one.reason_links),
        order: None,
        dispenses: Vec::new(),
        administrations: Vec::new(),
        comments: one.notes.clone(),
        status_text: if one.is_not_done {
            "not given".to_owned()
        } else {
            format!("given, {}", one.status.as_deref().unwrap_or_default())
        },
    }
}

fn dispensed<'a>(context: &'a Context<'_>, one: &'a Dispense) -> Entry<'a> {
    Entry {
        origin: &one.origin,
        mood: "EVN",
        status: status(one.status.as_deref()),
        is_negated: false,
        code: context.medication(&one.code, one.drug.as_ref()),
        drug: one.drug.as_ref(),
        period: Period { start: one.when.clone(), end: None },
        dosages: one.dosages.iter().collect(),
        author: one.performers.first().map(|role| &role.party),
        authored: one.when.as_ref(),
        reasons: Reasons::of(context, &[], &[]),
        order: None,
        dispenses: vec![one],
        administrations: Vec::new(),
        comments: one.notes.clone(),
        status_text: "dispensed".to_owned(),
    }
}

/// The status of a medication, as CDA has it.
fn status(status: Option<&str>) -> &'static str {
    match status {
        Some("on-hold") => "suspended",
        Some("completed" | "ended") => "completed",
        Some("stopped" | "declined") => "aborted",
        Some("not-done") => "completed",
        _ => "active",
    }
}

fn write(section: &mut Section<'_>, context: &Context<'_>, entry: &Entry<'_>) {
    let mut row = section.row();
    let label = entry.code.label().unwrap_or("Medication not named");
    let name = row.cell(label);
    let sigs: Vec<String> = entry.dosages.iter().map(|dosage| dose::sig(dosage)).collect();
    let instructions: Vec<String> =
        entry.dosages.iter().flat_map(|dosage| dose::instructions(dosage)).collect();
    let (sigs, instructions) = {
        let lines: Vec<&String> = sigs.iter().chain(&instructions).collect();
        let mut anchors = row.cells(&lines);
        let rest = anchors.split_off(sigs.len());
        (anchors, rest)
    };
    let reasons = row.cells(&entry.reasons.lines);
    row.plain(&instant::human_period(&entry.period));
    row.plain(&entry.status_text);
    let who = entry.author.and_then(|link| context.label(link)).unwrap_or_default();
    row.plain(format!("{who} {}", entry.authored.map(instant::human).unwrap_or_default()).trim());
    let supplies = row.cells(&supply::lines(context, entry));
    let adherence_lines = activity::adherence_lines(entry);
    let given_lines = activity::given_lines(context, entry);
    let lines: Vec<&String> = adherence_lines.iter().chain(&given_lines).chain(&entry.comments).collect();
    let mut adherence = row.cells(&lines);
    let mut given = adherence.split_off(adherence_lines.len());
    let comments = given.split_off(given_lines.len());
    let anchors = Anchors {
        row: row.anchor(),
        name,
        sigs,
        instructions,
        reasons,
        supplies,
        adherence,
        given,
        comments,
    };
    section.push(row);
    section.entry(entry.origin.place, |x| activity::write(x, context, entry, &anchors));
}

/// That no medication is taken, because somebody said so.
fn write_absence(section: &mut Section<'_>, context: &Context<'_>, absence: &Absence) {
    let mut row = section.row();
    let text = absence.text.as_deref().filter(|text| is_visible(text)).unwrap_or("No known medications");
    let name = row.cell(text);
    for column in 1..KIND.columns.len() {
        row.plain(&if column == 3 {
            absence.said.as_ref().map(instant::human).unwrap_or_default()
        } else {
            String::new()
        });
    }
    let anchor = name.unwrap_or_else(|| row.anchor());
    section.push(row);
    section.entry(absence.origin.place, |x| {
        let attributes = [("classCode", "SBADM"), ("moodCode", "EVN"), ("negationInd", "true")];
        x.element("substanceAdministration", &attributes, |x| {
            templates(x, ".4.16", &["", "2014-06-09"]);
            id::ids(x, &context.request.namespace, &absence.origin, "");
            anchor.text(x);
            x.empty("statusCode", &[("code", "active")]);
            instant::interval(
                x,
                "effectiveTime",
                "IVL_TS",
                absence.said.as_ref(),
                None,
                instant::Open::Silent,
            );
            x.empty("doseQuantity", &[("nullFlavor", "NA")]);
            x.element("consumable", &[], |x| {
                x.element("manufacturedProduct", &[("classCode", "MANU")], |x| {
                    templates(x, ".4.23", &["", "2014-06-09"]);
                    x.element("manufacturedMaterial", &[], |x| {
                        x.element("code", &[("nullFlavor", "OTH")], |x| {
                            code::original_text(x, None, Some(&anchor));
                            code::Fixed(system::SNOMED, "410942007", "Drug or medicament").plain(
                                x,
                                "translation",
                                "",
                            );
                        });
                    });
                });
            });
            party::recorder(x, context, &absence.origin.key, absence.author.as_ref(), absence.said.as_ref());
        });
    });
}
