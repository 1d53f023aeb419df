//! DiagnosticReport. DSTU2 demands a subject, a time of effect, a time of issue and a performer; from STU3 on
//! a report can be without. STU3 alone gives performers a role.

mod media;
mod performer;

use super::code::{Before, Code};
use super::datatype;
use super::extension::{self, Wire};
use super::members::Members;
use super::record::{self, Fit, Kind, Place, Record, Row, Shape, many, one};
use super::reference::{Target, always, between, since};
use crate::{Node, Version};

const NAME: &str = "DiagnosticReport";

#[rustfmt::skip] // One row, one line: to be read beside the tables of the specification.
pub(super) const ROWS: &[Row] = &[
    Row::many("identifier", Kind::Value("Identifier")),
    Row::new("basedOn", Kind::Reference(BASED_ON), from_stu3(many("request"), many("basedOn"))),
    Row::one("status", Kind::Code(STATUS)).required_until(Version::Dstu2),
    Row::new("category", Kind::Value("CodeableConcept"), from_r4(one("category"), many("category"))).home(Version::R4),
    Row::one("code", Kind::Value("CodeableConcept")),
    Row::one("subject", Kind::Reference(SUBJECT)).required_until(Version::Dstu2),
    Row::new("encounter", Kind::Reference(ENCOUNTER), ENCOUNTER_PLACES),
    Row::one(EFFECTIVE, Kind::Primitive("dateTime")),
    Row::one("effectivePeriod", Kind::Value("Period")),
    Row::one("issued", Kind::Primitive("instant")).required_until(Version::Dstu2),
    Row::new("performer", Kind::Shaped(&performer::SHAPE), from_stu3(one("performer"), many("performer"))).home(Version::R4).required_until(Version::Dstu2),
    Row::new("resultsInterpreter", Kind::Reference(&[]), from_r4(None, many("resultsInterpreter"))).home(Version::R4),
    Row::many("specimen", Kind::Reference(&[])),
    Row::many("result", Kind::Reference(&[])),
    Row::new("note", Kind::Value("Annotation"), since_r5(many("note"))),
    Row::new("study", Kind::Reference(STUDY), STUDY_PLACES),
    Row::new("supportingInfo", Kind::Shaped(&SUPPORTING_INFO), since_r5(many("supportingInfo"))),
    Row::new("media", Kind::Shaped(&media::SHAPE), from_r4(many("image"), many("media"))),
    Row::new("composition", Kind::Reference(&[]), since_r5(one("composition"))),
    Row::one("conclusion", Kind::Primitive("string")),
    Row::new("conclusionCode", Kind::Value("CodeableConcept"), from_r4(many("codedDiagnosis"), many("conclusionCode"))),
    Row::many("presentedForm", Kind::Value("Attachment")),
];

const EFFECTIVE: &str = "effectiveDateTime";

type Places = [Option<Place>; 5];

const ENCOUNTER_PLACES: Places =
    [one("encounter"), one("context"), one("encounter"), one("encounter"), one("encounter")];
const STUDY_PLACES: Places =
    [many("imagingStudy"), many("imagingStudy"), many("imagingStudy"), many("imagingStudy"), many("study")];

const fn from_stu3(old: Option<Place>, new: Option<Place>) -> Places {
    [old, new, new, new, new]
}

/// One place up to STU3, another from R4.
const fn from_r4(old: Option<Place>, new: Option<Place>) -> Places {
    [old, old, new, new, new]
}

const fn since_r5(place: Option<Place>) -> Places {
    [None, None, None, None, place]
}

const STATUS: &[Code] = &[
    Code { code: "preliminary", since: Version::Stu3, before: Before::Wider("partial") },
    Code { code: "amended", since: Version::Stu3, before: Before::Wider("corrected") },
    // No status of DSTU2 leaves open what the report is worth.
    Code { code: "unknown", since: Version::Stu3, before: Before::Nothing },
    Code { code: "modified", since: Version::R5, before: Before::Wider("amended") },
];

const BASED_ON: &[Target] = &[
    between(Version::Dstu2, Version::Dstu2, "DiagnosticOrder"),
    between(Version::Dstu2, Version::Stu3, "ProcedureRequest"),
    between(Version::Dstu2, Version::Stu3, "ReferralRequest"),
    since(Version::Stu3, "CarePlan"),
    since(Version::Stu3, "ImmunizationRecommendation"),
    since(Version::Stu3, "MedicationRequest"),
    since(Version::Stu3, "NutritionOrder"),
    since(Version::R4, "ServiceRequest"),
];
const SUBJECT: &[Target] = &[
    always("Patient"),
    always("Group"),
    always("Device"),
    always("Location"),
    since(Version::R4b, "Organization"),
    between(Version::R4b, Version::R4b, "Procedure"),
    since(Version::R4b, "Practitioner"),
    since(Version::R4b, "Medication"),
    since(Version::R4b, "Substance"),
    since(Version::R5, "BiologicallyDerivedProduct"),
];
const ENCOUNTER: &[Target] = &[always("Encounter"), between(Version::Stu3, Version::Stu3, "EpisodeOfCare")];
const STUDY: &[Target] = &[
    always("ImagingStudy"),
    between(Version::Dstu2, Version::Dstu2, "ImagingObjectSelection"),
    between(Version::Stu3, Version::Stu3, "ImagingManifest"),
    since(Version::R5, "GenomicStudy"),
];

pub(super) fn read(source: &mut Members, from: Version) -> Record {
    let mut record = record::read(NAME, ROWS, source, from);
    if from == Version::Dstu2
        && let Some(effective) = record.get_mut(EFFECTIVE)
    {
        effective.retain(|item| !extension::is_absent(item));
    }
    record
}

pub(super) fn write(mut record: Record, to: Version, shown: &mut Members) {
    let has_effective = [EFFECTIVE, "effectivePeriod"]
        .iter()
        .any(|name| record.get(name).is_some_and(|items| !items.is_empty()));
    if to == Version::Dstu2 && !has_effective {
        // Either form would do; a time is what DSTU2 reports have most often.
        record.insert(EFFECTIVE, vec![record::absent_primitive()]);
    }
    record::write(NAME, ROWS, record, to, shown);
}

const SUPPORTING_INFO: Shape = Shape {
    wire: Wire::Parts(&[("type", "CodeableConcept"), ("reference", "Reference")]),
    widen: |value, from| change_reference(value, |it| datatype::widen("Reference", it, from)),
    narrow: |value, to| Fit::Fits(change_reference(value, |it| datatype::narrow("Reference", it, to))),
};

fn change_reference(value: Node, change: impl FnOnce(Node) -> Node) -> Node {
    Members::edit(value, |object| datatype::change(object, "reference", change))
}
