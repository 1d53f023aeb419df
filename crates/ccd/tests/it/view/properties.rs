//! Narratives made by chance: whatever they are, the page is harmless and no text is lost.

use proptest::{collection::vec, prelude::*, sample::select};

use charta_ccd::view::view;

use super::{narrative, page, with_narrative};

/// Stands for a number that makes each text another.
const MARK: char = '\u{E000}';

const NAMES: [&str; 37] = [
    "content",
    "paragraph",
    "list",
    "item",
    "caption",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "col",
    "colgroup",
    "br",
    "sub",
    "sup",
    "linkHtml",
    "footnote",
    "footnoteRef",
    "renderMultiMedia",
    "text",
    "section",
    "entry",
    "title",
    "script",
    "style",
    "a",
    "p",
    "div",
    "svg",
    "template",
    "select",
    "form",
    "pre",
    "html",
    "frameset",
];

const ATTRIBUTES: [&str; 18] = [
    "ID",
    "IDREF",
    "href",
    "styleCode",
    "language",
    "listType",
    "colspan",
    "rowspan",
    "scope",
    "align",
    "referencedObject",
    "revised",
    "onclick",
    "style",
    "class",
    "id",
    "src",
    "border",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        select(
            &[
                "x",
                "#x",
                "y",
                "#y",
                "Bold",
                "ordered",
                "3",
                "99999",
                "row",
                "delete",
                "javascript:alert(1)",
                "de",
                "about",
                "f-1"
            ][..]
        )
        .prop_map(str::to_owned),
        ".{0,6}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("<script>&\"'".to_owned()), "[ a-z<>&'\"/=-]{0,8}", Just("&lt;b&gt;".to_owned())]
        .prop_map(|text| format!("{text}[{MARK}]"))
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn markup() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        text().prop_map(|text| escaped(&text)),
        Just(" ".to_owned()),
        Just("<!-- no -->".to_owned())
    ];
    leaf.prop_recursive(8, 60, 6, |inner| {
        let attributes = vec((select(&ATTRIBUTES[..]), value()), 0..4);
        (select(&NAMES[..]), any::<bool>(), attributes, vec(inner, 0..6)).prop_map(
            |(name, is_foreign, mut attributes, children)| {
                attributes.sort();
                attributes.dedup_by(|one, other| one.0 == other.0);
                let attributes: String = attributes
                    .iter()
                    .map(|(name, value)| format!(" {name}=\"{}\"", escaped(value)))
                    .collect();
                let namespace = if is_foreign { " xmlns=\"http://www.w3.org/1999/xhtml\"" } else { "" };
                format!("<{name}{namespace}{attributes}>{}</{name}>", children.concat())
            },
        )
    })
}

/// The text with its marks numbered, and how many there were.
fn numbered(text: &str) -> (String, usize) {
    let mut parts = text.split(MARK);
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    let mut count = 0;
    for part in parts {
        numbered += &format!("{count}{part}");
        count += 1;
    }
    (numbered, count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn narratives_become_harmless_pages_that_lose_no_text(parts in vec(markup(), 1..5)) {
        let (text, count) = numbered(&parts.concat());
        let dom = narrative(&text);
        let shown = dom.text();
        for number in 0..count {
            prop_assert!(shown.contains(&format!("[{number}]")), "[{number}] of {text} in {shown}");
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, at in 0usize..400, cut in 0usize..40) {
        let _ = view(&bytes, None);
        let mut whole = with_narrative("<table><tr><td ID='x'>a</td></tr></table><linkHtml href='#x'>b</linkHtml>", "").into_bytes();
        let at = at.min(whole.len());
        let end = (at + cut).min(whole.len());
        whole.splice(at..end, bytes);
        if let Ok(shown) = view(&whole, None) {
            super::Dom::read(&shown.html).assert_harmless("");
        }
    }

    #[test]
    fn headers_become_harmless_pages(text in text(), value in value()) {
        let (text, value) = (escaped(&text), escaped(&value));
        let header = format!("<title>{text}</title><recordTarget><patientRole><id extension=\"{value}\"/><addr>{text}</addr><patient><name>{text}</name><birthTime value=\"{value}\"/></patient></patientRole></recordTarget><languageCode code=\"{value}\"/>");
        page(&super::document(&header, "<structuredBody/>"));
    }
}
