use std::fmt;

use url::Url;

/// Which of the platform's two partner centres an app is registered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// The one for sellers in the United States; its tokens begin with `TTP_`.
    Us,
    /// The one for sellers everywhere else; its tokens begin with `ROW_`.
    Global,
}

impl Region {
    pub(super) fn token_prefix(self) -> &'static str {
        match self {
            Self::Us => "TTP_",
            Self::Global => "ROW_",
        }
    }

    pub(super) fn usual_shop_region(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::Global => "GB",
        }
    }
}

/// A vendor's app as the partner centre knows it.
#[derive(Clone)]
pub struct App {
    /// Names the app at the token host and in signatures.
    pub app_key: String,
    /// Proves the app at the token host and keys its signatures.
    pub app_secret: String,
    /// Names the app in the authorization link.
    pub service_id: String,
    /// Where sellers are sent after they decided; nobody can authorize before it is set.
    pub redirect_url: Option<Url>,
    /// Where notices about its sellers are posted, except those for which an address is registered.
    pub webhook_url: Option<Url>,
    /// The partner centre of the app.
    pub region: Region,
}

impl App {
    /// An app without Redirect URL and webhook URL, which are often known only once the product listens.
    pub fn new(
        app_key: impl Into<String>,
        app_secret: impl Into<String>,
        service_id: impl Into<String>,
        region: Region,
    ) -> Self {
        Self {
            app_key: app_key.into(),
            app_secret: app_secret.into(),
            service_id: service_id.into(),
            redirect_url: None,
            webhook_url: None,
            region,
        }
    }

    /// The same app with this Redirect URL.
    #[must_use]
    pub fn with_redirect_url(mut self, url: Url) -> Self {
        self.redirect_url = Some(url);
        self
    }

    /// The same app with this address for notices.
    #[must_use]
    pub fn with_webhook_url(mut self, url: Url) -> Self {
        self.webhook_url = Some(url);
        self
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("app_key", &self.app_key)
            .field("app_secret", &"[redacted]")
            .field("service_id", &self.service_id)
            .field("redirect_url", &self.redirect_url.as_ref().map(Url::as_str))
            .field("webhook_url", &self.webhook_url.as_ref().map(Url::as_str))
            .field("region", &self.region)
            .finish()
    }
}
