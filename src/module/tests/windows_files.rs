//! Files of Windows hosts, as far as they are files of any system.

use std::fs;

use serde_json::json;

use super::Mode;
use super::windows::on_each;

const CHECK: Mode = Mode {
    check: true,
    diff: true,
};

#[test]
fn folders_and_files_are_made_and_removed_and_made_no_second_time() {
    on_each("file in PowerShell", |host| {
        let path = host.path("a b/中/[x]");
        let args = json!({"path": path, "state": "directory"});
        let checked = host.with("win_file", args.clone(), CHECK);
        assert_eq!(checked["diff"]["after"]["state"], "directory", "{checked}");
        assert!(!fs::exists(&path).unwrap());
        for changed in [true, false] {
            let made = host.apply("file", args.clone());
            assert_eq!(made["changed"], changed, "{made}");
        }
        let file = host.path("a b/中/[x]/f.txt");
        assert_eq!(
            host.apply("file", json!({"path": file, "state": "file"}))["failed"],
            true
        );
        assert_eq!(
            host.apply("file", json!({"path": file, "state": "touch"}))["changed"],
            true
        );
        assert_eq!(host.apply("file", json!({"path": file}))["state"], "file");
        let wrong = host.apply("file", json!({"path": file, "state": "directory"}));
        assert_eq!(wrong["msg"], format!("path {file} is not a directory"));
        // What a link leads to stays.
        let kept = host.dir.path().join("kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("x"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, host.path("a b/link")).unwrap();
        let root = json!({"path": host.path("a b"), "state": "absent"});
        for changed in [true, false] {
            let gone = host.apply("win_file", root.clone());
            assert_eq!(gone["changed"], changed, "{gone}");
        }
        assert!(kept.join("x").exists() && !fs::exists(host.path("a b")).unwrap());
    });
}

#[test]
fn a_parameter_of_the_other_system_is_refused() {
    on_each("parameters of one system", |host| {
        let refused = host.apply(
            "command",
            json!({"cmd": "x", "expand_argument_vars": false}),
        );
        let why = refused["msg"].as_str().unwrap();
        assert!(why.contains("for Unix hosts only"), "{refused}");
    });
}

#[test]
fn what_a_file_is_and_holds_is_told() {
    on_each("stat and slurp in PowerShell", |host| {
        let path = host.path("f.txt");
        fs::write(&path, "abc\n中").unwrap();
        let stat = &host.apply("win_stat", json!({"path": path}))["stat"];
        assert_eq!(
            (
                &stat["exists"],
                &stat["isreg"],
                &stat["isdir"],
                &stat["size"],
                &stat["extension"]
            ),
            (
                &json!(true),
                &json!(true),
                &json!(false),
                &json!(7),
                &json!(".txt")
            ),
            "{stat}"
        );
        let md5 = &host.apply("stat", json!({"path": path, "checksum_algorithm": "md5"}))["stat"];
        assert_eq!(
            md5["checksum"],
            crate::base::digest::hex(&{
                let mut hasher = crate::base::digest::Md5Hasher::default();
                hasher.update("abc\n中".as_bytes());
                hasher.finish()
            })
        );
        let folder = &host.apply("stat", json!({"path": host.path("")}))["stat"];
        assert_eq!(
            (&folder["isdir"], &folder["size"]),
            (&json!(true), &json!(7)),
            "{folder}"
        );
        let nothing = host.apply("stat", json!({"path": host.path("none")}));
        assert_eq!(nothing["stat"], json!({"exists": false}));
        let slurped = host.apply("slurp", json!({"src": path}));
        assert_eq!(
            (&slurped["content"], &slurped["encoding"]),
            (&json!("YWJjCuS4rQ=="), &json!("base64"))
        );
        assert_eq!(
            host.apply("slurp", json!({"src": host.path("none")}))["failed"],
            true
        );
        let made = host.apply(
            "win_tempfile",
            json!({"path": host.path(""), "suffix": ".x"}),
        );
        assert!(
            fs::exists(made["path"].as_str().unwrap()).unwrap(),
            "{made}"
        );
    });
}

#[test]
fn a_scripts_objects_come_back_as_values() {
    on_each("the powershell module", |host| {
        let script = "param($Name, $Secret)\n'out'; @{a = 1; b = @('x', 2.5, $null, $true)}\n\
                      Write-Warning 'careful'; Write-Error 'wrong'\n\
                      $Ansible.Changed = $false; $Ansible.Result = @{name = $Name; secret = $Secret.GetType().Name}";
        let said = host.apply(
            "win_powershell",
            json!({
                "script": script,
                "parameters": {"Name": "it's 中"},
                "sensitive_parameters": [{"name": "Secret", "value": "geheim"}],
            }),
        );
        assert_eq!(
            said["result"],
            json!({"name": "it's 中", "secret": "SecureString"}),
            "{said}"
        );
        assert_eq!(said["output"][0], "out", "{said}");
        assert_eq!(
            said["output"][1],
            json!({"a": 1, "b": ["x", 2.5, null, true]}),
            "{said}"
        );
        assert_eq!(
            (&said["changed"], &said["warning"]),
            (&json!(false), &json!(["careful"]))
        );
        assert_eq!(said["error"][0]["exception"]["message"], "wrong", "{said}");
        let thrown = host.apply("powershell", json!({"script": "throw 'broken'"}));
        assert_eq!(
            (&thrown["failed"], &thrown["changed"]),
            (&json!(true), &json!(true)),
            "{thrown}"
        );
        assert!(
            thrown["msg"].as_str().unwrap().ends_with("broken"),
            "{thrown}"
        );
        let stopped = host.apply(
            "powershell",
            json!({"script": "Write-Error 'x'; 'after'", "error_action": "stop"}),
        );
        assert_eq!(stopped["failed"], true, "{stopped}");
        let by_itself = host.apply(
            "powershell",
            json!({"script": "$Ansible.Failed = $true; 'x'"}),
        );
        assert_eq!(
            (&by_itself["failed"], &by_itself["output"]),
            (&json!(true), &json!(["x"])),
            "{by_itself}"
        );
        let words = host.apply(
            "powershell",
            json!({"script": "$args", "arguments": ["a b", "c"]}),
        );
        assert_eq!(words["output"], json!(["a b", "c"]), "{words}");
        let checked = host.with("powershell", json!({"script": "'x'"}), CHECK);
        assert_eq!(checked["skipped"], true, "{checked}");
        let tried = host.with("powershell", json!({"script":
            "[CmdletBinding(SupportsShouldProcess=$true)]param()\n$PSCmdlet.ShouldProcess('x'); $Ansible.CheckMode"}), CHECK);
        assert_eq!(tried["output"], json!([false, true]), "{tried}");
        let file = host.path("s.ps1");
        fs::write(&file, "\u{feff}'from a file 中'").unwrap();
        let from_file = host.apply("powershell", json!({"path": file}));
        assert_eq!(
            from_file["output"],
            json!(["from a file 中"]),
            "{from_file}"
        );
    });
}

#[test]
fn a_program_is_started_once_and_outlives_the_task() {
    on_each("start_process in PowerShell", |host| {
        let seconds = format!("77.{}", std::process::id());
        let args = json!({"argv": ["/bin/sleep", seconds], "wait": 0.1});
        let first = host.apply("start_process", args.clone());
        assert_eq!(first["changed"], true, "{first}");
        let second = host.apply("start_process", args.clone());
        assert_eq!(
            (&second["changed"], &second["pid"]),
            (&json!(false), &first["pid"]),
            "{second}"
        );
        let mut stop = args.clone();
        stop["state"] = json!("stopped");
        for changed in [true, false] {
            let stopped = host.apply("start_process", stop.clone());
            assert_eq!(stopped["changed"], changed, "{stopped}");
        }
        let early = host.apply("start_process", json!({"cmd": "/bin/false", "wait": 1}));
        assert_eq!(early["failed"], true, "{early}");
        let nowhere = host.apply("start_process", json!({"cmd": "nosuchprogram"}));
        assert_eq!(nowhere["msg"], "there is no program nosuchprogram");
    });
}

#[test]
fn facts_are_told_under_ansibles_names() {
    on_each("facts in PowerShell", |host| {
        let facts = &host.apply("setup", json!({"gather_subset": ["!all"]}))["ansible_facts"];
        assert_eq!(facts["ansible_os_family"], "Windows", "{facts}");
        assert!(
            facts["ansible_hostname"].is_string()
                && facts["ansible_date_time"]["epoch_int"].is_i64(),
            "{facts}"
        );
        assert!(facts["ansible_interfaces"].is_null());
        let facts = &host.apply("setup", json!({}))["ansible_facts"];
        assert!(
            facts["ansible_processor_vcpus"].is_i64() && facts["ansible_interfaces"].is_array(),
            "{facts}"
        );
        let missing: Vec<_> = facts
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| name.starts_with("ansible_missing"))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    });
}
