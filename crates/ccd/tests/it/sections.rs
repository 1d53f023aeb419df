//! Section by section: what a resource says, and where the document says it.

use charta_fhir::facts::FactsBuilder;

use crate::support::{Element, document, node, request, written};

/// The document about one patient with these resources.
fn with(resources: &[&str]) -> Element {
    document(resources, request())
}

#[test]
fn nothing_known_is_said_to_be_nothing_known() {
    let root = with(&[]);
    for code in ["48765-2", "10160-0", "11450-4", "30954-2", "29762-2", "8716-3"] {
        let section = root.section(code).expect("a required section");
        assert_eq!(section.attribute("nullFlavor"), Some("NI"), "{code}");
        assert!(section.text().contains("No information"));
    }
    assert_eq!(root.named("section").len(), 6);
}

#[test]
fn asserted_absence_is_negated_and_not_empty() {
    let allergies = r#"{"resourceType":"AllergyIntolerance","id":"a","code":{"coding":[{"system":"http://snomed.info/sct","code":"716186003"}]},"recordedDate":"2020-01-01"}"#;
    let problems = r#"{"resourceType":"Condition","id":"c","code":{"coding":[{"system":"http://snomed.info/sct","code":"160245001"}]}}"#;
    let medications = r#"{"resourceType":"List","id":"l","code":{"coding":[{"code":"10160-0"}]},"emptyReason":{"coding":[{"code":"nilknown"}]}}"#;
    let root = with(&[allergies, problems, medications]);
    for (section, statement) in [("48765-2", ".4.7"), ("11450-4", ".4.4"), ("10160-0", ".4.16")] {
        let section = root.section(section).expect("a section");
        assert_eq!(section.attribute("nullFlavor"), None);
        assert_eq!(section.only(statement).attribute("negationInd"), Some("true"), "{statement}");
    }
    let eaten = root.only(".4.7").named("playingEntity")[0].of("code", "nullFlavor");
    assert_eq!(eaten, Some("NA"));
}

