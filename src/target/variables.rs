//! What target resolution asks of whoever knows a host's variables: one value at a time, ready for
//! use. `cli` fills it from inventory, flags, templates and vaults.

use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::event::HostError;

/// A variable's value, templates rendered and vaults opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The value; plain kinds only. Of a vault value, its text.
    pub value: Value,
    /// Whether any part came out of a vault: such text is handled as a [`Secret`].
    pub secret: bool,
    /// Where it is set, for messages: `inventory/hosts.yml:12:7`, `-e`, `-u`.
    pub origin: String,
}

/// A host's variables.
pub trait Variables {
    /// The variable's value; `None` when nobody set it. Errors are the host's: `template` for what
    /// can't be rendered or decrypted.
    fn get(&self, name: &str) -> Result<Option<Resolved>, HostError>;

    /// What a play's or task's keyword says (`remote_user`, `become_user`): weaker than all variables,
    /// stronger than flags.
    fn keyword(&self, _keyword: &'static str) -> Result<Option<Resolved>, HostError> {
        Ok(None)
    }

    /// Tells the run's redactor of a secret.
    fn learn(&self, secret: &Secret);
}
