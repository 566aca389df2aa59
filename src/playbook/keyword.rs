//! The keywords of plays, roles, blocks and tasks: one table says where each may stand, what it
//! takes, and how it is inherited.

use std::collections::BTreeMap;

use super::written::Written;

/// Where keywords stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// A play.
    Play,
    /// An entry of `roles:` or of a role's dependencies.
    Role,
    /// A block.
    Block,
    /// A task.
    Task,
    /// A task among handlers.
    Handler,
}

/// What a keyword takes. A template may stand for any of them where the rule says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A boolean, also as text: `yes`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// A number or a percentage.
    Percent,
    /// Text (numbers and booleans count as theirs).
    Text,
    /// Text, or a list of texts.
    Texts,
    /// Bare expressions: one, or a list that must all hold.
    Conditions,
    /// A mapping, or a list of mappings of which later ones win.
    Map,
    /// A list of tasks and blocks.
    Steps,
    /// Whatever its reader takes.
    Any,
}

/// How a keyword of an outer level reaches the tasks within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherit {
    /// It does not.
    Own,
    /// The innermost one holds.
    Nearest,
    /// All hold together, the outermost first.
    All,
    /// As `All`, but what a play says goes another way (a play's variables are weaker than facts).
    AllBelowPlay,
}

/// What is known of a keyword.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The keyword.
    pub keyword: Keyword,
    /// As it is written.
    pub name: &'static str,
    /// Where it may stand.
    pub levels: &'static [Level],
    /// What it takes.
    pub kind: Kind,
    /// How it reaches the tasks within.
    pub inherit: Inherit,
    /// Whether a template may stand for it.
    pub templates: bool,
}

macro_rules! keywords {
    ($($keyword:ident $name:literal $levels:ident $kind:ident $inherit:ident $templates:literal;)*) => {
        /// The keywords, by Ansible's names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Keyword {
            $(#[doc = concat!("`", $name, "`")] $keyword,)*
        }

        /// What is known of each keyword, in the order of [`Keyword`].
        pub const RULES: &[Rule] = &[
            $(Rule {
                keyword: Keyword::$keyword,
                name: $name,
                levels: $levels,
                kind: Kind::$kind,
                inherit: Inherit::$inherit,
                templates: $templates,
            },)*
        ];
    };
}

const PLAY: &[Level] = &[Level::Play];
const TASK: &[Level] = &[Level::Task, Level::Handler];
const HANDLER: &[Level] = &[Level::Handler];
const BLOCK: &[Level] = &[Level::Block];
/// All but a play.
const BELOW: &[Level] = &[Level::Role, Level::Block, Level::Task, Level::Handler];
const STEPS: &[Level] = &[Level::Block, Level::Task, Level::Handler];
const EVERY: &[Level] = &[
    Level::Play,
    Level::Role,
    Level::Block,
    Level::Task,
    Level::Handler,
];

