//! One event as one line: fields between tabs, in the order of `write`. In a field, tab, line feed, carriage return and
//! backslash are written `\t`, `\n`, `\r`, `\\`. Entities are `Type/id` or `Type/id/version`, between spaces. A reader
//! passes over fields that a later release adds at the end.
//!
//! Who asked is the same in most lines, so it has a line of its own above them, `#caller` and six fields, and their first
//! field says by how many bytes that begins before them: `<milliseconds>^<bytes>`. A line that stands alone has
//! `<milliseconds>` and the six fields in its middle.

use std::{borrow::Cow, sync::Arc};

use charta_model::{
    Timestamp,
    audit::{Caller, Entity, Event},
};

const CALLER: &str = "#caller ";
/// Of a line below that of its caller.
const FIELDS: usize = 9;
const CALLER_FIELDS: usize = 6;

/// Appends the line of an event, whose caller's line begins so many bytes before it.
pub fn encode(event: &Event<'_>, back: usize, out: &mut Vec<u8>) {
    append(event, Some(back), FIELDS, out);
}

/// The line of an event that stands alone, without its end.
pub fn alone(event: &Event<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    append(event, None, FIELDS + CALLER_FIELDS, &mut line);
    line.pop();
    line
}

fn append(event: &Event<'_>, back: Option<usize>, fields: usize, out: &mut Vec<u8>) {
    let start = out.len();
    write(event, back, Texts::AsTheyAre, out);
    // Nearly always nothing needs an escape: a look at the whole line says so sooner than one at every field.
    if special(&out[start..out.len() - 1]) != fields - 1 {
        out.truncate(start);
        write(event, back, Texts::Escaped, out);
    }
}

/// How many bytes there are that may need an escape. They are summed up in bytes, as that takes the fewest instructions.
fn special(line: &[u8]) -> usize {
    let is_special = |byte: &u8| u8::from(*byte < b' ' || *byte == b'\\');
    line.chunks(255).map(|part| usize::from(part.iter().map(is_special).sum::<u8>())).sum()
}

/// How texts are written.
#[derive(Clone, Copy)]
enum Texts {
    AsTheyAre,
    Escaped,
}

/// Appends the line with texts written in this way.
fn write(event: &Event<'_>, back: Option<usize>, texts: Texts, out: &mut Vec<u8>) {
    let recorded_ms = event.recorded.as_millisecond();
    if recorded_ms < 0 {
        out.push(b'-');
    }
    number(recorded_ms.unsigned_abs(), out);
    if let Some(back) = back {
        out.push(b'^');
        number(back as u64, out);
    }
    texts.put(b'\t', event.interaction.code(), out);
    out.push(b'\t');
    number(event.status.into(), out);
    texts.put(b'\t', &event.tenant, out);
    texts.put(b'\t', &event.endpoint, out);
    texts.put(b'\t', &event.request_id, out);
    if back.is_none() {
        texts_of(&event.caller).into_iter().for_each(|text| texts.put(b'\t', text, out));
    }
    texts.put(b'\t', &event.patient, out);
    let mut before = b'\t';
    if event.entities.is_empty() {
        out.push(before);
    }
    for entity in &*event.entities {
        texts.put(before, &entity.kind, out);
        texts.put(b'/', &entity.id, out);
        if entity.version > 0 {
            out.push(b'/');
            number(entity.version, out);
        }
        before = b' ';
    }
    texts.put(b'\t', &event.query, out);
    out.push(b'\n');
}

impl Texts {
    /// Appends what parts it from the text before, and a text. One copy of this for all fields: a request goes through it
    /// once, and what its instructions take in the processor's caches costs more than a call.
    #[inline(never)]
    fn put(self, before: u8, text: &str, out: &mut Vec<u8>) {
        out.push(before);
        match self {
            Self::AsTheyAre => out.extend_from_slice(text.as_bytes()),
            Self::Escaped => escaped(text, out),
        }
    }
}

fn texts_of(caller: &Caller) -> [&str; CALLER_FIELDS] {
    let Caller { client, issuer, subject, user, token_id, address } = caller;
    [client, issuer, subject, user, token_id, address]
}

/// Appends the line of a caller.
pub fn encode_caller(caller: &Caller, out: &mut Vec<u8>) {
    out.extend_from_slice(CALLER.as_bytes());
    for (index, text) in texts_of(caller).into_iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        escaped(text, out);
    }
    out.push(b'\n');
}

