//! Files as operators write them, and what they are told.

use std::{collections::BTreeSet, fs};

use charta_fhir::Profile;
use charta_model::TenantId;

use super::*;

/// Every key that has no default in the reference, uncommented.
fn reference_with_all_keys() -> String {
    let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line != "#";
    let lines = REFERENCE.lines().map(|line| if is_key(line) { &line[1..] } else { line });
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("public_url = \"http:", "public_url = \"https:") // as [tls] is among them
}

fn keys(text: &str) -> BTreeSet<String> {
    fn collect(prefix: &str, value: &toml::Value, keys: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    collect(&format!("{prefix}.{key}"), value, keys);
                }
            }
            toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
                items.iter().for_each(|item| collect(prefix, item, keys));
            }
            _ => {
                keys.insert(prefix.to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    collect("", &toml::Value::Table(text.parse().unwrap()), &mut found);
    found
}

fn parse(text: &str) -> Config {
    Config::parse(text, "charta.toml").unwrap()
}

fn named(config: Config) -> Config {
    Config { name: "charta.toml".to_owned(), ..config }
}

#[test]
fn the_reference_has_the_defaults_of_the_code() {
    assert_eq!(parse(REFERENCE), named(Config::standard()));
}

#[test]
fn the_reference_has_every_key() {
    let config = parse(&reference_with_all_keys());
    assert!(
        config.ops_listen.is_some() && !config.issuers.is_empty() && config.authorization_server.is_some()
    );
    assert_eq!(keys(&reference_with_all_keys()), keys(&config.to_toml()));
}

#[test]
fn an_empty_file_is_the_built_in_configuration() {
    assert_eq!(parse(""), named(Config::standard()));
}

#[test]
fn the_effective_configuration_parses_back_to_the_same() {
    for config in [Config::standard(), Config::demo(), parse(&reference_with_all_keys())] {
        config.check().unwrap();
        assert_eq!(parse(&config.to_toml()), named(config));
    }
}

#[test]
fn the_largest_values_parse_back_to_the_same() {
    let text = "[limits]\ndocument_bytes = 9223372036854775807\nbody_bytes_per_second_min = 0";
    let config = parse(text);
    assert_eq!(config.limits.document_bytes, i64::MAX as u64);
    assert_eq!(parse(&config.to_toml()), config);
}

#[test]
fn an_endpoint_is_secured_read_only_and_lenient_unless_it_says_otherwise() {
    let config = parse("[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"");
    let [endpoint] = &config.endpoints[..] else { panic!("one endpoint") };
    assert_eq!(endpoint.auth, Auth::Smart);
    assert_eq!(endpoint.profile, Profile::Standard);
    assert_eq!(endpoint.tenant, EndpointTenant::Fixed(TenantId::new("default").unwrap()));
    assert!(!endpoint.writable && !endpoint.strict);
}

#[test]
fn the_only_tenant_is_that_of_endpoints_that_name_none() {
    let config = parse("[[tenant]]\nid = \"north\"");
    let north = EndpointTenant::Fixed(TenantId::new("north").unwrap());
    assert!(config.endpoints.iter().all(|endpoint| endpoint.tenant == north));
}

#[test]
fn the_public_url_follows_the_address_unless_it_is_set() {
    let mut config = parse("listen = \"127.0.0.1:9000\"");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:9000");
    config.set_listen("[::1]:9001".parse().unwrap());
    assert_eq!(config.public_url.as_str(), "http://[::1]:9001");

    let mut config = parse("public_url = \"https://fhir.example.org\"");
    config.set_listen("127.0.0.1:9000".parse().unwrap());
    assert_eq!(config.public_url.as_str(), "https://fhir.example.org");
}

#[test]
fn open_endpoints_are_served_to_a_network_only_when_that_is_said() {
    parse("listen = \"0.0.0.0:8080\"\nallow_open_network = true");
    parse("listen = \"0.0.0.0:8080\"\n[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"");
    for loopback in ["127.0.0.2:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        parse(&format!("listen = \"{loopback}\""));
    }
    let mut config = Config::standard();
    config.set_listen("192.0.2.1:8080".parse().unwrap());
    assert_eq!(
        config.check().unwrap_err().to_string(),
        "built-in configuration: listen: 192.0.2.1:8080 is not loopback, and endpoint /dstu2 is open to \
         everybody; if that is meant, set allow_open_network = true"
    );
}

#[test]
fn one_endpoint_path_may_begin_with_another() {
    let endpoint = |path: &str| format!("[[endpoint]]\npath = \"{path}\"\nfhir = \"R4\"\n");
    parse(&["/r4", "/r4/inner", "/m/{tenant}", "/m/r4/{tenant}"].map(endpoint).concat());
}

#[test]
fn the_demo_has_the_endpoints_of_the_source_systems() {
    let demo = Config::demo();
    let paths: Vec<_> = demo.endpoints.iter().map(|e| format!("{} {:?}", e.full_path(), e.auth)).collect();
    assert_eq!(
        paths,
        [
            "/dstu2 Open",
            "/stu3 Open",
            "/r4 Open",
            "/r4b Open",
            "/r5 Open",
            "/millennium/open/r4/{tenant} Open",
            "/millennium/open/dstu2/{tenant} Open",
            "/millennium/ehr/r4/{tenant} Smart",
            "/millennium/ehr/dstu2/{tenant} Smart",
            "/soarian/open/r4/{tenant} Open",
            "/soarian/myrecord/r4/{tenant} Smart",
            "/ccri/STU3 Open",
            "/ccri/secure/STU3 Smart",
        ]
    );
    assert!(demo.endpoints.iter().all(|e| e.writable == (e.profile == Profile::Standard)));
}

#[test]
fn paths_in_a_file_start_at_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("charta.toml");
    fs::write(folder.path().join("jwks.json"), "{}").unwrap();
    let issuer = "[[issuer]]\nurl = \"https://a.example\"\njwks = \"jwks.json\"";
    fs::write(&file, format!("data_dir = \"data\"\n{issuer}")).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.data_dir, folder.path().join("data"));
    assert_eq!(config.issuers[0].jwks, Some(Jwks::File(folder.path().join("jwks.json"))));

    fs::write(&file, "").unwrap();
    assert_eq!(Config::load(&file).unwrap().data_dir, folder.path().join("charta-data"));

    fs::write(&file, "data_dir = \"/srv/charta\"").unwrap();
    assert_eq!(Config::load(&file).unwrap().data_dir, Path::new("/srv/charta"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("charta.toml");
    let message = Config::load(&file).unwrap_err().to_string();
    assert_eq!(
        message,
        format!("{}: cannot be read: No such file or directory (os error 2)", file.display())
    );

    fs::write(&file, "\n[[issuer]]\nurl = \"https://a.example\"\njwks = \"jwks.json\"").unwrap();
    let message = Config::load(&file).unwrap_err().to_string();
    let jwks = folder.path().join("jwks.json");
    let expected = format!("{}:4: issuer.jwks: {} cannot be read: ", file.display(), jwks.display());
    assert!(message.starts_with(&expected), "{message}");
}

/// What is wrong with `text`: line, key and problem, without the name of the file.
fn refusal(text: &str) -> String {
    let message = Config::parse(text, "charta.toml").expect_err(text).to_string();
    assert!(!message.contains('\n'), "{message}");
    message.strip_prefix("charta.toml:").expect(&message).trim_start().to_owned()
}

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(refusal(text), *expected, "{text}");
    }
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    check(&[
        ("listen = \"127.0.0.1:1\"\nlisten", "2: key with no value, expected `=`"),
        ("log = \"a\"\nlog = \"b\"", "2: log: duplicate key"),
        ("\n\n[limits", "3: unclosed table, expected `]`"),
    ]);
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    check(&[
        (
            "\nlisten_on = 1",
            "2: listen_on: unknown key, expected one of `listen`, `ops_listen`, `public_url`, `hosts`, `trusted_proxies`, `proxy_header`, `data_dir`, `shutdown_seconds`, `worker_threads`, `log`, `allow_open_network`, `limits`, `audit`, `store`, `tls`, `tenant`, `issuer`, `authorization_server`, `confidentiality`, `endpoint`",
        ),
        (
            "[limits]\n\ndocument_size = 1",
            "3: limits.document_size: unknown key, expected one of `document_bytes`, `resource_bytes`, `header_bytes`, `header_seconds`, `body_idle_seconds`, `body_bytes_per_second_min`, `write_idle_seconds`, `connections`, `client_connections`, `client_requests_parallel`, `client_requests_per_second`, `client_requests_burst`",
        ),
        (
            "[store]\nkind = 1",
            "2: store.kind: unknown key, expected one of `catalog`, `content`, `cache_bytes`",
        ),
        ("[tls]\ncert = \"a\"", "2: tls.cert: unknown key, expected `certificate` or `key`"),
        (
            "[[tenant]]\nid = \"a\"\nname = \"b\"",
            "3: tenant.name: unknown key, expected `id` or `organization`",
        ),
        (
            "[[issuer]]\nurl = \"https://a.example\"\njwks = \"a\"\nsecret = \"b\"",
            "4: issuer.secret: unknown key, expected one of `url`, `jwks`, `development`, `introspection`, `client_id`, `client_secret`, `audience`, `algorithms`, `tenants`, `authorization_endpoint`, `token_endpoint`, `revocation_endpoint`, `registration_endpoint`, `management_endpoint`, `grant_types`, `auth_methods`, `capabilities`",
        ),
        (
            "[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\n[[endpoint]]\npath = \"/r5\"\nversion = \"R5\"",
            "6: endpoint.version: unknown key, expected one of `path`, `fhir`, `profile`, `auth`, `tenant`, `writable`, `negotiation`",
        ),
        (
            "[metrics]\nlisten = 1",
            "1: metrics: unknown key, expected one of `listen`, `ops_listen`, `public_url`, `hosts`, `trusted_proxies`, `proxy_header`, `data_dir`, `shutdown_seconds`, `worker_threads`, `log`, `allow_open_network`, `limits`, `audit`, `store`, `tls`, `tenant`, `issuer`, `authorization_server`, `confidentiality`, `endpoint`",
        ),
    ]);
}

