//! The task that copies a log into the catalog: what was synced, a portion at a time, within a second. It takes part in no
//! request and nothing waits for it but searches.
//!
//! The catalog says how far a log is copied, and takes a portion together with that, or not at all. So a portion whose answer
//! was lost is asked about and not sent twice, and a catalog that went back in time gets again what it lost.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    Shared,
    follow::{Follower, Portion},
    keep::write_synced,
    nodes::{Everywhere, name_file, shipped},
};
use crate::{
    Error,
    catalog::events::{Node, Shipment},
    content::files::sync_directory,
};

/// So long events wait for others.
const INTERVAL: Duration = Duration::from_millis(500);
/// Between two attempts while the catalog does not answer.
const RETRY: Duration = Duration::from_secs(1);
/// A search waits so long for what it must find.
const SEARCH: Duration = Duration::from_secs(5);
/// The end of the process waits so long for the last.
const LAST: Duration = Duration::from_secs(5);

/// How far it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shipped {
    /// The number of the last event that is in the catalog.
    pub last: u64,
    /// Attempts that failed.
    pub failures: u64,
}

/// The task. It ends with this.
pub struct Shipper {
    shared: Arc<Shared>,
    wake: Arc<Wake>,
    progress: watch::Receiver<Shipped>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Wake {
    hurry: Notify,
    close: Notify,
}

impl Drop for Shipper {
    fn drop(&mut self) {
        if let Some(task) = self.task() {
            task.abort();
        }
    }
}

impl Shipper {
    /// Starts the task on the runtime of the catalog.
    pub fn start(everywhere: Everywhere, shared: Arc<Shared>) -> Self {
        let (sender, progress) = watch::channel(Shipped::default());
        let wake = Arc::new(Wake::default());
        let opened_at = shared.progress.borrow().synced;
        let work = Work {
            everywhere,
            shared: Arc::clone(&shared),
            progress: sender,
            opened_at,
            confirmed: opened_at,
            process: uuid::Uuid::new_v4().to_string(),
            place: None,
        };
        let task = tokio::spawn(work.run(Arc::clone(&wake)));
        Self { shared, wake, progress, task: Mutex::new(Some(task)) }
    }

    /// How far it is.
    pub fn progress(&self) -> Shipped {
        *self.progress.borrow()
    }

    /// Returns when the event of this number is in the catalog.
    ///
    /// # Errors
    /// `Unavailable` if the catalog does not answer, or so much is left that it takes longer than a search may wait.
    pub async fn until(&self, last: u64) -> Result<(), Error> {
        let mut progress = self.progress.clone();
        let failures = progress.borrow_and_update().failures;
        self.wake.hurry.notify_one();
        let reached = progress.wait_for(|now| now.last >= last || now.failures > failures);
        match timeout(SEARCH, reached).await {
            Ok(Ok(now)) if now.last >= last => Ok(()),
            Ok(Ok(_)) => Err(Error::Unavailable("the audit log cannot be copied into the catalog".into())),
            Ok(Err(_)) => Err(Error::Closed),
            Err(_) => Err(Error::Unavailable("the audit log is still being copied into the catalog".into())),
        }
    }

    /// Copies what is left, if the catalog answers, and ends. Nothing must be recorded any more.
    pub async fn close(&self) {
        let Some(mut task) = self.task() else { return };
        self.wake.close.notify_one();
        if timeout(LAST, &mut task).await.is_err() {
            task.abort();
        }
        let left = self.shared.progress.borrow().synced.saturating_sub(self.progress().last);
        if left > 0 {
            tracing::warn!(left, "events of the audit log are copied into the catalog after the next start");
        }
    }

