//! What Millennium takes of a DocumentReference: the fields that its clients know, and what they may say. Elements
//! beyond them are kept, as everywhere here (decision 14 of the specification); Millennium's pages say both that they
//! are ignored and that they are refused.
//!
//! On an open endpoint nobody is known, so what a system may send holds.

#[cfg(test)]
mod tests;

use charta_fhir::{Node, Version, represent::IssueCode};
use charta_model::{MediaType, Timestamp};

use crate::http::media;

/// Millennium's own codes of document types, below its tenant.
const OWN_TYPES: (&str, &str) = ("https://fhir.cerner.com/", "/codeSet/72");
const LOINC: &str = "http://loinc.org";

/// What R4 takes beside PDF. `text/xml` is in an example of the source and not in its list.
const TEXTS: [&str; 7] = [
    "text/plain",
    "text/richtext",
    "text/rtf",
    "text/html",
    "text/xml",
    "application/xml",
    "application/xhtml+xml",
];
const XHTML: &str = "application/xhtml+xml";

/// A rule that a resource breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What kind of fault.
    pub code: IssueCode,
    /// The element.
    pub expression: String,
    /// A sentence for the client.
    pub text: &'static str,
}

/// Every rule that a DocumentReference breaks. `original` is the current version, if it is an update;
/// `relative` makes a reference to this server relative.
///
/// The resource is valid FHIR of `version`, DSTU2 or R4.
pub fn broken(
    resource: &Node,
    version: Version,
    original: Option<&Node>,
    relative: &dyn Fn(&str) -> String,
) -> Vec<Broken> {
    let mut check = Check { broken: Vec::new(), original, relative };
    check.modifiers(resource, "DocumentReference", version);
    check.status(resource, version);
    check.people(resource, version);
    check.kind(resource, version);
    check.content(resource, version);
    check.context(resource, version);
    if let Some(original) = original {
        check.unchanged(resource, original);
    }
    check.broken
}

/// Either status that says so makes the whole document entered in error.
pub fn settle_status(resource: &mut Node) {
    let wrong = ["status", "docStatus"].map(|name| resource.text_at(name) == Some("entered-in-error"));
    if wrong.contains(&true) {
        resource.set("status", Node::text("entered-in-error"));
        resource.set("docStatus", Node::text("entered-in-error"));
    }
}

struct Check<'a> {
    broken: Vec<Broken>,
    original: Option<&'a Node>,
    relative: &'a dyn Fn(&str) -> String,
}

