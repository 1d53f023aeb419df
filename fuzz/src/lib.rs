//! What several targets share.

use charta_fhir::negotiate::Rules;
use charta_fhir::parse::{BinaryReader, BinaryResource, ReadError};
use charta_fhir::represent::{Subset, binary, write};
use charta_fhir::{Format, Piece, Profile, Version};
use charta_fhir::{Node, index, patch, resource, search};
use charta_model::{
    Change, ContentFacts, Description, Digest, Document, Labels, ResourceId, ResourceType, Timestamp,
};

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
        kind: ResourceType::BINARY,
        id,
        version: 1,
        updated: Timestamp::UNIX_EPOCH,
        change: Change::Created,
        writer: None,
        description: Some(Description {
            content: Some(ContentFacts {
                content_type: resource.content_type.clone(),
                size_bytes: content.len() as u64,
                digest: Digest::of(&content),
                security_context: resource.security_context.clone(),
            }),
            labels: resource.labels.clone(),
            custody: Default::default(),
            source: resource.source.clone(),
        }),
    };
    for format in [Format::Json, Format::Xml] {
        let node = binary(&document, version, &Subset::default(), 0);
        let written = text(&write(node, version, format, *size % 2 == 0), &content);
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

/// Reads a resource of any type; one that is valid must survive being written and read again, in both formats, and
/// can be indexed and shown in every version. The first byte chooses the version.
pub fn check_resource(format: Format, data: &[u8]) {
    let [choice, body @ ..] = data else { return };
    let version = Version::ALL[usize::from(*choice) % Version::ALL.len()];
    let Ok(read) = resource::read(body, format, version) else { return };
    let _ = index::index(&read, version, "2024-01-01T00:00:00.000Z");
    for other in Version::ALL {
        let _ = charta_fhir::project::project(&read, version, other, "2024-01-01T00:00:00.000Z");
    }
    for format in [Format::Json, Format::Xml] {
        let written = text(&write(read.clone(), version, format, false), &[]);
        let again = resource::read(&written, format, version)
            .unwrap_or_else(|problems| panic!("{problems:?} in {}", String::from_utf8_lossy(&written)));
        assert_eq!(sorted(&again), sorted(&read), "{}", String::from_utf8_lossy(&written));
    }
}

/// The tree with the members of every object in one order.
fn sorted(node: &Node) -> Node {
    match node {
        Node::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Node::Object(members)
        }
        Node::Array(items) => Node::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// The parameters of a search, as a form has them. The first byte chooses version and type.
pub fn check_search(data: &[u8]) {
    let [choice, query @ ..] = data else { return };
    let Ok(query) = std::str::from_utf8(query) else { return };
    let version = Version::ALL[usize::from(*choice) % Version::ALL.len()];
    let kinds = ["Patient", "DocumentReference", "Observation", "DiagnosticReport", "Binary"];
    let kind = kinds[usize::from(*choice) / Version::ALL.len() % kinds.len()];
    let kinds = [ResourceType::new(kind).expect("a type")];
    let parameters: Vec<(String, String)> = query
        .split('&')
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let among = search::Among { version, kinds: &kinds, bases: &["http://h/r4".to_owned()] };
    let purpose = search::Purpose::Search { strict: *choice % 2 == 0, count_default: 20, count_max: 100 };
    if let Ok(parsed) = search::resources(among, &parameters, purpose) {
        assert!(parsed.query.limit <= 100);
    }
    let _ = search::resources(among, &parameters, search::Purpose::Criteria);
}

/// A resource and a patch, with a zero byte between them.
pub fn check_patch(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let mut tree = || charta_fhir::json::read(std::str::from_utf8(parts.next()?).ok()?);
    let (Some(resource), Some(operations)) = (tree(), tree()) else { return };
    let _ = patch::json_patch(&resource, &operations);
    let _ = patch::fhirpath_patch(&resource, &operations, Version::R4);
}
