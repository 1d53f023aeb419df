//! Each backend passes its suite.

mod sqlite {
    use std::sync::Arc;

    use charta_store::{
        Access,
        catalog::{Catalog, sqlite::Sqlite},
    };
    use tempfile::TempDir;

    use crate::support::Alone;

    async fn make() -> (Arc<dyn Catalog>, TempDir) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("catalog.sqlite");
        (Arc::new(Sqlite::open(&path, Access::Exclusive, Arc::new(Alone)).unwrap()), place)
    }

    charta_store::catalog_suite!(make);
}

mod postgres {
    use std::sync::Arc;

    use charta_store::{
        Access,
        catalog::{Catalog, postgres::Postgres},
    };

    use crate::{database::Database, support::Alone};

    async fn make() -> (Arc<dyn Catalog>, Database) {
        let database = Database::new().await;
        let catalog = Postgres::open(database.url(), Access::Exclusive, Arc::new(Alone)).await.unwrap();
        (Arc::new(catalog), database)
    }

    charta_store::catalog_suite!(make, "needs TEST_POSTGRES_URL");
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

mod real_s3 {
    use std::sync::Arc;

    use charta_store::content::{ContentStore, s3::S3};

    use crate::real_s3::RealBucket;

    async fn make() -> (Arc<dyn ContentStore>, RealBucket) {
        let bucket = RealBucket::new();
        (Arc::new(S3::open(&bucket.place()).unwrap()), bucket)
    }

    charta_store::content_suite!(make, "needs TEST_S3_URL");
}
