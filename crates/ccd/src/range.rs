//! What falls into the time, or the encounter, that a document is asked for.

use charta_model::facts::{Link, Moment, Onset, Period};

use crate::{context::Context, request::Request};

/// The first and last millisecond that a request is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    start: i64,
    end: i64,
    /// The zone that dates without one are read in.
    minutes_east: i32,
}

impl Limits {
    pub(crate) fn new(request: &Request) -> Self {
        let end = request.end.as_ref().unwrap_or(&request.time);
        let zone = |moment: Option<&Moment>| moment.and_then(Moment::offset_minutes);
        let minutes_east = zone(request.start.as_ref()).or_else(|| zone(Some(end))).unwrap_or(0);
        Self {
            start: request.start.as_ref().map_or(i64::MIN, |start| start.span(minutes_east).0),
            end: end.span(minutes_east).1,
            minutes_east,
        }
    }

    /// Whether it is over before the end, or may be: what has no time does not begin too late.
    pub(crate) fn has_begun(&self, moment: Option<&Moment>) -> bool {
        moment.is_none_or(|moment| moment.span(self.minutes_east).0 <= self.end)
    }

    /// Whether it reaches into the time, as far as is known. What has no time does.
    pub(crate) fn overlaps(&self, period: &Period) -> bool {
        let reaches = |moment: &Moment| moment.span(self.minutes_east).1 >= self.start;
        let ends_late = match (&period.start, &period.end) {
            (_, Some(end)) => reaches(end),
            // It goes on, as far as is known.
            (_, None) => true,
        };
        ends_late && self.has_begun(period.start.as_ref().or(period.end.as_ref()))
    }

    /// As [`Self::overlaps`]; without an end it is over when it began.
    pub(crate) fn touches(&self, period: &Period) -> bool {
        let end = period.end.clone().or_else(|| period.start.clone());
        self.overlaps(&Period { start: period.start.clone(), end })
    }
}

/// The time that an onset stands for.
pub(crate) fn period_of(onset: Option<&Onset>) -> Period {
    match onset {
        Some(Onset::At(moment)) => Period::at(moment.clone()),
        Some(Onset::During(period)) => period.clone(),
        _ => Period::default(),
    }
}

/// Whether the fact belongs to the encounter that the document is about, if it is about one.
pub(crate) fn is_of_encounter(context: &Context<'_>, link: Option<&Link>) -> bool {
    belongs(context.facts, context.request, link)
}

/// The same before there is a context.
pub(crate) fn belongs(facts: &charta_model::facts::Facts, request: &Request, link: Option<&Link>) -> bool {
    match &request.encounter {
        None => true,
        Some(wanted) => link.and_then(|link| facts.key(link)) == Some(wanted.as_str()),
    }
}
