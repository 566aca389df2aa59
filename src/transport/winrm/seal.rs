//! `multipart/encrypted`: the frame around a sealed message (MS-WSMV 2.2.9.1). It knows no
//! cryptography; what seals is behind [`Sealing`].

use super::hints;
use crate::event::{ErrorKind, HostError};

/// Seals and opens messages for one logged-in connection, in order.
pub(super) trait Sealing: Send {
    /// `application/HTTP-SPNEGO-session-encrypted`, or Kerberos' own.
    fn protocol(&self) -> &'static str;

    /// Whether the login has proven the host's name to us.
    fn proves_the_host(&self) -> bool;

    /// Seals a message in place; what is returned goes before it.
    fn seal(&mut self, message: &mut Vec<u8>) -> Result<Vec<u8>, HostError>;

    /// Opens a message. `signature` is what went before it.
    fn open(&mut self, signature: &mut [u8], message: &mut Vec<u8>) -> Result<(), HostError>;
}

/// The type of what is inside.
const SOAP: &str = "application/soap+xml;charset=UTF-8";
const BOUNDARY: &[u8] = b"--Encrypted Boundary";
/// A part's head is some lines; more is no head.
const HEAD: usize = 1024;

/// The `Content-Type` of a sealed message.
pub(super) fn content_type(protocol: &str) -> String {
    format!("multipart/encrypted;protocol=\"{protocol}\";boundary=\"Encrypted Boundary\"")
}

/// Whether a `Content-Type` says that a message is sealed.
pub(super) fn is_sealed(content_type: &str) -> bool {
    content_type
        .get(.."multipart/encrypted".len())
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/encrypted"))
}

/// Seals and frames. Windows refuses one byte more or less than this.
pub(super) fn frame(sealing: &mut dyn Sealing, message: String) -> Result<Vec<u8>, HostError> {
    let length = message.len();
    let mut message = message.into_bytes();
    let signature = sealing.seal(&mut message)?;
    let head = format!(
        "--Encrypted Boundary\r\n\tContent-Type: {}\r\n\tOriginalContent: type={SOAP};Length={length}\r\n\
         --Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n",
        sealing.protocol()
    );
    let mut framed =
        Vec::with_capacity(head.len() + 4 + signature.len() + message.len() + BOUNDARY.len() + 4);
    framed.extend_from_slice(head.as_bytes());
    let signature_length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
    framed.extend_from_slice(&signature_length.to_le_bytes());
    framed.extend_from_slice(&signature);
    framed.extend_from_slice(&message);
    framed.extend_from_slice(b"--Encrypted Boundary--\r\n");
    Ok(framed)
}

/// A sealed message's parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealed<'a> {
    /// How long the opened message is.
    pub(super) length: usize,
    /// What goes before it.
    pub(super) signature: &'a [u8],
    /// The sealed message.
    pub(super) message: &'a [u8],
}

/// Takes a frame apart. The message may hold any bytes, boundaries too: its length counts.
pub(super) fn unframe(body: &[u8]) -> Result<Sealed<'_>, &'static str> {
    let rest = boundary(body).ok_or("no boundary")?;
    let (length, rest) = first_head(rest)?;
    let rest = second_head(rest)?;
    let (size, rest) = rest
        .split_first_chunk::<4>()
        .ok_or("no length of the signature")?;
    let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
    let (signature, rest) = rest
        .split_at_checked(size)
        .ok_or("a signature that is cut off")?;
    let end = rest.strip_suffix(b"\r\n").unwrap_or(rest);
    let message = end
        .strip_suffix(b"--Encrypted Boundary--")
        .ok_or("no boundary at its end")?;
    Ok(Sealed {
        length,
        signature,
        message,
    })
}

fn boundary(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(BOUNDARY)?.strip_prefix(b"\r\n")
}

/// One line without its end and its indent, and what comes after it.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(HEAD).position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end + 1)?;
    Some((std::str::from_utf8(line).ok()?.trim(), rest))
}

