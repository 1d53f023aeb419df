//! The code systems of HL7 Version 2 and 3. R4 named them anew, so a coding keeps its meaning from one side of R4 to
//! the other only if its system changes the name.
//!
//! Clause: FHIR R4 terminologies-systems.html

use super::members::replace;
use crate::{Node, Version};

const V2_BEFORE_R4: &str = "http://hl7.org/fhir/v2/";
const V2: &str = "http://terminology.hl7.org/CodeSystem/v2-";
const V3_BEFORE_R4: &str = "http://hl7.org/fhir/v3/";
const V3: &str = "http://terminology.hl7.org/CodeSystem/v3-";

/// Gives every `system` below `node` the name that it has in `to`.
pub(super) fn rename_all(node: &mut Node, to: Version) {
    match node {
        Node::Object(members) => {
            for (name, value) in members {
                if name == "system" {
                    replace(value, |system| renamed(system, to));
                } else {
                    rename_all(value, to);
                }
            }
        }
        Node::Array(items) => items.iter_mut().for_each(|item| rename_all(item, to)),
        _ => {}
    }
}

fn renamed(system: Node, to: Version) -> Node {
    let name = super::members::text(&system).and_then(|uri| name_in(uri, to));
    name.map_or(system, Node::text)
}

/// The name in `to` of a system that is called otherwise there.
fn name_in(uri: &str, to: Version) -> Option<String> {
    let pairs = [(V2_BEFORE_R4, V2, is_table as fn(&str) -> bool), (V3_BEFORE_R4, V3, is_word)];
    pairs.into_iter().find_map(|(before, since, is_system)| {
        let (this, other) = if to < Version::R4 { (since, before) } else { (before, since) };
        let system = uri.strip_prefix(this).filter(|system| is_system(system))?;
        Some(format!("{other}{system}"))
    })
}

/// A table of Version 2; those that differ between releases of it have longer names, which did not change alike.
fn is_table(name: &str) -> bool {
    name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
