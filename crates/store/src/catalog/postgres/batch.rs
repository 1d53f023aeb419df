//! Decides the transactions of one commit, under the tenant's lock.
//!
//! What they are about is read in one go. Each is then decided by what was read and what those before it come to, and
//! its rows are gathered; only a search has to see them in their tables. So most commits take three round trips.

mod adopt;
mod known;

use std::collections::{HashMap, HashSet};

use charta_model::{
    Digest, Document, Guard, Index, Query, ResourceId, ResourceType, Timestamp, Write, WriteOutcome,
};
use deadpool_postgres::ClientWrapper as Client;
use tokio_postgres::types::ToSql;

use super::{
    Node,
    failure::Failure,
    moving,
    names::{Names, plain},
    search::{self, Place},
    stage::{self, Content, Stage, Version},
};
use crate::{
    CommitError, Error, TransactError, Uploaded,
    catalog::{
        Companion, ContentRecord,
        entry::{self, standing},
    },
    commit::{self, Step},
    upload::Body,
};

pub(super) use known::begin;

/// Gathered rows of about so many bytes are written before there are more: the server sees that the transaction goes on.
const STAGED_BYTES_MAX: usize = 4 << 20;

/// One transaction that is to be decided.
pub(super) struct Asked {
    pub(super) guards: Vec<Guard>,
    pub(super) writes: Vec<Write>,
    /// The bytes of each write.
    pub(super) contents: Vec<Option<Brought>>,
    pub(super) now: Timestamp,
}

/// What is known of uploaded bytes.
pub(super) struct Brought {
    digest: Digest,
    size_bytes: u64,
    bytes: Option<bytes::Bytes>,
    file: Option<String>,
    is_announced: bool,
}

impl Brought {
    pub(super) fn of(uploaded: &Uploaded) -> Self {
        let (bytes, file, is_announced) = match uploaded.body() {
            Body::Memory(bytes) => (Some(bytes.clone()), None, false),
            Body::File(placed) => (None, Some(placed.key().to_owned()), placed.is_announced()),
        };
        Self { digest: uploaded.digest(), size_bytes: uploaded.size_bytes(), bytes, file, is_announced }
    }
}

/// What a write did, and what that means for its file.
pub(super) struct Applied {
    pub(super) outcome: WriteOutcome,
    /// Whether a record now names the uploaded content.
    pub(super) adopted: bool,
    /// Whether content that other records name was replaced.
    pub(super) replaced: bool,
}

/// What came of one transaction.
pub(super) type Done = Result<Vec<Applied>, TransactError>;

/// A value of a statement.
type Value<'v> = &'v (dyn ToSql + Sync);

/// The names of a document within the tenant.
type Name = (ResourceType, ResourceId);

/// A document as it is now.
#[derive(Clone)]
struct Newest {
    key: i64,
    state: Document,
}

/// A current document that names a Binary by whatever is current.
#[derive(Clone)]
struct User {
    document: i64,
    name: Name,
}

pub(super) struct Batch<'b> {
    node: &'b Node,
    client: &'b Client,
    names: &'b Names,
    companion: &'b dyn Companion,
    tenant: i64,
    /// Numbers for new rows, in rising order: of versions, documents, contents.
    fresh: std::vec::IntoIter<(i64, i64, i64)>,
    /// Of those that were asked for; `None` if there is none.
    newest: HashMap<Name, Option<Newest>>,
    contents: HashMap<Digest, ContentRecord>,
    /// The announced keys that this commit has taken: what it does not name is discarded.
    announced: HashSet<String>,
    /// By Binary, as it was before this commit.
    users: HashMap<ResourceId, Vec<User>>,
    /// What the documents that this commit changed name now.
    uses: HashMap<i64, (Name, Vec<ResourceId>)>,
    stage: Stage,
    staged_bytes: usize,
    undo: Vec<Undo>,
    /// Rows of the transaction that is being decided are in their tables already.
    has_savepoint: bool,
}

/// How to take back what is remembered of a transaction that fails.
enum Undo {
    Newest(Name, Box<Option<Newest>>),
    Content(Digest, Option<ContentRecord>),
    Uses(i64, Option<(Name, Vec<ResourceId>)>),
}

