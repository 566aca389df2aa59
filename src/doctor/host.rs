//! From a host's answers to findings.

use std::time::Duration;

use jiff::Timestamp;

use super::answers::{Answers, Disk, Family};
use super::finding::{Check, Finding};

/// Kerberos lets clocks differ by so much (RFC 4120, 5.1.3: five minutes are usual).
const KERBEROS_SKEW: f64 = 300.0;

/// More than this is worth a word: logs can't be laid side by side.
const SKEW: f64 = 30.0;

/// Less free than this, and nothing works for long, in bytes.
const DISK_FAIL: u64 = 100 << 20;

/// Less free than this is worth a word, in bytes.
const DISK_WARN: u64 = 1 << 30;

/// `MaxMemoryPerShellMB` as 2008 R2 has it is 150, and PowerShell alone may need more.
const MEMORY_WARN: u32 = 512;

/// How Windows writes "no limit" since 2012 R2.
const UNLIMITED: u32 = 2_147_483_647;

const ADMINISTRATORS: &str = "S-1-5-32-544";
const REMOTE_MANAGEMENT_USERS: &str = "S-1-5-32-580";
/// Integrity levels (MS-DTYP 2.4.2.4): high and system have their rights, medium is filtered by UAC.
const ELEVATED: [&str; 2] = ["S-1-16-12288", "S-1-16-16384"];

/// What is known of the way to the host.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// Over WinRM.
    pub winrm: bool,
    /// Logged in by Kerberos.
    pub kerberos: bool,
    /// The login is handed on to the host (`CredSSP`).
    pub hands_on: bool,
    /// `output_encoding`, where it is set.
    pub encoding: Option<String>,
    /// As whom the work is done, where not as the login user.
    pub becomes: Option<String>,
    /// When the questions were sent and the last answer was there.
    pub asked: Option<(Timestamp, Timestamp)>,
}

/// All that a host's answers say.
pub fn findings(answers: &Answers, about: &Circumstances) -> Vec<Finding> {
    let mut found = vec![
        shell(answers),
        rights(answers, about),
        encoding(answers, about),
    ];
    found.push(clock(answers, about));
    found.push(disk(&answers.disks));
    if about.winrm {
        found.push(quota(answers));
        found.push(second_hop(about));
    }
    found
}

fn shell(answers: &Answers) -> Finding {
    let Some(shell) = &answers.shell else {
        return Finding::fail(Check::Shell, "the shell's answer was not understood").hint(
            "is ansible_shell_type right (sh, powershell, cmd)? does the login print something of its own?",
        );
    };
    let detail = match answers.powershell {
        Some(version) if shell == "powershell" => format!("PowerShell {version}"),
        Some(version) => format!("{shell}; PowerShell {version} is there"),
        None => shell.clone(),
    };
    if answers.complete {
        Finding::ok(Check::Shell, detail)
    } else {
        Finding::warn(
            Check::Shell,
            format!("{detail}; its answer broke off"),
            "run the command yourself: iomsctl run -g HOST hostname",
        )
    }
}

fn rights(answers: &Answers, about: &Circumstances) -> Finding {
    let Some(user) = &answers.user else {
        return Finding::skipped(Check::Rights, "the host did not say who the user is");
    };
    let whose = match &about.becomes {
        Some(_) => format!("{user}, by become"),
        None => user.clone(),
    };
    if answers.family == Some(Family::Unix) {
        let detail = if answers.root {
            format!("{whose}: root")
        } else {
            format!("{whose}: not root; -b becomes root")
        };
        return Finding::ok(Check::Rights, detail);
    }
    if answers.groups.is_empty() {
        return Finding::skipped(Check::Rights, format!("{whose}: the groups are not known"));
    }
    windows_rights(answers, &whose)
}

fn windows_rights(answers: &Answers, whose: &str) -> Finding {
    let is_in = |sid: &str| answers.groups.iter().any(|group| group == sid);
    let elevated = ELEVATED.iter().any(|level| is_in(level));
    if is_in(ADMINISTRATORS) && elevated {
        return Finding::ok(
            Check::Rights,
            format!("{whose}: administrator, with all rights"),
        );
    }
    if is_in(ADMINISTRATORS) {
        return Finding::warn(
            Check::Rights,
            format!("{whose}: administrator, but without the rights (filtered by UAC)"),
            "for local accounts set LocalAccountTokenFilterPolicy = 1 (DWORD) in \
             HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System, or use the built-in Administrator or a domain account",
        )
        .topic("administrator, but without the rights (filtered by UAC)");
    }
    let detail = if is_in(REMOTE_MANAGEMENT_USERS) {
        "member of Remote Management Users, no administrator"
    } else {
        "no administrator"
    };
    Finding::warn(
        Check::Rights,
        format!("{whose}: {detail}"),
        "commands run; what changes the system needs a member of Administrators",
    )
    .topic(detail)
}

