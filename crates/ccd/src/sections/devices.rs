//! Medical Equipment: devices that are the patient's.
//!
//! Clause: C-CDA 2.1 MedicalEquipmentSection

use charta_model::facts::{Concept, Device, Link, Moment, Topic};

use super::entries::{self, OBSERVATION};
use crate::{
    code::{self, Fixed, Style},
    context::Context,
    id, instant,
    section::{Kind, Pieces, Section, templates},
    system,
    table::Anchor,
    xml::{Xml, is_visible},
};

static KIND: Kind = Kind {
    topic: Topic::Devices,
    templates: &[(".2.23", &["", "2014-06-09"])],
    code: ("46264-8", "History of medical device use"),
    title: "Medical Equipment",
    prefix: "dev",
    columns: &["Device", "Identifier", "Maker and model", "Lot and serial", "Dates", "Status", "Comment"],
    is_required: false,
    is_limited: false,
};

/// FDA's root of unique device identifiers.
const FDA: &str = "2.16.840.1.113883.3.3719";

struct Anchors {
    row: Anchor,
    name: Option<Anchor>,
    comments: Vec<Option<Anchor>>,
}

pub(super) fn section(context: &Context<'_>) -> Option<Pieces> {
    let mut section = Section::new(context, &KIND);
    for device in
        context.facts.devices.iter().filter(|one| context.layout.limits.has_begun(one.used.start.as_ref()))
    {
        write(&mut section, context, device);
    }
    section.finish()
}

/// The name of the device that `link` leads to.
pub(super) fn label(context: &Context<'_>, link: &Link) -> Option<String> {
    let key = context.facts.key(link);
    let device = context.facts.devices.iter().find(|one| Some(one.origin.key.as_str()) == key);
    device.map(|device| name(device).to_owned()).or_else(|| context.label(link))
}

fn name(device: &Device) -> &str {
    let kind = device.kind.as_ref().and_then(Concept::label);
    kind.or(device.name.as_deref()).or(device.model.as_deref()).unwrap_or("Device not named")
}

fn write(section: &mut Section<'_>, context: &Context<'_>, device: &Device) {
    let mut row = section.row();
    let other_name =
        device.name.as_deref().filter(|other| *other != name(device)).map(|other| format!(", {other}"));
    let name = row.cell(&format!("{}{}", name(device), other_name.unwrap_or_default()));
    let identifiers = [&device.udi, &device.device_identifier, &device.distinct];
    let mut shown: Vec<&str> = identifiers.into_iter().flatten().map(String::as_str).collect();
    shown.dedup();
    row.plain(&shown.join(", "));
    row.plain(
        &[&device.manufacturer, &device.model].into_iter().flatten().cloned().collect::<Vec<_>>().join(", "),
    );
    let lot = device.lot.as_ref().map(|lot| format!("lot {lot}"));
    let serial = device.serial.as_ref().map(|serial| format!("serial {serial}"));
    row.plain(&lot.into_iter().chain(serial).collect::<Vec<_>>().join(", "));
    row.plain(&dates(device));
    row.plain(device.status.as_deref().unwrap_or_default());
    let comments = row.cells(&device.notes);
    let anchors = Anchors { row: row.anchor(), name, comments };
    section.push(row);
    let is_implanted = device.udi.is_some() || device.device_identifier.is_some();
    section.entry(device.origin.place, |x| {
        if is_implanted {
            implant(x, context, device, &anchors)
        } else {
            supply(x, context, device, &anchors)
        }
    });
}

fn dates(device: &Device) -> String {
    let made = device.made.as_ref().map(|moment| format!("made {}", instant::human(moment)));
    let expires = device.expires.as_ref().map(|moment| format!("expires {}", instant::human(moment)));
    let used = Some(instant::human_period(&device.used))
        .filter(|text| !text.is_empty())
        .map(|text| format!("used {text}"));
    made.into_iter().chain(expires).chain(used).collect::<Vec<_>>().join(", ")
}

