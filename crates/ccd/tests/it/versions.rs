//! One record, told in the five versions of FHIR: the documents say the same, entry by entry and word by word.

use crate::support::{Element, document, request};

/// The same fact in DSTU2, STU3, R4 (and R4B), R5.
type Fact = [&'static str; 4];

const VERSIONS: [&str; 4] = ["DSTU2", "STU3", "R4", "R5"];

const ALLERGY: Fact = [
    r#"{"resourceType":"AllergyIntolerance","id":"a","status":"active","type":"allergy","category":"food","criticality":"CRITH","substance":{"text":"Nuts"},"onset":"2015-03","recordedDate":"2015-03-01","recorder":{"display":"Ada"},
        "reaction":[{"manifestation":[{"text":"Hives"}],"severity":"mild"}]}"#,
    r#"{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":"active","type":"allergy","category":["food"],"criticality":"high","code":{"text":"Nuts"},"onsetDateTime":"2015-03","assertedDate":"2015-03-01","recorder":{"display":"Ada"},
        "reaction":[{"manifestation":[{"text":"Hives"}],"severity":"mild"}]}"#,
    r#"{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":{"coding":[{"code":"active"}]},"type":"allergy","category":["food"],"criticality":"high","code":{"text":"Nuts"},"onsetDateTime":"2015-03","recordedDate":"2015-03-01","recorder":{"display":"Ada"},
        "reaction":[{"manifestation":[{"text":"Hives"}],"severity":"mild"}]}"#,
    r#"{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":{"coding":[{"code":"active"}]},"type":{"coding":[{"code":"allergy"}]},"category":["food"],"criticality":"high","code":{"text":"Nuts"},"onsetDateTime":"2015-03","recordedDate":"2015-03-01",
        "participant":[{"function":{"coding":[{"code":"author"}]},"actor":{"display":"Ada"}}],"reaction":[{"manifestation":[{"concept":{"text":"Hives"}}],"severity":"mild"}]}"#,
];

const CONDITION: Fact = [
    r#"{"resourceType":"Condition","id":"c","clinicalStatus":"active","verificationStatus":"confirmed","category":{"coding":[{"code":"problem-list-item"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"59621000","display":"Hypertension"}]},"onsetDateTime":"2019-01-02","dateRecorded":"2019-01-03"}"#,
    r#"{"resourceType":"Condition","id":"c","clinicalStatus":"active","verificationStatus":"confirmed","category":[{"coding":[{"code":"problem-list-item"}]}],"code":{"coding":[{"system":"http://snomed.info/sct","code":"59621000","display":"Hypertension"}]},"onsetDateTime":"2019-01-02","assertedDate":"2019-01-03"}"#,
    r#"{"resourceType":"Condition","id":"c","clinicalStatus":{"coding":[{"code":"active"}]},"verificationStatus":{"coding":[{"code":"confirmed"}]},"category":[{"coding":[{"code":"problem-list-item"}]}],"code":{"coding":[{"system":"http://snomed.info/sct","code":"59621000","display":"Hypertension"}]},"onsetDateTime":"2019-01-02","recordedDate":"2019-01-03"}"#,
    r#"{"resourceType":"Condition","id":"c","clinicalStatus":{"coding":[{"code":"active"}]},"verificationStatus":{"coding":[{"code":"confirmed"}]},"category":[{"coding":[{"code":"problem-list-item"}]}],"code":{"coding":[{"system":"http://snomed.info/sct","code":"59621000","display":"Hypertension"}]},"onsetDateTime":"2019-01-02","recordedDate":"2019-01-03"}"#,
];

