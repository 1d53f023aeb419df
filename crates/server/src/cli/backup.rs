//! `charta backup` and `charta restore`

use std::{path::PathBuf, process::ExitCode};

use charta_store::{Access, BackupSummary, Store};
use clap::Args;

use super::{Failure, Place, progress, result_line, store};
use crate::config::Config;

/// Make a consistent copy, also while serving
///
/// Example: charta backup /backups/2026-11-21
#[derive(Args)]
pub struct Backup {
    #[command(flatten)]
    place: Place,
    /// Directory to make; it must not exist
    destination: PathBuf,
}

impl Backup {
    /// Copies catalog and content, every byte compared with its digest.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let bar = progress::bytes();
        let summary = store::with_store(&self.place, Access::ReadOnly, async |_, store| {
            Ok(store.backup(&self.destination, &progress::shown(&bar)).await?)
        })?;
        bar.finish_and_clear();
        Ok(report(&summary))
    }
}

/// Make a store out of a copy
///
/// The data directory must be empty or absent.
///
/// Example: charta restore /backups/2026-11-21 --data charta-data
#[derive(Args)]
pub struct Restore {
    #[command(flatten)]
    place: Place,
    /// Directory that `charta backup` made
    source: PathBuf,
}

impl Restore {
    /// Copies back, every byte compared with its digest.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let config = self.place.config(Config::standard)?;
        let bar = progress::bytes();
        let summary = Store::restore(&self.source, &config.data_dir, &progress::shown(&bar))?;
        bar.finish_and_clear();
        Ok(report(&summary))
    }
}

/// One line for each content that was damaged at the source, one for all; exit 1 if there was damage.
fn report(summary: &BackupSummary) -> ExitCode {
    for finding in &summary.findings {
        result_line(&finding.to_string());
    }
    let BackupSummary { documents, contents, bytes, findings } = summary;
    result_line(&format!("{documents} documents, {contents} contents, {bytes} bytes"));
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
