//! Small records of patients, to make documents of.

use serde_json::{Value, json};

use crate::app::TestApp;

/// The record of one patient.
pub struct Record {
    id: String,
}

impl Record {
    /// Of the patient with this id.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned() }
    }

    /// Stores the patient.
    pub async fn patient(&self, app: &TestApp, base: &str) {
        let patient = json!({"resourceType": "Patient", "id": self.id, "gender": "female",
            "birthDate": "1975-05-01", "name": [{"family": "Betterhalf", "given": ["Eve"]}]});
        put(app, base, &patient).await;
    }

    /// Stores a laboratory result of this name and day.
    pub async fn result(&self, app: &TestApp, base: &str, name: &str, day: &str) {
        put(app, base, &self.observation(name, day)).await;
    }

    /// Stores a laboratory result of this name that belongs to an encounter.
    pub async fn result_of(&self, app: &TestApp, base: &str, name: &str, encounter: &str) {
        let mut observation = self.observation(name, "2015-03-04");
        observation["encounter"] = json!({"reference": format!("Encounter/{encounter}")});
        put(app, base, &observation).await;
    }

    /// Stores an encounter.
    pub async fn encounter(&self, app: &TestApp, base: &str, id: &str) {
        let encounter = json!({"resourceType": "Encounter", "id": id, "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": self.reference(), "period": {"start": "2015-03-04", "end": "2015-03-04"}});
        put(app, base, &encounter).await;
    }

    /// A laboratory result, in R4.
    pub fn observation(&self, name: &str, day: &str) -> Value {
        let id = format!("{}-{}", self.id, name.replace(' ', "-"));
        json!({"resourceType": "Observation", "id": id, "status": "final", "subject": self.reference(),
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                "code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "2951-2", "display": name}], "text": name},
            "effectiveDateTime": format!("{day}T10:00:00Z"),
            "valueQuantity": {"value": 140, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}})
    }

    fn reference(&self) -> Value {
        json!({"reference": format!("Patient/{}", self.id)})
    }
}

/// Stores a resource under its own id.
pub async fn put(app: &TestApp, base: &str, resource: &Value) {
    let (kind, id) = (resource["resourceType"].as_str(), resource["id"].as_str());
    let path = format!("{base}/{}/{}", kind.expect("a type"), id.expect("an id"));
    app.put(&path, "application/fhir+json", resource.to_string()).await;
}