const ORDER: Fact = [
    r#"{"resourceType":"MedicationOrder","id":"m","status":"active","dateWritten":"2020-01-10","prescriber":{"display":"Ada"},"medicationCodeableConcept":{"text":"Aspirin"},"reasonCodeableConcept":{"text":"pain"},
        "dosageInstruction":[{"text":"daily","doseQuantity":{"value":1},"timing":{"repeat":{"frequency":1,"period":1,"periodUnits":"d"}}}],"dispenseRequest":{"numberOfRepeatsAllowed":2,"quantity":{"value":30}},"note":"review"}"#,
    r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","authoredOn":"2020-01-10","requester":{"agent":{"display":"Ada"}},"medicationCodeableConcept":{"text":"Aspirin"},"reasonCode":[{"text":"pain"}],
        "dosageInstruction":[{"text":"daily","doseQuantity":{"value":1},"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}}],"dispenseRequest":{"numberOfRepeatsAllowed":2,"quantity":{"value":30}},"note":[{"text":"review"}]}"#,
    r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","authoredOn":"2020-01-10","requester":{"display":"Ada"},"medicationCodeableConcept":{"text":"Aspirin"},"reasonCode":[{"text":"pain"}],
        "dosageInstruction":[{"text":"daily","doseAndRate":[{"doseQuantity":{"value":1}}],"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}}],"dispenseRequest":{"numberOfRepeatsAllowed":2,"quantity":{"value":30}},"note":[{"text":"review"}]}"#,
    r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","authoredOn":"2020-01-10","requester":{"display":"Ada"},"medication":{"concept":{"text":"Aspirin"}},"reason":[{"concept":{"text":"pain"}}],
        "dosageInstruction":[{"text":"daily","doseAndRate":[{"doseQuantity":{"value":1}}],"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}}],"dispenseRequest":{"numberOfRepeatsAllowed":2,"quantity":{"value":30}},"note":[{"text":"review"}]}"#,
];

const IMMUNIZATION: Fact = [
    r#"{"resourceType":"Immunization","id":"i","status":"completed","wasNotGiven":false,"vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]},"date":"2019-10-15","lotNumber":"L1","performer":{"display":"Ada"},"vaccinationProtocol":[{"doseSequence":2}]}"#,
    r#"{"resourceType":"Immunization","id":"i","status":"completed","notGiven":false,"vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]},"date":"2019-10-15","lotNumber":"L1","practitioner":[{"actor":{"display":"Ada"}}],"vaccinationProtocol":[{"doseSequence":2}]}"#,
    r#"{"resourceType":"Immunization","id":"i","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]},"occurrenceDateTime":"2019-10-15","lotNumber":"L1","performer":[{"actor":{"display":"Ada"}}],"protocolApplied":[{"doseNumberPositiveInt":2}]}"#,
    r#"{"resourceType":"Immunization","id":"i","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]},"occurrenceDateTime":"2019-10-15","lotNumber":"L1","performer":[{"actor":{"display":"Ada"}}],"protocolApplied":[{"doseNumber":"2"}]}"#,
];

const PROCEDURE: Fact = [
    r#"{"resourceType":"Procedure","id":"p","status":"completed","code":{"text":"Appendectomy"},"performedDateTime":"2018-02-15","performer":[{"actor":{"display":"Ada"}}],"reasonCodeableConcept":{"text":"pain"}}"#,
    r#"{"resourceType":"Procedure","id":"p","status":"completed","code":{"text":"Appendectomy"},"performedDateTime":"2018-02-15","performer":[{"actor":{"display":"Ada"}}],"reasonCode":[{"text":"pain"}]}"#,
    r#"{"resourceType":"Procedure","id":"p","status":"completed","code":{"text":"Appendectomy"},"performedDateTime":"2018-02-15","performer":[{"actor":{"display":"Ada"}}],"reasonCode":[{"text":"pain"}]}"#,
    r#"{"resourceType":"Procedure","id":"p","status":"completed","code":{"text":"Appendectomy"},"occurrenceDateTime":"2018-02-15","performer":[{"actor":{"display":"Ada"}}],"reason":[{"concept":{"text":"pain"}}]}"#,
];

const ENCOUNTER: Fact = [
    r#"{"resourceType":"Encounter","id":"e","status":"finished","class":"ambulatory","type":[{"text":"Visit"}],"period":{"start":"2020-01-10T10:00:00Z","end":"2020-01-10T10:30:00Z"},"participant":[{"individual":{"display":"Ada"}}],"reason":[{"text":"cough"}]}"#,
    r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"system":"http://hl7.org/fhir/v3/ActCode","code":"AMB","display":"ambulatory"},"type":[{"text":"Visit"}],"period":{"start":"2020-01-10T10:00:00Z","end":"2020-01-10T10:30:00Z"},"participant":[{"individual":{"display":"Ada"}}],"reason":[{"text":"cough"}]}"#,
    r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"},"type":[{"text":"Visit"}],"period":{"start":"2020-01-10T10:00:00Z","end":"2020-01-10T10:30:00Z"},"participant":[{"individual":{"display":"Ada"}}],"reasonCode":[{"text":"cough"}]}"#,
    r#"{"resourceType":"Encounter","id":"e","status":"completed","class":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"}]}],"type":[{"text":"Visit"}],"actualPeriod":{"start":"2020-01-10T10:00:00Z","end":"2020-01-10T10:30:00Z"},"participant":[{"actor":{"display":"Ada"}}],"reason":[{"value":[{"concept":{"text":"cough"}}]}]}"#,
];

const PRESSURE: Fact = [
    r#"{"resourceType":"Observation","id":"v","status":"final","category":{"coding":[{"code":"vital-signs"}]},"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2020-01-10T10:05:00Z","encounter":{"reference":"Encounter/e"},
        "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"code":"mm[Hg]"}}]}"#,
    r#"{"resourceType":"Observation","id":"v","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2020-01-10T10:05:00Z","context":{"reference":"Encounter/e"},
        "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"code":"mm[Hg]"}}]}"#,
    r#"{"resourceType":"Observation","id":"v","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2020-01-10T10:05:00Z","encounter":{"reference":"Encounter/e"},
        "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"code":"mm[Hg]"}}]}"#,
    r#"{"resourceType":"Observation","id":"v","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2020-01-10T10:05:00Z","encounter":{"reference":"Encounter/e"},
        "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"code":"mm[Hg]"}}]}"#,
];

const RESULT: Fact = [
    r#"{"resourceType":"Observation","id":"r","status":"final","code":{"text":"Potassium"},"effectiveDateTime":"2020-01-10","valueQuantity":{"value":4.1,"code":"mmol/L"},"interpretation":{"coding":[{"system":"http://hl7.org/fhir/v2/0078","code":"N"}]},"comments":"fasting"}"#,
    r#"{"resourceType":"Observation","id":"r","status":"final","code":{"text":"Potassium"},"effectiveDateTime":"2020-01-10","valueQuantity":{"value":4.1,"code":"mmol/L"},"interpretation":{"coding":[{"system":"http://hl7.org/fhir/v2/0078","code":"N"}]},"comment":"fasting"}"#,
    r#"{"resourceType":"Observation","id":"r","status":"final","code":{"text":"Potassium"},"effectiveDateTime":"2020-01-10","valueQuantity":{"value":4.1,"code":"mmol/L"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N"}]}],"note":[{"text":"fasting"}]}"#,
    r#"{"resourceType":"Observation","id":"r","status":"final","code":{"text":"Potassium"},"effectiveDateTime":"2020-01-10","valueQuantity":{"value":4.1,"code":"mmol/L"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N"}]}],"note":[{"text":"fasting"}]}"#,
];

const PLAN: Fact = [
    r#"{"resourceType":"CarePlan","id":"k","status":"active","category":[{"text":"Care"}],"period":{"start":"2020-01-01"},"activity":[{"detail":{"status":"not-started","code":{"text":"Walking"}}}]}"#,
    r#"{"resourceType":"CarePlan","id":"k","status":"active","intent":"plan","category":[{"text":"Care"}],"period":{"start":"2020-01-01"},"activity":[{"detail":{"status":"not-started","code":{"text":"Walking"}}}]}"#,
    r#"{"resourceType":"CarePlan","id":"k","status":"active","intent":"plan","category":[{"text":"Care"}],"period":{"start":"2020-01-01"},"activity":[{"detail":{"status":"not-started","code":{"text":"Walking"}}}]}"#,
    r#"{"resourceType":"CarePlan","id":"k","status":"active","intent":"plan","category":[{"text":"Care"}],"period":{"start":"2020-01-01"},"activity":[{"detail":{"status":"not-started","code":{"text":"Walking"}}}]}"#,
];

const GOAL: Fact = [
    r#"{"resourceType":"Goal","id":"g","status":"in-progress","description":"Walk","startDate":"2020-01-01","targetDate":"2020-06-01"}"#,
    r#"{"resourceType":"Goal","id":"g","status":"in-progress","description":{"text":"Walk"},"startDate":"2020-01-01","target":{"dueDate":"2020-06-01"}}"#,
    r#"{"resourceType":"Goal","id":"g","lifecycleStatus":"in-progress","description":{"text":"Walk"},"startDate":"2020-01-01","target":[{"dueDate":"2020-06-01"}]}"#,
    r#"{"resourceType":"Goal","id":"g","lifecycleStatus":"in-progress","description":{"text":"Walk"},"startDate":"2020-01-01","target":[{"dueDate":"2020-06-01"}]}"#,
];

const REFERRAL: Fact = [
    r#"{"resourceType":"ReferralRequest","id":"o","status":"active","date":"2020-01-10","type":{"text":"Cardiology"},"requester":{"display":"Ada"},"recipient":[{"display":"Heart Clinic"}],"reason":{"text":"murmur"}}"#,
    r#"{"resourceType":"ReferralRequest","id":"o","status":"active","intent":"order","authoredOn":"2020-01-10","type":{"text":"Cardiology"},"requester":{"agent":{"display":"Ada"}},"recipient":[{"display":"Heart Clinic"}],"reasonCode":[{"text":"murmur"}]}"#,
    r#"{"resourceType":"ServiceRequest","id":"o","status":"active","intent":"order","authoredOn":"2020-01-10","category":[{"coding":[{"system":"http://snomed.info/sct","code":"3457005","display":"Patient referral"}]}],"code":{"text":"Cardiology"},"requester":{"display":"Ada"},"performer":[{"display":"Heart Clinic"}],"reasonCode":[{"text":"murmur"}]}"#,
    r#"{"resourceType":"ServiceRequest","id":"o","status":"active","intent":"order","authoredOn":"2020-01-10","category":[{"coding":[{"system":"http://snomed.info/sct","code":"3457005","display":"Patient referral"}]}],"code":{"concept":{"text":"Cardiology"}},"requester":{"display":"Ada"},"performer":[{"display":"Heart Clinic"}],"reason":[{"concept":{"text":"murmur"}}]}"#,
];

const NOTE: Fact = [
    r#"{"resourceType":"DocumentReference","id":"n","status":"current","type":{"text":"Progress note"},"created":"2020-01-10T10:30:00Z","author":[{"display":"Ada"}],"content":[{"attachment":{"contentType":"text/plain","data":"RG9pbmcgZmluZS4="}}]}"#,
    r#"{"resourceType":"DocumentReference","id":"n","status":"current","type":{"text":"Progress note"},"created":"2020-01-10T10:30:00Z","author":[{"display":"Ada"}],"content":[{"attachment":{"contentType":"text/plain","data":"RG9pbmcgZmluZS4="}}]}"#,
    r#"{"resourceType":"DocumentReference","id":"n","status":"current","type":{"text":"Progress note"},"date":"2020-01-10T10:30:00Z","author":[{"display":"Ada"}],"content":[{"attachment":{"contentType":"text/plain","data":"RG9pbmcgZmluZS4="}}]}"#,
    r#"{"resourceType":"DocumentReference","id":"n","status":"current","type":{"text":"Progress note"},"date":"2020-01-10T10:30:00Z","author":[{"display":"Ada"}],"content":[{"attachment":{"contentType":"text/plain","data":"RG9pbmcgZmluZS4="}}]}"#,
];

const RELATIVE: Fact = [
    r#"{"resourceType":"FamilyMemberHistory","id":"f","status":"completed","relationship":{"coding":[{"system":"http://hl7.org/fhir/v3/RoleCode","code":"FTH"}]},"gender":"male","condition":[{"code":{"text":"Diabetes"},"onsetQuantity":{"value":50,"code":"a"}}]}"#,
    r#"{"resourceType":"FamilyMemberHistory","id":"f","status":"completed","relationship":{"coding":[{"system":"http://hl7.org/fhir/v3/RoleCode","code":"FTH"}]},"gender":"male","condition":[{"code":{"text":"Diabetes"},"onsetAge":{"value":50,"code":"a"}}]}"#,
    r#"{"resourceType":"FamilyMemberHistory","id":"f","status":"completed","relationship":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleCode","code":"FTH"}]},"sex":{"coding":[{"code":"male"}]},"condition":[{"code":{"text":"Diabetes"},"onsetAge":{"value":50,"code":"a"}}]}"#,
    r#"{"resourceType":"FamilyMemberHistory","id":"f","status":"completed","relationship":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleCode","code":"FTH"}]},"sex":{"coding":[{"code":"male"}]},"condition":[{"code":{"text":"Diabetes"},"onsetAge":{"value":50,"code":"a"}}]}"#,
];

const COVERAGE: Fact = [
    r#"{"resourceType":"Coverage","id":"w","issuer":{"display":"Acme"},"subscriberId":{"value":"888"},"period":{"start":"2020-01-01"}}"#,
    r#"{"resourceType":"Coverage","id":"w","payor":[{"display":"Acme"}],"subscriberId":"888","period":{"start":"2020-01-01"}}"#,
    r#"{"resourceType":"Coverage","id":"w","payor":[{"display":"Acme"}],"subscriberId":"888","period":{"start":"2020-01-01"}}"#,
    r#"{"resourceType":"Coverage","id":"w","insurer":{"display":"Acme"},"subscriberId":[{"value":"888"}],"period":{"start":"2020-01-01"}}"#,
];

const FACTS: [Fact; 14] = [
    ALLERGY,
    CONDITION,
    ORDER,
    IMMUNIZATION,
    PROCEDURE,
    ENCOUNTER,
    PRESSURE,
    RESULT,
    PLAN,
    GOAL,
    REFERRAL,
    NOTE,
    RELATIVE,
    COVERAGE,
];

/// What an element says with all that stands in it, without the ids, which tell the name of a type as well.
fn said(element: &Element) -> String {
    let mut out = String::new();
    for one in element.all() {
        out.push_str(&one.name);
        let mut attributes: Vec<_> = one.attributes.iter().filter(|_| one.name != "id").collect();
        attributes.sort();
        attributes.iter().for_each(|(name, value)| out.push_str(&format!(" {name}={value}")));
        out.push('\n');
    }
    out + &element.text()
}

#[test]
fn a_fact_says_the_same_in_every_version() {
    let mut differences = Vec::new();
    for fact in FACTS {
        let documents = fact.map(|text| document(&[text], request()));
        let sections = documents[2].named("section");
        let told = sections.iter().filter(|one| one.attribute("nullFlavor").is_none()).count();
        assert!(told > 0, "no section tells of {}", fact[2]);
        for (version, root) in VERSIONS.iter().zip(&documents) {
            let same = difference(&said(&documents[2]), &said(root));
            differences.extend(same.map(|lines| format!("{version}: {lines} of {}", fact[2])));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

/// The first line by which two texts differ.
fn difference(expected: &str, found: &str) -> Option<String> {
    let mut lines = expected.lines().zip(found.lines());
    let line = lines.find(|(one, other)| one != other).map(|(one, other)| format!("{one:?} is {other:?}"));
    line.or_else(|| (expected.len() != found.len()).then(|| "one is longer".to_owned()))
}

#[test]
fn a_record_says_the_same_in_every_version() {
    let of = |at: usize| {
        let texts: Vec<&str> = FACTS.iter().map(|fact| fact[at]).collect();
        said(&document(&texts, request()))
    };
    for (at, version) in VERSIONS.iter().enumerate() {
        assert_eq!(difference(&of(2), &of(at)), None, "{version}");
    }
}
