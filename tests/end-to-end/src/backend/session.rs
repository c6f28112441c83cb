//! Who is logged in, by a session cookie. In memory: a restart of the sandbox logs everybody out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::COOKIE, request::Parts},
    response::Response,
};
use uuid::Uuid;

use super::{Site, customer::Customer, login};

const COOKIE_NAME: &str = "acme-session";

/// The sessions, by the values of their cookies.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, &'static Customer>>);

impl Sessions {
    /// Begins a session; gives the header `Set-Cookie`.
    pub(super) fn begin(&self, customer: &'static Customer) -> String {
        let id = Uuid::new_v4().simple().to_string();
        let cookie = set_cookie(&id, "");
        self.lock().insert(id, customer);
        cookie
    }

    /// Ends the session of this browser, if it has one; gives the header `Set-Cookie` that removes the cookie.
    pub(super) fn end(&self, headers: &HeaderMap) -> String {
        if let Some(id) = id(headers) {
            self.lock().remove(id);
        }
        set_cookie("", "; Max-Age=0")
    }

    fn customer(&self, headers: &HeaderMap) -> Option<&'static Customer> {
        self.lock().get(id(headers)?).copied()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, &'static Customer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `SameSite=Lax`, because the seller comes back by a redirect from another site. Over https add `Secure` and the prefix
/// `__Host-`.
fn set_cookie(id: &str, further: &str) -> String {
    format!("{COOKIE_NAME}={id}; Path=/; HttpOnly; SameSite=Lax{further}")
}

fn id(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, id)| (name == COOKIE_NAME).then_some(id))
}

/// The customer who is logged in. Anyone else is led to the login page.
#[derive(Debug)]
pub(super) struct LoggedIn(pub(super) &'static Customer);

impl FromRequestParts<Arc<Site>> for LoggedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        site.sessions.customer(&parts.headers).map(Self).ok_or_else(|| login::first(&parts.method, &parts.uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::customer::CUSTOMERS;

    #[test]
    fn a_session_ends_with_the_logout_and_not_only_its_cookie() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(&CUSTOMERS[0]);
        let pair = cookie.split(';').next().unwrap();
        let headers = HeaderMap::from_iter([(COOKIE, format!("a=b; {pair}").parse().unwrap())]);
        assert_eq!(sessions.customer(&headers), Some(&CUSTOMERS[0]));
        assert_eq!(sessions.customer(&HeaderMap::new()), None);
        sessions.end(&headers);
        assert_eq!(sessions.customer(&headers), None);
    }
}
