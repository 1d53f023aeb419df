//! All that differs between DSTU2, STU3, R4, R4B and R5: media types, negotiation, reading and
//! writing of resources. No I/O, no clock: everything here is tested by tables and fuzzers.

pub mod attachments;
pub mod base64;
pub mod custody;
pub mod definitions;
pub mod facts;
pub mod index;
pub mod json;
pub mod negotiate;
mod node;
pub mod parse;
pub mod patch;
mod primitive;
mod profile;
pub mod project;
pub mod references;
pub mod represent;
pub mod resource;
pub mod search;
mod typed;
mod version;
pub mod xhtml;
pub mod xml;

pub use node::{Node, Piece};
pub use profile::Profile;
pub use version::{Format, Version};
