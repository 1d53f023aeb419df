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

    /// `<templateId root="…" extension="…"/>`, of names that are ours and need no escape.
    pub(crate) fn template(&mut self, base: &str, root: &str, extension: &str) {
        for part in ["<templateId root=\"", base, root] {
            self.out.push_str(part);
        }
        if !extension.is_empty() {
            self.out.push_str("\" extension=\"");
            self.out.push_str(extension);
        }
        self.out.push_str("\"/>");
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

/// Which bytes are not copied as they are: controls, marks of XML, and what may begin U+FFFE or U+FFFF.
const IS_SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'&' as usize] = true;
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'"' as usize] = true;
    special[0xEF] = true;
    special
};

/// All text goes through here, byte by byte: the special ones are characters themselves, or begin one.
fn escape(text: &str, is_attribute: bool, out: &mut String) {
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| IS_SPECIAL[usize::from(**byte)]) {
        let (instead, length) = match byte {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' if is_attribute => ("&quot;", 1),
            b'\n' | b'\t' if is_attribute => (" ", 1),
            b'"' | b'\n' | b'\t' => continue,
            0xEF if is_no_character(&bytes[at..]) => ("", 3),
            0xEF => continue,
            // What XML forbids, and `\r`: a line end would be read as another one.
            _ => ("", 1),
        };
        out.push_str(&text[plain..at]);
        out.push_str(instead);
        plain = at + length;
    }
    out.push_str(&text[plain..]);
}

/// Whether U+FFFE or U+FFFF begins here.
fn is_no_character(bytes: &[u8]) -> bool {
    matches!(bytes, [0xEF, 0xBF, 0xBE | 0xBF, ..])
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

    /// The same, character by character.
    fn plainly_escaped(text: &str, is_attribute: bool) -> String {
        let one = |c: char| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' if is_attribute => "&quot;".to_owned(),
            '\n' | '\t' if is_attribute => " ".to_owned(),
            '\r' => String::new(),
            c if is_xml(c) => c.to_string(),
            _ => String::new(),
        };
        text.chars().map(one).collect()
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_escaped_alike(text in "[\\x00-\\x7F\u{FFEF}-\u{FFFF}\u{EFBF}é]{0,40}", is_attribute: bool) {
            let mut out = "before".to_owned();
            escape(&text, is_attribute, &mut out);
            proptest::prop_assert_eq!(out, format!("before{}", plainly_escaped(&text, is_attribute)));
        }
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
