//! The tier that runs real Windows programs.

use super::super::{Language, Need, Tier, Windows, lacks};
use super::clients::run;

const NEEDS: [Need; 3] = [Need::Server, Need::Wine, Need::PowershellForWine];

#[test]
fn wine_runs_windows_programs_and_powershell() {
    if lacks("the Wine tier", &NEEDS) {
        return;
    }
    let tier = Tier::Wine(Language::En);
    let windows = Windows::builder().tier(tier).start().unwrap();
    let said = run(
        &windows,
        &[
            "echo %OS%& exit /b -1073741819",
            "reg query HKLM\\Software\\Microsoft /ve >nul & chcp",
            "where powershell",
            "powershell -NoProfile -NonInteractive -Command \"$PSVersionTable.PSVersion.Major; exit 300\"",
            "tasklist /nh /fo csv /fi \"IMAGENAME eq services.exe\"",
        ],
    );
    // All 32 bits of an exit code.
    assert_eq!(said[0].0, 0xC000_0005, "{said:?}");
    assert_eq!(said[0].1, "Windows_NT\r\n");
    assert_eq!(said[1].1, "Active code page: 437\r\n");
    assert!(said[2].1.starts_with("C:\\ps\\powershell"), "{said:?}");
    assert_eq!((said[3].0, said[3].1.trim()), (300, "5"));
    assert!(said[4].1.starts_with("\"services.exe\","), "{said:?}");
    assert_eq!(windows.plaintext(), []);
}

#[test]
fn what_wine_only_pretends_is_refused() {
    if lacks("the programs that Wine lacks", &NEEDS) {
        return;
    }
    let tier = Tier::Wine(Language::En);
    let windows = Windows::builder().tier(tier).start().unwrap();
    let lines = [
        "certutil -hashfile C:\\windows\\win.ini MD5",
        "schtasks /query",
        "tasklist",
        "systeminfo",
        "icacls C:\\",
        "where /r C:\\ x",
        "wevtutil el",
        "setx A B",
        "chcp 65001",
    ];
    for ((code, _, errors), line) in run(&windows, &lines).into_iter().zip(lines) {
        assert_eq!(code, 87, "{line}: {errors}");
        assert!(!errors.is_empty(), "{line}");
    }
}

#[test]
fn a_windows_of_another_language_writes_its_code_page() {
    if lacks("the Wine tier in Chinese", &NEEDS) {
        return;
    }
    let tier = Tier::Wine(Language::Zh);
    let windows = Windows::builder().tier(tier).start().unwrap();
    let said = run(
        &windows,
        &[
            "chcp",
            "echo \u{4f60}\u{597d}",
            "powershell -NoProfile -NonInteractive -Command \"'\u{4f60}\u{597d}'\"",
        ],
    );
    assert!(said[0].1.ends_with(": 936\r\n"), "{said:?}");
    // GBK, shown as Latin-1.
    for (_, out, _) in &said[1..] {
        assert_eq!(out.trim_end(), "\u{c4}\u{e3}\u{ba}\u{c3}", "{said:?}");
    }
}
