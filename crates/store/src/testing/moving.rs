//! What every catalog does when it is left for another, and when it is come to.

use std::sync::Arc;

use charta_model::{Digest, Entry, HistoryScope, Label, LabelKind, Labels, Write, WriteOutcome};

use super::{
    at, binaries, by_tag,
    catalog::{Subject, commit, found, history_of, listed, put, stored},
    delete, delete_record,
    entry::{date, link, linking, part, quantity, reference, text, token, uri, with},
    id, kind, put_record, scope, tagged, tenant, update, uploaded, write,
};
use crate::{
    CommitError, Error, Uploaded,
    catalog::moving::{Moved, Moving, Standstill},
};

fn moving(catalog: &Subject) -> &dyn Moving {
    catalog.moving().expect("the suite is for catalogs that move")
}

/// One of each shape, in the order of their parameters.
fn entries() -> Vec<Entry> {
    vec![
        token("a-token", "s", "Code"),
        token("a-token", "", "lower"),
        token("a-token", "s", ""),
        reference("b-reference", "Patient/p"),
        text("c-text", "As It Is"),
        text("c-text", "folded"),
        uri("d-uri", "urn:x"),
        date("e-date", 0, 1000),
        date("e-date", i64::MIN, 0),
        date("e-date", 0, 40_000_000_000),
        quantity("f-quantity", 1.5, 2.5, "u", "mg"),
        quantity("f-quantity", -1e300, f64::INFINITY, "", ""),
        part(3, token("g-part", "s", "x")),
    ]
}

/// What some catalog has no room for as it is: a NUL, and more bytes than an index takes.
fn strange_entries() -> Vec<Entry> {
    let long = |end: &str| format!("{}\0\u{ffff}{end}", "Ä".repeat(2000));
    let (system, code) = (long("system"), long("code"));
    vec![
        token("a-token", &system, &code),
        token("a-token", "s\0", "C\0\u{ffff}0"),
        token("a-token", &system, ""),
        text("c-text", &long("text")),
        text("c-text", "a\0B"),
        uri("d-uri", &long("urn")),
        quantity("f-quantity", 1.0, 2.0, &system, &code),
        quantity("f-quantity", -0.0, 2.0, "", &code),
        quantity("f-quantity", 1.0, 2.0, "\0", "m\0g"),
    ]
}

/// Two tenants, histories, a deletion, a purge, labels, entries and links.
async fn fill(catalog: &Subject) {
    stored(put(catalog, update("a"), b"one", 1000).await);
    stored(put(catalog, update("a"), b"two", 2000).await);
    let tagged = write(charta_model::Intent::Update { id: id("tagged") }, tagged("s", "T"));
    stored(put(catalog, tagged, b"one", 2000).await);
    stored(commit(catalog, "u", update("a"), Some(uploaded(b"one").await), 2500).await);
    stored(put(catalog, update("deleted"), b"three", 3000).await);
    stored(put(catalog, delete("deleted"), b"", 3000).await);
    let of_patient = |body: &str| with(put_record("Patient", "p", body), entries());
    stored(put(catalog, linking(of_patient("1"), [link("a", Some(1))]), b"", 4000).await);
    stored(
        put(catalog, linking(of_patient("2"), [link("a", None), link("tagged", Some(1))]), b"", 4000).await,
    );
    stored(put(catalog, labelled("labelled"), b"", 4000).await);
    stored(put(catalog, put_record("Patient", "gone", "1"), b"", 4000).await);
    stored(put(catalog, delete_record("Patient", "gone"), b"", 4000).await);
    stored(put(catalog, update("purged"), b"four", 5000).await);
    assert!(catalog.purge(&tenant("t"), &kind("Binary"), &id("purged")).await.unwrap());
}

fn labelled(name: &str) -> Write {
    let mut write = put_record("Observation", name, "{}");
    let label = Label { system: Some("s".into()), code: Some("Label".into()), ..Label::default() };
    let state = write.state.as_mut().expect("no deletion");
    state.labels =
        Labels { tags: vec![label.clone()], security: vec![label], profiles: vec!["urn:p".into()] };
    write
}

