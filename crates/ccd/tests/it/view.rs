//! Pages of CDA documents: what a person reads on them, and that nothing else is on them.

mod dom;
mod features;
mod header;
mod hostile;
mod properties;
mod samples;

use charta_ccd::view::view;
use dom::Dom;

/// Where the bytes of the documents here are said to be.
const NATIVE: &str = "http://localhost/r4/Binary/1";

/// A document with this header and body.
fn document(header: &str, body: &str) -> String {
    format!(
        "<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:sdtc=\"urn:hl7-org:sdtc\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{header}<component>{body}</component></ClinicalDocument>"
    )
}

/// A document with one section of this narrative, and entries behind it.
fn with_narrative(narrative: &str, entries: &str) -> String {
    let section = format!("<section><title>Findings</title><text>{narrative}</text>{entries}</section>");
    document("", &format!("<structuredBody><component>{section}</component></structuredBody>"))
}

/// The page of a document, which is one that a browser reads as it was meant.
fn page(document: &str) -> Dom {
    shown(document.as_bytes())
}

fn shown(document: &[u8]) -> Dom {
    let shown = view(document, Some(NATIVE))
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(document)));
    let dom = Dom::read(&shown.html);
    dom.assert_harmless(NATIVE);
    dom
}

/// The page of a narrative.
fn narrative(narrative: &str) -> Dom {
    page(&with_narrative(narrative, ""))
}
