//! The path of a request below its endpoint's base, taken apart.

use charta_model::{ResourceId, ResourceType};
use percent_encoding::percent_decode_str;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The base itself.
    System,
    /// `metadata`
    Metadata,
    /// `.well-known/smart-configuration`
    SmartConfiguration,
    /// `_search`
    SystemSearch,
    /// `_history`
    SystemHistory,
    /// `Binary`
    Type(ResourceType),
    /// `Binary/_search`
    TypeSearch(ResourceType),
    /// `Binary/_history`
    TypeHistory(ResourceType),
    /// `Binary/[id]`
    Instance(ResourceType, ResourceId),
    /// `Binary/[id]/_history`
    InstanceHistory(ResourceType, ResourceId),
    /// `Binary/[id]/_history/[vid]`
    Version(ResourceType, ResourceId, u64),
    /// `Patient/[id]/DocumentReference`, or `Patient/[id]/*` for every type.
    Compartment(ResourceType, ResourceId, Option<ResourceType>),
    /// `Patient/[id]/DocumentReference/_search`
    CompartmentSearch(ResourceType, ResourceId, Option<ResourceType>),
    /// `$name`, `Binary/$name` or `Binary/[id]/$name`; the name without `$`
    Operation(Option<ResourceType>, Option<ResourceId>, Box<str>),
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
    pub fn template(&self) -> &'static str {
        match self {
            Self::System => "/",
            Self::Metadata => "/metadata",
            Self::SmartConfiguration => "/.well-known/smart-configuration",
            Self::SystemSearch => "/_search",
            Self::SystemHistory => "/_history",
            Self::Type(_) => "/{type}",
            Self::TypeSearch(_) => "/{type}/_search",
            Self::TypeHistory(_) => "/{type}/_history",
            Self::Instance(kind, _) if kind.is_binary() => "/Binary/{id}",
            Self::Instance(..) => "/{type}/{id}",
            Self::InstanceHistory(..) => "/{type}/{id}/_history",
            Self::Version(kind, ..) if kind.is_binary() => "/Binary/{id}/_history/{version}",
            Self::Version(..) => "/{type}/{id}/_history/{version}",
            Self::Compartment(..) => "/{compartment}/{id}/{type}",
            Self::CompartmentSearch(..) => "/{compartment}/{id}/{type}/_search",
            Self::Operation(..) => "/${operation}",
            Self::Unknown => "unknown",
        }
    }

    /// The type of the resources that it names, if it is one.
    #[must_use]
    pub const fn kind(&self) -> Option<&ResourceType> {
        match self {
            Self::Type(kind)
            | Self::TypeSearch(kind)
            | Self::TypeHistory(kind)
            | Self::Instance(kind, _)
            | Self::InstanceHistory(kind, _)
            | Self::Version(kind, ..)
            | Self::Compartment(_, _, Some(kind))
            | Self::CompartmentSearch(_, _, Some(kind)) => Some(kind),
            _ => None,
        }
    }

    fn of(segments: &[&str]) -> Self {
        match segments {
            ["metadata"] => return Self::Metadata,
            [".well-known", "smart-configuration"] => return Self::SmartConfiguration,
            ["_search"] => return Self::SystemSearch,
            ["_history"] => return Self::SystemHistory,
            [levels @ .., last] if let Some(name) = last.strip_prefix('$') => {
                return Self::operation(levels, name).unwrap_or(Self::Unknown);
            }
            _ => {}
        }
        let Some((kind, rest)) = segments.split_first() else { return Self::Unknown };
        match kind_named(kind) {
            Some(kind) => Self::below(kind, rest).unwrap_or(Self::Unknown),
            None => Self::Unknown,
        }
    }

    fn operation(levels: &[&str], name: &str) -> Option<Self> {
        let (kind, id) = match levels {
            [] => (None, None),
            [kind] => (Some(kind_named(kind)?), None),
            [kind, id] => (Some(kind_named(kind)?), Some(ResourceId::new(id).ok()?)),
            _ => return None,
        };
        Some(Self::Operation(kind, id, name.into()))
    }

    fn below(kind: ResourceType, rest: &[&str]) -> Option<Self> {
        let id = |text: &str| ResourceId::new(text).ok();
        let inner = |text: &str| match text {
            "*" => Some(None),
            text => kind_named(text).map(Some),
        };
        Some(match rest {
            [] => Self::Type(kind),
            ["_search"] => Self::TypeSearch(kind),
            ["_history"] => Self::TypeHistory(kind),
            [text] => Self::Instance(kind, id(text)?),
            [text, "_history"] => Self::InstanceHistory(kind, id(text)?),
            [text, "_history", version] => Self::Version(kind, id(text)?, version_number(version)?),
            [text, of] => Self::Compartment(kind, id(text)?, inner(of)?),
            [text, of, "_search"] => Self::CompartmentSearch(kind, id(text)?, inner(of)?),
            _ => return None,
        })
    }
}

fn kind_named(text: &str) -> Option<ResourceType> {
    match text {
        "Binary" => Some(ResourceType::BINARY),
        text => ResourceType::new(text).ok(),
    }
}

/// Versions are written without sign and leading zeros; anything else was never given out.
fn version_number(text: &str) -> Option<u64> {
    let number = text.parse().ok()?;
    (number > 0 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')).then_some(number)
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
            ("/.well-known/smart-configuration", Target::SmartConfiguration),
            ("/Binary", Target::Type(ResourceType::BINARY)),
            ("/Binary/1", Target::Instance(ResourceType::BINARY, id("1"))),
            ("/Binary/TR%2D1", Target::Instance(ResourceType::BINARY, id("TR-1"))),
            ("/Binary/1/_history/2", Target::Version(ResourceType::BINARY, id("1"), 2)),
            ("/$x", Target::Operation(None, None, "x".into())),
            (
                "/Binary/%24autogen-ccd-if",
                Target::Operation(Some(ResourceType::BINARY), None, "autogen-ccd-if".into()),
            ),
            ("/Binary/1/$view", Target::Operation(Some(ResourceType::BINARY), Some(id("1")), "view".into())),
            ("/Patient/1", Target::Instance(ResourceType::PATIENT, id("1"))),
            ("/_history", Target::SystemHistory),
            (
                "/Patient/1/Binary",
                Target::Compartment(ResourceType::PATIENT, id("1"), Some(ResourceType::BINARY)),
            ),
            ("/Patient/1/*", Target::Compartment(ResourceType::PATIENT, id("1"), None)),
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
            "/binary/$view",
            "/Binary/a_b/$view",
            "/Binary/1/_history/$view",
            "/%42inary/../x",
        ] {
            assert_eq!(Target::parse(path), Target::Unknown, "{path}");
        }
    }
}
