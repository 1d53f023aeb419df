//! What a profile's clients know of searching: what must be given, what cannot be combined, how much is shown.

use charta_auth::{Action, covers};
use charta_fhir::{Profile, Version, search::Include};
use charta_model::ResourceType;

use crate::http::{call::Call, outcome::Refusal};

/// The rules of one search.
pub struct Rules {
    profile: Profile,
    version: Version,
    /// The type; `None` for several.
    kind: Option<ResourceType>,
    /// Whether an unknown parameter is an error, whatever the client prefers.
    pub strict: bool,
    /// The page size of who asks for none.
    pub count_default: usize,
    /// The largest page size.
    pub count_max: usize,
    /// How much may be found before it counts as too much.
    total_max: Option<u64>,
}

/// Most matches of a search on Soarian.
const SOARIAN_TOTAL_MAX: u64 = 499;

/// The rules of this endpoint for a search among these types.
pub fn of(call: &Call<'_>, kinds: &[ResourceType]) -> Rules {
    let profile = call.profile();
    let (count_default, count_max) = match profile {
        Profile::Millennium => (10, 100),
        Profile::Soarian => (50, 499),
        Profile::Standard | Profile::CareConnect => (20, 500),
    };
    let kind = match kinds {
        [kind] => Some(kind.clone()),
        _ => None,
    };
    // Decision 19.
    let strict = profile == Profile::Soarian;
    let total_max = (profile == Profile::Soarian).then_some(SOARIAN_TOTAL_MAX);
    Rules { profile, version: call.version(), kind, strict, count_default, count_max, total_max }
}

type Parameters = [(String, String)];

impl Rules {
    /// Refuses what the profile refuses.
    ///
    /// # Errors
    /// 400, with a reason.
    pub fn check(&self, parameters: &Parameters) -> Result<(), Refusal> {
        let kind = self.kind.as_ref().map_or("", ResourceType::as_str);
        match (self.profile, kind) {
            (Profile::Millennium, "DocumentReference") => self.millennium_documents(parameters),
            (Profile::Millennium, "DiagnosticReport") => self.millennium_reports(parameters),
            (Profile::Soarian, "DocumentReference") => soarian_documents(parameters),
            (Profile::Millennium | Profile::Soarian, _) => needs(parameters, &["_id", "patient", "subject"]),
            (Profile::Standard | Profile::CareConnect, _) => Ok(()),
        }
    }

    /// Refuses a search that finds too much.
    ///
    /// # Errors
    /// 400, with the number that is allowed.
    pub fn check_total(&self, total: u64) -> Result<(), Refusal> {
        match self.total_max {
            Some(max) if total > max => Err(Refusal::TooManyMatches { max }),
            _ => Ok(()),
        }
    }

    /// Refuses an include of a type that the caller has no scope for. Other profiles leave out what may not be seen.
    ///
    /// # Errors
    /// 403.
    pub fn check_includes(&self, call: &Call<'_>, includes: &[Include]) -> Result<(), Refusal> {
        let tells = matches!(self.profile, Profile::Millennium | Profile::Soarian);
        let covered = |include: &Include| covers(&call.grant, Action::Read, &include.source);
        if tells && !includes.iter().filter(|include| include.reverse).all(covered) {
            return Err(Refusal::Forbidden);
        }
        Ok(())
    }

    fn millennium_documents(&self, parameters: &Parameters) -> Result<(), Refusal> {
        let whose: &[&str] =
            if self.version == Version::Dstu2 { &["patient", "subject"] } else { &["_id", "patient"] };
        if self.version == Version::Dstu2 {
            needs(parameters, &["_id", "patient", "subject"])?;
            return pairs(parameters, "created");
        }
        needs(parameters, whose)?;
        alone(parameters)?;
        provenance_once(parameters)?;
        exclusive(parameters, &["date", "period", "_lastUpdated"])?;
        pairs(parameters, "period")?;
        let dates = values(parameters, "date");
        let whole_days = dates.iter().any(|date| !date.contains('T'));
        if dates.len() > 2 || dates.len() == 2 && whole_days {
            return refuse("date", "given twice, both need a time");
        }
        Ok(())
    }

    fn millennium_reports(&self, parameters: &Parameters) -> Result<(), Refusal> {
        needs(parameters, &["_id", "patient", "subject"])?;
        if self.version == Version::Dstu2 {
            return match values(parameters, "date")[..] {
                [only] if !only.starts_with("ge") => refuse("date", "a single date must have the prefix ge"),
                _ => Ok(()),
            };
        }
        alone(parameters)?;
        provenance_once(parameters)?;
        exclusive(parameters, &["date", "_lastUpdated"])
    }
}

fn soarian_documents(parameters: &Parameters) -> Result<(), Refusal> {
    needs(parameters, &["_id", "patient"])?;
    provenance_once(parameters)?;
    let is_note = |value: &&str| value.rsplit('|').next() == Some("clinical-note");
    if !values(parameters, "category").iter().all(is_note) {
        return refuse("category", "only clinical-note is supported");
    }
    if values(parameters, "date").len() > 2 {
        return refuse("date", "at most two dates are supported");
    }
    Ok(())
}

fn values<'p>(parameters: &'p Parameters, name: &str) -> Vec<&'p str> {
    let plain = |given: &str| given.split(':').next() == Some(name);
    parameters.iter().filter(|(given, _)| plain(given)).map(|(_, value)| value.as_str()).collect()
}

fn needs(parameters: &Parameters, one_of: &[&str]) -> Result<(), Refusal> {
    let given = |name: &&str| values(parameters, name).iter().any(|value| !value.is_empty());
    if one_of.iter().any(given) { Ok(()) } else { Err(Refusal::SearchNeeds(one_of.join(" or "))) }
}

/// `_id` names a document; nothing else can narrow that down.
fn alone(parameters: &Parameters) -> Result<(), Refusal> {
    let beside = ["_id", "_revinclude", "_format", "_pretty", "_page", "_method"];
    let others = parameters.iter().any(|(name, _)| !beside.contains(&name.as_str()));
    if values(parameters, "_id").is_empty() || !others {
        return Ok(());
    }
    refuse("_id", "it cannot be combined with other parameters")
}

fn provenance_once(parameters: &Parameters) -> Result<(), Refusal> {
    match values(parameters, "_revinclude")[..] {
        [] | ["Provenance:target"] => Ok(()),
        _ => refuse("_revinclude", "only Provenance:target is supported, once"),
    }
}

fn exclusive(parameters: &Parameters, names: &[&'static str]) -> Result<(), Refusal> {
    let mut given = names.iter().filter(|name| !values(parameters, name).is_empty());
    match (given.next(), given.next()) {
        (Some(_), Some(second)) => refuse(second, "it cannot be combined with the other dates"),
        _ => Ok(()),
    }
}

/// From `ge` or `gt` to `le` or `lt`, or not at all.
fn pairs(parameters: &Parameters, name: &'static str) -> Result<(), Refusal> {
    let starts = |value: &str| value.starts_with("ge") || value.starts_with("gt");
    let ends = |value: &str| value.starts_with("le") || value.starts_with("lt");
    match values(parameters, name)[..] {
        [] => Ok(()),
        [a, b] if starts(a) && ends(b) || ends(a) && starts(b) => Ok(()),
        _ => refuse(name, "it must be given twice, from ge or gt to le or lt"),
    }
}

fn refuse(parameter: &str, reason: &'static str) -> Result<(), Refusal> {
    Err(Refusal::Search(charta_fhir::search::SearchError::Value { parameter: parameter.to_owned(), reason }))
}
