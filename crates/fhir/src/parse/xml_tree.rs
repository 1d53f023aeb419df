//! An envelope in XML, read strictly into elements of the FHIR namespace.

use quick_xml::NsReader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::value::member_path;
use super::{DEPTH_MAX, ELEMENTS_MAX, ReadError, ReadErrorKind};

const FHIR: &str = "http://hl7.org/fhir";
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// An element by its local name.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    /// Without declarations of namespaces.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
}

/// Whether `tag`, the text from the name to `>`, opens a Binary.
pub fn is_binary_tag(tag: &[u8]) -> bool {
    let Ok(tag) = std::str::from_utf8(tag) else { return false };
    let text = format!("<{tag}");
    let mut reader = NsReader::from_str(&text);
    match reader.read_resolved_event() {
        Ok((namespace, Event::Start(start) | Event::Empty(start))) => {
            is_fhir(&namespace) && start.local_name().into_inner() == "Binary"
        }
        _ => false,
    }
}

/// The character that the reference `&name;` stands for.
pub fn referenced(name: &[u8]) -> Option<char> {
    let name = std::str::from_utf8(name).ok()?;
    let text = unescape(&format!("&{name};")).ok()?.into_owned();
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Reads the one element that `text` has.
pub fn read(text: &str) -> Result<Element, ReadError> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    // Each open element with its path.
    let mut open: Vec<(Element, String)> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    let mut first = true;
    loop {
        let path = open.last().map_or(String::new(), |(_, path)| path.clone());
        let (namespace, event) =
            reader.read_resolved_event().map_err(|_| malformed(&path, "not well-formed XML"))?;
        let namespace_fits = is_fhir(&namespace);
        match event {
            Event::Start(start) => {
                elements += 1;
                if elements > ELEMENTS_MAX || open.len() >= DEPTH_MAX {
                    let message = "too many or too deep elements";
                    return Err(ReadError::new(ReadErrorKind::TooCostly, "Binary", message));
                }
                if !namespace_fits {
                    return Err(malformed(&path, "an element is not in the FHIR namespace"));
                }
                let name = start.local_name().into_inner();
                let path = if path.is_empty() { name.to_owned() } else { member_path(&path, name) };
                open.push((element(&start, &reader, &path)?, path));
            }
            Event::End(_) => {
                let (element, _) = open.pop().ok_or_else(|| malformed(&path, "not well-formed XML"))?;
                match open.last_mut() {
                    Some((parent, _)) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
            Event::Decl(decl) if first => declaration(&decl)?,
            Event::Comment(_) | Event::PI(_) => {}
            Event::Text(text) if text.bytes().all(|byte| b" \t\r\n".contains(&byte)) => {}
            Event::Eof => break,
            _ => return Err(malformed(&path, "there is text where only elements can be")),
        }
        first = false;
    }
    root.filter(|_| open.is_empty()).ok_or_else(|| malformed("Binary", "the body ends early"))
}

pub fn element(start: &BytesStart<'_>, reader: &NsReader<&[u8]>, path: &str) -> Result<Element, ReadError> {
    let name = start.local_name().into_inner().to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| malformed(path, "not well-formed XML"))?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        match namespace {
            ResolveResult::Unbound => {
                let raw = attribute.value.replace("\r\n", " ").replace(['\t', '\r', '\n'], " ");
                let value = unescape(&raw).map_err(|_| malformed(path, "not well-formed XML"))?;
                attributes.push((local.into_inner().to_owned(), value.into_owned()));
            }
            // A hint for editors that says nothing of the resource.
            ResolveResult::Bound(Namespace(SCHEMA_INSTANCE)) if local.into_inner() == "schemaLocation" => {}
            _ => return Err(malformed(path, "an attribute is in a foreign namespace")),
        }
    }
    Ok(Element { name, attributes, children: Vec::new() })
}

pub fn declaration(decl: &BytesDecl<'_>) -> Result<(), ReadError> {
    let version = decl.version().map_err(|_| malformed("Binary", "not well-formed XML"))?;
    if version != "1.0" {
        return Err(malformed("Binary", "XML has to be of version 1.0"));
    }
    match decl.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(_) => Err(malformed("Binary", "the encoding has to be UTF-8")),
    }
}

pub fn is_fhir(namespace: &ResolveResult<'_>) -> bool {
    *namespace == ResolveResult::Bound(Namespace(FHIR))
}

fn malformed(path: &str, message: &str) -> ReadError {
    let path = if path.is_empty() { "Binary" } else { path };
    ReadError::new(ReadErrorKind::Structure, path, message)
}
