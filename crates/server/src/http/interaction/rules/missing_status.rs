//! Documents and reports whose status is not known. FHIR wants one, but takes an extension that says why it is
//! missing in its place. Millennium does not show such a record: a read does not find it, a search says that
//! something was left out.

use charta_fhir::{
    Node, Profile,
    represent::{self, Entry, Issue, IssueCode, Severity, Subset},
};
use charta_model::Document;

use crate::{clock, http::call::Call};

/// Whether this endpoint does not show the document.
pub fn hides(call: &Call<'_>, document: &Document) -> bool {
    let shown = || represent::shown(document, call.version(), &Subset::default(), call.base(), 0);
    has_a_status(call, document) && shown().is_some_and(|resource| lacks_status(&resource))
}

/// Puts an outcome in the place of every entry that is not shown.
pub fn suppress(call: &Call<'_>, entries: &mut [Entry<'_>]) {
    for entry in entries {
        if has_a_status(call, entry.document) && entry.resource.as_ref().is_some_and(lacks_status) {
            entry.full_url = format!("urn:uuid:{}", clock::fresh_uuid());
            entry.resource = Some(represent::outcome(call.version(), &[suppressed()], None));
            entry.mode = "outcome";
        }
    }
}

fn has_a_status(call: &Call<'_>, document: &Document) -> bool {
    let kind = document.kind.as_str();
    call.profile() == Profile::Millennium && matches!(kind, "DocumentReference" | "DiagnosticReport")
}

fn lacks_status(resource: &Node) -> bool {
    resource.text_at("status").is_none()
}

fn suppressed() -> Issue {
    Issue {
        severity: Severity::Warning,
        code: IssueCode::Suppressed,
        text: "A resource was left out.".to_owned(),
        diagnostics: Some("The status of the resource is not known.".to_owned()),
        expression: None,
    }
}
