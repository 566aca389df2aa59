//! What starts a program and lets go of it, on a command line: the way that fails behind WinRM and
//! sshd, where such programs die with the shell.

/// The words that do so: `start` of `cmd.exe`, `Start-Process` and its other names in PowerShell.
const STARTERS: [&str; 4] = ["start", "start-process", "saps", "start-job"];

/// Whether a command line begins with one of them, whoever reads it.
pub fn begins_with_start(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "@(&".contains(c));
    let end = line
        .find(|c: char| c.is_whitespace() || "/\"'".contains(c))
        .unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    STARTERS.iter().any(|each| word.eq_ignore_ascii_case(each)) && !rest.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::begins_with_start;

    #[test]
    fn what_starts_and_lets_go_is_known() {
        for line in [
            "start game.exe",
            "START /B game.exe",
            "start/b game.exe",
            "start\"\" game.exe",
            " @start game.exe",
            "Start-Process game.exe",
        ] {
            assert!(begins_with_start(line), "{line}");
        }
        for line in [
            "start",
            "starter x",
            "net start game",
            "start.exe x",
            "start-service x",
            "",
        ] {
            assert!(!begins_with_start(line), "{line}");
        }
    }
}
