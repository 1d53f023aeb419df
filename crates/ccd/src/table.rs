//! The narrative: rows of a table whose cells can be pointed at.
//!
//! Clause: C-CDA 2.1 Narrative

use crate::xml::{Xml, is_visible};

/// A place in the narrative that holds text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor(String);

impl Anchor {
    /// The place with this XML id.
    pub(crate) fn new(id: &str) -> Self {
        Self(format!("#{id}"))
    }

    /// `<reference value="#id"/>`
    pub(crate) fn reference(&self, x: &mut Xml) {
        x.empty("reference", &[("value", &self.0)]);
    }

    /// `<text><reference value="#id"/></text>`
    pub(crate) fn text(&self, x: &mut Xml) {
        x.element("text", &[], |x| self.reference(x));
    }
}

/// A row in the making.
#[derive(Debug)]
pub(crate) struct Row {
    id: String,
    cells: Xml,
    parts: usize,
}

impl Row {
    pub(crate) fn new(id: String) -> Self {
        Self { id, cells: Xml::default(), parts: 0 }
    }

    /// The whole row.
    pub(crate) fn anchor(&self) -> Anchor {
        Anchor::new(&self.id)
    }

    /// A cell of text that nobody points at.
    pub(crate) fn plain(&mut self, text: &str) {
        self.cells.element("td", &[], |x| lines(x, text));
    }

    /// A cell that can be pointed at, if it holds text.
    pub(crate) fn cell(&mut self, text: &str) -> Option<Anchor> {
        self.cells(&[text]).pop().flatten()
    }

    /// A cell with several texts, each of which can be pointed at.
    pub(crate) fn cells(&mut self, texts: &[impl AsRef<str>]) -> Vec<Option<Anchor>> {
        let (id, parts) = (&self.id, &mut self.parts);
        let mut anchors = Vec::new();
        self.cells.element("td", &[], |x| {
            for text in texts.iter().map(AsRef::as_ref) {
                if !is_visible(text) {
                    anchors.push(None);
                    continue;
                }
                if anchors.iter().any(Option::is_some) {
                    x.empty("br", &[]);
                }
                *parts += 1;
                let part = format!("{id}.{parts}");
                x.element("content", &[("ID", &part)], |x| lines(x, text));
                anchors.push(Some(Anchor::new(&part)));
            }
        });
        anchors
    }

    pub(crate) fn into_xml(self) -> Xml {
        let mut x = Xml::default();
        let cells = self.cells.into_string();
        x.element("tr", &[("ID", &self.id)], |x| x.raw(&cells));
        x
    }
}

/// Text with its line breaks.
pub(crate) fn lines(x: &mut Xml, text: &str) {
    for (n, line) in text.lines().enumerate() {
        if n > 0 {
            x.empty("br", &[]);
        }
        x.text(line);
    }
}
