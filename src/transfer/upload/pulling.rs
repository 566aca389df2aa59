//! A file that the host fetches itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::sending::local;
use super::{Upload, Way};
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, HostError, Route};
use crate::shell::files::{Algorithm, Answer, FileTask, Origin, Receive, Received};
use crate::transfer::link::Trouble;
use crate::transfer::meter::Meter;
use crate::transfer::pull::handout::{Handout, Pace};
use crate::transfer::pull::{PullServer, Wanted};
use crate::transfer::remote::{Remote, expect_answer};
use crate::transfer::source::Content;

/// From this size on it is worth the host's trouble, in bytes.
const WORTH: u64 = 4 << 20;

/// How long a host may take to begin.
const LIFETIME: Duration = Duration::from_mins(10);

/// Whether a file is fetched by its host.
pub(super) fn fits(order: &Upload, remote: &Remote<'_>, left: u64) -> bool {
    let possible = order.options.pull.is_some() && left > 0 && remote.takes_streams();
    match order.options.via {
        Way::Push => false,
        Way::Pull => possible,
        Way::Auto => possible && left > WORTH && remote.stream() == Route::Winrm,
    }
}

/// Has the host fetch it: what it was asked, and what it made of that. `None`: it can't, and is to be
/// sent it.
pub(super) async fn pull(
    order: &Upload,
    remote: &mut Remote<'_>,
    content: &Arc<Content>,
    receive: &Receive,
) -> Result<Option<(Receive, Received)>, Trouble> {
    let sha256 = {
        let content = content.clone();
        let made = tokio::task::spawn_blocking(move || content.sha256()).await;
        made.map_err(|error| local(io::Error::other(error)))?
            .map_err(local)?
    };
    let server = server(order).await?;
    let offer = server.offer(Wanted {
        content: Arc::new(Handed {
            content: content.clone(),
            sha256: sha256.clone(),
        }),
        host: remote.host(),
        client: None,
        lifetime: LIFETIME,
        pace: Some(order.meter.clone()),
        progress: Some(progress(remote)),
    });
    let offer = offer.map_err(unserved)?;
    let fetched = Receive {
        origin: Origin::Pull(Box::new(offer.pull.clone())),
        // What came over another line than ours is compared by what shows tampering, too.
        algorithm: Algorithm::Sha256,
        digest: sha256,
        ..receive.clone()
    };
    let task = FileTask::Receive(Box::new(fetched.clone()));
    let answer = remote.ask(task).await;
    let automatic = order.options.via == Way::Auto;
    match answer {
        Ok(answer) => {
            expect_answer!(answer, Answer::Received(received) => Some((fetched, received)))
        }
        Err(trouble)
            if automatic && !offer.contacted() && trouble.error.kind != ErrorKind::NoSpace =>
        {
            tracing::info!(error = %trouble.error, "the host can't fetch, and is sent it");
            Ok(None)
        }
        Err(mut trouble) => {
            if !offer.contacted() && trouble.error.hint.is_none() {
                trouble.error = without_contact(trouble.error, remote.is_windows());
            }
            Err(trouble)
        }
    }
}

/// What to do about a host that did not come. (A full disk is no question of the way.)
fn without_contact(error: HostError, windows: bool) -> HostError {
    const REACH: &str = "does the host reach pull.url? --via push sends it";
    match error.kind {
        ErrorKind::NoSpace => error,
        // .NET is there; what it lacked was an answer.
        ErrorKind::Unsupported if windows => {
            HostError::new(ErrorKind::RemoteIo, error.message).hint(REACH)
        }
        ErrorKind::Unsupported => {
            error.hint("install curl or GNU wget there; --via push does without")
        }
        _ => error.hint(REACH),
    }
}

fn progress(remote: &Remote<'_>) -> Arc<dyn Fn(u64) + Send + Sync> {
    let pulse = remote.pulse();
    Arc::new(move |_| pulse())
}

/// The server of this run, started by the first that needs it.
async fn server(order: &Upload) -> Result<&Arc<PullServer>, Trouble> {
    let Some(settings) = &order.options.pull else {
        return Err(HostError::new(ErrorKind::Unsupported, "pull mode is not set up").into());
    };
    let started = order
        .server
        .get_or_try_init(|| async { PullServer::start(settings) });
    started.await.map_err(unserved)
}

fn unserved(error: crate::transfer::pull::PullError) -> Trouble {
    HostError::new(ErrorKind::LocalIo, error.to_string())
        .hint("see pull.listen and pull.url; --via push does without")
        .into()
}

/// A source's content, as the server hands it out.
struct Handed {
    content: Arc<Content>,
    sha256: String,
}

impl Handout for Handed {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn sha256(&self) -> String {
        self.sha256.clone()
    }

    fn chunks(&self, offset: u64) -> Box<dyn Chunks> {
        self.content.chunks(offset)
    }
}

#[async_trait]
impl Pace for Meter {
    async fn take(&self, bytes: u64) {
        self.moved(bytes).await;
    }
}
