//! The attachments of a resource: `DocumentReference.content.attachment`,
//! `DiagnosticReport.presentedForm`, `Media.content` and every other element of type Attachment, also
//! in contained resources and extensions.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::{Node, Version, typed};

/// What an attachment says, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment<'a> {
    /// The element, as in `DocumentReference.content[0].attachment`.
    pub path: String,
    /// `contentType`.
    pub content_type: Option<&'a str>,
    /// `url`.
    pub url: Option<&'a str>,
    /// The base64, white space included.
    pub data: Option<&'a str>,
    /// The digits of `size`: a number, in R5 a string.
    pub size: Option<&'a str>,
    /// The base64 of the SHA-1.
    pub hash: Option<&'a str>,
}

/// The members of an attachment, as [`Node::Object`] has them.
pub type Members = Vec<(Cow<'static, str>, Node)>;

/// The attachments of `resource` in order.
///
/// Clause: FHIR R4 datatypes.html#attachment
#[must_use]
pub fn attachments(resource: &Node, version: Version) -> Vec<Attachment<'_>> {
    let mut found = Vec::new();
    typed::each(resource, version, &mut |of, path, node| {
        if let Node::Object(members) = node
            && of.name == "Attachment"
        {
            let member = |name| members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
            let text = |name| match member(name)? {
                Node::String(text) => Some(text.as_ref()),
                _ => None,
            };
            let size = match member("size") {
                Some(Node::Number(digits)) => Some(digits.as_str()),
                _ => text("size"),
            };
            found.push(Attachment {
                path: path.to_owned(),
                content_type: text("contentType"),
                url: text("url"),
                data: text("data"),
                size,
                hash: text("hash"),
            });
        }
    });
    found
}

/// Calls `change` with the members of each attachment of `resource`, numbered from 0 in the order of
/// [`attachments`].
pub fn change_attachments(
    resource: &mut Node,
    version: Version,
    change: &mut dyn FnMut(usize, &mut Members),
) {
    let mut number = 0;
    typed::each_mut(resource, version, &mut |of, node| {
        if let Node::Object(members) = node
            && of.name == "Attachment"
        {
            change(number, members);
            number += 1;
        }
    });
}
