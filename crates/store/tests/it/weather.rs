//! A bucket that is down, slow, cut off, refuses or sends what was never stored.

use std::time::{Duration, Instant};

use bytes::Bytes;
use charta_store::{Access, CommitError, ContentPlace, Error, Options, Store, testing};
use tempfile::TempDir;

use crate::{
    bucket::{Bucket, place},
    proxy::{Proxy, Weather},
    support::{INLINE_BYTES_MAX, assert_clean, bytes, commit, put, read},
};

/// Nothing that is answered may take longer; the machine may be busy.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(8);

struct Cluster {
    store: Store,
    proxy: Proxy,
    bucket: Bucket,
    _directory: TempDir,
}

impl Cluster {
    fn new() -> Self {
        let bucket = Bucket::new();
        let proxy = Proxy::to(bucket.address);
        let directory = tempfile::tempdir().unwrap();
        let content = ContentPlace::S3(place(proxy.address, "SKTESTSECRET"));
        let options = Options {
            inline_bytes_max: INLINE_BYTES_MAX,
            content,
            ..Options::new(directory.path().join("store"))
        };
        let store = Store::open(&options, Access::Exclusive).unwrap();
        Self { store, proxy, bucket, _directory: directory }
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    assert!(begun.elapsed() < ANSWER_TIME_MAX, "{:?}", begun.elapsed());
    done
}

#[tokio::test]
async fn an_upload_is_one_put_or_parts_and_dropped_it_is_aborted() {
    let Cluster { store, bucket, .. } = &Cluster::new();
    let asked = || {
        let asked = bucket.asked();
        let verb = |line: &String| {
            let what = ["uploads", "partNumber", "uploadId"].into_iter().find(|word| line.contains(word));
            format!("{} {}", line.split(' ').next().unwrap(), what.unwrap_or("object"))
        };
        asked.iter().map(verb).collect::<Vec<_>>()
    };
    put(store, "a", &bytes(1, 8 << 20 >> 1)).await;
    assert_eq!(asked(), ["PUT object"]);
    put(store, "b", &bytes(2, 17 << 20)).await;
    let parts = ["POST uploads", "PUT partNumber", "PUT partNumber", "PUT partNumber", "POST uploadId"];
    assert_eq!(asked(), parts);
    let mut upload = store.upload();
    upload.write(Bytes::from(bytes(3, 17 << 20))).await.unwrap();
    drop(upload);
    store.close().await;
    let asked = asked();
    assert!(
        asked.starts_with(&["POST uploads".into()]) && asked.contains(&"DELETE uploadId".into()),
        "{asked:?}"
    );
    assert_eq!(bucket.objects().len(), 2);
}

#[tokio::test]
async fn what_breaks_off_or_comes_wrong_is_asked_for_again() {
    let Cluster { store, proxy, .. } = &Cluster::new();
    let large = bytes(1, 5_000_000);
    put(store, "a", &large).await;
    let weathers =
        [Weather::Cut(700_000), Weather::WrongAnswers(700_001), Weather::Late(Duration::from_millis(1))];
    for weather in weathers {
        proxy.set(weather);
        assert!(read(store, "a").await.unwrap().unwrap() == large, "{weather:?}");
    }
    proxy.set(Weather::Fair);
    assert_clean(store).await;
}

#[tokio::test]
async fn what_is_always_wrong_is_never_given_out() {
    let Cluster { store, proxy, .. } = &Cluster::new();
    let large = bytes(1, 30_000_000); // more than is on its way when the weather turns
    put(store, "a", &large).await;
    let stored = store
        .current(&testing::tenant("t"), &testing::kind("Binary"), &testing::id("a"))
        .await
        .unwrap()
        .unwrap();
    // Fewer bytes than a block lie between two wrong ones.
    proxy.set(Weather::WrongAnswers(90_000));
    let content = store.content(&stored).await.unwrap();
    assert!(matches!(content.begin(0..30_000_000).await, Err(Error::Corrupt(_) | Error::Unavailable(_))));

    proxy.set(Weather::Fair);
    let mut reader = content.reader(0..30_000_000).unwrap();
    let mut found = reader.next().await.unwrap().to_vec();
    proxy.set(Weather::WrongAnswers(90_000));
    let error = loop {
        match reader.next().await {
            Ok(piece) if piece.is_empty() => panic!("a whole document came through"),
            Ok(piece) => found.extend_from_slice(&piece),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Corrupt(_) | Error::Unavailable(_)), "{error:?}");
    assert!(found.len() < large.len() && large.starts_with(&found), "only what is right was given out");
}

#[tokio::test]
async fn bytes_of_another_object_or_place_are_not_taken() {
    let Cluster { store, bucket, .. } = &Cluster::new();
    let (first, second) = (bytes(1, 300_000), bytes(2, 300_000));
    put(store, "a", &first).await;
    let a = bucket.objects().pop().unwrap();
    put(store, "b", &second).await;
    let b = bucket.objects().into_iter().find(|path| *path != a).unwrap();
    let object = std::fs::read(&a).unwrap();

    std::fs::copy(&b, &a).unwrap();
    assert!(matches!(read(store, "a").await, Err(Error::Corrupt(_))), "another object");

    let block = (96 << 10) + 32;
    let mut turned = object.clone();
    turned[..2 * block].rotate_left(block);
    std::fs::write(&a, turned).unwrap();
    assert!(matches!(read(store, "a").await, Err(Error::Corrupt(_))), "another order");

    std::fs::write(&a, &object[..2 * block]).unwrap();
    assert!(matches!(read(store, "a").await, Err(Error::Corrupt(_))), "a shorter object");
    let findings = store.check(false, &|_, _| {}).await.unwrap();
    assert!(findings.len() == 1 && findings[0].to_string().contains("damaged"), "{findings:?}");

    // What is known to be damaged is replaced by the same bytes.
    put(store, "again", &first).await;
    assert_eq!(read(store, "a").await.unwrap().unwrap(), first);
    store.sweep().await.unwrap();
    assert_clean(store).await;
}

#[tokio::test]
async fn what_needs_the_bucket_is_refused_within_seconds_and_the_rest_is_served() {
    let Cluster { store, proxy, .. } = &Cluster::new();
    let large = bytes(1, 300_000);
    put(store, "small", b"small").await;
    put(store, "large", &large).await;
    let weathers = [Weather::Down, Weather::Silent, Weather::Late(Duration::from_secs(60)), Weather::Cut(50)];
    for (number, weather) in weathers.into_iter().enumerate() {
        proxy.set(weather);
        let refused = within(read(store, "large")).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{weather:?}: {refused:?}");
        let small = format!("small {number}");
        put(store, "small", small.as_bytes()).await;
        assert_eq!(read(store, "small").await.unwrap().unwrap(), small);
        let down = within(store.ping()).await;
        assert!(down.is_err_and(|error| error.to_string().contains("content")), "{weather:?}");
    }
    proxy.set(Weather::Down);
    let refused = within(commit(store, testing::update("new"), &large, 1)).await;
    assert!(matches!(refused, Err(CommitError::Store(Error::Unavailable(_)))), "{refused:?}");
    proxy.set(Weather::Fair);
    store.ping().await.unwrap();
    assert_eq!(read(store, "large").await.unwrap().unwrap(), large);
    put(store, "new", &bytes(2, 300_000)).await;
    store.sweep().await.unwrap();
    assert_clean(store).await;
}

#[tokio::test]
async fn whoever_may_not_ask_is_told_so_without_a_secret() {
    let bucket = Bucket::new();
    let directory = tempfile::tempdir().unwrap();
    let content = ContentPlace::S3(place(bucket.address, "not-the-secret"));
    let store =
        Store::open(&Options { content, ..Options::new(directory.path()) }, Access::Exclusive).unwrap();
    let refused = within(commit(&store, testing::update("a"), &bytes(1, 100_000), 1)).await.unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, CommitError::Store(Error::Unavailable(_))), "{text}");
    assert!(text.contains("403") || text.contains("SignatureDoesNotMatch"), "{text}");
    assert!(!text.contains("AKTEST") && !text.contains("not-the-secret"), "{text}");
    assert!(store.ping().await.is_err());
}

