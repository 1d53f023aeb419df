//! Content in files.
//!
//! ```text
//! content/incoming/<random>                bytes that are coming in
//! content/incoming/<digest>-<random>       bytes that are whole and may be named by a record
//! content/<aa>/<digest>-<random>           bytes that a record names; aa: the digest's first two digits
//! ```
//!
//! A file moves on when its record is on stable storage. That move is not synced: readers look in both
//! places, and whoever opens the store after a crash moves what a record names and removes the rest.
//! So the work after a crash grows with the uploads that were cut off, and a sweep, which only looks at
//! the last place, never meets a file that is still to get its record.
//!
//! `sha256sum` of a file prints the first part of its name.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    num::NonZeroUsize,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::Digest;
use lru::LruCache;
use tokio::task::spawn_blocking;

use super::{ContentStore, ContentWriter, End, Listing, Opened, Placed, fresh_key};
use crate::Error;

/// So many files stay open for the next reader.
const OPEN_FILES_MAX: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not 0");

/// Where files are until their record is there.
const INCOMING: &str = "incoming";

/// Content below a directory.
pub struct Files {
    directory: Arc<Path>,
    open: Arc<Mutex<LruCache<Box<str>, Arc<File>>>>,
}

impl Files {
    /// Content below `directory`, which is there.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.into(), open: Arc::new(Mutex::new(LruCache::new(OPEN_FILES_MAX))) }
    }

    /// Makes the directories.
    ///
    /// # Errors
    /// Any of the file system's.
    pub fn create(directory: &Path) -> io::Result<()> {
        let incoming = directory.join(INCOMING);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&incoming)?;
        sync_directory(directory)
    }

    /// Ends what a crash cut off; to be called before anything is taken in.
    ///
    /// Contract 7: the work grows with the uploads that were cut off, not with the store.
    ///
    /// # Errors
    /// Any of the file system's, and those of `known`.
    pub fn recover(&self, known: impl Fn(&[String]) -> Result<Vec<bool>, Error>) -> Result<(), Error> {
        let failed = |error: io::Error| Error::io("clearing content/incoming", &error);
        let incoming = self.directory.join(INCOMING);
        for entry in fs::read_dir(&incoming).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let key = entry.file_name().to_str().filter(|name| name.contains('-')).and_then(key_of);
            match key {
                Some(key) if known(std::slice::from_ref(&key))? == [true] => {
                    move_on(&self.directory, &key).map_err(failed)?;
                }
                _ => fs::remove_file(entry.path()).map_err(failed)?,
            }
        }
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Path>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let directory = Arc::clone(&self.directory);
        spawn_blocking(move || work(&directory)).await.map_err(|error| Error::task(&error))?
    }

    fn cached(&self, key: &str) -> Option<Arc<File>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

#[async_trait]
impl ContentStore for Files {
    async fn create(&self) -> Result<Box<dyn ContentWriter>, Error> {
        let writer = self.blocking(FileWriter::create).await?;
        Ok(Box::new(writer))
    }

    async fn open(&self, key: &str, size_bytes: u64) -> Result<Opened, Error> {
        if let Some(file) = self.cached(key) {
            return Ok(Opened::File(file));
        }
        let (name, open) = (key.to_owned(), Arc::clone(&self.open));
        self.blocking(move |directory| {
            let file = Arc::new(open_file(directory, &name, size_bytes)?);
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            open.put(name.into(), Arc::clone(&file));
            Ok(Opened::File(file))
        })
        .await
    }

    fn holds(&self, key: &str, size_bytes: u64) -> bool {
        let found = in_either(&self.directory, key, |path| fs::metadata(path));
        found.is_ok_and(|file| file.is_file() && file.len() == size_bytes)
    }

    async fn remove(&self, key: &str) -> Result<Option<u64>, Error> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).pop(key);
        let name = key.to_owned();
        self.blocking(move |directory| {
            let removed = in_either(directory, &name, |path| {
                let size = fs::symlink_metadata(path)?.len();
                fs::remove_file(path)?;
                Ok(size)
            });
            match removed {
                Ok(size) => Ok(Some(size)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::io("removing a file of content", &error)),
            }
        })
        .await
    }

    /// One shelf at a time.
    async fn list(&self, from: Option<String>) -> Result<Listing, Error> {
        let first = from.and_then(|shelf| u8::from_str_radix(&shelf, 16).ok()).unwrap_or(0);
        self.blocking(move |directory| {
            for shelf in first..=u8::MAX {
                let keys = list(directory, shelf).map_err(|error| Error::io("listing content", &error))?;
                if !keys.is_empty() {
                    let next = shelf.checked_add(1).map(|next| format!("{next:02x}"));
                    return Ok(Listing { keys, next });
                }
            }
            Ok(Listing::default())
        })
        .await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.blocking(|directory| {
            let path = directory.join(INCOMING).join(random());
            new_file(&path)
                .and_then(|mut file| file.write_all(b"x"))
                .and_then(|()| fs::remove_file(&path))
                .map_err(|error| Error::io("writing to the content directory", &error))
        })
        .await
    }
}

