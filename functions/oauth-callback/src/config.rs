//! What oauth-callback reads from the environment.

use shop_keyring::{
    config::{ConfigError, Reader},
    telemetry::Telemetry,
};
use url::Url;

/// The configuration of oauth-callback.
#[derive(Debug)]
pub struct Config {
    /// `CONNECTIONS_TABLE`
    pub(crate) connections_table: String,
    /// `SESSIONS_TABLE`
    pub(crate) sessions_table: String,
    /// `SECRET_PREFIX`
    pub(crate) secret_prefix: String,
    /// `SECRETS_KMS_KEY`: the key that new secrets are encrypted with; AWS's own, unless set.
    pub(crate) secrets_kms_key: Option<String>,
    /// `PUBLIC_BASE_URL`: where sellers reach this function.
    pub(crate) public_base_url: Url,
    /// `VENDOR_NAME`: as sellers know the vendor.
    pub(crate) vendor_name: String,
    /// `SUPPORT_URL`: where a seller finds help.
    pub(crate) support_url: Option<String>,
    /// `UNSOLICITED_CALLBACKS`
    pub(crate) unsolicited: Unsolicited,
    /// `EVENT_BUS`: what the vendor is to be told of a change is written only if there is a bus to publish it on.
    pub(crate) event_bus: Option<String>,
    /// `LOG_LEVEL`, `METRICS_NAMESPACE`
    pub(crate) telemetry: Telemetry,
}

/// What to do with a callback without `state`: development shops, installs begun in the platform's store, and renewals
/// that the seller begins in the platform's seller center.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsolicited {
    /// Exchange no code; tell the seller how to begin.
    Refuse,
    /// Renew a connection that is there, under its own account; tell everybody else how to begin. The default.
    Renew,
    /// Renew a connection that is there, or else store a new one without an account.
    Accept,
}

impl Config {
    /// Reads and checks all variables.
    ///
    /// # Errors
    /// A line for each that is wrong.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(variable);
        let config = Self {
            connections_table: reader.required("CONNECTIONS_TABLE"),
            sessions_table: reader.required("SESSIONS_TABLE"),
            secret_prefix: reader.secret_prefix(),
            secrets_kms_key: reader.kms_key("SECRETS_KMS_KEY"),
            public_base_url: reader.base_url("PUBLIC_BASE_URL"),
            vendor_name: reader.required("VENDOR_NAME"),
            support_url: support_url(&mut reader),
            unsolicited: unsolicited(&mut reader),
            event_bus: reader.event_bus(),
            telemetry: Telemetry::read(&mut reader),
        };
        reader.finish(config)
    }
}

fn support_url(reader: &mut Reader<'_>) -> Option<String> {
    const NAME: &str = "SUPPORT_URL";
    let value = reader.optional(NAME)?;
    if !["https://", "mailto:"].iter().any(|scheme| value.starts_with(scheme)) || Url::parse(&value).is_err() {
        reader.problem(NAME, "must be an https:// or mailto: address");
    }
    Some(value)
}

fn unsolicited(reader: &mut Reader<'_>) -> Unsolicited {
    const NAME: &str = "UNSOLICITED_CALLBACKS";
    match reader.optional(NAME).as_deref() {
        None | Some("renew") => Unsolicited::Renew,
        Some("refuse") => Unsolicited::Refuse,
        Some("accept") => Unsolicited::Accept,
        Some(_) => {
            reader.problem(NAME, "must be `renew`, `refuse` or `accept`");
            Unsolicited::Refuse
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_checked_and_named() {
        let good = [
            ("CONNECTIONS_TABLE", "connections"),
            ("SESSIONS_TABLE", "connect-sessions"),
            ("PUBLIC_BASE_URL", "https://connect.example"),
            ("VENDOR_NAME", "Acme"),
        ];
        let read = |changed: &str, value: Option<&str>| {
            let variable = |name: &str| {
                let given = good.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
                (if name == changed { value } else { given }).map(str::to_owned)
            };
            Config::read(&variable).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(read("", None), Ok(()));
        for (name, _) in good {
            let error = read(name, None).unwrap_err();
            assert!(error.starts_with(&format!("{name}: not set")), "{error}");
        }
        for (name, value) in [
            ("PUBLIC_BASE_URL", "http://connect.example"),
            ("SUPPORT_URL", "javascript:alert(1)"),
            ("UNSOLICITED_CALLBACKS", "maybe"),
            ("LOG_LEVEL", "loud"),
            ("METRICS_NAMESPACE", "AWS/Lambda"),
            ("SECRETS_KMS_KEY", "a key"),
            ("SECRET_PREFIX", "a b"),
            ("EVENT_BUS", "a b"),
        ] {
            let error = read(name, Some(value)).unwrap_err();
            assert!(error.starts_with(&format!("{name}: ")) && error.lines().count() == 1, "{error}");
        }
    }
}
