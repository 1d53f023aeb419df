//! What a resource is about, without what it says.

use charta_model::facts::Topic;

use super::read::At;
use crate::Node;

/// The topics that a resource belongs to; none, if no document tells of its type.
#[must_use]
pub fn topic_of(resource: &Node) -> Vec<Topic> {
    let at = At::new(resource, "", 0);
    match at.text("resourceType").as_deref().unwrap_or_default() {
        "AllergyIntolerance" => vec![Topic::Allergies],
        "Condition" => {
            let categories = at.concepts("category");
            let concern = categories.iter().any(|category| category.has("health-concern"));
            vec![if concern { Topic::HealthConcerns } else { Topic::Problems }]
        }
        "MedicationRequest"
        | "MedicationOrder"
        | "MedicationStatement"
        | "MedicationUsage"
        | "MedicationAdministration"
        | "MedicationDispense" => vec![Topic::Medications],
        "Observation" => {
            let categories = at.concepts("category");
            let is = |code: &str| categories.iter().any(|category| category.has(code));
            vec![if is("vital-signs") {
                Topic::VitalSigns
            } else if is("social-history") || is("sdoh") || is("survey") {
                Topic::SocialHistory
            } else {
                Topic::Results
            }]
        }
        "DiagnosticReport" => vec![Topic::Results],
        "Immunization" => vec![Topic::Immunizations],
        "Procedure" => vec![Topic::Procedures],
        "Encounter" => vec![Topic::Encounters],
        "ClinicalImpression" => vec![Topic::Assessments],
        "ReferralRequest" => vec![Topic::Plan, Topic::Referrals],
        "CarePlan"
        | "ServiceRequest"
        | "ProcedureRequest"
        | "DiagnosticOrder"
        | "Appointment"
        | "NutritionOrder"
        | "ImmunizationRecommendation" => vec![Topic::Plan],
        "Goal" => vec![Topic::Goals],
        "CareTeam" => vec![Topic::CareTeams],
        "Device" => vec![Topic::Devices],
        "Coverage" => vec![Topic::Payers],
        "FamilyMemberHistory" => vec![Topic::FamilyHistory],
        "Consent" => vec![Topic::Directives],
        "DocumentReference" => vec![Topic::Notes],
        _ => Vec::new(),
    }
}
