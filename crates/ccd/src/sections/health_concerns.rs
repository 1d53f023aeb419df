//! Health Concerns.
//!
//! Clause: C-CDA 2.1 HealthConcernsSection

use charta_model::facts::{Condition, Topic};

use super::{entries::ACT, problems};
use crate::{
    code::Fixed,
    context::Context,
    id,
    instant::{self, Open},
    party,
    section::{Kind, Pieces, Section, templates},
    system,
    xml::Xml,
};

static KIND: Kind = Kind {
    topic: Topic::HealthConcerns,
    templates: &[(".2.58", &["2015-08-01"])],
    code: ("75310-3", "Health concerns document"),
    title: "Health Concerns",
    prefix: "hc",
    columns: &["Concern", "Status", "Since", "Until", "Severity and site", "Recorded", "Comment"],
    is_required: false,
    is_limited: true,
};

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    let mut concerns: Vec<&Condition> =
        context.layout.concerns.iter().map(|at| &context.facts.conditions[*at]).collect();
    problems::sort(&mut concerns);
    for concern in concerns {
        let mut row = section.row();
        let anchors = problems::cells(&mut row, context, concern);
        section.push(row);
        section.entry(concern.origin.place, |x| act(x, context, concern, &anchors));
    }
    section.finish()
}

/// C-CDA: Health Concern Act.
fn act(x: &mut Xml, context: &Context<'_>, concern: &Condition, anchors: &problems::Anchors) {
    let is_over = problems::is_over(concern);
    x.element("act", ACT, |x| {
        templates(x, ".4.132", &["2015-08-01", "2022-06-01"]);
        id::ids(x, &context.request.namespace, &concern.origin, "concern");
        Fixed(system::LOINC, "75310-3", "Health Concern").plain(x, "code", "");
        x.empty("statusCode", &[("code", if is_over { "completed" } else { "active" })]);
        let low = concern.onset.as_ref().and_then(charta_model::facts::Onset::moment);
        let high = concern.abatement.as_ref().and_then(charta_model::facts::Onset::moment);
        let open = if is_over { Open::Unknown } else { Open::Silent };
        instant::interval(x, "effectiveTime", "", low, high.filter(|_| is_over), open);
        party::recorder(
            x,
            context,
            &concern.origin.key,
            concern.recorder.as_ref(),
            concern.recorded.as_ref(),
        );
        x.element("entryRelationship", &[("typeCode", "REFR")], |x| {
            problems::observation(x, context, concern, anchors)
        });
    });
}
