//! One file of a host to one place here, for those who have looked at it themselves.

use std::path::PathBuf;
use std::sync::Arc;

use super::beneath::Beneath;
use super::fetching::fetch_one;
use super::surveying::Item;
use super::{Download, DownloadOptions, local};
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Algorithm, Found, HostPath, Kind};
use crate::transfer::link::{Link, Trouble};
use crate::transfer::remote::Remote;

/// A file of the host's, as far as it is known, and where it goes.
#[derive(Debug)]
pub struct Single {
    /// The file there. What a link leads to is meant.
    pub source: String,
    /// Its size, in bytes: what comes beyond it is not taken. `None`: it has none before it is read,
    /// as files of `/proc`.
    pub size: Option<u64>,
    /// Its SHA-256 in hexadecimal, which what comes is held to; `None`: it is not checked.
    pub digest: Option<String>,
    /// A folder here, which is made; below it no link is followed.
    pub folder: PathBuf,
    /// The name below it, whose parts are names and nothing else.
    pub name: Vec<u8>,
}

/// How much is taken of what has no size, in bytes: it goes to the disk as it comes, but it may have
/// no end. More is an error.
const UNSIZED_MAX: u64 = 16 << 30;

/// Fetches it, whatever is here: beside its place, checked, and then put there in one step.
pub async fn single(order: &Single, link: &mut dyn Link) -> Result<(), Trouble> {
    up_to(UNSIZED_MAX, order, link).await
}

/// The same, with how much is taken of what has no size.
async fn up_to(most: u64, order: &Single, link: &mut dyn Link) -> Result<(), Trouble> {
    if !super::names::is_safe(&order.name) {
        let why = format!("{}: this would not stay in its folder here", order.source);
        return Err(HostError::new(ErrorKind::Arguments, why).into());
    }
    let remote = &mut Remote::new(link);
    let folder = order.folder.clone();
    let opened = local::run(move || Beneath::open(&folder, true)).await?;
    let Some(here) = opened.map(Arc::new) else {
        return Ok(());
    };
    let source = if remote.is_windows() {
        order.source.replace('\\', "/")
    } else {
        order.source.clone()
    };
    let item = Item {
        path: HostPath::from(source.as_str()),
        name: order.name.clone(),
        found: Found {
            kind: order.size.map_or(Kind::Other, |_| Kind::File),
            size: order.size.unwrap_or(most),
            mtime: 0,
            // As any new file of ours.
            mode: 0o666,
            uid: 0,
            gid: 0,
            digest: None,
        },
        link: None,
        digest: order.digest.clone(),
        fetch: true,
        compare: false,
        touch: false,
    };
    let download = Download {
        source: order.source.clone(),
        dest: order.folder.clone(),
        options: DownloadOptions {
            algorithm: Algorithm::Sha256,
            unchecked: order.digest.is_none(),
            ..DownloadOptions::default()
        },
        meter: Arc::default(),
    };
    fetch_one(&download, remote, &here, &item).await.map(drop)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use futures::future::BoxFuture;

    use super::*;
    use crate::shell::files::{FileTask, Said};
    use crate::target::{ShellKind, Target, Via};
    use crate::transfer::link::{Input, Pulse, Sink};
    use crate::transport::Files;

    /// A host that sends eight bytes, whatever it is asked.
    struct Sends(Arc<Target>);

    #[async_trait]
    impl Link for Sends {
        fn target(&self) -> &Arc<Target> {
            &self.0
        }

        async fn perform(
            &mut self,
            _: Arc<FileTask>,
            _: Option<Input>,
            sink: &mut dyn Sink,
        ) -> Result<Said, Trouble> {
            for piece in ["pie", "ces", "!\n"] {
                sink.take(Bytes::from(piece)).await?;
            }
            Ok(Said {
                exit: Some(0),
                stdout: Bytes::new(),
                stderr: Bytes::new(),
            })
        }

        fn files(&self) -> BoxFuture<'static, Result<Arc<dyn Files>, HostError>> {
            let none = HostError::new(ErrorKind::Unsupported, "there is no SFTP");
            Box::pin(async { Err(none) })
        }

        fn pulse(&self) -> Pulse {
            Arc::new(|| ())
        }
    }

    #[tokio::test]
    async fn what_has_no_size_is_taken_whole_or_not_at_all() {
        let mut link = Sends(Arc::new(Target {
            host: Arc::from("web01"),
            via: Via::Local,
            shell: ShellKind::Posix,
            r#become: None,
            encoding: None,
            tmpdir: None,
        }));
        let folder = tempfile::tempdir().unwrap();
        let order = |name: &str| Single {
            source: "/proc/version".to_owned(),
            size: None,
            digest: None,
            folder: folder.path().to_owned(),
            name: name.as_bytes().to_vec(),
        };
        up_to(8, &order("whole"), &mut link).await.unwrap();
        let trouble = up_to(7, &order("more"), &mut link).await.unwrap_err();
        assert_eq!(trouble.error.kind, ErrorKind::RemoteIo);
        let why = "/proc/version: it has no size, and goes on beyond 7 bytes";
        assert!(trouble.error.message.starts_with(why), "{trouble:?}");
        let there = std::fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = there.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["whole"]);
        let whole = std::fs::read_to_string(folder.path().join("whole"));
        assert_eq!(whole.unwrap(), "pieces!\n");
    }
}
