//! `charta purge`

use std::process::ExitCode;

use charta_model::{ResourceId, TenantId};
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
    /// Ids of Binaries
    #[arg(required = true, value_name = "BINARY-ID")]
    ids: Vec<ResourceId>,
}

impl Purge {
    /// Exit 1 if one of the ids was not there.
    pub fn run(self) -> Result<ExitCode, Failure> {
        store::with_store(&self.place, Access::Exclusive, async |config, store| {
            let tenant = store::tenant(&config, self.tenant.as_ref())?;
            let mut code = ExitCode::SUCCESS;
            for id in &self.ids {
                let removed = store.purge(&tenant, id).await?;
                if !removed {
                    code = ExitCode::from(1);
                }
                result_line(&format!("Binary/{id}: {}", if removed { "removed" } else { "not there" }));
            }
            let swept = store.sweep().await?;
            result_line(&format!("{} bytes freed", swept.bytes));
            Ok(code)
        })
    }
}
