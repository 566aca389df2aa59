//! Hashes of passwords as crypt(3) and the shadow file have them.

use std::sync::Arc;

use rand::RngExt as _;
use sha_crypt::{Params, sha256_crypt, sha512_crypt};

use super::super::args::Args;
use super::super::error::{Fail, fail, failure};
use super::super::val::Val;

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What Ansible takes with passlib; without it, 5000 is the system's own.
const ROUNDS_SHA512: u32 = 656_000;
const ROUNDS_SHA256: u32 = 535_000;
/// The most that a controller should be asked for.
const ROUNDS_MAX: u32 = 10_000_000;

pub(super) fn password_hash(args: &Args<'_>) -> Result<Val, Fail> {
    let password = args.text(0)?;
    let kind = args.maybe_text(1)?;
    let salt = args.maybe_text(2)?;
    let rounds = args.count(4, 0)?;
    hashed(&password, kind.as_deref().unwrap_or("sha512"), salt, rounds).map(Val::from)
}

/// The hash of a password; without a salt a new one is made.
pub fn hashed(
    password: &str,
    kind: &str,
    salt: Option<Arc<str>>,
    rounds: usize,
) -> Result<String, Fail> {
    match kind {
        "sha512" | "sha512_crypt" => sha(password, '6', salt, rounds, ROUNDS_SHA512),
        "sha256" | "sha256_crypt" => sha(password, '5', salt, rounds, ROUNDS_SHA256),
        "blowfish" | "bcrypt" => bcrypted(password, salt, rounds),
        "md5" | "md5_crypt" => fail(
            "hashes of kind md5 are broken and not made here; take sha512, or pass a ready hash",
        ),
        other => fail(format!(
            "{other} is not in the list of supported passlib algorithms: sha512, sha256, bcrypt"
        )),
    }
}

/// How long the salts of a kind of hash are.
pub(in super::super) fn salt_size(kind: &str) -> usize {
    match kind {
        "bcrypt" | "blowfish" => 22,
        "sha512" | "sha512_crypt" | "sha256" | "sha256_crypt" => 16,
        _ => 8,
    }
}

/// A salt that nobody has had.
pub fn random_salt(length: usize) -> String {
    let mut rng = rand::rng();
    let letters = (0..length).map(|_| LETTERS[rng.random_range(0..64_usize)] as char);
    letters.collect()
}

fn salt_of(given: Option<Arc<str>>, length: usize, name: &str) -> Result<String, Fail> {
    let Some(salt) = given else {
        return Ok(random_salt(length));
    };
    if salt.bytes().any(|byte| !LETTERS.contains(&byte)) {
        return fail(format!("invalid characters in {name} salt"));
    }
    Ok(salt.to_string())
}

fn sha(
    password: &str,
    mark: char,
    salt: Option<Arc<str>>,
    rounds: usize,
    usual: u32,
) -> Result<String, Fail> {
    let name = if mark == '6' {
        "sha512_crypt"
    } else {
        "sha256_crypt"
    };
    let salt = salt_of(salt, 16, name)?;
    if salt.len() > 16 {
        return fail(format!("salt too large ({name} requires <= 16 chars)"));
    }
    let rounds = match rounds {
        0 => usual,
        given => u32::try_from(given)
            .ok()
            .filter(|rounds| *rounds <= ROUNDS_MAX)
            .ok_or_else(|| {
                failure(format!(
                    "rounds of more than {ROUNDS_MAX} are not done here"
                ))
            })?,
    };
    let params = Params::new(rounds).map_err(|error| failure(format!("rounds: {error}")))?;
    let shown = if rounds == 5000 {
        String::new()
    } else {
        format!("rounds={rounds}$")
    };
    let (password, salted) = (password.as_bytes(), salt.as_bytes());
    let hash = if mark == '6' {
        encoded(&sha512_crypt(password, salted, params), 21)
    } else {
        encoded(&sha256_crypt(password, salted, params), 10)
    };
    Ok(format!("${mark}${shown}{salt}${hash}"))
}

/// The order of bytes that crypt(3) prints them in: three at a time, a third of the digest apart, the
/// first of them moving on.
fn encoded(digest: &[u8], third: usize) -> String {
    let byte = |at: usize| u32::from(digest.get(at).copied().unwrap_or(0));
    let mut out = String::new();
    let mut write = |mut word: u32, count: usize| {
        for _ in 0..count {
            out.push(LETTERS[(word & 0x3f) as usize] as char);
            word >>= 6;
        }
    };
    for i in 0..third {
        // SHA-512 turns the triple to the left, SHA-256 to the right.
        let turn = if digest.len() == 64 {
            i % 3
        } else {
            (3 - i % 3) % 3
        };
        let triple = [i, i + third, i + 2 * third];
        let at = |k: usize| byte(triple[(k + turn) % 3]);
        write(at(0) << 16 | at(1) << 8 | at(2), 4);
    }
    if digest.len() == 64 {
        write(byte(63), 2);
    } else {
        write(byte(31) << 8 | byte(30), 3);
    }
    out
}

fn bcrypted(password: &str, salt: Option<Arc<str>>, rounds: usize) -> Result<String, Fail> {
    let salt = salt_of(salt, 22, "bcrypt")?;
    if salt.len() != 22 {
        return fail("bcrypt salts have 22 characters");
    }
    let mut bytes = [0_u8; 16];
    let mut bits = 0_u32;
    let mut held = 0;
    let mut at = 0;
    // bcrypt has an alphabet of its own order.
    let order = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for letter in salt.bytes() {
        let value = order.iter().position(|known| *known == letter).unwrap_or(0);
        bits = bits << 6 | u32::try_from(value).unwrap_or(0);
        held += 6;
        if held >= 8 {
            held -= 8;
            if let Some(byte) = bytes.get_mut(at) {
                *byte = u8::try_from(bits >> held & 0xff).unwrap_or(0);
            }
            at += 1;
        }
    }
    let cost = match rounds {
        0 => 12,
        rounds @ 4..=15 => u32::try_from(rounds).unwrap_or(12),
        _ => return fail("bcrypt's rounds are from 4 to 15 here"),
    };
    let parts = bcrypt::hash_with_salt(password, cost, bytes)
        .map_err(|error| failure(format!("bcrypt: {error}")))?;
    Ok(parts.format_for_version(bcrypt::Version::TwoB))
}
