//! Compares the records of both stores, version by version.

use std::collections::VecDeque;

use charta_model::{Document, TenantId};

use super::{Migration, Stage};
use crate::{
    Error,
    catalog::moving::{Moved, Moving},
};

/// So many versions are read in one step.
const PAGE: usize = 256;

impl Migration<'_> {
    /// What the target has must be what the source has, and what the source has purged goes at the target too. Of what was
    /// compared before only what is new.
    pub(super) async fn compare(&mut self) -> Result<(), Error> {
        if self.state.stage != Stage::Switching {
            self.enter(Stage::Comparing).await?;
        }
        // Also those that the source has purged wholly.
        for tenant in self.to.tenants().await? {
            let until = self.to.last_of(&tenant).await?;
            let after = self.compared.get(&tenant).copied().unwrap_or(0);
            self.compare_tenant(&tenant, after, until).await?;
            self.compared.insert(tenant, until.max(after));
        }
        Ok(())
    }

    async fn compare_tenant(&self, tenant: &TenantId, after: u64, until: u64) -> Result<(), Error> {
        let mut source = Versions::new(self.from, tenant, after, until);
        let mut target = Versions::new(self.to, tenant, after, until);
        loop {
            source.fill().await?;
            target.fill().await?;
            match (source.first(), target.first()) {
                (None, None) => return Ok(()),
                (Some(one), Some(other)) if one == other => {
                    if let (Some(one), Some(other)) = (source.page.pop_front(), target.page.pop_front())
                        && !one.agrees(&other)
                    {
                        return Err(differs(&one.stored.document, "is another at the target"));
                    }
                }
                (Some(one), other) if other.is_none_or(|other| one < other) => {
                    let missing = source.page.pop_front().map(|moved| moved.stored.document);
                    return Err(
                        missing.map_or(Error::Closed, |missing| differs(&missing, "is not at the target"))
                    );
                }
                _ => {
                    // The source had it and has it no more.
                    if let Some(Moved { stored, .. }) = target.page.pop_front() {
                        let Document { kind, id, .. } = &stored.document;
                        self.to.purge_adopted(tenant, kind, id).await?;
                    }
                }
            }
            self.step()?;
        }
    }
}

fn differs(document: &Document, how: &str) -> Error {
    let Document { kind, id, version, .. } = document;
    Error::Corrupt(format!("{kind}/{id} version {version} {how}").into())
}

/// Versions of a tenant one after the other.
struct Versions<'v> {
    catalog: &'v dyn Moving,
    tenant: &'v TenantId,
    after: u64,
    until: u64,
    page: VecDeque<Moved>,
}

impl<'v> Versions<'v> {
    fn new(catalog: &'v dyn Moving, tenant: &'v TenantId, after: u64, until: u64) -> Self {
        Self { catalog, tenant, after, until, page: VecDeque::new() }
    }

    /// Sees to it that the next one is there, if there is one.
    async fn fill(&mut self) -> Result<(), Error> {
        if !self.page.is_empty() || self.after >= self.until {
            return Ok(());
        }
        let page = self.catalog.export(self.tenant, self.after, PAGE).await?;
        self.after = page.last().map_or(self.until, |last| last.sequence);
        self.page = page.into_iter().filter(|moved| moved.sequence <= self.until).collect();
        Ok(())
    }

    fn first(&self) -> Option<u64> {
        self.page.front().map(|moved| moved.sequence)
    }
}
