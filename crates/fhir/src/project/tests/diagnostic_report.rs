use super::*;

const REPORT: &str = "DiagnosticReport";

#[track_caller]
fn same(one: Version, this: &str, other: Version, that: &str) {
    equal(REPORT, one, this, other, that);
}

/// What is an extension in `other`: its address, and its value as a member.
#[track_caller]
fn kept(one: Version, this: &str, other: Version, url: &str, value: &str) {
    let that = format!(r#"{{"extension":[{{"url":"http://hl7.org/fhir/{url}",{value}}}]}}"#);
    same(one, this, other, &that);
}

fn absent() -> &'static str {
    r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}"#
}

#[test]
fn elements_that_all_versions_have_stay() {
    for element in [
        r#"{"identifier":[{"value":"1"}]}"#,
        r#"{"code":{"coding":[{"system":"http://loinc.org","code":"11502-2"}],"text":"Lab"}}"#,
        r#"{"subject":{"reference":"Location/1"}}"#,
        r#"{"effectiveDateTime":null,"effectivePeriod":{"start":"2020","end":"2021"}}"#,
        r#"{"issued":"2022-02-02T02:02:02Z","_issued":{"id":"i"}}"#,
        r#"{"specimen":[{"reference":"Specimen/1"}]}"#,
        r#"{"result":[{"reference":"Observation/1"},{"reference":"Observation/2"}]}"#,
        r#"{"conclusion":"fine"}"#,
        r#"{"presentedForm":[{"url":"Binary/1","contentType":"application/pdf","hash":"YQ=="},{"title":"b"}]}"#,
    ] {
        for from in Version::ALL {
            for to in Version::ALL {
                becomes(REPORT, from, element, to, element);
            }
        }
    }
}

