//! Simplified Publish of IHE MHD (ITI-105): a DocumentReference with the document inside, `POST
//! [base]/DocumentReference`. Intake moves the content into a Binary; here the SubmissionSet is made that a Provide
//! Document Bundle would have had, and all of it is stored in one step. A DocumentReference that does not claim the
//! profile is created like any other.
//!
//! IHE MHD 4.2, volume 2, 3.105.4.1

use charta_fhir::{
    Node, Profile, Version,
    parse::{ReadError, ReadErrorKind},
};
use charta_model::ResourceType;
use http::Method;

use super::{
    bundle::{ATTEMPTS, Entry, Plan, is_changed},
    state,
};
use crate::{
    clock,
    http::{answer::Answer, call::Call, mhd, outcome::Refusal, target::Target},
};

const PROFILE: &str =
    "https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.SimplifiedPublish.DocumentReference";
const SOURCE_ID: &str = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId";

/// Whether a create of this type can be one.
pub fn is_offered(call: &Call<'_>, kind: &ResourceType) -> bool {
    call.version() == Version::R4
        && call.profile() == Profile::Standard
        && kind.as_str() == "DocumentReference"
}

/// Whether the resource claims the profile, in whatever version of it.
pub fn is_claimed(resource: &Node) -> bool {
    let profiles = resource.member("meta").map_or(&[][..], |meta| meta.items_at("profile"));
    let mut urls = profiles.iter().filter_map(Node::as_text);
    urls.any(|url| url.split('|').next() == Some(PROFILE))
}

/// Stores the document, its content and its SubmissionSet. `if_none_exist` is the condition of a conditional
/// create: if the document is there, nothing is stored.
///
/// # Errors
/// Every element that the profile does not allow or misses; those of a create.
pub async fn publish(
    call: &Call<'_>,
    document: Node,
    if_none_exist: Option<String>,
) -> Result<Answer, Refusal> {
    check(&document)?;
    let name = format!("urn:uuid:{}", clock::fresh_uuid());
    let mut attempt = 1;
    loop {
        match once(call, &document, &name, if_none_exist.as_ref()).await {
            Err(error) if is_changed(&error) && attempt < ATTEMPTS => attempt += 1,
            // There is no Bundle whose entry could be named.
            Err(Refusal::Entry { refusal, .. }) => return Err(*refusal),
            result => return result,
        }
    }
}

async fn once(
    call: &Call<'_>,
    document: &Node,
    name: &str,
    if_none_exist: Option<&String>,
) -> Result<Answer, Refusal> {
    let create = |resource: &Node| {
        let kind = resource.text_at("resourceType").unwrap_or_default();
        let kind = ResourceType::new(kind).map_err(|_| Refusal::TypeMismatch)?;
        Ok::<_, Refusal>(Entry::new(0, Method::POST, Target::Type(kind), resource.clone()))
    };
    let first = || -> Result<Entry, Refusal> {
        let if_none_exist = if_none_exist.cloned();
        Ok(Entry { full_url: Some(name.to_owned()), if_none_exist, ..create(document)? })
    };
    let mut plan = Plan::of(call, vec![first()?], true).await?;
    if plan.writes_anything() {
        let set = create(&submission_set(call, document, name))?;
        plan = Plan::of(call, vec![first()?, Entry { index: 1, ..set }], true).await?;
        plan.provide(call).await?;
    }
    let mut answers = plan.carry_out(call).await?.into_iter();
    let done = answers.next().and_then(|answer| answer.done);
    state::written(call, done.ok_or(Refusal::Internal("a document without outcome"))?).await
}

/// Clause of the profile: as Minimal, but with the document inside.
fn check(document: &Node) -> Result<(), Refusal> {
    let mut problems = Vec::new();
    let mut problem = |kind, element: &str, message: &str| {
        let expression = format!("DocumentReference.{element}");
        problems.push(ReadError { kind, expression, message: message.to_owned() });
    };
    if document.text_at("status") != Some("current") {
        problem(ReadErrorKind::Value, "status", "what is published is current");
    }
    if document.member("subject").is_none() {
        problem(ReadErrorKind::Required, "subject", "the profile requires the element");
    }
    for absent in ["modifierExtension", "docStatus"] {
        if document.member(absent).is_some() {
            problem(ReadErrorKind::Value, absent, "the element must not be there");
        }
    }
    match document.items_at("content") {
        [content] => {
            let has = |name| content.member("attachment").is_some_and(|found| found.member(name).is_some());
            for element in ["contentType", "data"] {
                if !has(element) {
                    let place = format!("content[0].attachment.{element}");
                    problem(ReadErrorKind::Required, &place, "the profile requires the element");
                }
            }
            if has("url") {
                problem(ReadErrorKind::Value, "content[0].attachment.url", "the element must not be there");
            }
        }
        _ => problem(ReadErrorKind::Value, "content", "there is exactly one content"),
    }
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Profiles(problems)) }
}

/// The set of this one document. What only its source could know is left out.
fn submission_set(call: &Call<'_>, document: &Node, name: &str) -> Node {
    let text = |text: String| Some(Node::text(text));
    let object = |members: [(&'static str, Option<Node>); 2]| Node::object(members);
    let identifier = |value: String| {
        object([("system", Some(Node::text("urn:ietf:rfc:3986"))), ("value", Some(Node::text(value)))])
    };
    let named = |link: Option<&Node>| {
        let link = link.filter(|link| link.text_at("reference").is_none_or(|to| !to.starts_with('#')));
        link.cloned()
    };
    let source = document.items_at("author").iter().find(|author| {
        let kinds = ["Practitioner/", "PractitionerRole/", "Patient/", "Device/"];
        let link = author.text_at("reference").unwrap_or_default();
        kinds.iter().any(|kind| link.starts_with(kind))
    });
    let coding =
        object([("system", Some(Node::text(mhd::LIST_TYPES))), ("code", Some(Node::text("submissionset")))]);
    let extension = object([
        ("url", Some(Node::text(SOURCE_ID))),
        ("valueIdentifier", Some(identifier(call.base().to_owned()))),
    ]);
    let member = Node::object([("reference", Some(Node::text(name.to_owned())))]);
    let own = format!("urn:uuid:{}", clock::fresh_uuid());
    Node::object([
        ("resourceType", Some(Node::text("List"))),
        ("extension", Node::array(vec![extension])),
        ("identifier", Node::array(vec![identifier(own)])),
        ("status", Some(Node::text("current"))),
        ("mode", Some(Node::text("working"))),
        ("code", Some(Node::object([("coding", Node::array(vec![coding]))]))),
        ("subject", named(document.member("subject"))),
        ("date", text(format!("{:.3}", call.now))),
        ("source", named(source)),
        ("entry", Node::array(vec![Node::object([("item", Some(member))])])),
    ])
}
