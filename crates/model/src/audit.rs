//! What the audit log says of one request, and what can be asked of it. No token, no body, no name of a person:
//! who asked, for what, about whom, and whether it was given.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the specification's words: FHIR R4 valueset-type-restful-interaction.html")]
pub enum Interaction {
    Read,
    Vread,
    HistoryInstance,
    HistoryType,
    HistorySystem,
    SearchType,
    SearchSystem,
    Create,
    Update,
    Patch,
    Delete,
    Batch,
    Transaction,
    Operation,
    /// A request that is none of these.
    Unknown,
}

impl Interaction {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Read,
        Self::Vread,
        Self::HistoryInstance,
        Self::HistoryType,
        Self::HistorySystem,
        Self::SearchType,
        Self::SearchSystem,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::Batch,
        Self::Transaction,
        Self::Operation,
        Self::Unknown,
    ];

    /// The code that FHIR has for it; `unknown` for what is none.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::HistorySystem => "history-system",
            Self::SearchType => "search-type",
            Self::SearchSystem => "search-system",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Batch => "batch",
            Self::Transaction => "transaction",
            Self::Operation => "operation",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it asks for what is there, and changes nothing.
    #[must_use]
    pub const fn is_query(self) -> bool {
        matches!(
            self,
            Self::SearchType
                | Self::SearchSystem
                | Self::HistoryInstance
                | Self::HistoryType
                | Self::HistorySystem
        )
    }
}

impl fmt::Display for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Interaction {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|known| known.code() == text).ok_or(())
    }
}

/// Who asked, as the token says. Empty is not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Caller {
    /// The client's id.
    pub client: String,
    /// Who signed the token.
    pub issuer: String,
    /// The user, in the issuer's words.
    pub subject: String,
    /// The user as a resource, such as `Practitioner/7`.
    pub user: String,
    /// Names the token; not the token itself.
    pub token_id: String,
    /// The address that the request came from.
    pub address: String,
}

/// Resources in order. A read, the most frequent of all, has one, which takes no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entities<'a> {
    /// One.
    One([Entity<'a>; 1]),
    /// Any other number.
    Some(Vec<Entity<'a>>),
}

impl<'a> std::ops::Deref for Entities<'a> {
    type Target = [Entity<'a>];

    fn deref(&self) -> &[Entity<'a>] {
        match self {
            Self::One(one) => one,
            Self::Some(some) => some,
        }
    }
}

impl<'a> FromIterator<Entity<'a>> for Entities<'a> {
    fn from_iter<I: IntoIterator<Item = Entity<'a>>>(entities: I) -> Self {
        let mut entities = entities.into_iter();
        match (entities.next(), entities.next()) {
            (Some(one), None) => Self::One([one]),
            (Some(one), Some(other)) => Self::Some([one, other].into_iter().chain(entities).collect()),
            (None, _) => Self::Some(Vec::new()),
        }
    }
}

impl<'a> IntoIterator for Entities<'a> {
    type Item = Entity<'a>;
    type IntoIter = std::vec::IntoIter<Entity<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        match self {
            Self::One([one]) => vec![one].into_iter(),
            Self::Some(some) => some.into_iter(),
        }
    }
}

/// A resource that was shown, or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity<'a> {
    /// Its type.
    pub kind: Cow<'a, str>,
    /// Its id.
    pub id: Cow<'a, str>,
    /// Its version; 0 if it is not known.
    pub version: u64,
}

/// What the log says of one request, as far as it concerns one patient. A text that is empty is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// When it was answered. Milliseconds.
    pub recorded: Timestamp,
    /// Whose documents.
    pub tenant: Cow<'a, str>,
    /// What was asked for.
    pub interaction: Interaction,
    /// What it came to: as HTTP numbers it, from 100 to 599.
    pub status: u16,
    /// The path of the endpoint, such as `/r4`.
    pub endpoint: Cow<'a, str>,
    /// Names the request in answer and log.
    pub request_id: Cow<'a, str>,
    /// Who asked: made once for all that a token asks for.
    pub caller: Arc<Caller>,
    /// The id of the patient whom it concerns.
    pub patient: Cow<'a, str>,
    /// What was shown or changed; of a query nothing, since a later reader of the log must not learn from it.
    pub entities: Entities<'a>,
    /// Method, path and parameters of a query, as they came.
    pub query: Cow<'a, str>,
}

impl Event<'_> {
    /// How it ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self.status {
            ..400 => Outcome::Success,
            400..500 => Outcome::Refused,
            _ => Outcome::Failed,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// As it was asked.
    Success,
    /// It could not be granted.
    Refused,
    /// The server failed.
    Failed,
}

/// A condition on events: any of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditFilter {
    /// It concerns one of these patients, by id.
    Patient(Vec<String>),
    /// It shows or changes one of these, by type and id; a patient counts as the one it concerns.
    Entity(Vec<(String, String)>),
    /// One of these asked: the client's id, the user in the issuer's words, or the user's resource.
    Agent(Vec<String>),
    /// Recorded in this span, its end excluded.
    Recorded(Timestamp, Timestamp),
    /// Recorded outside this span, its end excluded.
    NotRecorded(Timestamp, Timestamp),
    /// One of these was asked for.
    Interaction(Vec<Interaction>),
    /// It ended in one of these ways.
    Outcome(Vec<Outcome>),
}

/// A search of the audit log: newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuery {
    /// Whose.
    pub tenant: String,
    /// All of these hold.
    pub filters: Vec<AuditFilter>,
    /// Only the one with this number.
    pub only: Option<u64>,
    /// Only what comes after the end of a page: its `next`.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

impl AuditFilter {
    /// Whether an event fulfils it.
    #[must_use]
    pub fn holds(&self, event: &Event<'_>) -> bool {
        match self {
            Self::Patient(ids) => ids.iter().any(|id| event.patient == *id),
            Self::Entity(names) => names.iter().any(|(kind, id)| {
                kind == "Patient" && event.patient == *id
                    || event.entities.iter().any(|entity| entity.kind == *kind && entity.id == *id)
            }),
            Self::Agent(names) => names.iter().any(|name| {
                let Caller { client, subject, user, .. } = &*event.caller;
                !name.is_empty() && [client, subject, user].into_iter().any(|known| known == name)
            }),
            Self::Recorded(from, to) => (*from..*to).contains(&event.recorded),
            Self::NotRecorded(from, to) => !(*from..*to).contains(&event.recorded),
            Self::Interaction(any) => any.contains(&event.interaction),
            Self::Outcome(any) => any.contains(&event.outcome()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interaction_is_read_as_it_is_written() {
        for interaction in Interaction::ALL {
            assert_eq!(interaction.code().parse(), Ok(interaction));
        }
        assert_eq!("Read".parse::<Interaction>(), Err(()));
    }
}