#[test]
fn what_is_withheld_is_said_to_be_withheld() {
    let mut builder = FactsBuilder::new();
    builder.add(&node(crate::support::PATIENT));
    builder.withhold(&node(r#"{"resourceType":"AllergyIntolerance","id":"a","code":{"text":"secret"}}"#));
    builder.withhold(&node(r#"{"resourceType":"Procedure","id":"p","code":{"text":"secret"}}"#));
    let text: String = charta_ccd::Document::new(builder.finish(), request()).collect();
    let root = Element::read(&text).expect("well-formed");
    for code in ["48765-2", "47519-4"] {
        assert_eq!(root.section(code).expect("a section").attribute("nullFlavor"), Some("MSK"), "{code}");
    }
    assert!(!text.contains("secret"));
}

#[test]
fn entered_in_error_and_other_patients_stay_out() {
    let error = r#"{"resourceType":"Condition","id":"c","verificationStatus":{"coding":[{"code":"entered-in-error"}]},"code":{"text":"wrong"}}"#;
    let other = r#"{"resourceType":"Condition","id":"d","subject":{"reference":"Patient/2"},"code":{"text":"not mine"}}"#;
    let own = r#"{"resourceType":"Condition","id":"e","subject":{"reference":"http://example.org/r4/Patient/1"},"code":{"text":"mine"}}"#;
    let text = with(&[error, other, own]).section("11450-4").expect("problems").text();
    assert!(text.contains("mine") && !text.contains("not mine") && !text.contains("wrong"));
}

#[test]
fn an_allergy_has_substance_kind_status_criticality_and_reactions() {
    let root = with(&[
        r#"{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":{"coding":[{"code":"active"}]},"type":"allergy","category":["medication"],
        "criticality":"high","code":{"coding":[{"system":"http://snomed.info/sct","code":"373270004"},{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"7980","display":"penicillin G"}]},
        "onsetDateTime":"2015-03","reaction":[{"manifestation":[{"coding":[{"system":"http://snomed.info/sct","code":"247472004","display":"Wheal"}]}],"severity":"moderate"}]}"#,
    ]);
    let allergy = root.only(".4.7");
    assert_eq!(allergy.of("value", "code"), Some("416098002"));
    assert_eq!(allergy.named("low")[0].attribute("value"), Some("201503"));
    let substance = &allergy.named("playingEntity")[0].children[0];
    assert_eq!(substance.attribute("code"), Some("7980"));
    assert_eq!(substance.of("translation", "code"), Some("373270004"));
    assert_eq!(root.only(".4.28").of("value", "code"), Some("55561003"));
    assert_eq!(root.only(".4.145").of("value", "code"), Some("CRITH"));
    assert_eq!(root.only(".4.9").of("value", "code"), Some("247472004"));
    assert_eq!(root.only(".4.8").of("value", "code"), Some("6736007"));
    assert_eq!(root.only(".4.30").of("statusCode", "code"), Some("active"));
}

#[test]
fn a_problem_keeps_all_its_codes_and_no_date_is_made_up() {
    let root = with(&[
        r#"{"resourceType":"Condition","id":"c","clinicalStatus":{"coding":[{"code":"resolved"}]},"code":{"text":"High pressure","coding":[
        {"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"I10","display":"Hypertension"},
        {"system":"http://snomed.info/sct","code":"59621000","display":"Essential hypertension"},
        {"system":"http://example.org/codes","code":"HT","display":"HT"}]}}"#,
    ]);
    let problem = root.only(".4.4");
    let value = problem.child("value").expect("a value");
    assert_eq!(value.attribute("code"), Some("59621000"));
    let translations: Vec<_> = value
        .named("translation")
        .iter()
        .map(|one| (one.attribute("code"), one.attribute("nullFlavor")))
        .collect();
    assert_eq!(translations, [(Some("I10"), None), (None, Some("OTH"))]);
    let time = problem.child("effectiveTime").expect("a time");
    assert_eq!((time.of("low", "nullFlavor"), time.of("high", "nullFlavor")), (Some("UNK"), Some("UNK")));
    assert_eq!(root.only(".4.3").of("statusCode", "code"), Some("completed"));
}

#[test]
fn a_diagnosis_stands_once_and_its_encounter_names_it() {
    let encounter =
        r#"{"resourceType":"Encounter","id":"e","status":"finished","period":{"start":"2020-01-01"}}"#;
    let diagnosis = |id: &str, status: &str| {
        format!(
            r#"{{"resourceType":"Condition","id":"{id}","clinicalStatus":{{"coding":[{{"code":"{status}"}}]}},"category":[{{"coding":[{{"code":"encounter-diagnosis"}}]}}],
            "code":{{"text":"{id}"}},"encounter":{{"reference":"Encounter/e"}}}}"#
        )
    };
    let (lasting, over) = (diagnosis("lasting", "active"), diagnosis("over", "resolved"));
    let root = with(&[encounter, &lasting, &over]);
    assert_eq!(root.with_template(".4.4").len(), 2);
    let problems = root.section("11450-4").expect("problems");
    assert!(problems.only(".4.4").text().is_empty() || problems.text().contains("lasting"));
    let encounters = root.section("46240-8").expect("encounters");
    assert!(encounters.only(".4.80").with_template(".4.4").len() == 1 && encounters.text().contains("over"));
    let referred = encounters.only(".4.122").of("id", "root").map(str::to_owned);
    assert_eq!(referred.as_deref(), problems.only(".4.4").of("id", "root"));
}

#[test]
fn a_medication_has_what_was_written_given_and_dispensed() {
    let order = r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","authoredOn":"2020-01-10","encounter":{"reference":"Encounter/e"},
        "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"314076","display":"lisinopril 10 MG"}]},
        "dosageInstruction":[{"text":"1 tablet twice daily","timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"}},
        "route":{"coding":[{"system":"http://snomed.info/sct","code":"26643006"}]},"doseAndRate":[{"doseQuantity":{"value":1}}]}],
        "dispenseRequest":{"numberOfRepeatsAllowed":2}}"#;
    let dispense = r#"{"resourceType":"MedicationDispense","id":"d","status":"completed","authorizingPrescription":[{"reference":"MedicationRequest/m"}],"whenHandedOver":"2020-01-11"}"#;
    let given = r#"{"resourceType":"MedicationAdministration","id":"g","status":"completed","request":{"reference":"MedicationRequest/m"},"effectiveDateTime":"2020-01-10T08:00:00Z"}"#;
    let root = with(&[order, dispense, given]);
    let entry = root.only(".4.16");
    assert_eq!(entry.attribute("moodCode"), Some("INT"));
    assert_eq!(entry.named("period")[0].attribute("value"), Some("12"));
    assert_eq!(entry.of("routeCode", "code"), Some("C38288"));
    assert_eq!(entry.of("doseQuantity", "value"), Some("1"));
    assert_eq!(entry.of("doseQuantity", "unit"), None);
    assert_eq!(root.only(".4.17").of("repeatNumber", "value"), Some("3"));
    assert_eq!(root.only(".4.18").of("effectiveTime", "value"), Some("20200111"));
    assert_eq!(root.only(".4.118").of("effectiveTime", "value"), Some("20200110080000+0000"));
    assert!(root.section("10160-0").expect("medications").text().contains("1 tablet twice daily"));
}

