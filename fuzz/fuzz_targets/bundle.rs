//! The entries of a Bundle become requests, and links between them what they name. No Bundle panics; what is linked
//! says nothing of what it was known by, and survives being written and read.
#![no_main]

// What the files below know of the server.
mod http {
    pub mod call {
        use charta_fhir::Version;

        pub struct App;

        impl App {
            pub fn local_part<'t>(&self, url: &'t str, _: ()) -> Option<&'t str> {
                url.strip_prefix("http://h/r4/")
            }
        }

        pub struct Call<'a> {
            pub app: &'a App,
            pub tenant: (),
            pub version: Version,
        }

        impl Call<'_> {
            pub fn version(&self) -> Version {
                self.version
            }
        }
    }

    pub mod outcome {
        use charta_fhir::parse::ReadError;

        #[derive(Debug)]
        #[allow(dead_code)]
        pub enum Refusal {
            Bundle(&'static str),
            Internal(&'static str),
            Profile(&'static str),
            Profiles(Vec<ReadError>),
            Entry { index: usize, refusal: Box<Refusal> },
        }
    }

    pub use crate::target;
}

#[path = "../../crates/server/src/http/interaction/bundle/entry.rs"]
#[allow(dead_code)]
mod entry;
#[path = "../../crates/server/src/http/interaction/bundle/links.rs"]
mod links;
#[path = "../../crates/server/src/http/mhd.rs"]
mod mhd;
#[path = "../../crates/server/src/http/target.rs"]
#[allow(dead_code)]
pub mod target;

use charta_fhir::{Format, Node, Version, json, references, resource};
use entry::Entry;
use http::{
    call::{App, Call},
    outcome,
};
use links::Identities;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [choice, body @ ..] = data else { return };
    let version = Version::ALL[usize::from(*choice) % Version::ALL.len()];
    let Ok(bundle) = resource::read_unchecked(body, Format::Json, version) else { return };
    let _ = mhd::check(&bundle, version);
    let call = Call { app: &App, tenant: (), version };
    let entries = bundle.items_at("entry").len();
    let entries = (0..entries).filter_map(|index| Entry::at(&call, &bundle, index).ok());
    let mut entries: Vec<Entry> = entries.collect();
    let identity = |entry: &Entry| {
        let kind = entry.kind().ok()?;
        Some((links::key(entry.full_url.as_deref()?), format!("{kind}/n{}", entry.index)))
    };
    let identities: Identities = entries.iter().filter_map(identity).collect();
    let chained = identities.values().any(|name| identities.contains_key(&links::key(name)));
    for resource in entries.iter_mut().filter_map(|entry| entry.resource.as_mut()) {
        if !resource::check(resource, version).is_empty() {
            continue;
        }
        links::put_right(resource, version, &identities);
        for (_, link) in references::references(resource) {
            assert!(chained || links::is_condition(&link) || !identities.contains_key(&links::key(&link)), "{link}");
        }
        let again = json::read(&json::text(resource));
        assert_eq!(again.as_ref(), Some(&*resource), "{}", json::text(resource));
        let _: Option<Node> = again;
    }
});
