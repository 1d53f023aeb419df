//! What every resource has, whatever its type.

use super::*;

#[test]
fn a_resource_stays_as_it_is_in_its_own_version() {
    let odd = read(r#"{"unknown":1,"resourceType":"Patient","implicitRules":"x","contained":[]}"#);
    for version in Version::ALL {
        assert_eq!(project(&odd, version, version, UPDATED), Some(odd.clone()));
    }
}

#[test]
fn what_promises_something_of_another_version_is_left_out() {
    let given = r#"{"id":"a","meta":{"versionId":"3","lastUpdated":"2020-01-01T00:00:00Z","source":"urn:s","profile":["urn:p"],
        "_profile":[{"id":"p"}],"security":[{"code":"R"}],"tag":[{"code":"t"}],"extension":[{"url":"urn:a","valueCode":"x"}]},
        "implicitRules":"urn:r","_implicitRules":{"id":"r"},"language":"de","_language":{"id":"l"},
        "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}"#;
    let expected = |source: &str| {
        format!(
            r#"{{"id":"a","meta":{{"versionId":"3","lastUpdated":"2020-01-01T00:00:00Z",{source}"security":[{{"code":"R"}}],"tag":[{{"code":"t"}}],
            "extension":[{{"url":"urn:a","valueCode":"x"}}]}},"language":"de","_language":{{"id":"l"}},
            "text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}}}"#
        )
    };
    for resource_type in ["Patient", "DocumentReference", "DiagnosticReport"] {
        becomes(resource_type, R5, given, R4, &expected(r#""source":"urn:s","#));
        becomes(resource_type, R4, given, Stu3, &expected(""));
        becomes(resource_type, R4, given, Dstu2, &expected(""));
    }
    becomes("Patient", R4, r#"{"meta":{"profile":["urn:p"]}}"#, R5, "{}");
    let shown =
        project(&resource("Patient", R4, r#"{"meta":{"profile":["urn:p"]}}"#), R4, R4b, UPDATED).unwrap();
    assert_eq!(shown, read(r#"{"resourceType":"Patient"}"#));
}

#[test]
fn a_resource_begins_as_resources_do() {
    let given = read(
        r#"{"status":"current","modifierExtension":[{"url":"urn:m"}],"extension":[{"url":"urn:e"}],"text":{"status":"empty"},
            "language":"de","meta":{"versionId":"1"},"id":"a","resourceType":"DocumentReference"}"#,
    );
    let Some(Node::Object(members)) = project(&given, R5, R4, UPDATED) else { panic!() };
    let names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(
        names,
        ["resourceType", "id", "meta", "language", "text", "extension", "modifierExtension", "status"]
    );
}

#[test]
fn extensions_stay_where_they_are() {
    let given = r#"{"extension":[{"url":"urn:a","valueCode":"x"},{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.x","valueCode":"y"}],
        "modifierExtension":[{"url":"urn:m","valueBoolean":true}],
        "subject":{"reference":"Patient/1","extension":[{"url":"urn:b","valueCode":"x"}],"_reference":{"extension":[{"url":"urn:c","valueCode":"z"}]}}}"#;
    for from in Version::ALL {
        for to in Version::ALL {
            becomes("DocumentReference", from, given, to, given);
        }
    }
}

#[test]
fn extensions_of_the_versions_are_read_whatever_their_number() {
    for number in ["4.0", "4.3", "5.0"] {
        let given = format!(
            r#"{{"extension":[{{"url":"http://hl7.org/fhir/{number}/StructureDefinition/extension-DocumentReference.category","valueCodeableConcept":{{"text":"b"}}}}]}}"#
        );
        becomes("DocumentReference", Stu3, &given, R4, r#"{"category":[{"text":"b"}]}"#);
    }
    // A version that has no such element, a value of another type, an element of another type: not ours.
    for foreign in [
        r#"{"url":"http://hl7.org/fhir/3.0/StructureDefinition/extension-DocumentReference.category","valueCodeableConcept":{"text":"b"}}"#,
        r#"{"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.category","valueString":"b"}"#,
        r#"{"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-Patient.category","valueCodeableConcept":{"text":"b"}}"#,
    ] {
        let given = format!(r#"{{"extension":[{foreign}]}}"#);
        becomes("DocumentReference", Stu3, &given, R4, &given);
    }
}

#[test]
fn contained_resources_stay_between_r4_and_r4b() {
    let given = resource(
        "DocumentReference",
        R4,
        r##"{"contained":[{"resourceType":"Practitioner","id":"p"}],"author":[{"reference":"#p"}]}"##,
    );
    assert_eq!(project(&given, R4, R4b, UPDATED).map(|shown| sorted(&shown)), Some(sorted(&given)));
    assert_eq!(project(&given, R4b, R4, UPDATED).map(|shown| sorted(&shown)), Some(sorted(&given)));
}

#[test]
fn a_reference_to_a_contained_resource_keeps_its_name() {
    let contained = r#"[{"resourceType":"Practitioner","id":"p","name":[{"family":"Curie","given":["Marie","S."],"prefix":["Dr."]}]},
        {"resourceType":"Organization","id":"o","name":"Clinic"},{"resourceType":"Patient","id":"t","name":[{"text":"A. B."}]},
        {"resourceType":"Device","id":"d"}]"#;
    let given = format!(
        r##"{{"contained":{contained},"author":[{{"reference":"#p"}},{{"reference":"#p","display":"Marie"}},{{"reference":"#d"}},{{"reference":"#x"}}],
            "custodian":{{"reference":"#o"}},"subject":{{"reference":"#t"}},
            "relatesTo":[{{"code":"signs","target":{{"reference":"#d"}}}}],
            "extension":[{{"url":"urn:a","valueReference":{{"reference":"#d"}}}},{{"url":"urn:b","valueReference":{{"reference":"#o"}}}}]}}"##
    );
    let expected = r#"{"author":[{"display":"Dr. Marie S. Curie"},{"display":"Marie"}],"custodian":{"display":"Clinic"},"subject":{"display":"A. B."},
        "relatesTo":[{"code":{"coding":[{"system":"http://hl7.org/fhir/document-relationship-type","code":"signs"}]}}],"extension":[{"url":"urn:b","valueReference":{"display":"Clinic"}}]}"#;
    let shown = project(&resource("DocumentReference", R4, &given), R4, R5, UPDATED).unwrap();
    let expected = resource("DocumentReference", R5, expected);
    assert_eq!(written(&sorted(&shown)), written(&sorted(&expected)));
}
