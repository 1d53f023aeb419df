//! Rows and what they mean.

use charta_model::{
    Change, Description, Digest, Document, Labels, MediaType, Reference, ResourceId, Source, Timestamp,
};
use rusqlite::{Row, types::ValueRef};

use crate::{Error, Stored, stored::Place};

/// `kind` of a Binary in every table.
pub(super) const BINARY: i64 = 1;

/// The columns that [`stored`] reads, of `document d`, `version v` and `content c`.
pub(super) const COLUMNS: &str = "d.id, v.version, v.updated_ms, v.change, v.content_type, \
     v.security_context, v.labels, v.source_dialect, v.source_body, c.key, c.digest, c.size_bytes, c.file";

/// Number of the columns above: where an extra one stands.
pub(super) const EXTRA: usize = 13;

/// What the columns say. With `bytes` the extra column holds content that the catalog keeps.
pub(super) fn stored(row: &Row<'_>, bytes: bool) -> Result<Stored, Error> {
    let change = match row.get(3)? {
        1 => Change::Created,
        2 => Change::Updated,
        3 => Change::Deleted,
        other => return Err(damaged(row, &format!("change {other}"))),
    };
    let mut document = Document {
        id: ResourceId::new(row.get_ref(0)?.as_str().map_err(|_| damaged(row, "id"))?)
            .map_err(|_| damaged(row, "id"))?,
        version: row.get(1)?,
        updated: Timestamp::from_millisecond(row.get(2)?).map_err(|_| damaged(row, "time"))?,
        change,
        description: None,
    };
    if change == Change::Deleted {
        return Ok(Stored::new(document, Place::Nowhere));
    }
    let description = description(row)?;
    let place = place(row, bytes, &description.digest)?;
    document.description = Some(description);
    Ok(Stored::new(document, place))
}

fn description(row: &Row<'_>) -> Result<Description, Error> {
    let text = |column: usize| -> Result<Option<String>, Error> { Ok(row.get(column)?) };
    let content_type = text(4)?.and_then(|text| MediaType::new(&text).ok());
    let security_context = match text(5)? {
        Some(text) => Some(Reference::new(&text).map_err(|_| damaged(row, "security context"))?),
        None => None,
    };
    let labels = match row.get_ref(6)? {
        ValueRef::Text(json) => serde_json::from_slice(json).map_err(|_| damaged(row, "labels"))?,
        _ => Labels::default(),
    };
    let source = match (text(7)?, text(8)?) {
        (Some(dialect), Some(body)) => Some(Source { dialect, body }),
        _ => None,
    };
    Ok(Description {
        content_type: content_type.ok_or_else(|| damaged(row, "content type"))?,
        size_bytes: row.get(11)?,
        digest: Digest::from_bytes(row.get(10)?),
        security_context,
        labels,
        source,
    })
}

fn place(row: &Row<'_>, bytes: bool, digest: &Digest) -> Result<Place, Error> {
    if let Some(file) = row.get::<_, Option<String>>(12)? {
        return Ok(Place::File(file.into()));
    }
    if bytes
        && let ValueRef::Blob(blob) = row.get_ref(EXTRA)?
        // Damaged bytes are left for the reader of the content to report, not of the record.
        && Digest::of(blob) == *digest
    {
        return Ok(Place::Memory(bytes::Bytes::copy_from_slice(blob)));
    }
    Ok(Place::Catalog(row.get(9)?))
}

fn damaged(row: &Row<'_>, what: &str) -> Error {
    let id: String = row.get(0).unwrap_or_default();
    Error::Corrupt(format!("the record of document {id:?} has a wrong {what}").into())
}

/// How labels stand in their column.
pub(super) fn labels_text(labels: &Labels) -> Option<String> {
    // A derived serializer of strings into a String has nothing that could fail.
    (!labels.is_empty()).then(|| serde_json::to_string(labels).unwrap_or_default())
}

/// A row of the label index: which kind, system, code, code in lower case.
pub(super) type LabelRow = (i64, String, String, String);

/// The rows by which a document with these labels is found, sorted, each once.
pub(super) fn label_rows(labels: &Labels) -> Vec<LabelRow> {
    let coded = |which, labels: &[charta_model::Label]| {
        let row = |label: &charta_model::Label| {
            let code = label.code.clone().unwrap_or_default();
            (which, label.system.clone().unwrap_or_default(), code.clone(), fold(&code))
        };
        labels.iter().map(row).collect::<Vec<_>>()
    };
    let mut rows = coded(SECURITY, &labels.security);
    rows.extend(coded(TAG, &labels.tags));
    rows.extend(labels.profiles.iter().map(|url| (PROFILE, String::new(), url.clone(), fold(url))));
    rows.sort_unstable();
    rows.dedup();
    rows
}

pub(super) const SECURITY: i64 = 1;
pub(super) const TAG: i64 = 2;
pub(super) const PROFILE: i64 = 3;

/// A code as it is compared where letter case does not count.
pub(super) fn fold(code: &str) -> String {
    code.to_lowercase()
}