#[test]
fn an_unknown_dose_is_unknown() {
    let root = with(&[
        r#"{"resourceType":"MedicationRequest","id":"m","status":"stopped","intent":"order","medicationCodeableConcept":{"text":"x"}}"#,
    ]);
    let entry = root.only(".4.16");
    assert_eq!(entry.of("doseQuantity", "nullFlavor"), Some("UNK"));
    assert_eq!(entry.of("statusCode", "code"), Some("aborted"));
    assert_eq!(entry.named("low")[0].attribute("nullFlavor"), Some("UNK"));
}

#[test]
fn a_report_gathers_its_results_and_each_stands_once() {
    let report = r#"{"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"51990-0"}]},
        "effectiveDateTime":"2020-01-10T10:15:00-05:00","result":[{"reference":"Observation/k"},{"reference":"Observation/k"}],"conclusion":"low"}"#;
    let result = r#"{"resourceType":"Observation","id":"k","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}]},
        "valueQuantity":{"value":2.50,"comparator":"<","code":"mmol/L","system":"http://unitsofmeasure.org"},
        "interpretation":[{"coding":[{"system":"http://hl7.org/fhir/v2/0078","code":"L"}]}]}"#;
    let root = with(&[report, result]);
    let organizer = root.only(".4.1");
    assert_eq!(organizer.of("code", "code"), Some("51990-0"));
    let result = organizer.only(".4.2");
    let value = result.child("value").expect("a value");
    assert_eq!((value.attribute("xsi:type"), value.of("high", "value")), (Some("IVL_PQ"), Some("2.50")));
    assert_eq!(result.of("interpretationCode", "code"), Some("L"));
    assert!(organizer.only(".4.64").child("text").is_some());
}

