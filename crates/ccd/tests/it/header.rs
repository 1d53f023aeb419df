//! The header.

use crate::support::{document, moment, request};

#[test]
fn it_says_what_it_is_and_by_which_rules_it_was_made() {
    let root = document(&[], request());
    let extensions: Vec<Option<&str>> = root
        .children
        .iter()
        .filter(|child| child.name == "templateId")
        .map(|child| child.attribute("extension"))
        .collect();
    assert_eq!(extensions, [None, Some("2015-08-01"), Some("2023-05-01"), None, Some("2015-08-01")]);
    assert_eq!(root.of("code", "code"), Some("34133-9"));
    assert_eq!(root.of("id", "root"), Some("5D3C1F2E-6B7A-4C8D-9E0F-1A2B3C4D5E6F"));
    assert_eq!(root.of("effectiveTime", "value"), Some("20260102030405+0000"));
}

#[test]
fn elements_stand_in_the_order_of_the_schema() {
    let root = document(&[], request());
    let mut names: Vec<&str> = root.children.iter().map(|child| child.name.as_str()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "realmCode",
            "typeId",
            "templateId",
            "id",
            "code",
            "title",
            "effectiveTime",
            "confidentialityCode",
            "languageCode",
            "recordTarget",
            "author",
            "custodian",
            "participant",
            "documentationOf",
            "component"
        ]
    );
}

#[test]
fn it_is_about_the_time_that_was_asked_for_else_from_birth_until_now() {
    let time = |root: &crate::support::Element| {
        let event = root.named("serviceEvent")[0].child("effectiveTime").expect("a time").clone();
        (event.of("low", "value").map(str::to_owned), event.of("high", "value").map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(time(&document(&[], request())), (some("19750501"), some("20260102030405+0000")));
    let mut limited = request();
    limited.start = Some(moment("2020-01-01T00:00:00+02:00"));
    limited.end = Some(moment("2021-01-01T00:00:00Z"));
    assert_eq!(time(&document(&[], limited)), (some("20200101000000+0200"), some("20210101000000+0000")));
}

#[test]
fn ids_do_not_change_from_one_document_to_the_next() {
    let condition = r#"{"resourceType":"Condition","id":"c","code":{"text":"x"}}"#;
    let mut later = request();
    later.time = moment("2026-02-02T03:04:05Z");
    let ids = |root: crate::support::Element| -> Vec<String> {
        root.section("11450-4")
            .expect("problems")
            .named("id")
            .iter()
            .filter_map(|id| id.attribute("root").map(str::to_owned))
            .collect()
    };
    let first = ids(document(&[condition], request()));
    assert!(!first.is_empty());
    assert_eq!(first, ids(document(&[condition], later)));
}

#[test]
fn who_keeps_the_record_is_named_as_they_are_known() {
    use charta_model::facts::{Address, Identifier, Telecom};
    let known = |text: &str| Some(text.to_owned());
    let mut asked = request();
    asked.custodian.identifier = Some(Identifier {
        system: known("http://hl7.org/fhir/sid/us-npi"),
        value: known("1234567893"),
        kind: None,
    });
    asked.custodian.telecom =
        Some(Telecom { system: known("phone"), value: known("+1-555-0100"), usage: known("work") });
    asked.custodian.address = Some(Address {
        lines: vec!["1 Main Street".to_owned()],
        city: known("Springfield"),
        ..Address::default()
    });
    let root = document(&[], asked);
    for element in ["representedCustodianOrganization", "representedOrganization", "scopingOrganization"] {
        let organization = root.named(element)[0];
        let id = organization.child("id").expect("an id");
        let id = (id.attribute("root"), id.attribute("extension"));
        assert_eq!(id, (Some("2.16.840.1.113883.4.6"), Some("1234567893")), "{element}");
        assert_eq!(organization.child("name").expect("a name").text(), "Example Clinic");
        assert_eq!(organization.of("telecom", "value"), Some("tel:+1-555-0100"));
        assert_eq!(organization.named("city")[0].text(), "Springfield");
    }
}

#[test]
fn a_number_of_the_state_stays_out() {
    let patient = r#"{"resourceType":"Patient","id":"1","identifier":[
        {"system":"http://hl7.org/fhir/sid/us-ssn","value":"000-00-0005"},
        {"system":"http://example.org/mrn","value":"77","type":{"coding":[{"code":"MR"}]}}]}"#;
    let text = crate::support::written(&[crate::support::node(patient)], request());
    assert!(!text.contains("000-00-0005"));
    assert!(text.contains("http://example.org/mrn/77"));
}

#[test]
fn what_is_known_of_the_patient_is_there() {
    let patient = r#"{"resourceType":"Patient","id":"1","gender":"female","birthDate":"1975-05-01",
        "deceasedDateTime":"2020-01-01","maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"}]},
        "name":[{"family":"Old","given":["Eve"],"use":"old"},{"family":"New","given":["Eve"],"use":"official"}],
        "communication":[{"language":{"coding":[{"code":"es"}]},"preferred":true}],
        "extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[
          {"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3","display":"White"}},
          {"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2028-9","display":"Asian"}}]}],
        "contact":[{"name":{"text":"Boris B"},"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleCode","code":"HUSB"}]}]}]}"#;
    let text = crate::support::written(&[crate::support::node(patient)], request());
    let root = crate::support::Element::read(&text).expect("well-formed");
    let person = root.named("patient")[0];
    assert_eq!(person.named("family")[0].text(), "New");
    assert_eq!(person.of("sdtc:deceasedTime", "value"), Some("20200101"));
    assert_eq!(person.of("maritalStatusCode", "code"), Some("M"));
    assert_eq!(person.of("raceCode", "code"), Some("2106-3"));
    assert_eq!(person.of("sdtc:raceCode", "code"), Some("2028-9"));
    assert_eq!(person.of("ethnicGroupCode", "nullFlavor"), Some("UNK"));
    assert_eq!(person.named("languageCode")[0].attribute("code"), Some("es"));
    assert_eq!(root.only(".5.8").named("code")[0].attribute("code"), Some("HUSB"));
}