async fn exported(catalog: &Subject, who: &str, limit: usize) -> Vec<Moved> {
    let mut all: Vec<Moved> = Vec::new();
    loop {
        let after = all.last().map_or(0, |moved| moved.sequence);
        let page = moving(catalog).export(&tenant(who), after, limit).await.unwrap();
        assert!(page.len() <= limit && page.is_sorted_by(|a, b| a.sequence < b.sequence));
        match page.is_empty() {
            true => return all,
            false => all.extend(page),
        }
    }
}

/// With the bytes of each content, once.
async fn carried(from: &Subject, page: Vec<Moved>) -> Vec<(Moved, Option<Uploaded>)> {
    let mut carried: Vec<(Moved, Option<Uploaded>)> = Vec::new();
    for moved in page {
        let content = match (&moved.stored.place, moved.stored.document.content()) {
            (crate::Place::Catalog(key), Some(facts)) => {
                let came = |(_, content): &(_, Option<Uploaded>)| {
                    content.as_ref().is_some_and(|content| content.digest() == facts.digest)
                };
                let bytes = from.bytes(*key).await.unwrap();
                if carried.iter().any(came) { None } else { Some(uploaded(&bytes).await) }
            }
            _ => None,
        };
        carried.push((moved, content));
    }
    carried
}

/// A copy of everything.
async fn copy(from: &Subject, to: &Subject) {
    moving(to).begin_adoption(moving(from).secret().await.unwrap()).await.unwrap();
    for who in moving(from).tenants().await.unwrap() {
        let versions = carried(from, exported(from, who.as_str(), 100).await).await;
        moving(to).adopt(&who, 0, versions).await.unwrap();
    }
}

/// Decision 0019: reads go on, and `leave(false)` ends it.
pub async fn a_catalog_that_is_left_takes_no_writes(catalog: &Subject, _: &Subject) {
    stored(put(catalog, update("a"), b"one", 1).await);
    for _ in 0..2 {
        moving(catalog).leave(true).await.unwrap();
        assert_eq!(moving(catalog).standstill().await.unwrap(), Some(Standstill::Leaving));
        let refused = put(catalog, update("a"), b"two", 2).await;
        assert!(matches!(refused, Err(CommitError::Store(Error::Standstill))), "{refused:?}");
        let refused = catalog.purge(&tenant("t"), &kind("Binary"), &id("a")).await;
        assert!(matches!(refused, Err(Error::Standstill)), "{refused:?}");
        assert_eq!(found(catalog, &binaries()).await, ["a"]);
    }
    for _ in 0..2 {
        moving(catalog).leave(false).await.unwrap();
        assert_eq!(moving(catalog).standstill().await.unwrap(), None);
    }
    assert_eq!(stored(put(catalog, update("a"), b"two", 2).await).version, 2);
    let refused = moving(catalog).purge_adopted(&tenant("t"), &kind("Binary"), &id("a")).await;
    assert!(matches!(refused, Err(Error::Unusable(_))), "{refused:?}");
}

/// Of any page size, with what they are found by.
pub async fn versions_leave_as_they_were_written(catalog: &Subject, _: &Subject) {
    fill(catalog).await;
    let whole = exported(catalog, "t", 100).await;
    for limit in [1, 2, 5] {
        let pages = exported(catalog, "t", limit).await;
        assert_eq!(pages.len(), whole.len());
        assert!(pages.iter().zip(&whole).all(|(one, other)| one.agrees(other)));
    }
    let named = |moved: &Moved| {
        let document = &moved.stored.document;
        format!("{}/{}/{} {}", document.kind, document.id, document.version, moved.entries.is_some())
    };
    let names: Vec<String> = whole.iter().map(named).collect();
    let expected = "Binary/a/1 false, Binary/a/2 true, Binary/tagged/1 true, Binary/deleted/1 false, Binary/deleted/2 true, \
                    Patient/p/1 false, Patient/p/2 true, Observation/labelled/1 true, Patient/gone/1 false, \
                    Patient/gone/2 true";
    assert_eq!(names.join(", "), expected);
    let patient = &whole[6];
    assert_eq!(patient.entries.as_deref(), Some(&entries()[..]));
    assert_eq!(patient.links, [link("a", None), link("tagged", Some(1))]);
    assert_eq!(moving(catalog).last_of(&tenant("t")).await.unwrap(), whole[9].sequence);
    assert_eq!(exported(catalog, "u", 9).await.len(), 1);
    assert!(exported(catalog, "nobody", 9).await.is_empty());
}

