//! What a caller is allowed.

use std::sync::Arc;

use charta_model::{Confidentiality, Digest, Filter, ResourceId, ResourceType};

use crate::{
    Claims,
    scope::{Action, Actions, Context, Scope, scopes},
};

/// What the caller of one request is allowed. Only this crate makes one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Grant(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// Everything in the tenant: an open endpoint, or the operator at the command line.
    Everything,
    /// Nothing.
    Nothing,
    /// What a token says.
    Token(Arc<Holder>),
}

/// What a token allows, context by context.
#[derive(Debug)]
struct Holder {
    powers: Vec<Power>,
    companions: Companions,
    sees: Confidentiality,
    relabels: bool,
    writer: Box<str>,
}

/// What is allowed in one context. Contexts do not combine: what needs two scopes needs both in one.
#[derive(Debug)]
pub(crate) struct Power {
    /// Whose resources; `None` is everybody's.
    pub(crate) patient: Option<ResourceId>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    kind: Option<ResourceType>,
    actions: Actions,
    /// What a resource must fulfil; none is all of the type.
    constraint: Vec<Filter>,
}

/// What the right to read a Binary takes beside a scope for Binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Companions {
    /// The right to read one of the documents that it belongs to.
    Anchor,
    /// A scope to read one of these types; and what it belongs to must be the patient's.
    OneOf(&'static [&'static str]),
}

/// The meaning of a constraint on a type.
pub type Understand<'t> = dyn Fn(&ResourceType, &[(String, String)]) -> Option<Vec<Filter>> + Sync + 't;

/// What an endpoint makes of scopes.
pub struct Terms<'t> {
    /// What a Binary takes.
    pub companions: Companions,
    /// Whether `*` stands for all types, and for all rights.
    pub wildcards: bool,
    /// Whether patients' apps may write.
    pub patients_write: bool,
    /// How careful a document this caller may see.
    pub sees: Confidentiality,
    /// Whether the caller may make a document less carefully shown.
    pub relabels: bool,
    /// The meaning of a constraint in the endpoint's version; `None` if it has none there.
    pub understand: &'t Understand<'t>,
}

impl Grant {
    /// The grant of everyone who calls an endpoint that the operator declared open.
    #[must_use]
    pub const fn of_open_endpoint() -> Self {
        Self(Kind::Everything)
    }

    /// The grant of the operator, who has the data directory in hand anyway.
    #[must_use]
    pub const fn of_operator() -> Self {
        Self(Kind::Everything)
    }

    /// The grant of someone who has shown nothing.
    #[must_use]
    pub const fn of_nobody() -> Self {
        Self(Kind::Nothing)
    }

    /// The grant of someone with a verified token, on these terms.
    ///
    /// Patient scopes need the patient in the token. User scopes of a user who is a patient reach as far as that
    /// patient; those of a related person as far as the patient in the token.
    #[must_use]
    pub fn of_token(claims: &Claims, terms: &Terms<'_>) -> Self {
        let scopes = scopes(&claims.scope);
        let power = |context| {
            let patient = match (context, &claims.patient) {
                (Context::System, _) => None,
                (Context::Patient, patient) => Some(patient.clone()?),
                (Context::User, patient) => user_boundary(claims.user.as_deref(), patient.as_ref())?,
            };
            let rules: Vec<Rule> = scopes
                .iter()
                .filter(|scope| scope.context == context && (terms.wildcards || !scope.wild))
                .filter_map(|scope| rule(scope, terms))
                .map(|rule| if patient.is_some() && !terms.patients_write { rule.reading() } else { rule })
                .collect();
            (!rules.is_empty()).then_some(Power { patient, rules })
        };
        Self(Kind::Token(Arc::new(Holder {
            powers: Context::ALL.into_iter().filter_map(power).collect(),
            companions: terms.companions,
            sees: terms.sees,
            relabels: terms.relabels,
            writer: writer(claims),
        })))
    }

