//! Who may do what. One function decides; deny by default. No I/O, no clock.

mod grant;
mod policy;

pub use grant::Grant;
pub use policy::{Action, may};
