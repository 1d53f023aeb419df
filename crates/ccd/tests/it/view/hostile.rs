//! Documents that want to be something else, or to cost more than they should.

use std::time::{Duration, Instant};

use charta_ccd::view::{BYTES_MAX, DEPTH_MAX, NODES_MAX, ViewError, policy, view};

use super::{document, narrative, page, shown, with_narrative};

const SCRIPT: &str = "&lt;/style&gt;&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!-- &quot;&gt;&lt;img src=x onerror=alert(2)&gt; &amp;lt;b&amp;gt;";
const SCRIPT_TEXT: &str =
    "</style></title><script>alert(1)</script><!-- \"><img src=x onerror=alert(2)> &lt;b&gt;";

#[track_caller]
fn refused(document: &[u8], expected: ViewError) {
    let start = String::from_utf8_lossy(&document[..document.len().min(200)]);
    assert_eq!(view(document, None).map(|view| view.html.len()), Err(expected), "{start}");
}

#[test]
fn text_stays_text_wherever_it_stands() {
    let narrative = "<content ID='@' styleCode='@' language='@'>@</content><table summary='@' frame='@'><caption>@</caption><tr><td colspan='@' align='@' headers='@'>@</td></tr></table>\
         <linkHtml href='@' title='@' name='@'>@</linkHtml><renderMultiMedia referencedObject='@'>@<caption>@</caption></renderMultiMedia><list listType='@'><item>@</item></list><footnote ID='f@'>@</footnote>";
    let header = "<title>@</title><code displayName='@'/><effectiveTime value='@'/><confidentialityCode code='R' displayName='@'/><languageCode code='@'/>\
         <recordTarget><patientRole><id root='@' extension='@' assigningAuthorityName='@'/><addr><city>@</city></addr><telecom value='@' use='@'/>\
         <patient><name><given>@</given></name><birthTime value='@'/><administrativeGenderCode displayName='@'/></patient></patientRole></recordTarget>\
         <author><time value='@'/><assignedAuthor><id extension='@'/><code displayName='@'/><assignedPerson><name>@</name></assignedPerson></assignedAuthor></author>";
    let body = format!(
        "<structuredBody><component><section ID='s@'><title>@</title><text>{narrative}</text></section></component></structuredBody>"
    );
    let text = document(header, &body).replace('@', SCRIPT);
    let dom = page(&text);
    assert!(dom.narrative().contains(SCRIPT_TEXT), "{}", dom.narrative());
    assert_eq!(dom.fact("Created"), SCRIPT_TEXT);
    assert_eq!(dom.named("title")[0].text, format!("{SCRIPT_TEXT}: {SCRIPT_TEXT}"));
}

#[test]
fn what_runs_or_fetches_in_a_page_is_text_here() {
    for (name, attributes) in [
        ("script", "src='http://evil.example/x.js'"),
        ("style", ""),
        ("iframe", "src='javascript:alert(1)'"),
        ("object", "data='data:text/html,x'"),
        ("embed", "src='x'"),
        ("img", "src='http://evil.example/x.png' onerror='alert(1)'"),
        ("svg", "onload='alert(1)'"),
        ("math", ""),
        ("form", "action='http://evil.example'"),
        ("base", "href='http://evil.example/'"),
        ("meta", "http-equiv='refresh' content='0;url=http://evil.example'"),
        ("link", "rel='stylesheet' href='http://evil.example/x.css'"),
        ("template", ""),
        ("noscript", ""),
        ("textarea", ""),
        ("plaintext", ""),
        ("title", ""),
        ("body", "onload='alert(1)'"),
    ] {
        for namespace in ["urn:hl7-org:v3", "http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"] {
            let dom =
                narrative(&format!("before <{name} xmlns='{namespace}' {attributes}>inside</{name}> after"));
            assert_eq!(dom.narrative(), "before inside after", "{name} in {namespace}");
        }
    }
}

#[test]
fn handlers_and_styles_on_known_elements_are_left_out() {
    let dom = narrative(
        "<table onmouseover='alert(1)' style='background:url(http://evil.example)' background='http://evil.example'><tr onclick='x'><td style='x' onfocus='x' width='9'>a</td></tr></table>\
         <content onmouseover='alert(1)' class='x' id='about'>b</content><paragraph xmlns:e='urn:e' e:onclick='x'>c</paragraph>",
    );
    assert_eq!(dom.narrative(), "a b c");
    assert_eq!(dom.with_id("about").name, "section", "the page's own");
}

#[test]
fn a_link_leads_nowhere_but_into_the_document() {
    for href in [
        "javascript:alert(1)",
        " java&#10;script:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:x",
        "http://evil.example/?q",
        "//evil.example",
        "\\\\evil.example\\share",
        "file:///etc/passwd",
        "?x",
        "#\"onclick=alert(1)",
        "# onclick=alert(1)",
        "#%61",
    ] {
        let dom = narrative(&format!(
            "<linkHtml href='{href}'>press</linkHtml><content ID='%61'>x</content><content ID='&quot;onclick=alert(1)'>y</content>"
        ));
        assert!(dom.named("a").iter().all(|a| a.text != "press"), "{href}");
        assert!(dom.narrative().starts_with("press"), "{href}");
    }
}

