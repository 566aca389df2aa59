//! Filters over addresses of networks: `ipaddr` and its family, for their common uses.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::python;
use super::super::val::Val;
use super::{Filter, deep};

pub(super) const ALL: &[Filter] = &[
    deep("ipaddr", "value query version alias", |args| {
        over(args, None)
    }),
    deep("ipv4", "value query", |args| over(args, Some(4))),
    deep("ipv6", "value query", |args| over(args, Some(6))),
    deep("ipwrap", "value query", ipwrap),
    deep("ipsubnet", "value query index", ipsubnet),
    deep("nthhost", "value query", nthhost),
    deep("network_in_network", "value test", |args| {
        let (whole, part) = (args.text(0)?, args.text(1)?);
        Ok(Val::Bool(match (parsed(&whole), parsed(&part)) {
            (Some(whole), Some(part)) => whole.net.contains(&part.net),
            _ => false,
        }))
    }),
    deep("network_in_usable", "value test", |args| {
        let (whole, part) = (args.text(0)?, args.text(1)?);
        let (Some(whole), Some(part)) = (parsed(&whole), parsed(&part)) else {
            return Ok(Val::Bool(false));
        };
        let edge = whole.hosts() > 2
            && (part.net.addr() == whole.net.network() || part.net.addr() == whole.net.broadcast());
        Ok(Val::Bool(whole.net.contains(&part.net) && !edge))
    }),
];

/// An address or a network, as it was written.
struct Parsed {
    net: IpNet,
    /// Whether a prefix was written.
    network: bool,
}

impl Parsed {
    fn bits(&self) -> u8 {
        self.net.max_prefix_len()
    }

    fn hosts(&self) -> u128 {
        let free = self.bits() - self.net.prefix_len();
        1_u128.checked_shl(u32::from(free)).unwrap_or(u128::MAX)
    }

    fn is_v4(&self) -> bool {
        self.net.addr().is_ipv4()
    }
}

fn parsed(text: &str) -> Option<Parsed> {
    let text = text.trim();
    if let Some((address, prefix)) = text.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let net = match prefix.parse::<u8>() {
            Ok(prefix) => IpNet::new(address, prefix).ok()?,
            Err(_) => IpNet::with_netmask(address, prefix.parse().ok()?).ok()?,
        };
        return Some(Parsed { net, network: true });
    }
    let address: IpAddr = text.parse().ok()?;
    Some(Parsed {
        net: IpNet::from(address),
        network: false,
    })
}

fn of_val(value: &Val) -> Option<Parsed> {
    match value {
        Val::Str(text) => parsed(text),
        Val::Int(number) => {
            let address = match u32::try_from(*number) {
                Ok(small) => IpAddr::from(small.to_be_bytes()),
                Err(_) => IpAddr::from(u128::try_from(*number).ok()?.to_be_bytes()),
            };
            Some(Parsed {
                net: IpNet::from(address),
                network: false,
            })
        }
        _ => None,
    }
}

/// One value, or those of a list that fit.
fn over(args: &Args<'_>, version: Option<u8>) -> Result<Val, Fail> {
    let query = match args.some(1) {
        Some(query) => python::text(query)?,
        None => Arc::from(""),
    };
    let version = match version {
        Some(version) => Some(version),
        None => match args.int(2, 0)? {
            4 => Some(4),
            6 => Some(6),
            _ => None,
        },
    };
    let value = args.input()?;
    if value.is_sequence() {
        let mut kept = Vec::new();
        for item in args.items(0)? {
            let found = answered(&item, &query, version)?;
            if python::truth(&found) {
                kept.push(found);
            }
        }
        return Ok(Val::list(kept));
    }
    answered(value, &query, version)
}

fn answered(value: &Val, query: &str, version: Option<u8>) -> Result<Val, Fail> {
    let no = Val::Bool(false);
    let Some(of) = of_val(value) else {
        return Ok(no);
    };
    if version.is_some_and(|version| (version == 4) != of.is_v4()) {
        return Ok(no);
    }
    let itself = match value {
        Val::Str(text) => Val::Str(text.clone()),
        _ => Val::from(of.net.addr().to_string()),
    };
    if_matches(&of, itself, query)
}

