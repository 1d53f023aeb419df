//! The part of FHIRPath that a patch names its places with: elements, indexes, `first()`, `last()`,
//! `where()` with equations, `ofType()`, `as` and `extension()`.
//!
//! There is nothing here whose cost grows faster than the path and the resource.
//!
//! Clause: FHIR R4 fhirpatch.html

/// Longest path, in bytes.
const PATH_BYTES_MAX: usize = 4096;
/// How deep parentheses may nest. Conditions in parentheses may be read twice, so each level doubles.
const DEPTH_MAX: usize = 8;

/// Steps from the resource to what a path names. The first may be the type of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub steps: Vec<Step>,
}

/// From some elements to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The children of this name.
    Child(String),
    /// The one at this place, from 0.
    Index(usize),
    First,
    Last,
    /// Those for which every condition holds.
    Where(Vec<Condition>),
    /// Those of this type.
    OfType(String),
    /// The extensions of this url.
    Extension(String),
}

/// What a path leads to, from the element in question, is this one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub path: Vec<Step>,
    pub value: Literal,
}

/// A value in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A string, date, time ...
    Text(String),
    /// Digit for digit.
    Number(String),
    Bool(bool),
}

/// What is wrong with a path, for the client.
pub type Fault = &'static str;

const UNSUPPORTED: Fault = "the path uses more of FHIRPath than elements, indexes, first(), last(), where() with \
                            equations joined by 'and', ofType(), as and extension()";
const MALFORMED: Fault = "the path is not a FHIRPath expression";

