//! Ids and references that are taken are safe in paths and headers.
#![no_main]

use charta_model::{Reference, ResourceId, TenantId};

libfuzzer_sys::fuzz_target!(|data: &str| {
    if let Ok(id) = ResourceId::new(data) {
        assert_eq!(id.as_str(), data);
        assert!(!data.contains(['/', '\\', '%', '\0']) && data != "." && data != "..");
        assert!(TenantId::new(data).is_ok());
        assert!(Reference::new(&format!("Patient/{data}")).is_ok());
    }
    if let Ok(reference) = Reference::new(data) {
        assert_eq!(reference.as_str(), data);
        assert!(data.bytes().all(|byte| byte.is_ascii_graphic()));
    }
});
