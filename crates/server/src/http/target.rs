//! The path of a request below its endpoint's base, taken apart.

use charta_model::ResourceId;
use percent_encoding::percent_decode_str;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The base itself.
    System,
    /// `metadata`
    Metadata,
    /// `Binary`
    Type,
    /// `Binary/_search`
    TypeSearch,
    /// `Binary/_history`
    TypeHistory,
    /// `Binary/[id]`
    Instance(ResourceId),
    /// `Binary/[id]/_history`
    InstanceHistory(ResourceId),
    /// `Binary/[id]/_history/[vid]`
    Version(ResourceId, u64),
    /// `Binary/$name` or `Binary/[id]/$name`
    Operation,
    /// A path of the form of a FHIR interaction with a type that is not served.
    OtherType,
    /// Anything else, also an id that cannot be one.
    Unknown,
}

impl Target {
    /// Takes apart what follows the base, still percent-encoded; empty or beginning with `/`.
    ///
    /// A segment is decoded after the path is split, so an encoded slash never makes a new segment.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let Some(path) = path.strip_prefix('/').filter(|path| !path.is_empty()) else {
            return Self::System;
        };
        // Most paths are plain; only others are decoded.
        if path.contains('%') {
            let decoded: Option<Vec<String>> = path
                .split('/')
                .map(|segment| Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned()))
                .collect();
            decoded.map_or(Self::Unknown, |segments| {
                Self::of(&segments.iter().map(String::as_str).collect::<Vec<_>>())
            })
        } else {
            let mut segments = [""; 5];
            let mut count = 0;
            for segment in path.split('/') {
                let Some(place) = segments.get_mut(count) else { return Self::Unknown };
                *place = segment;
                count += 1;
            }
            Self::of(&segments[..count])
        }
    }

    /// A route template for logs and metrics: says the shape, never an id.
    #[must_use]
    pub const fn template(&self) -> &'static str {
        match self {
            Self::System => "/",
            Self::Metadata => "/metadata",
            Self::Type => "/Binary",
            Self::TypeSearch => "/Binary/_search",
            Self::TypeHistory => "/Binary/_history",
            Self::Instance(_) => "/Binary/{id}",
            Self::InstanceHistory(_) => "/Binary/{id}/_history",
            Self::Version(..) => "/Binary/{id}/_history/{version}",
            Self::Operation => "/Binary/${operation}",
            Self::OtherType => "/{type}",
            Self::Unknown => "unknown",
        }
    }

    fn of(segments: &[&str]) -> Self {
        let id = |text: &str| ResourceId::new(text).ok();
        match segments {
            ["metadata"] => Self::Metadata,
            ["Binary"] => Self::Type,
            ["Binary", "_search"] => Self::TypeSearch,
            ["Binary", "_history"] => Self::TypeHistory,
            ["Binary", operation] | ["Binary", _, operation] if operation.starts_with('$') => Self::Operation,
            ["Binary", text] => id(text).map_or(Self::Unknown, Self::Instance),
            ["Binary", text, "_history"] => id(text).map_or(Self::Unknown, Self::InstanceHistory),
            ["Binary", text, "_history", version] => {
                id(text).zip(version_number(version)).map_or(Self::Unknown, |(id, v)| Self::Version(id, v))
            }
            [kind, ..] if *kind != "Binary" && is_type_name(kind) => Self::OtherType,
            _ => Self::Unknown,
        }
    }
}

/// Versions are written without sign and leading zeros; anything else was never given out.
fn version_number(text: &str) -> Option<u64> {
    let number = text.parse().ok()?;
    (number > 0 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')).then_some(number)
}

fn is_type_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ResourceId {
        ResourceId::new(text).unwrap()
    }

    #[test]
    fn paths_name_what_fhir_says() {
        for (path, target) in [
            ("", Target::System),
            ("/", Target::System),
            ("/metadata", Target::Metadata),
            ("/Binary", Target::Type),
            ("/Binary/1", Target::Instance(id("1"))),
            ("/Binary/TR%2D1", Target::Instance(id("TR-1"))),
            ("/Binary/1/_history/2", Target::Version(id("1"), 2)),
            ("/Binary/%24autogen-ccd-if", Target::Operation),
            ("/Binary/1/$view", Target::Operation),
            ("/Patient/1", Target::OtherType),
        ] {
            assert_eq!(Target::parse(path), target, "{path}");
        }
    }

    #[test]
    fn traversal_and_oddities_name_nothing() {
        for path in [
            "/Binary/..",
            "/Binary/.",
            "/Binary/%2e%2e",
            "/Binary/a%2Fb",
            "/Binary/a%00",
            "/Binary//1",
            "//Binary/1",
            "/Binary/",
            "/Binary/1/",
            "/Binary/a_b",
            "/Binary/%ff",
            "/binary/1",
            "/Binary/1/_history/01",
            "/Binary/1/_history/+1",
            "/Binary/1/_history/0",
            "/Binary/1/2/3/4/5/6",
            "/Binary/C:",
            "/%42inary/../x",
        ] {
            assert_eq!(Target::parse(path), Target::Unknown, "{path}");
        }
    }
}