/// An implanted device: the procedure is not known, the device is.
fn implant(x: &mut Xml, context: &Context<'_>, device: &Device, anchors: &Anchors) {
    x.element("procedure", &[("classCode", "PROC"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.14", &["", "2014-06-09", "2022-06-01", "2024-05-01"]);
        id::ids(x, &context.request.namespace, &device.origin, "implant");
        x.element("code", &[("nullFlavor", "UNK")], |x| {
            code::original_text(x, None, anchors.name.as_ref());
        });
        anchors.row.text(x);
        entries::completed(x);
        instant::point(x, "effectiveTime", device.used.start.as_ref());
        x.element("participant", &[("typeCode", "DEV")], |x| {
            product_instance(x, context, device, anchors.name.as_ref());
        });
        x.element("entryRelationship", &[("typeCode", "COMP")], |x| udi(x, context, device));
        entries::comments(x, &anchors.comments);
    });
}

/// C-CDA: Product Instance.
pub(super) fn product_instance(x: &mut Xml, context: &Context<'_>, device: &Device, anchor: Option<&Anchor>) {
    x.element("participantRole", &[("classCode", "MANU")], |x| {
        templates(x, ".4.37", &[""]);
        if let Some(udi) = device.udi.as_deref().filter(|udi| is_visible(udi)) {
            x.empty("id", &[("root", FDA), ("extension", udi)]);
        }
        id::ids(x, &context.request.namespace, &device.origin, "");
        x.element("playingDevice", &[], |x| {
            let words = Concept::of_text(name(device));
            let kind = device.kind.as_ref().unwrap_or(&words);
            code::write(x, "code", kind, Style { prefer: &[system::SNOMED], anchor, ..Style::default() });
            if let Some(model) = device.model.as_deref().filter(|model| is_visible(model)) {
                x.leaf("manufacturerModelName", &[], model);
            }
        });
        x.element("scopingEntity", &[], |x| {
            let is_fda = device.udi.is_some();
            if is_fda {
                x.empty("id", &[("root", FDA)])
            } else {
                x.empty("id", &[("nullFlavor", "UNK")])
            }
            if let Some(maker) = device.manufacturer.as_deref().filter(|maker| is_visible(maker)) {
                x.leaf("desc", &[], maker);
            }
        });
    });
}

/// The parts of a unique device identifier.
///
/// C-CDA: UDIOrganizer.
fn udi(x: &mut Xml, context: &Context<'_>, device: &Device) {
    x.element("organizer", &[("classCode", "CLUSTER"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.311", &["2019-06-21"]);
        match device.udi.as_deref().filter(|udi| is_visible(udi)) {
            Some(udi) => x.empty("id", &[("root", FDA), ("extension", udi)]),
            None => id::own(x, &context.request.namespace, &format!("{}/udi", device.origin.key)),
        }
        Fixed(system::LOINC, "74711-3", "Unique device identifier").plain(x, "code", "");
        entries::completed(x);
        if let Some(di) = device.device_identifier.as_deref().filter(|di| is_visible(di)) {
            let root = issuer(device);
            part(x, (".4.304", &["2022-06-01"]), ("C101722", "Primary DI Number"), |x| {
                x.empty(
                    "value",
                    &[("xsi:type", "II"), ("root", root), ("extension", di), ("displayable", "true")],
                );
            });
        }
        if device.lot.is_none()
            && device.serial.is_none()
            && device.made.is_none()
            && device.expires.is_none()
        {
            return;
        }
        x.element("component", &[], |x| further(x, device));
    });
}

/// The other parts. R2.1 counts the observations of the organizer and wants one, so these are in another.
fn further(x: &mut Xml, device: &Device) {
    x.element("organizer", &[("classCode", "CLUSTER"), ("moodCode", "EVN")], |x| {
        entries::completed(x);
        text(x, (".4.315", &["2019-06-21"]), ("C101672", "Lot or Batch Number"), device.lot.as_deref());
        text(x, (".4.319", &["2019-06-21"]), ("C101671", "Serial Number"), device.serial.as_deref());
        date(x, (".4.316", &["2019-06-21"]), ("C101669", "Manufacturing Date"), device.made.as_ref());
        date(x, (".4.309", &["2019-06-21"]), ("C101670", "Expiration Date"), device.expires.as_ref());
    });
}

/// Whose identifier it is: GS1 unless the record says otherwise in a form that we know.
fn issuer(device: &Device) -> &'static str {
    let issuer = device.issuer.as_deref().unwrap_or_default().to_lowercase();
    let printed = device.udi.as_deref().unwrap_or_default();
    if issuer.contains("hibcc") || printed.starts_with('+') {
        "1.0.15961.10.816"
    } else if issuer.contains("iccbba-blood") {
        "2.16.840.1.113883.6.18"
    } else if issuer.contains("iccbba") || printed.starts_with('=') {
        "2.16.840.1.113883.6.40"
    } else if issuer.contains("gs1") || printed.starts_with("(01)") || printed.starts_with("01") {
        "1.3.160"
    } else {
        FDA
    }
}

fn part(
    x: &mut Xml,
    (root, extensions): (&str, &[&str]),
    code: (&'static str, &'static str),
    value: impl FnOnce(&mut Xml),
) {
    x.element("component", &[], |x| {
        x.element("observation", OBSERVATION, |x| {
            templates(x, root, extensions);
            Fixed(system::NCIT, code.0, code.1).plain(x, "code", "");
            entries::completed(x);
            value(x);
        });
    });
}

fn text(x: &mut Xml, template: (&str, &[&str]), code: (&'static str, &'static str), text: Option<&str>) {
    if let Some(text) = text.filter(|text| is_visible(text)) {
        part(x, template, code, |x| {
            x.element("value", &[("xsi:type", "ED")], |x| x.text(text));
        });
    }
}

fn date(x: &mut Xml, template: (&str, &[&str]), code: (&'static str, &'static str), moment: Option<&Moment>) {
    if let Some(moment) = moment {
        part(x, template, code, |x| {
            x.empty("value", &[("xsi:type", "TS"), ("value", &instant::hl7(moment))])
        });
    }
}

/// C-CDA: Non Medicinal Supply Activity.
fn supply(x: &mut Xml, context: &Context<'_>, device: &Device, anchors: &Anchors) {
    x.element("supply", &[("classCode", "SPLY"), ("moodCode", "EVN")], |x| {
        templates(x, ".4.50", &["", "2014-06-09"]);
        id::ids(x, &context.request.namespace, &device.origin, "supply");
        anchors.row.text(x);
        entries::completed(x);
        if !device.used.is_empty() {
            let used = &device.used;
            instant::interval(
                x,
                "effectiveTime",
                "IVL_TS",
                used.start.as_ref(),
                used.end.as_ref(),
                instant::Open::Silent,
            );
        }
        x.element("participant", &[("typeCode", "PRD")], |x| {
            product_instance(x, context, device, anchors.name.as_ref());
        });
        entries::comments(x, &anchors.comments);
    });
}
