//! `charta config`

use std::process::ExitCode;

use clap::Args;

use super::{Failure, Place, result_line};
use crate::config::{Config, REFERENCE};

/// Print the effective configuration
///
/// Example: charta config --reference > charta.toml
#[derive(Args)]
pub struct ShowConfig {
    #[command(flatten)]
    place: Place,
    /// Print the commented default instead
    #[arg(long)]
    reference: bool,
    /// What `serve --demo` has where no file says otherwise
    #[arg(long)]
    demo: bool,
}

impl ShowConfig {
    /// Prints TOML.
    pub fn run(self) -> Result<ExitCode, Failure> {
        if self.reference {
            result_line(REFERENCE.trim_end());
        } else {
            let standard = if self.demo { Config::demo } else { Config::standard };
            result_line(self.place.config(standard)?.to_toml().trim_end());
        }
        Ok(ExitCode::SUCCESS)
    }
}
