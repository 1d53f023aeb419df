//! What an operation is asked with: parameters of the URL, of a form or of a Parameters resource, and what is
//! wrong with them.
//!
//! Clause: FHIR R4 operations.html#request

use charta_fhir::{Node, represent::IssueCode};
use charta_model::{ResourceId, ResourceType, facts::Moment};
use http::header;

use crate::http::{
    call::Call,
    interaction::{prefer, resource_body, search},
    outcome::Refusal,
    request_body::RequestBody,
};

/// Names and values, in order.
pub type Given = [(String, String)];

/// What is wrong with a parameter of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It must be there.
    Missing,
    /// It may be there once.
    Repeated,
    /// Its value is not what it must be.
    Value(&'static str),
    /// It is not known here.
    Unknown,
}

impl Fault {
    /// The code of the issue that tells it.
    #[must_use]
    pub const fn code(self) -> IssueCode {
        match self {
            Self::Missing => IssueCode::Required,
            Self::Repeated => IssueCode::Invalid,
            Self::Value(_) => IssueCode::Value,
            Self::Unknown => IssueCode::NotSupported,
        }
    }

    /// A sentence for the client.
    #[must_use]
    pub fn text(self, parameter: &str) -> String {
        match self {
            Self::Missing => format!("[{parameter}] is required and is missing."),
            Self::Repeated => format!("[{parameter}] can be given once only."),
            Self::Value(expected) => format!("[{parameter}]: {expected}."),
            Self::Unknown => format!("[{parameter}] is not a parameter of this operation."),
        }
    }
}

/// A refusal for this parameter.
pub fn refused(name: &'static str, fault: Fault) -> Refusal {
    Refusal::Parameter { name: name.to_owned(), fault }
}

/// Parameters about the answer, which every request may have.
const OF_ANSWER: [&str; 5] = ["_format", "_pretty", "_summary", "_elements", "_method"];

/// Refuses parameters that are not `known`, where the client wants that.
///
/// # Errors
/// 400 with the name.
pub fn check_known(call: &Call<'_>, given: &Given, known: &[&str]) -> Result<(), Refusal> {
    let is_known = |name: &str| known.contains(&name) || OF_ANSWER.contains(&name);
    match given.iter().find(|(name, _)| !is_known(name)) {
        Some((name, _)) if prefer::strict_handling(call.headers) => {
            Err(Refusal::Parameter { name: name.clone(), fault: Fault::Unknown })
        }
        _ => Ok(()),
    }
}

/// The values of a parameter; an empty one is none.
pub fn all<'g>(given: &'g Given, name: &'static str) -> impl Iterator<Item = &'g str> {
    let of = move |(found, value): &'g (String, String)| (found == name).then_some(value.as_str());
    given.iter().filter_map(of).filter(|value| !value.is_empty())
}

/// The value of a parameter that may be there once.
///
/// # Errors
/// 400 if it is there more often.
pub fn once<'g>(given: &'g Given, name: &'static str) -> Result<Option<&'g str>, Refusal> {
    let mut values = all(given, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(refused(name, Fault::Repeated)),
    }
}

/// Whether a parameter says yes; not there it says no.
///
/// # Errors
/// 400 for anything but `true` and `false`.
pub fn flag(given: &Given, name: &'static str) -> Result<bool, Refusal> {
    match once(given, name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(refused(name, Fault::Value("true or false is expected"))),
    }
}

/// The id that a parameter gives: `12`, `Patient/12`, or the URL of that resource on this server.
///
/// # Errors
/// 400 for anything else.
pub fn id(call: &Call<'_>, name: &'static str, kind: &str, value: &str) -> Result<ResourceId, Refusal> {
    let text = call.app.local_part(value, call.tenant).unwrap_or(value);
    let text = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text);
    ResourceId::new(text).map_err(|_| refused(name, Fault::Value("an id is expected, such as 12")))
}

/// The patient, who must be there.
///
/// # Errors
/// 400 if there is none, or more than one.
pub fn patient(call: &Call<'_>, given: &Given) -> Result<ResourceId, Refusal> {
    let value = once(given, "patient")?.ok_or_else(|| refused("patient", Fault::Missing))?;
    id(call, "patient", ResourceType::PATIENT.as_str(), value)
}

/// From when until when.
#[derive(Debug, Clone, Default)]
pub struct Period {
    /// From then on.
    pub start: Option<Moment>,
    /// Until then.
    pub end: Option<Moment>,
}

/// The parameters `start` and `end`.
///
/// # Errors
/// 400 for what is no dateTime with a time and a zone, and for an end before the start.
pub fn period(given: &Given) -> Result<Period, Refusal> {
    let moment = |name| once(given, name)?.map(|value| moment(name, value)).transpose();
    let period = Period { start: moment("start")?, end: moment("end")? };
    if let Period { start: Some(start), end: Some(end) } = &period
        && end.span(0).1 < start.span(0).0
    {
        return Err(refused("end", Fault::Value("it is before start")));
    }
    Ok(period)
}

