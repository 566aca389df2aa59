//! `iomsctl doc`: what modules there are, and what each takes and returns.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{CliError, Globals, Setup, Status};
use crate::base::nearest::nearest;
use crate::module::{Library, Module, builtin, instead, names};

const EXAMPLES: &str = "\
Examples:
  iomsctl doc                     # all modules
  iomsctl doc copy
  iomsctl doc ansible.builtin.service
  iomsctl doc --module-dir ./modules game_zone   # one of your own
  iomsctl doc lineinfile --output json";

/// Arguments of `doc`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The modules; without one, all are listed
    pub modules: Vec<String>,
    /// A folder of modules of your own [default: ./modules, and modules/ of the data folder]
    #[arg(long, value_name = "DIR")]
    pub module_dir: Vec<PathBuf>,
}

/// Shows pages of modules.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    let mut folders = args.module_dir.clone();
    folders.push("modules".into());
    folders.push(setup.data_dir().join("modules"));
    let library = Library::new(folders);
    if args.modules.is_empty() {
        return list(&setup);
    }
    let mut documents = Vec::new();
    let mut pages = Vec::new();
    for name in &args.modules {
        let found = library.named(name, &[]).map_err(|error| {
            let shown = CliError::new(error.message);
            match error.hint {
                Some(hint) => shown.hint(hint),
                None => shown,
            }
        })?;
        let Some(module) = found else {
            return Err(not_there(name));
        };
        documents.push(document(&module));
        pages.push(module.page());
    }
    if setup.json() {
        super::print(&format!("{}\n", json!({"schema": 1, "modules": documents})))?;
    } else {
        setup.print(&pages.join("\n"))?;
    }
    Ok(Status::OK)
}

fn not_there(name: &str) -> CliError {
    let error = CliError::new(format!("there is no module `{name}`"));
    if let Some(instead) = instead(name) {
        return error.hint(instead);
    }
    let all: Vec<String> = names().collect();
    error.hint(match nearest(name, all.iter().map(String::as_str)) {
        Some(close) => format!("did you mean `{close}`?"),
        None => "`iomsctl doc` lists them all".to_owned(),
    })
}

fn list(setup: &Setup) -> Result<Status, CliError> {
    let modules: Vec<_> = names().filter_map(|name| builtin(&name)).collect();
    if setup.json() {
        let listed: Vec<Value> = modules
            .iter()
            .map(|module| json!({"module": module.name, "short_description": module.short_description}))
            .collect();
        super::print(&format!("{}\n", json!({"schema": 1, "modules": listed})))?;
        return Ok(Status::OK);
    }
    let mut text = String::new();
    for module in modules {
        let _ = writeln!(text, "{:<24} {}", module.name, module.short_description);
    }
    setup.print(&text)?;
    Ok(Status::OK)
}

fn document(module: &Module) -> Value {
    let parameters: Vec<Value> = module
        .parameters
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name, "aliases": parameter.aliases, "type": parameter.kind.name(),
                "elements": parameter.elements.map(crate::module::Type::name),
                "required": parameter.required,
                "default": parameter.default.as_ref().map(crate::base::value::Value::to_json),
                "choices": parameter.choices.iter().map(crate::base::value::Value::to_json).collect::<Vec<_>>(),
                "description": parameter.description, "only": parameter.only,
            })
        })
        .collect();
    let returns: Vec<Value> = module
        .returns
        .iter()
        .map(|value| {
            json!({"name": value.name, "type": value.kind, "description": value.description, "when": value.when})
        })
        .collect();
    json!({
        "module": module.name, "names": module.names, "short_description": module.short_description,
        "description": module.description, "unix": module.posix.is_some(),
        "windows": module.windows.is_some(), "control": module.control, "check": module.check,
        "idempotent": module.idempotent, "parameters": parameters, "examples": module.examples,
        "returns": returns, "notes": module.notes,
    })
}
