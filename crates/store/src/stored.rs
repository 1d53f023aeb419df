//! What the catalog gives back: documents, and where their bytes are.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use charta_model::{Document, ResourceId, ResourceType};

/// One version of a document, and where its bytes are.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What is known about it.
    pub document: Document,
    pub(crate) place: Place,
    /// The documents that name it as their content, once somebody has asked.
    pub(crate) anchors: OnceLock<Box<[(ResourceType, ResourceId)]>>,
}

impl Stored {
    /// A version and where its bytes are; for backends.
    #[must_use]
    pub fn new(document: Document, place: Place) -> Self {
        Self { document, place, anchors: OnceLock::new() }
    }

    /// What [`crate::Store::anchors`] gives, if it is remembered.
    #[must_use]
    pub fn anchors(&self) -> Option<&[(ResourceType, ResourceId)]> {
        self.anchors.get().map(|anchors| &**anchors)
    }

    /// Bytes of memory that it takes in the cache, roughly.
    pub(crate) fn weight_bytes(&self) -> usize {
        const RECORD: usize = 512;
        let bytes = match &self.place {
            Place::Memory(bytes) => bytes.len(),
            _ => 0,
        };
        let text = self.document.description.as_ref().map_or(0, |description| {
            let source = description.source.as_ref().map_or(0, |source| source.body.len());
            let labels = &description.labels;
            source + 128 * (labels.profiles.len() + labels.security.len() + labels.tags.len())
        });
        RECORD + bytes + text
    }
}

/// Where the bytes of a version are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A deletion has none, nor has anything but a Binary.
    Nowhere,
    /// Here: they came with the record.
    Memory(Bytes),
    /// In the catalog under this key.
    Catalog(i64),
    /// In the content store under this key.
    File(Arc<str>),
}

/// A page of a history.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// Sequence number and version, newest first.
    pub entries: Vec<(u64, Arc<Stored>)>,
    /// How many versions match on all pages.
    pub total: u64,
    /// Whether there are matches older than this page.
    pub more: bool,
}

/// A page of a search.
#[derive(Debug, Clone, Default)]
pub struct SearchPage {
    /// The documents in the order that was asked for.
    pub matches: Vec<Arc<Stored>>,
    /// How many documents match on all pages. Uncounted, it is known of those after the page only that there are some.
    pub total: u64,
}

/// A version that names a Binary as its content.
#[derive(Debug, Clone)]
pub struct Referrer {
    /// That version.
    pub document: Arc<Stored>,
    /// Whether it is the current one.
    pub current: bool,
    /// The version of the Binary that it names; `None` means the current one.
    pub version: Option<u64>,
    /// Whether it says of itself that it was entered in error.
    pub in_error: bool,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Contents that no version referred to.
    pub contents: u64,
    /// Files, of those contents and of writes that never ended.
    pub files: u64,
    /// Bytes that became free.
    pub bytes: u64,
}

/// Counters that cost next to nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Current, undeleted documents of all tenants.
    pub documents: u64,
    /// Versions of all documents of all tenants, deletions included.
    pub versions: u64,
    /// Bytes of the catalog's file.
    pub catalog_bytes: u64,
    /// Documents in the cache.
    pub cached_documents: u64,
    /// Bytes that the cache takes, roughly.
    pub cached_bytes: u64,
}

/// What a backup or a restore copied.
#[derive(Debug, Clone, Default)]
pub struct BackupSummary {
    /// Current, undeleted documents.
    pub documents: u64,
    /// Contents, in the catalog and in files.
    pub contents: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Content that was damaged at the source. All else was copied.
    pub findings: Vec<Finding>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One line for the operator.
    pub problem: String,
    /// Whether it was mended.
    pub repaired: bool,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)?;
        if self.repaired { f.write_str(" (repaired)") } else { Ok(()) }
    }
}
