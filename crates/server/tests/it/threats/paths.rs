//! Rows 23 and 24: ids and versions that are made to be paths.

use super::raw;
use crate::app::TestApp;

#[tokio::test]
async fn row_23_no_id_leads_out_of_the_store() {
    let app = TestApp::start();
    std::fs::write(app.directory.path().join("secret"), "secret").unwrap();
    let long = "a".repeat(65);
    for target in [
        "/r4/Binary/../secret",
        "/r4/Binary/..%2f..%2fsecret",
        "/r4/Binary/%2e%2e/%2e%2e/secret",
        "/r4/Binary/..%5c..%5csecret",
        "/r4/Binary/a%00b",
        "/r4/Binary/C:%5Csecret",
        "/r4/Binary/1/_history/../../secret",
        "/r4/../../secret",
        "//r4//Binary//1",
        &format!("/r4/Binary/{long}"),
        &format!("/r4/Binary/{}", "a/".repeat(200)),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\
                 Connection: close\r\n\r\nx"
            );
            let answer = raw(&app, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 4"), "{method} {target}: {answer}");
            assert!(!answer.contains("secret\n") && !answer.ends_with("secret"), "{method} {target}");
        }
    }
    let directory = app.stop();
    let entries = std::fs::read_dir(directory.path()).unwrap();
    let names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    // Of each node its configuration and its data.
    let own = |name: &&String| !["charta", "data"].iter().any(|own| name.starts_with(own));
    assert_eq!(names.iter().filter(own).collect::<Vec<_>>(), ["secret"], "{names:?}");
}

#[tokio::test]
async fn row_24_ids_that_differ_in_case_are_two() {
    let app = TestApp::start();
    app.put("/r4/Binary/Case", "text/plain", "upper").await;
    app.put("/r4/Binary/case", "text/plain", "lower").await;
    assert_eq!(app.get("/r4/Binary/Case", None).await.text(), "upper");
    assert_eq!(app.get("/r4/Binary/case", None).await.text(), "lower");
    assert_eq!(app.get("/r4/Binary/CASE", None).await.status, 404);
    // Normalisation has nothing to work on: an id is ASCII.
    assert_eq!(app.get("/r4/Binary/e%CC%81", None).await.status, 404);
}
