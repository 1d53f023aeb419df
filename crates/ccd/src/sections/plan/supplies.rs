//! Things that are asked for: aids and appliances.

use charta_model::facts::Order;

use crate::{
    code::{self, Style},
    context::Context,
    id, instant,
    instant::Open,
    party,
    quantity::is_number,
    section::templates,
    sections::entries::{self, Reasons},
    system,
    table::Anchor,
    xml::Xml,
};

/// Where the narrative says what.
pub(super) struct Anchors<'a> {
    pub(super) row: &'a Anchor,
    pub(super) name: Option<&'a Anchor>,
    pub(super) reasons: &'a [Option<Anchor>],
    pub(super) comments: &'a [Option<Anchor>],
}

/// C-CDA: Planned Supply.
pub(super) fn write(
    x: &mut Xml,
    context: &Context<'_>,
    one: &Order,
    reasons: &Reasons<'_>,
    at: &Anchors<'_>,
) {
    x.element("supply", &[("classCode", "SPLY"), ("moodCode", "RQO")], |x| {
        templates(x, ".4.43", &["", "2014-06-09"]);
        id::ids(x, &context.request.namespace, &one.origin, "");
        at.row.text(x);
        x.empty("statusCode", &[("code", "active")]);
        if !one.occurrence.is_empty() {
            let (start, end) = (one.occurrence.start.as_ref(), one.occurrence.end.as_ref());
            instant::interval(x, "effectiveTime", "IVL_TS", start, end, Open::Silent);
        }
        if let Some(amount) = one.quantity.as_deref().filter(|amount| is_number(amount)) {
            x.empty("quantity", &[("value", amount)]);
        }
        party::recorder(x, context, &one.origin.key, one.author.as_ref(), one.authored.as_ref());
        x.element("participant", &[("typeCode", "DEV")], |x| device(x, context, one, at.name));
        reasons.write(x, context, &one.origin.key, at.reasons, true);
        entries::comments(x, at.comments);
    });
}

/// What is asked for; which one it will be, nobody knows yet.
fn device(x: &mut Xml, context: &Context<'_>, one: &Order, anchor: Option<&Anchor>) {
    x.element("participantRole", &[("classCode", "MANU")], |x| {
        templates(x, ".4.37", &[""]);
        id::own(x, &context.request.namespace, &format!("{}/device", one.origin.key));
        x.element("playingDevice", &[], |x| {
            let prefer = [system::SNOMED, system::HCPCS];
            code::write(x, "code", &one.code, Style { prefer: &prefer, anchor, ..Style::default() });
        });
        x.element("scopingEntity", &[], |x| x.empty("id", &[("nullFlavor", "UNK")]));
    });
}
