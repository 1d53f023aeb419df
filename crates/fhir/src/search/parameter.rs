//! One search parameter, taken apart: name, modifier, alternatives, prefix.

use std::borrow::Cow;

use charta_model::Comparison;

use super::SearchError;

/// A parameter as it was given, decoded.
pub(super) struct Parameter<'a> {
    /// Name and modifier as given.
    pub(super) whole: &'a str,
    pub(super) name: &'a str,
    pub(super) modifier: Option<&'a str>,
    pub(super) value: &'a str,
}

impl<'a> Parameter<'a> {
    pub(super) fn new(whole: &'a str, value: &'a str) -> Self {
        match whole.split_once(':') {
            Some((name, modifier)) => Self { whole, name, modifier: Some(modifier), value },
            None => Self { whole, name: whole, modifier: None, value },
        }
    }

    /// The values between unescaped commas, still escaped; empty ones say nothing and are left out.
    ///
    /// Clause: FHIR R4 search.html#escaping
    pub(super) fn alternatives(&self) -> impl Iterator<Item = &'a str> {
        split(self.value, b',').into_iter().filter(|alternative| !alternative.is_empty())
    }

    /// The value of a parameter that takes no modifier.
    pub(super) fn plain(&self) -> Result<&'a str, SearchError> {
        if self.modifier.is_some() { Err(self.modifier_error()) } else { Ok(self.value) }
    }

    /// The value of a parameter that takes one of `words` and no modifier.
    pub(super) fn one_of(&self, words: &[&'static str]) -> Result<&'static str, SearchError> {
        let value = self.plain()?;
        let known = words.iter().find(|word| **word == value);
        known.copied().ok_or_else(|| self.value_error("not one of the values that exist"))
    }

    /// What `:missing` asks.
    ///
    /// Clause: FHIR R4 search.html#modifiers
    pub(super) fn is_missing(&self) -> Result<bool, SearchError> {
        match self.value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.value_error("true or false is expected")),
        }
    }

    pub(super) fn modifier_error(&self) -> SearchError {
        self.not_supported("this modifier is not supported")
    }

    pub(super) fn not_supported(&self, reason: &'static str) -> SearchError {
        SearchError::NotSupported { parameter: self.safe_name(), reason }
    }

    pub(super) fn value_error(&self, reason: &'static str) -> SearchError {
        SearchError::Value { parameter: self.safe_name(), reason }
    }

    /// The name as it can be shown: a client may have put anything there, also by mistake.
    fn safe_name(&self) -> String {
        let shown = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        self.name.chars().take(64).map(|c| if shown(c) { c } else { '?' }).collect()
    }
}

/// `text` at each `separator` without a backslash before it; escapes stay.
pub(super) fn split(text: &str, separator: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        if byte == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

/// The text without escapes. A backslash before anything but `,` `$` `|` `\` means itself.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.next_if(|next| c == '\\' && ",$|\\".contains(*next)) {
            Some(escaped) => plain.push(escaped),
            None => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// How a date or number is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// As the model has it.
    Exact(Comparison),
    /// About this value.
    Approximate,
}

/// The prefix of a date or number and the rest; `None` if it is none that exists.
///
/// A document has a time and not a period, so `sa` and `eb` are `gt` and `lt`.
///
/// Clause: FHIR R4 search.html#prefix
pub(super) fn prefix(text: &str) -> Option<(Prefix, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (prefix, rest) = text.split_at(end);
    let comparison = match prefix {
        "" | "eq" => Comparison::Equal,
        "ne" => Comparison::NotEqual,
        "gt" | "sa" => Comparison::Greater,
        "ge" => Comparison::GreaterOrEqual,
        "lt" | "eb" => Comparison::Less,
        "le" => Comparison::LessOrEqual,
        "ap" => return Some((Prefix::Approximate, rest)),
        _ => return None,
    };
    Some((Prefix::Exact(comparison), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_can_be_escaped() {
        let cases: [(&str, &[&str]); 6] = [
            ("a,b", &["a", "b"]),
            (r"a\,b", &["a,b"]),
            (r"a\\,b", &[r"a\", "b"]),
            (r"a\$\|b", &["a$|b"]),
            (r"a\n\", &[r"a\n\"]),
            ("", &[""]),
        ];
        for (text, expected) in cases {
            let parts: Vec<_> = split(text, b',').into_iter().map(unescape).collect();
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn names_are_shown_only_where_they_look_like_names() {
        let long = "x".repeat(100);
        assert_eq!(Parameter::new("a<b>\n:c", "").safe_name(), "a?b??");
        assert_eq!(Parameter::new(&long, "").safe_name().len(), 64);
    }
}
