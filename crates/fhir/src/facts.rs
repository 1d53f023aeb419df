//! Reads the resources of one patient into [`Facts`], which know no FHIR version.
//!
//! What differs between DSTU2, STU3, R4, R4B and R5 is mostly where something stands and what it is called; the
//! names of all versions are asked for, since none of them means something else in another. What was entered in
//! error is left out, and so is what is about another patient.

mod care;
mod clinical;
mod documents;
mod links;
mod medication;
mod observation;
mod parties;
mod patient;
mod plans;
mod read;
mod topic;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use charta_model::facts::{Confidentiality, Facts, Topic};

use crate::Node;

use read::At;
pub use topic::topic_of;

/// The types that say something here and are about a patient, by the names of all versions.
pub const ABOUT_PATIENT: [&str; 40] = [
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "CareTeam",
    "ClinicalImpression",
    "Composition",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DeviceRequest",
    "DeviceUsage",
    "DeviceUseRequest",
    "DeviceUseStatement",
    "DiagnosticOrder",
    "DiagnosticReport",
    "DiagnosticRequest",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "Goal",
    "Immunization",
    "ImmunizationRecommendation",
    "List",
    "Media",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationOrder",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationUsage",
    "NutritionOrder",
    "Observation",
    "Procedure",
    "ProcedureRequest",
    "Provenance",
    "ReferralRequest",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
];

/// The types that say something here because a record names them.
pub const NAMED: [&str; 5] = ["Location", "Medication", "Organization", "Practitioner", "PractitionerRole"];

/// Gathers the resources of one patient.
#[derive(Debug, Default)]
pub struct FactsBuilder {
    facts: Facts,
    /// What was added already: the same resource twice is one fact.
    known: HashSet<String>,
}

/// The facts about `patient` among `resources`, which may name each other.
pub fn read<'n>(patient: &Node, resources: impl IntoIterator<Item = &'n Node>) -> Facts {
    let mut builder = FactsBuilder::new();
    builder.add(patient);
    for resource in resources {
        builder.add(resource);
    }
    builder.finish()
}

impl FactsBuilder {
    /// Nothing known yet. The patient has to be added first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what `resource` says. Types that no document tells of say nothing.
    pub fn add(&mut self, resource: &Node) {
        let Some(key) = links::key_of(resource) else { return };
        if !self.known.insert(key.clone()) {
            return;
        }
        self.add_contained(resource, &key);
        let at = At::new(resource, &key, self.known.len());
        if at.is_in_error() || self.is_of_another(at) {
            return;
        }
        self.facts.confidentiality = self.facts.confidentiality.max(confidentiality(at));
        self.add_known(at);
    }

    /// Adds `resource`, which others may name by `url` as well.
    pub fn add_named(&mut self, url: &str, resource: &Node) {
        if let Some(key) = links::key_of(resource) {
            self.facts.aliases.insert(url.to_owned(), key);
        }
        self.add(resource);
    }

    /// Notes that `resource` is kept from the reader; of what it says nothing is taken.
    pub fn withhold(&mut self, resource: &Node) {
        let topics = topic_of(resource);
        let new: Vec<Topic> =
            topics.into_iter().filter(|topic| !self.facts.withheld.contains(topic)).collect();
        self.facts.withheld.extend(new);
    }

    /// The bytes, in base64, of the Binary with this id.
    pub fn add_content(&mut self, id: &str, media_type: &str, base64: String) {
        let content = charta_model::facts::Content {
            media_type: Some(media_type.to_owned()),
            base64: Some(base64),
            ..Default::default()
        };
        self.facts.contents.insert(format!("Binary/{id}"), content);
    }

    /// What was gathered.
    #[must_use]
    pub fn finish(mut self) -> Facts {
        parties::join_roles(&mut self.facts);
        self.facts
    }

    fn add_contained(&mut self, resource: &Node, owner: &str) {
        for inner in resource.items_at("contained") {
            let Some(id) = inner.text_at("id") else { continue };
            let key = format!("{owner}#{id}");
            let at = At::new(inner, &key, self.known.len());
            match inner.text_at("resourceType").unwrap_or_default() {
                "Practitioner" | "PractitionerRole" | "Organization" | "RelatedPerson" | "Location"
                | "Medication" | "Specimen" | "Device" | "Binary" => self.add_known(at),
                // An order or a condition in another resource is no fact by itself.
                _ => {}
            }
        }
    }

