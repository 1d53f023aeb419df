//! Codes that not every version has.

use super::extension;
use super::members::{Item, Members};
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

/// The code that `to` has, and the one that it has not with the version that has.
pub(super) fn split(codes: &[Code], item: Item, to: Version) -> (Option<Item>, Option<(Item, Version)>) {
    match item.code().map_or(Narrowed::Same, |code| narrow(codes, code, to)) {
        Narrowed::Same => (Some(item), None),
        Narrowed::Renamed(name) => (Some(Item { value: Some(Node::text(name)), ..item }), None),
        Narrowed::Lost(Some(wider), since) => {
            let own = Item { value: item.value, beside: None };
            (Some(Item { value: Some(Node::text(wider)), beside: item.beside }), Some((own, since)))
        }
        Narrowed::Lost(None, since) => (None, Some((item, since))),
    }
}

/// [`split`] for the member `name` of an object; `path` names it to an extension.
pub(super) fn narrow_member(
    object: &mut Members,
    name: &'static str,
    path: &str,
    codes: &[Code],
    to: Version,
) {
    let mut lost = None;
    object.change_primitive(name, |item| {
        let (shown, own) = split(codes, item?, to);
        lost = own;
        shown
    });
    if let Some((own, since)) = lost {
        extension::put(object, since, path, "code", own);
    }
}

/// [`widen`] for the member `name` of an object.
pub(super) fn widen_member(
    object: &mut Members,
    name: &'static str,
    path: &str,
    codes: &[Code],
    from: Version,
) {
    let kept = extension::take(object, path, "code");
    object.change_primitive(name, |shown| widen(codes, shown, kept, from));
}
