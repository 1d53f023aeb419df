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
fn doc_status_is_a_concept_in_dstu2() {
    for code in ["preliminary", "final", "amended", "entered-in-error"] {
        let concept = format!(
            r#"{{"docStatus":{{"coding":[{{"system":"http://hl7.org/fhir/composition-status","code":"{code}"}}]}}}}"#
        );
        let plain = format!(r#"{{"docStatus":"{code}"}}"#);
        for version in [Stu3, R4, R5] {
            same(Dstu2, &concept, version, &plain);
        }
    }
}

#[test]
fn what_else_the_concept_of_doc_status_says_is_kept() {
    let url = "http://hl7.org/fhir/1.0/StructureDefinition/extension-DocumentReference.docStatus";
    let text_alone = r#"{"docStatus":{"text":"signed by hand"}}"#;
    let extension =
        format!(r#"{{"extension":[{{"url":"{url}","valueCodeableConcept":{{"text":"signed by hand"}}}}]}}"#);
    same(Dstu2, text_alone, R4, &extension);
    let rich = r#"{"coding":[{"system":"urn:own","code":"x"},{"system":"http://hl7.org/fhir/composition-status","code":"final"}],"text":"done"}"#;
    let dstu2 = format!(r#"{{"docStatus":{rich}}}"#);
    let later =
        format!(r#"{{"docStatus":"final","extension":[{{"url":"{url}","valueCodeableConcept":{rich}}}]}}"#);
    for version in [Stu3, R4, R5] {
        same(Dstu2, &dstu2, version, &later);
    }
    // A client changed the code after that: the concept is of the past.
    let changed =
        format!(r#"{{"docStatus":"amended","extension":[{{"url":"{url}","valueCodeableConcept":{rich}}}]}}"#);
    let now =
        r#"{"docStatus":{"coding":[{"system":"http://hl7.org/fhir/composition-status","code":"amended"}]}}"#;
    becomes(DR, R4, &changed, Dstu2, now);
}

#[test]
fn doc_status_codes_of_r5_come_down_to_what_was_there() {
    let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.docStatus";
    for (code, old) in [
        ("preliminary", Some("preliminary")),
        ("final", Some("final")),
        ("amended", Some("amended")),
        ("entered-in-error", Some("entered-in-error")),
        ("partial", Some("preliminary")),
        ("corrected", Some("amended")),
        ("appended", Some("amended")),
        ("registered", None),
        ("cancelled", None),
        ("deprecated", None),
        ("unknown", None),
    ] {
        let r5 = format!(r#"{{"docStatus":"{code}"}}"#);
        let lost = old != Some(code);
        let extension =
            if lost { format!(r#"[{{"url":"{url}","valueCode":"{code}"}}]"#) } else { "null".into() };
        let plain = old.map_or("null".into(), |old| format!("\"{old}\""));
        for version in [Stu3, R4] {
            same(R5, &r5, version, &format!(r#"{{"docStatus":{plain},"extension":{extension}}}"#));
        }
        let concept = old.map_or("null".into(), |old| {
            format!(r#"{{"coding":[{{"system":"http://hl7.org/fhir/composition-status","code":"{old}"}}]}}"#)
        });
        same(R5, &r5, Dstu2, &format!(r#"{{"docStatus":{concept},"extension":{extension}}}"#));
    }
    // The code was changed since: the extension no longer holds.
    let changed = format!(r#"{{"docStatus":"final","extension":[{{"url":"{url}","valueCode":"partial"}}]}}"#);
    becomes(DR, R4, &changed, R5, r#"{"docStatus":"final"}"#);
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
fn subjects_of_other_types_are_extensions_before_r5() {
    for version in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"subject":{"reference":"Location/1"}}"#,
            version,
            "5.0/StructureDefinition/extension-DocumentReference.subject",
            r#""valueReference":{"reference":"Location/1"}"#,
        );
        for target in ["Patient", "Practitioner", "Group", "Device"] {
            let subject = format!(r#"{{"subject":{{"reference":"{target}/1"}}}}"#);
            same(R5, &subject, version, &subject);
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
fn authors_that_a_version_does_not_allow_are_extensions() {
    let role = r#"{"author":[{"reference":"PractitionerRole/1"},{"reference":"Patient/1"}]}"#;
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            becomes(
                DR,
                new,
                role,
                old,
                r#"{"author":[{"reference":"Patient/1"}],"extension":[
                {"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.author","valueReference":{"reference":"PractitionerRole/1"}}]}"#,
            );
            kept(
                new,
                r#"{"author":[{"reference":"https://a.example/fhir/PractitionerRole/1/_history/2"}]}"#,
                old,
                "4.0/StructureDefinition/extension-DocumentReference.author",
                r#""valueReference":{"reference":"https://a.example/fhir/PractitionerRole/1/_history/2"}"#,
            );
        }
    }
    same(R4, role, R5, role);
    for old in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"author":[{"reference":"CareTeam/1"}]}"#,
            old,
            "5.0/StructureDefinition/extension-DocumentReference.author",
            r#""valueReference":{"reference":"CareTeam/1"}"#,
        );
    }
}

#[test]
fn the_authenticator_is_the_professional_attester() {
    let authenticator = r#"{"authenticator":{"reference":"Practitioner/1"}}"#;
    let attester = r#"{"attester":[{"mode":{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}]},"party":{"reference":"Practitioner/1"}}]}"#;
    for old in [Dstu2, Stu3, R4] {
        same(old, authenticator, R5, attester);
    }
    same(Dstu2, authenticator, R4, authenticator);
    kept(
        R4,
        r#"{"authenticator":{"reference":"PractitionerRole/1"}}"#,
        Stu3,
        "4.0/StructureDefinition/extension-DocumentReference.authenticator",
        r#""valueReference":{"reference":"PractitionerRole/1"}"#,
    );
}

#[test]
fn what_else_is_known_of_attesters_is_kept() {
    let mode = r#"{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}],"text":"by pen"}"#;
    let timed = format!(
        r#"{{"attester":[{{"mode":{mode},"time":"2020","party":{{"reference":"Organization/1"}}}}]}}"#
    );
    let old = format!(
        r#"{{"authenticator":{{"reference":"Organization/1","extension":[
            {{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester.mode","valueCodeableConcept":{mode}}},
            {{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester.time","valueDateTime":"2020"}}]}}}}"#
    );
    let legal = r#"{"attester":[{"mode":{"text":"legal"},"time":"2020","party":{"reference":"Patient/1"}}]}"#;
    let extension = r#"{"extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester","extension":[
        {"url":"mode","valueCodeableConcept":{"text":"legal"}},{"url":"time","valueDateTime":"2020"},{"url":"party","valueReference":{"reference":"Patient/1"}}]}]}"#;
    for version in [Dstu2, Stu3, R4] {
        same(R5, &timed, version, &old);
        same(R5, legal, version, extension);
    }
    // A patient attests, and does not authenticate.
    let patient = r#"{"attester":[{"mode":{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}]},"party":{"reference":"Patient/1"}}]}"#;
    let extension = r#"{"extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester","extension":[
        {"url":"mode","valueCodeableConcept":{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}]}},
        {"url":"party","valueReference":{"reference":"Patient/1"}}]}]}"#;
    same(R5, patient, R4, extension);
}

#[test]
fn further_authenticators_are_extensions() {
    let professional = |party: &str| {
        format!(
            r#"{{"mode":{{"coding":[{{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}}]}},"party":{{"reference":"{party}"}}}}"#
        )
    };
    let r5 =
        format!(r#"{{"attester":[{},{}]}}"#, professional("Practitioner/1"), professional("Practitioner/2"));
    let r4 = r#"{"authenticator":{"reference":"Practitioner/1"},"extension":[
        {"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.authenticator","valueReference":{"reference":"Practitioner/2"}}]}"#;
    same(R5, &r5, R4, r4);
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

#[test]
fn context_is_spread_over_r5() {
    let one = |encounter: &str| {
        format!(
            r#"{{"context":{{"encounter":{encounter},"event":[{{"text":"e"}},{{"text":"f"}}],"facilityType":{{"text":"h"}},
                "practiceSetting":{{"text":"p"}},"period":{{"start":"2020"}}}}}}"#
        )
    };
    let single = one(r#"{"reference":"Encounter/1"}"#);
    let list = one(r#"[{"reference":"Encounter/1"}]"#);
    let r5 = r#"{"context":[{"reference":"Encounter/1"}],"event":[{"concept":{"text":"e"}},{"concept":{"text":"f"}}],
        "facilityType":{"text":"h"},"practiceSetting":{"text":"p"},"period":{"start":"2020"}}"#;
    for old in [Dstu2, Stu3] {
        same(old, &single, R4, &list);
        same(old, &single, R5, r5);
    }
    same(R4, &list, R5, r5);
}

#[test]
fn encounters_that_a_version_does_not_allow_are_extensions() {
    let r4 = r#"{"context":{"encounter":[{"reference":"Encounter/1"},{"reference":"Encounter/2"},{"reference":"EpisodeOfCare/3"}]}}"#;
    let r5 = r#"{"context":[{"reference":"Encounter/1"},{"reference":"Encounter/2"},{"reference":"EpisodeOfCare/3"}]}"#;
    let url = "http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.context.encounter";
    let old = format!(
        r#"{{"context":{{"encounter":{{"reference":"Encounter/1"}}}},"extension":[
            {{"url":"{url}","valueReference":{{"reference":"Encounter/2"}}}},{{"url":"{url}","valueReference":{{"reference":"EpisodeOfCare/3"}}}}]}}"#
    );
    same(R4, r4, R5, r5);
    for version in [Dstu2, Stu3] {
        same(R4, r4, version, &old);
        same(R5, r5, version, &old);
    }
    for version in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"context":[{"reference":"Appointment/1"}]}"#,
            version,
            "5.0/StructureDefinition/extension-DocumentReference.context",
            r#""valueReference":{"reference":"Appointment/1"}"#,
        );
    }
}