/// Reads the line of a caller without its end; `None` of any other.
pub fn decode_caller(line: &[u8]) -> Option<Caller> {
    let fields = std::str::from_utf8(line).ok()?.strip_prefix(CALLER)?;
    caller(&mut fields.split('\t'))
}

fn caller<'l>(fields: &mut impl Iterator<Item = &'l str>) -> Option<Caller> {
    let mut next = || fields.next().map(|field| text(field).into_owned());
    Some(Caller {
        client: next()?,
        issuer: next()?,
        subject: next()?,
        user: next()?,
        token_id: next()?,
        address: next()?,
    })
}

/// By how many bytes the line of its caller begins before the line of an event; `None` if it stands alone.
pub fn back(line: &[u8]) -> Option<usize> {
    when(first_field(line)?).1
}

/// When the event of a line was recorded, in milliseconds, without a look at the rest.
pub fn recorded_ms(line: &[u8]) -> Option<i64> {
    when(first_field(line)?).0
}

fn first_field(line: &[u8]) -> Option<&str> {
    let end = memchr::memchr(b'\t', line)?;
    std::str::from_utf8(&line[..end]).ok()
}

fn when(field: &str) -> (Option<i64>, Option<usize>) {
    match cut(field, b'^') {
        Some((recorded, back)) => (recorded.parse().ok(), back.parse().ok()),
        None => (field.parse().ok(), None),
    }
}

/// Reads the line of an event without its end, below that of this caller if it does not stand alone; `None` if it is
/// none of ours.
pub fn decode<'l>(line: &'l str, above: Option<&Arc<Caller>>) -> Option<Event<'l>> {
    let mut fields = line.split('\t');
    let (recorded, back) = when(fields.next()?);
    let mut next = || fields.next();
    let [interaction, status, tenant, endpoint, request_id] = [next()?, next()?, next()?, next()?, next()?];
    let caller = match back {
        Some(_) => Arc::clone(above?),
        None => Arc::new(caller(&mut fields)?),
    };
    let mut next = || fields.next();
    let [patient, entities, query] = [next()?, next()?, next()?];
    let entities = entity_texts(entities).map(entity);
    Some(Event {
        recorded: Timestamp::from_millisecond(recorded?).ok()?,
        tenant: text(tenant),
        interaction: interaction.parse().ok()?,
        status: status.parse().ok()?,
        endpoint: text(endpoint),
        request_id: text(request_id),
        caller,
        patient: text(patient),
        entities: entities.collect::<Option<_>>()?,
        query: text(query),
    })
}

/// What an event is found by beside its caller, as it stands in its line.
pub struct Searched<'l> {
    /// When it was recorded.
    pub recorded_ms: i64,
    /// By how many bytes the line of its caller begins before it.
    pub back: usize,
    /// Whose.
    pub tenant: &'l str,
    /// The patient's id.
    pub patient: &'l str,
    /// What was shown or changed.
    pub entities: &'l str,
}

impl<'l> Searched<'l> {
    /// Out of a line below that of its caller and without an escape, without reading the rest of it; `None` of any other.
    pub fn of(line: &'l str) -> Option<Self> {
        let mut ends = [0; FIELDS];
        let mut tabs = 0;
        for at in memchr::memchr2_iter(b'\t', b'\\', line.as_bytes()) {
            match line.as_bytes()[at] {
                b'\\' => return None,
                _ if tabs < FIELDS => (ends[tabs], tabs) = (at, tabs + 1),
                _ => {}
            }
        }
        if tabs < FIELDS - 1 {
            return None;
        }
        let (recorded_ms, back) = when(&line[..ends[0]]);
        let field = |number: usize| &line[ends[number - 1] + 1..ends[number]];
        Some(Self {
            recorded_ms: recorded_ms?,
            back: back?,
            tenant: field(3),
            patient: field(6),
            entities: field(7),
        })
    }
}

/// The event without the line that it was read from.
pub fn owned(event: Event<'_>) -> Event<'static> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    Event {
        recorded: event.recorded,
        tenant: own(event.tenant),
        interaction: event.interaction,
        status: event.status,
        endpoint: own(event.endpoint),
        request_id: own(event.request_id),
        caller: event.caller,
        patient: own(event.patient),
        entities: event
            .entities
            .into_iter()
            .map(|entity| Entity { kind: own(entity.kind), id: own(entity.id), version: entity.version })
            .collect(),
        query: own(event.query),
    }
}

