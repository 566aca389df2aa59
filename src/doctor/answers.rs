//! What came back, read. It is a host's: everything is bounded, and what makes no sense is passed over.

use jiff::Timestamp;

use super::version::Version;

/// No answer has more lines that count.
const LINES_MAX: usize = 2000;

/// No word of a host's is shown longer.
const WORD_MAX: usize = 200;

/// The kind of system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Something with a Bourne shell.
    Unix,
    /// Windows.
    Windows,
}

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Its size, in bytes.
    pub size: u64,
    /// What is free, in bytes.
    pub free: u64,
    /// Its mount point or drive.
    pub place: String,
}

/// What a host has said of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// What it is.
    pub family: Option<Family>,
    /// The shell that answered: `sh`, `cmd`, `powershell`.
    pub shell: Option<String>,
    /// Whether it answered to the end.
    pub complete: bool,
    /// Its name for itself: `Debian GNU/Linux 12`, `Windows Server 2019 Standard`.
    pub system: Option<String>,
    /// Of Unix: `Linux 6.1.0 x86_64`.
    pub kernel: Option<String>,
    /// The version of Windows.
    pub version: Option<Version>,
    /// The version of PowerShell.
    pub powershell: Option<Version>,
    /// As whom the command ran.
    pub user: Option<String>,
    /// Of Unix: whether that is root.
    pub root: bool,
    /// Of Windows: the SIDs of its groups and of its integrity level.
    pub groups: Vec<String>,
    /// The code page of the console.
    pub codepage: Option<u16>,
    /// Of Unix: the character map of the locale.
    pub charmap: Option<String>,
    /// Its clock.
    pub now: Option<Timestamp>,
    /// Its file systems.
    pub disks: Vec<Disk>,
    /// `MaxMemoryPerShellMB`.
    pub memory_per_shell: Option<u32>,
}

impl Answers {
    /// Reads what a probe printed. Some native tools write UTF-16 among the others' bytes, and
    /// names may be in any code page: what counts is ASCII.
    pub fn read(output: &[u8]) -> Self {
        let bytes: Vec<u8> = output.iter().copied().filter(|byte| *byte != 0).collect();
        let text = String::from_utf8_lossy(&bytes);
        let mut answers = Self::default();
        let mut in_groups = false;
        let (mut size, mut free) = (None, None);
        let lines = text.split(['\n', '\r']).map(str::trim);
        for line in lines.filter(|line| !line.is_empty()).take(LINES_MAX) {
            match line {
                "@@begin groups" => in_groups = true,
                "@@end groups" => in_groups = false,
                _ if in_groups => answers.groups.extend(sids(line)),
                _ => match line.strip_prefix("@@") {
                    Some(answer) => answers.take(answer),
                    None => answers.native(line, &mut size, &mut free),
                },
            }
        }
        if let (Some(size), Some(free)) = (size, free) {
            answers.disk(size, free, "the system drive");
        }
        answers
    }

    fn take(&mut self, answer: &str) {
        let (name, value) = answer.split_once(' ').unwrap_or((answer, ""));
        let value = value.trim();
        match name {
            "end" => self.complete = true,
            "shell" => {
                self.family = Some(if value == "sh" {
                    Family::Unix
                } else {
                    Family::Windows
                });
                self.shell = word(value);
            }
            "user" if self.family == Some(Family::Unix) => {
                let (user, id) = value.rsplit_once(' ').unwrap_or((value, ""));
                self.user = word(user).or_else(|| word(id));
                self.root = id == "0";
            }
            "user" => self.user = word(value.trim_matches('\\')),
            "kernel" => self.kernel = word(value),
            "system" => self.system = word(value.trim_matches(['"', '\''])),
            "version" => {
                self.version = Version::find(value);
                // PowerShell runs on Linux too.
                if value.ends_with("Unix") {
                    self.family = Some(Family::Unix);
                    self.kernel = word(&format!("Linux {}", value.trim_end_matches(" Unix")));
                    self.version = None;
                }
            }
            "powershell" => self.powershell = Version::find(value),
            // The later one is what native tools write, whatever PowerShell itself does.
            "codepage" | "oemcp" => self.codepage = value.parse().ok().or(self.codepage),
            "charmap" => self.charmap = word(value),
            "now" => self.now = time(value),
            "groups" => self.groups.extend(sids(value)),
            "disk" => self.disk_line(value, 1024),
            "bytes" => self.disk_line(value, 1),
            "memory" => self.memory_per_shell = value.parse().ok(),
            _ => {}
        }
    }

