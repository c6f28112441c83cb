//! The inputs of the operations.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    refusal::{Kind, Refusal},
    secret::{Secret, SecretValue},
};

/// Every input member of the supported operations. No `Debug`: it holds secret values.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    pub(super) name: Option<String>,
    secret_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    client_request_token: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) version_stage: Option<String>,
    pub(super) version_stages: Vec<String>,
    pub(super) remove_from_version_id: Option<String>,
    pub(super) move_to_version_id: Option<String>,
    pub(super) recovery_window_in_days: Option<i64>,
    pub(super) force_delete_without_recovery: bool,
    pub(super) include_deprecated: bool,
    pub(super) include_planned_deletion: bool,
    pub(super) max_results: Option<usize>,
    pub(super) next_token: Option<String>,
    pub(super) filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    key: String,
    values: Vec<String>,
}

impl Filter {
    /// Only names can be filtered by; any other key lets nothing pass, lest a test believe in it.
    pub(super) fn passes(&self, secret: &Secret) -> bool {
        self.key == "name" && self.values.iter().any(|prefix| secret.name.starts_with(prefix))
    }
}

impl Input {
    /// # Errors
    /// When it is not JSON, or a member is of the wrong type.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        // serde's own message may quote the value.
        serde_json::from_slice(body).map_err(|_| Refusal::new(Kind::Serialization, "Malformed input"))
    }

    pub(super) fn secret_id(&self) -> Result<&str, Refusal> {
        required(self.secret_id.as_deref(), "secretId")
    }

    /// The id that a new version gets.
    pub(super) fn token(&self) -> String {
        self.client_request_token.clone().unwrap_or_else(|| Uuid::new_v4().to_string())
    }

    /// # Errors
    /// When there are two values, or the binary one is not base64.
    pub(super) fn value(&self) -> Result<Option<SecretValue>, Refusal> {
        match (&self.secret_string, &self.secret_binary) {
            (Some(_), Some(_)) => Err(Refusal::parameter(
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            )),
            (Some(text), None) => Ok(Some(SecretValue::String(text.clone()))),
            (None, Some(encoded)) => BASE64_STANDARD
                .decode(encoded)
                .map(|bytes| Some(SecretValue::Binary(bytes)))
                .map_err(|_| Refusal::new(Kind::Serialization, "SecretBinary is not base64")),
            (None, None) => Ok(None),
        }
    }
}

/// # Errors
/// When the member is missing.
pub(super) fn required<'a>(member: Option<&'a str>, name: &str) -> Result<&'a str, Refusal> {
    member.ok_or_else(|| {
        let message = format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: \
             Member must not be null"
        );
        Refusal::new(Kind::Validation, message)
    })
}
