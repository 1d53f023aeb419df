//! `DocumentReference/$docref`: the documents that summarize a patient's record, the one that is made on demand among
//! them. An unknown patient has none.
//!
//! Decision 23.

use std::{collections::HashSet, sync::Arc};

use charta_auth::{Action, Making, covers};
use charta_fhir::{
    Profile, Version,
    represent::{self, BundleLink, OperationParameter, Page, Subset},
    search::{self, Among, Purpose},
};
use charta_model::{ResourceId, ResourceType};
use charta_service::ReadError;
use charta_store::Stored;
use http::StatusCode;

use super::{
    Operation, Which, autogen_ccd,
    on_demand::{self, OnDemand, Place, TYPE},
    parameters::{self, Fault, Given, Period, refused},
};
use crate::{
    clock,
    config::Endpoint,
    http::{
        answer::Answer,
        audit,
        call::Call,
        interaction::{history, page},
        outcome::Refusal,
        respond,
    },
};

pub(super) const OPERATION: Operation = Operation {
    which: Which::Docref,
    name: "docref",
    kind: "DocumentReference",
    instance: false,
    definition: "documentreference-docref",
    title: "Docref",
    description: "Finds the documents that summarize a patient's record, also the one that is made on demand.",
    is_offered: |endpoint| endpoint.profile != Profile::CareConnect,
    scopes: &["DocumentReference.rs"],
    affects_state: |_| false,
    parameters: taken,
};

const PATH: &str = "DocumentReference/$docref";
/// Most stored documents of one answer.
const STORED_MAX: usize = 500;

fn taken(endpoint: &Endpoint) -> Vec<OperationParameter> {
    let of = |name, direction, (min, max), kind, documentation| OperationParameter {
        name,
        direction,
        min,
        max,
        kind,
        documentation,
    };
    let coding = u64::from(needs_type(endpoint));
    vec![
        of("patient", "in", (1, "1"), "id", "Whose documents: an id, Patient/[id] or its URL."),
        of("start", "in", (0, "1"), "dateTime", "Care from when on; with a time."),
        of("end", "in", (0, "1"), "dateTime", "Care until when; with a time."),
        of(
            "type",
            "in",
            (coding, "*"),
            "Coding",
            "Types of documents, as system|code; CCDs if there is none.",
        ),
        of("on-demand", "in", (0, "1"), "boolean", "Only documents that are made on demand."),
        of(
            "return",
            "out",
            (1, "1"),
            "Bundle",
            "DocumentReferences; without start and end the newest of each type.",
        ),
    ]
}

/// Decision 23.
fn needs_type(endpoint: &Endpoint) -> bool {
    endpoint.profile == Profile::Millennium && endpoint.version == Version::Dstu2
}

/// What is asked for.
struct Asked {
    patient: ResourceId,
    period: Period,
    types: Vec<String>,
    only_on_demand: bool,
}

impl Asked {
    fn of(call: &Call<'_>, given: &Given) -> Result<Self, Refusal> {
        let known = ["patient", "start", "end", "type", "on-demand", "profile"];
        parameters::check_known(call, given, &known)?;
        let only_on_demand = parameters::flag(given, "on-demand")?;
        let (patient, period) = (parameters::patient(call, given)?, parameters::period(given)?);
        Ok(Self { patient, period, types: types(call, given)?, only_on_demand })
    }

    /// Whether a CCD is among what is asked for.
    fn has_ccd(&self) -> bool {
        self.types.is_empty() || self.types.iter().any(|token| on_demand::is_type(token))
    }

    fn is_of_any_time(&self) -> bool {
        self.period.start.is_none() && self.period.end.is_none()
    }
}

fn types(call: &Call<'_>, given: &Given) -> Result<Vec<String>, Refusal> {
    let types: Vec<String> =
        parameters::all(given, "type").flat_map(|value| value.split(',')).map(str::to_owned).collect();
    let is_whole = |token: &String| {
        token.split_once('|').is_some_and(|(system, code)| !system.is_empty() && !code.is_empty())
    };
    match call.profile() {
        _ if types.is_empty() && needs_type(call.endpoint) => Err(refused("type", Fault::Missing)),
        Profile::Millennium if !types.iter().all(is_whole) => {
            Err(refused("type", Fault::Value("system|code is expected")))
        }
        _ => Ok(types),
    }
}

