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
        let option = |name: &str| -> Result<Option<Arc<str>>, Fail> {
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
            option("ident")?,
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
    ident: Option<Arc<str>>,
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
    let salted = |held: &str| -> Result<Kept, String> {
        let mut kept = match held.trim_end_matches(['\r', '\n']) {
            "" => Kept {
                password: make(),
                ..Kept::default()
            },
            line => Kept::read(line),
        };
        if let (Some(known), Some(wanted)) = (&kept.ident, &ident)
            && **known != **wanted
        {
            return Err(format!(
                "The ident parameter provided ({wanted}) does not match the stored one ({known})."
            ));
        }
        if let Some(kind) = encrypt {
            let size = filters::salt_size(kind);
            kept.salt.get_or_insert_with(|| filters::random_salt(size));
            if matches!(kind, "bcrypt" | "blowfish") && kept.ident.is_none() {
                kept.ident = Some(ident.as_deref().unwrap_or("2b").to_owned());
            }
        }
        Ok(kept)
    };
    let kept = if path == "/dev/null" {
        salted("").map_err(failure)?
    } else {
        let controller = controller(request.cx)?;
        let content = controller.amend(path, &|held| {
            let content = format!("{}\n", salted(held)?.written());
            Ok((content.trim_end() != held.trim_end()).then_some(content))
        });
        Kept::read(content.map_err(failure)?.trim_end_matches(['\r', '\n']))
    };
    let Some(kind) = encrypt else {
        return Ok(kept.password);
    };
    if let Some(ident) = kept.ident.as_deref().filter(|ident| *ident != "2b") {
        return fail(format!(
            "hashes with the ident {ident} are not made here; 2b is"
        ));
    }
    filters::password_hash(&kept.password, kind, kept.salt.map(Arc::from), 0)
}

/// A password as its file keeps it: with the salt of its hash, so that the hash stays the same, and
/// the kind of bcrypt.
#[derive(Default)]
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

impl Kept {
    fn read(line: &str) -> Self {
        let Some((password, rest)) = line.rsplit_once(" salt=") else {
            return Self {
                password: line.to_owned(),
                ..Self::default()
            };
        };
        let (salt, ident) = match rest.rsplit_once(" ident=") {
            Some((salt, ident)) => (salt, Some(ident.to_owned())),
            None => (rest, None),
        };
        Self {
            password: password.to_owned(),
            salt: Some(salt.to_owned()).filter(|salt| !salt.is_empty()),
            ident,
        }
    }

    fn written(&self) -> String {
        let part = |name: &str, value: &Option<String>| {
            let value = value.as_ref();
            value.map_or_else(String::new, |value| format!(" {name}={value}"))
        };
        format!(
            "{}{}{}",
            self.password,
            part("salt", &self.salt),
            part("ident", &self.ident)
        )
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
