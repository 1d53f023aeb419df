//! What the texts say, compared with code, tests and program: names in them lead somewhere, and nothing that
//! should stand in them is missing.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::app;

const CONFORMANCE: &str = "docs/conformance.md";

#[test]
fn every_clause_in_the_code_has_a_line_and_every_line_a_clause() {
    let cited: BTreeSet<String> = sources("src").iter().flat_map(|(_, text)| clauses(text)).collect();
    let lines: BTreeSet<String> = clause_rows().into_iter().map(|(clause, _)| clause).collect();
    let missing: Vec<_> = cited.difference(&lines).collect();
    assert!(missing.is_empty(), "cited in the code, but not in {CONFORMANCE}: {missing:#?}");
    let left_over: Vec<_> = lines.difference(&cited).collect();
    assert!(left_over.is_empty(), "in {CONFORMANCE}, but nowhere in the code: {left_over:#?}");
}

#[test]
fn clauses_have_one_spelling() {
    for (path, text) in sources("src") {
        for clause in clauses(&text) {
            assert!(is_clause(&clause), "{}: {clause:?}", path.display());
        }
    }
    for well in
        ["FHIR R4 http.html#read", "FHIR DSTU2 http.html", "RFC 7240", "RFC 9110 13.1.5", "C-CDA 2.1 1.1"]
    {
        assert!(is_clause(well), "{well}");
    }
    for badly in ["FHIR R4", "FHIR R6 http.html", "RFC 9110 13 and 14", "RFC 7240, RFC 9110", "docs/x.md"] {
        assert!(!is_clause(badly), "{badly}");
    }
}

#[test]
fn every_line_of_a_clause_names_a_test() {
    for (clause, row) in clause_rows() {
        assert!(!test_names(&row).is_empty(), "{CONFORMANCE} names no test for {clause}");
    }
}

#[test]
fn every_test_that_is_named_is_there() {
    let sources: Vec<_> = sources("src").into_iter().chain(sources("tests")).collect();
    let named = test_names(&read(CONFORMANCE));
    assert!(named.len() > 50, "the names are found: {}", named.len());
    for (file, test) in named {
        let declared = format!("fn {test}(");
        let is_there = sources
            .iter()
            .any(|(path, text)| path.with_extension("").ends_with(&file) && text.contains(&declared));
        assert!(is_there, "{CONFORMANCE} names {file}::{test}, which is not there");
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut astray = Vec::new();
    for path in texts() {
        for link in links(&fs::read_to_string(&path).expect("a text")) {
            if !leads_somewhere(&path, &link) {
                astray.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(astray.is_empty(), "links to nothing: {astray:#?}");
}

#[test]
fn commands_in_texts_have_the_options_that_the_program_has() {
    let mut count = 0;
    for path in texts() {
        for line in commands(&fs::read_to_string(&path).expect("a text")) {
            let mut words = line.split_whitespace();
            let command = words.next().expect("a command follows the program's name");
            let output = app::run(&[command, "--help"]);
            let help = String::from_utf8(output.stdout).expect("help is UTF-8");
            assert!(output.status.success(), "{}: no command {command}", path.display());
            for option in words.filter(|word| word.starts_with("--")) {
                let known = help.split([' ', '\n', ',']).any(|word| word == option);
                assert!(known, "{}: charta {command} has no {option}", path.display());
            }
            count += 1;
        }
    }
    assert!(count > 5, "the commands are found: {count}");
}

#[test]
fn every_dependency_has_its_reasons() {
    let text = read("docs/dependencies.md");
    let listed: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut direct = BTreeSet::new();
    for (_, manifest) in manifests() {
        let manifest: toml::Table = manifest.parse().expect("a manifest");
        for section in ["dependencies", "dev-dependencies"] {
            let names = manifest.get(section).and_then(|section| section.as_table());
            direct.extend(names.into_iter().flat_map(|names| names.keys().cloned()));
        }
    }
    direct.retain(|name| !name.starts_with("charta"));
    let missing: Vec<_> = direct.iter().filter(|name| !listed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "docs/dependencies.md says nothing about {missing:?}");
    let left_over: Vec<_> = listed.iter().filter(|name| !direct.contains(**name)).collect();
    assert!(left_over.is_empty(), "docs/dependencies.md has {left_over:?}, which nothing uses");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below `folder` with this extension; what is built or found while fuzzing is left out.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let ours = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || ["target", "corpus", "artifacts"].contains(&&*name))
    };
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(ours);
    let paths = entries.map(|entry| entry.expect("a readable folder").into_path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// Path and text of the Rust files in this folder of each crate.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let paths = files(&root().join("crates"), "rs").into_iter().filter(|path| {
        let inside = path.strip_prefix(root().join("crates")).expect("a file of a crate");
        inside.components().nth(1).is_some_and(|part| part.as_os_str() == folder)
    });
    paths.map(|path| (path.clone(), fs::read_to_string(path).expect("a source file"))).collect()
}

fn manifests() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> = files(&root().join("crates"), "toml");
    paths.retain(|path| path.ends_with("Cargo.toml"));
    paths.push(root().join("fuzz/Cargo.toml"));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a manifest"))).collect()
}

