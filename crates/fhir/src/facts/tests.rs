//! What each version calls a thing, and that it is the same thing.

use charta_model::facts::{Confidentiality, Facts, Onset, Topic, Value};

use super::{FactsBuilder, read, topic_of};
use crate::{Node, json};

fn node(text: &str) -> Node {
    json::read(text).unwrap_or_else(|| panic!("not JSON: {text}"))
}

/// The facts of patient 1 and these resources.
fn facts(resources: &[&str]) -> Facts {
    let nodes: Vec<Node> = resources.iter().map(|text| node(text)).collect();
    read(&node(r#"{"resourceType":"Patient","id":"1"}"#), &nodes)
}

#[test]
fn medications_are_read_in_every_version() {
    for (version, text) in [
        (
            "DSTU2",
            r#"{"resourceType":"MedicationOrder","id":"m","dateWritten":"2020-01-10","prescriber":{"display":"Ada"},"medicationCodeableConcept":{"text":"Aspirin"},
            "reasonCodeableConcept":{"text":"pain"},"dosageInstruction":[{"text":"daily","doseQuantity":{"value":1.0},"timing":{"repeat":{"periodUnits":"d","period":1}}}]}"#,
        ),
        (
            "STU3",
            r#"{"resourceType":"MedicationRequest","id":"m","authoredOn":"2020-01-10","requester":{"agent":{"display":"Ada"}},"medicationCodeableConcept":{"text":"Aspirin"},
            "reasonCode":[{"text":"pain"}],"dosageInstruction":[{"text":"daily","doseQuantity":{"value":1.0},"timing":{"repeat":{"periodUnit":"d","period":1}}}]}"#,
        ),
        (
            "R4",
            r#"{"resourceType":"MedicationRequest","id":"m","authoredOn":"2020-01-10","requester":{"display":"Ada"},"medicationCodeableConcept":{"text":"Aspirin"},
            "reasonCode":[{"text":"pain"}],"dosageInstruction":[{"text":"daily","doseAndRate":[{"doseQuantity":{"value":1.0}}],"timing":{"repeat":{"periodUnit":"d","period":1}}}]}"#,
        ),
        (
            "R5",
            r#"{"resourceType":"MedicationRequest","id":"m","authoredOn":"2020-01-10","requester":{"display":"Ada"},"medication":{"concept":{"text":"Aspirin"}},
            "reason":[{"concept":{"text":"pain"}}],"dosageInstruction":[{"text":"daily","doseAndRate":[{"doseQuantity":{"value":1.0}}],"timing":{"repeat":{"periodUnit":"d","period":1}}}]}"#,
        ),
    ] {
        let facts = facts(&[text]);
        let one = &facts.medications[0];
        assert_eq!(one.code.label(), Some("Aspirin"), "{version}");
        assert_eq!(
            one.authored.as_ref().map(ToString::to_string).as_deref(),
            Some("2020-01-10"),
            "{version}"
        );
        assert_eq!(one.author.as_ref().and_then(|link| link.display.as_deref()), Some("Ada"), "{version}");
        assert_eq!(one.reasons[0].label(), Some("pain"), "{version}");
        let dose = one.dosages[0].dose.as_ref().and_then(|dose| dose.value.as_deref());
        assert_eq!(dose, Some("1.0"), "{version}: digit for digit");
        assert_eq!(one.dosages[0].timing.period_unit.as_deref(), Some("d"), "{version}");
    }
}

#[test]
fn a_medication_by_reference_is_a_reference_in_every_version() {
    for text in [
        r#"{"resourceType":"MedicationRequest","id":"m","medicationReference":{"reference":"Medication/x"}}"#,
        r#"{"resourceType":"MedicationRequest","id":"m","medication":{"reference":{"reference":"Medication/x"}}}"#,
    ] {
        let facts = facts(&[text]);
        let target = facts.medications[0].drug.as_ref().and_then(|link| link.target.as_deref());
        assert_eq!(target, Some("Medication/x"), "{text}");
    }
}

