//! Who may see documents that are labelled restricted or very restricted, and who may make a document less
//! carefully shown.

use charta_auth::Claims;
use charta_model::Confidentiality as Level;
use serde::{Deserialize, Serialize};

/// What a token must say to open labelled documents. Of whom nothing is asked is nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Confidentiality {
    /// To see documents labelled `R`.
    pub restricted: Proof,
    /// To see documents labelled `V`, and those labelled `R`.
    pub very_restricted: Proof,
    /// To make a document less carefully shown than it is.
    pub relabel: Proof,
}

/// One of these scopes, or one of these purposes of use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Proof {
    /// Scopes, to the letter.
    pub scopes: Vec<String>,
    /// Values of the claim `purpose_of_use`.
    pub purposes: Vec<String>,
}

impl Confidentiality {
    /// How careful a document the holder of this token may see.
    pub fn seen_by(&self, claims: &Claims) -> Level {
        if self.very_restricted.is_held(claims) {
            Level::VeryRestricted
        } else if self.restricted.is_held(claims) {
            Level::Restricted
        } else {
            Level::Normal
        }
    }
}

impl Proof {
    /// Whether the token says it.
    pub fn is_held(&self, claims: &Claims) -> bool {
        claims.scope.split(' ').any(|scope| self.scopes.iter().any(|wanted| wanted == scope))
            || claims.purposes.iter().any(|purpose| self.purposes.contains(purpose))
    }
}

#[cfg(test)]
mod tests {
    use charta_model::Timestamp;

    use super::*;

    fn claims(scope: &str, purposes: &[&str]) -> Claims {
        Claims {
            issuer: "i".into(),
            subject: None,
            client: None,
            scope: scope.into(),
            patient: None,
            user: None,
            token_id: None,
            tenant: None,
            purposes: purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
            expires_at: Timestamp::MAX,
        }
    }

    #[test]
    fn nobody_sees_labelled_documents_unless_the_operator_says_who() {
        let asked = Confidentiality {
            restricted: Proof { scopes: vec!["sensitive".into()], purposes: vec!["ETREAT".into()] },
            very_restricted: Proof { scopes: vec!["very-sensitive".into()], purposes: Vec::new() },
            relabel: Proof::default(),
        };
        for (scope, purposes, level) in [
            ("", &[][..], Level::Normal),
            ("system/*.cruds", &[], Level::Normal),
            ("user/*.rs sensitive", &[], Level::Restricted),
            ("user/*.rs Sensitive", &[], Level::Normal),
            ("user/*.rs sensitive-not", &[], Level::Normal),
            ("user/*.rs", &["TREAT", "ETREAT"], Level::Restricted),
            ("sensitive very-sensitive", &[], Level::VeryRestricted),
        ] {
            assert_eq!(asked.seen_by(&claims(scope, purposes)), level, "{scope} {purposes:?}");
            assert_eq!(Confidentiality::default().seen_by(&claims(scope, purposes)), Level::Normal);
        }
    }
}
