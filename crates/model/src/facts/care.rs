//! Encounters, plans, goals, teams, insurance, family, directives, notes, devices.

use super::{Coding, Concept, Identifier, Link, Moment, Onset, Origin, Period, Role, Value};

/// An encounter.
#[derive(Debug, Clone, Default)]
pub struct Encounter {
    /// Where it comes from.
    pub origin: Origin,
    /// `finished`, `in-progress`, `planned` and so on.
    pub status: Option<String>,
    /// Ambulatory, inpatient and so on.
    pub class: Option<Concept>,
    /// What kind of encounter.
    pub kinds: Vec<Concept>,
    /// From when until when.
    pub period: Period,
    /// Who took part.
    pub performers: Vec<Role>,
    /// Where.
    pub places: Vec<Link>,
    /// By which organization.
    pub provider: Option<Link>,
    /// Why.
    pub reasons: Vec<Concept>,
    /// Why: by reference.
    pub reason_links: Vec<Link>,
    /// What was diagnosed.
    pub diagnoses: Vec<Link>,
    /// Where the patient went afterwards.
    pub discharge: Option<Concept>,
}

/// A care plan.
#[derive(Debug, Clone, Default)]
pub struct CarePlan {
    /// Where it comes from.
    pub origin: Origin,
    /// `active` and so on.
    pub status: Option<String>,
    /// `plan`, `order` and so on.
    pub intent: Option<String>,
    /// What kind of plan.
    pub categories: Vec<Concept>,
    /// Its title.
    pub title: Option<String>,
    /// What it says, in words.
    pub description: Option<String>,
    /// Its narrative, as XHTML.
    pub narrative: Option<String>,
    /// From and until.
    pub period: Period,
    /// By whom.
    pub author: Option<Link>,
    /// When it was made.
    pub created: Option<Moment>,
    /// For which conditions.
    pub addresses: Vec<Link>,
    /// What is to be done.
    pub activities: Vec<Activity>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A step of a care plan.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// What.
    pub code: Concept,
    /// `in-progress`, `completed` and so on.
    pub status: Option<String>,
    /// In words.
    pub description: Option<String>,
    /// When.
    pub scheduled: Period,
    /// Where.
    pub place: Option<Link>,
    /// What came of it.
    pub outcomes: Vec<Concept>,
    /// For which goals.
    pub goals: Vec<Link>,
}

/// What a clinician makes of what was found.
#[derive(Debug, Clone, Default)]
pub struct Assessment {
    /// Where it comes from.
    pub origin: Origin,
    /// What kind of assessment.
    pub code: Option<Concept>,
    /// Why and how it was made, in words.
    pub description: Option<String>,
    /// What it comes to, in words.
    pub summary: Option<String>,
    /// The time that it is about.
    pub period: Period,
    /// When it was made.
    pub made: Option<Moment>,
    /// By whom.
    pub author: Option<Link>,
    /// In which encounter.
    pub encounter: Option<Link>,
    /// What was found.
    pub findings: Vec<Concept>,
    /// What was found: by reference.
    pub finding_links: Vec<Link>,
    /// What is to be expected.
    pub prognoses: Vec<Concept>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// What somebody ordered, medication aside.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Where it comes from.
    pub origin: Origin,
    /// `active`, `completed` and so on.
    pub status: Option<String>,
    /// `order`, `plan`, `proposal` and so on.
    pub intent: Option<String>,
    /// What kinds.
    pub categories: Vec<Concept>,
    /// What.
    pub code: Concept,
    /// More exactly.
    pub details: Vec<Concept>,
    /// Whether it is not to be done.
    pub is_not_to_do: bool,
    /// Whether it asks somebody else to see the patient.
    pub is_referral: bool,
    /// Who is to do it.
    pub recipients: Vec<Link>,
    /// When it is to be done.
    pub occurrence: Period,
    /// When it was ordered.
    pub authored: Option<Moment>,
    /// By whom.
    pub author: Option<Link>,
    /// Why.
    pub reasons: Vec<Concept>,
    /// Why: by reference.
    pub reason_links: Vec<Link>,
    /// Whether it asks for a thing: an aid, an appliance.
    pub is_supply: bool,
    /// How many of it.
    pub quantity: Option<String>,
    /// In words for the patient.
    pub patient_instruction: Option<String>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// An immunization that somebody, or a schedule, recommends.
#[derive(Debug, Clone, Default)]
pub struct DueImmunization {
    /// Where it comes from.
    pub origin: Origin,
    /// The how manieth recommendation of its resource it is.
    pub number: usize,
    /// With what; the first is the one that is meant, the others will do.
    pub vaccines: Vec<Concept>,
    /// Against what.
    pub diseases: Vec<Concept>,
    /// When it is due.
    pub due: Option<Moment>,
    /// Due, overdue and so on.
    pub status: Option<Concept>,
    /// Why.
    pub reasons: Vec<Concept>,
    /// In words.
    pub description: Option<String>,
    /// When it was recommended.
    pub made: Option<Moment>,
    /// By whom.
    pub author: Option<Link>,
}

/// An appointment.
#[derive(Debug, Clone, Default)]
pub struct Appointment {
    /// Where it comes from.
    pub origin: Origin,
    /// `booked`, `cancelled` and so on.
    pub status: Option<String>,
    /// What for.
    pub kinds: Vec<Concept>,
    /// In words.
    pub description: Option<String>,
    /// When.
    pub period: Period,
    /// Who takes part.
    pub performers: Vec<Role>,
    /// Why.
    pub reasons: Vec<Concept>,
}

/// A goal.
#[derive(Debug, Clone, Default)]
pub struct Goal {
    /// Where it comes from.
    pub origin: Origin,
    /// `active`, `cancelled` and so on.
    pub status: Option<String>,
    /// What is aimed at.
    pub description: Concept,
    /// Since when.
    pub start: Option<Moment>,
    /// Until when.
    pub due: Option<Moment>,
    /// What is measured.
    pub measure: Option<Concept>,
    /// Which value is aimed at.
    pub target: Option<Value>,
    /// Who wants it.
    pub author: Option<Link>,
    /// When it was said.
    pub said: Option<Moment>,
    /// For which conditions.
    pub addresses: Vec<Link>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A care team.
#[derive(Debug, Clone, Default)]
pub struct CareTeam {
    /// Where it comes from.
    pub origin: Origin,
    /// `active` and so on.
    pub status: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What kind of team.
    pub categories: Vec<Concept>,
    /// From and until.
    pub period: Period,
    /// Why there is one.
    pub reasons: Vec<Concept>,
    /// Who belongs to it.
    pub members: Vec<Member>,
    /// Which organization answers for it.
    pub organization: Option<Link>,
}

/// Who belongs to a care team.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// Who.
    pub party: Link,
    /// As what.
    pub roles: Vec<Concept>,
    /// From and until.
    pub period: Period,
}

/// A device that is the patient's.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// Where it comes from.
    pub origin: Origin,
    /// `active` and so on.
    pub status: Option<String>,
    /// What it is.
    pub kind: Option<Concept>,
    /// Its name.
    pub name: Option<String>,
    /// The whole unique device identifier, as it is printed.
    pub udi: Option<String>,
    /// The device identifier of it.
    pub device_identifier: Option<String>,
    /// Who issues the identifier: a URI.
    pub issuer: Option<String>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The lot.
    pub lot: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The identification of a human tissue.
    pub distinct: Option<String>,
    /// When it was made.
    pub made: Option<Moment>,
    /// When it expires.
    pub expires: Option<Moment>,
    /// When it came into use, as far as a statement of use says.
    pub used: Period,
    /// Remarks.
    pub notes: Vec<String>,
}

