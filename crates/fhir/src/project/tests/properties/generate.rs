//! Resources of a version, as its tables have them: written down here once more, so that a mistake in the
//! rows does not hide itself.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::*;

type Any = BoxedStrategy<Node>;

/// A resource of `version` whose references, and whatever else depends on it, `other` can have too.
pub(super) fn resource(resource_type: &'static str, version: Version, other: Version) -> Any {
    let both = Both { version, other };
    let own = match resource_type {
        "DocumentReference" => both.document_reference(),
        "DiagnosticReport" => both.diagnostic_report(),
        _ => both.patient(),
    };
    let whole = vec![
        ("resourceType", Presence::Always, Just(Node::text(resource_type)).boxed()),
        ("id", Presence::Maybe, word()),
        ("language", Presence::Maybe, word()),
        ("_language", Presence::Maybe, beside()),
        ("extension", Presence::Maybe, extensions()),
        ("modifierExtension", Presence::Maybe, extensions()),
    ];
    object(whole.into_iter().chain(own).collect())
}

#[derive(Clone, Copy)]
enum Presence {
    Always,
    Maybe,
}

use Presence::{Always, Maybe};

type Fields = Vec<(&'static str, Presence, Any)>;

#[derive(Clone, Copy)]
struct Both {
    version: Version,
    other: Version,
}

impl Both {
    fn document_reference(self) -> Fields {
        let Self { version, .. } = self;
        let mut fields = vec![
            ("identifier", Maybe, some(self.identifier())),
            ("status", Always, code(&["current", "superseded", "entered-in-error"])),
            ("_status", Maybe, beside()),
            ("type", if version < R4 { Always } else { Maybe }, concept()),
            (
                "subject",
                Maybe,
                self.reference(&["Patient", "Practitioner", "Group", "Device"], &[(R5, "Location")]),
            ),
            (
                "author",
                Maybe,
                some(self.reference(
                    &["Practitioner", "Organization", "Device", "Patient", "RelatedPerson"],
                    &[(R4, "PractitionerRole"), (R5, "CareTeam")],
                )),
            ),
            ("custodian", Maybe, self.reference(&["Organization"], &[])),
            ("relatesTo", Maybe, some(self.relates_to())),
            ("description", Maybe, word()),
            ("_description", Maybe, beside()),
            ("securityLabel", Maybe, some(concept())),
            ("content", Maybe, some(self.content())),
        ];
        if version < R4 {
            fields.push(("class", Maybe, concept()));
            fields.push(("created", Maybe, word()));
            fields.push(("_created", Maybe, beside()));
            fields.push(("indexed", Always, word()));
        } else {
            fields.push(("category", Maybe, some(concept())));
            // An older version would have the time of the last update instead.
            fields.push(("date", Always, word()));
        }
        fields.push(("docStatus", Maybe, self.doc_status()));
        let role = [(R4, "PractitionerRole")];
        let context = vec![
            ("facilityType", Maybe, concept()),
            ("practiceSetting", Maybe, concept()),
            ("period", Maybe, object(vec![("start", Always, word()), ("end", Maybe, word())])),
        ];
        let encounter = self.reference(&["Encounter"], &[(R4, "EpisodeOfCare"), (R5, "Appointment")]);
        if version == R5 {
            fields.extend(context);
            fields.extend([
                ("version", Maybe, word()),
                ("_version", Maybe, beside()),
                ("basedOn", Maybe, some(self.reference(&["ServiceRequest"], &[]))),
                ("modality", Maybe, some(concept())),
                ("bodySite", Maybe, some(self.codeable_reference())),
                ("event", Maybe, some(self.codeable_reference())),
                ("context", Maybe, some(encounter)),
                ("attester", Maybe, self.attesters()),
            ]);
            return fields;
        }
        fields.push(("masterIdentifier", Maybe, self.identifier()));
        fields.push(("authenticator", Maybe, self.reference(&["Practitioner", "Organization"], &role)));
        let mut context = context;
        context.push(("event", Maybe, some(concept())));
        context.push(("encounter", Maybe, if version < R4 { encounter } else { some(encounter) }));
        context.push(("sourcePatientInfo", Always, self.reference(&["Patient"], &[])));
        context.push(("related", Maybe, some(self.related())));
        fields.push(("context", Maybe, object(context)));
        fields
    }

    fn doc_status(self) -> Any {
        let old = ["preliminary", "final", "amended", "entered-in-error"];
        let new = ["registered", "partial", "corrected", "appended", "cancelled", "deprecated", "unknown"];
        match self.version {
            Dstu2 => prop_oneof![concept(), coded("http://hl7.org/fhir/composition-status", &old)].boxed(),
            R5 => prop_oneof![code(&old), code(&new)].boxed(),
            _ => code(&old),
        }
    }

    fn relates_to(self) -> Any {
        let old = ["replaces", "transforms", "signs", "appends"];
        let code = if self.version < R5 {
            code(&old)
        } else {
            let system = "http://hl7.org/fhir/document-relationship-type";
            let in_all = coded(system, &old);
            // Those that become extensions come back behind the others.
            if self.other == R5 { prop_oneof![in_all, concept()].boxed() } else { in_all }
        };
        backbone(vec![
            ("code", Always, code),
            ("target", Always, self.reference(&["DocumentReference"], &[])),
        ])
    }

    fn content(self) -> Any {
        let attachment = ("attachment", Always, self.attachment());
        let coding = || coding("urn:formats");
        let format = match self.version {
            Dstu2 => ("format", Maybe, some(coding())),
            R5 => {
                let profile = |name, value| object(vec![(name, Always, value)]);
                let codings = vec(profile("valueCoding", coding()), 1..3);
                let uris = vec(profile("valueUri", word()), 0..2);
                let all = (codings, uris).prop_map(|(codings, uris)| Node::Array([codings, uris].concat()));
                ("profile", Maybe, all.boxed())
            }
            _ => ("format", Maybe, coding()),
        };
        backbone(vec![attachment, format])
    }

    fn attesters(self) -> Any {
        let professional = coded("http://hl7.org/fhir/composition-attestation-mode", &["professional"]);
        let attester = |mode, party| {
            object(vec![
                ("mode", Always, mode),
                ("time", Maybe, word()),
                ("_time", Maybe, beside()),
                ("party", Maybe, party),
            ])
        };
        let first = attester(
            professional,
            self.reference(&["Practitioner", "Organization"], &[(R4, "PractitionerRole")]),
        );
        let others = vec(attester(concept(), self.reference(&["Patient", "RelatedPerson"], &[])), 0..3);
        (first, others).prop_map(|(first, others)| Node::Array([vec![first], others].concat())).boxed()
    }

    fn related(self) -> Any {
        let reference = || ("reference", Always, Just(Node::text("Observation/1")).boxed());
        let identifier = |presence| ("identifier", presence, self.identifier());
        if self.version < R4 {
            let target = object(vec![reference(), ("display", Maybe, word())]);
            return prop_oneof![
                object(vec![identifier(Always)]),
                object(vec![identifier(Maybe), ("ref", Always, target)])
            ]
            .boxed();
        }
        prop_oneof![
            object(vec![identifier(Always)]),
            object(vec![
                identifier(Maybe),
                reference(),
                ("display", Maybe, word()),
                ("extension", Maybe, extensions())
            ])
        ]
        .boxed()
    }

    fn diagnostic_report(self) -> Fields {
        let Self { version, .. } = self;
        let demanded = if version == Dstu2 { Always } else { Maybe };
        let mut status =
            vec!["registered", "partial", "final", "corrected", "appended", "cancelled", "entered-in-error"];
        if version > Dstu2 {
            status.extend(["preliminary", "amended", "unknown"]);
        }
        if version == R5 {
            status.push("modified");
        }
        let performer =
            self.reference(&["Practitioner", "Organization"], &[(R4, "PractitionerRole"), (R4, "CareTeam")]);
        let media = |target| {
            let link = self.reference(&[target], &[]);
            some(backbone(vec![("comment", Maybe, word()), ("link", Always, link)]))
        };
        let crosses_r5 = (version == R5) != (self.other == R5);
        let media = match version {
            // A link that is not allowed takes its structure along; one without a type is.
            R5 => media(if crosses_r5 { "urn:uuid" } else { "DocumentReference" }),
            _ => media(if crosses_r5 { "urn:uuid" } else { "Media" }),
        };
        let subject = self
            .reference(&["Patient", "Group", "Device", "Location"], &[(R5, "BiologicallyDerivedProduct")]);
        let encounter = self.reference(&["Encounter"], &[]);
        let study = self.reference(&["ImagingStudy"], &[(R5, "GenomicStudy")]);
        let mut fields = vec![
            ("identifier", Maybe, some(self.identifier())),
            ("status", Always, select(status).prop_map(Node::text).boxed()),
            ("_status", Maybe, beside()),
            ("code", Always, concept()),
            ("subject", demanded, subject),
            (if version == Stu3 { "context" } else { "encounter" }, Maybe, encounter),
            ("issued", demanded, word()),
            ("specimen", Maybe, some(self.reference(&["Specimen"], &[]))),
            ("result", Maybe, some(self.reference(&["Observation"], &[]))),
            (if version == R5 { "study" } else { "imagingStudy" }, Maybe, some(study)),
            (if version < R4 { "image" } else { "media" }, Maybe, media),
            ("conclusion", Maybe, word()),
            ("_conclusion", Maybe, beside()),
            (if version < R4 { "codedDiagnosis" } else { "conclusionCode" }, Maybe, some(concept())),
            ("presentedForm", Maybe, some(self.attachment())),
            ("category", Maybe, if version < R4 { concept() } else { some(concept()) }),
        ];
        fields.push(match version {
            Dstu2 => ("effectiveDateTime", Always, word()),
            _ => ("effectivePeriod", Maybe, object(vec![("start", Always, word())])),
        });
        fields.push(match version {
            Dstu2 => ("performer", Always, performer),
            Stu3 => {
                let actor = ("actor", Always, performer);
                ("performer", Maybe, some(object(vec![("role", Maybe, concept()), actor])))
            }
            _ => ("performer", Maybe, some(performer)),
        });
        fields.push(match version {
            Dstu2 => ("request", Maybe, some(self.reference(&["ProcedureRequest"], &[]))),
            Stu3 => ("basedOn", Maybe, some(self.reference(&["CarePlan"], &[]))),
            _ => ("basedOn", Maybe, some(self.reference(&["ServiceRequest"], &[]))),
        });
        if version >= R4 {
            fields.push((
                "resultsInterpreter",
                Maybe,
                some(self.reference(&["Practitioner", "CareTeam"], &[])),
            ));
        }
        if version == R5 {
            let note = object(vec![
                ("text", Always, word()),
                ("authorReference", Maybe, self.reference(&["Patient"], &[])),
            ]);
            let info = object(vec![
                ("type", Always, concept()),
                ("reference", Always, self.reference(&["Observation"], &[])),
            ]);
            fields.push(("note", Maybe, some(note)));
            fields.push(("supportingInfo", Maybe, some(info)));
            fields.push(("composition", Maybe, self.reference(&["Composition"], &[])));
        }
        fields
    }

    fn patient(self) -> Fields {
        let Self { version, .. } = self;
        let mut link_types = vec!["refer", "seealso"];
        link_types.extend(if version == Dstu2 { &["replace"][..] } else { &["replaced-by", "replaces"] });
        let other = self.reference(&["Patient"], &[(Stu3, "RelatedPerson")]);
        let link = backbone(vec![("other", Always, other), ("type", Always, code(&link_types))]);
        let contact = backbone(vec![
            ("relationship", Maybe, some(concept())),
            ("name", Always, self.name()),
            ("telecom", Maybe, some(self.telecom())),
            ("address", Maybe, self.address()),
            ("organization", Maybe, self.reference(&["Organization"], &[])),
        ]);
        let communication = backbone(vec![("language", Always, concept()), ("preferred", Maybe, yes())]);
        let practitioner = self.reference(&["Practitioner", "Organization"], &[(R4, "PractitionerRole")]);
        let species = vec![
            ("species", Always, concept()),
            ("breed", Maybe, concept()),
            ("genderStatus", Maybe, concept()),
        ];
        let mut fields = vec![
            ("identifier", Maybe, some(self.identifier())),
            ("active", Maybe, yes()),
            ("_active", Maybe, beside()),
            ("name", Maybe, some(self.name())),
            ("telecom", Maybe, some(self.telecom())),
            ("gender", Maybe, code(&["male", "female", "other", "unknown"])),
            ("birthDate", Maybe, word()),
            ("_birthDate", Maybe, beside()),
            ("deceasedBoolean", Maybe, yes()),
            ("multipleBirthInteger", Maybe, number(1..4)),
            ("address", Maybe, some(self.address())),
            ("maritalStatus", Maybe, concept()),
            ("photo", Maybe, some(self.attachment())),
            ("contact", Maybe, some(contact)),
            ("communication", Maybe, some(communication)),
            (
                if version == Dstu2 { "careProvider" } else { "generalPractitioner" },
                Maybe,
                some(practitioner),
            ),
            ("managingOrganization", Maybe, self.reference(&["Organization"], &[])),
            ("link", Maybe, some(link)),
        ];
        if version < R4 {
            fields.push(("animal", Maybe, object(species)));
        }
        fields
    }

    /// A reference to one of `always`, or of `later` if both versions are that late.
    fn reference(self, always: &[&'static str], later: &[(Version, &'static str)]) -> Any {
        let allowed =
            later.iter().filter(|(since, _)| self.version.min(self.other) >= *since).map(|(_, name)| *name);
        let types: Vec<&str> = always.iter().copied().chain(allowed).collect();
        let target = (select(types), "[a-z]{1,3}").prop_map(|(name, id)| Node::text(format!("{name}/{id}")));
        let mut fields = vec![
            ("reference", Always, target.boxed()),
            ("display", Maybe, word()),
            ("_display", Maybe, beside()),
            ("id", Maybe, word()),
            ("extension", Maybe, extensions()),
        ];
        if self.version > Dstu2 {
            fields.push(("identifier", Maybe, object(vec![("value", Always, word())])));
        }
        object(fields)
    }

    fn codeable_reference(self) -> Any {
        let reference = self.reference(&["Procedure"], &[]);
        // One without a concept becomes an extension and comes back behind the others.
        let concept = ("concept", if self.version == self.other { Maybe } else { Always }, concept());
        prop_oneof![
            object(vec![concept.clone(), ("reference", Always, reference)]),
            object(vec![("concept", Always, concept.2)])
        ]
        .boxed()
    }

    fn identifier(self) -> Any {
        let uses = if self.version < R4 { &["usual", "temp"][..] } else { &["usual", "temp", "old"] };
        let assigner = object(vec![("display", Always, word())]);
        object(vec![
            ("use", Maybe, code(uses)),
            ("_use", Maybe, beside()),
            ("system", Maybe, word()),
            ("value", Always, word()),
            ("assigner", Maybe, assigner),
            ("extension", Maybe, extensions()),
        ])
    }

    fn name(self) -> Any {
        let given = some(word());
        let parts = vec![("text", Always, word()), ("given", Maybe, given)];
        let family = if self.version == Dstu2 {
            let one = |item: Any| item.prop_map(|item| Node::Array(vec![item])).boxed();
            vec![("family", Maybe, one(word())), ("_family", Maybe, one(beside()))]
        } else {
            vec![("family", Maybe, word()), ("_family", Maybe, beside())]
        };
        object(parts.into_iter().chain(family).collect())
    }

    fn telecom(self) -> Any {
        let systems =
            if self.version == Dstu2 { &["phone", "other"][..] } else { &["phone", "other", "sms", "url"] };
        object(vec![
            ("system", Maybe, code(systems)),
            ("value", Always, word()),
            ("_system", Maybe, beside()),
        ])
    }

    fn address(self) -> Any {
        let uses = if self.version < R4 { &["home", "old"][..] } else { &["home", "old", "billing"] };
        object(vec![("use", Maybe, code(uses)), ("city", Always, word()), ("extension", Maybe, extensions())])
    }

    fn attachment(self) -> Any {
        let mut fields = vec![
            ("contentType", Maybe, word()),
            ("url", Always, word()),
            ("title", Maybe, word()),
            ("extension", Maybe, extensions()),
        ];
        if self.version == R5 {
            let size =
                prop_oneof![0..9_000_000_000_u64, 0..100_u64].prop_map(|size| Node::text(size.to_string()));
            fields.push(("size", Maybe, size.boxed()));
            fields.push(("_size", Maybe, beside()));
            fields.push(("height", Maybe, number(1..9)));
            fields.push(("pages", Maybe, number(1..9)));
        } else {
            fields.push(("size", Maybe, number(0..1000)));
        }
        object(fields)
    }
}

