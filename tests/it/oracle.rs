//! Playbooks held against Ansible: each of `tests/playbooks` is run by `ansible-playbook` and by
//! `iomsctl play`, and both must come to the same: exit status, the order of tasks and handlers, each
//! host's state and result, statistics, files. What a playbook may differ in stands at its head:
//! see [`case`].
//!
//! Most run on this machine, in a folder a program (`connection: local`); those of
//! `tests/playbooks/system` on systems of the test bed. `IOMS_TEST_ORACLE` names the virtual
//! environment that has Ansible, else it is the one that `scripts/test` makes.

mod case;
mod document;
mod parameters;
mod sides;

use std::path::{Path, PathBuf};

use case::Case;
use document::Seen;
use ioms_fleet::{Base, SystemFleet, SystemHost, Tree, left_out};
use sides::{Program, Side};
use similar::TextDiff;

use crate::support::read;

/// The playbooks; a test each, so that they run side by side.
macro_rules! cases {
    ($held:ident in $list:ident: $($name:ident)*) => {
        pub(super) const $list: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { $held(stringify!($name)); })*
    };
}

cases! { agree in LOCAL:
    async_actions
    async_poll
    blocks
    check_mode
    conditions
    delegation
    environment
    errors
    facts_and_variables
    fetching
    files
    filters
    gates
    group_dispatch
    handlers
    imports
    includes
    lookups
    loops
    meta
    module_defaults
    precedence
    refused
    registered
    roles
    scalars
    serial
    statistics
    strategies
    tags
    templates
    until
    vault
}

mod system {
    use super::agree_on_systems;

    cases! { agree_on_systems in SYSTEM:
        become_users
        services
    }
}

#[test]
fn every_playbook_is_run() {
    for (folder, list) in [
        (playbooks(), LOCAL),
        (playbooks().join("system"), system::SYSTEM),
    ] {
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "yml"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        found.sort();
        assert_eq!(found, list);
    }
}

fn playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/playbooks")
}

/// On this machine, in a folder of each program's.
fn agree(name: &str) {
    if left_out("playbooks held against Ansible", "ansible-playbook") {
        return;
    }
    let case = Case::read(&playbooks().join(format!("{name}.yml")));
    for run in &case.runs {
        hold(&case, run, |side| {
            side.inventory("inventory");
            let (status, document) = side.play(&format!("{name}.yml"), &run.args);
            let out = Tree::of(&side.folder.join("out"), |_| false).unwrap();
            (status, document, out)
        });
    }
}

/// On a system of each program's, of which only Ansible's has Python.
fn agree_on_systems(name: &str) {
    let what = "playbooks held against Ansible on whole systems";
    if left_out(what, "ansible-playbook") || left_out(what, "root") {
        return;
    }
    let case = Case::read(&playbooks().join(format!("system/{name}.yml")));
    let start = |base| SystemFleet::builder().base(base).start(2).unwrap();
    let (theirs, ours) = (start(Base::Oracle), start(Base::Plain));
    for run in &case.runs {
        hold(&case, run, |side| {
            let fleet = match side.program {
                Program::Ansible => &theirs,
                Program::Iomsctl => &ours,
            };
            fleet
                .write_inventory(&side.folder.join("hosts.yml"))
                .unwrap();
            side.inventory("hosts.yml");
            side.secret("become_password", fleet.password());
            let (status, document) = side.play(&format!("system/{name}.yml"), &run.args);
            let mut changes = Tree::default();
            for host in fleet.hosts() {
                changes.0.extend(changes_of(host));
            }
            (status, document, changes)
        });
    }
}

/// What a treatment changed on a host, below its name; Ansible's own traces are left out, with the
/// folders that have changed by nothing else.
fn changes_of(host: &SystemHost) -> impl Iterator<Item = (PathBuf, ioms_fleet::Entry)> {
    let home_of = |path: &Path| {
        let own = |path: &&Path| path.ends_with(".ansible");
        path.ancestors()
            .find(own)
            .and_then(Path::parent)
            .map(Path::to_owned)
    };
    let mut changes = host.changes().unwrap().0;
    let homes: Vec<PathBuf> = changes.keys().filter_map(|path| home_of(path)).collect();
    changes.retain(|path, _| home_of(path).is_none());
    for home in homes {
        if !changes
            .keys()
            .any(|path| *path != home && path.starts_with(&home))
        {
            changes.remove(&home);
        }
    }
    changes
        .into_iter()
        .map(|(path, entry)| (Path::new(host.name()).join(path), entry))
}

/// Lets both do something, and compares.
#[track_caller]
fn hold(case: &Case, run: &case::Run, mut play: impl FnMut(&Side) -> (i32, String, Tree)) {
    let desk = tempfile::tempdir().unwrap();
    let mut look = |program| {
        let side = Side::new(program, desk.path(), &playbooks());
        let (status, document, mut tree) = play(&side);
        for (path, entry) in &mut tree.0 {
            if case.own_content.iter().any(|own| path.ends_with(own)) {
                entry.content.clear();
            }
        }
        (Seen::of(&document, &side.folder, case), status, tree)
    };
    let (theirs, status, their_tree) = look(Program::Ansible);
    assert_eq!(status, run.status, "ansible-playbook {run}: {theirs}");
    let (ours, status, our_tree) = look(Program::Iomsctl);
    let text = |seen: &Seen, status: i32, tree: &Tree| format!("{seen}status {status}\n{tree}");
    // Where the contract has another status, it is the playbook's head that says so.
    let theirs = text(&theirs, run.ours, &their_tree);
    let ours = text(&ours, status, &our_tree);
    if theirs != ours {
        let kept = desk.keep();
        let difference = TextDiff::from_lines(&theirs, &ours);
        panic!(
            "{run}\n{}\nThe folders: {}\nOurs said: {}",
            difference
                .unified_diff()
                .header("ansible-playbook", "iomsctl play"),
            kept.display(),
            read(kept.join("iomsctl.stderr")),
        );
    }
}
