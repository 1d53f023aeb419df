//! The DocumentReference of a CCD that is made when somebody asks for it: what offers it, and what access to it is
//! decided by.

use std::borrow::Cow;

use charta_auth::NewSubject;
use charta_fhir::{
    Node, Version, custody, index, json,
    represent::{self, Entry, Subset},
};
use charta_model::{
    Change, Confidentiality, Custody, Description, Document, Index, Labels, ResourceId, ResourceType, Source,
    Timestamp, facts::Moment,
};

use super::parameters::Period;
use crate::{clock, http::call::Call};

/// The type of a CCD.
///
/// Clause: C-CDA 2.1 CCD
pub const TYPE: (&str, &str, &str) = ("http://loinc.org", "34133-9", "Summarization of Episode Note");
/// The media type of a CCD that is made.
pub const CONTENT_TYPE: &str = "application/xml";
const CATEGORY: (&str, &str, &str) = (
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "clinical-note",
    "Clinical Note",
);
const FORMAT: (&str, &str, &str) = (
    "urn:oid:1.3.6.1.4.1.19376.1.2.3",
    "urn:hl7-org:sdwg:ccda-structuredBody:2.1",
    "C-CDA Structured Body 2.1",
);
const TITLE: &str = "Continuity of Care Document";

/// A DocumentReference and what decides about it.
pub struct OnDemand {
    id: ResourceId,
    resource: Node,
    index: Index,
    custody: Custody,
}

/// Where the document is.
pub struct Place<'a> {
    /// Its URL.
    pub url: &'a str,
    /// The number of bytes and their SHA-1 in base64, where it is stored.
    pub stored: Option<(u64, &'a str)>,
}

impl OnDemand {
    /// The one of this patient, for what was asked.
    pub fn new(
        patient: &ResourceId,
        period: &Period,
        encounter: Option<&ResourceId>,
        place: &Place<'_>,
        now: Timestamp,
    ) -> Self {
        let resource = resource(patient, period, encounter, place, now);
        let index = index::index(&resource, Version::R4, &format!("{now:.3}"));
        let custody = custody::custody(&resource, Version::R4, &index);
        Self { id: clock::fresh_id(), resource, index, custody }
    }

    /// What access to it is decided by.
    pub fn subject(&self) -> NewSubject<'_> {
        NewSubject {
            kind: &ResourceType::DOCUMENT_REFERENCE,
            id: &self.id,
            custody: &self.custody,
            confidentiality: Confidentiality::Normal,
            entries: &self.index.entries,
        }
    }

    /// It as if it were stored.
    pub fn into_document(self, now: Timestamp) -> Document {
        let source = Source { dialect: Version::R4.name().to_owned(), body: json::text(&self.resource) };
        let description = Description {
            content: None,
            labels: Labels::default(),
            custody: self.custody,
            source: Some(source),
        };
        Document {
            kind: ResourceType::DOCUMENT_REFERENCE,
            id: self.id,
            version: 1,
            updated: now,
            change: Change::Created,
            writer: None,
            description: Some(description),
        }
    }
}

/// The entry of a searchset that offers the document. It is not kept, so it has no URL of its own and no version.
pub fn entry<'d>(call: &Call<'_>, document: &'d Document, subset: &Subset) -> Option<Entry<'d>> {
    let mut shown = represent::shown(document, call.version(), subset, call.base(), 0)?;
    shown.member_mut("meta").and_then(|meta| meta.take("versionId"));
    let full_url = format!("urn:uuid:{}", document.id);
    Some(Entry { document, full_url, resource: Some(shown), mode: "match" })
}

/// Whether a token names the type of a CCD: with its system, or without any.
pub fn is_type(token: &str) -> bool {
    match token.split_once('|') {
        Some((system, code)) => system == TYPE.0 && code == TYPE.1,
        None => token == TYPE.1,
    }
}

/// The URL at which the CCD of this patient is made.
pub fn url(base: &str, patient: &ResourceId, period: &Period) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("patient", patient.as_str());
    for (name, moment) in [("start", &period.start), ("end", &period.end)] {
        if let Some(moment) = moment {
            query.append_pair(name, moment.as_str());
        }
    }
    format!("{base}/Binary/$autogen-ccd-if?{}", query.finish())
}

fn resource(
    patient: &ResourceId,
    period: &Period,
    encounter: Option<&ResourceId>,
    place: &Place<'_>,
    now: Timestamp,
) -> Node {
    let text = |text: &str| Some(Node::text(text.to_owned()));
    let list = |node| Some(Node::Array(vec![node]));
    let reference = |to: String| Node::object([("reference", Some(Node::text(to)))]);
    let size = place.stored.map(|(size, _)| Node::number(size));
    let hash = place.stored.and_then(|(_, hash)| text(hash));
    let attachment = Node::object([
        ("contentType", text(CONTENT_TYPE)),
        ("url", text(place.url)),
        ("size", size),
        ("hash", hash),
        ("title", text(TITLE)),
    ]);
    let content = Node::object([("attachment", Some(attachment)), ("format", Some(coding(FORMAT)))]);
    let encounter = encounter.map(|id| Node::Array(vec![reference(format!("Encounter/{id}"))]));
    let covered = covered(period);
    let context = (encounter.is_some() || covered.is_some())
        .then(|| Node::object([("encounter", encounter), ("period", covered)]));
    Node::object([
        ("resourceType", text("DocumentReference")),
        ("status", text("current")),
        ("type", Some(concept(TYPE))),
        ("category", list(concept(CATEGORY))),
        ("subject", Some(reference(format!("Patient/{patient}")))),
        ("date", text(&format!("{now:.3}"))),
        ("description", text(TITLE)),
        ("content", list(content)),
        ("context", context),
    ])
}

/// The time that was asked for, as far as it was.
fn covered(period: &Period) -> Option<Node> {
    let Period { start, end } = period;
    let moment = |moment: &Option<Moment>| Some(Node::text(moment.as_ref()?.as_str().to_owned()));
    (start.is_some() || end.is_some()).then(|| Node::object([("start", moment(start)), ("end", moment(end))]))
}

fn coding((system, code, display): (&'static str, &'static str, &'static str)) -> Node {
    let text = |text: &'static str| Some(Node::String(Cow::Borrowed(text)));
    Node::object([("system", text(system)), ("code", text(code)), ("display", text(display))])
}

fn concept(of: (&'static str, &'static str, &'static str)) -> Node {
    Node::object([("coding", Some(Node::Array(vec![coding(of)])))])
}
