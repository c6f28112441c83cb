//! The vault in AWS Secrets Manager: `{prefix}/connections/{connection}/tokens`.

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};

use super::{Create, Vault, VaultError};
use crate::{
    names::{AttemptId, ConnectionKey, VersionId},
    secret::Secret,
    token_set::TokenSet,
};

/// Days in which a deleted secret can be restored: the shortest that AWS has.
const RECOVERY_DAYS: i64 = 7;

/// Token sets in AWS Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManagerVault {
    client: Client,
    prefix: String,
    kms_key: Option<String>,
}

impl SecretsManagerVault {
    /// With the prefix of the secrets' names.
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into(), kms_key: None }
    }

    /// The same, and secrets that it creates are encrypted with this KMS key instead of AWS's own.
    #[must_use]
    pub fn encrypting_with(self, kms_key: Option<String>) -> Self {
        Self { kms_key, ..self }
    }

    fn name(&self, connection: &ConnectionKey) -> String {
        format!("{}/connections/{connection}/tokens", self.prefix)
    }

    /// One version, or the one with the label `AWSCURRENT`, which every put moves on.
    async fn read(
        &self,
        connection: &ConnectionKey,
        version: Option<&VersionId>,
    ) -> Result<Option<(VersionId, TokenSet)>, VaultError> {
        let get = self.client.get_secret_value().secret_id(self.name(connection));
        match get.set_version_id(version.map(ToString::to_string)).send().await {
            Ok(answer) => {
                let version = answer.version_id().and_then(|id| id.parse().ok()).ok_or(VaultError::Unreadable)?;
                let text = answer.secret_string().ok_or(VaultError::Unreadable)?;
                serde_json::from_str(text).map(|set| Some((version, set))).map_err(|_| VaultError::Unreadable)
            }
            Err(error) => match Refusal::of(&error) {
                Refusal::Missing => Ok(None),
                refusal => Err(refusal.during("get")),
            },
        }
    }

    async fn put_version(&self, name: &str, attempt: AttemptId, text: &Secret) -> Result<VersionId, Refusal> {
        let put = self.client.put_secret_value().secret_id(name);
        let answer = put
            .client_request_token(attempt.to_string())
            .secret_string(text.expose())
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        version_of(answer.version_id())
    }

    async fn create(&self, name: &str, attempt: AttemptId, text: &Secret) -> Result<VersionId, Refusal> {
        let create = self.client.create_secret().name(name);
        let answer = create
            .set_kms_key_id(self.kms_key.clone())
            .client_request_token(attempt.to_string())
            .secret_string(text.expose())
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        version_of(answer.version_id())
    }

    async fn undelete(&self, name: &str) -> Result<(), Refusal> {
        self.client.restore_secret().secret_id(name).send().await.map_err(|error| Refusal::of(&error))?;
        Ok(())
    }
}

/// The version is taken from the answer, never assumed.
fn version_of(answered: Option<&str>) -> Result<VersionId, Refusal> {
    answered.and_then(|id| id.parse().ok()).ok_or_else(|| Refusal::Other("no version id".into()))
}

/// What Secrets Manager said, as far as it matters. Its texts are left out: they may repeat what was sent.
#[derive(Debug)]
enum Refusal {
    Missing,
    Deleted,
    Other(String),
}

impl Refusal {
    fn of(error: &impl ProvideErrorMetadata) -> Self {
        match error.code() {
            Some("ResourceNotFoundException") => Self::Missing,
            // For the calls made here this means one thing: the secret is marked for deletion.
            Some("InvalidRequestException") => Self::Deleted,
            code => Self::Other(code.unwrap_or("no answer").to_owned()),
        }
    }

    /// The same where even a missing or deleted secret is a matter of time.
    fn passing(self, operation: &'static str) -> VaultError {
        let code = match self {
            Self::Missing => "not visible yet".to_owned(),
            Self::Deleted => "still deleted".to_owned(),
            Self::Other(code) => code,
        };
        VaultError::Unavailable { operation, code }
    }

    fn during(self, operation: &'static str) -> VaultError {
        match self {
            Self::Missing | Self::Deleted => VaultError::Gone,
            Self::Other(code) => VaultError::Unavailable { operation, code },
        }
    }
}

impl Vault for SecretsManagerVault {
    async fn get(&self, connection: &ConnectionKey, version: &VersionId) -> Result<Option<TokenSet>, VaultError> {
        let read = self.read(connection, Some(version)).await?;
        Ok(read.map(|(_, set)| set))
    }

    async fn newest(&self, connection: &ConnectionKey) -> Result<Option<(VersionId, TokenSet)>, VaultError> {
        self.read(connection, None).await
    }

    async fn put(
        &self,
        connection: &ConnectionKey,
        attempt: AttemptId,
        text: &Secret,
        create: Create,
    ) -> Result<VersionId, VaultError> {
        let name = self.name(connection);
        let refusal = match self.put_version(&name, attempt, text).await {
            Ok(version) => return Ok(version),
            Err(refusal) => refusal,
        };
        // A secret just created or restored may take a moment to be seen: then the put is tried again.
        match (create, refusal) {
            (Create::Allowed, Refusal::Missing) => {
                self.create(&name, attempt, text).await.map_err(|refusal| refusal.passing("create"))
            }
            (Create::Allowed, Refusal::Deleted) => {
                self.undelete(&name).await.map_err(|refusal| refusal.passing("restore"))?;
                self.put_version(&name, attempt, text).await.map_err(|refusal| refusal.passing("put"))
            }
            (_, refusal) => Err(refusal.during("put")),
        }
    }

    async fn delete(&self, connection: &ConnectionKey) -> Result<(), VaultError> {
        let delete = self.client.delete_secret().secret_id(self.name(connection));
        match delete.recovery_window_in_days(RECOVERY_DAYS).send().await {
            Ok(_) => Ok(()),
            Err(error) => match Refusal::of(&error) {
                Refusal::Missing | Refusal::Deleted => Ok(()),
                refusal @ Refusal::Other(_) => Err(refusal.during("delete")),
            },
        }
    }

    async fn restore(&self, connection: &ConnectionKey) -> Result<(), VaultError> {
        self.undelete(&self.name(connection)).await.map_err(|refusal| refusal.during("restore"))
    }
}
