//! Which pattern of IHE BALP an event keeps. Each is about a success, and about one resource or one search; what is
//! not, such as a refusal, a Bundle, a history or an operation, has no pattern and claims none.

use charta_model::audit::{Event, Interaction, Outcome};

/// The name of the pattern: `PatientRead`.
///
/// Clause: IHE BALP 1.1.4 content.html
pub fn pattern(event: &Event<'_>) -> Option<String> {
    let (name, is_whole) = match event.interaction {
        Interaction::Read | Interaction::Vread => ("Read", event.entities.len() == 1),
        Interaction::SearchType | Interaction::SearchSystem => ("Query", !event.query.is_empty()),
        Interaction::Create => ("Create", event.entities.len() == 1),
        Interaction::Update | Interaction::Patch => ("Update", event.entities.len() == 1),
        Interaction::Delete => ("Delete", event.entities.len() == 1),
        _ => return None,
    };
    let patient = if event.patient.is_empty() { "" } else { "Patient" };
    (is_whole && event.outcome() == Outcome::Success).then(|| format!("{patient}{name}"))
}

#[cfg(test)]
mod tests {
    use charta_model::{
        Timestamp,
        audit::{Caller, Entity},
    };

    use super::*;
    use crate::{
        Node, Version,
        represent::{Subset, audit_event},
    };

    const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
    const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
    const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
    const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
    const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
    const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
    const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";

    type Code = (&'static str, &'static str);

