//! How a medication is taken: in words, and in times, routes and amounts.

use charta_model::facts::{Concept, Dosage, Medication, Quantity, Timing};

use crate::{
    code::{self, Fixed, Style},
    instant, quantity, system,
    xml::{Xml, is_visible},
};

/// The whole direction in words: as written, else put together from its parts.
pub(in crate::sections) fn sig(dosage: &Dosage) -> String {
    let parts = parts(dosage);
    match dosage.text.as_deref().filter(|text| is_visible(text)) {
        Some(text) if parts.is_empty() => text.to_owned(),
        Some(text) => format!("{text} ({parts})"),
        None => parts,
    }
}

fn parts(dosage: &Dosage) -> String {
    let mut parts = Vec::new();
    parts.extend(dosage.dose.as_ref().map(quantity::human));
    parts.extend(
        dosage.dose_range.as_ref().map(|(low, high)| quantity::human_range(low.as_ref(), high.as_ref())),
    );
    parts.extend(dosage.route.as_ref().and_then(Concept::label).map(str::to_owned));
    parts.extend(dosage.site.as_ref().and_then(Concept::label).map(str::to_owned));
    parts.extend(dosage.method.as_ref().and_then(Concept::label).map(str::to_owned));
    parts.extend(timing(&dosage.timing));
    parts.extend(dosage.rate.as_ref().map(|rate| format!("rate {}", quantity::human(rate))));
    parts.extend(
        dosage
            .rate_ratio
            .as_ref()
            .map(|(one, other)| format!("rate {} / {}", quantity::human(one), quantity::human(other))),
    );
    if dosage.is_as_needed || !dosage.as_needed_for.is_empty() {
        let what = dosage.as_needed_for.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", ");
        parts.push(if what.is_empty() { "as needed".to_owned() } else { format!("as needed for {what}") });
    }
    parts.extend(
        dosage
            .max
            .as_ref()
            .map(|(one, other)| format!("at most {} in {}", quantity::human(one), quantity::human(other))),
    );
    parts.join(", ")
}

fn timing(timing: &Timing) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(period) = &timing.period {
        let unit = timing.period_unit.as_deref().unwrap_or_default();
        let times = timing.frequency.as_deref().unwrap_or("1");
        let max = timing.period_max.as_ref().map(|max| format!("-{max}")).unwrap_or_default();
        parts.push(format!("{times} time(s) every {period}{max} {unit}"));
    }
    parts.extend(timing.code.as_ref().and_then(Concept::label).map(str::to_owned));
    parts.extend(timing.when.iter().map(|when| {
        let offset =
            timing.offset_minutes.as_ref().map(|offset| format!("{offset} min ")).unwrap_or_default();
        format!("{offset}{when}")
    }));
    parts.extend(timing.duration.as_ref().map(|duration| format!("for {}", quantity::human(duration))));
    if timing.bounds.end.is_some() {
        parts.push(instant::human_period(&timing.bounds));
    }
    parts.extend(timing.events.iter().map(|event| format!("at {}", instant::human(event))));
    parts
}

/// What the patient is told beside it.
pub(in crate::sections) fn instructions(dosage: &Dosage) -> Vec<String> {
    let additional = dosage.additional.iter().filter_map(Concept::label).map(str::to_owned);
    dosage.patient_instruction.iter().cloned().chain(additional).collect()
}

/// How often, as far as HL7 has a form for it.
pub(super) fn repeat(x: &mut Xml, timing: &Timing) {
    if let Some((value, unit)) = interval(timing) {
        let attributes = [("xsi:type", "PIVL_TS"), ("institutionSpecified", "true"), ("operator", "A")];
        x.element("effectiveTime", &attributes, |x| x.empty("period", &[("value", &value), ("unit", unit)]));
        return;
    }
    for when in &timing.when {
        const EVENTS: [&str; 15] =
            ["AC", "ACD", "ACM", "ACV", "C", "CD", "CM", "CV", "HS", "IC", "ICD", "PC", "PCD", "PCM", "WAKE"];
        let Some(event) = EVENTS.iter().find(|event| *event == when) else { continue };
        x.element("effectiveTime", &[("xsi:type", "EIVL_TS"), ("operator", "A")], |x| {
            x.empty("event", &[("code", event)]);
            if let Some(minutes) =
                timing.offset_minutes.as_deref().filter(|minutes| quantity::is_number(minutes))
            {
                x.element("offset", &[], |x| x.empty("low", &[("value", minutes), ("unit", "min")]));
            }
        });
    }
}

/// The time from one dose to the next.
fn interval(timing: &Timing) -> Option<(String, &'static str)> {
    let unit = match timing.period_unit.as_deref() {
        Some("s") => "s",
        Some("min") => "min",
        Some("h") => "h",
        Some("d") => "d",
        Some("wk") => "wk",
        Some("mo") => "mo",
        Some("a") => "a",
        _ => return by_code(timing.code.as_ref()?),
    };
    let period = timing.period.as_deref().filter(|period| quantity::is_number(period))?;
    let frequency: f64 = timing.frequency.as_deref().unwrap_or("1").parse().ok()?;
    let (amount, unit) = match (period.parse::<f64>().ok()?, unit) {
        // A day is 24 hours, which most frequencies divide.
        (days, "d") if frequency != 1.0 => (days * 24.0 / frequency, "h"),
        (amount, unit) => (amount / frequency, unit),
    };
    if !amount.is_finite() || amount <= 0.0 || amount > 1e9 {
        return None;
    }
    let rounded = format!("{amount:.4}");
    Some((rounded.trim_end_matches('0').trim_end_matches('.').to_owned(), unit))
        .filter(|(value, _)| value != "0")
}