#[test]
fn events_that_are_resources_are_extensions() {
    for version in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"event":[{"reference":{"reference":"Procedure/1"}}]}"#,
            version,
            "5.0/StructureDefinition/extension-DocumentReference.event",
            r#""valueReference":{"reference":"Procedure/1"}"#,
        );
        same(
            R5,
            r#"{"event":[{"concept":{"text":"e"},"reference":{"reference":"Procedure/1"}}]}"#,
            version,
            r#"{"context":{"event":[{"text":"e","extension":[
                {"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-CodeableReference.reference","valueReference":{"reference":"Procedure/1"}}]}]}}"#,
        );
    }
}

#[test]
fn source_patient_and_related_are_extensions_of_r5() {
    let source = r#"{"context":{"sourcePatientInfo":{"reference":"Patient/2"}}}"#;
    for version in [Dstu2, Stu3, R4] {
        kept(
            version,
            source,
            R5,
            "4.0/StructureDefinition/extension-DocumentReference.context.sourcePatientInfo",
            r#""valueReference":{"reference":"Patient/2"}"#,
        );
    }
    same(Dstu2, source, R4, source);
    let r4 = r#"{"context":{"related":[{"identifier":{"value":"i"}},{"reference":"Observation/1"},{"identifier":{"value":"j"},"reference":"Observation/2","display":"d"}]}}"#;
    let old = r#"{"context":{"related":[{"identifier":{"value":"i"}},{"ref":{"reference":"Observation/1"}},
        {"identifier":{"value":"j"},"ref":{"reference":"Observation/2","display":"d"}}]}}"#;
    let url = "http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.context.related";
    let r5 = format!(
        r#"{{"extension":[{{"url":"{url}","valueReference":{{"identifier":{{"value":"i"}}}}}},{{"url":"{url}","valueReference":{{"reference":"Observation/1"}}}},
            {{"url":"{url}","valueReference":{{"identifier":{{"value":"j"}},"reference":"Observation/2","display":"d"}}}}]}}"#
    );
    same(Dstu2, old, Stu3, old);
    for version in [Dstu2, Stu3] {
        same(version, old, R4, r4);
        same(version, old, R5, &r5);
    }
    same(R4, r4, R5, &r5);
}

