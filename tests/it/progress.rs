//! How a transfer goes on is shown at a terminal, and nowhere else.

use std::process::Command;

use crate::support::{Ran, read};
use crate::upload::bed::{Bed, noise};

#[test]
fn bytes_rate_and_time_left_are_shown_on_a_terminals_standard_error_and_never_in_a_pipe() {
    if ioms_fleet::left_out("progress at a terminal", "script") {
        return;
    }
    let bed = Bed::new();
    bed.source("large", noise(30 << 20));
    let dest = bed.dest("at terminal");
    let args = bed.command(&["--limit-rate", "10M", "large", &dest]);
    let plain = bed.lab.desk.command(&args);
    // Standard error is the terminal, standard output a file.
    let words: Vec<String> = std::iter::once(plain.get_program())
        .chain(plain.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut script = Command::new("script");
    let line = format!("{} >out", words.join(" "));
    script.args(["-qec", &line, "/dev/null"]);
    script.current_dir(bed.lab.desk.dir.path());
    script.env_clear().env("TERM", "xterm");
    script.envs(
        plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    script.stdin(std::process::Stdio::null());
    let terminal = Ran::of(script).ends_with(0);
    for shown in [" of 30.0 MiB", "MiB/s", "left"] {
        assert!(terminal.stdout.contains(shown), "{shown}: {terminal:?}");
    }
    let out = read(bed.lab.desk.dir.path().join("out"));
    assert!(out.contains("sent "), "{out}");
    assert!(!out.contains("MiB/s"), "{out}");

    let dest = bed.dest("piped");
    let piped = bed
        .run(&["--limit-rate", "10M", "large", &dest])
        .ends_with(0);
    assert!(!piped.said().contains("MiB/s"), "{piped:?}");
    assert!(!piped.said().contains(['\r', '\u{1b}']), "{piped:?}");
}
