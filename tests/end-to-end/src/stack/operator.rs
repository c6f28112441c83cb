//! What an operator does by hand, past the functions: `docs/runbooks.md`.

use serde_json::{Value, json};

use super::{Stack, Table, time_travel::shift, vendor};

/// The registry of apps.
impl Stack {
    /// The registry as it stands.
    pub async fn registry(&self) -> Value {
        let secret = self.secrets.call("GetSecretValue", &json!({ "SecretId": vendor::registry_name() })).await;
        let text = secret["SecretString"].as_str().expect("a registry");
        serde_json::from_str(text).expect("JSON")
    }

    /// Writes the registry, whatever the text is. The functions take it up as they would in AWS.
    pub async fn put_registry(&self, text: &str) {
        self.put_secret_text(&vendor::registry_name(), text).await;
    }

    /// Takes the registry away, as if no app had been set up yet.
    pub async fn delete_registry(&self) {
        let input = json!({ "SecretId": vendor::registry_name(), "ForceDeleteWithoutRecovery": true });
        self.secrets.call("DeleteSecret", &input).await;
    }

    /// Stores the credentials of an app, `temu/us`.
    pub async fn put_credentials(&self, app: &str, credentials: &Value) {
        self.put_secret(&vendor::app_secret_name(app), credentials).await;
    }
}

impl Stack {
    /// The connections' table becomes what a backup held so many seconds ago: what was made since is gone.
    pub async fn restore_connections(&self, backup: &[Value], seconds: i64) {
        let key = |item: &Value| item[Table::Connections.key()].as_str().unwrap_or_default().to_owned();
        let kept: Vec<_> = backup.iter().map(key).collect();
        let mut made_since: Vec<_> = self.items(Table::Connections).await.iter().map(key).collect();
        made_since.retain(|key| !kept.contains(key));
        self.tables.delete_all(Table::Connections, &made_since).await;
        let mut items = backup.to_vec();
        for item in &mut items {
            shift(item, seconds);
        }
        self.tables.put_all(Table::Connections, &items).await;
    }

    /// `aws dynamodb`, with the input as `--cli-input-json` takes it.
    ///
    /// # Errors
    /// The error as JSON.
    pub async fn aws_dynamodb(&self, operation: &str, input: &Value) -> Result<Value, Value> {
        self.tables.try_call(operation, input).await
    }

    /// `aws secretsmanager`, likewise.
    ///
    /// # Errors
    /// The error as JSON.
    pub async fn aws_secrets_manager(&self, operation: &str, input: &Value) -> Result<Value, Value> {
        self.secrets.try_call(operation, input).await
    }

    /// All secrets of connections are in another Region, and this one's Secrets Manager has none: gives what each of
    /// `versions` (a connection and a version) held.
    pub async fn leave_secrets_behind(&self, versions: &[(String, String)]) -> Vec<Value> {
        let mut held = Vec::new();
        for (connection, version) in versions {
            let input = json!({ "SecretId": tokens_of(connection), "VersionId": version });
            held.push(self.secrets.call("GetSecretValue", &input).await);
        }
        self.secrets_manager.forget(&format!("{}/connections/", vendor::SECRET_PREFIX));
        held
    }
}

/// The name of a connection's secret.
fn tokens_of(connection: &str) -> String {
    format!("{}/connections/{connection}/tokens", vendor::SECRET_PREFIX)
}
