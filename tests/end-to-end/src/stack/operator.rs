//! What an operator does by hand, past the functions: `docs/runbooks.md`.

use serde_json::{Value, json};

use super::{Stack, Table, time_travel::shift, vendor};

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
