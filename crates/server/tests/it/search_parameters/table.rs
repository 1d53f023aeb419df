//! The parameters, the versions that have them, a value of the resources in `resources.rs` and one that is not theirs.

/// A parameter.
pub struct Row {
    /// As it stands in a URL.
    pub name: &'static str,
    /// The versions that have it.
    pub versions: &'static [&'static str],
    /// A value that the resource has.
    pub matches: &'static str,
    /// A value of the same form that it does not have.
    pub misses: &'static str,
}

impl Row {
    /// Whether this version does not define the parameter and has it all the same: IHE MHD adds `creation` to R4.
    pub fn is_ours(&self, version: &str) -> bool {
        self.name == "creation" && version != "r5"
    }
}

const ALL: &[&str] = &["dstu2", "stu3", "r4", "r4b", "r5"];
const BEFORE_R5: &[&str] = &["dstu2", "stu3", "r4", "r4b"];
const BEFORE_R4: &[&str] = &["dstu2", "stu3"];
const FROM_STU3: &[&str] = &["stu3", "r4", "r4b", "r5"];
const FROM_R4: &[&str] = &["r4", "r4b", "r5"];
const R4_R4B: &[&str] = &["r4", "r4b"];
const R5: &[&str] = &["r5"];

const fn row(
    name: &'static str,
    versions: &'static [&'static str],
    matches: &'static str,
    misses: &'static str,
) -> Row {
    Row { name, versions, matches, misses }
}

pub const DOCUMENT_REFERENCE: &[Row] = &[
    row("patient", ALL, "p1", "p2"),
    row("patient", ALL, "Patient/p1", "Patient/p2"),
    row("subject", ALL, "Patient/p1", "Group/p1"),
    row("type", ALL, "http://t|type-1", "http://other|type-1"),
    row("class", BEFORE_R4, "class-1", "class-2"),
    row("category", FROM_R4, "http://c|class-1", "http://c|class-2"),
    row("author", ALL, "Practitioner/a1", "Practitioner/b1"),
    row("authenticator", BEFORE_R5, "Practitioner/b1", "Practitioner/a1"),
    row("attester", R5, "Practitioner/b1", "Practitioner/a1"),
    row("custodian", ALL, "Organization/c1", "Organization/c2"),
    row("indexed", BEFORE_R4, "ge2020-03-02", "lt2020-03-02"),
    row("date", FROM_R4, "2020-03-02", "2020-03-03"),
    row("created", BEFORE_R4, "2020-02-01", "2020-03-02"),
    row("creation", FROM_R4, "le2020-02-01", "gt2020-02-01"),
    row("description", ALL, "discharge", "summary"),
    row("status", ALL, "current", "superseded"),
    row("doc-status", R5, "final", "amended"),
    row("identifier", ALL, "http://ids|id-1", "http://ids|id-2"),
    row("identifier", ALL, "http://ids|master-1", "http://other|master-1"),
    row("encounter", BEFORE_R5, "Encounter/e1", "Encounter/e2"),
    row("context", R5, "Encounter/e1", "EpisodeOfCare/e1"),
    row("event", BEFORE_R5, "http://e|event-1", "http://e|event-2"),
    row("event-code", R5, "http://e|event-1", "http://e|event-2"),
    row("event-reference", R5, "Procedure/v1", "Procedure/v2"),
    row("facility", ALL, "http://h|facility-1", "http://h|setting-1"),
    row("setting", ALL, "http://h|setting-1", "http://h|facility-1"),
    row("period", ALL, "ge2020-01-02", "ge2020-01-04"),
    row("format", BEFORE_R5, "http://f|format-1", "http://f|format-2"),
    row("format-code", R5, "http://f|format-1", "http://f|format-2"),
    row("format-uri", R5, "urn:format:1", "urn:format:2"),
    row("format-canonical", R5, "http://p/Profile", "http://p/Other"),
    row("related-id", BEFORE_R4, "http://ids|related-1", "http://ids|related-2"),
    row("related-ref", BEFORE_R4, "Observation/r1", "Observation/r2"),
    row("related", R4_R4B, "Observation/r1", "Observation/r2"),
    row("relatesto", ALL, "DocumentReference/old-1", "DocumentReference/old-2"),
    row("relation", ALL, "replaces", "signs"),
    row("relationship", ALL, "DocumentReference/old-1$replaces", "DocumentReference/old-1$signs"),
    row("securitylabel", BEFORE_R4, "http://s|R", "http://s|N"),
    row("security-label", FROM_R4, "http://s|R", "http://s|N"),
    row("language", ALL, "de", "fr"),
    row("location", ALL, "http://content/1", "http://content/2"),
    row("contenttype", FROM_R4, "application/pdf", "text/plain"),
    row("based-on", R5, "ServiceRequest/s1", "ServiceRequest/s2"),
    row("bodysite", R5, "http://b|site-1", "http://b|site-2"),
    row("bodysite-reference", R5, "BodyStructure/bs1", "BodyStructure/bs2"),
    row("modality", R5, "http://m|CT", "http://m|MR"),
    row("version", R5, "v7", "v8"),
];

pub const DIAGNOSTIC_REPORT: &[Row] = &[
    row("identifier", ALL, "http://ids|id-1", "http://ids|id-2"),
    row("status", ALL, "final", "registered"),
    row("category", ALL, "http://c|RAD", "http://c|LAB"),
    row("code", ALL, "http://t|code-1", "http://t|code-2"),
    row("date", ALL, "2020-03-02", "2020-03-03"),
    row("issued", ALL, "ge2020-03-05", "lt2020-03-05"),
    row("subject", ALL, "Patient/p1", "Patient/p2"),
    row("patient", ALL, "p1", "p2"),
    row("encounter", ALL, "Encounter/e1", "Encounter/e2"),
    row("context", &["stu3"], "Encounter/e1", "EpisodeOfCare/e1"),
    row("performer", ALL, "Practitioner/a1", "Practitioner/a2"),
    row("specimen", ALL, "Specimen/s1", "Specimen/s2"),
    row("result", ALL, "Observation/o1", "Observation/o2"),
    row("request", &["dstu2"], "DiagnosticOrder/r1", "DiagnosticOrder/r2"),
    row("based-on", FROM_STU3, "CarePlan/r1", "CarePlan/r2"),
    row("image", BEFORE_R4, "Media/m1", "Media/m2"),
    row("media", R4_R4B, "Media/m1", "Media/m2"),
    row("media", R5, "DocumentReference/m1", "DocumentReference/m2"),
    row("diagnosis", BEFORE_R4, "http://d|diagnosis-1", "http://d|diagnosis-2"),
    row("conclusion", FROM_R4, "http://d|diagnosis-1", "http://d|diagnosis-2"),
    row("results-interpreter", FROM_R4, "Practitioner/i1", "Practitioner/a1"),
    // R4 and R4B define it by an extension, which the tables of the definitions cannot say; so it is left out.
    row("assessed-condition", &[], "Condition/c1", "Condition/c2"),
    row("study", R5, "ImagingStudy/st1", "ImagingStudy/st2"),
];
