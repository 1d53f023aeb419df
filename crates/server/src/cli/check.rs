//! `charta check`

use std::process::ExitCode;

use charta_store::Access;
use clap::Args;

use super::{Failure, Place, progress, result_line, store};

/// Read everything back and compare it with its records
///
/// Digests, missing and orphaned content, index against records. Runs beside a server; with --repair the
/// server must be stopped. Exit 0: clean, 1: findings.
///
/// Example: charta check --data charta-data
#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    place: Place,
    /// Remove orphans and rebuild indexes; damaged or missing content is reported, never hidden
    #[arg(long)]
    repair: bool,
}

impl Check {
    /// Prints one line per finding.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let access = if self.repair { Access::Exclusive } else { Access::ReadOnly };
        let bar = progress::bytes();
        let findings = store::with_store(&self.place, access, async |_, store| {
            Ok(store.check(self.repair, &progress::shown(&bar)).await?)
        })?;
        bar.finish_and_clear();
        for finding in &findings {
            result_line(&finding.to_string());
        }
        result_line(&match findings.len() {
            0 => "clean".to_owned(),
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        });
        Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
