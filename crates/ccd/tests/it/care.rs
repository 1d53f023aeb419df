//! Sections about what is made of the findings and what is done about them.

use charta_ccd::Request;

use crate::support::{Element, document, moment, request};

fn with(resources: &[&str]) -> Element {
    document(resources, request())
}

fn cells(section: &Element) -> Vec<String> {
    section.named("td").iter().map(|cell| cell.text()).collect()
}

#[test]
fn an_assessment_is_read_whatever_its_version_and_has_no_entries() {
    for (version, text) in [
        (
            "DSTU2",
            r#""patient":{"reference":"Patient/1"},"assessor":{"display":"Ada"},"date":"2020-01-10","finding":[{"item":{"text":"Cough"}}],"prognosis":"good""#,
        ),
        (
            "STU3",
            r#""subject":{"reference":"Patient/1"},"assessor":{"display":"Ada"},"effectiveDateTime":"2020-01-10","finding":[{"itemCodeableConcept":{"text":"Cough"}}],"prognosisCodeableConcept":[{"text":"good"}]"#,
        ),
        (
            "R5",
            r#""subject":{"reference":"Patient/1"},"performer":{"display":"Ada"},"effectiveDateTime":"2020-01-10","finding":[{"item":{"concept":{"text":"Cough"}}}],"prognosisCodeableConcept":[{"text":"good"}]"#,
        ),
    ] {
        let root = with(&[&format!(
            r#"{{"resourceType":"ClinicalImpression","id":"c","status":"completed","summary":"No pneumonia",{text}}}"#
        )]);
        let section = root.section("51848-0").expect("an assessment");
        assert_eq!(cells(section), ["No pneumonia", "Cough", "good", "2020-01-10", "Ada", ""], "{version}");
        assert!(section.named("entry").is_empty() && section.attribute("nullFlavor").is_none(), "{version}");
    }
    let error = r#"{"resourceType":"ClinicalImpression","id":"c","status":"entered-in-error","summary":"x"}"#;
    assert!(with(&[error]).section("51848-0").is_none());
}

#[test]
fn a_cut_in_a_narrative_section_is_said_in_words() {
    let mut asked: Request = request();
    asked.start = Some(moment("2020-01-01T00:00:00Z"));
    let of = |id: &str, date: &str| {
        format!(r#"{{"resourceType":"ClinicalImpression","id":"{id}","summary":"{id}","date":"{date}"}}"#)
    };
    let root = document(&[&of("early", "2019-01-01"), &of("late", "2020-06-01")], asked);
    let section = root.section("51848-0").expect("an assessment");
    let text = section.text();
    assert!(text.contains("Limited to 2020-01-01 00:00 UTC until") && text.contains("late"), "{text}");
    assert!(!text.contains("early"));
    assert!(section.with_template(".4.201").is_empty());
}

#[test]
fn a_referral_says_to_whom_and_why_and_stands_in_the_plan() {
    let referral = |kind: &str, more: &str| {
        format!(
            r#"{{"resourceType":"{kind}","id":"r","status":"active","authoredOn":"2020-01-10","reasonCode":[{{"text":"murmur"}}],{more}}}"#
        )
    };
    let stu3 = referral(
        "ReferralRequest",
        r#""type":{"text":"Cardiology"},"recipient":[{"display":"Heart Clinic"}]"#,
    );
    let r4 = referral(
        "ServiceRequest",
        r#""category":[{"coding":[{"system":"http://snomed.info/sct","code":"3457005"}]}],"code":{"text":"Cardiology"},"performer":[{"display":"Heart Clinic"}]"#,
    );
    for text in [&stu3, &r4] {
        let root = with(&[text]);
        let section = root.section("42349-1").expect("a reason for referral");
        let cells = cells(section);
        assert_eq!(cells[..3], ["Cardiology", "Heart Clinic", "murmur"], "{text}");
        let act = section.only(".4.140");
        assert_eq!(act.named("participant")[0].attribute("typeCode"), Some("REFT"));
        assert_eq!(act.with_template(".4.19").len(), 1, "the reason is an entry too");
        let plan = root.section("18776-5").expect("a plan");
        assert!(plan.text().contains("Cardiology"));
        let id = |element: &Element| element.of("id", "root").map(str::to_owned);
        assert_ne!(id(act), id(plan.named("procedure")[0]), "two statements have two ids");
    }
    let done = r4.replace(r#""active""#, r#""completed""#);
    assert!(with(&[&done]).section("42349-1").is_none());
    let laboratory =
        r#"{"resourceType":"ServiceRequest","id":"s","status":"active","code":{"text":"Glucose"}}"#;
    assert!(with(&[laboratory]).section("42349-1").is_none());
}

#[test]
fn what_was_done_of_a_plan_is_an_intervention_and_no_plan() {
    let goal = r#"{"resourceType":"Goal","id":"g","lifecycleStatus":"active","description":{"text":"Walk"}}"#;
    let plan = r#"{"resourceType":"CarePlan","id":"p","status":"active","category":[{"text":"Care"}],"activity":[
        {"detail":{"status":"completed","code":{"text":"Exercise"},"goal":[{"reference":"Goal/g"}]},"outcomeCodeableConcept":[{"text":"walks"}]},
        {"detail":{"status":"not-started","code":{"text":"Swimming"}}}]}"#;
    let root = with(&[goal, plan]);
    let section = root.section("62387-6").expect("interventions");
    assert_eq!(cells(section), ["Exercise", "", "", "", "walks"]);
    let act = section.only(".4.131");
    assert_eq!(act.of("code", "code"), Some("362956003"));
    let goal_id = root.only(".4.121").of("id", "root").map(str::to_owned);
    assert_eq!(act.only(".4.122").of("id", "root").map(str::to_owned), goal_id);
    let planned = root.section("18776-5").expect("a plan").text();
    assert!(planned.contains("Swimming") && !planned.contains("Exercise"), "{planned}");
}

