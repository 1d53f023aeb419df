//! DocumentReference.content: its format is any number of codings in DSTU2, one in STU3 to R4B, and one of
//! several kinds of profile in R5. The common form is that of R5.

use super::super::datatype;
use super::super::extension::{self, Wire};
use super::super::members::{Item, Members};
use super::super::record::{Fit, Shape};
use crate::{Node, Version};

/// No version lacks it, so it never is an extension.
pub(super) const SHAPE: Shape = Shape { wire: Wire::Parts(&[]), widen, narrow };

const FORMAT: &str = "DocumentReference.content.format";
const PROFILE: &str = "DocumentReference.content.profile";
/// What a profile is; before R4 all but the first are plain uris.
const PROFILE_TYPES: [&str; 3] = ["Coding", "canonical", "uri"];

fn widen(value: Node, from: Version) -> Node {
    Members::edit(value, |object| {
        datatype::change(object, "attachment", |attachment| datatype::widen("Attachment", attachment, from));
        if from < Version::R5 {
            let mut profiles: Vec<Node> = object.take_items("format").into_iter().map(coding).collect();
            profiles.extend(object.take_extensions(profile));
            object.put_items("profile", profiles);
        }
    })
}

fn narrow(value: Node, to: Version) -> Fit {
    Fit::Fits(Members::edit(value, |object| {
        datatype::change(object, "attachment", |attachment| datatype::narrow("Attachment", attachment, to));
        if to < Version::R5 {
            narrow_profiles(object, to);
        }
    }))
}

/// The formats that `to` can say, and extensions for the other profiles.
fn narrow_profiles(content: &mut Members, to: Version) {
    let (mut formats, mut homeless) = (Vec::new(), Vec::new());
    for profile in content.take_items("profile") {
        let is_full = to > Version::Dstu2 && !formats.is_empty();
        match format(profile) {
            Ok(coding) if !is_full => formats.push(coding),
            Ok(coding) => {
                let url = extension::url(Version::Dstu2, FORMAT);
                homeless.extend(extension::encode(url, Wire::Value("Coding"), Item::of(coding)));
            }
            Err(mut profile) => {
                let url = extension::url(Version::R5, PROFILE);
                homeless.extend(PROFILE_TYPES.into_iter().find_map(|value_type| {
                    let uri = profile.take_primitive(&extension::value_member(value_type))?;
                    extension::encode(url.clone(), Wire::Value(value_type), uri)
                }));
            }
        }
    }
    if to == Version::Dstu2 {
        content.put_items("format", formats);
    } else {
        content.put_some("format", formats.pop());
    }
    content.add_extensions("extension", homeless);
}

fn coding(coding: Node) -> Node {
    Node::object([("valueCoding", Some(coding))])
}

/// The coding of a profile, with the extensions of both; or else the profile again.
fn format(profile: Node) -> Result<Node, Members> {
    let Node::Object(members) = profile else { return Err(Members::default()) };
    let mut profile = Members(members);
    let Some(coding) = profile.take("valueCoding") else { return Err(profile) };
    let beside = profile.take_items("extension");
    Ok(Members::edit(coding, |coding| coding.add_extensions("extension", beside)))
}

/// The profile that an extension of the content stands for.
fn profile(extension: &Node) -> Option<Node> {
    let (_, path) = extension::stands_for(extension)?;
    if path != FORMAT && path != PROFILE {
        return None;
    }
    PROFILE_TYPES.into_iter().find_map(|value_type| {
        let value = extension::decode(extension, Wire::Value(value_type))?;
        let mut profile = Members::default();
        profile.put_primitive(extension::value_member(value_type), value);
        Some(Node::Object(profile.0))
    })
}
