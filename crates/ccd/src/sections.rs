//! The sections, one file each, in the order of the document.

mod allergies;
mod assessment;
mod care_teams;
mod devices;
mod directives;
mod encounters;
mod entries;
mod family_history;
mod goals;
mod health_concerns;
mod immunizations;
mod interventions;
mod medications;
mod notes;
mod nutrition;
mod payers;
mod plan;
mod problems;
mod procedures;
mod referrals;
mod results;
mod scale;
mod social_history;
mod status;
mod value;
mod vital_signs;

use crate::{context::Context, section::Pieces};

/// Writes a section, if there is one.
type Write = fn(&Context<'_>) -> Option<Pieces>;

/// All sections in the order of the document.
pub(crate) const ALL: &[Write] = &[
    allergies::section,
    medications::section,
    problems::section,
    results::section,
    vital_signs::section,
    social_history::section,
    procedures::section,
    immunizations::section,
    encounters::section,
    assessment::section,
    plan::section,
    referrals::section,
    interventions::section,
    goals::section,
    health_concerns::section,
    status::functional,
    status::mental,
    nutrition::section,
    devices::section,
    family_history::section,
    directives::section,
    payers::section,
    care_teams::section,
    notes::section,
];
