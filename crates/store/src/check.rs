//! Compares everything that is stored with what it should be.

use std::{collections::HashSet, time::Duration};

use charta_model::{Digest, Hasher};

use crate::{
    Access, AuditLog, AuditOptions, Content, Error, Finding, Progress, Store, catalog::ContentRecord,
    content::Opened,
};

/// Contents are looked at in groups of so many.
const GROUP: usize = 256;

/// So often is looked whether content that no record names still is there.
const LOOKS_AGAIN: u32 = 10;
/// With so much time between.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Store {
    /// Everything that is wrong: records against each other, content against size and digest, content
    /// that is missing, and content that no record names. Reads every byte; gives no false findings
    /// beside a running server.
    ///
    /// With `repair` derived indexes are derived again and content without a record is removed. Missing
    /// and damaged content cannot be mended here; storing the same bytes again replaces what is missing.
    ///
    /// # Errors
    /// `ReadOnly` for a repair; `Unavailable` if trying again may help.
    pub async fn check(&self, repair: bool, progress: Progress<'_>) -> Result<Vec<Finding>, Error> {
        let lock = self.hold_off_sweeps().await?;
        let mut findings = self.catalog().check(repair).await?;
        self.check_contents(progress, &mut findings).await?;
        let unnamed = self.still_unnamed().await?;
        findings.extend(self.written_audit_log()?.check().await?);
        drop(lock);
        if repair {
            self.sweep().await?;
        }
        findings.extend(unnamed.into_iter().map(|(key, size_bytes)| Finding {
            problem: format!("content {key} ({size_bytes} bytes) belongs to no document"),
            repaired: repair,
        }));
        Ok(findings)
    }

    /// Content that no record names. What another process has just brought into a shared store may still get its
    /// record, so it is looked at again for a while.
    async fn still_unnamed(&self) -> Result<Vec<(String, u64)>, Error> {
        let mut unnamed = self.all_unnamed().await?;
        let is_beside_others = self.contents().is_shared() && self.access() == Access::ReadOnly;
        let mut looks = if is_beside_others { LOOKS_AGAIN } else { 0 };
        while !unnamed.is_empty() && looks > 0 {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let now: HashSet<_> = self.all_unnamed().await?.into_iter().collect();
            unnamed.retain(|found| now.contains(found));
            looks -= 1;
        }
        Ok(unnamed)
    }

    /// The same at this instant.
    async fn all_unnamed(&self) -> Result<Vec<(String, u64)>, Error> {
        let (mut all, mut from) = (Vec::new(), None);
        loop {
            let unnamed = self.unnamed(from).await?;
            all.extend(unnamed.keys);
            from = unnamed.next;
            if from.is_none() {
                return Ok(all);
            }
        }
    }

    /// The audit log as it is on disk, whoever writes it.
    fn written_audit_log(&self) -> Result<AuditLog, Error> {
        let opened = self.audit_log_for(Access::ReadOnly, AuditOptions::default());
        opened.map_err(|error| Error::Unavailable(error.to_string().into()))
    }

    async fn check_contents(&self, progress: Progress<'_>, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let (_, total) = self.catalog().content_totals().await?;
        let (mut done, mut after) = (0, 0);
        progress(done, total);
        loop {
            let group = self.catalog().contents(after, GROUP).await?;
            let Some(last) = group.last() else { return Ok(()) };
            after = last.key;
            for record in &group {
                let base = done;
                let problem = self.verify(record, &|bytes| progress(base + bytes, total)).await?;
                // Only if the record is still there: it may have been removed or replaced meanwhile.
                if let Some(problem) = problem
                    && self.catalog().confirm(record).await?
                {
                    findings.push(Finding { problem, repaired: false });
                }
                done += record.size_bytes;
                progress(done, total);
            }
        }
    }

    /// What is wrong with one content, if anything.
    pub(crate) async fn verify(
        &self,
        record: &ContentRecord,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Option<String>, Error> {
        let found = match &record.file {
            None => self.catalog().bytes(record.key).await.map(|bytes| Digest::of(&bytes)),
            Some(key) => self.digest_of(key, record.size_bytes, progress).await,
        };
        let name = record.file.clone().unwrap_or_else(|| record.digest.hex());
        match found {
            Ok(digest) if digest == record.digest => Ok(None),
            Ok(_) => Ok(Some(format!("content {name} is damaged: its bytes have another digest"))),
            Err(Error::Missing(_)) => Ok(Some(format!("content {name} is missing"))),
            Err(Error::Corrupt(problem)) => Ok(Some(format!("content {name} is damaged: {problem}"))),
            Err(other) => Err(other),
        }
    }

    async fn digest_of(
        &self,
        key: &str,
        size_bytes: u64,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Digest, Error> {
        let opened: Opened = self.contents().open(key, size_bytes).await?;
        // A file that is open is still readable when its name is gone, so the name is looked at as well.
        if !matches!(opened, Opened::Remote(_)) && !self.contents().holds(key, size_bytes) {
            return Err(Error::Missing(key.into()));
        }
        let mut reader = Content::new(size_bytes, opened).reader(0..size_bytes)?;
        let mut hasher = Hasher::default();
        let mut at = 0;
        while at < size_bytes {
            let bytes = reader.next().await?;
            at += bytes.len() as u64;
            hasher = tokio::task::spawn_blocking(move || {
                hasher.update(&bytes);
                hasher
            })
            .await
            .map_err(|error| Error::task(&error))?;
            progress(at);
        }
        Ok(hasher.finish())
    }
}
