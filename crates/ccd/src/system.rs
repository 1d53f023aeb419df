//! Code systems: what FHIR calls them, their OIDs, their names. What is not here has no OID for us.

use crate::id::is_oid;

pub(crate) const LOINC: &str = "2.16.840.1.113883.6.1";
pub(crate) const SNOMED: &str = "2.16.840.1.113883.6.96";
pub(crate) const RXNORM: &str = "2.16.840.1.113883.6.88";
pub(crate) const NDC: &str = "2.16.840.1.113883.6.69";
pub(crate) const UNII: &str = "2.16.840.1.113883.4.9";
pub(crate) const CVX: &str = "2.16.840.1.113883.12.292";
pub(crate) const ICD10CM: &str = "2.16.840.1.113883.6.90";
pub(crate) const ICD9CM: &str = "2.16.840.1.113883.6.103";
pub(crate) const ICD10PCS: &str = "2.16.840.1.113883.6.4";
pub(crate) const CPT: &str = "2.16.840.1.113883.6.12";
pub(crate) const HCPCS: &str = "2.16.840.1.113883.6.285";
pub(crate) const CDT: &str = "2.16.840.1.113883.6.13";
pub(crate) const NCIT: &str = "2.16.840.1.113883.3.26.1.1";
pub(crate) const NDFRT: &str = "2.16.840.1.113883.3.26.1.5";
pub(crate) const MEDRT: &str = "2.16.840.1.113883.6.345";
pub(crate) const RACE: &str = "2.16.840.1.113883.6.238";
pub(crate) const NUCC: &str = "2.16.840.1.113883.6.101";
pub(crate) const HSLOC: &str = "2.16.840.1.113883.6.259";
pub(crate) const PLACE_OF_SERVICE: &str = "2.16.840.1.113883.6.50";
pub(crate) const SOPT: &str = "2.16.840.1.113883.3.221.5";
pub(crate) const GENDER: &str = "2.16.840.1.113883.5.1";
pub(crate) const MARITAL: &str = "2.16.840.1.113883.5.2";
pub(crate) const ACT_CODE: &str = "2.16.840.1.113883.5.4";
pub(crate) const ACT_CLASS: &str = "2.16.840.1.113883.5.6";
pub(crate) const ACT_REASON: &str = "2.16.840.1.113883.5.8";
pub(crate) const CONFIDENTIALITY: &str = "2.16.840.1.113883.5.25";
pub(crate) const INTERPRETATION: &str = "2.16.840.1.113883.5.83";
pub(crate) const FUNCTION: &str = "2.16.840.1.113883.5.88";
pub(crate) const PARTICIPATION: &str = "2.16.840.1.113883.5.90";
pub(crate) const ROLE_CODE: &str = "2.16.840.1.113883.5.111";
pub(crate) const ROLE_CLASS: &str = "2.16.840.1.113883.5.110";
pub(crate) const RELIGION: &str = "2.16.840.1.113883.5.1076";
pub(crate) const OBSERVATION_VALUE: &str = "2.16.840.1.113883.5.1063";
pub(crate) const TRIBE: &str = "2.16.840.1.113883.5.140";
pub(crate) const DISCHARGE_NUBC: &str = "2.16.840.1.113883.6.301.5";
pub(crate) const DISCHARGE_V2: &str = "2.16.840.1.113883.12.112";
pub(crate) const PROVENANCE_PARTICIPANT: &str = "2.16.840.1.113883.4.642.4.1131";
/// FHIR's reasons for having no value. They stand beside a null flavor, never alone.
pub(crate) const DATA_ABSENT_REASON: &str = "2.16.840.1.113883.4.642.4.1048";
pub(crate) const ODH: &str = "2.16.840.1.114222.4.5.327";

