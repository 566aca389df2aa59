//! Tests that need what a machine may not have.

use std::io::Write as _;

use crate::{ansible, process};

/// Whether a test of `what` is left out, which is then said: in quick mode (`IOMS_TEST_QUICK=1`),
/// when `program` is not installed, or, for `root`, when we aren't root. Out of quick mode nothing
/// is left out: what is missing makes the test fail.
pub fn left_out(what: &str, program: &str) -> bool {
    let quick = std::env::var_os("IOMS_TEST_QUICK").is_some_and(|value| value == "1");
    if !quick {
        return false;
    }
    let why = match program {
        "root" if rustix::process::geteuid().is_root() => return false,
        "root" => "not root".to_owned(),
        "ansible-playbook" if ansible::ansible().is_ok() => return false,
        _ if process::find(program).is_ok() => return false,
        _ => format!("{program} not installed"),
    };
    // Not `println!`, which the test harness keeps to itself.
    let _ = writeln!(std::io::stdout(), "LEFT OUT: {what} ({why})");
    true
}