    fn task(&self) -> Option<JoinHandle<()>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What the task has.
struct Work {
    everywhere: Everywhere,
    shared: Arc<Shared>,
    progress: watch::Sender<Shipped>,
    /// The number of the last event when the log was opened. So far its last process may have come, also after its end:
    /// with a statement that the database had not finished.
    opened_at: u64,
    /// The catalog has said that so much is copied; at first the same.
    confirmed: u64,
    /// A random name of this process.
    process: String,
    /// `None` until the catalog has said how far this log is copied, and again while that is in doubt.
    place: Option<Place>,
}

/// Where copying goes on.
#[derive(Clone, Copy)]
struct Place {
    node: u64,
    shipped: u64,
    follower: Follower,
}

impl Work {
    /// Copies until it is told to end.
    async fn run(mut self, wake: Arc<Wake>) {
        let mut synced = self.shared.progress.subscribe();
        let (mut failing, mut closing) = (false, false);
        loop {
            let copied = self.copy_all().await;
            if let Err(error) = &copied {
                if !failing {
                    tracing::warn!(cause = %error, "the audit log cannot be copied into the catalog");
                }
                self.progress.send_modify(|progress| progress.failures += 1);
            }
            if closing {
                return;
            }
            failing = copied.is_err();
            let last = self.progress.borrow().last;
            let more = async {
                let _ = synced.wait_for(|now| now.synced > last).await; // its sender is ours
                sleep(if failing { RETRY } else { INTERVAL }).await;
            };
            tokio::select! {
                () = more => {}
                () = wake.hurry.notified() => {}
                () = wake.close.notified() => closing = true,
            }
        }
    }

    /// Copies all that is synced.
    async fn copy_all(&mut self) -> Result<(), Error> {
        loop {
            // Whatever ends this early leaves none, so that the catalog is asked next.
            let place = match self.place.take() {
                Some(place) => place,
                None => self.find_place().await?,
            };
            self.confirmed = place.shipped;
            self.progress.send_modify(|now| now.last = place.shipped);
            let (follower, portion) = self.read(place.follower).await?;
            let last = portion.last;
            if last <= place.shipped {
                self.place = Some(place);
                return Ok(());
            }
            let key = &self.shared.key;
            let events = portion.lines.iter().filter_map(|line| shipped(place.node, line, key));
            let shipment = Shipment {
                node: place.node,
                from: place.shipped,
                to: last,
                process: self.process.clone(),
                events: events.collect(),
            };
            if self.everywhere.events()?.add(shipment).await? {
                self.place = Some(Place { shipped: last, follower, ..place });
            }
        }
    }

    async fn read(&self, mut follower: Follower) -> Result<(Follower, Portion), Error> {
        let shared = Arc::clone(&self.shared);
        let reading = tokio::task::spawn_blocking(move || {
            let portion = follower.read(&shared.directory, &shared.snapshot());
            portion.map(|portion| (follower, portion))
        });
        let read = reading.await.map_err(|error| Error::task(&error))?;
        read.map_err(|error| Error::io("reading the audit log", &error))
    }

    /// Asks the catalog how far this log is copied.
    async fn find_place(&self) -> Result<Place, Error> {
        let name = read_name(&self.shared.directory);
        let name = name.map_err(|error| Error::io("reading the node's name", &error))?;
        let node = match &name {
            Some(name) => self.everywhere.events()?.node(name, 0).await?,
            None => self.begin(0).await?,
        };
        // Less than was copied: the catalog was put back. More: its answer did not come, or the log is not the one that
        // the catalog knows.
        let is_ours = node.shipped <= self.confirmed.max(self.opened_at) || node.process == self.process;
        let node = if is_ours { node } else { self.begin(self.confirmed).await? };
        if !is_ours {
            tracing::warn!(
                "the directory of the audit log was copied or restored; it goes on as a new node's"
            );
        }
        Ok(Place { node: node.number, shipped: node.shipped, follower: Follower::after(node.shipped) })
    }

    /// Makes a name for the node, whose log is copied as far as this already. The catalog knows the name first: a crash
    /// between leaves a name there that nobody has.
    async fn begin(&self, shipped: u64) -> Result<Node, Error> {
        let name = uuid::Uuid::new_v4().to_string();
        let node = self.everywhere.events()?.node(&name, shipped).await?;
        write_name(&self.shared.directory, &name)
            .map_err(|error| Error::io("writing the node's name", &error))?;
        Ok(node)
    }
}

fn read_name(directory: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(name_file(directory)) {
        Ok(name) => Ok(Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_name(directory: &Path, name: &str) -> io::Result<()> {
    let partial = directory.join("node.partial");
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_synced(&partial, format!("{name}\n").as_bytes())?;
    fs::rename(&partial, name_file(directory))?;
    sync_directory(directory)
}
