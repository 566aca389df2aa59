//! Takes known secrets out of everything before anybody reads it: the secret itself, its base64, its
//! URL form, as UTF-16 and as PowerShell writes it in CLIXML become `********`, also where a secret
//! lies across two pieces of output.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::ops::{Bound, Range};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;

use super::play::{PlayEvent, TaskResult};
use super::types::RunHeader;
use crate::base::clixml;
use crate::base::secret::{MASK, Secret};

/// Shorter secrets are not looked for: they would mask half of every output.
const LENGTH_MIN: usize = 3;
/// A line of a secret of several lines is looked for by itself from this length on.
const LINE_MIN: usize = 8;

/// Bytes that may stand for a secret.
type Form = Arc<[u8]>;

/// The secrets of a run. Cheap to ask while there are none.
#[derive(Default)]
pub struct Redactor {
    any: AtomicBool,
    known: RwLock<Known>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

#[derive(Default)]
struct Known {
    forms: BTreeSet<Form>,
    /// Each looks for some of the forms. They are merged as they grow, so that learning thousands
    /// of secrets one by one stays cheap, and so does looking.
    searchers: Vec<(Vec<Form>, AhoCorasick)>,
}

impl Redactor {
    /// Learns a secret; whether it was new. Empty and very short ones are not looked for.
    pub fn learn(&self, secret: &Secret) -> bool {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let fresh: Vec<Form> = forms(secret.expose())
            .into_iter()
            .filter(|form| !known.forms.contains(form))
            .collect();
        if fresh.is_empty() {
            return false;
        }
        known.add(fresh);
        self.any.store(true, Ordering::Release);
        true
    }

    /// Takes secrets out of a text that is whole.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.any.load(Ordering::Acquire) {
            return Cow::Borrowed(text);
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.find(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut safe, mut at) = (String::with_capacity(text.len()), 0);
        for range in found {
            safe.push_str(text.get(at..range.start).unwrap_or_default());
            safe.push_str(MASK);
            at = range.end;
        }
        safe.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(safe)
    }

    /// Takes secrets out of what a run says of itself. Host names stay: by them a host is found.
    pub(super) fn header(&self, header: Arc<RunHeader>) -> Arc<RunHeader> {
        if !self.any.load(Ordering::Acquire) {
            return header;
        }
        let mut safe = (*header).clone();
        for text in safe
            .command
            .iter_mut()
            .chain([&mut safe.pattern, &mut safe.from])
        {
            *text = self.text(text).into_owned();
        }
        self.value(&mut safe.options);
        Arc::new(safe)
    }

    /// Takes secrets out of what a play says. Names of hosts and tasks' places stay.
    pub(super) fn play(&self, said: PlayEvent) -> PlayEvent {
        if !self.any.load(Ordering::Acquire) {
            return said;
        }
        match said {
            PlayEvent::PlayStarted(mut play) => {
                let info = Arc::make_mut(&mut play);
                info.name = self.text(&info.name).into_owned();
                PlayEvent::PlayStarted(play)
            }
            PlayEvent::TaskStarted(mut task) => {
                let info = Arc::make_mut(&mut task);
                info.name = self.text(&info.name).into_owned();
                PlayEvent::TaskStarted(task)
            }
            PlayEvent::ItemFinished(result) => PlayEvent::ItemFinished(self.result(result)),
            PlayEvent::TaskFinished(result) => PlayEvent::TaskFinished(self.result(result)),
            PlayEvent::Retrying(result, retry) => PlayEvent::Retrying(self.result(result), retry),
            PlayEvent::Stats(mut stats) => {
                for (_, custom) in &mut Arc::make_mut(&mut stats).custom {
                    custom.values_mut().for_each(|value| self.value(value));
                }
                PlayEvent::Stats(stats)
            }
            PlayEvent::Included {
                task,
                what,
                label,
                hosts,
            } => PlayEvent::Included {
                task,
                what: self.text(&what).into_owned(),
                label: label.map(|label| self.text(&label).into_owned()),
                hosts,
            },
            other @ (PlayEvent::NoHostsMatched(_)
            | PlayEvent::NoHostsRemaining(_)
            | PlayEvent::FactsCleared(_)) => other,
        }
    }

