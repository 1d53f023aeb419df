//! The entry of a medication.
//!
//! C-CDA: Medication Activity.

use charta_model::facts::{Concept, Dosage, Moment};

use super::{Anchors, Entry, dose, supply};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    instant::Open,
    party,
    section::templates,
    sections::entries::{self, ACT, ASSERTION, OBSERVATION},
    system,
    table::Anchor,
    xml::{Xml, is_visible},
};

pub(super) fn write(x: &mut Xml, context: &Context<'_>, entry: &Entry<'_>, anchors: &Anchors) {
    let negation = if entry.is_negated { "true" } else { "" };
    let attributes = [("classCode", "SBADM"), ("moodCode", entry.mood), ("negationInd", negation)];
    x.element("substanceAdministration", &attributes, |x| {
        templates(x, ".4.16", &["", "2014-06-09"]);
        id::ids(x, &context.request.namespace, entry.origin, "");
        anchors.row.text(x);
        x.empty("statusCode", &[("code", entry.status)]);
        let dosage = dose::first(&entry.dosages);
        time(x, entry, dosage);
        if let Some(route) = dosage.and_then(|dosage| dosage.route.as_ref()) {
            dose::route(x, route);
        }
        if let Some(site) = dosage.and_then(|dosage| dosage.site.as_ref()) {
            code::write(x, "approachSiteCode", site, Style { prefer: &[system::SNOMED], ..Style::default() });
        }
        dose::amount(x, dosage);
        dose::limits(x, dosage);
        x.element("consumable", &[], |x| product(x, context, &entry.code, entry.drug, anchors.name.as_ref()));
        party::recorder(x, context, &entry.origin.key, entry.author, entry.authored);
        relations(x, context, entry, anchors);
        if let Some(dosage) = dosage.filter(|dosage| dose::is_as_needed(dosage)) {
            as_needed(x, dosage, anchors);
        }
    });
}

fn time(x: &mut Xml, entry: &Entry<'_>, dosage: Option<&Dosage>) {
    let (start, end) = (entry.period.start.as_ref(), entry.period.end.as_ref());
    let is_point = start.is_some() && start == end && entry.mood == "EVN";
    if is_point {
        let value = start.map(instant::hl7).unwrap_or_default();
        x.empty("effectiveTime", &[("xsi:type", "IVL_TS"), ("value", &value)]);
    } else {
        let ended = matches!(entry.status, "completed" | "aborted");
        instant::interval(
            x,
            "effectiveTime",
            "IVL_TS",
            start,
            end,
            if ended { Open::Unknown } else { Open::Silent },
        );
    }
    if let Some(dosage) = dosage {
        dose::repeat(x, &dosage.timing);
    }
}

/// What is taken.
///
/// C-CDA: Medication Information.
pub(in crate::sections) fn product(
    x: &mut Xml,
    context: &Context<'_>,
    code: &Concept,
    drug: Option<&charta_model::facts::Link>,
    anchor: Option<&Anchor>,
) {
    let drug = drug.and_then(|link| context.facts.drugs.get(context.facts.key(link)?));
    x.element("manufacturedProduct", &[("classCode", "MANU")], |x| {
        templates(x, ".4.23", &["", "2014-06-09"]);
        x.element("manufacturedMaterial", &[], |x| {
            let prefer = [system::RXNORM, system::SNOMED];
            code::write(
                x,
                "code",
                code,
                Style { prefer: &prefer, anchor, absent: "UNK", ..Style::default() },
            );
            if let Some(lot) = drug.and_then(|drug| drug.lot.as_deref()).filter(|lot| is_visible(lot)) {
                x.leaf("lotNumberText", &[], lot);
            }
        });
        let maker = drug.and_then(|drug| drug.manufacturer.as_ref()).and_then(|link| context.label(link));
        if let Some(maker) = maker.filter(|maker| is_visible(maker)) {
            x.element("manufacturerOrganization", &[], |x| x.leaf("name", &[], &maker));
        }
    });
}

fn relations(x: &mut Xml, context: &Context<'_>, entry: &Entry<'_>, anchors: &Anchors) {
    for anchor in anchors.sigs.iter().flatten() {
        x.element("entryRelationship", &[("typeCode", "COMP")], |x| sig(x, anchor));
    }
    for anchor in anchors.instructions.iter().flatten() {
        x.element("entryRelationship", &[("typeCode", "SUBJ"), ("inversionInd", "true")], |x| {
            instruction(x, anchor)
        });
    }
    entry.reasons.write(x, context, &entry.origin.key, &anchors.reasons, false);
    supply::write(x, context, entry, anchors);
    let adherence = entry.order.map(|order| order.adherence.as_slice()).unwrap_or_default();
    for (n, (concept, said)) in adherence.iter().enumerate() {
        adhered(
            x,
            context,
            entry,
            (concept, said.as_ref()),
            anchors.adherence.get(n).and_then(Option::as_ref),
            n,
        );
    }
    for (given, anchor) in entry.administrations.iter().zip(&anchors.given) {
        administered(x, context, given, anchor.as_ref());
    }
    entries::comments(x, &anchors.comments);
}

