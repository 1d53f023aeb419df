//! The text of HTML and RTF, for the narrative: what a reader would see, line by line.

/// The text of an XHTML or HTML document, without scripts, styles and comments.
pub(crate) fn of_html(html: &str) -> String {
    let mut out = Lines::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.text(&unescaped(&rest[..at]));
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = rest.find('>') else { return out.finish() };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        match name.as_str() {
            "script" | "style" | "head" | "title" if !tag.starts_with('/') && !tag.ends_with('/') => {
                rest = after_end(rest, &name);
            }
            "br" | "p" | "div" | "tr" | "li" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "ul"
            | "ol" | "hr" | "section" | "pre" | "blockquote" | "dt" | "dd" => out.line(),
            "td" | "th" => out.text(" "),
            _ => {}
        }
    }
    out.text(&unescaped(rest));
    out.finish()
}

/// What comes after the end tag of `name`.
fn after_end<'a>(rest: &'a str, name: &str) -> &'a str {
    let end = format!("</{name}");
    let lower = rest.to_ascii_lowercase();
    let Some(at) = lower.find(&end) else { return "" };
    rest[at..].find('>').map_or("", |close| &rest[at + close + 1..])
}

/// Lines with single blanks.
#[derive(Default)]
struct Lines {
    out: String,
}

impl Lines {
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            if !c.is_whitespace() {
                self.out.push(c);
            } else if !self.out.ends_with([' ', '\n']) && !self.out.is_empty() {
                self.out.push(' ');
            }
        }
    }

    fn line(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn finish(mut self) -> String {
        self.line();
        self.out.trim_end().to_owned()
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known =
            rest.find(';').filter(|end| *end < 12).and_then(|end| Some((end, character(&rest[1..end])?)));
        match known {
            Some((end, c)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    if let Some(hex) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        return char::from_u32(u32::from_str_radix(hex, 16).ok()?);
    }
    if let Some(decimal) = name.strip_prefix('#') {
        return char::from_u32(decimal.parse().ok()?);
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        _ => return None,
    })
}

/// Groups of RTF that hold no text to be read.
const SILENT: [&str; 8] =
    ["fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "generator"];

/// The text of an RTF document. Bytes above 127 are read as Windows-1252, which RTF means unless it says otherwise.
pub(crate) fn of_rtf(rtf: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut silent_from: Option<usize> = None;
    let mut chars = rtf.chars().peekable();
    // How many characters after `\u` stand in for it.
    let mut skip = 0_usize;
    while let Some(c) = chars.next() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                silent_from = silent_from.filter(|from| *from <= depth);
            }
            '\\' => match chars.peek().copied() {
                Some('\'') => {
                    chars.next();
                    let hex: String = chars.by_ref().take(2).collect();
                    let byte = u8::from_str_radix(&hex, 16).unwrap_or(b'?');
                    push(&mut out, windows_1252(byte), silent_from.is_some(), &mut skip);
                }
                Some('*') => {
                    chars.next();
                    silent_from = silent_from.or(Some(depth));
                }
                Some(c) if c.is_ascii_alphabetic() => {
                    let (word, number) = control(&mut chars);
                    match word.as_str() {
                        "par" | "line" | "row" => push(&mut out, '\n', silent_from.is_some(), &mut 0),
                        "tab" | "cell" => push(&mut out, '\t', silent_from.is_some(), &mut 0),
                        "u" => {
                            let code = number.map_or(0, |n| if n < 0 { n + 65_536 } else { n });
                            let c = u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('\u{FFFD}');
                            push(&mut out, c, silent_from.is_some(), &mut 0);
                            skip = 1;
                        }
                        word if SILENT.contains(&word) => silent_from = silent_from.or(Some(depth)),
                        _ => {}
                    }
                }
                Some(c) => {
                    chars.next();
                    let c = if c == '~' { '\u{A0}' } else { c };
                    push(&mut out, c, silent_from.is_some(), &mut skip);
                }
                None => {}
            },
            '\r' | '\n' => {}
            c => push(&mut out, c, silent_from.is_some(), &mut skip),
        }
    }
    out.trim().to_owned()
}

fn push(out: &mut String, c: char, is_silent: bool, skip: &mut usize) {
    if *skip > 0 {
        *skip -= 1;
    } else if !is_silent {
        out.push(c);
    }
}

/// A control word and its number; the blank behind it is part of it.
fn control(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> (String, Option<i32>) {
    let mut word = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_alphabetic) {
        word.push(c);
    }
    let mut number = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || (*c == '-' && number.is_empty())) {
        number.push(c);
    }
    chars.next_if_eq(&' ');
    (word, number.parse().ok())
}

/// A byte as Windows-1252 has it.
pub(crate) fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_lines() {
        for (html, expected) in [
            ("<div><p>a  b</p><p>c<br/>d</p></div>", "a b\nc\nd"),
            ("<script>alert('<p>')</script>x<style>p{}</style><!-- y -->z", "xz"),
            ("1 &lt; 2 &amp; &#x41;&#66; &unknown; &", "1 < 2 & AB &unknown; &"),
            ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
            ("a<b", "a"),
        ] {
            assert_eq!(of_html(html), expected);
        }
    }

    #[test]
    fn rtf_becomes_lines() {
        let rtf =
            r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\*\generator X;}\f0\fs20 Caf\'e9 \u8364? \{ok\}\par end}";
        assert_eq!(of_rtf(rtf), "Café € {ok}\nend");
    }
}
