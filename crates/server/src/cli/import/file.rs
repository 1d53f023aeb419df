//! One file of an import: a FHIR Binary resource, several of them line by line, or a document.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use charta_fhir::{
    Format, Version,
    parse::{BinaryReader, BinaryResource, ReadErrorKind, Root},
};
use charta_model::{
    Digest, Hasher, Intent, Labels, MediaType, NewState, Reference, ResourceId, TenantId, Write, WriteOutcome,
};
use charta_store::{CommitError, Store, Upload, Uploaded};
use flate2::read::MultiGzDecoder;

use super::{Counts, Import};
use crate::{cli::Failure, clock, config::Limits};

const PIECE_BYTES: usize = 256 * 1024;

/// Takes in files.
pub struct Importer<'a> {
    store: Store,
    document_bytes_max: u64,
    tenant: TenantId,
    version: Version,
    options: &'a Import,
    security_context: Option<Reference>,
    /// What became of the files so far.
    pub counts: Counts,
}

/// Why a file is not taken; the import goes on with the next.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    #[error("is empty")]
    Empty,
    #[error("is larger than limits.document_bytes")]
    TooLarge,
    #[error("{0}")]
    Resource(#[from] charta_fhir::parse::ReadError),
    #[error("is a FHIR resource, but not a Binary; other types are not stored by this release")]
    OtherType,
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
            store,
            document_bytes_max: limits.document_bytes,
            tenant,
            version: options.fhir,
            options,
            security_context: patient.transpose()?,
            counts: Counts::default(),
        })
    }

    /// Takes one file; a refusal is one line and a count, a store that cannot go on ends the import.
    pub async fn take(&mut self, file: &Path, mut say: impl FnMut(&str)) -> Result<(), Failure> {
        let shown = file.display();
        if name_is(file, &["ndjson"]) {
            return self.lines(file, say).await;
        }
        match self.one(file).await {
            Ok(id) => say(&format!("{shown} -> Binary/{id}")),
            Err(Refused::Store(error)) => return Err(error.into()),
            Err(reason) => {
                self.counts.refused += 1;
                say(&format!("{shown}: refused: {reason}"));
            }
        }
        Ok(())
    }

    /// A file with one resource or one document.
    async fn one(&mut self, path: &Path) -> Result<ResourceId, Refused> {
        if let Some(format) = fhir_format(path) {
            let mut reader = open(path)?;
            if let Some(id) = self.resource(&mut reader, format).await? {
                return Ok(id);
            }
        }
        self.document(path).await
    }

    /// NDJSON: one resource per line.
    async fn lines(&mut self, path: &Path, mut say: impl FnMut(&str)) -> Result<(), Failure> {
        let shown = path.display();
        let mut reader = match open(path) {
            Ok(reader) => BufReader::with_capacity(PIECE_BYTES, reader),
            Err(error) => {
                self.counts.refused += 1;
                say(&format!("{shown}: refused: {error}"));
                return Ok(());
            }
        };
        for number in 1_u64.. {
            let mut line = Line { reader: &mut reader, ended: false };
            let taken = match line.begin() {
                Ok(Begin::EndOfFile) => break,
                Ok(Begin::Empty) => continue,
                Ok(Begin::Text) => match self.resource(&mut line, Format::Json).await {
                    Ok(None) => Err(Refused::NoResource),
                    Ok(Some(id)) => Ok(id),
                    Err(reason) => Err(reason),
                },
                Err(error) => Err(error.into()),
            };
            // A file that breaks off has no more lines.
            let broken = matches!(taken, Err(Refused::Unreadable(_))) || line.skip_rest().is_err();
            match taken {
                Ok(id) => say(&format!("{shown}:{number} -> Binary/{id}")),
                Err(Refused::Store(error)) => return Err(error.into()),
                Err(reason) => {
                    self.counts.refused += 1;
                    say(&format!("{shown}:{number}: refused: {reason}"));
                }
            }
            if broken {
                break;
            }
        }
        Ok(())
    }

    /// A Binary resource; `None` if it is no FHIR resource at all.
    async fn resource(
        &mut self,
        from: &mut impl Read,
        format: Format,
    ) -> Result<Option<ResourceId>, Refused> {
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
                self.put_resource(resource, upload).await.map(Some)
            }
            Err(error) if error.kind == ReadErrorKind::NotBinary => match looks_like_fhir(&head) {
                true => Err(Refused::OtherType),
                false => Ok(None),
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
        let state = NewState {
            content_type: resource.content_type,
            security_context: resource.security_context.or_else(|| self.security_context.clone()),
            labels: resource.labels,
            source: resource.source,
        };
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
        let state = NewState { content_type, security_context, labels: Labels::default(), source: None };
        self.put(id, state, content).await
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
        let write = Write { intent, if_match: None, if_none_match: None, state: Some(state) };
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

/// One line of a file, read as if it were a whole one.
struct Line<'r, R> {
    reader: &'r mut R,
    ended: bool,
}

/// What a line begins with, behind white space.
enum Begin {
    EndOfFile,
    Empty,
    Text,
}

impl<R: BufRead> Line<'_, R> {
    fn begin(&mut self) -> io::Result<Begin> {
        loop {
            let available = self.reader.fill_buf()?;
            let text = available.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
            let (space, begin) = match text {
                None if available.is_empty() => (0, Some(Begin::EndOfFile)),
                None => (available.len(), None),
                Some(at) if available[at] == b'\n' => (at + 1, Some(Begin::Empty)),
                Some(at) => (at, Some(Begin::Text)),
            };
            self.reader.consume(space);
            if let Some(begin) = begin {
                return Ok(begin);
            }
        }
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(|_| ())
    }
}

impl<R: BufRead> Read for Line<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let available = self.reader.fill_buf()?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(available.len()).min(into.len());
        into[..length].copy_from_slice(&available[..length]);
        self.ended = available.is_empty() || end == Some(length);
        let consumed = length + usize::from(end == Some(length));
        self.reader.consume(consumed);
        Ok(length)
    }
}