impl Check<'_> {
    fn add(&mut self, code: IssueCode, element: &str, text: &'static str) {
        self.broken.push(Broken { code, expression: format!("DocumentReference.{element}"), text });
    }

    fn rule(&mut self, element: &str, text: &'static str) {
        self.add(IssueCode::BusinessRule, element, text);
    }

    /// What would change the meaning of something and is not understood.
    fn modifiers(&mut self, node: &Node, path: &str, version: Version) {
        let Node::Object(members) = node else { return };
        for (name, value) in members {
            let place = format!("{path}.{name}");
            let mut refused = |code, text| self.broken.push(Broken { code, expression: place.clone(), text });
            match &**name {
                "modifierExtension" => refused(IssueCode::Extension, "modifierExtension is not supported"),
                "implicitRules" => refused(IssueCode::NotSupported, "implicitRules is not supported"),
                "relatesTo" if version == Version::Dstu2 => {
                    refused(IssueCode::NotSupported, "relatesTo is not supported");
                }
                _ => match value {
                    Node::Array(items) => {
                        let items = items.iter().enumerate();
                        items.for_each(|(n, item)| self.modifiers(item, &format!("{place}[{n}]"), version));
                    }
                    value => self.modifiers(value, &place, version),
                },
            }
        }
    }

    fn status(&mut self, resource: &Node, version: Version) {
        let is_update = self.original.is_some();
        match resource.text_at("status") {
            Some("current") => {}
            Some("entered-in-error") if is_update => {}
            _ if is_update => self.rule("status", "status is current or entered-in-error"),
            _ => self.rule("status", "status is current"),
        }
        match doc_status(resource, version) {
            None if version == Version::Dstu2 => {}
            None => self.add(IssueCode::Required, "docStatus", "docStatus is required"),
            Some("final") => {}
            Some("amended") if version != Version::Dstu2 => {}
            Some("entered-in-error") if is_update => {}
            Some(_) if is_update => {
                self.rule("docStatus", "docStatus is final, amended or entered-in-error");
            }
            Some(_) if version == Version::Dstu2 => self.rule("docStatus", "docStatus is final"),
            Some(_) => self.rule("docStatus", "docStatus is final or amended"),
        }
    }

    fn people(&mut self, resource: &Node, version: Version) {
        match resource.member("subject") {
            None => self.add(IssueCode::Required, "subject", "subject is required"),
            Some(subject) if refers_to(subject, "Patient") => {}
            Some(_) => self.rule("subject", "subject is a reference to a Patient"),
        }
        let authors = resource.items_at("author");
        if version == Version::Dstu2 {
            if authors.len() > 1 {
                self.rule("author", "at most one author is supported");
            }
            return;
        }
        if !authors.iter().all(|author| refers_to(author, "Practitioner")) {
            self.rule("author", "an author is a reference to a Practitioner");
        }
        if resource.member("authenticator").is_some_and(|by| !refers_to(by, "Practitioner")) {
            self.rule("authenticator", "authenticator is a reference to a Practitioner");
        }
    }

    fn kind(&mut self, resource: &Node, version: Version) {
        // The page of DSTU2 says no more than that there is a type, and FHIR says that already.
        if version == Version::Dstu2 {
            return;
        }
        let codings = resource.member("type").map_or(&[][..], |kind| kind.items_at("coding"));
        let system = |coding: &Node| coding.text_at("system").unwrap_or_default().to_owned();
        let is_own = |coding: &&Node| {
            let rest = system(coding);
            let rest = rest.strip_prefix(OWN_TYPES.0).and_then(|rest| rest.strip_suffix(OWN_TYPES.1));
            rest.is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/'))
        };
        let own = codings.iter().filter(is_own).count();
        let loinc = codings.iter().filter(|coding| system(coding) == LOINC).count();
        match (own, loinc, codings.len()) {
            (_, _, 0) => self.add(IssueCode::Required, "type", "type is required, with a coding"),
            (1, 0, 1) => {}
            (0, loinc, all) if loinc == all => {}
            _ => self.rule("type", "type has codings of LOINC, or one of codeSet/72, and no others"),
        }
    }

    fn content(&mut self, resource: &Node, version: Version) {
        let [content] = resource.items_at("content") else {
            return self.rule("content", "exactly one content is supported");
        };
        let Some(attachment) = content.member("attachment") else { return };
        match attachment.text_at("contentType") {
            None => {
                let text = "an attachment needs a contentType";
                self.add(IssueCode::Required, "content[0].attachment.contentType", text);
            }
            Some(given) if is_taken(given, version) => {}
            Some(_) if version == Version::Dstu2 => {
                let text = "contentType is application/xhtml+xml;charset=utf-8";
                self.rule("content[0].attachment.contentType", text);
            }
            Some(_) => self.rule(
                "content[0].attachment.contentType",
                "contentType is application/pdf, or with charset=utf-8 one of text/plain, text/richtext, text/rtf, \
                 text/html, text/xml, application/xml and application/xhtml+xml",
            ),
        }
        match (attachment.text_at("data"), attachment.text_at("url")) {
            (Some(_), None) => {}
            // What was read is written back with another status.
            (None, Some(url)) if self.is_original_content(url) => {}
            (None, _) => {
                self.add(IssueCode::Required, "content[0].attachment.data", "an attachment needs data");
            }
            (Some(_), Some(_)) => {
                self.rule("content[0].attachment.url", "an attachment has data, and no url")
            }
        }
        if attachment.text_at("creation").is_some_and(|creation| !has_time(creation)) {
            self.rule("content[0].attachment.creation", "creation needs a time");
        }
    }

    fn is_original_content(&self, url: &str) -> bool {
        let contents = self.original.map_or(&[][..], |original| original.items_at("content"));
        let urls = contents.iter().filter_map(|content| content.member("attachment")?.text_at("url"));
        urls.map(self.relative).any(|known| known == (self.relative)(url))
    }

    fn context(&mut self, resource: &Node, version: Version) {
        let context = resource.member("context");
        if version == Version::Dstu2 {
            if context.and_then(|context| context.member("encounter")).is_none() {
                self.add(IssueCode::Required, "context.encounter", "context.encounter is required");
            }
            return;
        }
        if context.is_some_and(|context| context.items_at("encounter").len() > 1) {
            self.rule("context.encounter", "at most one encounter is supported");
        }
        match context.and_then(|context| context.member("period")).and_then(|period| period.text_at("end")) {
            None => self.add(IssueCode::Required, "context.period.end", "context.period.end is required"),
            Some(end) if has_time(end) => {}
            Some(_) => self.rule("context.period.end", "context.period.end needs a time"),
        }
    }

    fn unchanged(&mut self, resource: &Node, original: &Node) {
        let place = |reference: Option<&Node>| reference?.text_at("reference").map(self.relative);
        let patient = |of: &Node| place(of.member("subject"));
        let encounter = |of: &Node| place(of.member("context")?.items_at("encounter").first());
        let same_patient = patient(resource) == patient(original);
        let same_encounter = encounter(resource) == encounter(original);
        if !same_patient {
            self.rule("subject", "the patient of a document cannot change");
        }
        if !same_encounter {
            self.rule("context.encounter", "the encounter of a document cannot change");
        }
        if let (Some(now), Some(before)) = (creation(resource), creation(original))
            && now < before
        {
            self.rule("content[0].attachment.creation", "creation cannot be before that of the document");
        }
    }
}

/// In DSTU2 a CodeableConcept.
fn doc_status(resource: &Node, version: Version) -> Option<&str> {
    if version != Version::Dstu2 {
        return resource.text_at("docStatus");
    }
    let status = resource.member("docStatus")?;
    Some(status.items_at("coding").iter().find_map(|coding| coding.text_at("code")).unwrap_or_default())
}

fn refers_to(reference: &Node, kind: &str) -> bool {
    let Some(text) = reference.text_at("reference") else { return false };
    let text = text.split_once("/_history/").map_or(text, |(of, _)| of);
    let mut segments = text.rsplit('/');
    segments.next().is_some_and(|id| !id.is_empty()) && segments.next() == Some(kind)
}

fn is_taken(content_type: &str, version: Version) -> bool {
    let Ok(given) = MediaType::new(content_type) else { return false };
    let utf8 = media::parameter(&given, "charset").is_some_and(|set| set.eq_ignore_ascii_case("utf-8"));
    match given.essence() {
        XHTML => utf8,
        _ if version == Version::Dstu2 => false,
        "application/pdf" => true,
        essence => TEXTS.contains(&essence) && utf8,
    }
}

fn has_time(date: &str) -> bool {
    date.contains('T')
}

/// When the content was made; a day begins at midnight.
fn creation(resource: &Node) -> Option<Timestamp> {
    let text = resource.items_at("content").first()?.member("attachment")?.text_at("creation")?;
    let text = if has_time(text) { text.to_owned() } else { format!("{text}T00:00:00Z") };
    text.parse().ok()
}
