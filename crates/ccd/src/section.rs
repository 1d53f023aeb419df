//! A section: its table and its entries, written side by side.

use charta_model::facts::Topic;

use crate::{
    code::Fixed,
    context::Context,
    instant, system,
    table::{Anchor, Row, lines},
    xml::{Xml, is_visible},
};

/// The templates are all below this root.
pub(crate) const C_CDA: &str = "2.16.840.1.113883.10.20.22";

/// What a section is called, and by which rules it is made.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) topic: Topic,
    /// Below [`C_CDA`], or whole: root and extensions. `""` is the template without one.
    pub(crate) templates: &'static [(&'static str, &'static [&'static str])],
    /// LOINC code and its name.
    pub(crate) code: (&'static str, &'static str),
    pub(crate) title: &'static str,
    /// What the XML ids of the section begin with.
    pub(crate) prefix: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// Whether it stands in every document.
    pub(crate) is_required: bool,
    /// Whether start and end limit it.
    pub(crate) is_limited: bool,
}

/// The parts of a section, one after the other.
pub(crate) type Pieces = Vec<String>;

/// A portion of rows is about as long.
const PORTION_BYTES: usize = 4096;

/// Stands in the frame of a section for what comes later. No text holds it, since XML does not.
const PLACE: &str = "\0";

/// A section in the making.
pub(crate) struct Section<'a> {
    context: &'a Context<'a>,
    kind: &'static Kind,
    /// Rows in portions: a text that grows has to move, and leaves holes in memory.
    rows: Vec<String>,
    row_count: usize,
    /// In the order of the record, which is none of time.
    entries: Vec<(usize, String)>,
    /// Whether its rows say everything, since there are no entries for what it says.
    is_narrative: bool,
    paragraphs: Vec<String>,
    /// Where entries are written before they are kept, as long as they are and no longer.
    scratch: Xml,
}

/// Writes the template ids of a statement.
pub(crate) fn templates(x: &mut Xml, root: &str, extensions: &[&str]) {
    let base = if root.starts_with('.') { C_CDA } else { "" };
    for extension in extensions {
        x.template(base, root, extension);
    }
}

impl<'a> Section<'a> {
    pub(crate) fn new(context: &'a Context<'a>, kind: &'static Kind) -> Self {
        Self {
            context,
            kind,
            rows: Vec::new(),
            row_count: 0,
            entries: Vec::new(),
            is_narrative: false,
            paragraphs: Vec::new(),
            scratch: Xml::default(),
        }
    }

    /// A section for which no entries are defined.
    pub(crate) fn narrative(context: &'a Context<'a>, kind: &'static Kind) -> Self {
        Self { is_narrative: true, ..Self::new(context, kind) }
    }

    /// A new row.
    pub(crate) fn row(&mut self) -> Row {
        self.row_count += 1;
        Row::new(format!("{}{}", self.kind.prefix, self.row_count))
    }

    /// A row that is done.
    pub(crate) fn push(&mut self, row: Row) {
        self.push_row(&row.into_xml());
    }

    fn push_row(&mut self, row: &Xml) {
        let row = row.as_str();
        match self.rows.last_mut() {
            Some(portion) if portion.len() + row.len() <= portion.capacity() => portion.push_str(row),
            _ => {
                let mut portion = String::with_capacity(row.len().max(PORTION_BYTES));
                portion.push_str(row);
                self.rows.push(portion);
            }
        }
    }

    /// A row over all columns, as a heading; it can be pointed at. Where `text` holds nothing to be seen, the section's
    /// title stands there: what is pointed at must not be empty.
    pub(crate) fn heading(&mut self, text: &str) -> Anchor {
        let text = if is_visible(text) { text } else { self.kind.title };
        self.row_count += 1;
        let id = format!("{}{}", self.kind.prefix, self.row_count);
        let columns = self.kind.columns.len().to_string();
        let mut row = Xml::default();
        row.element("tr", &[], |x| {
            x.element("td", &[("colspan", &columns)], |x| {
                x.element("content", &[("ID", &id), ("styleCode", "Bold")], |x| lines(x, text));
            });
        });
        self.push_row(&row);
        Anchor::new(&id)
    }

    /// A paragraph before the table.
    pub(crate) fn paragraph(&mut self, text: String) {
        self.paragraphs.push(text);
    }

    /// An entry. Rows stand with the newest first; entries stand as the record has them, at `place`.
    pub(crate) fn entry(&mut self, place: usize, write: impl FnOnce(&mut Xml)) {
        self.scratch.clear();
        self.scratch.element("entry", &[("typeCode", "DRIV")], write);
        self.entries.push((place, self.scratch.as_str().to_owned()));
    }

