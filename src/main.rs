//! `iomsctl`: parses the arguments and exits with the verb's status. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ioms::cli::main()
}
