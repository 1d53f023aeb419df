//! DocumentReference. Its `context` is a structure up to R4B; in R5 most of that stands in the resource
//! itself and `context` is the encounters alone.

mod attester;
mod content;
mod doc_status;
mod related;
mod relates_to;

use std::mem;

use super::members::{Item, Members};
use super::record::{self, Kind, Place, Record, Row, many, one};
use super::reference::{ANY, Target, always, since};
use crate::{Node, Version};

const NAME: &str = "DocumentReference";

#[rustfmt::skip] // One row, one line: to be read beside the tables of the specification.
pub(super) const ROWS: &[Row] = &[
    // R5 has it as one identifier among others; the extension tells which.
    Row::new("masterIdentifier", Kind::Value("Identifier"), until_r4b(one("masterIdentifier"))).home(Version::R4),
    Row::many("identifier", Kind::Value("Identifier")),
    Row::new("version", Kind::Primitive("string"), since_r5(one("version"))),
    Row::new("basedOn", Kind::Reference(&[]), since_r5(many("basedOn"))),
    Row::one("status", Kind::Primitive("code")),
    Row::one("docStatus", Kind::Code(doc_status::CODES)),
    Row::new("modality", Kind::Value("CodeableConcept"), since_r5(many("modality"))),
    Row::one("type", Kind::Value("CodeableConcept")).required_until(Version::Stu3),
    Row::new("category", Kind::Value("CodeableConcept"), from_r4(one("class"), many("category"))).home(Version::R4),
    Row::one("subject", Kind::Reference(SUBJECT)),
    Row::new("created", Kind::Primitive("dateTime"), from_r4(one("created"), None)).home(Version::Stu3),
    Row::new("date", Kind::Primitive("instant"), from_r4(one("indexed"), one("date"))),
    Row::many("author", Kind::Reference(AUTHOR)),
    Row::new("authenticator", Kind::Reference(attester::AUTHENTICATOR), until_r4b(one("authenticator"))).home(Version::R4),
    Row::new("attester", Kind::Shaped(&attester::SHAPE), since_r5(many("attester"))),
    Row::one("custodian", Kind::Reference(CUSTODIAN)),
    Row::many("relatesTo", Kind::Shaped(&relates_to::SHAPE)),
    Row::one("description", Kind::Primitive("string")),
    Row::many("securityLabel", Kind::Value("CodeableConcept")),
    Row::many("content", Kind::Shaped(&content::SHAPE)),
    Row::new("context.id", Kind::Primitive("string"), until_r4b(one("context.id"))),
    Row::new("context.extension", Kind::Value("Extension"), until_r4b(many("context.extension"))),
    Row::new("context.modifierExtension", Kind::Value("Extension"), until_r4b(many("context.modifierExtension"))),
    Row::new("encounter", Kind::Reference(ENCOUNTER), ENCOUNTER_PLACES).home(Version::R4),
    Row::new("event", Kind::CodeableReference, at_r5(many("context.event"), many("event"))),
    Row::new("bodySite", Kind::CodeableReference, since_r5(many("bodySite"))),
    Row::new("facilityType", Kind::Value("CodeableConcept"), at_r5(one("context.facilityType"), one("facilityType"))),
    Row::new("practiceSetting", Kind::Value("CodeableConcept"), at_r5(one("context.practiceSetting"), one("practiceSetting"))),
    Row::new("period", Kind::Value("Period"), at_r5(one("context.period"), one("period"))),
    Row::new("sourcePatientInfo", Kind::Reference(&[always("Patient")]), until_r4b(one("context.sourcePatientInfo"))).home(Version::R4),
    Row::new("related", Kind::Shaped(&related::SHAPE), until_r4b(many("context.related"))).home(Version::R4),
];

type Places = [Option<Place>; 5];

const ENCOUNTER_PLACES: Places = [
    one("context.encounter"),
    one("context.encounter"),
    many("context.encounter"),
    many("context.encounter"),
    many("context"),
];

