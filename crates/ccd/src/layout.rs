//! What stands where: decided once for the whole document, so that nothing is said twice and nothing is lost.

mod observations;

use std::collections::{HashMap, HashSet};

use charta_model::facts::{Condition, Facts, Medication, MedicationKind, Onset, Period};

use crate::{
    range::{Limits, belongs, period_of},
    request::Request,
};

pub(crate) use observations::{ASSESSMENT, Place, is_vital, report_period};

/// What stands where. Numbers are places in the lists of the facts.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) limits: Limits,
    /// Conditions of the Problems section.
    pub(crate) problems: Vec<usize>,
    /// The place in the list of every condition, by key.
    pub(crate) condition_at: HashMap<String, usize>,
    /// Those of the Health Concerns section.
    pub(crate) concerns: Vec<usize>,
    /// Encounters.
    pub(crate) encounters: Vec<usize>,
    /// The conditions of each encounter that stand there and nowhere else.
    pub(crate) diagnoses: HashMap<usize, Vec<usize>>,
    /// Medications with an entry of their own.
    pub(crate) medications: Vec<usize>,
    /// Medications that are only planned.
    pub(crate) planned_medications: Vec<usize>,
    /// Statements that say more about a medication with an entry.
    pub(crate) statements: HashMap<usize, Vec<usize>>,
    /// The administrations of a medication with an entry; the others have one themselves.
    pub(crate) administrations: HashMap<usize, Vec<usize>>,
    pub(crate) lone_administrations: Vec<usize>,
    /// What was dispensed of a medication with an entry; the others have one themselves.
    pub(crate) dispenses: HashMap<usize, Vec<usize>>,
    pub(crate) lone_dispenses: Vec<usize>,
    /// Where each observation stands; none, if it stands within another or is out of range.
    pub(crate) observations: Vec<Vec<Place>>,
    /// The place in the list of every observation, by key.
    pub(crate) observation_at: HashMap<String, usize>,
    /// Reports, and the observations that stand in each; a report in words has none.
    pub(crate) reports: Vec<(usize, Vec<usize>)>,
    /// Reports that are text.
    pub(crate) report_notes: Vec<usize>,
}

impl Layout {
    pub(crate) fn new(facts: &Facts, request: &Request) -> Self {
        let limits = Limits::new(request);
        let mut layout = Self {
            limits,
            problems: Vec::new(),
            condition_at: HashMap::new(),
            concerns: Vec::new(),
            encounters: Vec::new(),
            diagnoses: HashMap::new(),
            medications: Vec::new(),
            planned_medications: Vec::new(),
            statements: HashMap::new(),
            administrations: HashMap::new(),
            lone_administrations: Vec::new(),
            dispenses: HashMap::new(),
            lone_dispenses: Vec::new(),
            observations: Vec::new(),
            observation_at: HashMap::new(),
            reports: Vec::new(),
            report_notes: Vec::new(),
        };
        layout.place_encounters(facts, request);
        layout.place_conditions(facts, request);
        layout.place_medications(facts, request);
        layout.place_administrations(facts, request);
        layout.place_dispenses(facts, request);
        layout.place_observations(facts, request);
        layout
    }

    fn place_encounters(&mut self, facts: &Facts, request: &Request) {
        for (at, encounter) in facts.encounters.iter().enumerate() {
            let is_asked_for = request.encounter.as_ref().is_none_or(|key| *key == encounter.origin.key);
            // What is planned stands in the plan, what was called off nowhere.
            let status = encounter.status.as_deref().unwrap_or_default();
            let happened = !matches!(status, "planned" | "cancelled" | "discontinued");
            if is_asked_for && happened && self.limits.overlaps(&encounter.period) {
                self.encounters.push(at);
            }
        }
    }

    /// A condition stands in one place: a concern among the concerns, a diagnosis that is over with its
    /// encounter, all else among the problems, where encounters refer to it.
    fn place_conditions(&mut self, facts: &Facts, request: &Request) {
        let encounter_at: HashMap<&str, usize> =
            self.encounters.iter().map(|at| (facts.encounters[*at].origin.key.as_str(), *at)).collect();
        let keys = facts.conditions.iter().enumerate();
        self.condition_at = keys.map(|(at, one)| (one.origin.key.clone(), at)).collect();
        for (at, condition) in facts.conditions.iter().enumerate() {
            let is = |code: &str| condition.categories.iter().any(|category| category.has(code));
            let active = is_active(condition);
            let link = condition.encounter.as_ref();
            if !self.is_in_range(condition) || !(active || belongs(facts, request, link)) {
                continue;
            }
            let encounter = link.and_then(|link| facts.key(link)).and_then(|key| encounter_at.get(key));
            let is_diagnosis = is("encounter-diagnosis") || is("diagnosis");
            match encounter {
                _ if is("problem-list-item") => self.problems.push(at),
                _ if is("health-concern") => self.concerns.push(at),
                Some(encounter) if is_diagnosis && !active => {
                    self.diagnoses.entry(*encounter).or_default().push(at)
                }
                _ => self.problems.push(at),
            }
        }
    }

    fn is_in_range(&self, condition: &Condition) -> bool {
        let onset = condition.onset.as_ref().and_then(Onset::moment);
        if is_active(condition) {
            return self.limits.has_begun(onset);
        }
        let start = onset.or(condition.recorded.as_ref()).cloned();
        let end = condition.abatement.as_ref().and_then(|end| period_of(Some(end)).end);
        self.limits.overlaps(&Period { start, end })
    }

