//! The cases that are about access tokens: 32, 33, 35 to 44, 47, 103, 104, 119 to 121, 148 to 151, 189, 192, 193, 234.

use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp, run};

const ENDPOINTS: &str = r#"
[[issuer]]
development = true
[[endpoint]]
path = "/m/r4/{tenant}"
fhir = "R4"
profile = "millennium"
auth = "smart"
writable = true
[[endpoint]]
path = "/m/open/{tenant}"
fhir = "R4"
profile = "millennium"
auth = "open"
[[endpoint]]
path = "/m/dstu2/{tenant}"
fhir = "DSTU2"
profile = "millennium"
auth = "smart"
[[endpoint]]
path = "/s/r4/{tenant}"
fhir = "R4"
profile = "soarian"
auth = "smart"
[[endpoint]]
path = "/c/stu3"
fhir = "STU3"
profile = "care-connect"
auth = "smart"
"#;

const MILLENNIUM: &str = "/m/r4/default";
const DSTU2: &str = "/m/dstu2/default";
const SOARIAN: &str = "/s/r4/default";
const CARE_CONNECT: &str = "/c/stu3";

struct Site {
    app: TestApp,
}

impl Site {
    /// Of patient 1: a report `TR-1` in HTML, a document `XR-1` in PDF. Of patient 2: a document `XR-2`.
    async fn start() -> Self {
        let app = TestApp::with(ENDPOINTS);
        for id in ["1", "2"] {
            let patient = json!({"resourceType": "Patient", "id": id}).to_string();
            app.put(&format!("/r4/Patient/{id}"), "application/fhir+json", patient).await;
        }
        app.put("/r4/Binary/TR-1", "text/html", super::HTML_BYTES).await;
        for id in ["XR-1", "XR-2", "gone"] {
            app.put(&format!("/r4/Binary/{id}"), "application/pdf", super::PDF_BYTES).await;
        }
        let report = json!({"resourceType": "DiagnosticReport", "id": "1", "status": "final",
            "code": {"text": "x"}, "subject": {"reference": "Patient/1"},
            "presentedForm": [{"contentType": "text/html", "url": "Binary/TR-1"}]});
        app.put("/r4/DiagnosticReport/1", "application/fhir+json", report.to_string()).await;
        for id in ["1", "2"] {
            let document = json!({"resourceType": "DocumentReference", "id": id, "status": "current",
                "subject": {"reference": format!("Patient/{id}")},
                "content": [{"attachment": {"contentType": "application/pdf", "url": format!("Binary/XR-{id}")}}]});
            app.put(&format!("/r4/DocumentReference/{id}"), "application/fhir+json", document.to_string())
                .await;
        }
        Answer::of(app.request(Method::DELETE, "/r4/Binary/gone")).await;
        Self { app }
    }