/// The documents that fit.
///
/// # Errors
/// 403 without a scope, 400 for parameters that cannot be read, 406.
pub async fn docref(call: &Call<'_>, given: &Given) -> Result<Answer, Refusal> {
    if !covers(&call.grant, Action::Search, &ResourceType::DOCUMENT_REFERENCE) {
        return Err(Refusal::Forbidden);
    }
    let asked = Asked::of(call, given)?;
    let fhir_type = call.wanted.resource()?;
    call.notes.patients(vec![asked.patient.clone()]);
    let (made, stored) = match offer(call, &asked).await? {
        Offer::NobodysRecord => (None, Vec::new()),
        Offer::None => (None, stored(call, &asked, false).await?),
        Offer::Made(offer) => (Some(offer.into_document(call.now)), stored(call, &asked, true).await?),
    };
    let stored: Vec<_> = stored.iter().collect();
    audit::found(call, &stored).await?;
    let whole = Subset::default();
    let mut entries: Vec<_> =
        made.iter().filter_map(|document| on_demand::entry(call, document, &whole)).collect();
    entries.extend(history::entries(call, &stored, &whole));
    let used: Vec<_> = given.iter().filter(|(name, _)| !name.starts_with('_')).cloned().collect();
    let links = [BundleLink { relation: "self", url: page::self_link(call, PATH, &used) }];
    let (id, total) = (clock::fresh_uuid(), Some(entries.len() as u64));
    let page = Page { id: &id, timestamp: call.now, total, links: &links, entries };
    let node = represent::searchset(call.version(), page, None);
    Ok(respond::fhir(call, StatusCode::OK, &fhir_type, &node))
}

/// Whether there is a document on demand for the caller.
enum Offer {
    /// For this caller there is no such patient.
    NobodysRecord,
    /// None that was asked for.
    None,
    Made(Box<OnDemand>),
}

async fn offer(call: &Call<'_>, asked: &Asked) -> Result<Offer, Refusal> {
    let url = on_demand::url(call.base(), &asked.patient, &asked.period);
    let place = Place { url: &url, stored: None };
    let offer = OnDemand::new(&asked.patient, &asked.period, None, &place, call.now);
    let found = call.lookup().patient_of_made(Making::Reference, &asked.patient, &offer.subject()).await;
    match found {
        Ok(_) if asked.has_ccd() && autogen_ccd::is_offered(call.endpoint) => {
            Ok(Offer::Made(Box::new(offer)))
        }
        Ok(_) | Err(ReadError::Forbidden) => Ok(Offer::None),
        Err(ReadError::NotFound | ReadError::Gone { .. }) => Ok(Offer::NobodysRecord),
        Err(ReadError::Store(error)) => Err(Refusal::Store(error)),
    }
}

/// Stored documents: of a time all that overlap it, else the newest of each type. What is made on demand is newer than
/// any stored CCD.
async fn stored(call: &Call<'_>, asked: &Asked, is_made: bool) -> Result<Vec<Arc<Stored>>, Refusal> {
    if asked.only_on_demand {
        return Ok(Vec::new());
    }
    let ccd = format!("{}|{}", TYPE.0, TYPE.1);
    let types = if asked.types.is_empty() { vec![ccd] } else { asked.types.clone() };
    let mut found = Vec::new();
    if asked.is_of_any_time() {
        for token in types.iter().filter(|token| !(is_made && on_demand::is_type(token))) {
            found.extend(search(call, &asked.patient, token, Vec::new(), 1).await?);
        }
    } else {
        // A document that does not say which time it is about is as old as it is.
        for (name, more) in [("period", None), ("date", Some(("period:missing", "true".to_owned())))] {
            let start = asked.period.start.iter().map(|start| (name, format!("ge{start}")));
            let end = asked.period.end.iter().map(|end| (name, format!("le{end}")));
            let when = start.chain(end).chain(more).collect();
            found.extend(search(call, &asked.patient, &types.join(","), when, STORED_MAX).await?);
        }
    }
    let mut known = HashSet::new();
    found.retain(|stored: &Arc<Stored>| known.insert(stored.document.id.clone()));
    Ok(found)
}

/// The newest documents of these types, in the words of R4, which the index has for every version.
async fn search(
    call: &Call<'_>,
    patient: &ResourceId,
    types: &str,
    when: Vec<(&str, String)>,
    count: usize,
) -> Result<Vec<Arc<Stored>>, Refusal> {
    let kinds = [ResourceType::DOCUMENT_REFERENCE];
    let fixed = [
        ("patient", patient.to_string()),
        ("type", types.to_owned()),
        ("status", "current".to_owned()),
        ("_sort", "-date".to_owned()),
    ];
    let parameters: Vec<_> =
        fixed.into_iter().chain(when).map(|(name, value)| (name.to_owned(), value)).collect();
    let bases = call.bases();
    let among = Among { version: Version::R4, kinds: &kinds, bases: &bases };
    let purpose = Purpose::Search { strict: true, count_default: count, count_max: count };
    let mut asked = search::resources(among, &parameters, purpose)?;
    asked.query.uncounted = true;
    Ok(call.lookup().search(&asked.query).await?.matches)
}
