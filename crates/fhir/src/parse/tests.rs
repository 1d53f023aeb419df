use charta_model::Label;
use proptest::prelude::*;

use super::*;
use crate::base64::Encoder;

mod properties;
mod refusals;

/// What reading `body` in pieces of `size` bytes gives.
fn read_in(
    pieces_of: usize,
    format: Format,
    version: Version,
    body: &[u8],
) -> Result<(BinaryResource, Vec<u8>), ReadError> {
    let mut reader = BinaryReader::new(format, version);
    let mut content = Vec::new();
    for piece in body.chunks(pieces_of) {
        reader.push(piece, &mut content)?;
    }
    reader.finish(&mut content).map(|resource| (resource, content))
}

/// The same, whole and byte by byte, which never makes a difference.
fn read(format: Format, version: Version, body: &[u8]) -> Result<(BinaryResource, Vec<u8>), ReadError> {
    let whole = read_in(body.len().max(1), format, version, body);
    assert_eq!(read_in(1, format, version, body), whole, "{}", String::from_utf8_lossy(body));
    assert_eq!(read_in(7, format, version, body), whole, "{}", String::from_utf8_lossy(body));
    whole
}

fn json(version: Version, body: &str) -> Result<(BinaryResource, Vec<u8>), ReadError> {
    read(Format::Json, version, body.as_bytes())
}

fn xml(version: Version, body: &str) -> Result<(BinaryResource, Vec<u8>), ReadError> {
    read(Format::Xml, version, body.as_bytes())
}

