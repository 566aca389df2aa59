//! What a host's shell would say to iomsctl, without a shell: see `src/shell/` for the other side.

/// The process group of every command.
const GROUP: u32 = 4242;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With the canned answer.
    Answer,
    /// With nothing more.
    Nothing,
}

/// What to print, and whether that was the beginning of the end.
type Reply = (Vec<u8>, Option<End>);

/// What is awaited.
#[derive(Debug)]
enum Stage {
    /// The script, a line.
    Script,
    /// A script's body: so many bytes, or until the input's end.
    Body(Option<usize>),
}

/// One command's side of a conversation.
#[derive(Debug)]
pub(super) struct Speech {
    mark: String,
    stage: Stage,
    heard: Vec<u8>,
}

impl Speech {
    pub(super) fn new() -> Self {
        Self {
            mark: String::new(),
            stage: Stage::Script,
            heard: Vec::new(),
        }
    }

    /// A command line: iomsctl's constant, whose last word is the mark, or anybody's.
    pub(super) fn begin(&mut self, command: &[u8]) -> Reply {
        let command = String::from_utf8_lossy(command);
        if !command.starts_with("exec /bin/sh -c '") || !command.contains("eval \"$s\"' sh ") {
            return (Vec::new(), Some(End::Answer));
        }
        let mark = command.rsplit(' ').next().unwrap_or_default();
        mark.clone_into(&mut self.mark);
        (self.hello(), None)
    }

    /// Standard input.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Reply {
        self.heard.extend_from_slice(bytes);
        let mut said = Vec::new();
        loop {
            match self.stage {
                Stage::Script => {
                    let Some(length) = self.heard.iter().position(|byte| *byte == b'\n') else {
                        return (said, None);
                    };
                    let rest = self.heard.split_off(length + 1);
                    let script = std::mem::replace(&mut self.heard, rest);
                    let (words, end) = self.script(&String::from_utf8_lossy(&script));
                    said.extend(words);
                    if end.is_some() {
                        return (said, end);
                    }
                }
                Stage::Body(Some(length)) if self.heard.len() >= length => {
                    said.extend(self.body_is_there());
                    return (said, Some(End::Answer));
                }
                Stage::Body(_) => return (said, None),
            }
        }
    }

    /// Standard input has ended.
    pub(super) fn end_of_input(&mut self) -> Reply {
        match self.stage {
            Stage::Script => (Vec::new(), Some(End::Nothing)),
            Stage::Body(_) => (self.body_is_there(), Some(End::Answer)),
        }
    }

    fn hello(&self) -> Vec<u8> {
        format!("{} {GROUP}\n", self.mark).into_bytes()
    }

    fn body_is_there(&self) -> Vec<u8> {
        format!("{0} ok /tmp/ioms-{0}\n", self.mark).into_bytes()
    }

    fn script(&mut self, script: &str) -> Reply {
        let mark = &self.mark;
        let script = script.trim_end();
        if script.contains(&format!(" sh {mark}i")) {
            // sudo, su or doas, which ask nothing here.
            self.mark.push('i');
            return (self.hello(), None);
        }
        if script.contains(&format!("echo {mark} gone")) {
            return (format!("{mark} gone\n").into_bytes(), Some(End::Nothing));
        }
        if script == ":" || script.ends_with("; :") {
            return (Vec::new(), Some(End::Nothing));
        }
        if script.contains(&format!("/ioms-{mark}")) {
            let count = script.split_once("dd ibs=1 obs=65536 count=");
            let count = count.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            self.stage = Stage::Body(count);
            return (Vec::new(), None);
        }
        let reports = script.contains(&format!("echo '{mark} ok '"));
        let report = if reports {
            format!("{mark} ok \n")
        } else {
            String::new()
        };
        (report.into_bytes(), Some(End::Answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &[u8] = b"exec /bin/sh -c 'read -r s && eval \"$s\"' sh m1";

    fn spoken(lines: &[&str]) -> (String, Option<End>) {
        let mut speech = Speech::new();
        let (mut said, mut end) = speech.begin(BEGIN);
        for line in lines {
            let (words, ended) = speech.hear(line.as_bytes());
            said.extend(words);
            end = ended;
        }
        (String::from_utf8(said).unwrap(), end)
    }

    #[test]
    fn a_command_is_answered_after_its_script() {
        assert_eq!(Speech::new().begin(b"uptime").1, Some(End::Answer));
        assert_eq!(spoken(&[]), ("m1 4242\n".into(), None));
        assert_eq!(
            spoken(&["exec 'a' -c", " 'b'\n"]),
            ("m1 4242\n".into(), Some(End::Answer))
        );
        assert_eq!(spoken(&[":\n"]), ("m1 4242\n".into(), Some(End::Nothing)));
    }

    #[test]
    fn sudo_begins_again() {
        let said = spoken(&["exec 'sudo' -- /bin/sh -c '...' sh m1i\n", "exec x\n"]);
        assert_eq!(said, ("m1 4242\nm1i 4242\n".into(), Some(End::Answer)));
    }

    #[test]
    fn bodies_are_taken_in() {
        let script =
            "d=\"/tmp/ioms-m1\"; dd ibs=1 obs=65536 count=5 of=\"$f\"; echo 'm1 ok ' \"$d\"\n";
        assert_eq!(spoken(&[script, "1234"]), ("m1 4242\n".into(), None));
        let said = spoken(&[script, "1234", "5 and more"]);
        assert_eq!(
            said,
            ("m1 4242\nm1 ok /tmp/ioms-m1\n".into(), Some(End::Answer))
        );
    }
}
