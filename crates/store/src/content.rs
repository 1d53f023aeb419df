//! The bytes of documents.

use std::{fs::File, ops::Range, sync::Arc};

use bytes::Bytes;

use crate::Error;

/// The bytes of one version, opened. Cheap to clone; stays readable when the document is purged.
#[derive(Debug, Clone)]
pub struct Content {
    size_bytes: u64,
    opened: Opened,
}

/// What an opened content is read from.
#[derive(Debug, Clone)]
pub enum Opened {
    /// Memory.
    Memory(Bytes),
    /// A file that holds these bytes and nothing else.
    File(Arc<File>),
}

impl Content {
    /// Number of bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes, if the catalog keeps them.
    #[must_use]
    pub fn memory(&self) -> Option<&Bytes> {
        match &self.opened {
            Opened::Memory(bytes) => Some(bytes),
            Opened::File(_) => None,
        }
    }

    /// The file, if a file keeps them: for handing it to the kernel. Its position is not to be used.
    #[must_use]
    pub fn file(&self) -> Option<&Arc<File>> {
        match &self.opened {
            Opened::Memory(_) => None,
            Opened::File(file) => Some(file),
        }
    }

    /// The bytes of `range` if they are in memory, be it the kernel's; `None` if that needs waiting.
    #[must_use]
    pub fn read_now(&self, _range: Range<u64>) -> Option<Result<Bytes, Error>> {
        None
    }

    /// The bytes of `range`, end excluded: exactly so many.
    ///
    /// # Errors
    /// `Unusable` if the range ends behind the content, `Corrupt` if the file is shorter than its
    /// record says, `Unavailable` if trying again may help.
    #[expect(clippy::unused_async, reason = "reads on the blocking pool")]
    pub async fn read(&self, _range: Range<u64>) -> Result<Bytes, Error> {
        Err(Error::Closed)
    }
}
