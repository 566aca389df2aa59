//! The check of templates before the run: syntax, and filters, tests and lookups that are not there.

use super::keyword::{Keyword, Kind};
use super::loader::Loader;
use super::model::Action;
use super::problem::{LintRule, Problem};
use super::written::Written;
use crate::base::value::Value;
use crate::base::yaml::Content;
use crate::template::{self, Meant};

impl Loader {
    /// Checks the templates in a keyword's value. Those of conditions are bare expressions; lists of
    /// tasks are checked as they are read.
    pub(super) fn check_templates(&mut self, keyword: Keyword, value: &Written) {
        match keyword {
            Keyword::Roles | Keyword::Action | Keyword::LocalAction | Keyword::Args => {}
            Keyword::LoopControl => {
                for (key, node) in value.entries() {
                    let bare = &*key.name == "break_when";
                    self.check_values(&node, if bare { Meant::Condition } else { Meant::Value });
                }
            }
            other => match other.rule().kind {
                Kind::Steps => {}
                Kind::Conditions => self.check_values(value, Meant::Condition),
                _ => self.check_values(value, Meant::Value),
            },
        }
    }

    /// Checks the templates in an action's arguments.
    pub(super) fn check_arguments_templates(&mut self, action: &Action) {
        let args = &action.args;
        for (name, value) in &args.named {
            let bare = matches!(
                (&*action.module, &**name),
                ("assert", "that") | ("debug", "var")
            );
            self.check_values(value, if bare { Meant::Condition } else { Meant::Value });
        }
        for value in args.free_form.iter().chain(&args.template) {
            self.check_values(value, Meant::Value);
        }
    }

    fn check_values(&mut self, value: &Written, meant: Meant) {
        match &value.node.content {
            Content::Scalar(Value::String(text)) => self.check_text(value, text, meant),
            Content::Scalar(_) => {}
            Content::List(_) => {
                for item in value.items() {
                    self.check_values(&item, meant);
                }
            }
            Content::Map(_) => {
                for (_, node) in value.entries() {
                    self.check_values(&node, meant);
                }
            }
        }
    }

    fn check_text(&mut self, written: &Written, text: &str, meant: Meant) {
        for problem in template::check(text, meant) {
            let place = problem.place;
            let mut found = written.error_within(problem.message, place.line, place.column);
            found.help = problem
                .suggestion
                .map(|name| format!("did you mean `{name}`?"));
            self.report(Problem::error(LintRule::Template, found));
        }
    }
}
