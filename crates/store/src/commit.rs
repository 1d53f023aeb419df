//! What a write comes to, given what is there. Pure, so that every catalog decides alike; the catalog
//! calls it inside the transaction that also stores the result.
//!
//! Contract 11: conditions are decided at one instant together with the write.

use charta_model::{
    Change, ContentFacts, Description, Digest, Document, Intent, NewState, Query, ResourceId, ResourceType,
    Timestamp, VersionMatch, Write, WriteOutcome,
};

use crate::{CommitError, Error};

/// The search that a write depends on, if any. Two matches are all that need to be found.
#[must_use]
pub fn criteria(intent: &Intent) -> Option<&Query> {
    match intent {
        Intent::CreateUnlessExists { criteria, .. }
        | Intent::UpdateMatching { criteria, .. }
        | Intent::DeleteMatching { criteria } => Some(criteria),
        Intent::Create { .. } | Intent::Update { .. } | Intent::Delete { .. } => None,
    }
}

/// The document that a write is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub id: ResourceId,
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// The id is fresh; nothing may be there, not even a deletion.
    Create,
    /// A new version, the first or a later one.
    Put,
    /// The same, but the client chose an id that must be free.
    PutNew,
    Delete,
}

/// What an intent turns out to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The search has answered it.
    Done(Box<WriteOutcome>),
    /// It is about this document; [`decide`] goes on with its current version.
    On(Target),
}

/// Which document a write is about, given the `matches` of its [`criteria`].
///
/// # Errors
/// `MultipleMatches`, `ClaimedIdDiffers`.
pub fn target(intent: &Intent, matches: &[Document]) -> Result<Step, CommitError> {
    if matches.len() > 1 {
        return Err(CommitError::MultipleMatches);
    }
    let found = matches.first();
    let on = |id: &ResourceId, action| Ok(Step::On(Target { id: id.clone(), action }));
    match (intent, found) {
        (Intent::Create { id }, _) => on(id, Action::Create),
        (Intent::CreateUnlessExists { .. }, Some(found)) => {
            Ok(Step::Done(WriteOutcome::Existing(found.clone()).into()))
        }
        (Intent::CreateUnlessExists { fresh, .. }, None) => on(fresh, Action::Create),
        (Intent::Update { id }, _) => on(id, Action::Put),
        (Intent::UpdateMatching { claimed: Some(claimed), .. }, Some(found)) if *claimed != found.id => {
            Err(CommitError::ClaimedIdDiffers)
        }
        (Intent::UpdateMatching { .. }, Some(found)) => on(&found.id, Action::Put),
        (Intent::UpdateMatching { claimed: Some(id), claimed_must_be_new: true, .. }, None) => {
            on(id, Action::PutNew)
        }
        (Intent::UpdateMatching { claimed: Some(id), .. }, None) => on(id, Action::Put),
        (Intent::UpdateMatching { claimed: None, fresh, .. }, None) => on(fresh, Action::Create),
        (Intent::Delete { id }, _) => on(id, Action::Delete),
        (Intent::DeleteMatching { .. }, Some(found)) => on(&found.id, Action::Delete),
        (Intent::DeleteMatching { .. }, None) => Ok(Step::Done(WriteOutcome::NothingToDelete.into())),
    }
}

/// What the write does to its target, whose newest version, be it a deletion, is `newest`.
///
/// `Created`, `Updated` and `Deleted` carry a version that the catalog is to store; any other outcome
/// changes nothing.
///
/// # Errors
/// Those of [`CommitError`]; `Unusable` if a new version has no state, a Binary no bytes, or another resource
/// bytes or no source.
pub fn decide(
    target: &Target,
    newest: Option<&Document>,
    write: &Write,
    content: Option<(u64, Digest)>,
    now: Timestamp,
) -> Result<WriteOutcome, CommitError> {
    let live = newest.filter(|newest| newest.description.is_some());
    check_conditions(write, live.map(|live| live.version))?;
    match target.action {
        Action::Create if newest.is_some() => return Err(Error::Unusable("the fresh id is taken").into()),
        Action::PutNew if live.is_some() => return Err(CommitError::ClaimedIdExists),
        Action::Delete => {
            let Some(live) = live else { return Ok(WriteOutcome::NothingToDelete) };
            let deletion = next(&write.kind, target, Some(live), Change::Deleted, None, None, now);
            return Ok(WriteOutcome::Deleted(deletion));
        }
        Action::Create | Action::Put | Action::PutNew => {}
    }
    let state = write.state.as_ref().ok_or(Error::Unusable("a new version needs a state"))?;
    let before = live.and_then(|live| live.description.as_ref());
    let description = describe(before, state, facts(&write.kind, state, content)?);
    match live {
        Some(live) if live.description.as_ref() == Some(&description) => {
            Ok(WriteOutcome::Unchanged(live.clone()))
        }
        Some(live) => {
            let writer = state.writer.clone();
            let document =
                next(&write.kind, target, Some(live), Change::Updated, Some(description), writer, now);
            Ok(WriteOutcome::Updated(document))
        }
        None => {
            let writer = state.writer.clone();
            let document = next(&write.kind, target, newest, Change::Created, Some(description), writer, now);
            Ok(WriteOutcome::Created(document))
        }
    }
}