    fn place_medications(&mut self, facts: &Facts, request: &Request) {
        for (at, medication) in facts.medications.iter().enumerate() {
            let status = medication.status.as_deref().unwrap_or_default();
            let intent = medication.intent.as_deref().unwrap_or_default();
            let is_current = is_current(medication);
            let period = medication_period(medication);
            let in_range = if is_current {
                self.limits.has_begun(period.start.as_ref())
            } else {
                self.limits.overlaps(&period)
            };
            let is_of_encounter = is_current || belongs(facts, request, medication.encounter.as_ref());
            if matches!(status, "cancelled") || !in_range || !is_of_encounter {
                continue;
            }
            let is_order = medication.kind == MedicationKind::Order;
            if matches!(status, "draft") || (is_order && matches!(intent, "proposal" | "plan" | "option")) {
                self.planned_medications.push(at);
            } else {
                self.medications.push(at);
            }
        }
        self.join_statements(facts);
    }

    /// A statement that rests on an order says more about the order.
    fn join_statements(&mut self, facts: &Facts) {
        let at_of = self.medications_by_key(facts);
        let mut joined = HashSet::new();
        for &at in &self.medications {
            let bases = facts.medications[at].based_on.iter().filter_map(|link| at_of.get(facts.key(link)?));
            let base = bases.copied().find(|base| *base != at);
            let is_statement = facts.medications[at].kind == MedicationKind::Statement;
            if let Some(base) = base.filter(|_| is_statement) {
                self.statements.entry(base).or_default().push(at);
                joined.insert(at);
            }
        }
        self.medications.retain(|at| !joined.contains(at));
    }

    fn place_administrations(&mut self, facts: &Facts, request: &Request) {
        let orders = self.medications_by_key(facts);
        for (at, administration) in facts.administrations.iter().enumerate() {
            let is_of_encounter = belongs(facts, request, administration.encounter.as_ref());
            if !is_of_encounter || !self.limits.touches(&administration.effective) {
                continue;
            }
            let by_link =
                administration.request.as_ref().and_then(|link| orders.get(facts.key(link)?).copied());
            let order = by_link.or_else(|| {
                // Without a link, an order of the same medication at the same encounter is the one meant.
                let encounter = administration.encounter.as_ref().and_then(|link| facts.key(link))?;
                let code = code_of(facts, &administration.code, administration.drug.as_ref())?;
                self.medications.iter().copied().find(|order| {
                    let order = &facts.medications[*order];
                    order.encounter.as_ref().and_then(|link| facts.key(link)) == Some(encounter)
                        && code_of(facts, &order.code, order.drug.as_ref()) == Some(code)
                })
            });
            match order {
                Some(order) => self.administrations.entry(order).or_default().push(at),
                None => self.lone_administrations.push(at),
            }
        }
    }

    fn place_dispenses(&mut self, facts: &Facts, request: &Request) {
        let orders = self.medications_by_key(facts);
        for (at, dispense) in facts.dispenses.iter().enumerate() {
            let status = dispense.status.as_deref().unwrap_or_default();
            if matches!(status, "cancelled" | "declined") {
                continue;
            }
            let order = dispense.requests.iter().find_map(|link| orders.get(facts.key(link)?).copied());
            match order {
                Some(order) => self.dispenses.entry(order).or_default().push(at),
                None => {
                    let when = dispense.when.clone().map(Period::at).unwrap_or_default();
                    if self.limits.touches(&when) && request.encounter.is_none() {
                        self.lone_dispenses.push(at);
                    }
                }
            }
        }
    }

    /// The medications with an entry, by key.
    fn medications_by_key<'f>(&self, facts: &'f Facts) -> HashMap<&'f str, usize> {
        self.medications.iter().map(|at| (facts.medications[*at].origin.key.as_str(), *at)).collect()
    }
}

/// The first code of a medication.
fn code_of<'a>(
    facts: &'a Facts,
    code: &'a charta_model::facts::Concept,
    drug: Option<&'a charta_model::facts::Link>,
) -> Option<&'a str> {
    let named = || facts.drugs.get(facts.key(drug?)?).map(|drug| &drug.code);
    let concept = if code.is_empty() { named()? } else { code };
    concept.codings.iter().find_map(|coding| coding.code.as_deref())
}

/// Whether a condition goes on.
pub(crate) fn is_active(condition: &Condition) -> bool {
    let status = condition.clinical_status.as_deref();
    let goes_on = match status {
        Some("inactive" | "remission" | "resolved") => false,
        Some("active" | "recurrence" | "relapse") => true,
        _ => condition.abatement.is_none(),
    };
    goes_on && condition.verification.as_deref() != Some("refuted")
}

/// Whether a medication is taken, or to be taken, for the time being.
pub(crate) fn is_current(medication: &Medication) -> bool {
    matches!(
        medication.status.as_deref(),
        None | Some("active" | "on-hold" | "intended" | "unknown" | "draft" | "recorded" | "in-progress")
    )
}

/// From when until when a medication is taken, as far as is said.
pub(crate) fn medication_period(medication: &Medication) -> Period {
    if !medication.effective.is_empty() {
        return medication.effective.clone();
    }
    let bounds =
        medication.dosages.iter().map(|dosage| &dosage.timing.bounds).find(|bounds| !bounds.is_empty());
    match bounds {
        Some(bounds) if bounds.start.is_some() => bounds.clone(),
        Some(bounds) => Period { start: medication.authored.clone(), end: bounds.end.clone() },
        None => Period { start: medication.authored.clone(), end: None },
    }
}
