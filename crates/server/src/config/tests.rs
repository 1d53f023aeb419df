//! Files as operators write them, and what they are told.

use std::{collections::BTreeSet, fs};

use charta_fhir::Profile;
use charta_model::TenantId;

use super::*;

/// Every key that has no default in the reference, uncommented.
fn reference_with_all_keys() -> String {
    let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line != "#";
    let lines = REFERENCE.lines().map(|line| if is_key(line) { &line[1..] } else { line });
    lines.collect::<Vec<_>>().join("\n")
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
    assert!(config.ops_listen.is_some() && !config.issuers.is_empty());
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
    let path = |path: &str| format!("[[endpoint]]\npath = \"{path}\"\nfhir = \"R4\"\n");
    parse(
        &["/r4", "/r4/inner", "/m/{tenant}", "/m/r4/{tenant}", "/r4/inner/{tenant}/x"].map(path)[..4]
            .concat(),
    );
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
    assert_eq!(config.issuers[0].jwks, Jwks::File(folder.path().join("jwks.json")));

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

/// What is wrong with `text`, without the name of the file.
fn refusal(text: &str) -> String {
    let message = Config::parse(text, "charta.toml").expect_err(text).to_string();
    assert!(!message.contains('\n'), "{message}");
    message.strip_prefix("charta.toml:").expect(&message).to_owned()
}

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(refusal(text), *expected, "{text}");
    }
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    check(&[
        ("listen = \"127.0.0.1:1\"\nlisten", "?"),
        ("log = \"a\"\nlog = \"b\"", "?"),
        ("\n\n[limits", "?"),
    ]);
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    check(&[
        ("\nlisten_on = 1", "?"),
        ("[limits]\n\ndocument_size = 1", "?"),
        ("[store]\nkind = 1", "?"),
        ("[tls]\ncert = \"a\"", "?"),
        ("[[tenant]]\nid = \"a\"\nname = \"b\"", "?"),
        ("[[issuer]]\nurl = \"https://a.example\"\njwks = \"a\"\nsecret = \"b\"", "?"),
        ("[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\n[[endpoint]]\npath = \"/r5\"\nversion = \"R5\"", "?"),
        ("[metrics]\nlisten = 1", "?"),
    ]);
}

