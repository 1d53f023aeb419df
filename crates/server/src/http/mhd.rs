//! What IHE MHD 4.2 asks of a Provide Document Bundle (ITI-65), beyond FHIR. A Bundle that claims none of its
//! profiles is a transaction like any other.
//!
//! Every code of `relatesTo` and folders are taken, so that nothing is processed in part. What a document replaces
//! is superseded in the same transaction, also where the Bundle does not say so
//! ([`supersede`](super::interaction)).
//!
//! IHE MHD 4.2, volume 2, 3.65.4.1.2.

use std::collections::HashSet;

use charta_fhir::{
    Node, Version,
    parse::{ReadError, ReadErrorKind},
};

use super::outcome::Refusal;

const PROFILES: &str = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/";
/// The code system of SubmissionSet and Folder.
pub const LIST_TYPES: &str = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes";

/// The profiles of the Bundle, by how much metadata they demand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Metadata {
    Minimal,
    UnContained,
    Comprehensive,
}

/// Refuses a Bundle that claims one of the profiles and does not keep it. Says whether it claims one.
///
/// # Errors
/// Every element that is missing, or must not be there.
pub fn check(bundle: &Node, version: Version) -> Result<bool, Refusal> {
    let profiles = bundle.member("meta").map_or(&[][..], |meta| meta.items_at("profile"));
    let claimed = profiles.iter().filter_map(Node::as_text).find_map(|url| url.strip_prefix(PROFILES));
    let Some(name) = claimed.filter(|_| version == Version::R4) else { return Ok(false) };
    // A canonical may name the version of the profile.
    let metadata = match name.split('|').next().unwrap_or_default() {
        "IHE.MHD.Minimal.ProvideBundle" => Metadata::Minimal,
        "IHE.MHD.UnContained.Comprehensive.ProvideBundle" => Metadata::UnContained,
        "IHE.MHD.Comprehensive.ProvideBundle" => Metadata::Comprehensive,
        _ => {
            return Err(Refusal::Profile(
                "The Bundle claims a profile of IHE MHD that is not supported here.",
            ));
        }
    };
    let mut check = Check { metadata, problems: Vec::new() };
    check.bundle(bundle);
    if check.problems.is_empty() { Ok(true) } else { Err(Refusal::Profiles(check.problems)) }
}

struct Check {
    metadata: Metadata,
    problems: Vec<ReadError>,
}

