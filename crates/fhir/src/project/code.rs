//! Codes that not every version has.

use super::extension;
use super::members::{Item, Members, text};
use crate::{Node, Version};

/// A code that some version lacks; codes that are not listed are in all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    pub code: &'static str,
    pub since: Version,
    pub before: Before,
}

/// What the versions before have in its place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before {
    /// Nothing that would be true.
    Nothing,
    /// A code that says less.
    Wider(&'static str),
    /// The same under another name.
    Name(&'static str),
}

/// A code in an older version.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Narrowed {
    Same,
    Renamed(&'static str),
    /// What it comes to, if anything, and the version that has the code itself.
    Lost(Option<&'static str>, Version),
}

/// What `code` is in `to`.
pub(super) fn narrow(codes: &[Code], code: &str, to: Version) -> Narrowed {
    let Some(known) = codes.iter().find(|known| known.code == code) else { return Narrowed::Same };
    if to >= known.since {
        return Narrowed::Same;
    }
    match known.before {
        Before::Nothing => Narrowed::Lost(None, known.since),
        Before::Name(name) => Narrowed::Renamed(name),
        Before::Wider(wider) => match narrow(codes, wider, to) {
            Narrowed::Same => Narrowed::Lost(Some(wider), known.since),
            Narrowed::Renamed(name) => Narrowed::Lost(Some(name), known.since),
            Narrowed::Lost(wider, _) => Narrowed::Lost(wider, known.since),
        },
    }
}

/// The code that an element of `from` means. `kept` is what an extension says that it was before; it holds
/// as long as the element still says what `kept` comes to in this version, else someone has changed it.
pub(super) fn widen(codes: &[Code], shown: Option<Item>, kept: Option<Item>, from: Version) -> Option<Item> {
    let said = shown.as_ref().and_then(Item::code);
    let kept = kept.filter(|kept| match kept.code().map(|code| narrow(codes, code, from)) {
        Some(Narrowed::Lost(wider, _)) => wider == said,
        _ => shown.is_none(),
    });
    if let Some(kept) = kept {
        let beside = shown.and_then(|shown| shown.beside).or(kept.beside);
        return Some(Item { beside, value: kept.value });
    }
    let renamed = said.and_then(|said| {
        codes
            .iter()
            .find(|known| from < known.since && matches!(known.before, Before::Name(name) if name == said))
    });
    match renamed {
        Some(known) => shown.map(|shown| Item { value: Some(Node::text(known.code)), ..shown }),
        None => shown,
    }
}

/// [`narrow`] for the member `name` of a data type; `path` names it to an extension.
pub(super) fn narrow_member(
    object: &mut Members,
    name: &'static str,
    path: &str,
    codes: &[Code],
    to: Version,
) {
    let narrowed = object.text(name).map(|code| narrow(codes, code, to));
    match narrowed {
        None | Some(Narrowed::Same) => {}
        Some(Narrowed::Renamed(code)) => object.put(name, Node::text(code)),
        Some(Narrowed::Lost(wider, since)) => {
            let value = match wider {
                Some(wider) => object.get(name).cloned().inspect(|_| object.put(name, Node::text(wider))),
                None => object.take(name),
            };
            extension::put(object, since, path, "code", Item { value, beside: None });
        }
    }
}

/// [`widen`] for the member `name` of a data type.
pub(super) fn widen_member(
    object: &mut Members,
    name: &'static str,
    path: &str,
    codes: &[Code],
    from: Version,
) {
    let kept = extension::take(object, path, "code");
    let said = object.text(name).is_some();
    if !said && kept.is_none() {
        return;
    }
    let beside = object.get(&format!("_{name}")).cloned();
    let shown = said.then(|| Item { value: object.get(name).cloned(), beside: None });
    if let Some(Item { value: Some(code), .. }) = widen(codes, shown, kept, from)
        && text(&code).is_some()
    {
        object.put(name, code);
    }
    object.put_some(format!("_{name}"), beside);
}