#[test]
fn a_file_in_place_of_a_body_is_no_frame_and_no_link() {
    for reference in ["javascript:alert(1)", "http://evil.example/x.pdf", "../../x"] {
        let body = format!(
            "<nonXMLBody><text mediaType='text/html'><reference value='{reference}'/></text></nonXMLBody>"
        );
        let dom = page(&document("", &body));
        assert!(dom.named("a").iter().all(|a| a.attribute("href") != reference));
        assert!(dom.text().contains(reference));
    }
}

#[test]
fn a_style_sheet_that_the_document_names_is_not_looked_at() {
    let text = format!(
        "<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='http://evil.example/x.xsl'?>{}<!-- <script>alert(1)</script> --><?php x?>",
        with_narrative("Fine.<!-- <b>hidden</b> --><?x <script>?>", "")
    );
    assert_eq!(page(&text).narrative(), "Fine.");
}

#[test]
fn declarations_and_entities_are_refused() {
    let body = with_narrative("&x;", "");
    for declaration in [
        "<!DOCTYPE ClinicalDocument>",
        "<!DOCTYPE x [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY x '&a;&a;&a;&a;&a;&a;'>]>",
        "<!DOCTYPE x SYSTEM 'http://evil.example/x.dtd'>",
        "",
    ] {
        refused(format!("{declaration}{body}").as_bytes(), ViewError::Declarations);
    }
    refused(with_narrative("<content ID='&x;'/>", "").as_bytes(), ViewError::Declarations);
    refused(with_narrative("<content ID='&nbsp;'/>", "").as_bytes(), ViewError::Declarations);
}

#[test]
fn what_is_no_cda_is_told_apart_from_what_is_broken() {
    for other in [
        "",
        "Dear colleague",
        "{\"resourceType\":\"Bundle\"}",
        "<html xmlns='http://www.w3.org/1999/xhtml'/>",
        "<ClinicalDocument/>",
        "<ClinicalDocument xmlns='urn:hl7-org:v2'/>",
        "<x:ClinicalDocument xmlns='urn:hl7-org:v3'/>",
        "<Composition xmlns='urn:hl7-org:v3'>",
        "%PDF-1.4",
    ] {
        refused(other.as_bytes(), ViewError::NotCda);
    }
    for broken in [
        "<a>",
        "</a>",
        "<a></b>",
        "text &lt;",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "&#0;",
        "&#xD800;",
        "<a/><a",
        "]]>",
    ] {
        let text = format!("<ClinicalDocument xmlns='urn:hl7-org:v3'>{broken}");
        refused(text.as_bytes(), ViewError::Malformed);
    }
    let whole = document("", "");
    refused(format!("{whole}<more/>").as_bytes(), ViewError::Malformed);
    refused(format!("{whole}more").as_bytes(), ViewError::Malformed);
    refused(&whole.as_bytes()[..whole.len() - 3], ViewError::Malformed);
    refused(b"<?xml version='1.0' encoding='UTF-7'?><x/>", ViewError::Encoding);
}

#[test]
fn a_prefix_means_what_it_is_bound_to() {
    let text = "<c:ClinicalDocument xmlns:c='urn:hl7-org:v3' xmlns='urn:x'><c:title>Yes</c:title><title>No</title></c:ClinicalDocument>";
    let dom = page(text);
    assert_eq!(dom.named("h1")[0].text, "Yes");
    let rebound = narrative(
        "<content xmlns='urn:x'>a<content xmlns='urn:hl7-org:v3' revised='delete'>b</content></content>",
    );
    assert_eq!(rebound.named("del")[0].text, "b");
}

