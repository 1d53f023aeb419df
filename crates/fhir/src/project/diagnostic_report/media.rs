//! DiagnosticReport.media: its link leads to a Media up to R4B and to a DocumentReference in R5.

use super::super::datatype;
use super::super::extension::Wire;
use super::super::members::{Members, member};
use super::super::record::{Fit, Shape};
use super::super::reference::{Target, between, elsewhere, since};
use crate::{Node, Version};

pub(super) const SHAPE: Shape =
    Shape { wire: Wire::Parts(&[("comment", "string"), ("link", "Reference")]), widen, narrow };

const LINK: &[Target] =
    &[between(Version::Dstu2, Version::R4b, "Media"), since(Version::R5, "DocumentReference")];

fn widen(value: Node, from: Version) -> Node {
    Members::edit(value, |media| {
        datatype::change(media, "link", |link| datatype::widen("Reference", link, from));
    })
}

/// A link to what the version cannot link to takes its comment along.
fn narrow(value: Node, to: Version) -> Fit {
    let link = member(&value, "link");
    if let Some(version) = link.and_then(|link| elsewhere(link, LINK, to)) {
        return Fit::Elsewhere(value, version);
    }
    Fit::Fits(Members::edit(value, |media| {
        datatype::change(media, "link", |link| datatype::narrow("Reference", link, to));
    }))
}
