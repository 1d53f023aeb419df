//! Resources of an import: those of a Bundle, of a file, of a few lines. All get the id that they have or that
//! their Bundle gives them, so that a second import changes nothing.

use std::collections::HashMap;

use charta_auth::Grant;
use charta_fhir::{
    Format, Node,
    references::{self, Spot},
    resource,
    search::{self, Among, Purpose},
};
use charta_model::{Hasher, Intent, ResourceId, ResourceType, Write, WriteOutcome};
use charta_store::{CommitError, Uploaded};

use super::file::{Importer, Refused};
use crate::{
    clock,
    intake::{Facts, Intake, IntakeError, Prepared},
};

/// Resources that are committed together.
const RESOURCES_AT_ONCE: usize = 500;

/// A resource under the id that it is going to have.
struct Named {
    resource: Node,
    kind: ResourceType,
    id: ResourceId,
}

impl Importer<'_> {
    /// The resource or Bundle that `bytes` are; says what it was. Entries that break rules are `refused`, the
    /// others stored.
    pub(super) async fn resources(
        &mut self,
        bytes: &[u8],
        format: Format,
        refused: &mut Vec<String>,
    ) -> Result<String, Refused> {
        let read = resource::read_unchecked(bytes, format, self.version).map_err(Refused::Problems)?;
        let is_of_many = matches!(
            read.text_at("type"),
            Some("transaction" | "batch" | "collection" | "searchset" | "history")
        );
        if resource::type_of(&read) != Some("Bundle") || !is_of_many {
            let name = self.resources_of(vec![read]).await?;
            return Ok(name);
        }
        let mut named = Vec::new();
        let mut identities = HashMap::new();
        for (at, entry) in read.items_at("entry").iter().enumerate() {
            let Some(resource) = entry.member("resource") else { continue };
            match self.named(resource, entry.text_at("fullUrl")) {
                Ok(one) => {
                    if let Some(url) = entry.text_at("fullUrl") {
                        identities.insert(url.to_ascii_lowercase(), format!("{}/{}", one.kind, one.id));
                    }
                    named.push(one);
                }
                Err(reason) => refused.push(format!("entry[{at}]: {reason}")),
            }
        }
        self.link(&mut named, &identities).await?;
        let count = named.len();
        let mut chunk = Vec::new();
        for one in named {
            chunk.push(one);
            if chunk.len() == RESOURCES_AT_ONCE {
                self.store(std::mem::take(&mut chunk), refused).await?;
            }
        }
        self.store(chunk, refused).await?;
        Ok(format!("{count} resources"))
    }

    /// Stores single resources together; says the first one's name.
    pub(super) async fn resources_of(&mut self, resources: Vec<Node>) -> Result<String, Refused> {
        let mut named = Vec::new();
        for resource in resources {
            named.push(self.named(&resource, None)?);
        }
        self.link(&mut named, &HashMap::new()).await?;
        let name = named.first().map(|one| format!("{}/{}", one.kind, one.id)).unwrap_or_default();
        let mut refused = Vec::new();
        self.store(named, &mut refused).await?;
        match refused.pop() {
            None => Ok(name),
            Some(reason) => Err(Refused::Kept(reason)),
        }
    }

    /// Stores lines of NDJSON; gives back those that are refused, by number.
    pub(super) async fn chunk_of_lines(
        &mut self,
        lines: Vec<(u64, Vec<u8>)>,
    ) -> Result<Vec<(u64, Refused)>, charta_store::Error> {
        let mut refused = Vec::new();
        let mut named = Vec::new();
        let first = lines.first().map_or(0, |(number, _)| *number);
        for (number, line) in lines {
            let read = resource::read_unchecked(&line, Format::Json, self.version).map_err(Refused::Problems);
            match read.and_then(|resource| self.named(&resource, None)) {
                Ok(one) => named.push((number, one)),
                Err(reason) => refused.push((number, reason)),
            }
        }
        let mut linked = Vec::new();
        for (number, one) in named {
            let mut single = vec![one];
            match self.link(&mut single, &HashMap::new()).await {
                Ok(()) => linked.append(&mut single),
                Err(Refused::Store(error)) => return Err(error),
                Err(reason) => refused.push((number, reason)),
            }
        }
        let mut kept_out = Vec::new();
        match self.store(linked, &mut kept_out).await {
            Ok(()) => {}
            Err(Refused::Store(error)) => return Err(error),
            Err(reason) => refused.push((first, reason)),
        }
        refused.extend(kept_out.into_iter().map(|reason| (first, Refused::Kept(reason))));
        Ok(refused)
    }

    /// The resource under its id: its own, the UUID of its `fullUrl`, or one made of what it says.
    fn named(&self, resource: &Node, full_url: Option<&str>) -> Result<Named, Refused> {
        let (mut resource, _) = resource::without_empty(resource.clone());
        let kind = resource.text_at("resourceType").and_then(|kind| ResourceType::new(kind).ok());
        let kind = kind.ok_or(Refused::NoResource)?;
        let own = resource.text_at("id").and_then(|id| ResourceId::new(id).ok());
        let of_url = || ResourceId::new(full_url?.strip_prefix("urn:uuid:")?).ok();
        let id = own.or_else(of_url).unwrap_or_else(|| {
            let mut hasher = Hasher::default();
            hasher.update(charta_fhir::json::text(&resource).as_bytes());
            ResourceId::new(&hasher.finish().hex()[..32]).expect("32 hexadecimal digits are a valid id")
        });
        resource.set("id", Node::text(id.as_str().to_owned()));
        let problems = resource::check(&resource, self.version);
        if problems.is_empty() { Ok(Named { resource, kind, id }) } else { Err(Refused::Problems(problems)) }
    }

    /// Puts ids in the place of what entries call each other, and of conditions what they find.
    async fn link(
        &mut self,
        named: &mut [Named],
        identities: &HashMap<String, String>,
    ) -> Result<(), Refused> {
        for one in named.iter() {
            for (_, link) in references::references(&one.resource) {
                let condition = link.split_once('?').filter(|(kind, _)| ResourceType::new(kind).is_ok());
                if let Some((kind, criteria)) = condition
                    && !self.found.contains_key(&link)
                {
                    let found = self.matching(kind, criteria).await?;
                    let found = found.ok_or_else(|| Refused::Waits(link.clone()))?;
                    self.found.insert(link, found);
                }
            }
        }
        for one in named {
            references::rewrite(&mut one.resource, self.version, &mut |spot, link| {
                if spot == Spot::Reference && link.contains('?') {
                    return self.found.get(link).cloned();
                }
                let (whole, fragment) = link.split_at(link.find('#').unwrap_or(link.len()));
                Some(format!("{}{fragment}", identities.get(&whole.to_ascii_lowercase())?))
            });
        }
        Ok(())
    }

    async fn matching(&self, kind: &str, criteria: &str) -> Result<Option<String>, Refused> {
        let Ok(kind) = ResourceType::new(kind) else { return Ok(None) };
        let parameters: Vec<_> = form_urlencoded::parse(criteria.as_bytes()).into_owned().collect();
        let among = Among { version: self.version, kinds: std::slice::from_ref(&kind), bases: &[] };
        let Ok(asked) = search::resources(among, &parameters, Purpose::Criteria) else { return Ok(None) };
        let grant = Grant::of_operator();
        let page = self.service.lookup(&self.tenant, &grant).search(&asked.query).await;
        match page {
            Ok(page) => Ok(page.matches.first().map(|one| format!("{kind}/{}", one.document.id))),
            Err(charta_service::ReadError::Store(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// Commits resources together; what cannot be kept is `refused`, and the others are not.
    async fn store(&mut self, named: Vec<Named>, refused: &mut Vec<String>) -> Result<(), Refused> {
        if named.is_empty() {
            return Ok(());
        }
        let mut writes: Vec<(Write, Option<Uploaded>)> = Vec::new();
        let mut binaries: HashMap<ResourceId, Facts> = HashMap::new();
        // A Binary comes before what names it.
        let (first, rest): (Vec<_>, Vec<_>) = named.into_iter().partition(|one| one.kind.is_binary());
        let grant = Grant::of_operator();
        for one in first.into_iter().chain(rest) {
            if one.kind == ResourceType::AUDIT_EVENT {
                // What this server did and what others say they did must not stand in one list.
                refused.push(format!("{}/{}: AuditEvents come from the audit log alone", one.kind, one.id));
                continue;
            }
            let intake = Intake {
                service: &self.service,
                tenant: &self.tenant,
                grant: &grant,
                version: self.version,
                document_bytes_max: u64::MAX,
                now: clock::now(),
                local: &|_| None,
                beside: &binaries,
            };
            let prepared: Prepared = match intake.prepare(one.resource, &one.id).await {
                Ok(prepared) => prepared,
                Err(IntakeError::Store(error)) => return Err(error.into()),
                Err(reason) => {
                    refused.push(format!("{}/{}: {reason}", one.kind, one.id));
                    continue;
                }
            };
            if let Some(facts) = prepared.facts {
                binaries.insert(one.id.clone(), facts);
            }
            writes.extend(prepared.binaries.into_iter().map(|(write, content)| (write, Some(content))));
            let write = Write {
                kind: one.kind,
                intent: Intent::Update { id: one.id },
                if_match: None,
                if_none_match: None,
                state: Some(prepared.state),
            };
            writes.push((write, prepared.content));
        }
        let outcome = self.service.transact(&self.tenant, &grant, writes, Vec::new(), clock::now()).await;
        let outcomes = outcome.map_err(|(_, error)| match error {
            charta_service::WriteError::Commit(CommitError::Store(error)) => Refused::Store(error),
            charta_service::WriteError::Commit(error) => Refused::Commit(error),
            _ => Refused::Empty, // the operator may write everything
        })?;
        for outcome in outcomes {
            match outcome {
                WriteOutcome::Unchanged(_) => self.counts.unchanged += 1,
                _ => self.counts.stored += 1,
            }
        }
        Ok(())
    }
}
