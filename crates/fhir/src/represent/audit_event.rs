//! AuditEvent out of an event of the audit log, by the patterns of IHE BALP: R4 and R4B to the letter, R5 as its own
//! elements allow. Versions before have AuditEvents of another shape, which are not made.
//!
//! A trap that the patterns hold: the client is where data goes to on a read, and where the request comes from on
//! a query, create and update.

mod balp;

use charta_model::audit::{Entity, Event, Interaction, Outcome};

use super::{Subset, binary::instant};
use crate::{Node, Version};

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
const PATTERNS: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit";
const SEVERITY: &str = "http://hl7.org/fhir/issue-severity";

/// The AuditEvent with the id `number`; `origin` is the beginning of this server's URLs. `None` before R4.
///
/// Clause: FHIR R4 auditevent.html
/// Clause: FHIR R5 auditevent.html
#[must_use]
pub fn audit_event(
    event: &Event<'_>,
    number: u64,
    version: Version,
    subset: &Subset,
    origin: &str,
) -> Option<Node> {
    if !version.is_r4_or_later() {
        return None;
    }
    let base = format!("{origin}{}", event.endpoint);
    let shape = Shape { event, is_r5: version == Version::R5, base: &base };
    let recorded = instant(event.recorded);
    // The patterns are of R4; what keeps one says so.
    let pattern = if version == Version::R4 { balp::pattern(event) } else { None };
    let pattern = pattern.map(|pattern| Node::Array(vec![Node::text(format!("{PATTERNS}.{pattern}"))]));
    let meta = Node::object([("lastUpdated", Some(recorded.clone())), ("profile", pattern)]);
    let mut resource = Node::object([
        ("resourceType", Some(Node::text("AuditEvent"))),
        ("id", Some(Node::text(number.to_string()))),
        ("meta", Some(meta)),
    ]);
    if shape.is_r5 {
        shape.kind_and_outcome_r5(&mut resource, recorded);
    } else {
        shape.kind_and_outcome_r4(&mut resource, recorded);
    }
    resource.set("agent", Node::Array(shape.agents()));
    resource.set("source", shape.source());
    if let Some(entities) = Node::array(shape.entities()) {
        resource.set("entity", entities);
    }
    Some(subset.of_resource(resource, version))
}

/// The action of an interaction.
#[must_use]
pub const fn audit_action(interaction: Interaction) -> &'static str {
    match interaction {
        Interaction::Read | Interaction::Vread => "R",
        Interaction::Create => "C",
        Interaction::Update | Interaction::Patch => "U",
        Interaction::Delete => "D",
        _ => "E",
    }
}

/// The codes of what was asked for: a search of a type is also a search.
#[must_use]
pub fn audit_subtypes(interaction: Interaction) -> Vec<&'static str> {
    match interaction {
        Interaction::SearchType | Interaction::SearchSystem => vec!["search", interaction.code()],
        Interaction::Unknown => Vec::new(),
        interaction => vec![interaction.code()],
    }
}

/// The code of an outcome in R4.
#[must_use]
pub const fn audit_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "0",
        Outcome::Refused => "4",
        Outcome::Failed => "8",
    }
}

struct Shape<'e> {
    event: &'e Event<'e>,
    is_r5: bool,
    base: &'e str,
}

