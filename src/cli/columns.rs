//! Lists as people read them: a heading, and a line for each thing, in columns.

use unicode_width::UnicodeWidthStr as _;

/// Rows below their heading, each column as wide as it has to be.
pub(super) fn columns<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut all = vec![heading.map(str::to_owned)];
    all.extend(rows);
    let mut widths = [0; N];
    for row in &all {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in &all {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let rows = [["主机", "1"], ["a", ""]].map(|row| row.map(str::to_owned));
        insta::assert_snapshot!(columns(["NAME", "N"], rows), @"
        NAME  N
        主机  1
        a
        ");
    }
}
