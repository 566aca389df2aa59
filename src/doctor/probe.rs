//! What a host is asked, in its own shell's words: one command each, which changes nothing.

use crate::shell::Command;

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shell {
    /// Any Bourne shell.
    Posix,
    /// PowerShell, of any version.
    Powershell,
    /// `cmd.exe`.
    Cmd,
}

/// The questions of `cmd.exe`, as one line of well under 8191 characters. Native tools come first:
/// PowerShell may be missing (2008), `wmic` too (2025).
const CMD: &[&str] = &[
    "echo @@shell cmd",
    "ver",
    "chcp",
    r"echo @@user %USERDOMAIN%\%USERNAME%",
    "whoami /groups /fo csv /nh 2>nul",
    r#"reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v ProductName 2>nul"#,
    r#"(reg query "HKLM\SOFTWARE\Microsoft\PowerShell\3\PowerShellEngine" /v PowerShellVersion 2>nul || reg query "HKLM\SOFTWARE\Microsoft\PowerShell\1\PowerShellEngine" /v PowerShellVersion 2>nul)"#,
    concat!(
        "((wmic os get LocalDateTime /value <nul 2>nul && ",
        r#"wmic logicaldisk where "DeviceID='%SystemDrive%'" get FreeSpace,Size /value <nul 2>nul) || "#,
        r#"powershell -NoProfile -NonInteractive -Command "'@@now ' + [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ'); "#,
        r#"$d = New-Object IO.DriveInfo $env:SystemDrive; '@@bytes ' + $d.TotalSize + ' ' + $d.AvailableFreeSpace" <nul 2>nul)"#,
    ),
    "call winrm get winrm/config/winrs <nul 2>nul",
    // Whatever the last tool said: the questions were asked.
    "ver >nul",
    "echo @@end",
];

/// The command that asks.
pub fn probe(shell: Shell) -> Command {
    match shell {
        Shell::Posix => Command::Words(vec![
            "sh".to_owned(),
            "-c".to_owned(),
            include_str!("probe.sh").to_owned(),
        ]),
        Shell::Powershell => Command::Line(include_str!("probe.ps1").to_owned()),
        Shell::Cmd => Command::Line(CMD.join("& ")),
    }
}
