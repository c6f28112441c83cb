//! How sellers' decisions become codes and tokens, and how tokens end.

use serde_json::{Value, json};
use url::Url;

use super::answer::{ApiError, code};
use super::app::App;
use super::grant::{Code, End, Terms, Token};
use super::mint;
use super::permissions::Purpose;
use super::request::Request;
use super::world::{Refusal, World};

impl World {
    /// Issues a token, which ends the earlier ones for the same thing.
    pub(super) fn issue(
        &mut self,
        app_key: &str,
        mall_id: u64,
        purpose: Purpose,
        terms: Terms,
        now: u64,
    ) -> Result<&Token, Refusal> {
        let app = self.app(app_key)?;
        self.mall(mall_id)?;
        let permissions = terms.permissions.unwrap_or_else(|| {
            let mut calls = purpose.default_permissions();
            calls.retain(|call| app.may_call(call));
            calls
        });
        let lifetime = terms.lifetime.unwrap_or_else(|| self.lifetime(app));
        self.end(End::Replaced, |token| token.is_for(app_key, mall_id, purpose));
        let token = Token {
            id: self.tokens.len() as u64 + 1,
            value: mint::token(),
            app_key: app_key.to_owned(),
            mall_id,
            purpose,
            permissions,
            expires_at: now + lifetime,
            end: None,
        };
        self.tokens.push(token);
        Ok(&self.tokens[self.tokens.len() - 1])
    }

    /// Seconds that the app's tokens live unless the seller chooses.
    pub(super) fn lifetime(&self, app: &App) -> u64 {
        if app.self_developed { self.settings.self_developed_lifetime } else { self.settings.token_lifetime }
    }

    /// Ends tokens that had not ended; says whether there was one.
    pub(super) fn end(&mut self, end: End, which: impl Fn(&Token) -> bool) -> bool {
        let mut any = false;
        for token in self.tokens.iter_mut().filter(|token| token.end.is_none() && which(token)) {
            token.end = Some(end);
            any = true;
        }
        any
    }

    /// The seller says yes: mints a code and gives the address to which the browser is sent.
    pub(super) fn authorize(
        &mut self,
        app_key: &str,
        seller: &str,
        state: Option<&str>,
        now: u64,
    ) -> Result<Url, Refusal> {
        let app = self.app(app_key)?;
        let seller = self.seller(seller)?;
        if seller.local_malls(app.region).next().is_none() {
            return Err(Refusal::NoLocalMall { seller: seller.id.clone(), region: app.region });
        }
        let code = mint::code();
        let callback = self.callback(app, Some(&code), state)?;
        self.codes.push(Code {
            value: code,
            app_key: app_key.to_owned(),
            seller: seller.id.clone(),
            dead_at: now + self.settings.code_lifetime,
            used: false,
        });
        Ok(callback)
    }

    /// The seller says no: it comes back without a code.
    pub(super) fn deny(&self, app_key: &str, state: Option<&str>) -> Result<Url, Refusal> {
        self.callback(self.app(app_key)?, None, state)
    }

    fn callback(&self, app: &App, code: Option<&str>, state: Option<&str>) -> Result<Url, Refusal> {
        let redirect_url = app.redirect_url.clone();
        let mut callback = redirect_url.ok_or_else(|| Refusal::NoRedirectUrl(app.app_key.clone()))?;
        let host = self.settings.callback_host.as_deref().or(app.callback_host.as_deref());
        let host = host.unwrap_or_else(|| app.region.host());
        let parameters =
            [("app_key", Some(app.app_key.as_str())), ("code", code), ("state", state), ("callback_host", Some(host))];
        let given = parameters.into_iter().filter_map(|(key, value)| Some((key, value?)));
        callback.query_pairs_mut().extend_pairs(given);
        Ok(callback)
    }

    /// `bg.open.accesstoken.create`: uses up a code and issues a token for each local mall.
    pub(super) fn create(&mut self, app_key: &str, request: &Request, now: u64) -> Result<Value, ApiError> {
        let value = request.text("code");
        let known = self.codes.iter_mut().find(|code| code.value == value && code.app_key == app_key);
        // The code stands in for the token that there is not yet.
        let Some(code) = known.filter(|_| request.text("access_token") == value) else {
            return Err(ApiError::new(code::INVALID_CODE, "Invalid code, please check and try again."));
        };
        if code.used || now >= code.dead_at {
            return Err(authorize_again());
        }
        code.used = true;
        let seller = code.seller.clone();
        let malls: Vec<u64> = match (self.seller(&seller), self.app(app_key)) {
            (Ok(seller), Ok(app)) => seller.local_malls(app.region).map(|mall| mall.id).collect(),
            _ => Vec::new(),
        };
        let mut tokens = Vec::new();
        for mall_id in malls {
            let token = self.issue(app_key, mall_id, Purpose::All, Terms::default(), now);
            let token = token.map_err(|_| authorize_again())?;
            tokens.push((mall_id, token.value.clone()));
        }
        self.created(&tokens, request)
    }

    fn created(&self, tokens: &[(u64, String)], request: &Request) -> Result<Value, ApiError> {
        let [(_, own), others @ ..] = tokens else { return Err(authorize_again()) };
        let token = self.tokens.iter().find(|token| token.value == *own).ok_or_else(authorize_again)?;
        let mut result =
            if self.settings.create_says_whose { self.information(token, request.router)? } else { json!({}) };
        result["accessToken"] = json!(own);
        if !others.is_empty() {
            let associated = if self.settings.associated_includes_own { tokens } else { others };
            let listed = associated.iter().map(|(mall_id, token)| json!({ "mallId": mall_id, "accessToken": token }));
            result["associatedMallTokenList"] = listed.collect();
        }
        Ok(result)
    }
}

fn authorize_again() -> ApiError {
    ApiError::new(code::AUTHORIZE_AGAIN, "The error occurred when creating access token, please authorize again.")
}

#[cfg(test)]
mod tests;
