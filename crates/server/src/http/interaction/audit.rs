//! read and search of AuditEvents: out of the audit log, which no client changes.
//!
//! Clause: FHIR R4 auditevent.html#search

use charta_auth::Action;
use charta_fhir::{
    Node,
    represent::{self, BundleLink, Subset, audit_action, audit_outcome, audit_subtypes},
    search::{SearchError, date_range},
};
use charta_model::{
    ResourceId, Timestamp,
    audit::{AuditFilter, AuditQuery, Event, Interaction, Outcome},
};
use http::{Method, StatusCode};

use super::{page, prefer};
use crate::{
    clock,
    http::{answer::Answer, call::Call, outcome::Refusal, respond, target::Target},
};

const COUNT_DEFAULT: usize = 50;
const COUNT_MAX: usize = 500;
const ALLOW: &str = "GET, HEAD, OPTIONS";

/// Answers a request about AuditEvents.
///
/// # Errors
/// 405 for what would change them; 403 without a scope, and at open endpoints that are not recorded.
pub async fn audit(call: &Call<'_>) -> Result<Answer, Refusal> {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Refusal::MethodNotAllowed { allow: ALLOW.into() });
    }
    if !call.notes.active {
        return Err(Refusal::Forbidden);
    }
    match call.target {
        Target::Instance(_, id) => read(call, id).await,
        Target::Type(_) => search(call).await,
        _ => Err(Refusal::MethodNotAllowed { allow: ALLOW.into() }),
    }
}

async fn read(call: &Call<'_>, id: &ResourceId) -> Result<Answer, Refusal> {
    let fhir_type = call.wanted.resource()?;
    let number: u64 = id.as_str().parse().map_err(|_| Refusal::NotFound)?;
    let only = Some(number);
    let query = AuditQuery { tenant: String::new(), filters: Vec::new(), only, before: None, limit: 1 };
    let page = call.app.service.events(call.tenant, &call.grant, Action::Read, query).await?;
    let found =
        page.events.into_iter().find(|(found, _)| *found == number && id.as_str() == number.to_string());
    let (number, event) = found.ok_or(Refusal::NotFound)?;
    call.notes.patients(ResourceId::new(&event.patient).into_iter().collect());
    let node = shown(call, number, &event, &call.subset()?).ok_or(Refusal::NotFound)?;
    Ok(respond::fhir(call, StatusCode::OK, &fhir_type, &node))
}

fn shown(call: &Call<'_>, number: u64, event: &Event<'_>, subset: &Subset) -> Option<Node> {
    let origin = call.app.config.public_url.as_str();
    represent::audit_event(event, number, call.version(), subset, origin)
}

async fn search(call: &Call<'_>) -> Result<Answer, Refusal> {
    const PATH: &str = "AuditEvent";
    let fhir_type = call.wanted.resource()?;
    let asked = asked(call)?;
    let before = page::place(call, PATH, &asked.used, call.parameters)?;
    let query =
        AuditQuery { tenant: String::new(), filters: asked.filters, only: None, before, limit: asked.count };
    let found = call.app.service.events(call.tenant, &call.grant, Action::Search, query).await?;
    let mut links = vec![BundleLink { relation: "self", url: page::self_link(call, PATH, &asked.used) }];
    if let Some(next) = found.next {
        links.push(BundleLink { relation: "next", url: page::link(call, PATH, &asked.used, next) });
    }
    let mut entries = Vec::new();
    for (number, event) in &found.events {
        call.notes.patients(ResourceId::new(&event.patient).into_iter().collect());
        let resource = shown(call, *number, event, &Subset::default());
        entries.extend(resource.map(|resource| (format!("{}/{PATH}/{number}", call.base()), resource)));
    }
    let node = represent::searchset_of(call.version(), &clock::fresh_uuid(), call.now, &links, entries);
    Ok(respond::fhir(call, StatusCode::OK, &fhir_type, &node))
}

struct Asked {
    filters: Vec<AuditFilter>,
    used: Vec<(String, String)>,
    count: usize,
}

