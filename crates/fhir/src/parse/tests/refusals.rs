//! What is refused, with which kind and at which element.

use super::ReadErrorKind::{CodeInvalid, Required, Structure, TooCostly, Value};
use super::*;

fn check(
    read: Result<(BinaryResource, Vec<u8>), ReadError>,
    kind: ReadErrorKind,
    expression: &str,
    body: &str,
) {
    let error = read.expect_err(body);
    assert_eq!(
        (error.kind, error.expression.as_str()),
        (kind, expression),
        "{} in {body:.200}",
        error.message
    );
}

/// `members` after the two that every Binary has.
fn check_json(version: Version, members: &str, kind: ReadErrorKind, expression: &str) {
    let body = format!(r#"{{"resourceType":"Binary","contentType":"a/b",{members}}}"#);
    check(json(version, &body), kind, expression, &body);
    // The same when it turns out late that it is a Binary, unless it is not even JSON.
    let body = format!(r#"{{"contentType":"a/b",{members},"resourceType":"Binary"}}"#);
    let late = json(version, &body);
    if late.as_ref().is_err_and(|error| error.kind != ReadErrorKind::NotBinary) {
        check(late, kind, expression, &body);
    }
}

fn check_xml(version: Version, inside: &str, kind: ReadErrorKind, expression: &str) {
    let body = binary_xml(inside);
    check(xml(version, &body), kind, expression, &body);
}

#[test]
fn a_payload_that_is_no_base64_string_is_refused() {
    for (members, kind) in [
        (r#""data":"Zm9""#, Value),
        (r#""data":"Zm9v!""#, Value),
        (r#""data":"Zm9v\u00e9""#, Value),
        (r#""data":"Zm9v\u0000""#, Value),
        (r#""data":"Zm9v\\""#, Value),
        (r#""data":"Zm9v\"""#, Value),
        (r#""data":"Zm9v\b""#, Value),
        (r#""data":"Zg==Zg==""#, Value),
        (r#""data":"Zh==""#, Value),
        (r#""data":"""#, Value),
        (r#""data":" \n""#, Value),
        (r#""data":1"#, Structure),
        (r#""data":null"#, Structure),
        (r#""data":{"a":1}"#, Structure),
        (r#""data":["Zm9v"]"#, Structure),
        (r#""data":"Zm9v","data":"Zm9v""#, Structure),
    ] {
        check_json(Version::R4, members, kind, "Binary.data");
    }
    for members in ["\"data\":\"Zm9v\n\"", r#""data":"\u00zz""#, r#""data":"\x""#] {
        check_json(Version::R4, members, Structure, "Binary");
    }
    let type_then = |data: &str| format!(r#"<contentType value="a/b"/>{data}"#);
    for (data, kind) in [
        (r#"<data value="Zm9"/>"#, Value),
        (r#"<data value="Zm9v&#xe9;"/>"#, Value),
        (r#"<data value="&lt;"/>"#, Value),
        (r#"<data value=""/>"#, Value),
        (r#"<data value="Zm9v"/><data value="Zm9v"/>"#, Structure),
        (r#"<data value="Zm9v" value="Zm9v"/>"#, Structure),
        ("<data/>", Structure),
        (r#"<data other="Zm9v"/>"#, Structure),
        (r#"<data id=""/>"#, Value),
    ] {
        let path = if data.contains("id=") { "Binary._data.id" } else { "Binary.data" };
        check_xml(Version::R4, &type_then(data), kind, path);
    }
    for data in [
        r#"<data value="Zm<9v"/>"#,
        r#"<data value="&x;"/>"#,
        r#"<data value="&"/>"#,
        r#"<data value="&#0;"/>"#,
    ] {
        check_xml(Version::R4, &type_then(data), Structure, "Binary");
    }
}

#[test]
fn the_payload_of_another_version_is_refused_with_the_right_name() {
    for (version, wrong, right) in [
        (Version::Dstu2, "data", "'content'"),
        (Version::Stu3, "data", "'content'"),
        (Version::R4, "content", "'data'"),
        (Version::R4b, "content", "'data'"),
        (Version::R5, "content", "'data'"),
    ] {
        let expression = format!("Binary.{wrong}");
        check_json(version, &format!(r#""{wrong}":"Zm9v""#), Structure, &expression);
        let inside = format!(r#"<contentType value="a/b"/><{wrong} value="Zm9v"/>"#);
        check_xml(version, &inside, Structure, &expression);
        assert!(xml(version, &binary_xml(&inside)).unwrap_err().message.contains(right));
    }
}

#[test]
fn what_has_to_be_there_is_asked_for() {
    for version in [Version::Dstu2, Version::Stu3] {
        check_json(version, r#""language":"de""#, Required, "Binary.content");
        check_xml(version, r#"<contentType value="a/b"/>"#, Required, "Binary.content");
    }
    let body = r#"{"resourceType":"Binary","data":"Zm9v"}"#;
    check(json(Version::R4, body), Required, "Binary.contentType", body);
    let body = r#"{"resourceType":"Binary","_contentType":{"id":"x"},"data":"Zm9v"}"#;
    check(json(Version::R4, body), Required, "Binary.contentType", body);
    check_xml(Version::R4, r#"<data value="Zm9v"/>"#, Required, "Binary.contentType");
    check_json(
        Version::R4,
        r#""_data":{"extension":[{"valueCode":"a"}]}"#,
        Required,
        "Binary._data.extension[0].url",
    );
}

#[test]
fn values_have_to_be_of_their_type() {
    for (members, kind, expression) in [
        (r#""id":"a/b""#, Value, "Binary.id"),
        (r#""id":1"#, Value, "Binary.id"),
        (r#""id":"..""#, Value, "Binary.id"),
        (r#""language":" de""#, Value, "Binary.language"),
        (r#""implicitRules":"a b""#, Value, "Binary.implicitRules"),
        (r#""securityContext":{"reference":"nonsense"}"#, Value, "Binary.securityContext.reference"),
        (r#""securityContext":{"display":"\u0000"}"#, Value, "Binary.securityContext.display"),
        (r#""securityContext":{"display":"\uffff"}"#, Value, "Binary.securityContext.display"),
        (r#""securityContext":"Patient/1""#, Value, "Binary.securityContext"),
        (r#""meta":{"lastUpdated":"yesterday"}"#, Value, "Binary.meta.lastUpdated"),
        (r#""meta":{"lastUpdated":"2024-05-31"}"#, Value, "Binary.meta.lastUpdated"),
        (r#""meta":{"lastUpdated":"2024-13-31T10:00:00Z"}"#, Value, "Binary.meta.lastUpdated"),
        (r#""meta":{"tag":[{"userSelected":"true"}]}"#, Value, "Binary.meta.tag[0].userSelected"),
        (r#""meta":{"tag":[{"code":"a"},{"code":"a  b"}]}"#, Value, "Binary.meta.tag[1].code"),
        (r#""meta":{"tag":{"code":"a"}}"#, Structure, "Binary.meta.tag"),
        (r#""meta":{"profile":"http://p"}"#, Structure, "Binary.meta.profile"),
        (r#""meta":{"profile":[null],"_profile":[{"id":"x"}]}"#, Structure, "Binary.meta.profile[0]"),
        (r#""meta":[{"id":"a"}]"#, Structure, "Binary.meta"),
        (r#""meta":{"id":"only"}"#, Structure, "Binary.meta"),
        (r#""_data":{"id":"x","value":"y"}"#, Structure, "Binary._data.value"),
        (r#""_meta":{"id":"x"}"#, Structure, "Binary._meta"),
        (r#""_contentType":"x""#, Value, "Binary._contentType"),
    ] {
        check_json(Version::R4, members, kind, expression);
    }
    for value in [
        r#""valueInteger":1.5"#,
        r#""valueInteger":2147483648"#,
        r#""valueInteger":"1""#,
        r#""valuePositiveInt":0"#,
        r#""valueUnsignedInt":-1"#,
        r#""valueDecimal":"1""#,
        r#""valueDate":"2024-1""#,
        r#""valueTime":"24:00:00""#,
        r#""valueDateTime":"2024-05-31T10:00:00""#,
        r#""valueBase64Binary":"Z""#,
        r#""valueBoolean":1"#,
    ] {
        let name = value.split('"').nth(1).unwrap();
        let members = format!(r#""_data":{{"extension":[{{"url":"u",{value}}}]}}"#);
        check_json(Version::R4, &members, Value, &format!("Binary._data.extension[0].{name}"));
    }
    for content_type in ["text", "text/*", "text/html, a/b", "\\u0000"] {
        let body = format!(r#"{{"resourceType":"Binary","contentType":"{content_type}","data":"Zm9v"}}"#);
        let kind = if content_type.starts_with('\\') { Value } else { CodeInvalid };
        check(json(Version::R4, &body), kind, "Binary.contentType", &body);
    }
}

#[test]
fn an_extension_has_a_value_or_extensions() {
    for extension in [
        r#"{"url":"u"}"#,
        r#"{"url":"u","valueCode":"a","extension":[{"url":"u","valueCode":"a"}]}"#,
        r#"{"url":"u","valueCode":"a","valueString":"a"}"#,
    ] {
        let body = format!(
            r#"{{"resourceType":"Binary","contentType":"a/b","_data":{{"extension":[{extension}]}}}}"#
        );
        assert_eq!(json(Version::R4, &body).unwrap_err().kind, Structure, "{body}");
    }
}

#[test]
fn unknown_members_are_refused_by_name() {
    for (version, members, expression) in [
        (Version::R4, r#""text":{"status":"x"}"#, "Binary.text"),
        (Version::R4, r#""extension":[{"url":"u","valueCode":"a"}]"#, "Binary.extension"),
        (Version::R4, r#""fhir_comments":["x"]"#, "Binary.fhir_comments"),
        (Version::R4, r#""a b":1"#, "Binary"),
        (Version::R4, r#""meta":{"tag":[{"x":1}]}"#, "Binary.meta.tag[0].x"),
        (Version::Dstu2, r#""securityContext":{"reference":"Patient/1"}"#, "Binary.securityContext"),
        (Version::Stu3, r#""meta":{"source":"http://s"}"#, "Binary.meta.source"),
        (Version::Stu3, r#""securityContext":{"type":"Patient"}"#, "Binary.securityContext.type"),
        (
            Version::R4,
            r#""_data":{"extension":[{"url":"u","valueInteger64":"1"}]}"#,
            "Binary._data.extension[0].valueInteger64",
        ),
    ] {
        check_json(version, members, Structure, expression);
    }
    for (version, inside, expression) in [
        (Version::R4, r#"<contentType value="a/b"/><text/>"#, "Binary.text"),
        (Version::R4, r#"<contentType value="a/b" x="y"/>"#, "Binary.contentType"),
        (Version::R4, r#"<contentType value="a/b" xml:lang="de"/>"#, "Binary.contentType"),
        (Version::R4, r#"<meta value="x"/><contentType value="a/b"/>"#, "Binary.meta"),
        (Version::R4, r#"<contentType value="a/b"/><x:data xmlns:x="y" value="Zm9v"/>"#, "Binary"),
        (Version::R4, r#"<contentType value="a/b"/><data xmlns="" value="Zm9v"/>"#, "Binary"),
        (Version::R4, r#"<x:contentType value="a/b"/>"#, "Binary"),
        (Version::R4, r#"<contentType value="a/b"><id value="x"/></contentType>"#, "Binary.contentType.id"),
        (Version::Dstu2, r#"<contentType value="a/b"/><securityContext/>"#, "Binary.securityContext"),
    ] {
        check_xml(version, inside, Structure, expression);
    }
    let body = r#"<Binary xmlns="http://hl7.org/fhir" contentType="application/pdf">JVBERi0=</Binary>"#;
    assert_eq!(xml(Version::Dstu2, body).unwrap_err().kind, Structure, "the form of DSTU1");
}

#[test]
fn json_is_read_to_the_letter() {
    for members in [
        r#""language":null"#,
        r#""language":"""#,
        r#""language":"de","language":"de""#,
        r#""language":"de","langu\u0061ge":"de""#,
        r#""language":"\ud800""#,
        r#""language":"\udc00\ud800""#,
        "\"language\":\"d\te\"",
        r#""language":"\x""#,
        r#""meta":{}"#,
        r#""meta":{"tag":[]}"#,
        r#""meta":{"tag":[{"code":"a"},]}"#,
        r#""meta":{"tag":[{"code":"a","code":"a"}]}"#,
        r#""meta":{"tag":[{"code":"a"}}]"#,
        r#""meta":{"id":"a",}"#,
        r#""language":de"#,
        r#""language":01"#,
        r#""language":+1"#,
        r#""language":1."#,
        r#""language":NaN"#,
        r#""language" "de""#,
        r#""language":"de" "id":"x""#,
        r#""language":"de","#,
        r#"language:"de""#,
        r#""contentType":"a/b""#,
        "/* x */\"id\":\"a\"",
        "",
    ] {
        let body = format!(r#"{{"resourceType":"Binary","contentType":"a/b",{members}}}"#);
        assert_eq!(json(Version::R4, &body).expect_err(&body).kind, Structure, "{body}");
    }
    let body = r#"{"resourceType":"Binary","contentType":"a/b"}"#;
    for broken in [
        format!("{body} x"),
        format!("{body}{{}}"),
        format!("\u{feff}{body}"),
        body.trim_end_matches('}').to_owned(),
        format!("{}\"", body.trim_end_matches('}')),
        body.replace('}', r#","resourceType":"Binary"}"#),
        body.replace('}', r#","data":"Zm9v"#),
        body.replace('}', "]"),
    ] {
        assert_eq!(json(Version::R4, &broken).expect_err(&broken).kind, Structure, "{broken}");
    }
    let broken =
        [&b"{\"resourceType\":\"Binary\",\"contentType\":\"a/b\",\"language\":\"\xff\"}"[..]].concat();
    assert_eq!(read(Format::Json, Version::R4, &broken).unwrap_err().kind, Structure);
    assert!(json(Version::R4, &format!(" {body}\r\n\t")).is_ok());
}

#[test]
fn xml_is_read_to_the_letter() {
    let binary = binary_xml(r#"<contentType value="a/b"/><data value="Zm9v"/>"#);
    assert!(xml(Version::R4, &binary).is_ok());
    for broken in [
        format!("<!DOCTYPE Binary>{binary}"),
        format!("<!DOCTYPE Binary [<!ENTITY x \"]>\"><!-- it's -->]>\n{binary}"),
        format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{binary}"),
        format!("<?xml version=\"1.1\"?>{binary}"),
        format!(" <?xml version=\"1.0\"?>{binary}"),
        format!("{binary}x"),
        format!("{binary}<Binary/>"),
        format!("{binary}</Binary>"),
        format!("{binary}<!-- "),
        binary.replace("</Binary>", ""),
        binary.replace("</Binary>", "</binary>"),
        binary.replace("</Binary>", "</b:Binary>"),
        binary.replace("<contentType", "text<contentType"),
        binary.replace("<contentType", "&amp;<contentType"),
        binary.replace("<contentType", "<![CDATA[ ]]><contentType"),
        binary.replace("<contentType", "<!-- a -- b --><contentType"),
        binary.replace("<contentType", "<!ELEMENT x><contentType"),
        binary.replace("<contentType", "< contentType"),
        binary.replace("a/b", "a/b&x;"),
        binary.replace("a/b", "a/<b"),
        binary.replace("\"a/b\"", "a/b"),
        binary.replace("value=\"a/b\"", "value"),
        binary.replace("value=\"a/b\"", "value=\"a/b\" value=\"a/b\""),
        binary.replace("<contentType value=\"a/b\"/>", ""),
        binary.replace("<data", "<contentType value=\"a/b\"/><data"),
        binary.replace("<contentType", "<language value=\"de\"/><id value=\"a\"/><contentType"),
        binary.replace("<contentType", "<id value=\"a\"/><id value=\"b\"/><contentType"),
        binary.replace("<contentType", "<meta/><contentType"),
        binary.replace("<contentType", "<meta><tag/></meta><contentType"),
        binary.replace(
            "<contentType",
            "<meta><tag><code value=\"a\"/><system value=\"b\"/></tag></meta><contentType",
        ),
        binary.replace(
            "\"Zm9v\"/>",
            "\"Zm9v\"><extension url=\"u\"><valueCode value=\"a\"/><valueId value=\"b\"/></extension></data>",
        ),
    ] {
        let error = xml(Version::R4, &broken).expect_err(&broken);
        let missing = !broken.contains("contentType");
        assert_eq!(error.kind, if missing { Required } else { Structure }, "{broken}");
    }
    let broken = binary.replace("a/b", "a/\u{1}");
    assert_eq!(xml(Version::R4, &broken).unwrap_err().kind, Value);
    let broken: Vec<u8> = binary.bytes().map(|byte| if byte == b'b' { 0xff } else { byte }).collect();
    assert_eq!(read(Format::Xml, Version::R4, &broken).unwrap_err().kind, Structure);
}

#[test]
fn what_costs_too_much_is_refused() {
    let long = "x".repeat(ENVELOPE_BYTES_MAX);
    let deep = |depth: usize| {
        let (open, close) = (r#"{"url":"u","extension":["#.repeat(depth), "]}".repeat(depth));
        format!(r#""_data":{{"extension":[{open}{{"url":"u","valueCode":"a"}}{close}]}}"#)
    };
    let tags = vec![r#"{"code":"a"}"#; ELEMENTS_MAX].join(",");
    for members in [format!(r#""language":"{long}""#), deep(31), format!(r#""meta":{{"tag":[{tags}]}}"#)] {
        check_json(Version::R4, &members, TooCostly, "Binary");
    }
    let body = format!(r#"{{"resourceType":"Binary","contentType":"a/b",{}}}"#, deep(30));
    assert!(json(Version::R4, &body).is_ok());

    let deep = |depth: usize| {
        let (open, close) = (r#"<extension url="u">"#.repeat(depth), "</extension>".repeat(depth));
        format!(r#"<contentType value="a/b">{open}<valueCode value="a"/>{close}</contentType>"#)
    };
    let tags = r#"<tag><code value="a"/></tag>"#.repeat(ELEMENTS_MAX);
    for inside in [
        format!("<!--{long}-->"),
        format!(r#"<language value="{long}"/>"#),
        deep(62),
        format!("<meta>{tags}</meta>"),
    ] {
        check_xml(Version::R4, &inside, TooCostly, "Binary");
    }
    assert!(xml(Version::R4, &binary_xml(&deep(61))).is_ok());
}

#[test]
fn a_fault_stays() {
    let mut reader = BinaryReader::new(Format::Json, Version::R4);
    let first = reader.push(br#"{"resourceType":"Binary","data":"!"#, &mut Vec::new());
    assert!(first.is_err());
    assert_eq!(reader.push(b"\"}", &mut Vec::new()), first);
    assert_eq!(reader.finish(&mut Vec::new()).map(|_| ()), first);
}
