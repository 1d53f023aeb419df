//! What is looked for: searches and histories, in the store's terms.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::{ResourceId, ResourceType};

/// A search among the current, undeleted documents of a tenant. All filters hold together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// The types among which is searched; none finds nothing.
    pub scopes: Vec<Scope>,
    /// Conditions, joined by AND.
    pub filters: Vec<Filter>,
    /// Sort keys, most significant first; ties and an empty list are sorted by id.
    pub order: Vec<Order>,
    /// At most so many documents.
    pub limit: usize,
    /// So many documents of the sorted result come before the page.
    pub offset: u64,
    /// Nobody asks how many there are in all.
    pub uncounted: bool,
}

/// Documents of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The type.
    pub kind: ResourceType,
    /// Only documents whose source is in this dialect; `None` means any.
    pub dialect: Option<&'static str>,
}

/// One condition on a document. The alternatives inside one filter are joined by OR.
#[derive(Debug, Clone, PartialEq)]
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
    /// One of these conditions holds.
    Any(Vec<Filter>),
    /// All of these conditions hold.
    All(Vec<Filter>),
    /// It is of one of these types.
    Kind(Vec<ResourceType>),
    /// A parameter has one of these codes.
    Token(Parameter, Vec<TokenMatch>),
    /// A parameter refers to one of these.
    Reference(Parameter, Vec<ReferenceMatch>),
    /// A parameter has one of these texts.
    Text(Parameter, Vec<TextMatch>),
    /// A parameter has one of these URIs.
    Uri(Parameter, Vec<UriMatch>),
    /// A parameter's time compares to one of these stretches of milliseconds (start included, end excluded).
    Date(Parameter, Vec<(Comparison, i64, i64)>),
    /// A parameter's number or quantity compares to one of these.
    Quantity(Parameter, Vec<QuantityMatch>),
    /// All these conditions hold for components of the same value of a composite parameter.
    Composite(Vec<Filter>),
    /// Whether the parameter has no value at all.
    Missing(Parameter, bool),
    /// A parameter refers to a document, of one of these types, that fulfils the condition.
    Chain(Parameter, Vec<Scope>, Box<Filter>),
    /// A document of this type fulfils the condition and refers to this one by the parameter.
    Has(Scope, Parameter, Box<Filter>),
    /// A document, of one of these types, fulfils the condition and names this one, a Binary, as its content: now
    /// or in an earlier version.
    Linked(Vec<Scope>, Box<Filter>),
    /// Nothing matches.
    Nothing,
}

/// The name of a search parameter, as entries have it.
pub type Parameter = Cow<'static, str>;

/// How a reference is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceMatch {
    /// It names this resource of the tenant; any type if there is none.
    Local(Option<ResourceType>, ResourceId),
    /// It is this URL.
    Elsewhere(String),
}

/// How text is compared. Folded texts are without letter case and accents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    /// It begins with this folded text.
    Starts(String),
    /// It has this folded text inside.
    Contains(String),
    /// It is exactly this.
    Exactly(String),
}

/// How a URI is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UriMatch {
    /// It is this.
    Exactly(String),
    /// It begins with this, at the border of a segment.
    Below(String),
    /// This begins with it, at the border of a segment.
    Above(String),
}

/// How a number or quantity is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityMatch {
    /// To what is between these.
    pub comparison: Comparison,
    /// The least that is equal.
    pub low: f64,
    /// The least that is greater.
    pub high: f64,
    /// The system of the unit, if it matters; `Some("")` is none.
    pub system: Option<String>,
    /// The code of the unit, or the unit, if it matters.
    pub code: Option<String>,
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
    /// Wholly after.
    StartsAfter,
    /// Wholly before.
    EndsBefore,
    /// In part the same.
    Overlaps,
}

/// One sort key and its direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub key: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// What documents can be sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// The logical id, by its bytes.
    Id,
    /// The commit time of the current version.
    Updated,
    /// The size of the content.
    Size,
    /// The stored type.
    ContentType,
    /// A search parameter: its least value, or its greatest if the order descends. Without one: last.
    Parameter(Parameter),
}

/// Whose versions are listed.
#[derive(Debug, Clone, PartialEq)]
pub enum HistoryScope {
    /// Those of one document.
    Document(ResourceType, ResourceId),
    /// Those of all documents of these types.
    Types(Vec<Scope>),
    /// Those of the current documents that a search finds, whatever its page.
    Found(Query),
    /// Those of all documents of the tenant.
    Tenant,
}

/// A page of versions, newest first.
#[derive(Debug, Clone, PartialEq)]
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
