//! What CDA's narrative can say, and how it stands on the page.

use super::{Dom, document, narrative, page, with_narrative};

/// A picture of one transparent pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn media(id: &str, media_type: &str, base64: &str) -> String {
    format!(
        "<entry><observationMedia classCode='OBS' moodCode='EVN' ID='{id}'><value mediaType='{media_type}' representation='B64'>{base64}</value></observationMedia></entry>"
    )
}

fn names(dom: &Dom) -> Vec<String> {
    dom.with_class("narrative")[0].children.iter().map(|tag| tag.name.clone()).collect()
}

#[test]
fn text_content_and_breaks_are_what_they_say() {
    let dom = narrative(
        "a<content styleCode='Bold Italics'>b</content><br/><paragraph>c</paragraph>H<sub>2</sub>O 10<sup>3</sup>",
    );
    assert_eq!(names(&dom), ["span", "br", "div", "sub", "sup"]);
    assert_eq!(dom.narrative(), "ab c H2O 103");
    assert_eq!(dom.with_class("bold")[0].attribute("class"), "bold italic");
}

#[test]
fn revisions_show_what_was_taken_out() {
    let dom = narrative("<content revised='delete'>5 mg</content><content revised='insert'>10 mg</content>");
    assert_eq!((dom.named("del")[0].text.as_str(), dom.named("ins")[0].text.as_str()), ("5 mg", "10 mg"));
}

#[test]
fn tables_keep_rows_heads_and_spans() {
    let dom = narrative(
        "<table border='1' width='100%'><caption>Results</caption><col width='5'/><thead><tr><th colspan='2'>Test</th></tr></thead>\
         <tfoot><tr><td>end</td></tr></tfoot><tbody ID='b'><tr ID='r'><th>Sodium</th><td rowspan='3' align='right'>140</td></tr></tbody></table>",
    );
    let cells: Vec<_> = dom.all().into_iter().filter(|tag| matches!(&*tag.name, "th" | "td")).collect();
    let test = cells.iter().find(|cell| cell.text == "Test").unwrap();
    assert_eq!((test.attribute("scope"), test.attribute("colspan")), ("col", "2"));
    let sodium = cells.iter().find(|cell| cell.text == "Sodium").unwrap();
    assert_eq!((&*sodium.name, sodium.attribute("scope")), ("th", "row"));
    let value = cells.iter().find(|cell| cell.text == "140").unwrap();
    assert_eq!((value.attribute("rowspan"), value.attribute("class")), ("3", "right"));
    assert_eq!(dom.named("caption")[0].text.trim(), "Results");
    assert_eq!((&*dom.with_id("n-r").name, &*dom.with_id("n-b").name), ("tr", "tbody"));
}

#[test]
fn rows_without_a_body_and_what_stands_between_them_stay_in_order() {
    let dom = narrative(
        "<table>before<tr><td>1</td>loose<td>2</td></tr><tr><paragraph>3</paragraph></tr><tbody>4<tr><td>5</td></tr></tbody></table>",
    );
    assert_eq!(dom.narrative(), "before 1 loose 2 3 4 5");
    assert_eq!(dom.named("table").len(), 1);
}

#[test]
fn lists_keep_their_order_and_marks() {
    let dom = narrative(
        "<list listType='ordered' styleCode='LittleRoman'><caption>Steps</caption><item>one<list><item ID='i'>inner</item></list></item>stray</list>",
    );
    assert_eq!(dom.with_class("little-roman")[0].name, "ol");
    assert_eq!(dom.named("ul")[0].children[0].attribute("id"), "n-i");
    assert_eq!(dom.narrative(), "Steps one inner stray");
}

#[test]
fn a_link_within_the_document_leads_there_and_any_other_is_text() {
    let dom = narrative(
        "<linkHtml href='#p1'>see below</linkHtml> <linkHtml href='http://example.org/x'>site</linkHtml> <linkHtml href='#nowhere'>gone</linkHtml><content ID='p1'>here</content>",
    );
    let links: Vec<_> =
        dom.named("a").into_iter().filter(|a| a.attribute("href").starts_with("#n-")).collect();
    assert_eq!(links.len(), 1);
    assert_eq!((links[0].attribute("href"), links[0].text.as_str()), ("#n-p1", "see below"));
    assert_eq!(dom.with_id("n-p1").text, "here");
    assert_eq!(dom.narrative(), "see below site [http://example.org/x] gonehere");
}

#[test]
fn footnotes_stand_at_the_end_of_their_section() {
    let dom = narrative(
        "Sodium<footnote ID='f'>Measured twice<footnote>by Lee</footnote></footnote> and again<footnoteRef IDREF='f'/>.",
    );
    let numbers: Vec<_> = dom.named("sup").iter().map(|sup| sup.text.clone()).collect();
    assert_eq!(numbers, ["1", "1", "2"]);
    assert_eq!(super::dom::words(&dom.with_id("f-1").text), "1 Measured twice2");
    assert_eq!(super::dom::words(&dom.with_id("f-2").text), "2 by Lee");
    assert!(dom.text().contains("Sodium1 and again1."), "{}", dom.text());
}

#[test]
fn pictures_of_the_document_are_shown_once() {
    let text = "<renderMultiMedia referencedObject='m1'><caption>The skin</caption></renderMultiMedia><renderMultiMedia referencedObject='m1'/>";
    let dom = page(&with_narrative(text, &media("m1", "image/png", PNG)));
    let pictures = dom.named("img");
    assert_eq!(pictures.len(), 1);
    assert_eq!(pictures[0].attribute("src"), format!("data:image/png;base64,{PNG}"));
    assert!(dom.narrative().contains("The skin The medium m1 is shown above."), "{}", dom.narrative());
}

