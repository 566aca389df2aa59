//! A section's lines, and how an option is set in them or taken out.

use super::super::super::edit::Old;
use crate::base::value::Value;

/// What is asked for.
pub(super) struct Wish<'a> {
    pub(super) option: Option<&'a str>,
    values: Vec<String>,
    pub(super) exclusive: bool,
    /// `%s = %s`, or without the blanks.
    sign: &'static str,
    ignore_spaces: bool,
    pub(super) allow_no_value: bool,
    inactive_too: bool,
}

/// A section's lines, its header the first of them; what was settled already is marked.
pub(super) struct Section {
    pub(super) lines: Vec<(String, bool)>,
    pub(super) changed: bool,
    pub(super) message: &'static str,
}

/// A line of an option: whether it is a comment, and the value.
pub(super) fn option_of<'a>(
    line: &'a str,
    option: &str,
    inactive_too: bool,
) -> Option<(bool, &'a str)> {
    let blank = [' ', '\t'];
    let mut rest = line.trim_start_matches(blank);
    let mut inactive = false;
    if let Some(commented) = rest.strip_prefix(['#', ';']).filter(|_| inactive_too) {
        (rest, inactive) = (commented.trim_start_matches(blank), true);
    }
    let rest = rest.strip_prefix(option)?.trim_start_matches(blank);
    if matches!(rest, "" | "\n") {
        return Some((inactive, ""));
    }
    let value = rest.strip_prefix('=')?.trim_start_matches(blank);
    Some((inactive, value.trim_end_matches('\n')))
}

impl<'a> Wish<'a> {
    pub(super) fn of(old: &Old<'a>) -> Self {
        let mut values = Vec::new();
        let given = match (old.param("value"), old.params.get("values")) {
            (Some(value), _) => vec![value],
            (None, Some(Value::List(items))) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for value in given {
            if !values.iter().any(|each| each == value) {
                values.push(value.to_owned());
            }
        }
        Self {
            option: old.param("option"),
            values,
            exclusive: old.flag("exclusive"),
            sign: if old.flag("no_extra_spaces") {
                "="
            } else {
                " = "
            },
            ignore_spaces: old.flag("ignore_spaces"),
            allow_no_value: old.flag("allow_no_value"),
            inactive_too: old.flag("modify_inactive_option"),
        }
    }

    pub(super) fn clone_values(&self) -> Vec<String> {
        self.values.clone()
    }

    pub(super) fn line(&self, option: &str, value: &str) -> String {
        format!("{option}{}{value}\n", self.sign)
    }
}

impl Section {
    /// Makes a line what it shall be.
    fn update(&mut self, at: usize, new: String, option: &str, wish: &Wish<'_>) {
        let Some((line, settled)) = self.lines.get_mut(at) else {
            return;
        };
        *settled = true;
        let same = match option_of(line, option, true) {
            Some((false, value)) if wish.ignore_spaces => {
                option_of(&new, option, true).is_some_and(|(_, new)| new == value)
            }
            _ => *line == new,
        };
        if !same {
            *line = new;
            self.changed = true;
            self.message = "option changed";
        }
    }

    pub(super) fn set(&mut self, mut values: Vec<String>, wish: &Wish<'_>) {
        let Some(option) = wish.option else {
            return;
        };
        let mut stands_alone = false;
        let of = |line: &str| option_of(line, option, wish.inactive_too).map(|(_, v)| v.to_owned());
        // Lines of a wanted value stay where they are.
        for at in 0..self.lines.len() {
            let Some(value) = self.lines.get(at).and_then(|(line, _)| of(line)) else {
                continue;
            };
            if let Some(which) = values.iter().position(|wanted| *wanted == value) {
                let bare = value.is_empty() && wish.allow_no_value;
                stands_alone |= bare;
                let new = if bare {
                    format!("{option}\n")
                } else {
                    wish.line(option, &value)
                };
                self.update(at, new, option, wish);
                values.remove(which);
            } else if values.is_empty() && wish.allow_no_value {
                self.update(at, format!("{option}\n"), option, wish);
                stands_alone = true;
                break;
            }
        }
        if wish.exclusive && !wish.allow_no_value {
            self.take_over(&mut values, option, wish);
        }
        if values.is_empty() && (!wish.allow_no_value || stands_alone) {
            return;
        }
        // The rest goes behind the last line that says something.
        let says = |line: &str| {
            !line.trim().is_empty() && !line.trim_start_matches([' ', '\t']).starts_with(['#', ';'])
        };
        let last = self.lines.iter().rposition(|(line, _)| says(line));
        let Some(at) = last
            .map(|at| at + 1)
            .or((!self.lines.is_empty()).then_some(1))
        else {
            return;
        };
        let mut new: Vec<String> = values
            .iter()
            .map(|value| wish.line(option, value))
            .collect();
        if new.is_empty() {
            new.push(format!("{option}\n"));
        }
        self.lines
            .splice(at..at, new.into_iter().map(|line| (line, true)));
        self.changed = true;
        self.message = "option added";
    }

    /// Other lines of the option get the values that are left; what is still over goes.
    fn take_over(&mut self, values: &mut Vec<String>, option: &str, wish: &Wish<'_>) {
        let is = |(line, settled): &(String, bool)| {
            !settled && option_of(line, option, wish.inactive_too).is_some()
        };
        for at in 0..self.lines.len() {
            if !values.is_empty() && self.lines.get(at).is_some_and(is) {
                let new = wish.line(option, &values.remove(0));
                self.update(at, new, option, wish);
            }
        }
        let before = self.lines.len();
        self.lines.retain(|line| !is(line));
        if self.lines.len() != before {
            self.changed = true;
            self.message = "option changed";
        }
    }

    pub(super) fn remove(&mut self, wish: &Wish<'_>) {
        let before = self.lines.len();
        match wish.option {
            Some(option) => self.lines.retain(|(line, _)| {
                !option_of(line, option, false).is_some_and(|(_, value)| {
                    wish.exclusive || wish.values.iter().any(|wanted| wanted == value)
                })
            }),
            None => self.lines.clear(),
        }
        if self.lines.len() != before {
            self.changed = true;
            self.message = match wish.option {
                Some(_) => "option changed",
                None => "section removed",
            };
        }
    }
}
