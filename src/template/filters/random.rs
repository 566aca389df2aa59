//! Random choices. With a seed they are Python's: the minute that `random(seed=inventory_hostname)`
//! gives a host's cron entry stays what it was under Ansible.

use rand::Rng as _;
use sha2::{Digest, Sha512};

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::python;
use super::super::val::Val;

const STATE: usize = 624;

/// The Mersenne twister, seeded as `random.Random` seeds it.
struct Twister {
    state: [u32; STATE],
    at: usize,
}

impl Twister {
    /// From text or a whole number.
    fn new(seed: &Val) -> Result<Self, Fail> {
        let bytes = match seed {
            Val::Int(number) => number.unsigned_abs().to_be_bytes().to_vec(),
            Val::Bool(yes) => vec![u8::from(*yes)],
            other => {
                let text = python::text(other)?;
                let mut bytes = text.as_bytes().to_vec();
                bytes.extend_from_slice(&Sha512::digest(text.as_bytes()));
                bytes
            }
        };
        let mut key: Vec<u32> = bytes
            .rchunks(4)
            .map(|chunk| {
                chunk
                    .iter()
                    .fold(0, |word, byte| word << 8 | u32::from(*byte))
            })
            .collect();
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        Ok(Self::from_key(&key))
    }

    fn from_key(key: &[u32]) -> Self {
        let mut state = [0_u32; STATE];
        state[0] = 19_650_218;
        for i in 1..STATE {
            let before = state[i - 1];
            #[expect(clippy::cast_possible_truncation, reason = "i < 624")]
            let i_word = i as u32;
            state[i] = (before ^ before >> 30)
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i_word);
        }
        let (mut i, mut j) = (1, 0);
        for _ in 0..STATE.max(key.len()) {
            let before = state[i - 1];
            let word = key.get(j).copied().unwrap_or(0);
            #[expect(clippy::cast_possible_truncation, reason = "a key has few words")]
            let j_word = j as u32;
            state[i] = (state[i] ^ (before ^ before >> 30).wrapping_mul(1_664_525))
                .wrapping_add(word)
                .wrapping_add(j_word);
            i += 1;
            j += 1;
            if i >= STATE {
                state[0] = state[STATE - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 1..STATE {
            let before = state[i - 1];
            #[expect(clippy::cast_possible_truncation, reason = "i < 624")]
            let i_word = i as u32;
            state[i] = (state[i] ^ (before ^ before >> 30).wrapping_mul(1_566_083_941))
                .wrapping_sub(i_word);
            i += 1;
            if i >= STATE {
                state[0] = state[STATE - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        Self { state, at: STATE }
    }

    fn next(&mut self) -> u32 {
        if self.at >= STATE {
            for i in 0..STATE {
                let y = self.state[i] & 0x8000_0000 | self.state[(i + 1) % STATE] & 0x7fff_ffff;
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + 397) % STATE] ^ y >> 1 ^ odd;
            }
            self.at = 0;
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    fn bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.next() >> (32 - count));
        }
        let low = u64::from(self.next());
        let high = u64::from(self.next() >> (64 - count));
        high << 32 | low
    }

    fn below(&mut self, limit: u64) -> u64 {
        let bits = 64 - limit.leading_zeros();
        loop {
            let found = self.bits(bits);
            if found < limit {
                return found;
            }
        }
    }
}

/// Where chance comes from.
enum Chance {
    Seeded(Box<Twister>),
    System,
}

impl Chance {
    fn of(seed: Option<&Val>) -> Result<Self, Fail> {
        Ok(match seed {
            Some(seed) => Self::Seeded(Box::new(Twister::new(seed)?)),
            None => Self::System,
        })
    }

    /// A number from 0 to below the limit, which is at least 1.
    fn below(&mut self, limit: u64) -> u64 {
        match self {
            Self::Seeded(twister) => twister.below(limit),
            Self::System => rand::rng().next_u64() % limit,
        }
    }

    fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap_or(0)
    }
}

pub(super) fn random(args: &Args<'_>) -> Result<Val, Fail> {
    let mut chance = Chance::of(args.some(3))?;
    if let end @ (Val::Int(_) | Val::Bool(_)) = args.input()? {
        let (start, step) = (args.int(1, 0)?, args.int(2, 1)?);
        let end = python::int(end)?;
        let width = if step == 0 {
            return fail("zero step for randrange()");
        } else {
            (end - start + step - step.signum()).div_euclid(step)
        };
        let Some(width) = u64::try_from(width).ok().filter(|width| *width > 0) else {
            return fail(format!(
                "empty range for randrange() ({start}, {end}, {step})"
            ));
        };
        return Ok(Val::Int(start + step * i128::from(chance.below(width))));
    }
    if args.some(1).is_some() || args.some(2).is_some() {
        return fail("start and step can only be used with integer values");
    }
    let items = args.items(0)?;
    if items.is_empty() {
        return fail("Cannot choose from an empty sequence");
    }
    Ok(items
        .get(chance.place(items.len()))
        .cloned()
        .unwrap_or(Val::None))
}

pub(super) fn shuffle(args: &Args<'_>) -> Result<Val, Fail> {
    let mut items = args.items(0)?;
    let mut chance = Chance::of(args.some(1))?;
    for at in (1..items.len()).rev() {
        let other = chance.place(at + 1);
        items.swap(at, other);
    }
    Ok(Val::list(items))
}
