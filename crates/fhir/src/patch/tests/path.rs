use super::*;
use crate::patch::path::{Condition, Literal, Path, Step};

fn child(name: &str) -> Step {
    Step::Child(name.to_owned())
}

fn of_type(name: &str) -> Step {
    Step::OfType(name.to_owned())
}

fn equals(path: Vec<Step>, text: &str) -> Condition {
    Condition { path, value: Literal::Text(text.to_owned()) }
}

#[test]
fn a_path_is_read_as_steps() {
    for (text, steps) in [
        ("Patient", vec![child("Patient")]),
        ("Patient.name[0].given", vec![child("Patient"), child("name"), Step::Index(0), child("given")]),
        (" Patient . name [ 1 ] ", vec![child("Patient"), child("name"), Step::Index(1)]),
        ("name.first().given.last()", vec![child("name"), Step::First, child("given"), Step::Last]),
        ("Patient.text.div", vec![child("Patient"), child("text"), child("div")]),
        ("Patient.text.`div`", vec![child("Patient"), child("text"), child("div")]),
        ("$this.active", vec![child("active")]),
        ("a.where", vec![child("a"), child("where")]),
        ("a.as", vec![child("a"), child("as")]),
        ("a.ofType(Quantity).b", vec![child("a"), of_type("Quantity"), child("b")]),
        ("a.as(FHIR.Quantity)", vec![child("a"), of_type("Quantity")]),
        ("a.ofType(System.String)", vec![child("a"), of_type("String")]),
        ("a as Quantity", vec![child("a"), of_type("Quantity")]),
        ("(a.b as Quantity).unit", vec![child("a"), child("b"), of_type("Quantity"), child("unit")]),
        ("a.extension('http://e/x')", vec![child("a"), Step::Extension("http://e/x".to_owned())]),
        ("a.where(b = 'c')", vec![child("a"), Step::Where(vec![equals(vec![child("b")], "c")])]),
        ("a.where($this='c')", vec![child("a"), Step::Where(vec![equals(vec![], "c")])]),
        (
            "a.where(b='c' and d.e = 'f').g",
            vec![
                child("a"),
                Step::Where(vec![equals(vec![child("b")], "c"), equals(vec![child("d"), child("e")], "f")]),
                child("g"),
            ],
        ),
        (
            "a.where((b='c') and ((d = 'e') and f='g'))",
            vec![
                child("a"),
                Step::Where(vec![
                    equals(vec![child("b")], "c"),
                    equals(vec![child("d")], "e"),
                    equals(vec![child("f")], "g"),
                ]),
            ],
        ),
        (
            "a.where((value as Coding).code = 'c')",
            vec![
                child("a"),
                Step::Where(vec![equals(vec![child("value"), of_type("Coding"), child("code")], "c")]),
            ],
        ),
        (
            "a.where(b.where(c='d').e='f')",
            vec![
                child("a"),
                Step::Where(vec![equals(
                    vec![child("b"), Step::Where(vec![equals(vec![child("c")], "d")]), child("e")],
                    "f",
                )]),
            ],
        ),
    ] {
        assert_eq!(Path::read(text), Ok(Path { steps }), "{text}");
    }
}

#[test]
fn literals_are_text_numbers_and_booleans() {
    for (text, value) in [
        ("''", Literal::Text(String::new())),
        (r"'it\'s'", Literal::Text("it's".to_owned())),
        (r"'\\ \n \t \/ \u00e9'", Literal::Text("\\ \n \t / é".to_owned())),
        ("'é ) and ( = '", Literal::Text("é ) and ( = ".to_owned())),
        ("@2024-01-31", Literal::Text("2024-01-31".to_owned())),
        ("@2024-01-31T10:00:00.5+02:00", Literal::Text("2024-01-31T10:00:00.5+02:00".to_owned())),
        ("0", Literal::Number("0".to_owned())),
        ("-1.50", Literal::Number("-1.50".to_owned())),
        ("true", Literal::Bool(true)),
        ("false", Literal::Bool(false)),
    ] {
        let path = format!("a.where(b = {text})");
        let condition = Condition { path: vec![child("b")], value };
        let steps = vec![child("a"), Step::Where(vec![condition])];
        assert_eq!(Path::read(&path), Ok(Path { steps }), "{path}");
    }
}

#[test]
fn what_is_no_path_or_more_than_one_is_refused() {
    let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    let deep_conditions = format!("{}b='c'{}", "a.where(".repeat(100), ").x='y'".repeat(100));
    let long = "a.".repeat(3000) + "a";
    for text in [
        "",
        " ",
        ".",
        "a.",
        ".a",
        "a..b",
        "a[",
        "a[]",
        "a[x]",
        "a[-1]",
        "a[1.5]",
        "a[99999999999999999999999]",
        "a]",
        "a)",
        "(a",
        "a b",
        "1a",
        "é",
        "a.where()",
        "a.where(b)",
        "a.where(b=)",
        "a.where(b='c'",
        "a.where(b='c)",
        "a.where(b='c' and)",
        "a.where(b='c' or d='e')",
        "a.where(b!='c')",
        "a.where(b~'c')",
        "a.where(b>1)",
        "a.where(b=c)",
        "a.where(b=--1)",
        "a.where(b=1.)",
        "a.where(b=1.2.3)",
        r"a.where(b='\x')",
        r"a.where(b='\u12')",
        r"a.where(b='\ud800')",
        "a.extension(b)",
        "a.extension()",
        "a.first(1)",
        "a.ofType()",
        "a.ofType('x')",
        "a as",
        "a | b",
        "a + 1",
        "a = 'b'",
        "a.resolve()",
        "a.matches('(x+)+y')",
        "a.repeat(b)",
        "%resource.a",
        "a.`b",
        &deep,
        &deep_conditions,
        &long,
    ] {
        assert!(Path::read(text).is_err(), "{text:.80}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-zé.()\\[\\]'`=@%$ 0-9\\\\-]{0,60}") {
        let _ = Path::read(&text);
    }

    #[test]
    fn no_words_panic(words in prop::collection::vec(prop::sample::select(vec![
        "a", "Patient", ".", "where", "(", ")", "=", "'x'", " and ", " as ", "as", "first()", "[0]", "extension(",
        "ofType(", "$this", "1.5", "@2024", "\\", "'", "`", "true",
    ]), 0..40)) {
        let _ = Path::read(&words.concat());
    }
}
