//! `_format` never panics and, where it is a type, is answered with that or refused.
#![no_main]

use charta_fhir::negotiate::{Chosen, Wanted};
use charta_fuzz::endpoints;
use charta_model::MediaType;

libfuzzer_sys::fuzz_target!(|data: &str| {
    let stored = MediaType::new("application/pdf").expect("a media type");
    for rules in endpoints() {
        for accept in [&[][..], &["application/pdf"], &["application/fhir+xml;q=0.5, */*"]] {
            let wanted = Wanted::new(&rules, accept, Some(data));
            if let Ok(Chosen::Resource(chosen)) = wanted.choose(&stored) {
                assert!(MediaType::new(&chosen.content_type).is_ok());
                assert_eq!(wanted.resource().map(|own| own.format), Ok(chosen.format));
            }
            assert!(MediaType::new(&wanted.outcome().content_type).is_ok());
        }
    }
});
