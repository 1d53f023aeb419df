//! Stores in the bucket of `TEST_S3_URL`, of which nothing is known but that it speaks S3: Ceph's under `./test`, any
//! other by hand (docs/operations/s3.md). The usual `AWS_*` variables tell where it is and who asks.

use std::{
    env,
    time::{Duration, Instant},
};

use bytes::Bytes;
use charta_store::{Error, S3Place, testing};
use futures_util::TryStreamExt as _;
use object_store::{
    ObjectStore as _, ObjectStoreExt as _,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer},
    client::{HttpClient, HttpRequestBody},
    path::Path,
};
use tokio_rustls::rustls::crypto::ring;

use crate::support::{AnyBucket, Place, TestStore, assert_clean, bytes, put, read};

/// A prefix of one's own in the bucket. It is emptied with the value.
pub struct RealBucket {
    url: String,
    prefix: Path,
    client: AmazonS3,
}

impl RealBucket {
    pub fn new() -> Self {
        let bucket =
            env::var("TEST_S3_URL").expect("TEST_S3_URL names a bucket for tests: s3://bucket/prefix");
        let url = format!("{}/{}", bucket.trim_end_matches('/'), uuid::Uuid::new_v4().simple());
        let prefix = url.splitn(4, '/').nth(3).unwrap();
        Self { client: builder(&url).build().unwrap(), prefix: Path::from(prefix), url }
    }

    /// Where a store finds it.
    pub fn place(&self) -> S3Place {
        S3Place::new(&self.url, env::vars()).unwrap()
    }

    /// Where all its objects are.
    pub async fn objects(&self) -> Vec<Path> {
        let objects = self.client.list(Some(&self.prefix));
        objects.map_ok(|object| object.location).try_collect().await.unwrap()
    }

    /// What no store put there.
    async fn put(&self, name: &str, bytes: Vec<u8>) {
        let path = name.split('/').fold(self.prefix.clone(), |path, part| path.join(part));
        self.client.put(&path, bytes.into()).await.unwrap();
    }

    async fn get(&self, path: &Path) -> Bytes {
        self.client.get(path).await.unwrap().bytes().await.unwrap()
    }

    pub async fn remove_all(&self) {
        for path in self.objects().await {
            self.client.delete(&path).await.unwrap();
        }
    }

    /// What the store answers when it is asked which uploads have begun and not ended.
    async fn uploads(&self) -> String {
        let endpoint = builder(&self.url).get_config_value(&AmazonS3ConfigKey::Endpoint).unwrap();
        let bucket = self.url.split('/').nth(2).unwrap();
        let url = format!("{endpoint}/{bucket}?prefix={}&uploads=", self.prefix);
        let mut request = http::Request::get(url).body(HttpRequestBody::empty()).unwrap();
        let credential = self.client.credentials().get_credential().await.unwrap();
        let region = env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".into());
        AwsAuthorizer::new(&credential, "s3", &region).try_authorize(&mut request, None).unwrap();
        let response = HttpClient::new(reqwest::Client::new()).execute(request).await.unwrap();
        let (head, body) = response.into_parts();
        let said = String::from_utf8(body.bytes().await.unwrap().to_vec()).unwrap();
        assert!(head.status.is_success() && said.contains("ListMultipartUploadsResult"), "{said}");
        said
    }
}

impl Drop for RealBucket {
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            // The test's runtime may be ending.
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                // By a client of its own, as connections stay with the runtime that made them.
                let client = builder(&self.url).build().unwrap();
                runtime.block_on(async {
                    let objects = client.list(Some(&self.prefix)).map_ok(|object| object.location);
                    let _ = objects
                        .try_for_each_concurrent(8, |path| {
                            let client = &client;
                            async move { client.delete(&path).await }
                        })
                        .await;
                });
            });
        });
    }
}

fn builder(url: &str) -> AmazonS3Builder {
    let _ = ring::default_provider().install_default(); // another test may have done it
    AmazonS3Builder::from_env().with_url(url).with_allow_http(true)
}

