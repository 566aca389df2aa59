//! Many small files to a Windows host: frames in one stream, each file checked and put in its place
//! as it comes.

use super::Upload;
use super::report::Report;
use super::surveying::Survey;
use crate::event::{ErrorKind, HostError};
use crate::transfer::link::Trouble;
use crate::transfer::remote::Remote;

/// Sends all that is small.
#[expect(clippy::unused_async, reason = "filled in next")]
pub(super) async fn send_together(
    _order: &Upload,
    _remote: &mut Remote<'_>,
    _survey: &mut Survey<'_>,
    _report: &mut Report,
) -> Result<(), Trouble> {
    Err(HostError::new(ErrorKind::Unsupported, "no stream").into())
}
