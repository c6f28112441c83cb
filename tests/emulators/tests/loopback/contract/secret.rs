//! One secret, as the checks use it.

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        create_secret::CreateSecretOutput, describe_secret::DescribeSecretOutput,
        get_secret_value::GetSecretValueOutput, put_secret_value::PutSecretValueOutput,
    },
};

/// A version id that differs by number.
pub(super) fn token(number: u32) -> String {
    format!("6f9619ff-8b86-4d01-b42d-{number:012}")
}

pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";

pub(super) struct Secret {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Secret {
    pub(super) fn unused(client: &Client, check: &str) -> Self {
        Self { client: client.clone(), name: format!("contract/{check}/tokens") }
    }

    pub(super) async fn create(&self, number: u32, value: &str) -> Result<CreateSecretOutput, String> {
        let call = self.client.create_secret().name(&self.name).secret_string(value);
        call.client_request_token(token(number)).send().await.map_err(code)
    }

    pub(super) async fn put(&self, number: u32, value: &str) -> Result<PutSecretValueOutput, String> {
        self.put_as(&token(number), value).await
    }

    pub(super) async fn put_as(&self, token: &str, value: &str) -> Result<PutSecretValueOutput, String> {
        let call = self.client.put_secret_value().secret_id(&self.name).secret_string(value);
        call.client_request_token(token).send().await.map_err(code)
    }

    /// Creates it with version 1 and puts versions up to `last`, each with its number as the value.
    pub(super) async fn with_versions(&self, last: u32) -> Result<(), String> {
        self.create(1, "1").await?;
        for number in 2..=last {
            self.put(number, &number.to_string()).await?;
        }
        Ok(())
    }

    pub(super) async fn get(&self) -> Result<GetSecretValueOutput, String> {
        self.client.get_secret_value().secret_id(&self.name).send().await.map_err(code)
    }

    pub(super) async fn get_version(&self, number: u32) -> Result<GetSecretValueOutput, String> {
        let call = self.client.get_secret_value().secret_id(&self.name);
        call.version_id(token(number)).send().await.map_err(code)
    }

    pub(super) async fn get_stage(&self, stage: &str) -> Result<GetSecretValueOutput, String> {
        let call = self.client.get_secret_value().secret_id(&self.name);
        call.version_stage(stage).send().await.map_err(code)
    }

    pub(super) async fn describe(&self) -> Result<DescribeSecretOutput, String> {
        self.client.describe_secret().secret_id(&self.name).send().await.map_err(code)
    }

    /// The labels of a version, in order.
    pub(super) async fn stages(&self, number: u32) -> Result<Vec<String>, String> {
        let answer = self.describe().await?;
        let stages = answer.version_ids_to_stages().and_then(|versions| versions.get(&token(number)));
        let mut stages = stages.cloned().unwrap_or_default();
        stages.sort();
        Ok(stages)
    }

    pub(super) async fn delete(&self, days: Option<i64>) -> Result<(), String> {
        let call = self.client.delete_secret().secret_id(&self.name);
        call.set_recovery_window_in_days(days).send().await.map(drop).map_err(code)
    }

    pub(super) async fn force_delete(&self) -> Result<(), String> {
        let call = self.client.delete_secret().secret_id(&self.name);
        call.force_delete_without_recovery(true).send().await.map(drop).map_err(code)
    }

    pub(super) async fn restore(&self) -> Result<(), String> {
        self.client.restore_secret().secret_id(&self.name).send().await.map(drop).map_err(code)
    }
}

/// The error type alone: it is all that a check compares.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(super) fn code<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> String {
    match error.code() {
        Some(code) => code.to_owned(),
        None => "no service error".to_owned(),
    }
}

/// That a call was refused with one of these error types.
pub(super) fn refused<T>(call: Result<T, String>, with: &[&str]) -> Result<(), String> {
    match call {
        Err(code) if with.contains(&code.as_str()) => Ok(()),
        Err(code) => Err(format!("refused with {code} instead of {with:?}")),
        Ok(_) => Err(format!("accepted instead of refused with {with:?}")),
    }
}
