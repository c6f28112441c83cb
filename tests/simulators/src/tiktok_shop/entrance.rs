//! Checks that every signed call has to pass: the app first, then the signature, and only then whose token it is. The
//! order is the platform's as far as it is known.

use super::answer::{ApiError, code};
use super::grant::Grant;
use super::request::Request;
use super::seller::{Inactive, SHOPS_SCOPE, Seller};
use super::sign::{Signed, sign};
use super::world::World;

/// How far a timestamp may lie behind the platform's clock, and how far ahead of it.
const OLDEST_TIMESTAMP: u64 = 5 * 60;
const NEWEST_TIMESTAMP: u64 = 30;

impl World {
    /// Checks app, timestamp and signature.
    pub(super) fn check_signed(&self, request: &Request, now: u64) -> Result<(), ApiError> {
        let app = self
            .app(request.parameter("app_key").unwrap_or_default())
            .map_err(|_| invalid_input("Invalid credentials. Invalid `app_key` query parameter."))?;
        let clock = if self.settings.timestamps_by_machine_clock { request.machine_time } else { now };
        check_timestamp(request, clock)?;
        check_sign(&app.app_secret, request)
    }

    /// Finds the grant of a live access token and notes that the token was used.
    pub(super) fn enter(&mut self, request: &Request, now: u64) -> Result<usize, ApiError> {
        let (at, pair) = self
            .grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| request.parameter("app_key") == Some(grant.app_key.as_str()))
            .find_map(|(at, grant)| Some((at, grant.by_access(&request.access_token)?)))
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

    /// Checks that the grant permits calls about the seller's shops.
    pub(super) fn open(&self, grant: usize) -> Result<(&Grant, &Seller), ApiError> {
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
        Ok((grant, seller))
    }

    /// For a token that is unknown, taken back, or another app's. 36009004 is the app's own mistakes as well; only the
    /// message says that it is about the token.
    fn invalid_token(&self) -> ApiError {
        let message = "Invalid credentials. The `x-tts-access-token` header is invalid.";
        ApiError::with_status(401, self.settings.invalid_token_code, message)
    }
}

fn check_timestamp(request: &Request, now: u64) -> Result<(), ApiError> {
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

fn check_sign(secret: &str, request: &Request) -> Result<(), ApiError> {
    let signed =
        Signed { path: request.path, query: &request.query, body: &request.body, multipart: request.is_multipart() };
    if request.parameter("sign") == Some(sign(secret, &signed).as_str()) {
        return Ok(());
    }
    let message = "Invalid signature. The `sign` query parameter is invalid.";
    Err(ApiError::with_status(401, code::BAD_SIGN, message))
}

pub(super) fn invalid_input(message: &str) -> ApiError {
    ApiError::with_status(400, code::INVALID_INPUT, message)
}
