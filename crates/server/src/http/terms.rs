//! What an endpoint makes of a token's scopes: decision 1, table of profiles.

use charta_auth::{Claims, Companions, Grant, Terms};
use charta_fhir::{
    Profile, Version,
    search::{self, Among, Purpose},
};
use charta_model::{Filter, ResourceType};

use crate::config::{Confidentiality, Endpoint};

/// What the holder of a verified token is allowed at this endpoint.
pub fn grant(endpoint: &Endpoint, confidentiality: &Confidentiality, claims: &Claims) -> Grant {
    let understand =
        |kind: &ResourceType, constraint: &[(String, String)]| filters(endpoint.version, kind, constraint);
    let terms = Terms {
        companions: companions(endpoint),
        wildcards: endpoint.profile != Profile::Millennium,
        patients_write: endpoint.profile != Profile::Millennium,
        sees: confidentiality.seen_by(claims),
        relabels: confidentiality.relabel.is_held(claims),
        understand: &understand,
    };
    Grant::of_token(claims, &terms)
}

/// What a Binary takes beside its own scope.
pub const fn companions(endpoint: &Endpoint) -> Companions {
    match (endpoint.profile, endpoint.version) {
        (Profile::Millennium, Version::Dstu2) => Companions::Anchor,
        (Profile::Millennium, _) => Companions::OneOf(&["DocumentReference", "DiagnosticReport"]),
        (Profile::Soarian, _) => Companions::OneOf(&["DocumentReference"]),
        (Profile::Standard | Profile::CareConnect, _) => Companions::Anchor,
    }
}

/// A constraint as the search that it is, in the words of the endpoint's version; `None` if it is none there.
fn filters(version: Version, kind: &ResourceType, constraint: &[(String, String)]) -> Option<Vec<Filter>> {
    let among = Among { version, kinds: std::slice::from_ref(kind), bases: &[] };
    Some(search::resources(among, constraint, Purpose::Criteria).ok()?.query.filters)
}