impl Shape<'_> {
    fn kind_and_outcome_r4(&self, resource: &mut Node, recorded: Node) {
        let Event { interaction, status, .. } = *self.event;
        resource.set("type", coding(EVENT_TYPE, "rest", "RESTful Operation"));
        let subtypes = audit_subtypes(interaction).into_iter().map(|code| coding(INTERACTION, code, code));
        if let Some(subtypes) = Node::array(subtypes.collect()) {
            resource.set("subtype", subtypes);
        }
        resource.set("action", Node::text(audit_action(interaction)));
        resource.set("recorded", recorded);
        resource.set("outcome", Node::text(audit_outcome(self.event.outcome())));
        if self.event.outcome() != Outcome::Success {
            resource.set("outcomeDesc", Node::text(format!("HTTP {status}")));
        }
    }

    fn kind_and_outcome_r5(&self, resource: &mut Node, recorded: Node) {
        let Event { interaction, status, .. } = *self.event;
        resource.set("category", Node::Array(vec![concept(coding(EVENT_TYPE, "rest", "RESTful Operation"))]));
        let codings =
            audit_subtypes(interaction).into_iter().rev().map(|code| coding(INTERACTION, code, code));
        let code = match Node::array(codings.collect()) {
            Some(codings) => Node::object([("coding", Some(codings))]),
            None => Node::object([("text", Some(Node::text(interaction.code())))]),
        };
        resource.set("code", code);
        resource.set("action", Node::text(audit_action(interaction)));
        resource.set("recorded", recorded);
        let (code, display) = match self.event.outcome() {
            Outcome::Success => ("success", "Operation Successful"),
            Outcome::Refused => ("error", "Error"),
            Outcome::Failed => ("fatal", "Fatal"),
        };
        let detail = Node::object([("text", Some(Node::text(format!("HTTP {status}"))))]);
        resource.set(
            "outcome",
            Node::object([
                ("code", Some(coding(SEVERITY, code, display))),
                ("detail", (code != "success").then(|| Node::Array(vec![detail]))),
            ]),
        );
        if !self.event.patient.is_empty() {
            resource.set("patient", reference(format!("Patient/{}", self.event.patient)));
        }
    }

    fn agents(&self) -> Vec<Node> {
        let caller = &self.event.caller;
        let (destination, source) =
            (coding(DCM, "110152", "Destination Role ID"), coding(DCM, "110153", "Source Role ID"));
        let (client, server, user) = match audit_action(self.event.interaction) {
            "R" => (destination, source, coding(PARTICIPATION, "IRCP", "information recipient")),
            "D" => (
                coding(DCM, "110150", "Application"),
                coding(PARTICIPANT, "custodian", "Custodian"),
                coding(PARTICIPATION, "AUT", "author (originator)"),
            ),
            "E" => (source, destination, coding(PARTICIPATION, "IRCP", "information recipient")),
            _ => (source, destination, coding(PARTICIPATION, "AUT", "author (originator)")),
        };
        let has_user = !(caller.subject.is_empty() && caller.user.is_empty());
        let who_called = match caller.client.is_empty() {
            true => Node::object([("display", Some(Node::text("not known")))]),
            false => identified("", &caller.client),
        };
        let address = if caller.address.is_empty() { "not known" } else { &caller.address };
        let by_address = if caller.address.is_empty() { "1" } else { "2" };
        let mut agents = vec![
            self.agent(client, who_called, !has_user, Some((address, by_address))),
            self.agent(server, identified("", self.base), false, Some((self.base, "5"))),
        ];
        if has_user {
            let mut who = match caller.subject.is_empty() {
                true => Node::object([]),
                false => identified(&caller.issuer, &caller.subject),
            };
            if !caller.user.is_empty() {
                who.set("reference", Node::text(caller.user.clone()));
            }
            let mut agent = self.agent(user, who, true, None);
            if !caller.token_id.is_empty() {
                let policy = Node::text(format!("urn:ietf:params:oauth:jti:{}", caller.token_id));
                agent.set("policy", Node::Array(vec![policy]));
            }
            agents.push(agent);
        }
        agents
    }

    /// `network` is an address and the code of what kind it is.
    fn agent(&self, kind: Node, who: Node, requestor: bool, network: Option<(&str, &'static str)>) -> Node {
        let mut agent = Node::object([
            ("type", Some(concept(kind))),
            ("who", Some(who)),
            ("requestor", Some(Node::Bool(requestor))),
        ]);
        let Some((address, kind)) = network else { return agent };
        let address = Node::text(address.to_owned());
        match (self.is_r5, kind) {
            (true, "5") => agent.set("networkUri", address),
            (true, _) => agent.set("networkString", address),
            (false, kind) => {
                let kind = Some(Node::text(kind));
                agent.set("network", Node::object([("address", Some(address)), ("type", kind)]));
            }
        }
        agent
    }

    fn source(&self) -> Node {
        let kind = coding(SOURCE_TYPE, "4", "Application Server");
        Node::object([
            ("observer", Some(identified("", self.base))),
            ("type", Some(Node::Array(vec![if self.is_r5 { concept(kind) } else { kind }]))),
        ])
    }

    fn entities(&self) -> Vec<Node> {
        let event = self.event;
        let mut entities: Vec<Node> = event.entities.iter().map(|entity| self.data(entity)).collect();
        if !event.patient.is_empty() {
            let what = reference(format!("Patient/{}", event.patient));
            entities.push(self.entity(("1", "Person"), ("1", "Patient"), Some(what)));
        }
        if !event.query.is_empty() {
            let mut query = self.entity(("2", "System Object"), ("24", "Query"), None);
            let encoded: String = base64_simd::STANDARD.encode_type(event.query.as_bytes());
            query.set("query", Node::text(encoded));
            entities.push(query);
        }
        if !event.request_id.is_empty() {
            let kind = coding(BALP_ENTITY, "XrequestId", "X-Request-Id");
            let what = Some(identified("", &event.request_id));
            entities.push(match self.is_r5 {
                true => Node::object([("what", what), ("role", Some(concept(kind)))]),
                false => Node::object([("what", what), ("type", Some(kind))]),
            });
        }
        entities
    }

    fn data(&self, entity: &Entity<'_>) -> Node {
        let Entity { kind, id, version } = entity;
        let role = match &**kind {
            "Binary" | "DocumentReference" | "DiagnosticReport" => ("3", "Report"),
            _ => ("4", "Domain Resource"),
        };
        let what = match version {
            0 => reference(format!("{kind}/{id}")),
            version => reference(format!("{kind}/{id}/_history/{version}")),
        };
        self.entity(("2", "System Object"), role, Some(what))
    }

    fn entity(
        &self,
        kind: (&'static str, &'static str),
        role: (&'static str, &'static str),
        what: Option<Node>,
    ) -> Node {
        let role = coding(OBJECT_ROLE, role.0, role.1);
        match self.is_r5 {
            true => Node::object([("what", what), ("role", Some(concept(role)))]),
            false => Node::object([
                ("what", what),
                ("type", Some(coding(ENTITY_TYPE, kind.0, kind.1))),
                ("role", Some(role)),
            ]),
        }
    }
}

