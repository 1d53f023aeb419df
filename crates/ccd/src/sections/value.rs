//! The value of an observation, by its type; and what it says to readers.

use charta_model::facts::{Coding, Concept, Measure, Quantity, Range, Value};

use crate::{
    code::{self, Fixed, Style},
    instant, quantity, system,
    table::Anchor,
    xml::{Xml, is_gap, is_token, is_visible},
};

/// For readers.
pub(super) fn human(measure: &Measure) -> String {
    match &measure.value {
        Some(value) => human_value(value),
        None => match measure.absent_reason.as_ref().and_then(|reason| reason.label()) {
            Some(reason) => format!("no value: {reason}"),
            None => String::new(),
        },
    }
}

pub(super) fn human_value(value: &Value) -> String {
    match value {
        Value::Quantity(amount) => quantity::human(amount),
        Value::Concept(concept) => concept.label().unwrap_or_default().to_owned(),
        Value::Text(text) | Value::Integer(text) => text.clone(),
        Value::Boolean(true) => "Yes".to_owned(),
        Value::Boolean(false) => "No".to_owned(),
        Value::Range(range) => quantity::human_range(range.0.as_ref(), range.1.as_ref()),
        Value::Ratio(ratio) => format!("{} / {}", quantity::human(&ratio.0), quantity::human(&ratio.1)),
        Value::Moment(moment) => instant::human(moment),
        Value::Period(period) => instant::human_period(period),
    }
}

/// The value element; `anchor` is where the narrative says it.
pub(super) fn write(x: &mut Xml, measure: &Measure, anchor: Option<&Anchor>) {
    match &measure.value {
        Some(value) => write_value(x, "value", value, anchor),
        None => {
            let flavor = absent(measure.absent_reason.as_ref());
            x.empty("value", &[("xsi:type", "ST"), ("nullFlavor", flavor)]);
        }
    }
}

pub(super) fn write_value(x: &mut Xml, name: &str, value: &Value, anchor: Option<&Anchor>) {
    match value {
        Value::Quantity(amount) => quantity::united(x, name, amount),
        Value::Concept(concept) => {
            if concept.codings.iter().any(is_absent) {
                return absence(x, name, concept, anchor);
            }
            let style =
                Style { kind: "CD", prefer: &[system::SNOMED, system::LOINC], anchor, ..Style::default() };
            code::write(x, name, concept, style);
        }
        Value::Text(text) if is_gap(text) && anchor.is_some() => {
            x.element(name, &[("xsi:type", "ED")], |x| {
                anchor.iter().for_each(|anchor| anchor.reference(x));
            })
        }
        Value::Text(text) if is_visible(text) => x.leaf(name, &[("xsi:type", "ST")], text),
        Value::Text(_) => x.empty(name, &[("xsi:type", "ST"), ("nullFlavor", "NI")]),
        Value::Integer(number) => match number.parse::<i64>() {
            Ok(_) => x.empty(name, &[("xsi:type", "INT"), ("value", number)]),
            Err(_) => x.leaf(name, &[("xsi:type", "ST")], number),
        },
        Value::Boolean(flag) => {
            x.empty(name, &[("xsi:type", "BL"), ("value", if *flag { "true" } else { "false" })])
        }
        Value::Range(range) => quantity::interval(x, name, "IVL_PQ", range.0.as_ref(), range.1.as_ref()),
        Value::Ratio(ratio) => x.element(name, &[("xsi:type", "RTO_PQ_PQ")], |x| {
            quantity::physical(x, "numerator", "", &ratio.0, "");
            quantity::physical(x, "denominator", "", &ratio.1, "");
        }),
        Value::Moment(moment) => x.empty(name, &[("xsi:type", "TS"), ("value", &instant::hl7(moment))]),
        Value::Period(period) => instant::interval(
            x,
            name,
            "IVL_TS",
            period.start.as_ref(),
            period.end.as_ref(),
            instant::Open::Unknown,
        ),
    }
}

/// Whether the code says that there is no value, in the place of one.
fn is_absent(coding: &Coding) -> bool {
    coding.system.as_deref().is_some_and(|system| system.ends_with("data-absent-reason"))
}

/// A value that says why there is none: the flavor that means it, and the reason as it was given.
fn absence(x: &mut Xml, name: &str, concept: &Concept, anchor: Option<&Anchor>) {
    x.element(name, &[("xsi:type", "CD"), ("nullFlavor", absent(Some(concept)))], |x| {
        code::original_text(x, None, anchor);
        let given = concept.codings.iter().filter(|coding| is_absent(coding));
        for code in given.filter_map(|coding| coding.code.as_deref()).filter(|code| is_token(code)) {
            let attributes = [("code", code), ("codeSystem", system::DATA_ABSENT_REASON)];
            x.empty("translation", &attributes);
        }
    });
}