#[test]
fn vital_signs_of_one_time_stand_together() {
    let sign = |id: &str, code: &str, value: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"code":"vital-signs"}}]}}],"effectiveDateTime":"2020-01-10T10:05:00Z",
            "code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},{value}}}"#
        )
    };
    let pressure = sign(
        "p",
        "85354-9",
        r#""component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg"}},
        {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"unit":"mmHg"}}]"#,
    );
    let heat = sign("t", "8310-5", r#""valueQuantity":{"value":98.6,"unit":"degF"}"#);
    let words = sign("w", "44963-7", r#""valueCodeableConcept":{"text":"femoral"}"#);
    let root = with(&[&pressure, &heat, &words]);
    let organizer = root.only(".4.26");
    let units: Vec<_> = organizer
        .with_template(".4.27")
        .iter()
        .map(|one| one.of("value", "unit").map(str::to_owned))
        .collect();
    assert_eq!(units, [Some("mm[Hg]".to_owned()), Some("mm[Hg]".to_owned()), Some("[degF]".to_owned())]);
    assert_eq!(organizer.with_template(".4.2").len(), 1);
    assert_eq!(organizer.of("code", "code"), Some("46680005"));
}

#[test]
fn social_history_has_its_own_statements() {
    let smoking = r#"{"resourceType":"Observation","id":"s","status":"final","category":[{"coding":[{"code":"social-history"}]}],"effectiveDateTime":"2020-01-10",
        "code":{"coding":[{"system":"http://loinc.org","code":"72166-2"}]},"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"8517006"}]}}"#;
    let other = r#"{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"code":"social-history"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"74013-4"}]},"valueQuantity":{"value":2,"unit":"drinks per day"}}"#;
    let root = with(&[smoking, other]);
    assert_eq!(root.only(".4.78").of("effectiveTime", "value"), Some("20200110"));
    let value = root.only(".4.38").child("value").expect("a value");
    assert_eq!((value.attribute("value"), value.attribute("unit")), (Some("2"), Some("{drinks_per_day}")));
    assert_eq!(value.text(), "drinks per day");
}

#[test]
fn a_questionnaire_holds_its_answers() {
    let panel = r#"{"resourceType":"Observation","id":"p","status":"final","category":[{"coding":[{"code":"survey"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"44249-1"}]},"hasMember":[{"reference":"Observation/i"}]}"#;
    let item = r#"{"resourceType":"Observation","id":"i","status":"final","category":[{"coding":[{"code":"survey"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"44261-6"}]},"valueInteger":7}"#;
    let root = with(&[panel, item]);
    let mental = root.section("10190-7").expect("mental status");
    assert_eq!(mental.only(".4.69").only(".4.86").of("value", "value"), Some("7"));
    assert_eq!(root.with_template(".4.86").len(), 1);
}

#[test]
fn a_functional_status_is_found_by_those_who_do_not_know_it() {
    let root = with(&[
        r#"{"resourceType":"Observation","id":"f","status":"final","category":[{"coding":[{"code":"functional-status"}]}],"code":{"text":"Walks"},"valueString":"with a stick"}"#,
    ]);
    let (functional, results) =
        (root.section("47420-5").expect("status"), root.section("30954-2").expect("results"));
    assert_eq!(functional.only(".4.67").of("id", "root"), results.only(".4.2").of("id", "root"));
}

#[test]
fn immunizations_are_given_or_not() {
    let given = r#"{"resourceType":"Immunization","id":"g","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140"}]},"occurrenceDateTime":"2019-10-15","lotNumber":"AB1"}"#;
    let refused = r#"{"resourceType":"Immunization","id":"r","status":"not-done","vaccineCode":{"text":"MMR"},"statusReason":{"coding":[{"code":"PATOBJ"}]}}"#;
    let root = with(&[given, refused]);
    let all = root.with_template(".4.52");
    let negated: Vec<_> = all.iter().map(|one| one.attribute("negationInd")).collect();
    assert_eq!(negated, [Some("false"), Some("true")]);
    assert_eq!(all[0].named("lotNumberText")[0].text(), "AB1");
    assert_eq!(all[1].of("effectiveTime", "nullFlavor"), Some("UNK"));
    assert_eq!(root.only(".4.53").of("code", "code"), Some("PATOBJ"));
}

#[test]
fn procedures_have_performers_places_and_devices() {
    let device = r#"{"resourceType":"Device","id":"d","patient":{"reference":"Patient/1"},"type":{"text":"Pacemaker"},"udiCarrier":[{"carrierHRF":"(01)123"}]}"#;
    let place = r#"{"resourceType":"Location","id":"l","name":"Theatre"}"#;
    let procedure = r#"{"resourceType":"Procedure","id":"p","status":"completed","code":{"coding":[{"system":"http://snomed.info/sct","code":"80146002"}]},
        "performedPeriod":{"start":"2018-02-15T10:00:00Z","end":"2018-02-15T11:00:00Z"},"performer":[{"actor":{"display":"Dr. Field"}}],
        "location":{"reference":"Location/l"},"focalDevice":[{"manipulated":{"reference":"Device/d"}}]}"#;
    let root = with(&[device, place, procedure]);
    let section = root.section("47519-4").expect("procedures");
    let procedure = section.only(".4.14");
    assert_eq!(procedure.of("code", "code"), Some("80146002"));
    assert!(procedure.named("assignedPerson")[0].text().contains("Dr. Field"));
    assert!(section.only(".4.32").text().contains("Theatre"));
    assert_eq!(section.only(".4.37").of("id", "extension"), Some("(01)123"));
    assert_eq!(root.section("46264-8").expect("devices").with_template(".4.37").len(), 1);
}