#[test]
fn missing_keys_are_refused() {
    check(&[
        ("[[tenant]]", "1: tenant.id: missing"),
        ("[[endpoint]]\nfhir = \"R4\"", "1: endpoint.path: missing"),
        (
            "[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\n[[endpoint]]\npath = \"/r5\"",
            "4: endpoint.fhir: missing",
        ),
        (
            "[[issuer]]\nurl = \"http://a.example\"",
            "1: issuer.jwks: missing; http://a.example is not an https URL, nor an http URL of this machine, to be asked for them",
        ),
        ("[[issuer]]\njwks = \"a\"", "1: issuer.url: missing"),
        (
            "[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"b\"",
            "endpoint: missing, as no tenant is called default",
        ),
        (
            "[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"b\"\n[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"",
            "5: endpoint.tenant: missing, as no tenant is called default",
        ),
    ]);
}

#[test]
fn values_of_another_kind_are_refused() {
    check(&[
        ("listen = 8080", "1: listen: invalid type: integer `8080`, expected a string"),
        (
            "listen = \"localhost:8080\"",
            "1: listen: \"localhost:8080\" is not an IP address with a port, such as 127.0.0.1:8080",
        ),
        (
            "ops_listen = \"9090\"",
            "1: ops_listen: \"9090\" is not an IP address with a port, such as 127.0.0.1:8080",
        ),
        (
            "[limits]\nconnections = 99999999999999999999",
            "2: limits.connections: invalid type: integer `99999999999999999999`, expected a whole number, not negative",
        ),
        ("tenant = [\"default\"]", "1: tenant: invalid type: string \"default\", expected a table"),
        (
            "public_url = \"http://host/fhir\"",
            "1: public_url: not an origin: http:// or https://, a host and at most a port, no path, no slash at the end",
        ),
        ("data_dir = \"\"", "1: data_dir: empty"),
        (
            "shutdown_seconds = -1",
            "1: shutdown_seconds: invalid value: integer `-1`, expected a whole number, not negative",
        ),
        ("shutdown_seconds = 100000", "1: shutdown_seconds: 100000 is not from 0 to 86400"),
        ("worker_threads = 4096", "1: worker_threads: 4096 is not from 0 to 1024"),
        (
            "log = \"info,charta=loud\"",
            "1: log: \"info,charta=loud\": error parsing level filter: expected one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\", or a number 0-5",
        ),
        (
            "allow_open_network = \"yes\"",
            "1: allow_open_network: invalid type: string \"yes\", expected true or false",
        ),
        ("[limits]\ndocument_bytes = 0", "2: limits.document_bytes: 0 is not from 1 to 9223372036854775807"),
        (
            "[limits]\ndocument_bytes = 1.5",
            "2: limits.document_bytes: invalid type: floating point `1.5`, expected a whole number, not negative",
        ),
        ("[limits]\nresource_bytes = 0", "2: limits.resource_bytes: 0 is not from 1 to 9223372036854775807"),
        ("[limits]\nheader_bytes = 4096", "2: limits.header_bytes: 4096 is not from 8192 to 1048576"),
        ("[limits]\nheader_seconds = 0", "2: limits.header_seconds: 0 is not from 1 to 86400"),
        ("[limits]\nbody_idle_seconds = 0", "2: limits.body_idle_seconds: 0 is not from 1 to 86400"),
        ("[limits]\nwrite_idle_seconds = 0", "2: limits.write_idle_seconds: 0 is not from 1 to 86400"),
        ("[limits]\nconnections = 0", "2: limits.connections: 0 is not from 1 to 1000000"),
        ("limits = 1", "1: limits: invalid type: integer `1`, expected a table"),
        ("tenant = []", "1: tenant: an empty list; leave it out for the tenant \"default\""),
        (
            "[[tenant]]\nid = \"a_b\"",
            "2: tenant.id: \"a_b\": an id has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'",
        ),
        ("endpoint = []", "1: endpoint: an empty list; leave it out for the standard endpoints"),
        ("endpoint = [\n1]", "2: endpoint: invalid type: integer `1`, expected a table"),
        (
            "[[endpoint]]\npath = \"/r6\"\nfhir = \"R6\"",
            "3: endpoint.fhir: unknown value `R6`, expected one of `DSTU2`, `STU3`, `R4`, `R4B`, `R5`",
        ),
        (
            "[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\nprofile = \"epic\"",
            "4: endpoint.profile: unknown value `epic`, expected one of `standard`, `millennium`, `soarian`, `care-connect`",
        ),
        (
            "[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\nauth = \"none\"",
            "4: endpoint.auth: unknown value `none`, expected `smart` or `open`",
        ),
        (
            "[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\nnegotiation = \"strikt\"",
            "4: endpoint.negotiation: unknown value `strikt`, expected `lenient` or `strict`",
        ),
    ]);
}