/// The same versions, histories and results, and the next sequence number is a new one.
pub async fn a_copy_is_the_same(from: &Subject, to: &Subject) {
    fill(from).await;
    copy(from, to).await;
    for who in ["t", "u"] {
        let (here, there) = (exported(from, who, 100).await, exported(to, who, 100).await);
        assert_eq!(here.len(), there.len());
        for (one, other) in here.iter().zip(&there) {
            assert!(one.agrees(other), "{one:?} {other:?}");
            assert_eq!(one.entries, other.entries);
        }
    }
    assert_eq!(moving(from).counts().await.unwrap(), moving(to).counts().await.unwrap());
    let history = history_of(HistoryScope::Tenant);
    assert_eq!(listed(from, &history).await, listed(to, &history).await);
    let patients = charta_model::Query { scopes: vec![scope("Patient")], ..binaries() };
    for query in [binaries(), by_tag("T"), patients] {
        assert_eq!(found(from, &query).await, found(to, &query).await);
    }
    let referrers = |catalog: &Subject| {
        let catalog = Arc::clone(catalog);
        async move { catalog.referrers(&tenant("t"), &id("a"), 9).await.unwrap().len() }
    };
    assert_eq!((referrers(from).await, referrers(to).await), (2, 2));
    let labels = charta_model::Filter::Label(
        LabelKind::Security,
        vec![charta_model::TokenMatch { system: None, code: Some("label".into()), case_sensitive: false }],
    );
    let labelled =
        charta_model::Query { scopes: vec![scope("Observation")], filters: vec![labels], ..binaries() };
    assert_eq!(found(to, &labelled).await, ["labelled"]);

    let refused = put(to, update("b"), b"x", 6000).await;
    assert!(matches!(refused, Err(CommitError::Store(Error::Standstill))), "{refused:?}");
    let given = moving(from).last_given().await.unwrap();
    assert!(given > moving(from).last_of(&tenant("t")).await.unwrap(), "the purged one was the last");
    moving(to).finish_adoption(given).await.unwrap();
    assert!(matches!(put(to, update("b"), b"x", 6000).await, Ok(WriteOutcome::Created(_))));
    assert!(moving(to).last_of(&tenant("t")).await.unwrap() > given);
    assert_eq!(moving(to).secret().await.unwrap(), moving(from).secret().await.unwrap());
}

/// Whatever the text is that a document is found by, it arrives as it was, and finds the document there.
pub async fn a_copy_has_what_no_index_has_room_for(from: &Subject, to: &Subject) {
    let (security, long) = ("S\0\u{ffff}".to_owned(), "L".repeat(3000));
    let label = Label {
        system: Some(long.clone()),
        code: Some(security),
        display: Some("\0".into()),
        ..Label::default()
    };
    let mut write = with(put_record("Observation", "strange", "{}"), strange_entries());
    write.state.as_mut().expect("no deletion").labels.security.push(label);
    stored(put(from, write, b"", 1).await);
    copy(from, to).await;
    let (here, there) = (exported(from, "t", 9).await, exported(to, "t", 9).await);
    assert_eq!(here[0].entries.as_deref(), Some(&strange_entries()[..]));
    assert_eq!(there[0].entries, here[0].entries);
    assert!(here[0].agrees(&there[0]), "{:?}", there[0].stored.document);
    let by = |system: &str, code: &str| {
        let token = charta_model::TokenMatch {
            system: Some(system.into()),
            code: (!code.is_empty()).then(|| code.into()),
            case_sensitive: true,
        };
        let filters = vec![charta_model::Filter::Token("a-token".into(), vec![token])];
        charta_model::Query { scopes: vec![scope("Observation")], filters, ..binaries() }
    };
    let long = format!("{}\0\u{ffff}system", "Ä".repeat(2000));
    for (query, expected) in [
        (by("s\0", "C\0\u{ffff}0"), &["strange"][..]),
        (by("s\u{ffff}0", "C\0\u{ffff}0"), &[]),
        (by("s\0", "C\u{ffff}0\u{ffff}0"), &[]),
        (by(&long, ""), &["strange"]),
        (by(&long[..long.len() - 1], ""), &[]),
    ] {
        assert_eq!(found(from, &query).await, expected, "{query:?}");
        assert_eq!(found(to, &query).await, expected, "{query:?}");
    }
}

