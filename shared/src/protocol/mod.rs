//! The refresh protocol's I/O: claim, look back, exchange, keep, commit; and the check of what
//! cannot be refreshed.
//!
//! Every change of grant or status runs through here; what each step makes of the item is decided in
//! [`crate::connection`]. [`Protocol::work`] is for the sweep and for refreshes on demand,
//! [`Protocol::store_grant`] for new authorizations.
//! A token set is in the vault before the item names it, and named before anybody gets it.

mod check;
pub mod evidence;
mod gate;
pub mod grant;
pub mod health;
mod keep;
mod line;
pub mod notice;
pub mod outcome;
mod refresh;
mod removal;
mod settling;
pub mod webhooks;

use url::Url;

use self::{evidence::SharedEvidence, health::SharedHealth, settling::Held, webhooks::RemovalBreaker};
use crate::{
    apps::{App, Apps},
    clock::ClaimTimer,
    connection::{Connection, Listed},
    marketplace::{Marketplace, NewTokens},
    names::VersionId,
    secret::Secret,
    store::Connections,
    time::Timestamp,
    token_set::TokenSet,
    vault::Vault,
};

/// How long an access token is taken to live whose answer did not say so, in seconds. Short: it is refreshed soon,
/// and the next answer may say more.
const UNSAID_LIFE: i64 = 3_600;

/// How long the list of shops is waited for. It is wanted, not needed.
const SHOPS_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The protocol over one marketplace, one vault and the table.
#[derive(Debug)]
pub struct Protocol<M, V> {
    /// Where tokens come from.
    pub marketplace: M,
    /// Where they are kept.
    pub vault: V,
    /// Where it is written what became of them.
    pub connections: Connections,
    /// The apps' credentials.
    pub apps: Apps,
    /// Where oauth-callback is reached, and with it our webhooks.
    pub public_base_url: Url,
    /// Whether webhooks are removed before a secret is deleted.
    pub removals: RemovalBreaker,
    /// What each app's connections have met lately.
    pub evidence: SharedEvidence,
    /// The circuit breakers.
    pub health: SharedHealth,
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// The shops, listed with the access token that is being replaced, which works until its own end: so they cost a
    /// refresh no time. `None` if that does not give them; the new token will.
    async fn shops_meanwhile(&self, held: &Held, app: &App, current: &TokenSet) -> Option<Listed> {
        if held.item.access_expires_at.is_none_or(|end| end <= self.connections.now()) {
            return None;
        }
        let listing = self.marketplace.shops(app, &current.access_token);
        match tokio::time::timeout(held.timer.left().min(SHOPS_PATIENCE), listing).await {
            Ok(Ok(listed)) => Some(listed),
            Ok(Err(fault)) => {
                tracing::debug!(connection = %held.item.connection, %fault, "no shops by the token that is replaced");
                None
            }
            Err(_) => None,
        }
    }

    /// The shops under an authorization, or `None` if they cannot be listed now; then those known stay.
    async fn shops(&self, item: &Connection, access_token: &Secret, timer: &ClaimTimer) -> Option<Listed> {
        let listing = async {
            let app = self.apps.get(&item.connection.app).await.map_err(|error| error.to_string())?;
            match self.marketplace.shops(&app, access_token).await {
                Ok(listed) => Ok(listed),
                // A read may be repeated; the next occasion is the next refresh, days away.
                Err(_) => self.marketplace.shops(&app, access_token).await.map_err(|fault| fault.to_string()),
            }
        };
        let fault = match tokio::time::timeout(timer.left().min(SHOPS_PATIENCE), listing).await {
            Ok(Ok(listed)) => return Some(listed),
            Ok(Err(fault)) => fault,
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::error!(
            alarm = "shops_not_listed",
            connection = %item.connection,
            fault,
            "the shops cannot be listed; those known stay until the next refresh"
        );
        None
    }
}

/// The token set that an exchange's answer makes, in the line of the one before it.
fn token_set(
    tokens: NewTokens,
    app_key: &str,
    previous: Option<TokenSet>,
    parent: Option<VersionId>,
    granted_at: Timestamp,
    now: Timestamp,
) -> TokenSet {
    let (known, refresh_token, scopes) =
        previous.map(|set| (set.known_end(), set.refresh_token, set.scopes)).unwrap_or_default();
    let end = tokens.authorization_end.after(known, now);
    TokenSet {
        access_token: tokens.access_token,
        // RFC 6749 §6: without a new refresh token the old one goes on.
        refresh_token: tokens.refresh_token.or(refresh_token),
        // A token that was given just now has not ended, whatever its response says.
        access_expires_at: tokens.access_expires_at.filter(|end| *end > now).unwrap_or(now.plus(UNSAID_LIFE)),
        authorization_expires_at: end.at,
        end_unclear: end.unclear,
        scopes: tokens.scopes.unwrap_or(scopes),
        app_key: app_key.to_owned(),
        parent,
        granted_at,
    }
}
