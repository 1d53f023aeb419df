//! The endpoints of the profiles: what their clients know, and what they must not get.

use std::collections::BTreeMap;

use super::{Row, Site, columns, compare, rows};

const TABLE: &str = include_str!("profiles.txt");

/// The endpoints that the tables are about: section of the table, FHIR version, profile.
const ENDPOINTS: [(&str, &str, &str); 4] = [
    ("millennium-r4", "R4", "millennium"),
    ("millennium-dstu2", "DSTU2", "millennium"),
    ("soarian", "R4", "soarian"),
    ("care-connect", "STU3", "care-connect"),
];

/// The rows of one section.
fn section(name: &str) -> &'static str {
    let (_, rest) = TABLE.split_once(&format!("\n@ {name}\n")).expect("a section");
    rest.split("\n@ ").next().unwrap_or_default()
}

async fn check(name: &str) {
    let mut more = String::new();
    for (name, version, profile) in ENDPOINTS {
        let writable = profile == "millennium";
        more += &format!(
            "[[endpoint]]\npath = \"/p/{name}\"\nfhir = \"{version}\"\nprofile = \"{profile}\"\n\
             auth = \"smart\"\nwritable = {writable}\n"
        );
    }
    let site = Site::start(&more).await;
    let all = |context: &str| {
        let types = ["Binary", "DocumentReference", "DiagnosticReport", "Patient", "Observation"];
        types.map(|kind| format!("{context}/{kind}.read")).join(" ")
    };
    let mint = |arguments: &[&str]| Some(site.token(arguments));
    let callers: BTreeMap<&str, Option<String>> = [
        ("none", None),
        ("junk", Some("junk".to_owned())),
        ("user", mint(&["--scope", &all("user"), "--user", "Practitioner/p"])),
        ("sys", mint(&["--scope", &format!("{} system/DocumentReference.write", all("system"))])),
        ("prov", mint(&["--scope", &format!("{} user/Provenance.read", all("user"))])),
        ("wild", mint(&["--scope", "user/*.*"])),
        (
            "a",
            mint(&[
                "--scope",
                &format!("{} patient/DocumentReference.write", all("patient")),
                "--patient",
                "a",
            ]),
        ),
        ("docs", mint(&["--scope", "patient/Binary.read patient/DocumentReference.read", "--patient", "a"])),
        ("reps", mint(&["--scope", "patient/Binary.read patient/DiagnosticReport.read", "--patient", "a"])),
        ("bin", mint(&["--scope", "patient/Binary.read", "--patient", "a"])),
        ("lost", mint(&["--scope", &all("patient")])),
    ]
    .into();
    let (_, version, _) = ENDPOINTS.into_iter().find(|(of, ..)| *of == name).expect("an endpoint");
    let rows: Vec<Row> = rows(section(name), columns(TABLE).len());
    assert!(rows.len() > 25, "{name} has its rows");
    compare(&site, version, &format!("/p/{name}"), (&columns(TABLE), &rows), &callers).await;
}

#[tokio::test]
async fn every_caller_of_millennium_r4_gets_what_the_table_says() {
    check("millennium-r4").await;
}

#[tokio::test]
async fn every_caller_of_millennium_dstu2_gets_what_the_table_says() {
    check("millennium-dstu2").await;
}

#[tokio::test]
async fn every_caller_of_soarian_gets_what_the_table_says() {
    check("soarian").await;
}

#[tokio::test]
async fn every_caller_of_care_connect_gets_what_the_table_says() {
    check("care-connect").await;
}