fn coding(system: &'static str, code: &'static str, display: &'static str) -> Node {
    let text = |text| Some(Node::text(text));
    Node::object([("system", text(system)), ("code", text(code)), ("display", text(display))])
}

fn concept(coding: Node) -> Node {
    Node::object([("coding", Some(Node::Array(vec![coding])))])
}

fn reference(to: String) -> Node {
    Node::object([("reference", Some(Node::text(to)))])
}

/// A reference by identifier; `system` may be empty.
fn identified(system: &str, value: &str) -> Node {
    let identifier = Node::object([
        ("system", (!system.is_empty()).then(|| Node::text(system.to_owned()))),
        ("value", Some(Node::text(value.to_owned()))),
    ]);
    Node::object([("identifier", Some(identifier))])
}

#[cfg(test)]
mod tests {
    use charta_model::{Timestamp, audit::Caller};

    use super::*;
    use crate::resource;

    fn event(interaction: Interaction) -> Event<'static> {
        let is_query = interaction.is_query();
        let data = Entity { kind: "Binary".into(), id: "b1".into(), version: 3 };
        Event {
            recorded: Timestamp::from_millisecond(1_790_000_000_123).unwrap(),
            tenant: "default".into(),
            interaction,
            status: 200,
            endpoint: "/r4".into(),
            request_id: "abc".into(),
            caller: Caller {
                client: "app".into(),
                issuer: "https://login.example.org".into(),
                subject: "u7".into(),
                user: "Practitioner/7".into(),
                token_id: "t1".into(),
                address: "192.0.2.1".into(),
            }
            .into(),
            patient: "p1".into(),
            entities: (!is_query).then_some(data).into_iter().collect(),
            query: if is_query { "GET /r4/Binary?patient=p1".into() } else { "".into() },
        }
    }

    fn json(node: &Node) -> String {
        crate::node::testing::text_of(&crate::json::write(node, false))
    }

    fn made(event: &Event<'_>, version: Version) -> Node {
        audit_event(event, 42, version, &Subset::default(), "https://charta.example").unwrap()
    }

    #[test]
    fn every_event_is_an_audit_event_by_the_tables_of_its_version() {
        for version in [Version::R4, Version::R4b, Version::R5] {
            for interaction in Interaction::ALL {
                for status in [200, 404, 503] {
                    let nobody = Event {
                        status,
                        caller: Caller::default().into(),
                        patient: "".into(),
                        entities: [].into_iter().collect(),
                        request_id: "".into(),
                        query: "".into(),
                        ..event(interaction)
                    };
                    for event in [Event { status, ..event(interaction) }, nobody] {
                        let problems = resource::check(&made(&event, version), version);
                        assert!(problems.is_empty(), "{version} {interaction} {status}: {problems:?}");
                    }
                }
            }
        }
        for version in [Version::Dstu2, Version::Stu3] {
            let none = audit_event(&event(Interaction::Read), 1, version, &Subset::default(), "");
            assert_eq!(none, None);
        }
    }

    #[test]
    fn roles_are_those_of_the_pattern() {
        let (destination, source) = ("\"110152\"", "\"110153\"");
        for (interaction, action, subtype, client, server, user) in [
            (Interaction::Read, "R", "\"read\"", destination, source, "\"IRCP\""),
            (Interaction::Vread, "R", "\"vread\"", destination, source, "\"IRCP\""),
            (Interaction::SearchType, "E", "\"search-type\"", source, destination, "\"IRCP\""),
            (Interaction::SearchSystem, "E", "\"search\"", source, destination, "\"IRCP\""),
            (Interaction::Create, "C", "\"create\"", source, destination, "\"AUT\""),
            (Interaction::Update, "U", "\"update\"", source, destination, "\"AUT\""),
            (Interaction::Patch, "U", "\"patch\"", source, destination, "\"AUT\""),
            (Interaction::Delete, "D", "\"delete\"", "\"110150\"", "\"custodian\"", "\"AUT\""),
        ] {
            let node = made(&event(interaction), Version::R4);
            assert_eq!(node.text_at("action"), Some(action), "{interaction}");
            assert_eq!(node.text_at("outcome"), Some("0"));
            assert_eq!(node.member("type").unwrap().text_at("code"), Some("rest"));
            assert!(json(node.member("subtype").unwrap()).contains(subtype), "{interaction}");
            let agents: Vec<String> = node.items_at("agent").iter().map(json).collect();
            for (agent, role) in agents.iter().zip([client, server, user]) {
                assert!(agent.contains(role), "{interaction}: {agent} is {role}");
            }
            assert!(agents[0].contains("\"network\":{\"address\":\"192.0.2.1\",\"type\":\"2\"}"));
            assert!(
                agents[1].contains("\"network\":{\"address\":\"https://charta.example/r4\",\"type\":\"5\"}")
            );
            assert!(agents[2].contains("\"requestor\":true") && !agents[2].contains("network"));
            assert!(agents[2].contains("\"policy\":[\"urn:ietf:params:oauth:jti:t1\"]"));
        }
    }

    #[test]
    fn entities_are_those_of_the_pattern() {
        let read = json(&made(&event(Interaction::Read), Version::R4));
        assert!(read.contains("\"what\":{\"reference\":\"Binary/b1/_history/3\"}"), "{read}");
        assert!(read.contains("\"what\":{\"reference\":\"Patient/p1\"}"));
        assert!(read.contains("\"what\":{\"identifier\":{\"value\":\"abc\"}}"));
        let node = made(&event(Interaction::SearchType), Version::R4);
        let entities: Vec<String> = node.items_at("entity").iter().map(json).collect();
        assert_eq!(entities.len(), 3, "patient, query, request: nothing that was found");
        assert!(
            entities[1].contains("\"query\":\"R0VUIC9yNC9CaW5hcnk/cGF0aWVudD1wMQ==\""),
            "{}",
            entities[1]
        );
        assert!(!entities[1].contains("what"));
        let r5 = json(&made(&event(Interaction::Read), Version::R5));
        assert!(r5.contains("\"patient\":{\"reference\":\"Patient/p1\"}"), "{r5}");
    }

    #[test]
    fn refusals_and_failures_are_told_apart() {
        for (status, code) in [(200, "0"), (304, "0"), (401, "4"), (404, "4"), (500, "8"), (503, "8")] {
            let node = made(&Event { status, ..event(Interaction::Read) }, Version::R4);
            assert_eq!(node.text_at("outcome"), Some(code), "{status}");
            let description = format!("HTTP {status}");
            let expected = (code != "0").then_some(description.as_str());
            assert_eq!(node.text_at("outcomeDesc"), expected);
        }
    }
}