#[test]
fn a_region_of_interest_shows_its_picture() {
    let region = format!(
        "<entry><regionOfInterest ID='roi'><entryRelationship>{}</entryRelationship></regionOfInterest></entry>",
        media("m", "image/png", PNG).replace("<entry>", "").replace("</entry>", "")
    );
    let dom = page(&with_narrative("<renderMultiMedia referencedObject='roi'/>", &region));
    assert_eq!(dom.named("img").len(), 1);
}

#[test]
fn media_that_are_no_pictures_are_named() {
    for (media_type, base64, said) in [
        ("image/svg+xml", "PHN2Zy8+", "a document of the type image/svg+xml"),
        ("image/png", "PHN2Zy8+", "a picture"), // not what it claims to be
        ("image/png", "***", "a picture"),
        ("application/pdf", "JVBERi0=", "a PDF document"),
    ] {
        let dom = page(&with_narrative(
            "<renderMultiMedia referencedObject='m'/>",
            &media("m", media_type, base64),
        ));
        assert!(dom.named("img").is_empty(), "{media_type}");
        assert_eq!(dom.narrative(), format!("The medium m, {said}, is not shown here."));
    }
    assert_eq!(
        narrative("<renderMultiMedia referencedObject='m'/>").narrative(),
        "The medium m is not in this document."
    );
}

#[test]
fn what_cda_does_not_know_keeps_its_text() {
    let dom = narrative(
        "<div xmlns='http://www.w3.org/1999/xhtml'><b>a</b>b<p>c</p></div><surprise>d</surprise><td>e</td><item>f</item>",
    );
    assert_eq!(dom.narrative(), "ab c d e f");
}

#[test]
fn sections_are_nested_and_listed() {
    let section = |title: &str, inner: &str| {
        format!(
            "<component><section><title>{title}</title><text>{title} text</text>{inner}</section></component>"
        )
    };
    let body = section("A", &section("B", &section("C", ""))) + &section("D", "");
    let dom = page(&document("", &format!("<structuredBody>{body}</structuredBody>")));
    let nav = dom.with_class("contents")[0];
    assert_eq!(super::dom::words(&nav.text), "Contents A B C D About this document");
    for (heading, title) in [("h2", "A"), ("h3", "B"), ("h4", "C"), ("h2", "D")] {
        assert!(dom.named(heading).iter().any(|tag| tag.text == title), "{heading} {title}");
    }
    for link in dom.named("a") {
        if let Some(id) = link.attribute("href").strip_prefix('#') {
            dom.with_id(id);
        }
    }
    let main = super::dom::words(&dom.named("main")[0].text);
    assert!(main.starts_with("A A text B B text C C text D D text"), "{main}");
}

#[test]
fn a_section_says_what_changes_its_reading() {
    let section = "<section nullFlavor='MSK'><code displayName='Results'/><confidentialityCode code='R' displayName='restricted'/><text/>\
        <author><time value='20240101'/><assignedAuthor><assignedPerson><name>Lee Placeholder</name></assignedPerson></assignedAuthor></author>\
        <subject><relatedSubject><code displayName='Newborn'/></relatedSubject></subject></section>";
    let dom =
        page(&document("", &format!("<structuredBody><component>{section}</component></structuredBody>")));
    let remarks = super::dom::words(&dom.with_class("remarks")[0].text);
    assert_eq!(
        remarks,
        "Content: withheld Confidentiality: restricted About: Newborn Author: Lee Placeholder, 2024-01-01"
    );
    assert_eq!(dom.with_id("s-1").children[0].text, "Results");
}

#[test]
fn a_section_without_narrative_says_so() {
    let dom = page(&document(
        "",
        "<structuredBody><component><section><title>X</title></section></component></structuredBody>",
    ));
    assert!(dom.text().contains("This section has no narrative."));
}

#[test]
fn text_in_place_of_a_body_is_shown_and_files_are_named() {
    let body = |attributes: &str, content: &str| {
        page(&document("", &format!("<nonXMLBody><text {attributes}>{content}</text></nonXMLBody>")))
    };
    assert_eq!(body("mediaType='text/plain'", "line one\nline &lt;two>").narrative(), "line one line <two>");
    // `Grün <b>` in UTF-8, then in Latin-1
    assert_eq!(body("mediaType='text/plain' representation='B64'", "R3LD\nvG4gPGI+").narrative(), "Grün <b>");
    assert_eq!(body("mediaType='text/plain' representation='B64'", "R3L8biA8Yj4=").narrative(), "Grün <b>");
    let pdf = body("mediaType='application/pdf' representation='B64'", "JVBERi0=");
    assert!(
        pdf.text().contains("This document holds a PDF document (5 bytes), which is not shown on this page.")
    );
    assert!(pdf.named("a").iter().any(|a| a.attribute("href") == super::NATIVE));
    let html = body("mediaType='text/html' representation='B64'", "PHNjcmlwdD4=");
    assert!(html.text().contains("holds a web page (8 bytes)"));
    assert_eq!(body("mediaType='image/png' representation='B64'", PNG).named("img").len(), 1);
    let elsewhere = body("mediaType='application/pdf'", "<reference value='javascript:alert(1)'/>");
    assert!(elsewhere.text().contains("kept elsewhere: javascript:alert(1)"));
}