#[test]
fn documents_are_read_in_the_encoding_that_they_are_in() {
    let declared = |encoding: &str| {
        format!("<?xml version='1.0' encoding='{encoding}'?>{}", with_narrative("Größe ½", ""))
    };
    let utf16: Vec<u8> =
        [0xFEFF].into_iter().chain(declared("UTF-16").encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(shown(&utf16).narrative(), "Größe ½");
    let latin: Vec<u8> =
        declared("ISO-8859-1").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(shown(&latin).narrative(), "Größe ½");
    // Markup that only shows in another encoding than the declared one.
    let hidden = declared("UTF-8").replace("Größe", "+ADw-script+AD4-");
    assert_eq!(shown(hidden.as_bytes()).narrative(), "+ADw-script+AD4- ½");
    let mut broken = declared("UTF-8").into_bytes();
    let at = broken.iter().position(|byte| *byte > 0x7F).unwrap();
    broken.remove(at);
    refused(&broken, ViewError::Encoding);
}

#[test]
fn characters_that_a_page_cannot_carry_are_replaced() {
    assert_eq!(
        narrative("a\u{1}b&#8;c\u{FFFF}d\u{85}e").narrative(),
        "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}e"
    );
}

#[test]
fn depth_and_number_are_bounded() {
    let deep = |depth: usize| with_narrative(&("<content>".repeat(depth) + &"</content>".repeat(depth)), "");
    page(&deep(DEPTH_MAX - 6));
    refused(deep(DEPTH_MAX).as_bytes(), ViewError::TooLarge);
    refused(deep(1_000_000).as_bytes(), ViewError::TooLarge);
    let entries = "<entry>".repeat(DEPTH_MAX) + &"</entry>".repeat(DEPTH_MAX);
    refused(with_narrative("", &entries).as_bytes(), ViewError::TooLarge);
    refused(with_narrative(&"<br/>".repeat(NODES_MAX), "").as_bytes(), ViewError::TooLarge);
    refused(&vec![b' '; BYTES_MAX + 1], ViewError::TooLarge);
    let many = |name: &str| (0..100).map(|at| format!(" {name}{at}='urn:x'")).collect::<String>();
    refused(with_narrative(&format!("<content{}/>", many("a")), "").as_bytes(), ViewError::TooLarge);
    refused(with_narrative(&format!("<content{}/>", many("xmlns:a")), "").as_bytes(), ViewError::TooLarge);
}

#[test]
fn deep_sections_and_tables_are_pages_too() {
    let sections = "<component><section><title>x</title><text>y</text>".repeat(40)
        + &"</section></component>".repeat(40);
    let dom = page(&document("", &format!("<structuredBody>{sections}</structuredBody>")));
    assert_eq!(dom.with_class("narrative").len(), 40);
    let tables = "<table><tr><td>".repeat(30) + "deep" + &"</td></tr></table>".repeat(30);
    assert_eq!(narrative(&tables).named("table").len(), 30);
}

#[test]
fn a_page_is_in_proportion_to_its_document() {
    let png = "iVBORw0KGgo".to_owned() + &"A".repeat(100_001);
    let media = format!(
        "<entry><observationMedia ID='m'><value mediaType='image/png' representation='B64'>{png}</value></observationMedia></entry>"
    );
    let many = "<renderMultiMedia referencedObject='m m m m'/>".repeat(2000);
    let notes = "<footnoteRef IDREF='f'/>".repeat(2000);
    let long = format!("<footnote ID='f'>{}</footnote>{notes}", "x".repeat(50_000));
    let quoted = "&quot;&lt;&amp;".repeat(20_000);
    for text in [with_narrative(&many, &media), with_narrative(&long, ""), with_narrative(&quoted, "")] {
        let page = view(text.as_bytes(), None).unwrap();
        assert!(page.html.len() < 5 * text.len() + 50_000, "{} of {}", page.html.len(), text.len());
    }
}

#[test]
fn no_document_takes_the_square_of_its_size() {
    let row =
        "<tr ID='r'><td colspan='4000000000' rowspan='99999'>x</td><td><list><item>y</item></list></td></tr>";
    let tables = format!("<table>{}</table>", row.repeat(NODES_MAX / 27));
    let names: String =
        (0..20_000).map(|at| format!("<content ID='a{at}'/><linkHtml href='#a{at}'>x</linkHtml>")).collect();
    let authors =
        "<author><assignedAuthor><assignedPerson><name>x</name></assignedPerson></assignedAuthor></author>"
            .repeat(20_000);
    let notes = "<footnote>".repeat(60) + &"</footnote>".repeat(60);
    let entries = "<entry><act><code code='x'/></act></entry>".repeat(100_000);
    for text in [
        with_narrative(&tables, ""),
        with_narrative(&names, ""),
        document(&authors, "<structuredBody/>"),
        with_narrative(&notes.repeat(1000), ""),
        with_narrative("x", &entries),
        with_narrative(&"&amp;".repeat(1_000_000), ""),
    ] {
        let started = Instant::now();
        view(text.as_bytes(), None).unwrap();
        let took = started.elapsed();
        // Far more than it takes, and far less than anything that grows with the square.
        assert!(took < Duration::from_secs(30), "{took:?} for {} bytes", text.len());
    }
}

#[test]
fn the_policy_allows_our_style_and_embedded_pictures_and_nothing_else() {
    let policy = policy();
    let (style, rest) = policy.split_once("style-src 'sha256-").unwrap();
    assert_eq!(style, "default-src 'none'; ");
    assert!(rest.ends_with("'; img-src data:; base-uri 'none'; form-action 'none'"), "{rest}");
    let dom = narrative("x");
    assert!(dom.named("meta").iter().any(|meta| meta.attribute("content") == policy));
    let style = dom.named("style")[0].text.clone();
    assert!(!style.contains("url(") && !style.contains("@import"));
}
