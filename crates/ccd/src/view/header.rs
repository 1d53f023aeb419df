//! The header of a document: who it is about, in large; what it is and from whom, in short; and at the end everything else
//! that it names.

use super::{
    page::Page,
    people::{Party, everybody},
    tree::Element,
    values::{absent, address, age, code, distinct, id, name, period, telecom, time},
};

/// A label and what belongs to it.
type Fact = (&'static str, String);

/// What the document calls itself.
pub fn title(document: Element<'_>) -> String {
    let titled = document.child("title").map(Element::text).filter(|title| !title.is_empty());
    titled
        .or_else(|| Some(code(document.child("code")?)).filter(|title| !title.is_empty()))
        .unwrap_or("Clinical document".to_owned())
}

/// The names of whom it is about.
pub fn patients(document: Element<'_>) -> Vec<String> {
    let roles = document.all("recordTarget").filter_map(|target| target.child("patientRole"));
    roles.map(|role| names(role).into_iter().next().unwrap_or("Patient without a name".to_owned())).collect()
}

/// Writes the top of the page.
pub fn write(page: &mut Page<'_>, document: Element<'_>) {
    page.html.open("header", &[("class", "top")]);
    page.html.element("h1", &[], &title(document));
    if let Some(confidentiality) = document.child("confidentialityCode")
        && !matches!(confidentiality.attribute("code"), Some("N" | "L" | "M" | "U") | None)
    {
        page.html.element(
            "p",
            &[("class", "notice")],
            &format!("Confidentiality: {}", confidentiality_name(confidentiality)),
        );
    }
    let made = document.child("effectiveTime").and_then(|time| time.attribute("value"));
    for role in document.all("recordTarget").filter_map(|target| target.child("patientRole")) {
        patient(page, role, made);
    }
    facts(page, "facts", &summary(document));
    page.html.close("header");
}

fn confidentiality_name(element: Element<'_>) -> String {
    match element.attribute("code") {
        Some("R") => "restricted".to_owned(),
        Some("V") => "very restricted".to_owned(),
        _ => code(element),
    }
}

fn names(role: Element<'_>) -> Vec<String> {
    let Some(patient) = role.child("patient") else { return Vec::new() };
    // The name in use now stands before those of other times.
    let (former, current): (Vec<_>, Vec<_>) =
        patient.all("name").partition(|name| name.child("validTime").is_some());
    distinct(current.into_iter().chain(former).map(name))
}

fn patient(page: &mut Page<'_>, role: Element<'_>, made: Option<&str>) {
    let mut names = names(role).into_iter();
    page.html.open("div", &[("class", "patient")]);
    page.html.element("h2", &[], &names.next().unwrap_or("Patient without a name".to_owned()));
    let mut rows: Vec<Fact> = Vec::new();
    if let Some(patient) = role.child("patient") {
        rows.extend(identity(patient, made));
    }
    rows.push(("Identifiers", distinct(role.all("id").map(id)).join("; ")));
    rows.push(("Also named", names.collect::<Vec<_>>().join("; ")));
    rows.push(("Address", distinct(role.all("addr").map(address)).join("; ")));
    rows.push(("Contact", distinct(role.all("telecom").map(telecom)).join("; ")));
    if let Some(patient) = role.child("patient") {
        rows.extend(background(patient));
    }
    let provider = role.path(&["providerOrganization", "name"]).map(name).unwrap_or_default();
    rows.push(("Care provider", provider));
    facts(page, "facts", &rows);
    page.html.close("div");
}

fn identity(patient: Element<'_>, made: Option<&str>) -> Vec<Fact> {
    let birth = patient.child("birthTime").and_then(|birth| birth.attribute("value"));
    let death = patient.child("deceasedTime").and_then(|death| death.attribute("value"));
    let born =
        birth.map_or("unknown".to_owned(), |birth| match age(birth, death.or(made).unwrap_or_default()) {
            Some(age) if death.is_some() => format!("{} (reached {age})", time(birth)),
            Some(age) => format!("{} ({age} at the time of this document)", time(birth)),
            None => time(birth),
        });
    let is_dead = patient.child("deceasedInd").is_some_and(|dead| dead.attribute("value") == Some("true"));
    let died = match death {
        Some(death) => time(death),
        None if is_dead => "yes, time unknown".to_owned(),
        None => String::new(),
    };
    let sex = patient.child("administrativeGenderCode").map_or("unknown".to_owned(), gender);
    vec![("Born", born), ("Died", died), ("Sex", sex)]
}

fn gender(element: Element<'_>) -> String {
    match (element.attribute("displayName"), element.attribute("code")) {
        (None, Some("F")) => "Female".to_owned(),
        (None, Some("M")) => "Male".to_owned(),
        (None, Some("UN")) => "Undifferentiated".to_owned(),
        _ => code(element),
    }
}

fn background(patient: Element<'_>) -> Vec<Fact> {
    let coded = |names: &'static [&'static str]| {
        distinct(names.iter().flat_map(|name| patient.all(name)).map(code)).join(", ")
    };
    let languages = patient.all("languageCommunication").map(|language| {
        let name = language.child("languageCode").map(code).unwrap_or_default();
        let is_preferred =
            language.child("preferenceInd").is_some_and(|it| it.attribute("value") == Some("true"));
        if is_preferred && !name.is_empty() { format!("{name} (preferred)") } else { name }
    });
    let guardians = patient.all("guardian").map(|guardian| {
        let who = ["guardianPerson", "guardianOrganization"]
            .into_iter()
            .find_map(|kind| guardian.path(&[kind, "name"]));
        let contacts = guardian.all("telecom").map(telecom);
        distinct(who.map(name).into_iter().chain(guardian.child("code").map(code)).chain(contacts)).join(", ")
    });
    vec![
        ("Language", distinct(languages).join(", ")),
        ("Race", coded(&["raceCode"])),
        ("Ethnicity", coded(&["ethnicGroupCode"])),
        ("Marital status", coded(&["maritalStatusCode"])),
        ("Guardian", distinct(guardians).join("; ")),
    ]
}

