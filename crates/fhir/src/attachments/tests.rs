use proptest::prelude::*;

use super::*;
use crate::typed::testing::{any_tree, text, tree};

#[track_caller]
fn check_paths(version: Version, resource: &str, expected: &[&str]) {
    let resource = tree(resource);
    let found = attachments(&resource, version);
    let paths: Vec<_> = found.iter().map(|attachment| attachment.path.as_str()).collect();
    assert_eq!(paths, expected, "{version}: {}", text(&resource));
}

#[test]
fn documents_reports_and_media_have_attachments_in_every_version() {
    for version in Version::ALL {
        check_paths(
            version,
            "{'resourceType':'DocumentReference','content':[{'attachment':{'url':'Binary/1'}},\
              {'format':{'code':'x'}},{'attachment':{'url':'Binary/2'}}]}",
            &["DocumentReference.content[0].attachment", "DocumentReference.content[2].attachment"],
        );
        check_paths(
            version,
            "{'resourceType':'DiagnosticReport','presentedForm':[{'url':'a'},{'url':'b'}]}",
            &["DiagnosticReport.presentedForm[0]", "DiagnosticReport.presentedForm[1]"],
        );
    }
    // R5 has no Media any more.
    for version in [Version::Dstu2, Version::Stu3, Version::R4, Version::R4b] {
        check_paths(version, "{'resourceType':'Media','content':{'data':'Zm9v'}}", &["Media.content"]);
    }
    check_paths(Version::R5, "{'resourceType':'Media','content':{'data':'Zm9v'}}", &[]);
}

#[test]
fn the_tables_find_attachments_wherever_they_are() {
    check_paths(
        Version::R4,
        "{'resourceType':'Patient','photo':[{'url':'a'}],'contained':[{'resourceType':'Media','content':{'url':'b'}}],\
          'extension':[{'url':'http://e','valueAttachment':{'url':'c'}}],\
          '_gender':{'extension':[{'url':'http://e','valueAttachment':{'url':'d'}}]}}",
        &[
            "Patient.photo[0]",
            "Patient.contained[0].content",
            "Patient.extension[0].valueAttachment",
            "Patient.gender.extension[0].valueAttachment",
        ],
    );
    check_paths(
        Version::R4,
        "{'resourceType':'Communication','payload':[{'contentString':'x'},{'contentAttachment':{'url':'a'}}]}",
        &["Communication.payload[1].contentAttachment"],
    );
}

#[test]
fn an_attachment_is_told_as_it_stands() {
    let number = "{'resourceType':'Media','content':{'contentType':'a/b','url':'Binary/1','data':' Zm 9v',\
        'size':3,'hash':'x=','title':'t'}}";
    let string =
        "{'resourceType':'DocumentReference','content':[{'attachment':{'size':'9007199254740993'}}]}";
    let media = tree(number);
    let expected = Attachment {
        path: "Media.content".to_owned(),
        content_type: Some("a/b"),
        url: Some("Binary/1"),
        data: Some(" Zm 9v"),
        size: Some("3"),
        hash: Some("x="),
    };
    assert_eq!(attachments(&media, Version::R4), [expected]);
    assert_eq!(attachments(&tree(string), Version::R5)[0].size, Some("9007199254740993"));
}

#[test]
fn what_is_no_attachment_has_no_number() {
    let resource = "{'resourceType':'DiagnosticReport','presentedForm':[1,{'url':'a'},null,[],{'url':'b'}]}";
    check_paths(
        Version::R4,
        resource,
        &["DiagnosticReport.presentedForm[1]", "DiagnosticReport.presentedForm[4]"],
    );
    check_paths(
        Version::R4,
        "{'resourceType':'DiagnosticReport','presentedForm':{'url':'a'}}",
        &["DiagnosticReport.presentedForm"],
    );
    for nothing in ["{'resourceType':'Nonsense','content':{'url':'a'}}", "{}", "[]", "'x'"] {
        check_paths(Version::R4, nothing, &[]);
    }
}

#[test]
fn attachments_are_changed_by_their_numbers() {
    let mut resource = tree(
        "{'resourceType':'DocumentReference','content':[{'attachment':{'data':'Zm9v','title':'one'}},\
          {'attachment':{'url':'Binary/2'}},{'attachment':{'title':'three','data':'YmFy'}}]}",
    );
    change_attachments(&mut resource, Version::R4, &mut |number, members| {
        if let Some((name, value)) = members.iter_mut().find(|(name, _)| name == "data") {
            (*name, *value) = ("url".into(), Node::text(format!("Binary/new{number}")));
        }
    });
    assert_eq!(
        text(&resource),
        "{'resourceType':'DocumentReference','content':[{'attachment':{'url':'Binary/new0','title':'one'}},\
          {'attachment':{'url':'Binary/2'}},{'attachment':{'title':'three','url':'Binary/new2'}}]}"
    );
}

proptest! {
    #[test]
    fn no_tree_panics_and_numbers_agree(resource in any_tree()) {
        for version in Version::ALL {
            let urls: Vec<_> = attachments(&resource, version)
                .into_iter()
                .map(|attachment| attachment.url.map(str::to_owned))
                .collect();
            let mut numbers = 0;
            change_attachments(&mut resource.clone(), version, &mut |number, members| {
                assert_eq!(number, numbers);
                numbers += 1;
                let url = match members.iter().find(|(name, _)| name == "url") {
                    Some((_, Node::String(url))) => Some(url.to_string()),
                    _ => None,
                };
                assert_eq!(urls[number], url);
            });
            prop_assert_eq!(numbers, urls.len());
        }
    }
}
