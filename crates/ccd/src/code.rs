//! Coded values: CD, CE and CV out of concepts.

use charta_model::facts::{Coding, Concept};

use crate::{
    system::{self, code_system},
    table::{Anchor, lines},
    xml::{Xml, is_gap, is_token, is_visible},
};

/// A code that we choose ourselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fixed(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

impl Fixed {
    /// Writes it as the element `name`, with `xsi:type` unless that is empty, and what `inner` adds.
    pub(crate) fn write(self, x: &mut Xml, name: &str, kind: &str, inner: impl FnOnce(&mut Xml)) {
        let Self(system, code, display) = self;
        let attributes = [
            ("xsi:type", kind),
            ("code", code),
            ("codeSystem", system),
            ("codeSystemName", system::name_of(system)),
            ("displayName", display),
        ];
        x.element(name, &attributes, inner);
    }

    pub(crate) fn plain(self, x: &mut Xml, name: &str, kind: &str) {
        self.write(x, name, kind, |_| {});
    }
}

/// How a concept is to be written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style<'a> {
    /// `xsi:type`, where the element does not say it.
    pub(crate) kind: &'a str,
    /// OIDs of the systems that the element wants, the best first.
    pub(crate) prefer: &'a [&'a str],
    /// Whether nothing else may stand there; the rest become translations.
    pub(crate) only: bool,
    /// Where the narrative says the same.
    pub(crate) anchor: Option<&'a Anchor>,
    /// What stands there when there is no code at all.
    pub(crate) absent: &'a str,
    /// A translation of our own.
    pub(crate) also: Option<Fixed>,
    /// Whether a translation has to stand there that nobody gave.
    pub(crate) is_untranslated: bool,
}

/// A coding with an OID and a code that an attribute can hold.
struct Known<'a> {
    code: &'a str,
    oid: &'a str,
    name: &'static str,
    display: &'a str,
}

fn known(coding: &Coding) -> Option<Known<'_>> {
    let code = coding.code.as_deref().filter(|code| is_token(code))?;
    let (oid, name) = code_system(coding.system.as_deref()?)?;
    let display = coding
        .display
        .as_deref()
        .filter(|display| is_visible(display) && !is_gap(display))
        .unwrap_or_default();
    Some(Known { code, oid, name, display })
}

/// Whether the concept has a code in one of these systems.
pub(crate) fn has_system(concept: &Concept, oids: &[&str]) -> bool {
    concept.codings.iter().filter_map(known).any(|known| oids.contains(&known.oid))
}

/// The code of the concept in this system.
pub(crate) fn code_in<'c>(concept: &'c Concept, oid: &str) -> Option<&'c str> {
    concept.codings.iter().filter_map(known).find(|known| known.oid == oid).map(|known| known.code)
}

/// Writes a concept: the best coding as the code, the others as translations, the words as the original text.
///
/// Clause: C-CDA 2.1 DataTypesCD
pub(crate) fn write(x: &mut Xml, name: &str, concept: &Concept, style: Style<'_>) {
    let codings: Vec<Known<'_>> = concept.codings.iter().filter_map(known).collect();
    let wanted = style.prefer.iter().find_map(|oid| codings.iter().position(|known| known.oid == *oid));
    let main = if style.only { wanted } else { wanted.or(if codings.is_empty() { None } else { Some(0) }) };
    let text = concept.label().filter(|text| is_visible(text));
    let inner = |x: &mut Xml| {
        original_text(x, text, style.anchor);
        for (_, other) in codings.iter().enumerate().filter(|(at, _)| Some(*at) != main) {
            x.empty("translation", &attributes(other, ""));
        }
        if let Some(also) = style.also {
            also.plain(x, "translation", "");
        }
        if style.is_untranslated {
            x.empty("translation", &[("nullFlavor", "NI")]);
        }
        for foreign in concept.codings.iter().filter(|coding| known(coding).is_none()) {
            foreign_translation(x, foreign, text);
        }
    };
    match main {
        Some(main) => x.element(name, &attributes(&codings[main], style.kind), inner),
        None => {
            let says_nothing = concept.is_empty() && style.also.is_none();
            let absent = if style.absent.is_empty() { "UNK" } else { style.absent };
            let flavor = if says_nothing { absent } else { "OTH" };
            x.element(name, &[("xsi:type", style.kind), ("nullFlavor", flavor)], inner);
        }
    }
}

/// Writes the plainest form: the code alone, without text or translations; says whether there was one.
pub(crate) fn write_plain(x: &mut Xml, name: &str, coding: &Coding) -> bool {
    let Some(known) = known(coding) else { return false };
    x.empty(name, &attributes(&known, ""));
    true
}

fn attributes<'a>(known: &Known<'a>, kind: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("xsi:type", kind),
        ("code", known.code),
        ("codeSystem", known.oid),
        ("codeSystemName", known.name),
        ("displayName", known.display),
    ]
}

/// What the record says in words: a link into the narrative where it stands there.
pub(crate) fn original_text(x: &mut Xml, text: Option<&str>, anchor: Option<&Anchor>) {
    match (anchor, text) {
        (Some(anchor), _) => x.element("originalText", &[], |x| anchor.reference(x)),
        (None, Some(text)) => x.element("originalText", &[], |x| lines(x, text)),
        (None, None) => {}
    }
}

/// A code of a system without an OID: what it means, where that is not said already.
fn foreign_translation(x: &mut Xml, coding: &Coding, text: Option<&str>) {
    let Some(code) = coding.code.as_deref().filter(|code| is_visible(code)) else { return };
    // FHIR's own status codes and the like are mapped, never sent.
    let Some(system) = coding.system.as_deref().filter(|system| !system.contains("hl7.org/")) else { return };
    let display = coding.display.as_deref().filter(|display| is_visible(display)).or(text).unwrap_or(code);
    x.element("translation", &[("nullFlavor", "OTH")], |x| {
        x.leaf("originalText", &[], &format!("{display} ({code}, {system})"));
    });
}