#[test]
fn with_tls_the_public_url_is_https() {
    let tls = "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"";
    let mut config = parse(&format!("listen = \"127.0.0.1:0\"\n{tls}"));
    config.set_listen("127.0.0.1:8443".parse().unwrap());
    assert_eq!(config.public_url.as_str(), "https://127.0.0.1:8443");
    let contradiction = format!("public_url = \"http://a.example\"\n{tls}");
    check(&[
        (&contradiction[..], "1: public_url: http://a.example is not https, but [tls] is set"),
        ("[tls]\ncertificate = \"cert.pem\"", "1: tls.key: missing"),
        ("[tls]\ncertificate = \"cert.pem\"\nkey = \"\"", "3: tls.key: empty; a file in PEM is needed"),
    ]);
}

#[test]
fn hosts_are_names_without_port() {
    assert_eq!(parse("hosts = [\"charta.intern\", \"c2\"]").hosts, ["charta.intern", "c2"]);
    check(&[
        (
            "hosts = [\"charta.intern:8080\"]",
            "1: hosts: \"charta.intern:8080\": not the name of a host, without port",
        ),
        ("hosts = [\"\"]", "1: hosts: \"\": not the name of a host, without port"),
        ("hosts = [\"*\"]", "1: hosts: \"*\": not the name of a host, without port"),
    ]);
}