fn encoding(answers: &Answers, about: &Circumstances) -> Finding {
    let set = about.encoding.as_deref();
    let seen = match (&answers.charmap, answers.codepage) {
        (Some(charmap), _) => charmap.clone(),
        (None, Some(65001)) => "UTF-8 (code page 65001)".to_owned(),
        (None, Some(number)) => format!("code page {number}"),
        (None, None) => {
            return match set {
                Some(set) => Finding::ok(Check::Encoding, format!("output_encoding: {set}")),
                None => Finding::skipped(Check::Encoding, "the host did not say"),
            };
        }
    };
    if let Some(set) = set {
        return Finding::ok(Check::Encoding, format!("{seen}; output_encoding: {set}"));
    }
    // Code pages are asked of Windows hosts by every run; a locale is not.
    let charmap = answers.charmap.as_deref().unwrap_or("UTF-8");
    let plain = ["UTF-8", "ANSI_X3.4-1968", "US-ASCII", "646"];
    if plain.iter().any(|name| name.eq_ignore_ascii_case(charmap)) {
        return Finding::ok(Check::Encoding, seen);
    }
    let name = charmap.to_ascii_lowercase();
    Finding::warn(
        Check::Encoding,
        format!("the locale is {charmap}, and output is read as UTF-8 first"),
        format!("set output_encoding: {name} for the host"),
    )
}

/// How far the host's clock is from ours, in seconds, for sure: the time that asking took is not
/// counted against it.
fn skew(now: Timestamp, (from, to): (Timestamp, Timestamp)) -> f64 {
    let seconds = |duration: jiff::SignedDuration| duration.as_secs_f64();
    // Clocks of hosts are told in whole seconds.
    let early = seconds(from.duration_since(now)) - 1.0;
    let late = seconds(now.duration_since(to));
    if early > 0.0 {
        -early
    } else if late > 0.0 {
        late
    } else {
        0.0
    }
}

fn clock(answers: &Answers, about: &Circumstances) -> Finding {
    let (Some(now), Some(asked)) = (answers.now, about.asked) else {
        return Finding::skipped(Check::Clock, "the host did not say the time");
    };
    let off = skew(now, asked);
    if off.abs() < SKEW {
        return Finding::ok(Check::Clock, "as the controller's");
    }
    let amount = crate::base::quantity::show_duration(Duration::from_secs_f64(off.abs().round()));
    let word = if off > 0.0 { "fast" } else { "slow" };
    let detail = format!("{amount} {word}, against the controller's");
    let hint = "let both follow the same time server (Windows: w32tm /resync, Linux: chrony)";
    let finding = if about.kerberos && off.abs() > KERBEROS_SKEW {
        Finding::fail(
            Check::Clock,
            format!("{detail}; Kerberos takes no more than 5 minutes"),
        )
        .hint(hint)
    } else {
        Finding::warn(Check::Clock, detail, hint)
    };
    let minutes = if off.abs() > KERBEROS_SKEW {
        "more than 5 minutes"
    } else {
        "seconds to minutes"
    };
    finding.topic(format!("the clock is {minutes} {word}"))
}

fn disk(disks: &[Disk]) -> Finding {
    let Some(worst) = disks.iter().min_by_key(|disk| disk.free) else {
        return Finding::skipped(Check::Disk, "the host did not say");
    };
    let detail = disks
        .iter()
        .map(|disk| {
            format!(
                "{} has {} of {} free",
                disk.place,
                size(disk.free),
                size(disk.size)
            )
        })
        .collect::<Vec<_>>()
        .join(", ");
    let hint = "make room: scripts and uploads need some; --tmpdir chooses another place";
    if worst.free < DISK_FAIL {
        return Finding::fail(Check::Disk, detail)
            .hint(hint)
            .topic("the disk is full");
    }
    // A small system may be well with less.
    if worst.free < DISK_WARN && worst.free < worst.size / 10 {
        return Finding::warn(Check::Disk, detail, hint).topic("the disk is nearly full");
    }
    Finding::ok(Check::Disk, detail)
}

#[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
fn size(bytes: u64) -> String {
    let gib = bytes as f64 / f64::from(1 << 30);
    if gib >= 1.0 {
        format!("{gib:.1} GiB")
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

fn quota(answers: &Answers) -> Finding {
    match answers.memory_per_shell {
        None => Finding::skipped(
            Check::Quota,
            "the host did not say its MaxMemoryPerShellMB: administrators may ask",
        ),
        Some(memory) if memory > 0 && memory < MEMORY_WARN => Finding::warn(
            Check::Quota,
            format!("MaxMemoryPerShellMB is {memory}"),
            "commands that need more are killed: winrm set winrm/config/winrs @{MaxMemoryPerShellMB=\"1024\"} \
             (2008 R2 and 2012 obey it with KB2842230 only)",
        ),
        Some(0 | UNLIMITED) => Finding::ok(Check::Quota, "MaxMemoryPerShellMB: unlimited"),
        Some(memory) => Finding::ok(Check::Quota, format!("MaxMemoryPerShellMB is {memory}")),
    }
}

/// Told, not judged: it is so by design, and surprises people.
fn second_hop(about: &Circumstances) -> Finding {
    if about.hands_on {
        return Finding::ok(
            Check::SecondHop,
            "CredSSP: the host may log in to others as the user",
        );
    }
    Finding::ok(
        Check::SecondHop,
        "the login is not handed on: shares and databases of a third host refuse the user",
    )
    .hint("send files with upload, or use become (runas) with a password")
}
