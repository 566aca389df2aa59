//! `%h`-like tokens, `${NAME}` and times (`ssh_config(5)`, TOKENS and TIME FORMATS).

use std::fmt::Write as _;

use super::Local;

/// What tokens stand for.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    /// The controller.
    pub local: &'a Local,
    /// `%n`: the name that was looked up.
    pub original: &'a str,
    /// `%h`: after `HostName`.
    pub host: &'a str,
    /// `%p`.
    pub port: u16,
    /// `%r`.
    pub user: &'a str,
    /// `%j`: as written.
    pub jump: &'a str,
    /// `%k`: `HostKeyAlias`, else the original name.
    pub key_alias: &'a str,
}

/// All tokens we know.
const ALL: &str = "CLdhijklnpru";

impl Tokens<'_> {
    /// Replaces `%` tokens out of `allowed`; an error says which can't be.
    pub fn expand(&self, text: &str, allowed: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let Some(token) = rest.next() else {
                return Err("ends with a lone `%`: write `%%`".to_owned());
            };
            if token != '%' && !allowed.contains(token) {
                return Err(format!(
                    "the token `%{token}` has no meaning here: write `%%` for a plain `%`"
                ));
            }
            let Local {
                user,
                uid,
                home,
                hostname,
                ..
            } = self.local;
            let _ = match token {
                'C' => write!(out, "{}", self.digest()),
                'L' => write!(out, "{}", hostname.split('.').next().unwrap_or_default()),
                'd' => write!(out, "{}", home.display()),
                'h' => write!(out, "{}", self.host),
                'i' => write!(out, "{uid}"),
                'j' => write!(out, "{}", self.jump),
                'k' => write!(out, "{}", self.key_alias),
                'l' => write!(out, "{hostname}"),
                'n' => write!(out, "{}", self.original),
                'p' => write!(out, "{}", self.port),
                'r' => write!(out, "{}", self.user),
                'u' => write!(out, "{user}"),
                other => write!(out, "{other}"),
            };
        }
        Ok(out)
    }

    /// Replaces every token.
    pub fn expand_all(&self, text: &str) -> Result<String, String> {
        self.expand(text, ALL)
    }

    /// Replaces every token and `${NAME}`; then `~`.
    pub fn expand_path(&self, text: &str) -> Result<std::path::PathBuf, String> {
        let home = self.local.expand_home(text);
        let text = home.to_string_lossy();
        let with_environment = self.environment(&text)?;
        Ok(self.expand_all(&with_environment)?.into())
    }

    fn environment(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or("`${` without `}`")?;
            let value = self
                .local
                .env
                .get(name)
                .ok_or_else(|| format!("the environment has no `{name}`"))?;
            out.push_str(before);
            out.push_str(value);
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `%C`: SHA-1 of `%l%h%p%r%j` in OpenSSH. SHA-1 is not ours to carry for a name of control
    /// sockets; the first 20 bytes of SHA-256 are as long and as distinct.
    fn digest(&self) -> String {
        use sha2::Digest as _;
        let text = format!(
            "{}{}{}{}{}",
            self.local.hostname, self.host, self.port, self.user, self.jump
        );
        sha2::Sha256::digest(text.as_bytes()).iter().take(20).fold(
            String::new(),
            |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            },
        )
    }
}

/// Seconds of OpenSSH's time format: `90`, `1m30s`, `2h`, `1d`, `1w`; `none` is 0.
pub fn seconds(text: &str) -> Option<u64> {
    if text.eq_ignore_ascii_case("none") {
        return Some(0);
    }
    let mut total = 0_u64;
    let mut number: Option<u64> = None;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(
                number
                    .unwrap_or(0)
                    .checked_mul(10)?
                    .checked_add(u64::from(digit))?,
            );
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    (!text.is_empty()).then_some(())?;
    // i32 is what OpenSSH takes; more is a mistake.
    total
        .checked_add(number.unwrap_or(0))
        .filter(|total| *total <= 2_147_483_647)
}
