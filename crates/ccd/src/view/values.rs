//! The data types of a header as people read them: names, times, addresses, codes, ids.

use super::tree::Element;

/// Social security numbers, of which only the end is shown.
const SOCIAL_SECURITY: &str = "2.16.840.1.113883.4.1";
const NATIONAL_PROVIDER: &str = "2.16.840.1.113883.4.6";

/// A person's or an organization's name; empty if there is none.
pub fn name(element: Element<'_>) -> String {
    let text = element.text();
    let parts: Vec<String> =
        element.elements().filter(|part| part.name() != "validTime").map(Element::text).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { text } else { parts.join(" ") }
}

/// A coded value: what it is called, else what was written, else its code.
pub fn code(element: Element<'_>) -> String {
    let written = || element.child("originalText").map(Element::text).filter(|text| !text.is_empty());
    let translated = || element.child("translation")?.attribute("displayName");
    let known = element.attribute("displayName").map(str::to_owned).or_else(written);
    known
        .or_else(|| translated().map(str::to_owned))
        .or_else(|| element.attribute("code").map(str::to_owned))
        .or_else(|| element.attribute("nullFlavor").map(|flavor| absent(flavor).to_owned()))
        .unwrap_or_default()
}

/// What a null flavor says.
pub fn absent(flavor: &str) -> &'static str {
    match flavor {
        "MSK" => "withheld",
        "NASK" => "not asked",
        "ASKU" => "asked but unknown",
        "NA" => "not applicable",
        "NAV" => "not yet available",
        "OTH" => "other",
        "UNK" => "unknown",
        _ => "no information",
    }
}

/// A point in time as ISO 8601 writes it, to the minute, with the zone that it was given in; what is no time stays as it
/// is.
pub fn time(value: &str) -> String {
    let (digits, zone) = match value.find(['+', '-']) {
        Some(at) => value.split_at(at),
        None => (value, ""),
    };
    let digits = digits.split_once('.').map_or(digits, |(whole, _)| whole);
    let is_plain =
        digits.len() >= 4 && digits.len() <= 14 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || !(zone.is_empty() || is_zone(zone)) {
        return value.to_owned();
    }
    let part = |from: usize, to: usize| digits.get(from..to);
    let mut shown = digits[..4].to_owned();
    for part in [part(4, 6), part(6, 8)].into_iter().flatten() {
        shown += "-";
        shown += part;
    }
    if let (Some(hour), Some(minute)) = (part(8, 10), part(10, 12)) {
        shown += &format!(" {hour}:{minute}");
        if is_zone(zone) {
            shown += &format!(" {}:{}", &zone[..3], &zone[3..]);
        }
    }
    shown
}

fn is_zone(zone: &str) -> bool {
    zone.len() == 5 && zone.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// A time or a period.
pub fn period(element: Element<'_>) -> String {
    let end = |name: &str| element.child(name).and_then(|end| end.attribute("value")).map(time);
    match (element.attribute("value"), end("low"), end("high")) {
        (Some(value), _, _) => time(value),
        (None, Some(low), Some(high)) if low == high => low,
        (None, Some(low), Some(high)) => format!("{low} to {high}"),
        (None, Some(low), None) => format!("since {low}"),
        (None, None, Some(high)) => format!("until {high}"),
        (None, None, None) => String::new(),
    }
}

/// How old somebody was who was born at `birth`, at another time; `None` if it cannot be said.
pub fn age(birth: &str, at: &str) -> Option<String> {
    let date = |text: &str| {
        let digits = text.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse::<u32>().ok()
    };
    let (birth, at) = (date(birth)?, date(at)?);
    let years = at.checked_sub(birth)? / 10_000;
    if years >= 2 {
        return Some(format!("{years} years"));
    }
    let months = |date: u32| date / 10_000 * 12 + date / 100 % 100;
    let months = months(at).checked_sub(months(birth))?.saturating_sub(u32::from(at % 100 < birth % 100));
    Some(match months {
        0 => "less than a month".to_owned(),
        1 => "1 month".to_owned(),
        months => format!("{months} months"),
    })
}

/// An address in one line.
pub fn address(element: Element<'_>) -> String {
    let parts: Vec<String> = element
        .elements()
        .filter(|part| part.name() != "useablePeriod")
        .map(Element::text)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() { element.text() } else { parts.join(", ") }
}

/// A telephone number or another way to reach somebody, without the scheme where it says nothing.
pub fn telecom(element: Element<'_>) -> String {
    let Some(value) = element.attribute("value") else { return String::new() };
    let (value, kind) = match value.split_once(':') {
        Some(("tel" | "mailto", rest)) => (rest, None),
        Some(("fax" | "x-text-fax", rest)) => (rest, Some("fax")),
        _ => (value, None),
    };
    let uses = element.attribute("use").unwrap_or_default().split_whitespace();
    let notes: Vec<&str> = kind.into_iter().chain(uses.filter_map(telecom_use)).collect();
    if notes.is_empty() { value.to_owned() } else { format!("{value} ({})", notes.join(", ")) }
}

fn telecom_use(code: &str) -> Option<&'static str> {
    Some(match code {
        "H" | "HP" | "HV" => "home",
        "WP" | "DIR" | "PUB" => "work",
        "MC" => "mobile",
        "EC" => "emergency",
        "TMP" => "temporary",
        "BAD" => "no longer in use",
        _ => return None,
    })
}

