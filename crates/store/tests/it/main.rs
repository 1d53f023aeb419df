//! The store as its callers see it.

mod backends;
mod store;
mod support;
