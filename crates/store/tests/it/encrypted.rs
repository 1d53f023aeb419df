//! PostgreSQL over TLS: only with a certificate that proves to be the server's.

use std::{fs, os::unix::fs as unix, path::Path};

use charta_store::{Access, CatalogPlace, Options, PostgresUrl, Store};
use rcgen::{CertificateParams, Issuer, KeyPair};

use crate::{
    outage::Server,
    support::{put, read},
};

/// An authority, and its certificate in a file.
fn authority(file: &Path) -> Issuer<'static, KeyPair> {
    let (mut params, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    fs::write(file, params.self_signed(&key).unwrap().pem()).unwrap();
    Issuer::new(params, key)
}

/// Lets the server `a` of the tests talk TLS only, as `127.0.0.1`, and to whoever has the password.
fn encrypt(server: &Server, by: &Issuer<'_, KeyPair>) {
    let data = Path::new(&server.path("a")).join("data");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().signed_by(&key, by).unwrap();
    let owner = fs::metadata(&data).unwrap();
    let (uid, gid) =
        (std::os::unix::fs::MetadataExt::uid(&owner), std::os::unix::fs::MetadataExt::gid(&owner));
    for (name, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        let file = data.join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        unix::chown(&file, Some(uid), Some(gid)).unwrap();
    }
    let settings = data.join("postgresql.conf");
    let with_tls = fs::read_to_string(&settings).unwrap() + "ssl = on\npassword_encryption = scram-sha-256\n";
    fs::write(&settings, with_tls).unwrap();
    fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n").unwrap();
}

async fn open(server: &Server, url: &str) -> Result<Store, String> {
    let catalog = CatalogPlace::Postgres(PostgresUrl::new(url).unwrap());
    let options = Options { catalog, ..Options::new(server.path("store")) };
    Store::connect(&options, Access::Exclusive).await.map_err(|error| format!("{error:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts PostgreSQL"]
async fn postgres_is_used_over_tls_if_it_proves_who_it_is() {
    let server = Server::new();
    let plain = server.run("a", &["start"]);
    let (client, connection) = tokio_postgres::connect(&plain, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("SET password_encryption = 'scram-sha-256'; ALTER USER app PASSWORD 'secret'")
        .await
        .unwrap();
    drop(client);
    server.run("a", &["stop"]);
    let (ours, others) = (server.path("ours.pem"), server.path("others.pem"));
    encrypt(&server, &authority(Path::new(&ours)));
    authority(Path::new(&others));
    server.run("a", &["start"]);

    let place = plain.replace("app@", "app:secret@");
    let by_name = place.replace("127.0.0.1", "localhost");
    for (url, why) in [
        (format!("{place}?sslmode=verify-full&sslrootcert={others}"), "another authority"),
        (format!("{place}?sslmode=require"), "an authority that the system does not know"),
        (format!("{by_name}?sslmode=verify-full&sslrootcert={ours}"), "another name"),
        (format!("{place}?sslmode=disable"), "no TLS"),
    ] {
        let Err(error) = open(&server, &url).await else { panic!("opened with {why}") };
        assert!(!error.contains("secret"), "{error}");
    }
    let store = open(&server, &format!("{place}?sslmode=verify-full&sslrootcert={ours}")).await.unwrap();
    put(&store, "a", b"over TLS").await;
    assert_eq!(read(&store, "a").await.unwrap().unwrap(), "over TLS");
    store.close().await;
}