/// An identifier with who gave it; empty if it has nothing that a person could use.
pub fn id(element: Element<'_>) -> String {
    let Some(extension) = element.attribute("extension") else { return String::new() };
    let root = element.attribute("root").unwrap_or_default();
    let value = if root == SOCIAL_SECURITY { masked(extension) } else { extension.to_owned() };
    let giver = element.attribute("assigningAuthorityName").unwrap_or(match root {
        SOCIAL_SECURITY => "SSN",
        NATIONAL_PROVIDER => "NPI",
        root => root,
    });
    if giver.is_empty() { value } else { format!("{value} ({giver})") }
}

/// The last four characters, enough to compare with what a patient says.
fn masked(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(|c| c.is_ascii_digit()).collect();
    let end: String = digits[digits.len().saturating_sub(4)..].iter().collect();
    format!("\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}{end}")
}

/// What is not empty, in the order it came, each once.
pub fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for value in values {
        if !value.is_empty() && kept.len() < SHOWN_MAX && !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

/// So many names, addresses or numbers of one person are shown.
const SHOWN_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tree;

    #[test]
    fn times_are_as_exact_as_they_were_given() {
        for (value, shown) in [
            ("1972", "1972"),
            ("197208", "1972-08"),
            ("19720825", "1972-08-25"),
            ("2024030514", "2024-03-05"),
            ("202403051430", "2024-03-05 14:30"),
            ("20240305143000-0600", "2024-03-05 14:30 -06:00"),
            ("20240305143000.123+0100", "2024-03-05 14:30 +01:00"),
            ("20240305+0100", "2024-03-05"),
            ("yesterday", "yesterday"),
            ("2024-03-05", "2024-03-05"),
            ("12345678901234567", "12345678901234567"),
        ] {
            assert_eq!(time(value), shown);
        }
    }

    #[test]
    fn ages_are_in_years_and_of_infants_in_months() {
        let table = [
            ("19720825", "20240305", Some("51 years")),
            ("19720825", "20240825", Some("52 years")),
            ("20230420", "20240305", Some("10 months")),
            ("20240220", "20240305", Some("less than a month")),
            ("20240105", "20240305", Some("2 months")),
            ("2024", "20240305", None),
            ("20250101", "20240305", None),
        ];
        for (birth, at, expected) in table {
            assert_eq!(age(birth, at).as_deref(), expected, "{birth} {at}");
        }
    }

    fn check(show: fn(Element<'_>) -> String, element: &str, expected: &str) {
        let text = format!("<ClinicalDocument xmlns='urn:hl7-org:v3'>{element}</ClinicalDocument>");
        let tree = tree::read(&text).unwrap();
        assert_eq!(show(tree.root().elements().next().unwrap()), expected, "{element}");
    }

    #[test]
    fn names_addresses_and_numbers_read_well() {
        check(
            name,
            "<name><prefix>Dr.</prefix> <given>Ann</given><family>Notional</family></name>",
            "Dr. Ann Notional",
        );
        check(name, "<name>Example <!-- --> Clinic</name>", "Example Clinic");
        check(name, "<name nullFlavor='UNK'/>", "");
        check(
            address,
            "<addr><streetAddressLine>1 Way</streetAddressLine><city>X</city><state/></addr>",
            "1 Way, X",
        );
        check(telecom, "<telecom use='HP' value='tel:+1-555-0100'/>", "+1-555-0100 (home)");
        check(telecom, "<telecom value='fax:1' use='WP'/>", "1 (fax, work)");
        check(telecom, "<telecom value='javascript:alert(1)'/>", "javascript:alert(1)");
        check(period, "<t><low value='2020'/><high nullFlavor='UNK'/></t>", "since 2020");
        check(code, "<code code='X'><originalText>As written</originalText></code>", "As written");
        check(code, "<code nullFlavor='MSK'/>", "withheld");
    }

    #[test]
    fn social_security_numbers_are_masked() {
        check(id, "<id root='2.16.840.1.113883.4.1' extension='111-00-2330'/>", "•••••2330 (SSN)");
        check(id, "<id root='2.999' extension='7' assigningAuthorityName='MRN'/>", "7 (MRN)");
        check(id, "<id root='2.999'/>", "");
    }
}
