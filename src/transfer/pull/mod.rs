//! Pull mode: a web server within the run, from which hosts fetch what they are to have. It hands out
//! what was offered to one host, at an address of its own, once; it knows nothing else of files. The
//! host's side is said in `shell`.

mod answer;
mod certificate;
mod error;
mod farewell;
mod guest;
pub mod handout;
mod offer;
mod server;
mod settings;
mod watched;

pub use error::PullError;
pub use offer::{Offer, Wanted};
pub use server::PullServer;
pub use settings::PullSettings;

#[cfg(test)]
mod host_tests;
#[cfg(test)]
mod tests;
