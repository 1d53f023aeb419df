//! Parameters in, query out; one `check` per way of calling.

use charta_model::{Comparison, LabelKind, ResourceId, SortKey, Timestamp, TokenMatch, TypeMatch};

use super::*;

const LENIENT: Purpose = Purpose::Search { strict: false, count_default: 20, count_max: 100 };
const STRICT: Purpose = Purpose::Search { strict: true, count_default: 20, count_max: 100 };

fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap()).map(|(name, value)| (name.into(), value.into())).collect()
}

fn search(version: Version, text: &str) -> Parsed {
    binary(version, &pairs(text), LENIENT).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn exactly(text: &str) -> TypeMatch {
    TypeMatch::Exactly(text.into())
}

#[test]
fn parameters_become_filters() {
    let id = |text| ResourceId::new(text).unwrap();
    let (start, end) = (time("2024-05-01T00:00:00Z"), time("2024-05-02T00:00:00Z"));
    let not = |filter| Filter::Not(Box::new(filter));
    let token = |system: Option<&str>, code: Option<&str>| TokenMatch {
        system: system.map(Into::into),
        code: code.map(Into::into),
        case_sensitive: false,
    };
    let tag = |tokens| Filter::Label(LabelKind::Tag, tokens);
    let cases = [
        ("_id=a,b", vec![Filter::Id(vec![id("a"), id("b")])]),
        ("_id=a&_id=b", vec![Filter::Id(vec![id("a")]), Filter::Id(vec![id("b")])]),
        ("_id=a_b", vec![Filter::Nothing]),
        ("_id:not=a", vec![not(Filter::Id(vec![id("a")]))]),
        ("_id:not=a_b", vec![]),
        ("_id:missing=true", vec![Filter::Nothing]),
        ("_id:missing=false", vec![]),
        ("contenttype=text/xml", vec![Filter::ContentType(vec![exactly("text/xml")])]),
        ("contenttype=urn:ietf:bcp:13|text/xml", vec![Filter::ContentType(vec![exactly("text/xml")])]),
        ("contenttype=|text/xml", vec![Filter::ContentType(vec![exactly("text/xml")])]),
        ("contenttype=http://other|text/xml", vec![Filter::Nothing]),
        (
            "contenttype=application/fhir xml",
            vec![Filter::ContentType(vec![exactly("application/fhir+xml")])],
        ),
        (
            r#"contenttype=text/plain; a="x\,y",text/html"#,
            vec![Filter::ContentType(vec![exactly("text/plain; a=\"x,y\""), exactly("text/html")])],
        ),
        ("contenttype:below=Text/XML", vec![Filter::ContentType(vec![TypeMatch::Below("text/xml".into())])]),
        ("contenttype:not=text/xml", vec![not(Filter::ContentType(vec![exactly("text/xml")]))]),
        ("_lastUpdated=2024-05-01", vec![Filter::Updated(vec![(Comparison::Equal, start, end)])]),
        (
            "_lastUpdated=ge2024-05-01,eb2024-05-01",
            vec![Filter::Updated(vec![
                (Comparison::GreaterOrEqual, start, end),
                (Comparison::Less, start, end),
            ])],
        ),
        (
            "_lastUpdated=ap2024-05-01",
            vec![Filter::Updated(vec![(
                Comparison::Equal,
                time("2024-04-30T00:00:00Z"),
                time("2024-05-03T00:00:00Z"),
            )])],
        ),
        (
            "size=100,gt1000000",
            vec![Filter::Size(vec![(Comparison::Equal, 100), (Comparison::Greater, 1_000_000)])],
        ),
        (
            r"_tag=a,s|b,|c,s|,x\|y",
            vec![tag(vec![
                token(None, Some("a")),
                token(Some("s"), Some("b")),
                token(Some(""), Some("c")),
                token(Some("s"), None),
                token(None, Some("x|y")),
            ])],
        ),
        ("_tag:missing=true", vec![Filter::HasLabel(LabelKind::Tag, false)]),
        ("_security:missing=false", vec![Filter::HasLabel(LabelKind::Security, true)]),
        ("_profile=http://p|1,http://q", vec![Filter::Profile(vec!["http://p|1".into(), "http://q".into()])]),
        ("_id=&_tag=,", vec![]),
    ];
    for version in [Version::Dstu2, Version::Stu3] {
        for (text, filters) in &cases {
            assert_eq!(&search(version, text).query.filters, filters, "{version} {text}");
        }
    }
}

#[test]
fn letter_case_of_tokens_counts_from_r4_on() {
    for version in Version::ALL {
        let parsed = binary(version, &pairs("_tag=a"), Purpose::Criteria).unwrap();
        let [Filter::Label(_, tokens)] = &parsed.query.filters[..] else { panic!() };
        assert_eq!(tokens[0].case_sensitive, version.is_r4_or_later(), "{version}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_without_the_value() {
    for text in [
        "contenttype=secret",
        "contenttype=text/*",
        "contenttype:below=secret",
        "contenttype:missing=secret",
        "contenttype=a|b|text/xml",
        "_lastUpdated=secret",
        "_lastUpdated=xx2024",
        "_lastUpdated=2024-13",
        "size=secret",
        "size=1.5",
        "size=-1",
        "size=ge",
        "_tag=|",
        "_tag=a|b|secret",
        "_count=secret",
        "_count=-1",
        "_summary=secret",
    ] {
        let error = binary(Version::Stu3, &pairs(text), LENIENT).unwrap_err();
        assert!(matches!(error, SearchError::Value { .. }), "{text}: {error:?}");
        let (name, _) = text.split_once(['=', ':']).unwrap();
        assert!(error.to_string().contains(name), "{text}: {error}");
        assert!(!error.to_string().contains("secret"), "{text}: {error}");
    }
}

#[test]
fn what_is_not_supported_is_an_error() {
    for text in [
        "contenttype:text=a",
        "contenttype:above=text/xml",
        "_id:exact=a",
        "_tag:below=a",
        "_lastUpdated:not=2024",
        "_profile:below=http://p",
        "_profile:not=http://p",
        "size:not=1",
        "size=ap1",
        "_count:x=1",
        "_sort:desc=_id",
    ] {
        let error = binary(Version::Stu3, &pairs(text), LENIENT).unwrap_err();
        assert!(matches!(error, SearchError::NotSupported { .. }), "{text}: {error:?}");
    }
}

#[test]
fn unknown_parameters_are_left_out_or_refused() {
    let text = "_format=json&_pretty=true&patient=1&_id=a&name:exact=x&_sort=date,-_id&_empty=";
    let parsed = search(Version::Stu3, text);
    assert_eq!(parsed.used, pairs("_id=a&_sort=-_id"));
    assert_eq!(parsed.ignored, ["patient", "name:exact", "_sort"]);
    for text in ["patient=1", "_sort=date", "_total=none"] {
        let error = binary(Version::Stu3, &pairs(text), STRICT).unwrap_err();
        assert!(matches!(error, SearchError::NotSupported { .. }), "{text}");
    }
}

#[test]
fn sorting_has_two_spellings() {
    let updated = Order { key: SortKey::Updated, descending: true };
    let size = Order { key: SortKey::Size, descending: false };
    for (version, text) in [
        (Version::Dstu2, "_sort:desc=_lastUpdated&_sort=size"),
        (Version::Dstu2, "_sort:desc=_lastUpdated&_sort:asc=size"),
        (Version::Stu3, "_sort=-_lastUpdated,size"),
    ] {
        let parsed = search(version, text);
        assert_eq!(parsed.query.order, [updated.clone(), size.clone()], "{text}");
        assert_eq!(parsed.used, pairs(text));
    }
    assert_eq!(search(Version::Dstu2, "_sort=-_lastUpdated").query.order, []);
}

#[test]
fn pages_have_a_size() {
    let cases =
        [("", 20, false), ("_count=5", 5, false), ("_count=0", 0, true), ("_summary=count", 20, true)];
    for (text, limit, count_only) in cases {
        let parsed = search(Version::Stu3, text);
        assert_eq!((parsed.query.limit, parsed.count_only), (limit, count_only), "{text}");
    }
    let huge = search(Version::Stu3, "_count=99999999999999999999999");
    assert_eq!((huge.query.limit, huge.used), (100, pairs("_count=100")));
}

#[test]
fn whoever_asks_for_no_total_has_nothing_counted() {
    for (text, uncounted) in [
        ("", false),
        ("_total=none", true),
        ("_total=accurate", false),
        ("_total=estimate", false),
        ("_total=none&_summary=count", false),
    ] {
        assert_eq!(search(Version::R4, text).query.uncounted, uncounted, "{text}");
    }
}

#[test]
fn parts_of_resources_can_be_asked_for() {
    let parsed = search(Version::Stu3, "_summary=text&_elements=id,Binary.contentType");
    assert_eq!(parsed.summary, Some(Summary::Text));
    assert_eq!(parsed.elements, Some(vec!["id".into(), "contentType".into()]));
    assert_eq!(subset(&pairs("_summary=&_elements=")), Ok(Subset::default()));
    let part = subset(&pairs("_format=x&_summary=data&_elements=id")).unwrap();
    assert_eq!(part, Subset { summary: Some(Summary::Data), elements: Some(vec!["id".into()]) });
    for text in ["_summary=count", "_summary=x"] {
        assert!(matches!(subset(&pairs(text)), Err(SearchError::Value { .. })), "{text}");
    }
}

#[test]
fn criteria_must_narrow_down() {
    let criteria = |version, text: &str| binary(version, &pairs(text), Purpose::Criteria);
    for version in Version::ALL {
        assert_eq!(criteria(version, "_id=a&_format=json").unwrap().query.limit, 2);
        for text in ["", "_format=json", "_id=", "_id:missing=false", "_id:not=a_b"] {
            assert_eq!(criteria(version, text), Err(SearchError::NoCriteria), "{version} {text}");
        }
        for text in ["_id=a&patient=1", "_id=a&_count=1", "_sort=_id"] {
            let refused = criteria(version, text);
            assert!(matches!(refused, Err(SearchError::NotSupported { .. })), "{version} {text}");
        }
        let has_own = criteria(version, "contenttype=text/xml&size=1").is_ok();
        assert_eq!(has_own, !version.is_r4_or_later(), "{version}");
    }
}

#[test]
fn there_is_an_end_to_parameters() {
    let many = "_id=a&".repeat(65);
    let wide = format!("_id={}", "a,".repeat(256));
    for text in [many, wide] {
        assert!(matches!(binary(Version::Stu3, &pairs(&text), LENIENT), Err(SearchError::TooCostly(_))));
        assert!(matches!(history(Version::Stu3, &pairs(&text)), Err(SearchError::TooCostly(_))));
    }
}

#[test]
fn histories_have_their_own_parameters() {
    let found =
        history(Version::R4, &pairs("_since=2024-05-01&_at=2024-05&_count=3&patient=1&_format=xml")).unwrap();
    assert_eq!(found.since, Some(time("2024-05-01T00:00:00Z")));
    assert_eq!(found.at, Some((time("2024-05-01T00:00:00Z"), time("2024-06-01T00:00:00Z"))));
    assert_eq!((found.count, found.count_only), (Some(3), false));
    assert_eq!(found.ignored, ["patient"]);
    assert_eq!(found.used, pairs("_since=2024-05-01&_at=2024-05&_count=3"));
    assert_eq!(history(Version::Dstu2, &pairs("_at=2024")).unwrap().ignored, ["_at"]);
    assert_eq!(history(Version::R5, &pairs("_sort=none")).unwrap().ignored, [""; 0]);
    for text in ["_since=yesterday", "_at=x", "_count=x", "_since:x=2024", "_sort=_lastUpdated"] {
        assert!(history(Version::R5, &pairs(text)).is_err(), "{text}");
    }
}
