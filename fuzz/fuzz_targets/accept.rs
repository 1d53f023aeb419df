//! `Accept` lines never panic; what is chosen is a type that can stand in a header.
#![no_main]

use charta_fhir::negotiate::{Chosen, Wanted};
use charta_fuzz::endpoints;
use charta_model::MediaType;

libfuzzer_sys::fuzz_target!(|data: &str| {
    let lines: Vec<&str> = data.split('\n').collect();
    for rules in endpoints() {
        let wanted = Wanted::new(&rules, &lines, None);
        for stored in ["application/pdf", "application/xml", "application/fhir+json", "text/html;charset=x"] {
            let stored = MediaType::new(stored).expect("a media type");
            if let Ok(Chosen::Resource(chosen)) = wanted.choose(&stored) {
                assert!(MediaType::new(&chosen.content_type).is_ok());
            }
        }
        if let Ok(chosen) = wanted.resource() {
            assert!(MediaType::new(&chosen.content_type).is_ok());
        }
        assert!(MediaType::new(&wanted.outcome().content_type).is_ok());
    }
});
