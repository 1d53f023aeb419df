//! Rows and what they mean.

use charta_model::{
    Change, ContentFacts, Custody, Description, Digest, Document, Labels, MediaType, Reference, ResourceId,
    ResourceType, Source, Timestamp,
};

use crate::{Error, Stored, stored::Place};

/// One row, by the numbers of its columns.
pub(super) trait Columns {
    fn integer(&self, column: usize) -> Result<i64, Error>;
    fn text(&self, column: usize) -> Result<Option<&str>, Error>;
    fn blob(&self, column: usize) -> Result<Option<&[u8]>, Error>;
}

/// The columns that [`stored`] reads, of `document d`, `kind k`, `version v` and `content c`.
pub(super) const COLUMNS: &str = "k.name, d.id, v.version, v.updated_ms, v.change, v.content_type, \
     v.security_context, v.labels, v.dialect, v.source, c.key, c.digest, c.size_bytes, c.file, \
     v.custody, v.writer";

/// Number of the columns above: where an extra one stands.
pub(super) const EXTRA: usize = 16;

/// What stands beside a document `d` that is there and its version `v`.
pub(super) const BESIDE: &str = "JOIN kind k ON k.key = d.kind LEFT JOIN content c ON c.key = v.content";

/// What the columns say. With `bytes` the extra column holds content that the catalog keeps.
pub(super) fn stored(row: &impl Columns, bytes: bool) -> Result<Stored, Error> {
    let change = match row.integer(4)? {
        1 => Change::Created,
        2 => Change::Updated,
        3 => Change::Deleted,
        other => return Err(damaged(row, &format!("change {other}"))),
    };
    let mut document = Document {
        kind: kind(row, 0)?,
        id: id(row, 1)?,
        version: natural(row, 2)?,
        updated: Timestamp::from_millisecond(row.integer(3)?).map_err(|_| damaged(row, "time"))?,
        change,
        writer: row.text(15)?.map(Into::into),
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
pub(super) fn kind(row: &impl Columns, column: usize) -> Result<ResourceType, Error> {
    match row.text(column)? {
        Some("Binary") => Ok(ResourceType::BINARY),
        name => ResourceType::new(name.unwrap_or_default()).map_err(|_| damaged(row, "type")),
    }
}

/// The id that a column holds.
pub(super) fn id(row: &impl Columns, column: usize) -> Result<ResourceId, Error> {
    ResourceId::new(row.text(column)?.unwrap_or_default()).map_err(|_| damaged(row, "id"))
}

fn natural(row: &impl Columns, column: usize) -> Result<u64, Error> {
    u64::try_from(row.integer(column)?).map_err(|_| damaged(row, "number"))
}

fn description(row: &impl Columns, kind: &ResourceType) -> Result<Description, Error> {
    let labels = match row.text(7)? {
        Some(json) => serde_json::from_str(json).map_err(|_| damaged(row, "labels"))?,
        None => Labels::default(),
    };
    let source = match row.text(9)? {
        Some(body) => Some(Source { dialect: row.text(8)?.unwrap_or_default().into(), body: body.into() }),
        None => None,
    };
    let content = if kind.is_binary() { Some(facts(row)?) } else { None };
    let custody = match row.text(14)? {
        Some(json) => serde_json::from_str(json).map_err(|_| damaged(row, "custody"))?,
        None => Custody::default(),
    };
    Ok(Description { content, labels, custody, source })
}

fn facts(row: &impl Columns) -> Result<ContentFacts, Error> {
    let content_type = row.text(5)?.and_then(|text| MediaType::new(text).ok());
    let security_context = match row.text(6)? {
        Some(text) => Some(Reference::new(text).map_err(|_| damaged(row, "security context"))?),
        None => None,
    };
    Ok(ContentFacts {
        content_type: content_type.ok_or_else(|| damaged(row, "content type"))?,
        size_bytes: natural(row, 12)?,
        digest: digest(row, 11)?,
        security_context,
    })
}

/// The digest that a column holds.
pub(super) fn digest(row: &impl Columns, column: usize) -> Result<Digest, Error> {
    let bytes = row.blob(column)?.and_then(|bytes| bytes.try_into().ok());
    bytes.map(Digest::from_bytes).ok_or_else(|| Error::Corrupt("a digest of another length".into()))
}

fn place(row: &impl Columns, bytes: bool, facts: Option<&ContentFacts>) -> Result<Place, Error> {
    let Some(facts) = facts else { return Ok(Place::Nowhere) };
    if let Some(file) = row.text(13)? {
        return Ok(Place::File(file.into()));
    }
    if bytes
        && let Some(blob) = row.blob(EXTRA)?
        // Damaged bytes are left for the reader of the content to report, not of the record.
        && Digest::of(blob) == facts.digest
    {
        return Ok(Place::Memory(bytes::Bytes::copy_from_slice(blob)));
    }
    Ok(Place::Catalog(row.integer(10)?))
}

fn damaged(row: &impl Columns, what: &str) -> Error {
    let text = |column| row.text(column).ok().flatten().unwrap_or_default();
    Error::Corrupt(format!("the record of {}/{} has a wrong {what}", text(0), text(1)).into())
}

/// How a change stands in its column.
pub(super) const fn change_number(change: Change) -> i16 {
    match change {
        Change::Created => 1,
        Change::Updated => 2,
        Change::Deleted => 3,
    }
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