/// What is known about the bytes of the new version: of a Binary all, of other resources that there are none.
fn facts(
    kind: &ResourceType,
    state: &NewState,
    content: Option<(u64, Digest)>,
) -> Result<Option<ContentFacts>, Error> {
    if state.source.as_ref().is_some_and(|source| source.dialect.is_empty()) {
        return Err(Error::Unusable("a source needs the name of its dialect"));
    }
    match (&state.content, content) {
        (Some(new), Some((size_bytes @ 1.., digest))) if kind.is_binary() => Ok(Some(ContentFacts {
            content_type: new.content_type.clone(),
            size_bytes,
            digest,
            security_context: new.security_context.clone(),
        })),
        _ if kind.is_binary() => Err(Error::Unusable("a Binary has a content type and at least one byte")),
        (None, None) if state.source.is_some() => Ok(None),
        (None, None) => Err(Error::Unusable("a resource without a source")),
        _ => Err(Error::Unusable("only a Binary has bytes")),
    }
}

fn check_conditions(write: &Write, current: Option<u64>) -> Result<(), CommitError> {
    if let Some(if_match) = &write.if_match {
        if current.is_none() {
            return Err(CommitError::NotThere);
        }
        if !if_match.matches(current) {
            return Err(CommitError::PreconditionFailed);
        }
    }
    if write.if_none_match.as_ref().is_some_and(|none: &VersionMatch| none.matches(current)) {
        return Err(CommitError::PreconditionFailed);
    }
    Ok(())
}

fn describe(before: Option<&Description>, state: &NewState, content: Option<ContentFacts>) -> Description {
    let labels = match before {
        Some(before) => before.labels.updated_by(&state.labels),
        None => state.labels.clone(),
    };
    Description { content, labels, custody: state.custody.clone(), source: state.source.clone() }
}

/// Contract 6: the version after `newest`, later than it.
fn next(
    kind: &ResourceType,
    target: &Target,
    newest: Option<&Document>,
    change: Change,
    description: Option<Description>,
    writer: Option<Box<str>>,
    now: Timestamp,
) -> Document {
    let earliest_ms = newest.map_or(i64::MIN, |newest| newest.updated.as_millisecond() + 1);
    let updated = Timestamp::from_millisecond(now.as_millisecond().max(earliest_ms)).unwrap_or(now);
    let version = newest.map_or(0, |newest| newest.version) + 1;
    Document { kind: kind.clone(), id: target.id.clone(), version, updated, change, writer, description }
}

#[cfg(test)]
mod tests {
    use charta_model::{MediaType, NewContent, Source};

    use super::*;

    fn id(text: &str) -> ResourceId {
        ResourceId::new(text).unwrap()
    }

    fn update(name: &str) -> Write {
        let content_type = MediaType::new("text/plain").unwrap();
        Write {
            kind: ResourceType::BINARY,
            intent: Intent::Update { id: id(name) },
            if_match: None,
            if_none_match: None,
            state: Some(NewState {
                content: Some(NewContent { content_type, security_context: None }),
                ..NewState::default()
            }),
        }
    }

    fn run(
        write: &Write,
        newest: Option<&Document>,
        bytes: &[u8],
        ms: i64,
    ) -> Result<WriteOutcome, CommitError> {
        let now = Timestamp::from_millisecond(ms).unwrap();
        match target(&write.intent, &[])? {
            Step::Done(outcome) => Ok(*outcome),
            Step::On(target) => {
                decide(&target, newest, write, Some((bytes.len() as u64, Digest::of(bytes))), now)
            }
        }
    }

