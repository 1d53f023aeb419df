//! Elements of a document, for questions about them.

use super::{Namespace, Tree, What};

/// An element.
#[derive(Clone, Copy)]
pub struct Element<'t> {
    tree: &'t Tree<'t>,
    at: u32,
}

/// What is in an element.
#[derive(Clone, Copy)]
pub enum Child<'t> {
    Text(&'t str),
    Element(Element<'t>),
}

impl<'a> Tree<'a> {
    /// The `ClinicalDocument`.
    pub fn root<'t>(&'t self) -> Element<'t>
    where
        'a: 't,
    {
        Element { tree: self, at: 0 }
    }

    /// Every element, in the order of the document.
    pub fn elements<'t>(&'t self) -> impl Iterator<Item = Element<'t>>
    where
        'a: 't,
    {
        let elements =
            self.nodes.iter().enumerate().filter(|(_, node)| matches!(node.what, What::Element { .. }));
        elements.filter_map(|(at, _)| Some(Element { tree: self, at: u32::try_from(at).ok()? }))
    }
}

impl<'t> Element<'t> {
    fn named(self) -> (&'t str, Namespace) {
        match &self.tree.nodes[self.at as usize].what {
            What::Element { name, namespace, .. } => (name, *namespace),
            What::Text(_) => ("", Namespace::Other),
        }
    }

    /// The place in the document, which no other element has.
    pub fn place(self) -> u32 {
        self.at
    }

    /// The local name of an element of CDA; empty for others.
    pub fn name(self) -> &'t str {
        match self.named() {
            (name, Namespace::Cda) => name,
            _ => "",
        }
    }

    /// The local name, wherever it comes from.
    pub fn local_name(self) -> &'t str {
        self.named().0
    }

    /// The local name of an element of CDA or of its extensions.
    pub fn extended_name(self) -> &'t str {
        match self.named() {
            (name, Namespace::Cda | Namespace::Sdtc) => name,
            _ => "",
        }
    }

    /// An attribute's value, if there is something in it.
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        let What::Element { attributes, .. } = &self.tree.nodes[self.at as usize].what else { return None };
        let all = self.tree.attributes.get(attributes.start as usize..attributes.end as usize)?;
        let (_, value) = all.iter().find(|(other, _)| *other == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// What is in it, in order.
    pub fn children(self) -> impl Iterator<Item = Child<'t>> {
        let nodes = &self.tree.nodes;
        let step = move |at: u32| (at != 0).then_some(at);
        let places = std::iter::successors(step(nodes[self.at as usize].first), move |at| {
            step(nodes[*at as usize].next)
        });
        places.map(move |at| match &nodes[at as usize].what {
            What::Text(text) => Child::Text(text.as_ref()),
            What::Element { .. } => Child::Element(Self { tree: self.tree, at }),
        })
    }

    /// The elements in it.
    pub fn elements(self) -> impl Iterator<Item = Element<'t>> {
        self.children().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    /// The elements in it with this name, of CDA or of its extensions.
    pub fn all(self, name: &str) -> impl Iterator<Item = Element<'t>> {
        self.elements().filter(move |element| element.extended_name() == name)
    }

    /// The first of them.
    pub fn child(self, name: &str) -> Option<Element<'t>> {
        self.all(name).next()
    }

    /// The element that is reached by these names, one below the other.
    pub fn path(self, names: &[&str]) -> Option<Element<'t>> {
        names.iter().try_fold(self, |element, name| element.child(name))
    }

    /// All text in it, with single blanks between words.
    pub fn text(self) -> String {
        let mut text = String::new();
        self.gather(&mut text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn gather(self, text: &mut String) {
        for child in self.children() {
            match child {
                Child::Text(part) => text.push_str(part),
                Child::Element(element) => {
                    text.push(' ');
                    element.gather(text);
                    text.push(' ');
                }
            }
        }
    }
}