#[test]
fn an_allergy_has_its_statuses_wherever_they_stand() {
    for (version, text, clinical, verification) in [
        (
            "DSTU2",
            r#""status":"confirmed","substance":{"text":"nuts"},"criticality":"CRITH""#,
            None,
            Some("confirmed"),
        ),
        ("DSTU2", r#""status":"resolved","substance":{"text":"nuts"}"#, Some("resolved"), None),
        (
            "STU3",
            r#""clinicalStatus":"active","verificationStatus":"confirmed","code":{"text":"nuts"}"#,
            Some("active"),
            Some("confirmed"),
        ),
        (
            "R4",
            r#""clinicalStatus":{"coding":[{"code":"active"}]},"verificationStatus":{"coding":[{"code":"refuted"}]},"code":{"text":"nuts"}"#,
            Some("active"),
            Some("refuted"),
        ),
    ] {
        let facts = facts(&[&format!(r#"{{"resourceType":"AllergyIntolerance","id":"a",{text}}}"#)]);
        let one = &facts.allergies[0];
        assert_eq!(one.code.label(), Some("nuts"), "{version}");
        assert_eq!(one.clinical_status.as_deref(), clinical, "{version}");
        assert_eq!(one.verification.as_deref(), verification, "{version}");
    }
}

#[test]
fn encounters_immunizations_and_procedures_are_read_in_every_version() {
    for (text, of) in [
        (
            r#"{"resourceType":"Encounter","id":"e","class":"ambulatory","period":{"start":"2020"},"indication":[{"reference":"Condition/c"}]}"#,
            "ambulatory",
        ),
        (r#"{"resourceType":"Encounter","id":"e","class":{"code":"AMB"},"period":{"start":"2020"}}"#, "AMB"),
        (
            r#"{"resourceType":"Encounter","id":"e","class":[{"coding":[{"code":"AMB"}]}],"actualPeriod":{"start":"2020"}}"#,
            "AMB",
        ),
    ] {
        let facts = facts(&[text]);
        assert!(facts.encounters[0].class.as_ref().is_some_and(|class| class.has(of)), "{text}");
        assert!(facts.encounters[0].period.start.is_some(), "{text}");
    }
    for (text, not_done) in [
        (r#"{"resourceType":"Immunization","id":"i","wasNotGiven":true,"date":"2020"}"#, true),
        (r#"{"resourceType":"Immunization","id":"i","notGiven":true,"date":"2020"}"#, true),
        (r#"{"resourceType":"Immunization","id":"i","status":"not-done","occurrenceDateTime":"2020"}"#, true),
        (
            r#"{"resourceType":"Immunization","id":"i","status":"completed","occurrenceDateTime":"2020"}"#,
            false,
        ),
    ] {
        let facts = facts(&[text]);
        assert_eq!(facts.immunizations[0].is_not_done, not_done, "{text}");
        assert!(matches!(facts.immunizations[0].occurred, Some(Onset::At(_))), "{text}");
    }
    for text in [
        r#"{"resourceType":"Procedure","id":"p","performedDateTime":"2020"}"#,
        r#"{"resourceType":"Procedure","id":"p","occurrenceDateTime":"2020"}"#,
    ] {
        assert!(matches!(facts(&[text]).procedures[0].performed, Some(Onset::At(_))), "{text}");
    }
}

#[test]
fn references_lead_to_keys_in_every_spelling() {
    let practitioner = r#"{"resourceType":"Practitioner","id":"d","name":[{"text":"Ada"}],"identifier":[{"system":"http://x","value":"7"}]}"#;
    for reference in [
        r#""reference":"Practitioner/d""#,
        r#""reference":"http://example.org/r4/Practitioner/d""#,
        r#""reference":"Practitioner/d/_history/3""#,
        r#""reference":"Practitioner?identifier=http://x|7""#,
        r#""identifier":{"system":"http://x","value":"7"}"#,
        r#""reference":"urn:uuid:1""#,
    ] {
        let condition = format!(r#"{{"resourceType":"Condition","id":"c","recorder":{{{reference}}}}}"#);
        let mut builder = FactsBuilder::new();
        builder.add(&node(r#"{"resourceType":"Patient","id":"1"}"#));
        builder.add(&node(&condition));
        builder.add_named("urn:uuid:1", &node(practitioner));
        let facts = builder.finish();
        let recorder = facts.conditions[0].recorder.as_ref().and_then(|link| facts.party(link));
        assert_eq!(recorder.and_then(|party| party.label()).as_deref(), Some("Ada"), "{reference}");
    }
}

#[test]
fn what_is_contained_is_found_and_is_no_ones_else() {
    let order = |id: &str| {
        format!(
            r##"{{"resourceType":"MedicationRequest","id":"{id}","contained":[{{"resourceType":"Medication","id":"m","code":{{"text":"{id}"}}}}],
            "medicationReference":{{"reference":"#m"}}}}"##
        )
    };
    let facts = facts(&[&order("a"), &order("b")]);
    for medication in &facts.medications {
        let key = medication.drug.as_ref().and_then(|link| facts.key(link)).expect("a key");
        let label = facts.drugs[key].code.label().map(str::to_owned);
        assert_eq!(
            label.map(|label| format!("MedicationRequest/{label}")),
            Some(medication.origin.key.clone())
        );
    }
}

#[test]
fn a_role_tells_what_its_person_does_not() {
    let facts = facts(&[
        r#"{"resourceType":"Practitioner","id":"d","name":[{"text":"Ada"}]}"#,
        r#"{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/d"},"organization":{"reference":"Organization/o"},"specialty":[{"text":"Surgery"}]}"#,
    ]);
    assert_eq!(facts.parties["Practitioner/d"].specialties[0].label(), Some("Surgery"));
    assert!(facts.parties["Practitioner/d"].organization.is_some());
    assert_eq!(facts.parties["PractitionerRole/r"].label().as_deref(), Some("Ada"));
}

#[test]
fn members_and_values_are_read_in_every_version() {
    for text in [
        r#"{"resourceType":"Observation","id":"o","related":[{"type":"has-member","target":{"reference":"Observation/x"}},{"type":"derived-from","target":{"reference":"Observation/y"}}]}"#,
        r#"{"resourceType":"Observation","id":"o","hasMember":[{"reference":"Observation/x"}],"derivedFrom":[{"reference":"Observation/y"}]}"#,
    ] {
        let facts = facts(&[text]);
        assert_eq!(facts.observations[0].members.len(), 1, "{text}");
    }
    for (value, expected) in [
        (r#""valueString":"x""#, Value::Text("x".into())),
        (r#""valueInteger":3"#, Value::Integer("3".into())),
        (r#""valueBoolean":false"#, Value::Boolean(false)),
    ] {
        let facts = facts(&[&format!(r#"{{"resourceType":"Observation","id":"o",{value}}}"#)]);
        assert_eq!(facts.observations[0].measure.value.as_ref(), Some(&expected));
    }
}

#[test]
fn the_strictest_label_counts() {
    let facts = facts(&[
        r#"{"resourceType":"Condition","id":"a","meta":{"security":[{"code":"R"}]}}"#,
        r#"{"resourceType":"Condition","id":"b","meta":{"security":[{"code":"N"}]}}"#,
    ]);
    assert_eq!(facts.confidentiality, Confidentiality::Restricted);
}

#[test]
fn what_is_withheld_leaves_its_topic_alone() {
    for (text, topic) in [
        (r#"{"resourceType":"AllergyIntolerance","id":"a"}"#, Topic::Allergies),
        (
            r#"{"resourceType":"Observation","id":"a","category":{"coding":[{"code":"vital-signs"}]}}"#,
            Topic::VitalSigns,
        ),
        (r#"{"resourceType":"MedicationDispense","id":"a"}"#, Topic::Medications),
    ] {
        assert_eq!(topic_of(&node(text)), [topic]);
    }
    assert!(topic_of(&node(r#"{"resourceType":"Practitioner","id":"a"}"#)).is_empty());
}

#[test]
fn the_same_resource_twice_is_one_fact() {
    let condition = r#"{"resourceType":"Condition","id":"a"}"#;
    assert_eq!(facts(&[condition, condition]).conditions.len(), 1);
}
