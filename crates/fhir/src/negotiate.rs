//! Which form of a document, or of any resource, a client gets: `Accept`, `_format`, `fhirVersion`.
//!
//! [`Wanted::new`] reads what the client sent and never refuses, so that every refusal can be written in
//! the caller's format. A Binary's own type is known only when it was found; then [`Wanted::choose`] decides.
//! Reading the header is left to `accept.rs`, the names of the FHIR formats to `name.rs`. Whether the
//! caller may have the document at all is decided elsewhere, and earlier.

mod accept;
mod name;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Reverse;

use charta_model::MediaType;

use crate::{Format, Profile, Version};
use accept::{Entry, Range, Rank};
use name::Name;

/// What an endpoint promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The version that it speaks.
    pub version: Version,
    /// Whose clients it serves.
    pub profile: Profile,
    /// Whether an `Accept` that covers neither the stored type nor a FHIR form is refused; if not, such a
    /// client gets the bytes.
    pub strict: bool,
}

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    rules: Rules,
    format: Option<AskedFormat>,
    /// The readable entries of `Accept`; empty means that everything is taken.
    entries: Vec<Entry>,
}

/// The form in which a Binary is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// The bytes, labelled with the stored type.
    Native,
    /// The Binary resource.
    Resource(FhirType),
}

/// A format and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FhirType {
    /// How the resource is written.
    pub format: Format,
    /// The answer's `Content-Type`.
    pub content_type: Cow<'static, str>,
}

/// Nothing that the client takes can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotAcceptable {
    /// What cannot be met.
    pub reason: Reason,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// `_format`.
    #[error("_format names a type in which this cannot be given")]
    Format,
    /// `Accept`.
    #[error("Accept names no type in which this can be given")]
    Accept,
    /// The parameter `fhirVersion`, in either of them.
    #[error("fhirVersion names a version that this endpoint does not serve")]
    FhirVersion,
}

/// The value of `_format`.
#[derive(Debug, Clone)]
enum AskedFormat {
    /// Some spelling of JSON or XML; whether its `fhirVersion`, if any, is the endpoint's.
    Fhir(Name, Option<bool>),
    /// Lower-case `type/subtype`, or whatever else it was.
    Other(Box<str>),
}

/// How much an answer is wanted; the larger, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    quality: u16,
    rank: Rank,
}

/// An answer in a FHIR form: what it is called (`None`: as the endpoint calls it) and whether the
/// client asked for the version by name.
#[derive(Debug, Clone, Copy)]
struct Form {
    format: Format,
    name: Option<Name>,
    versioned: bool,
}

impl Wanted {
    /// Reads the values of all `Accept` lines, well-formed or not, and the decoded value of `_format`.
    /// What cannot be read counts as not sent.
    #[must_use]
    pub fn new(rules: &Rules, accept: &[&str], format: Option<&str>) -> Self {
        let format = format.and_then(|text| AskedFormat::read(rules, text));
        Self { rules: *rules, format, entries: accept::read(rules, accept) }
    }

    /// The form of a Binary whose bytes are `stored`.
    ///
    /// A FHIR form is given only where it is named; `*/*` and `application/*` mean the bytes. Highest quality
    /// wins, on a tie the more specific entry, then the bytes, then the entry that was sent first.
    ///
    /// # Errors
    /// If the client takes neither the stored type nor a FHIR form and the endpoint does not give it the
    /// bytes all the same.
    ///
    /// Clause: FHIR R4 binary.html#rest
    pub fn choose(&self, stored: &MediaType) -> Result<Chosen, NotAcceptable> {
        match &self.format {
            Some(AskedFormat::Fhir(name, version)) => self.asked(*name, *version).map(Chosen::Resource),
            Some(AskedFormat::Other(essence)) if **essence == *stored.essence() => Ok(Chosen::Native),
            Some(AskedFormat::Other(_)) => Err(refused(Reason::Format)),
            None if self.entries.is_empty() => Ok(Chosen::Native),
            None => self.choose_by_accept(stored),
        }
    }

    /// The form of any resource that is not a Binary. Generic names count and are answered with the name that
    /// the client used; where none is named, it is the version's JSON.
    ///
    /// # Errors
    /// If the client takes neither FHIR JSON nor FHIR XML.
    ///
    /// Clause: FHIR R4 http.html#mime-type
    pub fn resource(&self) -> Result<FhirType, NotAcceptable> {
        match &self.format {
            Some(AskedFormat::Fhir(name, _)) if self.rules.has_no(name.format()) => {
                return Err(refused(Reason::Format));
            }
            Some(AskedFormat::Fhir(name, version)) => return self.asked(*name, *version),
            Some(AskedFormat::Other(_)) => return Err(refused(Reason::Format)),
            None if self.entries.is_empty() => return Ok(self.label(Form::own(Format::Json))),
            None => {}
        }
        let named =
            self.entries.iter().filter_map(|entry| Some((entry.claim(), self.any_resource_as(entry)?)));
        match self.wildcard().into_iter().chain(named).min_by_key(|(claim, _)| Reverse(*claim)) {
            Some((claim, form)) if claim.quality > 0 => Ok(self.label(form)),
            _ => Err(refused(self.reason())),
        }
    }

