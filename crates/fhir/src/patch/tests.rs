use proptest::prelude::*;

use super::*;
use crate::json;
use crate::node::testing::text_of;

mod json_patch;

/// The tree of a JSON text in which single quotes stand for double ones.
fn tree(text: &str) -> Node {
    let text = text.replace('\'', "\"");
    json::read(&text).unwrap_or_else(|| panic!("not JSON: {text}"))
}

/// The JSON text of a tree, written like the text that [`tree`] reads.
fn text(node: &Node) -> String {
    text_of(&json::write(node, false)).replace('"', "'")
}

/// The name of the error, or the text of the result.
fn told(result: &Result<Node, PatchError>) -> String {
    match result {
        Ok(node) => text(node),
        Err(PatchError::Malformed { .. }) => "malformed".to_owned(),
        Err(PatchError::NotApplicable { .. }) => "not applicable".to_owned(),
        Err(PatchError::Forbidden) => "forbidden".to_owned(),
        Err(PatchError::TooCostly) => "too costly".to_owned(),
    }
}

/// Any tree, with names and texts that mean something to a patch now and then.
fn any_tree() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        any_text().prop_map(|text| Node::String(text.into())),
        any::<bool>().prop_map(Node::Bool),
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,20})?".prop_map(Node::Number),
        (0_usize..3).prop_map(Node::Base64),
        Just(Node::Null),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec((any_text(), inner.clone()), 0..6).prop_map(|members| {
                Node::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
            }),
            prop::collection::vec(inner, 0..6).prop_map(Node::Array),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "resourceType",
        "Patient",
        "Parameters",
        "parameter",
        "operation",
        "part",
        "name",
        "type",
        "path",
        "value",
        "valueString",
        "valueCode",
        "index",
        "source",
        "destination",
        "add",
        "insert",
        "delete",
        "replace",
        "move",
        "copy",
        "test",
        "remove",
        "op",
        "from",
        "id",
        "meta",
        "versionId",
        "extension",
        "url",
        "/name/0",
        "/name/-",
        "/meta",
        "Patient.name[0]",
        "Patient.name.where(use = 'x')",
        "",
    ]);
    prop_oneof![words.prop_map(str::to_owned), "[a-z/~0-9.()\\[\\]'=%é-]{0,12}"]
}
