mod context;
mod parties;
mod status;

use super::*;

const DR: &str = "DocumentReference";

#[track_caller]
fn same(one: Version, this: &str, other: Version, that: &str) {
    equal(DR, one, this, other, that);
}

/// What is an extension in `other`: its address, and its value as a member.
#[track_caller]
fn kept(one: Version, this: &str, other: Version, url: &str, value: &str) {
    let that = format!(r#"{{"extension":[{{"url":"http://hl7.org/fhir/{url}",{value}}}]}}"#);
    equal(DR, one, this, other, &that);
}

#[test]
fn elements_that_all_versions_have_stay() {
    for element in [
        r#"{"identifier":[{"system":"urn:a","value":"1"},{"value":"2"}]}"#,
        r#"{"status":"superseded"}"#,
        r#"{"status":"entered-in-error","_status":{"id":"s","extension":[{"url":"urn:x","valueString":"y"}]}}"#,
        r#"{"type":{"coding":[{"system":"http://loinc.org","code":"34133-9","display":"CCD"}]}}"#,
        r#"{"subject":{"reference":"Patient/1","display":"A"}}"#,
        r#"{"author":[{"reference":"Practitioner/1"},{"reference":"Organization/2"},{"display":"B"}]}"#,
        r#"{"author":[{"reference":"Device/1"},{"reference":"Patient/2"},{"reference":"https://a.example/RelatedPerson/2"}]}"#,
        r#"{"custodian":{"reference":"Organization/1"}}"#,
        r#"{"description":"a *b*"}"#,
        r#"{"securityLabel":[{"coding":[{"code":"R"}]},{"text":"V"}]}"#,
        r#"{"content":[{"attachment":{"url":"Binary/1","contentType":"text/plain"}},{"id":"c","attachment":{"title":"x"}}]}"#,
    ] {
        for from in Version::ALL {
            for to in Version::ALL {
                becomes(DR, from, element, to, element);
            }
        }
    }
}

#[test]
fn master_identifier_is_an_identifier_of_r5() {
    let both = r#"{"masterIdentifier":{"value":"m"},"identifier":[{"value":"i"}]}"#;
    same(Dstu2, both, R4, both);
    let r5 = r#"{"identifier":[{"value":"i"},{"value":"m"}],"extension":[
        {"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.masterIdentifier","valueIdentifier":{"value":"m"}}]}"#;
    for version in [Dstu2, Stu3, R4] {
        same(version, both, R5, r5);
    }
    // One that was given twice is given twice again.
    let twice = r#"{"masterIdentifier":{"value":"m"},"identifier":[{"value":"m"}]}"#;
    let r5 = r#"{"identifier":[{"value":"m"},{"value":"m"}],"extension":[
        {"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.masterIdentifier","valueIdentifier":{"value":"m"}}]}"#;
    same(R4, twice, R5, r5);
    // Of an R5 resource nobody can tell which one is the master.
    same(R5, r#"{"identifier":[{"value":"i"}]}"#, R4, r#"{"identifier":[{"value":"i"}]}"#);
}

#[test]
fn elements_of_r5_alone_are_extensions_before() {
    for old in [Dstu2, Stu3, R4] {
        for (this, element, value) in [
            (r#"{"version":"3"}"#, "version", r#""valueString":"3""#),
            (
                r#"{"version":"3","_version":{"id":"v"}}"#,
                "version",
                r#""valueString":"3","_valueString":{"id":"v"}"#,
            ),
            (
                r#"{"basedOn":[{"reference":"ServiceRequest/1"}]}"#,
                "basedOn",
                r#""valueReference":{"reference":"ServiceRequest/1"}"#,
            ),
            (r#"{"modality":[{"text":"CT"}]}"#, "modality", r#""valueCodeableConcept":{"text":"CT"}"#),
            (
                r#"{"bodySite":[{"concept":{"text":"Arm"}}]}"#,
                "bodySite",
                r#""valueCodeableConcept":{"text":"Arm"}"#,
            ),
            (
                r#"{"bodySite":[{"reference":{"display":"Arm"}}]}"#,
                "bodySite",
                r#""valueReference":{"display":"Arm"}"#,
            ),
        ] {
            let url = format!("5.0/StructureDefinition/extension-DocumentReference.{element}");
            kept(R5, this, old, &url, value);
        }
    }
    let two = r#"{"basedOn":[{"display":"a"},{"display":"b"}]}"#;
    let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.basedOn";
    let extensions = format!(
        r#"{{"extension":[{{"url":"{url}","valueReference":{{"display":"a"}}}},{{"url":"{url}","valueReference":{{"display":"b"}}}}]}}"#
    );
    same(R5, two, R4, &extensions);
}

#[test]
fn a_missing_type_is_not_known() {
    let absent = r#"{"type":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}}"#;
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            same(new, r#"{"type":null}"#, old, absent);
        }
    }
    same(Dstu2, absent, Stu3, absent);
    // Another reason is more than the lack of one.
    let masked = absent.replace("\"unknown\"", "\"masked\"");
    same(Stu3, &masked, R4, &masked);
}

#[test]
fn categories_come_down_to_one_class() {
    let url = "http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.category";
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            same(old, r#"{"class":{"text":"a"}}"#, new, r#"{"category":[{"text":"a"}]}"#);
            let class = format!(
                r#"{{"class":{{"text":"a"}},"extension":[{{"url":"{url}","valueCodeableConcept":{{"text":"b"}}}},
                    {{"url":"{url}","valueCodeableConcept":{{"text":"c"}}}}]}}"#
            );
            same(new, r#"{"category":[{"text":"a"},{"text":"b"},{"text":"c"}]}"#, old, &class);
        }
    }
}

