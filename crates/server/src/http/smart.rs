//! SMART on FHIR: tokens are verified, keys fetched, clients told where tokens are had, and, for development,
//! tokens given. What a token allows is not decided here but in `charta-auth`.

mod cache;
pub mod development;
mod discovered;
mod expiring;
mod fetch;
mod introspection;
mod keys;
mod public;
pub mod server;
mod verify;
mod well_known;

pub use cache::{Known, LastToken};
pub use verify::{TokenError, Verifier, VerifierError};
pub use well_known::{discovery, smart_configuration};

#[cfg(test)]
mod tests;