    fn created(name: &str, bytes: &[u8], ms: i64) -> Document {
        match run(&update(name), None, bytes, ms) {
            Ok(WriteOutcome::Created(document)) => document,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_clock_that_goes_back_does_not_turn_versions_around() {
        let first = created("a", b"1", 1000);
        let Ok(WriteOutcome::Updated(second)) = run(&update("a"), Some(&first), b"2", 10) else { panic!() };
        assert_eq!((second.version, second.updated.as_millisecond()), (2, 1001));
    }

    #[test]
    fn an_equal_update_makes_no_version() {
        let first = created("a", b"1", 1000);
        assert!(
            matches!(run(&update("a"), Some(&first), b"1", 2000), Ok(WriteOutcome::Unchanged(d)) if d == first)
        );
    }

    #[test]
    fn versions_count_on_through_a_deletion() {
        let first = created("a", b"1", 1000);
        let delete = Write { intent: Intent::Delete { id: id("a") }, state: None, ..update("a") };
        let Ok(WriteOutcome::Deleted(second)) = run(&delete, Some(&first), b"", 2000) else { panic!() };
        assert_eq!((second.version, &second.description), (2, &None));
        assert!(matches!(run(&delete, Some(&second), b"", 2000), Ok(WriteOutcome::NothingToDelete)));
        let Ok(WriteOutcome::Created(third)) = run(&update("a"), Some(&second), b"1", 3000) else { panic!() };
        assert_eq!(third.version, 3);
    }

    #[test]
    fn conditions_look_at_the_undeleted_version() {
        let first = created("a", b"1", 1000);
        let only = |versions: &[u64]| Some(VersionMatch::OneOf(versions.to_vec()));
        let stale = Write { if_match: only(&[2]), ..update("a") };
        assert!(matches!(run(&stale, Some(&first), b"2", 0), Err(CommitError::PreconditionFailed)));
        assert!(matches!(run(&stale, None, b"2", 0), Err(CommitError::NotThere)));
        let absent = Write { if_none_match: Some(VersionMatch::Any), ..update("a") };
        assert!(matches!(run(&absent, Some(&first), b"2", 0), Err(CommitError::PreconditionFailed)));
        assert!(matches!(run(&absent, None, b"2", 0), Ok(WriteOutcome::Created(_))));
    }

    #[test]
    fn a_claimed_id_follows_its_version_of_the_standard() {
        let first = created("a", b"1", 1000);
        let matching = |claimed: Option<&str>, must_be_new| Write {
            intent: Intent::UpdateMatching {
                criteria: Query::default(),
                claimed: claimed.map(id),
                fresh: id("fresh"),
                claimed_must_be_new: must_be_new,
            },
            ..update("a")
        };
        let differs = target(&matching(Some("b"), false).intent, std::slice::from_ref(&first));
        assert!(matches!(differs, Err(CommitError::ClaimedIdDiffers)));
        let several = target(&matching(None, false).intent, &[first.clone(), first.clone()]);
        assert!(matches!(several, Err(CommitError::MultipleMatches)));
        let taken = run(&matching(Some("a"), true), Some(&first), b"2", 0);
        assert!(matches!(taken, Err(CommitError::ClaimedIdExists)));
        let updated = run(&matching(Some("a"), false), Some(&first), b"2", 0);
        assert!(matches!(updated, Ok(WriteOutcome::Updated(_))));
        let fresh = run(&matching(None, true), None, b"2", 0);
        assert!(matches!(fresh, Ok(WriteOutcome::Created(d)) if d.id == id("fresh")));
    }

    #[test]
    fn a_binary_has_bytes_and_all_else_a_source() {
        let decided = |write: &Write, bytes: Option<&[u8]>| {
            let Ok(Step::On(target)) = target(&write.intent, &[]) else { panic!() };
            let bytes = bytes.map(|bytes| (bytes.len() as u64, Digest::of(bytes)));
            decide(&target, None, write, bytes, Timestamp::UNIX_EPOCH)
        };
        let binary = update("a");
        let source = |dialect: &str| Some(Source { dialect: dialect.into(), body: "{}".into() });
        let record = |dialect| Write {
            kind: ResourceType::PATIENT,
            state: Some(NewState { source: source(dialect), ..NewState::default() }),
            ..update("a")
        };
        assert!(
            matches!(decided(&binary, Some(b"1")), Ok(WriteOutcome::Created(d)) if d.content().is_some())
        );
        assert!(matches!(decided(&record("x"), None), Ok(WriteOutcome::Created(d)) if d.content().is_none()));
        let sourceless = Write { state: Some(NewState::default()), ..record("x") };
        let with_type = Write { kind: ResourceType::PATIENT, ..update("a") };
        for (write, bytes) in [
            (&binary, None),
            (&binary, Some(&b""[..])),
            (&Write { state: Some(NewState::default()), ..update("a") }, Some(b"1")),
            (&record("x"), Some(b"1")),
            (&record(""), None),
            (&sourceless, None),
            (&with_type, None),
        ] {
            let refused = decided(write, bytes);
            assert!(matches!(refused, Err(CommitError::Store(Error::Unusable(_)))), "{refused:?}");
        }
    }
}
