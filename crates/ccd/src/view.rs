//! From the bytes of a CDA document, of whatever origin, to a page that a person can read and print. No I/O.
//!
//! The document is hostile until shown otherwise. No text of it becomes markup: every element and attribute of the page is one
//! of ours, made of what the document's was understood as. The page has no script and fetches nothing; its [`policy`] has
//! the browser see to that as well. A style sheet that the document names is not looked at.
//!
//! What is shown is the header and the narrative, which is what its author attested. No text of a narrative is left out:
//! what has no place in CDA's markup loses its markup and keeps its text.
//!
//! Clause: CDA R2 1.2.3

mod body;
mod encoding;
mod header;
mod html;
mod media;
mod narrative;
mod page;
mod people;
mod table;
mod tree;
mod values;

use std::sync::LazyLock;

use base64_simd::STANDARD;
use charta_model::Digest;

use page::Page;

/// The largest document that is shown.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The deepest nesting of elements, in the document as a whole.
pub const DEPTH_MAX: usize = 100;

/// So many elements and texts of header and narrative at most.
pub const NODES_MAX: usize = 500_000;

/// Raised when a page of the same document would look different, so that kept pages are asked for again.
pub const EDITION: u32 = 1;

const STYLE: &str = include_str!("view/style.css");

/// A document as a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The whole page, in UTF-8.
    pub html: String,
    /// The language that the document says it is in.
    pub language: Option<String>,
}

/// Why a document is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// Something else.
    #[error("this is not a CDA document")]
    NotCda,
    /// A tag that is not closed, text after the end and the like.
    #[error("the document is not well-formed XML")]
    Malformed,
    /// An encoding that is not read, or bytes that break the one that is declared.
    #[error("the document is not in UTF-8, UTF-16, ISO-8859-1 or Windows-1252, or not in what it declares")]
    Encoding,
    /// A document type or an entity, with which a small document can mean a large one.
    #[error("the document has a document type or entities of its own")]
    Declarations,
    /// More than is shown.
    #[error("the document is too large or nested too deeply to be shown")]
    TooLarge,
}

/// Shows a document. `native` is the URL of its bytes, if there is one to offer.
///
/// The page is in proportion to the document: nothing of it is on the page twice but titles and names.
///
/// # Errors
/// [`ViewError`].
pub fn view(document: &[u8], native: Option<&str>) -> Result<View, ViewError> {
    if document.len() > BYTES_MAX {
        return Err(ViewError::TooLarge);
    }
    let text = encoding::decode(document)?;
    let tree = tree::read(&text)?;
    let root = tree.root();
    let language = root.child("languageCode").and_then(|language| language.attribute("code"));
    let language = language.filter(|code| narrative::is_language(code));
    let mut page = Page::new(&tree, native);
    page.html.raw("<!DOCTYPE html>\n");
    page.html.open("html", &[("lang", language.unwrap_or("en"))]);
    head(&mut page, root);
    page.html.open("body", &[]);
    header::write(&mut page, root);
    page.html.open("div", &[("class", "columns")]);
    body::write(&mut page, root, |page| header::about(page, root));
    page.html.raw("</div></body></html>\n");
    Ok(View { html: page.html.finish(), language: language.map(str::to_owned) })
}

/// What the page needs of a browser, and all that it is to get: the `Content-Security-Policy` of every view.
#[must_use]
pub fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let digest = STANDARD.encode_to_string(Digest::of(STYLE.as_bytes()).as_bytes());
        format!(
            "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
        )
    });
    &POLICY
}

fn head(page: &mut Page<'_>, root: tree::Element<'_>) {
    let patients = header::patients(root).join(", ");
    let title = header::title(root);
    let title = if patients.is_empty() { title } else { format!("{patients}: {title}") };
    page.html.raw("<head><meta charset=\"utf-8\">");
    // A page that was saved has no headers any more.
    page.html.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", policy())]);
    page.html.raw("<meta name=\"viewport\" content=\"width=device-width\">");
    page.html.raw("<meta name=\"referrer\" content=\"no-referrer\">");
    page.html.element("title", &[], &title);
    page.html.raw("<style>");
    page.html.raw(STYLE);
    page.html.raw("</style></head>");
}
