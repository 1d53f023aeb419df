//! Attachment: R5 counts in 64 bits, which JSON writes as a string, and tells more of pictures and sound.

use super::extension;
use super::members::{Item, Members};
use crate::{Node, Version};

/// The elements that only R5 has.
const R5: [(&str, &str, &str); 5] = [
    ("height", "Attachment.height", "positiveInt"),
    ("width", "Attachment.width", "positiveInt"),
    ("frames", "Attachment.frames", "positiveInt"),
    ("duration", "Attachment.duration", "decimal"),
    ("pages", "Attachment.pages", "positiveInt"),
];
/// The largest unsignedInt.
const SIZE_MAX: u64 = 2_147_483_647;
/// A size beyond that. An extension of those versions has no integer of this length, only a decimal.
const SIZE: (&str, &str) = ("Attachment.size", "decimal");

pub(super) fn widen(object: &mut Members, from: Version) {
    if from < Version::R5 {
        if let Some(Node::Number(digits)) = object.get("size") {
            let size = digits.clone();
            object.put("size", Node::text(size));
        }
        if let Some(Item { value: Some(Node::Number(size)), .. }) = extension::take(object, SIZE.0, SIZE.1)
            && object.get("size").is_none()
        {
            object.put("size", Node::text(size));
        }
        for (name, path, value_type) in R5 {
            if let Some(item) = extension::take(object, path, value_type) {
                object.put_primitive(name, item);
            }
        }
    }
}

pub(super) fn narrow(object: &mut Members, to: Version) {
    if to < Version::R5 {
        let size = object.text("size").and_then(|size| size.parse::<u64>().ok());
        if let Some(size) = size {
            if size <= SIZE_MAX {
                object.put("size", Node::number(size));
            } else {
                object.take("size");
                let item = Item::of(Node::number(size));
                extension::put(object, Version::R5, SIZE.0, SIZE.1, item);
            }
        }
        for (name, path, value_type) in R5 {
            if let Some(item) = object.take_primitive(name) {
                extension::put(object, Version::R5, path, value_type, item);
            }
        }
    }
}
