//! Shows a CDA document as a page: `cargo run -p charta-ccd --example view -- FILE > page.html`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for the terminal")]

use std::process::ExitCode;

use charta_ccd::view::view;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: view FILE");
        return ExitCode::FAILURE;
    };
    let shown = std::fs::read(&path).map_err(|error| error.to_string());
    match shown.and_then(|bytes| view(&bytes, None).map_err(|error| error.to_string())) {
        Ok(view) => {
            print!("{}", view.html);
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{path}: {message}");
            ExitCode::FAILURE
        }
    }
}
