//! Readings of what hosts have printed, and what is found in them.

use super::*;

/// Printed by `cmd.exe` of Windows Server 2019 in Chinese, code page 936, `wmic` in UTF-16.
fn server_2019() -> Vec<u8> {
    let mut output = b"@@shell cmd\r\n\r\nMicrosoft Windows [\xb0\xe6\xb1\xbe 10.0.17763.2114]\r\n\xbb\xee\xb6\xaf\xb4\xfa\xc2\xeb\xd2\xb3: 936\r\n@@user GAME\\ops\r\n\"Everyone\",\"Well-known group\",\"S-1-1-0\",\"x\"\r\n\"BUILTIN\\Administrators\",\"Alias\",\"S-1-5-32-544\",\"x\"\r\n\"Mandatory Label\\High Mandatory Level\",\"Label\",\"S-1-16-12288\",\"\"\r\n\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\r\n    ProductName    REG_SZ    Windows Server 2019 Standard\r\n\r\n\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\PowerShell\\3\\PowerShellEngine\r\n    PowerShellVersion    REG_SZ    5.1.17763.1\r\n\r\n".to_vec();
    let wide = "\u{feff}\r\r\n\r\r\nLocalDateTime=20261124183005.123000+480\r\r\n\r\r\nFreeSpace=21474836480\r\r\nSize=107374182400\r\r\n";
    output.extend(wide.encode_utf16().flat_map(u16::to_le_bytes));
    output.extend(b"Winrs\r\n    AllowRemoteShellAccess = true\r\n    MaxMemoryPerShellMB = 2147483647\r\n    MaxShellsPerUser = 2147483647\r\n\r\n@@end\r\n");
    output
}

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn winrm() -> Circumstances {
    Circumstances {
        winrm: true,
        asked: Some((at("2026-11-24T10:30:04Z"), at("2026-11-24T10:30:07Z"))),
        ..Circumstances::default()
    }
}

fn told(answers: &Answers, about: &Circumstances) -> Vec<String> {
    findings(answers, about)
        .iter()
        .map(|one| format!("{} {}: {}", one.check.name(), one.state.name(), one.detail))
        .collect()
}

