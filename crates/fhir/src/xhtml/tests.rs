//! What stays of XHTML, in tables.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_clean_stays_as_it_is() {
    for text in [
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><p class='a'>A &amp; B&nbsp;</p><br/></body></html>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n<div><!-- said --><![CDATA[<script>]]></div>\n",
        "<p><img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"x\" /></p>",
    ] {
        assert_eq!(clean(text), Ok(None), "{text}");
    }
}

#[test]
fn what_runs_or_fetches_goes_and_text_stays() {
    for (text, expected) in [
        ("<p>a<script>b()</script>c</p>", "<p>ac</p>"),
        ("<p>a<script src='x'/>c</p>", "<p>ac</p>"),
        ("<p>a<SCRIPT>b()</SCRIPT>c</p>", "<p>ac</p>"),
        (
            "<p xmlns:h='http://www.w3.org/1999/xhtml'>a<h:script>b</h:script></p>",
            "<p xmlns:h='http://www.w3.org/1999/xhtml'>a</p>",
        ),
        (
            "<p><iframe><b>in</b><iframe/></iframe><style>p{}</style><link href='x'/><applet>y</applet>z</p>",
            "<p>z</p>",
        ),
        ("<p>see <a href='javascript:x()'>the <b>note</b></a>.</p>", "<p>see the <b>note</b>.</p>"),
        ("<form action='x'><p>Name <input value='v'/><button>go</button></p></form>", "<p>Name go</p>"),
        (
            "<p><select><option>one</option><option>two</option></select><textarea>t</textarea></p>",
            "<p>onetwot</p>",
        ),
        ("<p><object data='x'>instead</object></p>", "<p>instead</p>"),
        ("<a>one<script>no</script>two</a>", "onetwo"),
        ("<p onclick=\"x()\" title='say \"a\"'>t</p>", "<p title='say \"a\"'>t</p>"),
        ("<br onload='x()' class='c'/>", "<br class=\"c\"/>"),
        ("<?xml-stylesheet href='x'?><p>t</p>", "<p>t</p>"),
        ("<p><script><a>b</a></script>t<a>u</a></p>", "<p>tu</p>"),
    ] {
        assert_eq!(clean(text), Ok(Some(expected.to_owned())), "{text}");
    }
}

#[test]
fn what_is_no_xhtml_is_refused() {
    for text in [
        "",
        "text",
        "<p>",
        "<p></b>",
        "<p>a &nbsp b</p>",
        "<p/><p/>",
        "<br>",
        "<p>a</p>b",
        "<p a=b/>",
        "</p>",
    ] {
        assert_eq!(clean(text), Err(XhtmlError::Malformed), "{text}");
    }
    let expanding = "<!DOCTYPE p [<!ENTITY a \"aaaaaaaa\">]><p>&a;</p>";
    assert_eq!(clean(expanding), Err(XhtmlError::Declarations));
    for source in ["http://else/x.png", "x.png", "data:text/html;base64,PGI+", "data:image/png,x", ""] {
        assert_eq!(
            clean(&format!("<p><img src='{source}'/></p>")),
            Err(XhtmlError::ImageOutside),
            "{source}"
        );
    }
    assert_eq!(clean("<p><img alt='x'/></p>"), Ok(None), "an image without a place fetches nothing");
}

proptest! {
    #[test]
    fn no_text_panics_and_cleaning_twice_changes_nothing(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<p>", "</p>", "<a href='x'>", "</a>", "<script>", "</script>", "<br/>", "<p on='x' b='y'>",
                "text", "&amp;", "&x", "<!--c-->", "<?pi?>", "é", "<", ">", "<![CDATA[", "]]>", "<!DOCTYPE p>",
            ]),
            0..12,
        )
    ) {
        let text = pieces.concat();
        if let Ok(Some(cleaned)) = clean(&text) {
            let again = clean(&cleaned);
            // The root itself may have been taken away; then there is no XHTML any more.
            prop_assert!(again == Ok(None) || again == Err(XhtmlError::Malformed), "{text} {cleaned}");
            prop_assert!(!cleaned.contains("<script"), "{cleaned}");
        }
    }
}
