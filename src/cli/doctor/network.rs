//! The way to a host before anybody logs in: name, port, banner or TLS.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use tokio::net::TcpStream;

use super::case::{Case, failed};
use crate::doctor::{Check, Finding};
use crate::event::{ErrorKind, HostError};
use crate::target::{SshTarget, Target, Via, WinrmTarget};
use crate::transport::probe::{addresses, greeting, knock};

/// For each step where connecting has no limit.
const UNLIMITED: Duration = Duration::from_mins(1);

/// A port that refuses is worth a look at the others; they answer at once or are not there.
const OTHER_PORT: Duration = Duration::from_secs(1);

/// Walks all hosts' ways so far, so many at a time.
pub async fn walk(cases: &mut [Case], forks: usize) {
    futures::stream::iter(cases)
        .for_each_concurrent(forks, |case| async {
            if let Some(target) = case.target.clone() {
                case.findings.extend(before_login(&target).await);
            }
        })
        .await;
}

async fn before_login(target: &Target) -> Vec<Finding> {
    match &target.via {
        Via::Local => Vec::new(),
        Via::Ssh(ssh) => {
            if let Some(way) = around(ssh) {
                let skipped = |check| Finding::skipped(check, way.clone());
                return [Check::Dns, Check::Tcp, Check::Banner].map(skipped).into();
            }
            let limit = limit(ssh.options.connect_timeout);
            let (mut found, stream) = reach(&ssh.address, ssh.port, limit, &SSH_ELSE).await;
            if let Some(stream) = stream {
                found.push(banner(stream, limit).await);
            }
            found
        }
        Via::Winrm(winrm) => {
            let limit = limit(winrm.options.connect_timeout);
            let (mut found, stream) = reach(&winrm.address, winrm.port, limit, &WINRM_ELSE).await;
            if stream.is_some() {
                found.extend(tls(winrm));
            }
            found
        }
    }
}

/// The way is not ours to look at: somebody else dials.
fn around(ssh: &SshTarget) -> Option<String> {
    if ssh.proxy_command.is_some() {
        return Some("a ProxyCommand goes there".to_owned());
    }
    let last = ssh.jump.last()?;
    Some(format!(
        "{}:{} goes there (ProxyJump)",
        last.address, last.port
    ))
}

fn limit(connect_timeout: Duration) -> Duration {
    if connect_timeout.is_zero() {
        UNLIMITED
    } else {
        connect_timeout
    }
}

/// Where else a host may listen, and what to set then.
const SSH_ELSE: [(u16, &str); 3] = [
    (22, "22 does: set ansible_port: 22"),
    (5986, "5986 does (WinRM): set ansible_connection: winrm"),
    (
        5985,
        "5985 does (WinRM over HTTP): set ansible_connection: winrm and ansible_port: 5985",
    ),
];
const WINRM_ELSE: [(u16, &str); 3] = [
    (
        5986,
        "5986 does: set ansible_port: 5986 and ansible_winrm_scheme: https",
    ),
    (
        5985,
        "5985 does: set ansible_port: 5985 (HTTP; messages are sealed)",
    ),
    (
        22,
        "22 does: set ansible_connection: ssh and ansible_shell_type: powershell",
    ),
];

async fn reach(
    name: &str,
    port: u16,
    limit: Duration,
    elsewhere: &[(u16, &str)],
) -> (Vec<Finding>, Option<TcpStream>) {
    let began = Instant::now();
    let found = match addresses(name, port).await {
        Ok(found) => found,
        Err(error) => {
            let finding = failed(Check::Dns, &error).topic("the name is not known");
            return (vec![finding.took(began.elapsed())], None);
        }
    };
    let mut findings = vec![dns(name, &found).took(began.elapsed())];
    let began = Instant::now();
    match knock(&found, limit).await {
        Ok(stream) => {
            let peer = stream
                .peer_addr()
                .map_or_else(|_| port.to_string(), |peer| peer.to_string());
            findings.push(Finding::ok(Check::Tcp, peer).took(began.elapsed()));
            (findings, Some(stream))
        }
        Err(error) => {
            let took = began.elapsed();
            let finding = unreached(&error, port, &found, elsewhere).await;
            findings.push(finding.took(took));
            (findings, None)
        }
    }
}

fn dns(name: &str, found: &[SocketAddr]) -> Finding {
    if name.parse::<IpAddr>().is_ok() {
        return Finding::ok(Check::Dns, format!("{name} is an address"));
    }
    let mut ips: Vec<String> = found.iter().map(|one| one.ip().to_string()).collect();
    ips.dedup();
    Finding::ok(Check::Dns, format!("{name} is {}", ips.join(", ")))
}

/// Why a port was not reached; of one that refuses, who else listens there.
async fn unreached(
    error: &HostError,
    port: u16,
    found: &[SocketAddr],
    elsewhere: &[(u16, &str)],
) -> Finding {
    let finding = failed(Check::Tcp, error);
    if error.kind != ErrorKind::Refused {
        return finding.topic(format!("port {port} does not answer"));
    }
    let finding = finding.topic(format!("port {port} refused"));
    for (other, advice) in elsewhere.iter().filter(|(other, _)| *other != port) {
        let there: Vec<SocketAddr> = found
            .iter()
            .map(|one| SocketAddr::new(one.ip(), *other))
            .collect();
        if knock(&there, OTHER_PORT).await.is_ok() {
            return finding.hint(format!("nothing listens on {port}, but {advice}"));
        }
    }
    finding
}

async fn banner(stream: TcpStream, limit: Duration) -> Finding {
    let began = Instant::now();
    match greeting(stream, limit).await {
        Ok(words) => Finding::ok(Check::Banner, words),
        Err(error) => failed(Check::Banner, &error),
    }
    .took(began.elapsed())
}

/// TLS, or that there is none.
fn tls(winrm: &WinrmTarget) -> Option<Finding> {
    if !winrm.options.https {
        return Some(Finding::warn(
            Check::Tls,
            "HTTP: every message is sealed, but NTLM does not prove who answers",
            "give the host an HTTPS listener and set ansible_port: 5986",
        ));
    }
    None
}
