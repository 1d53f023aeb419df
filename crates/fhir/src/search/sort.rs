//! `_sort`, in both of its spellings.

use charta_model::{Order, SortKey};

use super::parameter::Parameter;
use super::{Among, SearchError};
use crate::Version;

/// The keys, the part of the value that they come from, and whether there were keys that are not known.
///
/// Clause: FHIR STU3 search.html#sort
pub(super) fn sort(
    among: &Among<'_>,
    parameter: &Parameter<'_>,
) -> Result<(Vec<Order>, String, bool), SearchError> {
    let has_direction_in_name = among.version == Version::Dstu2;
    let descending = match parameter.modifier {
        None => false,
        Some("asc") if has_direction_in_name => false,
        Some("desc") if has_direction_in_name => true,
        Some(_) => return Err(parameter.modifier_error()),
    };
    let mut order = Vec::new();
    let mut used = Vec::new();
    let mut unknown = false;
    for given in parameter.alternatives() {
        let (name, descending) = match given.strip_prefix('-') {
            Some(name) if !has_direction_in_name => (name, true),
            _ => (given, descending),
        };
        match among.sort_key(name) {
            Some(key) => {
                order.push(Order { key, descending });
                used.push(given);
            }
            None => unknown = true,
        }
    }
    Ok((order, used.join(","), unknown))
}

/// What every document, or every Binary, can be sorted by.
pub(super) fn key(version: Version, name: &str, is_binary: bool) -> Option<SortKey> {
    match name {
        "_id" => Some(SortKey::Id),
        "_lastUpdated" => Some(SortKey::Updated),
        "size" if is_binary && !version.is_r4_or_later() => Some(SortKey::Size),
        "contenttype" if is_binary && !version.is_r4_or_later() => Some(SortKey::ContentType),
        _ => None,
    }
}