keywords! {
    // Keyword          name                  levels  kind       inherit      templates
    Name                "name"                EVERY   Text       Own          true;
    // A play's.
    Hosts               "hosts"               PLAY    Texts      Own          true;
    GatherFacts         "gather_facts"        PLAY    Bool       Own          true;
    GatherSubset        "gather_subset"       PLAY    Texts      Own          true;
    GatherTimeout       "gather_timeout"      PLAY    Int        Own          true;
    FactPath            "fact_path"           PLAY    Text       Own          true;
    VarsFiles           "vars_files"          PLAY    Any        Own          true;
    VarsPrompt          "vars_prompt"         PLAY    Any        Own          false;
    Roles               "roles"               PLAY    Any        Own          false;
    PreTasks            "pre_tasks"           PLAY    Steps      Own          false;
    Tasks               "tasks"               PLAY    Steps      Own          false;
    PostTasks           "post_tasks"          PLAY    Steps      Own          false;
    Handlers            "handlers"            PLAY    Steps      Own          false;
    ForceHandlers       "force_handlers"      PLAY    Bool       Own          true;
    MaxFailPercentage   "max_fail_percentage" PLAY    Percent    Own          true;
    Serial              "serial"              PLAY    Any        Own          true;
    Strategy            "strategy"            PLAY    Text       Own          true;
    Order               "order"               PLAY    Text       Own          true;
    // Everybody's.
    Vars                "vars"                EVERY   Map        AllBelowPlay false;
    Tags                "tags"                EVERY   Texts      All          true;
    When                "when"                BELOW   Conditions All          false;
    Environment         "environment"         EVERY   Any        All          true;
    ModuleDefaults      "module_defaults"     EVERY   Map        All          false;
    Become              "become"              EVERY   Bool       Nearest      true;
    BecomeUser          "become_user"         EVERY   Text       Nearest      true;
    BecomeMethod        "become_method"       EVERY   Text       Nearest      true;
    BecomeExe           "become_exe"          EVERY   Text       Nearest      true;
    BecomeFlags         "become_flags"        EVERY   Text       Nearest      true;
    Connection          "connection"          EVERY   Text       Nearest      true;
    RemoteUser          "remote_user"         EVERY   Text       Nearest      true;
    Port                "port"                EVERY   Int        Nearest      true;
    NoLog               "no_log"              EVERY   Bool       Nearest      true;
    RunOnce             "run_once"            EVERY   Bool       Nearest      true;
    IgnoreErrors        "ignore_errors"       EVERY   Bool       Nearest      true;
    IgnoreUnreachable   "ignore_unreachable"  EVERY   Bool       Nearest      true;
    CheckMode           "check_mode"          EVERY   Bool       Nearest      true;
    Diff                "diff"                EVERY   Bool       Nearest      true;
    AnyErrorsFatal      "any_errors_fatal"    EVERY   Bool       Nearest      true;
    Throttle            "throttle"            EVERY   Int        Nearest      true;
    Timeout             "timeout"             EVERY   Int        Nearest      true;
    Debugger            "debugger"            EVERY   Text       Nearest      false;
    Collections         "collections"         EVERY   Texts      Nearest      false;
    DelegateTo          "delegate_to"         BELOW   Text       Nearest      true;
    DelegateFacts       "delegate_facts"      BELOW   Bool       Nearest      true;
    Notify              "notify"              STEPS   Texts      Nearest      true;
    // A block's.
    Block               "block"               BLOCK   Steps      Own          false;
    Rescue              "rescue"              BLOCK   Steps      Own          false;
    Always              "always"              BLOCK   Steps      Own          false;
    // A task's.
    Action              "action"              TASK    Any        Own          true;
    LocalAction         "local_action"        TASK    Any        Own          true;
    Args                "args"                TASK    Any        Own          true;
    Async               "async"               TASK    Int        Own          true;
    Poll                "poll"                TASK    Int        Own          true;
    Loop                "loop"                TASK    Any        Own          true;
    LoopControl         "loop_control"        TASK    Map        Own          true;
    Register            "register"            TASK    Text       Own          false;
    Until               "until"               TASK    Conditions Own          false;
    Retries             "retries"             TASK    Int        Own          true;
    Delay               "delay"               TASK    Number     Own          true;
    ChangedWhen         "changed_when"        TASK    Conditions Own          false;
    FailedWhen          "failed_when"         TASK    Conditions Own          false;
    Listen              "listen"              HANDLER Texts      Own          false;
}

impl Keyword {
    /// What is known of it.
    pub fn rule(self) -> &'static Rule {
        // The table is made in the enum's order; a test holds it.
        &RULES[self as usize]
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// The keyword of this name at this level. A play's `user` is its `remote_user`.
    pub fn find(name: &str, level: Level) -> Option<Self> {
        let name = match name {
            "user" if level == Level::Play => "remote_user",
            other => other,
        };
        RULES
            .iter()
            .find(|rule| rule.name == name && rule.levels.contains(&level))
            .map(|rule| rule.keyword)
    }

    /// The names that may stand at this level.
    pub fn names(level: Level) -> impl Iterator<Item = &'static str> {
        RULES
            .iter()
            .filter(move |rule| rule.levels.contains(&level))
            .map(|rule| rule.name)
    }
}

/// The keywords of a play, role, block or task, each with the values that hold there: of those that
/// add up, one a level, the outermost first; of the others one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keywords {
    held: BTreeMap<Keyword, Vec<Written>>,
}

impl Keywords {
    /// Sets what this level says itself.
    pub fn set(&mut self, keyword: Keyword, value: Written) {
        self.held.insert(keyword, vec![value]);
    }

