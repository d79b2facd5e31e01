//! Which proxy a request goes through.

use std::net::IpAddr;

use url::{Host, Url};

/// Proxies by the scheme of the request.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// For `http:` requests. May hold credentials: never print it.
    pub http: Option<ProxyUrl>,
    /// For `https:` requests.
    pub https: Option<ProxyUrl>,
    /// Who is reached directly.
    pub except: NoProxy,
}

/// The address of a proxy; `Debug` leaves out its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(pub Url);

impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&crate::registries::without_credentials(&self.0))
    }
}

impl Proxies {
    /// Returns the proxy for a request to `url`, if it goes through one.
    pub fn for_url(&self, url: &Url) -> Option<&Url> {
        let proxy = match url.scheme() {
            "https" => self.https.as_ref(),
            _ => self.http.as_ref(),
        }?;
        (!self.except.matches(url)).then_some(&proxy.0)
    }
}

/// Hosts that are reached without a proxy, from `NO_PROXY` or `noproxy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoProxy {
    entries: Vec<Entry>,
    text: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Everything,
    /// A host and all hosts below it, with a port where one is given.
    Domain(Box<str>, Option<u16>),
    Address(IpAddr, Option<u16>),
    /// Addresses whose first bits are those of this one.
    Network(IpAddr, u8),
}

impl NoProxy {
    /// Reads a list of hosts separated by commas or blanks: `*`, `example.com`, `.example.com`,
    /// `*.example.com`, each with `:port` if wanted, addresses, and networks (`10.0.0.0/8`).
    pub fn parse(text: &str) -> Self {
        let entries = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .filter_map(parse_entry)
            .collect();
        Self { entries, text: text.into() }
    }

    /// Returns the list as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `url` is reached without a proxy.
    pub fn matches(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let port_fits = |wanted: &Option<u16>| wanted.is_none() || *wanted == port;
        self.entries.iter().any(|entry| match (entry, url.host()) {
            (Entry::Everything, _) => true,
            (Entry::Domain(domain, wanted), Some(Host::Domain(host))) => {
                port_fits(wanted) && is_within(host, domain)
            }
            (Entry::Address(address, wanted), Some(host)) => {
                port_fits(wanted) && address_of(&host) == Some(*address)
            }
            (Entry::Network(network, bits), Some(host)) => {
                address_of(&host).is_some_and(|address| shares_prefix(address, *network, *bits))
            }
            _ => false,
        })
    }
}

fn parse_entry(entry: &str) -> Option<Entry> {
    if entry == "*" {
        return Some(Entry::Everything);
    }
    if let Some((address, bits)) = entry.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        let limit = if address.is_ipv4() { 32 } else { 128 };
        return (bits <= limit).then_some(Entry::Network(address, bits));
    }
    if let Ok(address) = entry.trim_matches(['[', ']']).parse() {
        return Some(Entry::Address(address, None));
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (entry, None),
    };
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Some(Entry::Address(address, port));
    }
    let host = host.strip_prefix('*').unwrap_or(host);
    let host = host.trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty()).then(|| Entry::Domain(host.into(), port))
}

/// Whether `host` is `domain` or below it.
fn is_within(host: &str, domain: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn address_of(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        Host::Domain(_) => None,
    }
}

fn shares_prefix(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let bits = u32::from(bits);
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            (address.to_bits() ^ network.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}
