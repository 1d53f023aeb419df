//! Encounters, teams, insurance, family, devices.

use charta_model::facts::{
    CareTeam, Coding, Concept, Coverage, Device, Encounter, Facts, Link, Member, Onset, Relative,
    RelativeCondition, Role,
};

use super::{clinical, parties, read::At};

pub(super) fn encounter(at: At<'_>) -> Encounter {
    let performers = at.list("participant").filter_map(|at| {
        let party = at.link("individual").or_else(|| at.link("actor"))?;
        Some(Role { party, role: at.concept("type") })
    });
    let diagnoses = at.list("diagnosis").flat_map(|at| {
        // In R5 the conditions are CodeableReferences.
        ["condition", "role"]
            .into_iter()
            .filter(|name| *name == "condition")
            .flat_map(move |name| at.links(name))
    });
    // R5 has them in `admission`.
    let stay = at.any(&["hospitalization", "admission"]);
    let period =
        if at.at("actualPeriod").is_there() { at.period("actualPeriod") } else { at.period("period") };
    Encounter {
        origin: at.origin(),
        // R5 says of an encounter what the others say of most things.
        status: at
            .text("status")
            .map(|status| if status == "completed" { "finished".to_owned() } else { status }),
        class: class(at),
        kinds: at.concepts("type"),
        period,
        performers: performers.filter(|role| !is_patient(&role.party)).collect(),
        places: at.list("location").filter_map(|at| at.link("location")).collect(),
        provider: at.link("serviceProvider"),
        reasons: [clinical::reasons(at), reason_values(at)].concat(),
        reason_links: [clinical::reason_links(at), at.links("indication")].concat(),
        diagnoses: diagnoses.collect(),
        discharge: stay.concept("dischargeDisposition"),
    }
}

/// The class as ActCode has it. DSTU2 has words of its own, which stay beside the code.
fn class(at: At<'_>) -> Option<Concept> {
    let mut class = at.concept("class")?;
    let word = class.codings.iter().find(|coding| coding.system.is_none()).and_then(|one| one.code.clone());
    let known = word.as_deref().and_then(|word| match word {
        "ambulatory" | "outpatient" => Some(("AMB", "ambulatory")),
        "inpatient" => Some(("IMP", "inpatient encounter")),
        "emergency" => Some(("EMER", "emergency")),
        "home" => Some(("HH", "home health")),
        "field" => Some(("FLD", "field")),
        "virtual" => Some(("VR", "virtual")),
        "daytime" => Some(("SS", "short stay")),
        _ => None,
    });
    if let Some((code, display)) = known {
        let text = |text: &str| Some(text.to_owned());
        let system = text("http://terminology.hl7.org/CodeSystem/v3-ActCode");
        class.codings.insert(0, Coding { system, code: text(code), display: text(display) });
    }
    Some(class)
}

/// R5 has the reason inside: `reason.value`.
fn reason_values(at: At<'_>) -> Vec<Concept> {
    at.list("reason").flat_map(|at| at.concepts("value")).collect()
}

fn is_patient(link: &Link) -> bool {
    link.target.as_deref().is_some_and(|target| target.starts_with("Patient/"))
}

pub(super) fn care_team(at: At<'_>) -> CareTeam {
    let member = |at: At<'_>| {
        let party = at.link("member")?;
        Some(Member { party, roles: at.concepts("role"), period: member_period(at) })
    };
    CareTeam {
        origin: at.origin(),
        status: at.text("status"),
        name: at.text("name"),
        categories: at.concepts("category"),
        period: at.period("period"),
        reasons: clinical::reasons(at),
        members: at.list("participant").filter_map(member).collect(),
        organization: at.link("managingOrganization"),
    }
}

fn member_period(at: At<'_>) -> charta_model::facts::Period {
    if at.at("coveragePeriod").is_there() { at.period("coveragePeriod") } else { at.period("period") }
}