    /// The form of an OperationOutcome that says why the client does not get what it wanted: the FHIR type
    /// that it named, else the format of a generic name, else JSON.
    #[must_use]
    pub fn outcome(&self) -> FhirType {
        if let Some(AskedFormat::Fhir(name, version)) = &self.format {
            return self.label(Form { versioned: *version == Some(true), ..Form::asked(*name) });
        }
        let named = self.entries.iter().filter(|entry| entry.quality > 0).filter_map(|entry| {
            let Range::Named(name) = entry.range else { return None };
            let form = Form { versioned: entry.fhir_version == Some(true), ..Form::asked(name) };
            Some(((!name.is_generic(), entry.quality), form))
        });
        let wanted = named.min_by_key(|(order, _)| Reverse(*order));
        self.label(wanted.map_or(Form::own(Format::Json), |(_, form)| form))
    }

    fn choose_by_accept(&self, stored: &MediaType) -> Result<Chosen, NotAcceptable> {
        let native = self.native(stored);
        let forms =
            self.entries.iter().filter_map(|entry| Some((entry.claim(), self.binary_as(entry, stored)?)));
        // `min_by_key` gives the first of equals: the one that was sent first.
        match forms.min_by_key(|(claim, _)| Reverse(*claim)) {
            Some((claim, form)) if native.is_none_or(|native| native < claim) => {
                Ok(Chosen::Resource(self.label(form)))
            }
            _ if native.is_some_and(|native| native.quality > 0) => Ok(Chosen::Native),
            _ if native.is_none() && self.falls_back_to_native() => Ok(Chosen::Native),
            _ => Err(refused(self.reason())),
        }
    }

    /// How much the bytes are wanted; `None` if nothing is said about them. The most specific entry speaks.
    fn native(&self, stored: &MediaType) -> Option<Claim> {
        let covering =
            self.entries.iter().filter_map(|entry| Some((entry.covers(stored, &self.rules)?, entry.quality)));
        covering.max().map(|(rank, quality)| Claim { quality, rank })
    }

    /// The FHIR form of a Binary that an entry names, if it names one that can be given.
    fn binary_as(&self, entry: &Entry, stored: &MediaType) -> Option<Form> {
        let Range::Named(name) = entry.range else { return None };
        if entry.quality == 0 || entry.fhir_version == Some(false) {
            return None;
        }
        if !name.is_generic() {
            return Some(Form { versioned: entry.fhir_version.is_some(), ..Form::asked(name) });
        }
        let means_form = name.format() == Format::Json
            && !stored.is_json()
            && self.rules.generic_json() == GenericJson::Form
            && !self.excludes(Format::Json);
        means_form.then(|| Form { versioned: entry.fhir_version.is_some(), ..Form::own(Format::Json) })
    }

    /// The form of any other resource that an entry names, if it names one that can be given.
    fn any_resource_as(&self, entry: &Entry) -> Option<Form> {
        let Range::Named(name) = entry.range else { return None };
        let is_known = !self.rules.has_no(name.format());
        let given = entry.quality > 0 && entry.fhir_version != Some(false) && is_known;
        let form = Form { name: Some(name), ..Form::asked(name) };
        given.then_some(Form { versioned: entry.fhir_version.is_some(), ..form })
    }

    /// What `*/*` or `application/*` means where there are no bytes: JSON, or XML if JSON is excluded.
    fn wildcard(&self) -> Option<(Claim, Form)> {
        let wide = |entry: &&Entry| match &entry.range {
            Range::Anything => true,
            Range::Kind(kind) => &**kind == "application",
            _ => false,
        };
        let widest = self.entries.iter().filter(wide).max_by_key(|entry| (entry.rank(), entry.quality))?;
        let format = [Format::Json, Format::Xml]
            .into_iter()
            .find(|format| !self.excludes(*format) && !self.rules.has_no(*format))?;
        Some((widest.claim(), Form::own(format)))
    }

    /// Whether the client refuses a FHIR form by name, in whatever spelling.
    fn excludes(&self, format: Format) -> bool {
        let mut refused = false;
        for entry in &self.entries {
            match entry.range {
                Range::Named(name) if !name.is_generic() && name.format() == format => {
                    if entry.quality > 0 {
                        return false;
                    }
                    refused = true;
                }
                _ => {}
            }
        }
        refused
    }

