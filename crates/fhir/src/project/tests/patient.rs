use super::*;

const PATIENT: &str = "Patient";

#[track_caller]
fn same(one: Version, this: &str, other: Version, that: &str) {
    equal(PATIENT, one, this, other, that);
}

#[test]
fn elements_that_all_versions_have_stay() {
    for element in [
        r#"{"identifier":[{"use":"usual","system":"urn:a","value":"1","assigner":{"display":"A"}}]}"#,
        r#"{"active":false,"_active":{"id":"a"}}"#,
        r#"{"name":[{"use":"maiden","text":"T","given":["A","B"],"_given":[null,{"id":"g"}],"prefix":["Dr."],"period":{"end":"2000"}}]}"#,
        r#"{"telecom":[{"system":"phone","value":"1","use":"mobile","rank":1},{"system":"other","value":"x"}]}"#,
        r#"{"gender":"unknown","birthDate":"1990-01","_birthDate":{"extension":[{"url":"urn:t","valueDateTime":"1990"}]}}"#,
        r#"{"deceasedBoolean":true}"#,
        r#"{"deceasedDateTime":"2020"}"#,
        r#"{"address":[{"use":"old","type":"postal","line":["a","b"],"city":"c"}]}"#,
        r#"{"maritalStatus":{"text":"m"}}"#,
        r#"{"multipleBirthBoolean":false}"#,
        r#"{"multipleBirthInteger":2}"#,
        r#"{"photo":[{"url":"Binary/1","size":5,"contentType":"image/png"}]}"#,
        r#"{"contact":[{"relationship":[{"text":"r"}],"telecom":[{"system":"email","value":"e"}],"gender":"male","organization":{"reference":"Organization/1"},"period":{"start":"1"}}]}"#,
        r#"{"communication":[{"language":{"text":"de"},"preferred":true}]}"#,
        r#"{"managingOrganization":{"reference":"Organization/1"}}"#,
        r#"{"link":[{"other":{"reference":"Patient/2"},"type":"refer"},{"other":{"reference":"Patient/3"},"type":"seealso"}]}"#,
    ] {
        for from in Version::ALL {
            for to in Version::ALL {
                // Counted in JSON as R5 does.
                let counts = |version| {
                    if version == R5 {
                        element.replace("\"size\":5", "\"size\":\"5\"")
                    } else {
                        element.to_owned()
                    }
                };
                becomes(PATIENT, from, &counts(from), to, &counts(to));
            }
        }
    }
}

#[test]
fn animals_are_an_extension_since_r4() {
    let old = r#"{"animal":{"species":{"text":"dog"},"breed":{"text":"poodle"},"genderStatus":{"text":"neutered"}}}"#;
    let new = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-animal","extension":[
        {"url":"species","valueCodeableConcept":{"text":"dog"}},{"url":"breed","valueCodeableConcept":{"text":"poodle"}},
        {"url":"genderStatus","valueCodeableConcept":{"text":"neutered"}}]}]}"#;
    for version in [R4, R5] {
        same(Dstu2, old, version, new);
        same(Stu3, old, version, new);
    }
    same(Dstu2, old, Stu3, old);
    same(R4, new, R5, new);
    let more = r#"{"animal":{"id":"a","species":{"text":"dog"},"extension":[{"url":"urn:chip","valueString":"7"}]}}"#;
    let extension = r#"{"extension":[{"id":"a","url":"http://hl7.org/fhir/StructureDefinition/patient-animal","extension":[
        {"url":"species","valueCodeableConcept":{"text":"dog"}},{"url":"urn:chip","valueString":"7"}]}]}"#;
    same(Stu3, more, R4, extension);
}

#[test]
fn care_providers_are_general_practitioners() {
    let providers = r#"[{"reference":"Practitioner/1"},{"reference":"Organization/2"}]"#;
    let new = format!(r#"{{"generalPractitioner":{providers}}}"#);
    for version in [Stu3, R4, R5] {
        same(Dstu2, &format!(r#"{{"careProvider":{providers}}}"#), version, &new);
    }
    let role = r#"{"generalPractitioner":[{"reference":"PractitionerRole/1"}]}"#;
    let extension = r#"{"extension":[{"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-Patient.generalPractitioner","valueReference":{"reference":"PractitionerRole/1"}}]}"#;
    same(R4, role, Stu3, extension);
    same(R5, role, Dstu2, extension);
    same(R4, role, R5, role);
}

#[test]
fn links_of_dstu2_have_one_direction() {
    let link =
        |code: &str| format!(r#"{{"link":[{{"other":{{"reference":"Patient/2"}},"type":"{code}"}}]}}"#);
    let replaces = r#"{"link":[{"other":{"reference":"Patient/2"},"type":"seealso","extension":[
        {"url":"http://hl7.org/fhir/3.0/StructureDefinition/extension-Patient.link.type","valueCode":"replaces"}]}]}"#;
    for version in [Stu3, R4, R5] {
        same(Dstu2, &link("replace"), version, &link("replaced-by"));
        same(version, &link("replaces"), Dstu2, replaces);
    }
    for code in ["replaced-by", "replaces", "refer", "seealso"] {
        same(Stu3, &link(code), R5, &link(code));
    }
    let relative = r#"{"link":[{"other":{"reference":"RelatedPerson/2"},"type":"replaced-by"}]}"#;
    let extension = r#"{"extension":[{"url":"http://hl7.org/fhir/3.0/StructureDefinition/extension-Patient.link","extension":[
        {"url":"other","valueReference":{"reference":"RelatedPerson/2"}},{"url":"type","valueCode":"replaced-by"}]}]}"#;
    same(R4, relative, Dstu2, extension);
    same(R4, relative, Stu3, relative);
}

#[test]
fn family_names_are_one_text_since_stu3() {
    for wrap in [r#"{"name":[NAME]}"#, r#"{"contact":[{"name":NAME}]}"#] {
        let with = |name: &str| wrap.replace("NAME", name);
        for version in [Stu3, R4, R5] {
            same(Dstu2, &with(r#"{"family":["Bach"]}"#), version, &with(r#"{"family":"Bach"}"#));
            same(
                Dstu2,
                &with(r#"{"family":["Bach"],"_family":[{"id":"f"}]}"#),
                version,
                &with(r#"{"family":"Bach","_family":{"id":"f"}}"#),
            );
            same(Dstu2, &with(r#"{"_family":[{"id":"f"}]}"#), version, &with(r#"{"_family":{"id":"f"}}"#));
            becomes(
                PATIENT,
                Dstu2,
                &with(r#"{"family":["Bach","Soto"],"_family":[null,{"id":"f"}]}"#),
                version,
                &with(r#"{"family":"Bach Soto","_family":{"id":"f"}}"#),
            );
        }
    }
}

#[test]
fn what_extends_contacts_and_links_stays_there() {
    let given = r#"{"contact":[{"id":"c","extension":[{"url":"urn:a","valueCode":"x"}],"modifierExtension":[{"url":"urn:b","valueCode":"y"}]}],
        "link":[{"other":{"display":"x"},"type":"refer","modifierExtension":[{"url":"urn:b","valueCode":"y"}]}]}"#;
    for from in Version::ALL {
        for to in Version::ALL {
            becomes(PATIENT, from, given, to, given);
        }
    }
}
