//! Data types, wherever they stand.

use super::*;

/// `value` is the type's form in the version, with an identifier, a photo or whatever `member` is.
#[track_caller]
fn same(member: &str, one: Version, this: &str, other: Version, that: &str) {
    equal(
        "Patient",
        one,
        &format!(r#"{{"{member}":[{this}]}}"#),
        other,
        &format!(r#"{{"{member}":[{that}]}}"#),
    );
    // In an extension of an extension, too.
    let value_type = match member {
        "identifier" => "Identifier",
        "photo" => "Attachment",
        "telecom" => "ContactPoint",
        "address" => "Address",
        other => unreachable!("{other}"),
    };
    let extension = |value: &str| {
        format!(
            r#"{{"extension":[{{"url":"urn:a","extension":[{{"url":"urn:b","value{value_type}":{value}}}]}}]}}"#
        )
    };
    equal("Patient", one, &extension(this), other, &extension(that));
}

#[test]
fn sizes_are_text_in_r5() {
    for version in [Dstu2, Stu3, R4] {
        same(
            "photo",
            version,
            r#"{"size":123,"_size":{"id":"s"}}"#,
            R5,
            r#"{"size":"123","_size":{"id":"s"}}"#,
        );
        same(
            "photo",
            version,
            r#"{"extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-Attachment.size","valueDecimal":5000000000}]}"#,
            R5,
            r#"{"size":"5000000000"}"#,
        );
    }
    same("photo", R4, r#"{"size":2147483647}"#, R5, r#"{"size":"2147483647"}"#);
}

#[test]
fn only_r5_measures_pictures() {
    for (name, value_type, value) in [
        ("height", "PositiveInt", "5"),
        ("width", "PositiveInt", "6"),
        ("frames", "PositiveInt", "7"),
        ("duration", "Decimal", "1.50"),
        ("pages", "PositiveInt", "8"),
    ] {
        let r5 = format!(r#"{{"url":"a","{name}":{value}}}"#);
        let old = format!(
            r#"{{"url":"a","extension":[{{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-Attachment.{name}","value{value_type}":{value}}}]}}"#
        );
        for version in [Dstu2, Stu3, R4] {
            same("photo", R5, &r5, version, &old);
        }
    }
}

#[test]
fn the_other_elements_of_attachments_stay() {
    let whole = r#"{"contentType":"a/b; charset=c","language":"de","data":"YQ==","url":"u","hash":"h","title":"t","creation":"2020"}"#;
    for from in Version::ALL {
        for to in Version::ALL {
            same("photo", from, whole, to, whole);
        }
    }
}

#[test]
fn codes_of_later_versions_come_down() {
    for (member, path, code, since, number, old) in [
        ("identifier", "Identifier.use", "old", R4, "4.0", None),
        ("address", "Address.use", "billing", R4, "4.0", None),
        ("telecom", "ContactPoint.system", "url", Stu3, "3.0", Some("other")),
        ("telecom", "ContactPoint.system", "sms", Stu3, "3.0", Some("other")),
    ] {
        let name = path.split_once('.').unwrap().1;
        let new = format!(r#"{{"{name}":"{code}"}}"#);
        let shown = old.map_or(String::new(), |old| format!(r#""{name}":"{old}","#));
        let kept = format!(
            r#"{{{shown}"extension":[{{"url":"http://hl7.org/fhir/{number}/StructureDefinition/extension-{path}","valueCode":"{code}"}}]}}"#
        );
        for from in Version::ALL.into_iter().filter(|version| *version >= since) {
            for to in Version::ALL {
                same(member, from, &new, to, if to >= since { &new } else { &kept });
            }
        }
    }
}

#[test]
fn references_gained_identifiers_and_types() {
    let identifier = r#"{"url":"http://hl7.org/fhir/3.0/StructureDefinition/extension-Reference.identifier","valueIdentifier":{"value":"i"}}"#;
    let of_type = r#"{"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-Reference.type","valueUri":"Organization"}"#;
    let whole = r#"{"type":"Organization","identifier":{"value":"i"},"display":"d"}"#;
    let stu3 = format!(r#"{{"identifier":{{"value":"i"}},"display":"d","extension":[{of_type}]}}"#);
    let dstu2 = format!(r#"{{"display":"d","extension":[{identifier},{of_type}]}}"#);
    for wrap in [
        r#"{"managingOrganization":REF}"#,
        r#"{"contact":[{"organization":REF}]}"#,
        r#"{"identifier":[{"assigner":REF}]}"#,
        r#"{"link":[{"other":REF,"type":"refer"}]}"#,
        r#"{"extension":[{"url":"urn:a","valueReference":REF}]}"#,
    ] {
        let with = |reference: &str| wrap.replace("REF", reference);
        for version in [R4, R5] {
            equal("Patient", version, &with(whole), Stu3, &with(&stu3));
            equal("Patient", version, &with(whole), Dstu2, &with(&dstu2));
        }
        equal("Patient", R4, &with(whole), R5, &with(whole));
    }
    // All the way down.
    let deep =
        r#"{"managingOrganization":{"identifier":{"use":"old","assigner":{"identifier":{"value":"j"}}}}}"#;
    let shown = project(&resource("Patient", R4, deep), R4, Dstu2, UPDATED).unwrap();
    assert_eq!(sorted(&project(&shown, Dstu2, R4, UPDATED).unwrap()), sorted(&resource("Patient", R4, deep)));
    assert!(!written(&shown).contains("\"identifier\""));
}

#[test]
fn the_type_of_a_reference_says_what_it_points_to() {
    let kept = |old: &str| {
        format!(
            r#"{{"extension":[{{"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-Patient.generalPractitioner","valueReference":{old}}}]}}"#
        )
    };
    equal(
        "Patient",
        R4,
        r#"{"generalPractitioner":[{"type":"PractitionerRole","display":"d"}]}"#,
        Stu3,
        &kept(
            r#"{"display":"d","extension":[{"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-Reference.type","valueUri":"PractitionerRole"}]}"#,
        ),
    );
}

#[test]
fn uris_have_one_name_before_r4() {
    for name in ["Url", "Canonical", "Uuid"] {
        let new = format!(
            r#"{{"extension":[{{"url":"urn:a","value{name}":"urn:x","_value{name}":{{"id":"u"}}}}]}}"#
        );
        let old = r#"{"extension":[{"url":"urn:a","valueUri":"urn:x","_valueUri":{"id":"u"}}]}"#;
        becomes("Patient", R4, &new, Stu3, old);
        becomes("Patient", R5, &new, Dstu2, old);
        becomes("Patient", R4, &new, R5, &new);
    }
}

#[test]
fn systems_of_hl7_v2_and_v3_have_the_name_of_the_version() {
    let kind = |system: &str| {
        format!(r#"{{"type":{{"coding":[{{"system":"{system}","code":"MR"}}]}},"value":"1"}}"#)
    };
    for (before, since) in [
        ("http://hl7.org/fhir/v2/0203", "http://terminology.hl7.org/CodeSystem/v2-0203"),
        ("http://hl7.org/fhir/v3/RoleCode", "http://terminology.hl7.org/CodeSystem/v3-RoleCode"),
    ] {
        for older in [Dstu2, Stu3] {
            for newer in [R4, R4b, R5] {
                same("identifier", older, &kind(before), newer, &kind(since));
            }
        }
        same("identifier", Dstu2, &kind(before), Stu3, &kind(before));
        same("identifier", R4, &kind(since), R5, &kind(since));
    }
}

#[test]
fn systems_that_are_not_named_alike_keep_their_name() {
    for system in
        ["http://hl7.org/fhir/v2/0006/2.1", "http://hl7.org/fhir/v3/", "http://loinc.org", "urn:oid:2.999"]
    {
        let identifier = format!(r#"{{"system":"{system}","value":"1"}}"#);
        same("identifier", Dstu2, &identifier, R5, &identifier);
    }
}