/// The lines that say what is sealed, up to the second boundary.
fn first_head(mut bytes: &[u8]) -> Result<(usize, &[u8]), &'static str> {
    let mut length = None;
    for _ in 0..8 {
        if let Some(rest) = boundary(bytes) {
            return Ok((length.ok_or("no length of what is inside")?, rest));
        }
        let (text, rest) = line(bytes).ok_or("a head that does not end")?;
        if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("OriginalContent")
        {
            length = value
                .split(';')
                .filter_map(|part| part.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("Length"))
                .and_then(|(_, length)| length.trim().parse().ok());
        }
        bytes = rest;
    }
    Err("a head that does not end")
}

/// The line that says that bytes follow.
fn second_head(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let (text, rest) = line(bytes).ok_or("no second part")?;
    let value = text.split_once(':').map(|(_, value)| value.trim());
    if value.is_some_and(|value| value.eq_ignore_ascii_case("application/octet-stream")) {
        Ok(rest)
    } else {
        Err("a second part that is not the sealed message")
    }
}

/// Takes a frame apart and opens what is in it.
pub(super) fn unseal(
    sealing: &mut dyn Sealing,
    body: &[u8],
    place: &str,
) -> Result<Vec<u8>, HostError> {
    let sealed = unframe(body).map_err(|why| {
        HostError::new(
            ErrorKind::Protocol,
            format!("{place}: its sealed answer can't be read: {why}"),
        )
        .hint(hints::NOT_SEALED)
    })?;
    let mut signature = sealed.signature.to_vec();
    let mut message = sealed.message.to_vec();
    sealing.open(&mut signature, &mut message)?;
    if message.len() != sealed.length {
        return Err(HostError::new(
            ErrorKind::Protocol,
            format!("{place}: its sealed answer is not as long as it says"),
        ));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Seals by turning each byte over, with its number for a signature.
    #[derive(Default)]
    struct Toy(u8);

    fn turn(message: &mut [u8]) {
        for byte in message {
            *byte = !*byte;
        }
    }

    impl Sealing for Toy {
        fn protocol(&self) -> &'static str {
            "application/HTTP-SPNEGO-session-encrypted"
        }
        fn proves_the_host(&self) -> bool {
            false
        }
        fn seal(&mut self, message: &mut Vec<u8>) -> Result<Vec<u8>, HostError> {
            self.0 += 1;
            turn(message);
            Ok(vec![self.0; 16])
        }
        fn open(&mut self, signature: &mut [u8], message: &mut Vec<u8>) -> Result<(), HostError> {
            assert_eq!(signature.len(), 16);
            turn(message);
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_byte_for_byte_what_windows_takes() {
        let framed = frame(&mut Toy::default(), "<a/>".to_owned()).unwrap();
        let expected = [
            b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n".as_slice(),
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=4\r\n",
            b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n",
            &[16, 0, 0, 0],
            &[1; 16],
            &[!b'<', !b'a', !b'/', !b'>'],
            b"--Encrypted Boundary--\r\n",
        ]
        .concat();
        assert_eq!(framed, expected);
    }

    proptest! {
        #[test]
        fn what_was_framed_is_read_back_whatever_it_holds(text in ".*", twice in any::<bool>()) {
            let text = if twice { format!("{text}--Encrypted Boundary--\r\n") } else { text };
            let framed = frame(&mut Toy::default(), text.clone()).unwrap();
            let opened = unseal(&mut Toy::default(), &framed, "host").unwrap();
            prop_assert_eq!(opened, text.into_bytes());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0..200_usize) {
            let _ = unframe(&bytes);
            let mut framed = frame(&mut Toy::default(), "<a/>".to_owned()).unwrap();
            framed.splice(at.min(framed.len()).., bytes);
            let _ = unframe(&framed);
        }

        #[test]
        fn a_frame_that_was_cut_is_refused(cut in 1..150_usize) {
            let framed = frame(&mut Toy::default(), "<a/>".to_owned()).unwrap();
            let cut = framed.len().saturating_sub(cut + 2);
            prop_assert!(unframe(&framed[..cut]).is_err());
        }
    }

    #[test]
    fn the_length_that_is_said_must_be_the_length_there_is() {
        let framed = frame(&mut Toy::default(), "<abc/>".to_owned()).unwrap();
        let text = String::from_utf8_lossy(&framed).into_owned();
        assert!(text.contains("Length=6"));
        let at = framed.windows(8).position(|w| w == b"Length=6").unwrap();
        let mut lying = framed;
        lying[at + 7] = b'7';
        let error = unseal(&mut Toy::default(), &lying, "host").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
    }
}
