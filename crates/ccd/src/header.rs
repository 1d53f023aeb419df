//! The header: what the document is, whose it is, who made it, who keeps it, what time it is about.
//!
//! Clause: C-CDA 2.1 USRealmHeader
//! Clause: C-CDA 2.1 CCD

mod patient;
mod relationship;

use charta_model::facts::{Confidentiality, Link};

use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant, name, party,
    party::Known,
    section::templates,
    system,
    xml::Xml,
};

/// What the generator itself is known by.
pub(crate) const DEVICE: &str = "Device/ccd-generator";
/// What ends a document.
pub(crate) const END: &str = "</structuredBody></component></ClinicalDocument>\n";
/// The organization of the server.
const ORGANIZATION: &str = "Organization/server";

/// Everything before the first section.
pub(crate) fn header(context: &Context<'_>) -> String {
    let mut x = Xml::default();
    identity(&mut x, context);
    patient::record_target(&mut x, context);
    author(&mut x, context);
    custodian(&mut x, context);
    patient::related(&mut x, context);
    assembler(&mut x, context);
    documentation(&mut x, context);
    encompassing(&mut x, context);
    let inner = x.into_string();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\" \
         xmlns:sdtc=\"urn:hl7-org:sdtc\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{inner}<component>\
         <structuredBody>"
    )
}

fn identity(x: &mut Xml, context: &Context<'_>) {
    let request = context.request;
    x.empty("realmCode", &[("code", "US")]);
    x.empty("typeId", &[("root", "2.16.840.1.113883.1.3"), ("extension", "POCD_HD000040")]);
    templates(x, ".1.1", &["", "2015-08-01", "2023-05-01"]);
    templates(x, ".1.2", &["", "2015-08-01"]);
    let document_id = request.document_id.to_uppercase();
    let document_id =
        if id::is_uuid(&document_id) { document_id } else { id::uuid(&request.namespace, &document_id) };
    x.empty("id", &[("root", &document_id)]);
    Fixed(system::LOINC, "34133-9", "Summarization of Episode Note").plain(x, "code", "");
    x.leaf("title", &[], "Continuity of Care Document");
    instant::point(x, "effectiveTime", Some(&request.time));
    let (code, display) = match context.facts.confidentiality {
        Confidentiality::Normal => ("N", "normal"),
        Confidentiality::Restricted => ("R", "restricted"),
        Confidentiality::VeryRestricted => ("V", "very restricted"),
    };
    Fixed(system::CONFIDENTIALITY, code, display).plain(x, "confidentialityCode", "");
    x.empty("languageCode", &[("code", "en-US")]);
}

/// The generator, for the organization that keeps the record.
fn author(x: &mut Xml, context: &Context<'_>) {
    let request = context.request;
    x.element("author", &[], |x| {
        instant::point(x, "time", Some(&request.time));
        x.element("assignedAuthor", &[], |x| {
            id::own(x, &request.namespace, DEVICE);
            name::address(x, request.custodian.address.as_ref());
            telecom(x, context);
            x.element("assignedAuthoringDevice", &[], |x| {
                x.leaf("manufacturerModelName", &[], &request.software.0);
                x.leaf("softwareName", &[], &request.software.1);
            });
            server(x, context, "representedOrganization");
        });
    });
}

fn telecom(x: &mut Xml, context: &Context<'_>) {
    let telecom = context.request.custodian.telecom.as_ref();
    name::telecoms(x, telecom.map(std::slice::from_ref).unwrap_or_default());
}

/// The server's own organization.
fn server(x: &mut Xml, context: &Context<'_>, element: &str) {
    let request = context.request;
    x.element(element, &[], |x| {
        let identifier = request.custodian.identifier.as_ref();
        if !identifier.is_some_and(|one| id::write(x, one)) {
            id::own(x, &request.namespace, ORGANIZATION);
        }
        x.leaf("name", &[], &request.custodian.name);
        telecom(x, context);
        name::address(x, request.custodian.address.as_ref());
    });
}

