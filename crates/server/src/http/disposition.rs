//! How a browser is to treat the bytes of a document: shown in place, or saved under which name.
//!
//! Bytes are shown only if their type cannot carry script and they are what they claim to be. All else is
//! saved: a stored page would run with this server's origin.
//!
//! Clause: RFC 6266 4

use charta_model::{MediaType, ResourceId};

/// So many first bytes of a document decide whether they are what they claim to be.
pub const MAGIC_BYTES: u64 = 12;

/// The value of `Content-Disposition` for a document whose bytes begin with `first_bytes`, at least
/// [`MAGIC_BYTES`] of them unless it is shorter.
#[must_use]
pub fn disposition(id: &ResourceId, stored: &MediaType, first_bytes: &[u8]) -> String {
    let essence = stored.essence();
    let shown = is_inert(essence) && !magic_contradicts(essence, first_bytes);
    let treatment = if shown { "inline" } else { "attachment" };
    let extension = extension(essence);
    // An id holds only letters, digits, '-' and '.', which stand for themselves in both forms.
    format!("{treatment}; filename=\"{id}.{extension}\"; filename*=UTF-8''{id}.{extension}")
}

/// Whether the first bytes decide anything for this type.
#[must_use]
pub fn looks_at_bytes(stored: &MediaType) -> bool {
    is_inert(stored.essence()) && stored.essence() != "text/plain"
}

/// Whether bytes of this type may be shown in place.
fn is_inert(essence: &str) -> bool {
    matches!(
        essence,
        "text/plain" | "application/pdf" | "image/png" | "image/jpeg" | "image/gif" | "image/webp"
    )
}

/// Whether a document begins unlike its type. Plain text and types that are never shown are not looked at.
#[must_use]
pub fn magic_contradicts(essence: &str, first_bytes: &[u8]) -> bool {
    let begins = |magic: &[u8]| first_bytes.starts_with(magic);
    match essence {
        "application/pdf" => !begins(b"%PDF-"),
        "image/png" => !begins(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => !begins(b"\xff\xd8\xff"),
        "image/gif" => !begins(b"GIF87a") && !begins(b"GIF89a"),
        "image/webp" => !begins(b"RIFF") || first_bytes.get(8..12) != Some(b"WEBP"),
        _ => false,
    }
}

/// The ending of a file with bytes of this lower-case `type/subtype`.
#[must_use]
pub fn extension(essence: &str) -> &'static str {
    match essence {
        "application/pdf" => "pdf",
        "text/html" => "html",
        "application/xhtml+xml" => "xhtml",
        "text/plain" => "txt",
        "text/csv" => "csv",
        "text/markdown" => "md",
        "text/calendar" => "ics",
        "text/vcard" => "vcf",
        "text/rtf" | "application/rtf" => "rtf",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.oasis.opendocument.text" => "odt",
        "image/png" => "png",
        "image/jpeg" | "image/jpg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/tiff" => "tif",
        "image/bmp" => "bmp",
        "image/svg+xml" => "svg",
        "image/jp2" => "jp2",
        "image/heic" => "heic",
        "application/dicom" => "dcm",
        "audio/mpeg" => "mp3",
        "audio/wav" | "audio/x-wav" => "wav",
        "video/mp4" => "mp4",
        "video/mpeg" => "mpg",
        "application/zip" => "zip",
        "application/gzip" => "gz",
        "application/hl7-v2" | "x-application/hl7-v2+er7" => "hl7",
        "application/fhir+ndjson" | "application/ndjson" | "application/x-ndjson" => "ndjson",
        "application/json" | "text/json" | "application/json+fhir" => "json",
        "application/xml" | "text/xml" | "application/xml+fhir" => "xml",
        "application/hl7-v3+xml" | "application/cda+xml" => "xml",
        _ if essence.ends_with("+json") => "json",
        _ if essence.ends_with("+xml") => "xml",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &str, first_bytes: &[u8], expected: &str) {
        let id = ResourceId::new("XR-1.2").unwrap();
        let value = disposition(&id, &MediaType::new(stored).unwrap(), first_bytes);
        let (disposition, name) = expected.split_once(' ').unwrap();
        assert_eq!(value, format!("{disposition}; filename=\"{name}\"; filename*=UTF-8''{name}"));
    }

    #[test]
    fn inert_types_are_shown() {
        check("application/pdf", b"%PDF-1.7\n", "inline XR-1.2.pdf");
        check("Text/Plain; charset=utf-8", b"<script>", "inline XR-1.2.txt");
        check("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\r", "inline XR-1.2.png");
        check("image/jpeg", b"\xff\xd8\xff\xe0", "inline XR-1.2.jpg");
        check("image/gif", b"GIF89a", "inline XR-1.2.gif");
        check("image/webp", b"RIFF\x24\0\0\0WEBPVP8 ", "inline XR-1.2.webp");
    }

    #[test]
    fn all_else_is_saved() {
        check("text/html", b"<html>", "attachment XR-1.2.html");
        check("image/svg+xml", b"<svg>", "attachment XR-1.2.svg");
        check("application/hl7-v3+xml", b"<ClinicalDocument", "attachment XR-1.2.xml");
        check("application/cda+xml", b"<ClinicalDocument", "attachment XR-1.2.xml");
        check("application/xhtml+xml", b"<html>", "attachment XR-1.2.xhtml");
        check("application/fhir+json", b"{", "attachment XR-1.2.json");
        check("application/dicom", b"", "attachment XR-1.2.dcm");
        check("application/x-unheard-of", b"", "attachment XR-1.2.bin");
    }

    #[test]
    fn what_is_not_what_it_claims_is_saved() {
        check("application/pdf", b"<html>%PDF-1.7", "attachment XR-1.2.pdf");
        check("image/png", b"\x89PNG", "attachment XR-1.2.png");
        check("image/jpeg", b"GIF89a", "attachment XR-1.2.jpg");
        check("image/gif", b"GIF88a", "attachment XR-1.2.gif");
        check("image/webp", b"RIFF\0\0\0\0WAVE", "attachment XR-1.2.webp");
        check("image/webp", b"RIFF", "attachment XR-1.2.webp");
        check("image/png", b"", "attachment XR-1.2.png");
        assert!(!magic_contradicts("text/plain", b"\x89PNG"));
        assert!(!magic_contradicts("text/html", b"%PDF-"));
    }
}