#[test]
fn a_windows_server_is_read_whatever_its_language() {
    let answers = Answers::read(&server_2019());
    assert_eq!(answers.now, Some(at("2026-11-24T10:30:05Z")));
    assert_eq!(answers.codepage, Some(936));
    let support = support(&answers);
    assert_eq!(support.tier, Tier::Full);
    assert_eq!(
        support.system.as_deref(),
        Some("Windows Server 2019 Standard (10.0.17763)")
    );
    insta::assert_debug_snapshot!(told(&answers, &winrm()), @r#"
    [
        "shell ok: cmd; PowerShell 5.1.17763 is there",
        "rights ok: GAME\\ops: administrator, with all rights",
        "encoding ok: code page 936",
        "clock ok: as the controller's",
        "disk ok: the system drive has 20.0 GiB of 100.0 GiB free",
        "quota ok: MaxMemoryPerShellMB: unlimited",
        "second_hop ok: the login is not handed on: shares and databases of a third host refuse the user",
    ]
    "#);
}

#[test]
fn lines_that_come_in_another_order_say_the_same() {
    let mut moved = b"@@end\r\n".to_vec();
    let answer = server_2019();
    let (first, rest) = answer.split_at(b"@@shell cmd\r\n".len());
    moved.extend(rest);
    moved.truncate(answer.len() - first.len());
    moved.extend(first);
    assert_eq!(Answers::read(&moved), Answers::read(&answer));
}

#[test]
fn a_linux_host_is_read() {
    let output = b"@@shell sh\n@@user game 1000\n@@kernel Linux 6.1.0-18-amd64 x86_64\n@@system \"Debian GNU/Linux 12 (bookworm)\"\n@@charmap UTF-8\n@@now 1795516205\n@@disk 51475068 30000000 /\n@@disk 51475068 30000000 /\n@@end\n";
    let answers = Answers::read(output);
    let support = support(&answers);
    assert_eq!(support.tier, Tier::Full);
    assert_eq!(
        support.system.as_deref(),
        Some("Debian GNU/Linux 12 (bookworm) (Linux 6.1.0-18-amd64 x86_64)")
    );
    let about = Circumstances {
        asked: Some((at("2026-11-24T10:30:04Z"), at("2026-11-24T10:30:07Z"))),
        ..Circumstances::default()
    };
    insta::assert_debug_snapshot!(told(&answers, &about), @r#"
    [
        "shell ok: sh",
        "rights ok: game: not root; -b becomes root",
        "encoding ok: UTF-8",
        "clock ok: as the controller's",
        "disk ok: / has 28.6 GiB of 49.1 GiB free",
    ]
    "#);
}

#[test]
fn powershell_says_the_same_in_lines_of_its_own() {
    let output = b"@@shell powershell\r\n@@powershell 5.1.14393.0\r\n@@version 10.0.14393.0 Win32NT\r\n@@system Windows Server 2016 Datacenter\r\n@@user WIN1\\Administrator\r\n@@codepage 437\r\n@@oemcp 437\r\n@@now 2026-11-24T10:40:05Z\r\n@@groups S-1-5-32-544 S-1-16-8192\r\n@@disk 41940988 90000 C:\r\n@@memory 150\r\n@@end\r\n";
    let answers = Answers::read(output);
    let about = Circumstances {
        kerberos: true,
        ..winrm()
    };
    insta::assert_debug_snapshot!(told(&answers, &about), @r#"
    [
        "shell ok: PowerShell 5.1.14393",
        "rights warn: WIN1\\Administrator: administrator, but without the rights (filtered by UAC)",
        "encoding ok: code page 437",
        "clock fail: 9m58s fast, against the controller's; Kerberos takes no more than 5 minutes",
        "disk fail: C: has 87 MiB of 40.0 GiB free",
        "quota warn: MaxMemoryPerShellMB is 150",
        "second_hop ok: the login is not handed on: shares and databases of a third host refuse the user",
    ]
    "#);
}

#[test]
fn each_windows_stands_in_its_row_of_the_table() {
    let row = |version: &str, powershell: Option<&str>| {
        let answers = Answers {
            family: Some(Family::Windows),
            version: Version::find(version),
            powershell: powershell.and_then(Version::find),
            ..Answers::default()
        };
        let found = support(&answers);
        format!("{}: {}", found.system.unwrap(), found.tier.name())
    };
    let rows = [
        row("10.0.20348.1", Some("5.1")),
        row("10.0.14393", Some("5.1")),
        row("6.3.9600", Some("4.0")),
        row("6.2.9200", Some("3.0")),
        row("6.1.7601", Some("5.1")),
        row("6.1.7601", Some("2.0")),
        row("6.1.7601", None),
        row("6.0.6002", Some("2.0")),
        row("5.2.3790", None),
        row("5.1.2600", None),
    ];
    insta::assert_debug_snapshot!(rows, @r#"
    [
        "Windows Server 2022 (10.0.20348): full",
        "Windows 10 / Server 2016 (10.0.14393): full",
        "Windows 8.1 / Server 2012 R2 (6.3.9600): full",
        "Windows 8 / Server 2012 (6.2.9200): full",
        "Windows 7 / Server 2008 R2 (6.1.7601): full",
        "Windows 7 / Server 2008 R2 (6.1.7601): limited",
        "Windows 7 / Server 2008 R2 (6.1.7601): limited",
        "Windows Vista / Server 2008 (6.0.6002): best_effort",
        "Windows Server 2003 (5.2.3790): third_party_sshd",
        "Windows XP (5.1.2600): third_party_sshd",
    ]
    "#);
    assert_eq!(support(&Answers::default()).tier, Tier::Unknown);
}

#[test]
fn a_user_of_fewer_rights_is_told_what_they_do_for() {
    let rights = |groups: &[&str]| {
        let answers = Answers {
            family: Some(Family::Windows),
            shell: Some("cmd".into()),
            user: Some("ops".into()),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            ..Answers::default()
        };
        let all = findings(&answers, &winrm());
        let one = all.into_iter().find(|one| one.check == Check::Rights);
        let one = one.unwrap();
        format!("{} {}", one.state.name(), one.common())
    };
    assert_eq!(
        rights(&["S-1-5-32-580", "S-1-16-8192"]),
        "warn member of Remote Management Users, no administrator"
    );
    assert_eq!(rights(&["S-1-1-0"]), "warn no administrator");
    assert_eq!(
        rights(&["S-1-5-32-544", "S-1-16-8192"]),
        "warn administrator, but without the rights (filtered by UAC)"
    );
    assert_eq!(
        rights(&["S-1-5-32-5440", "S-1-16-12288"]),
        "warn no administrator",
        "no other group is taken for Administrators"
    );
}

#[test]
fn a_hosts_nonsense_is_no_answer() {
    for output in [
        &b""[..],
        b"Welcome!\nlast login: today\n",
        b"@@shell\n@@disk x y z\n@@now never\n@@memory -1\n",
        b"@@disk 18446744073709551615 18446744073709551615 /\n",
        b"\xff\xfe\x00\x00",
    ] {
        let answers = Answers::read(output);
        assert!(answers.disks.is_empty() && answers.now.is_none());
        findings(&answers, &winrm());
    }
    let long = [&b"@@shell cmd\n@@system "[..], &vec![b'x'; 100_000]].concat();
    assert_eq!(Answers::read(&long).system.unwrap().len(), 200);
    let escape = Answers::read(b"@@shell cmd\n@@system a\x1b[31mb\n");
    assert_eq!(escape.system.as_deref(), Some("a[31mb"));
}

#[test]
fn the_questions_to_cmd_fit_its_line() {
    let crate::shell::Command::Line(line) = probe(Shell::Cmd) else {
        panic!("a line");
    };
    assert!(line.len() < 2500 && line.is_ascii(), "{}", line.len());
}

#[test]
fn a_locale_that_is_read_wrong_is_told() {
    let answers = Answers {
        charmap: Some("GB18030".into()),
        ..Answers::default()
    };
    let find = |about: &Circumstances| {
        let all = findings(&answers, about);
        let one = all.into_iter().find(|one| one.check == Check::Encoding);
        let one = one.unwrap();
        (one.state, one.hint)
    };
    let (state, hint) = find(&Circumstances::default());
    assert_eq!(state, State::Warn);
    assert_eq!(
        hint.as_deref(),
        Some("set output_encoding: gb18030 for the host")
    );
    let set = Circumstances {
        encoding: Some("gb18030".into()),
        ..Circumstances::default()
    };
    assert_eq!(find(&set).0, State::Ok);
}
