//! Search parameters -> [`Query`].
//!
//! What is not understood is never dropped in silence where that would widen a search: a modifier or
//! prefix that is not supported is an error. A parameter that is not known is left out of `used`, and so
//! of the self link, where the client sees it.

mod date;
mod filter;
mod history;
mod include;
mod page;
mod parameter;
mod sort;
mod value;
mod vocabulary;

use charta_model::{Filter, Order, Query, ResourceType};

use crate::Version;
use crate::represent::{Subset, Summary};

use filter::Filtered;
use page::PageParameters;
use parameter::Parameter;

pub use date::range as date_range;
pub use include::Include;
pub use vocabulary::{Among, scope};

pub use history::{HistoryParameters, history};

/// What the parameters are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A search of a client, which the server offers in DSTU2 and STU3.
    Search {
        /// Whether an unknown parameter is an error (`Prefer: handling=strict`).
        strict: bool,
        /// The page size of who asks for none.
        count_default: usize,
        /// The largest page size.
        count_max: usize,
    },
    /// The criteria of a conditional write, where an unknown parameter is always an error.
    Criteria,
}

/// A search that can be carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What is looked for. Criteria are limited to two documents: enough to tell one from many.
    pub query: Query,
    /// The parameters that were used, as they go into the self link.
    pub used: Vec<(String, String)>,
    /// The names of those that were not.
    pub ignored: Vec<String>,
    /// `_summary`, except `count`.
    pub summary: Option<Summary>,
    /// `_elements`
    pub elements: Option<Vec<String>>,
    /// Only the total is wanted (`_summary=count`, `_count=0`).
    pub count_only: bool,
    /// `_include` and `_revinclude`
    pub includes: Vec<Include>,
}

/// Why a search is refused. Values are never in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// A parameter, modifier or prefix that is not there.
    #[error("search parameter {parameter}: {reason}")]
    NotSupported {
        /// Its name.
        parameter: String,
        /// What is not supported.
        reason: &'static str,
    },
    /// A value that does not have the form of its type.
    #[error("search parameter {parameter}: {reason}")]
    Value {
        /// Its name.
        parameter: String,
        /// What was expected.
        reason: &'static str,
    },
    /// More parameters or alternatives than are looked at.
    #[error("{0}")]
    TooCostly(&'static str),
    /// A condition that says nothing.
    #[error("the criteria have no search parameter that narrows them down")]
    NoCriteria,
}

/// Most parameters that are looked at.
const PARAMETERS_MAX: usize = 64;
/// Most alternatives, over all parameters.
const ALTERNATIVES_MAX: usize = 256;

/// The parameters of a search on Binary, decoded, in their order.
///
/// `contenttype` and `size` exist in DSTU2 and STU3 alone; `size` is ours.
///
/// # Errors
/// See [`SearchError`].
///
/// Clause: FHIR STU3 search.html
pub fn binary(
    version: Version,
    parameters: &[(String, String)],
    purpose: Purpose,
) -> Result<Parsed, SearchError> {
    resources(Among { version, kinds: &[ResourceType::BINARY], bases: &[] }, parameters, purpose)
}

/// The parameters of a search among these types, decoded, in their order.
///
/// # Errors
/// See [`SearchError`].
///
/// Clause: FHIR R4 search.html
pub fn resources(
    among: Among<'_>,
    parameters: &[(String, String)],
    purpose: Purpose,
) -> Result<Parsed, SearchError> {
    check_caps(parameters)?;
    match purpose {
        Purpose::Search { strict, count_default, count_max } => {
            let mut search = Search::new(among, strict, count_max);
            parameters.iter().try_for_each(|(name, value)| search.take(name, value))?;
            search.check()?;
            Ok(search.finish(count_default))
        }
        Purpose::Criteria => criteria(among, parameters),
    }
}

/// `_summary` and `_elements` of a read; other parameters are left alone.
///
/// # Errors
/// `Value` for a `_summary` that does not exist, or `count`, which only searches have.
pub fn subset(parameters: &[(String, String)]) -> Result<Subset, SearchError> {
    let mut page = PageParameters::default();
    for (name, value) in parameters {
        let parameter = Parameter::new(name, value);
        if matches!(parameter.name, "_summary" | "_elements") && !value.is_empty() {
            page.take(&parameter)?;
        }
        if page.count_only {
            return Err(parameter.value_error("true, text, data or false"));
        }
    }
    Ok(Subset { summary: page.summary, elements: page.elements })
}

/// The start and the end of a FHIR date in milliseconds since 1970, end excluded.
pub(crate) fn date_range_ms(text: &str) -> Option<(i64, i64)> {
    date::range_ms(text)
}

struct Search<'a> {
    among: Among<'a>,
    strict: bool,
    count_max: usize,
    filters: Vec<Filter>,
    order: Vec<Order>,
    page: PageParameters,
    uncounted: bool,
    used: Vec<(String, String)>,
    ignored: Vec<String>,
    includes: Vec<Include>,
}

