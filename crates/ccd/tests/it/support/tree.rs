//! A document read back, for questions about it.

use std::collections::HashMap;

use quick_xml::{Reader, events::Event};

/// An element with what is in it. Text is put together without regard to where it stands.
#[derive(Debug, Default, Clone)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: HashMap<String, String>,
    pub(crate) children: Vec<Element>,
    pub(crate) own_text: String,
}

impl Element {
    /// Reads a document.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| format!("{error} at {}", reader.buffer_position()))? {
                Event::Start(tag) => open.push(Self::start(&tag)?),
                Event::Empty(tag) => {
                    let element = Self::start(&tag)?;
                    open.last_mut().ok_or("nothing is open")?.children.push(element);
                }
                Event::End(_) => {
                    let done = open.pop().ok_or("nothing is open")?;
                    open.last_mut().ok_or("nothing is open")?.children.push(done);
                }
                Event::Text(text) => {
                    open.last_mut().ok_or("nothing is open")?.own_text.push_str(&text);
                }
                Event::GeneralRef(name) => {
                    let name: &str = &name;
                    let text = quick_xml::escape::unescape(&format!("&{name};"))
                        .map_err(|error| error.to_string())?
                        .into_owned();
                    open.last_mut().ok_or("nothing is open")?.own_text.push_str(&text);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(mut root), true) => root.children.pop().ok_or_else(|| "nothing is there".to_owned()),
            _ => Err("an element is not closed".to_owned()),
        }
    }

    fn start(tag: &quick_xml::events::BytesStart<'_>) -> Result<Self, String> {
        let mut element = Self { name: tag.name().as_ref().to_owned(), ..Self::default() };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let key = attribute.key.as_ref().to_owned();
            let raw: &str = &attribute.value;
            let value = quick_xml::escape::unescape(raw).map_err(|error| error.to_string())?.into_owned();
            if element.attributes.insert(key.clone(), value).is_some() {
                return Err(format!("{key} is there twice"));
            }
        }
        Ok(element)
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// This element and all below it.
    pub(crate) fn all(&self) -> Vec<&Element> {
        let mut found = vec![self];
        let mut at = 0;
        while let Some(element) = found.get(at) {
            found.extend(&element.children);
            at += 1;
        }
        found
    }

    /// The elements below with this name.
    pub(crate) fn named(&self, name: &str) -> Vec<&Element> {
        self.all().into_iter().filter(|element| element.name == name).collect()
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements below that claim the template with this root, below that of C-CDA.
    pub(crate) fn with_template(&self, root: &str) -> Vec<&Element> {
        let root = format!("2.16.840.1.113883.10.20.22{root}");
        let claims = |element: &&Element| {
            element
                .children
                .iter()
                .any(|child| child.name == "templateId" && child.attribute("root") == Some(&root))
        };
        self.all().into_iter().filter(claims).collect()
    }

    /// The one element below that claims the template.
    pub(crate) fn only(&self, root: &str) -> &Element {
        let found = self.with_template(root);
        assert_eq!(found.len(), 1, "statements with {root}");
        found[0]
    }

    /// The section with this LOINC code.
    pub(crate) fn section(&self, code: &str) -> Option<&Element> {
        self.named("section")
            .into_iter()
            .find(|section| section.child("code").and_then(|one| one.attribute("code")) == Some(code))
    }

    /// All text below, with blanks between.
    pub(crate) fn text(&self) -> String {
        self.all()
            .iter()
            .map(|element| element.own_text.as_str())
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The value of the attribute of the child.
    pub(crate) fn of(&self, child: &str, attribute: &str) -> Option<&str> {
        self.child(child)?.attribute(attribute)
    }
}
