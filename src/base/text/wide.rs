//! Whether a stream without a byte-order mark is UTF-16: what some native tools of Windows write
//! (`wsl`, `wmic`, what was redirected from PowerShell). Told from the beginning of the stream, one
//! byte after the other, so that the answer is the same however the stream is cut; most streams
//! have it with their second byte.

/// No more of a stream is looked at, in bytes.
pub(super) const MOST: usize = 1024;
/// Less than this is too little to tell, in characters.
const FEWEST: usize = 4;

/// Looks at the beginning of a stream.
#[derive(Debug, Default)]
pub(super) struct Wide {
    count: usize,
    /// The first byte of a character whose second is yet to come.
    low: u8,
    /// The first bytes, in which a character of UTF-8 may be seen.
    first: [u8; 4],
    /// Characters of Latin: every second byte is zero.
    latin: usize,
    /// Others whose bytes might be ASCII and zeros.
    plain: usize,
    /// Others.
    strange: usize,
    /// The first half of a character of four bytes came.
    surrogate: bool,
}

impl Wide {
    /// The next byte; tells once it is certain.
    pub(super) fn push(&mut self, byte: u8) -> Option<bool> {
        if let Some(place) = self.first.get_mut(self.count) {
            *place = byte;
        }
        self.count += 1;
        if self.count % 2 == 1 {
            self.low = byte;
        } else if !self.character(byte) {
            return Some(false);
        }
        if self.is_utf8() {
            return Some(false);
        }
        (self.count == MOST).then(|| self.end())
    }

    /// The stream ends here, or no more of it is looked at.
    pub(super) fn end(&self) -> bool {
        let all = self.latin + self.plain + self.strange;
        // Words between zeros look like UTF-16 here and there.
        let enough = if self.strange > 0 {
            self.latin * 20 >= all
        } else {
            self.latin * 10 >= all * 9
        };
        self.count.is_multiple_of(2) && all >= FEWEST && self.latin > 0 && enough
    }

    /// Whether the first character is one of UTF-8 beyond ASCII.
    fn is_utf8(&self) -> bool {
        let first = self.first.get(..self.count).unwrap_or_default();
        (2..=4).contains(&self.count)
            && first.first().is_some_and(|byte| *byte >= 0x80)
            && std::str::from_utf8(first).is_ok()
    }

    /// A character of these two bytes; whether this may go on.
    fn character(&mut self, high: u8) -> bool {
        let low = self.low;
        // Colours begin with an escape.
        if self.count == 2 && (is_text(low) || low == 0x1b) && is_text(high) {
            return false;
        }
        if high == 0 {
            self.latin += 1;
            return (is_text(low) || low >= 0xa0) && !self.surrogate;
        }
        // A line that ends without any zero.
        if self.latin == 0 && matches!(low, b'\n' | b'\r') {
            return false;
        }
        if is_text(high) && (is_text(low) || low == 0) {
            self.plain += 1;
        } else {
            self.strange += 1;
        }
        let (leads, trails) = ((0xd8..=0xdb).contains(&high), (0xdc..=0xdf).contains(&high));
        if trails != self.surrogate {
            return false;
        }
        self.surrogate = leads;
        // Newlines in the wrong place, private characters and those that are none; scripts of
        // India are not what a Windows tool begins with.
        !matches!(high, b'\n' | b'\r' | 0xe0..=0xf8 | 0xff)
            && (high, low) != (0xfe, 0xff)
            && !(high == 0xfd && (0xd0..=0xef).contains(&low))
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told, and from how many bytes.
    fn tell(bytes: &[u8]) -> (bool, usize) {
        let mut wide = Wide::default();
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(told) = wide.push(*byte) {
                return (told, at + 1);
            }
        }
        (wide.end(), bytes.len())
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn what_native_tools_write_as_utf_16_is_seen() {
        for text in [
            "Windows Registry Editor Version 5.00\r\n",
            "\r\nNode,Caption\r\nweb01,Microsoft Windows 10 专业版\r\n",
            "\r\n用于 Linux 的 Windows 子系统没有已安装的分发版。\r\n",
            "适用于 Linux 的 Windows 子系统\r\n",
            "Caption\r\n",
            "Größe: 5\r\n",
            "Имя узла: web01\r\n",
            "ok 😀\r\n",
        ] {
            assert!(tell(&utf16(text)).0, "{text}");
            assert_eq!(
                tell(&utf16(&text.repeat(100))),
                (true, MOST.min(utf16(text).len() * 100))
            );
        }
    }

    #[test]
    fn text_of_other_encodings_is_not_taken_for_it() {
        let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
        let sjis = |text: &str| encoding_rs::SHIFT_JIS.encode(text).0.into_owned();
        for bytes in [
            b"Linux\n".to_vec(),
            "中文\n".into(),
            "é\n".into(),
            "😀\n".into(),
            gbk("错误: 找不到文件\r\n"),
            gbk("正在 Ping 127.0.0.1 具有 32 字节的数据:\r\n"),
            gbk("一丁七万丈三上下不与丐丑专且丕世丘丙业丛东丝丞丢两严丧个丫中丰串临丸丹为主丽举"),
            sjis("エラー: ファイルが見つかりません\r\n"),
            b"nginx\0-c\0/etc/nginx.conf\0".to_vec(),
            b".\0./a\0./b\0./c\0".to_vec(),
            b"PATH=/bin\0HOME=/\0".to_vec(),
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0".to_vec(),
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(),
            vec![0; 2000],
            b"a\0".to_vec(),
            b"a\0b\0c\0d".to_vec(),
        ] {
            assert!(!tell(&bytes).0, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn plain_text_is_told_by_its_second_byte() {
        assert_eq!(tell(b"Linux\n"), (false, 2));
        assert_eq!(tell(b"\x1b[32mok"), (false, 2));
        assert_eq!(tell("é".as_bytes()), (false, 2));
        assert_eq!(tell("中文".as_bytes()), (false, 3));
    }
}
