//! What an endpoint does with a type, by its profile and version. The capability statement is made of it, so it
//! says no more and no less.

use charta_fhir::{Profile, Version};
use charta_model::ResourceType;
use http::Method;

use crate::{
    config::Endpoint,
    http::{call::Call, target::Target},
};

/// What an endpoint does, of what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offered {
    /// Whether there is such a type here.
    pub is_served: bool,
    /// search
    pub search: bool,
    /// vread and history
    pub versions: bool,
    /// create
    pub create: bool,
    /// update
    pub update: bool,
    /// conditional create, update and delete
    pub conditional: bool,
    /// patch
    pub patch: bool,
    /// delete
    pub delete: bool,
    /// batch and transaction; of the system alone
    pub bundle: bool,
}

/// Types that are no resources of their own.
const NEVER_STORED: [&str; 2] = ["Parameters", "OperationOutcome"];

impl Offered {
    /// What the endpoint of a request does with a type, or with all of them.
    pub fn at(call: &Call<'_>, kind: Option<&ResourceType>) -> Self {
        Self::by(call.endpoint, kind)
    }

    /// The same by the endpoint.
    #[must_use]
    pub fn by(endpoint: &Endpoint, kind: Option<&ResourceType>) -> Self {
        let version = endpoint.version;
        let standard = endpoint.profile == Profile::Standard;
        let writes = standard && endpoint.writable;
        let Some(kind) = kind else {
            return Self {
                is_served: true,
                search: standard,
                versions: standard,
                bundle: writes,
                ..Self::default()
            };
        };
        let name = kind.as_str();
        if version.definitions().resource(name).is_none() || NEVER_STORED.contains(&name) {
            return Self::default();
        }
        if *kind == ResourceType::AUDIT_EVENT {
            // Of the audit log: see docs/decisions/0012-the-audit-log.md
            let is_served = standard && version.is_r4_or_later();
            return Self { is_served, search: is_served, ..Self::default() };
        }
        // Decision 20: nowhere else.
        let binary_search = standard && matches!(version, Version::Dstu2 | Version::Stu3);
        let millennium_writes =
            endpoint.profile == Profile::Millennium && endpoint.writable && name == "DocumentReference";
        Self {
            is_served: true,
            search: if kind.is_binary() { binary_search } else { true },
            versions: standard,
            create: writes || millennium_writes,
            // The DSTU2 pages of Millennium know no update.
            update: writes || millennium_writes && version != Version::Dstu2,
            conditional: writes,
            patch: writes && version >= Version::Stu3 && !kind.is_binary(),
            delete: writes,
            bundle: false,
        }
    }

    /// The methods that do something, as the header `Allow` has them.
    #[must_use]
    pub fn allow(&self, target: &Target) -> String {
        let mut methods = Vec::new();
        let mut add = |methods_of: &[Method], there: bool| {
            if there {
                methods.extend_from_slice(methods_of);
            }
        };
        let get = [Method::GET, Method::HEAD];
        if self.is_served {
            match target {
                Target::Instance(..) => {
                    add(&get, true);
                    add(&[Method::PUT], self.update);
                    add(&[Method::PATCH], self.patch);
                    add(&[Method::DELETE], self.delete);
                }
                Target::Type(_) => {
                    add(&get, self.search);
                    add(&[Method::POST], self.create);
                    add(&[Method::PUT], self.conditional);
                    add(&[Method::PATCH], self.patch);
                    add(&[Method::DELETE], self.conditional);
                }
                Target::System => {
                    add(&get, self.search);
                    add(&[Method::POST], self.bundle);
                }
                Target::TypeSearch(_) | Target::SystemSearch | Target::CompartmentSearch(..) => {
                    add(&[Method::POST], self.search);
                }
                Target::Compartment(..) => add(&get, self.search),
                Target::Version(..)
                | Target::InstanceHistory(..)
                | Target::TypeHistory(_)
                | Target::SystemHistory => add(&get, self.versions),
                Target::Metadata | Target::SmartConfiguration => add(&get, true),
                Target::Operation(..) | Target::Unknown => {}
            }
        }
        methods.push(Method::OPTIONS);
        methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }
}
