//! Where modules are found: within the program, and in users' folders.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rust_embed::RustEmbed;

use super::error::ModuleError;
use super::spec::Module;
use crate::base::yaml;

/// The modules' files.
#[derive(RustEmbed)]
#[folder = "src/module/library"]
struct Files;

/// Prefixes under which the modules of the program are known, if their file names the full name.
const SHORT: &[&str] = &["ansible.builtin.", "ansible.legacy."];

/// A module of the program by any of its names; `None`: there is no such module.
pub fn builtin(name: &str) -> Option<Arc<Module>> {
    static READ: LazyLock<Mutex<HashMap<String, Option<Arc<Module>>>>> =
        LazyLock::new(Mutex::default);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = read.get(name) {
        return found.clone();
    }
    let short = SHORT.iter().find_map(|prefix| name.strip_prefix(prefix));
    let found = load(short.unwrap_or(name)).or_else(|| {
        let main = ALIASES.get(name).or_else(|| ALIASES.get(short?))?;
        load(main)
    });
    read.insert(name.to_owned(), found.clone());
    found
}

/// All names by which modules of the program can be called but their short ones.
static ALIASES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let modules = names().filter_map(|name| load(&name));
    modules
        .flat_map(|module| {
            let main = module.name.to_string();
            let names = module.names.clone();
            names.into_iter().map(move |name| (name, main.clone()))
        })
        .collect()
});

fn load(short: &str) -> Option<Arc<Module>> {
    let file = format!("{short}.yml");
    let text = Files::get(&file)?.data;
    let text = match &text {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => String::from_utf8_lossy(bytes),
    };
    match Module::parse(&text, Path::new(&file)) {
        Ok(module) => Some(Arc::new(module)),
        Err(error) => {
            // A test reads them all.
            tracing::error!(%error, "a module of the program can't be read");
            None
        }
    }
}

/// The short names of the program's modules, sorted.
pub fn names() -> impl Iterator<Item = String> {
    let mut names: Vec<String> = Files::iter()
        .filter_map(|file| Some(file.strip_suffix(".yml")?.to_owned()))
        .collect();
    names.sort();
    names.into_iter()
}

/// What does the work of modules that are asked for and not there.
const INSTEAD: &[(&str, &str)] = &[
    (
        "synchronize",
        "`copy` sends folders and moves what differs; `iomsctl upload` goes on where it broke off",
    ),
    (
        "pam_limits",
        "`lineinfile` keeps a line of /etc/security/limits.d",
    ),
    ("supervisorctl", "write `command: supervisorctl ...`"),
    ("ufw", "`iptables` and `firewalld` are there"),
    ("subversion", "write `command: svn ...`"),
];

/// What does the work of a module of Ansible's that is not there.
pub fn instead(name: &str) -> Option<&'static str> {
    let bare = name.rsplit('.').next().unwrap_or(name);
    let found = INSTEAD.iter().find(|(module, _)| *module == bare);
    found.map(|(_, instead)| *instead)
}

