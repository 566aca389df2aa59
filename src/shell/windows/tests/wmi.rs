//! What WMI is told to start, and what becomes of its answers: against a double of its commands, as Wine
//! has no methods that PowerShell could call.

use super::engine::{Bench, Came};
use crate::shell::windows::detaching;

/// Has WMI start a program; `create` is what `Win32_Process.Create` does.
fn by_wmi(bench: &Bench, create: &str) -> Came {
    let double = format!(
        "function New-CimInstance([string]$ClassName, [switch]$ClientOnly, $Property) {{ $Property }}\n\
         function Get-CimClass($ClassName) {{ }}\n\
         function Invoke-CimMethod($ClassName, $MethodName, $Arguments) {{\n{create}\n}}\n"
    );
    bench.line(&format!(
        "{}\nfunction IomsWine {{ $false }}\n\
         $Ioms.Said['program'] = @('服.exe')\n\
         $Ioms.Said['commandline'] = @('D:\\game\\服.exe \"-zone 7\"')\n\
         $Ioms.Create = @'\n{double}\n'@ + \"`n\" + $Ioms.Create\n\
         Set-Location -LiteralPath '{}'\n\
         $env:IOMS_X = 'x y'\n\
         \"id [$(IomsByWmi)]\"\n",
        detaching(),
        bench.tmp().display(),
    ))
}

#[test]
fn wmi_is_told_the_line_the_folder_and_the_variables() {
    let Some(bench) = Bench::new("programs started by WMI") else {
        return;
    };
    let log = bench.dir.path().join("log");
    let create = format!(
        "$startup = $Arguments.ProcessStartupInformation\n\
         $said = $ClassName, $MethodName, $Arguments.CommandLine, $Arguments.CurrentDirectory, $startup.ShowWindow\n\
         $said += @($startup.EnvironmentVariables | Where-Object {{ $_ -like 'IOMS_X=*' }})\n\
         [IO.File]::WriteAllLines('{}', [string[]]$said)\n\
         New-Object PSObject -Property @{{ ReturnValue = 0; ProcessId = 4711 }}",
        log.display()
    );
    let came = by_wmi(&bench, &create);
    assert!(came.stdout.contains("id [4711]"), "{came:?}");
    let folder = bench.tmp().display().to_string();
    let told = std::fs::read_to_string(log).unwrap();
    let wanted = [
        "Win32_Process",
        "Create",
        "D:\\game\\服.exe \"-zone 7\"",
        &folder,
        "0",
        "IOMS_X=x y",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn what_wmi_was_told_is_told_to_nobody_else() {
    let Some(bench) = Bench::new("answers of WMI") else {
        return;
    };
    let cases = [
        (
            "New-Object PSObject -Property @{ ReturnValue = 2; ProcessId = 0 }",
            "WMI may not start 服.exe: access is denied",
        ),
        (
            "New-Object PSObject -Property @{ ReturnValue = 9; ProcessId = 0 }",
            "there is no program 服.exe",
        ),
        ("throw 'quota of 中'", "WMI failed to start it: quota of 中"),
        ("[Environment]::Exit(1)", "it may have been started"),
    ];
    for (create, why) in cases {
        let came = by_wmi(&bench, create);
        assert_eq!(came.exit, Some(1), "{create}: {came:?}");
        assert!(came.stdout.contains(why), "{create}: {came:?}");
    }
}

#[test]
fn where_there_is_no_wmi_nothing_was_told() {
    let Some(bench) = Bench::new("hosts without WMI") else {
        return;
    };
    let came = by_wmi(&bench, "}\nfunction Get-CimClass { throw 'no WMI'");
    assert!(came.stdout.contains("id []"), "{came:?}");
}
