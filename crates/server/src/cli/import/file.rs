//! One file of an import: a FHIR resource, several of them line by line, or a document.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use charta_fhir::{
    Format, Node, Version,
    parse::{BinaryReader, BinaryResource, ReadErrorKind, Root},
};
use charta_model::{
    Digest, Hasher, Intent, MediaType, NewContent, NewState, Reference, ResourceId, ResourceType, TenantId,
    Timestamp, Write, WriteOutcome,
};
use charta_service::Service;
use charta_store::{CommitError, Store, Upload, Uploaded};
use flate2::read::MultiGzDecoder;

use super::{Counts, Import};
use crate::{cli::Failure, clock, config::Limits};

const PIECE_BYTES: usize = 256 * 1024;
/// Lines that are stored together.
const LINES_AT_ONCE: usize = 1000;
/// Bytes of lines that are stored together.
const BYTES_AT_ONCE: usize = 16 << 20;

/// Takes in files.
pub struct Importer<'a> {
    pub(super) service: Service,
    store: Store,
    document_bytes_max: u64,
    resource_bytes_max: u64,
    pub(super) tenant: TenantId,
    pub(super) version: Version,
    options: &'a Import,
    security_context: Option<Reference>,
    /// What conditional references have found.
    pub(super) found: HashMap<String, String>,
    /// What became of the files so far.
    pub counts: Counts,
}

/// Whether a file is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Taken or refused.
    Done,
    /// It refers to something that is not there yet.
    Waits,
}

