//! What YAML makes of a scalar: whether a text needs quotes, and which; knows nothing of where it is written.

use std::sync::OnceLock;

use regex::Regex;

use super::super::python;

/// Whether a character stands in YAML as it is.
pub(super) fn printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && c != '\u{feff}'
}

/// A number with a point, as YAML 1.1 wants it.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = python::float_text(number);
    // YAML 1.1 wants the point.
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

/// What a text allows.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of the text"
)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
}

impl Analysis {
    pub(super) fn of(text: &str) -> Self {
        let (mut block_marks, mut flow_marks) = (false, false);
        let (mut breaks, mut special) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        if text.starts_with("---") || text.starts_with("...") {
            (block_marks, flow_marks) = (true, true);
        }
        let chars: Vec<char> = text.chars().collect();
        let blank = |at: usize| {
            chars
                .get(at)
                .is_none_or(|c| "\0 \t\r\n\u{85}\u{2028}\u{2029}".contains(*c))
        };
        let is_break = |c: char| "\n\u{85}\u{2028}\u{2029}".contains(c);
        for (at, c) in chars.iter().copied().enumerate() {
            let follows_blank = at == 0 || blank(at - 1);
            if at == 0 {
                if "#,[]{}&*!|>'\"%@`".contains(c) {
                    (block_marks, flow_marks) = (true, true);
                }
                if "?:".contains(c) {
                    flow_marks = true;
                    block_marks |= blank(1);
                }
                if c == '-' && blank(1) {
                    (block_marks, flow_marks) = (true, true);
                }
            } else {
                flow_marks |= ",?[]{}".contains(c);
                if c == ':' {
                    flow_marks = true;
                    block_marks |= blank(at + 1);
                }
                if c == '#' && follows_blank {
                    (block_marks, flow_marks) = (true, true);
                }
            }
            breaks |= is_break(c);
            special |= c != '\n' && !printable(c);
            if at > 0 {
                let before = chars.get(at - 1).copied().unwrap_or(' ');
                break_space |= c == ' ' && is_break(before);
                space_break |= is_break(c) && before == ' ';
            }
        }
        let first = chars.first().copied().unwrap_or('x');
        let last = chars.last().copied().unwrap_or('x');
        let edges = " \n\u{85}\u{2028}\u{2029}";
        let edge = edges.contains(first) || edges.contains(last);
        let plain =
            !edge && !break_space && !space_break && !special && !breaks && !text.is_empty();
        Self {
            multiline: breaks,
            flow_plain: plain && !flow_marks,
            block_plain: plain && !block_marks,
            single_quoted: !break_space || !breaks,
        }
        .without(space_break || special)
    }

    fn without(mut self, quoted: bool) -> Self {
        self.single_quoted &= !quoted;
        self
    }
}

/// Whether a reader of YAML 1.1 would take a plain text for something else.
pub(super) fn resolves(text: &str) -> bool {
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        let forms = [
            r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
            r"~|null|Null|NULL|=|<<|",
            r"[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+",
            r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+",
            r"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?",
            r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
            r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
        ];
        Regex::new(&format!("^(?:{})$", forms.join("|"))).ok()
    });
    pattern
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(text))
}
