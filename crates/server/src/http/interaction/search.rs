//! search: `GET [base]/[type]?...`, `POST [base]/[type]/_search`, of the system and of compartments
//!
//! Clause: FHIR R4 http.html#search

use std::{collections::HashSet, sync::Arc};

use charta_fhir::{
    Node,
    represent::{self, BundleLink, Page, Subset},
    search::{self, Among, Include, Purpose},
};
use charta_model::{Filter, MediaType, ReferenceMatch, ResourceId, ResourceType};
use charta_store::{Content, Stored};
use http::{StatusCode, header};

use super::{
    history::{contents, entries, page_length, size_bytes},
    operation, page, prefer, rules,
    rules::missing_status,
};
use crate::http::request_body::RequestBody;
use crate::{
    clock,
    http::{
        answer::Answer,
        audit,
        call::Call,
        ingest::{self, IngestError},
        outcome::Refusal,
        respond,
    },
};

/// Most bytes of a search by form.
const FORM_BYTES_MAX: u64 = 64 * 1024;
/// Most resources that come along with a page.
const INCLUDED_MAX: usize = 1000;
/// How often what came along brings along more.
const ROUNDS_MAX: usize = 4;

/// What is searched.
struct Searched {
    /// Below the base, for links.
    path: String,
    kinds: Vec<ResourceType>,
    /// Conditions that the path makes.
    within: Vec<Filter>,
}

/// A search of a type by URL.
///
/// # Errors
/// 400 for parameters that cannot be read or are not there.
pub async fn get(call: &Call<'_>, kind: &ResourceType) -> Result<Answer, Refusal> {
    search(call, of_type(kind), call.parameters).await
}

/// The same by form; parameters of the URL count as well.
///
/// # Errors
/// 415 for another body, 413 for too large a form.
pub async fn post(call: &Call<'_>, kind: &ResourceType, body: RequestBody) -> Result<Answer, Refusal> {
    let parameters = form(call, body).await?;
    search(call, of_type(kind), &parameters).await
}

/// A search among all types, or those that `_type` names.
///
/// # Errors
/// As of a type.
pub async fn of_system(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (searched, parameters) = among_types(call, call.parameters.to_vec())?;
    search(call, searched, &parameters).await
}

/// The same by form.
///
/// # Errors
/// As of a type.
pub async fn of_system_by_post(call: &Call<'_>, body: RequestBody) -> Result<Answer, Refusal> {
    let (searched, parameters) = among_types(call, form(call, body).await?)?;
    search(call, searched, &parameters).await
}

/// A search among what belongs to a patient or an encounter.
///
/// # Errors
/// 404 if there is no such compartment, or no such patient.
///
/// Clause: FHIR R4 compartmentdefinition.html
pub async fn of_compartment(
    call: &Call<'_>,
    of: &ResourceType,
    id: &ResourceId,
    kind: Option<&ResourceType>,
) -> Result<Answer, Refusal> {
    search(call, compartment(call, of, id, kind).await?, call.parameters).await
}

/// The same by form.
///
/// # Errors
/// The same.
pub async fn of_compartment_by_post(
    call: &Call<'_>,
    of: &ResourceType,
    id: &ResourceId,
    kind: Option<&ResourceType>,
    body: RequestBody,
) -> Result<Answer, Refusal> {
    let parameters = form(call, body).await?;
    search(call, compartment(call, of, id, kind).await?, &parameters).await
}

fn of_type(kind: &ResourceType) -> Searched {
    Searched { path: kind.as_str().to_owned(), kinds: vec![kind.clone()], within: Vec::new() }
}

/// All types that the version has and that are searched.
pub fn searched_types(call: &Call<'_>) -> Vec<ResourceType> {
    let known = call.version().definitions().resources().filter_map(|of| ResourceType::new(of.name).ok());
    known
        .filter(|kind| {
            !kind.is_binary()
                && *kind != ResourceType::AUDIT_EVENT
                && super::Offered::at(call, Some(kind)).search
        })
        .collect()
}

type Parameters = Vec<(String, String)>;

