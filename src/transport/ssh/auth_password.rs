//! Logging in by a password, as itself or as the answer to a question: sent once, since each wrong
//! one counts where accounts are locked.

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse, Prompt};

use super::auth::{Attempt, Login};
use crate::base::secret::Secret;

/// A server may send rounds without questions; one that never ends is cut off.
const ROUNDS: usize = 8;

/// Words of questions for something else than the password.
const NOT_THE_PASSWORD: &[&str] = &[
    "verification",
    "one-time",
    "one time",
    "otp",
    "token",
    "passcode",
    "code:",
    "new password",
    "new unix password",
    "retype",
    "验证码",
    "动态",
    "口令牌",
    "新密码",
    "新的密码",
];

impl Login<'_> {
    /// The password, while it may still be sent.
    fn secret(&mut self, method: &str) -> Option<Secret> {
        let password = self.target.password.clone()?;
        if self.secret_sent {
            return None;
        }
        if self.seen.impostor() {
            self.tried.push(format!(
                "no {method}: the host shows another key than the one on record"
            ));
            return None;
        }
        Some(password)
    }

    pub(super) async fn password(&mut self) -> Attempt {
        let Some(password) = self.secret("password") else {
            return Attempt::Next;
        };
        self.secret_sent = true;
        self.secrets_sent += 1;
        let result = self
            .handle
            .authenticate_password(&self.target.user, password.expose())
            .await;
        self.judge(result, "password")
    }

    pub(super) async fn keyboard_interactive(&mut self) -> Attempt {
        let Some(password) = self.secret("keyboard-interactive") else {
            return Attempt::Next;
        };
        let mut what = "keyboard-interactive".to_owned();
        let user = self.target.user.clone();
        let mut response = self
            .handle
            .authenticate_keyboard_interactive_start(user, None)
            .await;
        for _ in 0..ROUNDS {
            let prompts = match response {
                Ok(KeyboardInteractiveAuthResponse::Success) => return Attempt::In,
                Ok(KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                }) => {
                    let failure = AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    };
                    return self.judge(Ok(failure), &what);
                }
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => prompts,
                Err(error) => return self.judge(Err(error), &what),
            };
            let answers = if !self.secret_sent && asks_for_the_password(&prompts) {
                self.secret_sent = true;
                self.secrets_sent += 1;
                vec![password.expose().to_owned()]
            } else {
                if let Some(prompt) = prompts.first() {
                    let question: String = prompt.prompt.trim().chars().take(60).collect();
                    what = format!("keyboard-interactive (asks `{}`)", question.escape_debug());
                }
                // Where something was asked, fewer answers than questions end the method
                // (RFC 4256, 3.4) without a wrong answer that would count.
                Vec::new()
            };
            response = self
                .handle
                .authenticate_keyboard_interactive_respond(answers)
                .await;
        }
        Attempt::Next
    }
}

/// One hidden question, and not for a code or for a new password.
fn asks_for_the_password(prompts: &[Prompt]) -> bool {
    let [prompt] = prompts else { return false };
    let text = prompt.prompt.to_lowercase();
    !prompt.echo && !NOT_THE_PASSWORD.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_question_for_the_password_is_answered() {
        let asks = |text: &str, echo| {
            asks_for_the_password(&[Prompt {
                prompt: text.to_owned(),
                echo,
            }])
        };
        assert!(asks("Password: ", false));
        assert!(asks("(root@db1) 密码：", false));
        assert!(!asks("Password: ", true));
        assert!(!asks("Verification code: ", false));
        assert!(!asks("One-time password (OATH) for `root': ", false));
        assert!(!asks("New password: ", false));
        assert!(!asks_for_the_password(&[]));
    }
}