    fn token(&self, arguments: &[&str]) -> String {
        let configuration = self.app.directory.path().join("charta.toml");
        let mut all = vec!["token", "--config", configuration.to_str().expect("UTF-8")];
        all.extend(arguments);
        String::from_utf8_lossy(&run(&all).stdout).trim().to_owned()
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.app.request(Method::GET, path).bearer_auth(token)).await
    }

    /// Reads with these scopes: by staff, or by patient 1 where the scopes are a patient's.
    async fn check(&self, base: &str, cases: &[(&str, &str, &str, u16)]) {
        for (case, path, scopes, expected) in cases {
            let mut arguments = vec!["--scope", scopes];
            if scopes.contains("patient/") {
                arguments.extend(["--patient", "1"]);
            }
            let answer = self.get(&format!("{base}/{path}"), &self.token(&arguments)).await;
            assert_eq!(answer.status, *expected, "{case}: {path} with {scopes}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn millennium_r4_wants_binary_and_one_companion() {
    let site = Site::start().await;
    site.check(
        MILLENNIUM,
        &[
            ("case_035", "Binary/TR-1", "user/Binary.read user/DiagnosticReport.read", 200),
            ("case_036", "Binary/TR-1", "user/Binary.read user/DocumentReference.read", 200),
            ("case_037", "Binary/TR-1", "user/Binary.read", 403),
            ("case_038", "Binary/TR-1", "user/DocumentReference.read user/DiagnosticReport.read", 403),
            ("case_039", "Binary/TR-1", "user/Binary.read system/DocumentReference.read", 403),
            ("case_040", "Binary/TR-1", "user/binary.read user/DocumentReference.read", 403),
            ("case_041", "Binary/TR-1", "user/*.read", 403),
            ("case_041", "Binary/TR-1", "user/Binary.* user/DocumentReference.*", 403),
            ("case_042", "Binary/TR-1", "patient/Binary.read patient/DiagnosticReport.read", 200),
            ("case_042", "Binary/TR-1", "system/Binary.read system/DiagnosticReport.read", 200),
            ("case_043", "Binary/XR-1", "patient/Binary.read patient/DocumentReference.read", 200),
            ("case_044", "Binary/XR-2", "patient/Binary.read patient/DocumentReference.read", 404),
            ("v2", "Binary/XR-1", "patient/Binary.r patient/DocumentReference.rs", 200),
        ],
    )
    .await;
    let refused =
        site.get(&format!("{MILLENNIUM}/Binary/TR-1"), &site.token(&["--scope", "user/Binary.read"])).await;
    assert_eq!(refused.issue_code(), "forbidden", "case 37");
}

#[tokio::test]
async fn case_032_and_case_033_say_what_is_wrong_with_the_token() {
    let site = Site::start().await;
    let path = format!("{MILLENNIUM}/Binary/TR-1");
    let junk = site.get(&path, "not.a.token").await;
    assert_eq!(junk.status, 401);
    assert!(junk.header("www-authenticate").contains("error=\"invalid_token\""), "{:?}", junk.headers);
    let scope = "user/Binary.read user/DiagnosticReport.read";
    let expired = site.token(&["--scope", scope, "--expires", "0"]);
    let answer = site.get(&path, &expired).await;
    // Clocks may differ by some seconds; a token that is over by more is refused.
    if answer.status != 200 {
        assert_eq!(answer.status, 401);
        assert!(matches!(answer.issue_code().as_str(), "expired" | "login"));
    }
}

#[tokio::test]
async fn millennium_dstu2_wants_the_scope_of_what_anchors_the_binary() {
    let site = Site::start().await;
    site.check(
        DSTU2,
        &[
            ("case_119", "Binary/TR-1", "user/Binary.read user/DiagnosticReport.read", 200),
            ("case_120", "Binary/TR-1", "user/Binary.read user/DocumentReference.read", 403),
            ("case_121", "Binary/XR-1", "user/Binary.read user/DocumentReference.read", 200),
            ("case_121", "Binary/XR-1", "user/Binary.read user/DiagnosticReport.read", 403),
        ],
    )
    .await;
}

#[tokio::test]
async fn soarian_wants_binary_and_documents() {
    let site = Site::start().await;
    site.check(
        SOARIAN,
        &[
            ("case_148", "Binary/XR-1", "patient/Binary.read patient/DocumentReference.read", 200),
            ("case_149", "Binary/XR-1", "patient/Binary.read", 403),
            ("case_150", "Binary/XR-1", "patient/Binary.read patient/DiagnosticReport.read", 403),
            ("case_151", "Binary/XR-1", "user/Binary.read user/DocumentReference.read", 200),
            ("case_151", "Binary/XR-1", "system/Binary.read system/DocumentReference.read", 200),
            ("case_151", "Binary/XR-1", "system/*.read", 200),
        ],
    )
    .await;
    let token = site.token(&["--scope", "patient/Binary.read", "--patient", "1"]);
    assert_eq!(
        site.get(&format!("{SOARIAN}/Binary/XR-1"), &token).await.issue_code(),
        "security",
        "case 149"
    );
}

#[tokio::test]
async fn case_047_provenance_needs_its_own_scope() {
    let site = Site::start().await;
    for base in [MILLENNIUM, SOARIAN] {
        let path = "DocumentReference?_id=1&_revinclude=Provenance:target";
        site.check(
            base,
            &[
                ("case_047", path, "user/DocumentReference.read", 403),
                ("case_047", path, "user/DocumentReference.read user/Provenance.read", 200),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn case_103_and_case_104_patients_and_the_open_host_write_nothing() {
    let site = Site::start().await;
    let post = |base: &str| {
        site.app
            .request(Method::POST, &format!("{base}/DocumentReference"))
            .header("Content-Type", "application/fhir+json")
            .body("{\"resourceType\": \"DocumentReference\"}")
    };
    let patient = site.token(&["--scope", "patient/DocumentReference.write", "--patient", "1"]);
    assert_eq!(Answer::of(post(MILLENNIUM).bearer_auth(patient)).await.status, 403, "case 103");
    let staff = site.token(&["--scope", "user/DocumentReference.write"]);
    assert_eq!(
        Answer::of(post(MILLENNIUM).bearer_auth(staff)).await.status,
        400,
        "staff may, the body is not valid"
    );
    assert_eq!(Answer::of(post("/m/open/default")).await.status, 405, "case 104");
}

#[tokio::test]
async fn case_189_deleted_and_never_theirs_is_not_found() {
    let site = Site::start().await;
    site.check(
        CARE_CONNECT,
        &[
            ("case_189", "Binary/gone", "patient/Binary.read patient/DocumentReference.read", 404),
            ("case_188", "Binary/gone", "user/Binary.read user/DocumentReference.read", 410),
        ],
    )
    .await;
}

#[tokio::test]
async fn case_192_the_scheme_has_any_letter_case() {
    let site = Site::start().await;
    let token = site.token(&["--scope", "user/Binary.read user/DocumentReference.read"]);
    for scheme in ["BEARER", "bearer", "Bearer"] {
        let request = site.app.request(Method::GET, &format!("{CARE_CONNECT}/Binary/XR-1"));
        let answer = Answer::of(request.header("Authorization", format!("{scheme} {token}"))).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn case_193_care_connect_says_what_is_missing() {
    let site = Site::start().await;
    let token = site.token(&["--scope", "user/DocumentReference.read"]);
    let answer = site.get(&format!("{CARE_CONNECT}/Binary/XR-1"), &token).await;
    assert_eq!(answer.status, 403);
    let text = answer.json()["issue"][0]["details"]["text"].clone();
    assert_eq!(text, "Insufficient Access Rights to access Binary.");
}

#[tokio::test]
async fn case_234_a_guard_that_may_not_be_read_guards() {
    let site = Site::start().await;
    let put = site.app.request(Method::PUT, "/r4/Binary/guarded").header("Content-Type", "text/plain");
    let put = put.header("X-Security-Context", "DocumentReference/2").body("secret");
    assert_eq!(Answer::of(put).await.status, 201);
    site.check(
        CARE_CONNECT,
        &[
            ("case_234", "Binary/guarded", "patient/Binary.read patient/DocumentReference.read", 404),
            (
                "case 234",
                "Binary/guarded?_format=json",
                "patient/Binary.read patient/DocumentReference.read",
                404,
            ),
            ("case_234", "Binary/guarded", "user/Binary.read user/DocumentReference.read", 200),
            ("case_234", "Binary/guarded", "user/Binary.read user/DiagnosticReport.read", 403),
        ],
    )
    .await;
}
