//! `POST /webhooks/tiktok-shop/{app}`: what the marketplace says by itself. Its caller is a machine: short answers, and
//! anything but 200 is sent again. Nobody is believed without a signature, and nobody is ended by a notice.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use shop_keyring::{
    marketplace::tiktok_shop::webhook::{About, Malformed, Webhook, is_signed, read},
    metrics,
    names::{AppKeyPath, MarketplaceName},
    secret::digest,
    store::StoreError,
};

use crate::router::{Keyring, NoApp};

/// The platform's notices are well under a kilobyte.
pub(crate) const LONGEST_BODY: usize = 16 * 1024;

/// The platform waits three seconds.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// Why a notice was not taken. The one place where that becomes HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    UnknownApp,
    OtherMethod,
    TooLong,
    Unreadable,
    Unsigned,
    BadSignature,
    Malformed(Malformed),
    TryAgain,
}

impl NotTaken {
    fn parts(self) -> (StatusCode, &'static str, String) {
        match self {
            Self::UnknownApp => (StatusCode::NOT_FOUND, "app_not_found", "There is no such app here.".into()),
            Self::OtherMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The marketplace sends webhooks here by POST.".into(),
            ),
            Self::TooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_long",
                format!("The body is longer than {LONGEST_BODY} bytes."),
            ),
            Self::Unreadable => (StatusCode::BAD_REQUEST, "body_unreadable", "The body did not arrive whole.".into()),
            Self::Unsigned => (
                StatusCode::UNAUTHORIZED,
                "not_signed",
                "The header `Authorization` with the signature is missing.".into(),
            ),
            Self::BadSignature => {
                (StatusCode::UNAUTHORIZED, "bad_signature", "The signature does not fit the body and the app.".into())
            }
            Self::Malformed(malformed) => (StatusCode::BAD_REQUEST, "malformed", format!("{malformed}.")),
            Self::TryAgain => {
                (StatusCode::SERVICE_UNAVAILABLE, "try_again", "The notice cannot be taken now: send it again.".into())
            }
        }
    }
}

/// RFC 9457.
#[derive(Serialize)]
struct Problem {
    title: Option<&'static str>,
    status: u16,
    code: &'static str,
    detail: String,
}

impl IntoResponse for NotTaken {
    fn into_response(self) -> Response {
        let (status, code, detail) = self.parts();
        let problem = Problem { title: status.canonical_reason(), status: status.as_u16(), code, detail };
        let mut response = (status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

impl From<BytesRejection> for NotTaken {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { Self::TooLong } else { Self::Unreadable }
    }
}

impl From<NoApp> for NotTaken {
    /// A wrong configuration is no reason to lose a notice: it is sent again for half a day.
    fn from(_: NoApp) -> Self {
        Self::TryAgain
    }
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the table failed");
        Self::TryAgain
    }
}

/// Takes a notice. What is not taken is one line in the log with its reason, to be counted.
pub(crate) async fn receive(
    State(keyring): State<Arc<Keyring>>,
    Path(app): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, NotTaken> {
    let taken = match body {
        Ok(body) => {
            let taking = take(&keyring, &app, &headers, &body);
            tokio::time::timeout(PATIENCE, taking).await.unwrap_or(Err(NotTaken::TryAgain))
        }
        Err(rejection) => Err(rejection.into()),
    };
    match taken {
        Ok(()) => {
            metrics::webhook("taken");
            Ok(StatusCode::OK)
        }
        Err(why) => {
            let (status, code, _) = why.parts();
            metrics::webhook(code);
            // Signed and yet unknown: the platform may have changed its form.
            if matches!(why, NotTaken::Malformed(_)) {
                tracing::error!(alarm = "webhook_malformed", code, "a signed notice cannot be read");
            }
            tracing::warn!(event = "webhook_not_taken", code, status = status.as_u16(), "a notice was not taken");
            Err(why)
        }
    }
}

async fn take(keyring: &Keyring, app: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), NotTaken> {
    let path = app.parse().map(|app| AppKeyPath { marketplace: MarketplaceName::TikTokShop, app });
    let path = path.map_err(|_| NotTaken::UnknownApp)?;
    if !keyring.knows(&path).await? {
        return Err(NotTaken::UnknownApp);
    }
    let authorization = headers.get(header::AUTHORIZATION).ok_or(NotTaken::Unsigned)?;
    let app = keyring.app(&path).await?;
    if !is_signed(&app, authorization.as_bytes(), body) {
        return Err(NotTaken::BadSignature);
    }
    let Webhook { notification_id, about } = read(body).map_err(NotTaken::Malformed)?;
    let Some(About { subject, notice, sent_at }) = about else { return Ok(()) };
    let seen = notification_id.map(|id| digest(&format!("{path}\n{id}")));
    if let Some(seen) = &seen
        && keyring.sessions.notice_is_taken(seen).await?
    {
        tracing::info!(app = %path, ?subject, "a notice was repeated");
        return Ok(());
    }
    keyring.protocol.note(&path, &subject, notice, sent_at).await?;
    if let Some(seen) = &seen
        && let Err(error) = keyring.sessions.take_notice(seen, keyring.protocol.connections.now()).await
    {
        // Its effect is there, and a second time does no harm.
        tracing::warn!(app = %path, ?subject, %error, "that a notice was taken is not written down");
    }
    Ok(())
}
