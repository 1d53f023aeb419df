use super::*;
use crate::patch::json_patch;

const PATIENT: &str = "{'resourceType':'Patient','id':'p1','meta':{'versionId':'3','lastUpdated':'2024-01-01T00:00:00Z',\
     'tag':[{'code':'t'}]},'active':true,'name':[{'family':'A','given':['x','y']},{'family':'B'}]}";

#[track_caller]
fn check(resource: &str, patch: &str, expected: &str) {
    let before = tree(resource);
    assert_eq!(told(&json_patch(&before, &tree(patch))), expected, "{resource} by {patch}");
}

/// The same with a patch of one operation on [`PATIENT`].
#[track_caller]
fn check_patient(operation: &str, expected: &str) {
    check(PATIENT, &format!("[{operation}]"), expected);
}

/// The examples of RFC 6902 appendix A, with data of ours.
#[test]
fn each_example_of_the_rfc_has_its_like() {
    for (resource, patch, expected) in [
        // A.1 to A.7: members and items are added, removed, replaced and moved.
        ("{'a':1}", "{'op':'add','path':'/b','value':2}", "{'a':1,'b':2}"),
        ("{'l':['a','c']}", "{'op':'add','path':'/l/1','value':'b'}", "{'l':['a','b','c']}"),
        ("{'a':1,'b':2}", "{'op':'remove','path':'/b'}", "{'a':1}"),
        ("{'l':['a','b','c']}", "{'op':'remove','path':'/l/1'}", "{'l':['a','c']}"),
        ("{'a':1,'b':2}", "{'op':'replace','path':'/b','value':'x'}", "{'a':1,'b':'x'}"),
        (
            "{'a':{'x':1,'y':2},'b':{'z':3}}",
            "{'op':'move','from':'/a/y','path':'/b/w'}",
            "{'a':{'x':1},'b':{'z':3,'w':2}}",
        ),
        ("{'l':['a','d','b','c']}", "{'op':'move','from':'/l/1','path':'/l/3'}", "{'l':['a','b','c','d']}"),
        // A.8 and A.9: tests that hold and one that does not.
        (
            "{'a':'x','l':['p',2,'q']}",
            "{'op':'test','path':'/a','value':'x'},{'op':'test','path':'/l/1','value':2}",
            "{'a':'x','l':['p',2,'q']}",
        ),
        ("{'a':'x'}", "{'op':'test','path':'/a','value':'y'}", "not applicable"),
        // A.10: a nested object.
        ("{'a':1}", "{'op':'add','path':'/b','value':{'c':{'d':2}}}", "{'a':1,'b':{'c':{'d':2}}}"),
        // A.11: what the standard does not know is ignored.
        ("{'a':1}", "{'op':'add','path':'/b','value':2,'why':'because'}", "{'a':1,'b':2}"),
        // A.12: a parent that is not there.
        ("{'a':1}", "{'op':'add','path':'/b/c','value':2}", "not applicable"),
        // A.13: one operation that is two.
        ("{'a':1}", "{'op':'add','path':'/b','value':2,'op':'remove'}", "malformed"),
        // A.14: escapes, of which the tilde comes last.
        ("{'/':9,'~1':10}", "{'op':'test','path':'/~01','value':10}", "{'/':9,'~1':10}"),
        // A.15: a number is no string.
        ("{'/':9,'~1':10}", "{'op':'test','path':'/~01','value':'10'}", "not applicable"),
        // A.16: an array as an item.
        ("{'l':['a']}", "{'op':'add','path':'/l/-','value':['b','c']}", "{'l':['a',['b','c']]}"),
    ] {
        check(resource, &format!("[{patch}]"), expected);
    }
}

#[test]
fn operations_follow_one_another() {
    check(
        "{'l':[1,2]}",
        "[{'op':'add','path':'/n','value':{}},{'op':'move','from':'/l/0','path':'/n/x'},\
          {'op':'copy','from':'/n/x','path':'/l/-'},{'op':'test','path':'/l','value':[2,1]}]",
        "{'l':[2,1],'n':{'x':1}}",
    );
    check("{'a':1}", "[{'op':'remove','path':'/a'},{'op':'remove','path':'/a'}]", "not applicable");
    check("{'a':1}", "[]", "{'a':1}");
}

