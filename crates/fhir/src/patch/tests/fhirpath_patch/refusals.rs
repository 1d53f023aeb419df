use super::*;

#[test]
fn a_malformed_patch_is_one_whatever_the_resource() {
    let value = "'valueString':'x'";
    let path = ("path", "'valueString':'Patient.active'");
    for operation in [
        operation(&[]),
        operation(&[("type", "'valueCode':'delete'")]),
        operation(&[path]),
        operation(&[("type", "'valueCode':'Delete'"), path]),
        operation(&[("type", "'valueInteger':1"), path]),
        operation(&[("type", "'valueCode':'delete'"), ("path", "'valueInteger':1")]),
        operation(&[("type", "'valueCode':'delete'"), path, path]),
        operation(&[("type", "'valueCode':'delete'"), path, ("nothing", value)]),
        operation(&[("type", "'valueCode':'add'"), path, ("name", value)]),
        operation(&[("type", "'valueCode':'add'"), path, ("value", value)]),
        operation(&[("type", "'valueCode':'add'"), path, ("name", "'valueBoolean':true"), ("value", value)]),
        operation(&[("type", "'valueCode':'replace'"), path]),
        operation(&[("type", "'valueCode':'replace'"), path, ("value", "'valueString':'x','valueCode':'y'")]),
        operation(&[("type", "'valueCode':'replace'"), path, ("value", "'valueString':'x','part':[]")]),
        operation(&[("type", "'valueCode':'replace'"), path, ("value", "'id':'x'")]),
        operation(&[("type", "'valueCode':'replace'"), path, ("value", "'part':[{'valueString':'x'}]")]),
        operation(&[("type", "'valueCode':'replace'"), path, ("value", "'part':[1]")]),
        operation(&[("type", "'valueCode':'insert'"), path, ("value", value)]),
        operation(&[
            ("type", "'valueCode':'insert'"),
            path,
            ("index", "'valueInteger':-1"),
            ("value", value),
        ]),
        operation(&[
            ("type", "'valueCode':'insert'"),
            path,
            ("index", "'valueDecimal':1.0"),
            ("value", value),
        ]),
        operation(&[
            ("type", "'valueCode':'insert'"),
            path,
            ("index", "'valueString':'0'"),
            ("value", value),
        ]),
        operation(&[("type", "'valueCode':'move'"), path, ("source", "'valueInteger':0")]),
        delete(""),
        delete("Patient."),
        delete("Patient.name.where(use = 'a' or use = 'b')"),
        delete("Patient.generalPractitioner.resolve().name"),
        delete("Patient.name.repeat(x)"),
        "{'name':'other','part':[]}".to_owned(),
        "{'name':'operation','valueString':'x'}".to_owned(),
        "{'part':[]}".to_owned(),
        "1".to_owned(),
    ] {
        let after_failing = [replace("Patient.nowhere", value), operation.clone()];
        assert_eq!(apply(PATIENT, &after_failing[1..]), "malformed", "{operation}");
        assert_eq!(apply(PATIENT, &after_failing), "malformed", "{operation}");
    }
    for patch in [
        "[]",
        "{}",
        "{'resourceType':'Patient'}",
        "{'resourceType':'Parameters','parameter':{}}",
        "{'resourceType':'Parameters','parameter':[[]]}",
    ] {
        assert_eq!(told(&fhirpath_patch(&tree(PATIENT), &tree(patch), Version::R4)), "malformed", "{patch}");
    }
}

#[test]
fn a_patch_cannot_ask_for_too_much() {
    let many = |count| vec![delete("Patient.gender"); count];
    assert_eq!(apply(PATIENT, &many(OPERATIONS_MAX)), PATIENT);
    assert_eq!(apply(PATIENT, &many(OPERATIONS_MAX + 1)), "too costly");

    let large = "x".repeat(1 << 20);
    let add = add("Patient", "identifier", &format!("'valueIdentifier':{{'value':'{large}'}}"));
    let patch = parameters(&[add.clone(), add]);
    let result = fhirpath_patch(&tree("{'resourceType':'Patient'}"), &patch, Version::R4);
    assert_eq!(told(&result), "too costly");

    let names = vec!["{'use':'usual','given':['z']}"; 2_000].join(",");
    let wide = format!("{{'resourceType':'Patient','name':[{names}]}}");
    let slow = "Patient.name.where(use='usual' and use='usual' and use='usual' and use='official')";
    assert_eq!(apply(&wide, &vec![delete(slow); 1000]), "too costly");
}

proptest! {
    #[test]
    fn no_tree_panics(resource in any_tree(), patch in any_tree()) {
        for version in Version::ALL {
            let _ = fhirpath_patch(&resource, &patch, version);
        }
    }

    #[test]
    fn no_operations_panic(patient in any_patient(), operations in prop::collection::vec(any_operation(), 1..8)) {
        let patch = Node::object([
            ("resourceType", Some(Node::text("Parameters"))),
            ("parameter", Some(Node::Array(operations))),
        ]);
        let _ = fhirpath_patch(&patient, &patch, Version::R4);
    }
}

/// A Patient whose elements have any form.
fn any_patient() -> impl Strategy<Value = Node> {
    let names = prop::sample::select(vec![
        "name",
        "_name",
        "given",
        "birthDate",
        "_birthDate",
        "deceasedBoolean",
        "deceasedDateTime",
        "contained",
        "extension",
        "meta",
        "contact",
        "_deceasedBoolean",
    ]);
    prop::collection::vec((names, any_tree()), 0..6).prop_map(|members| {
        let of = ("resourceType".into(), Node::text("Patient"));
        let members = members.into_iter().map(|(name, value)| (name.into(), value));
        Node::Object(std::iter::once(of).chain(members).collect())
    })
}

fn any_operation() -> impl Strategy<Value = Node> {
    let types = prop::sample::select(vec!["add", "insert", "delete", "replace", "move"]);
    let paths = prop::sample::select(vec![
        "Patient",
        "Patient.name",
        "Patient.name[0]",
        "Patient.name.given",
        "name.given[0]",
        "Patient.birthDate",
        "Patient.birthDate.extension",
        "Patient.deceased",
        "Patient.contained",
        "Patient.contained[0].id",
        "Patient.contact.name.family",
        "Patient.extension.value",
        "Patient.meta.tag",
        "Patient.name.where(given = 'a').given.last()",
    ]);
    let names =
        prop::sample::select(vec!["name", "given", "deceased", "extension", "contact", "value", "id", "tag"]);
    let values = prop::sample::select(vec![
        "valueString",
        "valueBoolean",
        "valueHumanName",
        "_valueString",
        "part",
        "resource",
        "valueCoding",
    ]);
    (types, paths, names, values, any_tree(), 0_u64..3, 0_u64..3).prop_map(
        |(of, path, name, value, tree, source, destination)| {
            let part = |name: &'static str, property: &'static str, value: Node| {
                Node::object([("name", Some(Node::text(name))), (property, Some(value))])
            };
            Node::object([
                ("name", Some(Node::text("operation"))),
                (
                    "part",
                    Some(Node::Array(vec![
                        part("type", "valueCode", Node::text(of)),
                        part("path", "valueString", Node::text(path)),
                        part("name", "valueString", Node::text(name)),
                        part("value", value, tree),
                        part("index", "valueInteger", Node::number(source)),
                        part("source", "valueInteger", Node::number(source)),
                        part("destination", "valueInteger", Node::number(destination)),
                    ])),
                ),
            ])
        },
    )
}