fn moment(name: &'static str, value: &str) -> Result<Moment, Refusal> {
    let expected = "a dateTime with time and zone is expected, such as 2024-05-01T12:00:00Z";
    let text = value.strip_prefix("eq").unwrap_or(value);
    // A plus that was not encoded arrives as a blank.
    let found = Moment::new(&text.replace(' ', "+"));
    let whole = found.ok().filter(|moment| moment.time().is_some() && moment.offset_minutes().is_some());
    whole.ok_or_else(|| refused(name, Fault::Value(expected)))
}

/// The parameters of a POST: those of the URL, then those of the body, if there is one.
///
/// # Errors
/// Those of a body; 400 for a resource that is no Parameters.
pub async fn of_post(call: &Call<'_>, body: RequestBody) -> Result<Vec<(String, String)>, Refusal> {
    let Some(content_type) = call.header(&header::CONTENT_TYPE) else { return Ok(call.parameters.to_vec()) };
    if content_type.starts_with("application/x-www-form-urlencoded") {
        return search::form(call, body).await;
    }
    let resource = resource_body::read(call, body).await?;
    if charta_fhir::resource::type_of(&resource) != Some("Parameters") {
        return Err(Refusal::TypeMismatch);
    }
    let mut given = call.parameters.to_vec();
    for parameter in resource.items_at("parameter") {
        let name = parameter.text_at("name").unwrap_or_default();
        given.extend(values(parameter)?.into_iter().map(|value| (name.to_owned(), value)));
    }
    Ok(given)
}

/// The value of a parameter as a URL would have it.
fn values(parameter: &Node) -> Result<Vec<String>, Refusal> {
    let Node::Object(members) = parameter else { return Ok(Vec::new()) };
    let Some((_, value)) = members.iter().find(|(name, _)| name.starts_with("value")) else {
        let name = parameter.text_at("name").unwrap_or_default().to_owned();
        return Err(Refusal::Parameter { name, fault: Fault::Value("a value is expected") });
    };
    let token = |coding: &Node| {
        let part = |name| coding.text_at(name).unwrap_or_default();
        format!("{}|{}", part("system"), part("code"))
    };
    Ok(match value {
        Node::String(text) => vec![text.clone().into_owned()],
        Node::Bool(value) => vec![value.to_string()],
        Node::Number(digits) => vec![digits.clone()],
        Node::Object(_) => match (value.text_at("reference"), value.items_at("coding")) {
            (Some(reference), _) => vec![reference.to_owned()],
            (None, []) => vec![token(value)],
            (None, codings) => codings.iter().map(token).collect(),
        },
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use charta_fhir::{Format, Version, resource};

    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn fault(refusal: Refusal) -> Fault {
        match refusal {
            Refusal::Parameter { fault, .. } => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_period_has_times_with_zones() {
        for (start, expected) in [
            ("2014-09-24T12:00:00.000Z", Some("2014-09-24T12:00:00.000Z")),
            ("eq2014-09-24T12:00:00Z", Some("2014-09-24T12:00:00Z")),
            ("2014-09-24T12:00:00+01:00", Some("2014-09-24T12:00:00+01:00")),
            ("2014-09-24T12:00:00 01:00", Some("2014-09-24T12:00:00+01:00")),
            ("2014-09-24", None),
            ("2014-09-24T12:00:00", None),
            ("ge2014-09-24T12:00:00Z", None),
            ("gt2014-09-24T12:00:00Z", None),
            ("2014-02-30T12:00:00Z", None),
            ("yesterday", None),
        ] {
            let found = period(&given(&[("start", start)]));
            match expected {
                Some(text) => assert_eq!(found.unwrap().start.unwrap().as_str(), text, "{start}"),
                None => assert!(matches!(fault(found.unwrap_err()), Fault::Value(_)), "{start}"),
            }
        }
    }

    #[test]
    fn an_end_before_the_start_and_a_second_start_are_refused() {
        let (early, late) = ("2014-09-24T12:00:00Z", "2014-09-24T12:00:01Z");
        assert!(period(&given(&[("start", early), ("end", late)])).is_ok());
        assert!(period(&given(&[("start", early), ("end", early)])).is_ok());
        let reversed = period(&given(&[("start", late), ("end", early)]));
        assert!(matches!(fault(reversed.unwrap_err()), Fault::Value(_)));
        let twice = period(&given(&[("start", early), ("start", early)]));
        assert_eq!(fault(twice.unwrap_err()), Fault::Repeated);
    }

    #[test]
    fn values_of_parameters_are_what_a_url_would_have() {
        for (text, expected) in [
            (r#""valueString":"12""#, vec!["12"]),
            (r#""valueReference":{"reference":"Patient/12"}"#, vec!["Patient/12"]),
            (r#""valueBoolean":true"#, vec!["true"]),
            (r#""valueCoding":{"system":"http://loinc.org","code":"1-8"}"#, vec!["http://loinc.org|1-8"]),
            (
                r#""valueCodeableConcept":{"coding":[{"system":"a","code":"b"},{"code":"c"}]}"#,
                vec!["a|b", "|c"],
            ),
        ] {
            let text = format!(r#"{{"resourceType":"Parameters","parameter":[{{"name":"p",{text}}}]}}"#);
            let resource = resource::read(text.as_bytes(), Format::Json, Version::R4).unwrap();
            assert_eq!(values(&resource.items_at("parameter")[0]).unwrap(), expected, "{text}");
        }
    }
}
