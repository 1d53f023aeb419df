//! Rows and what they mean.

use charta_model::{
    Change, ContentFacts, Custody, Description, Digest, Document, Labels, MediaType, Reference, ResourceId,
    ResourceType, Source, Timestamp,
};
use rusqlite::{Row, types::ValueRef};

use crate::{Error, Stored, stored::Place};

/// The columns that [`stored`] reads, of `document d`, `kind k`, `version v` and `content c`.
pub(super) const COLUMNS: &str = "k.name, d.id, v.version, v.updated_ms, v.change, v.content_type, \
     v.security_context, v.labels, v.dialect, v.source, c.key, c.digest, c.size_bytes, c.file, \
     v.custody, v.writer";

/// Number of the columns above: where an extra one stands.
pub(super) const EXTRA: usize = 16;

/// What stands beside a document `d` that is there and its version `v`.
pub(super) const BESIDE: &str = "JOIN kind k ON k.key = d.kind LEFT JOIN content c ON c.key = v.content";

/// What the columns say. With `bytes` the extra column holds content that the catalog keeps.
pub(super) fn stored(row: &Row<'_>, bytes: bool) -> Result<Stored, Error> {
    let change = match row.get(4)? {
        1 => Change::Created,
        2 => Change::Updated,
        3 => Change::Deleted,
        other => return Err(damaged(row, &format!("change {other}"))),
    };
    let mut document = Document {
        kind: kind(row, 0)?,
        id: id(row, 1)?,
        version: row.get(2)?,
        updated: Timestamp::from_millisecond(row.get(3)?).map_err(|_| damaged(row, "time"))?,
        change,
        writer: row.get(15)?,
        description: None,
    };
    if change == Change::Deleted {
        return Ok(Stored::new(document, Place::Nowhere));
    }
    let description = description(row, &document.kind)?;
    let place = place(row, bytes, description.content.as_ref())?;
    document.description = Some(description);
    Ok(Stored::new(document, place))
}

/// The type that a column names.
pub(super) fn kind(row: &Row<'_>, column: usize) -> Result<ResourceType, Error> {
    match row.get_ref(column)?.as_str() {
        Ok("Binary") => Ok(ResourceType::BINARY),
        name => ResourceType::new(name.unwrap_or_default()).map_err(|_| damaged(row, "type")),
    }
}

/// The id that a column holds.
pub(super) fn id(row: &Row<'_>, column: usize) -> Result<ResourceId, Error> {
    ResourceId::new(row.get_ref(column)?.as_str().unwrap_or_default()).map_err(|_| damaged(row, "id"))
}

fn description(row: &Row<'_>, kind: &ResourceType) -> Result<Description, Error> {
    let labels = match row.get_ref(7)? {
        ValueRef::Text(json) => serde_json::from_slice(json).map_err(|_| damaged(row, "labels"))?,
        _ => Labels::default(),
    };
    let source = match row.get(9)? {
        Some(body) => Some(Source { dialect: row.get(8)?, body }),
        None => None,
    };
    let content = if kind.is_binary() { Some(facts(row)?) } else { None };
    let custody = match row.get_ref(14)? {
        ValueRef::Text(json) => serde_json::from_slice(json).map_err(|_| damaged(row, "custody"))?,
        _ => Custody::default(),
    };
    Ok(Description { content, labels, custody, source })
}

fn facts(row: &Row<'_>) -> Result<ContentFacts, Error> {
    let text = |column: usize| -> Result<Option<String>, Error> { Ok(row.get(column)?) };
    let content_type = text(5)?.and_then(|text| MediaType::new(&text).ok());
    let security_context = match text(6)? {
        Some(text) => Some(Reference::new(&text).map_err(|_| damaged(row, "security context"))?),
        None => None,
    };
    Ok(ContentFacts {
        content_type: content_type.ok_or_else(|| damaged(row, "content type"))?,
        size_bytes: row.get(12)?,
        digest: Digest::from_bytes(row.get(11)?),
        security_context,
    })
}

fn place(row: &Row<'_>, bytes: bool, facts: Option<&ContentFacts>) -> Result<Place, Error> {
    let Some(facts) = facts else { return Ok(Place::Nowhere) };
    if let Some(file) = row.get::<_, Option<String>>(13)? {
        return Ok(Place::File(file.into()));
    }
    if bytes
        && let ValueRef::Blob(blob) = row.get_ref(EXTRA)?
        // Damaged bytes are left for the reader of the content to report, not of the record.
        && Digest::of(blob) == facts.digest
    {
        return Ok(Place::Memory(bytes::Bytes::copy_from_slice(blob)));
    }
    Ok(Place::Catalog(row.get(10)?))
}

fn damaged(row: &Row<'_>, what: &str) -> Error {
    let text = |column| row.get::<_, String>(column).unwrap_or_default();
    Error::Corrupt(format!("the record of {}/{} has a wrong {what}", text(0), text(1)).into())
}

/// How custody stands in its column.
pub(super) fn custody_text(custody: &Custody) -> Option<String> {
    (*custody != Custody::default()).then(|| serde_json::to_string(custody).unwrap_or_default())
}

/// How labels stand in their column.
pub(super) fn labels_text(labels: &Labels) -> Option<String> {
    // A derived serializer of strings into a String has nothing that could fail.
    (!labels.is_empty()).then(|| serde_json::to_string(labels).unwrap_or_default())
}
