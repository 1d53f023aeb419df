//! The command line: one command per file. Results go to stdout, talk to stderr.

mod audit;
mod backup;
mod check;
pub mod demo;
mod import;
mod migrate;
mod progress;
mod purge;
mod serve;
mod show_config;
mod store;
mod token;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError};

/// Clinical documents over FHIR.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// Help comes from the commands themselves: a comment here would replace theirs.
#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Import(import::Import),
    Check(check::Check),
    Audit(audit::Audit),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Migrate(migrate::Migrate),
    Purge(purge::Purge),
    Token(token::Token),
    Config(show_config::ShowConfig),
}

/// Where configuration and data are.
#[derive(Args)]
struct Place {
    /// Configuration file (TOML); without it, standard endpoints on 127.0.0.1:8080
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Place {
    /// The configuration, or the built-in one if no file is named.
    fn config(&self, otherwise: fn() -> Config) -> Result<Config, ConfigError> {
        let mut config = match &self.config {
            Some(file) => Config::load(file)?,
            None => otherwise(),
        };
        if let Some(data) = &self.data {
            config.data_dir.clone_from(data);
        }
        config.check()?;
        Ok(config)
    }
}

/// Why a command ends without having done its work: one line for the operator.
#[derive(Debug)]
pub struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.ends_with(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        Self(text)
    }
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Migrate(command) => command.run(),
        Command::Purge(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Config(command) => command.run(),
    };
    result.unwrap_or_else(|Failure(text)| {
        talk(&format!("charta: {text}"));
        ExitCode::from(2)
    })
}

/// A line for whoever ran the command.
#[allow(clippy::print_stderr, reason = "talk goes to stderr")]
fn talk(line: &str) {
    eprintln!("{line}");
}

/// A line of the command's result. A reader that left early is no error.
fn result_line(line: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
