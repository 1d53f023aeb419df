//! Names, addresses and telecoms in the forms of the US Realm.
//!
//! Clause: C-CDA 2.1 USRealmHeader

use charta_model::facts::{Address, Name, Period, Telecom};

use crate::{
    instant,
    xml::{Xml, is_visible},
};

fn shown(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| is_visible(text))
}

/// A name with a family name and a given name, or nothing.
pub(crate) fn patient(x: &mut Xml, name: &Name) {
    let (given, family) = parts(name);
    let usage = match name.usage.as_deref() {
        Some("official" | "usual") => "L",
        Some("nickname" | "anonymous") => "P",
        _ => "",
    };
    let qualifier = if name.usage.as_deref() == Some("maiden") { "BR" } else { "" };
    x.element("name", &[("use", usage)], |x| {
        for prefix in name.prefixes.iter().filter(|prefix| is_visible(prefix)) {
            x.leaf("prefix", &[], prefix);
        }
        if given.is_empty() {
            x.empty("given", &[("nullFlavor", "UNK")]);
        }
        for given in &given {
            x.leaf("given", &[], given);
        }
        match &family {
            Some(family) => x.leaf("family", &[("qualifier", qualifier)], family),
            None => x.empty("family", &[("nullFlavor", "UNK")]),
        }
        for suffix in name.suffixes.iter().filter(|suffix| is_visible(suffix)) {
            x.leaf("suffix", &[], suffix);
        }
        valid(x, "validTime", &name.period);
    });
}

fn parts(name: &Name) -> (Vec<String>, Option<String>) {
    let given: Vec<String> =
        name.given.iter().map(|part| part.trim().to_owned()).filter(|part| is_visible(part)).collect();
    let family = shown(&name.family).map(str::to_owned);
    let Some(text) = shown(&name.text).filter(|_| given.is_empty() && family.is_none()) else {
        return (given, family);
    };
    // A patient's name has to be split; the last word is the family name.
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let family = words.pop();
    (words, family)
}

/// A person's name: in parts if both are known, else as it is read.
pub(crate) fn person(x: &mut Xml, name: Option<&Name>, label: Option<&str>) {
    match name {
        Some(name) if shown(&name.family).is_some() && name.given.iter().any(|given| is_visible(given)) => {
            patient(x, &Name { usage: None, ..name.clone() });
        }
        _ => match label.filter(|label| is_visible(label)) {
            Some(label) => x.leaf("name", &[], label.trim()),
            None => x.empty("name", &[("nullFlavor", "UNK")]),
        },
    }
}

fn valid(x: &mut Xml, name: &str, period: &Period) {
    if period.is_empty() {
        return;
    }
    let is_ordered =
        !matches!((&period.start, &period.end), (Some(start), Some(end)) if instant::is_after(start, end));
    x.element(name, &[("xsi:type", if name == "useablePeriod" { "IVL_TS" } else { "" })], |x| {
        if let Some(start) = &period.start {
            x.empty("low", &[("value", &instant::hl7(start))]);
        }
        if let Some(end) = period.end.as_ref().filter(|_| is_ordered) {
            x.empty("high", &[("value", &instant::hl7(end))]);
        }
    });
}

/// An address, with the parts that are known, or that none is.
pub(crate) fn address(x: &mut Xml, address: Option<&Address>) {
    let Some(address) = address.filter(|address| is_known(address)) else {
        x.element("addr", &[("nullFlavor", "UNK")], |x| {
            for part in ["streetAddressLine", "city", "state", "postalCode"] {
                x.empty(part, &[("nullFlavor", "UNK")]);
            }
        });
        return;
    };
    let usage = match address.usage.as_deref() {
        Some("home") => "HP",
        Some("work") => "WP",
        Some("temp") => "TMP",
        Some("old") => "BAD",
        Some("billing") => "PST",
        _ => "",
    };
    x.element("addr", &[("use", usage)], |x| {
        let is_american = shown(&address.country).is_none_or(|country| matches!(country, "US" | "USA"));
        let parts = [("state", &address.state), ("postalCode", &address.postal_code)];
        let odd = parts
            .into_iter()
            .filter_map(|(name, part)| shown(part).filter(|part| is_american && !is_us(name, part)));
        let mut lines: Vec<&str> =
            address.lines.iter().map(String::as_str).filter(|line| is_visible(line)).collect();
        if lines.is_empty() {
            lines.extend(shown(&address.text));
        }
        lines.extend(odd);
        // C-CDA 3.0 has room for one line.
        match lines.join(", ").as_str() {
            "" => x.empty("streetAddressLine", &[("nullFlavor", "UNK")]),
            line => x.leaf("streetAddressLine", &[], line),
        }
        for (name, part) in
            [("city", &address.city), ("state", &address.state), ("postalCode", &address.postal_code)]
        {
            match shown(part) {
                // What the United States would not know stands with the street.
                Some(part) if is_american && !is_us(name, part) => x.empty(name, &[("nullFlavor", "OTH")]),
                Some(part) => x.leaf(name, &[], part),
                None => x.empty(name, &[("nullFlavor", "UNK")]),
            }
        }
        if let Some(country) = shown(&address.country) {
            x.leaf("country", &[], country);
        }
        valid(x, "useablePeriod", &address.period);
    });
}

