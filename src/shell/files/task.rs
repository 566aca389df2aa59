//! What a host can be told to do with files. One task is one exchange.

use super::path::HostPath;
use crate::base::secret::Secret;

/// A way to compare contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// Detects change, not tampering.
    #[default]
    Md5,
    /// Detects tampering too.
    Sha256,
}

/// One task.
#[derive(Debug, Clone)]
pub enum FileTask {
    /// What is at these paths? Links are not followed, but for those that end in `/`.
    Stat {
        /// The paths.
        paths: Vec<Asked>,
        /// For hosts that can hash at once what has the size it should have (Windows).
        algorithm: Algorithm,
        /// Say what links lead to.
        follow: bool,
    },
    /// The digests of these files.
    Hash {
        /// The paths.
        paths: Vec<HostPath>,
        /// Which.
        algorithm: Algorithm,
    },
    /// The numbers of a user and a group, by their names.
    Identify {
        /// The user.
        user: Option<String>,
        /// The group.
        group: Option<String>,
    },
    /// Where these links lead.
    ReadLinks(Vec<HostPath>),
    /// The names of all that is there and below.
    Walk(Walk),
    /// One file, whole: written beside its target, checked, and put in its place.
    Receive(Box<Receive>),
    /// Many small files in one stream, into a folder of their own beside their target.
    Unpack(Unpack),
    /// Puts what was unpacked in its place.
    Place(Place),
    /// Makes folders and links, and sets what is known of files beside their content, in this order.
    Adjust(Vec<(HostPath, Attributes)>),
    /// Removes files, links and folders with all that is in them.
    Remove(Vec<HostPath>),
    /// A file's content on standard output.
    Send(Send),
    /// Many files in one stream on standard output.
    Pack(Pack),
}

/// A path to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Where.
    pub path: HostPath,
    /// The size that makes its digest worth the trouble.
    pub size: Option<u64>,
}

/// All names below some paths.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Where to begin: a folder, a file.
    pub roots: Vec<HostPath>,
    /// Whether `*`, `?` and `[` in them are patterns.
    pub patterns: bool,
    /// Whether to follow links below the roots, too.
    pub follow: bool,
}

/// What is set of a file or folder beside its content. `None`: left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Makes it a folder, with its parents, if nothing is there.
    pub folder: bool,
    /// Makes it a link to this, in place of another link or file.
    pub link: Option<HostPath>,
    /// Permission bits, octal (Unix).
    pub mode: Option<u32>,
    /// The mode is that of what is replaced: of no use to run as its owner or group where it can't be
    /// given to them (see `kept`).
    pub inherited: bool,
    /// A user's name or number (Unix).
    pub owner: Option<String>,
    /// A group's name or number (Unix).
    pub group: Option<String>,
    /// Owner and group it had, given to it again where the host lets us (Unix).
    pub kept: Option<(u32, u32)>,
    /// Seconds since 1970.
    pub mtime: Option<i64>,
}

/// From where a file's bytes come.
#[derive(Debug, Clone)]
pub enum Origin {
    /// They follow on standard input, from [`Receive::offset`] to the end.
    Input,
    /// They are in the part file already.
    There,
    /// The host fetches them.
    Pull(Box<Pull>),
}

/// A file to be fetched over HTTP(S).
#[derive(Debug, Clone)]
pub struct Pull {
    /// The one-time address. Whoever knows it may fetch: it travels on standard input only.
    pub url: Secret,
    /// The certificate to insist on, where the host's tool can: its DER, and the SHA-256 of its public
    /// key (`SubjectPublicKeyInfo`) in base64, as curl's `--pinnedpubkey` wants it.
    pub pin: Option<Pin>,
    /// What the content must come to, in hex.
    pub sha256: String,
}

/// By what a certificate is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// SHA-256 of the certificate (DER), in hex.
    pub certificate: String,
    /// SHA-256 of its `SubjectPublicKeyInfo`, in base64.
    pub key: String,
    /// The certificate itself, for tools that know authorities only.
    pub pem: String,
}

/// One file to be received.
#[derive(Debug, Clone)]
pub struct Receive {
    /// The file it is written to meanwhile: in the target's folder.
    pub part: HostPath,
    /// Where it belongs. What is there is replaced.
    pub target: HostPath,
    /// How much of the part file is good already, in bytes; what is beyond is cut off.
    pub offset: u64,
    /// The whole size, in bytes.
    pub size: u64,
    /// How it is checked.
    pub algorithm: Algorithm,
    /// What it must come to, in hex.
    pub digest: String,
    /// From where.
    pub origin: Origin,
    /// What is set of it before it is put in its place.
    pub attributes: Attributes,
    /// Keep what is replaced under this name.
    pub backup: Option<HostPath>,
    /// Make its folder if it is not there.
    pub mkdir: bool,
}

/// Many files to be received: a tar stream on Unix; on Windows frames, see `windows::files`.
#[derive(Debug, Clone)]
pub struct Unpack {
    /// A folder of its own, which is made if it is not there.
    pub staging: HostPath,
    /// Where its content belongs: the paths in the stream are below it. (Windows puts each file in
    /// its place at once, checked.)
    pub root: HostPath,
    /// How the files are checked.
    pub algorithm: Algorithm,
    /// Make the folder of `root` if it is not there.
    pub mkdir: bool,
    /// Append this to the name of what is replaced and keep it.
    pub backup: Option<String>,
}

/// What was unpacked and found good.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder it is in; gone afterwards.
    pub staging: HostPath,
    /// Where it belongs: folders there are kept, files replaced.
    pub root: HostPath,
    /// Append this to the name of what is replaced and keep it.
    pub backup: Option<String>,
}

/// One file's content.
#[derive(Debug, Clone)]
pub struct Send {
    /// Which.
    pub path: HostPath,
    /// From where, in bytes.
    pub offset: u64,
}

/// Many files' content: a tar stream on Unix, frames on Windows.
#[derive(Debug, Clone)]
pub struct Pack {
    /// The names are below it.
    pub root: HostPath,
    /// Files and links, relative to `root`.
    pub names: Vec<HostPath>,
}
