use super::*;

impl Both {
    pub(super) fn document_reference(self) -> Fields {
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
}