#[test]
fn a_pointer_names_members_and_items_and_nothing_else() {
    for (path, expected) in [
        ("/l", "found"),
        ("/l/0", "found"),
        ("/l/1/x", "found"),
        ("/m~1n", "found"),
        ("/~0", "found"),
        ("/", "found"),
        ("/é", "found"),
        ("", "found"),
        ("/l/2", "not applicable"),
        ("/l/-", "not applicable"),
        ("/l/00", "not applicable"),
        ("/l/01", "not applicable"),
        ("/l/+1", "not applicable"),
        ("/l/-1", "not applicable"),
        ("/l/1e0", "not applicable"),
        ("/l/99999999999999999999999", "not applicable"),
        ("/l/", "not applicable"),
        ("/l/0/", "not applicable"),
        ("/l/1/x/y", "not applicable"),
        ("/L", "not applicable"),
        ("/m/n", "not applicable"),
        ("l", "malformed"),
        ("#/l", "malformed"),
        ("/~", "malformed"),
        ("/~2", "malformed"),
        ("/m~~1n", "malformed"),
    ] {
        let resource = tree("{'l':['a',{'x':1}],'m/n':2,'~':3,'':4,'é':5}");
        let copy = Node::Array(vec![
            Node::object([
                ("op", Some(Node::text("copy"))),
                ("from", Some(Node::text(path))),
                ("path", Some(Node::text("/new"))),
            ]),
            Node::object([("op", Some(Node::text("remove"))), ("path", Some(Node::text("/new")))]),
        ]);
        let told = told(&json_patch(&resource, &copy));
        assert_eq!(if told == text(&resource) { "found" } else { &told }, expected, "{path}");
    }
}

#[test]
fn an_item_is_added_before_another_or_at_the_end() {
    for (at, expected) in [
        ("0", "{'l':[9,1,2]}"),
        ("2", "{'l':[1,2,9]}"),
        ("-", "{'l':[1,2,9]}"),
        ("3", "not applicable"),
        ("-1", "not applicable"),
        ("x", "not applicable"),
    ] {
        check("{'l':[1,2]}", &format!("[{{'op':'add','path':'/l/{at}','value':9}}]"), expected);
    }
}

#[test]
fn an_added_member_takes_the_place_of_the_old_one() {
    check("{'a':1,'b':2}", "[{'op':'add','path':'/a','value':[3]}]", "{'a':[3],'b':2}");
    check("{'a':1,'b':2}", "[{'op':'move','from':'/b','path':'/a'}]", "{'a':2}");
    check("{'a':1}", "[{'op':'replace','path':'/b','value':2}]", "not applicable");
}

#[test]
fn a_test_compares_values_and_not_spellings() {
    for (left, right, is_equal) in [
        ("1.10", "1.1", true),
        ("1", "1.0", true),
        ("100", "1e2", true),
        ("1E+2", "10.0e1", true),
        ("0.001", "1e-3", true),
        ("-0", "0.00", true),
        ("0e99999999999999999999", "0e99999999999999999999", true),
        ("1e300", "10e299", true),
        ("1", "-1", false),
        ("1", "2", false),
        ("10", "1", false),
        ("1.01", "1.1", false),
        ("12345678901234567890.1", "12345678901234567890.2", false),
        ("1", "'1'", false),
        ("1", "true", false),
        ("null", "null", true),
        ("null", "0", false),
        ("'a'", "'A'", false),
        ("{'a':1,'b':[2]}", "{'b':[2.0],'a':1}", true),
        ("{'a':1}", "{'a':1,'b':2}", false),
        ("{'a':1}", "{'b':1}", false),
        ("[1,2]", "[2,1]", false),
        ("[1]", "[1,1]", false),
        ("{}", "[]", false),
    ] {
        let patch = format!("[{{'op':'test','path':'/0','value':{right}}}]");
        let result = json_patch(&tree(&format!("[{left},'end']")), &tree(&patch));
        assert_eq!(result.is_ok(), is_equal, "{left} and {right}: {result:?}");
    }
}

