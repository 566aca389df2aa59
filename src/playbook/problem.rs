//! What is wrong with a playbook: a diagnostic with the rule it breaks, gathered rather than reported
//! one by one.

use std::fmt;

use crate::base::diag::Diagnostic;

macro_rules! rules {
    ($($rule:ident $name:literal $meaning:literal;)*) => {
        /// The rules, by the names that `lint` gives them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LintRule {
            $(#[doc = $meaning] $rule,)*
        }

        impl LintRule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$rule,)*];

            /// As `lint` names it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)* }
            }

            /// What it is about.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$rule => $meaning,)* }
            }
        }
    };
}

rules! {
    Yaml            "yaml"             "The file is no YAML, or not of the form it should have.";
    File            "file"             "A file that is named does not exist or can't be read.";
    Keyword         "keyword"          "A keyword is unknown or may not stand there.";
    Value           "value"            "A keyword's value is of the wrong kind.";
    Module          "module"           "A module does not exist here, or a file in `modules/` is called as one of the program's and never used.";
    Parameter       "parameter"        "A module's arguments are wrong: unknown, missing, excluding each other, of a wrong kind.";
    Template        "template"         "A template has a mistake, or uses a filter, test or lookup that does not exist here.";
    Loop            "loop"             "A loop is of a kind that does not exist here, or stands where none may.";
    Handler         "handler"          "A handler that is notified does not exist.";
    Role            "role"             "A role is nowhere to be found.";
    Recursion       "recursion"        "Files or roles bring each other in without end.";
    Removed         "removed"          "Ansible no longer has it.";
    Unsupported     "unsupported"      "Ansible has it, this program has not.";
    ModulePlugins   "module-plugins"   "A folder of modules in Python (`library/`), which can't be run.";
    FilterPlugins   "filter-plugins"   "A folder of filters or tests in Python, which can't be run.";
    OtherPlugins    "plugins"          "A folder of other plugins in Python, which can't be run.";
    PluginInventory "plugin-inventory" "An inventory that a plugin would make.";
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The playbook is refused.
    Error,
    /// It runs; somebody should look.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The rule.
    pub rule: LintRule,
    /// How bad.
    pub severity: Severity,
    /// What `lint`'s table counts it under, where that says more than the rule: a module's name.
    pub subject: Option<String>,
    /// What, where, and what to do.
    pub diagnostic: Diagnostic,
}

impl Problem {
    /// An error.
    pub fn error(rule: LintRule, diagnostic: Diagnostic) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            subject: None,
            diagnostic,
        }
    }

    /// A warning.
    pub fn warning(rule: LintRule, diagnostic: Diagnostic) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, diagnostic)
        }
    }

    /// Says what it is counted under.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

/// All errors of a playbook, in the order of the files and lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Vec<Problem>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                write!(f, "\n\n")?;
            }
            write!(f, "{}", problem.diagnostic)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::LintRule;

    #[test]
    fn every_rule_is_explained_in_the_guide() {
        let guide = include_str!("../../docs/lint.md");
        for rule in LintRule::ALL {
            let row = format!("| `{}` | {} |", rule.name(), rule.meaning());
            assert!(guide.contains(&row), "docs/lint.md has no row {row}");
        }
    }
}