/// An R4 Binary in XML with `inside` as its elements.
fn binary_xml(inside: &str) -> String {
    format!(r#"<Binary xmlns="http://hl7.org/fhir">{inside}</Binary>"#)
}

fn base64(bytes: &[u8]) -> String {
    let mut encoder = Encoder::default();
    let mut text = Vec::new();
    encoder.push(bytes, &mut text);
    encoder.finish(&mut text);
    String::from_utf8(text).unwrap()
}

fn root_after(format: Format, body: &[u8]) -> Root {
    let mut reader = BinaryReader::new(format, Version::R4);
    let _ = reader.push(body, &mut Vec::new());
    reader.root()
}

#[test]
fn every_version_reads_its_own_payload_element() {
    for version in Version::ALL {
        let name = version.payload_element();
        let body = format!(r#"{{"resourceType":"Binary","contentType":"text/plain","{name}":"Zm9v"}}"#);
        let (resource, content) = json(version, &body).unwrap();
        assert_eq!((resource.content_type.as_str(), content.as_slice()), ("text/plain", &b"foo"[..]));
        assert!(resource.has_content && resource.source.is_none());

        let body = binary_xml(&format!(r#"<contentType value="text/plain"/><{name} value="Zm9v"/>"#));
        assert_eq!(xml(version, &body), Ok((resource, content)));
    }
}

#[test]
fn all_that_the_model_has_a_place_for_goes_there() {
    let coding = r#"{"system":"http://s","version":"1","code":"R","display":"é \"x\"","userSelected":true}"#;
    let body = format!(
        r#"{{"contentType":"text/html;charset=x", "data":"Zm9v", "id":"a.1",
            "meta":{{"versionId":"7","lastUpdated":"2024-05-31T10:00:00.5+02:00","profile":["http://p"],
                     "security":[{coding}],"tag":[{{"code":"t"}},{{"code":"u"}}]}},
            "securityContext":{{"reference":"Patient/1"}}, "resourceType":"Binary"}}"#
    );
    let (resource, content) = json(Version::R4, &body).unwrap();
    let tag = |code: &str| Label { code: Some(code.into()), ..Label::default() };
    let expected = BinaryResource {
        id: Some(ResourceId::new("a.1").unwrap()),
        content_type: MediaType::new("text/html;charset=x").unwrap(),
        security_context: Some(Reference::new("Patient/1").unwrap()),
        labels: Labels {
            profiles: vec!["http://p".into()],
            security: vec![Label {
                system: Some("http://s".into()),
                version: Some("1".into()),
                code: Some("R".into()),
                display: Some("é \"x\"".into()),
                user_selected: Some(true),
            }],
            tags: vec![tag("t"), tag("u")],
        },
        has_content: true,
        subsetted: false,
        source: None,
    };
    assert_eq!((resource, content.as_slice()), (expected.clone(), &b"foo"[..]));

    let body = r#"<?xml version="1.0" encoding="utf-8"?><!-- c --><f:Binary xmlns:f='http://hl7.org/fhir'
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"><f:id value="a.1"/>
        <f:meta><f:versionId value="7"/><f:lastUpdated value="2024-05-31T10:00:00.5+02:00"/>
            <f:profile value="http://p"/>
            <f:security><f:system value="http://s"/><f:version value="1"/><f:code value="R"/>
                <f:display value="é &quot;x&#34;"/><f:userSelected value="true"/></f:security>
            <f:tag><f:code value="t"/></f:tag><?pi x?><f:tag><f:code value='u'></f:code></f:tag></f:meta>
        <f:contentType value="text/html;charset=x"/>
        <f:securityContext><f:reference value="Patient/1"/></f:securityContext>
        <f:data value='Zm
            9&#x76;'/></f:Binary>
        <!-- after -->"#;
    assert_eq!(xml(Version::R4, body), Ok((expected, b"foo".to_vec())));
}

#[test]
fn what_has_no_place_elsewhere_is_kept_as_source_from_both_formats() {
    let in_json = r#"{"resourceType":"Binary","implicitRules":"http://r","language":"de",
        "meta":{"id":"m","extension":[{"url":"http://e","valueDecimal":1.50}],"source":"#
        .to_owned()
        + r#""http://src","profile":["http://p","http://q"],"_profile":[null,{"id":"x"}],
        "_lastUpdated":{"extension":[{"url":"http://e","valueInteger":1}]},
        "tag":[{"code":"plain"},{"code":"rich","_code":{"extension":[{"url":"http://e","valueBoolean":false}]}}]},
        "contentType":"a/b","_contentType":{"id":"c","extension":[{"url":"http://e","extension":[
            {"url":"i","valueCodeableConcept":{"coding":[{"code":"k"}],"text":"t"}}]}]},
        "securityContext":{"reference":"Patient/1","type":"Patient","identifier":{"use":"usual","period":{"start":"2024"}},
            "display":"d"},
        "data":"Zm9v","_data":{"extension":[{"url":"http://e","_valueString":{"id":"v"}}]}}"#;
    let in_xml = binary_xml(
        r#"<meta id="m"><extension url="http://e"><valueDecimal value="1.50"/></extension>
            <lastUpdated><extension url="http://e"><valueInteger value="1"/></extension></lastUpdated>
            <source value="http://src"/><profile value="http://p"/><profile value="http://q" id="x"/>
            <tag><code value="plain"/></tag>
            <tag><code value="rich"><extension url="http://e"><valueBoolean value="false"/></extension></code></tag></meta>
        <implicitRules value="http://r"/><language value="de"/>
        <contentType id="c" value="a/b"><extension url="http://e"><extension url="i"><valueCodeableConcept><coding>
            <code value="k"/></coding><text value="t"/></valueCodeableConcept></extension></extension></contentType>
        <securityContext><reference value="Patient/1"/><type value="Patient"/><identifier><use value="usual"/>
            <period><start value="2024"/></period></identifier><display value="d"/></securityContext>
        <data value="Zm9v"><extension url="http://e"><valueString id="v"/></extension></data>"#,
    );
    let expected: serde_json::Value = serde_json::from_str(
        r#"{"implicitRules":"http://r","language":"de",
        "meta":{"id":"m","extension":[{"url":"http://e","valueDecimal":1.50}],"source":"http://src",
            "_profile":[null,{"id":"x"}],
            "tag":[{"code":"rich","_code":{"extension":[{"url":"http://e","valueBoolean":false}]}}]},
        "_contentType":{"id":"c","extension":[{"url":"http://e","extension":[
            {"url":"i","valueCodeableConcept":{"coding":[{"code":"k"}],"text":"t"}}]}]},
        "securityContext":{"reference":"Patient/1","type":"Patient",
            "identifier":{"use":"usual","period":{"start":"2024"}},"display":"d"},
        "_data":{"extension":[{"url":"http://e","_valueString":{"id":"v"}}]}}"#,
    )
    .unwrap();
    for read in [json(Version::R4, &in_json), xml(Version::R4, &in_xml)] {
        let (resource, _) = read.unwrap();
        let source = resource.source.unwrap();
        assert_eq!(source.dialect, "R4");
        assert!(source.body.contains("1.50"), "decimals keep their digits");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&source.body).unwrap(), expected);
        assert_eq!(resource.labels.profiles, ["http://p", "http://q"]);
        assert_eq!(resource.labels.tags.len(), 2);
        assert_eq!(resource.security_context.unwrap().as_str(), "Patient/1");
    }
}

