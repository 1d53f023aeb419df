//! Which scope a refused request would have taken. It is made of the request and of what kind of scopes the token has,
//! and of nothing that is stored, so that it tells nothing of what there is.

use charta_auth::{Claims, Companions, Context, scopes};
use charta_fhir::Profile;
use charta_model::audit::Interaction;

use super::{audit, call::Call, interaction, terms};

/// What a caller without the scope is told.
///
/// Clause: RFC 6750 3.1
pub fn challenge(call: &Call<'_>) -> String {
    let scope = needed(call).map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
    format!("Bearer realm=\"charta\", error=\"insufficient_scope\"{scope}")
}

/// `None` where no one scope would do, as for a Bundle, and at open endpoints.
fn needed(call: &Call<'_>) -> Option<String> {
    let claims = call.claims()?;
    if let Some(scopes) = interaction::operation_scopes(call) {
        let all: Vec<_> = scopes.iter().map(|scope| format!("{}/{scope}", context(claims))).collect();
        return Some(all.join(" "));
    }
    let kind = call.target.kind()?;
    let letter = match audit::interaction(&call.method, call.target) {
        Interaction::Create => 'c',
        Interaction::Read | Interaction::Vread | Interaction::HistoryInstance => 'r',
        Interaction::Update | Interaction::Patch => 'u',
        Interaction::Delete => 'd',
        Interaction::SearchType | Interaction::HistoryType => 's',
        _ => return None,
    };
    let writes = matches!(letter, 'c' | 'u' | 'd');
    let context = match context(claims) {
        "patient" if writes && call.profile() == Profile::Millennium => "user", // patients' apps only read there
        context => context,
    };
    let mut scope = format!("{context}/{kind}.{letter}");
    if kind.is_binary() && !writes {
        // Which of them names a document must not be told, so both are.
        let companions = match terms::companions(call.endpoint) {
            Companions::Anchor => &["DocumentReference", "DiagnosticReport"],
            Companions::OneOf(kinds) => kinds.get(..1).unwrap_or_default(),
        };
        for companion in companions {
            scope += &format!(" {context}/{companion}.r");
        }
    }
    Some(scope)
}

/// On whose behalf the token is: what its scopes begin with, the narrowest first.
fn context(claims: &Claims) -> &'static str {
    let has = |context| scopes(&claims.scope).iter().any(|scope| scope.context == context);
    match () {
        () if has(Context::Patient) => "patient",
        () if has(Context::User) => "user",
        () if has(Context::System) => "system",
        () if claims.patient.is_some() => "patient",
        () => "user",
    }
}
