//! What is to be dispensed, and what was.
//!
//! C-CDA: Medication Supply Order.
//! C-CDA: Medication Dispense.

use charta_model::facts::{Concept, Dispense, Period, Supply};

use super::{Anchors, Entry, activity, dose};
use crate::{
    code,
    context::Context,
    id, instant,
    instant::Open,
    party, quantity,
    section::templates,
    table::Anchor,
    xml::{Xml, is_visible},
};

/// For readers: the order first, then what was dispensed.
pub(super) fn lines(context: &Context<'_>, entry: &Entry<'_>) -> Vec<String> {
    let order = dose::supply_of(entry.order).map(order_line);
    order.into_iter().chain(entry.dispenses.iter().map(|one| dispense_line(context, one))).collect()
}

fn order_line(supply: &Supply) -> String {
    let mut parts = vec!["To dispense".to_owned()];
    parts.extend(supply.quantity.as_ref().map(quantity::human));
    parts.extend(supply.repeats.as_ref().map(|repeats| format!("repeats: {repeats}")));
    parts.extend(supply.duration.as_ref().map(|duration| format!("for {}", quantity::human(duration))));
    parts.push(instant::human_period(&supply.validity));
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

fn dispense_line(context: &Context<'_>, one: &Dispense) -> String {
    let mut parts = vec!["Dispensed".to_owned()];
    parts.extend(one.when.as_ref().map(instant::human));
    parts.extend(one.quantity.as_ref().map(quantity::human));
    parts.extend(one.days.as_ref().map(|days| format!("for {}", quantity::human(days))));
    parts.extend(one.kind.as_ref().and_then(Concept::label).map(str::to_owned));
    parts.extend(one.status.clone());
    parts.push(context.labels(&one.performers));
    parts.extend(one.notes.iter().cloned());
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

pub(super) fn write(x: &mut Xml, context: &Context<'_>, entry: &Entry<'_>, anchors: &Anchors) {
    let mut at = 0;
    let mut next = || {
        at += 1;
        anchors.supplies.get(at - 1).and_then(Option::as_ref)
    };
    if let Some(supply) = dose::supply_of(entry.order) {
        let anchor = next();
        x.element("entryRelationship", &[("typeCode", "REFR")], |x| order(x, context, entry, supply, anchor));
    }
    for one in &entry.dispenses {
        let anchor = next();
        x.element("entryRelationship", &[("typeCode", "REFR")], |x| {
            dispense(x, context, entry, one, (anchor, anchors))
        });
    }
}

fn order(x: &mut Xml, context: &Context<'_>, entry: &Entry<'_>, supply: &Supply, anchor: Option<&Anchor>) {
    x.element("supply", &[("classCode", "SPLY"), ("moodCode", "INT")], |x| {
        templates(x, ".4.17", &["", "2014-06-09"]);
        id::own(x, &context.request.namespace, &format!("{}/supply", entry.origin.key));
        if let Some(anchor) = anchor {
            anchor.text(x);
        }
        x.empty("statusCode", &[("code", entry.status)]);
        if !supply.validity.is_empty() {
            let Period { start, end } = &supply.validity;
            instant::interval(x, "effectiveTime", "IVL_TS", start.as_ref(), end.as_ref(), Open::Unknown);
        }
        let fills = supply.repeats.as_deref().and_then(|repeats| repeats.parse::<u32>().ok());
        if let Some(fills) = fills.and_then(|repeats| repeats.checked_add(1)) {
            x.empty("repeatNumber", &[("value", &fills.to_string())]);
        }
        if let Some(amount) = &supply.quantity {
            quantity::physical(x, "quantity", "", amount, "");
        }
    });
}

fn dispense(
    x: &mut Xml,
    context: &Context<'_>,
    entry: &Entry<'_>,
    one: &Dispense,
    (anchor, anchors): (Option<&Anchor>, &Anchors),
) {
    x.element("supply", &[("classCode", "SPLY"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.18", &["", "2014-06-09", "2023-05-01"]);
        id::ids(x, &context.request.namespace, &one.origin, "");
        dispense_code(x, one);
        if let Some(anchor) = anchor {
            anchor.text(x);
        }
        // What became of it stands in the code; the act is over.
        x.empty("statusCode", &[("code", "completed")]);
        instant::point(x, "effectiveTime", one.when.as_ref());
        if let Some(amount) = &one.quantity {
            quantity::physical(x, "quantity", "", amount, "");
        }
        // What is not said was dispensed of what was ordered.
        let own = context.medication(&one.code, one.drug.as_ref());
        let (code, drug) = if own.is_empty() { (&entry.code, entry.drug) } else { (&own, one.drug.as_ref()) };
        let name = anchor.or(anchors.name.as_ref());
        x.element("product", &[], |x| activity::product(x, context, code, drug, name));
        if let Some(known) = one.performers.first().and_then(|role| party::Known::of(context, &role.party)) {
            x.element("performer", &[], |x| party::entity(x, "assignedEntity", context, &known));
        }
    });
}

/// The status of the dispense as FHIR has it, whose code system has no OID; and which fill it was.
fn dispense_code(x: &mut Xml, one: &Dispense) {
    x.element("code", &[("nullFlavor", "OTH")], |x| {
        x.leaf(
            "originalText",
            &[],
            one.status.as_deref().filter(|status| is_visible(status)).unwrap_or("completed"),
        );
        for coding in one.kind.iter().flat_map(|kind| &kind.codings) {
            code::write_plain(x, "translation", coding);
        }
    });
}
