//! Rules that every document keeps, whatever it was made from.

use std::collections::{HashMap, HashSet};

use super::Element;

/// The sections that stand in every document.
const REQUIRED: [&str; 6] = ["48765-2", "10160-0", "11450-4", "30954-2", "29762-2", "8716-3"];

/// The sections that have no entries: what they say is in their text.
const NARRATIVE: [&str; 1] = ["51848-0"];

/// What is wrong with a document.
pub(crate) fn faults(root: &Element) -> Vec<String> {
    let mut faults = Vec::new();
    anchors(root, &mut faults);
    for element in root.all() {
        element_faults(element, &mut faults);
    }
    for code in REQUIRED {
        if root.section(code).is_none() {
            faults.push(format!("no section {code}"));
        }
    }
    for section in root.named("section") {
        section_faults(section, &mut faults);
    }
    if root.named("patient").len() != 1 {
        faults.push("not one patient".to_owned());
    }
    faults
}

/// Ids are there once, and what points at one finds text.
fn anchors(root: &Element, faults: &mut Vec<String>) {
    let mut places: HashMap<&str, &Element> = HashMap::new();
    for element in root.all() {
        if let Some(id) = element.attribute("ID")
            && places.insert(id, element).is_some()
        {
            faults.push(format!("ID {id} is there twice"));
        }
    }
    for reference in root.named("reference") {
        let Some(value) = reference.attribute("value") else { continue };
        match places.get(value.trim_start_matches('#')) {
            None => faults.push(format!("{value} leads nowhere")),
            Some(target) if target.text().trim().is_empty() => {
                faults.push(format!("{value} leads to nothing"))
            }
            Some(_) => {}
        }
    }
}

fn element_faults(element: &Element, faults: &mut Vec<String>) {
    let name = &element.name;
    for (attribute, value) in &element.attributes {
        if value.is_empty() {
            faults.push(format!("{name}/@{attribute} is empty"));
        }
        let is_token = matches!(attribute.as_str(), "code" | "codeSystem" | "root" | "unit" | "nullFlavor");
        if is_token && value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            faults.push(format!("{name}/@{attribute} is {value:?}"));
        }
        if matches!(attribute.as_str(), "root" | "codeSystem") && !is_oid(value) && !is_uuid(value) {
            faults.push(format!("{name}/@{attribute} is {value:?}"));
        }
    }
    let needs_system = ["code", "value", "translation", "targetSiteCode", "routeCode", "interpretationCode"];
    if needs_system.contains(&name.as_str())
        && element.attribute("code").is_some()
        && element.attribute("codeSystem").is_none()
    {
        faults.push(format!("{name} has a code of no system"));
    }
    let has_null_and_value = element.attribute("nullFlavor").is_some() && element.attribute("code").is_some();
    if has_null_and_value {
        faults.push(format!("{name} has a code and says that there is none"));
    }
    let is_time = name.ends_with("Time") || name == "time";
    if is_time
        && let Some(value) = element.attribute("value")
        && !is_timestamp(value)
    {
        faults.push(format!("{name} is {value:?}"));
    }
    if let (Some("PQ" | "INT" | "REAL"), Some(value)) =
        (element.attribute("xsi:type"), element.attribute("value"))
        && value.parse::<f64>().is_err()
    {
        faults.push(format!("{name} is {value:?}, not a number"));
    }
    if name == "effectiveTime" && element.attribute("value").is_some() && !element.children.is_empty() {
        faults.push("a point in time with an interval".to_owned());
    }
}

fn section_faults(section: &Element, faults: &mut Vec<String>) {
    let title = section.child("title").map(Element::text).unwrap_or_default();
    if title.trim().is_empty() {
        faults.push("a section without a title".to_owned());
    }
    if section.child("text").map(Element::text).unwrap_or_default().trim().is_empty() {
        faults.push(format!("{title} says nothing"));
    }
    let entries = section.children.iter().filter(|child| child.name == "entry").count();
    let is_null = section.attribute("nullFlavor").is_some();
    let is_narrative = NARRATIVE.contains(&section.of("code", "code").unwrap_or_default());
    if is_null != (entries == 0) && !is_narrative {
        faults.push(format!("{title} has {entries} entries and nullFlavor {is_null}"));
    }
    let mut seen = HashSet::new();
    for row in section.child("text").map(|text| text.named("tr")).unwrap_or_default() {
        if let Some(id) = row.attribute("ID")
            && !seen.insert(id.to_owned())
        {
            faults.push(format!("row {id} is there twice"));
        }
    }
}

fn is_oid(text: &str) -> bool {
    let digits = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    text.contains('.') && text.split('.').all(digits) && matches!(text.as_bytes().first(), Some(b'0'..=b'2'))
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// `YYYY[MM[DD[HHMM[SS[.f]]]]][+ZZZZ]`, a zone only behind a time of day.
fn is_timestamp(text: &str) -> bool {
    let (time, zone) = match text.find(['+', '-']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (digits, fraction) =
        time.split_once('.').map_or((time, None), |(digits, fraction)| (digits, Some(fraction)));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all(digits)
        && matches!(digits.len(), 4 | 6 | 8 | 12 | 14)
        && fraction.is_none_or(|fraction| all(fraction) && fraction.len() <= 4 && digits.len() == 14)
        && zone.is_none_or(|zone| all(zone) && zone.len() == 4 && digits.len() >= 12)
}
