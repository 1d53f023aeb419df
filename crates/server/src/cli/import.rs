//! `charta import`

mod bundle;
mod file;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use charta_fhir::Version;
use charta_model::{MediaType, TenantId};
use clap::Args;
use walkdir::WalkDir;

use super::{Failure, Place, progress, result_line, store, talk};
use file::{Importer, Taken};

/// Take in documents and FHIR resources from files and folders
///
/// A file with a FHIR resource or Bundle (JSON, XML, NDJSON, also gzip) becomes those resources, under their own ids;
/// every other file a Binary with its bytes, under an id made from type and bytes, so that a second import changes
/// nothing. With --patient each such document also gets a DocumentReference. Files that refer to others by a
/// condition wait for those. The server must be stopped. Exit 1 if anything was refused.
///
/// Example: charta import --data charta-data scans/ letter.pdf
#[derive(Args)]
pub struct Import {
    #[command(flatten)]
    place: Place,
    /// Whose documents; needed if there are several tenants and none is called default
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// FHIR version of the resources: DSTU2, STU3, R4, R4B or R5
    #[arg(long, value_name = "VERSION", default_value = "R4", value_parser = version)]
    fhir: Version,
    /// Patient whom plain documents concern; only members of the patient's care may then read them
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// LOINC code of what plain documents are, as in 34117-2; needs --patient
    #[arg(long = "type", value_name = "LOINC", requires = "patient")]
    document_type: Option<String>,
    /// Title of plain documents instead of the file's name; needs --patient
    #[arg(long, value_name = "TEXT", requires = "patient")]
    title: Option<String>,
    /// Media type of plain documents, instead of the one that the file's name tells
    #[arg(long, value_name = "TYPE/SUBTYPE", value_parser = media_type)]
    content_type: Option<MediaType>,
    /// Use the file's name without its last extension as id of a plain document
    #[arg(long)]
    ids_from_names: bool,
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

fn media_type(text: &str) -> Result<MediaType, String> {
    MediaType::new(text).map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|()| "one of DSTU2, STU3, R4, R4B, R5".to_owned())
}

/// What became of the files.
#[derive(Default)]
pub struct Counts {
    /// Resources that were not there, or have a new version.
    pub stored: u64,
    /// Resources that already were as the file says.
    pub unchanged: u64,
    /// Files and lines that were not taken.
    pub refused: u64,
}

impl Import {
    /// Takes them in, one after the other.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let counts = store::with_store_or_new(&self.place, async |config, store| {
            let tenant = store::tenant(&config, self.tenant.as_ref())?;
            let mut importer = Importer::new(store, &config.limits, tenant, &self)?;
            let files = self.files();
            let bar = progress::bytes();
            bar.set_length(files.iter().map(|file| size(file)).sum());
            let mut say = |line: &str| bar.suspend(|| result_line(line));
            let mut waiting = Vec::new();
            for file in files {
                if importer.take(&file, &mut say).await? == Taken::Waits {
                    waiting.push(file);
                } else {
                    bar.inc(size(&file));
                }
            }
            // Each round can bring what others wait for.
            while !waiting.is_empty() {
                let before = waiting.len();
                for file in std::mem::take(&mut waiting) {
                    if importer.take(&file, &mut say).await? == Taken::Waits {
                        waiting.push(file);
                    } else {
                        bar.inc(size(&file));
                    }
                }
                if waiting.len() == before {
                    importer.refuse_waiting(&waiting, &mut say);
                    break;
                }
            }
            bar.finish_and_clear();
            Ok(importer.counts)
        })?;
        let Counts { stored, unchanged, refused } = counts;
        result_line(&format!("{stored} stored, {unchanged} unchanged, {refused} refused"));
        Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// All files below the paths, folders in the order of their names.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for path in &self.paths {
            for entry in WalkDir::new(path).sort_by_file_name() {
                match entry {
                    Ok(entry) if entry.file_type().is_dir() => {}
                    Ok(entry) => files.push(entry.into_path()),
                    // A path that is not there is refused by name when its turn comes.
                    Err(_) => {
                        talk(&format!("charta: {}: cannot be read", path.display()));
                        files.push(path.clone());
                    }
                }
            }
        }
        files
    }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}