fn asked(call: &Call<'_>) -> Result<Asked, Refusal> {
    let mut asked = Asked { filters: Vec::new(), used: Vec::new(), count: COUNT_DEFAULT };
    for (name, value) in call.parameters {
        if matches!(name.as_str(), page::PARAMETER | "_format" | "_pretty") || value.is_empty() {
            continue;
        }
        match name.as_str() {
            "_count" => {
                let count: usize = value.parse().map_err(|_| bad(name, "it is no number"))?;
                asked.count = count.clamp(1, COUNT_MAX);
            }
            _ => match filter(name, value)? {
                Some(filter) => asked.filters.push(filter),
                None if prefer::strict_handling(call.headers) => {
                    return Err(bad(name, "AuditEvents are not searched by it"));
                }
                None => continue,
            },
        }
        asked.used.push((name.clone(), value.clone()));
    }
    Ok(asked)
}

/// The condition that a parameter makes; `None` for one that is not known.
fn filter(name: &str, value: &str) -> Result<Option<AuditFilter>, Refusal> {
    let values = || value.split(',').map(str::to_owned);
    let codes = || value.split(',').map(|token| token.rsplit('|').next().unwrap_or_default());
    Ok(Some(match name {
        "patient" | "patient:Patient" => {
            AuditFilter::Patient(values().map(|value| last(&value).to_owned()).collect())
        }
        "entity" => AuditFilter::Entity(values().map(|value| named(&value)).collect::<Result<_, _>>()?),
        "agent" => AuditFilter::Agent(values().collect()),
        "agent:identifier" => AuditFilter::Agent(codes().map(str::to_owned).collect()),
        "date" => dates(value)?,
        "action" => {
            AuditFilter::Interaction(interactions(|known| codes().any(|code| code == audit_action(known))))
        }
        "subtype" | "code" => AuditFilter::Interaction(interactions(|known| {
            codes().any(|code| audit_subtypes(known).contains(&code))
        })),
        "type" | "category" => AuditFilter::Interaction(interactions(|_| codes().any(|code| code == "rest"))),
        "outcome" => {
            let all = [Outcome::Success, Outcome::Refused, Outcome::Failed];
            let is_meant = |known: &Outcome| {
                let words = match known {
                    Outcome::Success => "success",
                    Outcome::Refused => "error",
                    Outcome::Failed => "fatal",
                };
                codes().any(|code| code == audit_outcome(*known) || code == words)
            };
            AuditFilter::Outcome(all.into_iter().filter(is_meant).collect())
        }
        name if name.contains(':') => return Err(bad(name, "the modifier is not supported")),
        _ => return Ok(None),
    }))
}

fn interactions(is_meant: impl Fn(Interaction) -> bool) -> Vec<Interaction> {
    Interaction::ALL.into_iter().filter(|known| is_meant(*known)).collect()
}

/// `Type/id`, also at the end of a URL and with a version.
fn named(value: &str) -> Result<(String, String), Refusal> {
    let value = value.split("/_history/").next().unwrap_or_default();
    let mut parts = value.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(id), Some(kind)) => Ok((kind.to_owned(), id.to_owned())),
        _ => Err(bad("entity", "a type and an id are needed, such as Binary/1")),
    }
}

fn last(value: &str) -> &str {
    value.rsplit('/').next().unwrap_or_default()
}

fn dates(value: &str) -> Result<AuditFilter, Refusal> {
    let (prefix, date) = match value.split_at_checked(2) {
        Some((prefix, date)) if prefix.bytes().all(|byte| byte.is_ascii_lowercase()) => (prefix, date),
        _ => ("eq", value),
    };
    let (from, to) = date_range(date).ok_or_else(|| bad("date", "it is no date"))?;
    Ok(match prefix {
        "eq" => AuditFilter::Recorded(from, to),
        "ne" => AuditFilter::NotRecorded(from, to),
        "ge" => AuditFilter::Recorded(from, Timestamp::MAX),
        "gt" | "sa" => AuditFilter::Recorded(to, Timestamp::MAX),
        "lt" | "eb" => AuditFilter::Recorded(Timestamp::MIN, from),
        "le" => AuditFilter::Recorded(Timestamp::MIN, to),
        _ => return Err(bad("date", "the prefix is not supported")),
    })
}

fn bad(parameter: &str, reason: &'static str) -> Refusal {
    Refusal::Search(SearchError::Value { parameter: parameter.to_owned(), reason })
}
