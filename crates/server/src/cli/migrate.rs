//! `charta migrate`

use std::{
    ops::ControlFlow,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use charta_store::{Access, Migrated, Migrating, Stage, Standstill, Store};
use clap::Args;
use indicatif::ProgressBar;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Place, progress, result_line, store, talk};
use crate::config::Config;

/// Move everything to the store of another configuration, while serving
///
/// Runs beside the server. What is written meanwhile is copied too; for the last of it writes are answered 503 while reads go on,
/// and from then on the other configuration is to be served. The same command goes on with a migration that was cut off. Exit 0: all
/// is there and compared, 2: not finished.
///
/// Example: charta migrate --to cluster.toml --config charta.toml
#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    place: Place,
    /// Configuration whose store is to have everything; it is empty, or has what an earlier call brought
    #[arg(long, value_name = "CONFIG", required_unless_present = "give_up")]
    to: Option<PathBuf>,
    /// Let the store take writes again after a migration that is given up
    #[arg(long, conflicts_with = "to")]
    give_up: bool,
}

impl Migrate {
    /// Moves, or gives up.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let Some(to) = self.to else {
            return store::with_store(&self.place, Access::ReadOnly, async |_, store| give_up(&store).await);
        };
        let target = Config::load(&to)?;
        target.check()?;
        store::with_store(&self.place, Access::ReadOnly, async |config, source| {
            differ(&config, &target)?;
            let target = store::open(&target, Access::Exclusive).await?;
            let result = migrate(&source, &target).await;
            target.close().await;
            result
        })
    }
}

/// A store cannot be moved to where it is.
fn differ(config: &Config, target: &Config) -> Result<(), Failure> {
    let place = |config: &Config| config.data_dir.canonicalize().unwrap_or_else(|_| config.data_dir.clone());
    if place(config) == place(target) {
        let directory = config.data_dir.display();
        return Err(Failure(format!("{directory}: both configurations have this data directory")));
    }
    Ok(())
}

async fn give_up(store: &Store) -> Result<ExitCode, Failure> {
    let stood_still = store.give_up_migration().await?;
    result_line(if stood_still {
        "writes are taken again; what was migrated must not be served any more"
    } else {
        "writes were taken all along"
    });
    Ok(ExitCode::SUCCESS)
}

async fn migrate(source: &Store, target: &Store) -> Result<ExitCode, Failure> {
    let shown = Shown::new();
    let stopped = Arc::new(AtomicBool::new(false));
    let asked = tokio::spawn(stop_when_asked(Arc::clone(&stopped))?);
    let watch = |state: &Migrating| {
        shown.show(state);
        if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let result = source.migrate(target, &watch).await;
    asked.abort();
    shown.bar.finish_and_clear();
    match result {
        Ok(migrated) => {
            report(&migrated, &shown);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            if source.standstill().await.ok().flatten() == Some(Standstill::Leaving) {
                talk("the source takes no writes; run the same command again, or charta migrate --give-up");
            }
            Err(error.into())
        }
    }
}

/// SIGTERM and SIGINT end it between two steps, so that the source is not left without writes.
fn stop_when_asked(stopped: Arc<AtomicBool>) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        stopped.store(true, Ordering::Relaxed);
    })
}

fn report(migrated: &Migrated, shown: &Shown) {
    let Migrated { documents, versions, contents, bytes } = migrated;
    let seconds = shown.begun.elapsed().as_secs_f64();
    let still = shown.switched().map_or(0.0, |switched| switched.elapsed().as_secs_f64());
    result_line(&format!(
        "{documents} documents, {versions} versions, {contents} contents, {bytes} bytes in {seconds:.0} s; no writes for {still:.1} s"
    ));
    result_line("the source takes no more writes; stop its server and serve the other configuration");
}

/// What an operator sees of it.
struct Shown {
    bar: ProgressBar,
    begun: Instant,
    /// The stage that was shown last, and when the switch began.
    last: Mutex<(Option<Stage>, Option<Instant>)>,
}

impl Shown {
    fn new() -> Self {
        Self { bar: progress::documents(), begun: Instant::now(), last: Mutex::default() }
    }

    fn switched(&self) -> Option<Instant> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn show(&self, state: &Migrating) {
        self.bar.set_length(state.bytes_total);
        self.bar.set_position(state.bytes);
        let word = match state.stage {
            Stage::Copying => "copying",
            Stage::Verifying => "reading back",
            Stage::Comparing => "comparing",
            Stage::Switching => "no writes: the rest",
        };
        self.bar.set_message(format!("{word}, {} of {} versions", state.versions, state.versions_total));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0.replace(state.stage) != Some(state.stage) && state.stage == Stage::Switching {
            last.1 = Some(Instant::now());
            self.bar.suspend(|| talk("the source takes no writes now; the rest is copied"));
        }
    }
}
