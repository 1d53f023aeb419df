//! `_include` and `_revinclude`: what comes along with the matches.

use charta_model::ResourceType;

use super::{Among, SearchError, parameter::Parameter};
use crate::{Version, definitions::ParameterKind};

/// What comes along with the matches of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The type whose references are followed.
    pub source: ResourceType,
    /// The reference; `None` means every one.
    pub parameter: Option<&'static str>,
    /// Only targets of this type.
    pub target: Option<ResourceType>,
    /// Whether what comes along brings along more.
    pub iterate: bool,
    /// `_revinclude`: the matches are the targets, and the sources come along.
    pub reverse: bool,
}

/// The include that a parameter is; `None` if the version has no such reference.
///
/// Clause: FHIR R4 search.html#include
pub(super) fn include(among: &Among<'_>, parameter: &Parameter<'_>) -> Result<Option<Include>, SearchError> {
    let iterate = match parameter.modifier {
        None => false,
        Some("recurse") if !among.version.is_r4_or_later() => true,
        Some("iterate") if among.version >= Version::Stu3 => true,
        Some(_) => return Err(parameter.modifier_error()),
    };
    let reverse = parameter.name == "_revinclude";
    let form = || parameter.value_error("Type:parameter or Type:parameter:Type is expected");
    if parameter.value == "*" && !reverse {
        let [source] = among.kinds else { return Err(form()) };
        return Ok(Some(Include { source: source.clone(), parameter: None, target: None, iterate, reverse }));
    }
    let mut parts = parameter.value.splitn(3, ':');
    let (Some(source), Some(name)) = (parts.next(), parts.next()) else { return Err(form()) };
    let target = match parts.next() {
        None => None,
        Some(target) => Some(ResourceType::new(target).map_err(|_| form())?),
    };
    let known = among.version.definitions().search_parameter(source, name);
    let source = ResourceType::new(source).map_err(|_| form())?;
    match (name, known) {
        ("*", _) => Ok(Some(Include { source, parameter: None, target, iterate, reverse })),
        (_, Some(known)) if known.kind == ParameterKind::Reference => {
            Ok(Some(Include { source, parameter: Some(known.name), target, iterate, reverse }))
        }
        _ => Ok(None),
    }
}
