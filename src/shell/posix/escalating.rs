//! What sudo, su and doas say: whether they ask for a password, and why they refuse. Pure.

use super::script::Method;

/// Words by which sudo, su and doas refuse: the line that tells most, when they have ended.
const REFUSALS: &[&str] = &[
    "incorrect password",
    "Authentication failure",
    "Authentication failed",
    "Authorization failed",
    "Operation not permitted",
    "is not in the sudoers file",
    "may not run sudo",
    "not allowed to execute",
    "a password is required",
    "no password was provided",
    "a terminal is required",
];

/// Whether the last thing that was said asks for a password. `prompt` is what sudo was told to ask by.
pub(super) fn asks(method: Method, said: &str, prompt: &str) -> bool {
    if !method.needs_pty() {
        return said.contains(prompt);
    }
    // su and doas ask in the host's language; what all prompts share is their end.
    let last = said.rsplit(['\n', '\r']).next().unwrap_or_default();
    last.trim_end().ends_with([':', '：'])
}

/// The line that tells most of what was said in place of an answer, for a message.
pub(super) fn excerpt(said: &str, method: Option<Method>) -> String {
    let lines = || said.lines().map(str::trim);
    let line = method
        .and_then(|method| {
            let refuses = |line: &&str| REFUSALS.iter().any(|refusal| line.contains(refusal));
            // The program's first word; what plugins grumble comes after it.
            let program = format!("{}:", method.name());
            let first = || lines().find(|line| line.starts_with(&program));
            lines().find(refuses).or_else(first)
        })
        .or_else(|| lines().rfind(|line| !line.is_empty()));
    line.unwrap_or_default().chars().take(200).collect()
}
