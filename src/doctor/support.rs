//! The support table of docs/windows.md: what works on which system.

use super::answers::{Answers, Family};
use super::version::Version;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Everything.
    Full,
    /// 2008 R2 without WMF 3.
    Limited,
    /// 2008.
    BestEffort,
    /// XP and 2003.
    ThirdPartySshd,
    /// Not known.
    Unknown,
}

impl Tier {
    /// The stable name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Limited => "limited",
            Self::BestEffort => "best_effort",
            Self::ThirdPartySshd => "third_party_sshd",
            Self::Unknown => "unknown",
        }
    }

    /// What that means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Full => "everything is supported",
            Self::Limited => {
                "commands, scripts and files work; other modules need PowerShell 3: install WMF 5.1"
            }
            Self::BestEffort => {
                "commands, scripts and files, best effort; other modules need PowerShell 3: install WMF 3.0"
            }
            Self::ThirdPartySshd => "through a third-party sshd only",
            Self::Unknown => "the system is not known",
        }
    }
}

/// Where a host stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// The row.
    pub tier: Tier,
    /// The system found: `Windows Server 2019 (10.0.17763)`; `None`: it was not asked.
    pub system: Option<String>,
}

/// The first PowerShell that modules speak.
const POWERSHELL_3: Version = Version {
    major: 3,
    minor: 0,
    build: 0,
};

/// A host's row.
pub fn support(answers: &Answers) -> Support {
    match answers.family {
        None => Support {
            tier: Tier::Unknown,
            system: None,
        },
        Some(Family::Unix) => Support {
            // What is no Linux answers, but nobody has tried.
            tier: match answers.kernel.as_deref() {
                Some(kernel) if kernel.starts_with("Linux") => Tier::Full,
                _ => Tier::Unknown,
            },
            system: Some(unix(answers)),
        },
        Some(Family::Windows) => Support {
            tier: windows(answers),
            system: Some(windows_name(answers)),
        },
    }
}

fn unix(answers: &Answers) -> String {
    match (&answers.system, &answers.kernel) {
        (Some(system), Some(kernel)) => format!("{system} ({kernel})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "Unix".to_owned(),
    }
}

fn windows(answers: &Answers) -> Tier {
    let Some(version) = answers.version else {
        return Tier::Unknown;
    };
    let has_powershell_3 = answers
        .powershell
        .is_some_and(|version| version >= POWERSHELL_3);
    match (version.major, version.minor) {
        (6, 1) if has_powershell_3 => Tier::Full,
        (6, 1) => Tier::Limited,
        (6, 0) => Tier::BestEffort,
        // 2012 (6.2) comes with PowerShell 3.
        (6, 2..) | (10.., _) => Tier::Full,
        (5, _) => Tier::ThirdPartySshd,
        _ => Tier::Unknown,
    }
}

fn windows_name(answers: &Answers) -> String {
    let by_version = answers.version.map(name_of);
    let name = answers
        .system
        .clone()
        .or_else(|| by_version.map(str::to_owned))
        .unwrap_or_else(|| "Windows".to_owned());
    match answers.version {
        Some(version) => format!("{name} ({version})"),
        None => name,
    }
}

/// What has this version; clients and servers share their numbers.
fn name_of(version: Version) -> &'static str {
    match (version.major, version.minor, version.build) {
        (10, 0, 26_100..) => "Windows 11 / Server 2025",
        (10, 0, 22_000..) => "Windows 11",
        (10, 0, 20_348..) => "Windows Server 2022",
        (10, 0, 17_763..) => "Windows 10 / Server 2019",
        (10, 0, _) => "Windows 10 / Server 2016",
        (6, 3, _) => "Windows 8.1 / Server 2012 R2",
        (6, 2, _) => "Windows 8 / Server 2012",
        (6, 1, _) => "Windows 7 / Server 2008 R2",
        (6, 0, _) => "Windows Vista / Server 2008",
        (5, 2, _) => "Windows Server 2003",
        (5, 1, _) => "Windows XP",
        _ => "Windows",
    }
}
