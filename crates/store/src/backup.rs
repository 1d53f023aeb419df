//! Copies a store while it serves, and back.
//!
//! Contract 12: the catalog's copy is of one instant, and every content that it names is copied while
//! sweeps are kept away. What is not whole never has the name that was asked for.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use charta_model::{Digest, Hasher, ResourceId, ResourceType, TenantId};

use crate::{
    Access, BackupSummary, Content, Error, Finding, Progress, Store, audit,
    catalog::{Catalog, Companion, ContentRecord, sqlite::Sqlite},
    content::{
        ContentStore,
        files::{create_parent, open_named, sync_directory},
    },
    directory::{Directory, create_directory},
};

/// Files are copied in pieces of so many bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Contents are looked at in groups of so many.
const GROUP: usize = 256;

impl Store {
    /// Copies the store as it is now into `destination`, which must not exist; writes go on meanwhile.
    ///
    /// The copy keeps content in files, wherever it is here. Every byte is verified. Content that is damaged or missing here is listed in the summary, and
    /// everything else is copied.
    ///
    /// # Errors
    /// `Unusable` if the destination exists; `Full` or `Unavailable`; nothing of that name is then left.
    pub async fn backup(&self, destination: &Path, progress: Progress<'_>) -> Result<BackupSummary, Error> {
        if exists(destination) {
            return Err(Error::Unusable("the destination of the backup exists"));
        }
        let _lock = self.hold_off_sweeps().await?; // Contract 8
        let partial = Partial::create(destination)?;
        let copy = Directory::new(&partial.path);
        self.catalog().snapshot(&copy.catalog()).await?;
        let files = self.directory().content();
        let source = match self.contents().is_shared() {
            true => Source::Store(self.contents()),
            false => Source::Files(&files),
        };
        let summary = copy_content(source, &copy, progress).await?;
        copy_audit_log(self.directory(), &copy).await?;
        partial.finish()?;
        Ok(summary)
    }

    /// Makes a store in `destination`, which must be absent or empty, out of a backup (or of any store
    /// that nobody has opened). Every byte is verified.
    ///
    /// # Errors
    /// `Unusable` if the destination holds something or the source is no store; `Full` or `Unavailable`;
    /// the destination is then as it was.
    pub fn restore(
        source: &Path,
        destination: &Path,
        progress: Progress<'_>,
    ) -> Result<BackupSummary, Error> {
        let source = Directory::new(source);
        if !source.catalog().exists() {
            return Err(Error::Unusable("the source of the restore is not a document store"));
        }
        let empty = match fs::read_dir(destination) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !exists(destination),
        };
        if !empty {
            return Err(Error::Unusable("the destination of the restore is not empty"));
        }
        let partial = Partial::create(destination)?;
        let copy = Directory::new(&partial.path);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| Error::io("starting the restore", &error))?;
        let summary = runtime.block_on(async {
            let catalog = open_catalog(&source)?;
            catalog.snapshot(&copy.catalog()).await?;
            catalog.close().await;
            let summary = copy_content(Source::Files(&source.content()), &copy, progress).await?;
            copy_audit_log(&source, &copy).await?;
            Ok::<_, Error>(summary)
        })?;
        partial.finish()?;
        Ok(summary)
    }
}

/// The audit log goes along, as far as it is written when the rest is copied.
async fn copy_audit_log(from: &Directory, to: &Directory) -> Result<(), Error> {
    let (from, to) = (from.audit(), to.audit());
    let copied = tokio::task::spawn_blocking(move || audit::copy(&from, &to));
    let copied = copied.await.map_err(|error| Error::task(&error))?;
    copied.map(drop).map_err(|error| Error::io("copying the audit log", &error))
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Where larger content is copied from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// Files below this directory.
    Files(&'a Path),
    /// A store on another machine.
    Store(&'a dyn ContentStore),
}

/// Copies every content that the catalog in `copy` names, and verifies what that catalog holds itself.
async fn copy_content(
    source: Source<'_>,
    copy: &Directory,
    progress: Progress<'_>,
) -> Result<BackupSummary, Error> {
    let catalog = open_catalog(copy)?;
    let mut summary =
        BackupSummary { documents: catalog.tally().await?.documents, ..BackupSummary::default() };
    let (_, total) = catalog.content_totals().await?;
    progress(0, total);
    let mut after = 0;
    loop {
        let group = catalog.contents(after, GROUP).await?;
        let Some(last) = group.last() else { break };
        after = last.key;
        for record in group {
            let problem = match &record.file {
                None => verify(&*catalog, &record).await?,
                Some(key) => match source {
                    Source::Files(directory) => copy_file(directory, &copy.content(), key, &record).await?,
                    Source::Store(store) => fetch(store, &copy.content(), key, &record).await?,
                },
            };
            summary.findings.extend(problem.map(|problem| Finding { problem, repaired: false }));
            summary.contents += 1;
            summary.bytes += record.size_bytes;
            progress(summary.bytes, total);
        }
    }
    catalog.close().await;
    Ok(summary)
}

/// A catalog that nobody writes.
fn open_catalog(directory: &Directory) -> Result<Box<dyn Catalog>, Error> {
    struct Alone;
    impl Companion for Alone {
        fn changing(&self, _: &[(TenantId, ResourceType, ResourceId)]) {}
        fn changed(&self, _: &[(TenantId, ResourceType, ResourceId)]) {}
        fn holds(&self, _: &str, _: u64) -> bool {
            true
        }
        fn replaced(&self) {}
    }
    let opened = Sqlite::open(&directory.catalog(), Access::ReadOnly, Arc::new(Alone));
    Ok(Box::new(opened.map_err(|error| Error::Unavailable(error.to_string().into()))?))
}

async fn verify(catalog: &dyn Catalog, record: &ContentRecord) -> Result<Option<String>, Error> {
    match catalog.bytes(record.key).await {
        Ok(_) => Ok(None),
        Err(Error::Missing(_)) => Ok(Some(format!("content {} is missing", record.digest.hex()))),
        Err(Error::Corrupt(problem)) => Ok(Some(problem.to_string())),
        Err(other) => Err(other),
    }
}

async fn copy_file(
    source: &Path,
    destination: &Path,
    key: &str,
    record: &ContentRecord,
) -> Result<Option<String>, Error> {
    let (source, destination, key) = (source.to_owned(), destination.to_owned(), key.to_owned());
    let (size_bytes, digest) = (record.size_bytes, record.digest);
    let copied = tokio::task::spawn_blocking(move || {
        let from = match open_named(&source, &key) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(format!("content {key} is missing")));
            }
            Err(error) => return Err(error),
        };
        let (size, found) = copy_bytes(from, &destination, &key)?;
        let right = size == size_bytes && found == digest;
        Ok((!right).then(|| format!("content {key} is damaged: its bytes have another digest")))
    });
    copied
        .await
        .map_err(|error| Error::task(&error))?
        .map_err(|error: io::Error| Error::io("copying content", &error))
}