#[test]
fn the_plan_has_plans_orders_appointments_and_planned_medication() {
    let root = with(&[
        r#"{"resourceType":"CarePlan","id":"c","status":"active","category":[{"text":"Self care"}],"activity":[{"detail":{"code":{"text":"Walking"}}}]}"#,
        r#"{"resourceType":"ServiceRequest","id":"s","status":"active","intent":"order","code":{"text":"X-ray"},"occurrenceDateTime":"2026-06-01"}"#,
        r#"{"resourceType":"ServiceRequest","id":"t","status":"revoked","intent":"order","code":{"text":"Cancelled"}}"#,
        r#"{"resourceType":"Appointment","id":"a","status":"booked","description":"Follow-up","start":"2026-06-01T10:00:00Z"}"#,
        r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"plan","medicationCodeableConcept":{"text":"Statin"}}"#,
    ]);
    let plan = root.section("18776-5").expect("a plan");
    let text = plan.text();
    for word in ["Self care", "Walking", "X-ray", "Follow-up", "Statin"] {
        assert!(text.contains(word), "{word}");
    }
    assert!(!text.contains("Cancelled"));
    let counts = [".4.41", ".4.39", ".4.40", ".4.42"].map(|template| plan.with_template(template).len());
    assert_eq!(counts, [2, 1, 1, 1]);
    assert_eq!(root.section("10160-0").expect("medications").attribute("nullFlavor"), Some("NI"));
}

#[test]
fn goals_teams_insurance_family_and_directives_have_sections() {
    let root = with(&[
        r#"{"resourceType":"Goal","id":"g","lifecycleStatus":"active","description":{"text":"Lose weight"},"startDate":"2020-01-10"}"#,
        r#"{"resourceType":"CareTeam","id":"t","status":"active","name":"Heart team","participant":[{"member":{"display":"Ada Field"}}]}"#,
        r#"{"resourceType":"Coverage","id":"c","status":"active","payor":[{"display":"Acme"}],"subscriberId":"88"}"#,
        r#"{"resourceType":"FamilyMemberHistory","id":"f","status":"completed","relationship":{"coding":[{"system":"http://hl7.org/fhir/v3/RoleCode","code":"FTH"}]},"condition":[{"code":{"text":"Gout"},"onsetAge":{"value":50,"unit":"years"}}]}"#,
        r#"{"resourceType":"DocumentReference","id":"d","status":"current","type":{"coding":[{"system":"http://loinc.org","code":"42348-3"}]},"content":[{"attachment":{"title":"will"}}]}"#,
        r#"{"resourceType":"Condition","id":"h","category":[{"coding":[{"code":"health-concern"}]}],"code":{"text":"Lives alone"}}"#,
    ]);
    assert_eq!(root.only(".4.121").attribute("moodCode"), Some("GOL"));
    assert!(root.only(".4.500.1").text().contains("Ada Field"));
    assert_eq!(root.only(".4.89").named("id")[0].attribute("extension"), Some("88"));
    assert_eq!(root.only(".4.45").named("relatedSubject")[0].of("code", "code"), Some("FTH"));
    assert_eq!(root.only(".4.31").of("value", "value"), Some("50"));
    assert!(root.only(".4.48").named("externalDocument").len() == 1);
    assert_eq!(root.only(".4.132").with_template(".4.4").len(), 1);
}

#[test]
fn a_note_is_shown_as_text_or_carried_as_it_is() {
    let text = r#"{"resourceType":"DocumentReference","id":"t","status":"current","type":{"coding":[{"system":"http://loinc.org","code":"11506-3"}]},"date":"2020-01-10T10:30:00Z","content":[{"attachment":{"contentType":"text/plain","data":"RG9pbmcgZmluZS4="}}]}"#;
    let scan = r#"{"resourceType":"DocumentReference","id":"s","status":"current","type":{"text":"Scan"},"content":[{"attachment":{"contentType":"application/pdf","data":"JVBERi0="}}]}"#;
    let old = r#"{"resourceType":"DocumentReference","id":"o","status":"superseded","type":{"text":"Old"}}"#;
    let root = with(&[text, scan, old]);
    let section = root.section("34109-9").expect("notes");
    let notes = section.with_template(".4.202");
    assert_eq!(notes.len(), 2);
    assert!(section.child("text").expect("a text").text().contains("Doing fine."));
    let carried = notes[1].child("text").expect("a text");
    assert_eq!(
        (carried.attribute("mediaType"), carried.own_text.as_str()),
        (Some("application/pdf"), "JVBERi0=")
    );
    assert!(notes.iter().all(|note| note.child("author").is_some()));
}

