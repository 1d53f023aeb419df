//! Measurements, findings, answers, and the reports that gather them.

use super::{Concept, Content, Link, Moment, Onset, Origin, Period, Quantity, Value};

/// An observation, or a panel of them.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// Where it comes from.
    pub origin: Origin,
    /// `final`, `preliminary` and so on.
    pub status: Option<String>,
    /// What kinds: codes such as `vital-signs`.
    pub categories: Vec<Concept>,
    /// What was observed, and what was found.
    pub measure: Measure,
    /// When.
    pub effective: Option<Onset>,
    /// When it was published.
    pub issued: Option<Moment>,
    /// By whom.
    pub performers: Vec<Link>,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// Of which specimen.
    pub specimen: Option<Link>,
    /// With which device.
    pub device: Option<Link>,
    /// Where on the body.
    pub body_site: Option<Concept>,
    /// How.
    pub method: Option<Concept>,
    /// Parts with codes and values of their own.
    pub components: Vec<Measure>,
    /// Other observations that belong to it.
    pub members: Vec<Link>,
    /// Remarks.
    pub notes: Vec<String>,
}

impl Observation {
    /// From when until when; as published if nothing else is known.
    #[must_use]
    pub fn period(&self) -> Period {
        match &self.effective {
            Some(Onset::At(moment)) => Period::at(moment.clone()),
            Some(Onset::During(period)) if !period.is_empty() => period.clone(),
            _ => self.issued.clone().map(Period::at).unwrap_or_default(),
        }
    }
}

/// A code and its value.
#[derive(Debug, Clone, Default)]
pub struct Measure {
    /// What was observed.
    pub code: Concept,
    /// What was found.
    pub value: Option<Value>,
    /// Why there is no value.
    pub absent_reason: Option<Concept>,
    /// What it means: high, low, normal.
    pub interpretations: Vec<Concept>,
    /// What is usual.
    pub ranges: Vec<Range>,
}

/// A reference range.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Range {
    /// From.
    pub low: Option<Quantity>,
    /// To.
    pub high: Option<Quantity>,
    /// In words.
    pub text: Option<String>,
    /// For whom: normal, therapeutic.
    pub kind: Option<Concept>,
}

/// A diagnostic report.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Where it comes from.
    pub origin: Origin,
    /// `final` and so on.
    pub status: Option<String>,
    /// What kinds.
    pub categories: Vec<Concept>,
    /// Which report.
    pub code: Concept,
    /// The time that matters clinically.
    pub effective: Period,
    /// When it was published.
    pub issued: Option<Moment>,
    /// Who is responsible for it.
    pub performers: Vec<Link>,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// Of which specimens.
    pub specimens: Vec<Link>,
    /// Its results.
    pub results: Vec<Link>,
    /// What it comes to, in words.
    pub conclusion: Option<String>,
    /// What it comes to, in codes.
    pub conclusion_codes: Vec<Concept>,
    /// The whole, as it was issued.
    pub contents: Vec<Content>,
}

/// What was examined.
#[derive(Debug, Clone, Default)]
pub struct Specimen {
    /// Where it comes from.
    pub origin: Origin,
    /// What it is.
    pub kind: Option<Concept>,
    /// When it was taken.
    pub collected: Option<Moment>,
    /// From where on the body.
    pub body_site: Option<Concept>,
    /// In which state it was.
    pub conditions: Vec<Concept>,
}