/// Whether a part of an address is one that the United States have.
fn is_us(name: &str, part: &str) -> bool {
    const STATES: &str = "AL AK AS AZ AR CA CO CT DE DC FM FL GA GU HI ID IL IN IA KS KY LA ME MH MD MA MI MN MS MO MT NE \
                          NV NH NJ NM NY NC ND MP OH OK OR PW PA PR RI SC SD TN TX UT VT VI VA WA WV WI WY";
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    match name {
        "state" => STATES.split_whitespace().any(|state| state == part),
        "postalCode" => match part.split_once('-') {
            Some((area, route)) => digits(area, 5) && digits(route, 4),
            None => digits(part, 5) || digits(part, 9),
        },
        _ => true,
    }
}

fn is_known(address: &Address) -> bool {
    let parts = [&address.text, &address.city, &address.state, &address.postal_code, &address.country];
    parts.into_iter().any(|part| shown(part).is_some()) || address.lines.iter().any(|line| is_visible(line))
}

/// For readers.
pub(crate) fn human_address(address: &Address) -> String {
    let mut parts: Vec<&str> = address.lines.iter().map(String::as_str).collect();
    if parts.is_empty() {
        parts.extend(shown(&address.text));
    }
    parts.extend(
        [&address.city, &address.state, &address.postal_code, &address.country].into_iter().filter_map(shown),
    );
    parts.join(", ")
}

/// The ways to reach somebody, or that none is known.
pub(crate) fn telecoms(x: &mut Xml, telecoms: &[Telecom]) {
    let mut written = 0;
    for telecom in telecoms {
        let Some(url) = url(telecom) else { continue };
        let usage = match telecom.usage.as_deref() {
            Some("home") => "HP",
            Some("work") => "WP",
            Some("mobile") => "MC",
            Some("old") => "BAD",
            // The rest of the forms is not allowed for telecoms in the US Realm.
            _ => "",
        };
        x.empty("telecom", &[("use", usage), ("value", &url)]);
        written += 1;
    }
    if written == 0 {
        x.empty("telecom", &[("nullFlavor", "UNK")]);
    }
}

/// The URL of a telecom.
fn url(telecom: &Telecom) -> Option<String> {
    let value = telecom.value.as_deref().map(str::trim).filter(|value| is_visible(value))?;
    let scheme = match telecom.system.as_deref() {
        Some("email") => "mailto:",
        Some("fax") => "fax:",
        Some("url") | None if value.contains(':') => "",
        Some("url") => "http://",
        _ => "tel:",
    };
    let bare = value.strip_prefix(scheme).unwrap_or(value);
    // A number has no blanks; what separated its parts still does.
    let joined = bare.split_whitespace().collect::<Vec<_>>().join(if scheme == "tel:" { "-" } else { "%20" });
    Some(format!("{scheme}{joined}"))
}

/// For readers.
pub(crate) fn human_telecom(telecom: &Telecom) -> Option<&str> {
    telecom.value.as_deref().filter(|value| is_visible(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telecoms_are_urls_without_blanks() {
        for (system, value, expected) in [
            (Some("phone"), "(+1) 734-677", "tel:(+1)-734-677"),
            (Some("phone"), "tel:123", "tel:123"),
            (Some("email"), "a@b.org", "mailto:a@b.org"),
            (Some("url"), "https://a.org", "https://a.org"),
            (None, "123", "tel:123"),
        ] {
            let telecom =
                Telecom { system: system.map(str::to_owned), value: Some(value.into()), usage: None };
            assert_eq!(url(&telecom).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_name_that_is_text_alone_is_split() {
        let mut x = Xml::default();
        patient(&mut x, &Name { text: Some("Ada King Lovelace".into()), ..Name::default() });
        assert_eq!(
            x.into_string(),
            "<name><given>Ada</given><given>King</given><family>Lovelace</family></name>"
        );
    }
}