impl<'a> Search<'a> {
    fn new(among: Among<'a>, strict: bool, count_max: usize) -> Self {
        let (filters, order, used, ignored, includes) = Default::default();
        let page = PageParameters::default();
        let uncounted = false;
        Self { among, strict, count_max, filters, order, page, uncounted, used, ignored, includes }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), SearchError> {
        let parameter = Parameter::new(name, value);
        if value.is_empty() || is_about_the_answer(&parameter) {
            return Ok(());
        }
        let used = match self.among.filter(&parameter)? {
            Filtered::Unknown if parameter.name == "_sort" => self.take_sort(&parameter)?,
            Filtered::Unknown if matches!(parameter.name, "_include" | "_revinclude") => {
                include::include(&self.among, &parameter)?.map(|include| {
                    self.includes.push(include);
                    value.to_owned()
                })
            }
            Filtered::Unknown if parameter.name == "_contained" => {
                parameter.one_of(&["false"])?;
                Some(value.to_owned())
            }
            Filtered::Unknown if parameter.name == "_total" && self.among.version.is_r4_or_later() => {
                self.uncounted = parameter.one_of(&["none", "estimate", "accurate"])? == "none";
                Some(value.to_owned())
            }
            Filtered::Unknown => self.page.take(&parameter)?.then(|| value.to_owned()),
            Filtered::All => Some(value.to_owned()),
            Filtered::By(filter) => {
                self.filters.push(filter);
                Some(value.to_owned())
            }
        };
        match used {
            Some(_) if parameter.name == "_count" => {
                let count = self.page.count.unwrap_or_default().min(self.count_max);
                self.used.push((name.to_owned(), count.to_string()));
            }
            Some(value) => self.used.push((name.to_owned(), value)),
            None if self.strict => return Err(parameter.not_supported("this parameter is not known here")),
            None => self.ignored.push(name.to_owned()),
        }
        Ok(())
    }

    /// The part of the value that was used, if any.
    fn take_sort(&mut self, parameter: &Parameter<'_>) -> Result<Option<String>, SearchError> {
        let (order, used, unknown) = sort::sort(&self.among, parameter)?;
        self.order.extend(order);
        if unknown && self.strict {
            return Err(parameter.not_supported("this order is not offered"));
        }
        if unknown && !used.is_empty() {
            self.ignored.push(parameter.name.to_owned());
        }
        Ok((!used.is_empty()).then_some(used))
    }

    /// Clause: FHIR R4 search.html#summary
    fn check(&self) -> Result<(), SearchError> {
        match self.page.summary == Some(Summary::Text) && !self.includes.is_empty() {
            true => Err(SearchError::NotSupported {
                parameter: "_summary".to_owned(),
                reason: "text cannot be combined with _include and _revinclude",
            }),
            false => Ok(()),
        }
    }

    fn finish(self, count_default: usize) -> Parsed {
        let limit = self.page.count.unwrap_or(count_default).min(self.count_max);
        Parsed {
            query: Query {
                scopes: self.among.scopes(),
                filters: self.filters,
                order: self.order,
                limit,
                offset: 0,
                uncounted: self.uncounted && !self.page.count_only,
            },
            used: self.used,
            ignored: self.ignored,
            summary: self.page.summary,
            elements: self.page.elements,
            count_only: self.page.count_only,
            includes: self.includes,
        }
    }
}

/// Clause: FHIR R4 http.html#ccreate
fn criteria(among: Among<'_>, parameters: &[(String, String)]) -> Result<Parsed, SearchError> {
    let mut filters = Vec::new();
    let mut used = Vec::new();
    for (name, value) in parameters {
        let parameter = Parameter::new(name, value);
        if value.is_empty() || is_about_the_answer(&parameter) {
            continue;
        }
        match among.filter(&parameter)? {
            // Left out, it would find, and change, more than was meant.
            Filtered::Unknown => return Err(parameter.not_supported("this parameter is no criterion here")),
            Filtered::All => {}
            Filtered::By(filter) => filters.push(filter),
        }
        used.push((name.clone(), value.clone()));
    }
    if filters.is_empty() {
        return Err(SearchError::NoCriteria);
    }
    let query = Query { scopes: among.scopes(), filters, limit: 2, ..Query::default() };
    Ok(Parsed {
        query,
        used,
        ignored: Vec::new(),
        summary: None,
        elements: None,
        count_only: false,
        includes: Vec::new(),
    })
}

/// Whether it tells how the answer is written, which is negotiated elsewhere.
fn is_about_the_answer(parameter: &Parameter<'_>) -> bool {
    matches!(parameter.name, "_format" | "_pretty")
}

fn check_caps(parameters: &[(String, String)]) -> Result<(), SearchError> {
    if parameters.len() > PARAMETERS_MAX {
        return Err(SearchError::TooCostly("more than 64 search parameters"));
    }
    let alternatives: usize = parameters.iter().map(|(_, value)| value.matches(',').count() + 1).sum();
    if alternatives > ALTERNATIVES_MAX {
        return Err(SearchError::TooCostly("more than 256 alternatives in search parameters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
