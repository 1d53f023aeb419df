//! Documents, advance directives, what they contain, and who recorded what.

use std::sync::Arc;

use charta_model::facts::{Concept, Content, Directive, Facts, Link, Note, Provenance};

use super::{links, read::At};

/// Codes of what is an advance directive.
const DIRECTIVES: [&str; 9] =
    ["42348-3", "84095-9", "81334-5", "75320-2", "86533-7", "92664-2", "64298-3", "93037-0", "acd"];

/// A document: an advance directive, or a note.
pub(super) fn document(facts: &mut Facts, at: At<'_>) {
    if !matches!(at.text("status").as_deref(), Some("current") | None) {
        return;
    }
    let kind = at.concept("type").unwrap_or_default();
    let categories = at.concepts("category");
    let context = at.at("context");
    let written = ["date", "indexed", "created"].iter().find_map(|name| at.moment(name));
    let contents = at.list("content").map(|at| content(at.at("attachment"))).collect();
    let author = at.link("author");
    let mut all = categories.iter().chain(std::iter::once(&kind));
    if all.any(|concept| concept.one_of(&DIRECTIVES).is_some()) {
        let verifiers = at.extensions("extension-DocumentReference.attester").filter_map(attester);
        facts.directives.push(Directive {
            origin: at.origin(),
            kind,
            value: None,
            period: context.period("period"),
            verifiers: verifiers
                .chain(at.list("attester").filter_map(|at| Some((at.link("party")?, at.moment("time")))))
                .collect(),
            custodian: at.link("custodian"),
            author,
            said: written,
            contents,
        });
        return;
    }
    facts.notes.push(Note {
        origin: at.origin(),
        kind,
        categories,
        title: at.text("description"),
        written,
        period: if at.at("period").is_there() { at.period("period") } else { context.period("period") },
        authors: at.links("author"),
        encounters: [context.links("encounter"), at.links("context")].concat(),
        contents,
    });
}

fn attester(at: At<'_>) -> Option<(Link, Option<charta_model::facts::Moment>)> {
    let part = |url: &str| at.list("extension").find(|at| at.text("url").as_deref() == Some(url));
    let time = part("time").and_then(|at| at.moment("valueDateTime"));
    Some((part("party")?.own_value()?.own_link()?, time))
}

/// An advance directive in the form of a consent.
pub(super) fn consent(facts: &mut Facts, at: At<'_>) {
    let kinds = at.concepts("category");
    let is_directive = kinds.iter().any(|kind| kind.one_of(&DIRECTIVES).is_some())
        || at.code("scope").as_deref() == Some("adr");
    if !is_directive || !matches!(at.text("status").as_deref(), Some("active") | None) {
        return;
    }
    facts.directives.push(Directive {
        origin: at.origin(),
        kind: kinds.into_iter().next().unwrap_or_default(),
        value: at.at("provision").concept("code"),
        period: at.at("provision").period("period"),
        verifiers: at
            .list("verification")
            .filter_map(|at| Some((at.link("verifiedWith")?, at.moment("verificationDate"))))
            .collect(),
        custodian: at.link("organization"),
        author: at.link("performer").or_else(|| at.link("grantor")),
        said: at.moment("dateTime").or_else(|| at.moment("date")),
        contents: at.list("sourceAttachment").map(content).collect(),
    });
}

/// An attachment.
pub(super) fn content(at: At<'_>) -> Content {
    Content {
        media_type: at.text("contentType"),
        base64: at.text("data"),
        url: at.text("url"),
        title: at.text("title"),
    }
}

/// A Binary.
pub(super) fn binary(at: At<'_>) -> Content {
    Content {
        media_type: at.text("contentType"),
        base64: at.text("data").or_else(|| at.text("content")),
        ..Content::default()
    }
}

/// Content that stands in another resource.
pub(super) fn linked(link: Option<Link>) -> Option<Content> {
    let link = link?;
    Some(Content { url: Some(link.target?), title: link.display, ..Content::default() })
}

/// Who recorded what it names.
pub(super) fn provenance(facts: &mut Facts, at: At<'_>) {
    let is_author =
        |at: &At<'_>| at.concepts("type").iter().chain(&at.concepts("role")).any(|kind| kind.has("author"));
    let agents: Vec<At<'_>> = at.list("agent").collect();
    let Some(agent) = agents.iter().find(|at| is_author(at)).or(agents.first()) else { return };
    let who = ["who", "whoReference", "actor"].iter().find_map(|name| agent.link(name));
    let organization = ["onBehalfOf", "onBehalfOfReference"].iter().find_map(|name| agent.link(name));
    let said = Arc::new(Provenance {
        recorded: at.moment("recorded"),
        author: who,
        organization,
        kind: agent.concept("type").and_then(|kind: Concept| kind.codings.into_iter().next()),
        identifiers: Vec::new(),
    });
    for target in at.list("target").filter_map(|at| at.text("reference")) {
        let link = Link { target: Some(links::target(&target, at.owner())), display: None };
        if let Some(key) = facts.key(&link).map(str::to_owned) {
            facts.provenances.entry(key).or_insert_with(|| Arc::clone(&said));
        }
    }
}
