//! The store as its callers see it.

mod audit;
mod backends;
mod backup;
mod bucket;
mod crash;
mod database;
mod disk;
mod faults;
mod nodes;
mod properties;
mod searches;
mod store;
mod support;