/// Where a transaction began.
#[derive(Clone, Copy)]
struct Mark {
    versions: usize,
    contents: usize,
    undo: usize,
}

impl<'b> Batch<'b> {
    fn empty(node: &'b Node, client: &'b Client, tenant: i64) -> Self {
        let (names, companion) = (&node.names, &*node.companion);
        Self {
            node,
            client,
            names,
            companion,
            tenant,
            fresh: Vec::new().into_iter(),
            newest: HashMap::new(),
            contents: HashMap::new(),
            announced: HashSet::new(),
            users: HashMap::new(),
            uses: HashMap::new(),
            stage: Stage::default(),
            staged_bytes: 0,
            undo: Vec::new(),
            has_savepoint: false,
        }
    }
}

impl Batch<'_> {
    /// Decides one transaction. An outer error is one of the connection: nothing of the commit will come about.
    ///
    /// Contract 11: guards hold before the writes, links of current documents after all of them.
    pub(super) async fn decide(&mut self, asked: &Asked) -> Result<Done, Failure> {
        let mark = Mark {
            versions: self.stage.versions.len(),
            contents: self.stage.contents.len(),
            undo: self.undo.len(),
        };
        let mut mark = mark;
        let done = self.apply(asked, &mut mark).await;
        let done = match done {
            Ok(applied) => Ok(applied),
            Err(Refused::Because(refused)) => Err(refused),
            Err(Refused::Broken(failure)) => return Err(failure),
        };
        if done.is_err() {
            self.take_back(mark).await?;
        }
        if std::mem::take(&mut self.has_savepoint) && done.is_ok() {
            self.client.batch_execute("RELEASE SAVEPOINT transaction").await?;
        }
        Ok(done)
    }

    async fn apply(&mut self, asked: &Asked, mark: &mut Mark) -> Result<Vec<Applied>, Refused> {
        for guard in &asked.guards {
            let found = self.matches(&guard.criteria, mark).await?;
            let holds = match (&found[..], &guard.found) {
                ([], None) => true,
                ([one], Some(id)) => one.id == *id,
                _ => false,
            };
            if !holds {
                return Err(refused(None, CommitError::Changed));
            }
        }
        let (mut done, mut took_bytes) = (Vec::with_capacity(asked.writes.len()), Vec::new());
        for (index, write) in asked.writes.iter().enumerate() {
            let content = asked.contents.get(index).and_then(Option::as_ref);
            let matches = match commit::criteria(&write.intent) {
                Some(criteria) => self.matches(criteria, mark).await?,
                None => Vec::new(),
            };
            let failed = |error| refused(Some(index), error);
            let target = match commit::target(&write.intent, &matches).map_err(failed)? {
                Step::Done(outcome) => {
                    done.push(Applied { outcome: *outcome, adopted: false, replaced: false });
                    continue;
                }
                Step::On(target) => target,
            };
            let name = (write.kind.clone(), target.id.clone());
            let newest = self.newest(&name).await?;
            let before = newest.as_ref().map(|newest| &newest.state);
            let bytes = content.map(|content| (content.size_bytes, content.digest));
            let outcome = commit::decide(&target, before, write, bytes, asked.now).map_err(failed)?;
            let mut applied = Applied { outcome, adopted: false, replaced: false };
            if let WriteOutcome::Created(document)
            | WriteOutcome::Updated(document)
            | WriteOutcome::Deleted(document) = &applied.outcome
            {
                if entry::takes_bytes(before, document) {
                    took_bytes.push((index, document.id.clone()));
                }
                let document = document.clone();
                let index_of = write.state.as_ref().map(|state| &state.index);
                let stored = self.store(None, newest, document, index_of, content);
                (applied.adopted, applied.replaced) = stored.map_err(|error| failed(error.into()))?;
                if self.staged_bytes > STAGED_BYTES_MAX {
                    self.flush(mark).await?;
                }
            }
            done.push(applied);
        }
        for (index, binary) in took_bytes {
            if let Some((kind, id)) = self.user(&binary).await? {
                return Err(refused(Some(index), CommitError::InUse { kind, id }));
            }
        }
        Ok(done)
    }

    /// The first two documents that match now.
    async fn matches(&mut self, criteria: &Query, mark: &mut Mark) -> Result<Vec<Document>, Failure> {
        if !self.stage.is_empty() {
            self.flush(mark).await?;
        }
        let Batch { client, names, tenant, .. } = *self;
        search::first_two(Place { client, names, tenant }, criteria).await
    }

    /// Gathers the rows of a new version. Tells whether a record now names the uploaded bytes, and whether it named
    /// others before. With the next sequence number, or with one that the version has elsewhere.
    fn store(
        &mut self,
        elsewhere: Option<i64>,
        before: Option<Newest>,
        document: Document,
        index: Option<&Index>,
        content: Option<&Brought>,
    ) -> Result<(bool, bool), Error> {
        let none_left = || Error::Unavailable("catalog: no number is left for another version".into());
        let (sequence, document_key, content_key) = self.fresh.next().ok_or_else(none_left)?;
        let sequence = elsewhere.unwrap_or(sequence);
        let (content, adopted, replaced) = match (document.content(), content) {
            (Some(_), Some(brought)) => self.place(brought, content_key)?,
            (Some(facts), None) => {
                let held = self.contents.get(&facts.digest).map(|held| held.key);
                (Some(held.ok_or_else(|| Error::Missing(facts.digest.hex().into()))?), false, false)
            }
            _ => (None, false, false),
        };
        let live = before.as_ref().filter(|before| before.state.description.is_some());
        let shelved = live.map(|before| entry::dialect(&before.state).to_owned());
        let dialect = match document.description {
            None => shelved.clone().unwrap_or_default(),
            Some(_) => entry::dialect(&document).to_owned(),
        };
        let kind = self.names.kind(&document.kind);
        let kind = kind.ok_or_else(|| Error::Unavailable("catalog: a type has no number".into()))?;
        let (entries, links) = match (&document.description, index) {
            (Some(description), Some(index)) => {
                let mut entries = standing(description);
                entries.extend(index.entries.iter().cloned());
                (entries, index.links.clone())
            }
            _ => (Vec::new(), Vec::new()),
        };
        let (is_new, key) = before.map_or((true, document_key), |before| (false, before.key));
        let name = (document.kind.clone(), document.id.clone());
        let used = links.iter().filter(|link| link.version.is_none() && !link.in_error);
        let used = (name.clone(), used.map(|link| link.binary.clone()).collect());
        self.undo.push(Undo::Uses(key, self.uses.insert(key, used)));
        let newest = Newest { key, state: document.clone() };
        let known = self.newest.insert(name.clone(), Some(newest));
        self.undo.push(Undo::Newest(name, Box::new(known.flatten())));
        self.staged_bytes +=
            document.source().map_or(0, |source| source.body.len()) + 128 * (4 + entries.len());
        let state = document;
        self.stage.versions.push(Version {
            sequence,
            document: key,
            is_new,
            kind,
            dialect: plain(&dialect),
            shelved,
            state,
            content,
            entries,
            links,
        });
        Ok((adopted, replaced))
    }

    /// Contract 9: the content row of these bytes within the tenant, made if there is none. Also tells whether it
    /// names the uploaded bytes, and whether it named others before.
    fn place(&mut self, brought: &Brought, fresh: i64) -> Result<(Option<i64>, bool, bool), Error> {
        let Brought { digest, size_bytes, bytes, file, is_announced } = brought;
        let (digest, size_bytes) = (*digest, *size_bytes);
        let found = self.contents.get(&digest).cloned();
        let is_there = |found: &ContentRecord| {
            found.file.as_ref().is_none_or(|file| self.companion.holds(file, found.size_bytes))
        };
        // Contract 1: bytes that were lost are no reason to throw away the same bytes.
        if let Some(found) = found.as_ref().filter(|found| is_there(found)) {
            return Ok((Some(found.key), false, false));
        }
        // Contract 8: whoever takes the key out of there has it. If it was not there, a sweep has.
        if *is_announced && !file.as_ref().is_some_and(|file| self.announced.contains(file)) {
            return Err(Error::Unavailable(
                "the content was swept before its record came; send it again".into(),
            ));
        }
        let key = found.as_ref().map_or(fresh, |found| found.key);
        let record = ContentRecord { key, digest, size_bytes, file: file.clone() };
        let before = self.contents.insert(digest, record);
        self.undo.push(Undo::Content(digest, before));
        self.staged_bytes += bytes.as_ref().map_or(0, bytes::Bytes::len);
        let replaces = found.and_then(|found| found.file);
        let replaced = replaces.is_some();
        self.stage.contents.push(Content {
            key,
            digest: *digest.as_bytes(),
            size_bytes: i64::try_from(size_bytes).unwrap_or(i64::MAX),
            file: file.clone(),
            bytes: bytes.clone(),
            replaces,
        });
        Ok((Some(key), true, replaced))
    }

    /// Writes what was gathered, so that searches see it. What is of the transaction that is being decided comes
    /// behind a savepoint.
    async fn flush(&mut self, mark: &mut Mark) -> Result<(), Failure> {
        let own = Stage {
            versions: self.stage.versions.split_off(mark.versions),
            contents: self.stage.contents.split_off(mark.contents),
        };
        let others = std::mem::take(&mut self.stage);
        (mark.versions, mark.contents, self.staged_bytes) = (0, 0, 0);
        self.write(others).await?;
        if !own.is_empty() {
            if !self.has_savepoint {
                self.client.batch_execute("SAVEPOINT transaction").await?;
                self.has_savepoint = true;
            }
            self.write(own).await?;
        }
        Ok(())
    }

    /// On another connection, whose transactions wait for nobody that waits for this one.
    async fn make_names(&self, stage: &Stage) -> Result<(), Failure> {
        let needed = stage::unknown(self.names, self.tenant, &stage.versions);
        if needed.is_empty() { Ok(()) } else { self.node.make_names(self.tenant, &needed).await }
    }

    async fn write(&self, stage: Stage) -> Result<(), Failure> {
        if stage.is_empty() {
            return Ok(());
        }
        self.make_names(&stage).await?;
        stage.write(self.client, self.names, self.tenant, None).await.map_err(|(failure, _)| failure)
    }

    /// The transaction that began at `mark` has failed.
    async fn take_back(&mut self, mark: Mark) -> Result<(), Failure> {
        self.stage.versions.truncate(mark.versions);
        self.stage.contents.truncate(mark.contents);
        for undo in self.undo.split_off(mark.undo).into_iter().rev() {
            match undo {
                Undo::Newest(name, before) => drop(self.newest.insert(name, *before)),
                Undo::Content(digest, Some(before)) => drop(self.contents.insert(digest, before)),
                Undo::Content(digest, None) => drop(self.contents.remove(&digest)),
                Undo::Uses(key, Some(before)) => drop(self.uses.insert(key, before)),
                Undo::Uses(key, None) => drop(self.uses.remove(&key)),
            }
        }
        if std::mem::take(&mut self.has_savepoint) {
            let back = "ROLLBACK TO SAVEPOINT transaction; RELEASE SAVEPOINT transaction";
            self.client.batch_execute(back).await?;
        }
        Ok(())
    }

    /// Ends the transaction. If that fails, it is told whether the commit may have come about.
    pub(super) async fn commit(mut self) -> Result<(), (Failure, bool)> {
        let stage = std::mem::take(&mut self.stage);
        self.make_names(&stage).await.map_err(|failure| (failure, false))?;
        let written = stage.write(self.client, self.names, self.tenant, Some("COMMIT")).await;
        // Contract 5: once COMMIT is sent, a lost connection says nothing.
        written.map_err(|(failure, is_commit)| {
            let undecided = failure.lost || is_commit;
            (failure, undecided)
        })
    }
}

/// Why a transaction does not come about.
enum Refused {
    /// It is to be told so; what shares its commit goes on.
    Because(TransactError),
    /// Nothing of the commit comes about.
    Broken(Failure),
}

fn refused(index: Option<usize>, error: CommitError) -> Refused {
    Refused::Because(TransactError { index, error })
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        match failure.error {
            // Words for the client, such as of a search that asks too much: the transaction goes on.
            Error::Unusable(_) => refused(None, failure.error.into()),
            _ => Self::Broken(failure),
        }
    }
}
