//! Who may do what. One function decides; deny by default. No I/O, no clock.

mod claims;
mod grant;
mod policy;
mod scope;

pub use claims::Claims;
pub use grant::{Companions, Grant, Terms};
pub use policy::{Condition, Decision, NewSubject, Subject, covers, decide, may_become, visible};
pub use scope::{Action, Context, Scope, scopes};
