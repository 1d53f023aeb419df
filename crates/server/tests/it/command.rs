//! The program's commands, run to their end, and what the tests measure.

use std::{io::Write as _, path::Path};

use crate::app;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// stdout.
    pub out: String,
    /// stderr.
    pub err: String,
}

/// Runs the program to its end.
pub fn charta(arguments: &[&str]) -> Ended {
    ended(app::run(arguments))
}

/// The same with these variables in its environment.
pub fn charta_with(arguments: &[&str], environment: &[(&'static str, String)]) -> Ended {
    ended(app::run_with(arguments, environment))
}

fn ended(output: std::process::Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).expect("the program speaks UTF-8");
    let code = output.status.code().expect("no signal ended it");
    Ended { code, out: text(output.stdout), err: text(output.stderr) }
}

impl Ended {
    /// Asserts success and gives stdout.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Asserts that the command did nothing and said why in one line, which is given.
    pub fn refused(self) -> String {
        assert_eq!(self.code, 2, "{self:?}");
        assert_eq!(self.out, "", "results of a command that did nothing");
        assert_eq!(self.err.lines().count(), 1, "one line says why: {}", self.err);
        let line = self.err.trim_end().strip_prefix("charta: ").expect("the line names the program");
        assert!(line.len() > 20, "the line says something: {line}");
        line.to_owned()
    }

    /// The last line of stdout: the summary.
    pub fn summary(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }

    /// The line of stdout with `text`; fails if there is none.
    pub fn line(&self, text: &str) -> &str {
        let line = self.out.lines().find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("no line has {text:?}: {self:?}"))
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the tests are UTF-8")
}

/// Shows a line also if the test passes.
pub fn show(line: &str) {
    let _ = writeln!(std::io::stderr(), "    {line}");
}

/// Bytes that look random, always the same for the same `seed`.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
