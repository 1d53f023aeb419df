//! `charta purge`

use std::process::ExitCode;

use charta_model::{ResourceId, ResourceType, TenantId};
use charta_store::Access;
use clap::Args;

use super::{Failure, Place, result_line, store};

/// Remove documents with every version, for good
///
/// A delete over FHIR keeps the versions before it; this does not. The bytes are freed at once. The server must
/// be stopped.
///
/// Example: charta purge --tenant default TR-21961261
#[derive(Args)]
pub struct Purge {
    #[command(flatten)]
    place: Place,
    /// Whose documents
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Ids of Binaries, or TYPE/ID
    #[arg(required = true, value_name = "ID", value_parser = named)]
    ids: Vec<(ResourceType, ResourceId)>,
}

fn named(text: &str) -> Result<(ResourceType, ResourceId), String> {
    let (kind, id) = match text.split_once('/') {
        None => (ResourceType::BINARY, text),
        Some((kind, id)) => (ResourceType::new(kind).map_err(|error| error.to_string())?, id),
    };
    Ok((kind, ResourceId::new(id).map_err(|error| error.to_string())?))
}

impl Purge {
    /// Exit 1 if one of the ids was not there.
    pub fn run(self) -> Result<ExitCode, Failure> {
        store::with_store(&self.place, Access::Exclusive, async |config, store| {
            let tenant = store::tenant(&config, self.tenant.as_ref())?;
            let mut code = ExitCode::SUCCESS;
            for (kind, id) in &self.ids {
                let removed = store.purge(&tenant, kind, id).await?;
                if !removed {
                    code = ExitCode::from(1);
                }
                result_line(&format!("{kind}/{id}: {}", if removed { "removed" } else { "not there" }));
            }
            let swept = store.sweep_known().await?;
            result_line(&format!("{} bytes freed", swept.bytes));
            Ok(code)
        })
    }
}
