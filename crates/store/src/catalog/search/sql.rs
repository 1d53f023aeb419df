//! Text of a statement and its values, which grow together; and where the databases' words differ.

/// A value of a statement. What stands in the columns of an entry is of a kind of its own, as not every database
/// lets one column hold numbers and texts.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::catalog) enum Value {
    Integer(i64),
    Text(String),
    /// The whole value of an entry, however long it is.
    Word(String),
    /// A time in an entry, in milliseconds.
    Time(i64),
    /// A bound of a quantity in an entry.
    Number(f64),
    /// The number of a name in an entry.
    Key(i64),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum Dialect {
    /// Is told which index to use and in which order to join.
    Sqlite,
    /// Decides that by itself, so that statements are written in a way that leaves one choice. Its entries hold
    /// texts alone: numbers stand in them as texts of the same order.
    Postgres,
}

impl Dialect {
    /// Behind the name of a table: uses this index.
    pub(super) fn indexed(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!(" INDEXED BY {index}"),
            Self::Postgres => String::new(),
        }
    }

    /// Between tables: the first is the outer one.
    pub(super) const fn then(self) -> &'static str {
        match self {
            Self::Sqlite => "CROSS JOIN",
            Self::Postgres => "JOIN",
        }
    }

    /// Before a column that is to choose no index.
    pub(super) const fn plain(self) -> &'static str {
        match self {
            Self::Sqlite => "+",
            Self::Postgres => "",
        }
    }

    /// Around a set of keys: that a column is one of them.
    pub(super) const fn one_of_set(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => (" IN (", ")"),
            // An array is made first, whatever is guessed of its size.
            Self::Postgres => (" = ANY (ARRAY(", "))"),
        }
    }

    /// The end of what is asked whether it exists: it is asked of one row at a time.
    pub(super) const fn each(self) -> &'static str {
        match self {
            Self::Sqlite => ")",
            Self::Postgres => " OFFSET 0)", // else it could be made a join with all there is
        }
    }

    /// The type that an entry names, as a document has it.
    pub(super) fn kind_of(self, entry: &str) -> String {
        match self {
            Self::Sqlite => format!("{entry}.second"),
            Self::Postgres => format!("{entry}.second::bigint"),
        }
    }

    /// The type of a document, as an entry names it.
    pub(super) fn named_kind(self, document: &str) -> String {
        match self {
            Self::Sqlite => format!("{document}.kind"),
            Self::Postgres => format!("{document}.kind::text"),
        }
    }

    /// That the text of `@` has this one inside.
    pub(super) fn contains(self, text: &str) -> Sql {
        let sql = match self {
            Self::Sqlite => "instr(@.value, ?) > 0",
            Self::Postgres => "strpos(coalesce(@.whole, @.value), ?) > 0",
        };
        Sql::with(sql, [text.to_owned().into()])
    }

    /// That the text of `@`, not folded, is this one.
    pub(super) fn exactly(self, text: &str) -> Sql {
        let sql = match self {
            Self::Sqlite => "coalesce(@.second, @.value) = ?",
            Self::Postgres => "coalesce(@.third, @.whole, @.value) = ?",
        };
        Sql::with(sql, [text.to_owned().into()])
    }

    /// So many bytes of a value at least are in its index.
    pub(super) const fn indexed_bytes(self) -> usize {
        match self {
            Self::Sqlite => usize::MAX,
            Self::Postgres => INDEXED_BYTES,
        }
    }

    /// That a column ends in this text.
    pub(super) fn ends(self, column: &str, text: &str) -> Sql {
        let length = i64::try_from(text.len()).unwrap_or(0);
        let sql = match self {
            Self::Sqlite => format!("substr({column}, {}) = ?", -length),
            Self::Postgres => format!("right({column}, {length}) = ?"),
        };
        Sql::with(&sql, [text.to_owned().into()])
    }
}

/// The beginning of an entry's value that the index of PostgreSQL takes.
pub(in crate::catalog) const INDEXED_BYTES: usize = 600;

/// As many whole characters of the beginning as so many bytes have room for.
pub(in crate::catalog) fn beginning(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// A piece of SQL and the values of its `?`, in order.
#[derive(Debug, Clone, Default)]
pub(in crate::catalog) struct Sql {
    pub(in crate::catalog) text: String,
    pub(in crate::catalog) values: Vec<Value>,
}

impl Sql {
    pub(in crate::catalog) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Text with so many `?` as there are values.
    pub(super) fn with(text: &str, values: impl IntoIterator<Item = Value>) -> Self {
        Self { text: text.to_owned(), values: values.into_iter().collect() }
    }

    pub(in crate::catalog) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(in crate::catalog) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.values.extend(other.values.iter().cloned());
    }

    /// `(… OR …)`; nothing is false.
    pub(super) fn any<'s>(&mut self, alternatives: impl IntoIterator<Item = &'s Self>) {
        self.joined(alternatives, " OR ", "FALSE");
    }

    /// `(… AND …)`; nothing is true.
    pub(super) fn all<'s>(&mut self, parts: impl IntoIterator<Item = &'s Self>) {
        self.joined(parts, " AND ", "TRUE");
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
            0 => self.push("FALSE"),
            1 => self.push(&format!("{column} = ?")),
            number => self.push(&format!("{column} IN ({})", vec!["?"; number].join(","))),
        }
    }

    /// With an alias instead of each `@`.
    pub(super) fn of(&self, alias: &str) -> Self {
        Self { text: self.text.replace('@', alias), values: self.values.clone() }
    }
}