fn if_matches(of: &Parsed, itself: Val, query: &str) -> Result<Val, Fail> {
    let net = of.net;
    let text = |shown: String| Ok(Val::from(shown));
    let when = |yes: bool, value: Val| Ok(if yes { value } else { Val::None });
    let prefix = i128::from(net.prefix_len());
    // A network's own address with its prefix is no host.
    let is_network = of.network && net.addr() == net.network() && net.prefix_len() < of.bits();
    match query {
        "" => Ok(itself),
        "bool" => Ok(Val::Bool(true)),
        "version" => Ok(Val::Int(if of.is_v4() { 4 } else { 6 })),
        "type" => text(if is_network { "network" } else { "address" }.to_owned()),
        "address" | "ip" | "ansible_host" => when(
            !is_network || of.hosts() == 2,
            Val::from(net.addr().to_string()),
        ),
        "host" | "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            when(
                !is_network,
                Val::from(format!("{}/{}", net.addr(), net.prefix_len())),
            )
        }
        "prefix" => Ok(Val::Int(prefix)),
        "netmask" => text(net.netmask().to_string()),
        "hostmask" | "wildcard" => text(net.hostmask().to_string()),
        "network" | "network_id" => text(net.network().to_string()),
        "broadcast" => when(of.hosts() > 2, Val::from(net.broadcast().to_string())),
        "subnet" | "network/prefix" => text(net.trunc().to_string()),
        "net" => when(is_network, Val::from(net.trunc().to_string())),
        "size" => match i128::try_from(of.hosts()) {
            Ok(count) => Ok(Val::Int(count)),
            Err(_) => fail("the network is too large to count"),
        },
        "int" => Ok(Val::Int(number(net.addr()))),
        "revdns" => text(reverse(net.addr())),
        "first_usable" => text(nth(of, u128::from(of.hosts() > 2))),
        "last_usable" => {
            let count = of.hosts();
            text(nth(of, if count > 2 { count - 2 } else { count - 1 }))
        }
        "range_usable" => {
            let count = of.hosts();
            let (first, last) = if count > 2 {
                (1, count - 2)
            } else {
                (0, count - 1)
            };
            text(format!("{}-{}", nth(of, first), nth(of, last)))
        }
        "ipv4" => when(of.is_v4(), itself),
        "ipv6" => when(!of.is_v4(), itself),
        "private" => when(is_private(net.addr()), itself),
        "public" => when(is_public(net.addr()), itself),
        "loopback" | "lo" => when(net.addr().is_loopback(), itself),
        "multicast" => when(net.addr().is_multicast(), itself),
        "unicast" => when(!net.addr().is_multicast(), itself),
        "link-local" => when(is_link_local(net.addr()), itself),
        "wrap" => text(wrapped(&itself, of)),
        other => {
            if let Ok(at) = other.parse::<i128>() {
                return Ok(member(of, at));
            }
            match parsed(other) {
                Some(whole) => when(whole.net.contains(&net), itself),
                None => fail(format!("ipaddr: unknown filter type: {other}")),
            }
        }
    }
}

fn number(address: IpAddr) -> i128 {
    match address {
        IpAddr::V4(v4) => i128::from(u32::from(v4)),
        IpAddr::V6(v6) => i128::try_from(u128::from(v6)).unwrap_or(i128::MAX),
    }
}

fn nth(of: &Parsed, at: u128) -> String {
    match of.net.network() {
        IpAddr::V4(first) => {
            let at = u32::try_from(at).unwrap_or(0);
            std::net::Ipv4Addr::from(u32::from(first).wrapping_add(at)).to_string()
        }
        IpAddr::V6(first) => {
            std::net::Ipv6Addr::from(u128::from(first).wrapping_add(at)).to_string()
        }
    }
}

