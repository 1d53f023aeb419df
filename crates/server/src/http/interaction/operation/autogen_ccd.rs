//! `Binary/$autogen-ccd-if`: a CCD of a patient's record, made when it is asked for. Its answer is that of a read of a
//! Binary with the type `application/xml`. It is sent while it is made: no two sections are in memory at a time.
//!
//! Decisions 21 and 22.

use charta_auth::Making;
use charta_ccd::Request;
use charta_fhir::{Profile, Version, negotiate::Chosen, represent::OperationParameter};
use charta_model::{
    MediaType, ResourceId,
    facts::{Facts, Moment},
};
use http::Method;

use super::{
    Operation, Which, gather,
    on_demand::{self, CONTENT_TYPE, OnDemand, Place},
    parameters::{self, Fault, Given, Period, refused},
    persist,
};
use crate::{
    clock,
    config::Endpoint,
    http::{answer::Answer, call::Call, generated, outcome::Refusal},
};

pub(super) const OPERATION: Operation = Operation {
    which: Which::AutogenCcd,
    name: "autogen-ccd-if",
    kind: "Binary",
    instance: false,
    definition: "binary-autogen-ccd-if",
    title: "AutogenCcdIf",
    description: "Makes a Continuity of Care Document (C-CDA R2.1) of a patient's record.",
    is_offered,
    scopes: &["Binary.r", "DocumentReference.r"],
    affects_state: persist::is_offered,
    parameters: taken,
};

/// Whether an endpoint makes CCDs.
pub fn is_offered(endpoint: &Endpoint) -> bool {
    matches!(endpoint.profile, Profile::Standard | Profile::Millennium)
}

/// Decision 22: R4 and later.
fn takes_encounter(version: Version) -> bool {
    version.is_r4_or_later()
}

/// What may be asked for, and what comes of it.
pub fn taken(endpoint: &Endpoint) -> Vec<OperationParameter> {
    let of = |name, direction, min, kind, documentation| OperationParameter {
        name,
        direction,
        min,
        max: "1",
        kind,
        documentation,
    };
    let mut all = vec![
        of("patient", "in", 1, "Reference", "Whose record: an id, Patient/[id] or its URL."),
        of("start", "in", 0, "dateTime", "From when on; with a time. All until the end, if there is none."),
        of("end", "in", 0, "dateTime", "Until when; with a time. Now, if there is none."),
    ];
    if takes_encounter(endpoint.version) {
        all.push(of("encounter", "in", 0, "Reference", "Only this encounter."));
    }
    if persist::is_offered(endpoint) {
        all.push(of(
            "persist",
            "in",
            0,
            "boolean",
            "Whether the document is kept, with a DocumentReference.",
        ));
    }
    all.push(of("result", "out", 1, "Binary", "The document."));
    all
}

/// What is asked for.
pub struct Asked {
    /// Whose record.
    pub patient: ResourceId,
    /// Of which time.
    pub period: Period,
    /// Of which encounter alone.
    pub encounter: Option<ResourceId>,
    /// Whether it is to be kept.
    pub persist: bool,
}

impl Asked {
    fn of(call: &Call<'_>, given: &Given) -> Result<Self, Refusal> {
        let mut known = vec!["patient", "start", "end", "persist"];
        let mut encounter = None;
        if takes_encounter(call.version()) {
            known.push("encounter");
            let value = parameters::once(given, "encounter")?;
            encounter =
                value.map(|value| parameters::id(call, "encounter", "Encounter", value)).transpose()?;
        }
        parameters::check_known(call, given, &known)?;
        let persist = parameters::flag(given, "persist")?;
        if persist && !persist::is_offered(call.endpoint) {
            return Err(refused("persist", Fault::Unknown));
        }
        let (patient, period) = (parameters::patient(call, given)?, parameters::period(given)?);
        Ok(Self { patient, period, encounter, persist })
    }
}

/// The CCD of a patient.
///
/// # Errors
/// Those of [`asked`] and [`material`], and of keeping it.
pub async fn autogen_ccd(call: &Call<'_>, given: &Given) -> Result<Answer, Refusal> {
    let asked = asked(call, given)?;
    // To ask for the headers alone changes nothing.
    let persist = asked.persist && call.method != Method::HEAD;
    if persist {
        persist::check_scopes(call)?;
    }
    let content_type = content_type(CONTENT_TYPE)?;
    let (chosen, facts, request) = material(call, &asked, &content_type).await?;
    let begin = move || charta_ccd::Document::new(facts, request);
    if persist {
        return persist::kept(call, &asked, &content_type, begin).await;
    }
    generated::answer(call, &clock::fresh_id(), &content_type, &chosen, begin)
}

/// What is asked for.
///
/// # Errors
/// 403 without the scopes, 400 for parameters that cannot be read.
pub fn asked(call: &Call<'_>, given: &Given) -> Result<Asked, Refusal> {
    call.lookup().makes(Making::Content)?;
    Asked::of(call, given)
}

/// What the document is made of, and the form of an answer whose own type is `native`.
///
/// # Errors
/// 404 for a patient or an encounter that is not there for this caller, 406.
pub async fn material(
    call: &Call<'_>,
    asked: &Asked,
    native: &MediaType,
) -> Result<(Chosen, Facts, Request), Refusal> {
    let url = on_demand::url(call.base(), &asked.patient, &asked.period);
    let place = Place { url: &url, stored: None };
    let offer = OnDemand::new(&asked.patient, &asked.period, asked.encounter.as_ref(), &place, call.now);
    let lookup = call.lookup();
    let patient = lookup.patient_of_made(Making::Content, &asked.patient, &offer.subject()).await?;
    call.notes.patients(vec![asked.patient.clone()]);
    call.notes.document(&patient.document);
    let chosen = call.wanted.choose(native)?;
    let facts = gather::facts(call, &patient).await?;
    if let Some(encounter) = &asked.encounter {
        let key = format!("Encounter/{encounter}");
        if !facts.encounters.iter().any(|known| known.origin.key == key) {
            return Err(Refusal::NotFound);
        }
    }
    Ok((chosen, facts, request(call, asked)?))
}

/// A media type of ours.
///
/// # Errors
/// If it is none after all.
pub fn content_type(text: &'static str) -> Result<MediaType, Refusal> {
    MediaType::new(text).map_err(|_| Refusal::Internal("no media type"))
}

fn request(call: &Call<'_>, asked: &Asked) -> Result<Request, Refusal> {
    let time = Moment::new(&format!("{:.3}", call.now));
    Ok(Request {
        document_id: clock::fresh_uuid(),
        time: time.map_err(|_| Refusal::Internal("the clock gives no time"))?,
        namespace: format!("{}/{}", call.app.config.public_url, call.tenant),
        start: asked.period.start.clone(),
        end: asked.period.end.clone(),
        encounter: asked.encounter.as_ref().map(|id| format!("Encounter/{id}")),
        custodian: call.app.config.organizations.get(call.tenant).cloned().unwrap_or_default().custodian(),
        software: ("Charta".to_owned(), format!("Charta {}", env!("CARGO_PKG_VERSION"))),
    })
}