/// OID, name, and the URIs by which records call it; the first is FHIR's, the others are seen in the wild.
const SYSTEMS: &[(&str, &str, &[&str])] = &[
    (LOINC, "LOINC", &["http://loinc.org"]),
    (SNOMED, "SNOMED CT", &["http://snomed.info/sct", "http://snomed.info"]),
    (RXNORM, "RxNorm", &["http://www.nlm.nih.gov/research/umls/rxnorm"]),
    (NDC, "NDC", &["http://hl7.org/fhir/sid/ndc"]),
    (UNII, "UNII", &["http://fdasis.nlm.nih.gov", "http://fda.gov/UNII", "https://fdasis.nlm.nih.gov"]),
    (
        CVX,
        "CVX",
        &[
            "http://hl7.org/fhir/sid/cvx",
            "http://www2a.cdc.gov/vaccines/IIS/IISStandards/vaccines.asp?rpt=cvx",
            "http://www2a.cdc.gov/vaccines/iis/iisstandards/vaccines.asp?rpt=cvx",
        ],
    ),
    (
        "2.16.840.1.113883.12.227",
        "MVX",
        &["http://hl7.org/fhir/sid/mvx", "http://terminology.hl7.org/CodeSystem/MVX"],
    ),
    (ICD10CM, "ICD-10-CM", &["http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"]),
    (ICD9CM, "ICD-9-CM", &["http://hl7.org/fhir/sid/icd-9-cm", "http://hl7.org/fhir/sid/icd-9-cm/diagnosis"]),
    ("2.16.840.1.113883.6.104", "ICD-9-CM Procedures", &["http://hl7.org/fhir/sid/icd-9-cm/procedure"]),
    (ICD10PCS, "ICD-10-PCS", &["http://www.cms.gov/Medicare/Coding/ICD10"]),
    (CPT, "CPT", &["http://www.ama-assn.org/go/cpt"]),
    (HCPCS, "HCPCS", &["http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"]),
    (CDT, "CDT", &["http://www.ada.org/cdt"]),
    (NDFRT, "NDF-RT", &["http://hl7.org/fhir/ndfrt", "http://rxnav.nlm.nih.gov/REST/Ndfrt"]),
    (MEDRT, "MED-RT", &["http://va.gov/terminology/medrt"]),
    (
        NCIT,
        "NCI Thesaurus",
        &["http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", "http://ncimeta.nci.nih.gov"],
    ),
    ("2.16.840.1.113883.6.8", "UCUM", &["http://unitsofmeasure.org"]),
    ("2.16.840.1.113883.6.24", "MDC", &["urn:iso:std:iso:11073:10101"]),
    (RACE, "CDC Race and Ethnicity", &["http://hl7.org/fhir/v3/Race", "http://hl7.org/fhir/v3/Ethnicity"]),
    (NUCC, "NUCC", &["http://nucc.org/provider-taxonomy"]),
    (HSLOC, "HSLOC", &["https://www.cdc.gov/nhsn/cdaportal/terminology/codesystem/hsloc.html"]),
    (
        PLACE_OF_SERVICE,
        "Place of Service",
        &["https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"],
    ),
    (
        DISCHARGE_NUBC,
        "NUBC",
        &["https://www.nubc.org/CodeSystem/PatDischargeStatus", "http://www.nubc.org/patient-discharge"],
    ),
    (DISCHARGE_V2, "Discharge Disposition", &["http://terminology.hl7.org/CodeSystem/v2-0112"]),
    (SOPT, "Source of Payment Typology", &["https://nahdo.org/sopt"]),
    (ODH, "ODH", &["http://terminology.hl7.org/CodeSystem/PHOccupationalDataForHealthODH"]),
    ("1.2.840.10008.2.16.4", "DICOM", &["http://dicom.nema.org/resources/ontology/DCM"]),
    (GENDER, "AdministrativeGender", &["v3-AdministrativeGender"]),
    (MARITAL, "MaritalStatus", &["v3-MaritalStatus"]),
    (ACT_CODE, "ActCode", &["v3-ActCode"]),
    (ACT_CLASS, "ActClass", &["v3-ActClass"]),
    ("2.16.840.1.113883.5.14", "ActStatus", &["v3-ActStatus"]),
    (ACT_REASON, "ActReason", &["v3-ActReason"]),
    (CONFIDENTIALITY, "Confidentiality", &["v3-Confidentiality"]),
    (INTERPRETATION, "ObservationInterpretation", &["v3-ObservationInterpretation"]),
    (FUNCTION, "ParticipationFunction", &["v3-ParticipationFunction"]),
    (PARTICIPATION, "ParticipationType", &["v3-ParticipationType"]),
    (ROLE_CODE, "RoleCode", &["v3-RoleCode"]),
    (ROLE_CLASS, "RoleClass", &["v3-RoleClass"]),
    (RELIGION, "ReligiousAffiliation", &["v3-ReligiousAffiliation"]),
    (OBSERVATION_VALUE, "ObservationValue", &["v3-ObservationValue"]),
    (TRIBE, "TribalEntityUS", &["v3-TribalEntityUS"]),
];

/// The OID of a code system, and its name if we know one.
pub(crate) fn code_system(uri: &str) -> Option<(&str, &'static str)> {
    let uri = uri.trim();
    if let Some(oid) = uri.strip_prefix("urn:oid:") {
        let name = SYSTEMS.iter().find(|(known, ..)| *known == oid).map_or("", |(_, name, _)| name);
        return is_oid(oid).then_some((oid, name));
    }
    // `v3-X` was `v3/X` until STU3.
    let terminology = uri.strip_prefix("http://terminology.hl7.org/CodeSystem/");
    let older = uri.strip_prefix("http://hl7.org/fhir/v3/").map(|name| format!("v3-{name}"));
    let uri = uri.trim_end_matches('/');
    let named =
        |known: &&str| *known == uri || terminology == Some(*known) || older.as_deref() == Some(*known);
    SYSTEMS.iter().find(|(.., uris)| uris.iter().any(named)).map(|(oid, name, _)| (*oid, *name))
}

/// The root of the identifiers of a system that has one.
pub(crate) fn identifier_root(uri: &str) -> Option<&'static str> {
    Some(match uri {
        "http://hl7.org/fhir/sid/us-ssn" => "2.16.840.1.113883.4.1",
        "http://hl7.org/fhir/sid/us-npi" => "2.16.840.1.113883.4.6",
        "http://hl7.org/fhir/sid/us-mbi" => "2.16.840.1.113883.4.927",
        "urn:oid:2.16.840.1.113883.4.4" => "2.16.840.1.113883.4.4",
        _ => return None,
    })
}

/// The name of a code system that we name ourselves.
pub(crate) fn name_of(oid: &str) -> &'static str {
    SYSTEMS.iter().find(|(known, ..)| *known == oid).map_or("", |(_, name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_every_name() {
        for (uri, oid) in [
            ("http://loinc.org", LOINC),
            ("http://loinc.org/", LOINC),
            ("http://terminology.hl7.org/CodeSystem/v3-RoleCode", ROLE_CODE),
            ("http://hl7.org/fhir/v3/RoleCode", ROLE_CODE),
            ("urn:oid:2.16.840.1.113883.6.238", RACE),
            ("urn:oid:1.2.3", "1.2.3"),
        ] {
            assert_eq!(code_system(uri).map(|(oid, _)| oid), Some(oid), "{uri}");
        }
    }

    #[test]
    fn no_oid_is_made_up() {
        for uri in [
            "http://example.org",
            "",
            "urn:oid:x",
            "urn:oid:3.1",
            "v3-RoleCode/x",
            "http://terminology.hl7.org/CodeSystem/",
        ] {
            assert_eq!(code_system(uri), None, "{uri}");
        }
    }
}
