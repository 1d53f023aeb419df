use proptest::prelude::*;

use super::*;
use crate::definitions::{Element, Type, TypeKind};
use crate::typed::testing::{any_tree, text, tree};

mod links;

/// The links of a resource, in order, by their spots.
fn links_of(resource: &str, version: Version) -> Vec<(Spot, String)> {
    let mut node = tree(resource);
    let mut found = Vec::new();
    rewrite(&mut node, version, &mut |spot, link| {
        found.push((spot, link.to_owned()));
        None
    });
    assert_eq!(text(&node), text(&tree(resource)), "what is not changed stays");
    found
}

#[track_caller]
fn check(version: Version, resource: &str, expected: &[(Spot, &str)]) {
    let found = links_of(resource, version);
    let found: Vec<_> = found.iter().map(|(spot, link)| (*spot, link.as_str())).collect();
    assert_eq!(found, expected, "{version}: {resource}");
}

const URN: &str = "urn:uuid:7b1a0f0e-64a5-4c2a-9c1a-7a3d5f4f0a11";

/// Changes [`URN`] to `Binary/1`, up to a fragment.
fn changed(resource: &str, version: Version) -> String {
    let mut node = tree(resource);
    rewrite(&mut node, version, &mut |_, link| Some(format!("Binary/1{}", link.strip_prefix(URN)?)));
    text(&node)
}

#[test]
fn a_reference_is_one_in_every_version() {
    for version in Version::ALL {
        check(
            version,
            "{'resourceType':'DocumentReference','subject':{'reference':'Patient/1','display':'x'},\
              'author':[{'reference':'Practitioner/1'},{'display':'y'},{'reference':'#p'}]}",
            &[(Spot::Reference, "Patient/1"), (Spot::Reference, "Practitioner/1"), (Spot::Reference, "#p")],
        );
    }
}

#[test]
fn links_stand_in_contained_resources_extensions_and_beside_values() {
    check(
        Version::R4,
        "{'resourceType':'Patient','contained':[{'resourceType':'Basic','subject':{'reference':'Patient/c'}}],\
          'extension':[{'url':'http://e','valueReference':{'reference':'Patient/e'}},\
            {'url':'http://n','extension':[{'url':'http://i','valueUrl':'http://nested'}]}],\
          '_birthDate':{'extension':[{'url':'http://b','valueUri':'http://beside'}]},\
          'name':[{'given':['a'],'_given':[{'extension':[{'url':'http://g','valueOid':'urn:oid:1.2'}]}]}]}",
        &[
            (Spot::Reference, "Patient/c"),
            (Spot::Uri, "http://e"),
            (Spot::Reference, "Patient/e"),
            (Spot::Uri, "http://n"),
            (Spot::Uri, "http://i"),
            (Spot::Uri, "http://nested"),
            (Spot::Uri, "http://b"),
            (Spot::Uri, "http://beside"),
            (Spot::Uri, "http://g"),
            (Spot::Uri, "urn:oid:1.2"),
        ],
    );
}

#[test]
fn the_types_of_uris_are_those_of_the_version() {
    let resource = "{'resourceType':'DocumentReference','meta':{'profile':['http://profile']},\
        'implicitRules':'http://rules','masterIdentifier':{'system':'urn:ietf:rfc:3986','value':'urn:oid:1'},\
        'content':[{'attachment':{'contentType':'text/plain','url':'http://content'}}]}";
    let with = |profile: &[&'static str]| {
        let rest = ["http://rules", "urn:ietf:rfc:3986", "http://content"];
        profile.iter().copied().chain(rest).map(|link| (Spot::Uri, link)).collect::<Vec<_>>()
    };
    // From R4 on a profile is a canonical.
    check(Version::Stu3, resource, &with(&["http://profile"]));
    check(Version::R4, resource, &with(&[]));
    check(Version::R4b, resource, &with(&[]));
}

#[test]
fn what_the_tables_do_not_know_is_left_alone() {
    for resource in [
        "{'resourceType':'Nonsense','subject':{'reference':'Patient/1'}}",
        "{'subject':{'reference':'Patient/1'}}",
        "{'resourceType':'Patient','subject':{'reference':'Patient/1'},'name':{'reference':'x'}}",
        "{'resourceType':'Patient','managingOrganization':{'reference':{'reference':'x'}}}",
        "{'resourceType':'Patient','managingOrganization':'Organization/1'}",
        "{'resourceType':'Patient','contained':[{'resourceType':'Nonsense','subject':{'reference':'x'}},1]}",
        "[]",
        "1",
    ] {
        check(Version::R4, resource, &[]);
    }
}

