//! Tests over HTTP against the program itself: started as an operator would start it, on a port of its
//! own, with a data directory of its own. Files are named like the part they test.

mod across_versions;
mod app;
mod backup;
mod bundle;
mod cases;
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
mod import;
mod large;
mod limits;
mod metadata;
mod mhd;
mod races;
mod range;
mod read;
mod record;
mod representation;
mod round_trip;
mod sample_documents;
mod sample_records;
mod search;
mod search_records;
mod start;
mod threats;
mod tokens;
mod update;
