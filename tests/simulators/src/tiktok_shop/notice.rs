use std::fmt;

use serde_json::{Value, json};
use url::Url;

use super::app::App;
use super::mint;
use super::sign::sign_notice;

/// A notice that the platform posts to an app, right in every respect unless told otherwise.
#[derive(Debug, Clone)]
pub struct Notice {
    kind: i64,
    shop_id: String,
    timestamp: Option<u64>,
    data: Value,
    notification_id: Option<String>,
    body: Option<Vec<u8>>,
    signing: Signing,
}

impl Notice {
    /// The number of the notice that a seller took the authorization back.
    pub const DEAUTHORIZED: i64 = 6;
    /// The number of the notice that an authorization ends soon.
    pub const ENDS_SOON: i64 = 7;

    /// A notice of any type about any shop, with empty `data`.
    pub fn new(kind: i64, shop_id: impl Into<String>) -> Self {
        Self {
            kind,
            shop_id: shop_id.into(),
            timestamp: None,
            data: json!({}),
            notification_id: None,
            body: None,
            signing: Signing::App,
        }
    }

    /// The seller took the authorization for a shop back.
    pub fn deauthorized(shop_id: impl Into<String>) -> Self {
        let data = json!({ "message": "The seller has canceled the authorization of the app." });
        Self::new(Self::DEAUTHORIZED, shop_id).with_data(data)
    }

    /// The authorization for a shop ends at this time, in Unix seconds.
    pub fn ends_soon(shop_id: impl Into<String>, end: u64) -> Self {
        let message = "The authorization of the app is about to expire.";
        // A string, unlike the time in `timestamp`: so the platform has it.
        Self::new(Self::ENDS_SOON, shop_id).with_data(json!({ "message": message, "expiration_time": end.to_string() }))
    }

    /// The same notice with this `data`.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }

    /// The same notice with this `timestamp`, in Unix seconds, instead of the time of its sending.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: u64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// The same notice with this `tts_notification_id` instead of a minted one.
    #[must_use]
    pub fn with_notification_id(mut self, id: impl Into<String>) -> Self {
        self.notification_id = Some(id.into());
        self
    }

    /// These bytes are posted instead of the JSON; signed as the notice is. What the notice says of
    /// itself is then only what the log has it by.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Signed with this secret, such as a previous one, on every attempt.
    #[must_use]
    pub fn signed_with(mut self, secret: impl Into<String>) -> Self {
        self.signing = Signing::Secret(secret.into());
        self
    }

    /// Without a signature.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        self.signing = Signing::Absent;
        self
    }

    /// With a signature that looks right and differs from the right one in its last digit.
    #[must_use]
    pub fn with_spoiled_signature(mut self) -> Self {
        self.signing = Signing::Spoiled;
        self
    }

    /// The topic's number and the shop, by which an address may be registered.
    pub(super) fn about(&self) -> (i64, &str) {
        (self.kind, &self.shop_id)
    }

    /// Fixes all that stays the same from one attempt to the next.
    pub(super) fn into_letter(self, app_key: &str, registered: Option<Url>, now: u64) -> Letter {
        let notification_id = self.notification_id.unwrap_or_else(mint::notification_id);
        let timestamp = self.timestamp.unwrap_or(now);
        let body = self.body.unwrap_or_else(|| {
            let (id, shop_id) = (json!(notification_id), json!(self.shop_id));
            let (kind, data) = (self.kind, self.data);
            // In the platform's order, which is not that of serde_json: whoever checks the signature
            // over a body parsed and written again shall fail.
            let body = format!(
                r#"{{"type":{kind},"tts_notification_id":{id},"shop_id":{shop_id},"timestamp":{timestamp},"data":{data}}}"#
            );
            body.into_bytes()
        });
        Letter {
            app_key: app_key.to_owned(),
            registered,
            kind: self.kind,
            shop_id: self.shop_id,
            notification_id,
            body,
            signing: self.signing,
        }
    }
}

/// A notice ready to be posted, as often as it takes.
pub(super) struct Letter {
    pub(super) app_key: String,
    /// The address that was registered for it, if any, when it was written. It stays with the letter until the last
    /// attempt, even if the registration is removed before. The real platform's behaviour is unknown.
    pub(super) registered: Option<Url>,
    pub(super) kind: i64,
    pub(super) shop_id: String,
    pub(super) notification_id: String,
    pub(super) body: Vec<u8>,
    signing: Signing,
}

impl Letter {
    /// The text for `Authorization`, by the secret that the app has now.
    pub(super) fn signature(&self, app: &App) -> Option<String> {
        let signed = |secret| sign_notice(secret, &app.app_key, &self.body);
        match &self.signing {
            Signing::App => Some(signed(&app.app_secret)),
            Signing::Secret(secret) => Some(signed(secret)),
            Signing::Spoiled => Some(spoil(signed(&app.app_secret))),
            Signing::Absent => None,
        }
    }
}

#[derive(Clone)]
enum Signing {
    /// With the secret that the app has at the time of the attempt.
    App,
    Secret(String),
    Spoiled,
    Absent,
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::App => "App",
            Self::Secret(_) => "Secret([redacted])",
            Self::Spoiled => "Spoiled",
            Self::Absent => "Absent",
        })
    }
}

fn spoil(mut signature: String) -> String {
    let last = signature.pop();
    signature.push(if last == Some('0') { '1' } else { '0' });
    signature
}
