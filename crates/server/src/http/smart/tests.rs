//! Issuers that rotate, fail, redirect and revoke, at times that the tests set.

mod authority;
mod introspection;
mod jwks;