#[test]
fn a_malformed_patch_is_one_whatever_the_resource() {
    for operation in [
        "1",
        "null",
        "{}",
        "{'op':'remove'}",
        "{'path':'/active'}",
        "{'op':1,'path':'/active'}",
        "{'op':'remove','path':1}",
        "{'op':'Remove','path':'/active'}",
        "{'op':'append','path':'/active','value':1}",
        "{'op':'add','path':'/active'}",
        "{'op':'replace','path':'/active'}",
        "{'op':'test','path':'/active'}",
        "{'op':'move','path':'/active'}",
        "{'op':'copy','path':'/active'}",
        "{'op':'copy','from':['/active'],'path':'/active'}",
        "{'op':'move','from':'/name','path':'/name/0'}",
        "{'op':'move','from':'','path':'/name'}",
        "{'op':'remove','path':'/a','path':'/b'}",
    ] {
        check_patient(operation, "malformed");
        check(PATIENT, &format!("[{{'op':'remove','path':'/nowhere'}},{operation}]"), "malformed");
    }
    for patch in ["{}", "'x'", "null", "{'op':'remove','path':'/active'}"] {
        check(PATIENT, patch, "malformed");
    }
}

#[test]
fn what_the_server_sets_stays() {
    for operation in [
        "{'op':'replace','path':'/id','value':'p2'}",
        "{'op':'remove','path':'/id'}",
        "{'op':'move','from':'/id','path':'/language'}",
        "{'op':'copy','from':'/active','path':'/id'}",
        "{'op':'replace','path':'/meta/versionId','value':'4'}",
        "{'op':'remove','path':'/meta/lastUpdated'}",
        "{'op':'add','path':'/meta/lastUpdated','value':'2025-01-01T00:00:00Z'}",
        "{'op':'remove','path':'/meta'}",
        "{'op':'replace','path':'/meta','value':{'versionId':'3'}}",
        "{'op':'replace','path':'/resourceType','value':'Person'}",
        "{'op':'remove','path':'/resourceType'}",
        "{'op':'remove','path':''}",
        "{'op':'replace','path':'','value':{'resourceType':'Patient','id':'p1'}}",
        "{'op':'add','path':'','value':[]}",
        "{'op':'copy','from':'/name/0','path':''}",
    ] {
        check_patient(operation, "forbidden");
    }
    check("{'resourceType':'Patient'}", "[{'op':'add','path':'/id','value':'x'}]", "forbidden");
    check(
        "{'resourceType':'Patient'}",
        "[{'op':'add','path':'/meta','value':{'versionId':'1'}}]",
        "forbidden",
    );
}

#[test]
fn what_the_server_sets_can_be_tested_and_stood_beside() {
    for operation in [
        "{'op':'test','path':'/meta/versionId','value':'3'}",
        "{'op':'add','path':'/meta/tag/-','value':{'code':'u'}}",
        "{'op':'remove','path':'/meta/tag'}",
        "{'op':'add','path':'/contained','value':[{'resourceType':'Basic','id':'c'}]}",
        "{'op':'copy','from':'/id','path':'/language'}",
    ] {
        assert!(json_patch(&tree(PATIENT), &tree(&format!("[{operation}]"))).is_ok(), "{operation}");
    }
}

#[test]
fn nothing_empty_is_left_behind() {
    for (resource, path, expected) in [
        ("{'l':['a'],'b':1}", "/l/0", "{'b':1}"),
        ("{'o':{'a':{'b':1}},'c':1}", "/o/a/b", "{'c':1}"),
        ("{'l':[{'a':1},{'b':2}]}", "/l/0/a", "{'l':[{'b':2}]}"),
        (
            "{'g':['a','b'],'_g':[{'id':'x'},{'id':'y'}]}",
            "/_g/0/id",
            "{'g':['a','b'],'_g':[null,{'id':'y'}]}",
        ),
        ("{'g':['a','b'],'_g':[null,{'id':'y'}]}", "/_g/1/id", "{'g':['a','b']}"),
    ] {
        check(resource, &format!("[{{'op':'remove','path':'{path}'}}]"), expected);
    }
    check("{'g':['a',null],'b':1}", "[{'op':'remove','path':'/g/0'}]", "{'b':1}");
    // Only at the end, so that what was emptied can be filled again.
    let refill = "[{'op':'remove','path':'/l/0'},{'op':'add','path':'/l/-','value':'b'}]";
    check("{'l':['a']}", refill, "{'l':['b']}");
    check(
        "{'a':1}",
        "[{'op':'add','path':'/l','value':[]},{'op':'add','path':'/l/-','value':1}]",
        "{'a':1,'l':[1]}",
    );
}

