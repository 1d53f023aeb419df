//! Resources of a version, as its tables have them: written down here once more, so that a mistake in the
//! rows does not hide itself.

mod diagnostic_report;
mod document_reference;
mod patient;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::*;

type Any = BoxedStrategy<Node>;

/// A resource of `version` whose references, and whatever else depends on it, `other` can have too.
pub(super) fn resource(resource_type: &'static str, version: Version, other: Version) -> Any {
    let both = Both { version, other };
    let own = match resource_type {
        "DocumentReference" => both.document_reference(),
        "DiagnosticReport" => both.diagnostic_report(),
        _ => both.patient(),
    };
    let whole = vec![
        ("resourceType", Presence::Always, Just(Node::text(resource_type)).boxed()),
        ("id", Presence::Maybe, word()),
        ("language", Presence::Maybe, word()),
        ("_language", Presence::Maybe, beside()),
        ("extension", Presence::Maybe, extensions()),
        ("modifierExtension", Presence::Maybe, extensions()),
    ];
    object(whole.into_iter().chain(own).collect())
}

#[derive(Clone, Copy)]
enum Presence {
    Always,
    Maybe,
}

use Presence::{Always, Maybe};

type Fields = Vec<(&'static str, Presence, Any)>;

#[derive(Clone, Copy)]
struct Both {
    version: Version,
    other: Version,
}

impl Both {
    /// A reference to one of `always`, or of `later` if both versions are that late.
    fn reference(self, always: &[&'static str], later: &[(Version, &'static str)]) -> Any {
        let allowed =
            later.iter().filter(|(since, _)| self.version.min(self.other) >= *since).map(|(_, name)| *name);
        let types: Vec<&str> = always.iter().copied().chain(allowed).collect();
        let target = (select(types), "[a-z]{1,3}").prop_map(|(name, id)| Node::text(format!("{name}/{id}")));
        let mut fields = vec![
            ("reference", Always, target.boxed()),
            ("display", Maybe, word()),
            ("_display", Maybe, beside()),
            ("id", Maybe, word()),
            ("extension", Maybe, extensions()),
        ];
        if self.version > Dstu2 {
            fields.push(("identifier", Maybe, object(vec![("value", Always, word())])));
        }
        object(fields)
    }

    fn codeable_reference(self) -> Any {
        let reference = self.reference(&["Procedure"], &[]);
        // One without a concept becomes an extension and comes back behind the others.
        let concept = ("concept", if self.version == self.other { Maybe } else { Always }, concept());
        prop_oneof![
            object(vec![concept.clone(), ("reference", Always, reference)]),
            object(vec![("concept", Always, concept.2)])
        ]
        .boxed()
    }

    fn identifier(self) -> Any {
        let uses = if self.version < R4 { &["usual", "temp"][..] } else { &["usual", "temp", "old"] };
        let assigner = object(vec![("display", Always, word())]);
        object(vec![
            ("use", Maybe, code(uses)),
            ("_use", Maybe, beside()),
            ("system", Maybe, word()),
            ("value", Always, word()),
            ("assigner", Maybe, assigner),
            ("extension", Maybe, extensions()),
        ])
    }

    fn attachment(self) -> Any {
        let mut fields = vec![
            ("contentType", Maybe, word()),
            ("url", Always, word()),
            ("title", Maybe, word()),
            ("extension", Maybe, extensions()),
        ];
        if self.version == R5 {
            let size =
                prop_oneof![0..9_000_000_000_u64, 0..100_u64].prop_map(|size| Node::text(size.to_string()));
            fields.push(("size", Maybe, size.boxed()));
            fields.push(("_size", Maybe, beside()));
            fields.push(("height", Maybe, number(1..9)));
            fields.push(("pages", Maybe, number(1..9)));
        } else {
            fields.push(("size", Maybe, number(0..1000)));
        }
        object(fields)
    }
}

/// The fields that must be there, and some of the others.
fn object(fields: Fields) -> Any {
    let members = fields.into_iter().map(|(name, presence, value)| match presence {
        Always => value.prop_map(move |value| Some((name.into(), value))).boxed(),
        Maybe => option::weighted(0.4, value).prop_map(move |value| Some((name.into(), value?))).boxed(),
    });
    let members: Vec<_> = members.collect();
    members.prop_map(|members| Node::Object(members.into_iter().flatten().collect())).boxed()
}

fn backbone(mut fields: Fields) -> Any {
    fields.push(("id", Maybe, word()));
    fields.push(("extension", Maybe, extensions()));
    object(fields)
}

fn some(item: Any) -> Any {
    vec(item, 1..4).prop_map(Node::Array).boxed()
}

fn word() -> Any {
    "[a-z]{1,4}".prop_map(Node::text).boxed()
}

fn yes() -> Any {
    any::<bool>().prop_map(Node::Bool).boxed()
}

fn number(range: std::ops::Range<u64>) -> Any {
    range.prop_map(Node::number).boxed()
}

fn code(codes: &[&'static str]) -> Any {
    select(codes.to_vec()).prop_map(Node::text).boxed()
}

fn extensions() -> Any {
    object(vec![("url", Always, Just(Node::text("urn:extension")).boxed()), ("valueString", Always, word())])
        .prop_map(|extension| Node::Array(vec![extension]))
        .boxed()
}

/// What stands beside a primitive.
fn beside() -> Any {
    object(vec![("id", Maybe, word()), ("extension", Always, extensions())])
}

fn coding(system: &'static str) -> Any {
    object(vec![
        ("system", Always, Just(Node::text(system)).boxed()),
        ("code", Always, word()),
        ("display", Maybe, word()),
    ])
}

fn concept() -> Any {
    let codings = some(coding("urn:codes"));
    object(vec![("coding", Maybe, codings), ("text", Always, word()), ("extension", Maybe, extensions())])
}

/// A concept of one of these codes, which may say more.
fn coded(system: &'static str, codes: &[&'static str]) -> Any {
    let coding =
        object(vec![("system", Always, Just(Node::text(system)).boxed()), ("code", Always, code(codes))]);
    let codings = coding.prop_map(|coding| Node::Array(vec![coding])).boxed();
    object(vec![("coding", Always, codings), ("text", Maybe, word())])
}
