//! The directory of a store, and its locks.
//!
//! ```text
//! lock              held by the one process that writes
//! sweep.lock        held exclusively by a sweep, shared by backups and checks
//! development-key*  the server's: with what it signs tokens, if it does
//! catalog.sqlite    with -wal and -shm beside it
//! content/
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use crate::{Error, OpenError, content::files::sync_directory};

/// A lock that is released when dropped: by word, as closing the file is not enough while a process that
/// this one is about to start still has it open.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// `None` if it does not wait and another holds the lock.
    fn take(file: File, operation: FlockOperation) -> io::Result<Option<Self>> {
        match flock(&file, operation) {
            Ok(()) => Ok(Some(Self(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock); // closing does the same a moment later
    }
}

/// Where a store is.
#[derive(Debug, Clone)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.into())
    }

    pub(crate) fn catalog(&self) -> PathBuf {
        self.0.join("catalog.sqlite")
    }

    pub(crate) fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    pub(crate) fn content(&self) -> PathBuf {
        self.0.join("content")
    }

    fn sweep_lock(&self) -> PathBuf {
        self.0.join("sweep.lock")
    }

    /// Makes the directory if there is none, and takes its lock.
    pub(crate) fn lock(&self) -> Result<Lock, OpenError> {
        self.lock_with(&["lock", "sweep.lock", "content", "lost+found"])
    }

    /// The same where the records are elsewhere: what else a process keeps is no sign of a missing catalog.
    pub(crate) fn lock_beside(&self) -> Result<Lock, OpenError> {
        self.lock_with(&["lock", "sweep.lock", "content", "lost+found", "audit"])
    }

    fn lock_with(&self, ours: &[&str]) -> Result<Lock, OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        create_directory(&self.0).map_err(failed(&self.0))?;
        if self.is_foreign(ours).map_err(failed(&self.0))? {
            return Err(OpenError::NotAStore { directory: self.0.clone() });
        }
        let path = self.0.join("lock");
        let lock = open_lock(&path)
            .and_then(|file| Lock::take(file, FlockOperation::NonBlockingLockExclusive))
            .map_err(failed(&path))?
            .ok_or_else(|| OpenError::InUse { directory: self.0.clone() })?;
        open_lock(&self.sweep_lock()).map_err(failed(&self.0))?;
        Ok(lock)
    }

    /// Whether there is something, but no catalog. What a crash left of a creation is no obstacle.
    fn is_foreign(&self, ours: &[&str]) -> io::Result<bool> {
        if self.catalog().exists() {
            return Ok(false);
        }
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let is_key = name.as_encoded_bytes().starts_with(b"development-key");
            if !is_key && !ours.iter().any(|ours| name.as_os_str() == *ours) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts the names in the directory on stable storage.
    pub(crate) fn sync(&self) -> Result<(), OpenError> {
        sync_directory(&self.0).map_err(|source| OpenError::Io { path: self.0.clone(), source })
    }

    /// Keeps sweeps away until the file is dropped; waits for one that runs.
    pub(crate) fn hold_off_sweeps(&self) -> Result<Option<Lock>, Error> {
        self.take_sweep_lock(FlockOperation::LockShared)
    }

    /// For a sweep; `None` while a backup or check runs.
    pub(crate) fn begin_sweep(&self) -> Result<Option<Lock>, Error> {
        self.take_sweep_lock(FlockOperation::NonBlockingLockExclusive)
    }

    fn take_sweep_lock(&self, operation: FlockOperation) -> Result<Option<Lock>, Error> {
        File::open(self.sweep_lock())
            .and_then(|file| Lock::take(file, operation))
            .map_err(|error| Error::io("taking sweep.lock", &error))
    }
}

/// Makes a directory that only its owner may enter, and puts its name on stable storage.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}
