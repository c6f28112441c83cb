//! How codes become tokens and tokens become newer ones.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{ApiError, code};
use super::grant::Pair;
use super::settings::ResponseForm;
use super::world::World;

/// The query of both calls, each of which leaves a part of it empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenRequest {
    pub(super) app_key: String,
    pub(super) app_secret: String,
    pub(super) grant_type: String,
    pub(super) auth_code: String,
    pub(super) refresh_token: String,
}

/// The `data` of a success.
#[derive(Serialize)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    /// Absolute, in spite of the name; see [`Settings::expiries`](super::settings::Settings::expiries).
    pub(super) access_token_expire_in: u64,
    pub(super) refresh_token: String,
    /// Absolute, in spite of the name.
    pub(super) refresh_token_expire_in: u64,
    pub(super) open_id: String,
    pub(super) seller_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seller_base_region: Option<String>,
    pub(super) user_type: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) granted_scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) granted_permissions: Option<Vec<String>>,
}

impl World {
    pub(super) fn exchange(&mut self, request: &TokenRequest, now: u64) -> Result<Tokens, ApiError> {
        let prefix = self.check(request, "authorized_code")?;
        let grant = self.redeem(&request.app_key, &request.auth_code, now)?;
        let pair = self.grants[grant].issue(prefix, &self.settings, now);
        self.tokens(grant, pair, now)
    }

    pub(super) fn refresh(&mut self, request: &TokenRequest, now: u64) -> Result<Tokens, ApiError> {
        let prefix = self.check(request, "refresh_token")?;
        let (grant, spent) = self
            .grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| grant.app_key == request.app_key)
            .find_map(|(at, grant)| Some((at, grant.by_refresh(&request.refresh_token)?)))
            .ok_or_else(no_authorization)?;
        let found = &mut self.grants[grant];
        if found.ended || found.pairs[spent].refresh_retired {
            return Err(no_authorization());
        }
        if !found.refreshes(spent, now) {
            let code = self.settings.expired_refresh_code;
            return Err(ApiError::at_token_host(code, "the authorization has expired"));
        }
        let pair = found.renew(spent, prefix, &self.settings, now);
        self.tokens(grant, pair, now)
    }

    /// Gives the prefix of the app's tokens.
    fn check(&self, request: &TokenRequest, grant_type: &str) -> Result<&'static str, ApiError> {
        let app = self.app(&request.app_key).map_err(|_| invalid_input("Invalid app_key"))?;
        if app.app_secret != request.app_secret {
            return Err(invalid_input("Invalid app_secret"));
        }
        if request.grant_type != grant_type {
            return Err(invalid_input("Invalid grant_type"));
        }
        Ok(app.region.token_prefix())
    }

    fn tokens(&self, grant: usize, pair: Pair, now: u64) -> Result<Tokens, ApiError> {
        let grant = &self.grants[grant];
        let seller = self.seller(&grant.open_id).map_err(|_| no_authorization())?;
        let settings = &self.settings;
        let end = |end| settings.expiries.write(end, now);
        let is_variant = settings.form == ResponseForm::Variant;
        let number = seller.user_type.number();
        let scopes = seller.states_scopes.then(|| grant.scopes.clone());
        let (granted_scopes, granted_permissions) = if is_variant { (None, scopes) } else { (scopes, None) };
        Ok(Tokens {
            access_token: pair.access,
            access_token_expire_in: end(pair.access_expires_at),
            refresh_token: pair.refresh,
            refresh_token_expire_in: end(grant.expires_at),
            open_id: grant.open_id.clone(),
            seller_name: seller.name.clone(),
            seller_base_region: seller.base_region.clone(),
            user_type: if is_variant { number.to_string().into() } else { number.into() },
            granted_scopes,
            granted_permissions,
        })
    }
}

fn invalid_input(message: &str) -> ApiError {
    ApiError::at_token_host(code::INVALID_INPUT, message)
}

fn no_authorization() -> ApiError {
    ApiError::at_token_host(code::NO_AUTHORIZATION, "can not find related auth record")
}

#[cfg(test)]
mod tests;
