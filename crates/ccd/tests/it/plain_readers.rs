//! What readers find who know fewer templates than there are.

use crate::support::{Element, document, request};

fn codes_of(element: &Element) -> Vec<&str> {
    element.children.iter().filter_map(|child| child.child("observation")?.of("code", "code")).collect()
}

#[test]
fn a_report_in_words_stands_among_the_results_with_what_it_concludes() {
    let report = |id: &str, more: &str| {
        format!(
            r#"{{"resourceType":"DiagnosticReport","id":"{id}","status":"final","effectiveDateTime":"2020-01-10",
            "code":{{"coding":[{{"system":"http://loinc.org","code":"18748-4","display":"Imaging"}}]}}{more}}}"#
        )
    };
    let concluded = report("c", r#","conclusion":"Nothing seen""#);
    // "Lungs clear"
    let attached =
        report("a", r#","presentedForm":[{"contentType":"text/plain","data":"THVuZ3MgY2xlYXI="}]"#);
    let root = document(&[&concluded, &attached, &report("e", "")], request());
    let results = root.section("30954-2").expect("results");
    let organizers = results.with_template(".4.1");
    assert_eq!(organizers.len(), 3);
    let mut said = Vec::new();
    for organizer in organizers {
        assert_eq!(organizer.of("code", "code"), Some("18748-4"));
        let observation = organizer.only(".4.2");
        assert_eq!(observation.of("code", "code"), Some("18748-4"));
        let value = observation.child("value").expect("a value");
        let anchor = value.of("reference", "value").map(|anchor| anchor.trim_start_matches('#'));
        let texts =
            results.all().into_iter().filter(|one| anchor.is_some_and(|id| one.attribute("ID") == Some(id)));
        said.push((value.attribute("nullFlavor"), texts.map(Element::text).collect::<String>()));
    }
    said.sort();
    let (concluded, attached) = ("Nothing seen", "The text stands among the notes.");
    let expected = [(None, concluded), (None, attached), (Some("NI"), "")];
    assert_eq!(said, expected.map(|(flavor, text)| (flavor, text.to_owned())));
    // The text itself is a note; the others have none.
    let notes = root.section("34109-9").expect("notes");
    assert!(notes.only(".4.202").child("text").is_some() && notes.text().contains("Lungs clear"));
    assert!(!notes.text().contains(concluded));
}

#[test]
fn each_answer_of_a_scale_stands_beside_it_under_the_same_id() {
    let survey = |id: &str, code: &str, more: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"code":"survey"}}]}}],
            "code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},{more}}}"#
        )
    };
    let whole = survey("w", "44249-1", r#""hasMember":[{"reference":"Observation/p"}]"#);
    let part = survey("p", "69737-5", r#""hasMember":[{"reference":"Observation/i"}]"#);
    let item = survey("i", "44261-6", r#""valueInteger":7"#);
    let root = document(&[&whole, &part, &item], request());
    let mental = root.section("10190-7").expect("mental status");
    let scale = mental.only(".4.69");
    assert_eq!(codes_of(scale), ["69737-5", "44261-6"]);
    let entries: Vec<&Element> =
        mental.named("entry").into_iter().filter_map(|entry| entry.child("observation")).collect();
    let beside: Vec<_> = entries.iter().map(|one| one.of("code", "code")).collect();
    assert_eq!(beside, [Some("44249-1"), Some("69737-5"), Some("44261-6")]);
    for (beside, within) in entries[1..].iter().zip(scale.with_template(".4.86")) {
        assert_eq!(beside.of("id", "root"), within.of("id", "root"));
        assert_eq!(beside.child("text").map(Element::all).map(|all| all.len()), Some(2));
        assert_eq!(beside.of("value", "value"), within.of("value", "value"));
    }
}

#[test]
fn a_panel_of_vital_signs_keeps_its_code_unless_its_numbers_say_it() {
    let pressure = |id: &str, code: &str, day: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"code":"vital-signs"}}]}}],
            "effectiveDateTime":"{day}","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}],"text":"Pressure"}},
            "component":[{{"code":{{"coding":[{{"system":"http://loinc.org","code":"8480-6"}}],"text":"Systolic"}},"valueQuantity":{{"value":120,"unit":"mmHg"}}}},
            {{"code":{{"coding":[{{"system":"http://loinc.org","code":"8462-4"}}],"text":"Diastolic"}},"valueQuantity":{{"value":80,"unit":"mmHg"}}}}]}}"#
        )
    };
    let of = |code: &str| document(&[&pressure("p", code, "2020-01-10")], request());
    let old = of("55284-4");
    let organizer = old.only(".4.26");
    assert_eq!(codes_of(organizer), ["8480-6", "8462-4", "55284-4"]);
    let panel = organizer.children.last().and_then(|child| child.child("observation")).expect("a panel");
    let value = panel.child("value").expect("words");
    assert_eq!(
        (value.attribute("xsi:type"), value.text().as_str()),
        (Some("ST"), "Systolic 120 mmHg, Diastolic 80 mmHg")
    );
    assert_eq!(codes_of(of("85354-9").only(".4.26")), ["8480-6", "8462-4"]);
}
