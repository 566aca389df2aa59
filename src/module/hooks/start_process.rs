//! A program that is to outlive the session: its command line in the forms in which Windows' own ways
//! of starting one want it.

use super::super::call::{Call, Controller};
use super::super::error::ModuleError;
use super::Hook;
use super::command::windows_command;
use crate::shell::windows;

/// How long a command line may be, in UTF-16 units.
const LINE_MAX: usize = 30_000;

pub(super) struct StartProcess;

impl Hook for StartProcess {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let command = windows_command(call)?;
        let whole = format!("{} {}", windows::argument(&command.program), command.line);
        let whole = whole.trim_end();
        if whole.encode_utf16().count() > LINE_MAX {
            return Err(ModuleError::new("the command line is too long"));
        }
        call.add("startline", windows::escaped(whole));
        call.add("commandline", whole);
        call.add("program", command.program);
        call.add("argline", command.line);
        Ok(())
    }
}