    /// The value that holds: the innermost.
    pub fn get(&self, keyword: Keyword) -> Option<&Written> {
        self.held.get(&keyword)?.last()
    }

    /// All values, the outermost first.
    pub fn all(&self, keyword: Keyword) -> &[Written] {
        self.held.get(&keyword).map_or(&[], Vec::as_slice)
    }

    /// The values of all levels with their items side by side: tags, conditions.
    pub fn items(&self, keyword: Keyword) -> Vec<Written> {
        self.all(keyword).iter().flat_map(Written::items).collect()
    }

    /// Every keyword that holds here.
    pub fn iter(&self) -> impl Iterator<Item = (Keyword, &[Written])> {
        self.held
            .iter()
            .map(|(keyword, values)| (*keyword, values.as_slice()))
    }

    /// What holds for something with these keywords that stands within `outer`: the one place that
    /// decides what is inherited.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Self {
        let mut held = self.held.clone();
        for (keyword, values) in &outer.held {
            match keyword.rule().inherit {
                Inherit::Own => {}
                Inherit::Nearest => {
                    held.entry(*keyword).or_insert_with(|| values.clone());
                }
                Inherit::All | Inherit::AllBelowPlay => {
                    let own = held.entry(*keyword).or_default();
                    own.splice(0..0, values.iter().cloned());
                }
            }
        }
        Self { held }
    }

    /// What of a play's keywords its tasks inherit.
    #[must_use]
    pub fn of_play_for_tasks(&self) -> Self {
        let inherited =
            |keyword: &Keyword| matches!(keyword.rule().inherit, Inherit::Nearest | Inherit::All);
        Self {
            held: self
                .held
                .iter()
                .filter(|(keyword, _)| inherited(keyword))
                .map(|(keyword, values)| (*keyword, values.clone()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml;
    use crate::playbook::Source;
    use std::path::Path;

    fn keywords(level: Level, text: &str) -> Keywords {
        let source = Source::new(Path::new("t.yml"), text);
        let node = yaml::parse(text, Path::new("t.yml")).unwrap();
        let mut keywords = Keywords::default();
        for (key, node) in node.entries().unwrap() {
            let keyword = Keyword::find(&key.name, level).unwrap();
            keywords.set(keyword, Written::new(node, &source));
        }
        keywords
    }

    fn texts(found: &[Written]) -> Vec<&str> {
        found.iter().filter_map(Written::text).collect()
    }

    #[test]
    fn the_table_is_in_the_order_of_the_keywords() {
        for rule in RULES {
            assert_eq!(rule.keyword.rule().name, rule.name);
        }
    }

    #[test]
    fn conditions_and_tags_add_up_and_the_nearest_of_the_others_holds() {
        let play = keywords(
            Level::Play,
            "{tags: p, become: true, become_user: root, vars: {a: 1}, name: p}",
        );
        let block = keywords(
            Level::Block,
            "{tags: [b, c], when: x, become_user: web, vars: {b: 1}, name: b}",
        );
        let task = keywords(Level::Task, "{tags: t, when: [y, z], register: r}");
        let held = task.within(&block.within(&play.of_play_for_tasks()));
        assert_eq!(texts(&held.items(Keyword::Tags)), ["p", "b", "c", "t"]);
        assert_eq!(texts(&held.items(Keyword::When)), ["x", "y", "z"]);
        assert_eq!(held.get(Keyword::BecomeUser).unwrap().text(), Some("web"));
        assert!(held.get(Keyword::Become).is_some());
        assert_eq!(
            held.all(Keyword::Vars).len(),
            1,
            "a play's variables go another way"
        );
        assert!(held.get(Keyword::Name).is_none(), "names are not inherited");
    }

    #[test]
    fn keywords_are_known_where_they_may_stand() {
        assert_eq!(
            Keyword::find("user", Level::Play),
            Some(Keyword::RemoteUser)
        );
        assert_eq!(Keyword::find("user", Level::Task), None);
        assert_eq!(Keyword::find("when", Level::Play), None);
        assert_eq!(Keyword::find("listen", Level::Task), None);
        assert_eq!(
            Keyword::find("listen", Level::Handler),
            Some(Keyword::Listen)
        );
    }
}
