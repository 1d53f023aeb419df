//! The elements, codes, search parameters and compartments of each FHIR version, out of the tables in
//! `crates/fhir/definitions`. A table is read when its version is first used, in a few milliseconds.

mod table;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::OnceLock};

use crate::Version;

/// What one FHIR version defines.
#[derive(Debug, Default)]
pub struct Definitions {
    types: Vec<Type>,
    types_by_name: HashMap<&'static str, TypeIndex>,
    /// Concrete resource types, sorted by name.
    resources: Vec<TypeIndex>,
    code_sets: Vec<CodeSet>,
    search_parameters: HashMap<&'static str, Vec<SearchParameter>>,
    /// Compartment -> type -> parameters.
    compartments: HashMap<&'static str, HashMap<&'static str, Vec<&'static str>>>,
}

/// Where a type stands in the tables of its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeIndex(u16);

/// Where a code set stands in the tables of its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeSetIndex(u16);

/// A type and all its elements, inherited ones included.
#[derive(Debug)]
pub struct Type {
    /// As in `Patient`, `HumanName`, `Patient.contact` or `string`.
    pub name: &'static str,
    /// What kind of type.
    pub kind: TypeKind,
    /// In the order of XML; of a primitive type those beside its value.
    pub elements: Vec<Element>,
    /// JSON name -> element and type.
    properties: HashMap<Box<str>, (u16, TypeIndex)>,
}

/// What kind of type it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// A value without elements but id and extension.
    Primitive,
    /// A datatype.
    Complex,
    /// The inner elements of another type.
    Backbone,
    /// A resource.
    Resource,
    /// Never itself the type of a value: `Resource` stands for any resource.
    Abstract,
}

/// An element.
#[derive(Debug, Clone)]
pub struct Element {
    /// Without `[x]`.
    pub name: &'static str,
    /// Whether it is `name[x]`, one value of one of the types.
    pub choice: bool,
    /// What it holds.
    pub types: Vec<TypeUse>,
    /// How often it has to be there.
    pub min: u8,
    /// Whether it can be there more than once.
    pub repeats: bool,
    /// Whether the summary has it.
    pub summary: bool,
    /// Whether it changes what the resource means.
    pub modifier: bool,
    /// Whether XML writes it as an attribute.
    pub attribute: bool,
    /// The codes of a required binding.
    pub codes: Option<CodeSetIndex>,
}

/// A type of an element.
#[derive(Debug, Clone)]
pub struct TypeUse {
    /// Which.
    pub type_index: TypeIndex,
    /// What a Reference leads to; empty is any.
    pub targets: Vec<&'static str>,
}

/// What a JSON property names.
#[derive(Debug, Clone, Copy)]
pub struct Property<'a> {
    /// The element.
    pub element: &'a Element,
    /// Its place in the order of XML.
    pub place: usize,
    /// The type of its values.
    pub type_index: TypeIndex,
}

/// The codes of a required binding.
#[derive(Debug)]
pub struct CodeSet {
    name: &'static str,
    codes: Vec<&'static str>,
}

/// A search parameter of a resource type.
#[derive(Debug)]
pub struct SearchParameter {
    /// As it stands in a URL.
    pub name: &'static str,
    /// How values are compared.
    pub kind: ParameterKind,
    /// What a reference leads to; empty is any.
    pub targets: Vec<&'static str>,
    /// Where its values are.
    pub paths: Vec<Path>,
    /// The parts of a composite.
    pub components: Vec<Component>,
}

/// How the values of a search parameter are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the specification's words: FHIR R4 search.html#ptypes")]
pub enum ParameterKind {
    Token,
    Reference,
    Date,
    String,
    Uri,
    Quantity,
    Number,
    Composite,
    Special,
}

/// A way from a resource to values. Without steps: the resource itself.
#[derive(Debug)]
pub struct Path {
    /// One after the other.
    pub steps: Vec<Step>,
}

/// One step of a path.
#[derive(Debug)]
pub struct Step {
    /// The element.
    pub name: &'static str,
    /// The form of a choice; any if there is none.
    pub cast: Option<&'static str>,
    /// Which items.
    pub filter: Option<StepFilter>,
}

/// Which items a step goes to.
#[derive(Debug)]
pub enum StepFilter {
    /// Those whose element has this value.
    Equals {
        /// The element.
        element: &'static str,
        /// The value.
        value: &'static str,
    },
    /// References to this type.
    Target(&'static str),
}

/// A part of a composite parameter.
#[derive(Debug)]
pub struct Component {
    /// The parameter that it is alike.
    pub name: &'static str,
    /// How values are compared.
    pub kind: ParameterKind,
    /// From where the composite's own paths end.
    pub paths: Vec<Path>,
}

impl Version {
    /// What this version defines.
    pub fn definitions(self) -> &'static Definitions {
        static READ: [OnceLock<Definitions>; 5] = [const { OnceLock::new() }; 5];
        READ[self as usize].get_or_init(|| table::read(table::of(self)))
    }
}

impl Definitions {
    /// A type by its name, or by its path: `Patient.contact`.
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<&Type> {
        self.types_by_name.get(name).map(|index| self.type_at(*index))
    }

    /// A concrete resource type.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<&Type> {
        self.type_named(name).filter(|of| of.kind == TypeKind::Resource)
    }

    /// All concrete resource types, sorted by name.
    pub fn resources(&self) -> impl Iterator<Item = &Type> {
        self.resources.iter().map(|index| self.type_at(*index))
    }

    /// All types.
    pub fn types(&self) -> impl Iterator<Item = &Type> {
        self.types.iter()
    }

    /// The type at a place that these tables gave.
    #[must_use]
    pub fn type_at(&self, index: TypeIndex) -> &Type {
        &self.types[usize::from(index.0)]
    }

    /// The code set at a place that these tables gave.
    #[must_use]
    pub fn codes(&self, index: CodeSetIndex) -> &CodeSet {
        &self.code_sets[usize::from(index.0)]
    }

    /// The search parameters of a resource type, sorted by name.
    #[must_use]
    pub fn search_parameters(&self, resource: &str) -> &[SearchParameter] {
        self.search_parameters.get(resource).map_or(&[], Vec::as_slice)
    }

    /// One search parameter of a resource type.
    #[must_use]
    pub fn search_parameter(&self, resource: &str, name: &str) -> Option<&SearchParameter> {
        self.search_parameters(resource).iter().find(|parameter| parameter.name == name)
    }

    /// The parameters by which resources of a type belong to a compartment, `Patient` or `Encounter`; none if they
    /// do not.
    #[must_use]
    pub fn compartment(&self, compartment: &str, resource: &str) -> &[&'static str] {
        self.compartments.get(compartment).and_then(|of| of.get(resource)).map_or(&[], Vec::as_slice)
    }
}

impl Type {
    /// The element and type that a JSON property names: `valueQuantity` is the element `value` as a Quantity.
    #[must_use]
    pub fn property(&self, json_name: &str) -> Option<Property<'_>> {
        let (place, type_index) = self.properties.get(json_name)?;
        let place = usize::from(*place);
        Some(Property { element: self.elements.get(place)?, place, type_index: *type_index })
    }
}

impl CodeSet {
    /// Its name in the tables.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// All of them.
    #[must_use]
    pub fn codes(&self) -> &[&'static str] {
        &self.codes
    }

    /// Whether the code is one of them.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.codes.contains(&code)
    }
}
