//! Tables of what clients send and what they get. A row named `case_011` is case 11 of the conformance cases.

use proptest::prelude::*;

use super::*;

const R4: Rules = rules(Version::R4, Profile::Standard);
const R5: Rules = rules(Version::R5, Profile::Standard);
const STU3: Rules = rules(Version::Stu3, Profile::Standard);
const DSTU2: Rules = rules(Version::Dstu2, Profile::Standard);
const MILLENNIUM: Rules = rules(Version::R4, Profile::Millennium);
const MILLENNIUM_DSTU2: Rules = rules(Version::Dstu2, Profile::Millennium);
const SOARIAN: Rules = rules(Version::R4, Profile::Soarian);
const CARE_CONNECT: Rules = rules(Version::Stu3, Profile::CareConnect);
const STRICT: Rules = Rules { strict: true, ..R4 };

const JSON: &str = "application/fhir+json";
const XML: &str = "application/fhir+xml";
const JSON_3: &str = "application/fhir+json; charset=UTF-8";
const XML_3: &str = "application/fhir+xml; charset=UTF-8";
const JSON_2: &str = "application/json+fhir; charset=UTF-8";
const XML_2: &str = "application/xml+fhir; charset=UTF-8";
const NATIVE: &str = "native";
const NOT_ACCEPT: &str = "406 accept";
const NOT_FORMAT: &str = "406 _format";
const NOT_VERSION: &str = "406 fhirVersion";

const HTML: &str = "text/html";
const PDF: &str = "application/pdf";
const CDA: &str = "application/hl7-v3+xml";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const fn rules(version: Version, profile: Profile) -> Rules {
    Rules { version, profile, strict: false }
}

/// What was sent: `Accept` lines, `_format`.
type Sent<'a> = (&'a [&'a str], Option<&'a str>);

/// Name of the row, endpoint, stored type, what was sent, what is answered.
type Row<'a> = (&'a str, Rules, &'a str, Sent<'a>, &'a str);

fn wanted(rules: Rules, (accept, format): Sent<'_>) -> Wanted {
    Wanted::new(&rules, accept, format)
}

fn shown(answer: Result<Chosen, NotAcceptable>) -> String {
    match answer {
        Ok(Chosen::Native) => NATIVE.into(),
        Ok(Chosen::Resource(form)) => {
            let json = form.content_type.contains("json");
            assert_eq!(form.format, if json { Format::Json } else { Format::Xml });
            form.content_type.into_owned()
        }
        Err(NotAcceptable { reason: Reason::Accept }) => NOT_ACCEPT.into(),
        Err(NotAcceptable { reason: Reason::Format }) => NOT_FORMAT.into(),
        Err(NotAcceptable { reason: Reason::FhirVersion }) => NOT_VERSION.into(),
    }
}

