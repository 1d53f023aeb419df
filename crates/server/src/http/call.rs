//! One request to an endpoint, understood as far as every interaction needs it.

use std::sync::{Arc, OnceLock};

use charta_auth::{Claims, Grant};
use charta_fhir::{
    Profile, Version,
    negotiate::{Rules, Wanted},
    represent::Subset,
};
use charta_model::{Document, TenantId, Timestamp};
use charta_service::Lookup;
use http::{HeaderMap, HeaderName, Method, header};

use super::{
    App,
    audit::Notes,
    connection::Outbox,
    outcome::Refusal,
    smart::{Known, LastToken},
    target::Target,
};
use crate::config::Endpoint;

/// One request to an endpoint.
pub struct Call<'a> {
    /// The server.
    pub app: &'a App,
    /// The endpoint that the path names.
    pub endpoint: &'a Endpoint,
    /// The tenant that the endpoint or the path names.
    pub tenant: &'a TenantId,
    /// The method, after an override where the profile has one.
    pub method: Method,
    /// What the path names below the endpoint.
    pub target: &'a Target,
    /// The decoded parameters of the URL, in order.
    pub parameters: &'a [(String, String)],
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// What the client wants to get.
    pub wanted: Wanted,
    /// What the caller is allowed.
    pub grant: Grant,
    /// The caller's token; `None` at an open endpoint.
    pub token: Option<Arc<Known>>,
    /// Whether to indent resources.
    pub pretty: bool,
    /// Names this request in answer and log.
    pub request_id: &'a str,
    /// When it came.
    pub now: Timestamp,
    /// Where file content leaves.
    pub outbox: &'a Outbox,
    /// What the connection showed before.
    pub last_token: &'a LastToken,
    /// What is noted of it for the audit log.
    pub notes: &'a Notes<'a>,
    /// The base URL, made when first needed.
    pub base: OnceLock<String>,
}

impl<'a> Call<'a> {
    /// The FHIR version that the endpoint speaks.
    pub fn version(&self) -> Version {
        self.endpoint.version
    }

    /// Whose clients the endpoint serves.
    pub fn profile(&self) -> Profile {
        self.endpoint.profile
    }

    /// What the caller's token says; `None` at an open endpoint.
    pub fn claims(&self) -> Option<&Claims> {
        self.token.as_ref().map(|known| &known.claims)
    }

    /// What the caller can see.
    pub fn lookup(&self) -> Lookup<'_> {
        self.app.service.lookup(self.tenant, &self.grant)
    }

    /// A header's text, if it is there and visible ASCII.
    pub fn header(&self, name: &HeaderName) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The endpoint's absolute URL, without slash at the end.
    pub fn base(&self) -> &str {
        let made = || self.base.get_or_init(|| self.app.base_url(self.endpoint, self.tenant));
        self.app.fixed_base(self.endpoint).unwrap_or_else(|| made())
    }

    /// URLs whose resources are this tenant's: of every endpoint that serves it.
    pub fn bases(&self) -> Vec<String> {
        let endpoints = self.app.config.endpoints.iter().filter(|endpoint| match &endpoint.tenant {
            crate::config::EndpointTenant::Fixed(tenant) => tenant == self.tenant,
            crate::config::EndpointTenant::InPath => true,
        });
        endpoints.map(|endpoint| self.app.base_url(endpoint, self.tenant)).collect()
    }

    /// The absolute URL of a document.
    pub fn url(&self, document: &Document) -> String {
        format!("{}/{}/{}", self.base(), document.kind, document.id)
    }

    /// The absolute URL of this version of a document.
    pub fn versioned_url(&self, document: &Document) -> String {
        format!("{}/{}/{}/_history/{}", self.base(), document.kind, document.id, document.version)
    }

    /// The same request as if it were a read with these headers: for the representation that a write
    /// gives back.
    pub fn as_read<'b>(&'b self, headers: &'b HeaderMap, method: Method) -> Call<'b> {
        Call {
            app: self.app,
            endpoint: self.endpoint,
            tenant: self.tenant,
            method,
            target: self.target,
            parameters: self.parameters,
            headers,
            wanted: self.wanted.clone(),
            grant: self.grant.clone(),
            token: self.token.clone(),
            pretty: self.pretty,
            request_id: self.request_id,
            now: self.now,
            outbox: self.outbox,
            last_token: self.last_token,
            notes: self.notes,
            base: OnceLock::new(),
        }
    }

    /// `_summary` and `_elements` of a read.
    ///
    /// # Errors
    /// If `_summary` has none of its values.
    pub fn subset(&self) -> Result<Subset, Refusal> {
        if self.parameters.is_empty() {
            return Ok(Subset::default());
        }
        Ok(charta_fhir::search::subset(self.parameters)?)
    }
}

/// What the client wants, out of the endpoint's rules, `Accept` and `_format`.
pub fn wanted(endpoint: &Endpoint, headers: &HeaderMap, parameters: &[(String, String)]) -> Wanted {
    let rules = Rules { version: endpoint.version, profile: endpoint.profile, strict: endpoint.strict };
    let format = last(parameters, "_format");
    let mut values = headers.get_all(header::ACCEPT).iter().map(|value| value.to_str().unwrap_or_default());
    match (values.next(), values.next()) {
        (None, _) => Wanted::new(&rules, &[], format),
        (Some(only), None) => Wanted::new(&rules, &[only], format),
        (Some(first), Some(second)) => {
            let all: Vec<&str> = [first, second].into_iter().chain(values).collect();
            Wanted::new(&rules, &all, format)
        }
    }
}

/// The value of the last parameter of this name.
pub fn last<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    parameters.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
