use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::answer::{ApiError, code};
use super::app::App;
use super::grant::{Code, Grant, Pair};
use super::mint;
use super::registrations::Registrations;
use super::seller::Seller;
use super::settings::Settings;
use crate::calls::Subject;
use crate::conduct;

/// Why the platform's pages or a test's wish could not be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such app is registered.
    #[error("no app {0}")]
    UnknownApp(String),
    /// No such seller exists.
    #[error("no seller {0}")]
    UnknownSeller(String),
    /// The app's Redirect URL was never set.
    #[error("the app {0} has no Redirect URL")]
    NoRedirectUrl(String),
    /// The app has no webhook URL, and none is registered for the shop and the topic.
    #[error("the app {0} has no webhook URL")]
    NoWebhookUrl(String),
    /// The seller never authorized the app.
    #[error("the seller {0} has not authorized the app")]
    NotAuthorized(String),
}

pub(super) type Shared = conduct::Shared<World>;

/// The platform's own state. It has no clock and does no I/O: whoever asks says what time it is.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) grants: Vec<Grant>,
    pub(super) registrations: Registrations,
    apps: BTreeMap<String, App>,
    sellers: BTreeMap<String, Seller>,
    codes: Vec<Code>,
    /// Kept beside `apps`, for a secret that was replaced may still turn up somewhere.
    app_secrets: BTreeSet<String>,
}

impl World {
    pub(super) fn add_app(&mut self, app: App) {
        self.app_secrets.insert(app.app_secret.clone());
        self.apps.insert(app.app_key.clone(), app);
    }

    /// Puts the app back under whatever key it then has.
    pub(super) fn update_app(&mut self, app_key: &str, change: impl FnOnce(&mut App)) -> Result<(), Refusal> {
        let mut app = self.apps.remove(app_key).ok_or_else(|| Refusal::UnknownApp(app_key.to_owned()))?;
        change(&mut app);
        self.add_app(app);
        Ok(())
    }

    pub(super) fn app(&self, app_key: &str) -> Result<&App, Refusal> {
        self.apps.get(app_key).ok_or_else(|| Refusal::UnknownApp(app_key.to_owned()))
    }

    pub(super) fn app_of_service(&self, service_id: &str) -> Option<&App> {
        self.apps.values().find(|app| app.service_id == service_id)
    }

    pub(super) fn add_seller(&mut self, seller: Seller) {
        self.sellers.insert(seller.open_id.clone(), seller);
    }

    pub(super) fn seller(&self, open_id: &str) -> Result<&Seller, Refusal> {
        self.sellers.get(open_id).ok_or_else(|| Refusal::UnknownSeller(open_id.to_owned()))
    }

    pub(super) fn seller_mut(&mut self, open_id: &str) -> Result<&mut Seller, Refusal> {
        self.sellers.get_mut(open_id).ok_or_else(|| Refusal::UnknownSeller(open_id.to_owned()))
    }

    pub(super) fn sellers(&self) -> impl Iterator<Item = &Seller> {
        self.sellers.values()
    }

    /// The seller says yes: mints a code and gives the address to which the browser is sent.
    pub(super) fn authorize(
        &mut self,
        app_key: &str,
        open_id: &str,
        state: Option<&str>,
        now: u64,
    ) -> Result<Url, Refusal> {
        let seller = self.seller(open_id)?;
        let app = self.app(app_key)?;
        let mut callback = redirect_url(app)?;
        let code = mint::token(app.region.token_prefix());
        let shop_region = seller
            .shops
            .first()
            .map(|shop| shop.region.as_str())
            .or(seller.base_region.as_deref())
            .unwrap_or_else(|| app.region.usual_shop_region());
        callback
            .query_pairs_mut()
            .append_pair("app_key", app_key)
            .append_pair("code", &code)
            .append_pair("locale", "en")
            .append_pair("shop_region", shop_region);
        append_state(&mut callback, state);
        self.codes.push(Code {
            value: code,
            app_key: app_key.to_owned(),
            open_id: open_id.to_owned(),
            dead_at: now + self.settings.code_lifetime,
            used: false,
        });
        Ok(callback)
    }

    /// The seller says no. The text `null` in place of the code is the platform's.
    pub(super) fn deny(&self, app_key: &str, state: Option<&str>) -> Result<Url, Refusal> {
        let mut callback = redirect_url(self.app(app_key)?)?;
        callback
            .query_pairs_mut()
            .append_pair("app_key", app_key)
            .append_pair("code", "null")
            .append_pair("error", "auth_denied");
        append_state(&mut callback, state);
        Ok(callback)
    }

