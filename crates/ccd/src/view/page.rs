//! The page as it is written: what its parts link to, and what was shown already.

use std::collections::{HashMap, HashSet};

use super::{
    html::Html,
    tree::{Element, Tree},
};

/// An anchor of a longer name is not kept.
const ANCHOR_BYTES_MAX: usize = 200;

/// A page under way.
pub struct Page<'t> {
    /// What is written.
    pub html: Html,
    /// The URL of the document's bytes.
    pub native: Option<String>,
    /// Where links can lead, by the document's own names.
    anchors: HashMap<&'t str, Element<'t>>,
    /// Media, by the names that narratives refer to them by.
    media: HashMap<&'t str, Element<'t>>,
    /// The number of each footnote, by its place.
    footnotes: HashMap<u32, usize>,
    /// Names and media that are on the page: each is there once.
    shown: HashSet<u32>,
    named: HashSet<&'t str>,
    /// Whether a link is open: none can stand in another.
    pub in_link: bool,
    /// Footnotes that were met and not written yet.
    pub waiting: Vec<Element<'t>>,
}

impl<'t> Page<'t> {
    /// A page about this document, with nothing on it; `native` is where its bytes are.
    pub fn new(tree: &'t Tree<'t>, native: Option<&str>) -> Self {
        let mut page = Self {
            html: Html::default(),
            native: native.map(str::to_owned),
            anchors: HashMap::new(),
            media: HashMap::new(),
            footnotes: HashMap::new(),
            shown: HashSet::new(),
            named: HashSet::new(),
            in_link: false,
            waiting: Vec::new(),
        };
        for element in tree.elements() {
            if element.name() == "footnote" {
                page.footnotes.insert(element.place(), page.footnotes.len() + 1);
            }
            if let Some(id) = element.attribute("ID") {
                let names = match element.name() {
                    "observationMedia" | "regionOfInterest" => &mut page.media,
                    _ => &mut page.anchors,
                };
                names.entry(id).or_insert(element);
            }
        }
        page
    }

    /// The `id` of an element that has a name: given once, and apart from the ids of the page itself.
    pub fn id(&mut self, element: Element<'t>) -> String {
        match element.attribute("ID") {
            Some(id) if is_anchor(id) && self.named.insert(id) => format!("n-{id}"),
            _ => String::new(),
        }
    }

    /// The link to what has this name in the document.
    pub fn link(&self, name: &str) -> Option<String> {
        let target = self.anchors.get(name)?;
        if target.name() == "footnote" {
            return self.footnote(*target).map(|number| format!("#f-{number}"));
        }
        is_anchor(name).then(|| format!("#n-{name}"))
    }

    /// The number of a footnote.
    pub fn footnote(&self, element: Element<'t>) -> Option<usize> {
        self.footnotes.get(&element.place()).copied()
    }

    /// The number of the footnote of this name.
    pub fn footnote_named(&self, name: &str) -> Option<usize> {
        self.footnote(*self.anchors.get(name)?)
    }

    /// The medium of this name.
    pub fn medium(&self, name: &str) -> Option<Element<'t>> {
        let medium = *self.media.get(name)?;
        match medium.name() {
            "regionOfInterest" => medium.child("observationMedia"),
            _ => Some(medium),
        }
    }

    /// Whether this is the first time that it is shown. A picture that many places name must not become many pictures.
    pub fn shows_first(&mut self, element: Element<'t>) -> bool {
        self.shown.insert(element.place())
    }
}

/// Whether a name can be an id and the end of a URL as it stands.
fn is_anchor(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    name.len() <= ANCHOR_BYTES_MAX && name.chars().all(fits)
}