#[test]
fn a_nutritional_status_has_its_assessment_or_says_that_none_is_known() {
    let status = |more: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"n","status":"final","effectiveDateTime":"2020-01-10","code":{{"coding":[{{"system":"http://loinc.org","code":"75305-3"}}]}},"valueString":"well"{more}}}"#
        )
    };
    let assessment = r#"{"resourceType":"Observation","id":"a","status":"final","effectiveDateTime":"2020-01-10","code":{"coding":[{"system":"http://loinc.org","code":"75303-8"}]},"valueString":"eats twice a day"}"#;
    let value = |root: &Element, template: &str| {
        let value = root.only(template).child("value").expect("a value").clone();
        (value.text(), value.attribute("nullFlavor").map(str::to_owned))
    };
    let (status_at, assessment_at) = (".4.124", ".4.138");
    let both = with(&[&status(r#","hasMember":[{"reference":"Observation/a"}]"#), assessment]);
    assert_eq!(value(&both, status_at).0, "well");
    assert_eq!(value(&both, assessment_at).0, "eats twice a day");
    let alone = with(&[&status("")]);
    assert_eq!(value(&alone, assessment_at).1.as_deref(), Some("NI"));
    let only = with(&[assessment]);
    assert_eq!(value(&only, status_at).1.as_deref(), Some("NI"));
    assert_eq!(value(&only, assessment_at).0, "eats twice a day");
    assert_eq!(only.section("61144-2").expect("nutrition").named("tr").len(), 2, "a head and one row");
}

#[test]
fn a_recommended_immunization_is_planned_for_when_it_is_due() {
    let recommendation = r#"{"resourceType":"ImmunizationRecommendation","id":"i","date":"2020-01-10","recommendation":[{"vaccineCode":[{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]}],"forecastStatus":{"text":"due"},
        "dateCriterion":[{"code":{"coding":[{"code":"30981-5"}]},"value":"2020-09-01"},{"code":{"coding":[{"code":"30980-7"}]},"value":"2020-10-01"}]}]}"#;
    let root = with(&[recommendation]);
    let planned = root.section("18776-5").expect("a plan").only(".4.120").clone();
    assert_eq!(planned.of("effectiveTime", "value"), Some("20201001"));
    assert_eq!(planned.named("manufacturedMaterial")[0].of("code", "code"), Some("140"));
}

#[test]
fn what_is_taken_without_prescription_is_medication_and_not_a_plan() {
    let taken = r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"plan","reportedBoolean":true,"medicationCodeableConcept":{"text":"Aspirin"}}"#;
    let section = with(&[taken]).section("10160-0").expect("medications").clone();
    let moods: Vec<_> = section
        .with_template(".4.16")
        .iter()
        .map(|one| one.attribute("moodCode").map(str::to_owned))
        .collect();
    assert_eq!(moods, [Some("EVN".to_owned())]);
    let planned = taken.replace(r#""reportedBoolean":true,"#, "");
    let root = with(&[&planned]);
    assert!(root.section("18776-5").expect("a plan").text().contains("Aspirin"));
}

#[test]
fn two_pressures_of_one_time_stay_apart() {
    let pressure = |id: &str, high: &str, low: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","effectiveDateTime":"2020-01-10T10:00:00Z","category":[{{"coding":[{{"code":"vital-signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},"component":[
            {{"code":{{"coding":[{{"system":"http://loinc.org","code":"8480-6"}}]}},"valueQuantity":{{"value":{high},"code":"mm[Hg]"}}}},
            {{"code":{{"coding":[{{"system":"http://loinc.org","code":"8462-4"}}]}},"valueQuantity":{{"value":{low},"code":"mm[Hg]"}}}}]}}"#
        )
    };
    let root = with(&[&pressure("a", "120", "80"), &pressure("b", "140", "90")]);
    let values: Vec<Vec<String>> = root
        .with_template(".4.26")
        .iter()
        .map(|organizer| {
            let values = organizer.named("value").into_iter();
            values.filter_map(|value| value.attribute("value").map(str::to_owned)).collect()
        })
        .collect();
    assert_eq!(values, [["120", "80"], ["140", "90"]]);
}
