//! Origins: scheme, host and port of a URL.

use std::{
    fmt,
    net::{Ipv6Addr, SocketAddr},
};

/// Scheme, host and port, without a slash at the end; lower case, a default port left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an origin: http:// or https://, a host and at most a port, no path, no slash at the end")]
pub struct InvalidOrigin;

impl Origin {
    /// # Errors
    /// If `text` is not `http://` or `https://` with a host, at most a port, and nothing else.
    pub fn new(text: &str) -> Result<Self, InvalidOrigin> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = split_port(authority)?;
        if !is_host(host) {
            return Err(InvalidOrigin);
        }
        Ok(Self(match port {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }

    /// The origin of a server at this address that has no proxy in front. `tls`: whether it speaks it.
    #[must_use]
    pub fn of_address(tls: bool, address: SocketAddr) -> Self {
        let (scheme, default_port) = if tls { ("https", 443) } else { ("http", 80) };
        let host = match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        Self(match address.port() {
            port if port == default_port => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        })
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or(&*self.0, |(_, authority)| authority)
    }

    /// The origin as it begins a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), InvalidOrigin> {
    // The colons of an IPv6 address stand before its bracket.
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority[host_end..].find(':').map(|at| host_end + at) else {
        return Ok((authority, None));
    };
    let digits = &authority[colon + 1..];
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidOrigin); // a sign would parse
    }
    let port = digits.parse().map_err(|_| InvalidOrigin)?;
    Ok((&authority[..colon], Some(port)))
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_scheme_host_and_perhaps_port() {
        for (text, expected) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://fhir.example.org", "https://fhir.example.org"),
            ("HTTPS://FHIR.Example.org:443", "https://fhir.example.org"),
            ("http://host:443", "http://host:443"),
            ("http://host:80", "http://host"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://fhir_1", "http://fhir_1"),
        ] {
            assert_eq!(Origin::new(text).map(|origin| origin.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn anything_more_or_less_is_no_origin() {
        for text in [
            "",
            "host",
            "host:80",
            "http://",
            "http:///",
            "ftp://host",
            "http://host/",
            "http://host/fhir",
            "http://host?x",
            "http://host#x",
            "http://user@host",
            "http://host:",
            "http://host:+80",
            "http://host:80:80",
            "http://host:65536",
            "http://[::1",
            "http://::1",
            "http://[::1]x",
            "http://a..b",
            "http://a b",
            "http://a\nb",
        ] {
            assert_eq!(Origin::new(text), Err(InvalidOrigin), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_an_origin() {
        for (tls, address, expected) in [
            (false, "127.0.0.1:8080", "http://127.0.0.1:8080"),
            (false, "127.0.0.1:80", "http://127.0.0.1"),
            (false, "[::1]:8080", "http://[::1]:8080"),
            (true, "127.0.0.1:8443", "https://127.0.0.1:8443"),
            (true, "127.0.0.1:443", "https://127.0.0.1"),
            (true, "127.0.0.1:80", "https://127.0.0.1:80"),
        ] {
            let origin = Origin::of_address(tls, address.parse().unwrap());
            assert_eq!(origin.as_str(), expected);
            assert_eq!(Origin::new(expected), Ok(origin));
        }
    }
}
