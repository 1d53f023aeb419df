//! From a resource that was accepted to what the store is asked to keep: content inside attachments moves into
//! Binaries of its own, URLs of this server become relative, and the index is made. The same for single
//! requests, Bundles and imports.
//!
//! Decisions 11 to 14.

use std::collections::HashMap;

use base64_simd::STANDARD as BASE64;
use charta_auth::Grant;
use charta_fhir::{
    Format, Node, Version,
    attachments::{self, Attachment},
    base64::Decoder,
    custody, index, json,
    parse::{BinaryReader, ReadError, ReadErrorKind},
    references,
    resource::Parts,
};
use charta_model::{
    Digest, Hasher, Intent, MediaType, NewContent, NewState, Reference, ResourceId, ResourceType, TenantId,
    Timestamp, Write,
};
use charta_service::{ReadError as LookupError, Service};
use charta_store::{Content, Uploaded};
use sha1::{Digest as _, Sha1};

/// Bytes that are decoded or hashed at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// What intake needs to know of a request or an import.
pub struct Intake<'a> {
    /// Where content goes, and where links are looked up.
    pub service: &'a Service,
    /// Whose resources.
    pub tenant: &'a TenantId,
    /// What the caller may look up.
    pub grant: &'a Grant,
    /// The version that the resource is in.
    pub version: Version,
    /// Most bytes of one document.
    pub document_bytes_max: u64,
    /// When.
    pub now: Timestamp,
    /// What of a URL is behind a base of this server for this tenant.
    pub local: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Binaries that are stored together with the resource.
    pub beside: &'a HashMap<ResourceId, Facts>,
}

/// What the store is asked to keep.
pub struct Prepared {
    /// The id that the resource claims.
    pub claimed: Option<ResourceId>,
    /// The new state.
    pub state: NewState,
    /// The bytes, if it is a Binary.
    pub content: Option<Uploaded>,
    /// What is known of those bytes.
    pub facts: Option<Facts>,
    /// Binaries that were inside.
    pub binaries: Vec<(Write, Uploaded)>,
}

