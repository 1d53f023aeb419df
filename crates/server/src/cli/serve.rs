//! `charta serve`

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use charta_model::Timestamp;
use charta_service::Service;
use charta_store::{Access, AuditLog, Standstill, Store};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Failure, Place, demo, result_line, store};
use crate::{
    clock,
    config::Config,
    http::{App, Server},
};

/// How often content without a record is removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);

/// Serve documents
///
/// Example: charta serve --demo
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address to listen on, instead of the configuration's; port 0 picks one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Serve synthetic patients' documents at the endpoints of all source systems
    #[arg(long)]
    demo: bool,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let mut config = self.place.config(if self.demo { Config::demo } else { Config::standard })?;
        if let Some(listen) = self.listen {
            config.set_listen(listen);
        }
        config.check()?;
        log_to_stderr(&config.log)?;
        let runtime = store::runtime(config.worker_threads)?;
        runtime.block_on(serve(config, self.demo))
    }
}

/// Decision 0019: nobody is served from half a store. What is being left still answers reads.
async fn can_serve(store: &Store) -> Result<(), Failure> {
    match store.standstill().await? {
        Some(Standstill::Adopting) => {
            Err(Failure("the store is an unfinished migration; charta migrate goes on with it".into()))
        }
        Some(Standstill::Leaving) => {
            tracing::warn!("the store was left by charta migrate and takes no writes");
            Ok(())
        }
        None => Ok(()),
    }
}

async fn serve(config: Config, with_demo: bool) -> Result<ExitCode, Failure> {
    let store = store::open(&config, Access::Exclusive).await?;
    can_serve(&store).await?;
    if with_demo {
        demo::fill(&store, &config.tenants).await?;
    }
    let audit = store.audit_log(config.audit.options())?;
    let expiring = tokio::spawn(expire_regularly(audit.clone(), config.audit.keep_days));
    let service = Service::new(store.clone()).recording(audit.clone());
    let server = Server::bind(App::new(config, service, with_demo)?)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let probed = store.clone();
    tokio::spawn(async move { probed.probe().await }); // what does not answer now may do so later
    let sweeping = tokio::spawn(sweep_regularly(store.clone()));
    result_line(&format!("listening on {}", server.address()?));
    server
        .run(async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        })
        .await;
    sweeping.abort();
    expiring.abort();
    audit.close().await;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Removes events whose time is over; never, if that is 0 days.
async fn expire_regularly(audit: AuditLog, keep_days: u32) {
    if keep_days == 0 {
        return;
    }
    loop {
        let seconds = i64::from(keep_days) * 86_400;
        let before = Timestamp::from_second(clock::now().as_second().saturating_sub(seconds));
        match audit.expire(before.unwrap_or(Timestamp::MIN)).await {
            Ok(segments) => tracing::info!(segments, "the time of events of the audit log is over"),
            Err(error) => tracing::warn!(cause = %error, "old events of the audit log could not be removed"),
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

/// What has no record any more goes each hour. To find what never got one means to list all content: once a day.
async fn sweep_regularly(store: Store) {
    for hour in (0..24).cycle() {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        let done = if hour == 0 { store.sweep().await } else { store.sweep_known().await };
        match done {
            Ok(swept) => tracing::info!(?swept, "sweep"),
            Err(error) => tracing::warn!(cause = %error, "sweep failed"),
        }
    }
}

fn log_to_stderr(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure(format!("log: {error}")))?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
