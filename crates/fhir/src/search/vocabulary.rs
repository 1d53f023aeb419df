//! The search parameters of the types among which is searched.

use charta_model::{Filter, ResourceId, ResourceType, Scope, SortKey};

use super::{
    SearchError,
    filter::{self, Filtered},
    parameter::{Parameter, split, unescape},
    sort, value,
};
use crate::{
    Version,
    definitions::{ParameterKind, Path, SearchParameter},
    index, project,
};

/// Deepest nesting of chains and `_has`.
const CHAIN_MAX: usize = 2;

/// The types among which is searched, in the words of a version.
#[derive(Debug, Clone, Copy)]
pub struct Among<'a> {
    /// Whose parameters and rules.
    pub version: Version,
    /// The types; one, unless it is the whole system that is searched.
    pub kinds: &'a [ResourceType],
    /// URLs of this server, whose resources are local.
    pub bases: &'a [String],
}

/// The documents of a type that this version can show.
#[must_use]
pub fn scope(version: Version, kind: &ResourceType) -> Scope {
    let everywhere = kind.is_binary() || project::is_projected(kind.as_str());
    Scope { kind: kind.clone(), dialect: (!everywhere).then(|| version.name()) }
}

impl Among<'_> {
    pub(super) fn scopes(&self) -> Vec<Scope> {
        self.kinds.iter().map(|kind| scope(self.version, kind)).collect()
    }

    /// The filter that a parameter is.
    pub(super) fn filter(&self, parameter: &Parameter<'_>) -> Result<Filtered, SearchError> {
        match self.kinds {
            [kind] if !kind.is_binary() => self.of_type(kind.as_str(), parameter, 0, ""),
            [_] => filter::filter(self.version, parameter),
            _ if parameter.name.starts_with('_') => self.common(parameter),
            _ => Ok(Filtered::Unknown),
        }
    }

    pub(super) fn sort_key(&self, name: &str) -> Option<SortKey> {
        let common = sort::key(self.version, name, matches!(self.kinds, [kind] if kind.is_binary()));
        common.or_else(|| match self.kinds {
            [kind] if !kind.is_binary() => {
                let known = self.version.definitions().search_parameter(kind.as_str(), name)?;
                let sortable = !matches!(known.kind, ParameterKind::Composite | ParameterKind::Special);
                sortable.then(|| SortKey::Parameter(known.name.into()))
            }
            _ => None,
        })
    }

    /// `within` is what the names of entries begin with: of a resource that is contained in the one that is
    /// looked for, the way to it.
    fn of_type(
        &self,
        kind: &str,
        parameter: &Parameter<'_>,
        depth: usize,
        within: &str,
    ) -> Result<Filtered, SearchError> {
        if parameter.name.starts_with('_') && !within.is_empty() {
            return Ok(Filtered::Unknown); // it has no life of its own
        }
        if parameter.name == "_has" {
            return self.has(parameter, depth);
        }
        if parameter.name.starts_with('_') {
            return self.common(parameter);
        }
        let chained = chained(parameter);
        let name = chained.as_ref().map_or(parameter.name, |(name, _, _)| name);
        let Some(known) = self.parameter(kind, name) else { return Ok(Filtered::Unknown) };
        if let Some((_, target, rest)) = chained {
            return self.chain(known, (target, rest), parameter, depth, within);
        }
        if parameter.modifier == Some("missing") {
            return Ok(Filtered::By(missing(within, known, parameter.is_missing()?)));
        }
        if parameter.modifier.is_some_and(|modifier| !self.takes(known, modifier)) {
            return Err(parameter.modifier_error());
        }
        if parameter.alternatives().next().is_none() {
            return Ok(Filtered::All);
        }
        let filter = match known.kind {
            ParameterKind::Composite => self.composite(kind, known, parameter, within)?,
            of => {
                let name = format!("{within}{}", known.name);
                value::filter(&self.asked(kind, known, &name, of), parameter, parameter.alternatives())?
            }
        };
        Ok(match (parameter.modifier, filter) {
            (Some("not"), Filter::Nothing) => Filtered::All,
            (Some("not"), filter) => Filtered::By(Filter::Not(Box::new(filter))),
            (_, filter) => Filtered::By(filter),
        })
    }

    /// The parameters that every type has.
    fn common(&self, parameter: &Parameter<'_>) -> Result<Filtered, SearchError> {
        match parameter.name {
            "_list" => self.list(parameter),
            "_source" if self.version.is_r4_or_later() => self.source(parameter),
            _ => filter::filter(self.version, parameter),
        }
    }

    /// What is on these lists. Lists that a server would have to know by itself (`$current-problems`) there are none.
    ///
    /// Clause: FHIR R4 search.html#list
    fn list(&self, parameter: &Parameter<'_>) -> Result<Filtered, SearchError> {
        if parameter.plain()?.contains('$') {
            return Err(parameter.not_supported("functional lists are not offered"));
        }
        let ids: Vec<_> =
            parameter.alternatives().filter_map(|id| ResourceId::new(&unescape(id)).ok()).collect();
        let list = ResourceType::new("List").ok().filter(|_| !ids.is_empty());
        let item = self.version.definitions().search_parameter("List", "item");
        let (Some(list), Some(item)) = (list, item) else { return Ok(Filtered::By(Filter::Nothing)) };
        let named = Box::new(Filter::Id(ids));
        Ok(Filtered::By(Filter::Has(scope(self.version, &list), item.name.into(), named)))
    }

    fn source(&self, parameter: &Parameter<'_>) -> Result<Filtered, SearchError> {
        match parameter.modifier {
            None | Some("below" | "above") => {}
            Some("missing") => {
                let is_missing = parameter.is_missing()?;
                return Ok(Filtered::By(Filter::Missing(index::SOURCE.into(), is_missing)));
            }
            Some(_) => return Err(parameter.modifier_error()),
        }
        let asked = value::Asked {
            version: self.version,
            name: index::SOURCE.to_owned(),
            kind: ParameterKind::Uri,
            is_code: false,
            targets: &[],
            bases: self.bases,
        };
        Ok(Filtered::By(value::filter(&asked, parameter, parameter.alternatives())?))
    }

    /// A parameter of the version; on R4 also those that IHE MHD adds, which R5 took over.
    fn parameter(&self, kind: &str, name: &str) -> Option<&'static SearchParameter> {
        let own = self.version.definitions().search_parameter(kind, name);
        own.or_else(|| match (self.version, kind, name) {
            (Version::R4 | Version::R4b, "DocumentReference", "creation") => {
                Version::R5.definitions().search_parameter(kind, name)
            }
            _ => None,
        })
    }

    fn asked<'p>(
        &'p self,
        kind: &str,
        known: &'p SearchParameter,
        name: &str,
        of: ParameterKind,
    ) -> value::Asked<'p> {
        let is_code = of == ParameterKind::Token && ends_in_code(self.version, kind, known);
        value::Asked {
            version: self.version,
            name: name.to_owned(),
            kind: of,
            is_code,
            targets: &known.targets,
            bases: self.bases,
        }
    }

    /// Clause: FHIR R4 search.html#modifiers
    fn takes(&self, known: &SearchParameter, modifier: &str) -> bool {
        match known.kind {
            ParameterKind::Token => {
                modifier == "not"
                    || modifier == "below" && matches!(known.name, "contenttype" | "content-type")
            }
            ParameterKind::String => matches!(modifier, "exact" | "contains"),
            ParameterKind::Uri => matches!(modifier, "below" | "above"),
            ParameterKind::Reference => {
                modifier == "identifier" && self.version >= Version::Stu3 || known.targets.contains(&modifier)
            }
            _ => false,
        }
    }

    /// Clause: FHIR R4 search.html#composite
    fn composite(
        &self,
        kind: &str,
        known: &'static SearchParameter,
        parameter: &Parameter<'_>,
        within: &str,
    ) -> Result<Filter, SearchError> {
        let mut alternatives = Vec::new();
        for text in parameter.alternatives() {
            let parts = split(text, b'$');
            if parts.len() != known.components.len() {
                return Err(
                    parameter.value_error("as many values as the parameter has components are expected")
                );
            }
            let filters = parts.iter().zip(&known.components).enumerate().map(|(n, (part, component))| {
                let name = format!("{within}{}.{n}", known.name);
                let mut asked = self.asked(kind, known, &name, component.kind);
                asked.is_code = false;
                asked.targets = &[];
                value::filter(&asked, parameter, std::iter::once(*part))
            });
            alternatives.push(Filter::Composite(filters.collect::<Result<_, _>>()?));
        }
        Ok(Filter::Any(alternatives))
    }

    /// A chain leads to other resources, and to those that are contained in the one that is looked for. Whom a
    /// reference names by an identifier alone has that identifier: `patient.identifier` finds both.
    ///
    /// Clause: FHIR R4 search.html#chaining
    fn chain(
        &self,
        known: &'static SearchParameter,
        (target, rest): (Option<&str>, &str),
        parameter: &Parameter<'_>,
        depth: usize,
        within: &str,
    ) -> Result<Filtered, SearchError> {
        if known.kind != ParameterKind::Reference {
            return Err(parameter.not_supported("only a reference can be followed"));
        }
        if depth >= CHAIN_MAX {
            return Err(SearchError::TooCostly("a chain of more than two references"));
        }
        let definitions = self.version.definitions();
        let targets = known.targets.iter().filter(|kind| target.is_none_or(|target| target == **kind));
        let mut found = Vec::new();
        for kind in targets.filter(|kind| definitions.resource(kind).is_some()) {
            let Ok(target) = ResourceType::new(kind) else { continue };
            let inner = Parameter::new(rest, parameter.value);
            if let Filtered::By(filter) = self.of_type(kind, &inner, depth + 1, "")? {
                let scopes = vec![scope(self.version, &target)];
                found.push(Filter::Chain(entry_name(within, known), scopes, Box::new(filter)));
            }
            let name = index::inside(within, known.name, kind);
            if let Filtered::By(filter) = self.of_type(kind, &inner, depth + 1, &format!("{name}."))? {
                found.push(of_contained(name, filter));
            }
        }
        if rest == "identifier" && !found.is_empty() && self.version >= Version::Stu3 {
            let logical = Parameter { modifier: Some("identifier"), ..Parameter::new(rest, parameter.value) };
            let name = format!("{within}{}", known.name);
            let asked = self.asked("", known, &name, ParameterKind::Reference);
            found.push(value::filter(&asked, &logical, logical.alternatives())?);
        }
        Ok(if found.is_empty() { Filtered::Unknown } else { Filtered::By(Filter::Any(found)) })
    }

    /// `_has:Observation:patient:code=1234-5`
    ///
    /// Clause: FHIR R4 search.html#has
    fn has(&self, parameter: &Parameter<'_>, depth: usize) -> Result<Filtered, SearchError> {
        let form = || parameter.not_supported("_has:Type:parameter:parameter is expected");
        let mut parts = parameter.modifier.ok_or_else(form)?.splitn(3, ':');
        let (Some(kind), Some(link), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(form());
        };
        if depth >= CHAIN_MAX {
            return Err(SearchError::TooCostly("more than two levels of _has"));
        }
        let known = self.parameter(kind, link).filter(|known| known.kind == ParameterKind::Reference);
        let (Some(known), Ok(source)) = (known, ResourceType::new(kind)) else {
            return Err(parameter.not_supported("there is no such reference"));
        };
        Ok(match self.of_type(kind, &Parameter::new(rest, parameter.value), depth + 1, "")? {
            Filtered::By(filter) => {
                Filtered::By(Filter::Has(scope(self.version, &source), known.name.into(), Box::new(filter)))
            }
            Filtered::All => Filtered::All,
            Filtered::Unknown => return Err(parameter.not_supported("there is no such parameter")),
        })
    }
}

