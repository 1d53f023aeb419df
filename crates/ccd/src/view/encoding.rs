//! From the bytes of a document to its text.

use std::borrow::Cow;

use super::ViewError;

/// So many bytes at the start hold the XML declaration.
const DECLARATION_BYTES_MAX: usize = 256;

/// What the bytes 0x80 to 0x9F are in Windows-1252; Latin-1 has nothing that prints there, and is read the same way by
/// every browser.
const HIGH: [char; 32] = [
    '€', '\u{FFFD}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{FFFD}', 'Ž', '\u{FFFD}',
    '\u{FFFD}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{FFFD}', 'ž', 'Ÿ',
];

/// The text of an XML document, by its byte order mark, its first bytes, or what it declares.
///
/// # Errors
/// `Encoding` for an encoding other than UTF-8, UTF-16, Latin-1 and Windows-1252, or bytes that break it.
///
/// Clause: XML 1.0 F
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ViewError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0, b'<', 0, ..] => utf16(bytes, u16::from_be_bytes),
        [b'<', 0, _, 0, ..] => utf16(bytes, u16::from_le_bytes),
        _ => match declared(bytes).map(|name| name.to_ascii_lowercase()).as_deref() {
            // A text that was UTF-16 in memory often says so, and was written as UTF-8 all the same.
            None | Some("utf-8" | "utf8" | "us-ascii" | "ascii" | "utf-16") => utf8(bytes),
            Some("iso-8859-1" | "latin1" | "iso8859-1" | "windows-1252" | "cp1252") => {
                Ok(windows_1252(bytes))
            }
            Some(_) => Err(ViewError::Encoding),
        },
    }
}

/// Text of one byte for each character; what is ASCII throughout is not copied.
pub fn windows_1252(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|byte| high(*byte)).collect()),
    }
}

fn high(byte: u8) -> char {
    match byte {
        0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, ViewError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| ViewError::Encoding)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, ViewError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(ViewError::Encoding);
    }
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    text.map(Cow::Owned).map_err(|_| ViewError::Encoding)
}

/// The encoding that the XML declaration names.
fn declared(bytes: &[u8]) -> Option<&str> {
    let start = &bytes[..bytes.len().min(DECLARATION_BYTES_MAX)];
    let end = start.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&start[..end]).ok()?.strip_prefix("<?xml")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Option<&str>) {
        assert_eq!(decode(bytes).ok().as_deref(), expected, "{bytes:?}");
    }

    fn utf16_bytes(text: &str, write: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(write).collect()
    }

    #[test]
    fn encodings_are_told_by_mark_shape_and_declaration() {
        check("<a>ä</a>".as_bytes(), Some("<a>ä</a>"));
        check(b"\xEF\xBB\xBF<a/>", Some("<a/>"));
        let text = "<?xml version='1.0' encoding='UTF-16'?><a>ä€😀</a>";
        for (mark, write) in
            [(&b"\xFE\xFF"[..], u16::to_be_bytes as fn(u16) -> [u8; 2]), (&b"\xFF\xFE"[..], u16::to_le_bytes)]
        {
            check(&[mark, &utf16_bytes(text, write)].concat(), Some(text));
            check(&utf16_bytes(text, write), Some(text));
        }
        check(text.as_bytes(), Some(text));
        let latin = b"<?xml version=\"1.0\" encoding = \"ISO-8859-1\" ?><a>\xE4\x80</a>";
        check(latin, Some("<?xml version=\"1.0\" encoding = \"ISO-8859-1\" ?><a>ä€</a>"));
    }

    #[test]
    fn what_is_not_its_encoding_is_refused() {
        check(b"<a>\xE4</a>", None);
        check(b"\xFF\xFE<", None);
        check(&utf16_bytes("<a>", u16::to_le_bytes)[..5], None);
        check(b"\xFE\xFF\xD8\x00\x00<", None);
        check(b"<?xml version='1.0' encoding='EBCDIC-CP-US'?><a/>", None);
        check(b"<?xml version='1.0' encoding='UTF-7'?><a/>", None);
    }
}
