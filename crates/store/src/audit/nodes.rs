//! The log of several nodes over one catalog (decision 0017): each copies its own into the catalog, where searches look.

use std::{path::Path, sync::Arc};

use charta_model::audit::{AuditFilter, AuditQuery, Outcome};

use super::{
    AuditPage, Shared,
    follow::Line,
    index::Key,
    line,
    search::{self, LOOKED_AT_MAX},
    shipper::Shipper,
    values,
};
use crate::{
    Error,
    catalog::{
        Catalog,
        events::{Events, Shipped, Wanted},
    },
};

/// A number is that of the node, then so many digits of the place in its log.
const PLACES: u64 = 10_000_000_000_000;

/// The events of all nodes.
#[derive(Clone)]
pub struct Everywhere(Arc<dyn Catalog>);

impl Everywhere {
    /// `None` of a catalog that one process has alone.
    pub fn of(catalog: Arc<dyn Catalog>) -> Option<Self> {
        catalog.events().is_some().then_some(Self(catalog))
    }

    pub fn events(&self) -> Result<&dyn Events, Error> {
        self.0.events().ok_or(Error::Unusable("this catalog is not for several nodes"))
    }

    /// The events of one page. Every event that is found is compared with the query itself.
    pub async fn search(&self, query: &AuditQuery, key: &Key) -> Result<AuditPage, Error> {
        let found = self.events()?.find(wanted(query, key)).await?;
        let fitting = found.lines.into_iter().filter_map(|(number, line)| {
            let event = line::decode(std::str::from_utf8(&line).ok()?, None)?;
            let fits =
                event.tenant == *query.tenant && query.filters.iter().all(|filter| filter.holds(&event));
            fits.then(|| (number, line::owned(event)))
        });
        Ok(AuditPage { events: fitting.collect(), next: found.next })
    }
}

fn wanted(query: &AuditQuery, key: &Key) -> Wanted {
    let mut wanted = Wanted {
        tenant: query.tenant.clone(),
        only: query.only,
        after: query.before,
        limit: query.limit,
        looked_at_max: LOOKED_AT_MAX,
        ..Wanted::default()
    };
    for filter in &query.filters {
        if let Some(hashes) = search::hashes(key, &query.tenant, filter) {
            let few = !matches!(filter, AuditFilter::Agent(_));
            wanted.keys.push((hashes, few));
        }
        match filter {
            // A millisecond more at each end, since times are cut to them.
            AuditFilter::Recorded(from, to) => {
                wanted.within.push((from.as_millisecond() - 1, to.as_millisecond() + 1));
            }
            AuditFilter::NotRecorded(from, to) => {
                wanted.outside.push((from.as_millisecond() + 1, to.as_millisecond() - 1));
            }
            AuditFilter::Interaction(any) => {
                wanted.interactions.push(any.iter().map(|interaction| interaction.code()).collect());
            }
            AuditFilter::Outcome(any) => wanted.statuses.push(any.iter().map(|one| statuses(*one)).collect()),
            AuditFilter::Patient(_) | AuditFilter::Agent(_) | AuditFilter::Entity(_) => {}
        }
    }
    wanted
}

const fn statuses(outcome: Outcome) -> (u16, u16) {
    match outcome {
        Outcome::Success => (0, 399),
        Outcome::Refused => (400, 499),
        Outcome::Failed => (500, 999),
    }
}

/// A line on its way, which stands alone from now on; `None` if it is none of ours.
pub fn shipped(node: u64, line: &Line, key: &Key) -> Option<Shipped> {
    let event = line::decode(std::str::from_utf8(&line.text).ok()?, line.above.as_ref())?;
    let (recorded_ms, status, interaction) =
        (event.recorded.as_millisecond(), event.status, event.interaction.code());
    let (tenant, keys) = (event.tenant.clone().into_owned(), values::of_event(&event, key));
    let number = number(node, line.number);
    Some(Shipped { number, recorded_ms, status, tenant, interaction, keys, line: line::alone(&event) })
}

const fn number(node: u64, place: u64) -> u64 {
    node.saturating_mul(PLACES).saturating_add(place)
}

/// A log and what all nodes have.
pub struct Nodes {
    pub everywhere: Everywhere,
    /// `None` if the log is open for reading only.
    pub shipper: Option<Shipper>,
}

impl Nodes {
    /// Begins to copy the log, if it is written here.
    pub fn new(everywhere: Everywhere, shared: &Arc<Shared>, is_written: bool) -> Self {
        let shipper = is_written.then(|| Shipper::start(everywhere.clone(), Arc::clone(shared)));
        Self { everywhere, shipper }
    }

    /// Returns when all is copied until the event of this number.
    pub async fn until(&self, last: u64) -> Result<(), Error> {
        match &self.shipper {
            Some(shipper) => shipper.until(last).await,
            None => Ok(()),
        }
    }
}

/// The file beside a log that has the name of its node.
pub fn name_file(directory: &Path) -> std::path::PathBuf {
    directory.join("node")
}
