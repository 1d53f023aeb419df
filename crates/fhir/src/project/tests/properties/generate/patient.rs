use super::*;

impl Both {
    pub(super) fn patient(self) -> Fields {
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
}