#[test]
fn the_request_is_what_a_report_is_based_on() {
    for target in ["ProcedureRequest", "ReferralRequest"] {
        let reference = format!(r#"[{{"reference":"{target}/1"}}]"#);
        same(Dstu2, &format!(r#"{{"request":{reference}}}"#), Stu3, &format!(r#"{{"basedOn":{reference}}}"#));
        for version in [R4, R5] {
            let url = "3.0/StructureDefinition/extension-DiagnosticReport.basedOn";
            let value = format!(r#""valueReference":{{"reference":"{target}/1"}}"#);
            kept(Stu3, &format!(r#"{{"basedOn":{reference}}}"#), version, url, &value);
            kept(Dstu2, &format!(r#"{{"request":{reference}}}"#), version, url, &value);
        }
    }
    for version in [Stu3, R4, R5] {
        kept(
            Dstu2,
            r#"{"request":[{"reference":"DiagnosticOrder/1"}]}"#,
            version,
            "1.0/StructureDefinition/extension-DiagnosticReport.request",
            r#""valueReference":{"reference":"DiagnosticOrder/1"}"#,
        );
    }
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            kept(
                new,
                r#"{"basedOn":[{"reference":"ServiceRequest/1"}]}"#,
                old,
                "4.0/StructureDefinition/extension-DiagnosticReport.basedOn",
                r#""valueReference":{"reference":"ServiceRequest/1"}"#,
            );
        }
    }
    let plan = r#"{"basedOn":[{"reference":"CarePlan/1"}]}"#;
    same(Stu3, plan, R5, plan);
    kept(
        Stu3,
        plan,
        Dstu2,
        "3.0/StructureDefinition/extension-DiagnosticReport.basedOn",
        r#""valueReference":{"reference":"CarePlan/1"}"#,
    );
    let unnamed = r#"[{"display":"a"},{"reference":"urn:uuid:6a6d1d0e-7b8e-4c3e-9b65-7d7d9ad5f5d4"}]"#;
    same(Dstu2, &format!(r#"{{"request":{unnamed}}}"#), R5, &format!(r#"{{"basedOn":{unnamed}}}"#));
}

/// Every status, as each version has it, and the version that has it itself.
#[test]
fn every_status_comes_down_and_back() {
    let codes: [(&str, Option<&str>, &str, &str, &str); 11] = [
        ("registered", Some("registered"), "registered", "registered", ""),
        ("partial", Some("partial"), "partial", "partial", ""),
        ("final", Some("final"), "final", "final", ""),
        ("corrected", Some("corrected"), "corrected", "corrected", ""),
        ("appended", Some("appended"), "appended", "appended", ""),
        ("cancelled", Some("cancelled"), "cancelled", "cancelled", ""),
        ("entered-in-error", Some("entered-in-error"), "entered-in-error", "entered-in-error", ""),
        ("preliminary", Some("partial"), "preliminary", "preliminary", "3.0"),
        ("amended", Some("corrected"), "amended", "amended", "3.0"),
        ("unknown", None, "unknown", "unknown", "3.0"),
        ("modified", Some("corrected"), "amended", "amended", "5.0"),
    ];
    for (code, dstu2, stu3, r4, since) in codes {
        let own = format!(r#"{{"status":"{code}"}}"#);
        let with = |shown: Option<&str>| {
            let status = match shown {
                Some(shown) => format!(r#""status":"{shown}""#),
                None => format!(r#""status":null,"_status":{}"#, absent()),
            };
            if shown == Some(code) {
                return format!("{{{status}}}");
            }
            let url =
                format!("http://hl7.org/fhir/{since}/StructureDefinition/extension-DiagnosticReport.status");
            format!(r#"{{{status},"extension":[{{"url":"{url}","valueCode":"{code}"}}]}}"#)
        };
        same(R5, &own, Dstu2, &with(dstu2));
        same(R5, &own, Stu3, &with(Some(stu3)));
        same(R5, &own, R4, &with(Some(r4)));
        if code != "modified" {
            same(Stu3, &own, Dstu2, &with(dstu2));
            same(Stu3, &own, R4, &own);
            same(R4, &own, Dstu2, &with(dstu2));
        }
    }
}

#[test]
fn a_status_that_was_changed_since_outdates_its_extension() {
    let url = "http://hl7.org/fhir/3.0/StructureDefinition/extension-DiagnosticReport.status";
    let changed =
        format!(r#"{{"status":"final","extension":[{{"url":"{url}","valueCode":"preliminary"}}]}}"#);
    becomes(REPORT, Dstu2, &changed, R4, r#"{"status":"final"}"#);
}

#[test]
fn what_dstu2_demands_and_nobody_gave_is_not_known() {
    for version in [Stu3, R4, R5] {
        same(version, r#"{"subject":null}"#, Dstu2, &format!(r#"{{"subject":{}}}"#, absent()));
        same(version, r#"{"performer":null}"#, Dstu2, &format!(r#"{{"performer":{}}}"#, absent()));
        same(version, r#"{"issued":null}"#, Dstu2, &format!(r#"{{"issued":null,"_issued":{}}}"#, absent()));
        same(
            version,
            r#"{"effectiveDateTime":null}"#,
            Dstu2,
            &format!(r#"{{"effectiveDateTime":null,"_effectiveDateTime":{}}}"#, absent()),
        );
    }
    same(Stu3, r#"{"subject":null,"issued":null}"#, R5, r#"{"subject":null,"issued":null}"#);
}

#[test]
fn categories_come_down_to_one() {
    let url = "http://hl7.org/fhir/4.0/StructureDefinition/extension-DiagnosticReport.category";
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            same(old, r#"{"category":{"text":"a"}}"#, new, r#"{"category":[{"text":"a"}]}"#);
            let one = format!(
                r#"{{"category":{{"text":"a"}},"extension":[{{"url":"{url}","valueCodeableConcept":{{"text":"b"}}}}]}}"#
            );
            same(new, r#"{"category":[{"text":"a"},{"text":"b"}]}"#, old, &one);
        }
    }
}

#[test]
fn subjects_that_a_version_does_not_allow_are_extensions() {
    let subject = |target: &str| format!(r#"{{"subject":{{"reference":"{target}/1"}}}}"#);
    let extension = |version: &str, target: &str, left: &str| {
        let url =
            format!("http://hl7.org/fhir/{version}/StructureDefinition/extension-DiagnosticReport.subject");
        format!(
            r#"{{"subject":{left},"extension":[{{"url":"{url}","valueReference":{{"reference":"{target}/1"}}}}]}}"#
        )
    };
    for target in ["Organization", "Practitioner", "Medication", "Substance"] {
        let (given, moved) = (subject(target), extension("4.3", target, "null"));
        assert_shown(R4b, &given, R5, &given);
        assert_shown(R4b, &given, R4, &moved);
        assert_shown(R4, &moved, R4b, &given);
        same(R5, &given, Stu3, &moved);
        same(R5, &given, Dstu2, &extension("4.3", target, absent()));
    }
    assert_shown(R4b, &subject("Procedure"), R5, &extension("4.3", "Procedure", "null"));
    assert_shown(R5, &extension("4.3", "Procedure", "null"), R4b, &subject("Procedure"));
    same(
        R5,
        &subject("BiologicallyDerivedProduct"),
        R4,
        &extension("5.0", "BiologicallyDerivedProduct", "null"),
    );
}

/// As [`becomes`], where R4 and R4B differ.
#[track_caller]
fn assert_shown(from: Version, given: &str, to: Version, expected: &str) {
    let shown = project(&resource(REPORT, from, given), from, to, UPDATED).unwrap();
    assert_eq!(written(&sorted(&shown)), written(&sorted(&resource(REPORT, to, expected))));
}

#[test]
fn the_context_of_stu3_is_the_encounter() {
    let encounter = r#"{"encounter":{"reference":"Encounter/1"}}"#;
    let context = r#"{"context":{"reference":"Encounter/1"}}"#;
    for version in [Dstu2, R4, R5] {
        same(Stu3, context, version, encounter);
        kept(
            Stu3,
            r#"{"context":{"reference":"EpisodeOfCare/1"}}"#,
            version,
            "3.0/StructureDefinition/extension-DiagnosticReport.context",
            r#""valueReference":{"reference":"EpisodeOfCare/1"}"#,
        );
    }
    same(Dstu2, encounter, R5, encounter);
}

#[test]
fn performers_have_a_role_in_stu3() {
    let r4 = r#"{"performer":[{"reference":"Practitioner/1"},{"reference":"Organization/2"}]}"#;
    same(
        Stu3,
        r#"{"performer":[{"actor":{"reference":"Practitioner/1"}},{"actor":{"reference":"Organization/2"}}]}"#,
        R4,
        r4,
    );
    let role = r#"{"performer":[{"role":{"text":"lead"},"actor":{"reference":"Practitioner/1"}}]}"#;
    let extension = r#"{"reference":"Practitioner/1","extension":[{"url":"http://hl7.org/fhir/3.0/StructureDefinition/extension-DiagnosticReport.performer.role","valueCodeableConcept":{"text":"lead"}}]}"#;
    same(Stu3, role, Dstu2, &format!(r#"{{"performer":{extension}}}"#));
    same(Stu3, role, R4, &format!(r#"{{"performer":[{extension}]}}"#));
    same(Stu3, role, R5, &format!(r#"{{"performer":[{extension}]}}"#));
    same(
        Dstu2,
        r#"{"performer":{"reference":"Organization/1"}}"#,
        R5,
        r#"{"performer":[{"reference":"Organization/1"}]}"#,
    );
}

#[test]
fn of_several_performers_dstu2_has_the_first_that_it_allows() {
    let r4 = r#"{"performer":[{"reference":"CareTeam/1"},{"reference":"Practitioner/2"},{"reference":"Practitioner/3"}]}"#;
    let url = "http://hl7.org/fhir/4.0/StructureDefinition/extension-DiagnosticReport.performer";
    let dstu2 = format!(
        r#"{{"performer":{{"reference":"Practitioner/2"}},"extension":[{{"url":"{url}","valueReference":{{"reference":"CareTeam/1"}}}},
            {{"url":"{url}","valueReference":{{"reference":"Practitioner/3"}}}}]}}"#
    );
    becomes(REPORT, R4, r4, Dstu2, &dstu2);
    let back = r#"{"performer":[{"reference":"Practitioner/2"},{"reference":"CareTeam/1"},{"reference":"Practitioner/3"}]}"#;
    becomes(REPORT, Dstu2, &dstu2, R4, back);
    for target in ["PractitionerRole", "CareTeam"] {
        let given = format!(r#"{{"performer":[{{"reference":"{target}/1"}}]}}"#);
        let moved = |left: &str| {
            format!(
                r#"{{"performer":{left},"extension":[{{"url":"{url}","valueReference":{{"reference":"{target}/1"}}}}]}}"#
            )
        };
        same(R5, &given, Stu3, &moved("null"));
        same(R5, &given, Dstu2, &moved(absent()));
        same(R5, &given, R4, &given);
    }
}

#[test]
fn a_performer_who_is_none_does_not_become_one() {
    let given = r#"{"performer":[{"actor":{"reference":"Practitioner/1"},"modifierExtension":[{"url":"urn:not","valueBoolean":true}]}]}"#;
    becomes(REPORT, Stu3, given, R4, r#"{"performer":null}"#);
}

#[test]
fn interpreters_are_extensions_before_r4() {
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            kept(
                new,
                r#"{"resultsInterpreter":[{"reference":"Practitioner/1"}]}"#,
                old,
                "4.0/StructureDefinition/extension-DiagnosticReport.resultsInterpreter",
                r#""valueReference":{"reference":"Practitioner/1"}"#,
            );
        }
    }
}

#[test]
fn studies_are_imaging_studies_before_r5() {
    let study = r#"{"study":[{"reference":"ImagingStudy/1"}]}"#;
    let imaging = r#"{"imagingStudy":[{"reference":"ImagingStudy/1"}]}"#;
    for version in [Dstu2, Stu3, R4] {
        same(R5, study, version, imaging);
        kept(
            R5,
            r#"{"study":[{"reference":"GenomicStudy/1"}]}"#,
            version,
            "5.0/StructureDefinition/extension-DiagnosticReport.study",
            r#""valueReference":{"reference":"GenomicStudy/1"}"#,
        );
    }
    for (version, number, target) in
        [(Dstu2, "1.0", "ImagingObjectSelection"), (Stu3, "3.0", "ImagingManifest")]
    {
        kept(
            version,
            &format!(r#"{{"imagingStudy":[{{"reference":"{target}/1"}}]}}"#),
            R4,
            &format!("{number}/StructureDefinition/extension-DiagnosticReport.imagingStudy"),
            &format!(r#""valueReference":{{"reference":"{target}/1"}}"#),
        );
    }
}

#[test]
fn elements_of_r5_alone_are_extensions_before() {
    for old in [Dstu2, Stu3, R4] {
        for (this, element, value) in [
            (
                r#"{"note":[{"text":"n","time":"2020"}]}"#,
                "note",
                r#""valueAnnotation":{"text":"n","time":"2020"}"#,
            ),
            (
                r#"{"composition":{"reference":"Composition/1"}}"#,
                "composition",
                r#""valueReference":{"reference":"Composition/1"}"#,
            ),
            (
                r#"{"supportingInfo":[{"type":{"text":"t"},"reference":{"reference":"Observation/1"}}]}"#,
                "supportingInfo",
                r#""extension":[{"url":"type","valueCodeableConcept":{"text":"t"}},{"url":"reference","valueReference":{"reference":"Observation/1"}}]"#,
            ),
        ] {
            let url = format!("5.0/StructureDefinition/extension-DiagnosticReport.{element}");
            kept(R5, this, old, &url, value);
        }
    }
}

#[test]
fn images_are_media_and_never_documents() {
    let item = r#"[{"comment":"left","link":{"reference":"Media/1"}}]"#;
    for version in [Dstu2, Stu3] {
        same(version, &format!(r#"{{"image":{item}}}"#), R4, &format!(r#"{{"media":{item}}}"#));
    }
    let extension = r#""extension":[{"url":"comment","valueString":"left"},{"url":"link","valueReference":{"reference":"Media/1"}}]"#;
    kept(
        R4,
        &format!(r#"{{"media":{item}}}"#),
        R5,
        "4.0/StructureDefinition/extension-DiagnosticReport.media",
        extension,
    );
    kept(
        Stu3,
        &format!(r#"{{"image":{item}}}"#),
        R5,
        "4.0/StructureDefinition/extension-DiagnosticReport.media",
        extension,
    );
    let document = r#"{"media":[{"link":{"reference":"DocumentReference/1"}}]}"#;
    let extension = r#""extension":[{"url":"link","valueReference":{"reference":"DocumentReference/1"}}]"#;
    for version in [Dstu2, Stu3, R4] {
        kept(R5, document, version, "5.0/StructureDefinition/extension-DiagnosticReport.media", extension);
    }
    let unnamed = r#"{"media":[{"link":{"display":"x-ray"}}]}"#;
    same(R4, unnamed, R5, unnamed);
}

#[test]
fn coded_diagnoses_are_conclusion_codes() {
    let diagnosis = r#"{"codedDiagnosis":[{"text":"a"},{"text":"b"}]}"#;
    let conclusion = r#"{"conclusionCode":[{"text":"a"},{"text":"b"}]}"#;
    same(Dstu2, diagnosis, Stu3, diagnosis);
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            same(old, diagnosis, new, conclusion);
        }
    }
}
