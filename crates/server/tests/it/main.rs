//! Tests over HTTP against the program itself: started as an operator would start it, on a port of its
//! own, with a data directory of its own. Files are named like the part they test.

mod access;
mod across_versions;
mod app;
mod audit;
mod authorization_server;
mod backends;
mod backup;
#[allow(dead_code, reason = "the tests of the store look into the bucket as well")]
#[path = "../../../store/tests/it/bucket.rs"]
mod bucket;
mod bundle;
mod cases;
mod ccd;
mod client_limits;
mod cluster;
mod coding_of_bodies;
mod command;
mod conditional;
mod cors;
mod crash;
mod create;
mod delete;
mod discovery;
mod documentation;
mod generated;
mod history;
mod http2;
mod import;
mod large;
mod limits;
mod metadata;
mod mhd;
mod migrate;
#[allow(dead_code, reason = "the tests of the store know more weathers")]
#[path = "../../../store/tests/it/proxy.rs"]
mod proxy;
mod races;
mod range;
mod read;
mod record;
mod record_of;
mod representation;
mod round_trip;
mod s3;
mod sample_documents;
mod sample_records;
mod search;
mod search_parameters;
mod search_records;
mod secure;
mod start;
mod threats;
mod tls;
mod tokens;
mod turns;
mod update;
mod us_core;
mod view;
