//! How a Unix host fetches a file: by curl, else by GNU wget. Says the words and reads what became of
//! it; where the bytes belong and whether they are right is said in `files`.
//!
//! The address is a secret. It is said to the tools on standard input, by the shell's own `echo`, and
//! is no argument of any process and in no environment.

use std::fmt::Write as _;

use crate::shell::files::{Pin, Pull};

/// Why nothing was fetched, or not all. Also the exit status of the host's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullEnd {
    /// No tool that could: another way has to be found.
    NoTool = 3,
    /// The controller is not reached from there.
    Unreachable = 4,
    /// Who answers there is not this controller.
    Untrusted = 5,
    /// The controller has nothing (more) under this address.
    Refused = 6,
    /// It broke off; what came is good to go on from.
    Broken = 7,
    /// The part file can't be written. What is in it is good no more.
    Disk = 8,
    /// TLS or HTTP failed in a way of its own.
    Failed = 9,
}

/// What went wrong, and what the host's tool said of it, without the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullFailure {
    /// The kind.
    pub end: PullEnd,
    /// In the tool's words.
    pub said: String,
}

/// Before what the host says of a failure.
const MARK: &str = "ioms-pull: ";

/// How much of what a tool says is kept.
const SAID: usize = 500;

/// Reads the exit status of [`fetch`]'s words and their standard error; `None`: fetched.
pub fn failure(exit: Option<i32>, stderr: &[u8]) -> Option<PullFailure> {
    let end = match exit {
        Some(0) => return None,
        Some(3) => PullEnd::NoTool,
        Some(4) => PullEnd::Unreachable,
        Some(5) => PullEnd::Untrusted,
        Some(6) => PullEnd::Refused,
        Some(7) | None => PullEnd::Broken,
        Some(8) => PullEnd::Disk,
        Some(_) => PullEnd::Failed,
    };
    let text = String::from_utf8_lossy(stderr);
    let said = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(MARK))
        .unwrap_or_default();
    let said = said
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SAID)
        .collect();
    Some(PullFailure { end, said })
}

/// Words on one line that append the content from `offset` (less than its size) on to the part file
/// `$p`, which holds just so many bytes. A subshell of its own: it leaves nothing behind but the bytes,
/// an exit status (0 or a [`PullEnd`]'s), and on failure a line on standard error.
pub fn fetch(pull: &Pull, offset: u64) -> String {
    let url = pull.url.expose();
    let secure = url.starts_with("https://");
    let token = url.rsplit('/').find(|part| !part.is_empty()).unwrap_or("-");
    let pin = pull.pin.as_ref().filter(|_| secure);
    let mut words = format!("( o={offset}; u={}; t={}; ", quote(url), quote(token));
    let _ = write!(
        words,
        "k={}; c={}; ",
        quote(pin.map_or("", |pin| &pin.key)),
        quote(&pin.map_or(String::new(), flat)),
    );
    words.push_str(if secure { "s=https; " } else { "s=http; " });
    for line in FETCH.lines() {
        words.push_str(line.trim());
        words.push(' ');
    }
    words.push(')');
    words
}

/// The certificates with `|` for the newlines, as the words are one line.
fn flat(pin: &Pin) -> String {
    pin.pem.trim_end().replace('\n', "|")
}

/// In single quotes. Nothing of what is said here has quotes or newlines in it; whatever has is
/// left out rather than let through.
fn quote(text: &str) -> String {
    let clean = |c: &char| !c.is_control() && !matches!(c, '\'' | '"' | '\\');
    format!("'{}'", text.chars().filter(clean).collect::<String>())
}