/// What comes before and after the first such byte, which is one of ASCII. For texts of a few bytes this is sooner done than
/// `split_once`.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| byte == at)?;
    Some((&text[..end], &text[end + 1..]))
}

fn entity_texts(entities: &str) -> impl Iterator<Item = &str> {
    let mut rest = entities;
    std::iter::from_fn(move || {
        let (entity, after) = cut(rest, b' ').unwrap_or((rest, ""));
        rest = after;
        (!entity.is_empty()).then_some(entity)
    })
}

/// Types and ids out of the field with the entities of a line without an escape.
pub fn entity_names(entities: &str) -> impl Iterator<Item = (&str, &str)> {
    entity_texts(entities).filter_map(|text| {
        let (kind, rest) = cut(text, b'/')?;
        Some((kind, cut(rest, b'/').map_or(rest, |(id, _)| id)))
    })
}

fn entity(text: &str) -> Option<Entity<'_>> {
    let mut parts = text.split('/');
    let (kind, id) = (parts.next()?, parts.next()?);
    let version = parts.next().map_or(Some(0), |version| version.parse().ok())?;
    Some(Entity { kind: self::text(kind), id: self::text(id), version })
}

fn escaped(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte => out.push(byte),
        }
    }
}

fn text(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let mut plain = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('t') => plain.push('\t'),
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                other => plain.extend(other),
            },
            character => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

#[inline(never)] // as for texts
fn number(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use charta_model::audit::Interaction;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_event_is_read_as_it_was_written(
            ms in -1_000_000_000_000_i64..9_000_000_000_000,
            which in 0..Interaction::ALL.len(),
            texts in prop::collection::vec("[a-z\\\\\\t\\n\\r é\"#]{0,12}", 11),
            entities in prop::collection::vec(("[A-Z][a-z]{1,8}", "[a-z0-9.-]{1,8}", 0_u64..300), 0..3),
        ) {
            let text = |index: usize| texts[index].clone();
            let own = |index: usize| Cow::Owned::<str>(texts[index].clone());
            let caller = Arc::new(Caller {
                client: text(3), issuer: text(4), subject: text(5), user: text(6), token_id: text(7), address: text(8),
            });
            let event = Event {
                recorded: Timestamp::from_millisecond(ms).unwrap(),
                tenant: own(0),
                interaction: Interaction::ALL[which],
                status: 200,
                endpoint: own(1),
                request_id: own(2),
                caller: Arc::clone(&caller),
                patient: own(9),
                entities: entities.iter().map(|(kind, id, version)| Entity {
                    kind: kind.as_str().into(), id: id.as_str().into(), version: *version,
                }).collect(),
                query: own(10),
            };
            let (mut of_caller, mut below) = (Vec::new(), Vec::new());
            encode_caller(&caller, &mut of_caller);
            encode(&event, 95, &mut below);
            prop_assert_eq!((of_caller.pop(), below.pop()), (Some(b'\n'), Some(b'\n')));
            let [of_caller, below, alone] =
                [of_caller, below, alone(&event)].map(|line| String::from_utf8(line).unwrap());
            for line in [&of_caller, &below, &alone] {
                prop_assert!(!line.contains('\n'));
            }
            prop_assert_eq!(decode_caller(of_caller.as_bytes()), Some((*caller).clone()));
            for (line, expected_back, above) in [(&below, Some(95), Some(&caller)), (&alone, None, None)] {
                prop_assert_eq!(recorded_ms(line.as_bytes()), Some(ms));
                prop_assert_eq!(back(line.as_bytes()), expected_back);
                prop_assert_eq!(decode(line, above), Some(event.clone()));
            }
            prop_assert_eq!(decode(&below, None), None);
        }

        #[test]
        fn no_line_panics(line in "[0-9a-z^\\t\\\\/ ]{0,120}") {
            let _ = decode(&line, Some(&Arc::default()));
            let _ = decode(&line, None);
            let _ = Searched::of(&line);
            let _ = decode_caller(line.as_bytes());
        }
    }
}