    /// Whether this is everything, always: nothing needs to be looked at.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        matches!(self.0, Kind::Everything)
    }

    /// Whether somewhere a patient bounds it.
    #[must_use]
    pub fn is_of_patient(&self) -> bool {
        self.powers().iter().any(|power| power.patient.is_some())
    }

    /// Who writes with it, for [`charta_model::Document::writer`]; `None` where that makes no difference.
    #[must_use]
    pub fn writer(&self) -> Option<&str> {
        match &self.0 {
            Kind::Token(holder) => Some(&holder.writer),
            _ => None,
        }
    }

    pub(crate) fn powers(&self) -> &[Power] {
        match &self.0 {
            Kind::Token(holder) => &holder.powers,
            _ => &[],
        }
    }

    pub(crate) fn companions(&self) -> Companions {
        match &self.0 {
            Kind::Token(holder) => holder.companions,
            _ => Companions::Anchor,
        }
    }

    pub(crate) fn sees(&self) -> Confidentiality {
        match &self.0 {
            Kind::Everything => Confidentiality::VeryRestricted,
            Kind::Nothing => Confidentiality::Normal,
            Kind::Token(holder) => holder.sees,
        }
    }

    pub(crate) fn relabels(&self) -> bool {
        match &self.0 {
            Kind::Everything => true,
            Kind::Nothing => false,
            Kind::Token(holder) => holder.relabels,
        }
    }
}

impl Power {
    /// The constraints of the rules for this; an empty one is none. `*` does not stand for AuditEvent: who looked
    /// at what is shown to those alone who were given it by name.
    pub(crate) fn constraints(&self, action: Action, kind: &str) -> impl Iterator<Item = &[Filter]> {
        let is_named = kind == ResourceType::AUDIT_EVENT.as_str();
        let covers = move |rule: &&Rule| {
            rule.actions.has(action) && rule.kind.as_ref().map_or(!is_named, |of| of.as_str() == kind)
        };
        self.rules.iter().filter(covers).map(|rule| &*rule.constraint)
    }

    /// The types that rules name for this; those that only `*` stands for are not among them.
    pub(crate) fn kinds(&self, action: Action) -> impl Iterator<Item = ResourceType> {
        self.rules.iter().filter(move |rule| rule.actions.has(action)).filter_map(|rule| rule.kind.clone())
    }

    /// Whether any rule is for this.
    pub(crate) fn covers(&self, action: Action, kind: &str) -> bool {
        self.constraints(action, kind).next().is_some()
    }
}

impl Rule {
    /// The same without any right to write.
    fn reading(self) -> Self {
        Self { actions: self.actions.reading(), ..self }
    }
}

fn rule(scope: &Scope, terms: &Terms<'_>) -> Option<Rule> {
    let constraint = match &scope.kind {
        Some(kind) if !scope.constraint.is_empty() => (terms.understand)(kind, &scope.constraint)?,
        _ => Vec::new(),
    };
    Some(Rule { kind: scope.kind.clone(), actions: scope.actions, constraint })
}

/// How far user scopes reach: everybody's resources for staff, one patient's for patients and those close to
/// them. `None` is nowhere.
fn user_boundary(user: Option<&str>, patient: Option<&ResourceId>) -> Option<Option<ResourceId>> {
    let Some(user) = user else { return Some(None) };
    let mut parts = user.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    match kind {
        "Practitioner" | "PractitionerRole" => Some(None),
        "Patient" => Some(Some(ResourceId::new(id).ok()?)),
        "RelatedPerson" | "Person" => Some(Some(patient?.clone())),
        _ => None,
    }
}

/// Names who holds the token and for whom, so that what somebody has just written can be told from the rest.
fn writer(claims: &Claims) -> Box<str> {
    let patient = claims.patient.as_ref().map(ResourceId::as_str);
    let parts = [
        Some(&*claims.issuer),
        claims.client.as_deref(),
        claims.subject.as_deref(),
        claims.user.as_deref(),
        patient,
    ];
    let text: Vec<String> = parts.iter().map(|part| part.unwrap_or_default().len().to_string()).collect();
    let all = parts.iter().flatten().copied().collect::<Vec<_>>().join("\n");
    Digest::of(format!("{} {all}", text.join(",")).as_bytes()).hex()[..32].into()
}
