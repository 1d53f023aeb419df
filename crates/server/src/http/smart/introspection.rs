//! Asking an issuer about a token.

use std::{fs, io::Read as _};

use charta_auth::token::{Verified, introspected};
use charta_model::Timestamp;
use tokio::sync::Semaphore;

use super::{fetch::Fetcher, verify::TokenError};
use crate::config::{Introspection, Secret};

/// Questions at the same time; more wait.
const QUESTIONS_MAX: usize = 32;
/// A secret at most.
const SECRET_BYTES_MAX: u64 = 4096;

/// An issuer that can be asked.
pub struct Introspector {
    issuer: String,
    place: Introspection,
    questions: Semaphore,
}

impl Introspector {
    /// Asks nothing yet.
    pub fn new(issuer: &str, place: &Introspection) -> Self {
        let questions = Semaphore::new(QUESTIONS_MAX);
        Self { issuer: issuer.to_owned(), place: place.clone(), questions }
    }

    /// What the issuer says; `None`: that the token does not count.
    ///
    /// # Errors
    /// `Unavailable` if it does not answer; `Expired` or `Invalid` by what it answers.
    ///
    /// Clause: RFC 7662 2.1
    pub async fn ask(
        &self,
        fetcher: &Fetcher,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Verified>, TokenError> {
        let unavailable = |cause: &dyn std::fmt::Display| {
            tracing::warn!(%cause, url = self.place.url, "a token could not be asked about");
            TokenError::Unavailable
        };
        let _place = self.questions.acquire().await.map_err(|error| unavailable(&error))?;
        // Read each time, so that a changed secret needs no restart.
        let secret = secret(&self.place.secret).map_err(|error| unavailable(&error))?;
        let answer = fetcher.post(&self.place.url, form(token), &self.place.client_id, &secret).await;
        let answer = answer.map_err(|error| unavailable(&error))?;
        Ok(introspected(&answer.body, &self.issuer, now)?)
    }
}

fn form(token: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token).append_pair("token_type_hint", "access_token");
    form.finish()
}

fn secret(place: &Secret) -> std::io::Result<String> {
    let secret = match place {
        Secret::File(path) => {
            let mut text = String::new();
            fs::File::open(path)?.take(SECRET_BYTES_MAX).read_to_string(&mut text)?;
            text
        }
        Secret::Environment(name) => std::env::var(name).map_err(std::io::Error::other)?,
    };
    Ok(secret.trim_end_matches(['\r', '\n']).to_owned())
}
