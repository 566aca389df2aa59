//! Every PowerShell text of the program, held to PowerShell 3.0 as Windows 7 has it.

use std::process::Command as Process;

use ioms_fleet::windows::{Need, lacks};

#[test]
fn every_text_is_powershell_3() {
    if lacks("PowerShell texts held to 3.0", &[Need::PowershellOfTests]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let texts = crate::shell::windows::texts();
    assert!(texts.len() > 15, "{}", texts.len());
    let mut check = Process::new(std::env::var_os("IOMS_PWSH").unwrap());
    check.args(["-Check", "-Compat", "3.0", "-Windows7"]);
    for (name, text) in &texts {
        let file = dir.path().join(name.replace(['/', ' ', ','], "_"));
        std::fs::write(&file, text).unwrap();
        check.arg(file);
    }
    let checked = check.output().unwrap();
    assert!(
        checked.status.success(),
        "{}{}",
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[test]
fn the_files_of_powershell_are_all_in_the_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/shell/windows/ps");
    let names: Vec<&str> = crate::shell::windows::texts()
        .iter()
        .map(|text| text.0)
        .collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&name.as_str()), "{name}");
    }
}

/// A host of 2008 R2 has PowerShell 2.0 unless somebody brought it another.
#[test]
fn no_text_needs_what_powershell_2_lacks() {
    for (name, text) in crate::shell::windows::texts() {
        for line in newer_than_2(&text) {
            // Behind its own question whether this is PowerShell 6 or later.
            let guarded = line.contains("Cim") && name.starts_with("detach.ps1");
            assert!(guarded, "{name}: {line}");
        }
    }
    assert_eq!(newer_than_2("x | Where-Object Name").len(), 1);
    assert_eq!(newer_than_2("[pscustomobject]@{}").len(), 1);
    assert_eq!(newer_than_2("'a' -in $b\nx | Where-Object { $_ }").len(), 1);
}

/// The lines of a text that PowerShell 2.0 does not understand, as far as they are known by sight.
pub(crate) fn newer_than_2(text: &str) -> Vec<&str> {
    let newer = regex::Regex::new(
        r"(?ix) \[pscustomobject\] | \[ordered\] | \s-(not)?in\s | \s-sh[lr]\s | \$psitem | \$pscommandpath
        | \$psscriptroot | (where|foreach)-object\s+-?[a-z] | \bget-content\b.*-raw | \bconvert(to|from)-json\b
        | ::new\( | \.(where|foreach)\( | isnullorwhitespace | \.copyto\( | ^\s*class\s | invoke-webrequest
        | \bcombine\([^(),]+,[^(),]+, | \bcim(instance|method|class)",
    )
    .unwrap();
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#') && newer.is_match(line))
        .collect()
}