#[test]
fn a_patch_cannot_ask_for_too_much() {
    let nothing = "{'op':'test','path':'/a','value':1}";
    let many = |count| format!("[{}]", vec![nothing; count].join(","));
    check("{'a':1}", &many(OPERATIONS_MAX), "{'a':1}");
    check("{'a':1}", &many(OPERATIONS_MAX + 1), "too costly");

    // Each copy doubles it.
    let doubling = vec!["{'op':'copy','from':'/l','path':'/l/-'}"; 60].join(",");
    check("{'l':['some text']}", &format!("[{doubling}]"), "too costly");

    // Each operation goes deeper.
    let deeper = (0..200).map(|depth| {
        let path = "/a".repeat(depth + 1);
        format!("{{'op':'add','path':'{path}','value':{{}}}}")
    });
    let deeper = deeper.collect::<Vec<_>>().join(",");
    check("{}", &format!("[{deeper}]"), "too costly");

    // The result stays small, the way to it is long.
    let large = "x".repeat(1 << 20);
    let to_and_fro = vec!["{'op':'copy','from':'/a','path':'/b'},{'op':'remove','path':'/b'}"; 400].join(",");
    check(&format!("{{'a':'{large}'}}"), &format!("[{to_and_fro}]"), "too costly");
    let once = "{'op':'copy','from':'/a','path':'/b'},{'op':'remove','path':'/b'}";
    check(&format!("{{'a':'{large}'}}"), &format!("[{once}]"), &format!("{{'a':'{large}'}}"));
}

#[test]
fn a_refused_patch_says_which_operation_and_nothing_of_the_resource() {
    let patch = "[{'op':'test','path':'/name/0/family','value':'A'},\
                  {'op':'test','path':'/name/1/family','value':'Secret'}]";
    let error = json_patch(&tree(PATIENT), &tree(patch)).unwrap_err();
    assert_eq!(error.to_string(), "operation 2: the test failed");
}

proptest! {
    #[test]
    fn no_tree_panics(resource in any_tree(), patch in any_tree()) {
        let _ = json_patch(&resource, &patch);
    }

    #[test]
    fn no_operations_panic(resource in any_tree(), operations in prop::collection::vec(any_operation(), 0..8)) {
        let _ = json_patch(&resource, &Node::Array(operations));
    }

    #[test]
    fn what_is_added_can_be_tested_and_removed(name in "[a-z/~é]{1,8}", value in "[a-z]{0,9}") {
        let before = tree("{'resourceType':'Basic','Z':1}");
        let path = Node::text(format!("/{}", name.replace('~', "~0").replace('/', "~1")));
        let operation = |op: &'static str| Node::object([
            ("op", Some(Node::text(op))),
            ("path", Some(path.clone())),
            ("value", Some(Node::text(value.clone()))),
        ]);
        let patch = Node::Array(["add", "test", "remove"].map(operation).into());
        prop_assume!(name != "id");
        prop_assert_eq!(json_patch(&before, &patch), Ok(before));
    }
}

fn any_operation() -> impl Strategy<Value = Node> {
    let op = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    let pointer = || "(/([a-c0-2-]|~0|~1|name|meta|id)){0,3}";
    (op, pointer(), pointer(), any_tree()).prop_map(|(op, path, from, value)| {
        Node::object([
            ("op", Some(Node::text(op))),
            ("path", Some(Node::text(path))),
            ("from", Some(Node::text(from))),
            ("value", Some(value)),
        ])
    })
}
