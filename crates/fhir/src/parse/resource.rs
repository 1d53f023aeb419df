//! A judged envelope as a [`BinaryResource`]: what the model has a place for goes there, the rest
//! becomes its [`Source`].

use charta_model::{Label, Labels, MediaType, Reference, ResourceId, Source};

use crate::Version;

use super::elements::Type;
use super::value::{self, Object, Value, take};
use super::{BinaryResource, ReadError, ReadErrorKind, check};

/// The code systems of `SUBSETTED`, R4's and the one before.
const OBSERVATION_VALUE: [&str; 2] =
    ["http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "http://hl7.org/fhir/v3/ObservationValue"];

/// What a label can say of a Coding.
const LABEL: [&str; 5] = ["system", "version", "code", "display", "userSelected"];

/// Makes the resource of `envelope`, whose payload had bytes if `has_content`.
pub fn binary(
    mut envelope: Object,
    has_content: bool,
    version: Version,
) -> Result<BinaryResource, ReadError> {
    let payload = version.payload_element();
    take(&mut envelope, payload); // the place where it stood
    check::object(&envelope, Type::Binary, version, "Binary")?;
    let payload_required =
        Type::Binary.element(payload, version).is_some_and(|(_, element)| element.required);
    if payload_required && !has_content {
        return Err(check::required(&format!("Binary.{payload}")));
    }
    let id = text(&mut envelope, "id").map(|id| {
        ResourceId::new(&id).map_err(|error| fault(ReadErrorKind::Value, "Binary.id", &error.to_string()))
    });
    let content_type = text(&mut envelope, "contentType").unwrap_or_default();
    let content_type = MediaType::new(&content_type)
        .map_err(|error| fault(ReadErrorKind::CodeInvalid, "Binary.contentType", &error.to_string()))?;
    let security_context = security_context(&mut envelope)?;
    let (labels, subsetted) = meta(&mut envelope);
    let source = (!envelope.is_empty())
        .then(|| Source { dialect: version.name().to_owned(), body: value::write(&envelope) });
    Ok(BinaryResource {
        id: id.transpose()?,
        content_type,
        security_context,
        labels,
        has_content,
        subsetted,
        source,
    })
}

/// Takes the reference out; the element stays where it says more than that.
fn security_context(envelope: &mut Object) -> Result<Option<Reference>, ReadError> {
    let Some(Value::Object(mut members)) = take(envelope, "securityContext") else { return Ok(None) };
    let whole = members.clone();
    let reference = text(&mut members, "reference").map(|reference| {
        let path = "Binary.securityContext.reference";
        Reference::new(&reference).map_err(|error| fault(ReadErrorKind::Value, path, &error.to_string()))
    });
    if !members.is_empty() {
        envelope.push(("securityContext".into(), Value::Object(whole)));
    }
    reference.transpose()
}

/// Takes labels out, and what the server alone decides; says whether a tag calls it incomplete.
fn meta(envelope: &mut Object) -> (Labels, bool) {
    let Some(Value::Object(mut meta)) = take(envelope, "meta") else { return (Labels::default(), false) };
    for name in ["versionId", "_versionId", "lastUpdated", "_lastUpdated"] {
        take(&mut meta, name);
    }
    let labels = Labels {
        profiles: array(take(&mut meta, "profile")).into_iter().filter_map(string).collect(),
        security: labels(&mut meta, "security"),
        tags: labels(&mut meta, "tag"),
    };
    if !meta.is_empty() {
        envelope.push(("meta".into(), Value::Object(meta)));
    }
    let of_system =
        |tag: &Label| tag.system.as_deref().is_some_and(|system| OBSERVATION_VALUE.contains(&system));
    let subsetted = labels.tags.iter().any(|tag| tag.code.as_deref() == Some("SUBSETTED") && of_system(tag));
    (labels, subsetted)
}

/// Takes the labels `name` out; those stay that have more than a label can say.
fn labels(meta: &mut Object, name: &str) -> Vec<Label> {
    let codings = array(take(meta, name));
    let is_richer = |coding: &Value| match coding {
        Value::Object(members) => members.iter().any(|(name, _)| !LABEL.contains(&name.as_str())),
        _ => false,
    };
    let richer: Vec<Value> = codings.iter().filter(|coding| is_richer(coding)).cloned().collect();
    if !richer.is_empty() {
        meta.push((name.to_owned(), Value::Array(richer)));
    }
    codings.into_iter().map(label).filter(|label| *label != Label::default()).collect()
}

fn label(coding: Value) -> Label {
    let mut members = match coding {
        Value::Object(members) => members,
        _ => Object::new(),
    };
    Label {
        system: text(&mut members, "system"),
        version: text(&mut members, "version"),
        code: text(&mut members, "code"),
        display: text(&mut members, "display"),
        user_selected: match take(&mut members, "userSelected") {
            Some(Value::Bool(selected)) => Some(selected),
            _ => None,
        },
    }
}

fn text(object: &mut Object, name: &str) -> Option<String> {
    take(object, name).and_then(string)
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn array(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn fault(kind: ReadErrorKind, path: &str, message: &str) -> ReadError {
    ReadError::new(kind, path, message)
}