impl Check {
    fn bundle(&mut self, bundle: &Node) {
        if bundle.text_at("type") != Some("transaction") {
            self.problem("Bundle.type", "documents are provided in a transaction");
        }
        let entries = bundle.items_at("entry");
        let of_type = |kind: &'static str| {
            entries.iter().enumerate().filter(move |(_, entry)| type_of(entry) == Some(kind))
        };
        if of_type("List").filter(|(_, entry)| is_submission_set(entry)).count() != 1 {
            self.problem("Bundle.entry", "there is exactly one SubmissionSet");
        }
        if of_type("Patient").count() > 1 {
            self.problem("Bundle.entry", "there is at most one Patient");
        }
        for (at, _) in of_type("Bundle") {
            self.problem(
                &format!("Bundle.entry[{at}]"),
                "FHIRDocumentNotSupported: a document is sent as a Binary",
            );
        }
        let binaries: HashSet<&str> =
            of_type("Binary").filter_map(|(_, entry)| entry.text_at("fullUrl")).collect();
        for (at, entry) in of_type("DocumentReference") {
            if let Some(resource) = entry.member("resource") {
                self.document_reference(resource, &format!("Bundle.entry[{at}].resource"), &binaries);
            }
        }
        self.one_patient(entries);
    }

    /// Where subjects are references, they are the same one.
    fn one_patient(&mut self, entries: &[Node]) {
        let mut first = None;
        for (at, entry) in entries.iter().enumerate() {
            if !matches!(type_of(entry), Some("DocumentReference" | "List")) {
                continue;
            }
            let subject = entry.member("resource").and_then(|resource| resource.member("subject"));
            let Some(link) = subject.and_then(|subject| subject.text_at("reference")) else { continue };
            if *first.get_or_insert(link) != link {
                self.problem(&format!("Bundle.entry[{at}].resource.subject"), "all are of one patient");
            }
        }
    }

    fn document_reference(&mut self, resource: &Node, path: &str, binaries: &HashSet<&str>) {
        let has = |name: &str| resource.member(name).is_some();
        let at = |element: &str| format!("{path}.{element}");
        for absent in ["modifierExtension", "docStatus"] {
            if has(absent) {
                self.problem(&at(absent), "the element must not be there");
            }
        }
        if !has("masterIdentifier") {
            self.missing(&at("masterIdentifier"));
        }
        if !matches!(resource.text_at("status"), Some("current" | "superseded")) {
            self.problem(&at("status"), "the status is current or superseded");
        }
        if resource.items_at("category").len() > 1 {
            self.problem(&at("category"), "there is at most one category");
        }
        let [content] = resource.items_at("content") else {
            return self.problem(&at("content"), "there is exactly one content");
        };
        let Some(attachment) = content.member("attachment") else {
            return self.missing(&at("content[0].attachment"));
        };
        if attachment.member("data").is_some() {
            self.problem(&at("content[0].attachment.data"), "the element must not be there");
        }
        let url = attachment.text_at("url").unwrap_or_default();
        let is_inside = ["urn:uuid:", "urn:oid:"].iter().any(|scheme| url.starts_with(scheme));
        if is_inside && !binaries.contains(url) {
            self.problem(&at("content[0].attachment.url"), "the Binary is not in the Bundle");
        }
        let in_attachment: &[&str] = match self.metadata {
            Metadata::Minimal => &["contentType", "url"],
            _ => &["contentType", "url", "language", "creation"],
        };
        for element in in_attachment.iter().filter(|element| attachment.member(element).is_none()) {
            self.missing(&at(&format!("content[0].attachment.{element}")));
        }
        if self.metadata >= Metadata::UnContained {
            self.comprehensive(resource, content, path);
        }
    }

    fn comprehensive(&mut self, resource: &Node, content: &Node, path: &str) {
        let at = |element: &str| format!("{path}.{element}");
        for element in ["type", "category", "subject", "securityLabel"] {
            if resource.member(element).is_none() {
                self.missing(&at(element));
            }
        }
        if content.member("format").is_none() {
            self.missing(&at("content[0].format"));
        }
        let in_context = |element| resource.member("context").and_then(|context| context.member(element));
        for element in ["facilityType", "practiceSetting", "sourcePatientInfo"] {
            if in_context(element).is_none() {
                self.missing(&at(&format!("context.{element}")));
            }
        }
        if self.metadata == Metadata::Comprehensive {
            let authors = resource.items_at("author").iter().map(|author| ("author", author));
            let others = [
                ("authenticator", resource.member("authenticator")),
                ("context.sourcePatientInfo", in_context("sourcePatientInfo")),
            ];
            let others = others.into_iter().filter_map(|(name, party)| Some((name, party?)));
            for (element, _) in authors.chain(others).filter(|(_, party)| !is_contained(party)) {
                self.problem(&at(element), "the reference leads to a contained resource");
            }
        }
    }

    fn missing(&mut self, path: &str) {
        let message = "the profile requires the element".to_owned();
        self.problems.push(ReadError { kind: ReadErrorKind::Required, expression: path.to_owned(), message });
    }

    fn problem(&mut self, path: &str, message: &str) {
        let (expression, message) = (path.to_owned(), message.to_owned());
        self.problems.push(ReadError { kind: ReadErrorKind::Value, expression, message });
    }
}

fn is_contained(party: &Node) -> bool {
    party.text_at("reference").is_some_and(|link| link.starts_with('#'))
}

fn type_of(entry: &Node) -> Option<&str> {
    entry.member("resource")?.text_at("resourceType")
}

fn is_submission_set(entry: &Node) -> bool {
    let code = entry.member("resource").and_then(|list| list.member("code"));
    code.is_some_and(|code| {
        code.items_at("coding").iter().any(|coding| {
            coding.text_at("code") == Some("submissionset")
                && coding.text_at("system").is_none_or(|system| system == LIST_TYPES)
        })
    })
}