#[test]
fn escapes_in_the_payload_mean_what_they_say() {
    let bytes = b"\xfb\xff\xbfab"; // "+/+/YWI="
    let body =
        r#"{"resourceType":"Binary","contentType":"a/b","data":"\u002B\/\u002b/\n\tYW \r\nI\u003d\u000A"}"#;
    assert_eq!(json(Version::R4, body).unwrap().1, bytes);
    let body = binary_xml(r#"<contentType value="a/b"/><data value="&#43;/&#x2B;/&#10;YWI&#x3d;&#xA;"/>"#);
    assert_eq!(xml(Version::R4, &body).unwrap().1, bytes);
}

#[test]
fn names_may_be_spelled_with_escapes() {
    let body = r#"{"resource\u0054ype":"Bin\u0061ry","contentType":"a/b","d\u0061ta":"Zm9v"}"#;
    assert_eq!(json(Version::R4, body).unwrap().1, b"foo");
}

#[test]
fn the_root_is_known_as_soon_as_it_is_named() {
    use Format::{Json, Xml};
    for (format, body, root) in [
        (Json, "", Root::Unknown),
        (Json, "  {", Root::Unknown),
        (Json, r#"{"contentType":"a/b","data":"Zm9v""#, Root::Unknown),
        (Json, r#"{"data":"!!","resourceType":"Binary"#, Root::Unknown),
        (Json, r#"{"resourceType":"Binary""#, Root::Binary),
        (Json, r#"{"resourceType":"Patient""#, Root::Other),
        (Json, r#"{"a":{"resourceType":"Binary"},"#, Root::Unknown),
        (Json, r#"{"resourceType":1"#, Root::Other),
        (Json, r#"{"data":"Zm9v"}"#, Root::Other),
        (Json, "[", Root::Other),
        (Json, "{]", Root::Other),
        (Json, "<", Root::Other),
        (Json, "\u{feff}{", Root::Unknown),
        (Xml, " <!-- <Binary -->", Root::Unknown),
        (Xml, "<Binary xmlns='http://hl7.org/fhir'", Root::Unknown),
        (Xml, "<Binary xmlns='http://hl7.org/fhir'>", Root::Binary),
        (Xml, "\u{feff}<b:Binary xmlns='x' xmlns:b='http://hl7.org/fhir'/>", Root::Binary),
        (Xml, "<Binary>", Root::Other),
        (Xml, "<Binary xmlns='http://hl7.org/FHIR'>", Root::Other),
        (Xml, "<b:Binary xmlns='http://hl7.org/fhir'>", Root::Other),
        (Xml, "<b:Binary xmlns='http://hl7.org/fhir' xmlns:b='x'>", Root::Other),
        (Xml, "<Patient xmlns='http://hl7.org/fhir'>", Root::Other),
        (Xml, "<!DOCTYPE html><html>", Root::Other),
        (Xml, "{", Root::Other),
        (Xml, "x<Binary xmlns='http://hl7.org/fhir'>", Root::Other),
        (Xml, "\u{fffe}", Root::Other),
    ] {
        assert_eq!(root_after(format, body.as_bytes()), root, "{body}");
    }
}

#[test]
fn content_that_is_not_a_binary_is_nothing_to_complain_about() {
    let not_binary = Err(ReadError::not_binary());
    for body in [
        r#"{"data":"!!!","resourceType":"Patient"}"#,
        r#"{"data":null,"data":"Z","content":{},"resourceType":"Patient"}"#,
        r#"{"resourceType":"Patient","resourceType":"Binary"} and more"#,
        "",
        "no json",
        r#"{"resourceType":"Patient""#,
    ] {
        assert_eq!(json(Version::R4, body), not_binary, "{body}");
    }
    for body in [
        "",
        "<Patient xmlns='http://hl7.org/fhir'><data value='!'/></Patient>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>",
    ] {
        assert_eq!(xml(Version::R4, body), not_binary, "{body}");
    }
}

#[test]
fn another_resource_of_any_size_is_passed_over() {
    let item = format!("[{}{}]", "[".repeat(100), "]".repeat(100));
    let body = format!(r#"{{"a":"{}","b":{item},"resourceType":"Bundle"}}"#, "x".repeat(2 << 20));
    assert_eq!(read_in(65_536, Format::Json, Version::R4, body.as_bytes()), Err(ReadError::not_binary()));
    let body = body.replace("Bundle", "Binary");
    let error = read_in(65_536, Format::Json, Version::R4, body.as_bytes()).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::TooCostly);
}

#[test]
fn a_binary_that_says_so_is_incomplete() {
    for (system, subsetted) in [
        ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", true),
        ("http://hl7.org/fhir/v3/ObservationValue", true),
        ("http://example.org", false),
    ] {
        let tag = format!(r#"{{"system":"{system}","code":"SUBSETTED"}}"#);
        let body = format!(r#"{{"resourceType":"Binary","meta":{{"tag":[{tag}]}},"contentType":"a/b"}}"#);
        assert_eq!(json(Version::R4, &body).unwrap().0.subsetted, subsetted, "{system}");
    }
}

#[test]
fn content_may_be_missing_from_r4_on() {
    let body = r#"{"resourceType":"Binary","contentType":"a/b"}"#;
    assert!(!json(Version::R4, body).unwrap().0.has_content);
    let body = binary_xml(r#"<contentType value="a/b"/><data id="x"/>"#);
    let (resource, _) = xml(Version::R5, &body).unwrap();
    assert!(!resource.has_content);
    assert_eq!(resource.source.unwrap().body, r#"{"_data":{"id":"x"}}"#);
}

#[test]
fn a_large_payload_takes_no_memory_beside_itself() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    let text = base64(&bytes);
    for body in [
        format!(r#"{{"data":"{text}","contentType":"a/b","resourceType":"Binary"}}"#),
        binary_xml(&format!(r#"<contentType value="a/b"/><data value="{text}"/>"#)),
    ] {
        let format = if body.starts_with('{') { Format::Json } else { Format::Xml };
        let mut reader = BinaryReader::new(format, Version::R4);
        let mut content = Vec::new();
        for piece in body.as_bytes().chunks(65_537) {
            reader.push(piece, &mut content).unwrap();
            assert!(reader.split.envelope.len() < 200);
        }
        assert!(reader.finish(&mut content).is_ok());
        assert!(content == bytes);
    }
}