/// The same from another machine. What comes is verified there; the digest says that it belongs to the record.
async fn fetch(
    store: &dyn ContentStore,
    destination: &Path,
    key: &str,
    record: &ContentRecord,
) -> Result<Option<String>, Error> {
    let path = destination.join(key);
    let failed = |error: io::Error| Error::io("copying content", &error);
    let mut to = new_file(&path).map_err(failed)?;
    let fetched = async {
        let content = Content::new(record.size_bytes, store.open(key, record.size_bytes).await?);
        let (mut reader, mut hasher) = (content.reader(0..record.size_bytes)?, Hasher::default());
        loop {
            let piece = reader.next().await?;
            if piece.is_empty() {
                to.sync_all().map_err(failed)?;
                return Ok(hasher.finish());
            }
            hasher.update(&piece);
            to.write_all(&piece).map_err(failed)?;
        }
    };
    let problem = match fetched.await {
        Ok(digest) if digest == record.digest => return Ok(None),
        Ok(_) => format!("content {key} is damaged: its bytes have another digest"),
        Err(Error::Missing(_)) => format!("content {key} is missing"),
        Err(Error::Corrupt(problem)) => format!("content {key} is damaged: {problem}"),
        Err(other) => return Err(other),
    };
    fs::remove_file(&path).map_err(failed)?;
    Ok(Some(problem))
}

/// Contract 3 holds for copies too: each file is synced; the directories follow at the end.
fn copy_bytes(mut from: File, destination: &Path, key: &str) -> io::Result<(u64, Digest)> {
    let mut to = new_file(&destination.join(key))?;
    let (mut buffer, mut size, mut hasher) = (vec![0; PIECE_BYTES], 0, Hasher::default());
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        size += read as u64;
    }
    to.sync_all()?;
    Ok((size, hasher.finish()))
}

fn new_file(path: &Path) -> io::Result<File> {
    create_parent(path)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A copy on its way: `<destination>.partial` until it is whole. Dropped before, it is removed.
struct Partial {
    path: PathBuf,
    destination: PathBuf,
    whole: bool,
}

impl Partial {
    fn create(destination: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::io("creating the copy", &error);
        let mut path = destination.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        if exists(&path) {
            fs::remove_dir_all(&path).map_err(failed)?; // of a copy that was cut off
        }
        create_directory(&path).map_err(failed)?;
        let partial = Self { path, destination: destination.into(), whole: false };
        let incoming = partial.path.join("content/incoming");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(incoming).map_err(failed)?;
        // What a store that is only read takes its locks on.
        File::create(partial.path.join("sweep.lock")).map_err(failed)?;
        Ok(partial)
    }

    fn finish(mut self) -> Result<(), Error> {
        let failed = |error: io::Error| Error::io("finishing the copy", &error);
        for log in ["catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let _ = fs::remove_file(self.path.join(log)); // empty: the copy was only read
        }
        sync_tree(&self.path).map_err(failed)?;
        fs::rename(&self.path, &self.destination).map_err(failed)?;
        self.whole = true;
        match self.destination.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent).map_err(failed),
            _ => sync_directory(Path::new(".")).map_err(failed),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.whole {
            let _ = fs::remove_dir_all(&self.path); // the next copy to this place tries again
        }
    }
}

/// Every directory, and the files of the top one: those below were synced when they were written.
fn sync_tree(top: &Path) -> io::Result<()> {
    for entry in fs::read_dir(top)? {
        let path = entry?.path();
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                let path = entry?.path();
                if path.is_dir() {
                    sync_directory(&path)?;
                }
            }
            sync_directory(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    sync_directory(top)
}
