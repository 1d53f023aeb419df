//! The development authorization server: whom it gives tokens to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{error::Problem, issuer::Jwks};

/// The development authorization server. It never asks who a person is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// The programs that it knows.
    pub clients: Vec<Client>,
}

/// A program that may get tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name in requests.
    pub id: String,
    /// Its name for people; else its id.
    pub name: Option<String>,
    /// Where its public keys are; `None`: it is public and cannot get tokens of its own.
    pub jwks: Option<Jwks>,
    /// Where a person may be sent back to, compared to the letter.
    pub redirect_uris: Vec<String>,
    /// What it may get at most; separated by spaces.
    pub scope: String,
}

/// The form of the section in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct AuthorizationServerForm {
    client: Option<Vec<ClientForm>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct ClientForm {
    id: String,
    name: Option<String>,
    jwks: Option<String>,
    redirect_uris: Option<Vec<String>>,
    scope: String,
}

impl AuthorizationServer {
    /// That of the demo: an app on this machine can be tried against it.
    #[must_use]
    pub fn demo() -> Self {
        let uri = |host: &str, port: u16, path: &str| format!("http://{host}:{port}/{path}");
        let hosts = ["localhost", "127.0.0.1"];
        let uris = hosts.iter().flat_map(|host| {
            [3000, 8000].into_iter().flat_map(move |port| ["", "callback"].map(|path| uri(host, port, path)))
        });
        Self {
            clients: vec![Client {
                id: "demo-app".to_owned(),
                name: Some("An app that is tried out".to_owned()),
                jwks: None,
                redirect_uris: uris.collect(),
                scope: "launch/patient patient/*.rs user/*.cruds".to_owned(),
            }],
        }
    }

    /// The files that it names, each with its key and the number of its client.
    pub(super) fn files(&mut self) -> impl Iterator<Item = (usize, &mut PathBuf)> {
        let clients = self.clients.iter_mut().enumerate();
        clients.filter_map(|(index, client)| match &mut client.jwks {
            Some(Jwks::File(path)) => Some((index, path)),
            _ => None,
        })
    }
}

/// What the form says.
pub(super) fn read(form: AuthorizationServerForm) -> Result<AuthorizationServer, Problem> {
    let clients = form.client.unwrap_or_default().into_iter();
    let client = |form: ClientForm| Client {
        id: form.id,
        name: form.name,
        jwks: form.jwks.map(|text| match text.contains("://") {
            true => Jwks::Url(text),
            false => Jwks::File(PathBuf::from(text)),
        }),
        redirect_uris: form.redirect_uris.unwrap_or_default(),
        scope: form.scope,
    };
    Ok(AuthorizationServer { clients: clients.map(client).collect() })
}

/// The form that says the same.
pub(super) fn write(server: &AuthorizationServer) -> AuthorizationServerForm {
    let client = |client: &Client| ClientForm {
        id: client.id.clone(),
        name: client.name.clone(),
        jwks: match &client.jwks {
            Some(Jwks::File(path)) => Some(path.display().to_string()),
            Some(Jwks::Url(url)) => Some(url.clone()),
            Some(Jwks::Development) | None => None,
        },
        redirect_uris: Some(client.redirect_uris.clone()),
        scope: client.scope.clone(),
    };
    AuthorizationServerForm { client: Some(server.clients.iter().map(client).collect()) }
}
