//! Standard input has one reader. Two would share it out by accident, and a password could end up
//! in a command's input; so all claims are counted before anything is read.

use std::path::Path;

use super::CliError;

/// Arguments of which some may say `-`.
pub trait ReadsInput {
    /// Those that do, as they were written.
    fn claims(&self) -> Vec<&'static str>;
}

/// An argument of its own, by its name: claims when it is `-`.
pub struct Operand<'a>(pub &'static str, pub Option<&'a str>);

impl ReadsInput for Operand<'_> {
    fn claims(&self) -> Vec<&'static str> {
        Vec::from_iter((self.1 == Some("-")).then_some(self.0))
    }
}

/// The names of those files that are standard input.
pub fn among(files: &[(&'static str, Option<&Path>)]) -> Vec<&'static str> {
    files
        .iter()
        .filter(|(_, file)| *file == Some(Path::new("-")))
        .map(|(name, _)| *name)
        .collect()
}

/// Refuses arguments of which more than one claims standard input.
pub fn has_one_reader(args: &[&dyn ReadsInput]) -> Result<(), CliError> {
    let claims: Vec<&str> = args.iter().flat_map(|each| each.claims()).collect();
    match claims.as_slice() {
        [one, other, ..] => Err(CliError::new(format!(
            "{one} and {other} both want standard input"
        ))
        .hint("give one of them a file")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_claims_are_refused_by_name() {
        let pattern = Operand("-g -", Some("-"));
        let script = Operand("the script -", Some("deploy.sh"));
        assert!(has_one_reader(&[&pattern, &script]).is_ok());
        let script = Operand("the script -", Some("-"));
        let error = has_one_reader(&[&pattern, &script]).unwrap_err();
        assert_eq!(
            error.message,
            "-g - and the script - both want standard input"
        );
    }
}
