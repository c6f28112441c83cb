use std::fmt;

use url::Url;

use super::permissions::{MIGRATED, MIGRATED_TOKEN_INFO, Purpose, TOKEN_CREATE, TOKEN_INFO};

/// One of the platform's partitions: apps and tokens of one are refused by the others' routers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// United States.
    Us,
    /// European Union.
    Eu,
    /// The rest of the world.
    Global,
    /// Products of cross-border sellers. The only one with two routers.
    CrossBorder,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Us, Self::Eu, Self::Global, Self::CrossBorder];

    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Global => "global",
            Self::CrossBorder => "cross-border",
        }
    }

    /// The real host of its router, which callbacks name.
    pub fn host(self) -> &'static str {
        match self {
            Self::Us => "openapi-b-us.temu.com",
            Self::Eu => "openapi-b-eu.temu.com",
            Self::Global => "openapi-b-global.temu.com",
            Self::CrossBorder => "openapi-b-partner.temu.com",
        }
    }

    /// This one alone.
    pub(super) fn alone(self) -> &'static [Self] {
        match self {
            Self::Us => &[Self::Us],
            Self::Eu => &[Self::Eu],
            Self::Global => &[Self::Global],
            Self::CrossBorder => &[Self::CrossBorder],
        }
    }

    /// Its routers, the one for calls that have migrated first.
    pub fn routers(self) -> &'static [Router] {
        match self {
            Self::Us => &[Router::Us],
            Self::Eu => &[Router::Eu],
            Self::Global => &[Router::Global],
            Self::CrossBorder => &[Router::Pa, Router::Cn],
        }
    }
}

/// A router: one address to which calls are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Router {
    /// The United States'.
    Us,
    /// The European Union's.
    Eu,
    /// The rest of the world's.
    Global,
    /// For products: the calls that have migrated.
    Pa,
    /// For products: the calls that have not migrated.
    Cn,
}

impl Router {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Us, Self::Eu, Self::Global, Self::Pa, Self::Cn];

    /// As the product names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Global => "global",
            Self::Pa => "pa",
            Self::Cn => "cn",
        }
    }

    pub(super) fn region(self) -> Region {
        match self {
            Self::Us => Region::Us,
            Self::Eu => Region::Eu,
            Self::Global => Region::Global,
            Self::Pa | Self::Cn => Region::CrossBorder,
        }
    }

    /// Whether it has this call. What has migrated has another name, and only PA has it.
    pub(super) fn has(self, call: &str) -> bool {
        call.ends_with(MIGRATED) == (self == Self::Pa)
    }

    /// The call about tokens under the name that it has here.
    pub(super) fn token_info(self) -> &'static str {
        if self == Self::Pa { MIGRATED_TOKEN_INFO } else { TOKEN_INFO }
    }
}

/// A vendor's app as the partner platform knows it.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the platform's own switches, each on its own")]
pub struct App {
    /// Names the app.
    pub app_key: String,
    /// Goes into the app's signatures.
    pub app_secret: String,
    /// The only region that knows the app.
    pub region: Region,
    /// What sellers see.
    pub name: String,
    /// Where the code flow sends sellers back to; `None` where it was not set up.
    pub redirect_url: Option<Url>,
    /// What callbacks name as the host of the app's router; `None` is the region's real one.
    pub callback_host: Option<String>,
    /// Whether it is the seller's own: its tokens live longer.
    pub self_developed: bool,
    /// Whether the platform has suspended it.
    pub suspended: bool,
    /// Whether the caller's IP address is on the app's list.
    pub ip_allowed: bool,
    /// The calls that the platform has given it; `None` is all of them.
    pub calls: Option<Vec<String>>,
    /// Whether the platform has stopped sending it events, as token information then says.
    pub events_stopped: bool,
}

impl App {
    /// A third party's app in good standing that may use every call, without the code flow.
    pub fn new(app_key: impl Into<String>, app_secret: impl Into<String>, region: Region) -> Self {
        let app_key = app_key.into();
        Self {
            name: format!("App {app_key}"),
            app_secret: app_secret.into(),
            region,
            redirect_url: None,
            callback_host: None,
            self_developed: false,
            suspended: false,
            ip_allowed: true,
            calls: None,
            events_stopped: false,
            app_key,
        }
    }

    /// The same app with this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same app with the code flow set up to come back here.
    #[must_use]
    pub fn with_redirect_url(mut self, url: Url) -> Self {
        self.redirect_url = Some(url);
        self
    }

    /// The same app with this host, port included, in its callbacks: that of a router which is not the real one.
    #[must_use]
    pub fn with_callback_host(mut self, host: impl Into<String>) -> Self {
        self.callback_host = Some(host.into());
        self
    }

    /// The same app with nothing but these calls, and those about tokens.
    #[must_use]
    pub fn with_calls(mut self, calls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let about_tokens = [TOKEN_INFO, MIGRATED_TOKEN_INFO, TOKEN_CREATE].map(str::to_owned);
        self.calls = Some(about_tokens.into_iter().chain(calls.into_iter().map(Into::into)).collect());
        self
    }

    /// Whether tokens for this purpose would be of any use to it.
    pub fn serves(&self, purpose: Purpose) -> bool {
        purpose.general_calls().any(|call| self.may_call(call))
    }

    pub(super) fn may_call(&self, call: &str) -> bool {
        self.calls.as_ref().is_none_or(|calls| calls.iter().any(|known| known == call))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("app_key", &self.app_key)
            .field("app_secret", &"[redacted]")
            .field("region", &self.region)
            .field("name", &self.name)
            .field("redirect_url", &self.redirect_url.as_ref().map(Url::as_str))
            .field("callback_host", &self.callback_host)
            .field("self_developed", &self.self_developed)
            .field("suspended", &self.suspended)
            .field("ip_allowed", &self.ip_allowed)
            .field("calls", &self.calls)
            .field("events_stopped", &self.events_stopped)
            .finish()
    }
}
