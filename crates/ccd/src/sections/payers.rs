//! Payers: insurance.
//!
//! Clause: C-CDA 2.1 PayersSection

use charta_model::facts::{Concept, Coverage, Link, PartyKind, Topic};

use super::entries::{self, ACT};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    instant::Open,
    name,
    party::Known,
    section::{Kind, Pieces, Section, templates},
    sections::results::loinc,
    system,
    table::Anchor,
    xml::{Xml, is_visible},
};

static KIND: Kind = Kind {
    topic: Topic::Payers,
    templates: &[(".2.18", &["", "2015-08-01"])],
    code: ("48768-6", "Payment sources Document"),
    title: "Insurance",
    prefix: "pay",
    columns: &["Payer", "Plan", "Member", "Relationship", "Time", "Status"],
    is_required: false,
    is_limited: false,
};

/// The code system of coverage roles.
const COVERAGE_ROLE: &str = "2.16.840.1.113883.5.111";

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let shown = |one: &&Coverage| {
        one.status.as_deref() != Some("cancelled")
            && context.layout.limits.has_begun(one.period.start.as_ref())
    };
    let mut coverages: Vec<&Coverage> = context.facts.coverages.iter().filter(shown).collect();
    coverages.sort_by_cached_key(|one| instant::newest(one.period.start.as_ref()));
    for coverage in coverages {
        write(&mut section, context, coverage);
    }
    section.finish()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Coverage) {
    let mut row = section.row();
    let payer = one.payer.as_ref().and_then(|link| context.label(link));
    row.plain(payer.as_deref().unwrap_or("Payer not named"));
    let classes = one.classes.iter().map(|(kind, value, name)| {
        let parts = [kind.label(), value.as_deref(), name.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let kind = one.kind.as_ref().and_then(Concept::label).map(str::to_owned);
    let kind = row.cell(&kind.into_iter().chain(classes).collect::<Vec<_>>().join(", "));
    row.plain(one.member_id.as_deref().unwrap_or_default());
    let guarantor = one.guarantor.as_ref().and_then(|link| context.label(link));
    let guarantor = guarantor.map(|label| format!("guarantor {label}"));
    let holder = one.subscriber.as_ref().or(one.holder.as_ref()).and_then(|link| context.label(link));
    let relationship = one.relationship.as_ref().and_then(Concept::label).map(str::to_owned);
    row.plain(&relationship.into_iter().chain(holder).chain(guarantor).collect::<Vec<_>>().join(", "));
    row.plain(&instant::human_period(&one.period));
    row.plain(one.status.as_deref().unwrap_or_default());
    let anchor = row.anchor();
    section.push(row);
    section.entry(one.origin.place, |x| activity(x, context, one, (&anchor, kind.as_ref())));
}

type Anchors<'a> = (&'a Anchor, Option<&'a Anchor>);

/// C-CDA: Coverage Activity.
fn activity(x: &mut Xml, context: &Context<'_>, one: &Coverage, anchors: Anchors<'_>) {
    x.element("act", ACT, |x| {
        templates(x, ".4.60", &["", "2015-08-01", "2023-05-01"]);
        id::ids(x, &context.request.namespace, &one.origin, "coverage");
        loinc("48768-6", "Payment sources Document").plain(x, "code", "");
        anchors.0.text(x);
        entries::completed(x);
        x.element("entryRelationship", &[("typeCode", "COMP")], |x| policy(x, context, one, anchors));
    });
}

/// C-CDA: Policy Activity.
fn policy(x: &mut Xml, context: &Context<'_>, one: &Coverage, (_, kind): Anchors<'_>) {
    x.element("act", ACT, |x| {
        templates(x, ".4.61", &["", "2015-08-01"]);
        id::ids(x, &context.request.namespace, &one.origin, "");
        let nothing = Concept::default();
        let what = one.kind.as_ref().unwrap_or(&nothing);
        // The guide wants a second code, of the payer's kind, that FHIR does not have.
        let style =
            Style { prefer: &[system::SOPT], anchor: kind, is_untranslated: true, ..Style::default() };
        code::write(x, "code", what, style);
        entries::completed(x);
        performer(x, context, one.payer.as_ref());
        guarantor(x, context, one);
        covered(x, context, one);
        holder(x, context, one);
        // What the plan is called.
        x.element("entryRelationship", &[("typeCode", "REFR")], |x| {
            x.element("act", &[("classCode", "ACT"), ("moodCode", "DEF")], |x| {
                id::own(x, &context.request.namespace, &format!("{}/plan", one.origin.key));
                code::write(x, "code", what, Style { prefer: &[system::SOPT], ..Style::default() });
                if let Some(kind) = kind {
                    kind.text(x);
                }
            });
        });
    });
}

/// C-CDA: Payer Performer.
fn performer(x: &mut Xml, context: &Context<'_>, payer: Option<&Link>) {
    let known = payer.and_then(|link| Known::of(context, link));
    x.element("performer", &[("typeCode", "PRF")], |x| {
        templates(x, ".4.87", &[""]);
        x.element("assignedEntity", &[], |x| {
            match &known {
                Some(known) => known.ids(x, context, true),
                None => x.empty("id", &[("nullFlavor", "UNK")]),
            }
            Fixed(system::ROLE_CLASS, "PAYOR", "invoice payor").plain(x, "code", "");
            if let Some(party) = known.as_ref().and_then(|known| known.party) {
                name::address(x, party.addresses.first());
                name::telecoms(x, &party.telecoms);
            }
            if let Some(label) =
                known.as_ref().and_then(|known| known.label.as_deref()).filter(|label| is_visible(label))
            {
                x.element("representedOrganization", &[], |x| x.leaf("name", &[], label));
            }
        });
    });
}

/// Who pays what nobody else does.
///
/// C-CDA: Guarantor Performer.
fn guarantor(x: &mut Xml, context: &Context<'_>, one: &Coverage) {
    let Some(known) = one.guarantor.as_ref().and_then(|link| Known::of(context, link)) else { return };
    let patient = context.facts.patient.as_ref().filter(|patient| {
        one.guarantor.as_ref().and_then(|link| context.facts.key(link)) == Some(&patient.origin.key)
    });
    x.element("performer", &[("typeCode", "PRF")], |x| {
        templates(x, ".4.88", &[""]);
        x.element("assignedEntity", &[], |x| {
            known.ids(x, context, true);
            Fixed(system::ROLE_CLASS, "GUAR", "guarantor").plain(x, "code", "");
            let addresses = known.party.map(|party| &party.addresses);
            name::address(x, addresses.or(patient.map(|one| &one.addresses)).and_then(|all| all.first()));
            let telecoms = known.party.map(|party| &party.telecoms).or(patient.map(|one| &one.telecoms));
            name::telecoms(x, telecoms.map(Vec::as_slice).unwrap_or_default());
            let names = known.party.map(|party| &party.names).or(patient.map(|one| &one.names));
            if known.party.is_some_and(|party| party.kind == PartyKind::Organization) {
                let label = known.label.as_deref().unwrap_or("Guarantor not named");
                return x.element("representedOrganization", &[], |x| x.leaf("name", &[], label));
            }
            x.element("assignedPerson", &[], |x| {
                name::person(x, names.and_then(|names| names.first()), known.label.as_deref());
            });
        });
    });
}

/// C-CDA: Covered Party Participant.
fn covered(x: &mut Xml, context: &Context<'_>, one: &Coverage) {
    let (code, display) = match one
        .relationship
        .as_ref()
        .and_then(|kind| kind.one_of(&["self", "spouse", "child", "parent", "other"]))
    {
        Some("self") => ("SELF", "self"),
        Some("spouse") => ("SPOUSE", "spouse"),
        Some("child") => ("CHILD", "child"),
        Some("parent") => ("PRN", "parent"),
        _ => ("", ""),
    };
    x.element("participant", &[("typeCode", "COV")], |x| {
        templates(x, ".4.89", &[""]);
        if !one.period.is_empty() {
            let (low, high) = (one.period.start.as_ref(), one.period.end.as_ref());
            instant::interval(x, "time", "", low, high, Open::Silent);
        }
        x.element("participantRole", &[("classCode", "PAT")], |x| {
            member_id(x, context, one);
            if code.is_empty() {
                let style = Style { prefer: &[COVERAGE_ROLE], only: true, ..Style::default() };
                code::write(x, "code", one.relationship.as_ref().unwrap_or(&Concept::default()), style);
            } else {
                Fixed(system::ROLE_CODE, code, display).plain(x, "code", "");
            }
            if let Some(patient) = &context.facts.patient {
                x.element("playingEntity", &[], |x| {
                    let label = patient.names.first().and_then(charta_model::facts::Name::label);
                    name::person(x, patient.names.first(), label.as_deref());
                    instant::point(x, "sdtc:birthTime", patient.birth.as_ref());
                });
            }
        });
    });
}

/// The member's number, below the payer's own root.
fn member_id(x: &mut Xml, context: &Context<'_>, one: &Coverage) {
    let payer = one.payer.as_ref().and_then(|link| context.facts.key(link)).unwrap_or(&one.origin.key);
    let root = id::uuid(&context.request.namespace, payer);
    match one.member_id.as_deref().filter(|member| is_visible(member)) {
        Some(member) => x.empty("id", &[("root", &root), ("extension", member.trim())]),
        None => x.empty("id", &[("nullFlavor", "UNK")]),
    }
}

/// C-CDA: Policy Holder Participant.
fn holder(x: &mut Xml, context: &Context<'_>, one: &Coverage) {
    let is_self = one.relationship.as_ref().is_some_and(|kind| kind.has("self"));
    let link = one.subscriber.as_ref().or(one.holder.as_ref()).filter(|_| !is_self);
    let Some(known) = link.and_then(|link| Known::of(context, link)) else { return };
    x.element("participant", &[("typeCode", "HLD")], |x| {
        templates(x, ".4.90", &[""]);
        x.element("participantRole", &[], |x| {
            known.ids(x, context, true);
            if let Some(address) = known.party.and_then(|party| party.addresses.first()) {
                name::address(x, Some(address));
            }
        });
    });
}
