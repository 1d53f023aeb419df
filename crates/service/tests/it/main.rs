//! What grants reach, in one small world of documents.

mod access;
mod world;
mod writes;
