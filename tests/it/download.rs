//! `iomsctl download`, end to end: from real OpenSSH hosts, and from hosts that lie.

mod bed;
mod broken_off;
mod content;
mod faults;
mod hostile;
mod links;
mod names;
mod only_sftp;
mod options;