async fn settled_uploads(bucket: &RealBucket) -> String {
    let begun = Instant::now();
    loop {
        let said = bucket.uploads().await;
        if !said.contains("<Upload>") || begun.elapsed() > Duration::from_secs(20) {
            return said;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL and TEST_S3_URL"]
async fn an_upload_in_parts_comes_back_and_so_does_each_range_of_it() {
    let store = TestStore::at(Place::of_real_s3());
    let large = bytes(1, 64 << 20);
    put(&store, "a", &large).await;
    assert!(read(&store, "a").await.unwrap().unwrap() == large);
    let (tenant, kind, id) = (testing::tenant("t"), testing::kind("Binary"), testing::id("a"));
    let stored = store.current(&tenant, &kind, &id).await.unwrap().unwrap();
    let content = store.content(&stored).await.unwrap();
    // Around where parts and blocks join.
    for at in [0, (96 << 10) - 1, (8 << 20) - 1, (8 << 20) + 1, (64 << 20) - 5] {
        assert_eq!(content.read(at..at + 5).await.unwrap(), &large[at as usize..at as usize + 5], "{at}");
    }
    assert_eq!(bucket(&store).objects().await.len(), 1);
    assert_clean(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL and TEST_S3_URL"]
async fn an_upload_that_is_given_up_leaves_neither_an_object_nor_parts() {
    let store = TestStore::at(Place::of_real_s3());
    let mut upload = store.upload();
    for piece in bytes(1, 24 << 20).chunks(1 << 20) {
        upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let begun = bucket(&store).uploads().await;
    assert!(begun.contains("<Upload>"), "an upload is under way: {begun}");
    drop(upload);
    store.close().await;
    let left = settled_uploads(bucket(&store)).await;
    assert!(!left.contains("<Upload>"), "{left}");
    assert_eq!(bucket(&store).objects().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL and TEST_S3_URL"]
async fn a_sweep_removes_what_no_record_names_and_leaves_what_is_not_of_the_store() {
    let store = TestStore::at(Place::of_real_s3());
    put(&store, "a", &bytes(1, 5000)).await;
    let bucket = bucket(&store);
    let named = bucket.objects().await;
    // As a process leaves it that was killed between the object and its record.
    let orphan = uuid::Uuid::new_v4().simple().to_string();
    let (orphan, other) = (format!("{}/{orphan}", &orphan[..2]), "notes/of-others.txt".to_owned());
    for name in [&orphan, &other] {
        bucket.put(name, bytes(2, 700)).await;
    }
    let findings = store.check(false, &|_, _| {}).await.unwrap();
    assert!(findings.len() == 1 && findings[0].problem.contains(&orphan), "{findings:?}");
    assert_eq!(store.sweep().await.unwrap().files, 1);
    let mut left = bucket.objects().await;
    left.retain(|path| !path.as_ref().ends_with(&other));
    assert_eq!(left, named);
    assert_eq!(bucket.objects().await.len(), 2);
    assert_clean(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL and TEST_S3_URL"]
async fn check_finds_what_is_missing_and_what_is_not_what_was_stored() {
    let store = TestStore::at(Place::of_real_s3());
    let bucket = bucket(&store);
    let mut objects = Vec::new();
    for (seed, name) in (1..).zip(["missing", "shorter", "changed", "whole"]) {
        put(&store, name, &bytes(seed, 300_000)).await;
        let fresh = bucket.objects().await.into_iter().find(|path| !objects.contains(path));
        objects.push(fresh.unwrap());
    }
    let object = bucket.get(&objects[2]).await;
    let mut changed = object.to_vec();
    changed[200_000] ^= 1;
    bucket.client.delete(&objects[0]).await.unwrap();
    bucket.client.put(&objects[1], object.slice(..200_000).into()).await.unwrap();
    bucket.client.put(&objects[2], changed.into()).await.unwrap();

    let findings = store.check(false, &|_, _| {}).await.unwrap();
    let key = |number: usize| objects[number].filename().unwrap().to_owned();
    for (number, problem) in [(0, "missing"), (1, "damaged"), (2, "damaged")] {
        let told = findings.iter().filter(|finding| finding.problem.contains(&key(number)));
        let told: Vec<_> = told.map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].contains(problem), "{number}: {told:?}");
    }
    assert_eq!(findings.len(), 3, "{findings:?}");
    for name in ["missing", "shorter", "changed"] {
        assert!(matches!(read(&store, name).await, Err(Error::Missing(_) | Error::Corrupt(_))), "{name}");
    }
    assert!(read(&store, "whole").await.unwrap().is_some());
}

fn bucket(store: &TestStore) -> &RealBucket {
    match &store.place.bucket {
        Some(AnyBucket::Real(bucket)) => bucket,
        _ => panic!("the store is in a real bucket"),
    }
}
