//! ioms: an agentless fleet orchestrator. The modules, in the order a reader should meet them:
//!
//! - [`base`]: what knows nothing of fleets: ids, clock, secrets, text, digests, YAML, diagnostics
//! - [`event`]: what a run says, as one stream of typed events; the redactor; error kinds
//! - [`inventory`]: hosts, groups, variables and patterns, from Ansible's formats
//! - [`template`]: the strict minijinja environment
//! - [`vault`]: Ansible vault files and values, decrypted when used
//! - [`config`]: settings, each with the place it came from
//! - [`target`]: host variables, flags and `ssh_config`, resolved into a [`target::Target`]
//! - [`shell`]: how to say things to a host; pure, knows no transport
//! - [`transport`]: how bytes get to a host and back
//! - [`transfer`]: files to hosts and from them
//! - [`doctor`]: what a host is asked of its health and what the answers mean; pure
//! - [`module`]: what a task can ask of a host: arguments to a program, a record to a result; pure
//! - [`engine`]: fans a job out over hosts and emits events
//! - [`playbook`]: playbooks: the model, loading, checks
//! - [`store`]: the run journal and the database
//! - [`repository`]: the files that hosts may be given, by content
//! - [`report`]: what people and machines read; consumes events
//! - [`cli`]: one file a verb
//!
//! What says *what to do* opens no connection; what *does it* never prints. The direction of
//! dependencies is held by `tests/it/architecture.rs`; `docs/architecture.md` has the picture.

pub mod base;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod engine;
pub mod event;
pub mod inventory;
pub mod module;
pub mod playbook;
pub mod report;
pub mod repository;
pub mod shell;
pub mod store;
pub mod target;
pub mod template;
pub mod transfer;
pub mod transport;
pub mod vault;
