//! Outputs in the host's code page, which is asked once and remembered.

use ioms_fleet::windows::{Need, Windows, lacks};

use super::bed::Bed;

const GBK: &str = r"printf '\326\320\316\304\n'";

#[test]
fn a_gbk_console_reads_right_and_is_asked_once() {
    if lacks("code pages over WinRM", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .option("--codepage", "936")
        .start()
        .unwrap();
    let bed = Bed::of(windows, 1, "");
    let asked = |bed: &Bed| {
        bed.windows
            .commands()
            .iter()
            .filter(|line| *line == "chcp")
            .count()
    };
    assert_eq!(bed.host(&["echo ascii"])["stdout"], "ascii\n");
    assert_eq!(asked(&bed), 0, "nobody needs to know");
    let host = bed.host(&[GBK]);
    assert_eq!(
        (&host["stdout"], &host["encoding"]),
        (&"中文\n".into(), &"gb18030".into()),
        "{host}"
    );
    assert_eq!(asked(&bed), 1);
    assert_eq!(bed.host(&[GBK])["stdout"], "中文\n");
    assert_eq!(asked(&bed), 1, "it is remembered");
    bed.is_clean();
}

#[test]
fn what_the_user_says_of_the_encoding_wins() {
    if lacks("output_encoding over WinRM", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .option("--codepage", "437")
        .start()
        .unwrap();
    let bed = Bed::of(windows, 1, "output_encoding: gbk\n");
    assert_eq!(bed.host(&[GBK])["stdout"], "中文\n");
    assert!(bed.windows.commands().iter().all(|line| line != "chcp"));
}

#[test]
fn native_tools_that_write_utf_16_are_recognised() {
    let Some(bed) = Bed::http("UTF-16 over WinRM") else {
        return;
    };
    let host = bed.host(&["printf 'Name=\\346\\270\\270\\346\\210\\217\\r\\nState=Running\\r\\n' | iconv -f utf-8 -t utf-16le"]);
    assert_eq!(host["stdout"], "Name=游戏\r\nState=Running\r\n", "{host}");
}

#[test]
fn progress_on_standard_error_is_no_failure_and_not_shown() {
    let Some(bed) = Bed::http("CLIXML over WinRM") else {
        return;
    };
    let sample = include_str!("../fixtures/clixml/progress.stderr.xml");
    let file = bed.desk.file("progress.xml", sample);
    let host = bed.host(&[&format!("cat {} >&2; echo fine", file.display())]);
    assert_eq!(
        (&host["outcome"], &host["stderr"]),
        (&"ok".into(), &"".into()),
        "{host}"
    );
}
