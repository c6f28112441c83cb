//! Reading the environment, in one place. Each function has a configuration struct of its own, made of these parts;
//! every wrong value is one line that names its variable.

use std::{fmt, num::NonZeroU32, str::FromStr};

use url::{Host, Url};

/// What is wrong with the environment: a line a variable.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// Reads variables and collects what is wrong with them.
pub struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("problems", &self.problems).finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    /// Reads through this function; [`from_environment`] is the usual one.
    pub fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable, problems: Vec::new() }
    }

    /// The value of a variable that must be there.
    pub fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name}: not set"));
            String::new()
        })
    }

    /// The value of a variable; an empty one counts as not set.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Takes note of a problem with a variable. It stays one line even where it repeats a line break of the value.
    pub fn problem(&mut self, name: &str, what: impl fmt::Display) {
        let line = |letter: char| if letter.is_control() { ' ' } else { letter };
        self.problems.push(format!("{name}: {what}").chars().map(line).collect());
    }

    /// A whole number from 1 up, with a default.
    pub fn positive(&mut self, name: &str, default: NonZeroU32) -> NonZeroU32 {
        let Some(value) = self.optional(name) else { return default };
        NonZeroU32::from_str(&value).unwrap_or_else(|_| {
            self.problem(name, "must be a whole number from 1 up");
            default
        })
    }

    /// The URL of a host that must be there: https, or http on a loopback address, and nothing after the host.
    pub fn base_url(&mut self, name: &str) -> Url {
        let value = self.required(name);
        let placeholder = || Url::parse("https://not-configured.invalid").unwrap_or_else(|_| unreachable!());
        if value.is_empty() {
            return placeholder();
        }
        parse_host(&value).unwrap_or_else(|what| {
            self.problem(name, what);
            placeholder()
        })
    }

    /// URLs separated by commas, each https or on loopback, without query, fragment and user; none if the variable is
    /// not set.
    pub fn urls(&mut self, name: &str) -> Vec<Url> {
        let value = self.optional(name).unwrap_or_default();
        let mut urls = Vec::new();
        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match parse_url(part) {
                Ok(url) => urls.push(url),
                Err(what) => self.problem(name, format_args!("each URL {what}")),
            }
        }
        urls
    }

    /// Where events are published, a bus's name or ARN: `EVENT_BUS`; nowhere, and none are written, if it is not set.
    pub fn event_bus(&mut self) -> Option<String> {
        let bus = self.optional("EVENT_BUS")?;
        if !bus.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_:".contains(&byte)) {
            self.problem("EVENT_BUS", "must be the name or the ARN of an event bus");
        }
        Some(bus)
    }

    /// A key of the vendor's in AWS KMS: its id, its ARN, or an alias of either form.
    pub fn kms_key(&mut self, name: &str) -> Option<String> {
        let key = self.optional(name)?;
        if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_:".contains(&byte)) {
            self.problem(name, "must be the id, the ARN or the alias of a KMS key");
        }
        Some(key)
    }

    /// The prefix of the secrets' names: `SECRET_PREFIX`.
    pub fn secret_prefix(&mut self) -> String {
        let prefix = self.optional("SECRET_PREFIX").unwrap_or_else(|| "shop-keyring".into());
        let valid = prefix.split('/').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=.@-".contains(&byte))
        });
        if !valid {
            self.problem("SECRET_PREFIX", "must be letters, digits and `_+=.@-`, in parts separated by `/`");
        }
        prefix
    }

    /// What was read, if nothing was wrong.
    ///
    /// # Errors
    /// All that was wrong.
    pub fn finish<T>(self, config: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() { Ok(config) } else { Err(ConfigError(self.problems)) }
    }
}

/// The process's environment.
pub fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Tokens and secrets travel to these addresses, so in the clear only within this machine.
pub(crate) fn parse_url(value: &str) -> Result<Url, &'static str> {
    let url = Url::parse(value).map_err(|_| "is not a URL")?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err("must begin with https://");
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must not have a query, a fragment or a user");
    }
    Ok(url)
}

/// The same for a host, to which paths are added.
pub(crate) fn parse_host(value: &str) -> Result<Url, &'static str> {
    let url = parse_url(value)?;
    if url.path() == "/" { Ok(url) } else { Err("must not have a path") }
}

/// Whether a URL leads to this very machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(variables: &[(&str, &str)], read: impl Fn(&mut Reader<'_>)) -> Vec<String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut reader = Reader::new(&variable);
        read(&mut reader);
        reader.finish(()).err().map(|error| error.0).unwrap_or_default()
    }

    #[test]
    fn each_problem_is_one_line_that_names_its_variable() {
        let number =
            problems(&[("N", "0")], |reader| assert_eq!(reader.positive("N", NonZeroU32::MIN), NonZeroU32::MIN));
        assert_eq!(number, ["N: must be a whole number from 1 up"]);
        let bus = problems(&[("EVENT_BUS", "a b")], |reader| drop(reader.event_bus()));
        assert_eq!(bus, ["EVENT_BUS: must be the name or the ARN of an event bus"]);
        let prefix = problems(&[("SECRET_PREFIX", "a//b")], |reader| drop(reader.secret_prefix()));
        assert!(prefix[0].starts_with("SECRET_PREFIX: "));
        let urls = problems(&[("U", "https://a.example/x, ftp://b.example")], |reader| drop(reader.urls("U")));
        assert_eq!(urls, ["U: each URL must begin with https://"]);
        assert_eq!(problems(&[], |reader| drop(reader.base_url("PUBLIC_BASE_URL"))), ["PUBLIC_BASE_URL: not set"]);
    }
}
