//! What is missing or malformed in the environment is one line that names it, and the function does not start.

use std::{path::PathBuf, process::Command};

fn binary(name: &str) -> PathBuf {
    let running = std::env::current_exe().unwrap();
    running.ancestors().find(|path| path.ends_with("debug") || path.ends_with("release")).unwrap().join(name)
}

const COMPLETE: [(&str, &str); 7] = [
    ("CONNECTIONS_TABLE", "connections"),
    ("SESSIONS_TABLE", "connect-sessions"),
    ("PUBLIC_BASE_URL", "https://connect.example"),
    ("VENDOR_NAME", "Acme"),
    ("REFRESH_FUNCTION", "refresh-on-demand"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
];

/// What a function says when one variable is changed.
fn start(function: &str, changed: &str, value: Option<&str>) -> String {
    let mut command = Command::new(binary(function));
    command.env_clear().envs(COMPLETE).env_remove(changed);
    if let Some(value) = value {
        command.env(changed, value);
    }
    let ended = command.output().unwrap();
    assert!(!ended.status.success(), "{function} without a good {changed}");
    String::from_utf8(ended.stderr).unwrap().trim().to_owned()
}

#[test]
fn each_missing_variable_is_one_line() {
    for (function, needed) in [
        ("oauth-callback", &["CONNECTIONS_TABLE", "SESSIONS_TABLE", "PUBLIC_BASE_URL", "VENDOR_NAME"][..]),
        ("refresh-sweep", &["CONNECTIONS_TABLE", "PUBLIC_BASE_URL"]),
        ("token-lookup", &["CONNECTIONS_TABLE", "SESSIONS_TABLE", "PUBLIC_BASE_URL", "REFRESH_FUNCTION"]),
    ] {
        for variable in needed {
            assert_eq!(start(function, variable, None), format!("{variable}: not set"), "{function}");
        }
    }
}

#[test]
fn each_malformed_variable_is_one_line() {
    for (function, variable, value) in [
        ("oauth-callback", "PUBLIC_BASE_URL", "http://connect.example"),
        ("oauth-callback", "UNSOLICITED_CALLBACKS", "perhaps"),
        ("oauth-callback", "SUPPORT_URL", "help"),
        ("oauth-callback", "SECRET_PREFIX", "/x"),
        ("refresh-sweep", "INVOKED_BY", "nobody"),
        ("refresh-sweep", "SWEEP_CONCURRENCY", "0"),
        ("refresh-sweep", "VAULT_PUTS_PER_SECOND", "many"),
        ("refresh-sweep", "TEMU_CALLS_PER_SECOND", "0"),
        ("refresh-sweep", "TEMU_CALLS_PER_SECOND", "21"),
        ("refresh-sweep", "LOG_LEVEL", "trace"),
        ("token-lookup", "RETURN_URLS", "https://a.example,nonsense"),
        ("token-lookup", "PUBLIC_BASE_URL", "connect.example"),
    ] {
        let said = start(function, variable, Some(value));
        assert!(said.starts_with(&format!("{variable}: ")) && said.lines().count() == 1, "{function}: {said}");
    }
}
