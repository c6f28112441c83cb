//! A connect session: one seller's visit to connect stores for one account; and the visits to a marketplace that it
//! sends the seller on, each under a `state`. Pure.
//!
//! Neither the session's token nor a `state` is ever stored, only its [`digest`]. The digest of the token is the
//! session's public id.

mod refused_token;

use serde::{Deserialize, Serialize};

pub use refused_token::{RefusedToken, TokenRefusal};

use crate::{
    connection::Purpose,
    names::{AccountId, AppKeyPath, ConnectionKey},
    secret::{Secret, digest},
    time::Timestamp,
};

/// How long a `state` works, in seconds: TikTok Shop's own code lives as long.
pub const STATE_SECONDS: i64 = 30 * 60;

/// How long the function that exchanges a code may run, in seconds: API Gateway's limit, and the function's own timeout.
const CALLBACK_SECONDS: i64 = 30;

/// How long a finished visit can be looked at again, in seconds.
pub const RESULT_SECONDS: i64 = 24 * 3_600;

/// A connect session, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectSession {
    /// The digest of the session's token. Not secret.
    pub id: String,
    /// The vendor's customer that the connections are for.
    pub account_id: AccountId,
    /// How that customer is called on the seller's pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_label: Option<String>,
    /// Where the seller goes when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// The vendor's own note, handed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The apps that the session offers. Absent: all that the registry lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apps: Option<Vec<AppKeyPath>>,
    /// Set when the session is for this one connection alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<Reconnect>,
    /// Whether the vendor has to confirm a connection that is new to the account; otherwise the seller agrees to the
    /// account by a button first.
    pub confirm: bool,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How the seller's visits ended, oldest first.
    #[serde(default)]
    pub visits: Vec<VisitRecord>,
    /// How many tokens were pasted in it, good ones and others.
    #[serde(default)]
    pub pasted: u32,
}

impl ConnectSession {
    /// Whether the session offers an app to its seller: that of the one connection that it is for, or one that it names, or
    /// else one that is `listed`.
    pub fn offers(&self, app: &AppKeyPath, listed: bool) -> bool {
        match (&self.reconnect, &self.apps) {
            (Some(reconnect), _) => reconnect.connection.app == *app,
            (None, Some(apps)) => apps.contains(app),
            (None, None) => listed,
        }
    }

    /// The apps that the session names.
    pub fn named_apps(&self) -> impl Iterator<Item = &AppKeyPath> {
        let reconnect = self.reconnect.iter().map(|reconnect| &reconnect.connection.app);
        reconnect.chain(self.apps.iter().flatten())
    }
}

/// The one connection that a session is for, as it was when the session was opened: what the seller's pages show of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconnect {
    /// The connection.
    pub connection: ConnectionKey,
    /// The seller's name, or else the vendor's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_name: Option<String>,
    /// What its tokens are for.
    pub purpose: Purpose,
}

impl Reconnect {
    /// How the seller's pages call it: by its name or label, else by the marketplace's id.
    pub fn name(&self) -> String {
        let id = || format!("store {}", self.connection.seller_id);
        self.seller_name.as_ref().map_or_else(id, |name| format!("“{name}”"))
    }
}

/// How one visit ended, as the session remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitRecord {
    /// When.
    pub at: Timestamp,
    /// How.
    #[serde(flatten)]
    pub outcome: VisitOutcome,
    /// The pasted tokens that were not accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedToken>,
    /// The digest of the single-use result that the seller carries back.
    pub result: String,
}

/// How a visit to a marketplace ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum VisitOutcome {
    /// Authorized and stored.
    Connected {
        /// What was connected: one connection, or several where the seller has several stores at Temu.
        connections: Vec<Connected>,
        /// Why further stores of the same authorization were not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failures: Vec<ConnectFailure>,
    },
    /// Not connected.
    Failed {
        /// Why.
        failure: ConnectFailure,
    },
}

/// One connection that a visit brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// The connection.
    pub connection: ConnectionKey,
    /// Which grant.
    pub granted_at: Timestamp,
    /// The seller's name, or else the vendor's label, for the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_name: Option<String>,
    /// Whether it waits for the vendor's confirmation.
    pub awaits_confirmation: bool,
    /// The labels of permissions that the vendor needs and the seller did not give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_permissions: Vec<String>,
}

