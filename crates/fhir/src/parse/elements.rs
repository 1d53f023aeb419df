//! The elements that a Binary can have: names, order, types, how often, in which versions.
//!
//! Small on purpose: Binary, what `meta` and references are made of, and extensions with those
//! values. The tables of all resources are going to replace it.

use crate::Version;

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Boolean,
    Integer,
    Integer64,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Uri,
    Code,
    Id,
    Instant,
    DateTime,
    Date,
    Time,
    Base64,
    Binary,
    Meta,
    Coding,
    CodeableConcept,
    Identifier,
    Period,
    Reference,
    Extension,
}

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    pub name: &'static str,
    pub holds: Type,
    /// Whether it has to be there.
    pub required: bool,
    /// Whether it can be there more than once.
    pub repeats: bool,
    /// Whether XML writes it as an attribute.
    pub attribute: bool,
    since: Version,
    until: Version,
}

impl Element {
    const fn new(name: &'static str, holds: Type) -> Self {
        Self {
            name,
            holds,
            required: false,
            repeats: false,
            attribute: false,
            since: Version::Dstu2,
            until: Version::R5,
        }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }

    const fn attribute(self) -> Self {
        Self { attribute: true, ..self }
    }

    const fn since(self, since: Version) -> Self {
        Self { since, ..self }
    }

    const fn until(self, until: Version) -> Self {
        Self { until, ..self }
    }

    /// Whether it is one of the forms of `value[x]`, of which there can be one.
    pub fn is_choice(&self) -> bool {
        self.name.strip_prefix("value").is_some_and(|form| form.starts_with(|c: char| c.is_ascii_uppercase()))
    }
}

impl Type {
    /// Whether it is a value without elements of its own, so that JSON writes its extensions apart.
    pub fn is_primitive(self) -> bool {
        self.own().is_empty()
    }

    /// Whether JSON writes it as a number.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::UnsignedInt | Self::PositiveInt | Self::Decimal)
    }

    /// Its elements in `version`, in order; of a primitive type those beside the value.
    pub fn elements(self, version: Version) -> impl Iterator<Item = &'static Element> {
        let inherited = if self == Self::Binary { &[] } else { ELEMENT };
        let there = move |element: &&Element| (element.since..=element.until).contains(&version);
        inherited.iter().chain(self.own()).filter(there)
    }

    /// The element `name` and its place in the order, which all forms of a choice share.
    pub fn element(self, name: &str, version: Version) -> Option<(usize, &'static Element)> {
        let mut elements = self.elements(version).enumerate();
        let (place, element) = elements.find(|(_, element)| element.name == name)?;
        Some(if element.is_choice() { (usize::MAX, element) } else { (place, element) })
    }

    const fn own(self) -> &'static [Element] {
        match self {
            Self::Binary => BINARY,
            Self::Meta => META,
            Self::Coding => CODING,
            Self::CodeableConcept => CODEABLE_CONCEPT,
            Self::Identifier => IDENTIFIER,
            Self::Period => PERIOD,
            Self::Reference => REFERENCE,
            Self::Extension => EXTENSION,
            _ => &[],
        }
    }
}

const fn element(name: &'static str, holds: Type) -> Element {
    Element::new(name, holds)
}

/// Of every type but resources.
const ELEMENT: &[Element] =
    &[element("id", Type::String).attribute(), element("extension", Type::Extension).repeats()];

const BINARY: &[Element] = &[
    element("id", Type::Id),
    element("meta", Type::Meta),
    element("implicitRules", Type::Uri),
    element("language", Type::Code),
    element("contentType", Type::String).required(), // judged as a media type instead
    element("securityContext", Type::Reference).since(Version::Stu3),
    element("content", Type::Base64).required().until(Version::Stu3),
    element("data", Type::Base64).since(Version::R4),
];

const META: &[Element] = &[
    element("versionId", Type::Id),
    element("lastUpdated", Type::Instant),
    element("source", Type::Uri).since(Version::R4),
    element("profile", Type::Uri).repeats(),
    element("security", Type::Coding).repeats(),
    element("tag", Type::Coding).repeats(),
];

const CODING: &[Element] = &[
    element("system", Type::Uri),
    element("version", Type::String),
    element("code", Type::Code),
    element("display", Type::String),
    element("userSelected", Type::Boolean),
];

const CODEABLE_CONCEPT: &[Element] =
    &[element("coding", Type::Coding).repeats(), element("text", Type::String)];

const IDENTIFIER: &[Element] = &[
    element("use", Type::Code),
    element("type", Type::CodeableConcept),
    element("system", Type::Uri),
    element("value", Type::String),
    element("period", Type::Period),
    element("assigner", Type::Reference),
];

const PERIOD: &[Element] = &[element("start", Type::DateTime), element("end", Type::DateTime)];

const REFERENCE: &[Element] = &[
    element("reference", Type::String),
    element("type", Type::Uri).since(Version::R4),
    element("identifier", Type::Identifier).since(Version::Stu3),
    element("display", Type::String),
];

const EXTENSION: &[Element] = &[
    element("url", Type::Uri).required().attribute(),
    element("valueBase64Binary", Type::Base64),
    element("valueBoolean", Type::Boolean),
    element("valueCanonical", Type::Uri).since(Version::R4),
    element("valueCode", Type::Code),
    element("valueDate", Type::Date),
    element("valueDateTime", Type::DateTime),
    element("valueDecimal", Type::Decimal),
    element("valueId", Type::Id),
    element("valueInstant", Type::Instant),
    element("valueInteger", Type::Integer),
    element("valueInteger64", Type::Integer64).since(Version::R5),
    element("valueMarkdown", Type::String),
    element("valueOid", Type::Uri),
    element("valuePositiveInt", Type::PositiveInt),
    element("valueString", Type::String),
    element("valueTime", Type::Time),
    element("valueUnsignedInt", Type::UnsignedInt),
    element("valueUri", Type::Uri),
    element("valueUrl", Type::Uri).since(Version::R4),
    element("valueUuid", Type::Uri).since(Version::R4),
    element("valueCodeableConcept", Type::CodeableConcept),
    element("valueCoding", Type::Coding),
    element("valueIdentifier", Type::Identifier),
    element("valuePeriod", Type::Period),
    element("valueReference", Type::Reference),
];
