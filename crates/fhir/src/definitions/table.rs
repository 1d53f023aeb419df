//! Reads a table; `crates/fhir/definitions/README.md` explains its lines. The tables are part of the program and
//! a test reads every line of them, so what cannot be read is passed over here.

use std::collections::HashMap;

use super::{
    CodeSet, CodeSetIndex, Component, Definitions, Element, ParameterKind, Path, SearchParameter, Step,
    StepFilter, Type, TypeIndex, TypeKind, TypeUse,
};
use crate::Version;

/// The table of a version.
pub(super) const fn of(version: Version) -> &'static str {
    match version {
        Version::Dstu2 => include_str!("../../definitions/dstu2.txt"),
        Version::Stu3 => include_str!("../../definitions/stu3.txt"),
        Version::R4 => include_str!("../../definitions/r4.txt"),
        Version::R4b => include_str!("../../definitions/r4b.txt"),
        Version::R5 => include_str!("../../definitions/r5.txt"),
    }
}

/// What a table says.
pub(super) fn read(table: &'static str) -> Definitions {
    let mut reader = Reader::default();
    // What elements name may come later.
    table.lines().for_each(|line| reader.name(line));
    table.lines().for_each(|line| {
        reader.line(line);
    });
    reader.finish()
}

#[derive(Default)]
pub(super) struct Reader {
    definitions: Definitions,
    code_sets: HashMap<&'static str, CodeSetIndex>,
    /// The parameter that components belong to.
    composite: Option<(&'static str, usize)>,
    /// Types that were read.
    read: usize,
}

impl Reader {
    fn name(&mut self, line: &'static str) {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("type"), Some(name)) => {
                let index =
                    TypeIndex(u16::try_from(self.definitions.types_by_name.len()).unwrap_or(u16::MAX));
                self.definitions.types_by_name.insert(name, index);
            }
            (Some("codes"), Some(name)) => {
                let index = CodeSetIndex(u16::try_from(self.definitions.code_sets.len()).unwrap_or(u16::MAX));
                self.code_sets.insert(name, index);
                self.definitions.code_sets.push(CodeSet { name, codes: words.collect() });
            }
            _ => {}
        }
    }

    /// `None` for a line that says nothing that is known.
    pub(super) fn line(&mut self, line: &'static str) -> Option<()> {
        let (first, rest) = line.split_once(' ')?;
        match first {
            "type" => self.of_type(rest),
            "search" => self.search(rest),
            "compartment" => self.compartment(rest),
            "" => self.element(rest),
            "+" => self.component(rest),
            "codes" | "#" => Some(()),
            _ => None,
        }
    }

    fn of_type(&mut self, rest: &'static str) -> Option<()> {
        let [name, kind, base] = words(rest)?;
        let kind = match kind {
            "primitive" => TypeKind::Primitive,
            "complex" => TypeKind::Complex,
            "backbone" => TypeKind::Backbone,
            "resource" => TypeKind::Resource,
            "abstract" => TypeKind::Abstract,
            _ => return None,
        };
        // A base stands before what goes on from it.
        let elements = self.definitions.type_named(base).map_or_else(Vec::new, |base| base.elements.clone());
        self.definitions.types.push(Type { name, kind, elements, properties: HashMap::new() });
        self.read += 1;
        Some(())
    }

    fn element(&mut self, rest: &'static str) -> Option<()> {
        let mut parts = rest.split(' ');
        let (name, cardinality, flags) = (parts.next()?, parts.next()?, parts.next()?);
        let types = parts.next()?.split(',').map(|of| self.type_use(of)).collect::<Option<Vec<_>>>()?;
        let codes = match parts.next() {
            None => None,
            Some(name) => Some(*self.code_sets.get(name)?),
        };
        let element = Element {
            name: name.strip_suffix("[x]").unwrap_or(name),
            choice: name.ends_with("[x]"),
            types,
            min: cardinality.get(..1)?.parse().ok()?,
            repeats: cardinality.ends_with('*'),
            summary: flags.contains('s'),
            modifier: flags.contains('m'),
            attribute: flags.contains('a'),
            codes,
        };
        self.definitions.types.last_mut()?.elements.push(element);
        Some(())
    }

    fn type_use(&self, text: &'static str) -> Option<TypeUse> {
        let (name, targets) = text.split_once(':').unwrap_or((text, ""));
        let targets = if targets.is_empty() { Vec::new() } else { targets.split('/').collect() };
        Some(TypeUse { type_index: *self.definitions.types_by_name.get(name)?, targets })
    }

    fn search(&mut self, rest: &'static str) -> Option<()> {
        let [resource, name, kind, targets, paths] = words(rest)?;
        let kind = kind_named(kind)?;
        let targets = if targets == "-" { Vec::new() } else { targets.split(',').collect() };
        let paths = read_paths(paths)?;
        let parameters = self.definitions.search_parameters.entry(resource).or_default();
        parameters.push(SearchParameter { name, kind, targets, paths, components: Vec::new() });
        self.composite = Some((resource, parameters.len() - 1));
        Some(())
    }

    fn component(&mut self, rest: &'static str) -> Option<()> {
        let [name, kind, paths] = words(rest)?;
        let component = Component { name, kind: kind_named(kind)?, paths: read_paths(paths)? };
        let (resource, at) = self.composite?;
        self.definitions.search_parameters.get_mut(resource)?.get_mut(at)?.components.push(component);
        Some(())
    }

    fn compartment(&mut self, rest: &'static str) -> Option<()> {
        let [compartment, resource, names] = words(rest)?;
        let of = self.definitions.compartments.entry(compartment).or_default();
        of.insert(resource, names.split(',').collect());
        Some(())
    }

    fn finish(mut self) -> Definitions {
        let names: Vec<&'static str> = self.definitions.types.iter().map(|of| of.name).collect();
        for of in &mut self.definitions.types {
            for (place, element) in (0..).zip(&of.elements) {
                for used in &element.types {
                    let name = match element.choice {
                        false => element.name.into(),
                        true => choice_name(
                            element.name,
                            names.get(usize::from(used.type_index.0)).unwrap_or(&""),
                        ),
                    };
                    of.properties.insert(name, (place, used.type_index));
                }
            }
        }
        let resources = (0..).zip(&self.definitions.types).filter(|(_, of)| of.kind == TypeKind::Resource);
        let mut resources: Vec<(&str, TypeIndex)> =
            resources.map(|(at, of)| (of.name, TypeIndex(at))).collect();
        resources.sort_unstable_by_key(|(name, _)| *name);
        self.definitions.resources = resources.into_iter().map(|(_, index)| index).collect();
        self.definitions
    }
}

