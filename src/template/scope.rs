//! What the caller gives to templates: variables, mappings that are looked into as they are needed,
//! files, commands. All of it is a trait; this room opens no file and no connection.

use std::sync::Arc;
use std::time::Duration;

use crate::base::secret::Secret;
use crate::base::value::Value;

/// A variable as somebody set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The value as written.
    pub value: Value,
    /// The place, for messages.
    pub origin: String,
    /// Whether it stands in a file that is a vault as a whole.
    pub secret: bool,
}

/// Where variables come from.
pub trait Scope: Send + Sync + 'static {
    /// A variable as written; `None` when nobody set it.
    fn lookup(&self, name: &str) -> Result<Option<Found>, String>;

    /// Opens a vault value.
    fn open(&self, vault: &str) -> Result<Secret, String>;

    /// A variable that is a mapping too large to be made for every template: `hostvars`, `groups`,
    /// `vars`. Asked before [`lookup`](Self::lookup).
    fn lazy(&self, _name: &str) -> Option<Arc<dyn LazyMap>> {
        None
    }

    /// The names of all variables: for `lookup('varnames', ...)` and for whoever goes through `vars`.
    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// The text of a template that `include`, `import`, `extends` or `lookup('template', ...)` names,
    /// with the name it is found under; `None` when there is none on the search path.
    fn template(&self, _name: &str) -> Result<Option<(String, Arc<str>)>, String> {
        Ok(None)
    }

    /// What lookups and filters may do on the controller; by default nothing.
    fn controller(&self) -> Option<&dyn Controller> {
        None
    }
}

/// What lookups reach on the controller.
pub trait Controller {
    /// Reads a file, searched for as a task's `files/` (or another folder of the role) is.
    fn read(&self, path: &str, folder: &str) -> Result<Vec<u8>, String>;
    /// The path under which a file is found, `None` when it is nowhere. Without a folder it is looked
    /// for in the one that suits the task.
    fn find(&self, path: &str, folder: Option<&str>) -> Option<String>;
    /// The files that a pattern of the shell matches, sorted.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, String>;
    /// Runs a command line of the shell and gives its standard output.
    fn run(&self, command: &str) -> Result<Vec<u8>, String>;
    /// Fetches what stands at an address.
    fn fetch(&self, wanted: &WebRequest) -> Result<Vec<u8>, String>;
    /// Writes what `change` makes of the content of a file that is its owner's alone (of a password), made
    /// where it is not there. Gives what it holds then. One at a time, on this machine.
    fn amend(&self, path: &str, change: &Change<'_>) -> Result<String, String>;
    /// What stands at a path; `None` where nothing does.
    fn kind(&self, path: &str) -> Option<PathKind>;
    /// The path without links; `None` where nothing stands there.
    fn real_path(&self, path: &str) -> Option<String>;
    /// The hosts that a pattern selects.
    fn hosts(&self, pattern: &str) -> Result<Vec<String>, String>;
    /// An environment variable of the controller.
    fn env(&self, name: &str) -> Option<String>;
}

/// A file's new content, of what it holds; `None`: it stays as it is.
pub type Change<'a> = dyn Fn(&str) -> Result<Option<String>, String> + 'a;

/// What `lookup('url')` asks for.
#[derive(Debug, Clone)]
pub struct WebRequest {
    /// Where.
    pub url: String,
    /// Headers to send; what is in them may let in.
    pub headers: Vec<(String, Secret)>,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// How long to wait for each answer.
    pub timeout: Duration,
    /// Whether to go where the server says.
    pub follow: bool,
    /// Whether the server's certificate is checked.
    pub verify: bool,
    /// Whether to go through the proxy that the environment names.
    pub proxy: bool,
    /// Who asks, to the server.
    pub agent: String,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathKind {
    /// It is there, and where it is a link, so is what it leads to.
    pub exists: bool,
    /// A file, or a link to one.
    pub file: bool,
    /// A folder, or a link to one.
    pub folder: bool,
    /// A link itself.
    pub link: bool,
    /// Something is mounted there.
    pub mount: bool,
}

/// A mapping whose members are looked up as they are touched.
pub trait LazyMap: Send + Sync {
    /// All keys, in order.
    fn keys(&self) -> Vec<Arc<str>>;
    /// How many there are.
    fn len(&self) -> usize {
        self.keys().len()
    }
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// A member.
    fn get(&self, key: &str) -> Result<Option<LazyItem>, String>;
}

/// A member of a lazy mapping.
#[derive(Clone)]
pub enum LazyItem {
    /// Another such mapping.
    Map(Arc<dyn LazyMap>),
    /// A variable, to be rendered in a scope: that of another host, say.
    Variable(Found, Arc<dyn Scope>),
}

/// All variables of a scope as one mapping: what `vars` is, and a member of `hostvars`.
pub struct ScopeMap(pub Arc<dyn Scope>);

impl LazyMap for ScopeMap {
    fn keys(&self) -> Vec<Arc<str>> {
        self.0.names()
    }

    fn get(&self, key: &str) -> Result<Option<LazyItem>, String> {
        if let Some(map) = self.0.lazy(key) {
            return Ok(Some(LazyItem::Map(map)));
        }
        let found = self.0.lookup(key)?;
        Ok(found.map(|found| LazyItem::Variable(found, self.0.clone())))
    }
}
