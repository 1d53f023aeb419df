//! Makes resources out of the element tables: of any type, with any elements, in the forms that the tables allow.

use base64_simd::STANDARD as BASE64;
use charta_fhir::{
    Node, Version,
    definitions::{Definitions, Element, Type, TypeKind, TypeUse},
};

/// Values of one resource at most, but for those that must be there.
const VALUES_MAX: usize = 160;
/// Types that are never stored, or by their content alone.
const LEFT_OUT: [&str; 4] = ["AuditEvent", "Binary", "OperationOutcome", "Parameters"];
/// Types whose inline content moves out (decision 12), which tests of their own show.
const WITH_CONTENT: [&str; 3] = ["DiagnosticReport", "DocumentReference", "Media"];
/// Text that one of the formats has to escape, or could lose.
const TEXTS: [&str; 9] = [
    "plain",
    "a \"quoted\" 'word'",
    "<b> & </b> ]]>",
    "two\nlines\tand a tab",
    "back\\slash \\n",
    "Åsa Müller-Grün",
    "日本語 𝒳 \u{10FFFF}",
    "e\u{301} is not é",
    "{\"not\": [\"json\"]}",
];
const DECIMALS: [&str; 9] = [
    "0",
    "-0.00",
    "1.50",
    "100.000",
    "3.14159265358979323846264338327950288419716939937510",
    "12345678901234567890.0987654321",
    "-0.000000000000000001",
    "1.0E+2",
    "6.02e23",
];
const NARRATIVES: [&str; 3] = [
    "<p>a &amp; b &lt; c</p>",
    "<table class=\"x\"><tbody><tr><td>1</td><td>é \"q\"</td></tr></tbody></table><br/>",
    "text <b>bold <i>both</i></b> <a href=\"http://else.example/a?b=c&amp;d\">link</a> end",
];

/// Numbers that depend on the seed alone.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// A resource of a random type, valid in the version.
pub fn resource(version: Version, seed: u64) -> Node {
    let definitions = version.definitions();
    let types: Vec<&Type> = definitions.resources().filter(|of| !LEFT_OUT.contains(&of.name)).collect();
    let mut random = Random(seed);
    let of = *random.one(&types);
    let mut generator = Generator {
        definitions,
        random,
        values: 0,
        contained: Vec::new(),
        has_data: !WITH_CONTENT.contains(&of.name),
    };
    generator.resource(of, 0)
}

