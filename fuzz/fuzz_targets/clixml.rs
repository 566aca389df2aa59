//! What PowerShell writes on standard error: no text may panic, what comes in pieces reads as the
//! whole, and text without the line that begins CLIXML stays as it is.
#![no_main]

use ioms::base::clixml::{Filter, HEADER};
use libfuzzer_sys::fuzz_target;

fn shown<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
    let mut filter = Filter::new();
    let mut shown: String = pieces.into_iter().map(|piece| filter.push(piece)).collect();
    shown.push_str(&filter.finish());
    shown
}

fuzz_target!(|text: &str| {
    let step = 1 + text.len() % 7;
    let whole = shown([text]);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.ceil_char_boundary(step));
        pieces.push(piece);
        rest = behind;
    }
    assert_eq!(shown(pieces), whole);
    if !text.contains(HEADER) {
        assert_eq!(whole, text);
    }
});
