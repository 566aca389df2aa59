//! How a host's texts differ from what is here.

use std::io::Read as _;
use std::sync::Arc;

use super::beneath::{Beneath, Here};
use super::local;
use super::surveying::Survey;
use crate::event::ErrorKind;
use crate::transfer::diff::{MOST, text, unified};
use crate::transfer::link::Trouble;
use crate::transfer::remote::Remote;
use crate::transfer::report::Report;

/// Writes down how the texts that will be replaced differ. Hosts' lines are alike where their texts
/// are: a file here goes by its name below the host's folder.
pub(super) async fn show(
    survey: &Survey,
    remote: &mut Remote<'_>,
    report: &mut Report,
) -> Result<(), Trouble> {
    let wanted = survey
        .items
        .iter()
        .filter(|item| item.fetch && item.is_file());
    for item in wanted.filter(|item| item.found.size <= MOST) {
        let Some(old) = before(survey.here.as_ref(), &item.name).await? else {
            continue;
        };
        let new = match text(remote, &item.path).await {
            Ok(new) => new,
            // Why it can't be had is said where it is fetched.
            Err(trouble)
                if matches!(
                    trouble.error.kind,
                    ErrorKind::RemoteIo | ErrorKind::VerifyMismatch
                ) =>
            {
                continue;
            }
            Err(trouble) => return Err(trouble),
        };
        let name = String::from_utf8_lossy(&item.name);
        let path = item.path.to_string();
        report.text.push_str(&unified((&name, &old), (&path, &new)));
    }
    Ok(())
}

/// What is here; nothing where it is new, `None` where it is no text that is compared.
async fn before(here: Option<&Arc<Beneath>>, name: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    let Some(here) = here.cloned() else {
        return Ok(Some(Vec::new()));
    };
    let name = name.to_vec();
    local::run(move || match here.look(&name)? {
        Here::Nothing => Ok(Some(Vec::new())),
        Here::File { size, .. } if size <= MOST => {
            let mut old = Vec::new();
            here.read(&name)?.take(MOST).read_to_end(&mut old)?;
            Ok(Some(old))
        }
        _ => Ok(None),
    })
    .await
}