/// C-CDA: Medication Free Text Sig.
fn sig(x: &mut Xml, anchor: &Anchor) {
    x.element("substanceAdministration", &[("classCode", "SBADM"), ("moodCode", "INT")], |x| {
        templates(x, ".4.147", &[""]);
        Fixed(system::LOINC, "76662-6", "Instructions Medication").plain(x, "code", "");
        anchor.text(x);
        x.element("consumable", &[], |x| {
            x.element("manufacturedProduct", &[], |x| {
                x.empty("manufacturedLabeledDrug", &[("nullFlavor", "NA")])
            });
        });
    });
}

/// C-CDA: Instruction.
fn instruction(x: &mut Xml, anchor: &Anchor) {
    x.element("act", &[("classCode", "ACT"), ("moodCode", "INT")], |x| {
        templates(x, ".4.20", &["", "2014-06-09"]);
        Fixed(system::SNOMED, "311401005", "Patient education").plain(x, "code", "");
        anchor.text(x);
        entries::completed(x);
    });
}

/// What the needed is needed for.
///
/// C-CDA: Precondition For Substance Administration.
fn as_needed(x: &mut Xml, dosage: &Dosage, anchors: &Anchors) {
    x.element("precondition", &[("typeCode", "PRCN")], |x| {
        x.element("criterion", &[], |x| {
            templates(x, ".4.25", &["", "2014-06-09"]);
            ASSERTION.plain(x, "code", "");
            let nothing = Concept::default();
            let what = dosage.as_needed_for.first().unwrap_or(&nothing);
            let anchor = anchors.sigs.first().and_then(Option::as_ref);
            let style = Style { kind: "CD", prefer: &[system::SNOMED], anchor, ..Style::default() };
            code::write(x, "value", what, style);
        });
    });
}

/// How well it is taken, for readers.
pub(super) fn adherence_lines(entry: &Entry<'_>) -> Vec<String> {
    let adherence = entry.order.map(|order| order.adherence.as_slice()).unwrap_or_default();
    let line = |(concept, said): &(Concept, Option<Moment>)| {
        let when = said.as_ref().map(instant::human).unwrap_or_default();
        format!("Adherence: {} {when}", concept.label().unwrap_or_default()).trim().to_owned()
    };
    adherence.iter().map(line).collect()
}

/// C-CDA: Medication Adherence.
fn adhered(
    x: &mut Xml,
    context: &Context<'_>,
    entry: &Entry<'_>,
    (concept, said): (&Concept, Option<&Moment>),
    anchor: Option<&Anchor>,
    n: usize,
) {
    x.element("entryRelationship", &[("typeCode", "COMP")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.508", &["2023-05-01"]);
            id::own(x, &context.request.namespace, &format!("{}/adherence/{n}", entry.origin.key));
            Fixed(system::LOINC, "71799-1", "Medication adherence").plain(x, "code", "");
            if let Some(anchor) = anchor {
                anchor.text(x);
            }
            entries::completed(x);
            instant::point(x, "effectiveTime", said);
            code::write(
                x,
                "value",
                concept,
                Style { kind: "CD", prefer: &[system::SNOMED], ..Style::default() },
            );
        });
    });
}

/// When it was given, for readers.
pub(super) fn given_lines(context: &Context<'_>, entry: &Entry<'_>) -> Vec<String> {
    let line = |one: &&charta_model::facts::Administration| {
        let verb = if one.is_not_done { "Not given" } else { "Given" };
        let when = instant::human_period(&one.effective);
        let dose = one.dosage.as_ref().map(dose::sig).filter(|sig| !sig.is_empty());
        let who = context.labels(&one.performers);
        let status = one.status.as_deref().unwrap_or_default();
        let parts = [Some(when), dose, Some(who), Some(status.to_owned())];
        let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        [format!("{verb} {}", parts.join(", ")), one.notes.join(" ")].join(" ").trim().to_owned()
    };
    entry.administrations.iter().map(line).collect()
}

/// That it was given.
///
/// C-CDA: Substance Administered Act.
fn administered(
    x: &mut Xml,
    context: &Context<'_>,
    one: &charta_model::facts::Administration,
    anchor: Option<&Anchor>,
) {
    x.element("entryRelationship", &[("typeCode", "COMP"), ("inversionInd", "true")], |x| {
        let negation = if one.is_not_done { "true" } else { "" };
        x.element("act", &[ACT[0], ACT[1], ("negationInd", negation)], |x| {
            templates(x, ".4.118", &[""]);
            id::ids(x, &context.request.namespace, &one.origin, "");
            Fixed(system::SNOMED, "416118004", "Administration").plain(x, "code", "");
            if let Some(anchor) = anchor {
                anchor.text(x);
            }
            entries::completed(x);
            instant::period(x, "effectiveTime", &one.effective);
            party::performers(x, context, &one.performers);
        });
    });
}
