//! Amounts: PQ and its relatives, with UCUM units where the record has them.
//!
//! Clause: C-CDA 2.1 DataTypesPQ

use charta_model::facts::Quantity;

use crate::xml::{Xml, is_token, is_visible};

/// For readers: `< 2.5 mmol/L`.
pub(crate) fn human(quantity: &Quantity) -> String {
    let comparator = quantity.comparator.as_deref().unwrap_or_default();
    let value = quantity.value.as_deref().unwrap_or("unknown amount");
    let unit = quantity.unit.as_deref().filter(|unit| is_visible(unit)).or(quantity.code.as_deref());
    match unit.filter(|unit| *unit != "1") {
        Some(unit) => format!("{comparator}{value} {unit}"),
        None => format!("{comparator}{value}"),
    }
}

/// For readers: `4 - 6 mg`.
pub(crate) fn human_range(low: Option<&Quantity>, high: Option<&Quantity>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} - {}", human(low), human(high)),
        (Some(low), None) => format!(">= {}", human(low)),
        (None, Some(high)) => format!("<= {}", human(high)),
        (None, None) => String::new(),
    }
}

/// The unit of a quantity.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unit<'a> {
    /// None: a number.
    None,
    /// A unit that can be said in UCUM, or that the record says is UCUM.
    Code(&'a str),
    /// Words.
    Text(&'a str),
}

/// The unit: as coded, or as spelled where the spelling is a known one.
pub(crate) fn unit(quantity: &Quantity) -> Unit<'_> {
    let claimed = quantity.system.as_deref().is_some_and(|system| system.contains("unitsofmeasure"));
    let code = quantity.code.as_deref().filter(|code| is_token(code));
    if let Some(code) = code.filter(|_| claimed || quantity.system.is_none()) {
        // What UCUM would not read at all is respelled; the rest is the record's word.
        let misread = matches!(code, "degF" | "mmHg" | "lbs" | "in" | "lb");
        return Unit::Code(respelled(code).filter(|_| misread).unwrap_or(code));
    }
    let Some(text) = quantity.unit.as_deref().or(quantity.code.as_deref()).filter(|text| is_visible(text))
    else {
        return Unit::None;
    };
    match respelled(text) {
        Some(code) => Unit::Code(code),
        None if claimed && is_token(text) => Unit::Code(text),
        None => Unit::Text(text),
    }
}

/// What UCUM calls a unit that people spell otherwise, or as it is if it is a common unit of UCUM.
fn respelled(text: &str) -> Option<&'static str> {
    const SPELLED: &[(&str, &str)] = &[
        ("degF", "[degF]"),
        ("°F", "[degF]"),
        ("F", "[degF]"),
        ("C", "Cel"),
        ("°C", "Cel"),
        ("mmHg", "mm[Hg]"),
        ("mm Hg", "mm[Hg]"),
        ("lbs", "[lb_av]"),
        ("lb", "[lb_av]"),
        ("in", "[in_i]"),
        ("inches", "[in_i]"),
        ("beats/min", "/min"),
        ("bpm", "/min"),
        ("breaths/min", "/min"),
        ("pH", "[pH]"),
        ("days", "d"),
        ("day", "d"),
        ("hours", "h"),
        ("hour", "h"),
        ("weeks", "wk"),
        ("week", "wk"),
        ("months", "mo"),
        ("month", "mo"),
        ("years", "a"),
        ("year", "a"),
        ("minutes", "min"),
        ("seconds", "s"),
        ("ml", "mL"),
        ("cc", "mL"),
        ("mcg", "ug"),
    ];
    const COMMON: &[&str] = &[
        "%",
        "mg/dL",
        "g/dL",
        "mmol/L",
        "mol/L",
        "umol/L",
        "nmol/L",
        "pmol/L",
        "ng/mL",
        "ng/dL",
        "pg/mL",
        "ug/mL",
        "ug/dL",
        "ug/L",
        "mg/L",
        "g/L",
        "U/L",
        "[IU]/L",
        "m[IU]/L",
        "m[IU]/mL",
        "u[IU]/mL",
        "kU/L",
        "meq/L",
        "10*3/uL",
        "10*6/uL",
        "10*9/L",
        "10*12/L",
        "fL",
        "pg",
        "mL",
        "L",
        "dL",
        "uL",
        "mg",
        "g",
        "kg",
        "ug",
        "cm",
        "m",
        "mm",
        "kg/m2",
        "m2",
        "mm[Hg]",
        "Cel",
        "[degF]",
        "/min",
        "[lb_av]",
        "[in_i]",
        "s",
        "min",
        "h",
        "d",
        "wk",
        "mo",
        "a",
        "L/min",
        "mL/min",
        "mg/g",
        "[pH]",
        "{score}",
        "1",
        "ms",
        "mm/h",
        "/[HPF]",
        "/[LPF]",
        "mosm/kg",
        "mL/min/{1.73_m2}",
    ];
    let spelled = SPELLED.iter().find(|(spelling, _)| *spelling == text).map(|(_, code)| *code);
    spelled.or_else(|| COMMON.iter().find(|code| **code == text).copied())
}