type Members = Vec<(std::borrow::Cow<'static, str>, Node)>;

struct Generator {
    definitions: &'static Definitions,
    random: Random,
    values: usize,
    /// The ids of what the resource contains.
    contained: Vec<&'static str>,
    /// Whether attachments have their bytes inside.
    has_data: bool,
}

impl Generator {
    fn resource(&mut self, of: &'static Type, depth: usize) -> Node {
        let mut members: Members = vec![("resourceType".into(), Node::text(of.name))];
        let contained = if depth == 0 { self.contents(of) } else { Vec::new() };
        if let Some(contained) = Node::array(contained) {
            members.push(("contained".into(), contained));
        }
        self.elements(of, depth, &mut members);
        Node::Object(members)
    }

    /// What the resource contains; all of it is there before anything refers to it.
    fn contents(&mut self, of: &Type) -> Vec<Node> {
        if !of.elements.iter().any(|element| element.name == "contained") || !self.random.percent(30) {
            return Vec::new();
        }
        self.contained = vec!["c1", "c2"];
        let kinds = ["Patient", "Practitioner", "Organization", "Device", "Observation"];
        let contained = ["c1", "c2"].map(|id| {
            let kind = *self.random.one(&kinds);
            let of = self.definitions.resource(kind).expect("every version has it");
            let mut resource = self.resource(of, 2);
            resource.set("id", Node::text(id));
            resource
        });
        contained.to_vec()
    }

    fn elements(&mut self, of: &'static Type, depth: usize, members: &mut Members) {
        let before = members.len();
        for element in &of.elements {
            let is_wanted = element.min > 0 || self.wants(depth);
            let is_own = matches!(element.name, "contained" | "id" | "implicitRules")
                && matches!(of.kind, TypeKind::Resource);
            if is_wanted && !is_own {
                self.element(element, depth, members);
            }
        }
        // An id alone is nothing.
        let is_empty = |members: &Members| members[before..].iter().all(|(name, _)| name == "id");
        while is_empty(members) && !matches!(of.kind, TypeKind::Resource) {
            let elements: Vec<&Element> =
                of.elements.iter().filter(|e| !matches!(e.name, "id" | "extension")).collect();
            let element = *self.random.one(&elements);
            self.element(element, depth, members);
        }
    }

    fn wants(&mut self, depth: usize) -> bool {
        let percent = [35, 30, 15, 6].get(depth).copied().unwrap_or(0);
        self.values < VALUES_MAX && self.random.percent(percent)
    }

    fn element(&mut self, element: &'static Element, depth: usize, members: &mut Members) {
        let used = self.random.one(&element.types);
        let holds = self.definitions.type_at(used.type_index);
        if holds.kind == TypeKind::Abstract && holds.name != "Resource" {
            return;
        }
        let name = match element.choice {
            true => format!("{}{}{}", element.name, holds.name[..1].to_uppercase(), &holds.name[1..]),
            false => element.name.to_owned(),
        };
        let count = if element.repeats { 1 + self.random.below(3) } else { 1 };
        match holds.kind {
            TypeKind::Primitive => self.primitives(element, holds, name, count, depth, members),
            _ => {
                let items: Vec<Node> = (0..count).map(|_| self.value(used, holds, depth + 1)).collect();
                members.push((name.into(), repeated(element, items)));
            }
        }
    }

    /// Values, some of them with extensions, some of them extensions alone.
    fn primitives(
        &mut self,
        element: &'static Element,
        holds: &'static Type,
        name: String,
        count: usize,
        depth: usize,
        members: &mut Members,
    ) {
        let mut values = Vec::new();
        let mut companions = Vec::new();
        for _ in 0..count {
            // The parts of a narrative and the URL of an extension are attributes or markup.
            let may_extend = !element.attribute && !matches!(holds.name, "xhtml") && element.name != "id";
            let is_extended = may_extend && self.values < VALUES_MAX && self.random.percent(12);
            let has_value = !is_extended || self.random.percent(60);
            values.push(if has_value { self.primitive(element, holds) } else { Node::Null });
            companions.push(if is_extended { self.companion(depth) } else { Node::Null });
        }
        let mut add = |name: String, items: Vec<Node>| {
            if items.iter().any(|item| *item != Node::Null) {
                members.push((name.into(), repeated(element, items)));
            }
        };
        let companion = format!("_{name}");
        add(name, values);
        add(companion, companions);
    }

    fn companion(&mut self, depth: usize) -> Node {
        let mut members: Members = Vec::new();
        if self.random.percent(30) {
            members.push(("id".into(), Node::text(format!("e{}", self.random.below(1000)))));
        }
        members.push(("extension".into(), Node::Array(vec![self.extension(depth + 1)])));
        Node::Object(members)
    }

    fn value(&mut self, used: &'static TypeUse, holds: &'static Type, depth: usize) -> Node {
        self.values += 1;
        match holds.name {
            "Extension" => self.extension(depth),
            "Reference" => self.reference(used),
            "Meta" => self.meta(),
            "Resource" => {
                let of = self.definitions.resource("Patient").expect("every version has it");
                let own = std::mem::take(&mut self.contained);
                let resource = self.resource(of, depth + 1);
                self.contained = own;
                resource
            }
            _ => {
                let mut members = Vec::new();
                self.elements(holds, depth, &mut members);
                if holds.name == "Attachment" && !self.has_data {
                    members.retain(|(name, _)| !matches!(name.as_ref(), "data" | "_data"));
                    let mut attachment = Node::Object(members);
                    attachment.set("title", Node::text("not empty"));
                    return attachment;
                }
                Node::Object(members)
            }
        }
    }

    /// With a value or with extensions, never with both.
    fn extension(&mut self, depth: usize) -> Node {
        self.values += 1;
        let url = format!("http://extensions.example/{}", self.random.below(1000));
        let mut members: Members = vec![("url".into(), Node::text(url))];
        if depth < 4 && self.random.percent(25) {
            let inner = (0..=self.random.below(2)).map(|_| self.extension(depth + 1)).collect();
            members.push(("extension".into(), Node::Array(inner)));
            return Node::Object(members);
        }
        let of = self.definitions.type_named("Extension").expect("every version has it");
        let value = of.elements.iter().find(|element| element.name == "value").expect("it has one");
        self.element(value, depth + 2, &mut members);
        Node::Object(members)
    }

    fn reference(&mut self, used: &TypeUse) -> Node {
        let kind = if used.targets.is_empty() { "Patient" } else { *self.random.one(&used.targets) };
        let kind = if kind == "Any" || kind == "Resource" { "Patient" } else { kind };
        let mut link = match self.random.below(4) {
            0 => format!("http://else.example/fhir/{kind}/{}", self.random.below(100)),
            1 => format!("urn:uuid:00000000-0000-4000-8000-{:012}", self.random.below(100)),
            _ => format!("{kind}/{}", self.random.below(100)),
        };
        if !self.contained.is_empty() && self.random.percent(40) {
            link = format!("#{}", self.random.one(&self.contained));
        }
        let display = self.random.percent(50).then(|| Node::text(*self.random.one(&TEXTS)));
        Node::object([("reference", Some(Node::text(link))), ("display", display)])
    }

    /// Labels are sets, so no label comes twice.
    fn meta(&mut self) -> Node {
        let labels = |of: &str, count: usize| {
            let label = |n: usize| {
                let system = Some(Node::text(format!("http://labels.example/{of}")));
                Node::object([("system", system), ("code", Some(Node::text(format!("{of}-{n}"))))])
            };
            Node::array((0..count).map(label).collect())
        };
        let profile = format!("http://profiles.example/{}", self.random.below(100));
        Node::object([
            ("profile", Some(Node::Array(vec![Node::text(profile)]))),
            ("security", labels("security", self.random.below(2))),
            ("tag", labels("tag", 1 + self.random.below(3))),
        ])
    }

    fn primitive(&mut self, element: &Element, holds: &Type) -> Node {
        self.values += 1;
        let number = self.random.below(100_000);
        if let (Some(codes), "code") = (element.codes, holds.name) {
            return Node::text(*self.random.one(self.definitions.codes(codes).codes()));
        }
        let text = match holds.name {
            "boolean" => return Node::Bool(number.is_multiple_of(2)),
            "decimal" => return Node::Number((*self.random.one(&DECIMALS)).to_owned()),
            "integer" => {
                return Node::Number(["-2147483648", "2147483647", "0", "-7"][number % 4].to_owned());
            }
            "unsignedInt" => return Node::Number(["0", "2147483647"][number % 2].to_owned()),
            "positiveInt" => return Node::Number(["1", "2147483647"][number % 2].to_owned()),
            "integer64" => ["9223372036854775807", "-9223372036854775808", "0"][number % 3].to_owned(),
            "uri" | "url" | "canonical" => match number % 3 {
                0 => format!("http://else.example/{number}?a=b&c=%20#d"),
                1 => format!("urn:oid:1.2.{number}"),
                _ => format!("http://else.example/ValueSet/{number}|1.0"),
            },
            "oid" => format!("urn:oid:2.16.840.1.{number}"),
            "uuid" => format!("urn:uuid:00000000-0000-4000-8000-{number:012}"),
            "code" => ["en", "x-y", "two words"][number % 3].to_owned(),
            "id" => format!("id-{number}.a"),
            "date" => ["2020", "1999-02", "2024-02-29"][number % 3].to_owned(),
            "dateTime" => {
                ["2020", "1999-02", "2024-02-29", "2024-02-29T23:59:59.123456Z", "0001-01-01T00:00:00-05:00"]
                    [number % 5]
                    .to_owned()
            }
            "instant" => ["2024-02-29T23:59:59.120Z", "2015-02-07T13:28:17+14:00"][number % 2].to_owned(),
            "time" => ["00:00:00", "23:59:59.999"][number % 2].to_owned(),
            "base64Binary" => BASE64.encode_to_string(&number.to_be_bytes()[..1 + number % 7]),
            "xhtml" => {
                format!(r#"<div xmlns="http://www.w3.org/1999/xhtml">{}</div>"#, self.random.one(&NARRATIVES))
            }
            _ if element.name == "id" => format!("e{number}"),
            _ => (*self.random.one(&TEXTS)).to_owned(),
        };
        Node::text(text)
    }
}

fn repeated(element: &Element, mut items: Vec<Node>) -> Node {
    if element.repeats { Node::Array(items) } else { items.pop().expect("one value") }
}
