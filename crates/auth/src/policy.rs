//! The one place that decides. Every path that shows a document, or its existence, asks here.

use charta_model::{Document, TenantId};

use crate::{Grant, grant::Kind};

/// What someone wants to do with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// read, vread, instance history
    Read,
    /// search, type history
    Search,
    /// create
    Create,
    /// update
    Update,
    /// delete
    Delete,
}

/// Whether `grant` allows `action` in `tenant`: on `document`, or on the type as a whole if `None`.
///
/// The tenant comes from the URL; a grant that names another one allows nothing.
#[must_use]
pub const fn may(grant: &Grant, _action: Action, _tenant: &TenantId, _document: Option<&Document>) -> bool {
    match grant.kind() {
        Kind::Everything => true,
        Kind::Nothing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_do_anything() {
        let tenant = TenantId::new("default").expect("a valid id");
        for action in [Action::Read, Action::Search, Action::Create, Action::Update, Action::Delete] {
            assert!(!may(&Grant::of_nobody(), action, &tenant, None), "{action:?}");
            assert!(may(&Grant::of_open_endpoint(), action, &tenant, None), "{action:?}");
        }
    }
}