/// Why a visit connected nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "Why a visit connected nothing, or not all. `denied`: the seller said no. `code_refused`: the \
        marketplace did not accept the code. `not_a_seller`: who authorized has no shop. `account_conflict`: the seller is \
        connected under another account. `overtaken`: a later authorization by the same seller came first. \
        `marketplace_unavailable`: it did not answer, or not in time. `misconfigured`: the installation's configuration is \
        wrong. `storage_unavailable`: the keyring's own storage did not answer. `bad_callback`: the callback was not in a \
        form that is known. `other_seller`: the session is for one connection, and another seller authorized. \
        `nothing_to_reconnect`: the connection that the session is for no longer exists. `token_refused`: a token \
        that the seller pasted was not accepted, as `refused_tokens` says. `unsolicited`: the seller \
        came without a connect link and is not connected; no session ever shows it."
    )
)]
#[serde(rename_all = "snake_case")]
pub enum ConnectFailure {
    /// The seller said no.
    Denied,
    /// The marketplace did not accept the code: used, expired, or not this app's.
    CodeRefused,
    /// Who authorized has no shop: a creator or a partner.
    NotASeller,
    /// The seller is connected under another account.
    AccountConflict,
    /// A later authorization by the same seller came first.
    Overtaken,
    /// The marketplace did not answer, or not in time.
    MarketplaceUnavailable,
    /// The vendor's own configuration is wrong.
    Misconfigured,
    /// The vendor's vault or table did not answer.
    StorageUnavailable,
    /// The callback was not in a form that we know.
    BadCallback,
    /// The session reconnects one connection, and another seller authorized.
    OtherSeller,
    /// The session reconnects one connection, which no longer exists.
    NothingToReconnect,
    /// A token that the seller pasted was not accepted.
    TokenRefused,
    /// The seller came without a connect link, and is not connected.
    Unsolicited,
}

impl ConnectFailure {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::CodeRefused => "code_refused",
            Self::NotASeller => "not_a_seller",
            Self::AccountConflict => "account_conflict",
            Self::Overtaken => "overtaken",
            Self::MarketplaceUnavailable => "marketplace_unavailable",
            Self::Misconfigured => "misconfigured",
            Self::StorageUnavailable => "storage_unavailable",
            Self::BadCallback => "bad_callback",
            Self::OtherSeller => "other_seller",
            Self::NothingToReconnect => "nothing_to_reconnect",
            Self::TokenRefused => "token_refused",
            Self::Unsolicited => "unsolicited",
        }
    }
}

/// One visit to a marketplace, as it is stored under the digest of its `state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The digest of the `state`. Not secret: it names the visit's result page.
    pub id: String,
    /// The session that it belongs to; none for a callback that nobody asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The app that the seller was sent to.
    pub app: AppKeyPath,
    /// The digest of the browser's cookie.
    pub browser: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When its `state` was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<VisitOutcome>,
}

/// Whether a callback may go on with this visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateCheck {
    /// Yes: use the `state` up, then exchange.
    Fresh,
    /// The visit has ended: show its result again.
    Ended,
    /// Its `state` was used, but how it ended is not known: still under way, or broken off.
    UnderWay,
    /// Over.
    Expired,
    /// Started in another browser.
    OtherBrowser,
    /// Started for another app.
    OtherApp,
}

impl Visit {
    /// A new visit under this `state`.
    pub fn begin(
        state: &Secret,
        session_id: Option<String>,
        app: &AppKeyPath,
        browser: &Secret,
        now: Timestamp,
    ) -> Self {
        Self {
            id: digest(state.expose()),
            session_id,
            app: app.clone(),
            browser: digest(browser.expose()),
            expires_at: now.plus(STATE_SECONDS),
            used_at: None,
            ended: None,
        }
    }

    /// Checks a callback at this app's path, from this browser.
    pub fn check(&self, app: &AppKeyPath, browser: Option<&Secret>, now: Timestamp) -> StateCheck {
        let is_under_way = self.used_at.is_some() && self.seconds_under_way(now) > 0;
        if self.app != *app {
            StateCheck::OtherApp
        } else if self.ended.is_none() && self.expires_at <= now && !is_under_way {
            StateCheck::Expired
        } else if !self.is_of(browser) {
            StateCheck::OtherBrowser
        } else if self.ended.is_some() {
            StateCheck::Ended
        } else if self.used_at.is_some() {
            StateCheck::UnderWay
        } else {
            StateCheck::Fresh
        }
    }

    /// How many seconds from `now` the invocation that used its `state` can still be at work; negative or zero if it can
    /// not. Before the `state` is used this counts from the start of the visit.
    pub fn seconds_under_way(&self, now: Timestamp) -> i64 {
        let begun = self.used_at.unwrap_or(self.expires_at.plus(-STATE_SECONDS));
        begun.plus(CALLBACK_SECONDS).since(now)
    }

