//! Pictures in a document: shown only if they are what they claim to be, as `data:` URIs of our own writing.

use base64_simd::STANDARD;

use super::tree::Element;

/// The largest picture that is shown.
pub const PICTURE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The bytes of a value in base64.
pub fn bytes(value: Element<'_>) -> Option<Vec<u8>> {
    let mut text = String::new();
    for child in value.children() {
        if let super::tree::Child::Text(part) = child {
            text.extend(part.chars().filter(|c| !c.is_ascii_whitespace()));
        }
    }
    STANDARD.decode_to_vec(text).ok().filter(|bytes| !bytes.is_empty())
}

/// The picture of a value as a `data:` URI; `None` if it is none, or too large.
pub fn picture(value: Element<'_>) -> Option<String> {
    let media_type = picture_type(value.attribute("mediaType")?)?;
    if value.attribute("representation") != Some("B64") {
        return None;
    }
    let bytes = bytes(value).filter(|bytes| bytes.len() <= PICTURE_BYTES_MAX && begins(media_type, bytes))?;
    Some(format!("data:{media_type};base64,{}", STANDARD.encode_to_string(bytes)))
}

/// The types that are shown, none of which can carry script.
fn picture_type(claimed: &str) -> Option<&'static str> {
    Some(match claimed.to_ascii_lowercase().as_str() {
        "image/png" => "image/png",
        "image/jpeg" | "image/jpg" => "image/jpeg",
        "image/gif" => "image/gif",
        _ => return None,
    })
}

fn begins(media_type: &str, bytes: &[u8]) -> bool {
    match media_type {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        _ => bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a"),
    }
}

/// What a media type is called.
pub fn kind(media_type: &str) -> String {
    let named = match media_type.to_ascii_lowercase().as_str() {
        "application/pdf" => "a PDF document",
        "text/html" | "application/xhtml+xml" => "a web page",
        "text/rtf" | "application/rtf" => "a rich text document (RTF)",
        "application/msword" => "a Word document",
        "text/plain" => "a text",
        "image/tiff" => "a TIFF picture",
        "image/png" | "image/jpeg" | "image/jpg" | "image/gif" => "a picture",
        _ => return format!("a document of the type {media_type}"),
    };
    named.to_owned()
}

/// A number of bytes for people.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}
