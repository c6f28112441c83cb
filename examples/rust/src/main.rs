//! Calls a marketplace for connections of the keyring: their names come by standard input, those of one line are called
//! at the same time.
//!
//! ```sh
//! echo tiktok-shop/us/7010736057180325637 | cargo run -p example-client
//! ```
#![expect(clippy::print_stdout, reason = "it tells on a terminal how the calls went")]

mod marketplaces;
mod tokens;

use std::{env, io, process::ExitCode};

use aws_config::BehaviorVersion;
use futures_util::future::join_all;

use crate::{
    marketplaces::{AppSecrets, CallError, Marketplaces},
    tokens::{Keyring, Refused},
};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}, {} ({})", .0.code, what_to_do(&.0.code), .0.detail)]
    Refused(#[from] Refused),
    #[error("token_rejected, and the keyring has no other one")]
    TokenRejected,
    #[error("call_failed, {0}")]
    Call(String),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::TokenRejected => Self::TokenRejected,
            CallError::SignRejected(why) | CallError::Failed(why) => Self::Call(why),
        }
    }
}

fn what_to_do(code: &str) -> &'static str {
    match code {
        "connection_not_found" => "the seller connects through a connect session",
        "pending" => "confirm the connect session",
        "reauthorization_required" => "send the seller through a connect session",
        "disconnected" => "forget the connection",
        "refresh_failed" | "check_failed" | "storage_unavailable" => "try again later",
        _ => "see docs/errors.md",
    }
}

async fn call(keyring: &Keyring, marketplaces: &Marketplaces, connection: &str) -> Result<String, Failure> {
    let mut token = keyring.token(connection, None).await?;
    let seen = match marketplaces.look(&token).await {
        Err(CallError::TokenRejected) => {
            token = keyring.token(connection, Some(token.version)).await?;
            marketplaces.look(&token).await
        }
        seen => seen,
    }?;
    Ok(format!("version {}, {seen}", token.version))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let keyring_url = env::var("KEYRING_URL").map_err(|_| "Set KEYRING_URL")?;
    let region = aws.region().ok_or("Set AWS_REGION")?.to_string();
    let credentials = aws.credentials_provider().ok_or("There are no AWS credentials")?;
    let keyring = Keyring::new(keyring_url.trim_end_matches('/'), &region, credentials)?;
    let prefix = env::var("SECRET_PREFIX").unwrap_or_else(|_| "shop-keyring".into());
    let marketplaces = Marketplaces::new(AppSecrets::new(aws_sdk_secretsmanager::Client::new(&aws), prefix))?;
    let mut exit = ExitCode::SUCCESS;
    for line in io::stdin().lines() {
        let line = line?;
        let calls = line.split_whitespace().map(async |name| (name, call(&keyring, &marketplaces, name).await));
        for (connection, outcome) in join_all(calls).await {
            match outcome {
                Ok(seen) => println!("{connection}: {seen}"),
                Err(failure) => {
                    println!("{connection}: {failure}");
                    exit = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(exit)
}
