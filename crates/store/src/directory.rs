//! The directory of a store, and its locks.
//!
//! ```text
//! lock              held by the one process that writes
//! sweep.lock        held exclusively by a sweep, shared by backups and checks
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

    pub(crate) fn content(&self) -> PathBuf {
        self.0.join("content")
    }

    fn sweep_lock(&self) -> PathBuf {
        self.0.join("sweep.lock")
    }

    /// Makes the directory if there is none, and takes its lock.
    pub(crate) fn lock(&self) -> Result<File, OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        create_directory(&self.0).map_err(failed(&self.0))?;
        if self.is_foreign().map_err(failed(&self.0))? {
            return Err(OpenError::NotAStore { directory: self.0.clone() });
        }
        let path = self.0.join("lock");
        let lock = open_lock(&path).map_err(failed(&path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(OpenError::InUse { directory: self.0.clone() }),
            Err(error) => return Err(failed(&path)(error.into())),
        }
        open_lock(&self.sweep_lock()).map_err(failed(&self.0))?;
        Ok(lock)
    }

    /// Whether there is something, but no catalog. What a crash left of a creation is no obstacle.
    fn is_foreign(&self) -> io::Result<bool> {
        if self.catalog().exists() {
            return Ok(false);
        }
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let ours = ["lock", "sweep.lock", "content", "lost+found"];
            if !ours.iter().any(|ours| name.as_os_str() == *ours) {
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
    pub(crate) fn hold_off_sweeps(&self) -> Result<File, Error> {
        let failed = |error: io::Error| Error::io("taking sweep.lock", &error);
        let lock = File::open(self.sweep_lock()).map_err(failed)?;
        flock(&lock, FlockOperation::LockShared).map_err(|error| failed(error.into()))?;
        Ok(lock)
    }

    /// For a sweep; `None` while a backup or check runs.
    pub(crate) fn begin_sweep(&self) -> Result<Option<File>, Error> {
        let failed = |error: io::Error| Error::io("taking sweep.lock", &error);
        let lock = File::open(self.sweep_lock()).map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(lock)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
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
