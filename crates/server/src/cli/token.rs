//! `charta token`

use std::process::ExitCode;

use charta_model::{ResourceId, TenantId};
use clap::Args;
use serde_json::json;

use super::{Failure, Place, result_line};
use crate::{
    clock,
    config::{Config, DEVELOPMENT},
    http::smart::development::DevelopmentKey,
};

/// Sign an access token with the development key of this data directory
///
/// It counts at endpoints whose configuration has an [[issuer]] with development = true, as that of
/// --demo has, and nowhere else.
///
/// Example: charta token --data charta-demo --scope "patient/*.rs" --patient 1694010
#[derive(Args)]
pub struct Token {
    #[command(flatten)]
    place: Place,
    /// What it allows: scopes, separated by spaces
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    /// The patient in context
    #[arg(long, value_name = "ID")]
    patient: Option<ResourceId>,
    /// Who uses it, such as Practitioner/1
    #[arg(long, value_name = "REF")]
    user: Option<String>,
    /// The program that holds it
    #[arg(long, value_name = "ID", default_value = "charta-token")]
    client: String,
    /// How long it counts
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    expires: u32,
    /// The only endpoint for which it counts, by its base URL; else every one
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
    /// The only tenant for which it counts; else every one
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// A purpose of use; may be repeated
    #[arg(long, value_name = "CODE")]
    purpose: Vec<String>,
}

impl Token {
    /// Prints the token.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let config = self.place.config(Config::standard)?;
        let key = DevelopmentKey::of(&config.data_dir)?;
        let now = clock::now().as_second();
        let mut claims = json!({
            "iss": DEVELOPMENT,
            "sub": self.user.as_deref().unwrap_or(&self.client),
            "aud": self.audience.as_deref().unwrap_or(DEVELOPMENT),
            "iat": now,
            "exp": now + i64::from(self.expires),
            "jti": clock::fresh_uuid(),
            "scope": self.scope,
            "client_id": self.client,
        });
        let optional = [
            ("patient", self.patient.map(|id| json!(id.as_str()))),
            ("fhirUser", self.user.map(|user| json!(user))),
            ("tenant", self.tenant.map(|id| json!(id.as_str()))),
            ("purpose_of_use", (!self.purpose.is_empty()).then(|| json!(self.purpose))),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                claims[name] = value;
            }
        }
        result_line(&key.sign(&claims)?);
        Ok(ExitCode::SUCCESS)
    }
}
