//! The documents of `--demo`: synthetic, with ids in the forms of the source systems.

use std::collections::HashMap;

use charta_auth::Grant;
use charta_fhir::{Format, Node, Version, resource};
use charta_model::{
    Intent, InvalidId, Label, Labels, MediaType, NewContent, NewState, Reference, ResourceId, ResourceType,
    TenantId, Write,
};
use charta_service::Service;
use charta_store::Store;
use serde::Deserialize;

use super::Failure;
use crate::{clock, intake::Intake};

/// Marks test data, as FHIR has it.
const TEST_DATA_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

const MANIFEST: &str = include_str!("../../../../testdata/demo/manifest.json");

const RECORD: &str = include_str!("../../../../testdata/demo/record.json");

const FILES: &[(&str, &[u8])] = &[
    file("arztbrief.html", include_bytes!("../../../../testdata/demo/arztbrief.html")),
    file("ccd.xml", include_bytes!("../../../../testdata/demo/ccd.xml")),
    file("clinic-letter.pdf", include_bytes!("../../../../testdata/demo/clinic-letter.pdf")),
    file("colonoscopy.rtf", include_bytes!("../../../../testdata/demo/colonoscopy.rtf")),
    file("ct-chest.html", include_bytes!("../../../../testdata/demo/ct-chest.html")),
    file("ct-chest.pdf", include_bytes!("../../../../testdata/demo/ct-chest.pdf")),
    file("discharge-summary.html", include_bytes!("../../../../testdata/demo/discharge-summary.html")),
    file("discharge-summary.pdf", include_bytes!("../../../../testdata/demo/discharge-summary.pdf")),
    file("ecg.png", include_bytes!("../../../../testdata/demo/ecg.png")),
    file("lab-values.csv", include_bytes!("../../../../testdata/demo/lab-values.csv")),
    file("message.html", include_bytes!("../../../../testdata/demo/message.html")),
    file("monitor-settings.json", include_bytes!("../../../../testdata/demo/monitor-settings.json")),
    file("pathology-polyp.html", include_bytes!("../../../../testdata/demo/pathology-polyp.html")),
    file("patient-summary.fhir.json", include_bytes!("../../../../testdata/demo/patient-summary.fhir.json")),
    file("phone-note.txt", include_bytes!("../../../../testdata/demo/phone-note.txt")),
    file("progress-note.xhtml", include_bytes!("../../../../testdata/demo/progress-note.xhtml")),
    file("progress-note.xml", include_bytes!("../../../../testdata/demo/progress-note.xml")),
    file("referral-fax.tiff", include_bytes!("../../../../testdata/demo/referral-fax.tiff")),
    file("skin-photo.jpg", include_bytes!("../../../../testdata/demo/skin-photo.jpg")),
    file("unstructured-cda.xml", include_bytes!("../../../../testdata/demo/unstructured-cda.xml")),
];

const fn file(name: &'static str, bytes: &'static [u8]) -> (&'static str, &'static [u8]) {
    (name, bytes)
}

/// One document of the manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// The id of its Binary.
    pub id: String,
    file: String,
    content_type: String,
    security_context: Option<String>,
    /// What a person calls it.
    pub title: String,
}

/// What the demo has.
pub fn documents() -> Vec<Demo> {
    serde_json::from_str(MANIFEST).expect("the manifest is part of the program; a test reads it")
}

/// Puts the documents, and the record around them, into every tenant that lacks them. What is there already
/// stays as it is.
pub async fn fill(store: &Store, tenants: &[TenantId]) -> Result<(), Failure> {
    for demo in documents() {
        let id = ResourceId::new(&demo.id).map_err(|error: InvalidId| Failure(error.to_string()))?;
        for tenant in tenants {
            if store.current(tenant, &ResourceType::BINARY, &id).await?.is_none() {
                put(store, tenant, &id, &demo).await?;
            }
        }
    }
    let service = Service::new(store.clone());
    for resource in record() {
        for tenant in tenants {
            put_record(&service, store, tenant, resource.clone()).await?;
        }
    }
    Ok(())
}

/// The resources around the documents, in R4.
fn record() -> Vec<Node> {
    let bundle = resource::read(RECORD.as_bytes(), Format::Json, Version::R4);
    let bundle = bundle.expect("the record is part of the program; a test reads it");
    bundle.items_at("entry").iter().filter_map(|entry| entry.member("resource").cloned()).collect()
}

async fn put_record(
    service: &Service,
    store: &Store,
    tenant: &TenantId,
    resource: Node,
) -> Result<(), Failure> {
    let kind = ResourceType::new(resource.text_at("resourceType").unwrap_or_default())?;
    let id = ResourceId::new(resource.text_at("id").unwrap_or_default())
        .map_err(|error: InvalidId| Failure(error.to_string()))?;
    if store.current(tenant, &kind, &id).await?.is_some() {
        return Ok(());
    }
    let intake = Intake {
        service,
        tenant,
        grant: &Grant::of_operator(),
        version: Version::R4,
        document_bytes_max: u64::MAX,
        now: clock::now(),
        local: &|_| None,
        beside: &HashMap::new(),
    };
    let prepared = intake.prepare(resource, &id).await?;
    let (intent, state) = (Intent::Update { id }, Some(prepared.state));
    let write = Write { kind, intent, if_match: None, if_none_match: None, state };
    store.commit(tenant, write, None, clock::now()).await?;
    Ok(())
}

async fn put(store: &Store, tenant: &TenantId, id: &ResourceId, demo: &Demo) -> Result<(), Failure> {
    let (_, bytes) = FILES
        .iter()
        .find(|(name, _)| *name == demo.file)
        .ok_or_else(|| Failure(format!("the demo lacks {}", demo.file)))?;
    let mut upload = store.upload();
    upload.write(bytes::Bytes::from_static(bytes)).await?;
    let content = upload.finish().await?;
    let test_data = Label {
        system: Some(TEST_DATA_SYSTEM.to_owned()),
        code: Some("HTEST".to_owned()),
        display: Some("test health data".to_owned()),
        ..Label::default()
    };
    let state = NewState {
        content: Some(NewContent {
            content_type: MediaType::new(&demo.content_type)?,
            security_context: demo.security_context.as_deref().map(Reference::new).transpose()?,
        }),
        labels: Labels { security: vec![test_data], ..Labels::default() },
        ..NewState::default()
    };
    let intent = Intent::Update { id: id.clone() };
    let kind = ResourceType::BINARY;
    let write = Write { kind, intent, if_match: None, if_none_match: None, state: Some(state) };
    store.commit(tenant, write, Some(content), clock::now()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_valid_and_names_documents_of_the_demo() {
        let known: Vec<String> = documents().into_iter().map(|demo| format!("Binary/{}", demo.id)).collect();
        let mut named = 0;
        for resource in record() {
            for attachment in charta_fhir::attachments::attachments(&resource, Version::R4) {
                assert!(known.iter().any(|known| Some(known.as_str()) == attachment.url), "{attachment:?}");
                named += 1;
            }
        }
        assert!(named > 15);
    }

    #[test]
    fn every_demo_document_has_its_bytes_and_a_valid_description() {
        for demo in documents() {
            assert!(FILES.iter().any(|(name, _)| *name == demo.file), "{}", demo.file);
            ResourceId::new(&demo.id).unwrap();
            MediaType::new(&demo.content_type).unwrap();
            demo.security_context.as_deref().map(Reference::new).transpose().unwrap();
        }
    }
}
