//! Each resource in each version and format, as it goes out.

use charta_model::{
    Change, ContentFacts, Description, Digest, Document, Label, Labels, MediaType, Reference, ResourceId,
    ResourceType, Source,
};

use super::*;
use crate::node::testing::text_of;
use crate::{Profile, Version};

const RULES: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

fn label(code: &str) -> Label {
    Label { system: Some("http://s".into()), code: Some(code.into()), ..Label::default() }
}

fn document(version: u64, change: Change) -> Document {
    let description = Description {
        content: Some(ContentFacts {
            content_type: MediaType::new("text/plain").unwrap(),
            size_bytes: 3,
            digest: Digest::of(b"abc"),
            security_context: Some(Reference::new("Patient/1").unwrap()),
        }),
        labels: Labels {
            profiles: vec!["http://p".into()],
            security: vec![label("R")],
            tags: vec![label("t")],
        },
        custody: Default::default(),
        source: None,
    };
    Document {
        kind: ResourceType::BINARY,
        id: ResourceId::new("a").unwrap(),
        version,
        updated: "2024-05-01T10:00:00.12Z".parse().unwrap(),
        change,
        writer: None,
        description: (change != Change::Deleted).then_some(description),
    }
}

fn with_source(dialect: Version, body: &str) -> Document {
    let mut document = document(1, Change::Created);
    let description = document.description.as_mut().unwrap();
    description.source = Some(Source { dialect: dialect.name().into(), body: body.into() });
    document
}

fn json_of(node: &Node) -> String {
    text_of(&json::write(node, false))
}

fn xml_of(node: &Node) -> String {
    text_of(&xml::write(node, false)).replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "")
}

fn check(node: &Node, json: &str, xml: &str) {
    assert_eq!(json_of(node), json);
    assert_eq!(xml_of(node), xml);
}

fn part(summary: Option<Summary>, elements: Option<&str>) -> Subset {
    let elements = elements.map(|names| names.split(',').map(Into::into).collect());
    Subset { summary, elements }
}