/// Insurance.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Where it comes from.
    pub origin: Origin,
    /// `active` and so on.
    pub status: Option<String>,
    /// What kind.
    pub kind: Option<Concept>,
    /// Who pays.
    pub payer: Option<Link>,
    /// The person, or whoever else, who pays what insurance does not.
    pub guarantor: Option<Link>,
    /// The member.
    pub member_id: Option<String>,
    /// What the patient is to the subscriber.
    pub relationship: Option<Concept>,
    /// Who signed.
    pub subscriber: Option<Link>,
    /// Who holds the policy.
    pub holder: Option<Link>,
    /// From and until.
    pub period: Period,
    /// Group, plan and so on: kind, value, name.
    pub classes: Vec<(Concept, Option<String>, Option<String>)>,
}

/// A relative and what they had.
#[derive(Debug, Clone, Default)]
pub struct Relative {
    /// Where it comes from.
    pub origin: Origin,
    /// What they are to the patient.
    pub relationship: Concept,
    /// Their name.
    pub name: Option<String>,
    /// `male`, `female`.
    pub gender: Option<String>,
    /// When they were born.
    pub born: Option<Moment>,
    /// Whether they have died.
    pub is_deceased: Option<bool>,
    /// When, or at which age.
    pub deceased: Option<Onset>,
    /// When this was said.
    pub said: Option<Moment>,
    /// By whom.
    pub author: Option<Link>,
    /// What they had.
    pub conditions: Vec<RelativeCondition>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// What a relative had.
#[derive(Debug, Clone, Default)]
pub struct RelativeCondition {
    /// What.
    pub code: Concept,
    /// When or at which age.
    pub onset: Option<Onset>,
    /// What came of it.
    pub outcome: Option<Concept>,
    /// Whether they died of it.
    pub is_cause_of_death: bool,
}

/// An advance directive.
#[derive(Debug, Clone, Default)]
pub struct Directive {
    /// Where it comes from.
    pub origin: Origin,
    /// What it is about.
    pub kind: Concept,
    /// What it says.
    pub value: Option<Concept>,
    /// From and until.
    pub period: Period,
    /// Who verified it, and when.
    pub verifiers: Vec<(Link, Option<Moment>)>,
    /// Who keeps it.
    pub custodian: Option<Link>,
    /// Who wrote it down.
    pub author: Option<Link>,
    /// When.
    pub said: Option<Moment>,
    /// The documents that say it.
    pub contents: Vec<Content>,
}

/// A clinical note.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// Where it comes from.
    pub origin: Origin,
    /// What kind of note.
    pub kind: Concept,
    /// What kinds more.
    pub categories: Vec<Concept>,
    /// What it is called.
    pub title: Option<String>,
    /// When it was written.
    pub written: Option<Moment>,
    /// What time it is about.
    pub period: Period,
    /// By whom.
    pub authors: Vec<Link>,
    /// In which encounters.
    pub encounters: Vec<Link>,
    /// What it says.
    pub contents: Vec<Content>,
}

/// The content of a note or a report.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Its media type.
    pub media_type: Option<String>,
    /// The bytes in base64.
    pub base64: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// What it is called.
    pub title: Option<String>,
}

/// Who recorded something.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// When.
    pub recorded: Option<Moment>,
    /// Who wrote it.
    pub author: Option<Link>,
    /// For whom.
    pub organization: Option<Link>,
    /// By which code the author is one.
    pub kind: Option<Coding>,
    /// Identifiers of the act.
    pub identifiers: Vec<Identifier>,
}
