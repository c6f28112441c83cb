//! What a gateway is told at its start.

use std::{fmt, time::Duration};

pub(super) const REGION: &str = "us-east-1";
pub(super) const ACCOUNT_ID: &str = "123456789012";
pub(super) const API_ID: &str = "shopkeyring";

/// An HTTP API cannot wait longer for an integration.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The configuration of a [`Gateway`](super::Gateway).
#[derive(Clone, Debug)]
pub struct Config {
    /// The routes. Of several that match, the most specific counts, whatever their order.
    pub routes: Vec<Route>,
    /// Where functions are invoked: the Lambda API's endpoint, for example that of `cargo lambda watch`.
    pub invoke_endpoint: String,
    /// Who may call routes with [`Auth::AwsIam`].
    pub credentials: Vec<Credential>,
    /// How long a function may take; 30 seconds in AWS.
    pub integration_timeout: Duration,
}

impl Config {
    /// A gateway without routes and credentials; both can be pushed.
    pub fn new(invoke_endpoint: impl Into<String>) -> Self {
        Self {
            routes: Vec::new(),
            invoke_endpoint: invoke_endpoint.into(),
            credentials: Vec::new(),
            integration_timeout: INTEGRATION_TIMEOUT,
        }
    }
}

/// Which function answers which requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// For example `ANY /v1/{proxy+}`, `GET /connect/{session}`, or `$default`.
    pub key: String,
    /// Who may call it.
    pub auth: Auth,
    /// The function's name.
    pub function: String,
}

impl Route {
    /// A route that anyone may call.
    pub fn open(key: &str, function: &str) -> Self {
        Self { key: key.to_owned(), auth: Auth::None, function: function.to_owned() }
    }

    /// A route for signed requests.
    pub fn iam(key: &str, function: &str) -> Self {
        Self { key: key.to_owned(), auth: Auth::AwsIam, function: function.to_owned() }
    }
}

/// A route's authorization type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `NONE`.
    None,
    /// `AWS_IAM`.
    AwsIam,
}

/// An access key and whose it is.
#[derive(Clone)]
pub struct Credential {
    /// `AKIA…`.
    pub access_key_id: String,
    /// What requests are signed with.
    pub secret_access_key: String,
    /// For temporary credentials: must come along in `X-Amz-Security-Token`.
    pub session_token: Option<String>,
    /// For example `arn:aws:iam::123456789012:user/order-hub`.
    pub user_arn: String,
    /// For example `AIDA…`.
    pub user_id: String,
    /// The account of that user.
    pub account_id: String,
}

impl Credential {
    /// A user's long-term key. The account is read from the ARN, the user id is made up.
    pub fn new(access_key_id: &str, secret_access_key: &str, user_arn: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            session_token: None,
            user_arn: user_arn.to_owned(),
            user_id: format!("AIDA{access_key_id}"),
            account_id: user_arn.split(':').nth(4).unwrap_or(ACCOUNT_ID).to_owned(),
        }
    }

    /// The same as temporary credentials.
    #[must_use]
    pub fn with_session_token(mut self, session_token: &str) -> Self {
        self.session_token = Some(session_token.to_owned());
        self
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("access_key_id", &self.access_key_id)
            .field("user_arn", &self.user_arn)
            .finish_non_exhaustive()
    }
}
