//! Random documents in random spellings and pieces.

use super::*;

/// A document and how it is spelled.
#[derive(Debug, Clone)]
struct Case {
    version: Version,
    id: Option<String>,
    language: Option<String>,
    profiles: Vec<String>,
    tags: Vec<(String, String, bool)>,
    context: Option<String>,
    content: Vec<u8>,
    /// White space, drawn in turn.
    spaces: Vec<String>,
    /// How the members of the resource are shuffled.
    order: Vec<u32>,
    line: usize,
    piece: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let resource = (
        prop::sample::select(Version::ALL.to_vec()),
        prop::option::of("[A-Za-z0-9-]{1,20}"),
        prop::option::of("[a-z]{2}"),
        prop::collection::vec("http://[a-z&<'\"]{1,9}", 0..3),
        prop::collection::vec(("[a-z]{1,5}", "\\PC{1,9}", any::<bool>()), 0..4),
        prop::option::of("Patient/[a-z0-9]{1,9}"),
        prop::collection::vec(any::<u8>(), 1..600),
    );
    let spelling = (
        prop::collection::vec("[ \t\r\n]{0,3}", 1..9),
        prop::collection::vec(any::<u32>(), 8),
        4_usize..200,
        1_usize..400,
    );
    (resource, spelling).prop_map(
        |((version, id, language, profiles, tags, context, content), (spaces, order, line, piece))| {
            let context = context.filter(|_| version > Version::Dstu2);
            Case { version, id, language, profiles, tags, context, content, spaces, order, line, piece }
        },
    )
}

impl Case {
    fn expected(&self) -> BinaryResource {
        let tag = |(code, display, selected): &(String, String, bool)| Label {
            code: Some(code.clone()),
            display: Some(display.clone()),
            user_selected: Some(*selected),
            ..Label::default()
        };
        let source = self.language.as_ref().map(|language| Source {
            dialect: self.version.name().into(),
            body: format!(r#"{{"language":"{language}"}}"#),
        });
        BinaryResource {
            id: self.id.as_deref().map(|id| ResourceId::new(id).unwrap()),
            content_type: MediaType::new("text/plain").unwrap(),
            security_context: self.context.as_deref().map(|context| Reference::new(context).unwrap()),
            labels: Labels {
                profiles: self.profiles.clone(),
                security: Vec::new(),
                tags: self.tags.iter().map(tag).collect(),
            },
            has_content: true,
            subsetted: false,
            source,
        }
    }

    /// The base64 in lines that end in `end`.
    fn payload(&self, end: &str) -> String {
        let text = base64(&self.content);
        let lines: Vec<&str> =
            text.as_bytes().chunks(self.line).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join(end)
    }

    /// `parts` with white space between and around them.
    fn spaced(&self, parts: &[String]) -> String {
        let mut spaces = self.spaces.iter().cycle();
        parts.iter().fold(String::new(), |text, part| text + spaces.next().unwrap() + part) + &self.spaces[0]
    }

    fn json(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let array = |items: Vec<String>| format!("[{}]", items.join(","));
        let tag = |(code, display, selected): &(String, String, bool)| {
            format!(r#"{{"display":{},"userSelected":{selected},"code":{}}}"#, quoted(display), quoted(code))
        };
        let profiles = self.profiles.iter().map(|profile| quoted(profile)).collect();
        let meta = [
            ("profile", array(profiles), self.profiles.is_empty()),
            ("tag", array(self.tags.iter().map(tag).collect()), self.tags.is_empty()),
        ];
        let meta: Vec<String> =
            meta.iter().filter(|part| !part.2).map(|part| format!("\"{}\":{}", part.0, part.1)).collect();
        let mut members = vec![
            Some(("resourceType", quoted("Binary"))),
            Some(("contentType", quoted("text/plain"))),
            Some((self.version.payload_element(), format!("\"{}\"", self.payload("\\r\\n")))),
            self.id.as_deref().map(|id| ("id", quoted(id))),
            self.language.as_deref().map(|language| ("language", quoted(language))),
            Some(("meta", format!("{{{}}}", meta.join(",")))).filter(|_| !meta.is_empty()),
            self.context
                .as_deref()
                .map(|to| ("securityContext", format!("{{\"reference\":{}}}", quoted(to)))),
        ];
        let mut keys = self.order.iter();
        members.sort_by_cached_key(|_| keys.next());
        let mut parts = vec!["{".to_owned()];
        for (name, value) in members.into_iter().flatten() {
            if parts.len() > 1 {
                parts.push(",".into());
            }
            parts.extend([quoted(name), ":".into(), value]);
        }
        parts.push("}".into());
        self.spaced(&parts)
    }

    fn xml(&self) -> String {
        let quoted = |text: &str| quick_xml::escape::escape(text).replace('\t', "&#9;");
        let element = |name: &str, value: &str| format!("<{name} value=\"{}\"/>", quoted(value));
        let mut parts = vec!["<Binary xmlns=\"http://hl7.org/fhir\">".to_owned()];
        parts.extend(self.id.as_deref().map(|id| element("id", id)));
        if !self.profiles.is_empty() || !self.tags.is_empty() {
            parts.push("<meta>".into());
            parts.extend(self.profiles.iter().map(|profile| element("profile", profile)));
            for (code, display, selected) in &self.tags {
                parts.extend(["<tag>".into(), element("code", code), element("display", display)]);
                parts.extend([element("userSelected", &selected.to_string()), "</tag>".into()]);
            }
            parts.push("</meta>".into());
        }
        parts.extend(self.language.as_deref().map(|language| element("language", language)));
        parts.push(element("contentType", "text/plain"));
        parts.extend(
            self.context
                .as_deref()
                .map(|to| format!("<securityContext>{}</securityContext>", element("reference", to))),
        );
        parts.push(format!("<{} value='{}'/>", self.version.payload_element(), self.payload("&#xA;\r\n")));
        parts.push("</Binary>".into());
        self.spaced(&parts)
    }
}

proptest! {
    #[test]
    fn a_document_is_read_back_from_any_spelling(case in case()) {
        let expected = Ok((case.expected(), case.content.clone()));
        for (format, body) in [(Format::Json, case.json()), (Format::Xml, case.xml())] {
            prop_assert_eq!(&read_in(case.piece, format, case.version, body.as_bytes()), &expected, "{}", body);
        }
    }

    #[test]
    fn pieces_never_change_the_outcome_of_a_damaged_body(
        case in case(), at in any::<prop::sample::Index>(), byte in prop::sample::select(b"\"'\\<>&;{}[]:,=/ -!?a\xff".to_vec()),
        replaces in any::<bool>(),
    ) {
        for (format, body) in [(Format::Json, case.json()), (Format::Xml, case.xml())] {
            let mut body = body.into_bytes();
            let at = at.index(body.len());
            if replaces { body[at] = byte } else { body.insert(at, byte) }
            let whole = read_in(body.len(), format, case.version, &body);
            prop_assert_eq!(&read_in(case.piece, format, case.version, &body), &whole);
            prop_assert_eq!(&read_in(1, format, case.version, &body), &whole);
        }
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..300), start in 0_usize..4) {
        let start = [&b""[..], b"{\"resourceType\":\"Binary\",", b"<Binary xmlns=\"http://hl7.org/fhir\">", b"<!"][start];
        let body = [start, &body].concat();
        for format in [Format::Json, Format::Xml] {
            let _ = read(format, Version::R4, &body);
        }
    }
}
