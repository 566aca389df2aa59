//! Python's meaning of values: truth, equality, order, arithmetic, text and methods.

mod compare;
mod containers;
mod format;
mod methods;
mod moments;
mod numbers;
mod ops;
mod print;
mod strings;
mod text_methods;

pub(super) use compare::{compare, equal, ordering, sort_by_key};
pub(super) use containers::{index, items, key, slice};
pub(super) use format::{percent, str_format};
pub(super) use methods::{attribute, call_method, pairs_of};
pub(super) use moments::{formatted, moment, moment_text, now};
pub(super) use numbers::{as_number, float, float_text, int, parse_float, parse_int};
pub(super) use ops::{binary, negative, truth};
pub(super) use print::{captured, concatenate, finalized, repr, text, undefined_within};
pub(super) use strings::{capitalize, is_space, splitlines};
