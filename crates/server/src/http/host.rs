//! Whether a request calls this server by one of its names. A page in a browser can give a name of its own this
//! machine's address (DNS rebinding, row 31) and then reads what an open endpoint on loopback serves as if it were
//! its own site; the browser still says in `Host` which name it called.

use http::{HeaderMap, Uri, header};

use crate::config::Config;

/// Whether the name is an address, `localhost`, that of `public_url` or one of `hosts`. A server that listens for
/// other machines is found under any name, and a request without a name comes from no browser.
///
/// Clause: RFC 9110 7.2
pub fn is_own(config: &Config, uri: &Uri, headers: &HeaderMap) -> bool {
    if !config.listen.ip().to_canonical().is_loopback() {
        return true;
    }
    // Of HTTP/2 the URL has it.
    let mut called = headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or("?"));
    uri.authority().is_none_or(|authority| is_name(config, authority.as_str()))
        && called.all(|authority| is_name(config, authority))
}

fn is_name(config: &Config, authority: &str) -> bool {
    let host = host(authority);
    let is = |name: &str| host.eq_ignore_ascii_case(name);
    // Every name below it is this machine, too.
    let is_local = |(below, top): (&str, &str)| !below.is_empty() && top.eq_ignore_ascii_case("localhost");
    is_address(host)
        || is("localhost")
        || host.rsplit_once('.').is_some_and(is_local)
        || is(self::host(config.public_url.authority()))
        || config.hosts.iter().any(|name| is(name))
}

/// Without port and the dot at the end.
fn host(authority: &str) -> &str {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let host = authority[end..].find(':').map_or(authority, |colon| &authority[..end + colon]);
    host.strip_suffix('.').unwrap_or(host)
}

fn is_address(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::Origin;

    fn config(listen: &str) -> Config {
        Config {
            listen: listen.parse::<SocketAddr>().unwrap(),
            public_url: Origin::new("https://documents.example.org").unwrap(),
            hosts: vec!["charta.intern".into()],
            ..Config::standard()
        }
    }

    fn owns(config: &Config, uri: &str, hosts: &[&str]) -> bool {
        let hosts = hosts.iter().map(|host| (header::HOST, host.parse().unwrap()));
        is_own(config, &uri.parse().unwrap(), &hosts.collect())
    }

    #[test]
    fn a_name_is_an_address_this_machines_or_configured() {
        let config = config("127.0.0.1:8080");
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "192.0.2.7:80",
            "[::1]",
            "[::1]:8080",
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "charta.localhost:8080",
            "documents.example.org",
            "Documents.Example.Org:443",
            "documents.example.org.",
            "charta.intern:8080",
        ] {
            assert!(owns(&config, "/r4/Binary/1", &[host]), "{host}");
            assert!(owns(&config, &format!("http://{host}/r4/Binary/1"), &[]), "{host} in the URL");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "documents.example.org.evil.example",
            "example.org",
            ".localhost",
            "[::1].evil.example",
            "[evil.example]",
            "127.1.evil",
            "1.2.3",
            "",
        ] {
            assert!(!owns(&config, "/r4/Binary/1", &[host]), "{host}");
        }
        assert!(!owns(&config, "http://evil.example/r4/Binary/1", &["localhost"]), "both must be");
        assert!(!owns(&config, "http://localhost/r4/Binary/1", &["evil.example"]), "both must be");
        assert!(!owns(&config, "/r4/Binary/1", &["localhost", "evil.example"]), "all must be");
        assert!(owns(&config, "/r4/Binary/1", &[]), "no browser");
    }

    #[test]
    fn who_listens_for_other_machines_has_any_name() {
        assert!(owns(&config("0.0.0.0:8080"), "/r4/Binary/1", &["evil.example"]));
        assert!(!owns(&config("[::1]:8080"), "/r4/Binary/1", &["evil.example"]));
    }
}