fn member_at(of: &Parsed, at: i128) -> Option<u128> {
    let count = of.hosts();
    if at >= 0 {
        u128::try_from(at).ok().filter(|at| *at < count)
    } else {
        count.checked_sub(at.unsigned_abs())
    }
}

/// The n-th address of a network, with its prefix.
fn member(of: &Parsed, at: i128) -> Val {
    match member_at(of, at) {
        Some(at) => Val::from(format!("{}/{}", nth(of, at), of.net.prefix_len())),
        None => Val::None,
    }
}

fn nthhost(args: &Args<'_>) -> Result<Val, Fail> {
    let Some(of) = of_val(args.input()?) else {
        return Ok(Val::Bool(false));
    };
    let at = match args.need(1)? {
        Val::Str(text) => python::parse_int(text, 10).unwrap_or(0),
        other => python::int(other)?,
    };
    Ok(member_at(&of, at).map_or(Val::Bool(false), |at| Val::from(nth(&of, at))))
}

fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(v6) => {
            let mut digits = String::new();
            for byte in v6.octets().iter().rev() {
                for digit in [byte & 0xf, byte >> 4] {
                    _ = write!(digits, "{digit:x}.");
                }
            }
            format!("{digits}ip6.arpa.")
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xfe00 == 0xfc00,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn is_public(address: IpAddr) -> bool {
    let reserved = match address {
        IpAddr::V4(v4) => v4.octets()[0] >= 240 || v4.octets()[0] == 0,
        IpAddr::V6(v6) => v6.is_unspecified(),
    };
    !reserved
        && !is_private(address)
        && !is_link_local(address)
        && !address.is_loopback()
        && !address.is_multicast()
}

fn wrapped(itself: &Val, of: &Parsed) -> String {
    let text = itself.as_str().unwrap_or_default();
    if of.is_v4() {
        return text.to_owned();
    }
    match text.split_once('/') {
        Some((address, prefix)) => format!("[{address}]/{prefix}"),
        None => format!("[{text}]"),
    }
}

/// IPv6 addresses in brackets, anything else as it is.
fn ipwrap(args: &Args<'_>) -> Result<Val, Fail> {
    let wrap = |value: &Val| match of_val(value) {
        Some(of) => Val::from(wrapped(value, &of)),
        None => value.clone(),
    };
    let value = args.input()?;
    if value.is_sequence() {
        return Ok(Val::list(args.items(0)?.iter().map(wrap).collect()));
    }
    Ok(wrap(value))
}

/// How many subnets of a size there are, or the one with that number.
fn ipsubnet(args: &Args<'_>) -> Result<Val, Fail> {
    let Some(of) = of_val(args.input()?) else {
        return Ok(Val::Bool(false));
    };
    let number_of = |value: &Val| match value {
        Val::Str(text) => python::parse_int(text, 10),
        other => python::int(other).ok(),
    };
    let Some(query) = args.some(1) else {
        return Ok(Val::from(of.net.trunc().to_string()));
    };
    let Some(prefix) = number_of(query).and_then(|prefix| u8::try_from(prefix).ok()) else {
        return fail("ipsubnet: the size of the subnets is a number here");
    };
    if prefix < of.net.prefix_len() || prefix > of.bits() {
        return Ok(Val::Bool(false));
    }
    let count = 1_u128
        .checked_shl(u32::from(prefix - of.net.prefix_len()))
        .unwrap_or(u128::MAX);
    let Some(index) = args.some(2) else {
        return Ok(Val::from(count.to_string()));
    };
    let Some(index) = number_of(index) else {
        return fail("ipsubnet: the number of the subnet is a number here");
    };
    let index = if index >= 0 {
        u128::try_from(index).ok()
    } else {
        count.checked_sub(index.unsigned_abs())
    };
    let Some(index) = index.filter(|index| *index < count) else {
        return Ok(Val::Bool(false));
    };
    let each = 1_u128
        .checked_shl(u32::from(of.bits() - prefix))
        .unwrap_or(0);
    Ok(Val::from(format!(
        "{}/{prefix}",
        nth(&of, index.wrapping_mul(each))
    )))
}
