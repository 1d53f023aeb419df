//! What several targets share.

use charta_fhir::negotiate::Rules;
use charta_fhir::parse::{BinaryReader, BinaryResource, ReadError};
use charta_fhir::represent::{Subset, binary, write};
use charta_fhir::{Format, Piece, Profile, Version};
use charta_model::{Change, Description, Digest, Document, Labels, ResourceId, Timestamp};

/// What reading `body` in pieces of `size` bytes gives: the resource and its bytes.
pub fn read(
    format: Format,
    version: Version,
    body: &[u8],
    size: usize,
) -> Result<(BinaryResource, Vec<u8>), ReadError> {
    let mut reader = BinaryReader::new(format, version);
    let mut content = Vec::new();
    for piece in body.chunks(size) {
        reader.push(piece, &mut content)?;
    }
    reader.finish(&mut content).map(|resource| (resource, content))
}

/// Reads a body whole and in pieces, which must not make a difference; what can be read must survive
/// being written and read again, in both formats. The first two bytes choose version and size.
pub fn check_binary(format: Format, data: &[u8]) {
    let [choice, size, body @ ..] = data else { return };
    let version = Version::ALL[usize::from(*choice) % Version::ALL.len()];
    let whole = read(format, version, body, body.len().max(1));
    assert_eq!(whole, read(format, version, body, usize::from(*size).max(1)));
    assert_eq!(whole, read(format, version, body, 1));
    let Ok((mut resource, content)) = whole else { return };
    let id = resource.id.get_or_insert(ResourceId::new("x").expect("an id")).clone();
    if content.is_empty() || !labels_are_distinct(&resource.labels) {
        return; // such a document is refused, or its labels are merged
    }
    let document = Document {
        id,
        version: 1,
        updated: Timestamp::UNIX_EPOCH,
        change: Change::Created,
        description: Some(Description {
            content_type: resource.content_type.clone(),
            size_bytes: content.len() as u64,
            digest: Digest::of(&content),
            security_context: resource.security_context.clone(),
            labels: resource.labels.clone(),
            source: resource.source.clone(),
        }),
    };
    for format in [Format::Json, Format::Xml] {
        let node = binary(&document, version, &Subset::default(), 0);
        let written = text(&write(&node, format, *size % 2 == 0), &content);
        let (again, bytes) = read(format, version, &written, 4096)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&written)));
        assert_eq!(bytes, content);
        assert_eq!(described(&again), described(&resource), "{}", String::from_utf8_lossy(&written));
    }
}

/// All but the source, of which only the presence is compared: its members may change order.
fn described(resource: &BinaryResource) -> (BinaryResource, Option<usize>) {
    let length = resource.source.as_ref().map(|source| source.body.len());
    (BinaryResource { source: None, ..resource.clone() }, length)
}

fn labels_are_distinct(labels: &Labels) -> bool {
    [&labels.security, &labels.tags].into_iter().all(|labels| {
        labels
            .iter()
            .enumerate()
            .all(|(at, label)| !labels[..at].iter().any(|other| other.same_meaning(label)))
    })
}

fn text(pieces: &[Piece], content: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(bytes) => text.extend_from_slice(bytes),
            Piece::Base64(_) => {
                let mut encoder = charta_fhir::base64::Encoder::default();
                encoder.push(content, &mut text);
                encoder.finish(&mut text);
            }
        }
    }
    text
}

/// Every kind of endpoint.
pub fn endpoints() -> impl Iterator<Item = Rules> {
    const PROFILES: [Profile; 4] =
        [Profile::Standard, Profile::Millennium, Profile::Soarian, Profile::CareConnect];
    Version::ALL.into_iter().flat_map(|version| {
        PROFILES
            .into_iter()
            .flat_map(move |profile| [false, true].map(|strict| Rules { version, profile, strict }))
    })
}
