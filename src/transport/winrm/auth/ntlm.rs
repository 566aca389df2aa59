//! NTLM (MS-NLMP), with the crate `sspi`: the two messages of ours, and the seal that comes of them.

use sspi::{
    AuthIdentityBuffers, BufferType, ClientRequestFlags, DataRepresentation, Ntlm, SecurityBuffer,
    Sspi as _, SspiImpl as _,
};

use super::super::seal::Sealing;
use super::security;
use crate::base::secret::Secret;
use crate::event::{ErrorKind, HostError};

/// One exchange; after it, the seal of the connection it was made on.
pub(super) struct Exchange {
    ntlm: Ntlm,
    credentials: Option<AuthIdentityBuffers>,
    place: String,
}

impl Exchange {
    /// For a user; `binding` ties the login to a TLS connection.
    pub(super) fn new(user: &str, password: &Secret, binding: Option<&[u8]>, place: &str) -> Self {
        let (domain, user) = account(user);
        let mut ntlm = Ntlm::new();
        if let Some(binding) = binding {
            ntlm.set_channel_bindings(binding);
        }
        Self {
            ntlm,
            credentials: Some(AuthIdentityBuffers::from_utf8(
                user,
                domain,
                password.expose(),
            )),
            place: place.to_owned(),
        }
    }

    /// The next message of ours; `token` is what the host said to the last one.
    pub(super) fn step(&mut self, token: Vec<u8>) -> Result<Vec<u8>, HostError> {
        let mut input = [SecurityBuffer::new(token, BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let mut builder = self
            .ntlm
            .initialize_security_context()
            .with_credentials_handle(&mut self.credentials)
            .with_context_requirements(
                ClientRequestFlags::CONFIDENTIALITY
                    | ClientRequestFlags::INTEGRITY
                    | ClientRequestFlags::SEQUENCE_DETECT
                    | ClientRequestFlags::REPLAY_DETECT,
            )
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut input)
            .with_output(&mut output);
        self.ntlm
            .initialize_security_context_impl(&mut builder)
            .and_then(|mut step| step.resolve_to_result())
            .map_err(|error| {
                HostError::new(
                    ErrorKind::Protocol,
                    format!("{}: NTLM: {}", self.place, error.description),
                )
            })?;
        let [SecurityBuffer { buffer, .. }] = output;
        Ok(buffer)
    }

    /// The exchange is over: what it has made.
    pub(super) fn seal(self) -> Seal {
        Seal {
            ntlm: self.ntlm,
            place: self.place,
        }
    }
}

/// Domain and name. An account of the host itself has no domain; a principal (`user@realm`) is its
/// own name, whole (MS-NLMP 2.2.1.3).
fn account(user: &str) -> (&str, &str) {
    match user.split_once('\\') {
        Some((".", name)) => ("", name),
        Some((domain, name)) => (domain, name),
        None => ("", user),
    }
}

/// Seals what goes over a connection (MS-NLMP 3.4.6).
pub(super) struct Seal {
    ntlm: Ntlm,
    place: String,
}

/// A signature is always so long (MS-NLMP 2.2.2.9).
const SIGNATURE: usize = 16;

impl Sealing for Seal {
    fn protocol(&self) -> &'static str {
        "application/HTTP-SPNEGO-session-encrypted"
    }

    /// Who forwards our messages to the host that he wants to be taken for is not noticed.
    fn proves_the_host(&self) -> bool {
        false
    }

    fn seal(&mut self, message: &mut Vec<u8>) -> Result<Vec<u8>, HostError> {
        security::seal(&mut self.ntlm, SIGNATURE, message)
            .map_err(|error| security::unsealed(&self.place, &error))
    }

    fn open(&mut self, signature: &mut [u8], message: &mut Vec<u8>) -> Result<(), HostError> {
        let changed = |why: &str| security::changed(&self.place, why);
        if signature.len() != SIGNATURE {
            return Err(changed("its signature has the wrong length"));
        }
        security::open(&mut self.ntlm, signature, message)
            .map_err(|error| changed(&error.description))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accounts_are_read_as_windows_reads_them() {
        assert_eq!(account("Administrator"), ("", "Administrator"));
        assert_eq!(account(r"CORP\ops"), ("CORP", "ops"));
        assert_eq!(account(r".\ops"), ("", "ops"));
        assert_eq!(account("ops@corp.example"), ("", "ops@corp.example"));
    }

    proptest! {
        #[test]
        fn no_challenge_makes_it_panic(
            flags in any::<u32>(), offset in 0..80_u32, length in any::<u16>(),
            tail in proptest::collection::vec(any::<u8>(), 0..120),
        ) {
            let mut exchange = Exchange::new("u", &Secret::new("p"), None, "host");
            prop_assert!(exchange.step(Vec::new()).unwrap().starts_with(b"NTLMSSP\0\x01"));
            let mut challenge = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0".to_vec();
            challenge.extend(flags.to_le_bytes());
            challenge.extend([7; 16]);
            challenge.extend(length.to_le_bytes());
            challenge.extend(length.to_le_bytes());
            challenge.extend(offset.to_le_bytes());
            challenge.extend(tail);
            let _ = exchange.step(challenge);
        }
    }
}