/// Whether it is a number as XML Schema has it.
pub(crate) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction) && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// A quantity as the element `name` of type PQ, or IVL_PQ for a comparator where `kind` leaves it open.
pub(crate) fn value(x: &mut Xml, name: &str, quantity: &Quantity) {
    let bound = match quantity.comparator.as_deref() {
        Some("<") => ("high", "false"),
        Some("<=") => ("high", ""),
        Some(">") => ("low", "false"),
        Some(">=") => ("low", ""),
        _ => return physical(x, name, "PQ", quantity, ""),
    };
    x.element(name, &[("xsi:type", "IVL_PQ")], |x| physical(x, bound.0, "", quantity, bound.1));
}

/// From one amount to another.
pub(crate) fn interval(x: &mut Xml, name: &str, kind: &str, low: Option<&Quantity>, high: Option<&Quantity>) {
    x.element(name, &[("xsi:type", kind)], |x| {
        if let Some(low) = low {
            physical(x, "low", "", low, "");
        }
        if let Some(high) = high {
            physical(x, "high", "", high, "");
        }
    });
}

/// A PQ. A unit that is words stands in the translation; UCUM says that such a unit is 1.
pub(crate) fn physical(x: &mut Xml, name: &str, kind: &str, quantity: &Quantity, inclusive: &str) {
    let Some(number) = quantity.value.as_deref().filter(|value| is_number(value)) else {
        x.empty(name, &[("xsi:type", kind), ("nullFlavor", "UNK")]);
        return;
    };
    let unit = unit(quantity);
    let code = if let Unit::Code(code) = unit { code } else { "" };
    let attributes = [("xsi:type", kind), ("value", number), ("unit", code), ("inclusive", inclusive)];
    x.element(name, &attributes, |x| {
        if let Unit::Text(text) = unit {
            x.element("translation", &[("value", number), ("nullFlavor", "OTH")], |x| {
                x.leaf("originalText", &[], text);
            });
        }
    });
}

/// A PQ whose unit has to be there: words become an annotation.
pub(crate) fn with_unit(x: &mut Xml, name: &str, kind: &str, quantity: &Quantity) {
    let number = quantity.value.as_deref().unwrap_or_default();
    let annotated;
    let code = match unit(quantity) {
        Unit::Code(code) => code,
        Unit::None => "1",
        Unit::Text(text) => {
            annotated = annotation(text);
            &annotated
        }
    };
    x.empty(name, &[("xsi:type", kind), ("value", number), ("unit", code)]);
}

/// A quantity where a PQ has to have a unit: a number without one is REAL, and what is no number is unknown.
pub(crate) fn united(x: &mut Xml, name: &str, quantity: &Quantity) {
    let number = quantity.value.as_deref().filter(|value| is_number(value));
    match (unit(quantity), number, &quantity.comparator) {
        (_, None, _) => x.empty(name, &[("xsi:type", "ST"), ("nullFlavor", "UNK")]),
        (Unit::Code(_), ..) | (_, _, Some(_)) => value(x, name, quantity),
        // What is counted is a number.
        (Unit::Text(text), Some(number), None) if text.starts_with('#') || text == "score" => {
            x.empty(name, &[("xsi:type", "REAL"), ("value", number)]);
        }
        (Unit::None, Some(number), None) => x.empty(name, &[("xsi:type", "REAL"), ("value", number)]),
        (Unit::Text(text), Some(number), None) => {
            let attributes = [("xsi:type", "PQ"), ("value", number), ("unit", &annotation(text))];
            x.element(name, &attributes, |x| {
                x.element("translation", &[("value", number), ("nullFlavor", "OTH")], |x| {
                    x.leaf("originalText", &[], text);
                });
            });
        }
    }
}

/// Words as UCUM has them: between braces, in ASCII, without blanks.
fn annotation(text: &str) -> String {
    let inner =
        text.trim().chars().map(|c| if c.is_ascii_graphic() && c != '{' && c != '}' { c } else { '_' });
    format!("{{{}}}", inner.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(value: &str, unit: &str, system: &str, code: &str) -> Quantity {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Quantity {
            value: some(value),
            comparator: None,
            unit: some(unit),
            system: some(system),
            code: some(code),
        }
    }

    #[test]
    fn units_are_as_given_or_words() {
        let ucum = "http://unitsofmeasure.org";
        for (unit_text, system, code, expected) in [
            ("mmHg", ucum, "mm[Hg]", Unit::Code("mm[Hg]")),
            ("degF", "", "", Unit::Code("[degF]")),
            ("# per day", "", "", Unit::Text("# per day")),
            ("tablet", "http://example.org", "TAB", Unit::Text("tablet")),
            ("%", "", "", Unit::Code("%")),
            ("", "", "", Unit::None),
        ] {
            assert_eq!(unit(&quantity("1", unit_text, system, code)), expected, "{unit_text}");
        }
    }

    #[test]
    fn numbers_are_as_xml_has_them() {
        for (text, expected) in [
            ("1", true),
            ("-1.50", true),
            ("1e3", true),
            ("1.", false),
            (".5", false),
            ("NaN", false),
            ("1,5", false),
            ("", false),
            ("+1", false),
            ("1e", false),
        ] {
            assert_eq!(is_number(text), expected, "{text}");
        }
    }

    #[test]
    fn a_comparator_is_a_bound() {
        let mut x = Xml::default();
        value(
            &mut x,
            "value",
            &Quantity { comparator: Some("<".into()), ..quantity("2.5", "", "", "mmol/L") },
        );
        assert_eq!(
            x.into_string(),
            "<value xsi:type=\"IVL_PQ\"><high value=\"2.5\" unit=\"mmol/L\" inclusive=\"false\"/></value>"
        );
    }
}
