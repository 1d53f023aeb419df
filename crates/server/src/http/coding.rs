//! Content codings: what an upload was compressed with, what an answer may be.

use charta_model::MediaType;
use http::{HeaderMap, header};

/// A content coding that is understood both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`
    Gzip,
    /// `zstd`
    Zstd,
    /// `br`
    Brotli,
}

/// A coding that is not understood, or several at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCoding;

/// The codings as an `Accept-Encoding` of ours names them.
pub const SUPPORTED: &str = "gzip, zstd, br";

/// Answers below this size are not worth compressing, in bytes.
const COMPRESSED_BYTES_MIN: u64 = 1024;

impl Coding {
    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }

    fn of(name: &str) -> Option<Self> {
        let is = |other| name.eq_ignore_ascii_case(other);
        if is("gzip") || is("x-gzip") {
            Some(Self::Gzip)
        } else if is("zstd") {
            Some(Self::Zstd)
        } else if is("br") {
            Some(Self::Brotli)
        } else {
            None
        }
    }

    /// How a request's body is coded; `None` is not at all.
    ///
    /// # Errors
    /// If it is a coding that is not understood, or more than one.
    pub fn of_request(headers: &HeaderMap) -> Result<Option<Self>, UnknownCoding> {
        let mut found = None;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for name in value.to_str().map_err(|_| UnknownCoding)?.split(',').map(str::trim) {
                if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                    continue;
                }
                let coding = Self::of(name).ok_or(UnknownCoding)?;
                if found.replace(coding).is_some() {
                    return Err(UnknownCoding);
                }
            }
        }
        Ok(found)
    }

    /// The coding that the client would like best for an answer of this type and size; `None` if
    /// it asked for none, or if compressing gains nothing.
    #[must_use]
    pub fn for_answer(headers: &HeaderMap, text_like: bool, size_bytes: u64) -> Option<Self> {
        if !headers.contains_key(header::ACCEPT_ENCODING) || !text_like || size_bytes < COMPRESSED_BYTES_MIN {
            return None;
        }
        let mut best: Option<(u16, Self)> = None;
        let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for entry in values.flat_map(|value| value.split(',')) {
            let (name, weight) = entry.split_once(';').map_or((entry, 1000), |(n, q)| (n, per_mille(q)));
            // `*` names nothing in particular; only a coding that is named is used.
            if let Some(coding) = Self::of(name.trim())
                && weight > 0
                && best.is_none_or(|(most, _)| weight > most)
            {
                best = Some((weight, coding));
            }
        }
        best.map(|(_, coding)| coding)
    }
}

/// `q=0.5` in thousandths; 0 if it cannot be read.
fn per_mille(parameter: &str) -> u16 {
    let value =
        parameter.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
    let weight: f32 = value.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0);
    if (0.0..=1.0).contains(&weight) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1000 by the line above"
        )]
        return (weight * 1000.0) as u16;
    }
    0
}

/// Whether documents of this type become smaller by compression.
#[must_use]
pub fn is_text_like(media_type: &MediaType) -> bool {
    media_type.kind() == "text"
        || media_type.is_json()
        || media_type.is_xml()
        || matches!(media_type.essence(), "application/rtf" | "application/javascript" | "image/bmp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_best_named_coding_is_used() {
        for (accept, coding) in [
            ("gzip", Some(Coding::Gzip)),
            ("gzip;q=0.5, br", Some(Coding::Brotli)),
            ("gzip, zstd, br", Some(Coding::Gzip)),
            ("*", None),
            ("identity", None),
            ("gzip;q=0", None),
            ("gzip;q=7", None),
            ("", None),
        ] {
            let found = Coding::for_answer(&headers(header::ACCEPT_ENCODING, accept), true, 4096);
            assert_eq!(found, coding, "{accept}");
        }
    }

    #[test]
    fn nested_and_unknown_codings_of_a_body_are_refused() {
        for (given, coding) in [
            ("gzip", Ok(Some(Coding::Gzip))),
            ("identity", Ok(None)),
            ("gzip, gzip", Err(UnknownCoding)),
            ("deflate", Err(UnknownCoding)),
            ("br, identity", Ok(Some(Coding::Brotli))),
        ] {
            assert_eq!(Coding::of_request(&headers(header::CONTENT_ENCODING, given)), coding, "{given}");
        }
    }
}