#[test]
fn created_never_becomes_the_date() {
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            kept(
                old,
                r#"{"created":"2019-02"}"#,
                new,
                "3.0/StructureDefinition/extension-DocumentReference.created",
                r#""valueDateTime":"2019-02""#,
            );
        }
        same(old, r#"{"indexed":"2021-03-04T05:06:07Z"}"#, R4, r#"{"date":"2021-03-04T05:06:07Z"}"#);
    }
}

#[test]
fn a_missing_date_is_the_last_update_where_one_is_demanded() {
    for old in [Dstu2, Stu3] {
        becomes(DR, R4, r#"{"date":null}"#, old, &format!(r#"{{"indexed":"{UPDATED}"}}"#));
        becomes(DR, R5, r#"{"date":null}"#, old, &format!(r#"{{"indexed":"{UPDATED}"}}"#));
    }
    same(R4, r#"{"date":null}"#, R5, r#"{"date":null}"#);
}

#[test]
fn relations_have_a_code_or_a_concept() {
    for code in ["replaces", "transforms", "signs", "appends"] {
        let old = format!(
            r#"{{"relatesTo":[{{"code":"{code}","target":{{"reference":"DocumentReference/1"}}}}]}}"#
        );
        let concept = |system: &str| {
            format!(
                r#"{{"relatesTo":[{{"code":{{"coding":[{{"system":"http://hl7.org/fhir/{system}","code":"{code}"}}]}},"target":{{"reference":"DocumentReference/1"}}}}]}}"#
            )
        };
        for version in [Dstu2, Stu3, R4] {
            same(version, &old, R5, &concept("document-relationship-type"));
        }
        let extension = format!(
            r#"{{"relatesTo":[{{"code":"{code}","target":{{"reference":"DocumentReference/1"}},"extension":[
                {{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.relatesTo.code","valueCodeableConcept":
                {{"coding":[{{"system":"http://hl7.org/fhir/ValueSet/document-relationship-type","code":"{code}"}}]}}}}]}}]}}"#
        );
        same(R5, &concept("ValueSet/document-relationship-type"), R4, &extension);
    }
}

#[test]
fn relations_that_only_r5_knows_are_extensions() {
    for concept in [
        r#"{"coding":[{"system":"http://hl7.org/fhir/document-relationship-type","code":"incorporates"}]}"#,
        r#"{"text":"see also"}"#,
    ] {
        let r5 = format!(
            r#"{{"relatesTo":[{{"code":{concept},"target":{{"reference":"DocumentReference/1"}}}}]}}"#
        );
        let old = format!(
            r#"{{"extension":[{{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.relatesTo","extension":[
                {{"url":"code","valueCodeableConcept":{concept}}},{{"url":"target","valueReference":{{"reference":"DocumentReference/1"}}}}]}}]}}"#
        );
        for version in [Dstu2, Stu3, R4] {
            same(R5, &r5, version, &old);
        }
    }
}

#[test]
fn formats_are_profiles_of_r5() {
    let one = r#"{"content":[{"attachment":{"url":"a"},"format":{"code":"x"}}]}"#;
    let dstu2 = r#"{"content":[{"attachment":{"url":"a"},"format":[{"code":"x"}]}]}"#;
    let r5 = r#"{"content":[{"attachment":{"url":"a"},"profile":[{"valueCoding":{"code":"x"}}]}]}"#;
    same(Stu3, one, R4, one);
    same(Dstu2, dstu2, Stu3, one);
    same(Dstu2, dstu2, R5, r5);
    same(Stu3, one, R5, r5);
    same(R4, one, R5, r5);
}

#[test]
fn of_several_formats_the_first_stays_and_the_others_are_kept() {
    let url = "http://hl7.org/fhir/1.0/StructureDefinition/extension-DocumentReference.content.format";
    let dstu2 = r#"{"content":[{"attachment":{},"format":[{"code":"x"},{"code":"y"},{"code":"z"}]}]}"#;
    let one = format!(
        r#"{{"content":[{{"attachment":{{}},"format":{{"code":"x"}},"extension":[
            {{"url":"{url}","valueCoding":{{"code":"y"}}}},{{"url":"{url}","valueCoding":{{"code":"z"}}}}]}}]}}"#
    );
    let r5 = r#"{"content":[{"attachment":{},"profile":[{"valueCoding":{"code":"x"}},{"valueCoding":{"code":"y"}},{"valueCoding":{"code":"z"}}]}]}"#;
    for version in [Stu3, R4] {
        same(Dstu2, dstu2, version, &one);
        same(R5, r5, version, &one);
    }
    same(Dstu2, dstu2, R5, r5);
}

#[test]
fn profiles_that_are_no_format_are_kept() {
    let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.content.profile";
    let r5 = r#"{"content":[{"attachment":{},"profile":[{"valueCoding":{"code":"x"}},{"valueCanonical":"urn:c"},{"valueUri":"urn:u"}]}]}"#;
    let r4 = format!(
        r#"{{"content":[{{"attachment":{{}},"format":{{"code":"x"}},"extension":[
            {{"url":"{url}","valueCanonical":"urn:c"}},{{"url":"{url}","valueUri":"urn:u"}}]}}]}}"#
    );
    same(R5, r5, R4, &r4);
    // STU3 has no canonical.
    becomes(DR, R5, r5, Stu3, &r4.replace("valueCanonical", "valueUri"));
}