#[test]
fn binary_in_each_version() {
    let document = document(2, Change::Updated);
    for version in Version::ALL {
        let payload = version.payload_element();
        let has_context = version != Version::Dstu2;
        let context = if has_context { r#""securityContext":{"reference":"Patient/1"},"# } else { "" };
        let context_xml = if has_context {
            r#"<securityContext><reference value="Patient/1"/></securityContext>"#
        } else {
            ""
        };
        check(
            &binary(&document, version, &Subset::default(), 7),
            &format!(
                r#"{{"resourceType":"Binary","id":"a","meta":{{"versionId":"2","lastUpdated":"2024-05-01T10:00:00.120Z","profile":["http://p"],"security":[{{"system":"http://s","code":"R"}}],"tag":[{{"system":"http://s","code":"t"}}]}},"contentType":"text/plain",{context}"{payload}":"{{7}}"}}"#
            ),
            &format!(
                r#"<Binary xmlns="http://hl7.org/fhir"><id value="a"/><meta><versionId value="2"/><lastUpdated value="2024-05-01T10:00:00.120Z"/><profile value="http://p"/><security><system value="http://s"/><code value="R"/></security><tag><system value="http://s"/><code value="t"/></tag></meta><contentType value="text/plain"/>{context_xml}<{payload} value="{{7}}"/></Binary>"#
            ),
        );
    }
}

#[test]
fn what_the_client_sent_comes_back_in_its_version() {
    let body = r#"{"_data":{"id":"d"},"language":"de","implicitRules":"http://r","_contentType":{"extension":[{"valueCoding":{"code":"c","system":"http://s"},"url":"http://x"}]},"meta":{"tag":[{"id":"z","code":"t","system":"http://s"}],"_profile":[{"id":"p"}],"extension":[{"url":"http://m","valueDecimal":1.10}],"source":"http://o"},"securityContext":{"display":"shown","reference":"urn:uuid:old"}}"#;
    let document = with_source(Version::R4, body);
    let same = binary(&document, Version::R4, &Subset::default(), 0);
    check(
        &same,
        r#"{"resourceType":"Binary","id":"a","meta":{"extension":[{"url":"http://m","valueDecimal":1.10}],"versionId":"1","lastUpdated":"2024-05-01T10:00:00.120Z","source":"http://o","profile":["http://p"],"_profile":[{"id":"p"}],"security":[{"system":"http://s","code":"R"}],"tag":[{"id":"z","system":"http://s","code":"t"}]},"implicitRules":"http://r","language":"de","contentType":"text/plain","_contentType":{"extension":[{"url":"http://x","valueCoding":{"system":"http://s","code":"c"}}]},"securityContext":{"reference":"Patient/1","display":"shown"},"data":"{0}","_data":{"id":"d"}}"#,
        r#"<Binary xmlns="http://hl7.org/fhir"><id value="a"/><meta><extension url="http://m"><valueDecimal value="1.10"/></extension><versionId value="1"/><lastUpdated value="2024-05-01T10:00:00.120Z"/><source value="http://o"/><profile id="p" value="http://p"/><security><system value="http://s"/><code value="R"/></security><tag id="z"><system value="http://s"/><code value="t"/></tag></meta><implicitRules value="http://r"/><language value="de"/><contentType value="text/plain"><extension url="http://x"><valueCoding><system value="http://s"/><code value="c"/></valueCoding></extension></contentType><securityContext><reference value="Patient/1"/><display value="shown"/></securityContext><data id="d" value="{0}"/></Binary>"#,
    );
    for version in [Version::Dstu2, Version::Stu3, Version::R4b, Version::R5] {
        let other = json_of(&binary(&document, version, &Subset::default(), 0));
        assert!(other.contains(r#""language":"de","contentType":"text/plain","#), "{version} {other}");
        for part in ["implicitRules", "extension", "_", "shown", "http://o", "\"z\""] {
            assert!(!other.contains(part), "{version} {part} {other}");
        }
    }
}

#[test]
fn a_source_that_cannot_be_read_does_no_harm() {
    for body in
        ["", "[]", "null", "{", r#"{"meta":1,"securityContext":[],"resourceType":"Patient","id":"x"}"#]
    {
        let node = binary(&with_source(Version::R4, body), Version::R4, &Subset::default(), 0);
        let bare = binary(&document(1, Change::Created), Version::R4, &Subset::default(), 0);
        assert_eq!(node, bare, "{body}");
    }
}

#[test]
fn parts_are_kept_as_each_version_has_it() {
    use Summary::{Data, False, Text, True};
    let r4 = "contentType,data";
    let cases = [
        (
            part(None, None),
            "language,contentType,content",
            "language,contentType,securityContext,data",
            false,
        ),
        (
            part(Some(False), None),
            "language,contentType,content",
            "language,contentType,securityContext,data",
            false,
        ),
        (
            part(Some(Data), None),
            "language,contentType,content",
            "language,contentType,securityContext,data",
            false,
        ),
        (part(Some(True), None), "contentType,content", "contentType,securityContext", true),
        (part(Some(Text), None), "contentType,content", "contentType", true),
        (part(None, Some("data")), "contentType,content", r4, true),
        (part(None, Some("language")), "language,contentType,content", "language,contentType", true),
        (part(Some(True), Some("data")), "contentType,content", "contentType", true),
    ];
    for (subset, in_dstu2, in_r4, is_partial) in &cases {
        for (version, expected) in [(Version::Dstu2, in_dstu2), (Version::R4, in_r4), (Version::R5, in_r4)] {
            let document = with_source(version, r#"{"language":"de"}"#);
            let node = binary(&document, version, subset, 0);
            let Node::Object(members) = &node else { panic!() };
            let names: Vec<_> = members.iter().skip(3).map(|(name, _)| name.as_ref()).collect();
            assert_eq!(names.join(","), *expected, "{version} {subset:?}");
            assert_eq!(json_of(&node).contains("SUBSETTED"), *is_partial, "{version} {subset:?}");
            assert_eq!(
                subset.drops_content(version),
                !json_of(&node).contains("{0}"),
                "{version} {subset:?}"
            );
        }
    }
    assert!(cases[3].0.drops_content(Version::Stu3), "no summary element there, though mandatory");
    assert!(!cases[4].0.drops_content(Version::Stu3));
    let tagged = |version| json_of(&binary(&document(1, Change::Created), version, &cases[3].0, 0));
    assert!(tagged(Version::R4).contains(RULES));
    assert!(tagged(Version::Stu3).contains("\"http://hl7.org/fhir/v3/ObservationValue\""));
}

#[test]
fn outcome_in_each_version() {
    let issue = |code, expression: &str| Issue {
        severity: Severity::Error,
        code,
        text: "No <such> document".into(),
        diagnostics: None,
        expression: Some(expression.into()),
    };
    let issues =
        [issue(IssueCode::Deleted, "Binary.meta.tag[0]"), issue(IssueCode::MultipleMatches, "http.Accept")];
    for version in Version::ALL {
        let (deleted, multiple) =
            if version >= Version::R4 { ("deleted", "multiple-matches") } else { ("not-found", "duplicate") };
        let places = if version == Version::Dstu2 {
            [r#","location":["/f:Binary/f:meta/f:tag[1]"]"#, ""]
        } else {
            [r#","expression":["Binary.meta.tag[0]"]"#, r#","expression":["http.Accept"]"#]
        };
        let place = if version == Version::Dstu2 {
            r#"<location value="/f:Binary/f:meta/f:tag[1]"/>"#
        } else {
            r#"<expression value="Binary.meta.tag[0]"/>"#
        };
        let node = outcome(version, &issues, Some("r1"));
        let one = |code, place| {
            format!(
                r#"{{"severity":"error","code":"{code}","details":{{"text":"No <such> document"}},"diagnostics":"request r1"{place}}}"#
            )
        };
        let [first, second] = [one(deleted, places[0]), one(multiple, places[1])];
        assert_eq!(
            json_of(&node),
            format!(r#"{{"resourceType":"OperationOutcome","issue":[{first},{second}]}}"#)
        );
        assert_eq!(
            xml_of(&outcome(version, &issues[..1], Some("r1"))),
            format!(
                r#"<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="{deleted}"/><details><text value="No &lt;such&gt; document"/></details><diagnostics value="request r1"/>{place}</issue></OperationOutcome>"#
            )
        );
    }
}

fn page<'a>(entries: Vec<Entry<'a>>, links: &'a [BundleLink]) -> Page<'a> {
    let timestamp = "2024-05-02T00:00:00Z".parse().unwrap();
    Page { id: "u", timestamp, total: Some(3), links, entries }
}

fn entry(document: &Document, version: Version, slot: usize) -> Entry<'_> {
    let resource = shown(document, version, &Subset::default(), "http://h/r4", slot);
    Entry { document, full_url: "http://h/r4/Binary/a".into(), resource, mode: "match" }
}

#[test]
fn history_in_each_version() {
    let versions = [
        document(4, Change::Created),
        document(3, Change::Deleted),
        document(2, Change::Updated),
        document(1, Change::Created),
    ];
    let links = [BundleLink { relation: "self", url: "http://h/r4/Binary/a/_history?a=b&c=d".into() }];
    let all = Subset::default();
    for version in Version::ALL {
        let is_new = version.is_r4_or_later();
        let response = |number: u64, status: &str| {
            if !is_new {
                return String::new();
            }
            format!(
                r#","response":{{"status":"{status}","etag":"W/\"{number}\"","lastModified":"2024-05-01T10:00:00.120Z"}}"#
            )
        };
        let shown = |at: usize, method: &str, url: &str, status: &str| {
            let resource = json_of(&binary(&versions[at], version, &all, at));
            let response = response(versions[at].version, status);
            format!(
                r#"{{"fullUrl":"http://h/r4/Binary/a","resource":{resource},"request":{{"method":"{method}","url":"{url}"}}{response}}}"#
            )
        };
        let full_url = if version == Version::Dstu2 { "" } else { r#""fullUrl":"http://h/r4/Binary/a","# };
        let gone = format!(
            r#"{{{full_url}"request":{{"method":"DELETE","url":"Binary/a"}}{}}}"#,
            response(3, "204 No Content")
        );
        let start = if is_new {
            r#""type":"history","timestamp":"2024-05-02T00:00:00.000Z""#
        } else {
            r#""meta":{"lastUpdated":"2024-05-02T00:00:00.000Z"},"type":"history""#
        };
        let entries_json = [
            shown(0, "PUT", "Binary/a", "201 Created"),
            gone,
            shown(2, "PUT", "Binary/a", "200 OK"),
            shown(3, "POST", "Binary", "201 Created"),
        ];
        let entries = versions.iter().enumerate().map(|(slot, document)| entry(document, version, slot));
        let node = history(version, page(entries.collect(), &links));
        assert_eq!(
            json_of(&node),
            format!(
                r#"{{"resourceType":"Bundle","id":"u",{start},"total":3,"link":[{{"relation":"self","url":"http://h/r4/Binary/a/_history?a=b&c=d"}}],"entry":[{}]}}"#,
                entries_json.join(",")
            ),
            "{version}"
        );
        let xml = xml_of(&node);
        assert!(xml.contains("_history?a=b&amp;c=d"), "{version}");
        let resource = xml_of(&binary(&versions[0], version, &all, 0));
        assert!(xml.contains(&format!("<resource>{resource}</resource>")), "{version}");
    }
}

#[test]
fn searchset_in_each_version() {
    let found = document(1, Change::Created);
    let all = Subset::default();
    for version in Version::ALL {
        let resource = json_of(&binary(&found, version, &all, 0));
        let told = outcome(version, &[], None);
        let mode = if version.is_r4_or_later() { "outcome" } else { "include" };
        let entries = vec![entry(&found, version, 0)];
        let json = json_of(&searchset(version, page(entries, &[]), Some(("urn:uuid:o".into(), told))));
        let expected = format!(
            r#""total":3,"entry":[{{"fullUrl":"http://h/r4/Binary/a","resource":{resource},"search":{{"mode":"match"}}}},{{"fullUrl":"urn:uuid:o","resource":{{"resourceType":"OperationOutcome"}},"search":{{"mode":"{mode}"}}}}]}}"#
        );
        assert!(json.ends_with(&expected), "{version} {json}");
        let empty = json_of(&searchset(version, page(Vec::new(), &[]), None));
        assert!(empty.ends_with(r#""total":3}"#), "{version} {empty}");
    }
}

fn statement(version: Version) -> String {
    let search = !version.is_r4_or_later();
    let of = |name, interactions, search| ResourceCapabilities {
        name,
        interactions,
        versions: true,
        update_create: true,
        conditional: true,
        patch: false,
        search,
    };
    let binary = of("Binary", if search { vec!["read", "search-type"] } else { vec!["read"] }, search);
    let of = Capabilities {
        version,
        profile: Profile::Standard,
        base_url: "http://h/x",
        date: "2024-05-01",
        software_version: "0.1.0",
        secured: true,
        oauth: None,
        resources: vec![binary, of("Patient", vec!["read", "search-type"], true)],
        interactions: vec!["batch", "search-system"],
        operations: vec![OperationCapability {
            kind: "Binary",
            name: "make",
            definition: "http://h/x/OperationDefinition/binary-make".to_owned(),
        }],
    };
    json_of(&capability(&of))
}

#[test]
fn capabilities_in_each_version() {
    for version in Version::ALL {
        let (is_dstu2, is_r4) = (version == Version::Dstu2, version.is_r4_or_later());
        let kind = if is_dstu2 { "Conformance" } else { "CapabilityStatement" };
        let text = statement(version);
        assert!(
            text.starts_with(&format!(r#"{{"resourceType":"{kind}","url":"http://h/x/metadata""#)),
            "{text}"
        );
        let number = version.number();
        let unknown = if is_r4 { "" } else { r#""acceptUnknown":"no","# };
        assert!(text.contains(&format!(r#""fhirVersion":"{number}",{unknown}"format":["#)), "{text}");
        assert_eq!(text.contains("Binary-contenttype"), !is_r4, "{version}");
        assert_eq!(text.contains("conditionalRead"), !is_dstu2, "{version}");
        assert_eq!(text.contains("\"title\""), !is_dstu2, "{version}");
        assert_eq!(text.contains(r#""transactionMode":"both""#), is_dstu2, "{version}");
        assert_eq!(text.contains(r#"{"code":"batch"}"#), !is_dstu2, "{version}");
        assert!(text.contains(r#"{"name":"birthdate","type":"date"}"#), "{version}");
        assert!(text.contains("SMART-on-FHIR"), "{version}");
        let url = r#""http://h/x/OperationDefinition/binary-make""#;
        // With its type from R4 on; before that with the server, by a reference.
        let expected = match is_r4 {
            true => format!(r#""operation":[{{"name":"make","definition":{url}}}]}},{{"type":"Patient""#),
            false => {
                format!(r#","operation":[{{"name":"make","definition":{{"reference":{url}}}}}]}}]}}"#)
            }
        };
        assert!(text.contains(&expected), "{version} {text}");
        assert_eq!(text.matches(r#""operation":["#).count(), 1, "{version}");
    }
}

#[test]
fn an_operation_is_defined_in_each_version() {
    let parameter = |name, direction, kind| OperationParameter {
        name,
        direction,
        min: 1,
        max: "1",
        kind,
        documentation: "What it is.",
    };
    let of = OperationDefinition {
        id: "binary-make",
        base_url: "http://h/x",
        name: "BinaryMake",
        code: "make",
        kind: "Binary",
        instance: false,
        description: "Makes one.",
        affects_state: false,
        parameters: &[parameter("patient", "in", "Reference"), parameter("return", "out", "Binary")],
    };
    for version in Version::ALL {
        let node = operation_definition(&of, version);
        assert_eq!(crate::resource::check(&node, version), [], "{version}");
        let text = json_of(&node);
        let expected = match version {
            Version::Dstu2 => {
                r#""idempotent":true,"code":"make","system":false,"type":["Binary"],"instance":false"#
            }
            Version::Stu3 => {
                r#""idempotent":true,"code":"make","resource":["Binary"],"system":false,"type":true,"instance":false"#
            }
            _ => {
                r#""affectsState":false,"code":"make","resource":["Binary"],"system":false,"type":true,"instance":false"#
            }
        };
        assert!(text.contains(expected), "{version} {text}");
    }
}
