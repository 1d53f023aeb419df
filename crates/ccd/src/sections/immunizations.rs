//! Immunizations, given and not given.
//!
//! Clause: C-CDA 2.1 ImmunizationsSection

use charta_model::facts::{Concept, Immunization, Onset, Topic};

use super::{
    entries::{self, OBSERVATION, Reasons},
    medications::dose_quantity,
    medications::route,
};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant, party, quantity,
    range::{is_of_encounter, period_of},
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::{Xml, is_visible},
};

static KIND: Kind = Kind {
    topic: Topic::Immunizations,
    templates: &[(".2.2", &["", "2015-08-01"]), (".2.2.1", &["", "2015-08-01"])],
    code: ("11369-6", "History of Immunization note"),
    title: "Immunizations",
    prefix: "imm",
    columns: &["Vaccine", "Date", "Status", "Dose", "Lot and maker", "By", "Reason", "Reaction", "Comment"],
    is_required: false,
    is_limited: true,
};

struct Anchors {
    row: Anchor,
    name: Option<Anchor>,
    reasons: Vec<Option<Anchor>>,
    reactions: Vec<Option<Anchor>>,
    comments: Vec<Option<Anchor>>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let all = context.facts.immunizations.iter();
    let mut shown: Vec<&Immunization> = all
        .filter(|one| context.layout.limits.touches(&period_of(one.occurred.as_ref())))
        .filter(|one| is_of_encounter(context, one.encounter.as_ref()))
        .collect();
    shown.sort_by_cached_key(|one| instant::newest(one.occurred.as_ref().and_then(Onset::moment)));
    for one in shown {
        write(&mut section, context, one);
    }
    section.finish()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Immunization) {
    let mut row = section.row();
    let name = row.cell(one.vaccine.label().unwrap_or("Vaccine not named"));
    row.plain(&one.occurred.as_ref().map(instant::human_onset).unwrap_or_default());
    let status = one.status.as_deref().unwrap_or_default();
    row.plain(if one.is_not_done { "not given" } else { status });
    row.plain(&dose(one));
    row.plain(&product(context, one));
    let place = one.place.as_ref().and_then(|link| context.label(link)).unwrap_or_default();
    let who = context.labels(&one.performers);
    row.plain(&[who, place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "));
    let reasons = Reasons::of(context, if one.is_not_done { &one.status_reasons } else { &one.reasons }, &[]);
    let reason_anchors = row.cells(&reasons.lines);
    let reactions = row.cells(&entries::reaction_lines(&one.reactions));
    let comments = row.cells(&one.notes);
    let anchors = Anchors { row: row.anchor(), name, reasons: reason_anchors, reactions, comments };
    section.push(row);
    section.entry(one.origin.place, |x| activity(x, context, one, &reasons, &anchors));
}

fn dose(one: &Immunization) -> String {
    let mut parts = Vec::new();
    parts.extend(one.dose.as_ref().map(quantity::human));
    parts.extend(one.dose_number.as_ref().map(|number| format!("dose number {number}")));
    parts.extend(one.route.iter().chain(&one.site).filter_map(Concept::label).map(str::to_owned));
    parts.join(", ")
}

fn product(context: &Context<'_>, one: &Immunization) -> String {
    let mut parts = Vec::new();
    parts.extend(one.lot.as_ref().map(|lot| format!("lot {lot}")));
    parts.extend(one.expires.as_ref().map(|moment| format!("expires {}", instant::human(moment))));
    parts.extend(one.manufacturer.as_ref().and_then(|link| context.label(link)));
    parts.join(", ")
}

/// C-CDA: Immunization Activity.
fn activity(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Immunization,
    reasons: &Reasons<'_>,
    anchors: &Anchors,
) {
    let negation = if one.is_not_done { "true" } else { "false" };
    let attributes = [("classCode", "SBADM"), ("moodCode", "EVN"), ("negationInd", negation)];
    x.element("substanceAdministration", &attributes, |x| {
        templates(x, ".4.52", &["", "2015-08-01"]);
        id::ids(x, &context.request.namespace, &one.origin, "");
        anchors.row.text(x);
        entries::completed(x);
        instant::point(x, "effectiveTime", one.occurred.as_ref().and_then(Onset::moment));
        let number = one.dose_number.as_deref().and_then(|number| number.parse::<u32>().ok());
        if let Some(number) = number {
            x.empty("repeatNumber", &[("value", &number.to_string())]);
        }
        if let Some(way) = &one.route {
            route(x, way);
        }
        if let Some(site) = &one.site {
            code::write(x, "approachSiteCode", site, Style { prefer: &[system::SNOMED], ..Style::default() });
        }
        if let Some(dose) = &one.dose {
            dose_quantity(x, dose);
        }
        x.element("consumable", &[], |x| consumable(x, context, one, anchors));
        party::performers(x, context, &one.performers);
        let time = one.recorded.as_ref().or(one.occurred.as_ref().and_then(Onset::moment));
        party::recorder(x, context, &one.origin.key, None, time);
        party::place(x, context, one.place.as_ref());
        if one.is_not_done {
            refusals(x, context, one);
        } else {
            reasons.write(x, context, &one.origin.key, &anchors.reasons, false);
        }
        entries::reactions(x, context, &one.origin.key, &one.reactions, &anchors.reactions);
        entries::comments(x, &anchors.comments);
    });
}

/// C-CDA: Immunization Medication Information.
fn consumable(x: &mut Xml, context: &Context<'_>, one: &Immunization, anchors: &Anchors) {
    x.element("manufacturedProduct", &[("classCode", "MANU")], |x| {
        templates(x, ".4.54", &["", "2014-06-09"]);
        x.element("manufacturedMaterial", &[], |x| {
            let prefer = [system::CVX, system::NDC, system::RXNORM];
            let style = Style { prefer: &prefer, anchor: anchors.name.as_ref(), ..Style::default() };
            code::write(x, "code", &one.vaccine, style);
            if let Some(lot) = one.lot.as_deref().filter(|lot| is_visible(lot)) {
                x.leaf("lotNumberText", &[], lot);
            }
        });
        let maker = one.manufacturer.as_ref().and_then(|link| context.label(link));
        if let Some(maker) = maker.filter(|maker| is_visible(maker)) {
            x.element("manufacturerOrganization", &[], |x| x.leaf("name", &[], &maker));
        }
    });
}

/// Why it was not given.
///
/// C-CDA: Immunization Refusal Reason.
fn refusals(x: &mut Xml, context: &Context<'_>, one: &Immunization) {
    const REASONS: [(&str, &str); 8] = [
        ("IMMUNE", "immunity"),
        ("MEDPREC", "medical precaution"),
        ("OSTOCK", "product out of stock"),
        ("PATOBJ", "patient objection"),
        ("PHILISOP", "philosophical objection"),
        ("RELIG", "religious objection"),
        ("VACEFF", "vaccine efficacy concerns"),
        ("VACSAF", "vaccine safety concerns"),
    ];
    for (n, reason) in one.status_reasons.iter().enumerate() {
        let known = REASONS.iter().find(|(code, _)| reason.has(code));
        let Some((code, display)) = known else { continue };
        x.element("entryRelationship", &[("typeCode", "RSON")], |x| {
            x.element("observation", OBSERVATION, |x| {
                templates(x, ".4.53", &[""]);
                id::own(x, &context.request.namespace, &format!("{}/refusal/{n}", one.origin.key));
                Fixed(system::ACT_REASON, code, display).plain(x, "code", "");
                entries::completed(x);
            });
        });
    }
}