    /// Whether a client that takes nothing we have, and did not exclude the bytes, gets them all the same.
    fn falls_back_to_native(&self) -> bool {
        let refuses_generic_json = self.rules.generic_json() == GenericJson::Refused;
        match self.rules.profile {
            _ if self.rules.strict || self.names_unserved_version() => false,
            Profile::Soarian => false,
            _ => !(refuses_generic_json && self.names_only_generic_json()),
        }
    }

    fn names_unserved_version(&self) -> bool {
        let unserved = |entry: &Entry| match entry.range {
            Range::Named(name) => {
                !name.is_generic() && entry.quality > 0 && entry.fhir_version == Some(false)
            }
            _ => false,
        };
        self.entries.iter().any(unserved)
    }

    fn names_only_generic_json(&self) -> bool {
        let generic_json = |entry: &Entry| match entry.range {
            Range::Named(name) => name.is_generic() && name.format() == Format::Json,
            _ => false,
        };
        let mut taken = self.entries.iter().filter(|entry| entry.quality > 0).peekable();
        taken.peek().is_some() && taken.all(generic_json)
    }

    fn reason(&self) -> Reason {
        if self.names_unserved_version() { Reason::FhirVersion } else { Reason::Accept }
    }

    /// The answer to a `_format` that names JSON or XML.
    fn asked(&self, name: Name, version: Option<bool>) -> Result<FhirType, NotAcceptable> {
        match version {
            Some(false) => Err(refused(Reason::FhirVersion)),
            _ => Ok(self.label(Form { versioned: version.is_some(), ..Form::asked(name) })),
        }
    }

    /// DSTU2 and STU3 want the charset stated.
    ///
    /// Clause: FHIR STU3 http.html#mime-type
    fn label(&self, form: Form) -> FhirType {
        let version = self.rules.version;
        let plain = match form.name {
            None => version.content_type(form.format),
            Some(name) if version.is_r4_or_later() => name.as_str(),
            Some(name) => name.with_charset(),
        };
        let content_type = if form.versioned {
            Cow::Owned(format!("{plain}; fhirVersion={}", version.mime_parameter()))
        } else {
            Cow::Borrowed(plain)
        };
        FhirType { format: form.format, content_type }
    }
}

/// What `application/json` means for a Binary whose bytes are not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GenericJson {
    /// The Binary as FHIR JSON.
    Form,
    /// Nothing: the client is refused.
    Refused,
    /// A type like any other that does not fit.
    AnyOther,
}

impl Rules {
    fn generic_json(&self) -> GenericJson {
        match (self.profile, self.version) {
            (Profile::Soarian, _) | (Profile::Millennium, Version::Dstu2) => GenericJson::Form,
            (Profile::Millennium, _) => GenericJson::Refused,
            (Profile::Standard | Profile::CareConnect, _) => GenericJson::AnyOther,
        }
    }

    /// Whether resources other than Binary are not written in a format. Soarian knows JSON alone.
    fn has_no(&self, format: Format) -> bool {
        self.profile == Profile::Soarian && format == Format::Xml
    }

    /// Millennium's DSTU2 clients send `html` and `application/xhtml+xml` where they mean HTML.
    fn html_by_other_names(&self) -> bool {
        self.profile == Profile::Millennium && self.version == Version::Dstu2
    }

    /// Whether a value of `fhirVersion` is the version that the endpoint speaks.
    fn serves(&self, fhir_version: &str) -> bool {
        fhir_version == self.version.mime_parameter() || fhir_version == self.version.number()
    }
}

impl AskedFormat {
    /// `None` if the value is empty, which is as if it were not sent.
    fn read(rules: &Rules, text: &str) -> Option<Self> {
        let text = text.trim();
        let (essence, parameters) = accept::split_parameters(text);
        if essence.is_empty() {
            return None;
        }
        let name = match essence {
            _ if essence.eq_ignore_ascii_case("json") => Some(Name::ApplicationJson),
            _ if essence.eq_ignore_ascii_case("xml") => Some(Name::ApplicationXml),
            _ if essence.eq_ignore_ascii_case("html") => return Some(Self::Other("text/html".into())),
            // A plus sign that was not encoded arrives as a space.
            _ if essence.contains(' ') => Name::of(&essence.replace(' ', "+")),
            _ => Name::of(essence),
        };
        Some(match name {
            Some(name) => Self::Fhir(name, accept::fhir_version(rules, parameters)),
            None => Self::Other(essence.replace(' ', "+").to_ascii_lowercase().into()),
        })
    }
}

impl Form {
    const fn own(format: Format) -> Self {
        Self { format, name: None, versioned: false }
    }

    /// A FHIR type keeps the name that the client used; a generic one means the endpoint's own.
    const fn asked(name: Name) -> Self {
        let kept = if name.is_generic() { None } else { Some(name) };
        Self { format: name.format(), name: kept, versioned: false }
    }
}

const fn refused(reason: Reason) -> NotAcceptable {
    NotAcceptable { reason }
}
