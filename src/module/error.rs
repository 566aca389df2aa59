//! Why a task can't be said to a host.

/// What is wrong with a task's arguments, or with what it needs of the controller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModuleError {
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// The parameter that is meant, if one is.
    pub parameter: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl ModuleError {
    /// An error of no single parameter.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            parameter: None,
            hint: None,
        }
    }

    /// An error of a parameter.
    pub fn of(parameter: &str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            parameter: Some(parameter.to_owned()),
            hint: None,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
