//! The store as its callers see it.

mod audit;
mod backends;
mod backup;
mod bucket;
mod crash;
mod database;
mod disk;
mod dump;
mod encrypted;
mod faults;
mod ledger;
mod migrate;
mod nodes;
mod outage;
mod properties;
mod proxy;
mod real_s3;
mod rows;
mod searches;
mod store;
mod support;
mod weather;