    /// The section, or that there is nothing, or nothing to be shown; none if nobody would miss it.
    pub(crate) fn finish(mut self) -> Option<Pieces> {
        let is_withheld = self.context.facts.is_withheld(self.kind.topic);
        let is_empty = self.rows.is_empty() && self.entries.is_empty();
        if is_empty && !self.kind.is_required && !is_withheld && self.paragraphs.is_empty() {
            return None;
        }
        if is_withheld {
            self.paragraphs.push("Some information is withheld from this document.".to_owned());
        } else if is_empty && self.paragraphs.is_empty() {
            self.paragraphs.push("No information".to_owned());
        }
        let says_all = self.is_narrative && !self.rows.is_empty();
        let flavor = match (self.entries.is_empty() && !says_all, is_withheld) {
            (false, _) => "",
            (true, true) => "MSK",
            (true, false) => "NI",
        };
        let range = if self.kind.is_limited && flavor.is_empty() { self.range() } else { None };
        self.entries.sort_by_key(|(place, _)| *place);
        let mut x = Xml::default();
        x.element("component", &[], |x| {
            x.element("section", &[("nullFlavor", flavor)], |x| self.frame(x, range));
        });
        Some(self.fill(x.as_str()))
    }

    /// The pieces of the section: the frame with the rows and the entries in their places.
    fn fill(self, frame: &str) -> Pieces {
        let mut parts = frame.split(PLACE).map(str::to_owned);
        let mut pieces: Pieces = parts.next().into_iter().collect();
        if !self.rows.is_empty() {
            pieces.extend(self.rows);
            pieces.extend(parts.next());
        }
        pieces.extend(self.entries.into_iter().map(|(_, entry)| entry));
        pieces.extend(parts);
        pieces
    }

    /// The section without its rows and entries, which are not written a second time.
    fn frame(&self, x: &mut Xml, range: Option<(String, Anchor)>) {
        for (root, extensions) in self.kind.templates {
            templates(x, root, extensions);
        }
        Fixed(system::LOINC, self.kind.code.0, self.kind.code.1).plain(x, "code", "");
        x.leaf("title", &[], self.kind.title);
        x.element("text", &[], |x| self.text(x, range.as_ref()));
        x.raw(PLACE);
        if let Some((_, anchor)) = range.as_ref().filter(|_| !self.is_narrative) {
            self.range_entry(x, anchor);
        }
    }

    fn text(&self, x: &mut Xml, range: Option<&(String, Anchor)>) {
        if let Some((text, _)) = range {
            let id = format!("{}range", self.kind.prefix);
            x.element("paragraph", &[], |x| x.leaf("content", &[("ID", &id)], text));
        }
        for text in &self.paragraphs {
            x.element("paragraph", &[], |x| lines(x, text));
        }
        if self.rows.is_empty() {
            return;
        }
        x.element("table", &[("border", "1")], |x| {
            x.element("thead", &[], |x| {
                x.element("tr", &[], |x| {
                    for column in self.kind.columns {
                        x.leaf("th", &[], column);
                    }
                });
            });
            x.element("tbody", &[], |x| x.raw(PLACE));
        });
    }

    /// What start and end cut off, in words.
    fn range(&self) -> Option<(String, Anchor)> {
        let request = self.context.request;
        if request.start.is_none() && request.end.is_none() {
            return None;
        }
        let end = request.end.as_ref().unwrap_or(&request.time);
        let start = request.start.as_ref().map(instant::human);
        let text = match start {
            Some(start) => format!("Limited to {start} until {}", instant::human(end)),
            None => format!("Limited to what was until {}", instant::human(end)),
        };
        Some((text, Anchor::new(&format!("{}range", self.kind.prefix))))
    }

    /// What start and end cut off, for a section that says it in words alone.
    pub(crate) fn range_words(&self) -> Option<String> {
        self.range().map(|(words, _)| words)
    }

    /// The same as an entry.
    ///
    /// C-CDA: Section Time Range Observation.
    fn range_entry(&self, x: &mut Xml, anchor: &Anchor) {
        let request = self.context.request;
        let end = request.end.as_ref().unwrap_or(&request.time);
        x.element("entry", &[("typeCode", "DRIV")], |x| {
            x.element("observation", &[("classCode", "OBS"), ("moodCode", "EVN")], |x| {
                templates(x, ".4.201", &["2016-06-01"]);
                Fixed(system::LOINC, "82607-3", "Section Date and Time Range").plain(x, "code", "");
                anchor.text(x);
                x.empty("statusCode", &[("code", "completed")]);
                let start = request.start.as_ref();
                instant::interval(x, "value", "IVL_TS", start, Some(end), instant::Open::Silent);
            });
        });
    }
}