/// Why a resource is not kept. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It breaks rules.
    #[error("not a valid resource: {0:?}")]
    Problems(Vec<ReadError>),
    /// An attachment says something else than its bytes.
    #[error("{expression}: {reason}")]
    Attachment {
        /// Which.
        expression: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// More bytes of content than the limit.
    #[error("too large")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// A part of a resource.
    #[error("a resource tagged SUBSETTED")]
    Subsetted,
    /// The security context is no resource of this server.
    #[error("the security context cannot be used")]
    SecurityContext,
    /// The store failed.
    #[error("store unavailable")]
    Store(#[from] charta_store::Error),
}

impl Intake<'_> {
    /// Makes of a checked resource what is kept under `id`. Content that was inside is on stable storage
    /// afterwards; its records are the caller's to write together with the resource's.
    ///
    /// # Errors
    /// [`IntakeError`].
    pub async fn prepare(&self, resource: Node, id: &ResourceId) -> Result<Prepared, IntakeError> {
        if resource.text_at("resourceType") == Some("Binary") {
            return self.binary(&resource).await;
        }
        let mut resource = resource;
        let binaries = self.attachments(&mut resource, id).await?;
        let parts = Parts::of(resource).ok_or(IntakeError::Problems(Vec::new()))?;
        if parts.subsetted {
            return Err(IntakeError::Subsetted);
        }
        let state = NewState {
            content: None,
            labels: parts.labels.clone(),
            source: Some(parts.source(self.version)),
            writer: self.writer(),
            ..self.found_by(&parts)
        };
        Ok(Prepared { claimed: parts.id, state, content: None, facts: None, binaries })
    }

    /// Whose the resource is and what it is found by; links to this server count wherever their base leads.
    fn found_by(&self, parts: &Parts) -> NewState {
        let mut found = parts.rest.clone();
        references::rewrite(&mut found, self.version, &mut |_, link| (self.local)(link));
        let index = index::index(&found, self.version, &format!("{:.3}", self.now));
        NewState { custody: custody::custody(&found, self.version, &index), index, ..NewState::default() }
    }

    fn writer(&self) -> Option<Box<str>> {
        self.grant.writer().map(Into::into)
    }

    async fn binary(&self, resource: &Node) -> Result<Prepared, IntakeError> {
        let problem = |error: ReadError| IntakeError::Problems(vec![error]);
        let mut reader = BinaryReader::new(Format::Json, self.version);
        let mut upload = self.service.upload();
        let mut sha1 = Sha1::new();
        let text = json::text(resource);
        for piece in text.as_bytes().chunks(PIECE_BYTES) {
            let mut decoded = Vec::new();
            reader.push(piece, &mut decoded).map_err(problem)?;
            if upload.size_bytes() + decoded.len() as u64 > self.document_bytes_max {
                return Err(IntakeError::TooLarge { limit_bytes: self.document_bytes_max });
            }
            sha1.update(&decoded);
            if !decoded.is_empty() {
                upload.write(decoded.into()).await?;
            }
        }
        let binary = reader.finish(&mut Vec::new()).map_err(problem)?;
        if binary.subsetted {
            return Err(IntakeError::Subsetted);
        }
        if upload.size_bytes() == 0 {
            let element = format!("Binary.{}", self.version.payload_element());
            let message = "a document has at least one byte".to_owned();
            return Err(problem(ReadError { kind: ReadErrorKind::Required, expression: element, message }));
        }
        let security_context = match binary.security_context {
            Some(given) if given.as_str().contains(':') => {
                let relative = (self.local)(given.as_str()).and_then(|text| Reference::new(&text).ok());
                Some(relative.ok_or(IntakeError::SecurityContext)?)
            }
            given => given,
        };
        let content = NewContent { content_type: binary.content_type, security_context };
        let state = NewState {
            content: Some(content),
            labels: binary.labels,
            source: binary.source,
            writer: self.writer(),
            ..NewState::default()
        };
        let size_bytes = upload.size_bytes();
        let facts = Some(Facts { size_bytes, sha1: BASE64.encode_to_string(sha1.finalize()) });
        let content = Some(upload.finish().await?);
        Ok(Prepared { claimed: binary.id, state, content, facts, binaries: Vec::new() })
    }

    /// Decision 12: `data` moves out; declared sizes and hashes must be those of the bytes.
    async fn attachments(
        &self,
        resource: &mut Node,
        id: &ResourceId,
    ) -> Result<Vec<(Write, Uploaded)>, IntakeError> {
        let kind = resource.text_at("resourceType").unwrap_or_default().to_owned();
        let moves = matches!(kind.as_str(), "DocumentReference" | "DiagnosticReport" | "Media");
        let mut changes = Vec::new();
        let mut binaries = Vec::new();
        for attachment in attachments::attachments(resource, self.version) {
            let mut change = Change::default();
            if let (true, Some(data)) = (moves, attachment.data) {
                let (write, uploaded, facts) = self.moved(&attachment, data, &kind, id).await?;
                change.url = write_target(&write).map(|id| format!("Binary/{id}"));
                change.facts = Some(facts);
                binaries.push((write, uploaded));
            } else if let Some(url) = attachment.url {
                let relative =
                    if url.starts_with("Binary/") { Some(url.to_owned()) } else { (self.local)(url) };
                if let Some((binary, version)) = relative.as_deref().and_then(index::binary_named) {
                    self.check_linked(&attachment, &binary, version).await?;
                    change.url = relative;
                }
            }
            changes.push(change);
        }
        let from_r5 = self.version == Version::R5;
        attachments::change_attachments(resource, self.version, &mut |n, members| {
            if let Some(change) = changes.get_mut(n) {
                std::mem::take(change).apply(members, from_r5);
            }
        });
        Ok(binaries)
    }

    /// The Binary that the data of an attachment becomes. Its id is made of where it stood and what it is, so
    /// that the same resource sent again changes nothing.
    async fn moved(
        &self,
        attachment: &Attachment<'_>,
        data: &str,
        kind: &str,
        id: &ResourceId,
    ) -> Result<(Write, Uploaded, Facts), IntakeError> {
        let fault = |reason| IntakeError::Attachment { expression: attachment.path.clone(), reason };
        let content_type =
            attachment.content_type.ok_or_else(|| fault("data needs a contentType (att-1)"))?;
        let content_type =
            MediaType::new(content_type).map_err(|_| fault("contentType is not a media type"))?;
        let mut upload = self.service.upload();
        let mut decoder = Decoder::default();
        let mut sha1 = Sha1::new();
        for piece in data.as_bytes().chunks(PIECE_BYTES) {
            let mut decoded = Vec::new();
            decoder.push(piece, &mut decoded).map_err(|_| fault("data is not base64"))?;
            if upload.size_bytes() + decoded.len() as u64 > self.document_bytes_max {
                return Err(IntakeError::TooLarge { limit_bytes: self.document_bytes_max });
            }
            sha1.update(&decoded);
            if !decoded.is_empty() {
                upload.write(decoded.into()).await?;
            }
        }
        decoder.finish().map_err(|_| fault("data is not base64"))?;
        if upload.size_bytes() == 0 {
            return Err(fault("data has no bytes"));
        }
        let facts = Facts { size_bytes: upload.size_bytes(), sha1: BASE64.encode_to_string(sha1.finalize()) };
        facts.check(attachment)?;
        let uploaded = upload.finish().await?;
        let binary = moved_id(kind, id, &attachment.path, uploaded.digest());
        let content = NewContent { content_type, security_context: None };
        let state = NewState { content: Some(content), writer: self.writer(), ..NewState::default() };
        let write = Write {
            kind: ResourceType::BINARY,
            intent: Intent::Update { id: binary },
            if_match: None,
            if_none_match: None,
            state: Some(state),
        };
        Ok((write, uploaded, facts))
    }

    /// What is declared of a Binary that is there must be so; one that is not there may come later.
    async fn check_linked(
        &self,
        attachment: &Attachment<'_>,
        binary: &ResourceId,
        version: Option<u64>,
    ) -> Result<(), IntakeError> {
        if attachment.size.is_none() && attachment.hash.is_none() {
            return Ok(());
        }
        if let (Some(facts), None) = (self.beside.get(binary), version) {
            return facts.check(attachment);
        }
        let lookup = self.service.lookup(self.tenant, self.grant);
        let found = match version {
            None => lookup.read(&ResourceType::BINARY, binary).await,
            Some(version) => lookup.vread(&ResourceType::BINARY, binary, version).await,
        };
        let content = match found {
            Ok(stored) => lookup.content(&stored).await,
            Err(LookupError::Store(error)) => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        match content {
            Ok(content) => Facts::of(&content, attachment.hash.is_some()).await?.check(attachment),
            Err(LookupError::Store(error)) => Err(error.into()),
            Err(_) => Ok(()),
        }
    }
}

/// Compares the declared size and hash of an attachment with its bytes.
///
/// # Errors
/// `Attachment` if they differ.
pub fn check_declared(
    path: &str,
    bytes: &[u8],
    size: Option<&str>,
    hash: Option<&str>,
) -> Result<(), IntakeError> {
    let facts = Facts { size_bytes: bytes.len() as u64, sha1: BASE64.encode_to_string(Sha1::digest(bytes)) };
    let (content_type, url, data) = (None, None, None);
    facts.check(&Attachment { path: path.to_owned(), content_type, url, data, size, hash })
}

/// What an attachment says of its bytes.
pub struct Facts {
    size_bytes: u64,
    /// In base64; empty if it was not looked at.
    sha1: String,
}

impl Facts {
    async fn of(content: &Content, hashed: bool) -> Result<Self, charta_store::Error> {
        let size_bytes = content.size_bytes();
        let mut sha1 = Sha1::new();
        let mut reader = content.reader(0..if hashed { size_bytes } else { 0 })?;
        loop {
            let piece = reader.next().await?;
            if piece.is_empty() {
                break;
            }
            sha1.update(&piece);
        }
        let sha1 = if hashed { BASE64.encode_to_string(sha1.finalize()) } else { String::new() };
        Ok(Self { size_bytes, sha1 })
    }

    /// Clause: FHIR R4 datatypes.html#attachment
    fn check(&self, attachment: &Attachment<'_>) -> Result<(), IntakeError> {
        let fault = |reason| IntakeError::Attachment { expression: attachment.path.clone(), reason };
        if attachment.size.is_some_and(|size| size.parse() != Ok(self.size_bytes)) {
            return Err(fault("size is not the number of bytes"));
        }
        // Systems in use write it in hexadecimal digits, which are base64 as well, of other bytes.
        let hex = || {
            BASE64.decode_to_vec(&self.sha1).map(|bytes| bytes.iter().map(|b| format!("{b:02x}")).collect())
        };
        let fits =
            |hash: &str| hash == self.sha1 || hex().is_ok_and(|hex: String| hash.eq_ignore_ascii_case(&hex));
        if attachment.hash.is_some_and(|hash| !fits(hash)) {
            return Err(fault("hash is not the SHA-1 of the bytes"));
        }
        Ok(())
    }
}

/// What becomes of one attachment.
#[derive(Default)]
struct Change {
    url: Option<String>,
    facts: Option<Facts>,
}

impl Change {
    fn apply(self, members: &mut Vec<(std::borrow::Cow<'static, str>, Node)>, from_r5: bool) {
        let mut attachment = Node::Object(std::mem::take(members));
        if let Some(Facts { size_bytes, sha1 }) = self.facts {
            attachment.take("data");
            attachment.take("_data");
            let size = if from_r5 { Node::text(size_bytes.to_string()) } else { Node::number(size_bytes) };
            attachment.set("size", size);
            attachment.set("hash", Node::text(sha1));
        }
        if let Some(url) = self.url {
            attachment.set("url", Node::text(url));
        }
        if let Node::Object(changed) = attachment {
            *members = changed;
        }
    }
}

fn write_target(write: &Write) -> Option<&ResourceId> {
    match &write.intent {
        Intent::Update { id } => Some(id),
        _ => None,
    }
}

fn moved_id(kind: &str, id: &ResourceId, path: &str, digest: Digest) -> ResourceId {
    let mut hasher = Hasher::default();
    for part in [kind, "/", id.as_str(), "#", path] {
        hasher.update(part.as_bytes());
    }
    hasher.update(digest.as_bytes());
    ResourceId::new(&hasher.finish().hex()[..32]).expect("32 hexadecimal digits are a valid id")
}