fn custodian(x: &mut Xml, context: &Context<'_>) {
    let patient = context.facts.patient.as_ref();
    let managing = patient.and_then(|patient| patient.managing_organization.as_ref());
    // One telecom at most is allowed here.
    let known = managing.and_then(|link| Known::of(context, link)).filter(|known| known.label.is_some());
    x.element("custodian", &[], |x| {
        x.element("assignedCustodian", &[], |x| match known {
            Some(known) => x.element("representedCustodianOrganization", &[], |x| {
                known.ids(x, context, true);
                x.leaf("name", &[], known.label.as_deref().unwrap_or_default());
                let telecoms = known.party.map(|party| party.telecoms.as_slice()).unwrap_or_default();
                name::telecoms(x, &telecoms[..telecoms.len().min(1)]);
                name::address(x, known.party.and_then(|party| party.addresses.first()));
            }),
            None => server(x, context, "representedCustodianOrganization"),
        });
    });
}

/// The software that put the document together.
///
/// C-CDA: Provenance Assembler Participation.
fn assembler(x: &mut Xml, context: &Context<'_>) {
    let request = context.request;
    x.element("participant", &[("typeCode", "DEV")], |x| {
        templates(x, ".5.7", &["2020-05-19"]);
        Fixed(system::PROVENANCE_PARTICIPANT, "assembler", "Assembler").plain(x, "functionCode", "");
        instant::point(x, "time", Some(&request.time));
        x.element("associatedEntity", &[("classCode", "OWN")], |x| {
            id::own(x, &request.namespace, DEVICE);
            server(x, context, "scopingOrganization");
        });
    });
}

/// The time that the document is about, and those who care for the patient.
fn documentation(x: &mut Xml, context: &Context<'_>) {
    let request = context.request;
    let end = request.end.as_ref().unwrap_or(&request.time);
    let birth = context.facts.patient.as_ref().and_then(|patient| patient.birth.as_ref());
    let start = request.start.as_ref().or(birth);
    x.element("documentationOf", &[], |x| {
        x.element("serviceEvent", &[("classCode", "PCPR")], |x| {
            instant::interval(x, "effectiveTime", "", start, Some(end), instant::Open::Unknown);
            for (link, is_primary) in carers(context) {
                performer(x, context, link, is_primary);
            }
        });
    });
}

/// General practitioners first, then the members of active care teams; everybody once.
fn carers<'a>(context: &'a Context<'_>) -> Vec<(&'a Link, bool)> {
    let facts = context.facts;
    let patient = facts.patient.as_ref();
    let primary = patient.iter().flat_map(|patient| &patient.general_practitioners).map(|link| (link, true));
    let teams = facts.care_teams.iter().filter(|team| team.status.as_deref() == Some("active"));
    let members = teams.flat_map(|team| &team.members).map(|member| (&member.party, false));
    let mut carers: Vec<(&Link, bool)> = Vec::new();
    let mut keys = Vec::new();
    for (link, is_primary) in primary.chain(members) {
        let is_professional = facts.party(link).is_some_and(|party| !party.is_related);
        let key = facts.key(link);
        if is_professional && !keys.contains(&key) {
            keys.push(key);
            carers.push((link, is_primary));
        }
    }
    carers
}

fn performer(x: &mut Xml, context: &Context<'_>, link: &Link, is_primary: bool) {
    let Some(known) = Known::of(context, link) else { return };
    x.element("performer", &[("typeCode", "PRF")], |x| {
        if is_primary {
            Fixed(system::FUNCTION, "PCP", "primary care physician").plain(x, "functionCode", "");
        }
        party::entity(x, "assignedEntity", context, &known);
    });
}

/// The encounter that the document is about, if it is about one.
fn encompassing(x: &mut Xml, context: &Context<'_>) {
    let Some(key) = &context.request.encounter else { return };
    let Some(encounter) = context.facts.encounters.iter().find(|encounter| encounter.origin.key == *key)
    else {
        return;
    };
    x.element("componentOf", &[], |x| {
        x.element("encompassingEncounter", &[], |x| {
            id::ids(x, &context.request.namespace, &encounter.origin, "");
            if let Some(kind) = encounter.kinds.first() {
                code::write(x, "code", kind, Style::default());
            }
            instant::interval(
                x,
                "effectiveTime",
                "",
                encounter.period.start.as_ref(),
                encounter.period.end.as_ref(),
                instant::Open::Silent,
            );
            if let Some(known) = encounter.performers.first().and_then(|role| Known::of(context, &role.party))
            {
                let attends = [("typeCode", "ATND")];
                x.element("encounterParticipant", &attends, |x| {
                    party::entity(x, "assignedEntity", context, &known)
                });
            }
        });
    });
}
