//! The data types that differ between versions. The common form is that of the newest version; what an
//! older one has no place for goes into an extension of the value itself.

use super::attachment;
use super::code::{self, Before, Code};
use super::extension;
use super::members::{Members, replace, text};
use crate::{Node, Version};

/// A value as `from` has it, in the common form.
pub(super) fn widen(value_type: &str, value: Node, from: Version) -> Node {
    Members::edit(value, |object| match value_type {
        "Attachment" => attachment::widen(object, from),
        "Reference" => widen_reference(object, from),
        "Identifier" => {
            code::widen_member(object, "use", "Identifier.use", IDENTIFIER_USE, from);
            change(object, "assigner", |assigner| widen("Reference", assigner, from));
        }
        "ContactPoint" => {
            code::widen_member(object, "system", "ContactPoint.system", CONTACT_SYSTEM, from);
        }
        "Address" => code::widen_member(object, "use", "Address.use", ADDRESS_USE, from),
        "HumanName" if from == Version::Dstu2 => join_family(object),
        "Annotation" => {
            change(object, "authorReference", |author| widen("Reference", author, from));
        }
        _ => {}
    })
}

/// A value in the common form, as `to` has it.
pub(super) fn narrow(value_type: &str, value: Node, to: Version) -> Node {
    Members::edit(value, |object| match value_type {
        "Attachment" => attachment::narrow(object, to),
        "Reference" => narrow_reference(object, to),
        "Identifier" => {
            code::narrow_member(object, "use", "Identifier.use", IDENTIFIER_USE, to);
            change(object, "assigner", |assigner| narrow("Reference", assigner, to));
        }
        "ContactPoint" => code::narrow_member(object, "system", "ContactPoint.system", CONTACT_SYSTEM, to),
        "Address" => code::narrow_member(object, "use", "Address.use", ADDRESS_USE, to),
        "HumanName" if to == Version::Dstu2 => repeat_family(object),
        "Annotation" => {
            change(object, "authorReference", |author| narrow("Reference", author, to));
        }
        _ => {}
    })
}

/// Changes the member `name`, if there is one.
pub(super) fn change(object: &mut Members, name: &str, change: impl FnOnce(Node) -> Node) {
    if let Some((_, value)) = object.0.iter_mut().find(|(member, _)| member == name) {
        replace(value, change);
    }
}

const IDENTIFIER_USE: &[Code] = &[Code { code: "old", since: Version::R4, before: Before::Nothing }];
const ADDRESS_USE: &[Code] = &[Code { code: "billing", since: Version::R4, before: Before::Nothing }];
const CONTACT_SYSTEM: &[Code] = &[
    Code { code: "url", since: Version::Stu3, before: Before::Wider("other") },
    Code { code: "sms", since: Version::Stu3, before: Before::Wider("other") },
];

/// The members of Reference that came later: the path of each, its type, and the first version.
const REFERENCE_LATER: [(&str, &str, &str, Version); 2] = [
    ("identifier", "Reference.identifier", "Identifier", Version::Stu3),
    ("type", "Reference.type", "uri", Version::R4),
];

fn widen_reference(object: &mut Members, from: Version) {
    for (name, path, value_type, since) in REFERENCE_LATER {
        if from < since
            && let Some(item) = extension::take(object, path, value_type)
        {
            object.put_primitive(name, item);
        }
    }
    change(object, "identifier", |identifier| widen("Identifier", identifier, from));
}

fn narrow_reference(object: &mut Members, to: Version) {
    for (name, path, value_type, since) in REFERENCE_LATER {
        if to < since
            && let Some(item) = object.take_primitive(name)
        {
            // Still in the common form: extensions are narrowed after everything else.
            extension::put(object, since, path, value_type, item);
        }
    }
    change(object, "identifier", |identifier| narrow("Identifier", identifier, to));
}

/// DSTU2 lets a name have several family parts; the versions after have one text for all of them.
fn join_family(object: &mut Members) {
    let Some(Node::Array(parts)) = object.get("family") else {
        // Parts that have nothing but extensions.
        if let Some(Node::Array(besides)) = object.take("_family") {
            object.put_some("_family", first_object(besides));
        }
        return;
    };
    let words: Vec<&str> = parts.iter().filter_map(text).collect();
    let family = (!words.is_empty()).then(|| Node::text(words.join(" ")));
    match family {
        Some(family) => object.put("family", family),
        None => drop(object.take("family")),
    }
    let beside = match object.take("_family") {
        Some(Node::Array(besides)) => first_object(besides),
        other => other,
    };
    object.put_some("_family", beside);
}

fn first_object(items: Vec<Node>) -> Option<Node> {
    items.into_iter().find(|item| matches!(item, Node::Object(_)))
}

fn repeat_family(object: &mut Members) {
    for name in ["family", "_family"] {
        change(object, name, |family| match family {
            Node::Array(_) => family,
            one => Node::Array(vec![one]),
        });
    }
}
