//! What a note says: as text where that can be had, else the bytes.

use charta_model::facts::Content;

use crate::{context::Context, plain, xml::is_visible};

/// The content of a note.
pub(super) struct Body<'a> {
    media_type: &'a str,
    text: Option<String>,
    base64: Option<&'a str>,
    name: Option<&'a str>,
}

/// The content that stands in a note, or that it names.
pub(super) fn body<'a>(context: &'a Context<'_>, content: &'a Content) -> Body<'a> {
    let named = content.url.as_deref().and_then(|url| {
        let key = url.trim_start_matches('/').split("/_history/").next().unwrap_or_default();
        let mut parts = key.rsplit('/');
        let (id, kind) = (parts.next()?, parts.next()?);
        context.facts.contents.get(&format!("{kind}/{id}"))
    });
    let base64 = content.base64.as_deref().or_else(|| named.and_then(|one| one.base64.as_deref()));
    let media_type =
        content.media_type.as_deref().or_else(|| named.and_then(|one| one.media_type.as_deref()));
    let media_type = media_type.unwrap_or_default();
    let text = base64.and_then(|base64| text_of(media_type, base64));
    Body { media_type, text, base64, name: content.title.as_deref().or(content.url.as_deref()) }
}

impl<'a> Body<'a> {
    /// For the narrative: the text, or what it is that cannot be shown.
    pub(super) fn text(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let name = self.name.unwrap_or("Document");
        match (self.media_type, self.base64) {
            ("", None) => format!("{name} (not here)"),
            ("", Some(_)) => format!("{name} (attached)"),
            (kind, Some(_)) => format!("{name} ({kind}, attached)"),
            (kind, None) => format!("{name} ({kind}, not here)"),
        }
    }

    /// The media type and the base64 of what is no text.
    pub(super) fn embedded(&self) -> Option<(&'a str, String)> {
        let data = self.base64.filter(|_| self.text.is_none())?;
        // Base64 of FHIR may have blanks; what is not base64 has no place here.
        let clean: String = data.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let is_base64 = clean.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
        let kind = self.media_type.split(';').next().unwrap_or_default().trim();
        (is_base64 && is_visible(&clean) && !kind.is_empty()).then_some((kind, clean))
    }
}

fn text_of(media_type: &str, base64: &str) -> Option<String> {
    let mut parts = media_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(
        kind.as_str(),
        "text/plain" | "text/html" | "text/rtf" | "application/rtf" | "application/xhtml+xml"
    ) {
        return None;
    }
    let charset = parts.find_map(|part| {
        part.to_ascii_lowercase().strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned())
    });
    let clean: Vec<u8> = base64.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let bytes = base64_simd::STANDARD.decode_to_vec(&clean).ok()?;
    let text = decoded(&bytes, charset.as_deref())?;
    let text = match kind.as_str() {
        "text/plain" => text,
        "text/rtf" | "application/rtf" => plain::of_rtf(&text),
        _ => plain::of_html(&text),
    };
    let text = text.trim().to_owned();
    is_visible(&text).then_some(text)
}

/// Bytes as text: by the byte order mark, then by the charset, then as UTF-8, then as Windows-1252.
fn decoded(bytes: &[u8], charset: Option<&str>) -> Option<String> {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => return Some(wide(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => return Some(wide(rest, u16::from_be_bytes)),
        [0xEF, 0xBB, 0xBF, rest @ ..] => return Some(String::from_utf8_lossy(rest).into_owned()),
        _ => {}
    }
    match charset {
        Some("utf-16le") => Some(wide(bytes, u16::from_le_bytes)),
        Some("utf-16" | "utf-16be") => Some(wide(bytes, u16::from_be_bytes)),
        Some("windows-1252" | "iso-8859-1" | "latin1") => {
            Some(bytes.iter().map(|byte| plain::windows_1252(*byte)).collect())
        }
        None | Some("utf-8" | "us-ascii" | "ascii") => match std::str::from_utf8(bytes) {
            Ok(text) => Some(text.to_owned()),
            Err(_) => Some(bytes.iter().map(|byte| plain::windows_1252(*byte)).collect()),
        },
        // Read wrongly it would say something else.
        Some(_) => None,
    }
}
