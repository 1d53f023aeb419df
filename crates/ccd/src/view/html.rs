//! Writes HTML: every name is one of ours, every text and value is escaped.

/// HTML so far.
#[derive(Default)]
pub struct Html {
    out: String,
}

/// The name and value of an attribute.
pub type Attribute<'a> = (&'static str, &'a str);

impl Html {
    /// Opens an element. Attributes without value are left out.
    pub fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value, true);
            self.out.push('"');
        }
        self.out.push('>');
    }

    /// Closes it.
    pub fn close(&mut self, name: &'static str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// An element that holds only text.
    pub fn element(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.open(name, attributes);
        self.text(text);
        self.close(name);
    }

    /// Text.
    pub fn text(&mut self, text: &str) {
        self.escaped(text, false);
    }

    /// HTML of ours.
    pub fn raw(&mut self, html: &'static str) {
        self.out.push_str(html);
    }

    /// A line break in the source, where it means nothing.
    pub fn line(&mut self) {
        self.out.push('\n');
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.out
    }

    fn escaped(&mut self, text: &str, in_attribute: bool) {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let escape = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' if in_attribute => "&quot;",
                '\r' => "\n",
                '\t' | '\n' => continue,
                // What HTML cannot carry.
                c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => "\u{FFFD}",
                _ => continue,
            };
            self.out.push_str(&text[plain..at]);
            self.out.push_str(escape);
            plain = at + c.len_utf8();
        }
        self.out.push_str(&text[plain..]);
    }
}
