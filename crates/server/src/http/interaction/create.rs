//! create and conditional create: `POST [base]/[type]`
//!
//! Clause: FHIR R4 http.html#create

use charta_model::{Intent, Query, ResourceType};
use http::HeaderName;

use super::{
    publish, rules,
    state::{self, Conditions, carry_out, criteria, prepared, submitted},
};
use crate::http::request_body::RequestBody;
use crate::{
    clock,
    http::{answer::Answer, call::Call, outcome::Refusal},
};

static IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// Stores the body as a new document under an id of ours; one inside the body is ignored.
///
/// # Errors
/// Those of the body; 412 if `If-None-Exist` matches several documents.
pub async fn create(call: &Call<'_>, kind: &ResourceType, body: RequestBody) -> Result<Answer, Refusal> {
    let fresh = clock::fresh_id();
    let criteria = match call.header(&IF_NONE_EXIST) {
        None => None,
        Some(text) => Some(if_none_exist(call, kind, text)?),
    };
    let submitted = match publish::is_offered(call, kind) {
        false => submitted(call, kind, &fresh, &rules::write::of_create(call), body).await?,
        true => {
            let resource = state::resource(call, kind, body).await?;
            if publish::is_claimed(&resource) {
                let condition = call.header(&IF_NONE_EXIST).map(str::to_owned);
                return publish::publish(call, resource, condition).await;
            }
            prepared(call, resource, &fresh).await?
        }
    };
    let intent = match criteria {
        None => Intent::Create { id: fresh },
        Some(criteria) => Intent::CreateUnlessExists { fresh, criteria },
    };
    carry_out(call, kind, intent, Conditions::default(), submitted).await
}

/// The search that `If-None-Exist`, or `ifNoneExist` of a Bundle's entry, is.
///
/// # Errors
/// If it narrows nothing down.
pub fn if_none_exist(call: &Call<'_>, kind: &ResourceType, text: &str) -> Result<Query, Refusal> {
    // Only what follows the `?` belongs here; clients are known to send more.
    let text = text.rsplit_once('?').map_or(text, |(_, parameters)| parameters);
    let parameters: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    criteria(call, kind, &parameters)
}