/// `valueQuantity`
fn choice_name(element: &str, of: &str) -> Box<str> {
    let mut letters = of.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    element.chars().chain(first).chain(letters).collect()
}

fn words<const N: usize>(text: &'static str) -> Option<[&'static str; N]> {
    let mut words = [""; N];
    let mut found = text.split(' ');
    for word in &mut words {
        *word = found.next()?;
    }
    found.next().is_none().then_some(words)
}

fn kind_named(text: &str) -> Option<ParameterKind> {
    Some(match text {
        "token" => ParameterKind::Token,
        "reference" => ParameterKind::Reference,
        "date" => ParameterKind::Date,
        "string" => ParameterKind::String,
        "uri" => ParameterKind::Uri,
        "quantity" => ParameterKind::Quantity,
        "number" => ParameterKind::Number,
        "composite" => ParameterKind::Composite,
        "special" => ParameterKind::Special,
        _ => return None,
    })
}

fn read_paths(text: &'static str) -> Option<Vec<Path>> {
    let path = |path: &'static str| match path {
        "-" => Some(Path { steps: Vec::new() }),
        path => Some(Path { steps: path.split('.').map(step).collect::<Option<_>>()? }),
    };
    text.split('|').map(path).collect()
}

/// `name`, `name[Type]`, `name{element=value}` or `name{->Type}`
fn step(text: &'static str) -> Option<Step> {
    let (text, filter) = match text.strip_suffix('}') {
        None => (text, None),
        Some(text) => {
            let (name, condition) = text.split_once('{')?;
            let filter = match condition.strip_prefix("->") {
                Some(target) => StepFilter::Target(target),
                None => {
                    let (element, value) = condition.split_once('=')?;
                    StepFilter::Equals { element, value }
                }
            };
            (name, Some(filter))
        }
    };
    let (name, cast) = match text.strip_suffix(']') {
        None => (text, None),
        Some(text) => {
            let (name, cast) = text.split_once('[')?;
            (name, Some(cast))
        }
    };
    Some(Step { name, cast, filter })
}
