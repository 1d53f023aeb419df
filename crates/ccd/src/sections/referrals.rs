//! Reason for Referral: to whom the patient is sent, and why. What is ordered stands in the plan as well.
//!
//! Clause: C-CDA 2.1 ReasonForReferralSection

use charta_model::facts::{Order, Topic};

use super::{
    entries::Reasons,
    plan::{is_open, is_order_shown},
};
use crate::{
    code::{self, Style},
    context::Context,
    id, instant, party,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::Referrals,
    templates: &[("1.3.6.1.4.1.19376.1.5.3.1.3.1", &["", "2014-06-09"])],
    code: ("42349-1", "Reason for referral (narrative)"),
    title: "Reason for Referral",
    prefix: "ref",
    columns: &["Referral", "To", "Reason", "Time", "Status", "By", "Comment"],
    is_required: false,
    is_limited: false,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let shown =
        |one: &&Order| one.is_referral && !one.is_not_to_do && is_open(one) && is_order_shown(context, one);
    let mut referrals: Vec<&Order> = context.facts.orders.iter().filter(shown).collect();
    referrals.sort_by_cached_key(|one| instant::newest(one.authored.as_ref()));
    for one in referrals {
        write(&mut section, context, one);
    }
    section.finish()
}

fn write(section: &mut Section<'_>, context: &Context<'_>, one: &Order) {
    let mut row = section.row();
    let name = row.cell(one.code.label().unwrap_or("Referral"));
    let to: Vec<String> = one.recipients.iter().filter_map(|link| context.label(link)).collect();
    row.plain(&to.join(", "));
    let reasons = Reasons::of(context, &one.reasons, &one.reason_links);
    let anchors = row.cells(&reasons.lines);
    row.plain(&instant::human_period(&one.occurrence));
    row.plain(one.status.as_deref().unwrap_or_default());
    row.plain(&one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    row.plain(&one.patient_instruction.iter().chain(&one.notes).cloned().collect::<Vec<_>>().join("\n"));
    let anchor = row.anchor();
    section.push(row);
    section.entry(one.origin.place, |x| act(x, context, one, (&anchor, name.as_ref()), (&reasons, &anchors)));
}

/// C-CDA: Patient Referral Act.
fn act(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Order,
    (row, name): (&Anchor, Option<&Anchor>),
    (reasons, anchors): (&Reasons<'_>, &[Option<Anchor>]),
) {
    x.element("act", &[("classCode", "PCPR"), ("moodCode", "RQO")], |x| {
        templates(x, ".4.140", &[""]);
        // The plan has the order itself, by its own id.
        let key = format!("{}/referral", one.origin.key);
        id::own(x, &context.request.namespace, &key);
        let style = Style { prefer: &[system::SNOMED], anchor: name, ..Style::default() };
        code::write(x, "code", &one.code, style);
        row.text(x);
        x.empty("statusCode", &[("code", "active")]);
        instant::period(x, "effectiveTime", &one.occurrence);
        party::recorder(x, context, &one.origin.key, one.author.as_ref(), one.authored.as_ref());
        for link in &one.recipients {
            recipient(x, context, link);
        }
        // No reference will do here: the guide wants the reason itself.
        reasons.write(x, context, &key, anchors, false);
    });
}

fn recipient(x: &mut Xml, context: &Context<'_>, link: &charta_model::facts::Link) {
    let Some(known) = party::Known::of(context, link) else { return };
    x.element("participant", &[("typeCode", "REFT")], |x| {
        x.element("participantRole", &[], |x| {
            known.ids(x, context, false);
            if let Some(name) = context.label(link) {
                x.element("playingEntity", &[], |x| x.leaf("name", &[], &name));
            }
        });
    });
}
