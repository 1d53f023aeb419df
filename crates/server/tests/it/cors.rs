//! Cross-origin answers of each profile, as its clients know them.

use reqwest::Method;

use crate::app::{Answer, TENANT, TestApp};

const ORIGIN: &str = "http://example.com";

async fn with_origin(app: &TestApp, method: Method, path: &str) -> Answer {
    let request = app.request(method, path).header("Origin", ORIGIN);
    let request = request.header("Access-Control-Request-Method", "GET");
    Answer::of(request.header("Access-Control-Request-Headers", "authorization,content-type")).await
}

#[tokio::test]
async fn millennium_allows_all_origins_and_gives_back_the_headers_asked_for() {
    let app = TestApp::start();
    let path = format!("/millennium/r4/{TENANT}/metadata");
    let read = with_origin(&app, Method::GET, &path).await;
    assert_eq!(read.header("access-control-allow-origin"), "*");
    assert_eq!(read.header("access-control-allow-methods"), "DELETE, GET, POST, PUT, PATCH, OPTIONS, HEAD");
    assert_eq!(
        read.header("access-control-expose-headers"),
        "ETag, Content-Location, Location, X-Request-Id, WWW-Authenticate, Date"
    );
    assert_eq!(read.header("access-control-max-age"), "0");
    let preflight = with_origin(&app, Method::OPTIONS, &path).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization, content-type");
}

#[tokio::test]
async fn soarian_names_the_origin() {
    let app = TestApp::start();
    let preflight = with_origin(&app, Method::OPTIONS, &format!("/soarian/r4/{TENANT}/metadata")).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST");
    assert_eq!(preflight.header("access-control-allow-credentials"), "true");
}

#[tokio::test]
async fn a_browser_app_may_use_every_interaction_and_never_with_cookies() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "text/plain", "x").await;
    for path in ["/r4/Binary/1", "/stu3/Binary/1", "/ccri/STU3/metadata", "/r4/Binary/nowhere"] {
        let read = with_origin(&app, Method::GET, path).await;
        assert_eq!(read.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(read.header("access-control-allow-credentials"), "", "{path}");
        assert!(read.header("access-control-expose-headers").contains("X-Security-Context"), "{path}");
        assert_eq!(read.header("set-cookie"), "", "{path}");
    }
    let preflight = with_origin(&app, Method::OPTIONS, "/r4/Binary/1").await;
    assert_eq!(preflight.status, 204);
    for name in ["Authorization", "If-Match", "Range", "X-Security-Context"] {
        assert!(preflight.header("access-control-allow-headers").contains(name), "{name}");
    }
    for method in ["PUT", "DELETE", "POST"] {
        assert!(preflight.header("access-control-allow-methods").contains(method), "{method}");
    }
}

#[tokio::test]
async fn a_preflight_needs_no_token() {
    let app = TestApp::start();
    assert_eq!(with_origin(&app, Method::OPTIONS, "/secure/Binary/1").await.status, 204);
    assert_eq!(with_origin(&app, Method::GET, "/secure/Binary/1").await.status, 401);
}
