//! The suites that every backend passes, and stores that fail on request.
//!
//! A backend's tests are one line: `charta_store::catalog_suite!(make)` with a function that makes an
//! empty catalog. What every catalog or content store must do is a new function in the suite.

pub mod catalog;
pub mod content;
pub mod custody;
pub mod entry;
pub mod faulty;
pub mod filters;
pub mod moving;
pub mod records;
pub mod transactions;

use std::sync::Arc;

use bytes::Bytes;
use charta_model::{
    Filter, Intent, Label, LabelKind, Labels, MediaType, NewContent, NewState, Query, ResourceId,
    ResourceType, Scope, Source, TenantId, Timestamp, TokenMatch, Write,
};

use crate::{Upload, Uploaded, content::memory::Memory};

/// A tenant by name.
#[must_use]
pub fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("tests use valid names")
}

/// A document's id.
#[must_use]
pub fn id(name: &str) -> ResourceId {
    ResourceId::new(name).expect("tests use valid ids")
}

/// A time so many milliseconds after 1970.
#[must_use]
pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("tests use valid times")
}

/// Everything but the bytes of a plain text without labels.
#[must_use]
pub fn text() -> NewState {
    typed("text/plain", NewState::default())
}

/// The state with bytes of this type.
#[must_use]
pub fn typed(content_type: &str, state: NewState) -> NewState {
    let content_type = MediaType::new(content_type).expect("tests use valid types");
    NewState { content: Some(NewContent { content_type, security_context: None }), ..state }
}

/// The same with one tag.
#[must_use]
pub fn tagged(system: &str, code: &str) -> NewState {
    let tag = Label { system: Some(system.into()), code: Some(code.into()), ..Label::default() };
    NewState { labels: Labels { tags: vec![tag], ..Labels::default() }, ..text() }
}

/// A write of a Binary without conditions.
#[must_use]
pub fn write(intent: Intent, state: NewState) -> Write {
    write_of(ResourceType::BINARY, intent, state)
}

/// A write without conditions.
#[must_use]
pub fn write_of(kind: ResourceType, intent: Intent, state: NewState) -> Write {
    let state = match intent {
        Intent::Delete { .. } | Intent::DeleteMatching { .. } => None,
        _ => Some(state),
    };
    Write { kind, intent, if_match: None, if_none_match: None, state }
}

/// A resource type.
#[must_use]
pub fn kind(name: &str) -> ResourceType {
    ResourceType::new(name).expect("tests use valid types")
}

/// A resource without bytes: its source is `body` in the dialect "x".
#[must_use]
pub fn record(body: &str) -> NewState {
    let source = Some(Source { dialect: "x".into(), body: body.into() });
    NewState { source, ..NewState::default() }
}

/// A new version of this resource without bytes, or its first.
#[must_use]
pub fn put_record(kind_name: &str, name: &str, body: &str) -> Write {
    write_of(kind(kind_name), Intent::Update { id: id(name) }, record(body))
}

/// The deletion of this resource.
#[must_use]
pub fn delete_record(kind_name: &str, name: &str) -> Write {
    write_of(kind(kind_name), Intent::Delete { id: id(name) }, NewState::default())
}

/// Among documents of this type, whatever their dialect.
#[must_use]
pub fn scope(name: &str) -> Scope {
    Scope { kind: kind(name), dialect: None }
}

/// A search for all Binaries.
#[must_use]
pub fn binaries() -> Query {
    Query { scopes: vec![scope("Binary")], limit: 10, ..Query::default() }
}

/// A new version of this document, or its first.
#[must_use]
pub fn update(name: &str) -> Write {
    write(Intent::Update { id: id(name) }, text())
}

/// The deletion of this document.
#[must_use]
pub fn delete(name: &str) -> Write {
    write(Intent::Delete { id: id(name) }, text())
}

/// A search for Binaries with a tag.
#[must_use]
pub fn by_tag(code: &str) -> Query {
    let token = TokenMatch { system: None, code: Some(code.into()), case_sensitive: true };
    Query { filters: vec![Filter::Label(LabelKind::Tag, vec![token])], ..binaries() }
}

/// Bytes that are in, kept in memory.
pub async fn uploaded(bytes: &[u8]) -> Uploaded {
    let mut upload = Upload::new(Arc::new(Memory::default()), None, usize::MAX >> 1);
    upload.write(Bytes::copy_from_slice(bytes)).await.expect("memory does not fail");
    upload.finish().await.expect("memory does not fail")
}
