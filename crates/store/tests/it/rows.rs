//! What each operation reads of PostgreSQL's tables: a few rows of thousands, also before the server has statistics. It
//! has none while a store begins to fill, and after a dump was restored.

use charta_model::{
    Filter, HistoryQuery, HistoryScope, Intent, Query, ReferenceMatch, ResourceType, TokenMatch, Write,
};
use charta_store::{Access, CatalogPlace, Options, Store, testing, testing::entry};

use crate::{database::Database, support::put};

const PATIENTS: usize = 2000;

/// Index entries and rows that one operation may read.
const ROWS_MAX: i64 = 50;

/// After five times the server may take another plan for a prepared statement.
const TIMES: i64 = 12;

struct Filled {
    database: Database,
    directory: tempfile::TempDir,
}

impl Filled {
    async fn new() -> Self {
        let filled = Self { database: Database::new().await, directory: tempfile::tempdir().unwrap() };
        let store = filled.open().await;
        filled.leave_without_statistics().await;
        for from in (0..PATIENTS).step_by(200) {
            let writes =
                (from..from + 200).flat_map(|n| [(patient(n), None), (observation(n), None)]).collect();
            store.transact(&testing::tenant("t"), writes, Vec::new(), testing::at(1)).await.unwrap();
        }
        for n in 0..PATIENTS / 4 {
            put(&store, &format!("b{n}"), n.to_string().as_bytes()).await;
        }
        store.close().await;
        filled
    }

    async fn open(&self) -> Store {
        let options = Options {
            catalog: CatalogPlace::Postgres(self.database.url().clone()),
            ..Options::new(self.directory.path().join("store"))
        };
        Store::connect(&options, Access::Exclusive).await.unwrap()
    }

    async fn leave_without_statistics(&self) {
        let sql = "SELECT string_agg(format('ALTER TABLE %I SET (autovacuum_enabled = off)', relname), '; ') \
                   FROM pg_stat_user_tables WHERE schemaname = $1";
        let client = self.database.client().await;
        let alter: String = client.query_one(sql, &[&self.database.schema()]).await.unwrap().get(0);
        client.batch_execute(&alter).await.unwrap();
    }

    /// The rows that were read of all tables since they were made.
    async fn read(&self) -> i64 {
        let client = self.database.client().await;
        let (gone, schema) =
            ("SELECT 1 FROM pg_stat_activity WHERE application_name = $1", self.database.schema());
        while !client.query(gone, &[&schema]).await.unwrap().is_empty() {
            tokio::task::yield_now().await; // A connection counts what it read when it ends.
        }
        let sql = "SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = $1) \
                   + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = $1))::bigint";
        client.query_one(sql, &[&schema]).await.unwrap().get(0)
    }

    /// The rows that an operation reads, beyond those that opening and closing a store reads.
    async fn read_by(&self, operation: impl AsyncFnOnce(&Store)) -> i64 {
        let begun = self.read().await;
        self.open().await.close().await;
        let opened = self.read().await;
        let store = self.open().await;
        operation(&store).await;
        store.close().await;
        drop(store);
        self.read().await - opened - (opened - begun)
    }
}

fn patient(n: usize) -> Write {
    let entries = [entry::token("identifier", "s", &n.to_string()), entry::text("name", "Smith")];
    entry::with(testing::put_record("Patient", &format!("p{n}"), "1"), entries)
}

fn observation(n: usize) -> Write {
    let day = i64::try_from(n).unwrap() * 86_400_000;
    let entries = [
        entry::reference("subject", &format!("Patient/p{n}")),
        entry::token("code", "s", "c"),
        entry::date("date", day, day + 1),
    ];
    entry::with(testing::put_record("Observation", &format!("o{n}"), "1"), entries)
}

fn search(kind: &str, filters: Vec<Filter>) -> Query {
    Query { scopes: vec![testing::scope(kind)], filters, ..testing::binaries() }
}

fn by_identifier(n: usize) -> Filter {
    let token = TokenMatch { system: Some("s".into()), code: Some(n.to_string()), case_sensitive: true };
    Filter::Token("identifier".into(), vec![token])
}

fn of_patient(n: usize) -> Filter {
    let patient = ReferenceMatch::Local(Some(ResourceType::PATIENT), testing::id(&format!("p{n}")));
    Filter::Reference("subject".into(), vec![patient])
}

const OPERATIONS: [&str; 9] = [
    "a read",
    "an earlier version",
    "a history",
    "an update",
    "a create",
    "a conditional create",
    "a search for an identifier",
    "a search for what belongs to a patient",
    "what refers to a patient",
];

/// Each round names documents of its own.
async fn perform(operation: &str, store: &Store, round: &str) {
    let (tenant, kind, id) = (testing::tenant("t"), ResourceType::PATIENT, testing::id("p77"));
    match operation {
        "a read" => assert!(store.current(&tenant, &kind, &id).await.unwrap().is_some()),
        "an earlier version" => assert!(store.version(&tenant, &kind, &id, 1).await.unwrap().is_some()),
        "a history" => {
            let scope = HistoryScope::Document(kind, id);
            let query = HistoryQuery { scope, since: None, at: None, before: None, limit: 20 };
            store.history(&tenant, &query).await.unwrap();
        }
        "an update" => drop(put(store, "b7", round.as_bytes()).await),
        "a create" => drop(put(store, &format!("new-{round}"), b"content").await),
        "a conditional create" => {
            let fresh = testing::id(&format!("fresh-{round}"));
            let intent =
                Intent::CreateUnlessExists { fresh, criteria: search("Patient", vec![by_identifier(78)]) };
            let write = testing::write_of(kind, intent, testing::record("1"));
            store.commit(&tenant, write, None, testing::at(1)).await.unwrap();
        }
        "a search for an identifier" => assert_eq!(found(store, "Patient", by_identifier(78)).await, 1),
        "a search for what belongs to a patient" => {
            assert_eq!(found(store, "Observation", of_patient(78)).await, 1);
        }
        "what refers to a patient" => {
            let scope = testing::scope("Observation");
            let found = store.referring(&tenant, &[(kind, id)], &scope, None, 10).await.unwrap();
            assert_eq!(found.len(), 1);
        }
        other => panic!("{other}"),
    }
}

async fn found(store: &Store, kind: &str, filter: Filter) -> u64 {
    store.search(&testing::tenant("t"), &search(kind, vec![filter])).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn no_operation_over_postgres_reads_more_than_it_needs() {
    let filled = Filled::new().await;
    for round in ["unknown", "analysed"] {
        for operation in OPERATIONS {
            let rows = filled.read_by(async |store| {
                for time in 0..TIMES {
                    perform(operation, store, &format!("{round}-{time}")).await;
                }
            });
            let rows = rows.await / TIMES;
            assert!(rows <= ROWS_MAX, "{operation}, {round}: {rows} rows");
        }
        filled.database.client().await.batch_execute("ANALYZE").await.unwrap();
    }
}
