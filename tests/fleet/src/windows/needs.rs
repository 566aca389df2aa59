//! What the Windows tiers need of a machine, and how tests say that they go without.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::{folder, process};

/// A part that a machine may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The server: Python with `tests/winrm/requirements.txt`, and openssl.
    Server,
    /// A key distribution centre, and Kerberos in the server's Python.
    Kerberos,
    /// `PowerShell` for Linux, named by `IOMS_PWSH`.
    Powershell,
    /// The `PowerShell` for tests, which has `-Check` and passes for older ones (`IOMS_PWSH_AS`).
    PowershellOfTests,
    /// Wine, a compiler for it, locales.
    Wine,
    /// `PowerShell` for Windows, named by `IOMS_PWSH_WIN`.
    PowershellForWine,
}

/// Whether a test of `what` is left out for lack of one of `needs`, which is then said. In CI
/// (`CI=true`) nothing is left out: the test fails. Elsewhere a `PowerShell` that no package
/// brings is left out and counted; the rest only in quick mode, as [`crate::left_out`] has it.
pub fn lacks(what: &str, needs: &[Need]) -> bool {
    let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|is| is == value);
    let (quick, ci) = (is("IOMS_TEST_QUICK", "1"), is("CI", "true"));
    for need in needs {
        let optional = !matches!(need, Need::Server | Need::Wine | Need::Kerberos);
        if !(quick || (optional && !ci)) {
            continue;
        }
        if let Some(why) = need.missing() {
            // Not `println!`, which the test harness keeps to itself.
            let _ = writeln!(std::io::stdout(), "LEFT OUT: {what} ({why})");
            return true;
        }
    }
    false
}

impl Need {
    /// What is missing, if it is.
    fn missing(self) -> Option<String> {
        match self {
            Self::Server => python().err().map(|error| error.to_string()),
            Self::Kerberos => match process::find("krb5kdc").and_then(|_| python()) {
                Err(error) => Some(error.to_string()),
                Ok(python) => process::output(
                    Command::new(python).args(["-c", "import gssapi, krb5"]),
                    None,
                )
                .err()
                .map(|_| "no Kerberos in the server's Python".to_owned()),
            },
            Self::Powershell => named("IOMS_PWSH").err().map(|error| error.to_string()),
            Self::PowershellOfTests => match named("IOMS_PWSH") {
                Err(error) => Some(error.to_string()),
                Ok(pwsh) if is_of_tests(&pwsh) => None,
                Ok(_) => Some("IOMS_PWSH is not the PowerShell for tests".to_owned()),
            },
            Self::Wine => ["wine", "wineserver", "x86_64-w64-mingw32-gcc", "localedef"]
                .into_iter()
                .find_map(|program| process::find(program).err())
                .map(|error| error.to_string()),
            Self::PowershellForWine => named("IOMS_PWSH_WIN").err().map(|error| error.to_string()),
        }
    }
}

/// Python with what the server needs: `IOMS_TEST_PYTHON`, else the one that `scripts/test` makes.
pub(crate) fn python() -> Result<PathBuf> {
    let made = folder::target().join("ioms-venv/bin/python");
    let python = std::env::var_os("IOMS_TEST_PYTHON").map_or(made, PathBuf::from);
    if python.is_file() {
        return Ok(python);
    }
    Err(Error::NoProgram(format!(
        "{} (scripts/test makes it; IOMS_TEST_PYTHON names another)",
        python.display()
    )))
}

/// What a variable names, if it is there.
pub(crate) fn named(variable: &str) -> Result<PathBuf> {
    match std::env::var_os(variable).map(PathBuf::from) {
        Some(path) if path.exists() => Ok(path),
        Some(path) => Err(Error::NoProgram(format!("{variable}={}", path.display()))),
        None => Err(Error::NoProgram(format!(
            "a PowerShell ({variable} is not set),"
        ))),
    }
}

/// Whether it knows `-Check`.
fn is_of_tests(pwsh: &Path) -> bool {
    let mut command = Command::new(pwsh);
    command.args(["-Check", "-Compat", "3.0", "/dev/null"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The folder `tests/winrm`.
pub(crate) fn sources() -> PathBuf {
    folder::root().join("tests/winrm")
}