/// Whatever happens on the way: what was acknowledged is there, and nothing else is ever read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_weather_loses_or_changes_a_document() {
    let Cluster { store, proxy, .. } = &Cluster::new();
    let weathers = [
        Weather::WrongRequests(90_001),
        Weather::Cut(120_000),
        Weather::WrongAnswers(90_001),
        Weather::Down,
        Weather::Fair,
    ];
    let (mut acknowledged, mut refused, mut unread) = (Vec::new(), 0, 0);
    for round in 0..15_u64 {
        proxy.set(weathers[round as usize % weathers.len()]);
        for number in 0..4 {
            let (name, bytes) = (format!("{round}-{number}"), bytes(100 * round + number, 10_000 << number));
            match commit(store, testing::update(&name), &bytes, 1).await {
                Ok(_) => acknowledged.push((name.clone(), Bytes::from(bytes.clone()))),
                Err(CommitError::Store(Error::Unavailable(_))) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
            match read(store, &name).await {
                Ok(found) => assert!(found.is_none_or(|found| found == bytes), "{name} is another"),
                Err(Error::Unavailable(_) | Error::Corrupt(_)) => unread += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    proxy.set(Weather::Fair);
    assert!(acknowledged.len() >= 12 && refused >= 12, "{} {refused} {unread}", acknowledged.len());
    for (name, bytes) in &acknowledged {
        assert!(read(store, name).await.unwrap().unwrap() == bytes, "{name}");
    }
    store.sweep().await.unwrap();
    assert_clean(store).await;
}
