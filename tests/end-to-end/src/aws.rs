//! Calls to the emulators in the JSON that AWS speaks. The emulators do not look at signatures.

use reqwest::Client;
use serde_json::Value;

/// A service behind one URL.
#[derive(Debug, Clone)]
pub struct Aws {
    client: Client,
    url: String,
    target: &'static str,
    signer: &'static str,
}

impl Aws {
    /// DynamoDB.
    pub fn dynamodb(client: Client, url: String) -> Self {
        Self { client, url, target: "DynamoDB_20120810", signer: "AKID" }
    }

    /// Secrets Manager.
    pub fn secrets_manager(client: Client, url: String) -> Self {
        Self { client, url, target: "secretsmanager", signer: "AKID" }
    }

    /// The same with another access key id.
    #[must_use]
    pub const fn signed_by(mut self, access_key_id: &'static str) -> Self {
        self.signer = access_key_id;
        self
    }

    /// Calls an operation; panics unless it succeeds.
    pub async fn call(&self, operation: &str, input: &Value) -> Value {
        let answer = self.try_call(operation, input).await;
        answer.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// The error as JSON.
    pub async fn try_call(&self, operation: &str, input: &Value) -> Result<Value, Value> {
        let response = self
            .client
            .post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("{}.{operation}", self.target))
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/any/aws4_request, SignedHeaders=host, Signature=0",
                    self.signer
                ),
            )
            .header("x-amz-date", "20260101T000000Z")
            .body(input.to_string())
            .send()
            .await
            .map_err(|error| Value::String(error.to_string()))?;
        let succeeded = response.status().is_success();
        let output: Value = response.json().await.map_err(|error| Value::String(error.to_string()))?;
        if succeeded { Ok(output) } else { Err(output) }
    }
}
