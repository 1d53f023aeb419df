//! A page as a browser reads it: by the parser of HTML's own specification.

use std::collections::HashSet;

use html5ever::{ParseOpts, parse_document, tendril::TendrilSink};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Every element that a page may have.
const ELEMENTS: [&str; 41] = [
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "h1", "h2", "h3",
    "h4", "h5", "h6", "div", "span", "p", "dl", "dt", "dd", "ul", "ol", "li", "table", "caption", "thead",
    "tbody", "tfoot", "tr", "th", "td", "br", "sub", "sup", "a", "img", "del", "ins", "figure",
];

/// Every attribute that it may have, besides links, sources and metadata.
const ATTRIBUTES: [&str; 7] = ["class", "id", "lang", "scope", "colspan", "rowspan", "alt"];

const CLASSES: &str = "top patient facts columns contents narrative plain table bold italic underline secondary alert left right center arabic little-alpha big-alpha little-roman big-roman disc circle square paragraph caption footnotes number target placeholder remarks notice unstructured about fine";

/// An element.
#[derive(Debug, Default)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Tag>,
    /// All text in it, in order.
    pub(super) text: String,
}

/// A page.
pub(super) struct Dom {
    root: Tag,
    repaired: Vec<String>,
    strange: Vec<String>,
}

impl Dom {
    pub(super) fn read(html: &str) -> Self {
        let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
        let repaired = dom.errors.borrow().iter().map(ToString::to_string).collect();
        let mut strange = Vec::new();
        let mut root = tag(&dom.document, &mut strange);
        assert_eq!(root.children.len(), 1, "one root");
        let root = root.children.remove(0);
        Self { root, repaired, strange }
    }

    /// The page has nothing but what pages are made of, and the parser had nothing to repair: no text of the document became
    /// markup, nothing runs, nothing is fetched.
    pub(super) fn assert_harmless(&self, native: &str) {
        assert!(self.repaired.is_empty(), "{:?}", self.repaired);
        assert!(self.strange.is_empty(), "{:?}", self.strange);
        let (mut styles, mut ids) = (0, HashSet::new());
        for tag in self.all() {
            assert!(ELEMENTS.contains(&&*tag.name), "<{}>", tag.name);
            styles += usize::from(tag.name == "style");
            for (name, value) in &tag.attributes {
                match (&*tag.name, &**name) {
                    ("meta", "charset" | "name" | "http-equiv" | "content") => {}
                    ("a", "href") => assert!(value.starts_with('#') || value == native, "{value}"),
                    ("img", "src") => assert!(is_picture(value), "{value}"),
                    ("img", "alt") => {}
                    (_, "id") => assert!(ids.insert(value), "id {value} twice"),
                    (_, "class") => {
                        let is_ours = |class: &str| CLASSES.split(' ').any(|known| known == class);
                        assert!(value.split(' ').all(is_ours), "class {value}");
                    }
                    (_, name) => {
                        assert!(name != "alt" && ATTRIBUTES.contains(&name), "{} has {name}", tag.name)
                    }
                }
            }
        }
        assert_eq!(styles, 1);
        let levels: Vec<u32> =
            self.all().iter().filter_map(|tag| tag.name.strip_prefix('h')?.parse().ok()).collect();
        assert!(
            levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
            "a level of headings is left out: {levels:?}"
        );
    }

    /// All elements, in order.
    pub(super) fn all(&self) -> Vec<&Tag> {
        let mut all = Vec::new();
        self.root.gather(&mut all);
        all
    }

    pub(super) fn named(&self, name: &str) -> Vec<&Tag> {
        self.all().into_iter().filter(|tag| tag.name == name).collect()
    }

    pub(super) fn with_class(&self, class: &str) -> Vec<&Tag> {
        let has = |tag: &&Tag| tag.attribute("class").split(' ').any(|other| other == class);
        self.all().into_iter().filter(has).collect()
    }

    pub(super) fn with_id(&self, id: &str) -> &Tag {
        let found = self.all().into_iter().find(|tag| tag.attribute("id") == id);
        found.unwrap_or_else(|| panic!("nothing has the id {id}"))
    }

    /// What a reader reads, with single blanks.
    pub(super) fn text(&self) -> String {
        words(&self.named("body")[0].text)
    }

    /// The narratives.
    pub(super) fn narrative(&self) -> String {
        let narratives = self.with_class("narrative");
        narratives.iter().map(|tag| words(&tag.text)).collect::<Vec<_>>().join(" ")
    }

    /// What a label of the header is said to be; empty if it is not there.
    pub(super) fn fact(&self, label: &str) -> String {
        let divs = self.named("div");
        let fact = divs
            .iter()
            .find(|div| div.children.first().is_some_and(|dt| dt.name == "dt" && dt.text == label));
        fact.map(|div| div.children[1].text.clone()).unwrap_or_default()
    }
}

impl Tag {
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    fn gather<'a>(&'a self, all: &mut Vec<&'a Tag>) {
        all.push(self);
        self.children.iter().for_each(|child| child.gather(all));
    }
}

/// A text with single blanks.
pub(super) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_picture(source: &str) -> bool {
    let data = ["png", "jpeg", "gif"]
        .iter()
        .find_map(|kind| source.strip_prefix(&format!("data:image/{kind};base64,")));
    data.is_some_and(|data| data.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)))
}

fn tag(node: &Handle, strange: &mut Vec<String>) -> Tag {
    let mut tag = Tag::default();
    if let NodeData::Element { name, attrs, .. } = &node.data {
        tag.name = name.local.to_string();
        let attributes = attrs.borrow();
        tag.attributes = attributes.iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
    }
    for child in node.children.borrow().iter() {
        match &child.data {
            NodeData::Text { contents } => tag.text.push_str(&contents.borrow()),
            NodeData::Element { .. } => {
                let child = self::tag(child, strange);
                // Blocks and cells stand apart; words within a line do not.
                let gap = if matches!(&*child.name, "span" | "a" | "sub" | "sup" | "del" | "ins") {
                    ""
                } else {
                    " "
                };
                tag.text += gap;
                tag.text += &child.text;
                tag.text += gap;
                tag.children.push(child);
            }
            NodeData::Doctype { name, public_id, .. } => {
                if &**name != "html" || !public_id.is_empty() {
                    strange.push(format!("document type {name}"));
                }
            }
            NodeData::Comment { contents } => strange.push(format!("comment {contents}")),
            _ => strange.push("an instruction".to_owned()),
        }
    }
    tag
}
