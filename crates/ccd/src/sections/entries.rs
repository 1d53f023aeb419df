//! Statements that stand inside those of several sections.

use charta_model::facts::{Coding, Concept, Moment, Onset, Quantity, Reaction};

use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant, quantity,
    section::templates,
    system,
    table::Anchor,
    xml::{Attributes, Xml, is_visible},
};

pub(super) const OBSERVATION: Attributes<'_> = &[("classCode", "OBS"), ("moodCode", "EVN")];
pub(super) const ACT: Attributes<'_> = &[("classCode", "ACT"), ("moodCode", "EVN")];

pub(super) const ASSERTION: Fixed = Fixed(system::ACT_CODE, "ASSERTION", "Assertion");
pub(super) const PROBLEM: Fixed = Fixed(system::SNOMED, "55607006", "Problem");
pub(super) const PROBLEM_LOINC: Fixed = Fixed(system::LOINC, "75326-9", "Problem");

pub(super) fn completed(x: &mut Xml) {
    x.empty("statusCode", &[("code", "completed")]);
}

/// The code of a statement that is about a problem.
pub(super) fn problem_code(x: &mut Xml) {
    PROBLEM.write(x, "code", "", |x| PROBLEM_LOINC.plain(x, "translation", ""));
}

/// Remarks, each of which stands in the narrative.
///
/// C-CDA: Comment Activity.
pub(super) fn comments(x: &mut Xml, anchors: &[Option<Anchor>]) {
    for anchor in anchors.iter().flatten() {
        x.element("entryRelationship", &[("typeCode", "SUBJ"), ("inversionInd", "true")], |x| {
            comment(x, anchor)
        });
    }
}

pub(super) fn comment(x: &mut Xml, anchor: &Anchor) {
    x.element("act", ACT, |x| {
        templates(x, ".4.64", &[""]);
        Fixed(system::LOINC, "48767-8", "Annotation comment").plain(x, "code", "");
        anchor.text(x);
        completed(x);
    });
}

/// How grave something is.
///
/// C-CDA: Severity Observation.
pub(super) fn severity(x: &mut Xml, severity: Fixed, anchor: Option<&Anchor>) {
    x.element("entryRelationship", &[("typeCode", "SUBJ"), ("inversionInd", "true")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.8", &["", "2014-06-09"]);
            Fixed(system::ACT_CODE, "SEV", "Severity Observation").plain(x, "code", "");
            if let Some(anchor) = anchor {
                anchor.text(x);
            }
            completed(x);
            severity.plain(x, "value", "CD");
        });
    });
}

/// The severity that a FHIR code, or a SNOMED CT code, stands for.
pub(super) fn severity_of(code: &str) -> Option<Fixed> {
    let (code, display) = match code {
        "mild" | "255604002" => ("255604002", "Mild"),
        "moderate" | "6736007" => ("6736007", "Moderate"),
        "severe" | "24484000" => ("24484000", "Severe"),
        "fatal" | "399166001" => ("399166001", "Fatal"),
        _ => return None,
    };
    Some(Fixed(system::SNOMED, code, display))
}

/// What a reaction says, for readers: one line for each symptom.
pub(super) fn reaction_lines(reactions: &[Reaction]) -> Vec<String> {
    let mut lines = Vec::new();
    for reaction in reactions {
        let mut more = Vec::new();
        more.extend(reaction.severity.clone());
        more.extend(reaction.onset.as_ref().map(instant::human));
        more.extend(reaction.description.clone().filter(|text| is_visible(text)));
        more.extend(
            reaction.substance.as_ref().and_then(|one| one.label()).map(|label| format!("to {label}")),
        );
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
        if reaction.manifestations.is_empty() {
            lines.push(format!("Reaction{more}"));
        }
        for manifestation in &reaction.manifestations {
            lines.push(format!("{}{more}", manifestation.label().unwrap_or("Reaction")));
        }
    }
    lines
}

/// Reactions, one for each symptom; the anchors are those of [`reaction_lines`].
///
/// C-CDA: Reaction Observation.
pub(super) fn reactions(
    x: &mut Xml,
    context: &Context<'_>,
    key: &str,
    reactions: &[Reaction],
    anchors: &[Option<Anchor>],
) {
    let nothing = [Concept::default()];
    let mut n = 0;
    for reaction in reactions {
        let symptoms =
            if reaction.manifestations.is_empty() { &nothing[..] } else { &reaction.manifestations };
        for symptom in symptoms {
            let anchor = anchors.get(n).and_then(Option::as_ref);
            n += 1;
            x.element("entryRelationship", &[("typeCode", "MFST"), ("inversionInd", "true")], |x| {
                x.element("observation", OBSERVATION, |x| {
                    templates(x, ".4.9", &["", "2014-06-09"]);
                    id::own(x, &context.request.namespace, &format!("{key}/reaction/{n}"));
                    ASSERTION.plain(x, "code", "");
                    if let Some(anchor) = anchor {
                        anchor.text(x);
                    }
                    completed(x);
                    if reaction.onset.is_some() {
                        let onset = reaction.onset.as_ref();
                        instant::interval(x, "effectiveTime", "", onset, None, instant::Open::Silent);
                    }
                    let style = Style { kind: "CD", prefer: &[system::SNOMED], anchor, ..Style::default() };
                    code::write(x, "value", symptom, style);
                    if let Some(grade) = reaction.severity.as_deref().and_then(severity_of) {
                        severity(x, grade, anchor);
                    }
                });
            });
        }
    }
}

