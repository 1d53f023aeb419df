//! read, in every version.

use crate::app::TestApp;

#[tokio::test]
async fn bytes_come_back_as_they_went_in() {
    let app = TestApp::start();
    let html = b"<html>caf\xe9</html>".to_vec();
    app.put("/r4/Binary/TR-1", "text/html;charset=ISO-8859-1", html.clone()).await;
    for base in ["/dstu2", "/stu3", "/r4", "/r4b", "/r5"] {
        let answer = app.get(&format!("{base}/Binary/TR-1"), None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/html;charset=ISO-8859-1");
        assert_eq!(answer.body, html, "{base}");
    }
}
