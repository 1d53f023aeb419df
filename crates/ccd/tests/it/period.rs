//! Start, end and encounter.

use charta_ccd::Request;

use crate::support::{document, moment, request};

fn limited(start: &str, end: &str) -> Request {
    let mut request = request();
    request.start = (!start.is_empty()).then(|| moment(start));
    request.end = (!end.is_empty()).then(|| moment(end));
    request
}

fn result(id: &str, time: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","effectiveDateTime":"{time}",
        "code":{{"text":"{id}"}},"valueString":"seen"}}"#
    )
}

#[test]
fn a_result_falls_in_to_the_second_and_the_zone() {
    let early = result("early", "2020-06-01T11:59:59+02:00");
    let first = result("first", "2020-06-01T12:00:00+02:00");
    let last = result("last", "2020-06-01T11:00:00Z");
    let late = result("late", "2020-06-01T11:00:01Z");
    let root = document(
        &[&early, &first, &last, &late],
        limited("2020-06-01T10:00:00Z", "2020-06-01T13:00:00+02:00"),
    );
    let text = root.section("30954-2").expect("results").child("text").expect("a text").text();
    for (id, shown) in [("early", false), ("first", true), ("last", true), ("late", false)] {
        assert_eq!(text.contains(id), shown, "{id} in {text}");
    }
}

#[test]
fn a_day_counts_whole_and_what_has_no_time_is_kept() {
    let day = result("day", "2020-06-01");
    let undated = r#"{"resourceType":"Observation","id":"u","status":"final","code":{"text":"undated"},"valueString":"seen"}"#;
    let root = document(&[&day, undated], limited("2020-06-01T23:00:00Z", "2020-07-01T00:00:00Z"));
    let text = root.section("30954-2").expect("results").text();
    assert!(text.contains("day") && text.contains("undated"));
}

#[test]
fn the_cut_is_said_in_the_section() {
    let day = result("day", "2020-06-15");
    let root = document(&[&day], limited("2020-06-01T00:00:00Z", "2020-07-01T00:00:00Z"));
    let section = root.section("30954-2").expect("results");
    let range = section.only(".4.201");
    assert_eq!(range.named("low")[0].attribute("value"), Some("20200601000000+0000"));
    assert!(section.text().contains("Limited to 2020-06-01 00:00 UTC until 2020-07-01 00:00 UTC"));
    assert!(document(&[&day], request()).with_template(".4.201").is_empty());
}

#[test]
fn what_is_active_is_kept_and_what_is_over_is_cut() {
    let condition = |id: &str, status: &str, more: &str| {
        format!(
            r#"{{"resourceType":"Condition","id":"{id}","code":{{"text":"{id}"}},"clinicalStatus":{{"coding":[{{"code":"{status}"}}]}},{more}}}"#
        )
    };
    let old = condition("chronic", "active", r#""onsetDateTime":"1990-01-01""#);
    let over =
        condition("cold", "resolved", r#""onsetDateTime":"1990-01-01","abatementDateTime":"1990-02-01""#);
    let within =
        condition("flu", "resolved", r#""onsetDateTime":"2020-06-01","abatementDateTime":"2020-06-10""#);
    let later = condition("future", "active", r#""onsetDateTime":"2025-01-01""#);
    let root =
        document(&[&old, &over, &within, &later], limited("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"));
    let text = root.section("11450-4").expect("problems").text();
    for (name, shown) in [("chronic", true), ("cold", false), ("flu", true), ("future", false)] {
        assert_eq!(text.contains(name), shown, "{name} in {text}");
    }
}

#[test]
fn the_last_smoking_status_is_kept_whatever_its_date() {
    let smoking = |id: &str, date: &str, code: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","effectiveDateTime":"{date}",
            "category":[{{"coding":[{{"code":"social-history"}}]}}],
            "code":{{"coding":[{{"system":"http://loinc.org","code":"72166-2"}}]}},
            "valueCodeableConcept":{{"coding":[{{"system":"http://snomed.info/sct","code":"{code}"}}]}}}}"#
        )
    };
    let (old, last) = (smoking("a", "1990-01-01", "449868002"), smoking("b", "2000-01-01", "8517006"));
    let root = document(&[&old, &last], limited("2020-01-01T00:00:00Z", ""));
    assert_eq!(root.only(".4.78").of("value", "code"), Some("8517006"));
}

#[test]
fn one_encounter_has_what_belongs_to_it_and_what_always_counts() {
    let encounter = r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"type":[{"text":"Visit"}],
        "period":{"start":"2020-06-01T10:00:00Z","end":"2020-06-01T11:00:00Z"}}"#;
    let other = r#"{"resourceType":"Encounter","id":"o","status":"finished","type":[{"text":"Elsewhere"}],"period":{"start":"2020-01-01"}}"#;
    let inside = r#"{"resourceType":"Observation","id":"i","status":"final","code":{"text":"inside"},"valueString":"x","encounter":{"reference":"Encounter/e"}}"#;
    let outside = r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"outside"},"valueString":"x","encounter":{"reference":"Encounter/o"}}"#;
    let allergy = r#"{"resourceType":"AllergyIntolerance","id":"a","code":{"text":"nuts"},"clinicalStatus":{"coding":[{"code":"active"}]}}"#;
    let mut asked = request();
    asked.encounter = Some("Encounter/e".to_owned());
    let root = document(&[encounter, other, inside, outside, allergy], asked);
    let results = root.section("30954-2").expect("results").text();
    assert!(results.contains("inside") && !results.contains("outside"));
    let encounters = root.section("46240-8").expect("encounters").text();
    assert!(encounters.contains("Visit") && !encounters.contains("Elsewhere"));
    assert!(root.section("48765-2").expect("allergies").text().contains("nuts"));
    assert_eq!(root.named("encompassingEncounter").len(), 1);
}