/// What somebody asks first: how old is it, from whom, about when.
fn summary(document: Element<'_>) -> Vec<Fact> {
    let everybody = everybody(document);
    let called = |role: &str| {
        let parties = everybody.iter().filter(|party| party.role == role);
        distinct(parties.map(with_organization)).join("; ")
    };
    let mut facts = vec![
        ("Created", document.child("effectiveTime").map(period).unwrap_or_default()),
        ("Author", called("Author")),
        ("Custodian", called("Custodian")),
    ];
    let events = document.all("documentationOf").filter_map(|of| of.child("serviceEvent"));
    let periods = events.filter_map(|event| event.child("effectiveTime")).map(period);
    facts.push(("Period of care", distinct(periods).join("; ")));
    if let Some(encounter) = document.path(&["componentOf", "encompassingEncounter"]) {
        facts.push(("Encounter", encounter_line(encounter)));
    }
    facts.push(("Signed", called("Legally authenticated by")));
    facts
}

fn with_organization(party: &Party) -> String {
    match (party.called(), &*party.organization) {
        (name, "") => name.to_owned(),
        (name, organization) if name == organization => name.to_owned(),
        (name, organization) => format!("{name}, {organization}"),
    }
}

fn encounter_line(encounter: Element<'_>) -> String {
    let location = encounter.path(&["location", "healthCareFacility"]);
    let place = location.and_then(|facility| {
        let named = facility
            .path(&["location", "name"])
            .or_else(|| facility.path(&["serviceProviderOrganization", "name"]));
        named.map(name).or_else(|| facility.child("code").map(code))
    });
    let disposition =
        encounter.child("dischargeDispositionCode").map(|code_of| format!("discharged: {}", code(code_of)));
    let parts =
        [encounter.child("code").map(code), encounter.child("effectiveTime").map(period), place, disposition];
    distinct(parts.into_iter().flatten()).join(", ")
}

