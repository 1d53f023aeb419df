//! Which section an observation stands in.

use std::collections::{HashMap, HashSet};

use charta_model::facts::{Facts, Measure, Observation, Period, Report, Value};

use super::Layout;
use crate::{
    code::has_system,
    quantity::{Unit, is_number, unit},
    range::belongs,
    request::Request,
    system,
};

/// Where an observation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Vital Signs.
    Vital,
    /// Social History.
    Social,
    /// Functional Status.
    Functional,
    /// Mental Status.
    Mental,
    /// Nutrition.
    Nutrition,
    /// Advance Directives.
    Directive,
    /// Results, on its own.
    Result,
    /// Results, in a report.
    Reported,
}

/// LOINC codes of vital signs.
pub(crate) const VITALS: [&str; 22] = [
    "8310-5", "8867-4", "9279-1", "8480-6", "8462-4", "59408-5", "2708-6", "2710-2", "3150-6", "3151-8",
    "8302-2", "8306-3", "29463-7", "3141-9", "39156-5", "9843-4", "3140-1", "59576-9", "77606-2", "8289-1",
    "85354-9", "55284-4",
];

/// Categories that say which section is meant.
const PLAIN: [&str; 9] = [
    "vital-signs",
    "laboratory",
    "social-history",
    "survey",
    "imaging",
    "exam",
    "procedure",
    "therapy",
    "activity",
];

/// How the patient is nourished: the assessment, and the status that it leads to.
pub(crate) const ASSESSMENT: &str = "75303-8";
const NUTRITION: [&str; 2] = ["75305-3", ASSESSMENT];

/// Questionnaires about mood and thought: PHQ-2, PHQ-9, GAD-7, MoCA, MMSE and their totals.
const MENTAL: [&str; 12] = [
    "44249-1", "44261-6", "55757-9", "55758-7", "69737-5", "70274-6", "69730-0", "72106-8", "72172-0",
    "72133-2", "89204-2", "89206-7",
];

/// Whether a measure can be a vital sign: a LOINC code, and a number that is no bound and has no unit in words.
pub(crate) fn is_vital(measure: &Measure) -> bool {
    let is_coded = has_system(&measure.code, &[system::LOINC]);
    is_coded
        && matches!(&measure.value, Some(Value::Quantity(quantity))
        if quantity.comparator.is_none()
            && quantity.value.as_deref().is_some_and(is_number)
            && !matches!(unit(quantity), Unit::Text(_)))
}

impl Layout {
    pub(super) fn place_observations(&mut self, facts: &Facts, request: &Request) {
        let keys = facts.observations.iter().enumerate();
        self.observation_at = keys.map(|(at, one)| (one.origin.key.clone(), at)).collect();
        let last_smoking = last_smoking(self, facts);
        let mut places: Vec<Vec<Place>> = facts
            .observations
            .iter()
            .enumerate()
            .map(|(at, one)| {
                let is_asked_for = belongs(facts, request, one.encounter.as_ref());
                let shown = is_asked_for && self.limits.touches(&one.period());
                if shown || last_smoking == Some(at) { place(one) } else { Vec::new() }
            })
            .collect();
        let vital_groups = groups_with_vitals(facts, &places);
        for (at, one) in facts.observations.iter().enumerate() {
            // What is no number stands among numbers of the same time, or in the results.
            let has_vital = measures(one).any(is_vital);
            let group = (one.encounter.as_ref().and_then(|link| facts.key(link)), one.period());
            if places[at].contains(&Place::Vital) && !has_vital && !vital_groups.contains(&group_key(&group))
            {
                places[at] = vec![Place::Result];
            }
        }
        self.place_members(facts, &mut places);
        self.place_reports(facts, request, &mut places);
        self.observations = places;
    }

    /// A panel says what its members say; they stand in it, if it stands where they would.
    fn place_members(&self, facts: &Facts, places: &mut [Vec<Place>]) {
        // A panel in a panel gives up its place, and holds its own members all the same.
        let before: Vec<Option<Place>> = places.iter().map(|places| places.first().copied()).collect();
        for panel in 0..facts.observations.len() {
            let panel_place = before[panel];
            if matches!(panel_place, None | Some(Place::Vital)) {
                continue;
            }
            for link in &facts.observations[panel].members {
                let member = facts.key(link).and_then(|key| self.observation_at.get(key));
                if let Some(&member) = member.filter(|member| **member != panel)
                    && before[member] == panel_place
                    && !is_within(facts, &self.observation_at, member, panel)
                {
                    places[member].clear();
                }
            }
        }
    }