fn open_file(directory: &Path, key: &str, size_bytes: u64) -> Result<File, Error> {
    let file = open_named(directory, key).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(key.into()),
        _ => Error::io("opening content", &error),
    })?;
    let found = file.metadata().map_err(|error| Error::io("opening content", &error))?.len();
    if found == size_bytes {
        Ok(file)
    } else {
        Err(Error::Corrupt(format!("content {key} has {found} bytes instead of {size_bytes}").into()))
    }
}

/// Does `action` to the file of this key, wherever it is on its way.
fn in_either<T>(directory: &Path, key: &str, action: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let (last, incoming) = (directory.join(key), incoming(directory, key));
    // The last place once more, as the file may have moved between the first two looks.
    for path in [&last, &incoming] {
        match action(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
    }
    action(&last)
}

/// Where the file of this key is until its record is there.
fn incoming(directory: &Path, key: &str) -> PathBuf {
    directory.join(INCOMING).join(key.split_once('/').map_or(key, |(_, name)| name))
}

/// The inverse of [`incoming`]; `None` if it is not the name of a whole file.
fn key_of(name: &str) -> Option<String> {
    let digest = Digest::from_hex(name.split_once('-')?.0)?;
    Some(format!("{:02x}/{name}", digest.as_bytes()[0]))
}

/// Moves a file that a record names to its last place.
fn move_on(directory: &Path, key: &str) -> io::Result<()> {
    let last = directory.join(key);
    match fs::rename(incoming(directory, key), &last) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => return result,
    }
    create_parent(&last)?;
    fs::rename(incoming(directory, key), &last)
}

/// Opens the file of this key, whatever its size.
pub(crate) fn open_named(directory: &Path, key: &str) -> io::Result<File> {
    in_either(directory, key, |path| File::open(path))
}

/// Makes the directory that a file of content goes to.
pub(crate) fn create_parent(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    match fs::DirBuilder::new().mode(0o700).create(parent) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn list(directory: &Path, first_byte: u8) -> io::Result<Vec<(String, u64)>> {
    let shard = format!("{first_byte:02x}");
    let entries = match fs::read_dir(directory.join(&shard)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let size = match entry.metadata() {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // removed meanwhile
            Err(error) => return Err(error),
        };
        if let Ok(name) = entry.file_name().into_string() {
            found.push((format!("{shard}/{name}"), size));
        }
    }
    Ok(found)
}

/// A file below `incoming/` until it is finished.
struct FileWriter {
    directory: Arc<Path>,
    /// Where it is; `None` once it has another owner.
    path: Option<PathBuf>,
    file: Arc<File>,
}

impl FileWriter {
    fn create(directory: &Arc<Path>) -> Result<Self, Error> {
        let path = directory.join(INCOMING).join(random());
        let file = new_file(&path).map_err(|error| Error::io("creating a file of content", &error))?;
        Ok(Self { directory: Arc::clone(directory), path: Some(path), file: Arc::new(file) })
    }

    /// Contract 3: the file is synced before it is named, its directory before anyone learns the name.
    fn place(&mut self, digest: &Digest) -> io::Result<String> {
        self.file.sync_all()?;
        let key = fresh_key(digest);
        let named = incoming(&self.directory, &key);
        if let Some(path) = &mut self.path {
            fs::rename(&*path, &named)?;
            *path = named;
        }
        sync_directory(&self.directory.join(INCOMING))?;
        Ok(key)
    }
}

#[async_trait]
impl ContentWriter for FileWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let file = Arc::clone(&self.file);
        spawn_blocking(move || (&*file).write_all(&bytes))
            .await
            .map_err(|error| Error::task(&error))?
            .map_err(|error| Error::io("writing content", &error))
    }

    async fn finish(mut self: Box<Self>, digest: &Digest) -> Result<Placed, Error> {
        let digest = *digest;
        spawn_blocking(move || {
            let key = self.place(&digest).map_err(|error| Error::io("storing content", &error))?;
            self.path = None;
            let directory = Arc::clone(&self.directory);
            Ok(Placed::new(key, move |key, end| settle(&directory, key, end)))
        })
        .await
        .map_err(|error| Error::task(&error))?
    }
}

fn settle(directory: &Path, key: &str, end: End) {
    match end {
        End::Kept => {
            if let Err(error) = move_on(directory, key)
                && error.kind() != io::ErrorKind::NotFound
            // already purged and swept
            {
                // It is found where it is, and moved when the store opens again.
                tracing::warn!(%error, key, "a file of content stays in incoming");
            }
        }
        End::Discarded => {
            let path = incoming(directory, key);
            in_background(move || drop(fs::remove_file(path))); // else it goes when the store opens again
        }
        End::Undecided => {}
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            in_background(move || drop(fs::remove_file(path))); // else it goes when the store opens again
        }
    }
}

/// Freeing a large file takes a while, which whoever drops one should not wait for.
fn in_background(work: impl FnOnce() + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => work(),
    }
}

/// A new file that only its owner may read.
fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Puts the names in a directory on stable storage.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
