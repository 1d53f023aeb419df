//! XHTML inside an attachment, cleaned as Millennium does it before it is stored.

use base64_simd::STANDARD as BASE64;
use charta_fhir::{Node, base64::Decoder, represent::IssueCode, xhtml};

use super::millennium_write::Broken;
use crate::{http::outcome::Refusal, intake};

const DATA: &str = "DocumentReference.content[0].attachment.data";

/// Cleans the first attachment, if it is XHTML and inside. A size and a hash that were declared are checked against
/// the bytes that came, and left out if others are stored.
///
/// # Errors
/// 422 for data that is no base64, no UTF-8 or no XHTML, or not as declared.
pub fn clean(resource: &mut Node) -> Result<(), Refusal> {
    let Some(attachment) = first_attachment(resource) else { return Ok(()) };
    let is_xhtml = attachment
        .text_at("contentType")
        .is_some_and(|given| given.to_ascii_lowercase().starts_with("application/xhtml+xml"));
    let Some(data) = attachment.text_at("data").filter(|_| is_xhtml) else { return Ok(()) };
    let mut bytes = Vec::new();
    let mut decoder = Decoder::default();
    let decoded = decoder.push(data.as_bytes(), &mut bytes).and_then(|()| decoder.finish());
    decoded.map_err(|_| refused("data is not base64"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refused("the XHTML is not UTF-8"))?;
    let cleaned = xhtml::clean(text).map_err(|error| refused(sentence(error)))?;
    if let Some(cleaned) = cleaned {
        let size = match attachment.member("size") {
            Some(Node::Number(digits)) => Some(digits.as_str()),
            _ => None,
        };
        intake::check_declared(DATA, &bytes, size, attachment.text_at("hash"))?;
        attachment.set("data", Node::text(BASE64.encode_to_string(cleaned)));
        attachment.take("size");
        attachment.take("hash");
    }
    Ok(())
}

fn first_attachment(resource: &mut Node) -> Option<&mut Node> {
    let Node::Array(contents) = resource.member_mut("content")? else { return None };
    contents.first_mut()?.member_mut("attachment")
}

const fn sentence(error: xhtml::XhtmlError) -> &'static str {
    match error {
        xhtml::XhtmlError::Malformed => "the XHTML is not well-formed",
        xhtml::XhtmlError::Declarations => "the XHTML has declarations of its own",
        xhtml::XhtmlError::ImageOutside => "an image in the XHTML is not embedded as a base64 data: URI",
    }
}

fn refused(text: &'static str) -> Refusal {
    Refusal::Rules(vec![Broken { code: IssueCode::BusinessRule, expression: DATA.to_owned(), text }])
}