#[test]
fn missing_keys_are_refused() {
    check(&[
        ("[[tenant]]", "?"),
        ("[[endpoint]]\nfhir = \"R4\"", "?"),
        ("[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\n[[endpoint]]\npath = \"/r5\"", "?"),
        ("[[issuer]]\nurl = \"https://a.example\"", "?"),
        ("[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"b\"", "?"),
        ("[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"b\"\n[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"", "?"),
    ]);
}

#[test]
fn values_of_another_kind_are_refused() {
    check(&[
        ("listen = 8080", "?"),
        ("listen = \"localhost:8080\"", "?"),
        ("ops_listen = \"9090\"", "?"),
        ("public_url = \"http://host/fhir\"", "?"),
        ("data_dir = \"\"", "?"),
        ("shutdown_seconds = -1", "?"),
        ("shutdown_seconds = 100000", "?"),
        ("worker_threads = 4096", "?"),
        ("log = \"info,charta=loud\"", "?"),
        ("allow_open_network = \"yes\"", "?"),
        ("[limits]\ndocument_bytes = 0", "?"),
        ("[limits]\ndocument_bytes = 1.5", "?"),
        ("[limits]\nresource_bytes = 0", "?"),
        ("[limits]\nheader_bytes = 4096", "?"),
        ("[limits]\nheader_seconds = 0", "?"),
        ("[limits]\nbody_idle_seconds = 0", "?"),
        ("[limits]\nwrite_idle_seconds = 0", "?"),
        ("[limits]\nconnections = 0", "?"),
        ("limits = 1", "?"),
        ("tenant = []", "?"),
        ("[[tenant]]\nid = \"a_b\"", "?"),
        ("endpoint = []", "?"),
        ("endpoint = [\n1]", "?"),
        ("[[endpoint]]\npath = \"/r6\"\nfhir = \"R6\"", "?"),
        ("[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\nprofile = \"epic\"", "?"),
        ("[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\nauth = \"none\"", "?"),
        ("[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\nnegotiation = \"strikt\"", "?"),
    ]);
}

#[test]
fn what_is_not_in_this_release_is_refused() {
    check(&[
        ("log = \"info\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"", "?"),
        ("[store]\ncatalog = \"postgres://user:secret@host/db\"", "?"),
        ("[store]\ncatalog = \"sqlite\"\ncontent = \"s3://bucket/prefix\"", "?"),
    ]);
}

#[test]
fn addresses_that_contradict_are_refused() {
    check(&[
        ("ops_listen = \"127.0.0.1:8080\"", "?"),
        ("ops_listen = \"0.0.0.0:8080\"", "?"),
        ("listen = \"0.0.0.0:8080\"", "?"),
        ("ops_listen = \"0.0.0.0:9090\"", "?"),
    ]);
}

#[test]
fn issuers_that_contradict_are_refused() {
    let issuer = |rest: &str| format!("[[issuer]]\nurl = \"https://a.example\"\njwks = \"a\"\n{rest}\n");
    check(&[
        ("[[issuer]]\nurl = \"a.example\"\njwks = \"a\"", "?"),
        ("[[issuer]]\nurl = \"https://a.example\"\njwks = \"\"", "?"),
        ("[[issuer]]\nurl = \"https://a.example\"\njwks = \"http://a.example/jwks\"", "?"),
        (&issuer("").repeat(2), "?"),
        (&issuer("audience = []"), "?"),
        (&issuer("audience = [\"\"]"), "?"),
        (&issuer("algorithms = []"), "?"),
        (&issuer("algorithms = [\"RS256\", \"HS256\"]"), "?"),
        (&issuer("tenants = []"), "?"),
        (&issuer("tenants = [\"north\"]"), "?"),
    ]);
}

#[test]
fn tenants_that_contradict_are_refused() {
    check(&[
        ("[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"a\"", "?"),
        ("[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"\ntenant = \"north\"", "?"),
        ("[[endpoint]]\npath = \"/r4/{tenant}\"\nfhir = \"R4\"\ntenant = \"default\"", "?"),
    ]);
}

#[test]
fn paths_that_no_endpoint_can_have_are_refused() {
    for (path, expected) in [
        ("", "?"),
        ("/", "?"),
        ("r4", "?"),
        ("/r4/", "?"),
        ("/a//b", "?"),
        ("/a/../b", "?"),
        ("/a b", "?"),
        ("/a%20b", "?"),
        ("/ä", "?"),
        ("/r4?x", "?"),
        ("/{tenant}", "?"),
        ("/{tenant}/r4", "?"),
        ("/r4/{tenant}/", "?"),
        ("/r4{tenant}", "?"),
        ("/r4/{tenant}/{tenant}", "?"),
        ("/r4/{patient}", "?"),
        ("/health", "?"),
        ("/health/r4", "?"),
        ("/metrics/{tenant}", "?"),
        ("/.well-known", "?"),
    ] {
        check(&[(&format!("[[endpoint]]\npath = \"{path}\"\nfhir = \"R4\""), expected)]);
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
        (&two("/r4", "/r4"), "?"),
        (&two("/r4/{tenant}", "/r4/{tenant}"), "?"),
        (&two("/r4", "/r4/{tenant}"), "?"),
        (&two("/r4/default", "/r4/{tenant}"), "?"),
    ]);
    let profile =
        |profile: &str, rest: &str| format!("[[endpoint]]\npath = \"/a\"\nprofile = \"{profile}\"\n{rest}");
    check(&[
        (&profile("millennium", "fhir = \"STU3\""), "?"),
        (&profile("soarian", "fhir = \"DSTU2\""), "?"),
        (&profile("care-connect", "fhir = \"R4\""), "?"),
        (&profile("millennium", "fhir = \"R4\"\nwritable = true"), "?"),
        (&profile("soarian", "fhir = \"R4\"\nwritable = true"), "?"),
        (&profile("care-connect", "fhir = \"STU3\"\nwritable = true"), "?"),
    ]);
}
