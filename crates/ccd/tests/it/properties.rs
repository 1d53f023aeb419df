//! Any part of a record, with anything in it, for any time: the document keeps to the rules.

use std::borrow::Cow;

use charta_ccd::Request;
use charta_fhir::Node;
use proptest::prelude::*;

use crate::support::{Element, PATIENT, faults, moment, node, request, written};

/// One resource of every kind that a document tells of, with most of the elements that matter.
pub(crate) fn everything() -> Vec<&'static str> {
    vec![
        PATIENT,
        r#"{"resourceType":"Practitioner","id":"d","name":[{"family":"Field","given":["Ada"]}],"identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"1234567893"}],"telecom":[{"system":"phone","value":"+1 617 555 0100","use":"work"}],"address":[{"line":["1 Main St"],"city":"Boston","state":"MA","postalCode":"02115"}]}"#,
        r#"{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/d"},"organization":{"reference":"Organization/o"},"specialty":[{"coding":[{"system":"http://nucc.org/provider-taxonomy","code":"207Q00000X","display":"Family Medicine"}]}]}"#,
        r#"{"resourceType":"Organization","id":"o","name":"Example Clinic","telecom":[{"system":"phone","value":"1"}]}"#,
        r#"{"resourceType":"Location","id":"l","name":"Ward 1","type":[{"coding":[{"system":"https://www.cdc.gov/nhsn/cdaportal/terminology/codesystem/hsloc.html","code":"1117-1","display":"Family Medicine Clinic"}]}]}"#,
        r#"{"resourceType":"RelatedPerson","id":"w","patient":{"reference":"Patient/1"},"name":[{"family":"B","given":["Boris"]}],"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleCode","code":"HUSB","display":"husband"}]}]}"#,
        r#"{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":{"coding":[{"code":"active"}]},"verificationStatus":{"coding":[{"code":"confirmed"}]},"type":"allergy","category":["environment"],"criticality":"high","code":{"coding":[{"system":"http://snomed.info/sct","code":"111088007","display":"Latex"}]},"onsetDateTime":"2015-03","recordedDate":"2015-03-01","recorder":{"reference":"Practitioner/d"},"reaction":[{"manifestation":[{"coding":[{"system":"http://snomed.info/sct","code":"247472004","display":"Wheal"}]}],"severity":"moderate"}],"note":[{"text":"gloves"}]}"#,
        r#"{"resourceType":"AllergyIntolerance","id":"b","clinicalStatus":{"coding":[{"code":"resolved"}]},"code":{"text":"milk"},"type":"intolerance","category":["food"]}"#,
        r#"{"resourceType":"Condition","id":"c","clinicalStatus":{"coding":[{"code":"active"}]},"category":[{"coding":[{"code":"problem-list-item"}]}],"severity":{"coding":[{"system":"http://snomed.info/sct","code":"24484000"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"59621000","display":"Essential hypertension"},{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"I10","display":"Hypertension"}],"text":"High blood pressure"},"bodySite":[{"text":"arteries"}],"onsetAge":{"value":40,"unit":"years","code":"a","system":"http://unitsofmeasure.org"},"recordedDate":"2019-12-03","asserter":{"reference":"Practitioner/d"},"note":[{"text":"watch"}]}"#,
        r#"{"resourceType":"Condition","id":"x","clinicalStatus":{"coding":[{"code":"resolved"}]},"category":[{"coding":[{"code":"encounter-diagnosis"}]}],"code":{"coding":[{"system":"http://snomed.info/sct","code":"444814009","display":"Viral sinusitis"}]},"onsetDateTime":"2020-01-10T10:00:00-05:00","abatementDateTime":"2020-01-20","encounter":{"reference":"Encounter/e"}}"#,
        r#"{"resourceType":"Condition","id":"h","clinicalStatus":{"coding":[{"code":"active"}]},"category":[{"coding":[{"code":"health-concern"}]}],"code":{"text":"Lives alone"},"onsetDateTime":"2018"}"#,
        r#"{"resourceType":"Condition","id":"y","verificationStatus":{"coding":[{"code":"refuted"}]},"code":{"text":"Diabetes"}}"#,
        r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"314076","display":"lisinopril 10 MG Oral Tablet"}]}}"#,
        r#"{"resourceType":"MedicationRequest","id":"q","status":"active","intent":"order","medicationReference":{"reference":"Medication/m"},"encounter":{"reference":"Encounter/e"},"authoredOn":"2020-01-10","requester":{"reference":"PractitionerRole/r"},"reasonReference":[{"reference":"Condition/c"}],"dosageInstruction":[{"text":"1 tablet daily","patientInstruction":"with water","asNeededBoolean":true,"route":{"coding":[{"system":"http://snomed.info/sct","code":"26643006","display":"Oral route"}]},"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"}},"doseAndRate":[{"doseQuantity":{"value":1}}],"maxDosePerPeriod":{"numerator":{"value":2},"denominator":{"value":1,"code":"d","system":"http://unitsofmeasure.org"}}}],"dispenseRequest":{"numberOfRepeatsAllowed":2,"quantity":{"value":30,"unit":"tablets"}},"note":[{"text":"review"}]}"#,
        r#"{"resourceType":"MedicationStatement","id":"s","status":"active","medicationCodeableConcept":{"text":"Aspirin"},"effectivePeriod":{"start":"2019"},"dosage":[{"doseAndRate":[{"doseRange":{"low":{"value":1},"high":{"value":2}}}],"timing":{"repeat":{"when":["HS"]}}}]}"#,
        r#"{"resourceType":"MedicationRequest","id":"z","status":"draft","intent":"plan","medicationCodeableConcept":{"text":"Statin"}}"#,
        r#"{"resourceType":"MedicationAdministration","id":"g","status":"completed","medicationReference":{"reference":"Medication/m"},"context":{"reference":"Encounter/e"},"effectiveDateTime":"2020-01-10T10:20:00-05:00"}"#,
        r#"{"resourceType":"MedicationAdministration","id":"g2","status":"completed","medicationCodeableConcept":{"text":"Saline"},"effectiveDateTime":"2020-01-10T10:20:00-05:00","dosage":{"dose":{"value":500,"unit":"mL","code":"mL","system":"http://unitsofmeasure.org"},"rateQuantity":{"value":100,"unit":"mL/h","code":"mL/h","system":"http://unitsofmeasure.org"}}}"#,
        r#"{"resourceType":"MedicationDispense","id":"p","status":"completed","authorizingPrescription":[{"reference":"MedicationRequest/q"}],"medicationReference":{"reference":"Medication/m"},"quantity":{"value":30,"unit":"tablets"},"whenHandedOver":"2020-01-11","performer":[{"actor":{"reference":"Organization/o"}}]}"#,
        r#"{"resourceType":"MedicationDispense","id":"p2","status":"completed","medicationCodeableConcept":{"text":"Inhaler"},"quantity":{"value":1},"whenHandedOver":"2020-01-12"}"#,
        r#"{"resourceType":"Observation","id":"v","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure"}]},"effectiveDateTime":"2020-01-10T10:05:00-05:00","encounter":{"reference":"Encounter/e"},"performer":[{"reference":"Practitioner/d"}],"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic"}]},"valueQuantity":{"value":128,"unit":"mmHg","code":"mm[Hg]","system":"http://unitsofmeasure.org"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4","display":"Diastolic"}]},"dataAbsentReason":{"coding":[{"code":"not-performed"}]}}]}"#,
        r#"{"resourceType":"Observation","id":"v2","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8310-5","display":"Temperature"}]},"effectiveDateTime":"2020-01-10T10:05:00-05:00","encounter":{"reference":"Encounter/e"},"valueQuantity":{"value":98.6,"unit":"degF"}}"#,
        r#"{"resourceType":"Specimen","id":"sp","type":{"coding":[{"system":"http://snomed.info/sct","code":"119364003","display":"Serum"}]},"collection":{"collectedDateTime":"2020-01-10T09:00:00Z","bodySite":{"coding":[{"system":"http://snomed.info/sct","code":"14975008","display":"Forearm"}]}},"condition":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0493","code":"HEM","display":"Hemolyzed"}]}]}"#,
        r#"{"resourceType":"DiagnosticReport","id":"dr","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"51990-0","display":"Basic metabolic panel"}]},"effectiveDateTime":"2020-01-10T10:15:00-05:00","result":[{"reference":"Observation/k"},{"reference":"Observation/k2"}],"specimen":[{"reference":"Specimen/sp"}],"conclusion":"low potassium","performer":[{"reference":"Organization/o"}],"issued":"2020-01-10T12:00:00Z"}"#,
        r#"{"resourceType":"DiagnosticReport","id":"dn","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"18748-4","display":"Imaging"}]},"effectiveDateTime":"2020-01-10","conclusion":"nothing seen"}"#,
        r#"{"resourceType":"Observation","id":"k","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2823-3","display":"Potassium"}]},"effectiveDateTime":"2020-01-10T10:15:00-05:00","valueQuantity":{"value":2.5,"comparator":"<","unit":"mmol/L","code":"mmol/L","system":"http://unitsofmeasure.org"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"L"}]}],"referenceRange":[{"low":{"value":3.5,"unit":"mmol/L"},"high":{"value":5,"unit":"mmol/L"}}]}"#,
        r#"{"resourceType":"Observation","id":"k2","status":"preliminary","code":{"text":"Titre"},"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}}"#,
        r#"{"resourceType":"Observation","id":"k3","status":"final","code":{"text":"Alone"},"valueRange":{"low":{"value":1}},"effectivePeriod":{"start":"2020-01-01","end":"2020-01-02"}}"#,
        r#"{"resourceType":"Observation","id":"k4","status":"final","code":{"text":"Colony count"},"valueInteger":7,"issued":"2020-01-01T00:00:00Z"}"#,
        r#"{"resourceType":"Observation","id":"k5","status":"final","code":{"text":"Asked"},"valueBoolean":true}"#,
        r#"{"resourceType":"Observation","id":"sm","status":"final","category":[{"coding":[{"code":"social-history"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"72166-2","display":"Smoking"}]},"effectiveDateTime":"2020-01-10","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"8517006","display":"Ex-smoker"}]}}"#,
        r#"{"resourceType":"Observation","id":"su","status":"final","category":[{"coding":[{"code":"survey"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"44249-1","display":"PHQ-9"}]},"effectiveDateTime":"2020-01-10","hasMember":[{"reference":"Observation/si"}]}"#,
        r#"{"resourceType":"Observation","id":"si","status":"final","category":[{"coding":[{"code":"survey"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"44250-9","display":"Little interest"}]},"effectiveDateTime":"2020-01-10","valueCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"LA6568-5","display":"Not at all"}]}}"#,
        r#"{"resourceType":"Observation","id":"fs","status":"final","category":[{"coding":[{"code":"functional-status"}]}],"code":{"text":"Walks"},"valueString":"with a stick"}"#,
        r#"{"resourceType":"Observation","id":"cs","status":"final","category":[{"coding":[{"code":"cognitive-status"}]}],"code":{"text":"Memory"},"valueString":"good"}"#,
        r#"{"resourceType":"Procedure","id":"pr","status":"completed","code":{"coding":[{"system":"http://snomed.info/sct","code":"80146002","display":"Appendectomy"}]},"performedDateTime":"2018-02-15","performer":[{"actor":{"reference":"Practitioner/d"}}],"location":{"reference":"Location/l"},"focalDevice":[{"manipulated":{"reference":"Device/dv"}}],"reasonCode":[{"text":"pain"}]}"#,
        r#"{"resourceType":"Procedure","id":"pn","status":"not-done","code":{"text":"Colonoscopy"}}"#,
        r#"{"resourceType":"Immunization","id":"im","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]},"occurrenceDateTime":"2019-10-15","lotNumber":"AB1234","doseQuantity":{"value":0.5,"unit":"mL"},"performer":[{"actor":{"reference":"Practitioner/d"}}],"protocolApplied":[{"doseNumberPositiveInt":2}]}"#,
        r#"{"resourceType":"Immunization","id":"in","status":"not-done","vaccineCode":{"text":"MMR"},"occurrenceString":"as a child","statusReason":{"coding":[{"code":"PATOBJ"}]}}"#,
        r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"type":[{"coding":[{"system":"http://www.ama-assn.org/go/cpt","code":"99213","display":"Office visit"}]}],"period":{"start":"2020-01-10T10:00:00-05:00","end":"2020-01-10T10:30:00-05:00"},"participant":[{"individual":{"reference":"Practitioner/d"}}],"location":[{"location":{"reference":"Location/l"}}],"diagnosis":[{"condition":{"reference":"Condition/c"}}],"reasonCode":[{"text":"cough"}],"hospitalization":{"dischargeDisposition":{"coding":[{"system":"https://www.nubc.org/CodeSystem/PatDischargeStatus","code":"01","display":"Home"}]}}}"#,
        r#"{"resourceType":"Encounter","id":"e2","status":"planned","type":[{"text":"Check"}],"period":{"start":"2027-01-01"}}"#,
        r#"{"resourceType":"CarePlan","id":"cp","status":"active","intent":"plan","category":[{"text":"Self care"}],"text":{"status":"generated","div":"<div><p>Walk daily</p></div>"},"period":{"start":"2020-01-01"},"activity":[{"detail":{"status":"in-progress","code":{"text":"Walking"}}}],"addresses":[{"reference":"Condition/c"}]}"#,
        r#"{"resourceType":"ServiceRequest","id":"sr","status":"active","intent":"order","category":[{"coding":[{"system":"http://snomed.info/sct","code":"108252007"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"2345-7","display":"Glucose"}]},"occurrenceDateTime":"2026-06-01","authoredOn":"2020-01-10","requester":{"reference":"Practitioner/d"}}"#,
        r#"{"resourceType":"Appointment","id":"ap","status":"booked","description":"Follow-up","start":"2026-06-01T10:00:00Z","end":"2026-06-01T10:30:00Z","participant":[{"actor":{"reference":"Practitioner/d"}}]}"#,
        r#"{"resourceType":"Goal","id":"go","lifecycleStatus":"active","description":{"text":"Pressure below 130/80"},"startDate":"2020-01-10","target":[{"measure":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure"}]},"detailString":"below 130/80","dueDate":"2021-01-01"}],"expressedBy":{"reference":"Patient/1"},"addresses":[{"reference":"Condition/c"}]}"#,
        r#"{"resourceType":"CareTeam","id":"ct","status":"active","name":"Heart team","period":{"start":"2018-01-01"},"participant":[{"role":[{"text":"Doctor"}],"member":{"reference":"Practitioner/d"}},{"member":{"reference":"Patient/1"}},{"member":{"reference":"Organization/o"}}]}"#,
        r#"{"resourceType":"CareTeam","id":"c0","status":"inactive"}"#,
        r#"{"resourceType":"Device","id":"dv","patient":{"reference":"Patient/1"},"status":"active","type":{"coding":[{"system":"http://snomed.info/sct","code":"72506001","display":"Defibrillator"}]},"udiCarrier":[{"deviceIdentifier":"30974025164959","carrierHRF":"(01)30974025164959(10)66"}],"lotNumber":"66","serialNumber":"47","manufactureDate":"2003-06-27","expirationDate":"2028-07-11","manufacturer":"ACME"}"#,
        r#"{"resourceType":"Device","id":"d2","patient":{"reference":"Patient/1"},"type":{"text":"Cane"}}"#,
        r#"{"resourceType":"Coverage","id":"co","status":"active","type":{"coding":[{"system":"https://nahdo.org/sopt","code":"3712","display":"PPO"}]},"subscriberId":"888","beneficiary":{"reference":"Patient/1"},"relationship":{"coding":[{"code":"spouse"}]},"subscriber":{"reference":"RelatedPerson/w"},"payor":[{"reference":"Organization/o"}],"period":{"start":"2020-01-01"}}"#,
        r#"{"resourceType":"FamilyMemberHistory","id":"fh","status":"completed","patient":{"reference":"Patient/1"},"relationship":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleCode","code":"FTH","display":"father"}]},"sex":{"coding":[{"code":"male"}]},"bornDate":"1940","deceasedDate":"1990-01-01","condition":[{"code":{"coding":[{"system":"http://snomed.info/sct","code":"44054006","display":"Diabetes mellitus type 2"}]},"onsetAge":{"value":50,"code":"a"},"contributedToDeath":true}]}"#,
        r#"{"resourceType":"DocumentReference","id":"ad","status":"current","type":{"coding":[{"system":"http://loinc.org","code":"42348-3","display":"Advance directives"}]},"date":"2020-01-01T00:00:00Z","author":[{"reference":"Practitioner/d"}],"content":[{"attachment":{"contentType":"application/pdf","title":"will","url":"Binary/x"}}]}"#,
        r#"{"resourceType":"Consent","id":"cn","status":"active","category":[{"coding":[{"code":"acd"}]}],"dateTime":"2020-01-01","verification":[{"verified":true,"verifiedWith":{"reference":"Practitioner/d"},"verificationDate":"2020-01-02"}]}"#,
        r#"{"resourceType":"DocumentReference","id":"nt","status":"current","type":{"coding":[{"system":"http://loinc.org","code":"11506-3","display":"Progress note"}]},"date":"2020-01-10T10:30:00Z","author":[{"reference":"Practitioner/d"}],"context":{"encounter":[{"reference":"Encounter/e"}]},"content":[{"attachment":{"contentType":"text/plain","data":"RG9pbmcgZmluZS4="}}]}"#,
        r#"{"resourceType":"DocumentReference","id":"np","status":"current","type":{"text":"Scan"},"content":[{"attachment":{"contentType":"application/pdf","data":"JVBERi0="}}]}"#,
        r#"{"resourceType":"ClinicalImpression","id":"ci","status":"completed","description":"seen for cough","summary":"Viral infection, no sign of pneumonia","effectiveDateTime":"2020-01-10T10:20:00-05:00","assessor":{"reference":"Practitioner/d"},"encounter":{"reference":"Encounter/e"},"finding":[{"itemCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"49727002","display":"Cough"}]}},{"itemReference":{"reference":"Condition/x"}}],"prognosisCodeableConcept":[{"text":"good"}],"note":[{"text":"come back if worse"}]}"#,
        r#"{"resourceType":"ServiceRequest","id":"rf","status":"active","intent":"order","category":[{"coding":[{"system":"http://snomed.info/sct","code":"3457005","display":"Patient referral"}]}],"code":{"coding":[{"system":"http://snomed.info/sct","code":"183519002","display":"Referral to cardiology service"}]},"authoredOn":"2020-01-10","requester":{"reference":"Practitioner/d"},"performer":[{"reference":"Organization/o"}],"reasonCode":[{"text":"murmur"}],"reasonReference":[{"reference":"Condition/c"}],"note":[{"text":"not urgent"}]}"#,
        r#"{"resourceType":"CarePlan","id":"ci2","status":"active","intent":"plan","category":[{"text":"Physiotherapy"}],"goal":[{"reference":"Goal/go"}],"activity":[{"outcomeCodeableConcept":[{"text":"walks alone"}],"detail":{"status":"completed","code":{"coding":[{"system":"http://snomed.info/sct","code":"229065009","display":"Exercise therapy"}]},"goal":[{"reference":"Goal/go"}],"scheduledPeriod":{"start":"2020-01-12","end":"2020-02-12"},"location":{"reference":"Location/l"}}},{"detail":{"status":"not-started","code":{"text":"Swimming"}}}]}"#,
        r#"{"resourceType":"Observation","id":"ns","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"75305-3","display":"Nutrition status"}]},"effectiveDateTime":"2020-01-10","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"248324001","display":"Well nourished"}]},"hasMember":[{"reference":"Observation/na"}],"performer":[{"reference":"Practitioner/d"}]}"#,
        r#"{"resourceType":"Observation","id":"na","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"75303-8","display":"Nutrition assessment"}]},"effectiveDateTime":"2020-01-10","valueString":"eats twice a day"}"#,
        r#"{"resourceType":"ImmunizationRecommendation","id":"ir","date":"2020-01-10","patient":{"reference":"Patient/1"},"recommendation":[{"vaccineCode":[{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]}],"targetDisease":{"text":"influenza"},"forecastStatus":{"coding":[{"code":"due"}],"text":"due"},"dateCriterion":[{"code":{"coding":[{"system":"http://loinc.org","code":"30981-5"}]},"value":"2020-09-01"},{"code":{"coding":[{"system":"http://loinc.org","code":"30980-7"}]},"value":"2020-10-01"}]}]}"#,
        r#"{"resourceType":"Observation","id":"tu","status":"final","category":[{"coding":[{"code":"social-history"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"11367-0"}],"text":"Tobacco use"},"effectiveDateTime":"2019-06-01","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"82302008","display":"Pipe smoker"}]}}"#,
        r#"{"resourceType":"Observation","id":"oc","status":"final","category":[{"coding":[{"code":"social-history"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"11341-5"}],"text":"Occupation"},"effectivePeriod":{"start":"2015-04-24"},"valueCodeableConcept":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/PHOccupationalDataForHealthODH","code":"31-1014.00.007136","display":"Nursing assistant"}]},"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"86188-0"}],"text":"Industry"},"valueCodeableConcept":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/PHOccupationalDataForHealthODH","code":"621610.008495","display":"Home nursing services"}]}}]}"#,
        r#"{"resourceType":"Observation","id":"sc","status":"final","category":[{"coding":[{"code":"functional-status"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"46484-2"}],"text":"Eating"},"effectiveDateTime":"2019-06-01","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"371153006","display":"Independent"}]}}"#,
        r#"{"resourceType":"Observation","id":"ds","status":"final","category":[{"coding":[{"code":"disability-status"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"89571-4"}],"text":"Disability"},"effectiveDateTime":"2019-06-01","valueCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"LA30122-8","display":"I do not have a disability"}]}}"#,
        r#"{"resourceType":"DeviceRequest","id":"dq","status":"active","intent":"order","subject":{"reference":"Patient/1"},"codeCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"58938008","display":"Wheelchair"}]},"authoredOn":"2020-01-10","occurrencePeriod":{"start":"2020-02-01"},"requester":{"reference":"Practitioner/d"},"reasonReference":[{"reference":"Condition/c"}],"note":[{"text":"narrow"}]}"#,
        r#"{"resourceType":"Coverage","id":"cg","status":"active","beneficiary":{"reference":"Patient/1"},"payor":[{"reference":"RelatedPerson/w"},{"reference":"Organization/o"}]}"#,
        r#"{"resourceType":"Provenance","id":"pv","target":[{"reference":"Procedure/pr"}],"recorded":"2018-02-16T00:00:00Z","agent":[{"type":{"coding":[{"code":"author"}]},"who":{"reference":"Practitioner/d"}}]}"#,
    ]
}

