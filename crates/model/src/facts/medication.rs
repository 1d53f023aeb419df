//! Medication: what was ordered, stated, given and dispensed.

use super::{Concept, Link, Moment, Origin, Period, Quantity, Role};

/// What an entry about medication says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MedicationKind {
    /// That it is to be taken: an order.
    #[default]
    Order,
    /// That it is or was taken: a statement.
    Statement,
}

/// A medication that somebody is to take or takes.
#[derive(Debug, Clone, Default)]
pub struct Medication {
    /// Where it comes from.
    pub origin: Origin,
    /// Ordered or stated.
    pub kind: MedicationKind,
    /// `active`, `completed`, `stopped` and so on.
    pub status: Option<String>,
    /// `order`, `plan`, `proposal` and so on.
    pub intent: Option<String>,
    /// What it is.
    pub code: Concept,
    /// What it is, by reference.
    pub drug: Option<Link>,
    /// Whether it is not to be taken, or is not taken.
    pub is_not_taken: bool,
    /// Taken from and until.
    pub effective: Period,
    /// When it was written or stated.
    pub authored: Option<Moment>,
    /// By whom.
    pub author: Option<Link>,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// Why.
    pub reasons: Vec<Concept>,
    /// Why: by reference.
    pub reason_links: Vec<Link>,
    /// How.
    pub dosages: Vec<Dosage>,
    /// What is to be dispensed.
    pub supply: Option<Supply>,
    /// How well it is taken, and when that was said.
    pub adherence: Vec<(Concept, Option<Moment>)>,
    /// The orders that a statement rests on.
    pub based_on: Vec<Link>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A medication with a resource of its own.
#[derive(Debug, Clone, Default)]
pub struct Drug {
    /// What it is.
    pub code: Concept,
    /// Who made it.
    pub manufacturer: Option<Link>,
    /// Its lot.
    pub lot: Option<String>,
}

/// How a medication is taken.
#[derive(Debug, Clone, Default)]
pub struct Dosage {
    /// In words.
    pub text: Option<String>,
    /// In words for the patient.
    pub patient_instruction: Option<String>,
    /// Further instructions.
    pub additional: Vec<Concept>,
    /// When.
    pub timing: Timing,
    /// Only when needed.
    pub is_as_needed: bool,
    /// Needed for what.
    pub as_needed_for: Vec<Concept>,
    /// By which way.
    pub route: Option<Concept>,
    /// Where on the body.
    pub site: Option<Concept>,
    /// By which method.
    pub method: Option<Concept>,
    /// How much at a time.
    pub dose: Option<Quantity>,
    /// From how much to how much at a time.
    pub dose_range: Option<(Option<Quantity>, Option<Quantity>)>,
    /// How fast.
    pub rate: Option<Quantity>,
    /// How fast, as one amount to another.
    pub rate_ratio: Option<(Quantity, Quantity)>,
    /// At most so much in so long.
    pub max: Option<(Quantity, Quantity)>,
}

/// When something is repeated.
#[derive(Debug, Clone, Default)]
pub struct Timing {
    /// `BID` and the like.
    pub code: Option<Concept>,
    /// From and until.
    pub bounds: Period,
    /// For how long.
    pub duration: Option<Quantity>,
    /// How often in a period.
    pub frequency: Option<String>,
    /// The period.
    pub period: Option<String>,
    /// The longest period, if it varies.
    pub period_max: Option<String>,
    /// Its unit, UCUM: `h`, `d`.
    pub period_unit: Option<String>,
    /// Events of the day: `HS`, `AC`.
    pub when: Vec<String>,
    /// Minutes from the event.
    pub offset_minutes: Option<String>,
    /// At these moments.
    pub events: Vec<Moment>,
}

/// What is to be dispensed.
#[derive(Debug, Clone, Default)]
pub struct Supply {
    /// How much each time.
    pub quantity: Option<Quantity>,
    /// How often again.
    pub repeats: Option<String>,
    /// For how long it should last.
    pub duration: Option<Quantity>,
    /// When the order may be used.
    pub validity: Period,
}

/// A single administration.
#[derive(Debug, Clone, Default)]
pub struct Administration {
    /// Where it comes from.
    pub origin: Origin,
    /// `completed`, `in-progress`, `not-done` and so on.
    pub status: Option<String>,
    /// Whether it was not given.
    pub is_not_done: bool,
    /// What.
    pub code: Concept,
    /// What, by reference.
    pub drug: Option<Link>,
    /// When.
    pub effective: Period,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// The order.
    pub request: Option<Link>,
    /// How.
    pub dosage: Option<Dosage>,
    /// Who took part.
    pub performers: Vec<Role>,
    /// Why.
    pub reasons: Vec<Concept>,
    /// Why: by reference.
    pub reason_links: Vec<Link>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// What was dispensed.
#[derive(Debug, Clone, Default)]
pub struct Dispense {
    /// Where it comes from.
    pub origin: Origin,
    /// `completed`, `in-progress`, `stopped` and so on.
    pub status: Option<String>,
    /// What.
    pub code: Concept,
    /// What, by reference.
    pub drug: Option<Link>,
    /// The orders.
    pub requests: Vec<Link>,
    /// First fill, refill and so on.
    pub kind: Option<Concept>,
    /// How much.
    pub quantity: Option<Quantity>,
    /// For how long it should last.
    pub days: Option<Quantity>,
    /// When it was handed over, or prepared.
    pub when: Option<Moment>,
    /// Who took part.
    pub performers: Vec<Role>,
    /// How it is to be taken.
    pub dosages: Vec<Dosage>,
    /// Remarks.
    pub notes: Vec<String>,
}
