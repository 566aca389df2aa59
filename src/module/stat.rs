//! What `stat` says of a file, as Ansible's results have it (posix/stat.sh asks).

use crate::base::value::{Map, Value};

/// The fields of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) mode: u32,
    pub(super) size: i64,
    uid: i64,
    gid: i64,
    inode: i64,
    dev: i64,
    links: i64,
    pub(super) atime: f64,
    pub(super) mtime: f64,
    pub(super) ctime: f64,
    pub(super) blocks: i64,
    pub(super) block_size: i64,
    pub(super) device: i64,
    user: &'a str,
    group: &'a str,
    pub(super) path: &'a str,
}

impl<'a> Line<'a> {
    /// Reads a line; `None`: it is none.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let mut words = line.splitn(15, ' ');
        let mode = u32::from_str_radix(words.next()?, 16).ok()?;
        let mut whole = || words.next()?.parse::<i64>().ok();
        let (size, uid, gid, inode, dev, links) =
            (whole()?, whole()?, whole()?, whole()?, whole()?, whole()?);
        let mut time = || words.next()?.parse::<f64>().ok();
        let (atime, mtime, ctime) = (time()?, time()?, time()?);
        let mut whole = || words.next()?.parse::<i64>().ok();
        let (blocks, block_size) = (whole()?, whole()?);
        let mut hex = || i64::from_str_radix(words.next()?, 16).ok();
        let device = (hex()? << 8) | hex()?;
        let (user, rest) = words.next()?.split_once('/')?;
        let (group, path) = rest.split_once('/')?;
        Some(Self {
            mode,
            size,
            uid,
            gid,
            inode,
            dev,
            links,
            atime,
            mtime,
            ctime,
            blocks,
            block_size,
            device,
            user,
            group,
            path,
        })
    }

    /// Whether it is of this kind: `0o100000` is a file, `0o040000` a folder, `0o120000` a link.
    pub(super) fn is(&self, kind: u32) -> bool {
        self.mode & 0o170_000 == kind
    }

    /// What the modules stat and find return alike.
    pub(super) fn shown(&self, path: &str) -> Map {
        let text = |text: &str| Value::Unsafe(text.into());
        let known = |name: &str| text(if name == "UNKNOWN" { "" } else { name });
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| map.insert(name.into(), value);
        put("path", text(path));
        put("mode", text(&format!("{:04o}", self.mode & 0o7777)));
        for (name, kind) in [
            ("isdir", 0o040_000),
            ("ischr", 0o020_000),
            ("isblk", 0o060_000),
            ("isreg", 0o100_000),
            ("isfifo", 0o010_000),
            ("islnk", 0o120_000),
            ("issock", 0o140_000),
        ] {
            put(name, Value::Bool(self.is(kind)));
        }
        for (name, number) in [
            ("uid", self.uid),
            ("gid", self.gid),
            ("size", self.size),
            ("inode", self.inode),
            ("dev", self.dev),
            ("nlink", self.links),
        ] {
            put(name, Value::Int(number));
        }
        put("atime", Value::Float(self.atime));
        put("mtime", Value::Float(self.mtime));
        put("ctime", Value::Float(self.ctime));
        put("gr_name", known(self.group));
        put("pw_name", known(self.user));
        for (name, bit) in [
            ("wusr", 0o200),
            ("rusr", 0o400),
            ("xusr", 0o100),
            ("wgrp", 0o020),
            ("rgrp", 0o040),
            ("xgrp", 0o010),
            ("woth", 0o002),
            ("roth", 0o004),
            ("xoth", 0o001),
            ("isuid", 0o4000),
            ("isgid", 0o2000),
        ] {
            put(name, Value::Bool(self.mode & bit != 0));
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_and_what_is_none_is_not() {
        let line = "81a4 3 0 42 7 64 1 1.5 2 3 8 4096 0 0 root/UNKNOWN//tmp/a b/c";
        let read = Line::read(line).unwrap();
        assert_eq!(
            (read.path, read.mode & 0o777, read.atime),
            ("/tmp/a b/c", 0o644, 1.5)
        );
        let shown = read.shown("/x");
        assert_eq!(shown.get("isreg"), Some(&Value::Bool(true)));
        assert_eq!(shown.get("gr_name"), Some(&Value::Unsafe("".into())));
        assert!(Line::read("81a4 3 rest of a name").is_none());
    }
}
