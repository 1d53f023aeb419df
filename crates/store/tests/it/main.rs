//! The store as its callers see it.

mod audit;
mod backends;
mod backup;
mod bucket;
mod crash;
mod database;
mod disk;
mod faults;
mod ledger;
mod nodes;
mod outage;
mod properties;
mod searches;
mod store;
mod support;
