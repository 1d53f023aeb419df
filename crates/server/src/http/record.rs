//! What is noted about each request: one log line and the metrics. Route templates instead of paths,
//! no query values, no ids of documents or patients, no token: the log may be read by operators who
//! must not see patients' data.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use charta_store::{AuditStatistics, Statistics};
use http::Method;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

/// What tells requests apart in the metrics.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// Counts of what the server does, for Prometheus.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Histogram,
    sent_bytes: Counter,
    /// Connections that are open.
    pub connections: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Connections that were closed at once, because their client had enough.
    pub connections_refused: Counter,
    aborted: Counter<u64, AtomicU64>,
    documents: Gauge<u64, AtomicU64>,
    versions: Gauge<u64, AtomicU64>,
    catalog_bytes: Gauge<u64, AtomicU64>,
    cached_bytes: Gauge<u64, AtomicU64>,
    audit_events: Gauge<u64, AtomicU64>,
    audit_waiting: Gauge<u64, AtomicU64>,
    audit_lag_seconds: Gauge<f64, AtomicU64>,
    audit_failures: Gauge<u64, AtomicU64>,
    audit_lost: Gauge<u64, AtomicU64>,
    audit_bytes: Gauge<u64, AtomicU64>,
    audit_uncopied: Gauge<u64, AtomicU64>,
    audit_copy_failures: Gauge<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("charta");
        let this = Self {
            requests: Family::default(),
            seconds: Histogram::new(exponential_buckets(0.0001, 4.0, 10)),
            sent_bytes: Counter::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            aborted: Counter::default(),
            documents: Gauge::default(),
            versions: Gauge::default(),
            catalog_bytes: Gauge::default(),
            cached_bytes: Gauge::default(),
            audit_events: Gauge::default(),
            audit_waiting: Gauge::default(),
            audit_lag_seconds: Gauge::default(),
            audit_failures: Gauge::default(),
            audit_lost: Gauge::default(),
            audit_bytes: Gauge::default(),
            audit_uncopied: Gauge::default(),
            audit_copy_failures: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered", this.requests.clone());
        registry.register(
            "request_seconds",
            "Seconds from a request's head to the end of its answer",
            this.seconds.clone(),
        );
        registry.register("sent_bytes", "Bytes of bodies handed to clients", this.sent_bytes.clone());
        registry.register("connections", "Connections that are open", this.connections.clone());
        registry.register(
            "connections_refused",
            "Connections closed at once, as their client had all it may have",
            this.connections_refused.clone(),
        );
        registry.register("aborted", "Answers that ended early", this.aborted.clone());
        registry.register("documents", "Current, undeleted documents", this.documents.clone());
        registry.register("versions", "Versions of all documents, deletions too", this.versions.clone());
        registry.register("catalog_bytes", "Size of the catalog's file", this.catalog_bytes.clone());
        registry.register("cached_bytes", "Memory that cached records take", this.cached_bytes.clone());
        registry.register("audit_events", "Number of the last event synced", this.audit_events.clone());
        registry.register("audit_waiting", "Events that wait to be synced", this.audit_waiting.clone());
        registry.register(
            "audit_lag_seconds",
            "How long the first of them has waited",
            this.audit_lag_seconds.clone(),
        );
        registry.register(
            "audit_failures",
            "Writes of the audit log that failed",
            this.audit_failures.clone(),
        );
        registry.register("audit_lost", "Events given up while the disk failed", this.audit_lost.clone());
        registry.register("audit_bytes", "Size of the audit log", this.audit_bytes.clone());
        registry.register(
            "audit_uncopied",
            "Events that wait to be copied into the catalog of several nodes",
            this.audit_uncopied.clone(),
        );
        registry.register(
            "audit_copy_failures",
            "Attempts to copy them that failed",
            this.audit_copy_failures.clone(),
        );
        Self { registry, ..this }
    }
}

impl Metrics {
    /// All of them in the Prometheus text format, with what the store says of itself.
    pub fn text(&self, store: &Statistics, audit: &AuditStatistics) -> String {
        self.audit_events.set(audit.synced);
        self.audit_waiting.set(audit.waiting);
        self.audit_lag_seconds.set(audit.lag.as_secs_f64());
        self.audit_failures.set(audit.failures);
        self.audit_lost.set(audit.lost);
        self.audit_bytes.set(audit.bytes);
        self.audit_uncopied.set(audit.uncopied);
        self.audit_copy_failures.set(audit.copy_failures);
        self.documents.set(store.documents);
        self.versions.set(store.versions);
        self.catalog_bytes.set(store.catalog_bytes);
        self.cached_bytes.set(store.cached_bytes);
        let mut text = String::new();
        // Writing to a String fails only if a metric's own encoding does; then what there is stands.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// One request, noted when its answer is sent or given up.
pub struct Record {
    metrics: Arc<Metrics>,
    begun: Instant,
    request_id: String,
    tenant: String,
    method: Method,
    route: &'static str,
    status: u16,
    sent_bytes: u64,
    /// What the answer's head promised; `None` if it did not say.
    promised_bytes: Option<u64>,
}

impl Record {
    /// A record of an answer whose head is ready.
    #[allow(clippy::too_many_arguments, reason = "the fields of one log line")]
    pub fn new(
        metrics: Arc<Metrics>,
        begun: Instant,
        request_id: &str,
        tenant: &str,
        method: Method,
        route: &'static str,
        status: u16,
        promised_bytes: Option<u64>,
    ) -> Self {
        Self {
            metrics,
            begun,
            request_id: request_id.to_owned(),
            tenant: tenant.to_owned(),
            method,
            route,
            status,
            sent_bytes: 0,
            promised_bytes,
        }
    }

    /// So many bytes went to the connection.
    pub fn sent(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
    }

    /// The content could not be read to its end; the client sees a broken connection.
    pub fn failed(&self, error: &io::Error) {
        tracing::error!(request_id = self.request_id, cause = %error, "answer broken off");
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let elapsed: Duration = self.begun.elapsed();
        let labels = Labels { method: method_name(&self.method), route: self.route, status: self.status };
        self.metrics.requests.get_or_create(&labels).inc();
        self.metrics.seconds.observe(elapsed.as_secs_f64());
        self.metrics.sent_bytes.inc_by(self.sent_bytes);
        if self.promised_bytes.is_some_and(|promised| self.sent_bytes < promised) {
            self.metrics.aborted.inner().fetch_add(1, Ordering::Relaxed);
        }
        tracing::info!(
            request_id = self.request_id,
            tenant = self.tenant,
            method = labels.method,
            route = self.route,
            status = self.status,
            bytes = self.sent_bytes,
            ms = elapsed.as_secs_f64() * 1000.0,
            "request"
        );
    }
}

/// Methods that clients make up would be labels without end.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
