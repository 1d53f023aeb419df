//! `charta audit`

use std::process::ExitCode;

use charta_fhir::{
    Format, Piece, Version,
    represent::{self, Subset},
    search::date_range,
};
use charta_model::{
    TenantId, Timestamp,
    audit::{AuditFilter, AuditQuery, Event},
};
use charta_store::Access;
use clap::{Args, ValueEnum};

use super::{Failure, Place, result_line, store};

/// Events that are read at once.
const PAGE: usize = 1000;

/// Show or export what was recorded of requests, newest first
///
/// Runs beside a server; what that has recorded in the last moments may be missing.
///
/// Example: charta audit --patient 12 --since 2026-11 --format ndjson
#[derive(Args)]
pub struct Audit {
    #[command(flatten)]
    place: Place,
    /// Whose documents
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Only what concerns this patient
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// Only since this date or time
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Only until this date or time, all of it
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Only what this client or user asked
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// A table to read, or R4 AuditEvents, one a line
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Table,
    Ndjson,
}

impl Audit {
    /// Prints one line per event.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let filters = self.filters()?;
        store::with_store(&self.place, Access::ReadOnly, async |config, store| {
            let tenant = store::tenant(&config, self.tenant.as_ref())?.as_str().to_owned();
            let log = store.audit_log(config.audit.options())?;
            let origin = config.public_url.as_str();
            let mut query = AuditQuery { tenant, filters, only: None, before: None, limit: PAGE };
            loop {
                let page = log.search(query.clone()).await?;
                page.events.iter().for_each(|(number, event)| self.show(*number, event, origin));
                match page.next {
                    Some(next) => query.before = Some(next),
                    None => return Ok(ExitCode::SUCCESS),
                }
            }
        })
    }

    fn filters(&self) -> Result<Vec<AuditFilter>, Failure> {
        let span = |option: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match date_range(text) {
                Some(span) => Ok(Some(span)),
                None => {
                    Err(Failure(format!("{option} {text}: no date, such as 2026-11 or 2026-11-21T10:30")))
                }
            },
        };
        let from = span("--since", &self.since)?.map_or(Timestamp::MIN, |(from, _)| from);
        let to = span("--until", &self.until)?.map_or(Timestamp::MAX, |(_, to)| to);
        let mut filters = vec![AuditFilter::Recorded(from, to)];
        let patient = self.patient.iter().map(|id| id.strip_prefix("Patient/").unwrap_or(id).to_owned());
        filters.extend(patient.map(|id| AuditFilter::Patient(vec![id])));
        filters.extend(self.agent.iter().map(|agent| AuditFilter::Agent(vec![agent.clone()])));
        Ok(filters)
    }

    fn show(&self, number: u64, event: &Event<'_>, origin: &str) {
        if self.format == Shape::Table {
            return result_line(&row(number, event));
        }
        let node = represent::audit_event(event, number, Version::R4, &Subset::default(), origin);
        let Some(node) = node else { return };
        let text =
            represent::write(node, Version::R4, Format::Json, false).into_iter().map(|piece| match piece {
                Piece::Text(text) => String::from_utf8_lossy(&text).into_owned(),
                Piece::Base64(_) => String::new(), // an AuditEvent has no content
            });
        result_line(&text.collect::<String>());
    }
}

fn row(number: u64, event: &Event<'_>) -> String {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.escape_debug().to_string() };
    let caller = &event.caller;
    let user = if caller.user.is_empty() { &caller.subject } else { &caller.user };
    let entities = event.entities.iter().map(|entity| match entity.version {
        0 => format!("{}/{}", entity.kind, entity.id),
        version => format!("{}/{}/_history/{version}", entity.kind, entity.id),
    });
    let what: Vec<String> =
        entities.chain((!event.query.is_empty()).then(|| event.query.to_string())).collect();
    format!(
        "{number:>10}  {:.3}  {:<16} {}  client {}  user {}  patient {}  {}",
        event.recorded,
        event.interaction.code(),
        event.status,
        or_dash(&caller.client),
        or_dash(user),
        or_dash(&event.patient),
        or_dash(&what.join(" ")),
    )
}
