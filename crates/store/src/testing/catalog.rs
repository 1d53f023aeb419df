//! What every catalog does.

use std::sync::Arc;

use charta_model::{
    Change, Comparison, Document, Filter, HistoryQuery, HistoryScope, Intent, LabelKind, Order, Query,
    ResourceType, SortKey, TokenMatch, TypeMatch, VersionMatch, Write, WriteOutcome,
};

use super::{at, binaries, by_tag, delete, id, tagged, tenant, text, typed, update, uploaded, write};
use crate::{
    CommitError, Error, Uploaded,
    catalog::{Catalog, Forgotten},
};

/// One test for each claim of the suite, on what `$make` makes: an async function that returns an empty
/// catalog and something that keeps its place alive. What comes behind it says why the tests are ignored.
#[macro_export]
macro_rules! catalog_suite {
    ($make:path $(, $ignored:literal)?) => {
        $crate::catalog_suite!($make, [$($ignored)?] catalog:
            versions_count_through_updates_and_deletions,
            an_equal_update_is_unchanged,
            tenants_do_not_meet,
            conditions_are_decided_with_the_write,
            two_racing_creates_make_one_document,
            a_condition_on_a_search_finds_what_is_current,
            searches_filter,
            searches_sort_and_page,
            an_uncounted_page_knows_whether_it_is_the_last,
            histories_page_by_sequence,
            histories_know_what_was_current,
            a_purged_document_is_gone,
            content_is_forgotten_with_its_last_reference,
            equal_content_is_kept_once_within_a_tenant,
            the_bytes_come_back,
            a_write_without_bytes_is_refused,
            many_writers_lose_nothing,
            a_check_of_all_this_is_clean);
        $crate::catalog_suite!($make, [$($ignored)?] records:
            a_record_is_its_source,
            types_do_not_meet,
            histories_cover_types_and_dialects,
            a_deletion_stays_in_the_history_of_its_dialect,
            entries_are_those_of_the_current_version,
            a_purge_takes_entries_and_links_along,
            labels_are_found_in_every_type,
            links_are_kept_of_every_version,
            bytes_in_use_stay,
            an_error_or_a_pinned_version_uses_nothing,
            references_are_followed_both_ways);
        $crate::catalog_suite!($make, [$($ignored)?] filters:
            tokens,
            references,
            texts,
            uris,
            dates,
            quantities,
            composites,
            what_is_missing,
            chains,
            combinations,
            scopes,
            records_sort_by_parameters,
            pages_of_a_large_result_are_whole,
            a_search_that_asks_too_much_is_refused);
        $crate::catalog_suite!($make, [$($ignored)?] custody:
            custody_is_kept_with_each_version,
            documents_are_found_by_how_carefully_they_are_shown,
            a_binary_is_found_by_what_names_it,
            a_binary_is_found_by_its_context,
            types_have_conditions_of_their_own,
            histories_of_what_is_found,
        );
        $crate::catalog_suite!($make, [$($ignored)?] transactions:
            a_transaction_is_done_whole,
            a_write_sees_those_before_it,
            the_nth_failure_takes_all_back,
            a_guard_that_no_longer_holds_stops_all,
            racing_transactions_make_one_document,
            use_is_judged_after_all_writes,
            what_others_wrote_with_it_stays,
            many_writes_are_one_transaction);
        $crate::catalog_suite!($make, [$($ignored)?] between moving:
            a_catalog_that_is_left_takes_no_writes,
            versions_leave_as_they_were_written,
            a_copy_is_the_same,
            a_copy_has_what_no_index_has_room_for,
            a_copy_goes_on_where_it_was,
            a_document_made_anew_replaces_the_purged_one,
            a_version_without_its_bytes_stays_out,
        );
    };
    ($make:path, [] $module:ident: $($claim:ident),* $(,)?) => {
        $crate::catalog_suite!(@each $make, [] $module: $($claim),*);
    };
    ($make:path, [$ignored:literal] $module:ident: $($claim:ident),* $(,)?) => {
        $crate::catalog_suite!(@each $make, [#[ignore = $ignored]] $module: $($claim),*);
    };
    (@each $make:path, $attributes:tt $module:ident: $($claim:ident),*) => {
        $($crate::catalog_suite!(@one $make, $attributes $module: $claim);)*
    };
    ($make:path, [] between $module:ident: $($claim:ident),* $(,)?) => {
        $crate::catalog_suite!(@between $make, [] $module: $($claim),*);
    };
    ($make:path, [$ignored:literal] between $module:ident: $($claim:ident),* $(,)?) => {
        $crate::catalog_suite!(@between $make, [#[ignore = $ignored]] $module: $($claim),*);
    };
    (@between $make:path, $attributes:tt $module:ident: $($claim:ident),*) => {
        $($crate::catalog_suite!(@pair $make, $attributes $module: $claim);)*
    };
    (@pair $make:path, [$($attribute:tt)*] $module:ident: $claim:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $($attribute)*
        async fn $claim() {
            let (one, _of_one) = $make().await;
            let (other, _of_other) = $make().await;
            $crate::testing::$module::$claim(&one, &other).await;
            for catalog in [one, other] {
                let findings = $crate::catalog::Catalog::check(&*catalog, false).await.unwrap();
                assert_eq!(findings, []);
            }
        }
    };
    (@one $make:path, [$($attribute:tt)*] $module:ident: $claim:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $($attribute)*
        async fn $claim() {
            let (catalog, _place) = $make().await;
            $crate::testing::$module::$claim(&catalog).await;
            let findings = $crate::catalog::Catalog::check(&*catalog, false).await.unwrap();
            assert_eq!(findings, []);
        }
    };
}

pub(super) type Subject = Arc<dyn Catalog>;

pub(super) async fn put(
    catalog: &Subject,
    write: Write,
    bytes: &[u8],
    ms: i64,
) -> Result<WriteOutcome, CommitError> {
    let has_bytes = write.state.as_ref().is_some_and(|state| state.content.is_some());
    let content = if has_bytes { Some(uploaded(bytes).await) } else { None };
    commit(catalog, "t", write, content, ms).await
}

pub(super) async fn commit(
    catalog: &Subject,
    who: &str,
    write: Write,
    content: Option<Uploaded>,
    ms: i64,
) -> Result<WriteOutcome, CommitError> {
    let outcomes = catalog.transact(&tenant(who), vec![(write, content)], Vec::new(), at(ms)).await;
    let mut outcomes = outcomes.map_err(|failed| failed.error)?;
    assert_eq!(outcomes.len(), 1);
    Ok(outcomes.remove(0))
}

pub(super) fn stored(outcome: Result<WriteOutcome, CommitError>) -> Document {
    match outcome {
        Ok(WriteOutcome::Created(d) | WriteOutcome::Updated(d) | WriteOutcome::Deleted(d)) => d,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn found(catalog: &Subject, query: &Query) -> Vec<String> {
    let page = catalog.search(&tenant("t"), query).await.unwrap();
    page.matches.iter().map(|stored| stored.document.id.as_str().to_owned()).collect()
}

/// Contract 6.
pub async fn versions_count_through_updates_and_deletions(catalog: &Subject) {
    let first = stored(put(catalog, update("a"), b"one", 1000).await);
    assert_eq!((first.version, first.change, first.updated), (1, Change::Created, at(1000)));
    let second = stored(put(catalog, update("a"), b"two", 500).await);
    assert_eq!((second.version, second.change, second.updated), (2, Change::Updated, at(1001)));
    let third = stored(put(catalog, delete("a"), b"", 2000).await);
    assert_eq!((third.version, third.change, third.description.is_none()), (3, Change::Deleted, true));
    let again = put(catalog, delete("a"), b"", 2000).await;
    assert!(matches!(again, Ok(WriteOutcome::NothingToDelete)), "{again:?}");
    let fourth = stored(put(catalog, update("a"), b"one", 3000).await);
    assert_eq!((fourth.version, fourth.change), (4, Change::Created));

    let current = catalog.current(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap().unwrap();
    assert_eq!(current.document, fourth);
    for document in [first, second, third, fourth] {
        let version = catalog
            .version(&tenant("t"), &ResourceType::BINARY, &id("a"), document.version)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(version.document, document);
    }
    for version in [0, 5, u64::MAX] {
        assert!(
            catalog.version(&tenant("t"), &ResourceType::BINARY, &id("a"), version).await.unwrap().is_none()
        );
    }
}

/// Bytes, type, context, merged labels and source alike make no version.
pub async fn an_equal_update_is_unchanged(catalog: &Subject) {
    let tagged_update = || write(Intent::Update { id: id("a") }, tagged("s", "x"));
    let first = stored(put(catalog, tagged_update(), b"one", 1000).await);
    for equal in [tagged_update(), update("a")] {
        let outcome = put(catalog, equal, b"one", 2000).await;
        assert!(matches!(outcome, Ok(WriteOutcome::Unchanged(d)) if d == first));
    }
    let html = typed("text/html", text());
    let other = stored(put(catalog, write(Intent::Update { id: id("a") }, html), b"one", 2000).await);
    assert_eq!(other.version, 2);
    assert_eq!(other.description.unwrap().labels, tagged("s", "x").labels);
}

/// Contract 9, as far as records go.
pub async fn tenants_do_not_meet(catalog: &Subject) {
    stored(put(catalog, update("a"), b"one", 1000).await);
    let other = tenant("u");
    assert!(catalog.current(&other, &ResourceType::BINARY, &id("a")).await.unwrap().is_none());
    assert_eq!(catalog.search(&other, &Query { limit: 9, ..binaries() }).await.unwrap().total, 0);
    let outcome = commit(catalog, "u", update("a"), Some(uploaded(b"two").await), 1).await;
    assert_eq!(stored(outcome).version, 1);
    assert!(!catalog.purge(&tenant("v"), &ResourceType::BINARY, &id("a")).await.unwrap());
}

/// Contract 11.
pub async fn conditions_are_decided_with_the_write(catalog: &Subject) {
    let only = |version| Some(VersionMatch::OneOf(vec![version]));
    let absent = put(catalog, Write { if_match: only(1), ..update("a") }, b"one", 1).await;
    assert!(matches!(absent, Err(CommitError::NotThere)), "{absent:?}");
    stored(put(catalog, update("a"), b"one", 1).await);
    let stale = put(catalog, Write { if_match: only(2), ..update("a") }, b"two", 1).await;
    assert!(matches!(stale, Err(CommitError::PreconditionFailed)), "{stale:?}");
    let exists = Write { if_none_match: Some(VersionMatch::Any), ..update("a") };
    let exists = put(catalog, exists, b"two", 1).await;
    assert!(matches!(exists, Err(CommitError::PreconditionFailed)), "{exists:?}");
    assert_eq!(stored(put(catalog, Write { if_match: only(1), ..update("a") }, b"two", 1).await).version, 2);
    let taken = put(catalog, write(Intent::Create { id: id("a") }, text()), b"x", 1).await;
    assert!(matches!(taken, Err(CommitError::Store(Error::Unusable(_)))), "{taken:?}");
}

/// Contract 11 for searches.
pub async fn two_racing_creates_make_one_document(catalog: &Subject) {
    let racers = (0..16).map(|number| {
        let catalog = Arc::clone(catalog);
        tokio::spawn(async move {
            let intent =
                Intent::CreateUnlessExists { fresh: id(&format!("f{number}")), criteria: by_tag("x") };
            put(&catalog, write(intent, tagged("s", "x")), format!("{number}").as_bytes(), 1).await
        })
    });
    let mut created = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(WriteOutcome::Created(_)) => created += 1,
            Ok(WriteOutcome::Existing(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(created, 1);
}

/// None, one or several matches.
pub async fn a_condition_on_a_search_finds_what_is_current(catalog: &Subject) {
    let matching = |claimed: Option<&str>, must_be_new| Intent::UpdateMatching {
        criteria: by_tag("x"),
        claimed: claimed.map(id),
        fresh: id("fresh"),
        claimed_must_be_new: must_be_new,
    };
    let tagged = || tagged("s", "x");
    let first = stored(put(catalog, write(matching(Some("a"), true), tagged()), b"1", 1).await);
    assert_eq!((first.id.as_str(), first.version), ("a", 1));
    let second = stored(put(catalog, write(matching(None, true), tagged()), b"2", 1).await);
    assert_eq!((second.id.as_str(), second.version), ("a", 2));
    let differs = put(catalog, write(matching(Some("b"), false), tagged()), b"3", 1).await;
    assert!(matches!(differs, Err(CommitError::ClaimedIdDiffers)), "{differs:?}");
    let existing = Intent::CreateUnlessExists { fresh: id("c"), criteria: by_tag("x") };
    let existing = put(catalog, write(existing, tagged()), b"3", 1).await;
    assert!(matches!(existing, Ok(WriteOutcome::Existing(d)) if d == second));

    stored(put(catalog, write(Intent::Update { id: id("b") }, tagged()), b"3", 1).await);
    let several = put(catalog, write(Intent::DeleteMatching { criteria: by_tag("x") }, text()), b"", 1).await;
    assert!(matches!(several, Err(CommitError::MultipleMatches)), "{several:?}");
    stored(put(catalog, delete("b"), b"", 1).await);
    let one = put(catalog, write(Intent::DeleteMatching { criteria: by_tag("x") }, text()), b"", 1).await;
    assert_eq!(stored(one).id.as_str(), "a");
    let none = put(catalog, write(Intent::DeleteMatching { criteria: by_tag("x") }, text()), b"", 1).await;
    assert!(matches!(none, Ok(WriteOutcome::NothingToDelete)), "{none:?}");

    stored(put(catalog, update("claimed"), b"4", 1).await);
    let exists = put(catalog, write(matching(Some("claimed"), true), tagged()), b"5", 1).await;
    assert!(matches!(exists, Err(CommitError::ClaimedIdExists)), "{exists:?}");
    let updated = stored(put(catalog, write(matching(Some("claimed"), false), tagged()), b"5", 1).await);
    assert_eq!(updated.version, 2);
}

async fn some_documents(catalog: &Subject) {
    let mut profiled = text();
    profiled.labels.profiles.push("http://p/One".into());
    for (name, state, bytes, ms) in [
        ("html", typed("text/html; charset=utf-8", tagged("s", "X")), &b"4444"[..], 4000),
        ("xml", typed("application/hl7-v3+xml", tagged("", "y")), b"333", 3000),
        ("pdf", typed("application/pdf", tagged("r", "x")), b"22", 2000),
        ("text", profiled, b"1", 1000),
        ("gone", tagged("s", "X"), b"0", 500),
    ] {
        stored(put(catalog, write(Intent::Update { id: id(name) }, state), bytes, ms).await);
    }
    stored(put(catalog, delete("gone"), b"", 5000).await);
}

/// Each kind of filter, alone and with others.
pub async fn searches_filter(catalog: &Subject) {
    use Filter as F;
    some_documents(catalog).await;
    let token = |system: Option<&str>, code: Option<&str>, case_sensitive| TokenMatch {
        system: system.map(Into::into),
        code: code.map(Into::into),
        case_sensitive,
    };
    let tag = |tokens: Vec<TokenMatch>| F::Label(LabelKind::Tag, tokens);
    let below = |text: &str| F::ContentType(vec![TypeMatch::Below(text.into())]);
    let during = |comparison| F::Updated(vec![(comparison, at(2000), at(4000))]);
    let size = |comparison| F::Size(vec![(comparison, 2)]);
    let cases: Vec<(Vec<Filter>, &[&str])> = vec![
        (vec![], &["html", "pdf", "text", "xml"]),
        (vec![F::Id(vec![id("pdf"), id("gone"), id("none")])], &["pdf"]),
        (vec![F::Id(vec![])], &[]),
        (vec![F::Nothing], &[]),
        (vec![F::ContentType(vec![TypeMatch::Exactly("TEXT/html; charset=UTF-8".into())])], &["html"]),
        (vec![F::ContentType(vec![TypeMatch::Exactly("text/html".into())])], &[]),
        (vec![below("text/html")], &["html"]),
        (vec![below("text/xml")], &["xml"]),
        (vec![during(Comparison::Equal)], &["pdf", "xml"]),
        (vec![during(Comparison::NotEqual)], &["html", "text"]),
        (vec![during(Comparison::Greater)], &["html"]),
        (vec![during(Comparison::GreaterOrEqual)], &["html", "pdf", "xml"]),
        (vec![during(Comparison::Less)], &["text"]),
        (vec![during(Comparison::LessOrEqual)], &["pdf", "text", "xml"]),
        (vec![size(Comparison::Equal)], &["pdf"]),
        (vec![size(Comparison::NotEqual)], &["html", "text", "xml"]),
        (vec![size(Comparison::Greater)], &["html", "xml"]),
        (vec![size(Comparison::LessOrEqual)], &["pdf", "text"]),
        (vec![tag(vec![token(None, Some("x"), true)])], &["pdf"]),
        (vec![tag(vec![token(None, Some("x"), false)])], &["html", "pdf"]),
        (vec![tag(vec![token(Some("s"), None, true)])], &["html"]),
        (vec![tag(vec![token(Some(""), Some("y"), true)])], &["xml"]),
        (vec![tag(vec![token(Some("s"), Some("x"), false), token(Some("r"), None, true)])], &["html", "pdf"]),
        (vec![tag(vec![])], &[]),
        (vec![F::Profile(vec!["http://p/One".into()])], &["text"]),
        (vec![F::Profile(vec!["http://p/one".into()])], &[]),
        (vec![F::HasLabel(LabelKind::Tag, false)], &["text"]),
        (vec![F::HasLabel(LabelKind::Profile, true)], &["text"]),
        (vec![F::Not(Box::new(tag(vec![token(None, Some("x"), false)])))], &["text", "xml"]),
        (vec![F::Not(Box::new(F::Nothing))], &["html", "pdf", "text", "xml"]),
        (vec![size(Comparison::Greater), F::HasLabel(LabelKind::Tag, true), below("text/html")], &["html"]),
    ];
    for (filters, expected) in cases {
        let query = Query { filters, limit: 10, ..binaries() };
        assert_eq!(found(catalog, &query).await, expected, "{query:?}");
        let total = catalog.search(&tenant("t"), &query).await.unwrap().total;
        assert_eq!(total, expected.len() as u64, "{query:?}");
    }
}

/// Each sort key, both ways, page by page.
pub async fn searches_sort_and_page(catalog: &Subject) {
    some_documents(catalog).await;
    for (key, expected) in [
        (SortKey::Id, ["html", "pdf", "text", "xml"]),
        (SortKey::Updated, ["text", "pdf", "xml", "html"]),
        (SortKey::Size, ["text", "pdf", "xml", "html"]),
        (SortKey::ContentType, ["xml", "pdf", "html", "text"]),
    ] {
        for descending in [false, true] {
            let mut expected = expected.to_vec();
            if descending {
                expected.reverse();
            }
            let order = vec![Order { key: key.clone(), descending }];
            let mut collected = Vec::new();
            for offset in [0, 3, 6] {
                let query = Query { order: order.clone(), limit: 3, offset, ..binaries() };
                assert_eq!(catalog.search(&tenant("t"), &query).await.unwrap().total, 4);
                collected.extend(found(catalog, &query).await);
            }
            assert_eq!(collected, expected, "{key:?} {descending}");
        }
    }
    let none = Query { limit: 0, ..binaries() };
    let page = catalog.search(&tenant("t"), &none).await.unwrap();
    assert_eq!((page.matches.len(), page.total), (0, 4));
}

/// Of what is not counted it is known whether there is more, with and without an index that gives the order.
pub async fn an_uncounted_page_knows_whether_it_is_the_last(catalog: &Subject) {
    some_documents(catalog).await;
    let by_size = vec![Order { key: SortKey::Size, descending: false }];
    for order in [vec![], by_size] {
        for (limit, offset, matches, total) in
            [(2, 0, 2, 3), (3, 0, 3, 4), (4, 0, 4, 4), (9, 0, 4, 4), (3, 3, 1, 4), (0, 0, 0, 1)]
        {
            let query = Query { order: order.clone(), limit, offset, uncounted: true, ..binaries() };
            let page = catalog.search(&tenant("t"), &query).await.unwrap();
            assert_eq!((page.matches.len(), page.total), (matches, total), "{query:?}");
        }
    }
}

pub(super) fn history_of(scope: HistoryScope) -> HistoryQuery {
    HistoryQuery { scope, since: None, at: None, before: None, limit: 100 }
}

pub(super) async fn listed(catalog: &Subject, query: &HistoryQuery) -> (Vec<(String, u64)>, u64) {
    let page = catalog.history(&tenant("t"), query).await.unwrap();
    let name = |d: &Document| (d.id.as_str().to_owned(), d.version);
    (page.entries.iter().map(|(_, stored)| name(&stored.document)).collect(), page.total)
}

/// Newest first, each version once, whatever is written between the pages.
pub async fn histories_page_by_sequence(catalog: &Subject) {
    for number in 0..3 {
        for name in ["a", "b"] {
            stored(put(catalog, update(name), format!("{number}").as_bytes(), number).await);
        }
    }
    stored(put(catalog, delete("a"), b"", 9).await);
    for (scope, expected) in
        [(HistoryScope::Tenant, 7), (HistoryScope::Document(ResourceType::BINARY, id("a")), 4)]
    {
        let mut query = HistoryQuery { limit: 2, ..history_of(scope) };
        let mut sequences = Vec::new();
        loop {
            let page = catalog.history(&tenant("t"), &query).await.unwrap();
            sequences.extend(page.entries.iter().map(|(sequence, _)| *sequence));
            query.before = sequences.last().copied();
            if !page.more {
                break;
            }
            stored(put(catalog, update("later"), format!("{}", sequences.len()).as_bytes(), 10).await);
        }
        assert_eq!(sequences.len(), expected);
        assert!(sequences.windows(2).all(|pair| pair[0] > pair[1]), "{sequences:?}");
        stored(put(catalog, delete("later"), b"", 11).await);
        catalog.purge(&tenant("t"), &ResourceType::BINARY, &id("later")).await.unwrap();
    }
    let none = history_of(HistoryScope::Document(ResourceType::BINARY, id("never")));
    assert_eq!(listed(catalog, &none).await, (vec![], 0));
}

/// `since` and `at`.
pub async fn histories_know_what_was_current(catalog: &Subject) {
    for (name, bytes, ms) in [("a", b"1", 1000), ("b", b"1", 2000), ("a", b"2", 3000)] {
        stored(put(catalog, update(name), bytes, ms).await);
    }
    stored(put(catalog, delete("b"), b"", 4000).await);
    let entry = |name: &str, version| (name.to_owned(), version);
    let base = history_of(HistoryScope::Tenant);
    let since = HistoryQuery { since: Some(at(3000)), ..base.clone() };
    assert_eq!(listed(catalog, &since).await, (vec![entry("b", 2), entry("a", 2)], 2));
    let moment = HistoryQuery { at: Some((at(2500), at(2501))), ..base.clone() };
    assert_eq!(listed(catalog, &moment).await, (vec![entry("b", 1), entry("a", 1)], 2));
    let range = HistoryQuery { at: Some((at(3000), at(4000))), ..base.clone() };
    assert_eq!(listed(catalog, &range).await, (vec![entry("a", 2), entry("b", 1)], 2));
    let both = HistoryQuery { since: Some(at(2000)), at: Some((at(0), at(3000))), ..base };
    assert_eq!(listed(catalog, &both).await, (vec![entry("b", 1)], 1));
    let one = history_of(HistoryScope::Document(ResourceType::BINARY, id("a")));
    let one = HistoryQuery { since: Some(at(1001)), ..one };
    assert_eq!(listed(catalog, &one).await, (vec![entry("a", 2)], 1));
}

/// Every version goes, and the id starts anew.
pub async fn a_purged_document_is_gone(catalog: &Subject) {
    stored(put(catalog, write(Intent::Update { id: id("a") }, tagged("s", "x")), b"1", 1).await);
    stored(put(catalog, update("a"), b"2", 1).await);
    stored(put(catalog, update("b"), b"2", 1).await);
    assert!(catalog.purge(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap());
    assert!(!catalog.purge(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap());
    assert!(catalog.current(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap().is_none());
    assert!(catalog.version(&tenant("t"), &ResourceType::BINARY, &id("a"), 1).await.unwrap().is_none());
    assert_eq!(listed(catalog, &history_of(HistoryScope::Tenant)).await, (vec![("b".into(), 1)], 1));
    assert_eq!(found(catalog, &by_tag("x")).await, Vec::<String>::new());
    assert_eq!(stored(put(catalog, update("a"), b"3", 1).await).version, 1);
    let tally = catalog.tally().await.unwrap();
    assert_eq!((tally.documents, tally.versions), (2, 2));
}

/// Contract 8, as far as records go.
pub async fn content_is_forgotten_with_its_last_reference(catalog: &Subject) {
    for (name, bytes) in [("a", b"shared"), ("b", b"shared"), ("a", b"single")] {
        stored(put(catalog, update(name), bytes, 1).await);
    }
    let forgotten = |contents, bytes| Forgotten { contents, bytes, keys: Vec::new() };
    assert_eq!(catalog.forget_unreferenced().await.unwrap(), forgotten(0, 0));
    catalog.purge(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap();
    assert_eq!(catalog.forget_unreferenced().await.unwrap(), forgotten(1, 6));
    assert_eq!(catalog.content_totals().await.unwrap(), (1, 6));
    catalog.purge(&tenant("t"), &ResourceType::BINARY, &id("b")).await.unwrap();
    stored(put(catalog, update("c"), b"shared", 1).await);
    assert_eq!(catalog.forget_unreferenced().await.unwrap(), forgotten(0, 0), "it is referred to again");
}

/// Contract 9.
pub async fn equal_content_is_kept_once_within_a_tenant(catalog: &Subject) {
    for (who, name) in [("t", "a"), ("t", "b"), ("u", "a")] {
        let outcome = commit(catalog, who, update(name), Some(uploaded(b"same").await), 1).await;
        stored(outcome);
    }
    let contents = catalog.contents(0, 10).await.unwrap();
    assert_eq!(contents.len(), 2);
    assert_eq!(catalog.contents(contents[0].key, 10).await.unwrap(), contents[1..]);
    assert!(catalog.confirm(&contents[0]).await.unwrap());
}

/// Small content comes with the current record, and under its key.
pub async fn the_bytes_come_back(catalog: &Subject) {
    stored(put(catalog, update("a"), b"bytes", 1).await);
    let current = catalog.current(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap().unwrap();
    assert!(matches!(&current.place, crate::Place::Memory(bytes) if bytes == "bytes"));
    let version = catalog.version(&tenant("t"), &ResourceType::BINARY, &id("a"), 1).await.unwrap().unwrap();
    let crate::Place::Catalog(key) = version.place else { panic!("{version:?}") };
    assert_eq!(catalog.bytes(key).await.unwrap(), "bytes");
    assert!(matches!(catalog.bytes(key + 1).await, Err(Error::Missing(_))));
}

/// Contract 5: nothing of it is visible.
pub async fn a_write_without_bytes_is_refused(catalog: &Subject) {
    let nothing = commit(catalog, "t", update("a"), None, 1).await;
    assert!(matches!(nothing, Err(CommitError::Store(Error::Unusable(_)))), "{nothing:?}");
    let empty = put(catalog, update("a"), b"", 1).await;
    assert!(matches!(empty, Err(CommitError::Store(Error::Unusable(_)))), "{empty:?}");
    let stateless = Write { state: None, ..update("a") };
    let stateless = commit(catalog, "t", stateless, Some(uploaded(b"x").await), 1).await;
    assert!(matches!(stateless, Err(CommitError::Store(Error::Unusable(_)))), "{stateless:?}");
    assert!(catalog.current(&tenant("t"), &ResourceType::BINARY, &id("a")).await.unwrap().is_none());
    assert_eq!(catalog.tally().await.unwrap().versions, 0);
}

/// Contracts 1 and 6 under concurrency: each write gets a version of its own.
pub async fn many_writers_lose_nothing(catalog: &Subject) {
    let writers = (0..8).map(|writer| {
        let catalog = Arc::clone(catalog);
        tokio::spawn(async move {
            for number in 0..25 {
                let bytes = format!("{writer} {number}");
                stored(put(&catalog, update("shared"), bytes.as_bytes(), 1).await);
                stored(put(&catalog, update(&format!("own{writer}")), bytes.as_bytes(), 1).await);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let shared = catalog.current(&tenant("t"), &ResourceType::BINARY, &id("shared")).await.unwrap().unwrap();
    assert_eq!(shared.document.version, 200);
    let tally = catalog.tally().await.unwrap();
    assert_eq!((tally.documents, tally.versions), (9, 400));
}

/// A check after a bit of everything; with repair too.
pub async fn a_check_of_all_this_is_clean(catalog: &Subject) {
    some_documents(catalog).await;
    catalog.purge(&tenant("t"), &ResourceType::BINARY, &id("pdf")).await.unwrap();
    assert_eq!(catalog.check(true).await.unwrap(), []);
    catalog.ping().await.unwrap();
}
