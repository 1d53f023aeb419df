//! Ids that are the same in every document: made from where a fact is kept, or from its identifiers.

use charta_model::facts::{Identifier, Origin};
use sha1::{Digest as _, Sha1};

use crate::{
    system,
    xml::{Xml, is_token, is_visible},
};

/// The root of ids that are URIs.
const ANY_URI: &str = "2.16.840.1.113883.4.873";
/// The namespace of UUIDs that are made from URLs.
///
/// Clause: RFC 4122 4.3
const URL_NAMESPACE: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// The UUID of what is kept as `key` on the server `base`, in capitals.
///
/// Clause: RFC 4122 4.3
pub(crate) fn uuid(base: &str, key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(URL_NAMESPACE);
    hash.update(base.as_bytes());
    hash.update(b"/");
    hash.update(key.as_bytes());
    let digest = hash.finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0F | 0x50;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 0x0F].map(|half| char::from(HEX[usize::from(half)])));
    }
    text
}

const HEX: [u8; 16] = *b"0123456789ABCDEF";

/// The id of a fact, or of a part of it, then the fact's identifiers.
pub(crate) fn ids(x: &mut Xml, base: &str, origin: &Origin, part: &str) {
    let key = if part.is_empty() { origin.key.clone() } else { format!("{}/{part}", origin.key) };
    x.empty("id", &[("root", &uuid(base, &key))]);
    if part.is_empty() {
        for identifier in &origin.identifiers {
            write(x, identifier);
        }
    }
}

/// One id.
pub(crate) fn own(x: &mut Xml, base: &str, key: &str) {
    x.empty("id", &[("root", &uuid(base, key))]);
}

/// Writes an identifier, if it can be one; says whether.
pub(crate) fn write(x: &mut Xml, identifier: &Identifier) -> bool {
    let Some((root, extension)) = instance(identifier) else { return false };
    x.empty("id", &[("root", &root), ("extension", extension.as_deref().unwrap_or_default())]);
    true
}

/// The root and the extension of an identifier.
pub(crate) fn instance(identifier: &Identifier) -> Option<(String, Option<String>)> {
    let value = identifier.value.as_deref().filter(|value| is_visible(value))?.trim();
    let system = identifier.system.as_deref()?.trim();
    if let Some(root) = system::identifier_root(system) {
        return Some((root.to_owned(), Some(value.to_owned())));
    }
    if let Some(oid) = system.strip_prefix("urn:oid:") {
        return is_oid(oid).then(|| (oid.to_owned(), Some(value.to_owned())));
    }
    if system == "urn:ietf:rfc:3986" {
        return match (value.strip_prefix("urn:oid:"), value.strip_prefix("urn:uuid:")) {
            (Some(oid), _) if is_oid(oid) => Some((oid.to_owned(), None)),
            (_, Some(uuid)) if is_uuid(uuid) => Some((uuid.to_uppercase(), None)),
            _ => Some((ANY_URI.to_owned(), Some(value.to_owned()))),
        };
    }
    if !is_token(system) {
        return None;
    }
    let separator = if system.starts_with("urn:") { ':' } else { '/' };
    Some((ANY_URI.to_owned(), Some(format!("{}{separator}{value}", system.trim_end_matches('/')))))
}

pub(crate) fn is_oid(text: &str) -> bool {
    let mut parts = text.split('.');
    let first = parts.next().is_some_and(|part| matches!(part, "0" | "1" | "2"));
    let number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    first && text.contains('.') && parts.all(number)
}

pub(crate) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_version_five() {
        // The example that the RFC's errata give for DNS is another namespace; this one is computed by hand.
        let made = uuid("http://example.org/r4", "Patient/1");
        assert!(is_uuid(&made));
        assert_eq!(&made[14..15], "5");
        assert_eq!(made, uuid("http://example.org/r4", "Patient/1"));
        assert_ne!(made, uuid("http://example.org/r4", "Patient/2"));
    }

    #[test]
    fn identifiers_become_roots_and_extensions() {
        for (system, value, root, extension) in [
            ("http://hl7.org/fhir/sid/us-npi", "12", "2.16.840.1.113883.4.6", Some("12")),
            ("urn:oid:1.2.3", "a", "1.2.3", Some("a")),
            ("urn:ietf:rfc:3986", "urn:oid:1.2.3", "1.2.3", None),
            (
                "urn:ietf:rfc:3986",
                "urn:uuid:b2a737f2-2fdb-49c1-b097-dac173d07aff",
                "B2A737F2-2FDB-49C1-B097-DAC173D07AFF",
                None,
            ),
            ("http://a.org/b", "c", ANY_URI, Some("http://a.org/b/c")),
            ("urn:x", "c", ANY_URI, Some("urn:x:c")),
        ] {
            let identifier =
                Identifier { system: Some(system.into()), value: Some(value.into()), kind: None };
            assert_eq!(instance(&identifier), Some((root.into(), extension.map(str::to_owned))), "{system}");
        }
        for (system, value) in
            [("urn:oid:9.1", "a"), ("urn:oid:1.02", "a"), ("http://a b", "c"), ("http://a", " ")]
        {
            let identifier =
                Identifier { system: Some(system.into()), value: Some(value.into()), kind: None };
            assert_eq!(instance(&identifier), None, "{system}");
        }
    }
}
