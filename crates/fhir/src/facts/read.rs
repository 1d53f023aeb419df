//! A place in a resource, which may be empty, and the values that can be read there.

use charta_model::facts::{
    Address, Coding, Concept, Identifier, Link, Moment, Name, Onset, Origin, Period, Quantity, Telecom,
};

use super::links;
use crate::Node;

/// A place in the resource that has the key `owner`.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'n> {
    node: Option<&'n Node>,
    owner: &'n str,
    place: usize,
}

/// Whether a reader sees it: no space, and nothing that a document in XML would leave out.
fn is_seen(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

/// A list without room for more: facts are many, and most of their lists have one item.
pub(super) fn exact<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.shrink_to_fit();
    items
}

impl<'n> At<'n> {
    /// The root of the resource that has the key `owner` and is the how manieth of all.
    pub(super) fn new(node: &'n Node, owner: &'n str, place: usize) -> Self {
        Self { node: Some(node), owner, place }
    }

    pub(super) fn owner(&self) -> &'n str {
        self.owner
    }

    pub(super) fn is_there(&self) -> bool {
        self.node.is_some()
    }

    /// The element of this name; of a repeated one the first.
    pub(super) fn at(&self, name: &str) -> Self {
        let found = match self.node.and_then(|node| node.member(name)) {
            Some(Node::Array(items)) => items.iter().find(|item| **item != Node::Null),
            other => other,
        };
        Self { node: found, ..*self }
    }

    /// The first element of these names that is there: what versions call differently.
    pub(super) fn any(&self, names: &[&str]) -> Self {
        let found = names.iter().map(|name| self.at(name)).find(At::is_there);
        found.unwrap_or(Self { node: None, ..*self })
    }

    /// The repetitions of an element; one, where a version has it once.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = At<'n>> + use<'n> {
        let at = *self;
        let items = match self.node.and_then(|node| node.member(name)) {
            Some(Node::Array(items)) => items.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        items.iter().filter(|item| **item != Node::Null).map(move |node| At { node: Some(node), ..at })
    }

    /// The text or number that stands here, if there is anything to see.
    pub(super) fn own_text(&self) -> Option<String> {
        let text = match self.node? {
            Node::String(text) => text.as_ref(),
            Node::Number(digits) => digits,
            _ => return None,
        };
        text.contains(is_seen).then(|| text.to_owned())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.at(name).own_text()
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        exact(self.list(name).filter_map(|at| at.own_text()))
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.at(name).node? {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A code, whether it stands alone or in a CodeableConcept.
    pub(super) fn code(&self, name: &str) -> Option<String> {
        let at = self.at(name);
        at.own_text()
            .or_else(|| at.list("coding").find_map(|coding| coding.text("code")))
            .or_else(|| at.text("code"))
    }

    pub(super) fn concept(&self, name: &str) -> Option<Concept> {
        self.at(name).own_concept()
    }

    pub(super) fn concepts(&self, name: &str) -> Vec<Concept> {
        exact(self.list(name).filter_map(|at| at.own_concept()))
    }

    /// A CodeableConcept, a Coding, the concept of a CodeableReference, or a bare code.
    pub(super) fn own_concept(&self) -> Option<Concept> {
        if self.at("concept").is_there() {
            return self.at("concept").own_concept();
        }
        let concept = if let Some(code) = self.own_text() {
            Concept { codings: vec![Coding { code: Some(code), ..Coding::default() }], text: None }
        } else if self.at("coding").is_there() || self.at("text").is_there() {
            Concept { codings: exact(self.list("coding").map(|at| at.own_coding())), text: self.text("text") }
        } else {
            Concept { codings: vec![self.own_coding()], text: None }
        };
        (!concept.is_empty()).then_some(concept)
    }

    pub(super) fn own_coding(&self) -> Coding {
        Coding { system: self.text("system"), code: self.text("code"), display: self.text("display") }
    }

    pub(super) fn moment(&self, name: &str) -> Option<Moment> {
        Moment::new(&self.text(name)?).ok()
    }

    pub(super) fn period(&self, name: &str) -> Period {
        self.at(name).own_period()
    }

    pub(super) fn own_period(&self) -> Period {
        Period { start: self.moment("start"), end: self.moment("end") }
    }

    pub(super) fn quantity(&self, name: &str) -> Option<Quantity> {
        self.at(name).own_quantity()
    }

    pub(super) fn own_quantity(&self) -> Option<Quantity> {
        let quantity = Quantity {
            value: self.text("value"),
            comparator: self.text("comparator"),
            unit: self.text("unit"),
            system: self.text("system"),
            code: self.text("code"),
        };
        (quantity.value.is_some() || quantity.unit.is_some() || quantity.code.is_some()).then_some(quantity)
    }

    /// A Range.
    pub(super) fn own_range(&self) -> Option<(Option<Quantity>, Option<Quantity>)> {
        let range = (self.quantity("low"), self.quantity("high"));
        (range.0.is_some() || range.1.is_some()).then_some(range)
    }

    /// A Ratio.
    pub(super) fn own_ratio(&self) -> Option<(Quantity, Quantity)> {
        Some((self.quantity("numerator")?, self.quantity("denominator")?))
    }

    /// When something was, of the choices that begin with one of `names`.
    pub(super) fn when(&self, names: &[&str]) -> Option<Onset> {
        names.iter().find_map(|name| {
            let form = |of: &str| self.at(&format!("{name}{of}"));
            let text = |at: At<'_>| at.own_text();
            if let Some(text) =
                text(form("")).or_else(|| text(form("DateTime"))).or_else(|| text(form("Date")))
            {
                return Some(Moment::new(&text).map_or(Onset::Text(text), Onset::At));
            }
            if let Some(text) = text(form("Instant")) {
                return Some(Moment::new(&text).map_or(Onset::Text(text), Onset::At));
            }
            let period = form("Period").own_period();
            if !period.is_empty() {
                return Some(Onset::During(period));
            }
            for age in ["Age", "Quantity"] {
                if let Some(age) = form(age).own_quantity() {
                    return Some(Onset::Age(age));
                }
            }
            if let Some((low, high)) = form("Range").own_range() {
                let amount =
                    |of: Option<Quantity>| of.and_then(|q| q.value).unwrap_or_else(|| "?".to_owned());
                return Some(Onset::Text(format!("{} - {}", amount(low), amount(high))));
            }
            text(form("String")).map(Onset::Text)
        })
    }

    pub(super) fn link(&self, name: &str) -> Option<Link> {
        self.at(name).own_link()
    }

    pub(super) fn links(&self, name: &str) -> Vec<Link> {
        exact(self.list(name).filter_map(|at| at.own_link()))
    }

    /// A Reference, or the reference of a CodeableReference.
    pub(super) fn own_link(&self) -> Option<Link> {
        if self.at("reference").at("reference").is_there() || self.at("reference").at("display").is_there() {
            return self.at("reference").own_link();
        }
        let named = self.text("reference").map(|reference| links::target(&reference, self.owner));
        let identified = || {
            let identifier = self.at("identifier");
            Some(links::identified("", &identifier.text("system")?, &identifier.text("value")?))
        };
        let link = Link { target: named.or_else(identified), display: self.text("display") };
        (link.target.is_some() || link.display.is_some()).then_some(link)
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { key: self.owner.to_owned(), identifiers: self.identifiers("identifier"), place: self.place }
    }

    pub(super) fn identifiers(&self, name: &str) -> Vec<Identifier> {
        let read = |at: At<'_>| Identifier {
            system: at.text("system"),
            value: at.text("value"),
            kind: at.code("type"),
        };
        exact(self.list(name).map(read).filter(|identifier| identifier.value.is_some()))
    }

    /// The extensions whose URL ends in `/name`.
    pub(super) fn extensions(&self, name: &'static str) -> impl Iterator<Item = At<'n>> + use<'n> {
        self.list("extension")
            .filter(move |at| at.text("url").is_some_and(|url| url.rsplit('/').next() == Some(name)))
    }

    /// The value of the first extension whose URL ends in `/name`, of whatever type.
    pub(super) fn extension(&self, name: &'static str) -> At<'n> {
        let found = self.extensions(name).next();
        found.map_or(At { node: None, ..*self }, |at| at.own_value().unwrap_or(at))
    }

    /// The member whose name begins with `value`.
    pub(super) fn own_value(&self) -> Option<At<'n>> {
        let Some(Node::Object(members)) = self.node else { return None };
        let (_, node) = members.iter().find(|(name, _)| name.starts_with("value"))?;
        Some(At { node: Some(node), ..*self })
    }

    /// Remarks, which are texts, Annotations, or lists of either.
    pub(super) fn notes(&self) -> Vec<String> {
        let all = ["note", "notes", "comment", "comments"].into_iter().flat_map(|name| self.list(name));
        exact(all.filter_map(|at| at.own_text().or_else(|| at.text("text"))))
    }

    pub(super) fn names(&self, name: &str) -> Vec<Name> {
        let read = |at: At<'_>| match at.own_text() {
            Some(text) => Name { text: Some(text), ..Name::default() },
            None => Name {
                usage: at.text("use"),
                text: at.text("text"),
                family: Some(at.texts("family").join(" ")).filter(|family| !family.is_empty()),
                given: at.texts("given"),
                prefixes: at.texts("prefix"),
                suffixes: at.texts("suffix"),
                period: at.period("period"),
            },
        };
        exact(self.list(name).map(read).filter(|name| name.label().is_some()))
    }

    pub(super) fn telecoms(&self, name: &str) -> Vec<Telecom> {
        let read = |at: At<'_>| Telecom {
            system: at.text("system"),
            value: at.text("value"),
            usage: at.text("use"),
        };
        exact(self.list(name).map(read).filter(|telecom| telecom.value.is_some()))
    }

    pub(super) fn addresses(&self, name: &str) -> Vec<Address> {
        exact(self.list(name).map(|at| at.own_address()))
    }

    pub(super) fn own_address(&self) -> Address {
        Address {
            usage: self.text("use"),
            text: self.text("text"),
            lines: self.texts("line"),
            city: self.text("city"),
            district: self.text("district"),
            state: self.text("state"),
            postal_code: self.text("postalCode"),
            country: self.text("country"),
            period: self.period("period"),
        }
    }

    /// Whether somebody took it back.
    pub(super) fn is_in_error(&self) -> bool {
        ["status", "verificationStatus"]
            .iter()
            .any(|name| self.code(name).as_deref() == Some("entered-in-error"))
    }
}
