//! Text of a statement and its values, which grow together.

use rusqlite::types::Value;

/// A piece of SQL and the values of its `?`, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Text with so many `?` as there are values.
    pub(super) fn with(text: &str, values: impl IntoIterator<Item = Value>) -> Self {
        Self { text: text.to_owned(), values: values.into_iter().collect() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.values.extend(other.values.iter().cloned());
    }

    /// `(… OR …)`; nothing is false.
    pub(super) fn any<'s>(&mut self, alternatives: impl IntoIterator<Item = &'s Self>) {
        self.joined(alternatives, " OR ", "0");
    }

    /// `(… AND …)`; nothing is true.
    pub(super) fn all<'s>(&mut self, parts: impl IntoIterator<Item = &'s Self>) {
        self.joined(parts, " AND ", "1");
    }

    fn joined<'s>(&mut self, parts: impl IntoIterator<Item = &'s Self>, between: &str, none: &str) {
        let parts: Vec<&Self> = parts.into_iter().collect();
        if parts.is_empty() { self.push(none) } else { self.halves(&parts, between) }
    }

    /// As a tree, because SQLite limits the depth of expressions and reads `a OR b OR c` as deep as it is long.
    fn halves(&mut self, parts: &[&Self], between: &str) {
        self.push("(");
        match parts {
            [one] => self.append(one),
            _ => {
                let (first, second) = parts.split_at(parts.len() / 2);
                self.halves(first, between);
                self.push(between);
                self.halves(second, between);
            }
        }
        self.push(")");
    }

    /// Whether a column has one of these values; none is false.
    pub(super) fn one_of(&mut self, column: &str, values: impl IntoIterator<Item = Value>) {
        let before = self.values.len();
        self.values.extend(values);
        match self.values.len() - before {
            0 => self.push("0"),
            1 => self.push(&format!("{column} = ?")),
            number => self.push(&format!("{column} IN ({})", vec!["?"; number].join(","))),
        }
    }

    /// With an alias instead of each `@`.
    pub(super) fn of(&self, alias: &str) -> Self {
        Self { text: self.text.replace('@', alias), values: self.values.clone() }
    }
}
