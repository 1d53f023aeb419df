//! What grants reach, in one small world of documents.

mod access;
mod random_worlds;
mod world;
mod writes;
