//! What the splitters of both formats share: the verdict on the root, the envelope, the payload.

use crate::Version;
use crate::base64::{Base64Error, Decoder};

use super::{ENVELOPE_BYTES_MAX, ReadError, ReadErrorKind, Root};

/// Stands for the value of the payload in the envelope, where an empty value would be a fault.
const PLACEHOLDER: u8 = b'-';

/// A body on its way through a splitter.
#[derive(Debug)]
pub struct Split {
    pub version: Version,
    pub root: Root,
    /// Everything but the payload, in whose place a [`PLACEHOLDER`] stands.
    pub envelope: Vec<u8>,
    /// The first fault, which counts if the root turns out to be a Binary.
    fault: Option<ReadError>,
    decoder: Decoder,
    /// Bytes of content; `None` if there was no payload element.
    pub content_bytes: Option<u64>,
}

impl Split {
    pub fn new(version: Version) -> Self {
        Self {
            version,
            root: Root::Unknown,
            envelope: Vec::new(),
            fault: None,
            decoder: Decoder::default(),
            content_bytes: None,
        }
    }

    /// Adds a byte to the envelope.
    pub fn keep(&mut self, byte: u8) -> Result<(), ReadError> {
        if self.fault.is_some() {
            return Ok(()); // nobody is going to read it
        }
        if self.envelope.len() == ENVELOPE_BYTES_MAX {
            let message = format!("more than {ENVELOPE_BYTES_MAX} bytes beside the content");
            return self.fail(ReadErrorKind::TooCostly, "Binary", &message);
        }
        self.envelope.push(byte);
        Ok(())
    }

    /// The root is known to be a Binary.
    pub fn is_binary(&mut self) -> Result<(), ReadError> {
        self.root = Root::Binary;
        self.fault.take().map_or(Ok(()), Err)
    }

    /// A fault of a body that can still be read on.
    pub fn fail(&mut self, kind: ReadErrorKind, expression: &str, message: &str) -> Result<(), ReadError> {
        let error = ReadError::new(kind, expression, message);
        match self.root {
            Root::Binary => Err(error),
            Root::Unknown | Root::Other => {
                self.fault.get_or_insert(error);
                Ok(())
            }
        }
    }

    /// A fault after which nothing can be told of the rest. If the root was not named by now, the body
    /// is nothing that this module reads.
    pub fn malformed(&mut self, message: &str) -> Result<(), ReadError> {
        if self.root == Root::Binary {
            return Err(ReadError::new(ReadErrorKind::Structure, "Binary", message));
        }
        self.root = Root::Other;
        Ok(())
    }

    /// Where the payload belongs, as in `Binary.data`.
    pub fn payload_path(&self) -> String {
        format!("Binary.{}", self.version.payload_element())
    }

    /// The name of the payload in the versions that are not this one.
    pub fn is_foreign_payload(&self, name: &str) -> bool {
        matches!(name, "data" | "content") && name != self.version.payload_element()
    }

    /// Refuses a payload under the name of another version.
    pub fn foreign_payload(&mut self, name: &str) -> Result<(), ReadError> {
        let (version, right) = (self.version, self.version.payload_element());
        let message = format!("in {version} the content of a Binary is the element '{right}'");
        self.fail(ReadErrorKind::Structure, &format!("Binary.{name}"), &message)
    }

    /// The value of the payload begins.
    pub fn begin_payload(&mut self) -> Result<(), ReadError> {
        if self.content_bytes.is_some() {
            return self.fail(ReadErrorKind::Structure, &self.payload_path(), "the content is given twice");
        }
        self.content_bytes = Some(0);
        self.keep(PLACEHOLDER)
    }

    /// A stretch of the payload, free of escapes.
    pub fn payload(&mut self, text: &[u8], content: &mut Vec<u8>) -> Result<(), ReadError> {
        if self.fault.is_some() {
            return Ok(());
        }
        let before = content.len();
        let decoded = self.decoder.push(text, content);
        let added = u64::try_from(content.len() - before).unwrap_or(u64::MAX);
        self.content_bytes = self.content_bytes.map(|bytes| bytes.saturating_add(added));
        decoded.or_else(|error| self.not_base64(error))
    }

    /// The value of the payload ends.
    pub fn end_payload(&mut self) -> Result<(), ReadError> {
        if self.fault.is_some() {
            return Ok(());
        }
        if let Err(error) = std::mem::take(&mut self.decoder).finish() {
            return self.not_base64(error);
        }
        if self.content_bytes == Some(0) {
            let message = "the content is empty; a Binary of no bytes cannot be stored";
            return self.fail(ReadErrorKind::Value, &self.payload_path(), message);
        }
        Ok(())
    }

    fn not_base64(&mut self, error: Base64Error) -> Result<(), ReadError> {
        self.fail(ReadErrorKind::Value, &self.payload_path(), &error.to_string())
    }
}
