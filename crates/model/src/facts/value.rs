//! The values that facts are made of, as they were given.

use super::Moment;

/// Where a fact comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// `Type/id`, what others refer to it by.
    pub key: String,
    /// Its business identifiers.
    pub identifiers: Vec<Identifier>,
    /// The how manieth of the record's resources it is.
    pub place: usize,
}

/// A business identifier.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identifier {
    /// What it is from: a URI.
    pub system: Option<String>,
    /// The identifier itself.
    pub value: Option<String>,
    /// The code of its type, as `MR`.
    pub kind: Option<String>,
}

/// A code of a code system.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coding {
    /// The URI of the code system.
    pub system: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// What it means.
    pub display: Option<String>,
}

/// The same meaning in codes and in words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Concept {
    /// In codes.
    pub codings: Vec<Coding>,
    /// In words.
    pub text: Option<String>,
}

impl Concept {
    /// A concept that is words alone.
    #[must_use]
    pub fn of_text(text: impl Into<String>) -> Self {
        Self { codings: Vec::new(), text: Some(text.into()) }
    }

    /// What a reader is shown: the words, else what a code means, else the code.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        let filled = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        self.text
            .as_deref()
            .filter(|_| filled(&self.text))
            .or_else(|| self.codings.iter().find(|c| filled(&c.display)).and_then(|c| c.display.as_deref()))
            .or_else(|| self.codings.iter().find(|c| filled(&c.code)).and_then(|c| c.code.as_deref()))
    }

    /// Whether one of the codes is `code`, of whatever system.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.codings.iter().any(|coding| coding.code.as_deref() == Some(code))
    }

    /// The first code that is one of `codes`.
    pub fn one_of<'a>(&self, codes: &[&'a str]) -> Option<&'a str> {
        let given = self.codings.iter().filter_map(|coding| coding.code.as_deref());
        given.flat_map(|code| codes.iter().find(|known| **known == code)).next().copied()
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.label().is_none()
    }
}

/// An amount.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quantity {
    /// The number, digit for digit.
    pub value: Option<String>,
    /// `<`, `<=`, `>=` or `>`.
    pub comparator: Option<String>,
    /// The unit for readers.
    pub unit: Option<String>,
    /// The code system of the unit: a URI.
    pub system: Option<String>,
    /// The unit as a code.
    pub code: Option<String>,
}

/// From when until when; what is absent is not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Period {
    /// The first moment.
    pub start: Option<Moment>,
    /// The last.
    pub end: Option<Moment>,
}

impl Period {
    /// A point in time.
    #[must_use]
    pub fn at(moment: Moment) -> Self {
        Self { start: Some(moment.clone()), end: Some(moment) }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }
}

/// When something began or ended, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Onset {
    /// At a time.
    At(Moment),
    /// Within a time.
    During(Period),
    /// At an age.
    Age(Quantity),
    /// In words.
    Text(String),
    /// It did, but not when.
    Unknown,
}

impl Onset {
    /// The moment, if it is known.
    #[must_use]
    pub fn moment(&self) -> Option<&Moment> {
        match self {
            Self::At(moment) => Some(moment),
            Self::During(period) => period.start.as_ref().or(period.end.as_ref()),
            _ => None,
        }
    }
}

/// What is named by reference.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Link {
    /// The key of it, or an alias.
    pub target: Option<String>,
    /// Its name for readers.
    pub display: Option<String>,
}

/// The value of an observation.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An amount.
    Quantity(Quantity),
    /// A coded meaning.
    Concept(Concept),
    /// Words.
    Text(String),
    /// A number that counts, digit for digit.
    Integer(String),
    /// Yes or no.
    Boolean(bool),
    /// From one amount to another.
    Range(Box<(Option<Quantity>, Option<Quantity>)>),
    /// One amount to another.
    Ratio(Box<(Quantity, Quantity)>),
    /// A time.
    Moment(Moment),
    /// A time from and until.
    Period(Period),
}
