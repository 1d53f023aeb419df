//! Links in the XHTML of a narrative, found without reading it as a tree, so that all else stays byte
//! for byte what it was.
//!
//! Clause: FHIR R4 narrative.html

use std::borrow::Cow;
use std::ops::Range;

use super::spliced;

/// Longest reference to a character: `&#x0010FFFF;`.
const REFERENCE_BYTES_MAX: usize = 12;

/// `text` with the values of `href` and `src` that `change` changes; `None` if it changes none.
///
/// `change` sees values without their escapes, and returns them so.
pub fn rewritten(text: &str, change: &mut dyn FnMut(&str) -> Option<String>) -> Option<String> {
    let mut links = Vec::new();
    let mut scanner = Scanner { text, at: 0 };
    while scanner.next_tag() {
        scanner.attributes(&mut links);
    }
    spliced(text, links, &mut |raw| change(&unescaped(raw)).map(|link| escaped(&link)))
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    /// Goes behind the name of the next tag that may have attributes.
    fn next_tag(&mut self) -> bool {
        while let Some(found) = self.rest().find('<') {
            self.at += found;
            let rest = self.rest();
            let passed_over = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">"), ("</", ">")];
            match passed_over.into_iter().find(|(start, _)| rest.starts_with(start)) {
                Some((start, end)) => {
                    let inside = &rest[start.len()..];
                    let length = inside.find(end).map_or(inside.len(), |at| at + end.len());
                    self.at += start.len() + length;
                }
                None => {
                    self.at += 1;
                    self.run(|c| !is_space(c) && !"/>".contains(c));
                    return true;
                }
            }
        }
        false
    }

    /// Goes to the end of the tag.
    fn attributes(&mut self, links: &mut Vec<Range<usize>>) {
        loop {
            self.run(|c| is_space(c) || c == '/');
            let name = self.run(|c| !is_space(c) && !"=/>".contains(c));
            let is_link = matches!(&self.text[name.clone()], "href" | "src");
            self.run(is_space);
            if self.take('=') {
                self.run(is_space);
                let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                    return;
                };
                self.take(quote);
                let value = self.run(|c| c != quote);
                if !self.take(quote) {
                    return;
                }
                if is_link {
                    links.push(value);
                }
            } else if name.is_empty() {
                return;
            }
        }
    }

    fn run(&mut self, kind: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        self.at += self.rest().find(|c| !kind(c)).unwrap_or(self.rest().len());
        start..self.at
    }

    fn take(&mut self, c: char) -> bool {
        let is_next = self.rest().starts_with(c);
        self.at += if is_next { c.len_utf8() } else { 0 };
        is_next
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The characters that an attribute means. What is no reference known to XML stays as it is.
fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        // No farther than a reference is long, since there may be no end.
        let end = rest.bytes().take(REFERENCE_BYTES_MAX).position(|byte| byte == b';');
        let reference = end.and_then(|end| Some((character(&rest[1..end])?, &rest[end + 1..])));
        match reference {
            Some((c, behind)) => {
                text.push(c);
                rest = behind;
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}

fn escaped(text: &str) -> String {
    let mut raw = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => raw.push_str("&amp;"),
            '<' => raw.push_str("&lt;"),
            '>' => raw.push_str("&gt;"),
            '"' => raw.push_str("&quot;"),
            '\'' => raw.push_str("&#39;"),
            _ => raw.push(c),
        }
    }
    raw
}
