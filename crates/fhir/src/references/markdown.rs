//! Links in markdown: `[text](link)`, images, `<scheme:link>` and `[label]: link`. Code is passed over.
//!
//! Clause: FHIR R5 http.html#trules

use std::collections::HashMap;
use std::ops::Range;

use super::spliced;

/// `text` with the links that `change` changes; `None` if it changes none.
pub fn rewritten(text: &str, change: &mut dyn FnMut(&str) -> Option<String>) -> Option<String> {
    let mut scanner = Scanner { text, at: 0, open: Vec::new(), links: Vec::new() };
    scanner.scan();
    spliced(text, scanner.links, change)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Where brackets were opened that are not closed yet.
    open: Vec<usize>,
    links: Vec<Range<usize>>,
}

impl Scanner<'_> {
    fn scan(&mut self) {
        let last_ticks = self.last_ticks();
        while let Some(found) = self.rest().find(['\\', '`', '<', '[', ']']) {
            self.at += found;
            match self.rest().as_bytes()[0] {
                b'\\' => self.skip(2),
                b'`' => self.code(&last_ticks),
                b'<' => self.autolink(),
                b'[' => {
                    self.open.push(self.at);
                    self.skip(1);
                }
                _ => self.end_of_bracket(),
            }
        }
    }

    /// Where the last run of so many backticks begins, so that one without an end is not searched for.
    fn last_ticks(&self) -> HashMap<usize, usize> {
        let mut last = HashMap::new();
        let mut at = 0;
        while let Some(found) = self.text[at..].find('`') {
            at += found;
            let length = ticks(&self.text[at..]);
            last.insert(length, at);
            at += length;
        }
        last
    }

    /// Goes behind code between equally long runs of backticks, or behind a run that nothing ends.
    fn code(&mut self, last_ticks: &HashMap<usize, usize>) {
        let length = ticks(self.rest());
        let start = self.at;
        self.skip(length);
        if last_ticks.get(&length).is_none_or(|last| *last <= start) {
            return;
        }
        while let Some(found) = self.rest().find('`') {
            self.at += found;
            let run = ticks(self.rest());
            self.skip(run);
            if run == length {
                return;
            }
        }
    }

    fn autolink(&mut self) {
        self.skip(1);
        let start = self.at;
        let link = self.run(|c| !c.is_whitespace() && !"<>".contains(c));
        if self.rest().starts_with('>') && self.text[link.clone()].contains(':') {
            self.links.push(link);
        } else {
            self.at = start;
        }
    }

    fn end_of_bracket(&mut self) {
        self.skip(1);
        let Some(start) = self.open.pop() else { return };
        let indented = self.text[..start].trim_end_matches(' ');
        let begins_line = start - indented.len() <= 3 && (indented.is_empty() || indented.ends_with('\n'));
        if self.rest().starts_with('(') || (self.rest().starts_with(':') && begins_line) {
            self.skip(1);
            self.run(char::is_whitespace);
            self.target();
        }
    }

    /// A link between angle brackets, or up to white space or the parenthesis that it is in.
    fn target(&mut self) {
        if self.rest().starts_with('<') {
            self.skip(1);
            let link = self.run(|c| !"<>\n".contains(c));
            if self.rest().starts_with('>') {
                self.links.push(link);
            }
            return;
        }
        let mut depth = 0_usize;
        let start = self.at;
        for (at, c) in self.rest().char_indices() {
            match c {
                '(' => depth += 1,
                ')' if depth == 0 => return self.end_target(start, start + at),
                ')' => depth -= 1,
                c if c.is_whitespace() => return self.end_target(start, start + at),
                _ => {}
            }
        }
        self.end_target(start, self.text.len());
    }

    fn end_target(&mut self, start: usize, end: usize) {
        self.at = end;
        if start < end {
            self.links.push(start..end);
        }
    }

    fn run(&mut self, kind: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        self.at += self.rest().find(|c| !kind(c)).unwrap_or(self.rest().len());
        start..self.at
    }

    /// So many characters, each of which is one byte except the last.
    fn skip(&mut self, count: usize) {
        self.at += self.rest().chars().take(count).map(char::len_utf8).sum::<usize>();
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }
}

fn ticks(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}
