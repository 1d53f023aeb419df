//! Pages for people.

pub mod start;