#[test]
fn proxies_are_networks_and_write_one_of_two_headers() {
    let config = parse("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nproxy_header = \"Forwarded\"");
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.proxy_header, ProxyHeader::Forwarded);
    check(&[
        (
            "trusted_proxies = [\"proxy\"]",
            "1: trusted_proxies: \"proxy\": not a network such as 10.0.0.0/8 or fd00::/8, nor an address",
        ),
        (
            "proxy_header = \"X-Real-IP\"",
            "1: proxy_header: unknown value `X-Real-IP`, expected `X-Forwarded-For` or `Forwarded`",
        ),
    ]);
}

#[test]
fn the_catalog_is_in_sqlite_or_in_postgres() {
    let config =
        Config::parse("[store]\ncatalog = \"postgres://app@db.example.org/charta\"", "test").unwrap();
    let CatalogBackend::Postgres(url) = &config.store.catalog else { panic!("{:?}", config.store) };
    assert_eq!(url.to_string(), "postgres://app@db.example.org/charta");
    assert_eq!(Config::parse(&config.to_toml(), "test").unwrap().store, config.store);
    check(&[
        (
            "[store]\ncatalog = \"mysql://user:secret@host/db\"",
            "2: store.catalog: neither \"sqlite\" nor a database's URL, postgres://user@host/database",
        ),
        (
            "[store]\ncatalog = \"postgres://user:secret@host/db?sslmode=prefer\"",
            "2: store.catalog: neither \"sqlite\" nor a database's URL with one of disable, require and verify-full \
             as its sslmode",
        ),
    ]);
}

