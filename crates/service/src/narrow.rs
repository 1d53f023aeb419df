//! A search, kept to what its caller may see: counts and pages are right because the catalog counts nothing else,
//! and no condition on another document (a chain, `_has`) can ask about one that is not the caller's.

use charta_auth::{Action, Grant, visible};
use charta_model::{Filter, Query, ResourceType, Scope};

/// The same search among the documents that the grant allows all these actions on; `None` if there are none.
pub fn narrowed(grant: &Grant, actions: &[Action], query: &Query) -> Option<Query> {
    if grant.is_everything() {
        return Some(query.clone());
    }
    let mut query = query.clone();
    let within = within(grant, actions, &mut query.scopes);
    if query.scopes.is_empty() {
        return None;
    }
    query.filters = query.filters.into_iter().map(|filter| inner(grant, filter)).collect();
    query.filters.extend(within);
    Some(query)
}

/// Leaves only the scopes that may be seen at all, and gives what their documents must fulfil.
fn within(grant: &Grant, actions: &[Action], scopes: &mut Vec<Scope>) -> Vec<Filter> {
    let mut kinds: Vec<(ResourceType, Vec<Filter>)> = Vec::new();
    scopes.retain(|scope| {
        if kinds.iter().any(|(kind, _)| *kind == scope.kind) {
            return true;
        }
        let all: Option<Vec<Vec<Filter>>> =
            actions.iter().map(|action| visible(grant, *action, &scope.kind)).collect();
        kinds.extend(all.iter().map(|filters| (scope.kind.clone(), filters.concat())));
        all.is_some()
    });
    match kinds.len() {
        1 => kinds.remove(0).1,
        _ if kinds.iter().all(|(_, filters)| filters.is_empty()) => Vec::new(),
        _ => {
            let of = |(kind, mut filters): (ResourceType, Vec<Filter>)| {
                filters.insert(0, Filter::Kind(vec![kind]));
                Filter::All(filters)
            };
            vec![Filter::Any(kinds.into_iter().map(of).collect())]
        }
    }
}

/// What is asked of other documents is asked of those that the caller may find.
fn inner(grant: &Grant, filter: Filter) -> Filter {
    let several = |filters: Vec<Filter>| filters.into_iter().map(|filter| inner(grant, filter)).collect();
    let other = |mut scopes: Vec<Scope>, asked: Filter| {
        let mut all = within(grant, &[Action::Search], &mut scopes);
        all.insert(0, inner(grant, asked));
        (scopes, Box::new(if all.len() == 1 { all.remove(0) } else { Filter::All(all) }))
    };
    match filter {
        Filter::Not(asked) => Filter::Not(Box::new(inner(grant, *asked))),
        Filter::Any(filters) => Filter::Any(several(filters)),
        Filter::All(filters) => Filter::All(several(filters)),
        Filter::Composite(filters) => Filter::Composite(filters),
        Filter::Chain(parameter, scopes, asked) => match other(scopes, *asked) {
            (scopes, _) if scopes.is_empty() => Filter::Nothing,
            (scopes, asked) => Filter::Chain(parameter, scopes, asked),
        },
        Filter::Has(scope, parameter, asked) => {
            let (mut scopes, asked) = other(vec![scope], *asked);
            match scopes.pop() {
                Some(scope) => Filter::Has(scope, parameter, asked),
                None => Filter::Nothing,
            }
        }
        Filter::Linked(scopes, asked) => match other(scopes, *asked) {
            (scopes, _) if scopes.is_empty() => Filter::Nothing,
            (scopes, asked) => Filter::Linked(scopes, asked),
        },
        asked => asked,
    }
}
