//! Issuers that rotate, fail, redirect and revoke, at times that the tests set.

mod authority;
mod discovered;
mod introspection;
mod jwks;