    fn add_known(&mut self, at: At<'_>) {
        let facts = &mut self.facts;
        match at.text("resourceType").as_deref().unwrap_or_default() {
            "Patient" if facts.patient.is_none() => facts.patient = Some(patient::patient(at)),
            "Practitioner" | "PractitionerRole" | "Organization" | "RelatedPerson" => parties::add(facts, at),
            "Location" => parties::add_place(facts, at),
            "Device" => care::device(facts, at),
            "DeviceUseStatement" | "DeviceUsage" => care::device_use(facts, at),
            "AllergyIntolerance" => clinical::allergy(facts, at),
            "Condition" => clinical::condition(facts, at),
            "Immunization" => facts.immunizations.push(clinical::immunization(at)),
            "Procedure" => facts.procedures.push(clinical::procedure(at)),
            "List" => clinical::list(facts, at),
            "Composition" => clinical::composition(facts, at),
            "Medication" => {
                facts.drugs.insert(at.owner().to_owned(), medication::drug(at));
            }
            "MedicationRequest"
            | "MedicationOrder"
            | "MedicationPrescription"
            | "MedicationStatement"
            | "MedicationUsage" => medication::medication(facts, at),
            "MedicationAdministration" => facts.administrations.push(medication::administration(at)),
            "MedicationDispense" => facts.dispenses.push(medication::dispense(at)),
            "Observation" => facts.observations.push(observation::observation(at)),
            "DiagnosticReport" => facts.reports.push(observation::report(at)),
            "Specimen" => {
                facts.specimens.insert(at.owner().to_owned(), observation::specimen(at));
            }
            "Encounter" => facts.encounters.push(care::encounter(at)),
            "CareTeam" => facts.care_teams.push(care::care_team(at)),
            "Coverage" => facts.coverages.push(care::coverage(at)),
            "FamilyMemberHistory" => facts.relatives.push(care::relative(at)),
            "CarePlan" => plans::care_plan(facts, at),
            "ClinicalImpression" => facts.assessments.push(plans::assessment(at)),
            "ImmunizationRecommendation" => facts.due_immunizations.extend(plans::due_immunizations(at)),
            "Goal" => facts.goals.push(plans::goal(at)),
            "ServiceRequest" | "ProcedureRequest" | "DiagnosticOrder" | "DiagnosticRequest"
            | "ReferralRequest" | "NutritionOrder" | "DeviceRequest" | "DeviceUseRequest" => {
                plans::order(facts, at)
            }
            "Appointment" => facts.appointments.push(plans::appointment(at)),
            "DocumentReference" => documents::document(facts, at),
            "Consent" => documents::consent(facts, at),
            "Binary" => {
                facts.contents.insert(at.owner().to_owned(), documents::binary(at));
            }
            "Media" => {
                facts.contents.insert(at.owner().to_owned(), documents::content(at.at("content")));
            }
            "Provenance" => documents::provenance(facts, at),
            _ => {}
        }
    }

    /// Whether the resource says that it is about a patient who is not this one.
    fn is_of_another(&self, at: At<'_>) -> bool {
        let Some(patient) = &self.facts.patient else { return false };
        let link = ["subject", "patient", "beneficiary"].iter().find_map(|name| at.link(name));
        let Some(link) = link else { return false };
        match self.facts.key(&link) {
            Some(key) => key.starts_with("Patient/") && key != patient.origin.key,
            None => false,
        }
    }
}

/// The strictest of the confidentiality labels.
fn confidentiality(at: At<'_>) -> Confidentiality {
    let labels = at.at("meta").list("security").filter_map(|label| label.text("code"));
    labels
        .map(|code| match code.as_str() {
            "R" => Confidentiality::Restricted,
            "V" => Confidentiality::VeryRestricted,
            _ => Confidentiality::Normal,
        })
        .max()
        .unwrap_or_default()
}
