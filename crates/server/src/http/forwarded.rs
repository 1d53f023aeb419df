//! For whom a proxy calls. Only proxies that the configuration trusts are believed, only in the header
//! that it names, and only for the client's address: it counts for limits. Host and scheme are never
//! taken from a request; `public_url` says what links begin with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderName};

use crate::config::{Network, ProxyHeader};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client behind the connection from `peer`.
///
/// Each proxy appends the address that it was called from, so the list is read from its end, as long as
/// whoever wrote an entry is trusted; what stands before may be made up. An entry that is no address ends
/// the reading.
///
/// Clause: RFC 7239 5.2
pub fn client(trusted: &[Network], header: ProxyHeader, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match header {
        ProxyHeader::XForwardedFor => (&X_FORWARDED_FOR, node),
        ProxyHeader::Forwarded => (&http::header::FORWARDED, element),
    };
    let lines: Vec<&str> =
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = read(entry) else { break };
        client = address;
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// The address in `for=` of one element of `Forwarded`.
fn element(text: &str) -> Option<IpAddr> {
    let pairs = text.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    node(named.next()?.1)
}

/// An address with or without port, quotes and the brackets of IPv6.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let address = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0.parse::<Ipv6Addr>().ok()?.into(),
        None => match text.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) => text.rsplit_once(':')?.0.parse::<Ipv4Addr>().ok()?.into(),
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: ProxyHeader, peer: &str, lines: &[&str], expected: &str) {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        let name = match header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().unwrap());
        }
        let found = client(&trusted, header, peer.parse().unwrap(), &headers);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{header:?} from {peer}: {lines:?}");
    }

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_the_client() {
        use ProxyHeader::XForwardedFor as Header;
        check(Header, "10.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check(Header, "::ffff:10.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check(Header, "10.0.0.1", &["192.0.2.1, 10.0.0.2"], "192.0.2.1");
        check(Header, "10.0.0.1", &["192.0.2.1", "198.51.100.7, 10.0.0.2"], "198.51.100.7");
        check(Header, "10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1");
        check(Header, "10.0.0.1", &["2001:db8::1"], "2001:db8::1");
        check(Header, "fd00::1", &["[2001:db8::1]:4711"], "2001:db8::1");
        check(Header, "10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
        check(Header, "10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn what_a_client_wrote_itself_does_not_count() {
        use ProxyHeader::XForwardedFor as Header;
        check(Header, "192.0.2.1", &["198.51.100.7"], "192.0.2.1");
        check(Header, "192.0.2.1", &["10.0.0.1"], "192.0.2.1");
        check(Header, "10.0.0.1", &["198.51.100.7, 192.0.2.1"], "192.0.2.1");
        check(Header, "10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1");
        check(Header, "10.0.0.1", &["198.51.100.7, , 10.0.0.2"], "10.0.0.2");
    }

    #[test]
    fn forwarded_is_read_where_the_proxy_writes_it() {
        use ProxyHeader::Forwarded as Header;
        check(Header, "10.0.0.1", &["for=192.0.2.1;proto=https;host=evil.example"], "192.0.2.1");
        check(Header, "10.0.0.1", &["proto=https; For=\"[2001:db8::1]:4711\""], "2001:db8::1");
        check(Header, "10.0.0.1", &["for=198.51.100.7, for=192.0.2.1, for=10.0.0.2"], "192.0.2.1");
        check(Header, "10.0.0.1", &["for=_hidden"], "10.0.0.1");
        // A quote that a client leaves open hides nothing that the proxy appends.
        check(Header, "10.0.0.1", &["for=\"198.51.100.7, for=192.0.2.1"], "192.0.2.1");
    }
}