/// The texts of the program's modules.
#[cfg(test)]
pub(super) fn files() -> impl Iterator<Item = String> {
    let texts = Files::iter().filter_map(|file| Files::get(&file));
    texts.map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// The modules that a playbook can use: the program's, then those of folders, the first folder's
/// first.
#[derive(Debug, Default)]
pub struct Library {
    folders: Vec<PathBuf>,
    read: Mutex<HashMap<PathBuf, Option<Arc<Module>>>>,
}

impl Library {
    /// With users' modules from these folders. Those that are not there hold none.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            read: Mutex::default(),
        }
    }

    /// A module by any of its names; `more`: folders that come before the library's own (a role's).
    pub fn find(&self, name: &str, more: &[PathBuf]) -> Result<Option<Arc<Module>>, ModuleError> {
        if let Some(module) = builtin(name) {
            return Ok(Some(module));
        }
        if name.contains(['/', '\\', '.']) {
            return Ok(None);
        }
        for folder in more.iter().chain(&self.folders) {
            if let Some(module) = self.users(&folder.join(format!("{name}.yml")))? {
                return Ok(Some(module));
            }
        }
        Ok(None)
    }

    /// The same for a name as a user writes it. That a file takes the name of a module of the program is
    /// an error: whoever wrote it counts on it, and it is never used.
    pub fn named(&self, name: &str, more: &[PathBuf]) -> Result<Option<Arc<Module>>, ModuleError> {
        let found = self.find(name, more)?;
        if builtin(name).is_none() || name.contains('.') {
            return Ok(found);
        }
        let mut paths =
            (more.iter().chain(&self.folders)).map(|each| each.join(format!("{name}.yml")));
        match paths.find(|path| says_it_is_a_module(path)) {
            Some(path) => Err(ModuleError::new(format!(
                "{}: `{name}` is a module of the program, whose name can't be taken",
                path.display()
            ))
            .hint("call the file, and its `module`, something else")),
            None => Ok(found),
        }
    }

    fn users(&self, path: &Path) -> Result<Option<Arc<Module>>, ModuleError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = read.get(path) {
            return Ok(found.clone());
        }
        let found = match std::fs::read_to_string(path) {
            Ok(text) => {
                let module = Module::parse(&text, path)
                    .map_err(|error| ModuleError::new(error.to_string()))?;
                if path.file_stem().is_none_or(|stem| stem != &*module.name) {
                    return Err(ModuleError::new(format!(
                        "{}: the module is called `{}`, its file is not",
                        path.display(),
                        module.name
                    )));
                }
                Some(Arc::new(module))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(ModuleError::new(format!("{}: {error}", path.display())));
            }
        };
        read.insert(path.to_owned(), found.clone());
        Ok(found)
    }
}

/// Whether a file is meant as a module: such a folder may hold other things too.
fn says_it_is_a_module(path: &Path) -> bool {
    std::fs::read_to_string(path)
        .ok()
        .and_then(|text| yaml::parse(&text, path).ok())
        .and_then(|node| {
            Some(
                node.entries()?
                    .iter()
                    .any(|(key, _)| &*key.name == "module"),
            )
        })
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_of_the_program_can_be_read_and_is_called_as_its_file() {
        let mut seen = 0;
        for name in names() {
            let file = Files::get(&format!("{name}.yml")).unwrap();
            let text = String::from_utf8(file.data.into_owned()).unwrap();
            let module = Module::parse(&text, Path::new(&name)).map_err(|e| e.to_string());
            assert_eq!(&*module.unwrap().name, name);
            seen += 1;
        }
        assert!(seen > 1);
    }

    #[test]
    fn what_a_module_uses_is_there_for_one_system_at_least() {
        for module in names().filter_map(|name| builtin(&name)) {
            for part in &module.uses {
                let there =
                    super::super::sh::has_part(part) || super::super::powershell::has_part(part);
                assert!(there, "{}: {part}", module.name);
            }
        }
    }

    #[test]
    fn a_module_is_found_by_its_short_and_its_full_names() {
        for name in [
            "ping",
            "ansible.builtin.ping",
            "win_ping",
            "ansible.windows.win_ping",
        ] {
            assert_eq!(&*builtin(name).unwrap().name, "ping", "{name}");
        }
        assert!(builtin("ansible.posix.ping").is_none());
        assert!(builtin("../ping").is_none());
    }

    #[test]
    fn a_users_module_can_not_take_the_name_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("ping.yml", "module: ping\nposix: 'put pong theirs'\n");
        write("own.yml", "module: own\nposix: 'put pong own'\n");
        write("copy.yml", "- hosts: all\n");
        write("odd.yml", "module: other\nposix: ':'\n");
        let library = Library::new(vec![folder.path().to_owned()]);
        let find = |name: &str| library.find(name, &[]);
        assert!(find("ping").unwrap().unwrap().posix != Some("put pong theirs\n".into()));
        let named = |name: &str| library.named(name, &[]);
        let refused = named("ping").unwrap_err().message;
        assert!(refused.ends_with("`ping` is a module of the program, whose name can't be taken"));
        for fine in ["ansible.builtin.ping", "copy", "own"] {
            assert!(named(fine).unwrap().is_some());
        }
        assert_eq!(
            find("own").unwrap().unwrap().posix.as_deref(),
            Some("put pong own\n")
        );
        assert!(find("nowhere").unwrap().is_none());
        assert!(find("odd").unwrap_err().message.contains("called `other`"));
    }
}
