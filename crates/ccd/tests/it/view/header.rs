//! What the top of a page says about whom and from whom.

use charta_ccd::view::view;

use super::{document, page};

fn header(header: &str) -> super::Dom {
    page(&document(header, "<structuredBody/>"))
}

#[test]
fn the_patient_stands_at_the_top_with_what_tells_them_apart() {
    let dom = header(
        "<title>Summary</title><effectiveTime value='20240305143000-0600'/><recordTarget><patientRole>\
         <id root='2.999' extension='HTEST-1' assigningAuthorityName='MRN'/><id root='2.16.840.1.113883.4.1' extension='111002330'/>\
         <addr><streetAddressLine>12 Sample Street</streetAddressLine><city>Exampleville</city></addr><telecom value='tel:+1-555-0163'/>\
         <patient><name><given>Nora</given><family>Former</family><validTime><high value='1990'/></validTime></name>\
         <name use='L'><given>Nora</given><family>Testperson</family></name>\
         <administrativeGenderCode code='F'/><birthTime value='19610314'/><sdtc:deceasedInd value='true'/><sdtc:deceasedTime value='20240201'/>\
         <languageCommunication><languageCode code='en'/><preferenceInd value='true'/></languageCommunication>\
         <guardian><guardianPerson><name>Ann Notional</name></guardianPerson></guardian></patient></patientRole></recordTarget>",
    );
    let patient = dom.with_class("patient")[0];
    assert_eq!(patient.children[0].text, "Nora Testperson");
    assert_eq!(dom.named("title")[0].text, "Nora Testperson: Summary");
    for (label, text) in [
        ("Born", "1961-03-14 (reached 62 years)"),
        ("Died", "2024-02-01"),
        ("Sex", "Female"),
        ("Identifiers", "HTEST-1 (MRN); •••••2330 (SSN)"),
        ("Also named", "Nora Former"),
        ("Address", "12 Sample Street, Exampleville"),
        ("Contact", "+1-555-0163"),
        ("Language", "en (preferred)"),
        ("Guardian", "Ann Notional"),
        ("Created", "2024-03-05 14:30 -06:00"),
    ] {
        assert_eq!(dom.fact(label), text, "{label}");
    }
}

#[test]
fn who_made_and_signed_it_and_about_when_is_in_the_summary() {
    let entity = |name: &str| {
        format!("<assignedEntity><assignedPerson><name>{name}</name></assignedPerson></assignedEntity>")
    };
    let dom = header(&format!(
        "<author><time value='20240305'/><assignedAuthor><code displayName='Internist'/><assignedPerson><name>Lee Placeholder</name></assignedPerson>\
         <representedOrganization><name>Example Hospital</name></representedOrganization></assignedAuthor></author>\
         <custodian><assignedCustodian><representedCustodianOrganization><name>Example Trust</name></representedCustodianOrganization></assignedCustodian></custodian>\
         <legalAuthenticator><time value='20240306'/>{}</legalAuthenticator>\
         <documentationOf><serviceEvent><effectiveTime><low value='20240101'/><high value='20240305'/></effectiveTime><performer><functionCode displayName='primary care'/>{}</performer></serviceEvent></documentationOf>\
         <relatedDocument typeCode='RPLC'><parentDocument><id root='2.999.1'/></parentDocument></relatedDocument>\
         <componentOf><encompassingEncounter><code displayName='Inpatient'/><effectiveTime><low value='20240304'/></effectiveTime>\
         <location><healthCareFacility><location><name>Ward 7</name></location></healthCareFacility></location></encompassingEncounter></componentOf>",
        entity("Sig Nature"),
        entity("Ann Notional")
    ));
    for (label, text) in [
        ("Author", "Lee Placeholder, Example Hospital"),
        ("Custodian", "Example Trust"),
        ("Signed", "Sig Nature"),
        ("Period of care", "2024-01-01 to 2024-03-05"),
        ("Encounter", "Inpatient, since 2024-03-04, Ward 7"),
        ("This document", "replaces 2.999.1"),
    ] {
        assert_eq!(dom.fact(label), text, "{label}");
    }
    let people = super::dom::words(&dom.with_class("about")[0].text);
    assert!(people.contains("Performed by Ann Notional, primary care"), "{people}");
    assert!(people.contains("Author Lee Placeholder, Internist Example Hospital 2024-03-05"), "{people}");
}

#[test]
fn restricted_documents_say_so_before_anything_else() {
    let dom = header("<confidentialityCode code='V'/>");
    assert_eq!(dom.with_class("notice")[0].text, "Confidentiality: very restricted");
    assert!(!header("<confidentialityCode code='N'/>").text().contains("Confidentiality: "));
}

#[test]
fn an_empty_header_is_a_page_all_the_same() {
    let dom = header("");
    assert_eq!(dom.named("h1")[0].text, "Clinical document");
    assert!(dom.text().contains("This document has no sections."));
}

#[test]
fn the_language_of_the_document_is_that_of_the_page() {
    let shown =
        |code: &str| view(document(&format!("<languageCode code='{code}'/>"), "").as_bytes(), None).unwrap();
    assert_eq!(shown("de-AT").language.as_deref(), Some("de-AT"));
    assert!(shown("de-AT").html.contains("<html lang=\"de-AT\">"));
    assert_eq!(shown("x y").language, None);
    assert!(shown("x y").html.contains("<html lang=\"en\">"));
}