/// The fields that must be there, and some of the others.
fn object(fields: Fields) -> Any {
    let members = fields.into_iter().map(|(name, presence, value)| match presence {
        Always => value.prop_map(move |value| Some((name.into(), value))).boxed(),
        Maybe => option::weighted(0.4, value).prop_map(move |value| Some((name.into(), value?))).boxed(),
    });
    let members: Vec<_> = members.collect();
    members.prop_map(|members| Node::Object(members.into_iter().flatten().collect())).boxed()
}

fn backbone(mut fields: Fields) -> Any {
    fields.push(("id", Maybe, word()));
    fields.push(("extension", Maybe, extensions()));
    object(fields)
}

fn some(item: Any) -> Any {
    vec(item, 1..4).prop_map(Node::Array).boxed()
}

fn word() -> Any {
    "[a-z]{1,4}".prop_map(Node::text).boxed()
}

fn yes() -> Any {
    any::<bool>().prop_map(Node::Bool).boxed()
}

fn number(range: std::ops::Range<u64>) -> Any {
    range.prop_map(Node::number).boxed()
}

fn code(codes: &[&'static str]) -> Any {
    select(codes.to_vec()).prop_map(Node::text).boxed()
}

fn extensions() -> Any {
    object(vec![("url", Always, Just(Node::text("urn:extension")).boxed()), ("valueString", Always, word())])
        .prop_map(|extension| Node::Array(vec![extension]))
        .boxed()
}

/// What stands beside a primitive.
fn beside() -> Any {
    object(vec![("id", Maybe, word()), ("extension", Always, extensions())])
}

fn coding(system: &'static str) -> Any {
    object(vec![
        ("system", Always, Just(Node::text(system)).boxed()),
        ("code", Always, word()),
        ("display", Maybe, word()),
    ])
}

fn concept() -> Any {
    let codings = some(coding("urn:codes"));
    object(vec![("coding", Maybe, codings), ("text", Always, word()), ("extension", Maybe, extensions())])
}

/// A concept of one of these codes, which may say more.
fn coded(system: &'static str, codes: &[&'static str]) -> Any {
    let coding =
        object(vec![("system", Always, Just(Node::text(system)).boxed()), ("code", Always, code(codes))]);
    let codings = coding.prop_map(|coding| Node::Array(vec![coding])).boxed();
    object(vec![("coding", Always, codings), ("text", Maybe, word())])
}
