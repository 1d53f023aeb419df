//! Charta: clinical documents over FHIR. The program; it alone knows HTTP, arguments and environment.

mod cli;
mod clock;
mod config;
mod http;
mod intake;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
