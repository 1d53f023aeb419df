//! The rules of a create or update, by the endpoint's profile.

use charta_fhir::{
    Node, Profile,
    represent::{self, Subset},
};
use charta_model::{ResourceId, ResourceType, VersionMatch};

use super::{
    millennium_write::{broken, settle_status},
    xhtml_content,
};
use crate::http::{call::Call, interaction::state::Conditions, outcome::Refusal};

/// What a write has to keep to.
pub enum Rules {
    /// FHIR alone.
    None,
    /// A new document at a Millennium endpoint.
    MillenniumCreate,
    /// A new version there of this one.
    MillenniumUpdate(Box<Node>),
}

/// The rules of a create.
pub fn of_create(call: &Call<'_>) -> Rules {
    match call.profile() {
        Profile::Millennium => Rules::MillenniumCreate,
        _ => Rules::None,
    }
}

/// The rules of an update. On Millennium it is of a document that is there, in the version that the client names;
/// afterwards `conditions` ask for that very version, so that what was compared with is what is replaced.
///
/// # Errors
/// On Millennium 400 without `If-Match`, 404, 410, and 412 if the version is another.
pub async fn of_update(
    call: &Call<'_>,
    kind: &ResourceType,
    id: &ResourceId,
    conditions: &mut Conditions,
) -> Result<Rules, Refusal> {
    if call.profile() != Profile::Millennium {
        return Ok(Rules::None);
    }
    let expected = conditions.if_match.take().ok_or(Refusal::IfMatchNeeded)?;
    let current = call.lookup().read(kind, id).await?;
    let document = &current.document;
    if !expected.matches(Some(document.version)) {
        return Err(Refusal::Commit(charta_store::CommitError::PreconditionFailed));
    }
    conditions.if_match = Some(VersionMatch::OneOf(vec![document.version]));
    let original = represent::shown(document, call.version(), &Subset::default(), call.base(), 0);
    let original = original.ok_or(Refusal::Internal("a document reference that cannot be shown"))?;
    Ok(Rules::MillenniumUpdate(Box::new(original)))
}

impl Rules {
    /// Refuses what breaks the rules, and makes of the resource what is to be stored.
    ///
    /// # Errors
    /// 422 with every rule that is broken.
    pub fn apply(&self, call: &Call<'_>, resource: &mut Node) -> Result<(), Refusal> {
        let original = match self {
            Self::None => return Ok(()),
            Self::MillenniumCreate => None,
            Self::MillenniumUpdate(original) => Some(&**original),
        };
        let relative = |url: &str| call.app.local_part(url, call.tenant).unwrap_or(url).to_owned();
        let broken = broken(resource, call.version(), original, &relative);
        if !broken.is_empty() {
            return Err(Refusal::Rules(broken));
        }
        if original.is_some() {
            settle_status(resource);
        }
        xhtml_content::clean(resource)
    }
}
