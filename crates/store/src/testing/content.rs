//! What every content store does.

use std::sync::Arc;

use bytes::Bytes;
use charta_model::Digest;

use crate::{
    Content, Error,
    content::{ContentStore, Opened, Placed},
};

/// One test for each claim of the suite, on what `$make` makes: an async function that returns an empty
/// content store and something that keeps its place alive.
#[macro_export]
macro_rules! content_suite {
    ($make:path) => {
        $crate::content_suite!($make:
            what_was_written_is_read,
            an_unfinished_write_leaves_nothing,
            a_discarded_key_leaves_nothing,
            equal_bytes_get_keys_of_their_own,
            a_held_key_is_readable_and_not_listed,
            an_opened_content_outlives_its_removal,
            another_size_is_damage);
    };
    ($make:path: $($claim:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $claim() {
            let (content, _place) = $make().await;
            $crate::testing::content::$claim(&content).await;
        }
    )*};
}

type Subject = Arc<dyn ContentStore>;

async fn place(store: &Subject, pieces: &[&'static [u8]]) -> Placed {
    let mut writer = store.create().await.unwrap();
    for piece in pieces {
        writer.write(Bytes::from_static(piece)).await.unwrap();
    }
    writer.finish(&Digest::of(&pieces.concat())).await.unwrap()
}

async fn keep(store: &Subject, pieces: &[&'static [u8]]) -> String {
    let placed = place(store, pieces).await;
    let key = placed.key().to_owned();
    placed.keep();
    key
}

async fn all_keys(store: &Subject) -> Vec<(String, u64)> {
    let mut keys = Vec::new();
    for first_byte in 0..=u8::MAX {
        keys.extend(store.list(first_byte).await.unwrap());
    }
    keys
}

async fn read(opened: Opened, size_bytes: u64) -> Bytes {
    Content::new(size_bytes, opened).read(0..size_bytes).await.unwrap()
}

/// In one piece or several, under a key that begins with the digest.
pub async fn what_was_written_is_read(store: &Subject) {
    let key = keep(store, &[b"one ", b"two ", b"three"]).await;
    let digest = Digest::of(b"one two three").hex();
    assert!(key.starts_with(&format!("{}/{digest}-", &digest[..2])), "{key}");
    assert_eq!(read(store.open(&key, 13).await.unwrap(), 13).await, "one two three");
    let part = Content::new(13, store.open(&key, 13).await.unwrap());
    assert_eq!(part.read(4..7).await.unwrap(), "two");
    assert!(matches!(part.read(4..14).await, Err(Error::Unusable(_))));
    assert_eq!(all_keys(store).await, [(key.clone(), 13)]);
    assert_eq!(store.remove(&key).await.unwrap(), Some(13));
    assert_eq!(store.remove(&key).await.unwrap(), None);
    assert!(matches!(store.open(&key, 13).await, Err(Error::Missing(_))));
    store.ping().await.unwrap();
}

/// Contract 5.
pub async fn an_unfinished_write_leaves_nothing(store: &Subject) {
    let mut writer = store.create().await.unwrap();
    writer.write(Bytes::from_static(b"half")).await.unwrap();
    drop(writer);
    assert_eq!(all_keys(store).await, []);
}

/// Contract 5.
pub async fn a_discarded_key_leaves_nothing(store: &Subject) {
    let placed = place(store, &[b"refused"]).await;
    let key = placed.key().to_owned();
    drop(placed);
    while store.holds(&key, 7) {
        tokio::task::yield_now().await;
    }
    assert!(matches!(store.open(&key, 7).await, Err(Error::Missing(_))));
    assert_eq!(all_keys(store).await, []);
}

/// Contract 4.
pub async fn equal_bytes_get_keys_of_their_own(store: &Subject) {
    let (first, second) = (keep(store, &[b"same"]).await, keep(store, &[b"same"]).await);
    assert_ne!(first, second);
    store.remove(&first).await.unwrap();
    assert_eq!(read(store.open(&second, 4).await.unwrap(), 4).await, "same");
}

/// Contract 8.
pub async fn a_held_key_is_readable_and_not_listed(store: &Subject) {
    let placed = place(store, &[b"held"]).await;
    assert!(store.holds(placed.key(), 4));
    assert_eq!(read(store.open(placed.key(), 4).await.unwrap(), 4).await, "held");
    assert_eq!(all_keys(store).await, []);
    placed.keep();
    assert_eq!(all_keys(store).await.len(), 1);
}

/// Contract 8.
pub async fn an_opened_content_outlives_its_removal(store: &Subject) {
    let key = keep(store, &[b"opened"]).await;
    let opened = store.open(&key, 6).await.unwrap();
    store.remove(&key).await.unwrap();
    assert_eq!(read(opened, 6).await, "opened");
}

/// A record and its bytes that differ are noticed before a byte is served.
pub async fn another_size_is_damage(store: &Subject) {
    let key = keep(store, &[b"four"]).await;
    assert!(!store.holds(&key, 5));
    assert!(matches!(store.open(&key, 5).await, Err(Error::Corrupt(_))));
}
