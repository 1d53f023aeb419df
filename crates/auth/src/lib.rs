//! Who may do what. One function decides; deny by default. No I/O, no clock.
//!
//! `token.rs` turns an access token into [`Claims`], `scope.rs` and `grant.rs` those into a [`Grant`]; `policy.rs`
//! decides.

mod algorithm;
pub mod assertion;
mod claims;
mod grant;
mod jws;
mod keys;
mod made;
mod policy;
mod scope;
mod signing;
pub mod token;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use grant::{Companions, Grant, Terms};
pub use jws::{Jws, JwsError};
pub use keys::{InvalidKeySet, KeySet};
pub use made::{Making, makes, may_make, may_tell};
pub use policy::{Condition, Decision, NewSubject, Subject, covers, decide, may_become, visible};
pub use scope::{Action, Context, Scope, scopes};
pub use signing::{SigningError, SigningKey};

#[cfg(test)]
mod tests;
