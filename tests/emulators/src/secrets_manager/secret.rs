//! A secret and the value of a version.

use std::{fmt, time::SystemTime};

use super::{
    refusal::{Kind, Refusal},
    versions::Versions,
};

/// The quota, in bytes.
const LARGEST_VALUE: usize = 65_536;

/// What a version holds. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum SecretValue {
    String(String),
    Binary(Vec<u8>),
}

impl SecretValue {
    /// # Errors
    /// When it is empty or over the quota.
    pub(super) fn check(self) -> Result<Self, Refusal> {
        let (member, length) = match &self {
            Self::String(text) => ("secretString", text.len()),
            Self::Binary(bytes) => ("secretBinary", bytes.len()),
        };
        let bound = match length {
            0 => "greater than or equal to 1",
            1..=LARGEST_VALUE => return Ok(self),
            _ => "less than or equal to 65536",
        };
        let message = format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
             Member must have length {bound}"
        );
        Err(Refusal::new(Kind::Validation, message))
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(redacted)")
    }
}

#[derive(Clone, Debug)]
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) created_at: SystemTime,
    pub(super) changed_at: SystemTime,
    /// The end of the recovery window, if it has been deleted.
    pub(super) window_end: Option<SystemTime>,
    pub(super) versions: Versions,
}

impl Secret {
    /// # Errors
    /// When it is in its recovery window.
    pub(super) fn alive(&self) -> Result<&Self, Refusal> {
        if self.window_end.is_some() { Err(Refusal::deleted()) } else { Ok(self) }
    }
}
