//! The environment: lines `NAME=value`. A line that begins with no variable's name goes on with the value before it.

use std::collections::BTreeMap;

use shop_keyring::config::{ConfigError, Reader, is_loopback};
use url::Url;

const VARIABLES: [&str; 15] = [
    "CONNECTIONS_TABLE",
    "SESSIONS_TABLE",
    "SECRET_PREFIX",
    "PUBLIC_BASE_URL",
    "VENDOR_NAME",
    "SUPPORT_URL",
    "UNSOLICITED_CALLBACKS",
    "RETURN_URLS",
    "REFRESH_FUNCTION",
    "INVOKED_BY",
    "SWEEP_CONCURRENCY",
    "VAULT_PUTS_PER_SECOND",
    "TEMU_CALLS_PER_SECOND",
    "LOG_LEVEL",
    "UNKNOWN",
];

/// Each problem is one line that begins with its variable; what is accepted is safe to send secrets to.
pub fn configuration(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let variables = variables(text);
    let variable = |name: &str| variables.get(name).cloned();
    check_errors(oauth_callback::Config::read(&variable).err());
    check_errors(refresh_sweep::Config::read(&variable).err());
    check_errors(token_lookup::Config::read(&variable).err());

    let mut reader = Reader::new(&variable);
    let prefix = reader.secret_prefix();
    if let Ok(prefix) = reader.finish(prefix) {
        prefix
            .split('/')
            .for_each(|part| assert!(!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic())));
    }
    let mut reader = Reader::new(&variable);
    let urls = reader.urls("RETURN_URLS");
    if let Ok(urls) = reader.finish(urls) {
        urls.iter().for_each(check_url);
    }
    let mut reader = Reader::new(&variable);
    let base = reader.base_url("PUBLIC_BASE_URL");
    if let Ok(base) = reader.finish(base) {
        check_url(&base);
        assert_eq!(base.path(), "/");
    }
}

fn variables(text: &str) -> BTreeMap<&str, String> {
    let mut variables = BTreeMap::new();
    let mut last = "UNKNOWN";
    for line in text.split('\n') {
        if let Some((name, value)) = line.split_once('=').filter(|(name, _)| VARIABLES.contains(name)) {
            last = name;
            variables.insert(name, value.to_owned());
        } else {
            let value: &mut String = variables.entry(last).or_default();
            value.push('\n');
            value.push_str(line);
        }
    }
    // The process's environment has no such values.
    variables.retain(|_, value| !value.contains('\0'));
    variables
}

fn check_errors(error: Option<ConfigError>) {
    let Some(error) = error else { return };
    let error = error.to_string();
    assert!(!error.is_empty());
    for line in error.split('\n') {
        let named = line.split_once(": ").is_some_and(|(name, what)| VARIABLES.contains(&name) && !what.is_empty());
        assert!(named, "a line that names no variable: {line:?}");
        assert!(!line.contains(char::is_control), "more than one line: {line:?}");
    }
}

/// Tokens and secrets may be sent there.
pub(crate) fn check_url(url: &Url) {
    assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)), "{url}");
    assert!(url.query().is_none() && url.fragment().is_none() && url.has_host(), "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
}
