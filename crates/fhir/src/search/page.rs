//! `_count`, `_summary` and `_elements`: what of the matches is shown.

use super::SearchError;
use super::parameter::Parameter;
use crate::represent::Summary;

/// What of the matches is shown.
#[derive(Debug, Default)]
pub(super) struct PageParameters {
    pub(super) count: Option<usize>,
    pub(super) summary: Option<Summary>,
    pub(super) elements: Option<Vec<String>>,
    pub(super) count_only: bool,
}

impl PageParameters {
    /// Takes the parameter if it is one of these.
    ///
    /// Clause: FHIR R4 search.html#count
    pub(super) fn take(&mut self, parameter: &Parameter<'_>) -> Result<bool, SearchError> {
        match parameter.name {
            "_count" => {
                let value = parameter.plain()?;
                let is_number = value.bytes().all(|b| b.is_ascii_digit());
                let reason = "a whole number, 0 or more, is expected";
                // More digits than a number can have are more than every page.
                let count = value.parse().unwrap_or(usize::MAX);
                self.count = Some(count).filter(|_| is_number && !value.is_empty());
                self.count_only |= self.count.ok_or_else(|| parameter.value_error(reason))? == 0;
            }
            "_summary" => match parameter.one_of(&["true", "text", "data", "count", "false"])? {
                "true" => self.summary = Some(Summary::True),
                "text" => self.summary = Some(Summary::Text),
                "data" => self.summary = Some(Summary::Data),
                "count" => self.count_only = true,
                _ => self.summary = Some(Summary::False),
            },
            "_elements" => {
                parameter.plain()?;
                let names = parameter.alternatives().map(str::trim);
                let names =
                    names.map(|name| name.split_once('.').map_or(name, |(_, element)| element).to_owned());
                self.elements.get_or_insert_default().extend(names);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
