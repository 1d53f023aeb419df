//! The documents that the generator makes, out of records in FHIR.

mod care;
mod demo;
mod header;
mod hostile;
mod period;
mod plain_readers;
mod properties;
mod samples;
mod sections;
mod statements;
mod support;
mod validators;
mod versions;
mod view;
