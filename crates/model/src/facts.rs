//! What a record says about one patient, in no FHIR version: what a clinical document is made from.
//!
//! Nothing is interpreted here. Codings, quantities and times are as they were given; what refers to something
//! else is a [`Link`], which [`Facts::key`] follows. A fact without a value has none: nothing is made up.

mod care;
mod clinical;
mod medication;
mod moment;
mod observation;
mod patient;
mod value;

use std::{collections::HashMap, sync::Arc};

pub use care::{
    Activity, Appointment, Assessment, CarePlan, CareTeam, Content, Coverage, Device, Directive,
    DueImmunization, Encounter, Goal, Member, Note, Order, Provenance, Relative, RelativeCondition,
};
pub use clinical::{Absence, Allergy, Condition, Immunization, Procedure, Reaction, Role};
pub use medication::{Administration, Dispense, Dosage, Drug, Medication, MedicationKind, Supply, Timing};
pub use moment::{InvalidMoment, Moment};
pub use observation::{Measure, Observation, Range, Report, Specimen};
pub use patient::{Address, Name, Party, PartyKind, Patient, Place, Telecom};
pub use value::{Coding, Concept, Identifier, Link, Onset, Origin, Period, Quantity, Value};

/// What is known of one patient.
#[derive(Debug, Default)]
pub struct Facts {
    /// Whose facts these are.
    pub patient: Option<Patient>,
    /// People, organizations and devices that others name, by key.
    pub parties: HashMap<String, Party>,
    /// Locations, by key.
    pub places: HashMap<String, Place>,
    /// Medications that have a resource of their own, by key.
    pub drugs: HashMap<String, Drug>,
    /// Specimens, by key.
    pub specimens: HashMap<String, Specimen>,
    /// Content that notes name, by key.
    pub contents: HashMap<String, Content>,
    /// Other names of keys: full URLs, and `Type?identifier=system|value`.
    pub aliases: HashMap<String, String>,
    /// Allergies and intolerances.
    pub allergies: Vec<Allergy>,
    /// Problems, diagnoses and health concerns.
    pub conditions: Vec<Condition>,
    /// Orders and statements of medication.
    pub medications: Vec<Medication>,
    /// Single administrations.
    pub administrations: Vec<Administration>,
    /// What was dispensed.
    pub dispenses: Vec<Dispense>,
    /// Measurements, findings, answers.
    pub observations: Vec<Observation>,
    /// Diagnostic reports.
    pub reports: Vec<Report>,
    /// Immunizations, given or not.
    pub immunizations: Vec<Immunization>,
    /// Procedures done, or not done.
    pub procedures: Vec<Procedure>,
    /// Encounters.
    pub encounters: Vec<Encounter>,
    /// Care plans.
    pub plans: Vec<CarePlan>,
    /// What was ordered, medication aside.
    pub orders: Vec<Order>,
    /// What clinicians make of it.
    pub assessments: Vec<Assessment>,
    /// Immunizations that are recommended.
    pub due_immunizations: Vec<DueImmunization>,
    /// Appointments.
    pub appointments: Vec<Appointment>,
    /// Goals.
    pub goals: Vec<Goal>,
    /// Care teams.
    pub care_teams: Vec<CareTeam>,
    /// Devices that are the patient's.
    pub devices: Vec<Device>,
    /// Insurance.
    pub coverages: Vec<Coverage>,
    /// The family's history.
    pub relatives: Vec<Relative>,
    /// Advance directives.
    pub directives: Vec<Directive>,
    /// Clinical notes.
    pub notes: Vec<Note>,
    /// What was said not to be.
    pub absences: Vec<Absence>,
    /// Who recorded what, by the key of the target; one often has thousands of targets.
    pub provenances: HashMap<String, Arc<Provenance>>,
    /// The topics of which something was withheld from the reader.
    pub withheld: Vec<Topic>,
    /// The strictest confidentiality of what is here.
    pub confidentiality: Confidentiality,
}

/// What a part of a record is about; a document has a section for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Topic {
    Allergies,
    Problems,
    Medications,
    Results,
    SocialHistory,
    VitalSigns,
    Procedures,
    Plan,
    Immunizations,
    Encounters,
    FamilyHistory,
    FunctionalStatus,
    MentalStatus,
    Devices,
    Directives,
    Payers,
    Goals,
    HealthConcerns,
    CareTeams,
    Notes,
    Assessments,
    Nutrition,
    Referrals,
    Interventions,
}

/// How confidential something is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Confidentiality {
    /// As patient data usually is.
    #[default]
    Normal,
    /// More than that.
    Restricted,
    /// As much as can be.
    VeryRestricted,
}

impl Facts {
    /// The key that `link` leads to, if what it names is among the facts or may be.
    #[must_use]
    pub fn key<'a>(&'a self, link: &'a Link) -> Option<&'a str> {
        let target = link.target.as_deref()?;
        Some(self.aliases.get(target).map_or(target, String::as_str))
    }

    /// The party that `link` names.
    #[must_use]
    pub fn party(&self, link: &Link) -> Option<&Party> {
        self.parties.get(self.key(link)?)
    }

    /// Whether something about `topic` was withheld.
    #[must_use]
    pub fn is_withheld(&self, topic: Topic) -> bool {
        self.withheld.contains(&topic)
    }
}
