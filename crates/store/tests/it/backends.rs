//! Each backend passes its suite.

mod sqlite {
    use std::sync::Arc;

    use charta_model::{ResourceId, ResourceType, TenantId};
    use charta_store::{
        Access,
        catalog::{Catalog, Companion, sqlite::Sqlite},
    };
    use tempfile::TempDir;

    struct Alone;
    impl Companion for Alone {
        fn changing(&self, _: &[(TenantId, ResourceType, ResourceId)]) {}
        fn changed(&self, _: &[(TenantId, ResourceType, ResourceId)]) {}
        fn holds(&self, _: &str, _: u64) -> bool {
            true
        }
        fn replaced(&self) {}
    }

    async fn make() -> (Arc<dyn Catalog>, TempDir) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("catalog.sqlite");
        (Arc::new(Sqlite::open(&path, Access::Exclusive, Arc::new(Alone)).unwrap()), place)
    }

    charta_store::catalog_suite!(make);
}

mod files {
    use std::sync::Arc;

    use charta_store::content::{ContentStore, files::Files};
    use tempfile::TempDir;

    async fn make() -> (Arc<dyn ContentStore>, TempDir) {
        let place = tempfile::tempdir().unwrap();
        Files::create(place.path()).unwrap();
        (Arc::new(Files::new(place.path())), place)
    }

    charta_store::content_suite!(make);
}

mod memory {
    use std::sync::Arc;

    use charta_store::content::{ContentStore, memory::Memory};

    async fn make() -> (Arc<dyn ContentStore>, ()) {
        (Arc::new(Memory::default()), ())
    }

    charta_store::content_suite!(make);
}

mod s3 {
    use std::sync::Arc;

    use charta_store::content::{ContentStore, s3::S3};

    use crate::bucket::Bucket;

    async fn make() -> (Arc<dyn ContentStore>, Bucket) {
        let bucket = Bucket::new();
        (Arc::new(S3::open(&bucket.place()).unwrap()), bucket)
    }

    charta_store::content_suite!(make);
}
