//! SMART scopes, v1 and v2, as far as they grant anything about resources.
//!
//! What is not understood to the letter grants nothing: an unknown or unordered suffix, a type in another letter
//! case, a constraint with a modifier. Nothing is ever understood as more than it says.
//!
//! Clause: SMART 2.2 scopes-and-launch-context.html#scopes-for-requesting-fhir-resources

use charta_model::ResourceType;

/// On whose behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// For the patient in context.
    Patient,
    /// For what the user may see.
    User,
    /// For a program on its own.
    System,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Patient, Self::User, Self::System];
}

/// What a caller does with resources of a type, in the letters of SMART v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `c`: create.
    Create,
    /// `r`: read, vread, history of one resource.
    Read,
    /// `u`: update and patch, also where that creates.
    Update,
    /// `d`: delete.
    Delete,
    /// `s`: search, history of a type or the system.
    Search,
}

impl Action {
    /// All of them, in the order in which a suffix must have them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Read, Self::Update, Self::Delete, Self::Search];

    const fn letter(self) -> u8 {
        match self {
            Self::Create => b'c',
            Self::Read => b'r',
            Self::Update => b'u',
            Self::Delete => b'd',
            Self::Search => b's',
        }
    }
}

/// Some actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Actions(u8);

impl Actions {
    /// What a suffix allows; `None` if it is none.
    fn of_suffix(suffix: &str) -> Option<Self> {
        match suffix {
            "read" => return Self::of_letters("rs"),
            "write" => return Self::of_letters("cud"),
            "*" => return Self::of_letters("cruds"),
            _ => {}
        }
        Self::of_letters(suffix)
    }

    fn of_letters(letters: &str) -> Option<Self> {
        let mut rest = letters.as_bytes();
        let mut actions = Self::default();
        for action in Action::ALL {
            if let [first, others @ ..] = rest
                && *first == action.letter()
            {
                actions.0 |= 1 << action as u8;
                rest = others;
            }
        }
        (rest.is_empty() && actions.0 != 0).then_some(actions)
    }

    /// Those of them that change nothing.
    #[must_use]
    pub const fn reading(self) -> Self {
        Self(self.0 & (1 << Action::Read as u8 | 1 << Action::Search as u8))
    }

    /// Whether the action is among them.
    #[must_use]
    pub const fn has(self, action: Action) -> bool {
        self.0 & (1 << action as u8) != 0
    }
}

/// One scope that grants something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// On whose behalf.
    pub context: Context,
    /// Of which type; `None` is `*`.
    pub kind: Option<ResourceType>,
    /// What may be done.
    pub actions: Actions,
    /// Whether `*` stands in it, as type or as right.
    pub wild: bool,
    /// Search parameters that the resource must fulfil, decoded; none is all resources of the type.
    pub constraint: Vec<(String, String)>,
}

/// What may stand before a scope without changing what it says.
const LONG: &str = "http://smarthealthit.org/FHIR/scopes/";

/// The scopes of a space-separated list, without those that say nothing of resources and those that are not
/// understood.
#[must_use]
pub fn scopes(text: &str) -> Vec<Scope> {
    text.split(' ').filter_map(|scope| self::scope(scope.strip_prefix(LONG).unwrap_or(scope))).collect()
}

fn scope(text: &str) -> Option<Scope> {
    let (context, rest) = text.split_once('/')?;
    let context = match context {
        "patient" => Context::Patient,
        "user" => Context::User,
        "system" => Context::System,
        _ => return None,
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (kind, suffix) = rest.split_once('.')?;
    let is_v1 = matches!(suffix, "read" | "write" | "*");
    let kind = match kind {
        "*" => None,
        name => Some(ResourceType::new(name).ok()?),
    };
    let actions = Actions::of_suffix(suffix)?;
    let constraint = query.map_or(Some(Vec::new()), constraint)?;
    // v1 has no constraints, and no parameter means the same for every type.
    if !constraint.is_empty() && (is_v1 || kind.is_none()) {
        return None;
    }
    let wild = kind.is_none() || suffix == "*";
    Some(Scope { context, kind, actions, wild, constraint })
}

/// Parameters without modifiers and chains: those are experimental, and a constraint that is not understood must
/// not be dropped.
fn constraint(query: &str) -> Option<Vec<(String, String)>> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let plain = |(name, value): &(String, String)| {
        !value.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
            && !matches!(name.as_str(), "" | "_filter" | "_has")
    };
    (!pairs.is_empty() && pairs.iter().all(plain)).then_some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(actions: Actions) -> String {
        let has = |action: &Action| actions.has(*action);
        Action::ALL.iter().filter(|action| has(action)).map(|action| char::from(action.letter())).collect()
    }

    /// The scopes in words: context, type, letters, constraint.
    fn check(text: &str, expected: &[&str]) {
        let word = |scope: Scope| {
            let kind = scope.kind.map_or("*".to_owned(), |kind| kind.to_string());
            let constraint: Vec<String> =
                scope.constraint.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{:?} {kind} {}{}", scope.context, letters(scope.actions), constraint.concat())
        };
        let found: Vec<String> = scopes(text).into_iter().map(word).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn scopes_of_both_versions_are_understood() {
        check("patient/Binary.read", &["Patient Binary rs"]);
        check("user/DocumentReference.write", &["User DocumentReference cud"]);
        check("system/*.*", &["System * cruds"]);
        check("http://smarthealthit.org/FHIR/scopes/user/Binary.read", &["User Binary rs"]);
        check("system/*.cruds", &["System * cruds"]);
        check("patient/*.rs", &["Patient * rs"]);
        check(
            "user/DiagnosticReport.r user/DiagnosticReport.s",
            &["User DiagnosticReport r", "User DiagnosticReport s"],
        );
        check(
            "openid fhirUser profile launch launch/patient offline_access patient/Patient.r",
            &["Patient Patient r"],
        );
    }

    #[test]
    fn constraints_are_decoded() {
        check(
            "patient/Observation.rs?category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Claboratory",
            &[
                "Patient Observation rs category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
            ],
        );
        check(
            "user/DocumentReference.rs?category=http://x|clinical-note&type=http://loinc.org|34133-9",
            &["User DocumentReference rs category=http://x|clinical-note type=http://loinc.org|34133-9"],
        );
    }

    #[test]
    fn what_is_not_understood_to_the_letter_grants_nothing() {
        for text in [
            "",
            " ",
            "patient/",
            "patient/Binary",
            "patient/Binary.",
            "patient/Binary.Read",
            "patient/Binary.dus",
            "patient/Binary.dr",
            "patient/Binary.rr",
            "patient/Binary.x",
            "patient/Binary.rsx",
            "patient/binary.read",
            "Patient/Binary.read",
            "practitioner/Binary.read",
            "patient/Binary.read.read",
            "patient/**.read",
            "patient/Binary.rs?",
            "patient/Binary.rs?category",
            "patient/Binary.rs?category=",
            "patient/*.rs?category=x",
            "patient/Observation.read?category=x",
            "patient/Observation.rs?code:in=x",
            "patient/Observation.rs?subject.name=x",
            "patient/Observation.rs?_filter=x",
            "patient/Observation.rs?_has=x",
            "patient/Observation.rs?category=x&code:not=y",
            "patient/ Binary.read",
            "*/Binary.read",
            "user/.read",
        ] {
            check(text, &[]);
        }
    }
}
