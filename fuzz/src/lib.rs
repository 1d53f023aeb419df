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

/// A list of scopes: none says more than the part that it came from, and together they grant no more than one by one.
/// A first line names the patient, the rest is the list.
pub fn check_scopes(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (patient, list) = text.split_once('\n').unwrap_or(("", text));
    let mut read = charta_auth::scopes(list).into_iter();
    for part in list.split(' ') {
        for alone in charta_auth::scopes(part) {
            assert_eq!(read.next().as_ref(), Some(&alone), "the list says what its parts say: {list}");
            assert!(says(part, &alone), "{part} is not understood as more: {alone:?}");
        }
    }
    assert_eq!(read.next(), None, "{list}");
    let whole = granted(list, patient);
    let parts: Vec<_> = list.split(' ').map(|part| granted(part, patient)).collect();
    for kind in ["Patient", "DocumentReference", "Observation", "Organization", "Binary"] {
        let kind = ResourceType::new(kind).expect("a type");
        for action in charta_auth::Action::ALL {
            let alone = parts.iter().any(|grant| charta_auth::covers(grant, action, &kind));
            assert_eq!(charta_auth::covers(&whole, action, &kind), alone, "{kind} by {list}");
        }
    }
}

/// Whether the text is one of the ways to write this scope.
fn says(part: &str, scope: &charta_auth::Scope) -> bool {
    use charta_auth::{Action, Context};
    let context = match scope.context {
        Context::Patient => "patient",
        Context::User => "user",
        Context::System => "system",
    };
    let kind = scope.kind.as_ref().map_or("*", |kind| kind.as_str());
    let letter = |(action, letter): (&Action, char)| scope.actions.has(*action).then_some(letter);
    let letters: String = Action::ALL.iter().zip("cruds".chars()).filter_map(letter).collect();
    let part = part.strip_prefix("http://smarthealthit.org/FHIR/scopes/").unwrap_or(part);
    let Some(suffix) = part.strip_prefix(&format!("{context}/{kind}.")) else { return false };
    let (suffix, query) = suffix.split_once('?').unwrap_or((suffix, ""));
    let old = [("read", "rs"), ("write", "cud"), ("*", "cruds")].contains(&(suffix, &letters));
    (suffix == letters || old && query.is_empty()) && query.is_empty() == scope.constraint.is_empty()
}

fn granted(scope: &str, patient: &str) -> charta_auth::Grant {
    let claims = charta_auth::Claims {
        issuer: "i".into(),
        subject: None,
        client: None,
        scope: scope.into(),
        patient: ResourceId::new(patient).ok(),
        user: None,
        token_id: None,
        tenant: None,
        purposes: Vec::new(),
        expires_at: Timestamp::UNIX_EPOCH,
    };
    let understand = |_: &ResourceType, _: &[(String, String)]| None;
    charta_auth::Grant::of_token(
        &claims,
        &charta_auth::Terms {
            companions: charta_auth::Companions::Anchor,
            wildcards: true,
            patients_write: true,
            sees: charta_model::Confidentiality::Normal,
            relabels: false,
            understand: &understand,
        },
    )
}

/// A resource and a patch, with a zero byte between them.
pub fn check_patch(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let mut tree = || charta_fhir::json::read(std::str::from_utf8(parts.next()?).ok()?);
    let (Some(resource), Some(operations)) = (tree(), tree()) else { return };
    let _ = patch::json_patch(&resource, &operations);
    let _ = patch::fhirpath_patch(&resource, &operations, Version::R4);
}

/// What a page's tags may be called.
const TAGS: [&str; 41] = [
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "h1", "h2", "h3", "h4", "h5",
    "h6", "div", "span", "p", "dl", "dt", "dd", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tfoot", "tr",
    "th", "td", "br", "sub", "sup", "a", "img", "del", "ins", "figure",
];

/// What they may have.
const ATTRIBUTES: [&str; 9] = [
    "class", "id", "lang", "scope", "colspan", "rowspan", "alt", "href", "src",
];

/// A CDA document as a page: tags and attributes are those of pages, well nested, with links into the page and pictures in it.
pub fn check_view(data: &[u8]) {
    let Ok(view) = charta_ccd::view::view(data, None) else { return };
    assert!(view.html.len() < 40 * data.len() + 50_000, "{} of {}", view.html.len(), data.len());
    let (_, body) = view.html.split_once("</style>").expect("a style");
    let mut open = vec!["html", "head"];
    let mut pieces = body.split('<');
    assert_eq!(pieces.next(), Some(""));
    for piece in pieces {
        let (tag, _) = piece.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{body}");
            continue;
        }
        let name = tag.split(' ').next().unwrap_or_default();
        assert!(TAGS.contains(&name), "<{tag}>");
        check_attributes(tag);
        if !matches!(name, "br" | "img" | "meta") {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

fn check_attributes(tag: &str) {
    let mut parts = tag.split('"');
    while let (Some(before), Some(value)) = (parts.next(), parts.next()) {
        let name = before.trim_end_matches('=').rsplit(' ').next().unwrap_or_default();
        assert!(ATTRIBUTES.contains(&name), "{name} in <{tag}>");
        assert!(name != "href" || value.starts_with('#'), "<{tag}>");
        assert!(name != "src" || value.starts_with("data:image/"), "<{tag}>");
    }
}