/// One place up to STU3, another from R4.
const fn from_r4(old: Option<Place>, new: Option<Place>) -> Places {
    [old, old, new, new, new]
}

/// One place up to R4B, another in R5.
const fn at_r5(old: Option<Place>, new: Option<Place>) -> Places {
    [old, old, old, old, new]
}

const fn until_r4b(place: Option<Place>) -> Places {
    at_r5(place, None)
}

const fn since_r5(place: Option<Place>) -> Places {
    at_r5(None, place)
}

const SUBJECT: &[Target] =
    &[always("Patient"), always("Practitioner"), always("Group"), always("Device"), since(Version::R5, ANY)];
const AUTHOR: &[Target] = &[
    always("Practitioner"),
    always("Organization"),
    always("Device"),
    always("Patient"),
    always("RelatedPerson"),
    since(Version::R4, "PractitionerRole"),
    since(Version::R5, "CareTeam"),
];
const CUSTODIAN: &[Target] = &[always("Organization")];
const ENCOUNTER: &[Target] =
    &[always("Encounter"), since(Version::R4, "EpisodeOfCare"), since(Version::R5, "Appointment")];

pub(super) fn read(source: &mut Members, from: Version) -> Record {
    if from < Version::R5 {
        open_context(source);
    }
    if from == Version::Dstu2 {
        doc_status::open(source);
    }
    let mut record = record::read(NAME, ROWS, source, from);
    if from == Version::R5 {
        part_master_identifier(&mut record);
    }
    attester::gather(&mut record);
    record
}

pub(super) fn write(mut record: Record, to: Version, updated: &str, shown: &mut Members) {
    if to < Version::R4 {
        // Mandatory there, and what it says, when the server came to know the document, is true of the
        // last update. R4 and later never learn a date from this.
        record.entry("date").or_insert_with(|| vec![Item::of(Node::text(updated.to_owned()))]);
    }
    if to < Version::R5 {
        attester::spread(&mut record);
    } else {
        let master = record.get("masterIdentifier").cloned().unwrap_or_default();
        record.entry("identifier").or_default().extend(master);
        release_context(&mut record, shown);
    }
    record::write(NAME, ROWS, record, to, shown);
    if to == Version::Dstu2 {
        doc_status::close(shown);
    }
    if to < Version::R5 {
        close_context(shown);
    }
}

/// Takes the master identifier from the identifiers, among which R5 has it.
fn part_master_identifier(record: &mut Record) {
    let Some(master) = record.get("masterIdentifier").and_then(|items| items.first()).cloned() else {
        return;
    };
    let Some(identifiers) = record.get_mut("identifier") else { return };
    if let Some(at) = identifiers.iter().rposition(|identifier| *identifier == master) {
        identifiers.remove(at);
    }
}

/// Makes members `context.x` of the members of `context`.
fn open_context(source: &mut Members) {
    let Some(Node::Object(context)) = source.take("context") else { return };
    for (name, value) in context {
        source.put(format!("context.{name}"), value);
    }
}

fn close_context(shown: &mut Members) {
    let mut context = Members::default();
    for (name, value) in mem::take(&mut shown.0) {
        match name.strip_prefix("context.") {
            Some(name) => context.put(name.to_owned(), value),
            None => shown.put(name, value),
        }
    }
    if !context.is_empty() {
        shown.put("context", Node::Object(context.0));
    }
}

/// R5 has no such structure: what extended it, or changed its meaning, now does so to the resource. Without
/// an element its id names nothing.
fn release_context(record: &mut Record, shown: &mut Members) {
    record.remove("context.id");
    for (row, list) in
        [("context.extension", "extension"), ("context.modifierExtension", "modifierExtension")]
    {
        let released = record.remove(row).unwrap_or_default();
        shown.add_extensions(list, released.into_iter().filter_map(|item| item.value).collect());
    }
}
