//! What is not FHIR: health, metrics, and the start page of a demo.

use http::{StatusCode, request::Parts};

use super::{
    App,
    pipeline::{Routed, plain},
    serve::Link,
    smart::server,
};
use crate::http::request_body::RequestBody;
use crate::ui;

/// Answers a request whose path belongs to no endpoint.
pub async fn answer(app: &App, parts: &Parts, body: RequestBody, link: &Link) -> Routed {
    let path = parts.uri.path();
    let get = matches!(parts.method, http::Method::GET | http::Method::HEAD);
    let on_this_address = app.config.ops_listen.is_none();
    let (answer, template) = match path {
        _ if server::serves(path)
            && let Some(server) = &app.authorization_server =>
        {
            (server::answer(app, server, parts, body, link).await, "/auth")
        }
        "/" if get && app.demo => (ui::start::page(&app.config), "/"),
        "/health/live" | "/health/ready" | "/metrics" if get && on_this_address => {
            (operations(app, path).await, template(path))
        }
        _ => {
            (plain(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "There is nothing here.\n"), "unknown")
        }
    };
    Routed { answer, template, tenant: String::new() }
}

/// Health and metrics, also on their own address.
pub async fn operations(app: &App, path: &str) -> super::answer::Answer {
    const TEXT: &str = "text/plain; charset=utf-8";
    match path {
        "/health/live" => plain(StatusCode::OK, TEXT, "live\n"),
        "/health/ready" => match app.service.ready().await {
            Ok(()) => plain(StatusCode::OK, TEXT, "ready\n"),
            Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("store: {error}\n")),
        },
        "/metrics" => plain(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            app.metrics
                .text(&app.service.statistics().await.unwrap_or_default(), &app.service.audit_statistics()),
        ),
        _ => plain(StatusCode::NOT_FOUND, TEXT, "There is nothing here.\n"),
    }
}

fn template(path: &str) -> &'static str {
    match path {
        "/health/live" => "/health/live",
        "/health/ready" => "/health/ready",
        _ => "/metrics",
    }
}
