//! The seal that a login with the crate `sspi` leaves: the same calls whatever the login was by.

use sspi::{EncryptionFlags, SecurityBufferRef, Sspi};

use crate::event::{ErrorKind, HostError};

/// Seals a message in place, by a signature of this length.
pub(super) fn seal(
    context: &mut impl Sspi,
    length: usize,
    message: &mut [u8],
) -> Result<Vec<u8>, sspi::Error> {
    let mut signature = vec![0; length];
    let mut buffers = [
        SecurityBufferRef::token_buf(&mut signature),
        SecurityBufferRef::data_buf(message),
    ];
    context.encrypt_message(EncryptionFlags::empty(), &mut buffers)?;
    Ok(signature)
}

/// Opens a sealed message in place.
pub(super) fn open(
    context: &mut impl Sspi,
    signature: &mut [u8],
    message: &mut Vec<u8>,
) -> Result<(), sspi::Error> {
    let length = {
        let mut buffers = [
            SecurityBufferRef::token_buf(signature),
            SecurityBufferRef::data_buf(message),
        ];
        context.decrypt_message(&mut buffers)?;
        let [_, data] = &buffers;
        data.data().len()
    };
    message.truncate(length);
    Ok(())
}

/// That a message could not be sealed.
pub(super) fn unsealed(place: &str, error: &sspi::Error) -> HostError {
    HostError::new(
        ErrorKind::Protocol,
        format!("{place}: sealing: {}", error.description),
    )
}

/// That what the host said is not what it sent.
pub(super) fn changed(place: &str, why: &str) -> HostError {
    HostError::new(
        ErrorKind::Protocol,
        format!("{place}: its sealed answer was changed on the way ({why})"),
    )
    .hint(super::super::hints::CHANGED_ON_THE_WAY)
}
