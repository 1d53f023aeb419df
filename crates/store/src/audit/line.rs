//! One event as one line: fields between tabs, in the order of `encode`. In a field, tab, line feed, carriage
//! return and backslash are written `\t`, `\n`, `\r`, `\\`. Entities are `Type/id` or `Type/id/version`, between
//! spaces. A reader passes over fields that a later release adds at the end.

use std::borrow::Cow;

use charta_model::{
    Timestamp,
    audit::{Caller, Entity, Event},
};

const FIELDS: usize = 15;

/// Appends the line of an event.
pub fn encode(event: &Event<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    write(event, out, |text, out| out.extend_from_slice(text.as_bytes()));
    // Nearly always nothing needs an escape: a look at the whole line says so sooner than one at every field.
    let fields = &out[start..out.len() - 1];
    let tabs = memchr::memchr_iter(b'\t', fields).count();
    if tabs != FIELDS - 1 || memchr::memchr3(b'\n', b'\r', b'\\', fields).is_some() {
        out.truncate(start);
        write(event, out, escaped);
    }
}

/// Appends the line with texts as `put` writes them.
fn write(event: &Event<'_>, out: &mut Vec<u8>, put: impl Fn(&str, &mut Vec<u8>)) {
    number(event.recorded.as_millisecond(), out);
    let mut status = itoa::Buffer::new();
    let Caller { client, issuer, subject, user, token_id, address } = &event.caller;
    let texts: [&str; 12] = [
        event.interaction.code(),
        status.format(event.status),
        &event.tenant,
        &event.endpoint,
        &event.request_id,
        client,
        issuer,
        subject,
        user,
        token_id,
        address,
        &event.patient,
    ];
    for text in texts {
        out.push(b'\t');
        put(text, out);
    }
    out.push(b'\t');
    for (index, entity) in event.entities.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        put(&entity.kind, out);
        out.push(b'/');
        put(&entity.id, out);
        if entity.version > 0 {
            out.push(b'/');
            number(entity.version, out);
        }
    }
    out.push(b'\t');
    put(&event.query, out);
    out.push(b'\n');
}

/// Reads a line without its end; `None` if it is none of ours.
pub fn decode(line: &str) -> Option<Event<'_>> {
    let mut fields = [""; FIELDS];
    let mut parts = line.split('\t');
    for field in &mut fields {
        *field = parts.next()?;
    }
    let [
        recorded,
        interaction,
        status,
        tenant,
        endpoint,
        request_id,
        client,
        issuer,
        subject,
        user,
        token_id,
        address,
        patient,
        entities,
        query,
    ] = fields;
    let caller = Caller {
        client: text(client),
        issuer: text(issuer),
        subject: text(subject),
        user: text(user),
        token_id: text(token_id),
        address: text(address),
    };
    let entities = entity_texts(entities).map(entity);
    Some(Event {
        recorded: Timestamp::from_millisecond(recorded.parse().ok()?).ok()?,
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

/// What an event is found by, as it stands in its line.
pub struct Searched<'l> {
    /// When it was recorded.
    pub recorded_ms: i64,
    /// Whose.
    pub tenant: &'l str,
    /// Who asked: the client, the issuer, the subject and the user as they stand there.
    pub caller: &'l str,
    /// The client's id.
    pub client: &'l str,
    /// The user in the issuer's words.
    pub subject: &'l str,
    /// The user's resource.
    pub user: &'l str,
    /// The patient's id.
    pub patient: &'l str,
    /// What was shown or changed.
    pub entities: &'l str,
}

impl<'l> Searched<'l> {
    /// Out of a line without an escape, without reading the rest of it; `None` of any other.
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
        let fields = |first: usize, last: usize| {
            &line[first.checked_sub(1).map_or(0, |before| ends[before] + 1)..ends[last]]
        };
        let field = |number| fields(number, number);
        Some(Self {
            recorded_ms: field(0).parse().ok()?,
            tenant: field(3),
            caller: fields(6, 9),
            client: field(6),
            subject: field(8),
            user: field(9),
            patient: field(12),
            entities: field(13),
        })
    }
}

/// The event without the line that it was read from.
pub fn owned(event: Event<'_>) -> Event<'static> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    let Caller { client, issuer, subject, user, token_id, address } = event.caller;
    Event {
        recorded: event.recorded,
        tenant: own(event.tenant),
        interaction: event.interaction,
        status: event.status,
        endpoint: own(event.endpoint),
        request_id: own(event.request_id),
        caller: Caller {
            client: own(client),
            issuer: own(issuer),
            subject: own(subject),
            user: own(user),
            token_id: own(token_id),
            address: own(address),
        },
        patient: own(event.patient),
        entities: event
            .entities
            .into_iter()
            .map(|entity| Entity { kind: own(entity.kind), id: own(entity.id), version: entity.version })
            .collect(),
        query: own(event.query),
    }
}

/// When the event of a line was recorded, in milliseconds, without a look at the rest.
pub fn recorded_ms(line: &[u8]) -> Option<i64> {
    let end = line.iter().position(|&byte| byte == b'\t')?;
    std::str::from_utf8(&line[..end]).ok()?.parse().ok()
}

fn entity_texts(entities: &str) -> impl Iterator<Item = &str> {
    entities.split(' ').filter(|entity| !entity.is_empty())
}

/// Types and ids out of the field with the entities of a line without an escape.
pub fn entity_names(entities: &str) -> impl Iterator<Item = (&str, &str)> {
    entity_texts(entities).filter_map(|text| {
        let (kind, rest) = text.split_once('/')?;
        Some((kind, rest.split_once('/').map_or(rest, |(id, _)| id)))
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

fn number(value: impl itoa::Integer, out: &mut Vec<u8>) {
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
            let own = |index: usize| Cow::Owned::<str>(texts[index].clone());
            let event = Event {
                recorded: Timestamp::from_millisecond(ms).unwrap(),
                tenant: own(0),
                interaction: Interaction::ALL[which],
                status: 200,
                endpoint: own(1),
                request_id: own(2),
                caller: Caller {
                    client: own(3), issuer: own(4), subject: own(5), user: own(6), token_id: own(7), address: own(8),
                },
                patient: own(9),
                entities: entities.iter().map(|(kind, id, version)| Entity {
                    kind: kind.as_str().into(), id: id.as_str().into(), version: *version,
                }).collect(),
                query: own(10),
            };
            let mut line = Vec::new();
            encode(&event, &mut line);
            let line = String::from_utf8(line).unwrap();
            prop_assert_eq!(line.matches('\n').count(), 1);
            prop_assert_eq!(recorded_ms(line.as_bytes()), Some(ms));
            prop_assert_eq!(decode(line.trim_end_matches('\n')), Some(event));
        }

        #[test]
        fn no_line_panics(line in "[0-9a-z\\t\\\\/ ]{0,120}") {
            let _ = decode(&line);
        }
    }
}