pub(super) fn coverage(at: At<'_>) -> Coverage {
    let class = |at: At<'_>| {
        // In R5 the value is an Identifier.
        let value = at.text("value").or_else(|| at.at("value").text("value"));
        (at.concept("type").unwrap_or_default(), value, at.text("name"))
    };
    let member = at.text("subscriberId").or_else(|| at.at("subscriberId").text("value"));
    let numbered = at.list("identifier").find(|at| at.code("type").as_deref() == Some("MB"));
    let any = at.at("identifier").text("value");
    let mut payers: Vec<Link> =
        ["payor", "insurer", "issuer"].iter().flat_map(|name| at.links(name)).collect();
    // R5 names who pays; before, people stand among the payers.
    let named = at.list("paymentBy").find_map(|at| at.link("party"));
    let guarantor = named.or_else(|| payers.iter().find(|link| is_person(link)).cloned());
    payers.sort_by_key(is_person);
    Coverage {
        origin: at.origin(),
        status: at.text("status"),
        kind: at.concept("type"),
        payer: payers.into_iter().next(),
        guarantor,
        member_id: numbered.and_then(|at| at.text("value")).or(member).or(any),
        relationship: at.concept("relationship"),
        subscriber: at.link("subscriber"),
        holder: at.link("policyHolder"),
        period: at.period("period"),
        classes: at.list("class").map(class).collect(),
    }
}

fn is_person(link: &Link) -> bool {
    let target = link.target.as_deref().unwrap_or_default();
    ["Patient/", "RelatedPerson/"].iter().any(|kind| target.starts_with(kind))
}

pub(super) fn relative(at: At<'_>) -> Relative {
    let conditions = at.list("condition").map(|at| RelativeCondition {
        code: at.concept("code").or_else(|| at.concept("type")).unwrap_or_default(),
        onset: at.when(&["onset"]),
        outcome: at.concept("outcome"),
        is_cause_of_death: at.flag("contributedToDeath") == Some(true),
    });
    let deceased = at.when(&["deceased"]);
    Relative {
        origin: at.origin(),
        relationship: at.concept("relationship").unwrap_or_default(),
        name: at.text("name"),
        gender: at.code("gender").or_else(|| at.code("sex")),
        born: at.moment("bornDate").or_else(|| at.period("bornPeriod").start),
        is_deceased: at.flag("deceasedBoolean").or(deceased.as_ref().map(|_| true)),
        deceased,
        said: at.moment("date"),
        author: at.extension("familymemberhistory-recorder").own_link(),
        conditions: conditions.collect(),
        notes: at.notes(),
    }
}

/// A device: somebody who writes, and the patient's if it says so.
pub(super) fn device(facts: &mut Facts, at: At<'_>) {
    let named = at.list("deviceName").chain(at.list("name"));
    let name =
        named.filter_map(|at| at.text("name").or_else(|| at.text("value")).or_else(|| at.own_text())).next();
    let kind = at.concept("type").or_else(|| at.concept("definition"));
    let label = name.clone().or_else(|| kind.as_ref().and_then(|kind| kind.label()).map(str::to_owned));
    let key = at.owner().to_owned();
    facts.parties.insert(key, parties::device(at, label.or_else(|| at.text("manufacturer"))));
    // In R5 the patient is named by an association, which names the device.
    if !at.at("patient").is_there() {
        return;
    }
    let carrier = at.any(&["udiCarrier", "udi"]);
    facts.devices.push(Device {
        origin: at.origin(),
        status: at.text("status"),
        kind,
        name,
        udi: carrier.text("carrierHRF").or_else(|| carrier.own_text()),
        device_identifier: carrier.text("deviceIdentifier"),
        issuer: carrier.text("issuer"),
        manufacturer: at.text("manufacturer"),
        model: at.text("modelNumber").or_else(|| at.text("model")),
        lot: at.text("lotNumber"),
        serial: at.text("serialNumber"),
        distinct: at.text("distinctIdentifier"),
        made: at.moment("manufactureDate"),
        expires: at.moment("expirationDate").or_else(|| at.moment("expiry")),
        notes: at.notes(),
        ..Device::default()
    });
}

/// Since when a device is used.
pub(super) fn device_use(facts: &mut Facts, at: At<'_>) {
    let link = at.link("device");
    let key = link.as_ref().and_then(|link| facts.key(link)).map(str::to_owned);
    let used = match at.when(&["timing", "whenUsed"]) {
        Some(Onset::During(period)) => period,
        Some(Onset::At(moment)) => charta_model::facts::Period { start: Some(moment), end: None },
        _ => at.period("whenUsed"),
    };
    if let Some(device) = facts.devices.iter_mut().find(|device| Some(&device.origin.key) == key.as_ref()) {
        device.used = used;
    }
}