/// Why a file is not taken; the import goes on with the next.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    #[error("is empty")]
    Empty,
    #[error("is larger than limits.document_bytes")]
    TooLarge,
    #[error("{0}")]
    Resource(#[from] charta_fhir::parse::ReadError),
    #[error("refers to something that is not there by a condition ({0})")]
    Waits(String),
    #[error("is larger than limits.resource_bytes")]
    ResourceTooLarge,
    #[error("{}", problems(.0))]
    Problems(Vec<charta_fhir::parse::ReadError>),
    #[error("{0}")]
    Kept(String),
    #[error("is not a FHIR resource in JSON")]
    NoResource,
    #[error("is a Binary whose content was left out (SUBSETTED)")]
    Subsetted,
    #[error("the name {0:?} is no id")]
    Name(String),
    #[error("{0}")]
    Commit(#[from] CommitError),
    #[error("{0}")]
    Store(#[from] charta_store::Error),
}

impl<'a> Importer<'a> {
    /// An importer into one tenant.
    pub fn new(
        store: Store,
        limits: &Limits,
        tenant: TenantId,
        options: &'a Import,
    ) -> Result<Self, Failure> {
        let patient = options.patient.as_ref().map(|id| {
            let id = id.strip_prefix("Patient/").unwrap_or(id);
            Reference::new(&format!("Patient/{id}"))
        });
        Ok(Self {
            service: Service::new(store.clone()),
            store,
            found: HashMap::new(),
            resource_bytes_max: limits.resource_bytes,
            document_bytes_max: limits.document_bytes,
            tenant,
            version: options.fhir,
            options,
            security_context: patient.transpose()?,
            counts: Counts::default(),
        })
    }

    /// Takes one file; a refusal is one line and a count, a store that cannot go on ends the import.
    pub async fn take(&mut self, file: &Path, say: &mut dyn FnMut(&str)) -> Result<Taken, Failure> {
        let shown = file.display();
        if name_is(file, &["ndjson"]) {
            return self.lines(file, say).await.map(|()| Taken::Done);
        }
        let mut refused = Vec::new();
        match self.one(file, &mut refused).await {
            Ok(what) => say(&format!("{shown} -> {what}")),
            Err(Refused::Store(error)) => return Err(error.into()),
            Err(Refused::Waits(_)) => return Ok(Taken::Waits),
            Err(reason) => {
                self.counts.refused += 1;
                say(&format!("{shown}: refused: {reason}"));
            }
        }
        for reason in refused {
            self.counts.refused += 1;
            say(&format!("{shown}: refused: {reason}"));
        }
        Ok(Taken::Done)
    }

    /// Nothing that these files wait for will come.
    pub fn refuse_waiting(&mut self, files: &[PathBuf], say: &mut dyn FnMut(&str)) {
        for file in files {
            self.counts.refused += 1;
            say(&format!(
                "{}: refused: it refers by a condition to something that is not there",
                file.display()
            ));
        }
    }

    /// A file with one resource or one document.
    async fn one(&mut self, path: &Path, refused: &mut Vec<String>) -> Result<String, Refused> {
        if let Some(format) = fhir_format(path) {
            let mut reader = open(path)?;
            match self.resource(&mut reader, format).await? {
                Found::Binary(id) => return Ok(format!("Binary/{id}")),
                Found::Other => {
                    let mut bytes = Vec::new();
                    open(path)?.take(self.resource_bytes_max + 1).read_to_end(&mut bytes)?;
                    if bytes.len() as u64 > self.resource_bytes_max {
                        return Err(Refused::ResourceTooLarge);
                    }
                    return self.resources(&bytes, format, refused).await;
                }
                Found::NoResource => {}
            }
        }
        Ok(format!("Binary/{}", self.document(path).await?))
    }

    /// NDJSON: one resource per line.
    async fn lines(&mut self, path: &Path, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        let shown = path.display();
        let mut reader = match open(path) {
            Ok(reader) => BufReader::with_capacity(PIECE_BYTES, reader),
            Err(error) => {
                self.counts.refused += 1;
                say(&format!("{shown}: refused: {error}"));
                return Ok(());
            }
        };
        let mut lines = Vec::new();
        let mut bytes = 0;
        let mut number = 0_u64;
        loop {
            let mut line = Vec::new();
            let length = reader.by_ref().take(self.resource_bytes_max + 1).read_until(b'\n', &mut line);
            let ended = match length {
                Ok(0) => true,
                Ok(_) => {
                    number += 1;
                    bytes += line.len();
                    if !line.trim_ascii().is_empty() {
                        lines.push((number, line));
                    }
                    false
                }
                Err(error) => {
                    self.counts.refused += 1;
                    say(&format!("{shown}:{}: refused: {error}", number + 1));
                    true
                }
            };
            if ended || lines.len() >= LINES_AT_ONCE || bytes > BYTES_AT_ONCE {
                bytes = 0;
                for (number, reason) in self.chunk_of_lines(std::mem::take(&mut lines)).await? {
                    self.counts.refused += 1;
                    say(&format!("{shown}:{number}: refused: {reason}"));
                }
            }
            if ended {
                break;
            }
        }
        say(&format!("{shown} -> {number} lines"));
        Ok(())
    }

    /// A Binary resource, of any size.
    async fn resource(&mut self, from: &mut impl Read, format: Format) -> Result<Found, Refused> {
        let mut reader = BinaryReader::new(format, self.version);
        let mut upload = self.store.upload();
        let mut head = Vec::new();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let length = from.read(&mut piece)?;
            if length == 0 {
                break;
            }
            if head.len() < 4096 {
                head.extend_from_slice(&piece[..length.min(4096)]);
            }
            let mut decoded = Vec::new();
            reader.push(&piece[..length], &mut decoded)?;
            if reader.root() == Root::Other {
                break;
            }
            self.add(&mut upload, decoded).await?;
        }
        let mut decoded = Vec::new();
        match reader.finish(&mut decoded) {
            Ok(resource) => {
                self.add(&mut upload, decoded).await?;
                self.put_resource(resource, upload).await.map(Found::Binary)
            }
            Err(error) if error.kind == ReadErrorKind::NotBinary => match looks_like_fhir(&head) {
                true => Ok(Found::Other),
                false => Ok(Found::NoResource),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn put_resource(
        &mut self,
        resource: BinaryResource,
        upload: Upload,
    ) -> Result<ResourceId, Refused> {
        if resource.subsetted {
            return Err(Refused::Subsetted);
        }
        if upload.size_bytes() == 0 {
            return Err(Refused::Empty);
        }
        let content = upload.finish().await?;
        let id = resource.id.unwrap_or_else(|| derived_id(&resource.content_type, content.digest()));
        let content_facts = NewContent {
            content_type: resource.content_type,
            security_context: resource.security_context.or_else(|| self.security_context.clone()),
        };
        let (labels, source) = (resource.labels, resource.source);
        let state = NewState { content: Some(content_facts), labels, source, ..NewState::default() };
        self.put(id, state, content).await
    }

    /// A file whose bytes are the document.
    async fn document(&mut self, path: &Path) -> Result<ResourceId, Refused> {
        let mut file = File::open(path)?;
        let mut upload = self.store.upload();
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let length = file.read(&mut piece)?;
            if length == 0 {
                break;
            }
            piece.truncate(length);
            self.add(&mut upload, piece).await?;
        }
        if upload.size_bytes() == 0 {
            return Err(Refused::Empty);
        }
        let content = upload.finish().await?;
        let content_type = self.options.content_type.clone().unwrap_or_else(|| type_of(path));
        let id = match self.options.ids_from_names {
            false => derived_id(&content_type, content.digest()),
            true => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                ResourceId::new(&name).map_err(|_| Refused::Name(name.into_owned()))?
            }
        };
        let security_context = self.security_context.clone();
        let described = self.options.patient.is_some().then(|| self.description(path, &id, &content_type));
        let facts = NewContent { content_type, security_context };
        let id = self.put(id, NewState { content: Some(facts), ..NewState::default() }, content).await?;
        if let Some(described) = described {
            self.resources_of(vec![described]).await?;
        }
        Ok(id)
    }

    /// The DocumentReference by which a plain document is found. Its date is the file's.
    fn description(&self, path: &Path, id: &ResourceId, content_type: &MediaType) -> Node {
        let text = |text: &str| Some(Node::text(text.to_owned()));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let title = self.options.title.clone().unwrap_or(name);
        let modified = std::fs::metadata(path).and_then(|file| file.modified()).ok();
        let date = modified.and_then(|time| Timestamp::try_from(time).ok()).map(|time| format!("{time:.3}"));
        let coding = self.options.document_type.as_deref().map(|code| {
            let coding = Node::object([("system", text("http://loinc.org")), ("code", text(code))]);
            Node::object([("coding", Some(Node::Array(vec![coding])))])
        });
        let subject = self.security_context.as_ref().and_then(|patient| text(patient.as_str()));
        let attachment = Node::object([
            ("contentType", text(content_type.as_str())),
            ("url", text(&format!("Binary/{id}"))),
            ("title", text(&title)),
        ]);
        let content = Node::object([("attachment", Some(attachment))]);
        let older = self.version < Version::R4;
        let coding = coding.or_else(|| older.then(|| Node::object([("text", text(&title))])));
        let date = date.map(Node::text);
        let (indexed, date) = if older { (date, None) } else { (None, date) };
        Node::object([
            ("resourceType", text("DocumentReference")),
            ("id", text(id.as_str())),
            ("status", text("current")),
            ("type", coding),
            ("subject", Some(Node::object([("reference", subject)]))),
            ("indexed", indexed),
            ("date", date),
            ("content", Some(Node::Array(vec![content]))),
        ])
    }

    async fn add(&self, upload: &mut Upload, bytes: Vec<u8>) -> Result<(), Refused> {
        if upload.size_bytes() + bytes.len() as u64 > self.document_bytes_max {
            return Err(Refused::TooLarge);
        }
        if !bytes.is_empty() {
            upload.write(bytes.into()).await?;
        }
        Ok(())
    }

    async fn put(
        &mut self,
        id: ResourceId,
        state: NewState,
        content: Uploaded,
    ) -> Result<ResourceId, Refused> {
        let intent = Intent::Update { id };
        let write = Write {
            kind: ResourceType::BINARY,
            intent,
            if_match: None,
            if_none_match: None,
            state: Some(state),
        };
        let outcome = match self.store.commit(&self.tenant, write, Some(content), clock::now()).await {
            Err(CommitError::Store(error)) => return Err(error.into()),
            outcome => outcome?,
        };
        match outcome {
            WriteOutcome::Unchanged(document) => {
                self.counts.unchanged += 1;
                Ok(document.id)
            }
            WriteOutcome::Created(document)
            | WriteOutcome::Updated(document)
            | WriteOutcome::Existing(document) => {
                self.counts.stored += 1;
                Ok(document.id)
            }
            WriteOutcome::Deleted(_) | WriteOutcome::NothingToDelete => Err(Refused::Empty),
        }
    }
}

/// The same bytes with the same type get the same id, so that a second import changes nothing.
fn derived_id(content_type: &MediaType, content: Digest) -> ResourceId {
    let mut hasher = Hasher::default();
    hasher.update(content_type.as_str().as_bytes());
    hasher.update(&[0]);
    hasher.update(content.as_bytes());
    ResourceId::new(&hasher.finish().hex()[..32]).expect("32 hexadecimal digits are a valid id")
}

/// What a file with FHIR in its name turned out to be.
enum Found {
    Binary(ResourceId),
    Other,
    NoResource,
}

fn problems(problems: &[charta_fhir::parse::ReadError]) -> String {
    let shown: Vec<String> = problems.iter().take(5).map(ToString::to_string).collect();
    let more = problems.len().saturating_sub(5);
    if more > 0 { format!("{}; and {more} more", shown.join("; ")) } else { shown.join("; ") }
}

/// What a file's name says about its bytes.
fn type_of(path: &Path) -> MediaType {
    let octets = || MediaType::new("application/octet-stream").expect("a valid media type");
    mime_guess::from_path(path).first_raw().and_then(|text| MediaType::new(text).ok()).unwrap_or_else(octets)
}

fn name_is(path: &Path, extensions: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    extensions.iter().any(|extension| name.ends_with(&format!(".{extension}")))
}

fn fhir_format(path: &Path) -> Option<Format> {
    if name_is(path, &["json"]) {
        Some(Format::Json)
    } else if name_is(path, &["xml"]) {
        Some(Format::Xml)
    } else {
        None
    }
}

/// A file, decompressed if its name ends in `.gz`.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    let is_gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Whether a file begins like a FHIR resource of some type, so that it is not taken for a document.
fn looks_like_fhir(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    head.contains("\"resourceType\"") || head.contains("http://hl7.org/fhir\"")
}
