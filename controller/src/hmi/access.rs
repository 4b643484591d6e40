//! Who may command: panel addresses, and only the screens' own pages.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use ipnet::IpNet;
use line_model::signal::{Command, Deed};
use std::net::IpAddr;

/// Whether the address is a panel. IPv4 addresses that arrive mapped into IPv6 count as IPv4.
pub(super) fn is_panel(panel: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    panel.iter().any(|net| net.contains(&address))
}

/// Whether a command needs a panel: all that may lead to motion or hide an alarm. Stop, hold, running
/// empty and saying that an alarm was seen work everywhere.
pub(super) const fn needs_panel(command: Command) -> bool {
    match command {
        Command::Stop
        | Command::Hold
        | Command::Abort
        | Command::Complete
        | Command::Acknowledge { .. } => false,
        Command::Reset
        | Command::Start
        | Command::Clear
        | Command::SetMode(_)
        | Command::Shelve { .. }
        | Command::Unshelve { .. }
        | Command::Jog { .. }
        | Command::Resolve { .. } => true,
    }
}

/// Whether a deed needs a panel: all that may send parcels where hands may be. The rest is done on
/// the devices of those who work at the chutes.
pub(super) const fn deed_needs_panel(deed: &Deed) -> bool {
    match deed {
        Deed::Unlock { .. } | Deed::PutBack { .. } => true,
        Deed::Lock { .. }
        | Deed::TakeOut { .. }
        | Deed::BindBag { .. }
        | Deed::CloseBag { .. }
        | Deed::PutByHand { .. }
        | Deed::Missorted { .. }
        | Deed::Fallen { .. } => false,
    }
}

/// Whether the request comes from a page of this very server.
///
/// `Origin` must be `http://` or `https://` and the host asked for, and that host must be an
/// address or a local name: a public name could be pointed at this machine by another site, whose
/// page would then carry a fitting origin (DNS rebinding).
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let (Some(host), Some(origin)) = (text(headers, &HOST), text(headers, &ORIGIN)) else {
        return false;
    };
    let bare = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    bare.is_some_and(|bare| bare.eq_ignore_ascii_case(host)) && is_local_name(host)
}

fn text<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    // A second value means that someone joined two requests' heads: neither is believed.
    if values.next().is_some() { None } else { Some(value) }
}

fn is_local_name(host: &str) -> bool {
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else {
        return false;
    };
    let name = authority.host();
    let literal = name.trim_start_matches('[').trim_end_matches(']');
    literal.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || name.ends_with(".local")
        || name.ends_with(".lan")
        || name.ends_with(".internal")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(host: &str, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        headers
    }

    #[test]
    fn only_the_own_origin_on_a_local_name_passes() {
        let allowed = [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("localhost:80", "http://localhost:80"),
            ("line-1.local", "https://line-1.local"),
        ];
        for (host, origin) in allowed {
            assert!(same_origin(&headers(host, origin)), "{origin} on {host}");
        }
        let refused = [
            ("127.0.0.1:8080", "http://127.0.0.1:8081"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080.evil.example"),
            ("evil.example", "http://evil.example"),
            ("127.0.0.1:8080", "null"),
            ("127.0.0.1:8080", "ftp://127.0.0.1:8080"),
            ("a b", "http://a b"),
        ];
        for (host, origin) in refused {
            assert!(!same_origin(&headers(host, origin)), "{origin} on {host}");
        }
        let mut twice = headers("127.0.0.1", "http://127.0.0.1");
        twice.append(ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert!(!same_origin(&twice));
        assert!(!same_origin(&HeaderMap::new()));
    }

    #[test]
    fn mapped_addresses_count_as_their_own() {
        let panel = vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (address, expected) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("fd00::7", true),
            ("::1", false),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_panel(&panel, address.parse().unwrap()), expected, "{address}");
        }
    }
}
