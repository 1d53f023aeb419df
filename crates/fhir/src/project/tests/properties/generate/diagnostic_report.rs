use super::*;

impl Both {
    pub(super) fn diagnostic_report(self) -> Fields {
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
}
