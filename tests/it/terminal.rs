//! The program at a terminal of its own, with somebody who answers.

use std::process::Command;
use std::time::Duration;

use crate::support::Ran;

/// In place of an answer: nothing is typed, and the program is told to end.
pub const SIGTERM: &str = "<SIGTERM>";

/// Reads to each prompt in turn and types its answer; the last one is given as often as it is asked for.
/// A terminal that is not left as it was is a failure of its own.
const DRIVER: &str = r"
import json, os, pty, select, signal, sys, termios, time
dialogue, delay, argv = json.loads(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
dialogue = [(prompt.encode(), answer.encode()) for prompt, answer in dialogue]
pid, fd = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
before = termios.tcgetattr(fd)
seen = said = b''
while select.select([fd], [], [], 60)[0]:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    said += piece
    while dialogue[0][0] in said:
        prompt, answer = dialogue[0]
        said = said[said.index(prompt) + len(prompt):]
        dialogue = dialogue[1:] or dialogue
        time.sleep(delay)
        if answer == b'<SIGTERM>':
            os.kill(pid, signal.SIGTERM)
        else:
            os.write(fd, answer)
sys.stdout.buffer.write(seen)
sys.stdout.flush()
if termios.tcgetattr(fd) != before:
    sys.exit('the terminal is not as it was')
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// Runs it; what was seen of the terminal is its standard output. Of each pair of the dialogue, what is
/// waited for and what is typed then, after `delay`.
pub fn at_a_terminal(command: &Command, dialogue: &[(&str, &str)], delay: Duration) -> Ran {
    let dialogue = serde_json::to_string(dialogue).unwrap();
    let mut driver = Command::new("python3");
    driver
        .args(["-c", DRIVER, &dialogue, &delay.as_secs_f64().to_string()])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            driver.env(name, value);
        }
    }
    Ran::of(driver)
}