    fn result(&self, mut result: Arc<TaskResult>) -> Arc<TaskResult> {
        let inner = Arc::make_mut(&mut result);
        for value in Arc::make_mut(&mut inner.result).values_mut() {
            self.value(value);
        }
        if let Some(label) = &mut inner.label {
            *label = self.text(label).into_owned();
        }
        if let Some(error) = &mut inner.error {
            error.message = self.text(&error.message).into_owned();
            error.hint = error.hint.take().map(|hint| self.text(&hint).into_owned());
        }
        result
    }

    fn value(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => *text = self.text(text).into_owned(),
            serde_json::Value::Array(values) => values.iter_mut().for_each(|each| self.value(each)),
            serde_json::Value::Object(fields) => {
                fields.values_mut().for_each(|each| self.value(each));
            }
            _ => {}
        }
    }
}

impl Known {
    fn add(&mut self, fresh: Vec<Form>) {
        self.forms.extend(fresh.iter().cloned());
        // As in a binary counter: equal sizes are merged, so there are few searchers.
        let mut patterns = fresh;
        while let Some((smaller, _)) = self
            .searchers
            .pop_if(|(others, _)| others.len() <= patterns.len())
        {
            patterns.extend(smaller);
        }
        if let Ok(searcher) = AhoCorasick::new(&patterns) {
            self.searchers.push((patterns, searcher));
        }
    }

    /// Where secrets lie, overlapping ones as one, in order.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self
            .searchers
            .iter()
            .flat_map(|(_, searcher)| searcher.find_overlapping_iter(text))
            .map(|hit| hit.range())
            .collect();
        found.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match merged.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    /// Where, at the end of `text`, a secret may begin whose rest is yet to come.
    fn may_begin(&self, text: &[u8]) -> usize {
        let longest = self.forms.iter().map(|form| form.len()).max().unwrap_or(0);
        let first = text.len().saturating_sub(longest.saturating_sub(1));
        (first..text.len())
            .find(|at| {
                let tail = text.get(*at..).unwrap_or_default();
                self.forms
                    .range::<[u8], _>((Bound::Excluded(tail), Bound::Unbounded))
                    .next()
                    .is_some_and(|form| form.starts_with(tail))
            })
            .unwrap_or(text.len())
    }
}

/// What a secret may look like.
fn forms(secret: &str) -> HashSet<Form> {
    let mut forms = HashSet::new();
    let mut add = |form: &[u8]| {
        if form.len() >= LENGTH_MIN {
            forms.insert(Arc::from(form));
        }
    };
    let trimmed = secret.trim_end_matches(['\r', '\n']);
    let lines = trimmed.lines().filter(|line| line.len() >= LINE_MIN);
    for text in std::iter::once(trimmed).chain(lines) {
        add(text.as_bytes());
        add(percent(text).as_bytes());
        // What is read of these must not hold it either.
        add(clixml::escape(text).as_bytes());
        if text.len() < LENGTH_MIN {
            continue;
        }
        // Within a longer text base64 depends on where the secret begins: three forms, without the
        // characters at both ends that its neighbours have a part in.
        for shift in 0..3_usize {
            let shifted = [vec![0; shift].as_slice(), text.as_bytes()].concat();
            let whole = (shifted.len() * 4) / 3;
            let start = (shift * 4).div_ceil(3);
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&shifted);
                if let Some(inner) = encoded.get(start..whole).filter(|inner| inner.len() >= 6) {
                    add(inner.as_bytes());
                }
            }
        }
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        add(&wide);
        add(STANDARD_NO_PAD.encode(text).as_bytes());
        add(URL_SAFE_NO_PAD.encode(text).as_bytes());
    }
    forms
}

/// As in a URL: everything but unreserved characters (RFC 3986) as `%41`.
fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

/// Takes secrets out of one stream, piece by piece: holds back what may be a secret's beginning.
#[derive(Debug, Default)]
pub(super) struct StreamRedactor {
    held: Vec<u8>,
    /// So many of the held bytes belong to a secret whose mask is already out.
    masked: usize,
}