/// It goes on where it was, and nothing comes twice or out of its order.
pub async fn a_copy_goes_on_where_it_was(from: &Subject, to: &Subject) {
    fill(from).await;
    let secret = moving(from).secret().await.unwrap();
    moving(to).begin_adoption(secret).await.unwrap();
    let all = exported(from, "t", 100).await;
    let mut after = 0;
    for page in all.chunks(3) {
        moving(to).begin_adoption(secret).await.unwrap();
        assert_eq!(moving(to).last_of(&tenant("t")).await.unwrap(), after);
        let again = carried(from, page.to_vec()).await;
        let wrong = moving(to).adopt(&tenant("t"), after + 1, again).await;
        assert!(matches!(wrong, Err(Error::Unusable(_))), "{wrong:?}");
        // What came with an earlier page need not come again.
        let digests: Vec<Digest> = page
            .iter()
            .map(|moved| moved.stored.document.content().map_or(Digest::of(b""), |f| f.digest))
            .collect();
        let held = moving(to).held(&tenant("t"), digests).await.unwrap();
        let versions = carried(from, page.to_vec()).await.into_iter().zip(held);
        let versions = versions.map(|((moved, content), held)| (moved, content.filter(|_| !held))).collect();
        moving(to).adopt(&tenant("t"), after, versions).await.unwrap();
        after = page.last().unwrap().sequence;
    }
    assert_eq!(exported(to, "t", 100).await.len(), all.len());
    let refused = to.purge(&tenant("t"), &kind("Binary"), &id("a")).await;
    assert!(matches!(refused, Err(Error::Standstill)), "{refused:?}");
    moving(to).purge_adopted(&tenant("t"), &kind("Binary"), &id("a")).await.unwrap();
    assert_eq!(exported(to, "t", 100).await.len(), all.len() - 2);
    let other = moving(to).begin_adoption([7; 32]).await;
    assert!(matches!(other, Err(Error::Unusable(_))), "{other:?}");
    moving(to).finish_adoption(after).await.unwrap();
    let finished = moving(to).begin_adoption(secret).await;
    assert!(matches!(finished, Err(Error::Unusable(_))), "{finished:?}");
}

/// The old one is not part of the new one's history.
pub async fn a_document_made_anew_replaces_the_purged_one(from: &Subject, to: &Subject) {
    stored(put(from, update("a"), b"old", 1).await);
    stored(put(from, update("a"), b"older", 2).await);
    copy(from, to).await;
    let after = moving(to).last_of(&tenant("t")).await.unwrap();
    assert!(from.purge(&tenant("t"), &kind("Binary"), &id("a")).await.unwrap());
    stored(put(from, update("a"), b"new", 3).await);
    let page = moving(from).export(&tenant("t"), after, 9).await.unwrap();
    let versions = carried(from, page).await;
    moving(to).adopt(&tenant("t"), after, versions).await.unwrap();
    let there = to.current(&tenant("t"), &kind("Binary"), &id("a")).await.unwrap().unwrap();
    assert_eq!((there.document.version, there.document.updated), (1, at(3)));
    assert_eq!(moving(from).counts().await.unwrap(), moving(to).counts().await.unwrap());
}

/// Contract 2: no record without its bytes.
pub async fn a_version_without_its_bytes_stays_out(from: &Subject, to: &Subject) {
    stored(put(from, update("a"), b"one", 1).await);
    moving(to).begin_adoption([7; 32]).await.unwrap();
    let page = moving(from).export(&tenant("t"), 0, 9).await.unwrap();
    let versions = page.into_iter().map(|moved| (moved, None)).collect();
    let refused = moving(to).adopt(&tenant("t"), 0, versions).await;
    assert!(matches!(refused, Err(Error::Missing(_))), "{refused:?}");
    assert_eq!(moving(to).last_of(&tenant("t")).await.unwrap(), 0);
}