/// Clause: FHIR STU3 search.html#all
fn among_types(call: &Call<'_>, parameters: Parameters) -> Result<(Searched, Parameters), Refusal> {
    let all = searched_types(call);
    let named = parameters.iter().filter(|(name, _)| name == "_type").flat_map(|(_, value)| value.split(','));
    let named: Vec<&str> = named.filter(|name| !name.is_empty()).collect();
    let kinds: Vec<_> = match named.is_empty() {
        true => all,
        false => all.into_iter().filter(|kind| named.contains(&kind.as_str())).collect(),
    };
    if kinds.len() < named.len() {
        return Err(Refusal::Search(search::SearchError::Value {
            parameter: "_type".into(),
            reason: "it names a type that is not searched here",
        }));
    }
    Ok((Searched { path: String::new(), kinds, within: Vec::new() }, parameters))
}

async fn compartment(
    call: &Call<'_>,
    of: &ResourceType,
    id: &ResourceId,
    kind: Option<&ResourceType>,
) -> Result<Searched, Refusal> {
    let definitions = call.version().definitions();
    let parameters = |kind: &ResourceType| definitions.compartment(of.as_str(), kind.as_str());
    let kinds: Vec<ResourceType> = match kind {
        Some(kind) => vec![kind.clone()],
        None => searched_types(call).into_iter().filter(|kind| !parameters(kind).is_empty()).collect(),
    };
    if kinds.iter().all(|kind| parameters(kind).is_empty()) {
        return Err(Refusal::NotFound);
    }
    call.lookup().read(of, id).await?;
    let mut names: Vec<&'static str> =
        kinds.iter().flat_map(|kind| parameters(kind).iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let to = vec![ReferenceMatch::Local(Some(of.clone()), id.clone())];
    let any = names.into_iter().map(|name| Filter::Reference(name.into(), to.clone())).collect();
    let path = format!("{of}/{id}/{}", kind.map_or("*", ResourceType::as_str));
    Ok(Searched { path, kinds, within: vec![Filter::Any(any)] })
}

/// The parameters of the URL and of the form in the body.
///
/// # Errors
/// 415 for another body, 413 for too large a form.
pub async fn form(call: &Call<'_>, body: RequestBody) -> Result<Parameters, Refusal> {
    let form = call.header(&header::CONTENT_TYPE).and_then(|text| MediaType::new(text).ok());
    if form.is_none_or(|form| form.essence() != "application/x-www-form-urlencoded") {
        let text = "A search by POST has a body of the type application/x-www-form-urlencoded";
        return Err(IngestError::UnsupportedType(text).into());
    }
    let form = ingest::collect(&call.app.config.limits, FORM_BYTES_MAX, call.headers, body).await?;
    call.notes.form(&form);
    let mut parameters = call.parameters.to_vec();
    parameters.extend(form_urlencoded::parse(&form).into_owned());
    Ok(parameters)
}

/// The searchset of a type, for an entry of a Bundle.
///
/// # Errors
/// As of a search by itself.
pub async fn searchset(call: &Call<'_>, kind: &ResourceType) -> Result<(Node, Vec<Content>), Refusal> {
    found(call, of_type(kind), call.parameters).await
}

async fn search(
    call: &Call<'_>,
    searched: Searched,
    parameters: &[(String, String)],
) -> Result<Answer, Refusal> {
    let fhir_type = call.wanted.resource()?;
    let (node, contents) = found(call, searched, parameters).await?;
    Ok(respond::fhir_with(call, StatusCode::OK, &fhir_type, node, &contents))
}

async fn found(
    call: &Call<'_>,
    searched: Searched,
    parameters: &[(String, String)],
) -> Result<(Node, Vec<Content>), Refusal> {
    let rules = rules::search::of(call, &searched.kinds);
    rules.check(parameters)?;
    let strict = rules.strict || prefer::strict_handling(call.headers);
    let own = [page::PARAMETER, "_method", "_type"];
    let asked_for: Vec<_> =
        parameters.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    let bases = call.bases();
    let among = Among { version: call.version(), kinds: &searched.kinds, bases: &bases };
    let purpose = Purpose::Search { strict, count_default: rules.count_default, count_max: rules.count_max };
    let mut asked = search::resources(among, &asked_for, purpose)?;
    asked
        .used
        .extend(parameters.iter().filter(|(name, _)| name == "_type" && searched.path.is_empty()).cloned());
    let path = &searched.path;
    let offset = page::place(call, path, &asked.used, parameters)?.unwrap_or(0);
    // What is made on demand stands before what is stored.
    let made = operation::in_search(call, &searched.kinds, &asked.used).await?;
    let made_here = made.iter().filter(|_| offset == 0 && asked.query.limit > 0 && !asked.count_only);
    let (made_total, made_here) = (made.iter().count(), made_here.collect::<Vec<_>>());
    asked.query.offset = offset.saturating_sub(made_total as u64);
    asked.query.limit -= made_here.len();
    asked.query.filters.extend(searched.within);
    if asked.count_only {
        asked.query.limit = 0;
    }
    let subset = Subset { summary: asked.summary, elements: asked.elements };
    let found = call.lookup().search(&asked.query).await?;
    rules.check_total(found.total)?;
    let shown = page_length(found.matches.iter().map(|stored| size_bytes(call, stored, &subset)));
    let mut links = vec![BundleLink { relation: "self", url: page::self_link(call, path, &asked.used) }];
    let total = found.total + made_total as u64;
    let end = offset + (made_here.len() + shown) as u64;
    if end < total && end > offset {
        links.push(BundleLink { relation: "next", url: page::link(call, path, &asked.used, end) });
    }
    let matches = &found.matches[..shown];
    rules.check_includes(call, &asked.includes)?;
    let included = included(call, matches, &asked.includes).await?;
    let concerned: Vec<_> = matches.iter().chain(&included).collect();
    audit::found(call, &concerned).await?;
    let stored: Vec<_> = matches.iter().collect();
    let contents = contents(call, &stored, &subset).await?;
    let made =
        made_here.into_iter().filter_map(|document| operation::on_demand_entry(call, document, &subset));
    let mut entries: Vec<_> = made.chain(entries(call, &stored, &subset)).collect();
    for stored in &included {
        let resource = represent::shown(&stored.document, call.version(), &subset, call.base(), 0);
        let full_url = call.url(&stored.document);
        entries.push(represent::Entry { document: &stored.document, full_url, resource, mode: "include" });
    }
    missing_status::suppress(call, &mut entries);
    let id = clock::fresh_uuid();
    let total = (!asked.query.uncounted).then_some(total);
    let page = Page { id: &id, timestamp: call.now, total, links: &links, entries };
    Ok((represent::searchset(call.version(), page, None), contents))
}

/// What comes along with the matches of a page, each once.
///
/// Clause: FHIR R4 search.html#include
async fn included(
    call: &Call<'_>,
    matches: &[Arc<Stored>],
    includes: &[Include],
) -> Result<Vec<Arc<Stored>>, Refusal> {
    let key = |stored: &Arc<Stored>| (stored.document.kind.clone(), stored.document.id.clone());
    let mut known: HashSet<_> = matches.iter().map(key).collect();
    let mut latest: Vec<_> = known.iter().cloned().collect();
    let mut found = Vec::new();
    for round in 0..ROUNDS_MAX {
        let mut next = Vec::new();
        for include in includes.iter().filter(|include| round == 0 || include.iterate) {
            let more = one_include(call, include, &latest).await?;
            for stored in more {
                let is_shown =
                    search::scope(call.version(), &stored.document.kind).dialect.is_none_or(|dialect| {
                        stored.document.source().is_some_and(|source| source.dialect == dialect)
                    });
                if is_shown && found.len() < INCLUDED_MAX && known.insert(key(&stored)) {
                    next.push(key(&stored));
                    found.push(stored);
                }
            }
        }
        if next.is_empty() {
            break;
        }
        latest = next;
    }
    Ok(found)
}

async fn one_include(
    call: &Call<'_>,
    include: &Include,
    of: &[(ResourceType, ResourceId)],
) -> Result<Vec<Arc<Stored>>, Refusal> {
    let lookup = call.lookup();
    if include.reverse {
        let to: Vec<_> = of
            .iter()
            .filter(|(kind, _)| include.target.as_ref().is_none_or(|target| target == kind))
            .cloned()
            .collect();
        let scope = search::scope(call.version(), &include.source);
        return Ok(lookup.referring(&to, &scope, include.parameter, INCLUDED_MAX).await?);
    }
    let from: Vec<_> = of.iter().filter(|(kind, _)| *kind == include.source).cloned().collect();
    Ok(lookup.references(&from, include.parameter, include.target.as_ref()).await?)
}