fn check(rows: &[Row<'_>]) {
    for (name, rules, stored, sent, expected) in rows {
        let stored = MediaType::new(stored).unwrap();
        assert_eq!(shown(wanted(*rules, *sent).choose(&stored)), *expected, "{name}: {sent:?} for {stored}");
    }
}

fn check_resource(rows: &[(&str, Rules, Sent<'_>, &str)]) {
    for (name, rules, sent, expected) in rows {
        let answer = wanted(*rules, *sent).resource().map(Chosen::Resource);
        assert_eq!(shown(answer), *expected, "{name}: {sent:?}");
    }
}

#[test]
fn binary_on_millennium_r4() {
    check(&[
        ("case_001", MILLENNIUM, HTML, (&[JSON], None), JSON),
        ("case_002", MILLENNIUM, HTML, (&[HTML], None), NATIVE),
        ("case_004", MILLENNIUM, PDF, (&[PDF], None), NATIVE),
        ("case_006", MILLENNIUM, PDF, (&[], None), NATIVE),
        ("case_007", MILLENNIUM, HTML, (&["*/*"], None), NATIVE),
        ("case_008", MILLENNIUM, HTML, (&["application/json"], None), NOT_ACCEPT),
        ("case_008 as text", MILLENNIUM, HTML, (&["text/json;q=0.7, application/json"], None), NOT_ACCEPT),
        ("case_008 or anything", MILLENNIUM, HTML, (&["application/json, */*;q=0.1"], None), NATIVE),
        ("case_008 beside another", MILLENNIUM, HTML, (&["application/json, image/png"], None), NATIVE),
        ("case_009", MILLENNIUM, "application/json", (&["application/json"], None), NATIVE),
        ("case_009 suffix", MILLENNIUM, "application/vnd.x+json", (&["application/json"], None), NATIVE),
        ("case_010", MILLENNIUM, "application/json", (&[JSON], None), JSON),
        ("case_011", MILLENNIUM, HTML, (&["image/png"], None), NATIVE),
        ("case_012", MILLENNIUM, HTML, (&[XML], None), XML),
        ("case_013", MILLENNIUM, HTML, (&["application/json+fhir"], None), "application/json+fhir"),
        ("case_014", MILLENNIUM, HTML, (&["text/html;q=0.5, application/fhir+json"], None), JSON),
        ("case_015", MILLENNIUM, HTML, (&[BROWSER], None), NATIVE),
        ("case_030", MILLENNIUM, "text/html; charset=utf-8", (&[HTML], None), NATIVE),
        ("html is no media type", MILLENNIUM, PDF, (&["html"], None), NATIVE),
        ("case_049", MILLENNIUM, "application/xml", (&["application/xml"], None), NATIVE),
        ("case_050", MILLENNIUM, "application/xml", (&[XML], None), XML),
    ]);
}

#[test]
fn binary_on_millennium_dstu2() {
    check(&[
        ("case_110", MILLENNIUM_DSTU2, HTML, (&["application/json+fhir"], None), JSON_2),
        ("case_111", MILLENNIUM_DSTU2, HTML, (&[HTML], None), NATIVE),
        ("case_112", MILLENNIUM_DSTU2, HTML, (&["application/xhtml+xml"], None), NATIVE),
        ("case_113", MILLENNIUM_DSTU2, HTML, (&["html"], None), NATIVE),
        ("case_114", MILLENNIUM_DSTU2, HTML, (&["application/json"], None), JSON_2),
        ("case_114 fits", MILLENNIUM_DSTU2, "application/json", (&["application/json"], None), NATIVE),
        ("case_115", MILLENNIUM_DSTU2, HTML, (&[], None), NATIVE),
        ("case_116", MILLENNIUM_DSTU2, HTML, (&["*/*"], None), NATIVE),
        ("case_117", MILLENNIUM_DSTU2, HTML, (&[JSON], None), JSON_3),
    ]);
    let strict = Rules { strict: true, ..MILLENNIUM_DSTU2 };
    check(&[
        ("case_112 strict", strict, HTML, (&["application/xhtml+xml"], None), NATIVE),
        ("case_113 strict", strict, HTML, (&["html;q=0.5, image/png"], None), NATIVE),
        ("case_114 strict", strict, PDF, (&["application/json"], None), JSON_2),
        ("html is not PDF", strict, PDF, (&["html, application/xhtml+xml"], None), NOT_ACCEPT),
        ("xhtml is not HTML elsewhere", STRICT, HTML, (&["application/xhtml+xml"], None), NOT_ACCEPT),
    ]);
}

#[test]
fn binary_on_soarian() {
    check(&[
        ("case_144", SOARIAN, CDA, (&[JSON], None), JSON),
        ("case_144 old name", SOARIAN, CDA, (&["application/json+fhir"], None), "application/json+fhir"),
        ("case_152", SOARIAN, CDA, (&["application/json"], None), JSON),
        ("case_152 with version", SOARIAN, CDA, (&["application/json;fhirVersion=3.0"], None), NOT_ACCEPT),
        ("case_153", SOARIAN, CDA, (&[], None), NATIVE),
        ("case_154", SOARIAN, CDA, (&["*/*"], None), NATIVE),
        ("case_155", SOARIAN, CDA, (&[CDA], None), NATIVE),
        ("case_155 generic", SOARIAN, CDA, (&["text/xml"], None), NATIVE),
        ("case_155 kind", SOARIAN, CDA, (&["application/*"], None), NATIVE),
        ("any other", SOARIAN, CDA, (&["image/png"], None), NOT_ACCEPT),
        ("generic XML not fitting", SOARIAN, PDF, (&["application/xml"], None), NOT_ACCEPT),
        ("browser", SOARIAN, CDA, (&[BROWSER], None), NATIVE),
        ("JSON refused", SOARIAN, CDA, (&["application/fhir+json;q=0, application/json"], None), NOT_ACCEPT),
    ]);
}

#[test]
fn binary_on_care_connect() {
    let fhir_xml = Some("application/fhir+xml");
    check(&[
        ("case_167", CARE_CONNECT, PDF, (&[], None), NATIVE),
        ("case_168", CARE_CONNECT, PDF, (&["*/*"], None), NATIVE),
        ("case_169", CARE_CONNECT, PDF, (&[PDF], None), NATIVE),
        ("case_170", CARE_CONNECT, HTML, (&[HTML], None), NATIVE),
        ("case_170 png", CARE_CONNECT, "image/png", (&["image/png"], None), NATIVE),
        ("case_171", CARE_CONNECT, PDF, (&[JSON], None), JSON_3),
        ("case_172", CARE_CONNECT, PDF, (&["application/fhir+JSON"], None), JSON_3),
        ("case_173", CARE_CONNECT, PDF, (&[XML], None), XML_3),
        ("case_174", CARE_CONNECT, PDF, (&[], Some(JSON)), JSON_3),
        ("case_175", CARE_CONNECT, PDF, (&[], fhir_xml), XML_3),
        ("case_176", CARE_CONNECT, PDF, (&[], Some("json")), JSON_3),
        ("case_176 xml", CARE_CONNECT, PDF, (&[], Some("xml")), XML_3),
        ("case_177", CARE_CONNECT, PDF, (&[], Some("application/fhir json")), JSON_3),
        ("case_178", CARE_CONNECT, PDF, (&[JSON], fhir_xml), XML_3),
        ("case_179", CARE_CONNECT, PDF, (&[PDF], Some(JSON)), JSON_3),
        ("case_180", CARE_CONNECT, PDF, (&[JSON], Some(PDF)), NATIVE),
        ("case_181", CARE_CONNECT, PDF, (&[], Some("foo")), NOT_FORMAT),
        ("case_182", CARE_CONNECT, PDF, (&["image/png"], None), NATIVE),
        ("case_183", CARE_CONNECT, JSON, (&[], None), NATIVE),
        ("case_184", CARE_CONNECT, JSON, (&[JSON], None), JSON_3),
        ("generic JSON", CARE_CONNECT, PDF, (&["application/json"], None), NATIVE),
    ]);
}

#[test]
fn binary_on_standard_endpoints() {
    check(&[
        ("case_204", DSTU2, PDF, (&["application/json"], None), NATIVE),
        ("case_205", DSTU2, PDF, (&["application/json+fhir"], None), JSON_2),
        ("case_206", DSTU2, PDF, (&["application/xml+fhir"], None), XML_2),
        ("case_207", DSTU2, "text/xml", (&["*/*"], None), NATIVE),
        ("case_213", DSTU2, PDF, (&[], Some("json")), JSON_2),
        ("case_220", DSTU2, PDF, (&["image/png"], None), NATIVE),
        ("case_221", R5, PDF, (&[JSON], None), JSON),
        ("case_222", R5, PDF, (&[], Some("application/json")), JSON),
        ("case_224", STU3, PDF, (&[JSON], None), JSON_3),
        ("old name on R4", R4, PDF, (&["application/xml+fhir"], None), "application/xml+fhir"),
        ("new name on DSTU2", DSTU2, PDF, (&[XML], None), XML_3),
        ("strict", STRICT, PDF, (&["image/png"], None), NOT_ACCEPT),
        ("strict generic", STRICT, PDF, (&["application/json"], None), NOT_ACCEPT),
        ("strict fitting", STRICT, PDF, (&["image/png, application/*"], None), NATIVE),
        ("turtle", R4, PDF, (&["text/turtle"], None), NATIVE),
    ]);
}

#[test]
fn fhir_version_is_echoed_or_refused() {
    let r4 = "application/fhir+json; fhirVersion=4.0";
    check(&[
        ("case_223", R4, PDF, (&["application/fhir+json; fhirVersion=3.0"], None), NOT_VERSION),
        ("fits", R4, PDF, (&[r4], None), r4),
        ("quoted", R4, PDF, (&["application/fhir+json;fhirversion=\"4.0\" ; q=0.3"], None), r4),
        ("full number", R4, PDF, (&["application/fhir+json;fhirVersion=4.0.1"], None), r4),
        ("behind q", R4, PDF, (&["application/fhir+json;q=0.3;fhirVersion=4.0"], None), r4),
        (
            "DSTU2",
            DSTU2,
            PDF,
            (&["application/json+fhir; fhirVersion=1.0"], None),
            "application/json+fhir; charset=UTF-8; fhirVersion=1.0",
        ),
        ("no value", R4, PDF, (&["application/fhir+json; fhirVersion="], None), NOT_VERSION),
        ("or bytes", R4, PDF, (&["application/fhir+json; fhirVersion=3.0, */*;q=0.1"], None), NATIVE),
        (
            "or XML",
            R4,
            PDF,
            (&["application/fhir+json; fhirVersion=3.0, application/fhir+xml;q=0.1"], None),
            XML,
        ),
        (
            "or what we lack",
            R4,
            PDF,
            (&["application/fhir+json; fhirVersion=3.0, image/png"], None),
            NOT_VERSION,
        ),
        ("refused anyway", R4, PDF, (&["application/fhir+json; fhirVersion=3.0; q=0"], None), NATIVE),
        ("_format", R4, PDF, (&[], Some("application/fhir json; fhirVersion=4.0")), r4),
        ("_format other", R4, PDF, (&[r4], Some("application/fhir+json;fhirVersion=5.0")), NOT_VERSION),
    ]);
}

#[test]
fn format_wins_over_accept() {
    check(&[
        ("stored JSON", R4, "application/json", (&["application/json"], Some("application/json")), JSON),
        ("stored XML", R4, "text/xml", (&["text/xml"], Some("text/xml")), XML),
        ("letter case", R4, PDF, (&[], Some(" Application/FHIR+XML;charset=utf-8 ")), XML),
        ("text/json", STU3, PDF, (&[PDF], Some("text/JSON")), JSON_3),
        ("old name", R4, PDF, (&[], Some("application/json fhir")), "application/json+fhir"),
        ("html", R4, HTML, (&[JSON], Some("html")), NATIVE),
        ("html with charset", R4, "text/html;charset=utf-8", (&[], Some("Text/HTML")), NATIVE),
        ("html of PDF", R4, PDF, (&["*/*"], Some("html")), NOT_FORMAT),
        ("CDA with a plus", R4, CDA, (&[], Some("application/hl7-v3 xml")), NATIVE),
        ("turtle", R4, PDF, (&[], Some("ttl")), NOT_FORMAT),
        ("wildcard", R4, PDF, (&[], Some("*/*")), NOT_FORMAT),
        ("empty", R4, PDF, (&[JSON], Some("")), JSON),
    ]);
}

#[test]
fn quality_decides_and_zero_excludes() {
    check(&[
        ("excluded", R4, PDF, (&["application/pdf;q=0, */*"], None), NOT_ACCEPT),
        ("all excluded", R4, PDF, (&["image/png, */*;q=0"], None), NOT_ACCEPT),
        ("kind excluded", R4, PDF, (&["application/*;q=0, */*"], None), NOT_ACCEPT),
        (
            "excluded but FHIR",
            R4,
            PDF,
            (&["application/pdf;q=0.000, application/fhir+xml;q=0.001"], None),
            XML,
        ),
        ("wildcard is not FHIR", R4, PDF, (&["application/fhir+json;q=0.9, */*"], None), NATIVE),
        ("FHIR is more specific", R4, PDF, (&["*/*, application/fhir+json"], None), JSON),
        ("FHIR beats its kind", R4, PDF, (&["application/*, application/fhir+json"], None), JSON),
        ("native on a tie", R4, PDF, (&["application/fhir+json, application/pdf"], None), NATIVE),
        ("first of equals", R4, PDF, (&["application/fhir+xml, application/fhir+json"], None), XML),
        ("several lines", R4, PDF, (&["image/png", "application/fhir+json"], None), JSON),
        ("FHIR excluded", R4, PDF, (&["application/fhir+json;q=0, */*"], None), NATIVE),
        ("FHIR excluded alone", R4, PDF, (&["application/fhir+json;q=0"], None), NATIVE),
        ("stored FHIR excluded", R4, JSON, (&["application/fhir+json;q=0, */*"], None), NOT_ACCEPT),
        ("generic is a guess", R4, PDF, (&["application/json, application/fhir+json;q=0.5"], None), JSON),
        ("generic never excludes", R4, CDA, (&["text/xml;q=0, */*"], None), NATIVE),
        (
            "parameters meet",
            STRICT,
            "text/html;charset=UTF-8",
            (&["text/html; charset=\"utf-8\""], None),
            NATIVE,
        ),
        (
            "parameters differ",
            STRICT,
            "text/html;charset=UTF-8",
            (&["text/html; charset=latin1"], None),
            NATIVE,
        ),
        ("other level excluded", R4, HTML, (&["text/html;level=1;q=0, text/html"], None), NATIVE),
        (
            "same level excluded",
            R4,
            "text/html;level=1",
            (&["text/html;level=1;q=0, text/html"], None),
            NOT_ACCEPT,
        ),
        ("svg is XML", STRICT, "image/svg+xml", (&["application/xml"], None), NATIVE),
        ("kind", STRICT, "image/svg+xml", (&["IMAGE/*"], None), NATIVE),
    ]);
}

#[test]
fn what_cannot_be_read_counts_as_not_sent() {
    for accept in [
        "",
        " ",
        ",",
        "nonsense",
        "a/b/c",
        "*/html",
        "text/",
        "application/fhir+json;q=2",
        "é/ü",
        "\"",
        "=",
        "a/b;c=\"d, */*",
    ] {
        check(&[("unreadable", STRICT, PDF, (&[accept], None), NATIVE)]);
    }
    for quality in ["1.001", "0.1234", "-1", "", "x", ".", "\"1\"", "0,5", "1e0"] {
        let accept = format!("application/fhir+json;q={quality}, image/png");
        check(&[(quality, STRICT, PDF, (&[&accept], None), NOT_ACCEPT)]);
    }
    for quality in ["1", "1.", "1.000", "0.001", ".2", "0.5 "] {
        let accept = format!("application/fhir+json; Q = {quality}, image/png");
        check(&[(quality, STRICT, PDF, (&[&accept], None), JSON)]);
    }
    let java = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
    check(&[("old Java", STRICT, PDF, (&[java], None), NATIVE)]);
    let comma = "image/png;x=\"a, application/fhir+json;\\\"\", application/fhir+xml";
    check(&[("comma in quotes", STRICT, PDF, (&[comma], None), XML)]);
}

#[test]
fn other_resources_take_generic_names() {
    check_resource(&[
        ("nothing", R4, (&[], None), JSON),
        ("nothing on DSTU2", DSTU2, (&[], None), JSON_2),
        ("wildcard", STU3, (&["*/*"], None), JSON_3),
        ("application", R4, (&["application/*"], None), JSON),
        ("named", R4, (&[XML], None), XML),
        ("generic keeps its name", R4, (&["application/json"], None), "application/json"),
        ("generic with charset", STU3, (&["text/xml"], None), "text/xml; charset=UTF-8"),
        ("FHIR on a tie", R4, (&["application/json, application/fhir+xml"], None), XML),
        ("browser", R4, (&[BROWSER], None), "application/xml"),
        ("JSON excluded", R4, (&["application/fhir+json;q=0, */*"], None), XML),
        ("all excluded", R4, (&["*/*;q=0"], None), NOT_ACCEPT),
        ("FHIR of all excluded", R4, (&["application/fhir+xml;q=0.1, */*;q=0"], None), XML),
        ("nothing of ours", R4, (&["text/html"], None), NOT_ACCEPT),
        ("turtle", R4, (&["application/fhir+turtle"], None), NOT_ACCEPT),
        ("version", R4, (&["application/fhir+json; fhirVersion=3.0"], None), NOT_VERSION),
        (
            "version fits",
            R4,
            (&["application/fhir+xml;fhirVersion=4.0"], None),
            "application/fhir+xml; fhirVersion=4.0",
        ),
        ("_format", R4, (&[HTML], Some("xml")), XML),
        ("_format generic", R4, (&[], Some("text/json")), JSON),
        ("_format html", R4, (&[], Some("html")), NOT_FORMAT),
        ("case_156", SOARIAN, (&["application/xml"], None), NOT_ACCEPT),
        ("case_156 FHIR XML", SOARIAN, (&[XML], None), NOT_ACCEPT),
        ("case_156 _format", SOARIAN, (&[JSON], Some("xml")), NOT_FORMAT),
        ("case_156 browser", SOARIAN, (&[BROWSER], None), JSON),
        ("case_156 JSON excluded", SOARIAN, (&["application/fhir+json;q=0, */*"], None), NOT_ACCEPT),
        ("case_156 or anything", SOARIAN, (&["application/xml, */*;q=0.1"], None), JSON),
        ("Soarian JSON", SOARIAN, (&["application/json"], None), "application/json"),
        ("case_075", MILLENNIUM, (&["application/json+fhir"], None), "application/json+fhir"),
    ]);
}

#[test]
fn outcomes_never_refuse() {
    for (name, rules, sent, expected) in [
        ("nothing", R4, (&[] as &[&str], None), JSON),
        ("case_019", MILLENNIUM, (&[HTML], None), JSON),
        ("case_118", MILLENNIUM_DSTU2, (&["application/json+fhir"], None), JSON_2),
        ("XML", STU3, (&[XML], None), XML_3),
        ("generic", MILLENNIUM, (&["application/xml"], None), XML),
        ("FHIR before generic", R4, (&["application/xml, application/fhir+json;q=0.1"], None), JSON),
        ("refused", R4, (&["application/fhir+xml;q=0"], None), JSON),
        ("_format", R4, (&[JSON], Some("xml")), XML),
        ("_format unknown", R4, (&[XML], Some("foo")), XML),
        ("unserved version", R4, (&["application/fhir+xml;fhirVersion=3.0"], None), XML),
        ("unserved version in _format", R4, (&[], Some("application/fhir+xml;fhirVersion=3.0")), XML),
        (
            "version",
            R4,
            (&["application/fhir+xml;fhirVersion=4.0"], None),
            "application/fhir+xml; fhirVersion=4.0",
        ),
    ] {
        let outcome = wanted(rules, sent).outcome();
        assert_eq!(shown(Ok(Chosen::Resource(outcome))), expected, "{name}: {sent:?}");
    }
}

/// Text that resembles `Accept`, so that the odd corners are reached.
fn accept_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "*",
        "/",
        "*/*",
        ",",
        ";",
        "=",
        "\"",
        "\\",
        " ",
        "q=",
        "0.5",
        "0",
        "1",
        ".",
        "fhirVersion",
        "4.0",
        "é",
        "\u{1F600}",
        "application/",
        "application/fhir+json",
        "text/html",
        "json",
        "xml",
        "charset=utf-8",
        "\t",
        "\r\n",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())]
}

