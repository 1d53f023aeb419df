//! Care Teams.
//!
//! Clause: C-CDA 2.1 CareTeamsSection

use charta_model::facts::{CareTeam, Concept, Link, Member, Topic};

use crate::{
    code::{self, Style},
    context::Context,
    id, instant,
    instant::Open,
    party::{self, Known},
    section::{Kind, Pieces, Section, templates},
    sections::results::loinc,
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::CareTeams,
    templates: &[(".2.500", &["2022-06-01"])],
    code: ("85847-2", "Patient Care team information"),
    title: "Care Teams",
    prefix: "team",
    columns: &["Team or member", "Role", "Time", "Status", "Contact"],
    is_required: false,
    is_limited: false,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let shown = |one: &&CareTeam| context.layout.limits.has_begun(one.period.start.as_ref());
    let mut teams: Vec<&CareTeam> = context.facts.care_teams.iter().filter(shown).collect();
    teams.sort_by_cached_key(|one| instant::newest(one.period.start.as_ref()));
    for team in teams {
        write(&mut section, context, team);
    }
    section.finish()
}

/// The status of a team, or of who belongs to it.
fn status(team: &CareTeam) -> &'static str {
    match team.status.as_deref() {
        Some("inactive") => "completed",
        Some("suspended") => "suspended",
        _ => "active",
    }
}

fn write(section: &mut Section<'_>, context: &Context<'_>, team: &CareTeam) {
    let mut row = section.row();
    let reason = team.reasons.iter().find_map(Concept::label).map(|reason| format!("Care team for {reason}"));
    let category = team.categories.iter().find_map(Concept::label).map(str::to_owned);
    let name = row.cell(&team.name.clone().or(category).or(reason).unwrap_or_else(|| "Care team".to_owned()));
    row.plain(&team.reasons.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", "));
    row.plain(&instant::human_period(&team.period));
    row.plain(team.status.as_deref().unwrap_or_default());
    row.plain(&team.organization.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    let anchor = name.unwrap_or_else(|| row.anchor());
    section.push(row);
    let members: Vec<(&Member, Anchor)> =
        team.members.iter().map(|member| (member, member_row(section, context, member))).collect();
    section.entry(team.origin.place, |x| organizer(x, context, team, &anchor, &members));
}

fn member_row(section: &mut Section<'_>, context: &Context<'_>, member: &Member) -> Anchor {
    let mut row = section.row();
    row.plain(&context.label(&member.party).unwrap_or_else(|| "Not named".to_owned()));
    row.plain(&member.roles.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", "));
    row.plain(&instant::human_period(&member.period));
    row.plain("");
    row.plain(&contact(context, &member.party));
    let anchor = row.anchor();
    section.push(row);
    anchor
}

/// How to reach a member.
fn contact(context: &Context<'_>, link: &Link) -> String {
    let Some(party) = context.facts.party(link) else { return String::new() };
    let telecoms = party.telecoms.iter().filter_map(crate::name::human_telecom).map(str::to_owned);
    telecoms.chain(party.addresses.first().map(crate::name::human_address)).collect::<Vec<_>>().join("; ")
}

/// C-CDA: Care Team Organizer.
fn organizer(
    x: &mut Xml,
    context: &Context<'_>,
    team: &CareTeam,
    anchor: &Anchor,
    members: &[(&Member, Anchor)],
) {
    x.element("organizer", &[("classCode", "CLUSTER"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.500", &["2022-06-01"]);
        id::ids(x, &context.request.namespace, &team.origin, "");
        loinc("86744-0", "Care team").write(x, "code", "", |x| code::original_text(x, None, Some(anchor)));
        x.empty("statusCode", &[("code", status(team))]);
        let (low, high) = (team.period.start.as_ref(), team.period.end.as_ref());
        instant::interval(x, "effectiveTime", "", low, high, Open::Silent);
        party::recorder(x, context, &team.origin.key, None, low);
        for (n, (one, anchor)) in members.iter().enumerate() {
            x.element("component", &[], |x| member(x, context, team, (one, n), anchor));
        }
        if members.is_empty() {
            nobody(x, context, team, anchor);
        }
    });
}

/// C-CDA: Care Team Member Act.
fn member(x: &mut Xml, context: &Context<'_>, team: &CareTeam, (one, n): (&Member, usize), anchor: &Anchor) {
    act(x, |x| {
        id::own(x, &context.request.namespace, &format!("{}/member/{n}", team.origin.key));
        loinc("92707-9", "Patient Care team member information").plain(x, "code", "");
        anchor.text(x);
        x.empty("statusCode", &[("code", status(team))]);
        let start = one.period.start.as_ref().or(team.period.start.as_ref());
        instant::interval(x, "effectiveTime", "", start, one.period.end.as_ref(), Open::Silent);
        x.element("performer", &[("typeCode", "PRF")], |x| {
            let coded =
                |role: &&Concept| code::has_system(role, &[system::FUNCTION, system::SNOMED, system::NUCC]);
            if let Some(role) = one.roles.iter().find(coded).or(one.roles.first()) {
                let prefer = [system::FUNCTION, system::SNOMED, system::NUCC];
                code::write(x, "sdtc:functionCode", role, Style { prefer: &prefer, ..Style::default() });
            }
            match Known::of(context, &one.party) {
                Some(known) if !is_patient(context, &one.party) => {
                    party::entity(x, "assignedEntity", context, &known)
                }
                _ => patient(x, context, &one.party),
            }
        });
    });
}

fn act(x: &mut Xml, inside: impl FnOnce(&mut Xml)) {
    x.element("act", &[("classCode", "PCPR"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.500.1", &["2022-06-01", "2024-05-01"]);
        inside(x);
    });
}

fn is_patient(context: &Context<'_>, link: &Link) -> bool {
    let patient = context.facts.patient.as_ref().map(|patient| patient.origin.key.as_str());
    patient.is_some() && context.facts.key(link) == patient
}

/// The patient, who belongs to the team; the header says the rest.
fn patient(x: &mut Xml, context: &Context<'_>, link: &Link) {
    x.element("assignedEntity", &[], |x| {
        let key = context.facts.key(link).unwrap_or("nobody");
        id::own(x, &context.request.namespace, key);
        let name = context
            .facts
            .patient
            .as_ref()
            .filter(|_| is_patient(context, link))
            .and_then(|one| one.names.first());
        let label = context.label(link);
        x.element("assignedPerson", &[], |x| crate::name::person(x, name, label.as_deref()));
    });
}

/// A team of which no member is known.
fn nobody(x: &mut Xml, context: &Context<'_>, team: &CareTeam, anchor: &Anchor) {
    x.element("component", &[], |x| {
        act(x, |x| {
            id::own(x, &context.request.namespace, &format!("{}/nobody", team.origin.key));
            loinc("92707-9", "Patient Care team member information").plain(x, "code", "");
            anchor.text(x);
            x.empty("statusCode", &[("code", status(team))]);
            instant::interval(x, "effectiveTime", "", team.period.start.as_ref(), None, Open::Silent);
            x.element("performer", &[("typeCode", "PRF")], |x| {
                x.empty("sdtc:functionCode", &[("nullFlavor", "UNK")]);
                x.element("assignedEntity", &[], |x| {
                    x.empty("id", &[("nullFlavor", "UNK")]);
                    x.element("assignedPerson", &[], |x| x.empty("name", &[("nullFlavor", "UNK")]));
                });
            });
        });
    });
}
