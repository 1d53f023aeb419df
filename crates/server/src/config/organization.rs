//! The organization that keeps a tenant's documents: generated documents name it.

use charta_ccd::Custodian;
use charta_model::facts::{Address, Identifier, Telecom};
use serde::{Deserialize, Serialize};

use super::error::Problem;

/// How `telecom` may begin, and what FHIR calls it.
const SCHEMES: [(&str, &str); 5] =
    [("tel:", "phone"), ("fax:", "fax"), ("mailto:", "email"), ("https://", "url"), ("http://", "url")];

/// Who keeps the documents of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Organization {
    /// Its name.
    pub name: String,
    /// How to reach it: a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telecom: Option<String>,
    /// What it is known by: the URI of what numbers organizations, and its number there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<OrganizationIdentifier>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<PostalAddress>,
}

/// A number that an organization is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with system and value")]
pub struct OrganizationIdentifier {
    /// A URI.
    pub system: String,
    /// The number.
    pub value: String,
}

/// Where an organization is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct PostalAddress {
    /// Street, house, box.
    pub line: Vec<String>,
    /// City.
    pub city: String,
    /// State.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// Country.
    pub country: String,
}

impl Default for Organization {
    fn default() -> Self {
        Self { name: "Charta".to_owned(), identifier: None, telecom: None, address: None }
    }
}

impl Organization {
    /// As generated documents name it.
    pub fn custodian(&self) -> Custodian {
        let identifier = self.identifier.as_ref().map(|one| Identifier {
            system: Some(one.system.clone()),
            value: Some(one.value.clone()),
            kind: None,
        });
        Custodian {
            name: self.name.clone(),
            identifier,
            telecom: self.telecom.as_deref().and_then(telecom),
            address: self.address.as_ref().map(PostalAddress::facts),
        }
    }
}

impl PostalAddress {
    fn facts(&self) -> Address {
        let part = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Address {
            usage: Some("work".to_owned()),
            lines: self.line.clone(),
            city: part(&self.city),
            state: part(&self.state),
            postal_code: part(&self.postal_code),
            country: part(&self.country),
            ..Address::default()
        }
    }
}

/// A URL as FHIR has it: numbers and addresses without their scheme.
fn telecom(url: &str) -> Option<Telecom> {
    let (scheme, system) = SCHEMES.into_iter().find(|(scheme, _)| url.starts_with(scheme))?;
    let value = if system == "url" { url } else { &url[scheme.len()..] };
    Some(Telecom {
        system: Some(system.to_owned()),
        value: Some(value.to_owned()),
        usage: Some("work".to_owned()),
    })
}

/// Whether all of it can be written; `index` counts the tenant, from 0.
pub fn check(index: usize, one: &Organization) -> Result<(), Problem> {
    let refuse = |key, problem: String| Err(Problem::new(key, index, problem));
    let is_text = |text: &str| text.chars().any(char::is_alphanumeric) && !text.chars().any(char::is_control);
    let is_url = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    if !is_text(&one.name) {
        return refuse("tenant.organization.name", format!("{:?} is no name", one.name));
    }
    if let Some(url) = &one.telecom
        && !(is_url(url) && telecom(url).and_then(|one| one.value).is_some_and(|value| is_text(&value)))
    {
        let problem = format!("{url:?} is no URL that begins with tel:, fax:, mailto: or https://");
        return refuse("tenant.organization.telecom", problem);
    }
    if let Some(OrganizationIdentifier { system, value }) = &one.identifier
        && !(is_url(system) && system.contains(':') && is_text(value))
    {
        let problem = format!("{system:?} and {value:?} are not a URI and a number");
        return refuse("tenant.organization.identifier", problem);
    }
    let Some(address) = &one.address else { return Ok(()) };
    let PostalAddress { line, city, state, postal_code, country } = address;
    // C-CDA has room for four lines.
    if !(1..=4).contains(&line.len()) || !line.iter().chain([city]).all(|text| is_text(text)) {
        let problem = "one to four lines and a city are needed".to_owned();
        return refuse("tenant.organization.address", problem);
    }
    match [state, postal_code, country].into_iter().find(|text| !text.is_empty() && !is_text(text)) {
        Some(text) => refuse("tenant.organization.address", format!("{text:?} is no text")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn refusal(lines: &str) -> String {
        let text = format!("[[tenant]]\nid = \"a\"\n[tenant.organization]\n{lines}");
        let checked = Config::parse(&text, "charta.toml").and_then(|config| config.check());
        checked.expect_err(lines).to_string()
    }

    #[test]
    fn what_no_document_could_say_is_refused() {
        for (lines, key) in [
            ("name = \" \"", "tenant.organization.name"),
            ("telecom = \"+1 555 0100\"", "tenant.organization.telecom"),
            ("telecom = \"tel:\"", "tenant.organization.telecom"),
            ("identifier = { system = \"npi\", value = \"1\" }", "tenant.organization.identifier"),
            ("identifier = { system = \"urn:oid:1.2\", value = \"\" }", "tenant.organization.identifier"),
            ("address = { line = [], city = \"Ely\" }", "tenant.organization.address"),
            ("address = { line = [\"1 High St\"] }", "tenant.organization.address"),
            ("address = { line = [\"1\"], city = \"Ely\", state = \"-\" }", "tenant.organization.address"),
        ] {
            let said = refusal(lines);
            assert!(said.starts_with("charta.toml:") && said.contains(&format!(": {key}: ")), "{said}");
        }
        assert!(refusal("phone = \"1\"").contains("phone"));
    }

    #[test]
    fn a_url_is_a_way_to_reach_somebody() {
        for (url, system, value) in [
            ("tel:+1-555-0100", "phone", "+1-555-0100"),
            ("mailto:records@clinic.example", "email", "records@clinic.example"),
            ("https://clinic.example", "url", "https://clinic.example"),
        ] {
            let telecom = telecom(url).expect(url);
            assert_eq!((telecom.system.as_deref(), telecom.value.as_deref()), (Some(system), Some(value)));
        }
    }
}