    /// Uses up a code and opens the grant that it stands for.
    pub(super) fn redeem(&mut self, app_key: &str, value: &str, now: u64) -> Result<usize, ApiError> {
        let invalid = || ApiError::at_token_host(code::INVALID_AUTH_CODE, "invalid auth code");
        let found = self
            .codes
            .iter_mut()
            .find(|code| code.value == value && code.app_key == app_key)
            .filter(|code| !code.used && now < code.dead_at)
            .ok_or_else(invalid)?;
        let seller = self.sellers.get(&found.open_id).ok_or_else(invalid)?;
        found.used = true;

        if self.settings.new_grant_ends_old {
            live_grants(&mut self.grants, app_key, &seller.open_id).for_each(|grant| grant.ended = true);
        }
        self.grants.push(Grant {
            id: self.grants.len() as u64 + 1,
            app_key: app_key.to_owned(),
            open_id: seller.open_id.clone(),
            scopes: seller.scopes.clone(),
            expires_at: now + self.settings.refresh_lifetime,
            ended: false,
            left: BTreeSet::new(),
            pairs: Vec::new(),
        });
        Ok(self.grants.len() - 1)
    }

    pub(super) fn subject_of_code(&self, value: &str) -> Subject {
        let seller = self.codes.iter().find(|code| code.value == value);
        Subject { seller: seller.map(|code| code.open_id.clone()), ..Subject::default() }
    }

    pub(super) fn subject_of_token(&self, token: &str) -> Subject {
        self.pair_of(token)
            .map(|(grant, _)| Subject {
                seller: Some(grant.open_id.clone()),
                grant: Some(grant.id),
                ..Subject::default()
            })
            .unwrap_or_default()
    }

    /// Whether the platform would take this access or refresh token.
    pub(super) fn accepts(&self, token: &str, now: u64) -> bool {
        self.pair_of(token).is_some_and(|(grant, pair)| {
            if grant.pairs[pair].access == token { grant.grants_access(pair, now) } else { grant.refreshes(pair, now) }
        })
    }

    pub(super) fn place_of(&self, access_token: &str) -> Option<(u64, usize)> {
        self.grants.iter().find_map(|grant| Some((grant.id, grant.by_access(access_token)?)))
    }

    pub(super) fn newest_pair(&self, app_key: &str, open_id: &str) -> Option<&Pair> {
        self.latest_grant(app_key, open_id).and_then(|grant| grant.pairs.last())
    }

    /// The seller's latest authorization of the app, alive or not.
    pub(super) fn latest_grant(&self, app_key: &str, open_id: &str) -> Option<&Grant> {
        self.grants.iter().rfind(|grant| grant.app_key == app_key && grant.open_id == open_id)
    }

    /// Everything that ever had to be kept secret, dead or alive.
    pub(super) fn secrets(&self) -> Vec<String> {
        let pairs = self.grants.iter().flat_map(|grant| &grant.pairs);
        let tokens = pairs.flat_map(|pair| [&pair.access, &pair.refresh]);
        let codes = self.codes.iter().map(|code| &code.value);
        let all: BTreeSet<&String> = self.app_secrets.iter().chain(codes).chain(tokens).collect();
        all.into_iter().cloned().collect()
    }

    fn pair_of(&self, token: &str) -> Option<(&Grant, usize)> {
        self.grants.iter().find_map(|grant| {
            let pair = grant.by_access(token).or_else(|| grant.by_refresh(token))?;
            Some((grant, pair))
        })
    }
}

fn redirect_url(app: &App) -> Result<Url, Refusal> {
    app.redirect_url.clone().ok_or_else(|| Refusal::NoRedirectUrl(app.app_key.clone()))
}

/// Installs that begin in the platform's own store come back without any state.
fn append_state(callback: &mut Url, state: Option<&str>) {
    if let Some(state) = state {
        callback.query_pairs_mut().append_pair("state", state);
    }
}

/// The seller's authorizations of the app that neither the seller nor a later one has ended.
pub(super) fn live_grants<'a>(
    grants: &'a mut [Grant],
    app_key: &str,
    open_id: &str,
) -> impl Iterator<Item = &'a mut Grant> {
    grants.iter_mut().filter(move |grant| grant.app_key == app_key && grant.open_id == open_id && !grant.ended)
}