/// The words. `end STATUS` says what the tool said, the token taken out, and ends. Old curls have no
/// `--pinnedpubkey` (before 7.39) and some are built so that it does nothing; those check the
/// certificate as an authority, as wget does. `-q`, `--noproxy`, `--check-certificate`: what the account
/// has set up for other addresses is not meant. No redirection is followed. A full disk is told by a try of `dd`,
/// since curl says no more than that it could not write.
const FETCH: &str = r#"
umask 077; LC_ALL=C; export LC_ALL; trap 'rm -f -- "$p.pem"' EXIT; trap 'exit 7' HUP INT TERM;
end() {
while :; do case $m in *"$t"*) m=${m%%"$t"*}...${m#*"$t"};; *) break;; esac; done;
echo "ioms-pull: $(echo "$m" | tr '\n\r' '  ')" >&2; exit "$1"; };
disk() { d=$(dd if=/dev/zero bs=65536 count=1 2>&1 >>"$p") || m="$m $d"; end 8; };
pem() { [ -n "$c" ] || return 0; rm -f -- "$p.pem"; (set -C; echo "$c" | tr '|' '\n' >"$p.pem") 2>/dev/null && return 0;
m="can't write $p.pem"; disk; };
by_curl() {
[ "$o" = 0 ] || set -- -C "$o" "$@";
m=$(echo "url = \"$u\"" | curl -q -sS -g -f --noproxy '*' --proto "=$s" --connect-timeout 20 --speed-limit 1 --speed-time 60 "$@" -K - 2>&1 >>"$p"); e=$?;
case $e in 0) exit 0;; 2|4) return;; 5|6|7) end 4;; 51|60|83|90|91) end 5;; 22|33) end 6;; 18|52|55|56) end 7;; 23) disk;;
28) case $m in *low*) end 7;; *) end 4;; esac;; *) end 9;; esac; };
by_wget() {
[ "$o" = 0 ] || set -- -c "$@";
m=$(echo "$u" | wget -nv -t 1 -T 60 --no-proxy --check-certificate --max-redirect=0 "$@" -O "$p" -i - 2>&1); e=$?;
case $e in 0) exit 0;; 3) disk;; 5) end 5;; 8) end 6;;
4) case $m in *refused*|*resolv*|*oute*|*onnecting*|*nreachable*) end 4;; *) end 7;; esac;; *) end 9;; esac; };
m=$( (: >>"$p") 2>&1 ) || end 8;
if command -v curl >/dev/null 2>&1; then
if [ -z "$k" ]; then by_curl; else
case $(curl --version 2>/dev/null) in *SSL/*|*TLS/*|*NSS/*|*BoringSSL*|*SecureTransport*|*Schannel*|*AWS-LC*) by_curl -k --pinnedpubkey "sha256//$k";; esac;
pem; by_curl --cacert "$p.pem"; fi; fi;
case $(wget --version 2>/dev/null) in GNU\ Wget*)
if [ -z "$c" ]; then by_wget; else pem; by_wget --ca-certificate="$p.pem"; fi;; esac;
m='neither curl nor GNU wget that could fetch'; end 3;
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_of_a_failure_is_bounded_and_fit_for_a_message() {
        assert_eq!(failure(Some(0), b"ioms-pull: x\n"), None);
        let said = format!(
            "noise\n{MARK}a\x1b[2J\u{7}{}\nmore noise",
            "x".repeat(10_000)
        );
        let failed = failure(Some(5), said.as_bytes()).unwrap();
        assert_eq!(failed.end, PullEnd::Untrusted);
        assert!(failed.said.starts_with("a [2J ") && failed.said.len() == SAID);
        for (exit, end) in [
            (None, PullEnd::Broken),
            (Some(137), PullEnd::Failed),
            (Some(-1), PullEnd::Failed),
        ] {
            let said = String::new();
            assert_eq!(failure(exit, b"\xff\xfe"), Some(PullFailure { end, said }));
        }
    }

    #[test]
    fn the_words_are_one_line_without_what_a_shell_could_take_for_something_else() {
        let pull = Pull {
            url: "https://a'; rm -rf /\n$(x)/t".to_owned().into(),
            pin: Some(Pin {
                certificate: String::new(),
                key: "k'`x`".into(),
                pem: "-----BEGIN\nAA'\n-----END\n".into(),
            }),
            sha256: String::new(),
        };
        let words = fetch(&pull, 7);
        assert!(!words.contains('\n'));
        let start =
            "( o=7; u='https://a; rm -rf /$(x)/t'; t='t'; k='k`x`'; c='-----BEGIN|AA|-----END'; ";
        assert!(words.starts_with(start), "{words}");
    }
}
