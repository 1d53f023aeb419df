//! What the clients of a profile know beyond FHIR: of searching, of what is shown, of writing. The standard profile
//! has none of these.

pub mod millennium_write;
pub mod missing_status;
pub mod search;
pub mod write;
mod xhtml_content;