/// What a contained resource has not, it has not only if it is there.
fn of_contained(name: String, filter: Filter) -> Filter {
    let (wanted, unwanted) = match filter {
        Filter::Not(unwanted) => (None, *unwanted),
        Filter::Missing(parameter, true) => (None, Filter::Missing(parameter, false)),
        wanted => (Some(wanted), Filter::Nothing),
    };
    let absent = Filter::Missing(name.into(), true);
    wanted.unwrap_or_else(|| Filter::Not(Box::new(Filter::Any(vec![absent, unwanted]))))
}

/// A reference is there also where it names somebody by an identifier alone.
fn missing(within: &str, known: &SearchParameter, is_missing: bool) -> Filter {
    let name = entry_name(within, known);
    if known.kind != ParameterKind::Reference {
        return Filter::Missing(name, is_missing);
    }
    let logical = format!("{name}:identifier").into();
    let there = Filter::Any(vec![Filter::Missing(name, false), Filter::Missing(logical, false)]);
    if is_missing { Filter::Not(Box::new(there)) } else { there }
}

fn entry_name(within: &str, known: &SearchParameter) -> charta_model::Parameter {
    match known.kind {
        ParameterKind::Composite => format!("{within}{}.0", known.name).into(),
        _ if within.is_empty() => known.name.into(),
        _ => format!("{within}{}", known.name).into(),
    }
}

/// Whether all values of the parameter are codes, whose system is implied and so counts for nothing.
///
/// Clause: FHIR R4 search.html#token
fn ends_in_code(version: Version, kind: &str, known: &SearchParameter) -> bool {
    let definitions = version.definitions();
    let ends = |path: &Path| {
        let mut of = definitions.resource(kind)?;
        for step in &path.steps {
            let element = of.elements.iter().find(|element| element.name == step.name)?;
            of = definitions.type_at(element.types.first()?.type_index);
        }
        Some(of.name == "code")
    };
    !known.paths.is_empty() && known.paths.iter().all(|path| ends(path) == Some(true))
}

/// The reference, the type it is to lead to, and what is asked of the target: `subject:Patient.name` or
/// `patient.name`.
fn chained<'p>(parameter: &Parameter<'p>) -> Option<(&'p str, Option<&'p str>, &'p str)> {
    if let Some((name, rest)) = parameter.name.split_once('.') {
        // The modifier belongs to the last parameter.
        let whole = parameter.whole;
        return Some((name, None, whole.get(name.len() + 1..).unwrap_or(rest)));
    }
    let (kind, rest) = parameter.modifier?.split_once('.')?;
    Some((parameter.name, Some(kind), rest))
}
