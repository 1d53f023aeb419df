//! Social History: smoking, sex and gender, and what else was asked.
//!
//! Clause: C-CDA 2.1 SocialHistorySection

mod fixed;

use charta_model::facts::{Concept, Observation, Patient, Period, Topic};

use super::{
    entries::{self, OBSERVATION},
    results::{self, Anchors, loinc},
    scale, value,
};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    instant::Open,
    layout::Place,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::SocialHistory,
    templates: &[(".2.17", &["", "2015-08-01"])],
    code: ("29762-2", "Social history note"),
    title: "Social History",
    prefix: "soc",
    columns: &["Item", "Value", "Range", "Meaning", "Time", "Status", "By", "Comment"],
    is_required: true,
    is_limited: true,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    if let Some(patient) = &context.facts.patient {
        identity(&mut section, context, patient);
    }
    for one in scale::placed(context, Place::Social) {
        if scale::is_scale(one) {
            scale::write(&mut section, context, one);
        } else {
            write(&mut section, context, one);
        }
    }
    section.finish()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Observation) {
    let whole = one.measure.value.is_some() || one.components.is_empty();
    let parts = whole.then_some(None).into_iter().chain((0..one.components.len()).map(Some));
    for part in parts {
        let anchors = results::row(section, context, one, part);
        section.entry(one.origin.place, |x| statement(x, context, one, part, &anchors));
    }
}

fn statement(x: &mut Xml, context: &Context<'_>, one: &Observation, part: Option<usize>, anchors: &Anchors) {
    let measure = results::measure(one, part);
    let (code, value) = (&measure.code, measure.value.as_ref());
    let has_begun = one.period().start.is_some();
    if let Some(status) = fixed::smoking_status(code, value).filter(|_| has_begun) {
        fixed::smoking(x, context, one, status, anchors);
    } else if let Some(status) = fixed::pregnancy_status(code, value) {
        fixed::pregnancy(x, context, one, part, status, anchors);
    } else if has_begun && fixed::is_tobacco_use(code, value) {
        fixed::tobacco_use(x, context, one, part, anchors);
    } else {
        other(x, context, one, part, anchors);
    }
}

/// C-CDA: Social History Observation.
pub(super) fn other(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Observation,
    part: Option<usize>,
    anchors: &Anchors,
) {
    let measure = results::measure(one, part);
    x.element("observation", OBSERVATION, |x| {
        templates(x, ".4.38", &["", "2015-08-01", "2022-06-01"]);
        if fixed::is_occupation(one, part) {
            templates(x, ".4.503", &["2023-05-01"]);
        }
        if fixed::is_industry(measure) {
            templates(x, ".4.504", &["2023-05-01"]);
        }
        results::ids(x, context, one, part);
        let prefer = [system::LOINC, system::SNOMED];
        let unknown = !code::has_system(&measure.code, &[system::LOINC]);
        let style = Style {
            prefer: &prefer,
            anchor: anchors.name.as_ref(),
            is_untranslated: unknown,
            ..Style::default()
        };
        code::write(x, "code", &measure.code, style);
        anchors.row.text(x);
        entries::completed(x);
        match one.period() {
            period if fixed::is_occupation(one, part) => {
                let (low, high) = (period.start.as_ref(), period.end.as_ref());
                instant::interval(x, "effectiveTime", "", low, high, Open::Silent);
            }
            period => instant::period(x, "effectiveTime", &period),
        }
        value::write(x, measure, anchors.value.as_ref());
        value::interpretations(x, measure);
        results::author(x, context, one);
        entries::comments(x, &anchors.comments);
    });
}

/// What the patient's own resource says.
fn identity(section: &mut Section<'_>, context: &Context<'_>, patient: &Patient) {
    if let Some(sex) = patient.birth_sex.as_deref() {
        birth_sex(section, context, sex);
    }
    if let Some(sex) = &patient.sex {
        self::sex(section, context, sex);
    }
    for (n, (identity, period)) in patient.gender_identities.iter().enumerate() {
        let root = ("2.16.840.1.113883.10.20.34.3.45", &["2023-05-01"][..]);
        since(
            section,
            context,
            root,
            loinc("76691-5", "Gender identity"),
            (identity, period),
            &format!("gender/{n}"),
        );
    }
    for (n, (orientation, period)) in patient.sexual_orientations.iter().enumerate() {
        let code = loinc("76690-7", "Sexual orientation");
        since(
            section,
            context,
            (".4.501", &["2023-05-01"][..]),
            code,
            (orientation, period),
            &format!("orientation/{n}"),
        );
    }
    for (n, (tribe, enrolled)) in patient.tribes.iter().enumerate() {
        self::tribe(section, context, tribe, *enrolled, n);
    }
    for pronouns in &patient.pronouns {
        let mut row = section.row();
        fill(&mut row, "Personal pronouns", pronouns.label().unwrap_or_default(), "");
        section.push(row);
    }
}

fn fill(row: &mut crate::table::Row, item: &str, value: &str, time: &str) -> Option<Anchor> {
    row.plain(item);
    let anchor = row.cell(value);
    row.plain("");
    row.plain("");
    row.plain(time);
    anchor
}