    /// What native tools of Windows print, in whatever language.
    fn native(&mut self, line: &str, size: &mut Option<u64>, free: &mut Option<u64>) {
        let value = line.rsplit(['=', ' ', '\t']).next().unwrap_or_default();
        if line.starts_with("Microsoft Windows") {
            self.version = self.version.or_else(|| Version::find(line));
        } else if line.starts_with("ProductName") {
            let name = line.split_once("REG_SZ").map(|(_, name)| name.trim());
            self.system = name.and_then(word);
        } else if line.starts_with("PowerShellVersion") {
            self.powershell = Version::find(value);
        } else if let Some(local) = line.strip_prefix("LocalDateTime=") {
            self.now = cim_time(local);
        } else if let Some(bytes) = line.strip_prefix("FreeSpace=") {
            *free = bytes.parse().ok();
        } else if let Some(bytes) = line.strip_prefix("Size=") {
            *size = bytes.parse().ok();
        } else if line.starts_with("MaxMemoryPerShellMB") {
            self.memory_per_shell = value.parse().ok();
        } else if let Some(local) = cim_time(line) {
            // As a table, where `/value` is not understood.
            self.now = Some(local);
        } else if self.codepage.is_none() && self.shell.as_deref() == Some("cmd") {
            // `Active code page: 936`: the words are the language's, the colon is everybody's.
            self.codepage = line
                .rsplit_once(':')
                .and_then(|(_, number)| number.trim().trim_end_matches('.').parse().ok());
        }
    }

    fn disk_line(&mut self, value: &str, unit: u64) {
        let mut words = value.splitn(3, ' ');
        let mut number = || words.next()?.parse::<u64>().ok()?.checked_mul(unit);
        if let (Some(size), Some(free)) = (number(), number()) {
            let place = words.next().unwrap_or("the system drive");
            self.disk(size, free, place);
        }
    }

    fn disk(&mut self, size: u64, free: u64, place: &str) {
        let place = word(place).unwrap_or_default();
        if size > 0 && self.disks.len() < 8 && self.disks.iter().all(|disk| disk.place != place) {
            self.disks.push(Disk { size, free, place });
        }
    }
}

/// A host's word, fit to be shown; `None` where it said nothing.
fn word(text: &str) -> Option<String> {
    let text: String = text
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(WORD_MAX)
        .collect();
    (!text.is_empty()).then_some(text)
}

/// `S-1-5-32-544` and its like.
fn sids(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("S-1-") && word.len() < 100)
        .take(1000)
        .map(str::to_owned)
}

/// Seconds since 1970, or RFC 3339.
fn time(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => text.parse().ok(),
    }
}

/// `20261124103000.123000+480`: local time and minutes east of UTC (CIM, DSP0004 2.2.1).
fn cim_time(text: &str) -> Option<Timestamp> {
    let (stamp, zone) = text.split_at_checked(21)?;
    let part = |from: usize, to: usize| stamp.get(from..to)?.parse::<i8>().ok();
    let year: i16 = stamp.get(0..4)?.parse().ok()?;
    let civil = jiff::civil::DateTime::new(
        year,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    )
    .ok()?;
    let minutes: i32 = zone.parse().ok()?;
    let offset = jiff::tz::Offset::from_seconds(minutes.checked_mul(60)?).ok()?;
    offset.to_timestamp(civil).ok()
}
