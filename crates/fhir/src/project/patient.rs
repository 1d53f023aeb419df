//! Patient. Animals have an element of their own up to STU3 and an extension since; the data types differ
//! more than the resource does.

use super::code::{self, Before, Code};
use super::datatype;
use super::extension::{self, Wire};
use super::members::{Item, Members, member, member_text};
use super::record::{self, Fit, Kind, Record, Row, Shape, many};
use super::reference::{Target, always, elsewhere, since};
use crate::{Node, Version};

const NAME: &str = "Patient";

#[rustfmt::skip] // One row, one line: to be read beside the tables of the specification.
pub(super) const ROWS: &[Row] = &[
    Row::many("identifier", Kind::Value("Identifier")),
    Row::one("active", Kind::Primitive("boolean")),
    Row::many("name", Kind::Value("HumanName")),
    Row::many("telecom", Kind::Value("ContactPoint")),
    Row::one("gender", Kind::Primitive("code")),
    Row::one("birthDate", Kind::Primitive("date")),
    Row::one("deceasedBoolean", Kind::Primitive("boolean")),
    Row::one("deceasedDateTime", Kind::Primitive("dateTime")),
    Row::many("address", Kind::Value("Address")),
    Row::one("maritalStatus", Kind::Value("CodeableConcept")),
    Row::one("multipleBirthBoolean", Kind::Primitive("boolean")),
    Row::one("multipleBirthInteger", Kind::Primitive("integer")),
    Row::many("photo", Kind::Value("Attachment")),
    Row::many("contact", Kind::Shaped(&CONTACT)),
    // Where it is an extension, it is one that the specification names, not one of another version.
    Row::one("animal", Kind::Value("BackboneElement")),
    Row::many("communication", Kind::Value("BackboneElement")),
    Row::new("generalPractitioner", Kind::Reference(GENERAL_PRACTITIONER), GENERAL_PRACTITIONER_PLACES),
    Row::one("managingOrganization", Kind::Reference(&[always("Organization")])),
    Row::many("link", Kind::Shaped(&LINK)),
];

const GENERAL_PRACTITIONER_PLACES: [Option<record::Place>; 5] = [
    many("careProvider"),
    many("generalPractitioner"),
    many("generalPractitioner"),
    many("generalPractitioner"),
    many("generalPractitioner"),
];
const GENERAL_PRACTITIONER: &[Target] =
    &[always("Organization"), always("Practitioner"), since(Version::R4, "PractitionerRole")];

pub(super) fn read(source: &mut Members, from: Version) -> Record {
    if from.is_r4_or_later() {
        open_animal(source);
    }
    record::read(NAME, ROWS, source, from)
}

pub(super) fn write(record: Record, to: Version, shown: &mut Members) {
    record::write(NAME, ROWS, record, to, shown);
    if to.is_r4_or_later() {
        close_animal(shown);
    }
}

const ANIMAL: &str = "http://hl7.org/fhir/StructureDefinition/patient-animal";
const ANIMAL_WIRE: Wire = Wire::Parts(&[
    ("species", "CodeableConcept"),
    ("breed", "CodeableConcept"),
    ("genderStatus", "CodeableConcept"),
]);

/// Makes the element of the extension.
fn open_animal(source: &mut Members) {
    let mut animal = None;
    source.take_extensions(|extension| {
        let is_first = animal.is_none() && member_text(extension, "url") == Some(ANIMAL);
        let found = is_first.then(|| extension::decode(extension, ANIMAL_WIRE)).flatten()?;
        animal = found.value;
        Some(())
    });
    source.put_some("animal", animal);
}

fn close_animal(shown: &mut Members) {
    let animal =
        shown.take("animal").and_then(|animal| extension::encode(ANIMAL, ANIMAL_WIRE, Item::of(animal)));
    shown.add_extensions("extension", animal.into_iter().collect());
}

/// No version lacks it, so it never is an extension.
const CONTACT: Shape = Shape { wire: Wire::Parts(&[]), widen: widen_contact, narrow: narrow_contact };

const CONTACT_ONE: [(&str, &str); 3] =
    [("name", "HumanName"), ("address", "Address"), ("organization", "Reference")];

fn widen_contact(value: Node, from: Version) -> Node {
    change_contact(value, |value_type, value| datatype::widen(value_type, value, from))
}

fn narrow_contact(value: Node, to: Version) -> Fit {
    Fit::Fits(change_contact(value, |value_type, value| datatype::narrow(value_type, value, to)))
}

fn change_contact(value: Node, change: impl Fn(&str, Node) -> Node) -> Node {
    Members::edit(value, |contact| {
        for (name, value_type) in CONTACT_ONE {
            datatype::change(contact, name, |value| change(value_type, value));
        }
        datatype::change(contact, "telecom", |telecom| match telecom {
            Node::Array(items) => {
                Node::Array(items.into_iter().map(|item| change("ContactPoint", item)).collect())
            }
            other => other,
        });
    })
}

const LINK: Shape = Shape {
    wire: Wire::Parts(&[("other", "Reference"), ("type", "code")]),
    widen: widen_link,
    narrow: narrow_link,
};

const LINK_OTHER: &[Target] = &[always("Patient"), since(Version::Stu3, "RelatedPerson")];
const LINK_TYPE_PATH: &str = "Patient.link.type";
const LINK_TYPE: &[Code] = &[
    Code { code: "replaced-by", since: Version::Stu3, before: Before::Name("replace") },
    // DSTU2 has only the other direction of it.
    Code { code: "replaces", since: Version::Stu3, before: Before::Wider("seealso") },
];

fn widen_link(value: Node, from: Version) -> Node {
    Members::edit(value, |link| {
        code::widen_member(link, "type", LINK_TYPE_PATH, LINK_TYPE, from);
        datatype::change(link, "other", |other| datatype::widen("Reference", other, from));
    })
}

fn narrow_link(value: Node, to: Version) -> Fit {
    let other = member(&value, "other");
    if let Some(version) = other.and_then(|other| elsewhere(other, LINK_OTHER, to)) {
        return Fit::Elsewhere(value, version);
    }
    Fit::Fits(Members::edit(value, |link| {
        code::narrow_member(link, "type", LINK_TYPE_PATH, LINK_TYPE, to);
        datatype::change(link, "other", |other| datatype::narrow("Reference", other, to));
    }))
}
