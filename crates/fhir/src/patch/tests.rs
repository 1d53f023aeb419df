use proptest::prelude::*;

use super::*;
use crate::typed::testing::{any_tree, text, tree};

mod fhirpath_patch;
mod json_patch;
mod path;

/// The name of the error, or the text of the result.
fn told(result: &Result<Node, PatchError>) -> String {
    match result {
        Ok(node) => text(node),
        Err(PatchError::Malformed { .. }) => "malformed".to_owned(),
        Err(PatchError::NotApplicable { .. }) => "not applicable".to_owned(),
        Err(PatchError::Forbidden) => "forbidden".to_owned(),
        Err(PatchError::TooCostly) => "too costly".to_owned(),
    }
}