impl Path {
    /// Reads a path.
    pub fn read(text: &str) -> Result<Self, Fault> {
        if text.len() > PATH_BYTES_MAX {
            return Err("the path is too long");
        }
        let mut reader = Reader { rest: text, depth: 0 };
        let steps = reader.expression()?;
        reader.space();
        if reader.rest.is_empty() { Ok(Self { steps }) } else { Err(UNSUPPORTED) }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    /// `Observation.value as Quantity`: a term, and what its type must be.
    fn expression(&mut self) -> Result<Vec<Step>, Fault> {
        let mut steps = self.term()?;
        while self.take_word("as") {
            steps.push(Step::OfType(self.type_name()?));
        }
        Ok(steps)
    }

    /// `Patient.name[0].where(use = 'usual')`.
    fn term(&mut self) -> Result<Vec<Step>, Fault> {
        let mut steps = Vec::new();
        if self.take('(') {
            steps = self.nested(Self::expression)?;
            self.expect(')')?;
        } else if !self.take_word("$this") {
            self.invocation(&mut steps)?;
        }
        loop {
            if self.take('.') {
                self.invocation(&mut steps)?;
            } else if self.take('[') {
                steps.push(Step::Index(self.index()?));
                self.expect(']')?;
            } else {
                return Ok(steps);
            }
        }
    }

    /// A name, or a function of what stands before it.
    fn invocation(&mut self, steps: &mut Vec<Step>) -> Result<(), Fault> {
        let quoted = self.peek() == Some('`');
        let name = self.name()?;
        if quoted || !self.take('(') {
            steps.push(Step::Child(name));
            return Ok(());
        }
        let step = match name.as_str() {
            "first" => Step::First,
            "last" => Step::Last,
            "ofType" | "as" => Step::OfType(self.type_name()?),
            "extension" => Step::Extension(self.string()?),
            "where" => {
                let mut conditions = Vec::new();
                self.nested(|reader| reader.conditions(&mut conditions))?;
                Step::Where(conditions)
            }
            _ => return Err(UNSUPPORTED),
        };
        steps.push(step);
        self.expect(')')
    }

    /// `system = 'a' and value = 'b'`, in parentheses or not.
    fn conditions(&mut self, conditions: &mut Vec<Condition>) -> Result<(), Fault> {
        loop {
            self.condition(conditions)?;
            if !self.take_word("and") {
                return Ok(());
            }
        }
    }

    fn condition(&mut self, conditions: &mut Vec<Condition>) -> Result<(), Fault> {
        let before = (self.rest, conditions.len());
        if self.take('(') {
            let group = self.nested(|reader| reader.conditions(conditions));
            if group.is_ok() && self.take(')') && self.peek() != Some('.') {
                return Ok(());
            }
            // It was `(value as Quantity).unit = 'mg'`.
            self.rest = before.0;
            conditions.truncate(before.1);
        }
        let path = self.expression()?;
        self.expect('=').map_err(|_| UNSUPPORTED)?;
        conditions.push(Condition { path, value: self.literal()? });
        Ok(())
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEPTH_MAX {
            return Err("the path nests too deeply");
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn literal(&mut self) -> Result<Literal, Fault> {
        match self.peek() {
            Some('\'') => self.string().map(Literal::Text),
            Some('@') => {
                self.take('@');
                Ok(Literal::Text(self.run(|c| c.is_ascii_alphanumeric() || "+-:.".contains(c))?.to_owned()))
            }
            Some(c) if c == '-' || c.is_ascii_digit() => {
                let number = self.run(|c| c.is_ascii_digit() || "-.".contains(c))?;
                let digits = number.strip_prefix('-').unwrap_or(number);
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
                let is_number = [whole, fraction]
                    .iter()
                    .all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
                if is_number { Ok(Literal::Number(number.to_owned())) } else { Err(MALFORMED) }
            }
            _ if self.take_word("true") => Ok(Literal::Bool(true)),
            _ if self.take_word("false") => Ok(Literal::Bool(false)),
            _ => Err(UNSUPPORTED),
        }
    }

    /// `Quantity`, `FHIR.Quantity`, `System.String`.
    fn type_name(&mut self) -> Result<String, Fault> {
        let name = self.name()?;
        if matches!(name.as_str(), "FHIR" | "System") && self.take('.') { self.name() } else { Ok(name) }
    }

    fn name(&mut self) -> Result<String, Fault> {
        if self.peek() == Some('`') {
            return self.quoted('`');
        }
        let name = self.run(|c| c.is_ascii_alphanumeric() || c == '_')?;
        if name.starts_with(|c: char| c.is_ascii_digit()) { Err(MALFORMED) } else { Ok(name.to_owned()) }
    }

    fn index(&mut self) -> Result<usize, Fault> {
        self.run(|c| c.is_ascii_digit())?.parse().map_err(|_| MALFORMED)
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.quoted('\'')
    }

    fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        self.expect(quote)?;
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next().ok_or(MALFORMED)? {
                '\\' => text.push(escaped(&mut chars).ok_or(MALFORMED)?),
                c if c == quote => break,
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Ok(text)
    }

    /// At least one character of a kind.
    fn run(&mut self, kind: impl Fn(char) -> bool) -> Result<&str, Fault> {
        self.space();
        let end = self.rest.find(|c| !kind(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        if run.is_empty() { Err(MALFORMED) } else { Ok(run) }
    }

    fn expect(&mut self, c: char) -> Result<(), Fault> {
        if self.take(c) { Ok(()) } else { Err(MALFORMED) }
    }

    fn take(&mut self, c: char) -> bool {
        self.space();
        self.rest.strip_prefix(c).map(|rest| self.rest = rest).is_some()
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(word);
        let rest = rest.filter(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        rest.map(|rest| self.rest = rest).is_some()
    }

    fn peek(&mut self) -> Option<char> {
        self.space();
        self.rest.chars().next()
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }
}

/// The character that an escape stands for; the backslash was read.
fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'f' => '\u{c}',
        'u' => {
            let code = chars.as_str().get(..4)?;
            *chars = chars.as_str()[4..].chars();
            char::from_u32(u32::from_str_radix(code, 16).ok()?)?
        }
        c if "\\'\"`/".contains(c) => c,
        _ => return None,
    })
}