/// Writes what is left to say at the end of the page.
pub fn about(page: &mut Page<'_>, document: Element<'_>) {
    page.html.open("section", &[("id", "about"), ("class", "about")]);
    page.html.element("h2", &[], "About this document");
    facts(page, "facts", &identification(document));
    people(page, &everybody(document));
    page.html.open("p", &[("class", "fine")]);
    page.html.text("This page shows the header and the narrative of the document, which is what its author attested; codes without narrative are not on it. ");
    if let Some(native) = page.native.clone() {
        page.html.element("a", &[("href", &native)], "The document itself");
        page.html.text(".");
    }
    page.html.close("p");
    page.html.close("section");
}

fn identification(document: Element<'_>) -> Vec<Fact> {
    let whole_id = |element: Element<'_>| {
        let parts = ["root", "extension"].into_iter().filter_map(|part| element.attribute(part));
        parts.collect::<Vec<_>>().join(" ")
    };
    let related = document.all("relatedDocument").map(|related| {
        let how = match related.attribute("typeCode") {
            Some("RPLC") => "replaces",
            Some("APND") => "is an addition to",
            Some("XFRM") => "is made from",
            _ => "belongs to",
        };
        let parent = related.path(&["parentDocument", "id"]).map(whole_id).unwrap_or_default();
        format!("{how} {parent}")
    });
    let orders =
        document.all("inFulfillmentOf").filter_map(|order| order.path(&["order", "id"])).map(whole_id);
    let version = document.child("versionNumber").and_then(|number| number.attribute("value"));
    let language = document.child("languageCode").and_then(|language| language.attribute("code"));
    let consents = document.all("authorization").filter_map(|of| of.path(&["consent", "code"])).map(code);
    vec![
        ("Kind", document.child("code").map(code).unwrap_or_default()),
        ("Identifier", document.child("id").map(whole_id).unwrap_or_default()),
        ("Version", version.unwrap_or_default().to_owned()),
        ("Series", document.child("setId").map(whole_id).unwrap_or_default()),
        ("Language", language.unwrap_or_default().to_owned()),
        (
            "Confidentiality",
            document.child("confidentialityCode").map(confidentiality_words).unwrap_or_default(),
        ),
        ("This document", distinct(related).join("; ")),
        ("Order", distinct(orders).join("; ")),
        ("Consent", distinct(consents).join("; ")),
    ]
}

fn confidentiality_words(element: Element<'_>) -> String {
    match (element.attribute("displayName"), element.attribute("code"), element.attribute("nullFlavor")) {
        (None, Some("N"), _) => "normal".to_owned(),
        (None, None, Some(flavor)) => absent(flavor).to_owned(),
        _ => confidentiality_name(element),
    }
}

fn people(page: &mut Page<'_>, everybody: &[Party]) {
    if everybody.is_empty() {
        return;
    }
    page.html.raw("<div class=\"table\"><table><caption>People and organizations</caption><thead><tr>");
    for label in ["Role", "Name", "Organization", "Time", "Contact", "Identifiers"] {
        page.html.element("th", &[("scope", "col")], label);
    }
    page.html.raw("</tr></thead><tbody>");
    for party in everybody {
        page.html.open("tr", &[]);
        page.html.element("th", &[("scope", "row")], &party.role);
        let who = distinct([party.name.clone(), party.what.clone()].into_iter()).join(", ");
        for text in
            [&who, &party.organization, &party.time, &party.contacts.join("; "), &party.ids.join("; ")]
        {
            page.html.element("td", &[], text);
        }
        page.html.close("tr");
        page.html.line();
    }
    page.html.raw("</tbody></table></div>");
}

/// Facts with a label each; those that say nothing are left out.
fn facts(page: &mut Page<'_>, class: &str, facts: &[Fact]) {
    page.html.open("dl", &[("class", class)]);
    for (label, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
        page.html.open("div", &[]);
        page.html.element("dt", &[], label);
        page.html.element("dd", &[], text);
        page.html.close("div");
    }
    page.html.close("dl");
}
