//! The way to a host before anybody logs in: name, port, banner or TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::net::TcpStream;

use super::case::{Case, failed};
use crate::base::clock;
use crate::doctor::{Check, Finding};
use crate::event::{ErrorKind, HostError};
use crate::target::{SshTarget, Target, Via, WinrmTarget};
use crate::transport::probe::{addresses, greeting, knock};
use crate::transport::winrm::{ScannedCertificate, scan};

/// For each step where connecting has no limit.
const UNLIMITED: Duration = Duration::from_mins(1);

/// A port that refuses is worth a look at the others; they answer at once or are not there.
const OTHER_PORT: Duration = Duration::from_secs(1);

/// So many days before its end a certificate is worth a word.
const EXPIRES_SOON: i64 = 14;

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
            let (mut found, stream) = reach(&ssh.address, ssh.port, limit, &SSH).await;
            if let Some(stream) = stream {
                found.push(banner(stream, limit).await);
            }
            found
        }
        Via::Winrm(winrm) => {
            let limit = limit(winrm.options.connect_timeout);
            let (mut found, stream) = reach(&winrm.address, winrm.port, limit, &WINRM).await;
            // It goes first: who serves one at a time is waiting for it.
            if stream.map(drop).is_some() {
                found.push(tls(winrm).await);
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

/// What to do where nobody answers.
struct Advice {
    /// Other ports a host may listen on, and what to set then.
    elsewhere: [(u16, &'static str); 3],
    /// Nobody listens on any.
    refused: &'static str,
    /// Nobody answers.
    silent: &'static str,
}

const SSH: Advice = Advice {
    elsewhere: [
        (22, "22 does: set ansible_port: 22"),
        (5986, "5986 does (WinRM): set ansible_connection: winrm"),
        (
            5985,
            "5985 does (WinRM over HTTP): set ansible_connection: winrm and ansible_port: 5985",
        ),
    ],
    refused: "does sshd run there? is ansible_port right?",
    silent: "is the host up? does a firewall drop the port? -T waits longer",
};

const WINRM: Advice = Advice {
    elsewhere: [
        (
            5986,
            "5986 does: set ansible_port: 5986 and ansible_winrm_scheme: https",
        ),
        (
            5985,
            "5985 does: set ansible_port: 5985 (HTTP; messages are sealed), or give the host an HTTPS listener",
        ),
        (
            22,
            "22 does: set ansible_connection: ssh and ansible_shell_type: powershell",
        ),
    ],
    refused: "does WinRM listen there? on the host: `winrm enumerate winrm/config/listener`; `winrm quickconfig` opens it",
    silent: "is the host up? does its firewall let the port in? On a public network profile Windows lets in its own subnet only; -T waits longer",
};

async fn reach(
    name: &str,
    port: u16,
    limit: Duration,
    advice: &Advice,
) -> (Vec<Finding>, Option<TcpStream>) {
    let began = Instant::now();
    let found = match addresses(name, port).await {
        Ok(found) => found,
        Err(error) => {
            let finding = failed(Check::Dns, &error).topic("the name is not known");
            return (vec![finding.took(began.elapsed())], None);
        }
    };
    let mut findings = vec![dns(name, &found, began.elapsed())];
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
            let finding = unreached(&error, port, &found, advice).await;
            findings.push(finding.took(took));
            (findings, None)
        }
    }
}

fn dns(name: &str, found: &[SocketAddr], took: Duration) -> Finding {
    if name.parse::<IpAddr>().is_ok() {
        return Finding::ok(Check::Dns, format!("{name} is an address"));
    }
    let mut ips: Vec<String> = found.iter().map(|one| one.ip().to_string()).collect();
    ips.dedup();
    Finding::ok(Check::Dns, format!("{name} is {}", ips.join(", "))).took(took)
}

/// Why a port was not reached; of one that refuses, who else listens there.
async fn unreached(error: &HostError, port: u16, found: &[SocketAddr], advice: &Advice) -> Finding {
    let finding = failed(Check::Tcp, error);
    if error.kind != ErrorKind::Refused {
        return finding
            .hint(advice.silent)
            .topic(format!("port {port} does not answer"));
    }
    let finding = finding.topic(format!("port {port} refused"));
    for (other, advice) in advice.elsewhere.iter().filter(|(other, _)| *other != port) {
        let there: Vec<SocketAddr> = found
            .iter()
            .map(|one| SocketAddr::new(one.ip(), *other))
            .collect();
        if knock(&there, OTHER_PORT).await.is_ok() {
            return finding.hint(format!("nothing listens on {port}, but {advice}"));
        }
    }
    finding.hint(advice.refused)
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
async fn tls(winrm: &Arc<WinrmTarget>) -> Finding {
    if !winrm.options.https {
        return Finding::warn(
            Check::Tls,
            "HTTP: every message is sealed, but NTLM does not prove who answers",
            "give the host an HTTPS listener and set ansible_port: 5986",
        );
    }
    let began = Instant::now();
    match scan(winrm).await {
        Ok(certificate) => shown(&certificate, clock::now()),
        Err(error) => no_tls(&error),
    }
    .took(began.elapsed())
}

fn no_tls(error: &HostError) -> Finding {
    let finding = failed(Check::Tls, error).topic(format!("no TLS ({})", error.kind.name()));
    // The port takes connections: it is no firewall that keeps silent now.
    if error.kind == ErrorKind::ConnectTimeout {
        return finding.hint(
            "the port takes connections and speaks no TLS: is it that of HTTP? \
             5986 is HTTPS, 5985 is HTTP with sealed messages: set ansible_port and ansible_winrm_scheme to match",
        );
    }
    finding
}

/// The certificate; whether it is believed is seen when we log in.
fn shown(certificate: &ScannedCertificate, now: Timestamp) -> Finding {
    let until = certificate.not_after.strftime("%Y-%m-%d");
    let detail = format!(
        "{}, until {until}, {}",
        certificate.subject, certificate.fingerprint
    );
    let left = certificate.not_after.duration_since(now).as_hours() / 24;
    let renew = "renew the listener's certificate";
    match left {
        _ if certificate.not_after < now => {
            Finding::warn(Check::Tls, format!("{detail}: it is expired"), renew)
                .topic("the certificate is expired")
        }
        0..EXPIRES_SOON => {
            Finding::warn(Check::Tls, format!("{detail}: {left} days are left"), renew)
                .topic("the certificate expires soon")
        }
        _ => Finding::ok(Check::Tls, detail),
    }
}
