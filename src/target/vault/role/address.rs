//! The client addresses that a role allows.

use std::net::{IpAddr, SocketAddr};

/// An address and the length of its prefix, from `10.0.0.0/8`, `::1`, `127.0.0.1` or `127.0.0.1:8200`.
fn network(cidr: &str) -> Option<(IpAddr, u32)> {
    let bits = |address: &IpAddr| if address.is_ipv4() { 32 } else { 128 };
    if let Some((address, length)) = cidr.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        return length
            .parse()
            .ok()
            .filter(|length| *length <= bits(&address))
            .map(|length| (address, length));
    }
    let address: IpAddr = match cidr.parse::<SocketAddr>() {
        Ok(with_port) => with_port.ip(),
        Err(_) => cidr.parse().ok()?,
    };
    let address = address.to_canonical();
    Some((address, bits(&address)))
}

/// Whether a server accepts `cidr` in a role. A text with a slash may also be the path of a socket.
pub(super) fn is_address(cidr: &str) -> bool {
    network(cidr).is_some() || cidr.contains('/')
}

pub(super) fn includes(cidr: &str, from: IpAddr) -> bool {
    let shifted = |address: u128, bits: u32, length: u32| address.checked_shr(bits - length).unwrap_or(0);
    match (network(cidr), from.to_canonical()) {
        (Some((IpAddr::V4(network), length)), IpAddr::V4(from)) => {
            shifted(network.to_bits().into(), 32, length) == shifted(from.to_bits().into(), 32, length)
        }
        (Some((IpAddr::V6(network), length)), IpAddr::V6(from)) => {
            shifted(network.to_bits(), 128, length) == shifted(from.to_bits(), 128, length)
        }
        _ => false,
    }
}
