//! Gateways that stand before the port and say who calls, and from where a call comes, as far as somebody who is trusted says so.

use std::net::IpAddr;

use serde::Deserialize;

/// A network of gateways of ours, such as `10.2.0.0/16` or `2001:db8::7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Gateway {
    address: IpAddr,
    bits: u32,
}

impl TryFrom<String> for Gateway {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').unwrap_or((&text, ""));
        let address: IpAddr = address.parse().map_err(|_| format!("{text:?} is no address or network"))?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = if bits.is_empty() { Some(all) } else { bits.parse().ok().filter(|bits| *bits <= all) };
        let bits = bits.ok_or_else(|| format!("{text:?} has more bits than an address"))?;
        Ok(Self { address, bits })
    }
}

impl Gateway {
    /// Whether an address is one of this network.
    fn holds(&self, address: IpAddr) -> bool {
        let (own, other, all) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let differ: u128 = own ^ other;
        differ.checked_shr(all - self.bits).unwrap_or_default() == 0
    }
}

/// From where a call comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whence {
    /// From this address.
    Address(IpAddr),
    /// Through a gateway of ours that does not say from where.
    Gateway,
    /// The connection has no address.
    Unknown,
}

/// From where a request comes.
pub fn whence_of<T>(request: &tonic::Request<T>, gateways: &[Gateway]) -> Whence {
    let peer = request.remote_addr().map(|address| address.ip());
    // A gateway adds what it says behind what it was given, or in a line of its own. A line that is no text names nobody.
    let lines = request.metadata().get_all("x-forwarded-for").iter();
    let lines: Vec<_> = lines.map(|line| line.to_str().unwrap_or_default()).collect();
    whence(peer, &lines.join(","), gateways)
}

/// From where a call comes: from the other end of the connection, or, where that is a gateway of ours, from whom it names last in
/// `x-forwarded-for`. What others wrote there before is theirs and is not believed.
fn whence(peer: Option<IpAddr>, forwarded: &str, gateways: &[Gateway]) -> Whence {
    let ours = |address: IpAddr| gateways.iter().any(|gateway| gateway.holds(address));
    match peer {
        None => Whence::Unknown,
        Some(peer) if !ours(peer) => Whence::Address(peer),
        Some(_) => {
            let named = forwarded.rsplit(',').map(|one| one.trim().parse::<IpAddr>().ok());
            let caller = named.take_while(Option::is_some).flatten().find(|address| !ours(*address));
            caller.map_or(Whence::Gateway, Whence::Address)
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataMap;
    use tonic::transport::server::TcpConnectInfo;

    use super::*;

    fn gateway(text: &str) -> Gateway {
        text.to_owned().try_into().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.2.0.0/16", "10.2.255.1", "10.3.0.1"),
            ("10.2.0.7", "::ffff:10.2.0.7", "10.2.0.8"),
            ("0.0.0.0/0", "192.0.2.7", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:9::1", "2001:db9::1"),
        ] {
            assert!(gateway(network).holds(address(inside)), "{network} {inside}");
            assert!(!gateway(network).holds(address(outside)), "{network} {outside}");
        }
        for wrong in ["", "gateway", "10.2.0.0/33", "10.2.0.0/x", "2001:db8::/129"] {
            assert!(Gateway::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_gateway_of_ours_is_believed_and_only_what_it_wrote_itself() {
        let ours = [gateway("10.2.0.0/16")];
        let of = |peer: &str, forwarded| whence(peer.parse().ok(), forwarded, &ours);
        let caller = Whence::Address(address("192.0.2.7"));
        assert_eq!(of("192.0.2.7", ""), caller);
        assert_eq!(of("192.0.2.7", "203.0.113.1"), caller, "anybody may write that");
        assert_eq!(of("10.2.0.9", "203.0.113.1, 192.0.2.7"), caller);
        assert_eq!(of("10.2.0.9", "203.0.113.1,192.0.2.7, 10.2.4.4"), caller, "through two gateways");
        assert_eq!(of("10.2.0.9", "192.0.2.7, unknown"), Whence::Gateway);
        assert_eq!(of("10.2.0.9", ""), Whence::Gateway);
        assert_eq!(of("", ""), Whence::Unknown);
    }

    #[test]
    fn what_a_gateway_writes_in_a_line_of_its_own_stands_behind_what_a_stranger_wrote() {
        let ours = [gateway("10.2.0.0/16")];
        let of = |lines: &[&[u8]]| {
            let mut request = tonic::Request::new(());
            let peer = TcpConnectInfo { local_addr: None, remote_addr: Some(([10, 2, 0, 9], 4711).into()) };
            request.extensions_mut().insert(peer);
            let mut headers = http::HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", http::HeaderValue::from_bytes(line).unwrap());
            }
            *request.metadata_mut() = MetadataMap::from_headers(headers);
            whence_of(&request, &ours)
        };
        let caller = Whence::Address(address("192.0.2.7"));
        assert_eq!(of(&[b"203.0.113.1", b"192.0.2.7"]), caller);
        assert_eq!(of(&[b"203.0.113.1, 203.0.113.2", b"192.0.2.7", b"10.2.4.4"]), caller);
        assert_eq!(of(&[b"\xff", b"192.0.2.7"]), caller);
        assert_eq!(of(&[b"192.0.2.7", b"\xff"]), Whence::Gateway, "what our gateway said cannot be read");
        assert_eq!(of(&[]), Whence::Gateway);
    }
}