    /// Whether this browser began it.
    pub fn is_of(&self, browser: Option<&Secret>) -> bool {
        browser.is_some_and(|browser| Secret::new(digest(browser.expose())).same_as(&Secret::new(self.browser.clone())))
    }
}

/// The single-use result that the seller carries back to the vendor: follows from the `state`, so that a reload of
/// the callback hands out the same one, and only who has the `state` can know it.
pub fn result_of(state: &Secret) -> Secret {
    Secret::new(digest(&format!("shop-keyring result\n{}", state.expose())))
}

/// What stands in the place of a `state` in a callback without one: follows from the code, so that a reload finds the visit.
/// Never a `state` that we have given out, so that no such callback finds the visit of one.
pub fn state_of_code(code: &Secret) -> Secret {
    Secret::new(digest(&format!("shop-keyring code\n{}", code.expose())))
}

/// What the forms of one session carry in one browser, so that no other site and no other browser can send them.
pub fn form_token(session_token: &Secret, browser: &Secret) -> Secret {
    in_browser("form", session_token, browser)
}

/// What stands in the place of a `state` for tokens that are pasted: one for a session in one browser, so that one
/// result confirms all that was pasted there.
pub fn paste_state(session_token: &Secret, browser: &Secret) -> Secret {
    in_browser("paste", session_token, browser)
}

fn in_browser(what: &str, session_token: &Secret, browser: &Secret) -> Secret {
    Secret::new(digest(&format!("shop-keyring {what}\n{}\n{}", session_token.expose(), browser.expose())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn app(name: &str) -> AppKeyPath {
        AppKeyPath { marketplace: crate::names::MarketplaceName::TikTokShop, app: name.parse().unwrap() }
    }

    #[test]
    fn a_state_works_for_its_app_its_browser_and_thirty_minutes() {
        let (browser, other) = (Secret::new("browser"), Secret::new("other"));
        let visit = Visit::begin(&Secret::new("state"), None, &app("us"), &browser, NOW);
        assert_eq!(visit.check(&app("us"), Some(&browser), NOW.plus(STATE_SECONDS - 1)), StateCheck::Fresh);
        assert_eq!(visit.check(&app("us"), Some(&browser), NOW.plus(STATE_SECONDS)), StateCheck::Expired);
        assert_eq!(visit.check(&app("global"), Some(&browser), NOW), StateCheck::OtherApp);
        assert_eq!(visit.check(&app("us"), Some(&other), NOW), StateCheck::OtherBrowser);
        assert_eq!(visit.check(&app("us"), None, NOW), StateCheck::OtherBrowser);
        assert_eq!(visit.seconds_under_way(NOW.plus(10)), 20);
        assert_eq!(visit.check(&app("us"), Some(&other), NOW.plus(STATE_SECONDS)), StateCheck::Expired);
        let last_moment = Visit { used_at: Some(NOW.plus(STATE_SECONDS - 1)), ..visit.clone() };
        let check = |seconds| last_moment.check(&app("us"), Some(&browser), NOW.plus(STATE_SECONDS + seconds));
        assert_eq!((check(5), check(30)), (StateCheck::UnderWay, StateCheck::Expired));
        let used = Visit { used_at: Some(NOW.plus(60)), ..visit };
        assert_eq!((used.seconds_under_way(NOW.plus(61)), used.seconds_under_way(NOW.plus(91))), (29, -1));
        assert_eq!(used.check(&app("us"), Some(&browser), NOW), StateCheck::UnderWay);
        let ended = Visit { ended: Some(VisitOutcome::Failed { failure: ConnectFailure::Denied }), ..used };
        assert_eq!(ended.check(&app("us"), Some(&browser), NOW.plus(STATE_SECONDS)), StateCheck::Ended);
    }

    #[test]
    fn the_result_follows_from_the_state_and_shows_nothing_of_it() {
        let (a, b) = (result_of(&Secret::new("state-a")), result_of(&Secret::new("state-b")));
        assert!(!a.same_as(&b));
        assert!(a.same_as(&result_of(&Secret::new("state-a"))));
        assert_ne!(a.expose(), digest("state-a"));
    }

    #[test]
    fn a_form_belongs_to_its_session_and_its_browser() {
        let secret = |text: &str| Secret::new(text);
        let form = form_token(&secret("session"), &secret("browser"));
        assert!(form.same_as(&form_token(&secret("session"), &secret("browser"))));
        for other in [
            form_token(&secret("session"), &secret("other")),
            form_token(&secret("other"), &secret("browser")),
            paste_state(&secret("session"), &secret("browser")),
        ] {
            assert!(!form.same_as(&other));
        }
    }
}
