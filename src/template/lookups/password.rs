//! `lookup('password', 'FILE length=20 chars=ascii_letters,digits')`: a password that is made once and
//! kept in a file.

use std::sync::Arc;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng as _};
use sha2::{Digest as _, Sha256};

use super::super::error::{Fail, fail, failure};
use super::super::filters;
use super::super::val::Val;
use super::files::{controller, old_options};
use super::{Lookup, Request, lookup};

pub(super) const ALL: &[Lookup] = &[lookup(
    "password",
    "length chars encrypt ident seed",
    password,
)];

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn password(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let mut found = Vec::new();
    for term in request.texts()? {
        let (path, own) = old_options(&term);
        let option = |name: &str| {
            let own = own.iter().find(|(key, _)| key == name);
            match own {
                Some((_, value)) => Ok(Some(Arc::from(value.as_str()))),
                None => match request.option(name) {
                    Some(list) if list.is_sequence() => {
                        let items = request.cx.items(list)?;
                        let words: Vec<&str> = items.iter().filter_map(Val::as_str).collect();
                        Ok(Some(Arc::from(words.join(","))))
                    }
                    _ => request.text(name),
                },
            }
        };
        let length = match option("length")? {
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|length| *length <= 4096)
                .ok_or_else(|| failure("`length` is a number of at most 4096"))?,
            None => 20,
        };
        let chars = letters(
            option("chars")?
                .as_deref()
                .unwrap_or("ascii_letters,digits,punctuation"),
        );
        if chars.is_empty() {
            return fail("`chars` leaves no letters to choose from");
        }
        let encrypt: Option<Arc<str>> = option("encrypt")?;
        let seed: Option<Arc<str>> = option("seed")?;
        request.cx.run.mark_secret();
        found.push(Val::from(one(
            request,
            &path,
            length,
            &chars,
            encrypt.as_deref(),
            seed,
        )?));
    }
    Ok(found)
}

fn one(
    request: &Request<'_>,
    path: &str,
    length: usize,
    chars: &[char],
    encrypt: Option<&str>,
    seed: Option<Arc<str>>,
) -> Result<String, Fail> {
    let make = || {
        let count = chars.len();
        let pick = |rng: &mut dyn Rng| -> String {
            (0..length)
                .filter_map(|_| chars.get(rng.random_range(0..count)))
                .collect()
        };
        match &seed {
            Some(seed) => pick(&mut StdRng::from_seed(
                Sha256::digest(seed.as_bytes()).into(),
            )),
            None => pick(&mut rand::rng()),
        }
    };
    let plain = if path == "/dev/null" {
        make()
    } else {
        let controller = controller(request.cx)?;
        let kept = match controller.find(path, Some("files")) {
            Some(found) => {
                let bytes = controller.read(&found, "files").map_err(failure)?;
                String::from_utf8(bytes).map_err(|_| failure("the password file is not UTF-8"))?
            }
            None => {
                let made = format!("{}\n", make());
                controller.create(path, &made).map_err(failure)?
            }
        };
        let line = kept.trim_end();
        // Ansible keeps the salt behind the password.
        match line.rfind(" salt=") {
            Some(at) => line.get(..at).unwrap_or(line).to_owned(),
            None => line.to_owned(),
        }
    };
    match encrypt {
        None => Ok(plain),
        Some(kind) => {
            // The salt follows from the password and the place, so that the hash stays the same.
            let digest = Sha256::digest(format!("{path}\0{plain}").as_bytes());
            let alphabet: Vec<char> = "./0123456789".chars().chain(LETTERS.chars()).collect();
            let size = if matches!(kind, "bcrypt" | "blowfish") {
                22
            } else {
                16
            };
            let salt: String = digest
                .iter()
                .take(size)
                .filter_map(|byte| alphabet.get(usize::from(byte & 0x3f)))
                .collect();
            filters::password_hash(&plain, kind, Some(Arc::from(salt)), 0)
        }
    }
}

/// Names of sets, and letters themselves, with commas between.
fn letters(chars: &str) -> Vec<char> {
    let mut found = Vec::new();
    let (chars, comma) = match chars.contains(",,") {
        true => (chars.replace(",,", ","), true),
        false => (chars.to_owned(), false),
    };
    for set in chars.split(',').filter(|set| !set.is_empty()) {
        match set {
            "ascii_letters" => found.extend(LETTERS.chars()),
            "ascii_lowercase" => found.extend('a'..='z'),
            "ascii_uppercase" => found.extend('A'..='Z'),
            "digits" => found.extend('0'..='9'),
            "hexdigits" => found.extend("0123456789abcdefABCDEF".chars()),
            "octdigits" => found.extend('0'..='7'),
            // Ansible's own: what needs no quoting.
            "punctuation" => found.extend(".,:-_".chars()),
            other => found.extend(other.chars()),
        }
    }
    if comma {
        found.push(',');
    }
    found
}