impl StreamRedactor {
    /// The next piece in; what is safe to show out.
    pub(super) fn push(&mut self, redactor: &Redactor, bytes: Bytes) -> Bytes {
        if !redactor.any.load(Ordering::Acquire) && self.held.is_empty() {
            return bytes;
        }
        let known = redactor
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(&bytes);
        let hold = known.may_begin(&text);
        let mut safe = Vec::with_capacity(text.len());
        let mut at = self.masked;
        let mut masked_until = self.masked;
        for range in known.find(&text) {
            if range.start >= hold {
                break;
            }
            if range.start >= masked_until {
                safe.extend_from_slice(text.get(at..range.start).unwrap_or_default());
                safe.extend_from_slice(MASK.as_bytes());
            }
            masked_until = masked_until.max(range.end);
            at = masked_until;
        }
        if at < hold {
            safe.extend_from_slice(text.get(at..hold).unwrap_or_default());
        }
        self.masked = masked_until.saturating_sub(hold);
        self.held = text.split_off(hold.min(text.len()));
        safe.into()
    }

    /// What was held back, at the end: the beginning of a secret is not the secret.
    pub(super) fn finish(&mut self) -> Bytes {
        let held = std::mem::take(&mut self.held);
        let rest = held.get(self.masked..).unwrap_or_default().to_vec();
        self.masked = 0;
        rest.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        for secret in secrets {
            redactor.learn(&Secret::new(*secret));
        }
        redactor
    }

    fn streamed(redactor: &Redactor, pieces: &[&[u8]]) -> Vec<u8> {
        let mut stream = StreamRedactor::default();
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&stream.push(redactor, Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&stream.finish());
        out
    }

    #[test]
    fn a_secret_and_its_forms_are_masked() {
        let redactor = redactor(&["hunter2/&x", "ab"]);
        for form in [
            "hunter2/&x",
            "aHVudGVyMi8meA==",
            "hunter2%2F%26x",
            "hunter2/&amp;x",
            "h\0u\0n\0t\0e\0r\x002\0/\0&\0x\0",
        ] {
            let shown = redactor.text(&format!("pw={form}.")).into_owned();
            assert!(shown.starts_with("pw=********"), "{shown}");
            assert!(!shown.contains(form), "{shown}");
        }
        let basic = base64::engine::general_purpose::STANDARD.encode("admin:hunter2/&x");
        assert!(redactor.text(&basic).contains("********"), "{basic}");
        assert_eq!(redactor.text("ab"), "ab");
    }

    #[test]
    fn a_secret_across_pieces_is_masked_and_nothing_else_waits() {
        let redactor = redactor(&["swordfish", "fishing"]);
        assert_eq!(
            streamed(&redactor, &[b"a swor", b"dfi", b"sh b\n"]),
            b"a ******** b\n"
        );
        assert_eq!(streamed(&redactor, &[b"swordfis"]), b"swordfis");
        assert_eq!(streamed(&redactor, &[b"swordfish", b"ing."]), b"********.");
        let mut stream = StreamRedactor::default();
        let prompt = stream.push(&redactor, Bytes::from_static(b"name? "));
        assert_eq!(&prompt[..], b"name? ", "nothing of a prompt is held back");
    }

    #[test]
    fn thousands_of_secrets_stay_cheap_to_learn() {
        let redactor = Redactor::default();
        for number in 0..2000 {
            redactor.learn(&Secret::new(format!("secret-number-{number:05}")));
        }
        assert!(redactor.known.read().unwrap().searchers.len() < 20);
        assert_eq!(redactor.text("x secret-number-01999 y"), "x ******** y");
        assert_eq!(redactor.text("x secret-number-00000 y"), "x ******** y");
    }

    proptest! {
        #[test]
        fn no_cut_lets_a_secret_through(
            text in "[ab]{0,40}",
            cuts in proptest::collection::vec(0usize..40, 0..6),
        ) {
            let redactor = redactor(&["abba", "bbabb", "aaaa"]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let (mut pieces, mut at) = (Vec::new(), 0);
            for cut in cuts {
                pieces.push(&text.as_bytes()[at..cut]);
                at = cut;
            }
            let streamed = String::from_utf8(streamed(&redactor, &pieces)).unwrap();
            // Adjacent secrets may share a mask when they come in one piece.
            let one = |text: &str| text.replace("****************", "********");
            prop_assert_eq!(one(&streamed), one(&redactor.text(&text)));
        }
    }
}
