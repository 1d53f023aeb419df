//! An envelope as a tree, read strictly from JSON and written back.
//!
//! Stricter than JSON itself: no member twice, no null but between the items of an array, nothing
//! empty. Numbers stay the text that they were, so that decimals keep their digits.

use std::collections::HashSet;

use super::{DEPTH_MAX, ELEMENTS_MAX, ReadError, ReadErrorKind};

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The place of an item whose sibling array has the rest.
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Value>),
    Object(Object),
}

/// Members in order.
pub type Object = Vec<(String, Value)>;

/// Takes the member `name` out of `object`.
pub fn take(object: &mut Object, name: &str) -> Option<Value> {
    let at = object.iter().position(|(member, _)| member == name)?;
    Some(object.remove(at).1)
}

/// Reads the object that `text` is.
pub fn read(text: &str) -> Result<Object, ReadError> {
    let mut reader = Reader { rest: text, elements: 0 };
    reader.space();
    let object = match reader.value("Binary", 0)? {
        Value::Object(object) => object,
        _ => return Err(malformed("Binary", "not a JSON object")),
    };
    reader.space();
    if reader.rest.is_empty() {
        Ok(object)
    } else {
        Err(malformed("Binary", "there is more after the resource"))
    }
}

/// Writes `object` as JSON without white space.
pub fn write(object: &Object) -> String {
    let mut text = String::new();
    write_object(object, &mut text);
    text
}

fn write_object(object: &Object, text: &mut String) {
    text.push('{');
    for (at, (name, value)) in object.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "," });
        write_string(name, text);
        text.push(':');
        write_value(value, text);
    }
    text.push('}');
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(number),
        Value::String(string) => write_string(string, text),
        Value::Object(object) => write_object(object, text),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                write_value(item, text);
            }
            text.push(']');
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    text.push_str(&serde_json::Value::from(string).to_string());
}

/// The path of the member `name`, if its name can be repeated to the client; else that of its parent.
pub fn member_path(parent: &str, name: &str) -> String {
    let plain = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { format!("{parent}.{name}") } else { parent.to_owned() }
}

fn malformed(path: &str, message: &str) -> ReadError {
    ReadError::new(ReadErrorKind::Structure, path, message)
}

struct Reader<'a> {
    rest: &'a str,
    elements: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Takes `token` and white space after it, if it comes next.
    fn took(&mut self, token: char) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                self.space();
                true
            }
            None => false,
        }
    }

    fn value(&mut self, path: &str, depth: usize) -> Result<Value, ReadError> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX || depth > DEPTH_MAX {
            return Err(ReadError::new(ReadErrorKind::TooCostly, "Binary", "too many or too deep elements"));
        }
        if self.took('{') {
            return self.object(path, depth).map(Value::Object);
        }
        if self.took('[') {
            return self.array(path, depth).map(Value::Array);
        }
        if self.rest.starts_with('"') {
            return self.string(path).map(Value::String);
        }
        self.word(path)
    }

    fn object(&mut self, path: &str, depth: usize) -> Result<Object, ReadError> {
        let mut names = HashSet::new();
        let mut members = Object::new();
        loop {
            if !self.rest.starts_with('"') {
                let message = if self.rest.starts_with('}') && members.is_empty() {
                    "an object is empty"
                } else {
                    "not well-formed JSON"
                };
                return Err(malformed(path, message));
            }
            let name = self.string(path)?;
            let path = member_path(path, &name);
            self.space();
            if !self.took(':') {
                return Err(malformed(&path, "not well-formed JSON"));
            }
            if !names.insert(name.clone()) {
                return Err(malformed(&path, "the member is given twice"));
            }
            let value = self.value(&path, depth + 1)?;
            if value == Value::Null {
                return Err(malformed(&path, "a member is null"));
            }
            members.push((name, value));
            self.space();
            if self.took('}') {
                return Ok(members);
            }
            if !self.took(',') {
                return Err(malformed(&path, "not well-formed JSON"));
            }
        }
    }

    fn array(&mut self, path: &str, depth: usize) -> Result<Vec<Value>, ReadError> {
        let mut items = Vec::new();
        if self.rest.starts_with(']') {
            return Err(malformed(path, "an array is empty"));
        }
        loop {
            items.push(self.value(&format!("{path}[{}]", items.len()), depth + 1)?);
            self.space();
            if self.took(']') {
                return Ok(items);
            }
            if !self.took(',') {
                return Err(malformed(path, "not well-formed JSON"));
            }
        }
    }

    fn string(&mut self, path: &str) -> Result<String, ReadError> {
        let mut escaped = true; // the opening quote does not end it
        let end = self.rest.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let text = end.and_then(|end| self.rest.get(..=end));
        let text = text.ok_or_else(|| malformed(path, "not well-formed JSON"))?;
        // Refuses control characters and surrogates that stand alone.
        let string: String =
            serde_json::from_str(text).map_err(|_| malformed(path, "not a well-formed JSON string"))?;
        self.rest = &self.rest[text.len()..];
        if string.is_empty() {
            return Err(malformed(path, "a string is empty"));
        }
        Ok(string)
    }

    /// A number or a literal.
    fn word(&mut self, path: &str) -> Result<Value, ReadError> {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        match word {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ if is_number(word) => Ok(Value::Number(word.to_owned())),
            _ => Err(malformed(path, "not well-formed JSON")),
        }
    }
}

/// Whether `text` has the form of a JSON number, of a length that a decimal can have.
pub fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    text.len() <= 64
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
