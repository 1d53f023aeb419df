use proptest::prelude::*;

use crate::references::{markdown, narrative};

type Rewritten = fn(&str, &mut dyn FnMut(&str) -> Option<String>) -> Option<String>;

/// The links, and that all else stays when they change.
#[track_caller]
fn check(rewritten: Rewritten, text: &str, expected: &[&str]) {
    let mut found = Vec::new();
    let untouched = rewritten(text, &mut |link| {
        found.push(link.to_owned());
        None
    });
    assert_eq!(untouched, None, "{text}");
    assert_eq!(found, expected, "{text}");
}

#[test]
fn narratives_have_links_in_href_and_src() {
    for (text, expected) in [
        ("<div>none</div>", &[][..]),
        ("", &[]),
        (r#"<div><a href="x">y</a></div>"#, &["x"]),
        (r#"<div><img src='x' alt="href='y'"/></div>"#, &["x"]),
        ("<a\n\thref = 'x'\n>", &["x"]),
        (r#"<a class="c" href="x" title="t">"#, &["x"]),
        (r#"<img src="x"/><img src="y"/>"#, &["x", "y"]),
        (r#"<a href="">"#, &[""]),
        (r##"<a href="#here">"##, &["#here"]),
        (r#"<a href="x?a=1&amp;b=&#60;&#x3C;&lt;&quot;">"#, &["x?a=1&b=<<<\""]),
        (
            r#"<a href="&unknown;&;& &#xFFFFFFFF;&#x110000;&amp">"#,
            &["&unknown;&;& &#xFFFFFFFF;&#x110000;&amp"],
        ),
        (r#"<a href="a>b">"#, &["a>b"]),
        (r#"<p>href="x"</p>"#, &[]),
        (r#"<a data-href="x" hrefs="y" HREF="z">"#, &[]),
        (r#"<!-- <a href="x"> --><a href="y">"#, &["y"]),
        (r#"<![CDATA[<a href="x">]]><a href="y">"#, &["y"]),
        (r#"<?pi <a href="x"?><a href="y">"#, &["y"]),
        (r#"</a href="x"><a href="y">"#, &["y"]),
        (r#"<a href="x"#, &[]),
        ("<a href=x>", &[]),
        ("<a href>", &[]),
        ("<a href=", &[]),
        ("<!-- ", &[]),
        ("<", &[]),
        ("< a href='x'>", &["x"]),
        (r#"<é href="é">"#, &["é"]),
    ] {
        check(narrative::rewritten, text, expected);
    }
}

#[test]
fn a_changed_narrative_differs_in_its_links_only() {
    let text = "<div  xmlns='http://www.w3.org/1999/xhtml'>&nbsp;<a  href = 'one' >A &amp; B</a><img src=\"two\"/><a href='keep&amp;'/></div>\n";
    let rewritten = narrative::rewritten(text, &mut |link| match link {
        "one" => Some("1&<>'\"".to_owned()),
        "two" => Some(String::new()),
        _ => None,
    });
    let expected = text.replace("'one'", "'1&amp;&lt;&gt;&#39;&quot;'").replace("two", "");
    assert_eq!(rewritten.unwrap(), expected);
}

#[test]
fn markdown_has_links_in_four_forms() {
    for (text, expected) in [
        ("none", &[][..]),
        ("[text](x)", &["x"]),
        ("![image](x 'title')", &["x"]),
        ("[text]( <x y> \"title\")", &["x y"]),
        ("[a](x(1)) [b](y)", &["x(1)", "y"]),
        ("[![image](x)](y)", &["x", "y"]),
        ("<urn:uuid:1>", &["urn:uuid:1"]),
        ("a < b > c <em> <x[a](y)", &["y"]),
        ("[label]: x\n  [other]: <y>\n", &["x", "y"]),
        ("see [label]: x", &[]),
        ("    [code]: x", &[]),
        ("[text] (x)", &[]),
        ("text](x)", &[]),
        (r"\[text](x) \`[a](y)\`", &["y"]),
        ("`[a](x)` [b](y)", &["y"]),
        ("``` \n[a](x) ` \n``` [b](y)", &["y"]),
        ("`` ` [a](x)", &["x"]),
        ("[a](", &[]),
        ("[a]()", &[]),
        ("[a](<x", &[]),
        ("[é](é)", &["é"]),
        ("\\", &[]),
        ("\\é[a](x)", &["x"]),
    ] {
        check(markdown::rewritten, text, expected);
    }
}

#[test]
fn many_half_links_take_no_long_time() {
    let many = 100_000;
    for text in [
        format!("<a href=\"{}\">", "&".repeat(many)),
        "<a href='".repeat(many),
        "<!-- <![CDATA[ <? ".repeat(many),
        "<a b = c ".repeat(many),
    ] {
        narrative::rewritten(&text, &mut |_| None);
    }
    for text in [
        "[".repeat(many),
        "[]".repeat(many),
        " [a]: ".repeat(many),
        "[a](".repeat(many),
        "<a:".repeat(many),
        "` `` ``` ".repeat(many),
        (1..400).map(|length| "`".repeat(length) + " ` ").collect(),
    ] {
        markdown::rewritten(&text, &mut |_| None);
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-cé<>/='\"&;#x0-9!\\-\\[\\]():`\\\\ \n]{0,80}") {
        for rewritten in [narrative::rewritten as Rewritten, markdown::rewritten] {
            let _ = rewritten(&text, &mut |link| Some(format!("{link}&")));
        }
    }

    #[test]
    fn links_that_change_into_themselves_change_nothing(text in "[a-c<>/='\" \\[\\]():`]{0,80}|(<a (href|src)=\"[a-z]{0,5}\">){1,3}") {
        for rewritten in [narrative::rewritten as Rewritten, markdown::rewritten] {
            let mut has_specials = false;
            let same = rewritten(&text, &mut |link| {
                has_specials |= link.contains(['<', '>', '\'', '"', '&']);
                Some(link.to_owned())
            });
            if !has_specials {
                prop_assert_eq!(same.unwrap_or_else(|| text.clone()), text.clone());
            }
        }
    }
}
