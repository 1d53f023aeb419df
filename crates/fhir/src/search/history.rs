//! The parameters of a history.

use charta_model::Timestamp;

use super::page::PageParameters;
use super::parameter::Parameter;
use super::{SearchError, check_caps, date, is_about_the_answer};
use crate::Version;
use crate::represent::Summary;

/// The parameters of a history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryParameters {
    /// `_count`
    pub count: Option<usize>,
    /// `_since`
    pub since: Option<Timestamp>,
    /// `_at`, start included, end excluded; from STU3 on.
    pub at: Option<(Timestamp, Timestamp)>,
    /// `_summary`, except `count`.
    pub summary: Option<Summary>,
    /// `_elements`
    pub elements: Option<Vec<String>>,
    /// Only the total is wanted (`_summary=count`, `_count=0`).
    pub count_only: bool,
    /// The parameters that were used, as they go into the self link.
    pub used: Vec<(String, String)>,
    /// The names of those that were not.
    pub ignored: Vec<String>,
}

/// The parameters of a history, decoded, in their order.
///
/// A date in `_since` means its beginning; one in `_at` all of it.
///
/// # Errors
/// `Value` for one that cannot be read; `NotSupported` for an order that is not there.
///
/// Clause: FHIR R4 http.html#history
pub fn history(version: Version, parameters: &[(String, String)]) -> Result<HistoryParameters, SearchError> {
    check_caps(parameters)?;
    let mut found = HistoryParameters::default();
    let mut page = PageParameters::default();
    for (name, value) in parameters {
        let parameter = Parameter::new(name, value);
        if value.is_empty() || is_about_the_answer(&parameter) {
            continue;
        }
        let is_used = match parameter.name {
            "_since" => {
                found.since = Some(time(&parameter)?.0);
                true
            }
            "_at" if version >= Version::Stu3 => {
                found.at = Some(time(&parameter)?);
                true
            }
            "_sort" if version == Version::R5 => newest_first(&parameter)?,
            _ => page.take(&parameter)?,
        };
        if is_used {
            found.used.push((name.clone(), value.clone()));
        } else {
            found.ignored.push(name.clone());
        }
    }
    let PageParameters { count, summary, elements, count_only } = page;
    Ok(HistoryParameters { count, summary, elements, count_only, ..found })
}

fn time(parameter: &Parameter<'_>) -> Result<(Timestamp, Timestamp), SearchError> {
    date::range(parameter.plain()?).ok_or_else(|| parameter.value_error("a date or time is expected"))
}

/// R5 lets the client choose; newest first is what there is, and `none` is content with it.
fn newest_first(parameter: &Parameter<'_>) -> Result<bool, SearchError> {
    match parameter.plain()? {
        "-_lastUpdated" | "none" => Ok(true),
        _ => Err(parameter.not_supported("only -_lastUpdated is offered")),
    }
}