proptest! {
    #[test]
    fn nothing_that_is_sent_panics(
        lines in prop::collection::vec(accept_like(), 0..4),
        format in prop::option::of(accept_like()),
        version in prop::sample::select(Version::ALL.to_vec()),
        profile in prop::sample::select(vec![
            Profile::Standard, Profile::Millennium, Profile::Soarian, Profile::CareConnect,
        ]),
        strict: bool,
        stored in prop::sample::select(vec![PDF, CDA, JSON, "text/html; charset=x", "application/json"]),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let wanted = Wanted::new(&Rules { version, profile, strict }, &lines, format.as_deref());
        let stored = MediaType::new(stored).unwrap();
        if let Ok(Chosen::Resource(form)) = wanted.choose(&stored) {
            prop_assert!(MediaType::new(&form.content_type).is_ok());
        }
        if let Ok(form) = wanted.resource() {
            prop_assert!(MediaType::new(&form.content_type).is_ok());
        }
        prop_assert!(MediaType::new(&wanted.outcome().content_type).is_ok());
    }
}

/// Prints nanoseconds for the requests that are common: `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
#[allow(clippy::print_stdout, reason = "the measurement is the output")]
fn cost_of_a_negotiation() {
    let stored = MediaType::new(PDF).unwrap();
    let several = "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9";
    for (name, accept) in [
        ("none", &[] as &[&str]),
        ("*/*", &["*/*"]),
        ("exact", &[PDF]),
        ("FHIR", &[JSON]),
        ("FHIR with version", &["application/fhir+json; fhirVersion=4.0"]),
        ("browser", &[BROWSER]),
        ("FHIR client", &[several]),
    ] {
        let start = std::time::Instant::now();
        let rounds: u32 = 1_000_000;
        for _ in 0..rounds {
            let wanted = Wanted::new(&R4, std::hint::black_box(accept), None);
            let _ = std::hint::black_box(wanted.choose(&stored));
        }
        println!("{name}: {} ns", start.elapsed().as_nanos() / u128::from(rounds));
    }
}
