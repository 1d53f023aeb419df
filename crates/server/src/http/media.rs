//! What a request's Content-Type says about its body: a FHIR resource, or a document's bytes.

use charta_fhir::{Format, Version};
use charta_model::MediaType;

/// A body that may be a FHIR resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FhirBody {
    /// How it is written.
    pub format: Format,
    /// Named by a generic type (`application/json`, `text/xml` ...) rather than a FHIR type.
    pub generic: bool,
}

/// Whether a body of this type is read as a FHIR resource if it turns out to be one.
///
/// Both spellings of the FHIR types are read on every endpoint. With a generic type and a charset
/// other than UTF-8 the body can only be a document.
///
/// # Errors
/// A sentence, for a FHIR type with a charset or `fhirVersion` that is not read here.
///
/// Clause: FHIR R4 http.html#mime-type
pub fn fhir_body(content_type: &MediaType, version: Version) -> Result<Option<FhirBody>, &'static str> {
    let (format, generic) = match content_type.essence() {
        "application/fhir+json" | "application/json+fhir" => (Format::Json, false),
        "application/fhir+xml" | "application/xml+fhir" => (Format::Xml, false),
        "application/json" | "text/json" => (Format::Json, true),
        "application/xml" | "text/xml" => (Format::Xml, true),
        _ => return Ok(None),
    };
    let charset = parameter(content_type, "charset");
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return if generic { Ok(None) } else { Err("FHIR resources are read in UTF-8 only") };
    }
    if parameter(content_type, "fhirVersion").is_some_and(|named| named != version.mime_parameter())
        && !generic
    {
        return Err("fhirVersion names a version that this endpoint does not read");
    }
    Ok(Some(FhirBody { format, generic }))
}

/// The value of a parameter, without quotes; names are compared without letter case.
#[must_use]
pub fn parameter<'a>(media_type: &'a MediaType, name: &str) -> Option<&'a str> {
    let (_, parameters) = media_type.as_str().split_once(';')?;
    parameters.split(';').find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_fhir_on_every_endpoint() {
        for (text, format) in [
            ("application/fhir+json", Format::Json),
            ("application/json+fhir; charset=UTF-8", Format::Json),
            ("APPLICATION/FHIR+XML;charset=\"utf-8\"", Format::Xml),
            ("application/fhir+json; fhirVersion=4.0", Format::Json),
        ] {
            let found = fhir_body(&MediaType::new(text).unwrap(), Version::R4).unwrap();
            assert_eq!(found, Some(FhirBody { format, generic: false }), "{text}");
        }
    }

    #[test]
    fn other_charsets_and_versions_of_a_fhir_body_are_refused() {
        for text in ["application/fhir+json; charset=latin1", "application/fhir+json; fhirVersion=3.0"] {
            assert!(fhir_body(&MediaType::new(text).unwrap(), Version::R4).is_err(), "{text}");
        }
        let generic = MediaType::new("application/json; charset=latin1").unwrap();
        assert_eq!(fhir_body(&generic, Version::R4), Ok(None));
        assert_eq!(fhir_body(&MediaType::new("application/pdf").unwrap(), Version::R4), Ok(None));
    }
}
