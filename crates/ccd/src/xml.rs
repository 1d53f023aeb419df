//! XML text that cannot be broken out of: everything from outside is escaped, and what XML 1.0 forbids is left out.
//!
//! Clause: C-CDA 2.1 Narrative

/// XML in the making.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    out: String,
}

/// Attributes: name and value. One without a value is left out, as CDA wants no empty ones.
pub(crate) type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Xml {
    pub(crate) fn into_string(self) -> String {
        self.out
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.out
    }

    /// Forgets what was written and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
    }

    /// An element and what `inner` writes.
    pub(crate) fn element(&mut self, name: &str, attributes: Attributes<'_>, inner: impl FnOnce(&mut Self)) {
        self.start(name, attributes);
        self.out.push('>');
        let before = self.out.len();
        inner(self);
        if self.out.len() == before {
            self.out.pop();
            self.out.push_str("/>");
            return;
        }
        self.end(name);
    }

    /// An element without content.
    pub(crate) fn empty(&mut self, name: &str, attributes: Attributes<'_>) {
        self.start(name, attributes);
        self.out.push_str("/>");
    }

    /// An element that is text.
    pub(crate) fn leaf(&mut self, name: &str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, |x| x.text(text));
    }

    /// Text; words that look like a lost value stand between quotation marks.
    pub(crate) fn text(&mut self, text: &str) {
        let before = self.out.len();
        escape(text, false, &mut self.out);
        if is_gap(&self.out[before..]) {
            self.out.insert(before, '"');
            self.out.push('"');
        }
    }

    /// XML that was made here.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.out.push_str(xml);
    }

    fn start(&mut self, name: &str, attributes: Attributes<'_>) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(value, true, &mut self.out);
            self.out.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

fn escape(text: &str, is_attribute: bool, out: &mut String) {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let instead = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if is_attribute => "&quot;",
            '\n' | '\t' if is_attribute => " ",
            '\n' | '\t' => continue,
            // A line end would be read as another one.
            '\r' => "",
            c if is_xml(c) => continue,
            _ => "",
        };
        out.push_str(&text[plain..at]);
        out.push_str(instead);
        plain = at + c.len_utf8();
    }
    out.push_str(&text[plain..]);
}

/// Clause: C-CDA 2.1 Narrative
pub(crate) fn is_xml(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether there is something to be seen in `text`.
pub(crate) fn is_visible(text: &str) -> bool {
    text.chars().any(|c| is_xml(c) && !c.is_whitespace() && !c.is_control())
}

/// Words that a reader, or a program, would take for a value that got lost. Where the record says them, they stand
/// between quotation marks.
pub(crate) fn is_gap(text: &str) -> bool {
    matches!(text.trim(), "None" | "null" | "NaN" | "undefined" | "[object Object]")
}

/// Whether a text can be the value of a `cs` or a code: without blanks, seen, and no lost value.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && !is_gap(text)
        && text.chars().all(|c| is_xml(c) && !c.is_whitespace() && !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut x = Xml::default();
        x.element("a", &[("b", "\"<&>\u{0}\n"), ("c", "")], |x| {
            x.text("]]></a><script>\u{FFFE}\r\u{1}&amp;")
        });
        x.element("d", &[], |_| {});
        assert_eq!(
            x.into_string(),
            "<a b=\"&quot;&lt;&amp;&gt; \">]]&gt;&lt;/a&gt;&lt;script&gt;&amp;amp;</a><d/>"
        );
    }

    #[test]
    fn words_like_a_lost_value_are_quoted() {
        for (text, written) in [
            ("NaN", "<a>\"NaN\"</a>"),
            (" null\u{1}", "<a>\" null\"</a>"),
            ("nullable", "<a>nullable</a>"),
            ("", "<a/>"),
        ] {
            let mut x = Xml::default();
            x.leaf("a", &[], text);
            assert_eq!(x.into_string(), written, "{text:?}");
        }
        assert!(!is_token("null") && is_token("N"));
    }

    #[test]
    fn blank_text_is_not_visible() {
        for (text, visible) in [("", false), (" \u{A0}\u{1}\u{85}", false), ("\u{FFFF}", false), (" a", true)]
        {
            assert_eq!(is_visible(text), visible, "{text:?}");
        }
    }
}