    /// What a pattern asks for beyond what all have in common.
    struct Rules {
        name: &'static str,
        action: &'static str,
        /// One of these is among the subtypes.
        subtypes: &'static [&'static str],
        client: Code,
        server: Code,
        user: &'static [Code],
        /// The entity of type 2: data, or the query.
        is_query: bool,
    }

    const READ: &[Code] = &[(PARTICIPATION, "IRCP")];
    const WRITE: &[Code] = &[(PARTICIPATION, "AUT"), (PARTICIPATION, "INF"), (PARTICIPATION, "CST")];
    const SOURCE: Code = (DCM, "110153");
    const DESTINATION: Code = (DCM, "110152");

    /// The rules of the patterns, in our words.
    const RULES: [Rules; 5] = [
        Rules {
            name: "Read",
            action: "R",
            subtypes: &["read", "vread"],
            client: DESTINATION,
            server: SOURCE,
            user: READ,
            is_query: false,
        },
        Rules {
            name: "Query",
            action: "E",
            subtypes: &["search", "search-type", "search-system"],
            client: SOURCE,
            server: DESTINATION,
            user: READ,
            is_query: true,
        },
        Rules {
            name: "Create",
            action: "C",
            subtypes: &["create"],
            client: SOURCE,
            server: DESTINATION,
            user: WRITE,
            is_query: false,
        },
        Rules {
            name: "Update",
            action: "U",
            subtypes: &["update", "patch"],
            client: SOURCE,
            server: DESTINATION,
            user: WRITE,
            is_query: false,
        },
        Rules {
            name: "Delete",
            action: "D",
            subtypes: &["delete"],
            client: (DCM, "110150"),
            server: (PARTICIPANT, "custodian"),
            user: WRITE,
            is_query: false,
        },
    ];

    fn is(node: Option<&Node>, (system, code): Code) -> bool {
        node.is_some_and(|node| node.text_at("system") == Some(system) && node.text_at("code") == Some(code))
    }

    /// Items of a list that have this code as their type; in a CodeableConcept, or as it stands.
    fn typed<'n>(node: &'n Node, list: &str, code: Code) -> Vec<&'n Node> {
        let has = |item: &&Node| {
            let kind = item.member("type");
            is(kind, code)
                || kind.is_some_and(|kind| kind.items_at("coding").iter().any(|one| is(Some(one), code)))
        };
        node.items_at(list).iter().filter(has).collect()
    }

    /// What an AuditEvent breaks of a pattern.
    fn broken(node: &Node, rules: &Rules, of_patient: bool) -> Vec<String> {
        let mut broken = Vec::new();
        let mut must = |what: &str, holds: bool| {
            if !holds {
                broken.push(what.to_owned());
            }
        };
        must("type", is(node.member("type"), (EVENT_TYPE, "rest")));
        let subtypes = node.items_at("subtype");
        let has_subtype = |code: &'static str| subtypes.iter().any(|one| is(Some(one), (INTERACTION, code)));
        must("subtype", rules.subtypes.iter().any(|code| has_subtype(code)));
        must("action", node.text_at("action") == Some(rules.action));
        must("recorded", node.text_at("recorded").is_some());
        must("outcome", node.text_at("outcome") == Some("0"));
        must("modifierExtension", node.member("modifierExtension").is_none());
        must("source", node.member("source").is_some_and(|source| source.member("observer").is_some()));
        for (what, code) in [("client", rules.client), ("server", rules.server)] {
            let agents = typed(node, "agent", code);
            must(what, agents.len() == 1);
            for agent in agents {
                must("who", agent.member("who").is_some());
                must("network", agent.member("network").is_some());
                must("media", agent.member("media").is_none());
            }
        }
        let users: Vec<&Node> = rules.user.iter().flat_map(|code| typed(node, "agent", *code)).collect();
        must("at most one user", users.len() <= 1);
        for user in users {
            must("the user's who", user.member("who").is_some());
            must("the user asked", user.member("requestor") == Some(&Node::Bool(true)));
            must("no network or media of a user", user.member("network").or(user.member("media")).is_none());
        }
        let requests = typed(node, "entity", (BALP_ENTITY, "XrequestId"));
        must("at most one request id", requests.len() <= 1);
        for request in requests {
            let identifier = request.member("what").and_then(|what| what.member("identifier"));
            must("the request's id", identifier.is_some_and(|one| one.text_at("value").is_some()));
        }
        let objects = typed(node, "entity", (ENTITY_TYPE, "2"));
        must("one object", objects.len() == 1);
        for object in objects {
            let has_role = |codes: &[&'static str]| {
                codes.iter().any(|code| is(object.member("role"), (OBJECT_ROLE, code)))
            };
            if rules.is_query {
                must("the role of a query", has_role(&["24"]));
                must("a query has text alone", object.text_at("query").is_some());
                must(
                    "nothing else",
                    ["what", "lifecycle", "detail"].iter().all(|name| object.member(name).is_none()),
                );
            } else {
                must("the role of data", has_role(&["3", "4", "20"]));
                must("what", object.member("what").is_some_and(|what| what.text_at("reference").is_some()));
            }
        }
        let patients = typed(node, "entity", (ENTITY_TYPE, "1"));
        must("patients", patients.len() == usize::from(of_patient));
        for patient in patients {
            must("the role of a patient", is(patient.member("role"), (OBJECT_ROLE, "1")));
            let reference = patient.member("what").and_then(|what| what.text_at("reference"));
            must("the patient", reference.is_some_and(|text| text.starts_with("Patient/")));
        }
        broken
    }

    /// Every kind of event that the log has: what was asked, how it ended, with and without all that may be missing.
    fn every_event() -> Vec<Event<'static>> {
        let mut events = Vec::new();
        let data = |kind: &'static str| Entity { kind: kind.into(), id: "b1".into(), version: 3 };
        for interaction in Interaction::ALL {
            for status in [200, 201, 304, 401, 403, 404, 429, 503] {
                for (patient, user, query) in
                    [("p1", "u1", "GET /r4/Binary?x"), ("", "", ""), ("p1", "", "q"), ("", "u1", "q")]
                {
                    for entities in [vec![], vec![data("Binary")], vec![data("Observation"), data("Binary")]]
                    {
                        let is_query = interaction.is_query();
                        events.push(Event {
                            recorded: Timestamp::UNIX_EPOCH,
                            tenant: "default".into(),
                            interaction,
                            status,
                            endpoint: "/r4".into(),
                            request_id: user.into(),
                            caller: Caller { subject: user.into(), client: user.into(), ..Caller::default() }
                                .into(),
                            patient: patient.into(),
                            entities: entities.into_iter().filter(|_| !is_query).collect(),
                            query: if is_query { query.into() } else { "".into() },
                        });
                    }
                }
            }
        }
        events
    }

    fn made(event: &Event<'_>, version: Version) -> Node {
        audit_event(event, 1, version, &Subset::default(), "https://charta.example").unwrap()
    }

    fn claimed(node: &Node) -> Option<String> {
        let profiles = node.member("meta").unwrap().items_at("profile");
        let name = profiles.first()?.as_text()?.rsplit('.').next()?;
        Some(name.to_owned())
    }

    /// The rules that go with a name such as `PatientRead`, and whether they are those with a patient.
    fn rules(name: &str) -> (&'static Rules, bool) {
        let plain = name.strip_prefix("Patient").unwrap_or(name);
        (RULES.iter().find(|rules| rules.name == plain).unwrap(), plain != name)
    }

    #[test]
    fn an_event_claims_the_pattern_that_it_keeps() {
        let mut seen = std::collections::BTreeSet::new();
        for event in every_event() {
            let node = made(&event, Version::R4);
            let has_patient = !event.patient.is_empty();
            let keeps_one = || RULES.iter().any(|rules| broken(&node, rules, has_patient).is_empty());
            match claimed(&node) {
                Some(name) => {
                    let (rules, of_patient) = rules(&name);
                    assert_eq!(broken(&node, rules, of_patient), [] as [String; 0], "{name}: {event:?}");
                    assert_eq!(of_patient, has_patient, "{name}: {event:?}");
                    seen.insert(name);
                }
                None => assert!(!keeps_one(), "it claims nothing: {event:?}"),
            }
        }
        assert_eq!(seen.len(), 10, "five patterns, with and without a patient: {seen:?}");
    }

    #[test]
    fn the_rules_are_broken_by_whatever_is_changed() {
        for event in every_event().iter().filter(|event| pattern(event).is_some()) {
            let (rules, of_patient) = rules(&pattern(event).unwrap());
            for member in ["type", "subtype", "action", "recorded", "outcome", "source", "agent", "entity"] {
                let mut node = made(event, Version::R4);
                node.set(member, Node::Array(Vec::new()));
                assert_ne!(broken(&node, rules, of_patient), [] as [String; 0], "{member} of {event:?}");
            }
            for other in RULES.iter().filter(|other| other.name != rules.name) {
                assert_ne!(broken(&made(event, Version::R4), other, of_patient), [] as [String; 0]);
            }
            assert_ne!(broken(&made(event, Version::R4), rules, !of_patient), [] as [String; 0]);
        }
    }

    #[test]
    fn other_versions_claim_no_pattern_of_r4() {
        for event in every_event() {
            for version in [Version::R4b, Version::R5] {
                assert_eq!(claimed(&made(&event, version)), None);
            }
        }
    }
}
