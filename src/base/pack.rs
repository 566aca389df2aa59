//! Values as bytes and back, without loss: which text is a template, which one is a vault's, what is
//! `omit`. For what the program keeps for itself; nobody else reads it.

use std::sync::Arc;

use super::value::{Map, Value};

/// No value is nested deeper.
const DEPTH_MAX: usize = 500;

/// Writes bytes.
#[derive(Debug, Default)]
pub struct Packer(Vec<u8>);

/// Bytes that nobody has packed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was kept can't be read")]
pub struct Malformed;

/// Reads them.
#[derive(Debug, Clone)]
pub struct Unpacker<'a>(&'a [u8]);

impl Packer {
    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Yes or no.
    pub fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    /// A number, seven bits a byte, the lowest first (LEB128).
    pub fn number(&mut self, mut number: u64) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or_default();
            number >>= 7;
            if number == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }

    fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Bytes without their length: the rest of what is packed, or of a length that both sides know.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A text, or none.
    pub fn optional(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// Texts.
    pub fn texts<T: AsRef<str>>(&mut self, texts: &[T]) {
        self.length(texts.len());
        for text in texts {
            self.text(text.as_ref());
        }
    }

    /// A mapping.
    pub fn map(&mut self, map: &Map) {
        self.length(map.len());
        for (name, value) in map {
            self.text(name);
            self.value(value);
        }
    }

    /// A value.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(false) => self.byte(1),
            Value::Bool(true) => self.byte(2),
            Value::Int(number) => {
                self.byte(3);
                // The sign in the lowest bit: small numbers are short.
                self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
            }
            Value::Float(number) => {
                self.byte(4);
                self.raw(&number.to_bits().to_le_bytes());
            }
            Value::String(text) => self.tagged(5, text),
            Value::Vault(text) => self.tagged(6, text),
            Value::Unsafe(text) => self.tagged(7, text),
            Value::List(items) => {
                self.byte(8);
                self.length(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Map(map) => {
                self.byte(9);
                self.map(map);
            }
            Value::Omit => self.byte(10),
        }
    }

    fn tagged(&mut self, tag: u8, text: &str) {
        self.byte(tag);
        self.text(text);
    }
}

impl<'a> Unpacker<'a> {
    /// Over packed bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all is read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// So many bytes.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        self.raw(1)?.first().copied().ok_or(Malformed)
    }

    /// Yes or no.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        Ok(self.byte()? != 0)
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    /// How many follow: no more than there are bytes, whatever is written.
    fn length(&mut self) -> Result<usize, Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        if length > self.0.len() {
            return Err(Malformed);
        }
        Ok(length)
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.raw(length)
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    /// A text, or none.
    pub fn optional(&mut self) -> Result<Option<&'a str>, Malformed> {
        if self.flag()? {
            self.text().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Texts.
    pub fn texts(&mut self) -> Result<Vec<&'a str>, Malformed> {
        (0..self.length()?).map(|_| self.text()).collect()
    }

    /// A mapping.
    pub fn map(&mut self) -> Result<Map, Malformed> {
        self.map_within(DEPTH_MAX)
    }

    /// A value.
    pub fn value(&mut self) -> Result<Value, Malformed> {
        self.within(DEPTH_MAX)
    }

    fn map_within(&mut self, depth: usize) -> Result<Map, Malformed> {
        let length = self.length()?;
        let mut map = Map::with_capacity(length.min(1024));
        for _ in 0..length {
            let name = Arc::from(self.text()?);
            map.insert(name, self.within(depth)?);
        }
        Ok(map)
    }

    fn within(&mut self, depth: usize) -> Result<Value, Malformed> {
        let below = depth.checked_sub(1).ok_or(Malformed)?;
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => {
                let number = self.number()?;
                Value::Int((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
            }
            4 => {
                let bytes = self.raw(8)?.try_into().map_err(|_| Malformed)?;
                Value::Float(f64::from_bits(u64::from_le_bytes(bytes)))
            }
            5 => Value::String(self.text()?.into()),
            6 => Value::Vault(self.text()?.into()),
            7 => Value::Unsafe(self.text()?.into()),
            8 => {
                let length = self.length()?;
                let mut items = Vec::with_capacity(length.min(1024));
                for _ in 0..length {
                    items.push(self.within(below)?);
                }
                Value::List(items)
            }
            9 => Value::Map(self.map_within(below)?),
            10 => Value::Omit,
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let text = || "[a-z{}% é\u{0}]{0,12}".prop_map(Arc::<str>::from);
        let leaf = prop_oneof![
            Just(Value::Null),
            Just(Value::Omit),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>()
                .prop_filter("is equal to itself", |number| !number.is_nan())
                .prop_map(Value::Float),
            text().prop_map(Value::String),
            text().prop_map(Value::Vault),
            text().prop_map(Value::Unsafe),
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            let pairs = prop::collection::vec((text(), inner.clone()), 0..5);
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(Value::List),
                pairs.prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
            ]
        })
    }

    fn packed(value: &Value) -> Vec<u8> {
        let mut packer = Packer::default();
        packer.value(value);
        packer.finish()
    }

    proptest! {
        #[test]
        fn whatever_is_packed_comes_back_as_it_was(value in any_value()) {
            let bytes = packed(&value);
            let mut unpacker = Unpacker::new(&bytes);
            prop_assert_eq!(unpacker.value(), Ok(value));
            prop_assert!(unpacker.is_empty());
        }

        #[test]
        fn bytes_of_somebody_else_are_an_error_at_worst(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Unpacker::new(&bytes).value();
            let _ = Unpacker::new(&bytes).texts();
        }

        #[test]
        fn a_piece_of_it_is_never_taken_for_the_whole(value in any_value(), cut in any::<prop::sample::Index>()) {
            let bytes = packed(&value);
            let cut = cut.index(bytes.len());
            prop_assert_eq!(Unpacker::new(&bytes[..cut]).value(), Err(Malformed));
        }
    }

    #[test]
    fn lengths_and_depths_that_no_packer_writes_are_refused_at_once() {
        // A list of 2^63 items.
        let huge = [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(Unpacker::new(&huge).value(), Err(Malformed));
        let deep = [8, 1].repeat(100_000);
        assert_eq!(Unpacker::new(&deep).value(), Err(Malformed));
    }
}
