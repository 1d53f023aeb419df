//! Links from one page of a result to the next. The link says where the page before ended and is
//! signed, so that it is opaque, cannot be made up, and holds for the very same request only. The
//! signing key lies in the store: links survive a restart.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::http::{call::Call, outcome::Refusal};

/// The parameter that carries the place.
pub const PARAMETER: &str = "_page";

/// Bytes of the signature that are kept: 128 bits.
const SIGNATURE_BYTES: usize = 16;

/// The link to the page that begins at `place`, for the request that `path` and `used` describe.
pub fn link(call: &Call<'_>, path: &str, used: &[(String, String)], place: u64) -> String {
    let mut token = place.to_be_bytes().to_vec();
    token.extend_from_slice(&signature(call, path, used, place));
    let token: String = base64_simd::URL_SAFE_NO_PAD.encode_type(&token);
    with_parameters(call, path, used, Some(&token))
}

/// The absolute URL of a request, with the parameters that were used.
pub fn self_link(call: &Call<'_>, path: &str, used: &[(String, String)]) -> String {
    with_parameters(call, path, used, super::super::call::last(call.parameters, PARAMETER))
}

fn with_parameters(call: &Call<'_>, path: &str, used: &[(String, String)], token: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(used);
    if let Some(token) = token {
        query.append_pair(PARAMETER, token);
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}/{path}{mark}{query}", call.base())
}

/// The place that this request's `_page` names; `None` for a first page.
///
/// # Errors
/// If it was not made by [`link`] for the same path and parameters.
pub fn place(
    call: &Call<'_>,
    path: &str,
    used: &[(String, String)],
    parameters: &[(String, String)],
) -> Result<Option<u64>, Refusal> {
    let Some(token) = super::super::call::last(parameters, PARAMETER) else { return Ok(None) };
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).map_err(|_| Refusal::StalePage)?;
    let (place, given) = bytes.split_first_chunk::<8>().ok_or(Refusal::StalePage)?;
    let place = u64::from_be_bytes(*place);
    let mut mac = mac(call, path, used, place)?;
    Mac::update(&mut mac, &[]);
    mac.verify_truncated_left(given).map_err(|_| Refusal::StalePage)?;
    if given.len() == SIGNATURE_BYTES { Ok(Some(place)) } else { Err(Refusal::StalePage) }
}

fn signature(call: &Call<'_>, path: &str, used: &[(String, String)], place: u64) -> Vec<u8> {
    mac(call, path, used, place).map_or_else(
        |_| Vec::new(),
        |mac| mac.finalize().into_bytes().iter().copied().take(SIGNATURE_BYTES).collect(),
    )
}

/// Every part is preceded by its length, so that no two requests sign the same bytes.
fn mac(call: &Call<'_>, path: &str, used: &[(String, String)], place: u64) -> Result<Hmac<Sha256>, Refusal> {
    let mut mac = Hmac::<Sha256>::new_from_slice(call.app.service.secret())
        .map_err(|_| Refusal::Internal("the signing key has no usable length"))?;
    let mut add = |part: &[u8]| {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    };
    add(call.tenant.as_str().as_bytes());
    add(call.endpoint.path.as_bytes());
    add(call.grant.writer().unwrap_or_default().as_bytes()); // a link is of use to whom it was given
    add(path.as_bytes());
    for (name, value) in used {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    add(&place.to_be_bytes());
    Ok(mac)
}
