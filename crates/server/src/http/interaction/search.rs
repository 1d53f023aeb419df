//! search of Binary, in DSTU2 and STU3: `GET [base]/Binary?...`, `POST [base]/Binary/_search`
//!
//! Clause: FHIR STU3 binary.html#search

use charta_fhir::{
    represent::{self, BundleLink, Page, Subset},
    search::{self, Purpose},
};
use charta_model::MediaType;
use http::{StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::{
    history::{contents, entries, page_length},
    page, prefer,
};
use crate::{
    clock,
    http::{answer::Answer, call::Call, ingest::IngestError, outcome::Refusal, respond},
};

/// Matches on a page when the client does not say.
const COUNT_DEFAULT: usize = 20;
/// Matches on a page at most.
const COUNT_MAX: usize = 100;
/// Bytes of a form at most.
const FORM_BYTES_MAX: usize = 64 << 10;

/// A search by URL.
///
/// # Errors
/// 400 for parameters that cannot be read or are not there.
pub async fn get(call: &Call<'_>) -> Result<Answer, Refusal> {
    search(call, call.parameters).await
}

/// A search by form; parameters of the URL count as well.
///
/// # Errors
/// 415 for another body, 413 for too large a form.
pub async fn post(call: &Call<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let form = call.header(&header::CONTENT_TYPE).and_then(|text| MediaType::new(text).ok());
    if form.is_none_or(|form| form.essence() != "application/x-www-form-urlencoded") {
        let text = "A search by POST has a body of the type application/x-www-form-urlencoded";
        return Err(IngestError::UnsupportedType(text).into());
    }
    let too_large = || Refusal::from(IngestError::TooLarge { limit_bytes: FORM_BYTES_MAX as u64 });
    let idle = std::time::Duration::from_secs(call.app.config.limits.body_idle_seconds);
    let form = tokio::time::timeout(idle, Limited::new(body, FORM_BYTES_MAX).collect())
        .await
        .map_err(|_| Refusal::from(IngestError::Slow))?
        .map_err(|_| too_large())?
        .to_bytes();
    let mut parameters = call.parameters.to_vec();
    parameters.extend(form_urlencoded::parse(&form).into_owned());
    search(call, &parameters).await
}

async fn search(call: &Call<'_>, parameters: &[(String, String)]) -> Result<Answer, Refusal> {
    const PATH: &str = "Binary";
    let fhir_type = call.wanted.resource()?;
    let strict = prefer::strict_handling(call.headers);
    let parameters: Vec<_> = parameters.to_vec();
    let searched: Vec<_> = parameters.iter().filter(|(name, _)| name != page::PARAMETER).cloned().collect();
    let purpose = Purpose::Search { strict, count_default: COUNT_DEFAULT, count_max: COUNT_MAX };
    let mut asked = search::binary(call.version(), &searched, purpose)?;
    let offset = page::place(call, PATH, &asked.used, &parameters)?.unwrap_or(0);
    asked.query.offset = offset;
    if asked.count_only {
        asked.query.limit = 0;
    }
    let subset = Subset { summary: asked.summary, elements: asked.elements };
    let found = call.lookup().search(&asked.query).await?;
    let drops = subset.drops_content(call.version());
    let size = |size_bytes: u64| if drops { 0 } else { size_bytes };
    let shown = page_length(found.matches.iter().map(|stored| {
        stored.document.description.as_ref().map_or(0, |description| size(description.size_bytes))
    }));
    let mut links = vec![BundleLink { relation: "self", url: page::self_link(call, PATH, &asked.used) }];
    let end = offset + shown as u64;
    if end < found.total && shown > 0 {
        links.push(BundleLink { relation: "next", url: page::link(call, PATH, &asked.used, end) });
    }
    let stored: Vec<_> = found.matches[..shown].iter().collect();
    let contents = contents(call, &stored, &subset).await?;
    let node = represent::searchset(
        call.version(),
        &Page {
            id: &clock::fresh_uuid(),
            timestamp: call.now,
            total: Some(found.total),
            links: &links,
            entries: &entries(call, &stored),
            subset: &subset,
        },
        None,
    );
    Ok(respond::fhir_with(call, StatusCode::OK, &fhir_type, &node, &contents))
}