/// The age at which something began.
///
/// C-CDA: Age Observation.
pub(super) fn age(x: &mut Xml, onset: Option<&Onset>) {
    let Some(Onset::Age(age)) = onset else { return };
    let unit = match age.code.as_deref().or(age.unit.as_deref()) {
        Some("a" | "year" | "years" | "yr") => "a",
        Some("mo" | "month" | "months") => "mo",
        Some("wk" | "week" | "weeks") => "wk",
        Some("d" | "day" | "days") => "d",
        _ => return,
    };
    let whole = age.value.as_deref().filter(|value| quantity::is_number(value));
    let Some(value) = whole else { return };
    x.element("entryRelationship", &[("typeCode", "SUBJ"), ("inversionInd", "true")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.31", &[""]);
            Fixed(system::SNOMED, "445518008", "Age at onset").plain(x, "code", "");
            completed(x);
            let age = Quantity {
                value: Some(value.to_owned()),
                code: Some(unit.to_owned()),
                ..Quantity::default()
            };
            quantity::with_unit(x, "value", "PQ", &age);
        });
    });
}

/// Why something is done. A problem that stands in the document is referred to; nothing is said twice.
///
/// C-CDA: Indication.
pub(super) fn indication(
    x: &mut Xml,
    context: &Context<'_>,
    key: &str,
    reason: &Concept,
    onset: Option<&Moment>,
    anchor: Option<&Anchor>,
) {
    x.element("entryRelationship", &[("typeCode", "RSON")], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, ".4.19", &["", "2014-06-09", "2023-05-01"]);
            id::own(x, &context.request.namespace, key);
            problem_code(x);
            completed(x);
            if onset.is_some() {
                instant::interval(x, "effectiveTime", "", onset, None, instant::Open::Silent);
            }
            let prefer = [system::SNOMED, system::ICD10CM];
            let style = Style { kind: "CD", prefer: &prefer, anchor, ..Style::default() };
            code::write(x, "value", reason, style);
        });
    });
}

/// That a statement elsewhere in the document belongs here.
///
/// C-CDA: Entry Reference.
pub(super) fn refer(x: &mut Xml, context: &Context<'_>, kind: &str, key: &str) {
    x.element("entryRelationship", &[("typeCode", kind)], |x| {
        x.element("act", ACT, |x| {
            templates(x, ".4.122", &[""]);
            id::own(x, &context.request.namespace, key);
            x.empty("code", &[("nullFlavor", "NP")]);
            completed(x);
        });
    });
}

/// Why something was done: the concepts, then what is named by reference.
pub(super) struct Reasons<'a> {
    /// The words for readers, one each.
    pub(super) lines: Vec<String>,
    items: Vec<Reason<'a>>,
}

enum Reason<'a> {
    Concept(&'a Concept),
    Condition(&'a charta_model::facts::Condition),
    Words,
}

impl<'a> Reasons<'a> {
    pub(super) fn of(
        context: &'a Context<'_>,
        concepts: &'a [Concept],
        links: &'a [charta_model::facts::Link],
    ) -> Self {
        let mut reasons = Self { lines: Vec::new(), items: Vec::new() };
        for concept in concepts.iter().filter(|concept| !concept.is_empty()) {
            reasons.lines.push(concept.label().unwrap_or_default().to_owned());
            reasons.items.push(Reason::Concept(concept));
        }
        for link in links {
            let at = context.facts.key(link).and_then(|key| context.layout.condition_at.get(key));
            let condition = at.map(|at| &context.facts.conditions[*at]);
            // The same reason in codes and by reference is one reason.
            let words =
                condition.and_then(|one| one.code.label()).map(str::to_owned).or_else(|| context.label(link));
            let Some(words) = words else { continue };
            if reasons.lines.contains(&words) && condition.is_none() {
                continue;
            }
            reasons.lines.push(words);
            reasons.items.push(condition.map_or(Reason::Words, Reason::Condition));
        }
        reasons
    }

    /// The indications. Where `by_reference`, problems of the document are referred to and not repeated.
    pub(super) fn write(
        &self,
        x: &mut Xml,
        context: &Context<'_>,
        key: &str,
        anchors: &[Option<Anchor>],
        by_reference: bool,
    ) {
        for (n, item) in self.items.iter().enumerate() {
            let anchor = anchors.get(n).and_then(Option::as_ref);
            let (concept, onset) = match item {
                Reason::Concept(concept) => (*concept, None),
                Reason::Condition(condition) => {
                    (&condition.code, condition.onset.as_ref().and_then(Onset::moment))
                }
                Reason::Words => continue,
            };
            let mut problems = context.layout.problems.iter().map(|at| &context.facts.conditions[*at]);
            let problem = if by_reference { problems.find(|one| same(&one.code, concept)) } else { None };
            match problem {
                Some(problem) => refer(x, context, "RSON", &problem.origin.key),
                _ => indication(x, context, &format!("{key}/reason/{n}"), concept, onset, anchor),
            }
        }
    }
}

/// Whether two concepts share a code.
fn same(one: &Concept, other: &Concept) -> bool {
    one.codings.iter().any(|coding| {
        let is_same = |known: &Coding| known.code == coding.code && known.system == coding.system;
        coding.code.is_some() && other.codings.iter().any(is_same)
    })
}
