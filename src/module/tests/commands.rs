//! Commands: words arrive as they are, outputs come back as they are.

use serde_json::json;

use super::{Mode, apply, in_shell, shells};

#[test]
fn a_command_gets_its_words_and_gives_its_outputs() {
    let result = apply(
        "command",
        &json!({"cmd": "printf '%s|' 'a b' c\\ d \"it's\""}),
    );
    assert_eq!(result["stdout"], "a b|c d|it's|");
    assert_eq!(result["rc"], 0);
    assert_eq!(result["changed"], true);
    assert_eq!(result["cmd"][1], "%s|");
}

#[test]
fn a_command_that_fails_is_failed_with_its_status() {
    let result = apply("shell", &json!({"cmd": "echo out; echo err >&2; exit 7"}));
    assert_eq!(
        (&result["rc"], &result["failed"], &result["msg"]),
        (&json!(7), &json!(true), &json!("non-zero return code"))
    );
    assert_eq!(result["stdout_lines"], json!(["out"]));
    assert_eq!(result["stderr"], "err");
}

#[test]
fn variables_in_words_are_the_hosts() {
    let result = apply(
        "command",
        &json!({"argv": ["printf", "%s|", "$HOME", "${HOME}x", "a$", "$NO_SUCH_NAME", "it's $HOME"]}),
    );
    let home = std::env::var("HOME").unwrap();
    assert_eq!(
        result["stdout"],
        format!("{home}|{home}x|a$|$NO_SUCH_NAME|it's {home}|")
    );
    let words = ["printf", "%s|", "~", "~/a b", "~nobody-there/x", "a~", "~-"];
    let result = apply("command", &json!({"argv": words}));
    assert_eq!(
        result["stdout"],
        format!("{home}|{home}/a b|~nobody-there/x|a~|~-|")
    );
}

#[test]
fn what_need_not_be_run_is_not() {
    let made = apply(
        "command",
        &json!({"cmd": "false", "creates": "/etc/passw*"}),
    );
    assert_eq!((&made["changed"], &made["rc"]), (&json!(false), &json!(0)));
    let gone = apply("command", &json!({"cmd": "false", "removes": "/no/such"}));
    assert_eq!(
        gone["msg"],
        "Did not run command since '/no/such' does not exist"
    );
    for shell in shells() {
        let mode = Mode {
            check: true,
            ..Mode::default()
        };
        let checked = in_shell(shell, "shell", json!({"cmd": "echo x"}), mode);
        assert_eq!(
            (&checked["skipped"], &checked["changed"], &checked["rc"]),
            (&json!(true), &json!(false), &json!(0))
        );
        let args = json!({"cmd": "echo x", "creates": "/no/such"});
        let checked = in_shell(shell, "shell", args, mode);
        assert_eq!(
            (&checked["changed"], &checked["stdout"]),
            (&json!(true), &json!(""))
        );
        assert_eq!(checked.get("skipped"), None);
    }
}

#[test]
fn a_command_that_is_not_there_is_failed_as_the_system_says() {
    for (cmd, rc, shown) in [
        ("/no/such 'a b'", 2, "/no/such 'a b'"),
        ("no-such-program-at-all", 2, "no-such-program-at-all"),
        ("/etc", 13, "/etc"),
        // A word of the shell's is no program.
        ("shift", 2, "shift"),
    ] {
        let result = apply("command", &json!({"cmd": cmd}));
        assert_eq!(
            (&result["rc"], &result["changed"], &result["cmd"]),
            (&json!(rc), &json!(false), &json!(shown))
        );
        assert_eq!(result["msg"], "Error executing command.");
    }
}

#[test]
fn a_command_reads_what_it_is_given_and_nothing_else() {
    let given = apply("shell", &json!({"cmd": "cat; echo end", "stdin": "ab"}));
    assert_eq!(given["stdout"], "ab\nend");
    let nothing = apply("shell", &json!({"cmd": "cat; echo end"}));
    assert_eq!(nothing["stdout"], "end");
}

#[test]
fn what_need_not_be_run_may_have_blanks_in_its_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a b c"), "").unwrap();
    let there = folder.path().join("a b*");
    let made = apply("command", &json!({"cmd": "false", "creates": there}));
    assert_eq!((&made["changed"], &made["rc"]), (&json!(false), &json!(0)));
    let run = apply("command", &json!({"cmd": "echo 'x y'", "removes": there}));
    assert_eq!(run["stdout"], "x y");
}