#[test]
fn a_transaction_has_its_links_changed_wherever_they_stand() {
    let resource = format!(
        "{{'resourceType':'DocumentReference',\
          'text':{{'status':'generated','div':'<div><a href=\\u0027{URN}\\u0027>x</a></div>'}},\
          'subject':{{'reference':'{URN}'}},'extension':[{{'url':'http://e','valueUuid':'{URN}'}}],\
          'content':[{{'attachment':{{'url':'{URN}#page'}}}}]}}"
    );
    let expected = resource.replace("\\u0027", "'").replace(URN, "Binary/1");
    assert_eq!(changed(&resource, Version::R4), expected);

    let elsewhere = format!("{{'resourceType':'DocumentReference','description':'{URN}','id':'{URN}'}}");
    assert_eq!(changed(&elsewhere, Version::R4), elsewhere);
}

#[test]
fn markdown_has_links_from_r5_on() {
    let resource = format!("{{'resourceType':'DocumentReference','description':'see [it]({URN}#x)'}}");
    check(Version::R4, &resource, &[]);
    check(Version::R5, &resource, &[(Spot::Uri, &format!("{URN}#x"))]);
    assert!(changed(&resource, Version::R5).contains("see [it](Binary/1#x)"));
}

#[test]
fn references_come_with_their_paths() {
    let resource = tree(
        "{'resourceType':'DocumentReference','subject':{'reference':'Patient/1'},\
          'author':[{'display':'x'},{'reference':'Practitioner/1'}],\
          'contained':[{'resourceType':'Basic','subject':{'reference':'#'}}],\
          '_status':{'extension':[{'url':'http://e','valueReference':{'reference':'Patient/2'}}]},\
          'context':{'related':[{'ref':{'reference':'Basic/1'}}]},'reference':{'x':1}}",
    );
    let expected = [
        ("DocumentReference.subject", "Patient/1"),
        ("DocumentReference.author[1]", "Practitioner/1"),
        ("DocumentReference.contained[0].subject", "#"),
        ("DocumentReference.status.extension[0].valueReference", "Patient/2"),
        ("DocumentReference.context.related[0].ref", "Basic/1"),
    ];
    let expected = expected.map(|(path, target)| (path.to_owned(), target.to_owned()));
    assert_eq!(references(&resource), expected);
}

#[test]
fn uris_called_reference_are_no_references() {
    for resource in [
        "{'resourceType':'DetectedIssue','reference':'http://x'}",
        "{'resourceType':'ProcessRequest','reference':'x'}",
        "{'resourceType':'Provenance','entity':[{'role':'source','reference':'http://x'}]}",
        "{'resourceType':'PlanDefinition','x':{'language':'text/cql','reference':'http://x'}}",
        "{'resourceType':'Immunization','education':[{'reference':'http://x'}]}",
        "{'resourceType':'Group','x':[{'valueExpression':{'reference':'http://x'}}]}",
        "{'resourceType':'Basic','contained':[{'resourceType':'Immunization','education':[{'reference':'http://x'}]}]}",
        "{'resourceType':'Patient','managingOrganization':{'reference':{'reference':1}}}",
    ] {
        assert_eq!(references(&tree(resource)), [], "{resource}");
    }
}

#[test]
fn a_reference_shows_by_its_members_and_its_name_in_every_version() {
    let of_reference = ["id", "extension", "reference", "type", "identifier", "display"];
    for version in Version::ALL {
        let definitions = version.definitions();
        let looks_like_one = |of: &Type| {
            let is_text = |index| definitions.type_at(index).kind == TypeKind::Primitive;
            let has_text = of.property("reference").is_some_and(|property| is_text(property.type_index));
            let differs = |element: &Element| element.min > 0 && !of_reference.contains(&element.name);
            has_text && of.kind != TypeKind::Resource && !of.elements.iter().any(differs)
        };
        for of in definitions.types() {
            for element in &of.elements {
                for holds in &element.types {
                    let holds = definitions.type_at(holds.type_index);
                    let name = if element.choice {
                        format!("{}{}", element.name, holds.name)
                    } else {
                        element.name.to_owned()
                    };
                    // `TriggerDefinition.condition` without its language would count as a Reference.
                    if looks_like_one(holds) && name != "condition" {
                        assert_eq!(
                            may_refer(&name),
                            holds.name == "Reference",
                            "{version} {}.{name}",
                            of.name
                        );
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_tree_panics(resource in any_tree()) {
        let _ = references(&resource);
        for version in Version::ALL {
            let mut node = resource.clone();
            rewrite(&mut node, version, &mut |_, link| Some(format!("{link}x")));
        }
    }
}