#[test]
fn a_patient_with_one_of_everything_has_every_section() {
    let resources: Vec<Node> = everything().iter().map(|text| node(text)).collect();
    let root = Element::read(&written(&resources, request())).expect("well-formed");
    assert_eq!(faults(&root), Vec::<String>::new());
    let mut codes: Vec<String> = root
        .named("section")
        .iter()
        .filter_map(|section| section.of("code", "code").map(str::to_owned))
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            "10157-6", "10160-0", "10190-7", "11369-6", "11450-4", "18776-5", "29762-2", "30954-2",
            "34109-9", "42348-3", "42349-1", "46240-8", "46264-8", "47420-5", "47519-4", "48765-2",
            "48768-6", "51848-0", "61144-2", "61146-7", "62387-6", "75310-3", "85847-2", "8716-3"
        ]
    );
    assert!(root.named("section").iter().all(|section| section.attribute("nullFlavor").is_none()));
}

/// What stands in the place of values, and what nobody would expect there.
const ABSURD: [&str; 14] = [
    "",
    " ",
    "\u{1}\u{FFFE}",
    "]]></section>",
    "9999-99-99",
    "2020-02-30",
    "1e999999",
    "-0",
    "NaN",
    "urn:oid:",
    "urn:uuid:x",
    "é\u{202E}\u{10FFFF}",
    "http://example.org/ a",
    "entered-in-error",
];

