//! XHTML as a document's content: what runs or fetches is taken out, the text stays.
//!
//! What need not change is copied byte for byte, so a clean document is the one that was sent.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

#[cfg(test)]
mod tests;

/// Elements that are taken out with all that is in them.
const DROPPED: [&str; 5] = ["applet", "iframe", "link", "script", "style"];

/// Elements whose tags are taken out; what is in them stays.
const UNWRAPPED: [&str; 10] =
    ["a", "button", "form", "frame", "frameset", "input", "object", "option", "select", "textarea"];

/// Why a text is not kept as XHTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XhtmlError {
    /// A tag that is not closed, an entity without `;`, more than one root and the like.
    #[error("the XHTML is not well-formed")]
    Malformed,
    /// Entities of its own, with which a small text can mean a large one.
    #[error("the XHTML has a document type with declarations of its own")]
    Declarations,
    /// An image that is somewhere else.
    #[error("an image in the XHTML is not embedded as a base64 data: URI")]
    ImageOutside,
}

/// The XHTML without elements that run or fetch something; `None` if there were none.
///
/// Event handlers go as well: what was cleaned of scripts should have none.
///
/// # Errors
/// [`XhtmlError`].
pub fn clean(text: &str) -> Result<Option<String>, XhtmlError> {
    let mut cleaner = Cleaner::default();
    let mut reader = Reader::from_str(text);
    let mut from = 0;
    loop {
        let event = reader.read_event().map_err(|_| XhtmlError::Malformed)?;
        let to = usize::try_from(reader.buffer_position()).map_err(|_| XhtmlError::Malformed)?;
        let written = text.get(from..to).ok_or(XhtmlError::Malformed)?;
        if matches!(event, Event::Eof) {
            return cleaner.finish(text);
        }
        cleaner.take(&event, written)?;
        from = to;
    }
}

#[derive(Default)]
struct Cleaner {
    kept: String,
    /// Open elements.
    depth: usize,
    /// How many were open when the element began that is being taken out.
    dropping: Option<usize>,
    has_root: bool,
}

impl Cleaner {
    fn take(&mut self, event: &Event<'_>, written: &str) -> Result<(), XhtmlError> {
        match event {
            Event::Start(tag) => {
                self.tag(tag, written)?;
                self.depth += 1;
            }
            Event::Empty(tag) => {
                self.tag(tag, written)?;
                self.end_of_dropped();
            }
            Event::End(tag) => {
                self.depth -= 1; // the reader refuses an end without a start
                let name = lower(tag.local_name().into_inner());
                if self.dropping.is_none() && !UNWRAPPED.contains(&name.as_str()) {
                    self.kept.push_str(written);
                }
                self.end_of_dropped();
            }
            Event::DocType(_) if written.contains('[') => return Err(XhtmlError::Declarations),
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)
                if self.depth == 0 && !written.trim().is_empty() =>
            {
                return Err(XhtmlError::Malformed);
            }
            // An instruction may fetch a style sheet.
            Event::PI(_) => {}
            _ if self.dropping.is_some() => {}
            _ => self.kept.push_str(written),
        }
        Ok(())
    }

    fn tag(&mut self, tag: &BytesStart<'_>, written: &str) -> Result<(), XhtmlError> {
        if self.depth == 0 && std::mem::replace(&mut self.has_root, true) {
            return Err(XhtmlError::Malformed);
        }
        if self.dropping.is_some() {
            return Ok(());
        }
        let name = lower(tag.local_name().into_inner());
        let without_handlers = attributes(tag, &name)?;
        if UNWRAPPED.contains(&name.as_str()) {
            return Ok(());
        }
        if DROPPED.contains(&name.as_str()) {
            self.dropping = Some(self.depth);
            return Ok(());
        }
        match without_handlers {
            None => self.kept.push_str(written),
            Some(attributes) => {
                let end = if written.ends_with("/>") { "/>" } else { ">" };
                self.kept.push('<');
                self.kept.push_str(tag.name().into_inner());
                self.kept.push_str(&attributes);
                self.kept.push_str(end);
            }
        }
        Ok(())
    }

    fn end_of_dropped(&mut self) {
        if self.dropping == Some(self.depth) {
            self.dropping = None;
        }
    }

    fn finish(self, text: &str) -> Result<Option<String>, XhtmlError> {
        if self.depth > 0 || !self.has_root {
            return Err(XhtmlError::Malformed);
        }
        Ok((self.kept != text).then_some(self.kept))
    }
}

/// The attributes without event handlers, if there are any; an image must be inside.
fn attributes(tag: &BytesStart<'_>, element: &str) -> Result<Option<String>, XhtmlError> {
    let (mut kept, mut has_handlers) = (String::new(), false);
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| XhtmlError::Malformed)?;
        let name = lower(attribute.key.local_name().into_inner());
        if name.starts_with("on") {
            has_handlers = true;
            continue;
        }
        let is_image = element == "img" && matches!(name.as_str(), "src" | "srcset");
        if is_image && (name == "srcset" || !is_embedded_image(&attribute.value)) {
            return Err(XhtmlError::ImageOutside);
        }
        let quote = if attribute.value.contains('"') { '\'' } else { '"' };
        kept.push(' ');
        kept.push_str(attribute.key.into_inner());
        kept.push('=');
        kept.push(quote);
        kept.push_str(&attribute.value);
        kept.push(quote);
    }
    Ok(has_handlers.then_some(kept))
}

fn is_embedded_image(source: &str) -> bool {
    let source = source.trim();
    let head = source.split_once(',').map_or("", |(head, _)| head).to_ascii_lowercase();
    head.starts_with("data:image/") && head.ends_with(";base64")
}

/// Names in XHTML are lower-case; whoever reads it as HTML does not mind the case.
fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}
