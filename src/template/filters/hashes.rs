//! Filters that hash and encode.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::super::args::Args;
use super::super::error::{Fail, fail, failure};
use super::super::val::Val;
use super::{Filter, deep};
use crate::base::digest::hex;
use crate::base::text;

pub(super) const ALL: &[Filter] = &[
    deep("hash", "data hashtype", |args| {
        let kind = args.maybe_text(1)?;
        digest(kind.as_deref().unwrap_or("sha1"), args)
    }),
    deep("md5", "data", |args| digest("md5", args)),
    deep("sha1", "data", |args| digest("sha1", args)),
    deep("checksum", "data", |args| digest("sha1", args)),
    deep("b64encode", "string encoding urlsafe", b64encode),
    deep("b64decode", "string encoding urlsafe", b64decode),
    deep("to_uuid", "string namespace", to_uuid),
    deep(
        "password_hash",
        "password hashtype salt salt_size rounds ident",
        super::passwords::password_hash,
    ),
];

fn digest(kind: &str, args: &Args<'_>) -> Result<Val, Fail> {
    let data = args.text(0)?;
    let data = data.as_bytes();
    Ok(Val::from(match kind {
        "md5" => hex(&Md5::digest(data)),
        "sha1" => hex(&Sha1::digest(data)),
        "sha224" => hex(&Sha224::digest(data)),
        "sha256" => hex(&Sha256::digest(data)),
        "sha384" => hex(&Sha384::digest(data)),
        "sha512" => hex(&Sha512::digest(data)),
        other => {
            return fail(format!(
                "unsupported hash type {other}; md5, sha1, sha224, sha256, sha384 and sha512 are there"
            ));
        }
    }))
}

fn encoding(args: &Args<'_>) -> Result<Option<text::Charset>, Fail> {
    match args.maybe_text(1)? {
        Some(label)
            if !label.eq_ignore_ascii_case("utf-8") && !label.eq_ignore_ascii_case("utf8") =>
        {
            match text::encoding(&label) {
                Some(charset) => Ok(Some(charset)),
                None => fail(format!("unknown encoding: {label}")),
            }
        }
        _ => Ok(None),
    }
}

fn b64encode(args: &Args<'_>) -> Result<Val, Fail> {
    let data = args.text(0)?;
    let bytes = match args.maybe_text(1)?.as_deref() {
        Some("utf-16-le" | "utf-16le") => data.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => match encoding(args)? {
            None => data.as_bytes().to_vec(),
            Some(_) => return fail("only UTF-8 and UTF-16-LE are encoded here"),
        },
    };
    let encoded = STANDARD.encode(bytes);
    Ok(Val::from(if args.flag(2, false) {
        encoded.replace('+', "-").replace('/', "_")
    } else {
        encoded
    }))
}

fn b64decode(args: &Args<'_>) -> Result<Val, Fail> {
    let data = args.text(0)?;
    let mut plain: String = data.split_whitespace().collect();
    if args.flag(2, false) {
        plain = plain.replace('-', "+").replace('_', "/");
    }
    let bytes = STANDARD
        .decode(&plain)
        .map_err(|_| failure("Incorrect padding"))?;
    if matches!(
        args.maybe_text(1)?.as_deref(),
        Some("utf-16-le" | "utf-16le")
    ) {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        return Ok(Val::from(String::from_utf16_lossy(&units)));
    }
    match encoding(args)? {
        Some(charset) => Ok(Val::from(text::decode(&bytes, charset).text.into_owned())),
        None => match String::from_utf8(bytes) {
            Ok(text) => Ok(Val::from(text)),
            Err(_) => {
                fail("what is encoded is not UTF-8; name its encoding: b64decode(encoding='...')")
            }
        },
    }
}

/// Ansible's own namespace for names.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

/// UUID version 5.
fn to_uuid(args: &Args<'_>) -> Result<Val, Fail> {
    let namespace = args.maybe_text(1)?;
    let namespace = namespace.as_deref().unwrap_or(NAMESPACE);
    let namespace = uuid::Uuid::parse_str(namespace)
        .map_err(|_| failure(format!("Invalid value '{namespace}' for 'namespace'")))?;
    let mut hasher = Sha1::new();
    hasher.update(namespace.as_bytes());
    hasher.update(args.text(0)?.as_bytes());
    let digest = hasher.finalize();
    let mut bytes = [0_u8; 16];
    for (byte, found) in bytes.iter_mut().zip(digest.iter()) {
        *byte = *found;
    }
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Val::from(uuid::Uuid::from_bytes(bytes).to_string()))
}
