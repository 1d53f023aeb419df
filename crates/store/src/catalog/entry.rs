//! Entries: what documents are found by. Made here, kept by each catalog, compared in `search`.

use std::borrow::Cow;

use charta_model::{
    Confidentiality, ContentLink, Custody, Description, Document, Entry, EntryValue, Label, ResourceId,
    ResourceType,
};

/// What the columns of an entry mean; the numbers stand in `parameter`, the meanings in the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Token = 1,
    Reference = 2,
    Text = 3,
    Uri = 4,
    /// A date of at most a day.
    Day = 5,
    /// A longer one, of at most 400 days.
    Year = 6,
    /// A longer one.
    Ever = 7,
    Quantity = 8,
}

impl Shape {
    /// Dates by how long they are: who looks for one that ends after some time knows by it how much earlier
    /// it may have started.
    pub(super) const DATES: [Self; 3] = [Self::Day, Self::Year, Self::Ever];

    /// The shape that a row of `parameter` has.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        let [day, year, ever] = Self::DATES;
        let all = [Self::Token, Self::Reference, Self::Text, Self::Uri, day, year, ever, Self::Quantity];
        all.into_iter().find(|shape| *shape as i64 == number)
    }

    fn of_date(start_ms: i64, end_ms: i64) -> Self {
        let length_ms = end_ms.saturating_sub(start_ms);
        let fits = |shape: &Self| shape.length_ms_max().is_none_or(|max| length_ms <= max);
        Self::DATES.into_iter().find(fits).unwrap_or(Self::Ever)
    }

    /// The greatest length of a date of this shape, if there is one.
    pub(super) const fn length_ms_max(self) -> Option<i64> {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        match self {
            Self::Day => Some(DAY_MS),
            Self::Year => Some(400 * DAY_MS),
            _ => None,
        }
    }
}

/// The parameters under which labels are entries.
pub(super) const SECURITY: &str = "meta.security";
pub(super) const TAG: &str = "meta.tag";
pub(super) const PROFILE: &str = "meta.profile";

/// The parameters of the entries that a description makes by itself.
pub(super) const STANDING: [&str; 6] =
    [SECURITY, TAG, PROFILE, Custody::PATIENT, Custody::CONFIDENTIALITY, Custody::CONTEXT];

/// The entries that a description makes by itself: of its labels, and of what access is decided by.
pub(super) fn standing(description: &Description) -> Vec<Entry> {
    let labels = &description.labels;
    let token = |parameter, system: Option<&String>, code: Option<&String>| {
        let value = EntryValue::Token { system: system.cloned(), code: code.cloned() };
        Entry { parameter: Cow::Borrowed(parameter), part: 0, value }
    };
    let coded = |parameter| move |label: &Label| token(parameter, label.system.as_ref(), label.code.as_ref());
    let security = labels.security.iter().map(coded(SECURITY));
    let tags = labels.tags.iter().map(coded(TAG));
    let profiles = labels.profiles.iter().map(|url| token(PROFILE, None, Some(url)));
    let reference = |parameter, kind, id: ResourceId| Entry {
        parameter: Cow::Borrowed(parameter),
        part: 0,
        value: EntryValue::Reference { kind, id },
    };
    let custody = &description.custody;
    let patients =
        custody.patients.iter().map(|id| reference(Custody::PATIENT, ResourceType::PATIENT, id.clone()));
    let level = Some(description.confidentiality()).filter(|level| *level > Confidentiality::Normal);
    let level = level.map(|level| token(Custody::CONFIDENTIALITY, None, Some(&level.code().to_owned())));
    let context = description.content.as_ref().and_then(|content| content.security_context.as_ref());
    let context = context.and_then(|context| context.local());
    let context = context.map(|(kind, id)| reference(Custody::CONTEXT, kind, id));
    let mut entries: Vec<Entry> = Vec::new();
    for entry in security.chain(tags).chain(profiles).chain(patients).chain(level).chain(context) {
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// One column of an entry, names still being names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'e> {
    Nothing,
    Text(Cow<'e, str>),
    /// In milliseconds.
    Time(i64),
    Number(f64),
    /// A code system, if there is one.
    System(Option<&'e str>),
    Kind(&'e ResourceType),
    /// A unit of a quantity, if there is one.
    Unit {
        system: Option<&'e str>,
        code: Option<&'e str>,
    },
}

/// The shape of an entry and its columns `value`, `second` and `third`; `None` if nothing finds it.
pub(super) fn cells(value: &EntryValue) -> Option<(Shape, [Cell<'_>; 3])> {
    use Cell::{Kind, Nothing, Number, System, Time, Unit};
    let text = |text| Cell::Text(Cow::Borrowed(text));
    let unless_same = |same: bool, exact| if same { Nothing } else { text(exact) };
    Some(match value {
        EntryValue::Token { system, code } => {
            let code = code.as_deref().unwrap_or_default();
            let folded = fold(code);
            let exact = unless_same(folded == code, code);
            (Shape::Token, [Cell::Text(folded), System(system.as_deref()), exact])
        }
        EntryValue::Reference { kind, id } => (Shape::Reference, [text(id.as_str()), Kind(kind), Nothing]),
        EntryValue::Text { folded, exact } => {
            (Shape::Text, [text(folded), unless_same(folded == exact, exact), Nothing])
        }
        EntryValue::Uri(uri) => (Shape::Uri, [text(uri), Nothing, Nothing]),
        EntryValue::Date { start_ms, end_ms } => {
            (Shape::of_date(*start_ms, *end_ms), [Time(*start_ms), Time(*end_ms), Nothing])
        }
        // What is no number is equal to none, and has no place in an order.
        EntryValue::Quantity { low, high, .. } if low.is_nan() || high.is_nan() => return None,
        EntryValue::Quantity { low, high, system, code } => {
            let unit = Unit { system: system.as_deref(), code: code.as_deref() };
            (Shape::Quantity, [Number(*low), Number(*high), unit])
        }
    })
}

/// A code as it is compared where letter case does not count.
pub(super) fn fold(code: &str) -> Cow<'_, str> {
    if code.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        Cow::Borrowed(code)
    } else {
        Cow::Owned(code.to_lowercase())
    }
}

/// A version of a Binary in a link that names none.
pub(super) const WHICHEVER: i64 = -1;

/// The version of a Binary that a link names, as it is kept.
pub(super) fn linked_version(link: &ContentLink) -> i64 {
    link.version.map_or(WHICHEVER, |version| i64::try_from(version).unwrap_or(i64::MAX))
}

/// The dialect of a document's source; empty if it has none.
pub(super) fn dialect(document: &Document) -> &str {
    document.source().map_or("", |source| &source.dialect)
}

/// Whether the bytes of a Binary are others now, or gone.
pub(super) fn takes_bytes(before: Option<&Document>, document: &Document) -> bool {
    let Some(before) = before.and_then(Document::content) else { return false };
    document
        .content()
        .is_none_or(|now| now.digest != before.digest || now.content_type != before.content_type)
}