    fn place_reports(&mut self, facts: &Facts, request: &Request, places: &mut [Vec<Place>]) {
        let mut taken: HashSet<usize> = HashSet::new();
        for (at, report) in facts.reports.iter().enumerate() {
            let shown = self.limits.touches(&report_period(report))
                && belongs(facts, request, report.encounter.as_ref());
            if !shown {
                continue;
            }
            let mut results = Vec::new();
            for link in &report.results {
                let Some(&result) = facts.key(link).and_then(|key| self.observation_at.get(key)) else {
                    continue;
                };
                let is_result = places[result].contains(&Place::Result)
                    || place(&facts.observations[result]).contains(&Place::Result);
                if is_result && !places[result].is_empty() && taken.insert(result) {
                    places[result].retain(|place| *place != Place::Result);
                    places[result].push(Place::Reported);
                    results.push(result);
                }
            }
            let is_text = report.conclusion.is_some()
                || !report.conclusion_codes.is_empty()
                || !report.contents.is_empty();
            if is_text || results.is_empty() {
                self.report_notes.push(at);
            }
            // Without results it has none, and says in words what was found.
            self.reports.push((at, results));
        }
    }
}

/// Where an observation belongs by what it says of itself.
fn place(observation: &Observation) -> Vec<Place> {
    let is = |code: &str| observation.categories.iter().any(|category| category.has(code));
    let code = &observation.measure.code;
    if is("vital-signs") || (observation.categories.is_empty() && code.one_of(&VITALS).is_some()) {
        return vec![Place::Vital];
    }
    let place = if is("observation-adi-documentation") || code.has("75320-2") {
        Place::Directive
    } else if code.one_of(&NUTRITION).is_some() {
        // Who does not know the section looks among the results.
        return vec![Place::Nutrition, Place::Result];
    } else if is("functional-status") || is("disability-status") {
        Place::Functional
    } else if is("cognitive-status") || (is("survey") && code.one_of(&MENTAL).is_some()) {
        Place::Mental
    } else if is("social-history")
        || is("survey")
        || is("sdoh")
        || is("activity")
        || code.has("72166-2")
        || is_preference(observation)
    {
        Place::Social
    } else {
        return vec![Place::Result];
    };
    // Who does not know a category of US Core looks among the results.
    let is_plain = observation.categories.iter().any(|category| category.one_of(&PLAIN).is_some());
    if is_plain || observation.categories.is_empty() { vec![place] } else { vec![place, Place::Result] }
}

fn is_preference(observation: &Observation) -> bool {
    let preferences = ["treatment-intervention-preference", "care-experience-preference"];
    observation.categories.iter().any(|category| category.one_of(&preferences).is_some())
}

/// The smoking status that was recorded last.
fn last_smoking(layout: &Layout, facts: &Facts) -> Option<usize> {
    let smoking = facts.observations.iter().enumerate().filter(|(_, one)| one.measure.code.has("72166-2"));
    let begun = smoking.filter(|(_, one)| layout.limits.has_begun(one.period().start.as_ref()));
    begun
        .max_by_key(|(_, one)| one.period().start.map_or(i64::MIN, |start| start.span(0).0))
        .map(|(at, _)| at)
}

/// What was measured, the whole and the parts.
pub(crate) fn measures(observation: &Observation) -> impl Iterator<Item = &Measure> {
    std::iter::once(&observation.measure).chain(&observation.components)
}

/// The encounters and times at which there is a vital sign.
fn groups_with_vitals(facts: &Facts, places: &[Vec<Place>]) -> HashSet<String> {
    let vital = facts
        .observations
        .iter()
        .zip(places)
        .filter(|(one, places)| places.contains(&Place::Vital) && measures(one).any(is_vital));
    vital
        .map(|(one, _)| group_key(&(one.encounter.as_ref().and_then(|link| facts.key(link)), one.period())))
        .collect()
}

fn group_key(group: &(Option<&str>, Period)) -> String {
    format!("{:?}", group)
}

/// Whether `inner` is a panel that holds `outer`, however deep.
fn is_within(facts: &Facts, at: &HashMap<String, usize>, inner: usize, outer: usize) -> bool {
    let mut open = vec![inner];
    let mut seen = HashSet::new();
    while let Some(panel) = open.pop() {
        if !seen.insert(panel) {
            continue;
        }
        for link in &facts.observations[panel].members {
            match facts.key(link).and_then(|key| at.get(key)) {
                Some(&member) if member == outer => return true,
                Some(&member) => open.push(member),
                None => {}
            }
        }
    }
    false
}

/// The time of a report: the clinical one, else when it was published.
pub(crate) fn report_period(report: &Report) -> Period {
    if report.effective.is_empty() {
        return report.issued.clone().map(Period::at).unwrap_or_default();
    }
    report.effective.clone()
}
