//! An answer that is made while it is sent: its length is not known before its end, nothing of it is kept, so it has
//! no ETag and no ranges.

use std::{io, pin::Pin};

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use charta_fhir::{
    Node, Piece,
    negotiate::{Chosen, FhirType},
    represent,
};
use charta_model::{MediaType, ResourceId};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{
    answer::{Answer, Body},
    call::Call,
    coding::Coding,
    compress, disposition,
    outcome::Refusal,
    respond,
};

/// Bytes that are sent or encoded at once.
const STRETCH_BYTES: usize = 48 * 1024;

/// The pieces of an answer.
pub type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Answers with a Binary whose bytes `begin` makes, in the form that was chosen.
///
/// # Errors
/// Those of `_summary` and `_elements`.
pub fn answer<I>(
    call: &Call<'_>,
    id: &ResourceId,
    content_type: &MediaType,
    chosen: &Chosen,
    begin: impl FnOnce() -> I + Send + 'static,
) -> Result<Answer, Refusal>
where
    I: Iterator<Item = String> + Send + 'static,
{
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    let pieces = pieces(begin);
    let body = match chosen {
        Chosen::Native => {
            headers.insert(header::CONTENT_TYPE, respond::value(content_type.as_str()));
            let shown = disposition::disposition(id, content_type, &[]);
            headers.insert(header::CONTENT_DISPOSITION, respond::value(&shown));
            let policy = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            pieces
        }
        Chosen::Resource(fhir_type) => {
            headers.insert(header::CONTENT_TYPE, respond::value(&fhir_type.content_type));
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
            let node = represent::made_binary(id, call.now, content_type, call.version(), &call.subset()?);
            resource(call, node, fhir_type, pieces)
        }
    };
    Ok(sent(call, headers, body))
}

fn sent(call: &Call<'_>, mut headers: HeaderMap, body: Pieces) -> Answer {
    let coding = Coding::for_answer(call.headers, true, u64::MAX);
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    if call.method == Method::HEAD {
        return respond::empty(StatusCode::OK, headers);
    }
    let body = match coding {
        Some(coding) => compress::encoded(body, coding),
        None => body,
    };
    respond::answer(StatusCode::OK, headers, Body::streamed(body))
}

/// What is still to be made.
enum Making<B, I> {
    New(B),
    Begun(I),
    Over,
}

/// One piece after another, each made when the one before is on its way: no thread waits for a slow client.
pub fn pieces<B, I>(begin: B) -> Pieces
where
    B: FnOnce() -> I + Send + 'static,
    I: Iterator<Item = String> + Send + 'static,
{
    stretches(stream::unfold(Making::New(begin), async |state| {
        let made = tokio::task::spawn_blocking(move || {
            let mut iterator = match state {
                Making::New(begin) => begin(),
                Making::Begun(iterator) => iterator,
                Making::Over => return None,
            };
            let piece = iterator.next()?;
            Some((piece, iterator))
        });
        match made.await {
            Ok(Some((piece, iterator))) => Some((Ok(Bytes::from(piece)), Making::Begun(iterator))),
            Ok(None) => None,
            // What broke off must not look like what is whole.
            Err(error) => Some((Err(io::Error::other(error)), Making::Over)),
        }
    }))
}

/// The pieces as the payload of a resource.
fn resource(call: &Call<'_>, node: Node, fhir_type: &FhirType, pieces: Pieces) -> Pieces {
    let mut around = represent::write(node, call.version(), fhir_type.format, call.pretty).into_iter();
    let text = |piece: Piece| match piece {
        Piece::Text(text) => Some(Ok(text)),
        Piece::Base64(_) => None,
    };
    let before: Vec<_> = around.by_ref().map_while(text).collect();
    let after: Vec<_> = around.filter_map(text).collect();
    let payload = if after.is_empty() { Box::pin(stream::empty()) } else { base64(pieces) };
    Box::pin(stream::iter(before).chain(payload).chain(stream::iter(after)))
}

/// The same bytes in stretches that are sent at once: a section may be large, and must not be copied as a whole.
fn stretches(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Pieces {
    Box::pin(pieces.flat_map(|piece| {
        let (bytes, error) = match piece {
            Ok(bytes) => (bytes, None),
            Err(error) => (Bytes::new(), Some(Err(error))),
        };
        let places = (0..bytes.len()).step_by(STRETCH_BYTES);
        let stretches =
            places.map(move |at| Ok(bytes.slice(at..bytes.len().min(at + STRETCH_BYTES)))).chain(error);
        stream::iter(stretches)
    }))
}

/// The base64 of pieces of any length. What does not fill three bytes waits for the next.
fn base64(pieces: Pieces) -> Pieces {
    let ended = pieces.map(Some).chain(stream::iter([None]));
    Box::pin(ended.scan(Vec::new(), |rest: &mut Vec<u8>, stretch| {
        let encoded = match stretch {
            Some(Ok(bytes)) => {
                rest.extend_from_slice(&bytes);
                let whole = rest.len() - rest.len() % 3;
                let text = BASE64.encode_to_string(&rest[..whole]);
                rest.drain(..whole);
                Ok(Bytes::from(text))
            }
            Some(Err(error)) => Err(error),
            None => Ok(Bytes::from(BASE64.encode_to_string(&*rest))),
        };
        std::future::ready(Some(encoded))
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    async fn whole(pieces: Pieces) -> io::Result<String> {
        let pieces: Vec<_> = pieces.collect().await;
        let bytes: io::Result<Vec<Bytes>> = pieces.into_iter().collect();
        Ok(String::from_utf8(bytes?.concat()).expect("text"))
    }

    #[tokio::test]
    async fn a_piece_is_made_when_the_one_before_is_taken() {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let mut pieces = pieces(move || {
            (1..=3).map(move |number| {
                counted.fetch_add(1, Ordering::SeqCst);
                format!("piece {number}")
            })
        });
        assert_eq!(made.load(Ordering::SeqCst), 0);
        for number in 1..=3 {
            let piece = pieces.next().await.expect("a piece").expect("made");
            assert_eq!(piece, format!("piece {number}").as_bytes());
            assert_eq!(made.load(Ordering::SeqCst), number, "no piece is made ahead");
        }
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test]
    async fn base64_of_pieces_is_that_of_the_whole() {
        for lengths in [
            vec![],
            vec![0],
            vec![1, 1, 1, 1],
            vec![2, 0, 5],
            vec![STRETCH_BYTES - 1, STRETCH_BYTES * 2 + 1, 3],
            vec![STRETCH_BYTES * 3],
        ] {
            let texts: Vec<String> = lengths.iter().map(|length| "ab\u{e9}".repeat(*length)).collect();
            let expected = BASE64.encode_to_string(texts.concat());
            let encoded = whole(base64(pieces(move || texts.into_iter()))).await.expect("made");
            assert!(encoded == expected, "{lengths:?}");
        }
    }

    #[tokio::test]
    async fn what_breaks_off_does_not_end_as_if_it_were_whole() {
        let broken =
            || (1..=2).map(|number| if number == 2 { panic!("a fault") } else { number.to_string() });
        for mut pieces in [pieces(broken), base64(pieces(broken))] {
            let mut last = None;
            while let Some(piece) = pieces.next().await {
                last = Some(piece.is_ok());
                if last == Some(false) {
                    break;
                }
            }
            assert_eq!(last, Some(false));
        }
    }
}