fn texts() -> Vec<PathBuf> {
    files(&root(), "md")
}

/// What follows `Clause:` in comments.
fn clauses(source: &str) -> Vec<String> {
    let comments = source.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
    let comments = comments.map(|line| line.trim_start_matches(['/', '!']).trim());
    comments.filter_map(|line| Some(line.strip_prefix("Clause:")?.trim().to_owned())).collect()
}

/// `FHIR R4 http.html#read`, `RFC 9110 14`, `XML 1.0 2.2`, `C-CDA 2.1 1.1`, `SMART 2.2 ...`.
fn is_clause(text: &str) -> bool {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["FHIR", version, page] => {
            let page = page.split('#').next().unwrap_or_default();
            ["DSTU2", "STU3", "R4", "R4B", "R5"].contains(&version) && page.ends_with(".html")
        }
        ["RFC", number] => is_number(number),
        ["CDA", "R2", section] => is_number(section),
        ["RFC", number, section] => is_number(number) && is_number(section),
        ["XML" | "C-CDA" | "SMART", version, section] | ["IHE", "BALP", version, section] => {
            is_number(version) && !section.is_empty()
        }
        _ => false,
    }
}

/// The clauses of the table under the heading "Clauses", each with its row.
fn clause_rows() -> Vec<(String, String)> {
    let text = read(CONFORMANCE);
    let (_, section) = text.split_once("\n## Clauses\n").expect("the heading is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|row| Some((row.strip_prefix("| ")?.split_once(" |")?.0, row)));
    let rows = rows.filter(|(clause, _)| *clause != "clause");
    rows.map(|(clause, row)| (clause.to_owned(), row.to_owned())).collect()
}

/// Names of tests in code quotes: `range::one_range_is_cut_to_the_document`, the file before the test.
fn test_names(text: &str) -> Vec<(String, String)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let names = quoted.filter_map(|quoted| quoted.rsplit_once("::"));
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_/".contains(&b))
    };
    let names = names.filter(|(file, test)| is_name(file) && is_name(test));
    names.map(|(file, test)| (file.to_owned(), test.to_owned())).collect()
}

/// Relative links of a text, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        for rest in line.split("](").skip(1) {
            let link = rest.split(')').next().unwrap_or_default();
            if !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:") {
                links.push(link.to_owned());
            }
        }
    }
    links
}

/// Whether a link in the text at `path` leads to a file and, in a text, to a heading.
fn leads_somewhere(path: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { path.into() } else { path.with_file_name("").join(file) };
    let is_text = target.extension().is_some_and(|extension| extension == "md");
    let has_heading = || headings(&fs::read_to_string(&target).expect("a text")).contains(heading);
    target.exists() && (heading.is_empty() || !is_text || has_heading())
}

/// The anchors of a text's headings.
fn headings(text: &str) -> BTreeSet<String> {
    let headings = prose(text).into_iter().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Lines that are not in a block of code.
fn prose(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            lines.push(line);
        }
    }
    lines
}

/// What follows the program's name in blocks of shell commands, without comments.
fn commands(text: &str) -> Vec<String> {
    let mut in_shell = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            in_shell = language == "sh";
        } else if in_shell {
            let line = line.split(" #").next().unwrap_or_default();
            let call = line.strip_prefix("charta ").or_else(|| line.strip_prefix("cargo run --release -- "));
            commands.extend(call.map(str::to_owned));
        }
    }
    commands
}
