//! What is looked for: searches and histories, in the store's terms.

use jiff::Timestamp;

use crate::ResourceId;

/// A search among the current, undeleted documents of a tenant. All filters hold together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Conditions, joined by AND.
    pub filters: Vec<Filter>,
    /// Sort keys, most significant first; ties and an empty list are sorted by id.
    pub order: Vec<Order>,
    /// At most so many documents.
    pub limit: usize,
    /// So many documents of the sorted result come before the page.
    pub offset: u64,
}

/// One condition on a document. The alternatives inside one filter are joined by OR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Its id is one of these.
    Id(Vec<ResourceId>),
    /// Its stored type matches one of these.
    ContentType(Vec<TypeMatch>),
    /// Its commit time compares to one of these ranges (start included, end excluded).
    Updated(Vec<(Comparison, Timestamp, Timestamp)>),
    /// Its size in bytes compares to one of these.
    Size(Vec<(Comparison, u64)>),
    /// It has one of these labels.
    Label(LabelKind, Vec<TokenMatch>),
    /// It claims one of these profiles.
    Profile(Vec<String>),
    /// The condition inside does not hold.
    Not(Box<Filter>),
    /// Whether it has any label of this kind at all.
    HasLabel(LabelKind, bool),
    /// Nothing matches.
    Nothing,
}

/// How a stored type is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeMatch {
    /// The whole text, parameters included, letter case ignored.
    Exactly(String),
    /// The lower-case `type/subtype`, whatever the parameters; also types with the suffix
    /// (`text/xml` covers `application/hl7-v3+xml`).
    Below(String),
}

/// `meta.security`, `meta.tag` or `meta.profile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    /// Security labels.
    Security,
    /// Tags.
    Tag,
    /// Profiles: the code is the canonical URL, there is no system.
    Profile,
}

/// How a token is compared. `None` as system means any system, `Some("")` no system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMatch {
    /// The code system.
    pub system: Option<String>,
    /// The code; `None` means any code of the system.
    pub code: Option<String>,
    /// Whether letter case counts (from R4 on).
    pub case_sensitive: bool,
}

/// A FHIR search prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Inside the range; equal to the number.
    Equal,
    /// Not so.
    NotEqual,
    /// After the range's end; greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Before the range's start; less.
    Less,
    /// Less or equal.
    LessOrEqual,
}

/// One sort key and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub key: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// What documents can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The logical id, by its bytes.
    Id,
    /// The commit time of the current version.
    Updated,
    /// The size of the content.
    Size,
    /// The stored type.
    ContentType,
}

/// Whose versions are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryScope {
    /// Those of one document.
    Document(ResourceId),
    /// Those of all documents of the tenant.
    Tenant,
}

/// A page of versions, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Whose.
    pub scope: HistoryScope,
    /// Only versions committed at or after this time.
    pub since: Option<Timestamp>,
    /// Only versions that were current at some time in this range (start included, end excluded).
    pub at: Option<(Timestamp, Timestamp)>,
    /// Only versions with a smaller sequence number: where the page before ended.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}