/// What the abbreviations of prescribers mean.
fn by_code(code: &Concept) -> Option<(String, &'static str)> {
    const HOURS: [(&str, &str); 12] = [
        ("QD", "24"),
        ("BID", "12"),
        ("TID", "8"),
        ("QID", "6"),
        ("Q1H", "1"),
        ("Q2H", "2"),
        ("Q3H", "3"),
        ("Q4H", "4"),
        ("Q6H", "6"),
        ("Q8H", "8"),
        ("Q12H", "12"),
        ("QOD", "48"),
    ];
    let given = code.codings.iter().filter_map(|coding| coding.code.as_deref());
    let hours = given.flat_map(|code| HOURS.iter().find(|(known, _)| *known == code)).next()?;
    Some((hours.1.to_owned(), "h"))
}

/// By which way: NCI Thesaurus, as the guide wants it.
pub(in crate::sections) fn route(x: &mut Xml, route: &Concept) {
    let mapped = route.codings.iter().filter_map(|coding| coding.code.as_deref()).find_map(ncit);
    if code::has_system(route, &[system::NCIT]) {
        code::write(x, "routeCode", route, Style { prefer: &[system::NCIT], only: true, ..Style::default() });
        return;
    }
    match mapped {
        Some(fixed) => fixed.write(x, "routeCode", "", |x| {
            code::original_text(x, route.label(), None);
            for coding in &route.codings {
                code::write_plain(x, "translation", coding);
            }
        }),
        None => code::write(
            x,
            "routeCode",
            route,
            Style { prefer: &[system::NCIT], only: true, ..Style::default() },
        ),
    }
}

fn ncit(code: &str) -> Option<Fixed> {
    let (code, display) = match code {
        "26643006" | "PO" => ("C38288", "ORAL"),
        "47625008" | "IV" | "IVINJ" => ("C38276", "INTRAVENOUS"),
        "78421000" | "IM" => ("C28161", "INTRAMUSCULAR"),
        "34206005" | "SQ" => ("C38299", "SUBCUTANEOUS"),
        "372464004" | "IDINJ" => ("C38238", "INTRADERMAL"),
        "6064005" | "TOPICAL" => ("C38304", "TOPICAL"),
        "45890007" => ("C38305", "TRANSDERMAL"),
        "37161004" => ("C38295", "RECTAL"),
        "37839007" => ("C38300", "SUBLINGUAL"),
        "46713006" | "NASINHL" => ("C38284", "NASAL"),
        "447694001" => ("C38216", "RESPIRATORY (INHALATION)"),
        "54485002" => ("C38287", "OPHTHALMIC"),
        "10547007" => ("C38192", "AURICULAR (OTIC)"),
        "16857009" => ("C38313", "VAGINAL"),
        _ => return None,
    };
    Some(Fixed(system::NCIT, code, display))
}

/// How much at a time. It always stands there, known or not.
pub(super) fn amount(x: &mut Xml, dosage: Option<&Dosage>) {
    let dose = dosage.and_then(|dosage| dosage.dose.as_ref());
    let range = dosage.and_then(|dosage| dosage.dose_range.as_ref());
    match (dose, range) {
        (Some(dose), _) => dose_quantity(x, dose),
        (None, Some((low, high))) => {
            let number = |amount: &Option<Quantity>| {
                amount.as_ref().and_then(|one| one.value.as_deref()).is_some_and(quantity::is_number)
            };
            let low = low.as_ref().filter(|_| number(low));
            let high = high.as_ref().filter(|_| number(high));
            if low.is_none() && high.is_none() {
                return x.empty("doseQuantity", &[("nullFlavor", "UNK")]);
            }
            quantity::interval(x, "doseQuantity", "", low, high);
        }
        (None, None) => x.empty("doseQuantity", &[("nullFlavor", "UNK")]),
    }
}

/// A dose. What counts pieces has no unit: the product says what a piece is.
pub(in crate::sections) fn dose_quantity(x: &mut Xml, dose: &Quantity) {
    quantity::physical(x, "doseQuantity", "", dose, "");
}

/// How fast, and how much at most.
pub(super) fn limits(x: &mut Xml, dosage: Option<&Dosage>) {
    let Some(dosage) = dosage else { return };
    let is_whole = |rate: &&Quantity| {
        matches!(quantity::unit(rate), quantity::Unit::Code(_))
            && rate.value.as_deref().is_some_and(quantity::is_number)
    };
    if let Some(rate) = dosage.rate.as_ref().filter(is_whole) {
        quantity::physical(x, "rateQuantity", "", rate, "");
    }
    if let Some((numerator, denominator)) = &dosage.max {
        x.element("maxDoseQuantity", &[("xsi:type", "RTO_PQ_PQ")], |x| {
            quantity::physical(x, "numerator", "", numerator, "");
            quantity::physical(x, "denominator", "", denominator, "");
        });
    }
}

/// The direction that the entry says in codes: the first; all of them stand in the narrative.
pub(super) fn first<'a>(dosages: &[&'a Dosage]) -> Option<&'a Dosage> {
    dosages.first().copied()
}

/// Whether a medication is only taken when needed.
pub(super) fn is_as_needed(dosage: &Dosage) -> bool {
    dosage.is_as_needed || !dosage.as_needed_for.is_empty()
}

/// What is known of an order's supply.
pub(super) fn supply_of(order: Option<&Medication>) -> Option<&charta_model::facts::Supply> {
    order.and_then(|order| order.supply.as_ref())
}
