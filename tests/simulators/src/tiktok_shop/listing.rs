//! Which shops a token opens, and to whom they are shown.

use serde::Serialize;

use super::answer::{ApiError, code};
use super::seller::{Inactive, SHOPS_SCOPE, Shop};
use super::sign::{Signed, sign};
use super::world::World;

pub(super) const SHOPS_PATH: &str = "/authorization/202309/shops";

/// How far a timestamp may lie behind the platform's clock, and how far ahead of it.
const OLDEST_TIMESTAMP: u64 = 5 * 60;
const NEWEST_TIMESTAMP: u64 = 30;

#[derive(Debug, Clone, Default)]
pub(super) struct ShopsRequest {
    /// Decoded, in the order sent.
    pub(super) query: Vec<(String, String)>,
    pub(super) access_token: String,
    pub(super) multipart: bool,
    pub(super) body: Vec<u8>,
    /// When the request arrived by the machine's clock.
    pub(super) machine_time: u64,
}

impl ShopsRequest {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The `data` of a success.
#[derive(Debug, Serialize)]
pub(super) struct Shops {
    pub(super) shops: Vec<Shop>,
}

impl World {
    /// The order of the checks is the platform's as far as it is known: the app first, then the
    /// signature, and only then whose token it is.
    pub(super) fn list_shops(&mut self, request: &ShopsRequest, now: u64) -> Result<Shops, ApiError> {
        let app_key = request.parameter("app_key").unwrap_or_default();
        let app =
            self.app(app_key).map_err(|_| invalid_input("Invalid credentials. Invalid `app_key` query parameter."))?;
        let clock = if self.settings.timestamps_by_machine_clock { request.machine_time } else { now };
        check_timestamp(request, clock)?;
        check_sign(&app.app_secret, request)?;
        if request.parameter("shop_cipher").is_some() {
            return Err(invalid_input(
                "Unexpected identifier. The `shop_cipher` query parameter is not required here.",
            ));
        }
        let grant = self.enter(app_key, &request.access_token, now)?;
        self.shops_under(grant)
    }

    /// Finds the grant of a live access token and notes that the token was used.
    fn enter(&mut self, app_key: &str, token: &str, now: u64) -> Result<usize, ApiError> {
        let (at, pair) = self
            .grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| grant.app_key == app_key)
            .find_map(|(at, grant)| Some((at, grant.by_access(token)?)))
            .ok_or_else(|| self.invalid_token())?;
        let grant = &mut self.grants[at];
        if grant.ended || grant.pairs[pair].access_retired {
            return Err(self.invalid_token());
        }
        if !grant.grants_access(pair, now) {
            let message = "access token is expired, please refresh it";
            return Err(ApiError::with_status(401, code::ACCESS_TOKEN_EXPIRED, message));
        }
        grant.mark_used(pair, &self.settings);
        Ok(at)
    }

    /// For a token that is unknown, taken back, or another app's. 36009004 is the app's own mistakes as well; only the
    /// message says that it is about the token.
    fn invalid_token(&self) -> ApiError {
        let message = "Invalid credentials. The `x-tts-access-token` header is invalid.";
        ApiError::with_status(401, self.settings.invalid_token_code, message)
    }

    fn shops_under(&self, grant: usize) -> Result<Shops, ApiError> {
        let grant = &self.grants[grant];
        let seller = self.seller(&grant.open_id).map_err(|_| self.invalid_token())?;
        if let Some(inactive) = seller.inactive {
            let (code, what) = match inactive {
                Inactive::Shop => (code::SHOP_INACTIVE, "Shop is inactive"),
                Inactive::Seller => (code::SELLER_INACTIVE, "Seller is inactive"),
            };
            return Err(ApiError::with_status(401, code, what));
        }
        if !seller.user_type.has_shops() {
            let message = "The user type of the access token does not match this call";
            return Err(ApiError::with_status(403, code::WRONG_USER_TYPE, message));
        }
        if !grant.scopes.iter().any(|scope| scope == SHOPS_SCOPE) {
            let message = "Access denied: the required scope was not granted";
            return Err(ApiError::with_status(403, code::SCOPE_MISSING, message));
        }
        let shops = seller.shops.iter().filter(|shop| grant.covers(&shop.id));
        Ok(Shops { shops: shops.cloned().collect() })
    }
}

fn check_timestamp(request: &ShopsRequest, now: u64) -> Result<(), ApiError> {
    let timestamp: u64 = request
        .parameter("timestamp")
        .and_then(|timestamp| timestamp.parse().ok())
        .ok_or_else(|| invalid_input("Invalid timestamp. It must be in Unix seconds."))?;
    if timestamp < now.saturating_sub(OLDEST_TIMESTAMP) {
        let message = "Invalid timestamp. It must not be earlier than 5 minutes before the current time.";
        return Err(invalid_input(message));
    }
    if timestamp > now + NEWEST_TIMESTAMP {
        let message = "Invalid timestamp. It must not be later than 30 seconds after the current time.";
        return Err(invalid_input(message));
    }
    Ok(())
}

fn check_sign(secret: &str, request: &ShopsRequest) -> Result<(), ApiError> {
    let expected = sign(
        secret,
        &Signed { path: SHOPS_PATH, query: &request.query, body: &request.body, multipart: request.multipart },
    );
    if request.parameter("sign") == Some(expected.as_str()) {
        return Ok(());
    }
    let message = "Invalid signature. The `sign` query parameter is invalid.";
    Err(ApiError::with_status(401, code::BAD_SIGN, message))
}

fn invalid_input(message: &str) -> ApiError {
    ApiError::with_status(400, code::INVALID_INPUT, message)
}

#[cfg(test)]
mod tests;
