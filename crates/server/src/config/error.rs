//! Why a configuration is refused: one line, with file, line and key.

use std::fmt;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Why a configuration is refused. Displayed as one line, such as
/// `charta.toml:12: endpoint.path: /r4 is there twice`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    /// From 1; known where the text is at hand.
    line: Option<usize>,
    /// Tables and key, with dots; empty if it concerns the file as a whole.
    key: String,
    /// Which `[[table]]` it is, from 0.
    index: usize,
    problem: String,
}

impl std::error::Error for ConfigError {}

/// What is wrong with a key, before it is said of which file.
pub struct Problem {
    key: &'static str,
    index: usize,
    text: String,
}

impl Problem {
    /// With `key`, tables and all; `index` counts the `[[table]]` that has it, from 0.
    pub fn new(key: &'static str, index: usize, text: impl Into<String>) -> Self {
        Self { key, index, text: text.into() }
    }

    /// With the name of the file.
    pub fn of(self, file: &str) -> ConfigError {
        let Self { key, index, text } = self;
        ConfigError {
            file: file.to_owned(),
            line: None,
            key: key.to_owned(),
            index,
            problem: one_line(&text),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl ConfigError {
    /// The file as a whole.
    pub(super) fn of_file(file: &str, problem: impl Into<String>) -> Self {
        Problem::new("", 0, problem).of(file)
    }

    /// What the TOML reader says of `text`.
    pub(super) fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or_default();
        let key = match DeTable::parse(text) {
            Ok(table) => key_at(table.get_ref(), span.start).unwrap_or_default(),
            Err(_) => text.get(span.clone()).filter(|token| is_key(token)).unwrap_or_default().to_owned(),
        };
        let (key, problem) = in_operators_words(key, error.message());
        let line = error.span().map(|span| line_at(text, span.start));
        Self { line, key, ..Self::of_file(file, problem) }
    }

    /// The same with the line that the key, or else its table, has in `text`.
    pub(super) fn located(self, text: &str) -> Self {
        let line = DeTable::parse(text)
            .ok()
            .and_then(|table| place_of(table.get_ref(), &self.key, self.index))
            .map(|at| line_at(text, at));
        Self { line: line.or(self.line), ..self }
    }
}

/// Puts what the TOML library says about Rust's types into words about keys and values.
fn in_operators_words(key: String, message: &str) -> (String, String) {
    let message = message.replace("unknown variant", "unknown value").replace(" as i128", "");
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (name, expected) = rest.split_once("`, ").unwrap_or((rest.trim_end_matches('`'), ""));
        let key = if key.is_empty() { name.to_owned() } else { key };
        return (key, format!("unknown key, {expected}").trim_end_matches(", ").to_owned());
    }
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        let key = if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
        return (key, "missing".to_owned());
    }
    let number = "a whole number, not negative";
    let message = message.replace("expected u64", &format!("expected {number}"));
    (
        key,
        message
            .replace("expected usize", &format!("expected {number}"))
            .replace("a boolean", "true or false"),
    )
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

fn is_key(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&b| b == b'\n').count() + 1
}

/// The key whose name or value covers the byte `at`.
fn key_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, at),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(inner) => {
                    key_at(inner, at).or_else(|| item.span().contains(&at).then(String::new))
                }
                _ => None,
            }),
            _ => None,
        };
        let name_text: &str = name.get_ref();
        match inner {
            Some(inner) if !inner.is_empty() => Some(format!("{name_text}.{inner}")),
            Some(_) => Some(name_text.to_owned()),
            None => (name.span().contains(&at) || value.span().contains(&at)).then(|| name_text.to_owned()),
        }
    })
}

/// Where the key begins, or else the innermost table of it that is there.
fn place_of(table: &DeTable<'_>, key: &str, index: usize) -> Option<usize> {
    let (first, rest) = key.split_once('.').unwrap_or((key, ""));
    let (name, value) = table.iter().find(|(name, _)| name.get_ref().as_ref() == first)?;
    match value.get_ref() {
        DeValue::Table(inner) => place_of(inner, rest, index).or_else(|| Some(name.span().start)),
        DeValue::Array(items) => match items.get(index) {
            Some(item) => place_in_item(item, rest),
            None => Some(name.span().start),
        },
        _ => Some(name.span().start),
    }
}

fn place_in_item(item: &Spanned<DeValue<'_>>, key: &str) -> Option<usize> {
    match item.get_ref() {
        DeValue::Table(inner) => place_of(inner, key, 0).or_else(|| Some(item.span().start)),
        _ => Some(item.span().start),
    }
}
