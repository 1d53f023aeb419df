//! Immunizations that are due, by the record's own recommendations.

use charta_model::facts::{Concept, DueImmunization};

use crate::{
    code::{self, Style},
    context::Context,
    id, instant, party,
    section::{Section, templates},
    system,
    table::Anchor,
    xml::Xml,
};

pub(super) fn write(section: &mut Section<'_>, context: &Context<'_>, one: &DueImmunization) {
    let labels = |concepts: &[Concept]| -> String {
        concepts.iter().filter_map(Concept::label).collect::<Vec<_>>().join(", ")
    };
    let mut row = section.row();
    let meant = one.vaccines.first().and_then(Concept::label).map(str::to_owned);
    let against = || Some(labels(&one.diseases)).filter(|label| !label.is_empty());
    let label = meant.or_else(|| against().map(|label| format!("Vaccine against {label}")));
    let name = row.cell(label.as_deref().unwrap_or("Vaccine not named"));
    let more = one.vaccines.get(1..).unwrap_or_default();
    let details = [against().map(|label| format!("against {label}")), one.description.clone()];
    let others = Some(labels(more)).filter(|label| !label.is_empty()).map(|label| format!("or {label}"));
    row.plain(&others.into_iter().chain(details.into_iter().flatten()).collect::<Vec<_>>().join("\n"));
    row.plain(&one.due.as_ref().map(instant::human).unwrap_or_default());
    row.plain(one.status.as_ref().and_then(Concept::label).unwrap_or_default());
    row.plain(&one.author.as_ref().and_then(|link| context.label(link)).unwrap_or_default());
    row.plain(&labels(&one.reasons));
    let anchor = row.anchor();
    section.push(row);
    section.entry(one.origin.place, |x| activity(x, context, one, &anchor, name.as_ref()));
}

/// C-CDA: Planned Immunization Activity.
fn activity(x: &mut Xml, context: &Context<'_>, one: &DueImmunization, row: &Anchor, name: Option<&Anchor>) {
    x.element("substanceAdministration", &[("classCode", "SBADM"), ("moodCode", "INT")], |x| {
        templates(x, ".4.120", &[""]);
        let key = format!("{}/due/{}", one.origin.key, one.number);
        id::own(x, &context.request.namespace, &key);
        row.text(x);
        x.empty("statusCode", &[("code", "active")]);
        instant::point(x, "effectiveTime", one.due.as_ref());
        x.element("consumable", &[], |x| {
            x.element("manufacturedProduct", &[("classCode", "MANU")], |x| {
                templates(x, ".4.54", &["", "2014-06-09"]);
                x.element("manufacturedMaterial", &[], |x| {
                    let prefer = [system::CVX, system::NDC, system::RXNORM];
                    let style = Style { prefer: &prefer, anchor: name, ..Style::default() };
                    let nothing = Concept::default();
                    code::write(x, "code", one.vaccines.first().unwrap_or(&nothing), style);
                });
            });
        });
        party::recorder(x, context, &one.origin.key, one.author.as_ref(), one.made.as_ref());
    });
}