/// Why there is no value.
pub(super) fn absent(reason: Option<&Concept>) -> &'static str {
    let code = reason.and_then(|reason| reason.codings.iter().find_map(|coding| coding.code.as_deref()));
    match code {
        Some("unknown") => "UNK",
        Some("asked-unknown" | "asked-declined") => "ASKU",
        Some("temp-unknown" | "error") => "NAV",
        Some("not-asked" | "not-performed") => "NASK",
        Some("masked") => "MSK",
        Some("not-applicable") => "NA",
        Some("as-text" | "not-a-number" | "not-permitted") => "OTH",
        Some("negative-infinity") => "NINF",
        Some("positive-infinity") => "PINF",
        _ => "NI",
    }
}

/// What it means: codes of ObservationInterpretation.
pub(super) fn interpretations(x: &mut Xml, measure: &Measure) {
    for meaning in &measure.interpretations {
        // The table of v2 that older versions use has the same codes for the same things.
        let coded = meaning.codings.iter().find_map(|coding| {
            let known = coding.system.as_deref().is_none_or(|system| {
                system.contains("ObservationInterpretation")
                    || system.contains("v2/0078")
                    || system.contains("v2-0078")
            });
            coding.code.as_deref().filter(|_| known).and_then(interpretation)
        });
        match coded {
            Some(fixed) => fixed.plain(x, "interpretationCode", ""),
            None => code::write(x, "interpretationCode", meaning, Style { only: true, ..Style::default() }),
        }
    }
}

fn interpretation(code: &str) -> Option<Fixed> {
    const MEANINGS: [(&str, &str); 22] = [
        ("N", "Normal"),
        ("H", "High"),
        ("L", "Low"),
        ("HH", "Critical high"),
        ("LL", "Critical low"),
        ("A", "Abnormal"),
        ("AA", "Critical abnormal"),
        ("HU", "Significantly high"),
        ("LU", "Significantly low"),
        ("POS", "Positive"),
        ("NEG", "Negative"),
        ("IND", "Indeterminate"),
        ("DET", "Detected"),
        ("ND", "Not detected"),
        ("B", "Better"),
        ("W", "Worse"),
        ("U", "Significant change up"),
        ("D", "Significant change down"),
        ("S", "Susceptible"),
        ("R", "Resistant"),
        ("I", "Intermediate"),
        ("E", "Equivocal"),
    ];
    let (code, display) = MEANINGS.iter().find(|(known, _)| *known == code)?;
    Some(Fixed(system::INTERPRETATION, code, display))
}

/// For readers.
pub(super) fn human_interpretations(measure: &Measure) -> String {
    measure.interpretations.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", ")
}

/// For readers.
pub(super) fn human_ranges(measure: &Measure) -> String {
    let ranges = measure.ranges.iter().map(|range| {
        let amounts = quantity::human_range(range.low.as_ref(), range.high.as_ref());
        let kind = range.kind.as_ref().and_then(Concept::label).filter(|kind| !kind.starts_with("Normal"));
        let parts = [Some(amounts.as_str()), range.text.as_deref().filter(|text| *text != amounts), kind];
        parts.into_iter().flatten().filter(|part| is_visible(part)).collect::<Vec<_>>().join(" ")
    });
    ranges.filter(|range| !range.is_empty()).collect::<Vec<_>>().join("; ")
}

/// What is usual.
pub(super) fn ranges(x: &mut Xml, measure: &Measure) {
    for range in measure.ranges.iter().filter(|range| has_range(range)) {
        x.element("referenceRange", &[], |x| {
            x.element("observationRange", &[], |x| {
                let words = range.text.as_deref().filter(|text| is_visible(text));
                if let Some(words) = words {
                    x.leaf("text", &[], words);
                }
                let number = |amount: &Option<Quantity>| {
                    amount.as_ref().and_then(|one| one.value.as_deref()).is_some_and(quantity::is_number)
                };
                if number(&range.low) || number(&range.high) {
                    let low = range.low.as_ref().filter(|_| number(&range.low));
                    let high = range.high.as_ref().filter(|_| number(&range.high));
                    quantity::interval(x, "value", "IVL_PQ", low, high);
                } else if let Some(words) = words {
                    x.leaf("value", &[("xsi:type", "ST")], words);
                }
                if range.kind.as_ref().is_some_and(|kind| kind.has("normal")) {
                    Fixed(system::INTERPRETATION, "N", "Normal").plain(x, "interpretationCode", "");
                }
            });
        });
    }
}

fn has_range(range: &Range) -> bool {
    let number = |amount: &Option<Quantity>| {
        amount.as_ref().and_then(|one| one.value.as_deref()).is_some_and(quantity::is_number)
    };
    number(&range.low) || number(&range.high) || range.text.as_deref().is_some_and(is_visible)
}