#[test]
fn what_extends_the_context_extends_the_resource_of_r5() {
    let r4 = r#"{"context":{"id":"c","extension":[{"url":"urn:e","valueCode":"x"}],"modifierExtension":[{"url":"urn:m","valueBoolean":true}],"period":{"end":"2020"}}}"#;
    let r5 = r#"{"extension":[{"url":"urn:e","valueCode":"x"}],"modifierExtension":[{"url":"urn:m","valueBoolean":true}],"period":{"end":"2020"}}"#;
    becomes(DR, R4, r4, R5, r5);
    same(R4, r4, Stu3, r4);
}

#[test]
fn a_modifier_extension_is_never_lost_from_what_it_modifies() {
    // Nothing is said of the relation rather than the contrary.
    let related = r#"{"context":{"related":[{"ref":{"reference":"Observation/1"},"modifierExtension":[{"url":"urn:not","valueBoolean":true}]}]}}"#;
    becomes(DR, Stu3, related, R4, "{}");
    same(Stu3, related, Dstu2, related);
    let relation = r#"{"relatesTo":[{"code":{"text":"x"},"target":{"reference":"DocumentReference/1"},"modifierExtension":[{"url":"urn:not","valueBoolean":true}]}]}"#;
    becomes(DR, R5, relation, R4, "{}");
}