#[test]
fn a_password_is_shown_nowhere() {
    let config = Config::parse("[store]\ncatalog = \"postgres://app:secret@host/db\"", "test").unwrap();
    assert!(!config.to_toml().contains("secret") && config.to_toml().contains("postgres://app@host/db"));
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn content_is_in_files_or_in_a_bucket() {
    const BUCKET: &str = "[store]\ncontent = \"s3://bucket/prefix\"";
    let config = Config::parse(BUCKET, "test").unwrap();
    assert_eq!(config.store.content, ContentBackend::S3("s3://bucket/prefix".into()));
    assert_eq!(Config::parse(&config.to_toml(), "test").unwrap().store, config.store);
    let form = "2: store.content: not of the form s3://bucket or s3://bucket/prefix, nor \"files\"";
    check(&[
        ("[store]\ncontent = \"bucket\"", form),
        ("[store]\ncontent = \"s3://key:secret@bucket\"", form),
        (
            &format!("[limits]\ndocument_bytes = 100000000000\n{BUCKET}"),
            "2: limits.document_bytes: more than the 83000000000 that go into one object of S3",
        ),
    ]);
}

#[test]
fn addresses_that_contradict_are_refused() {
    check(&[
        (
            "ops_listen = \"127.0.0.1:8080\"",
            "1: ops_listen: 127.0.0.1:8080 cannot be had beside listen, 127.0.0.1:8080",
        ),
        (
            "ops_listen = \"0.0.0.0:8080\"",
            "1: ops_listen: 0.0.0.0:8080 cannot be had beside listen, 127.0.0.1:8080",
        ),
        (
            "listen = \"0.0.0.0:8080\"",
            "1: listen: 0.0.0.0:8080 is not loopback, and endpoint /dstu2 is open to everybody; if that is meant, set allow_open_network = true",
        ),
    ]);
}

#[test]
fn monitoring_may_listen_on_the_network() {
    let config = Config::parse("ops_listen = \"0.0.0.0:9090\"", "charta.toml").unwrap();
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn issuers_that_contradict_are_refused() {
    let issuer = |rest: &str| format!("[[issuer]]\nurl = \"https://a.example\"\njwks = \"a\"\n{rest}\n");
    check(&[
        (
            "[[issuer]]\nurl = \"a.example\"\njwks = \"a\"",
            "2: issuer.url: \"a.example\" is not an https or http URL",
        ),
        (
            "[[issuer]]\nurl = \"https://a.example\"\njwks = \"\"",
            "3: issuer.jwks: empty; a file or an https URL is needed",
        ),
        (
            "[[issuer]]\nurl = \"https://a.example\"\njwks = \"http://a.example/jwks\"",
            "3: issuer.jwks: \"http://a.example/jwks\" is neither a file nor an https URL, nor an http URL of this machine",
        ),
        (&issuer("").repeat(2), "6: issuer.url: https://a.example is there twice"),
        (&issuer("audience = []"), "4: issuer.audience: an empty list; leave the key out for the default"),
        (&issuer("audience = [\"\"]"), "4: issuer.audience: \"\" is not a URL or name"),
        (
            &issuer("algorithms = []"),
            "4: issuer.algorithms: an empty list; leave the key out for the default",
        ),
        (
            &issuer("algorithms = [\"RS256\", \"HS256\"]"),
            "4: issuer.algorithms: unknown value `HS256`, expected one of `RS256`, `RS384`, `ES256`, `ES384`",
        ),
        (&issuer("tenants = []"), "4: issuer.tenants: an empty list; leave the key out for the default"),
        (
            "[[issuer]]\nurl = \"urn:charta:development\"\njwks = \"a\"",
            "2: issuer.url: urn:charta:development is the development key's; set development = true",
        ),
        (
            "[[issuer]]\ndevelopment = true\njwks = \"a\"",
            "3: issuer.jwks: not beside development, which has its own key",
        ),
        (
            "[[issuer]]\ndevelopment = true\n[[issuer]]\nurl = \"https://a.example\"\ndevelopment = true",
            "5: issuer.development: there is one development key, for one issuer",
        ),
        (
            &issuer("introspection = \"https://a.example/i\"\nclient_secret = \"b\""),
            "1: issuer.client_id: missing; introspection is asked as a client",
        ),
        (
            &issuer("client_id = \"charta\""),
            "1: issuer.introspection: missing; client_id and client_secret are for it",
        ),
        (
            &issuer("introspection = \"http://a.example/i\"\nclient_id = \"c\"\nclient_secret = \"b\""),
            "4: issuer.introspection: \"http://a.example/i\" is neither an https URL, nor an http URL of this machine",
        ),
        (
            &issuer("token_endpoint = \"/token\""),
            "4: issuer.token_endpoint: \"/token\" is not an https or http URL",
        ),
        (&issuer("tenants = [\"north\"]"), "4: issuer.tenants: no [[tenant]] has the id north"),
    ]);
}

#[test]
fn clients_that_contradict_are_refused() {
    let client = |rest: &str| {
        let server =
            "[[issuer]]\ndevelopment = true\n[authorization_server]\n[[authorization_server.client]]";
        format!("{server}\nid = \"a\"\nscope = \"user/*.rs\"\n{rest}\n")
    };
    let again = "[[authorization_server.client]]\nid = \"a\"\nscope = \"b\"\njwks = \"c\"";
    check(&[
        (
            "[authorization_server]",
            "1: authorization_server: its tokens count nowhere: no [[issuer]] has development = true",
        ),
        (&client(""), "4: authorization_server.client: neither jwks nor redirect_uris: of no use"),
        (
            &client("jwks = \"http://a.example/jwks\""),
            "7: authorization_server.client.jwks: \"http://a.example/jwks\" is neither a file nor an https URL, nor an http URL of this machine",
        ),
        (
            &client("redirect_uris = [\"/callback\"]"),
            "7: authorization_server.client.redirect_uris: \"/callback\" is not an absolute URL without fragment",
        ),
        (
            &client("redirect_uris = [\"https://a.example/#x\"]"),
            "7: authorization_server.client.redirect_uris: \"https://a.example/#x\" is not an absolute URL without fragment",
        ),
        (
            &client("redirect_uris = [\"javascript:alert(1)\"]"),
            "7: authorization_server.client.redirect_uris: \"javascript:alert(1)\" is not an absolute URL without fragment",
        ),
        (&client(&format!("jwks = \"b\"\n{again}")), "9: authorization_server.client.id: a is there twice"),
        (
            "[[issuer]]\ndevelopment = true\n[authorization_server]\n[[authorization_server.client]]\nid = \"a\"",
            "4: authorization_server.client.scope: missing",
        ),
    ]);
}

#[test]
fn tenants_that_contradict_are_refused() {
    check(&[
        ("[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"a\"", "4: tenant.id: a is there twice"),
        (
            "[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\ntenant = \"north\"",
            "4: endpoint.tenant: no [[tenant]] has the id north",
        ),
        (
            "[[endpoint]]\npath = \"/r4/{tenant}\"\nfhir = \"R4\"\ntenant = \"default\"",
            "4: endpoint.tenant: /r4/{tenant} names the tenant already",
        ),
    ]);
}

#[test]
fn paths_that_no_endpoint_can_have_are_refused() {
    for (path, expected) in [
        ("", "a segment of its own is needed"),
        ("/", "a segment of its own is needed"),
        ("r4", "it must begin with a slash"),
        ("/r4/", "it must not end with a slash"),
        ("/a//b", "segments are neither empty nor \".\" nor \"..\""),
        ("/a/../b", "segments are neither empty nor \".\" nor \"..\""),
        ("/a b", "segments have characters out of A-Z, a-z, 0-9, '-', '.', '_' and '~'"),
        ("/a%20b", "segments have characters out of A-Z, a-z, 0-9, '-', '.', '_' and '~'"),
        ("/ä", "segments have characters out of A-Z, a-z, 0-9, '-', '.', '_' and '~'"),
        ("/r4?x", "segments have characters out of A-Z, a-z, 0-9, '-', '.', '_' and '~'"),
        ("/{tenant}", "a segment of its own is needed"),
        ("/{tenant}/r4", "only /{tenant} at the end is replaced"),
        ("/r4/{tenant}/", "only /{tenant} at the end is replaced"),
        ("/r4{tenant}", "only /{tenant} at the end is replaced"),
        ("/r4/{tenant}/{tenant}", "only /{tenant} at the end is replaced"),
        ("/r4/{patient}", "only /{tenant} at the end is replaced"),
        ("/health", "/health is the server's own"),
        ("/health/r4", "/health is the server's own"),
        ("/metrics/{tenant}", "/metrics is the server's own"),
        ("/.well-known", "/.well-known is the server's own"),
    ] {
        let text = format!("[[endpoint]]\nfhir = \"R4\"\npath = \"{path}\"");
        check(&[(&text, &format!("3: endpoint.path: {path:?}: {expected}"))]);
    }
    parse("[[endpoint]]\npath = \"/healthy\"\nfhir = \"R4\"");
}

#[test]
fn endpoints_that_contradict_are_refused() {
    let two = |one: &str, other: &str| {
        format!(
            "[[endpoint]]\npath = \"{one}\"\nfhir = \"R4\"\n[[endpoint]]\npath = \"{other}\"\nfhir = \"R5\""
        )
    };
    check(&[
        (&two("/r4", "/r4"), "5: endpoint.path: /r4 is there twice"),
        (&two("/r4/{tenant}", "/r4/{tenant}"), "5: endpoint.path: /r4/{tenant} is there twice"),
        (&two("/r4", "/r4/{tenant}"), "5: endpoint.path: /r4/{tenant} and /r4 are ambiguous"),
        (
            &two("/r4/default", "/r4/{tenant}"),
            "5: endpoint.path: /r4/{tenant} and /r4/default are ambiguous for tenant default",
        ),
        (
            &two("/m/{tenant}", "/m/default/{tenant}"),
            "5: endpoint.path: /m/default/{tenant} and /m/{tenant} are ambiguous for tenant default",
        ),
    ]);
    let profile =
        |profile: &str, rest: &str| format!("[[endpoint]]\npath = \"/a\"\nprofile = \"{profile}\"\n{rest}");
    check(&[
        (
            &profile("millennium", "fhir = \"STU3\""),
            "4: endpoint.fhir: STU3 is not a version of profile millennium, which has DSTU2 and R4",
        ),
        (
            &profile("soarian", "fhir = \"DSTU2\""),
            "4: endpoint.fhir: DSTU2 is not a version of profile soarian, which has R4",
        ),
        (
            &profile("care-connect", "fhir = \"R4\""),
            "4: endpoint.fhir: R4 is not a version of profile care-connect, which has STU3",
        ),
        (
            &profile("soarian", "fhir = \"R4\"\nwritable = true"),
            "5: endpoint.writable: profile soarian is read-only",
        ),
        (
            &profile("care-connect", "fhir = \"STU3\"\nwritable = true"),
            "5: endpoint.writable: profile care-connect is read-only",
        ),
    ]);
}
