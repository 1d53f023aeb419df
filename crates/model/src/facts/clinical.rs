//! Allergies, conditions, immunizations, procedures.

use super::{Concept, Link, Moment, Onset, Origin, Period, Quantity, Topic};

/// Who takes part in something, and as what.
#[derive(Debug, Clone, Default)]
pub struct Role {
    /// Who.
    pub party: Link,
    /// As what.
    pub role: Option<Concept>,
}

/// An allergy or an intolerance.
#[derive(Debug, Clone, Default)]
pub struct Allergy {
    /// Where it comes from.
    pub origin: Origin,
    /// To what.
    pub code: Concept,
    /// `active`, `inactive`, `resolved`.
    pub clinical_status: Option<String>,
    /// `confirmed`, `unconfirmed`, `presumed`, `refuted`.
    pub verification: Option<String>,
    /// `allergy` or `intolerance`.
    pub kind: Option<String>,
    /// `food`, `medication`, `environment`, `biologic`.
    pub categories: Vec<String>,
    /// `low`, `high`, `unable-to-assess`.
    pub criticality: Option<String>,
    /// Since when.
    pub onset: Option<Onset>,
    /// Until when.
    pub resolved: Option<Moment>,
    /// When it last showed.
    pub last_occurrence: Option<Moment>,
    /// When it was recorded.
    pub recorded: Option<Moment>,
    /// By whom.
    pub recorder: Option<Link>,
    /// On whose word.
    pub asserter: Option<Link>,
    /// How it showed.
    pub reactions: Vec<Reaction>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// How an allergy, or an immunization, showed itself.
#[derive(Debug, Clone, Default)]
pub struct Reaction {
    /// The symptoms.
    pub manifestations: Vec<Concept>,
    /// `mild`, `moderate`, `severe`.
    pub severity: Option<String>,
    /// When.
    pub onset: Option<Moment>,
    /// More in words.
    pub description: Option<String>,
    /// The substance, where it is more exact than the allergy's.
    pub substance: Option<Concept>,
}

/// A problem, a diagnosis, a health concern.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// Where it comes from.
    pub origin: Origin,
    /// What.
    pub code: Concept,
    /// `active`, `recurrence`, `relapse`, `inactive`, `remission`, `resolved`.
    pub clinical_status: Option<String>,
    /// `confirmed`, `provisional`, `differential`, `unconfirmed`, `refuted`.
    pub verification: Option<String>,
    /// What for it was recorded: codes such as `problem-list-item`.
    pub categories: Vec<Concept>,
    /// How grave.
    pub severity: Option<Concept>,
    /// Where on the body.
    pub body_sites: Vec<Concept>,
    /// Since when.
    pub onset: Option<Onset>,
    /// Until when.
    pub abatement: Option<Onset>,
    /// When it was first asserted.
    pub asserted: Option<Moment>,
    /// When it was recorded.
    pub recorded: Option<Moment>,
    /// By whom.
    pub recorder: Option<Link>,
    /// On whose word.
    pub asserter: Option<Link>,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// Stages, in words or codes.
    pub stages: Vec<Concept>,
    /// What speaks for it.
    pub evidence: Vec<Concept>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// An immunization, given or not.
#[derive(Debug, Clone, Default)]
pub struct Immunization {
    /// Where it comes from.
    pub origin: Origin,
    /// Which vaccine.
    pub vaccine: Concept,
    /// Whether it was not given.
    pub is_not_done: bool,
    /// `completed` and so on.
    pub status: Option<String>,
    /// Why not, or why.
    pub status_reasons: Vec<Concept>,
    /// Why it was given.
    pub reasons: Vec<Concept>,
    /// When.
    pub occurred: Option<Onset>,
    /// The lot.
    pub lot: Option<String>,
    /// When the lot expires.
    pub expires: Option<Moment>,
    /// Who made it.
    pub manufacturer: Option<Link>,
    /// Where on the body.
    pub site: Option<Concept>,
    /// By which way.
    pub route: Option<Concept>,
    /// How much.
    pub dose: Option<Quantity>,
    /// The number of the dose in a series.
    pub dose_number: Option<String>,
    /// Who took part.
    pub performers: Vec<Role>,
    /// Where.
    pub place: Option<Link>,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// How the patient reacted.
    pub reactions: Vec<Reaction>,
    /// When it was recorded.
    pub recorded: Option<Moment>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A procedure, done or not.
#[derive(Debug, Clone, Default)]
pub struct Procedure {
    /// Where it comes from.
    pub origin: Origin,
    /// Which.
    pub code: Concept,
    /// `completed`, `in-progress`, `not-done` and so on.
    pub status: Option<String>,
    /// Whether it was not done.
    pub is_not_done: bool,
    /// When.
    pub performed: Option<Onset>,
    /// Where on the body.
    pub body_sites: Vec<Concept>,
    /// Who took part.
    pub performers: Vec<Role>,
    /// Where.
    pub place: Option<Link>,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// Why.
    pub reasons: Vec<Concept>,
    /// Why: by reference.
    pub reason_links: Vec<Link>,
    /// What came of it.
    pub outcome: Option<Concept>,
    /// Devices that were put in or changed.
    pub devices: Vec<Link>,
    /// When it was recorded.
    pub recorded: Option<Moment>,
    /// By whom.
    pub recorder: Option<Link>,
    /// Remarks.
    pub notes: Vec<String>,
}

impl Procedure {
    /// From when until when.
    #[must_use]
    pub fn period(&self) -> Period {
        match &self.performed {
            Some(Onset::At(moment)) => Period::at(moment.clone()),
            Some(Onset::During(period)) => period.clone(),
            _ => Period::default(),
        }
    }
}

/// That somebody said there was nothing: no known allergies, no medication.
#[derive(Debug, Clone)]
pub struct Absence {
    /// Where it comes from.
    pub origin: Origin,
    /// Nothing of what.
    pub topic: Topic,
    /// In the words of the record.
    pub text: Option<String>,
    /// Its codes: `716186003` and the like.
    pub code: Concept,
    /// When it was said.
    pub said: Option<Moment>,
    /// By whom.
    pub author: Option<Link>,
}
