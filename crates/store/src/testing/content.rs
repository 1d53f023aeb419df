//! What every content store does.

use std::sync::Arc;

use bytes::Bytes;
use charta_model::Digest;

use crate::{
    Content, Error,
    content::{ContentStore, Opened, PIECE_BYTES_MAX, Placed},
};

/// One test for each claim of the suite, on what `$make` makes: an async function that returns an empty
/// content store and something that keeps its place alive. With a text the tests are ignored for that reason.
#[macro_export]
macro_rules! content_suite {
    ($make:path) => {
        $crate::content_suite!($make, []);
    };
    ($make:path, $ignored:literal) => {
        $crate::content_suite!($make, [#[ignore = $ignored]]);
    };
    ($make:path, $attributes:tt) => {
        $crate::content_suite!(@each $make, $attributes
            what_was_written_is_read,
            an_unfinished_write_leaves_nothing,
            a_discarded_key_leaves_nothing,
            equal_bytes_get_keys_of_their_own,
            a_held_key_is_readable_and_not_listed,
            an_opened_content_outlives_its_removal,
            another_size_is_damage,
            every_key_is_listed_once,
            every_range_is_read,
            what_is_begun_is_read_once);
    };
    (@each $make:path, $attributes:tt $($claim:ident),*) => {
        $($crate::content_suite!(@one $make, $attributes $claim);)*
    };
    (@one $make:path, [$($attribute:tt)*] $claim:ident) => {
        #[tokio::test]
        $($attribute)*
        async fn $claim() {
            let (content, _place) = $make().await;
            $crate::testing::content::$claim(&content).await;
        }
    };
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
    let (mut keys, mut from) = (Vec::new(), None);
    loop {
        let listing = store.list(from).await.unwrap();
        keys.extend(listing.keys);
        from = Some(match listing.next {
            Some(next) => next,
            None => return keys,
        });
    }
}

async fn read(opened: Opened, size_bytes: u64) -> Bytes {
    Content::new(size_bytes, opened).read(0..size_bytes).await.unwrap()
}

/// Opens and reads: what is far away says only then that it is not there.
async fn open_and_read(store: &Subject, key: &str, size_bytes: u64) -> Result<Bytes, Error> {
    Content::new(size_bytes, store.open(key, size_bytes).await?).read(0..size_bytes).await
}

/// Bytes that say where they are.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

/// In one piece or several.
pub async fn what_was_written_is_read(store: &Subject) {
    let key = keep(store, &[b"one ", b"two ", b"three"]).await;
    assert_eq!(read(store.open(&key, 13).await.unwrap(), 13).await, "one two three");
    let part = Content::new(13, store.open(&key, 13).await.unwrap());
    assert_eq!(part.read(4..7).await.unwrap(), "two");
    assert!(matches!(part.read(4..14).await, Err(Error::Unusable(_))));
    assert_eq!(all_keys(store).await, [(key.clone(), 13)]);
    assert_eq!(store.remove(&key).await.unwrap(), Some(13));
    assert_eq!(store.remove(&key).await.unwrap(), None);
    assert!(matches!(open_and_read(store, &key, 13).await, Err(Error::Missing(_))));
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
    store.close().await; // waits for what is under way
    // What is far away has to be asked for. A file is looked at: one that is read while it goes stays open.
    while match store.is_shared() {
        true => !matches!(open_and_read(store, &key, 7).await, Err(Error::Missing(_))),
        false => store.holds(&key, 7),
    } {
        tokio::task::yield_now().await;
    }
    assert!(matches!(open_and_read(store, &key, 7).await, Err(Error::Missing(_))));
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
    for wrong in [1, 3, 5, 400_000] {
        assert!(matches!(open_and_read(store, &key, wrong).await, Err(Error::Corrupt(_))), "{wrong}");
    }
    assert!(!store.holds(&key, 5));
    assert_eq!(open_and_read(store, &key, 4).await.unwrap(), "four");
}

/// Whatever a listing gives at once.
pub async fn every_key_is_listed_once(store: &Subject) {
    let mut kept = Vec::new();
    for _ in 0..50 {
        kept.push((keep(store, &[b"many"]).await, 4));
    }
    let mut listed = all_keys(store).await;
    kept.sort();
    listed.sort();
    assert_eq!(listed, kept);
}

/// Whatever lies inside in blocks, parts and pieces.
pub async fn every_range_is_read(store: &Subject) {
    const PIECE: u64 = PIECE_BYTES_MAX as u64;
    let bytes = pattern(20 << 20 | 12_345);
    let mut writer = store.create().await.unwrap();
    for piece in bytes.chunks(1_234_567) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let placed = writer.finish(&Digest::of(&bytes)).await.unwrap();
    let (key, size) = (placed.key().to_owned(), bytes.len() as u64);
    placed.keep();
    let content = Content::new(size, store.open(&key, size).await.unwrap());
    for range in [
        0..1,
        0..size,
        size - 1..size,
        PIECE - 1..PIECE + 1,
        PIECE..2 * PIECE,
        5 * PIECE + 7..5 * PIECE + 8,
        (8 << 20) - 1..(16 << 20) + 1,
        7..7,
        size..size,
    ] {
        let expected = &bytes[range.start as usize..range.end as usize];
        assert!(content.read(range.clone()).await.unwrap() == expected, "{range:?}");
        let mut reader = content.reader(range.clone()).unwrap();
        let mut found = Vec::new();
        loop {
            let piece = reader.next().await.unwrap();
            assert!(piece.len() <= PIECE_BYTES_MAX);
            if piece.is_empty() {
                break;
            }
            if range.start == 0 && (found.len() + piece.len()) as u64 != range.end {
                assert!(piece.len().is_multiple_of(3), "pieces join in base64");
            }
            found.extend_from_slice(&piece);
        }
        assert!(found == expected, "{range:?}");
    }
    assert!(matches!(content.read(0..size + 1).await, Err(Error::Unusable(_))));
    assert!(matches!(content.reader(size..size + 1), Err(Error::Unusable(_))));
}

/// What was begun goes to whoever reads that stretch next, and to nobody else.
pub async fn what_is_begun_is_read_once(store: &Subject) {
    let key = keep(store, &[b"to begin with"]).await;
    let content = Content::new(13, store.open(&key, 13).await.unwrap());
    for range in [0..13, 3..13, 0..0] {
        content.begin(range).await.unwrap();
        assert_eq!(content.read(0..2).await.unwrap(), "to");
        assert_eq!(content.read(3..8).await.unwrap(), "begin");
    }
    content.begin(3..8).await.unwrap();
    for _ in 0..2 {
        let mut reader = content.reader(3..8).unwrap();
        assert_eq!(reader.next().await.unwrap(), "begin");
        assert_eq!(reader.next().await.unwrap(), "");
    }
    assert!(matches!(content.begin(3..14).await, Err(Error::Unusable(_))));
    store.remove(&key).await.unwrap();
    drop(content);
    store.close().await;
    let gone = match store.open(&key, 13).await {
        Ok(opened) => Content::new(13, opened).begin(0..13).await,
        Err(error) => Err(error),
    };
    assert!(matches!(gone, Err(Error::Missing(_))), "{gone:?}");
}
