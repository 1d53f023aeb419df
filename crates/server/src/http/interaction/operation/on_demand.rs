//! The DocumentReference of a CCD that is made when somebody asks for it: what offers it, and what access to it is
//! decided by.

use std::borrow::Cow;

use charta_auth::{Making, NewSubject};
use charta_fhir::{
    Node, Profile, Version, custody, index, json,
    represent::{self, Entry, Subset},
};
use charta_model::{
    Change, Confidentiality, Custody, Description, Document, Index, Labels, ResourceId, ResourceType, Source,
    Timestamp, facts::Moment,
};
use charta_service::ReadError;

use super::parameters::{self, Period};
use crate::{
    clock,
    http::{call::Call, outcome::Refusal},
};

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

    /// Its id, and the resource in R4.
    pub fn into_resource(self) -> (ResourceId, Node) {
        (self.id, self.resource)
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

/// What a search for CCDs of one patient may say beside that, so that the one that is made is among them.
const OF_SEARCH: [&str; 11] = [
    "patient",
    "subject",
    "type",
    "category",
    "status",
    "_count",
    "_format",
    "_pretty",
    "_summary",
    "_elements",
    "_revinclude",
];

/// The document on demand that a search at a Millennium endpoint finds beside stored ones: one for CCDs of one
/// patient.
///
/// # Errors
/// The store's.
pub async fn in_search(
    call: &Call<'_>,
    kinds: &[ResourceType],
    used: &[(String, String)],
) -> Result<Option<Document>, Refusal> {
    let is_asked = call.profile() == Profile::Millennium && *kinds == [ResourceType::DOCUMENT_REFERENCE];
    let Some(patient) = is_asked.then(|| patient_of_search(call, used)).flatten() else { return Ok(None) };
    let period = Period::default();
    let url = url(call.base(), &patient, &period);
    let offer = OnDemand::new(&patient, &period, None, &Place { url: &url, stored: None }, call.now);
    match call.lookup().patient_of_made(Making::Reference, &patient, &offer.subject()).await {
        Ok(_) => Ok(Some(offer.into_document(call.now))),
        Err(ReadError::Store(error)) => Err(Refusal::Store(error)),
        Err(_) => Ok(None),
    }
}

fn patient_of_search(call: &Call<'_>, used: &[(String, String)]) -> Option<ResourceId> {
    let name = |given: &str| given.strip_suffix(":Patient").unwrap_or(given).to_owned();
    let values = |wanted: &[&str]| -> Vec<&str> {
        let of = |(given, value): &'_ (String, String)| {
            wanted.contains(&name(given).as_str()) && !value.is_empty()
        };
        used.iter().filter(|pair| of(pair)).map(|(_, value)| value.as_str()).collect()
    };
    let any = |value: &str, is: &dyn Fn(&str) -> bool| value.split(',').any(is);
    let code = |token: &str, code: &str| token.rsplit('|').next() == Some(code);
    let types = values(&["type"]);
    let fits = used.iter().all(|(given, _)| OF_SEARCH.contains(&name(given).as_str()))
        && !types.is_empty()
        && types.iter().all(|value| any(value, &is_type))
        && values(&["category"]).iter().all(|value| any(value, &|token| code(token, CATEGORY.1)))
        && values(&["status"]).iter().all(|value| any(value, &|token| code(token, "current")));
    match values(&["patient", "subject"])[..] {
        [patient] if fits => parameters::id(call, "patient", "Patient", patient).ok(),
        _ => None,
    }
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
