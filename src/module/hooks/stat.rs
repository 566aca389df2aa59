//! stat: what the host says of a file, under Ansible's names.

use super::super::call::{Call, Said};
use super::super::stat::Line;
use super::Hook;
use crate::base::text;
use crate::base::value::{Map, Value};

pub(super) struct Stat;

/// chattr's flags by their letters.
const FLAGS: &[(char, &str)] = &[
    ('a', "append"),
    ('A', "noatime"),
    ('c', "compressed"),
    ('C', "nocow"),
    ('d', "nodump"),
    ('D', "dirsync"),
    ('e', "extents"),
    ('E', "encrypted"),
    ('h', "blocksize"),
    ('i', "immutable"),
    ('I', "indexed"),
    ('j', "journalled"),
    ('N', "inline"),
    ('s', "zero"),
    ('S', "synchronous"),
    ('t', "notail"),
    ('T', "blockroot"),
    ('u', "undelete"),
    ('X', "compressedraw"),
    ('Z', "compresseddirty"),
];

impl Hook for Stat {
    fn conclude(&self, call: &Call, said: &Said, result: &mut Map) {
        let Some(Value::Map(stat)) = result.get_mut("stat") else {
            return;
        };
        let Some(line) = said.record.field("ioms/stat") else {
            return;
        };
        let line = text::decode(line, call.situation.charset).text;
        let Some(line) = Line::read(&line) else {
            return;
        };
        let mut shown = line.shown(line.path);
        shown.insert("block_size".into(), Value::Int(line.block_size));
        shown.insert("blocks".into(), Value::Int(line.blocks));
        shown.insert("device_type".into(), Value::Int(line.device));
        if let Some(flags) = stat.get("attr_flags").and_then(Value::as_str) {
            let named = FLAGS.iter().filter(|(letter, _)| flags.contains(*letter));
            let named = named.map(|(_, name)| Value::Unsafe((*name).into()));
            shown.insert("attributes".into(), Value::List(named.collect()));
        }
        shown.extend(std::mem::take(stat));
        *stat = shown;
    }
}
