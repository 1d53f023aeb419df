//! A schema of its own in the database of `TEST_POSTGRES_URL`, which goes away with it.

use std::env;

use charta_store::catalog::postgres::PostgresUrl;
use tokio_postgres::{Client, NoTls};

pub struct Database {
    schema: String,
    url: PostgresUrl,
}

impl Database {
    pub async fn new() -> Self {
        let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
        client().await.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        let place = place();
        let and = if place.contains('?') { '&' } else { '?' };
        // By its name a test knows its own connections.
        let url = format!("{place}{and}options=-c%20search_path%3D{schema}&application_name={schema}");
        Self { schema, url: PostgresUrl::new(&url).unwrap() }
    }

    pub fn url(&self) -> &PostgresUrl {
        &self.url
    }

    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// A connection beside those of the catalog.
    pub async fn client(&self) -> Client {
        let client = client().await;
        client.batch_execute(&format!("SET search_path = {}", self.schema)).await.unwrap();
        client
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
        // The test's runtime may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { client().await.batch_execute(&sql).await })
        });
        let _ = dropping.join();
    }
}

pub fn place() -> String {
    env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a database for tests")
}

async fn client() -> Client {
    let (client, connection) = tokio_postgres::connect(&place(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