#[test]
fn who_wrote_is_told_in_full_once() {
    let doctor = r#"{"resourceType":"Practitioner","id":"d","name":[{"family":"Field","given":["Ada"]}]}"#;
    let condition = r#"{"resourceType":"Condition","id":"c","code":{"text":"x"},"recordedDate":"2020-01-01","recorder":{"reference":"Practitioner/d"}}"#;
    let root = with(&[doctor, condition]);
    let authors: Vec<&Element> = root.section("11450-4").expect("problems").named("assignedAuthor");
    let names = authors.iter().filter(|author| author.text().contains("Field")).count();
    assert_eq!((authors.len(), names), (2, 1));
}

#[test]
fn provenance_tells_who_wrote_what_does_not_say_so_itself() {
    let procedure = r#"{"resourceType":"Procedure","id":"p","status":"completed","code":{"text":"x"}}"#;
    let provenance = r#"{"resourceType":"Provenance","id":"v","target":[{"reference":"Procedure/p"}],"recorded":"2018-02-16T00:00:00Z","agent":[{"who":{"display":"Ada Field"}}]}"#;
    let section = with(&[procedure, provenance]);
    let author = section.section("47519-4").expect("procedures").named("author")[0].clone();
    assert_eq!(author.of("time", "value"), Some("20180216000000+0000"));
    assert!(author.text().contains("Ada Field"));
}

#[test]
fn resources_of_every_version_say_the_same() {
    let dstu2 = r#"{"resourceType":"MedicationOrder","id":"m","status":"active","dateWritten":"2020-01-10","medicationCodeableConcept":{"text":"Aspirin"},"dosageInstruction":[{"text":"daily","doseQuantity":{"value":1}}]}"#;
    let stu3 = r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","authoredOn":"2020-01-10","medicationCodeableConcept":{"text":"Aspirin"},"dosageInstruction":[{"text":"daily","doseQuantity":{"value":1}}]}"#;
    let r4 = r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","authoredOn":"2020-01-10","medicationCodeableConcept":{"text":"Aspirin"},"dosageInstruction":[{"text":"daily","doseAndRate":[{"doseQuantity":{"value":1}}]}]}"#;
    let r5 = r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","authoredOn":"2020-01-10","medication":{"concept":{"text":"Aspirin"}},"dosageInstruction":[{"text":"daily","doseAndRate":[{"doseQuantity":{"value":1}}]}]}"#;
    let patient = node(crate::support::PATIENT);
    let of = |text: &str| {
        written(&[patient.clone(), node(&text.replace("MedicationOrder", "MedicationRequest"))], request())
    };
    let expected = of(r4);
    for text in [dstu2, stu3, r5] {
        assert_eq!(of(text), expected, "{text}");
    }
    let older = with(&[dstu2]);
    assert!(older.section("10160-0").expect("medications").text().contains("Aspirin"));
}

#[test]
fn the_first_piece_is_there_before_the_last_section_is_made() {
    let mut builder = FactsBuilder::new();
    builder.add(&node(crate::support::PATIENT));
    let mut document = charta_ccd::Document::new(builder.finish(), request());
    let first = document.next().expect("a header");
    assert!(first.contains("<recordTarget>") && !first.contains("<section"));
    assert_eq!(document.by_ref().count(), 7);
    assert!(document.next().is_none());
}

#[test]
fn pregnancy_and_occupation_have_statements_of_their_own() {
    let pregnant = r#"{"resourceType":"Observation","id":"p","status":"final","category":[{"coding":[{"code":"social-history"}]}],"effectiveDateTime":"2020-01-10",
        "code":{"coding":[{"system":"http://loinc.org","code":"82810-3"}]},"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"60001007"}]}}"#;
    let work = r#"{"resourceType":"Observation","id":"w","status":"final","category":[{"coding":[{"code":"social-history"}]}],"effectivePeriod":{"start":"2010"},
        "code":{"coding":[{"system":"http://loinc.org","code":"11341-5"}]},"valueCodeableConcept":{"text":"Teacher"}}"#;
    let root = with(&[pregnant, work]);
    let social = root.section("29762-2").expect("social history");
    let asserted =
        social.named("observation").into_iter().find(|one| one.of("code", "code") == Some("ASSERTION"));
    let asserted = asserted.expect("a pregnancy status");
    assert_eq!(asserted.of("value", "code"), Some("60001007"));
    assert_eq!(asserted.named("translation")[0].attribute("code"), Some("82810-3"));
    assert_eq!(root.only(".4.503").named("low")[0].attribute("value"), Some("2010"));
}
