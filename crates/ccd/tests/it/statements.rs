//! Statements whose form the guide fixes, out of what a record says in general terms.

use crate::support::{Element, document, request};

fn said(category: &str, code: &str, value: &str, time: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"o","status":"final","category":[{{"coding":[{{"code":"{category}"}}]}}],{time}
        "code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"valueCodeableConcept":{{"coding":[{value}]}}}}"#
    )
}

fn snomed(code: &str) -> String {
    format!(r#"{{"system":"http://snomed.info/sct","code":"{code}"}}"#)
}

const DAY: &str = r#""effectiveDateTime":"2019-06-01","#;

#[test]
fn tobacco_use_has_a_statement_of_its_own_if_its_value_and_its_time_are_known() {
    let root = |value: &str, time: &str| {
        document(&[&said("social-history", "11367-0", &snomed(value), time)], request())
    };
    let period = r#""effectivePeriod":{"start":"2001","end":"2010"},"#;
    let pipe = root("82302008", period);
    let statement = pipe.only(".4.85");
    let time = statement.child("effectiveTime").expect("a time");
    assert_eq!((time.of("low", "value"), time.of("high", "value")), (Some("2001"), Some("2010")));
    assert_eq!(statement.of("value", "code"), Some("82302008"));
    // A point in time is no end.
    let since = root("82302008", DAY);
    let time = since.only(".4.85").child("effectiveTime").expect("a time").clone();
    assert_eq!((time.of("low", "value"), time.child("high").is_none()), (Some("20190601"), true));
    // That somebody never smoked is no use, and without a time nothing fits.
    for other in [root("266919005", DAY), root("82302008", "")] {
        assert!(other.with_template(".4.85").is_empty());
        assert_eq!(other.only(".4.38").of("code", "code"), Some("11367-0"));
    }
}

#[test]
fn an_industry_stands_beside_the_occupation() {
    let odh = |code: &str| {
        format!(
            r#"{{"system":"http://terminology.hl7.org/CodeSystem/PHOccupationalDataForHealthODH","code":"{code}"}}"#
        )
    };
    let time = r#""effectivePeriod":{"start":"2015-04-24"},"#;
    let occupation = said("social-history", "11341-5", &odh("31-1014.00.007136"), time);
    let industry = format!(
        r#","component":[{{"code":{{"coding":[{{"system":"http://loinc.org","code":"86188-0"}}]}},"valueCodeableConcept":{{"coding":[{}]}}}}]}}"#,
        odh("621610.008495")
    );
    let occupation = occupation.strip_suffix('}').map(|text| format!("{text}{industry}")).expect("an object");
    let root = document(&[&occupation], request());
    assert_eq!(root.only(".4.503").of("value", "code"), Some("31-1014.00.007136"));
    assert_eq!(root.only(".4.504").of("value", "code"), Some("621610.008495"));
    // In other words it is what it is.
    let words = said("social-history", "86188-0", r#"{"display":"farming"}"#, DAY);
    assert!(document(&[&words], request()).with_template(".4.504").is_empty());
}

#[test]
fn what_somebody_can_do_for_themself_and_a_disability_are_told_apart() {
    let functional = |category: &str, code: &str, value: &str| {
        let root = document(&[&said(category, code, value, DAY)], request());
        root.section("47420-5").expect("a functional status").clone()
    };
    let eating = functional("functional-status", "46484-2", &snomed("371153006"));
    assert_eq!(eating.only(".4.128").of("code", "code"), Some("46484-2"));
    assert_eq!(eating.only(".4.128").of("value", "code"), Some("371153006"));
    // A degree that is none of the guide's.
    let other = functional("functional-status", "46484-2", &snomed("260413007"));
    assert!(other.with_template(".4.128").is_empty());
    assert_eq!(other.only(".4.67").of("code", "code"), Some("54522-8"));
    let asked = functional("disability-status", "69856-3", &snomed("373066001"));
    let disability = asked.only(".4.505");
    assert_eq!(disability.of("code", "code"), Some("89571-4"));
    let code = disability.child("code").expect("a code");
    assert_eq!(code.of("translation", "code"), Some("69856-3"));
    // The same code is not said twice.
    let same = functional("disability-status", "89571-4", &snomed("373066001"));
    assert!(same.only(".4.505").named("translation").is_empty());
}

#[test]
fn how_a_specimen_was_taken_stands_with_its_results() {
    let specimen = r#"{"resourceType":"Specimen","id":"s","type":{"text":"Serum"},
        "collection":{"collectedDateTime":"2020-01-10T09:00:00Z","bodySite":{"coding":[{"system":"http://snomed.info/sct","code":"14975008"}]}},
        "condition":[{"text":"Hemolyzed"},{"text":"Cooled"}]}"#;
    let plain = r#"{"resourceType":"Specimen","id":"s","type":{"text":"Serum"}}"#;
    let result = r#"{"resourceType":"Observation","id":"k","status":"final","code":{"text":"Potassium"},"specimen":{"reference":"Specimen/s"},"valueString":"high"}"#;
    let root = document(&[specimen, result], request());
    let results = root.section("30954-2").expect("results");
    let taken = results.only(".4.1").only(".4.415");
    assert_eq!(taken.of("effectiveTime", "value"), Some("20200110090000+0000"));
    assert_eq!(taken.of("targetSiteCode", "code"), Some("14975008"));
    let role = |of: &Element| of.named("specimenRole")[0].of("id", "root").map(str::to_owned);
    assert!(role(taken).is_some());
    assert_eq!(role(taken), role(results.only(".4.1")));
    assert!(taken.only(".4.421").text().contains("Hemolyzed"));
    let narrative = results.child("text").expect("a narrative").text();
    assert!(["Hemolyzed", "Cooled", "collected"].iter().all(|said| narrative.contains(said)), "{narrative}");
    assert!(document(&[plain, result], request()).with_template(".4.415").is_empty());
}

#[test]
fn a_person_among_the_payers_is_the_guarantor() {
    let person = r#"{"resourceType":"RelatedPerson","id":"w","name":[{"family":"B","given":["Boris"]}]}"#;
    let insurer = r#"{"resourceType":"Organization","id":"o","name":"Example Health Plan"}"#;
    let of = |payers: &str| {
        let coverage = format!(
            r#"{{"resourceType":"Coverage","id":"c","status":"active","beneficiary":{{"reference":"Patient/1"}},{payers}}}"#
        );
        document(&[person, insurer, &coverage], request())
    };
    let both = of(r#""payor":[{"reference":"RelatedPerson/w"},{"reference":"Organization/o"}]"#);
    let guarantor = both.only(".4.88");
    assert_eq!(guarantor.named("code")[0].attribute("code"), Some("GUAR"));
    assert_eq!(guarantor.named("family")[0].text(), "B");
    assert!(both.only(".4.87").text().contains("Example Health Plan"));
    // R5 says who pays; the patient may.
    let patient =
        of(r#""insurer":{"reference":"Organization/o"},"paymentBy":[{"party":{"reference":"Patient/1"}}]"#);
    assert_eq!(patient.only(".4.88").named("family")[0].text(), "Betterhalf");
    assert!(
        patient
            .section("48768-6")
            .expect("payers")
            .child("text")
            .expect("a narrative")
            .text()
            .contains("guarantor")
    );
    assert!(of(r#""payor":[{"reference":"Organization/o"}]"#).with_template(".4.88").is_empty());
}

#[test]
fn a_thing_that_is_ordered_is_a_planned_supply() {
    let order = r#"{"resourceType":"DeviceRequest","id":"d","status":"active","intent":"order","subject":{"reference":"Patient/1"},
        "code":{"concept":{"coding":[{"system":"http://snomed.info/sct","code":"58938008","display":"Wheelchair"}]}},"quantity":2,
        "occurrencePeriod":{"start":"2026-02-01"}}"#;
    let root = document(&[order], request());
    let supply = root.section("18776-5").expect("a plan").only(".4.43");
    assert_eq!(supply.attribute("moodCode"), Some("RQO"));
    assert_eq!(supply.of("quantity", "value"), Some("2"));
    assert_eq!(supply.only(".4.37").named("code")[0].attribute("code"), Some("58938008"));
    assert_eq!(supply.child("effectiveTime").expect("a time").of("low", "value"), Some("20260201"));
}