/// Goes through the values of a tree and changes the one that `at` counts down to.
fn change(node: &mut Node, at: &mut usize, absurd: &str) {
    match node {
        Node::Object(members) => {
            for (name, value) in members.iter_mut().filter(|(name, _)| name != "resourceType" && name != "id")
            {
                if *at == 0 {
                    *at = usize::MAX;
                    match absurd {
                        "" => *name = Cow::Borrowed("gone"),
                        "-0" => *value = Node::Number("-0".into()),
                        other => *value = Node::text(other.to_owned()),
                    }
                    return;
                }
                *at -= usize::from(*at != usize::MAX);
                change(value, at, absurd);
                if *at == usize::MAX {
                    return;
                }
            }
        }
        Node::Array(items) => {
            for item in items {
                change(item, at, absurd);
                if *at == usize::MAX {
                    return;
                }
            }
        }
        _ => {}
    }
}

fn a_moment() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(vec![
        "1960-01-01T00:00:00Z",
        "2018-02-15T12:00:00-05:00",
        "2020-01-10T10:15:00-05:00",
        "2020-06-01T00:00:00+14:00",
        "2030-01-01T00:00:00Z",
    ]))
}

/// What is kept of [`everything`], what is changed in it, and what is asked for.
pub(crate) fn a_case() -> impl Strategy<Value = (Vec<Node>, Request)> {
    let changes = prop::collection::vec((0..80_usize, 0..60_usize, 0..ABSURD.len()), 0..12);
    let keep = prop::collection::vec(prop::bool::weighted(0.7), 80);
    (keep, changes, a_moment(), a_moment(), prop::bool::weighted(0.2)).prop_map(
        |(keep, changes, start, end, encounter)| {
            let mut resources: Vec<Node> = everything().iter().map(|text| node(text)).collect();
            for (which, at, absurd) in changes {
                let count = resources.len();
                change(&mut resources[which % count], &mut { at }, ABSURD[absurd]);
            }
            let mut kept = keep.into_iter();
            resources.retain(|_| kept.next().unwrap_or(true));
            let mut asked = request();
            asked.start = start.map(moment);
            asked.end = end.map(moment);
            asked.encounter = encounter.then(|| "Encounter/e".to_owned());
            (resources, asked)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_part_of_a_record_for_any_time((resources, asked) in a_case()) {
        let text = written(&resources, asked);
        let root = Element::read(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        let faults = faults(&root);
        prop_assert!(faults.is_empty(), "{faults:#?}");
    }
}
