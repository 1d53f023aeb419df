//! Statements whose code and values the guide fixes: smoking, tobacco, pregnancy, occupation and industry.

use charta_model::facts::{Concept, Measure, Observation, Onset, Value};

use super::super::{
    entries::{self, OBSERVATION},
    results::{self, Anchors, loinc},
};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    instant,
    instant::Open,
    section::templates,
    system,
    xml::Xml,
};

/// What somebody does with tobacco, by SNOMED CT: only these may stand there. That somebody never did is none of them.
const TOBACCO_USES: [&str; 63] = [
    "10761391000119102",
    "110483000",
    "134406006",
    "160603005",
    "160604004",
    "160605003",
    "160606002",
    "160612007",
    "160613002",
    "160614008",
    "160616005",
    "160619003",
    "169940006",
    "228494002",
    "228499007",
    "228504007",
    "228509002",
    "228514003",
    "228515002",
    "228516001",
    "228517005",
    "228518000",
    "228523000",
    "228524006",
    "228525007",
    "230059006",
    "230060001",
    "230062009",
    "230063004",
    "230064005",
    "230065006",
    "266920004",
    "266927001",
    "266929003",
    "308438006",
    "365981007",
    "365982000",
    "365983005",
    "394871007",
    "394872000",
    "394873005",
    "427189007",
    "428041000124106",
    "428061000124105",
    "428071000124103",
    "43381005",
    "446172000",
    "449345000",
    "449867007",
    "449868002",
    "449869005",
    "450811000124104",
    "450821000124107",
    "451881000124101",
    "451891000124103",
    "56578002",
    "56771006",
    "59978006",
    "65568007",
    "713914004",
    "77176002",
    "81703003",
    "82302008",
];

/// The value of a pregnancy status; only these may stand there.
pub(super) fn pregnancy_status(code: &Concept, value: Option<&Value>) -> Option<Fixed> {
    let Some(Value::Concept(value)) = value.filter(|_| code.has("82810-3")) else { return None };
    match code::code_in(value, system::SNOMED)? {
        "77386006" => Some(Fixed(system::SNOMED, "77386006", "Pregnant")),
        "60001007" => Some(Fixed(system::SNOMED, "60001007", "Not pregnant")),
        _ => None,
    }
}

/// C-CDA: Pregnancy Observation.
pub(super) fn pregnancy(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Observation,
    part: Option<usize>,
    status: Fixed,
    anchors: &Anchors,
) {
    x.element("observation", OBSERVATION, |x| {
        templates(x, "2.16.840.1.113883.10.20.15.3.8", &[""]);
        results::ids(x, context, one, part);
        // What was asked stands beside the code that the guide fixes.
        entries::ASSERTION.write(x, "code", "", |x| {
            code::original_text(x, None, anchors.name.as_ref());
            for coding in &results::measure(one, part).code.codings {
                code::write_plain(x, "translation", coding);
            }
        });
        anchors.row.text(x);
        entries::completed(x);
        instant::period(x, "effectiveTime", &one.period());
        status.plain(x, "value", "CD");
        results::author(x, context, one);
        entries::comments(x, &anchors.comments);
    });
}

/// Whether it says since when the patient has had which occupation.
pub(super) fn is_occupation(one: &Observation, part: Option<usize>) -> bool {
    let since = matches!(&one.effective, Some(Onset::During(period)) if period.start.is_some());
    let is_coded = matches!(&one.measure.value, Some(Value::Concept(_)));
    part.is_none() && since && is_coded && code::code_in(&one.measure.code, system::LOINC) == Some("11341-5")
}

/// The value of a smoking status; only these may stand there.
pub(super) fn smoking_status(code: &Concept, value: Option<&Value>) -> Option<Fixed> {
    if !code.has("72166-2") {
        return None;
    }
    let Some(Value::Concept(value)) = value else { return None };
    const STATUSES: [(&str, &str); 8] = [
        ("449868002", "Smokes tobacco daily"),
        ("428041000124106", "Occasional tobacco smoker"),
        ("8517006", "Ex-smoker"),
        ("266919005", "Never smoked tobacco"),
        ("77176002", "Smoker"),
        ("266927001", "Tobacco smoking consumption unknown"),
        ("428071000124103", "Heavy tobacco smoker"),
        ("428061000124105", "Light tobacco smoker"),
    ];
    let given = code::code_in(value, system::SNOMED)?;
    let (code, display) = STATUSES.iter().find(|(code, _)| *code == given)?;
    Some(Fixed(system::SNOMED, code, display))
}

/// C-CDA: Smoking Status Meaningful Use.
pub(super) fn smoking(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Observation,
    status: Fixed,
    anchors: &Anchors,
) {
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.78", &["", "2014-06-09"]);
        results::ids(x, context, one, None);
        loinc("72166-2", "Tobacco smoking status").plain(x, "code", "");
        anchors.row.text(x);
        entries::completed(x);
        instant::point(x, "effectiveTime", one.period().start.as_ref());
        status.plain(x, "value", "CD");
        results::author(x, context, one);
        entries::comments(x, &anchors.comments);
    });
}

/// Whether it says what somebody did with tobacco in the course of time.
pub(super) fn is_tobacco_use(code: &Concept, value: Option<&Value>) -> bool {
    let Some(Value::Concept(value)) = value else { return false };
    code::code_in(code, system::LOINC) == Some("11367-0")
        && code::code_in(value, system::SNOMED).is_some_and(|use_of| TOBACCO_USES.contains(&use_of))
}

/// C-CDA: Tobacco Use.
pub(super) fn tobacco_use(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Observation,
    part: Option<usize>,
    anchors: &Anchors,
) {
    let Some(Value::Concept(said)) = &results::measure(one, part).value else { return };
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.85", &["", "2014-06-09"]);
        results::ids(x, context, one, part);
        loinc("11367-0", "History of tobacco use").plain(x, "code", "");
        anchors.row.text(x);
        entries::completed(x);
        let period = one.period();
        // A point in time says since when, and not that it was over at once.
        let end = period.end.as_ref().filter(|end| period.start.as_ref() != Some(*end));
        instant::interval(x, "effectiveTime", "", period.start.as_ref(), end, Open::Silent);
        let prefer = [system::SNOMED];
        let style = Style { kind: "CD", prefer: &prefer, anchor: anchors.value.as_ref(), ..Style::default() };
        code::write(x, "value", said, style);
        results::author(x, context, one);
        entries::comments(x, &anchors.comments);
    });
}

/// Whether it says in which industry somebody works, by a code.
pub(super) fn is_industry(measure: &Measure) -> bool {
    let is_coded =
        matches!(&measure.value, Some(Value::Concept(value)) if code::has_system(value, &[system::ODH]));
    is_coded && code::code_in(&measure.code, system::LOINC) == Some("86188-0")
}
