//! Pages of versions, newest first.
//!
//! Versions of one type and dialect are found in the order of their sequence numbers by one index. A history
//! of several merges them: of each, the newest that could be on the page.

use std::sync::Arc;

use charta_model::{HistoryQuery, HistoryScope};
use tokio_postgres::types::{ToSql, Type};

use super::{
    failure::Failure,
    read,
    search::{self, Place},
};
use crate::{
    HistoryPage,
    catalog::times::{Times, before},
};

/// A page of a history; the caller sees to it that all statements see the same state.
pub(super) async fn page(place: Place<'_>, query: &HistoryQuery) -> Result<HistoryPage, Failure> {
    let mut found =
        Found { times: Times::of(query), before: before(query), limit: query.limit, ..Found::default() };
    match &query.scope {
        HistoryScope::Document(kind, id) => {
            if place.names.kind(kind).is_none() {
                place.names.load_kinds(place.client).await?;
            }
            let Some(kind) = place.names.kind(kind) else { return Ok(HistoryPage::default()) };
            let key = read::document_key(place.client, place.tenant, kind, id).await?;
            found.documents(place, &key.into_iter().collect::<Vec<_>>()).await?;
        }
        HistoryScope::Found(query) => {
            let keys = search::keys(place, query).await?;
            found.documents(place, &keys).await?;
        }
        HistoryScope::Types(scopes) => found.shelves(place, Some(scopes)).await?,
        HistoryScope::Tenant => found.shelves(place, None).await?,
    }
    let Found { total, mut sequences, .. } = found;
    sequences.sort_unstable_by(|a, b| b.cmp(a));
    let more = sequences.len() > query.limit || (query.limit == 0 && total > 0);
    sequences.truncate(query.limit);
    let stored = read::at_sequences(place.client, &sequences).await?;
    let entry = |(sequence, stored): (i64, _)| (sequence.max(0).unsigned_abs(), Arc::new(stored));
    Ok(HistoryPage { entries: sequences.into_iter().zip(stored).map(entry).collect(), total, more })
}

/// Which versions are wanted, and what was found of them.
#[derive(Default)]
struct Found {
    times: Option<Times>,
    before: i64,
    limit: usize,
    total: u64,
    /// One more than the limit, so that the page shows whether there are more.
    sequences: Vec<i64>,
}

impl Found {
    async fn documents(&mut self, place: Place<'_>, keys: &[i64]) -> Result<(), Failure> {
        let values: [(&(dyn ToSql + Sync), Type); 1] = [(&keys, Type::INT8_ARRAY)];
        self.counted(place, "v.document = ANY ($1)", &values).await?;
        self.newest(place, "v.document = ANY ($1)", &values).await
    }

    async fn shelves(
        &mut self,
        place: Place<'_>,
        scopes: Option<&[charta_model::Scope]>,
    ) -> Result<(), Failure> {
        let condition = "v.tenant = $1 AND v.kind = $2 AND v.dialect = $3";
        for shelf in read::shelves(place.client, place.tenant, scopes).await? {
            let values: [(&(dyn ToSql + Sync), Type); 3] =
                [(&place.tenant, Type::INT8), (&shelf.kind, Type::INT8), (&shelf.dialect, Type::TEXT)];
            let before = self.total;
            if self.times.is_some() {
                self.counted(place, condition, &values).await?;
            } else {
                self.total += shelf.versions; // the tally knows
            }
            if self.total > before {
                self.newest(place, condition, &values).await?;
            }
        }
        Ok(())
    }

    async fn counted(
        &mut self,
        place: Place<'_>,
        condition: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<(), Failure> {
        let sql = format!("SELECT count(*) FROM version v WHERE {condition}{}", self.within(values.len()));
        let mut all = values.to_vec();
        all.extend(self.times.iter().flat_map(bounds));
        let rows = place.client.query_typed(&sql, &all).await?;
        let count: i64 = rows.first().map_or(0, |row| row.get(0));
        self.total += count.max(0).unsigned_abs();
        Ok(())
    }

    async fn newest(
        &mut self,
        place: Place<'_>,
        condition: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<(), Failure> {
        let (before, limit) = (values.len() + 1, i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1);
        let sql = format!(
            "SELECT v.sequence FROM version v WHERE {condition} AND v.sequence < ${before}{} \
             ORDER BY v.sequence DESC LIMIT {limit}",
            self.within(before)
        );
        let mut all = values.to_vec();
        all.push((&self.before, Type::INT8));
        all.extend(self.times.iter().flat_map(bounds));
        let rows = place.client.query_typed(&sql, &all).await?;
        self.sequences.extend(rows.iter().map(|row| row.get::<_, i64>(0)));
        Ok(())
    }

    /// Not before `since`; begun before `end` and not followed by another version by `start`: the values that come
    /// after so many others.
    fn within(&self, values: usize) -> String {
        if self.times.is_none() {
            return String::new();
        }
        let (since, start, end) = (values + 1, values + 2, values + 3);
        format!(
            " AND v.updated_ms >= ${since} AND v.updated_ms < ${end} AND NOT EXISTS \
             (SELECT 1 FROM version n WHERE n.document = v.document AND n.version = v.version + 1 \
              AND n.updated_ms <= ${start} OFFSET 0)"
        )
    }
}

fn bounds(times: &Times) -> [(&(dyn ToSql + Sync), Type); 3] {
    [(&times.since, Type::INT8), (&times.start, Type::INT8), (&times.end, Type::INT8)]
}
