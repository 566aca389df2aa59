//! `gather_facts`: the module `setup` under the name by which plays ask for it.

use super::super::context::Context;
use super::super::exchange;
use super::super::results::Outcome;
use crate::base::value::Map;

pub(super) async fn perform(context: &Context<'_>, args: &Map) -> Outcome {
    let setup = match context.runner().library.find("setup", &[]) {
        Ok(Some(module)) => module,
        Ok(None) => return Outcome::failed("there is no module `setup`"),
        Err(error) => return Outcome::refused(&error, context.prepared),
    };
    let mut args = args.clone();
    args.retain(|name, _| setup.parameter(name).is_some());
    exchange::module(context, &setup, &args).await
}