/// C-CDA: Birth Sex Observation.
fn birth_sex(section: &mut Section<'_>, context: &Context<'_>, sex: &str) {
    let display = match sex {
        "F" => "Female",
        "M" => "Male",
        _ => "Unknown",
    };
    let mut row = section.row();
    fill(&mut row, "Sex assigned at birth", display, "");
    let anchor = row.anchor();
    section.push(row);
    section.entry(0, |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.200", &["2016-06-01", "2023-05-01"]);
            own_id(x, context, "birth-sex");
            loinc("76689-9", "Sex assigned at birth").plain(x, "code", "");
            anchor.text(x);
            entries::completed(x);
            let birth = context.facts.patient.as_ref().and_then(|patient| patient.birth.as_ref());
            instant::point(x, "effectiveTime", birth);
            match sex {
                "F" => Fixed(system::GENDER, "F", "Female").plain(x, "value", "CD"),
                "M" => Fixed(system::GENDER, "M", "Male").plain(x, "value", "CD"),
                _ => x.empty("value", &[("xsi:type", "CD"), ("nullFlavor", "UNK")]),
            }
        });
    });
}

fn own_id(x: &mut Xml, context: &Context<'_>, part: &str) {
    let key = context.facts.patient.as_ref().map(|patient| patient.origin.key.as_str()).unwrap_or_default();
    id::own(x, &context.request.namespace, &format!("{key}/{part}"));
}

/// C-CDA: Sex Observation.
fn sex(section: &mut Section<'_>, context: &Context<'_>, sex: &Concept) {
    let fixed = match sex.codings.iter().find_map(|coding| coding.code.as_deref()) {
        Some("248152002" | "female") => Some(Fixed(system::SNOMED, "248152002", "Female (finding)")),
        Some("248153007" | "male") => Some(Fixed(system::SNOMED, "248153007", "Male (finding)")),
        _ => None,
    };
    let mut row = section.row();
    fill(&mut row, "Sex", fixed.map(|fixed| fixed.2).or(sex.label()).unwrap_or_default(), "");
    let anchor = row.anchor();
    section.push(row);
    let Some(fixed) = fixed else { return };
    section.entry(0, |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.507", &["2023-06-28"]);
            templates(x, ".4.38", &["2022-06-01"]);
            own_id(x, context, "sex");
            loinc("46098-0", "Sex").plain(x, "code", "");
            anchor.text(x);
            entries::completed(x);
            let birth = context.facts.patient.as_ref().and_then(|patient| patient.birth.as_ref());
            instant::point(x, "effectiveTime", birth);
            fixed.plain(x, "value", "CD");
        });
    });
}

/// Something that the patient says of themself, and since when.
///
/// C-CDA: Gender Identity Observation.
fn since(
    section: &mut Section<'_>,
    context: &Context<'_>,
    root: (&str, &[&str]),
    code: Fixed,
    (said, period): (&Concept, &Period),
    part: &str,
) {
    let mut row = section.row();
    let anchor = fill(&mut row, code.2, said.label().unwrap_or_default(), &instant::human_period(period));
    let whole = row.anchor();
    section.push(row);
    section.entry(0, |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, root.0, root.1);
            templates(x, ".4.38", &["", "2015-08-01", "2022-06-01"]);
            own_id(x, context, part);
            code.plain(x, "code", "");
            whole.text(x);
            entries::completed(x);
            instant::interval(
                x,
                "effectiveTime",
                "",
                period.start.as_ref(),
                period.end.as_ref(),
                Open::Silent,
            );
            let style =
                Style { kind: "CD", prefer: &[system::SNOMED], anchor: anchor.as_ref(), ..Style::default() };
            code::write(x, "value", said, style);
        });
    });
}

/// C-CDA: Tribal Affiliation Observation.
fn tribe(
    section: &mut Section<'_>,
    context: &Context<'_>,
    tribe: &Concept,
    enrolled: Option<bool>,
    n: usize,
) {
    let mut row = section.row();
    let label = tribe.label().unwrap_or_default();
    let label = match enrolled {
        Some(true) => format!("{label} (enrolled)"),
        Some(false) => format!("{label} (not enrolled)"),
        None => label.to_owned(),
    };
    let anchor = fill(&mut row, "Tribal affiliation", &label, "");
    let whole = row.anchor();
    section.push(row);
    section.entry(0, |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.506", &["2023-05-01"]);
            templates(x, ".4.38", &["", "2015-08-01", "2022-06-01"]);
            own_id(x, context, &format!("tribe/{n}"));
            loinc("95370-3", "Tribal affiliation").plain(x, "code", "");
            whole.text(x);
            entries::completed(x);
            let birth = context.facts.patient.as_ref().and_then(|patient| patient.birth.as_ref());
            instant::point(x, "effectiveTime", birth);
            let style =
                Style { kind: "CD", prefer: &[system::TRIBE], anchor: anchor.as_ref(), ..Style::default() };
            code::write(x, "value", tribe, style);
        });
    });
}
