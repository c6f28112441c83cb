//! What a call has to get past: the app first, then its signature, and only then the rest.

use serde_json::Value;

use super::answer::{ApiError, code};
use super::app::{App, Router};
use super::calls::Route;
use super::grant::{End, Token};
use super::information::sample;
use super::permissions::{TOKEN_CREATE, TOKEN_INFO, is_call};
use super::request::Request;
use super::sign::sign;
use super::world::World;

/// How far a timestamp may lie from the platform's clock, either way.
const TOLERANCE: u64 = 300;

impl World {
    pub(super) fn serve(&mut self, request: &Request, now: u64) -> Result<Value, ApiError> {
        let app = self.calling_app(request)?;
        if request.text("sign") != sign(&app.app_secret, &request.members) {
            return Err(ApiError::new(code::BAD_SIGN, "Invalid sign"));
        }
        let clock = if self.settings.timestamps_by_machine_clock { request.machine_time } else { now };
        check_timestamp(request, clock)?;

        // Only now is it sure who calls; from here on it counts.
        let (app_key, limit) = (app.app_key.clone(), self.settings.calls_per_second);
        if !self.rate.lets_through(&app_key, limit, request.arrived) {
            return Err(ApiError::new(code::RATE_LIMITED, "Too many requests, please try again later"));
        }
        let call = request.text("type");
        check_app(self.calling_app(request)?, request.router, call)?;

        let access_token = request.text("access_token");
        if access_token.is_empty() {
            return Err(ApiError::new(code::TOKEN_MISSING, "access_token is missing"));
        }
        if call == TOKEN_CREATE {
            return self.create(&app_key, request, now);
        }
        let token = self.token_in_call(request, now)?;
        let permitted = token.permissions.iter().any(|permitted| permitted == call);
        // Every token may use the old one. A token from before the call migrated lacks the new one.
        if call == TOKEN_INFO || (call == request.router.token_info() && permitted) {
            return self.information(token, request.router);
        }
        if !permitted {
            return Err(ApiError::new(code::TOKEN_LACKS_CALL, "access_token has no permission for this type"));
        }
        Ok(sample(Route::of(call)))
    }

    fn calling_app(&self, request: &Request) -> Result<&App, ApiError> {
        let app_key = request.text("app_key");
        if app_key.is_empty() {
            return Err(ApiError::new(code::APP_KEY_MISSING, "app_key is missing"));
        }
        let app = self.app(app_key).ok().filter(|app| app.region == request.router.region());
        app.ok_or_else(|| ApiError::new(code::APP_KEY_UNKNOWN, "app_key does not exist"))
    }

    fn token_in_call(&self, request: &Request, now: u64) -> Result<&Token, ApiError> {
        let known_here = |token: &&Token| {
            let issuer = self.app(&token.app_key);
            token.value == request.text("access_token") && issuer.is_ok_and(|app| app.region == request.router.region())
        };
        let token = self.tokens.iter().find(known_here);
        let token = token.ok_or_else(|| ApiError::new(code::TOKEN_UNKNOWN, "access_token does not exist"))?;
        if token.app_key != request.text("app_key") {
            return Err(ApiError::new(code::TOKEN_OF_ANOTHER_APP, "access_token does not match app_key"));
        }
        if token.end == Some(End::Revoked) {
            return Err(ApiError::new(code::NOT_AUTHORIZED, "The seller has not authorized the app"));
        }
        if !token.lives(now) {
            return Err(ApiError::new(code::TOKEN_EXPIRED, "access_token is expired, please authorize again"));
        }
        Ok(token)
    }
}

fn check_timestamp(request: &Request, now: u64) -> Result<(), ApiError> {
    match request.timestamp() {
        None => Err(ApiError::new(code::TIMESTAMP_MISSING, "timestamp is missing or invalid")),
        Some(timestamp) if timestamp < now.saturating_sub(TOLERANCE) => {
            Err(ApiError::new(code::TIMESTAMP_TOO_OLD, "timestamp is too old"))
        }
        Some(timestamp) if timestamp > now + TOLERANCE => {
            Err(ApiError::new(code::TIMESTAMP_TOO_NEW, "timestamp is in the future"))
        }
        Some(_) => Ok(()),
    }
}

/// Whether the app may make this call at all, whoever it is for.
fn check_app(app: &App, router: Router, call: &str) -> Result<(), ApiError> {
    if !is_call(call) || !router.has(call) {
        return Err(ApiError::new(code::UNKNOWN_CALL, "type does not exist"));
    }
    if !app.ip_allowed {
        return Err(ApiError::new(code::IP_NOT_ALLOWED, "The IP address is not in the app's allow list"));
    }
    if app.suspended {
        return Err(ApiError::new(code::APP_SUSPENDED, "The app is suspended"));
    }
    if !app.may_call(call) {
        return Err(ApiError::new(code::APP_LACKS_CALL, "The app has no permission for this type"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
