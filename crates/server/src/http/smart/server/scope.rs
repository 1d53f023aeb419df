//! Which of the scopes that a client asks for it may get.

use charta_auth::{Action, Context, Scope, scopes};

/// Scopes that say nothing of resources and are granted as they are.
const LAUNCH: [&str; 1] = ["launch/patient"];

/// The scopes out of `asked` that `allowed` covers, as they were asked for, each once.
pub fn granted(asked: &str, allowed: &str) -> Vec<String> {
    let limits = scopes(allowed);
    let mut granted: Vec<String> = Vec::new();
    for text in asked.split(' ') {
        let is_covered = match scopes(text).first() {
            Some(scope) => limits.iter().any(|limit| covers(limit, scope)),
            None => LAUNCH.contains(&text) && allowed.split(' ').any(|one| one == text),
        };
        if is_covered && !granted.iter().any(|one| one == text) {
            granted.push(text.to_owned());
        }
    }
    granted
}

/// Whether any of these scopes is of this context.
pub fn has_context<'s>(texts: impl IntoIterator<Item = &'s String>, context: Context) -> bool {
    texts.into_iter().any(|text| scopes(text).iter().any(|scope| scope.context == context))
}

fn covers(limit: &Scope, scope: &Scope) -> bool {
    limit.context == scope.context
        && (limit.kind.is_none() || limit.kind == scope.kind)
        && Action::ALL.into_iter().all(|action| limit.actions.has(action) || !scope.actions.has(action))
        && (limit.constraint.is_empty() || limit.constraint == scope.constraint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_what_it_asks_for_as_far_as_it_may() {
        for (asked, allowed, expected) in [
            ("patient/*.rs", "patient/*.rs", "patient/*.rs"),
            ("patient/Observation.r patient/Binary.cruds", "patient/*.rs", "patient/Observation.r"),
            ("patient/*.read", "patient/*.rs", "patient/*.read"),
            ("patient/*.*", "patient/*.rs", ""),
            ("patient/*.rs", "patient/Binary.rs", ""),
            ("user/*.rs system/*.rs", "patient/*.rs", ""),
            (
                "patient/Observation.rs?category=laboratory",
                "patient/*.rs",
                "patient/Observation.rs?category=laboratory",
            ),
            ("patient/Observation.rs", "patient/Observation.rs?category=laboratory", ""),
            (
                "launch/patient openid fhirUser offline_access",
                "launch/patient patient/*.rs",
                "launch/patient",
            ),
            ("launch/patient", "patient/*.rs", ""),
            ("patient/*.rs patient/*.rs", "patient/*.rs", "patient/*.rs"),
            ("", "patient/*.rs", ""),
        ] {
            assert_eq!(granted(asked, allowed).join(" "), expected, "{asked} of {allowed}");
        }
    }
}
