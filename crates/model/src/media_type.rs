//! The media type of a document, kept to the last parameter.

use std::fmt;

/// Why a text is not a media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a media type of the form type/subtype; parameter=value")]
pub struct InvalidMediaType;

/// A media type with its parameters, exactly as it was given.
///
/// The text is safe as a header value: visible ASCII and single spaces, no comma outside quotes.
///
/// Clause: RFC 9110 8.3.1
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MediaType {
    text: Box<str>,
    /// Lower-case `type/subtype`.
    essence: Box<str>,
}

impl MediaType {
    /// Longest text that is accepted, in bytes.
    pub const MAX_BYTES: usize = 512;

    /// # Errors
    /// If `text` is not `type/subtype` with well-formed parameters, holds a wildcard, or is longer than
    /// [`MediaType::MAX_BYTES`]. White space around it is dropped.
    pub fn new(text: &str) -> Result<Self, InvalidMediaType> {
        let text = text.trim_matches([' ', '\t']);
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidMediaType);
        }
        let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
        let (essence, parameters) = text.split_at(end);
        let (kind, subtype) = essence.split_once('/').ok_or(InvalidMediaType)?;
        if !is_token(kind) || !is_token(subtype) || kind == "*" || subtype == "*" {
            return Err(InvalidMediaType);
        }
        check_parameters(parameters)?;
        Ok(Self { text: text.into(), essence: essence.to_ascii_lowercase().into() })
    }

    /// The type as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Lower-case `type/subtype` without parameters.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The part before the slash, lower-case.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.essence.split('/').next().unwrap_or_default()
    }

    /// Whether content of this type is JSON: `application/json`, `text/json` or `+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.essence(), "application/json" | "text/json")
            || self.essence.ends_with("+json")
            || &*self.essence == "application/json+fhir"
    }

    /// Whether content of this type is XML: `application/xml`, `text/xml` or `+xml`.
    #[must_use]
    pub fn is_xml(&self) -> bool {
        matches!(self.essence(), "application/xml" | "text/xml")
            || self.essence.ends_with("+xml")
            || &*self.essence == "application/xml+fhir"
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// `*( OWS ";" OWS [ token "=" ( token / quoted-string ) ] )`
fn check_parameters(text: &str) -> Result<(), InvalidMediaType> {
    let mut rest = text.trim_start_matches([' ', '\t']);
    while !rest.is_empty() {
        rest = rest.strip_prefix(';').ok_or(InvalidMediaType)?.trim_start_matches([' ', '\t']);
        if rest.is_empty() || rest.starts_with(';') {
            continue;
        }
        let (name, value) = rest.split_once('=').ok_or(InvalidMediaType)?;
        if !is_token(name) {
            return Err(InvalidMediaType);
        }
        let length = match value.strip_prefix('"') {
            Some(quoted) => quoted_length(quoted).ok_or(InvalidMediaType)? + 1,
            None => value.find([';', ' ', '\t']).unwrap_or(value.len()),
        };
        if !value.starts_with('"') && !is_token(&value[..length]) {
            return Err(InvalidMediaType);
        }
        rest = value[length..].trim_start_matches([' ', '\t']);
    }
    Ok(())
}

/// Bytes up to and with the closing quote of a quoted-string whose opening quote is gone.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if !(byte == b'\t' || (b' '..=b'~').contains(&byte)) => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_kept_to_the_letter() {
        let given = "Text/HTML;charset=ISO-8859-1;  Level=\"1; \\\"x\\\"\"";
        let media_type = MediaType::new(given).unwrap();
        assert_eq!(media_type.as_str(), given);
        assert_eq!(media_type.essence(), "text/html");
    }

    #[test]
    fn what_could_split_a_header_is_refused() {
        for text in [
            "",
            "text",
            "text/",
            "/html",
            "text/html, text/plain",
            "text/html\r\nX: y",
            "text/html;a",
            "*/*",
            "text/*",
            "text/html;a=\"b",
            "text/html;a=b c",
            "text/html;a=é",
            "text /html",
            "a/b\0",
            "text/html;charset=utf-8,text/html",
            "nonsense",
        ] {
            assert_eq!(MediaType::new(text), Err(InvalidMediaType), "{text:?}");
        }
    }
}
