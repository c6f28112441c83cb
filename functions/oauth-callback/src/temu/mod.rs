//! Temu's own page, `/connect/{session}/temu`: what kind of seller, the steps for exactly that kind, and the form to
//! paste tokens.
//!
//! [`form`] reads what was sent, [`pasted`] cleans a token, [`check`] finds out what it is, [`mistake`] names what may
//! be wrong with it, [`store`] connects it, [`view`] is what the seller sees. Nothing pasted is ever printed back or
//! kept outside the vault.

mod check;
mod form;
mod mistake;
mod pasted;
mod store;
mod view;
mod words;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shop_keyring::{
    connect_session::{ConnectSession, VisitOutcome, VisitRecord, form_token, paste_state, result_of},
    names::{AppKeyPath, MarketplaceName},
    secret::{Secret, digest},
    time::Timestamp,
};

use crate::{
    browser,
    connect::{back_with_result, is_from_our_page, open_session},
    problem::Problem,
    router::Keyring,
};
use form::{Form, SellerKind};
use mistake::Mistake;
use store::Placed;
use view::{Notice, View};

/// Longest form that is read: four tokens and their names are far below.
pub(crate) const LONGEST_FORM: usize = 16 * 1024;

/// Tokens that can be pasted in one session, good ones and others: whoever has the link could try out any number.
const MOST_PASTED: u32 = 40;

#[derive(Deserialize)]
pub(crate) struct PageQuery {
    seller: Option<SellerKind>,
}

/// A seller at the form: the session, and the browser that all of it is bound to.
pub(crate) struct Visitor {
    session: ConnectSession,
    token: Secret,
    browser: Secret,
}

impl Visitor {
    fn form_token(&self) -> Secret {
        form_token(&self.token, &self.browser)
    }

    /// The result that the seller carries back from here.
    fn result(&self) -> Secret {
        result_of(&paste_state(&self.token, &self.browser))
    }
}

/// `GET /connect/{session}/temu`
pub(crate) async fn page(
    State(keyring): State<Arc<Keyring>>,
    Path(token): Path<String>,
    query: Result<Query<PageQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let page = async {
        let session = open_session(&keyring, &token).await?;
        require_apps(&keyring)?;
        let (browser, cookie) = browser::known_or_new(&headers, &keyring.config.public_base_url);
        let visitor = Visitor { session, token: Secret::new(token), browser };
        let placed = store::placed_before(&keyring, &visitor).await?;
        let kind = query.ok().and_then(|Query(query)| query.seller);
        let view = View { kind, placed, mistakes: BTreeMap::new(), notice: None };
        let mut response = view.page(&keyring.config, &visitor).into_response();
        if let Some(cookie) = cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        Ok(response)
    };
    page.await.unwrap_or_else(|problem: Problem| problem.page(&keyring))
}

/// `POST /connect/{session}/temu`: each filled field stands alone.
pub(crate) async fn paste(
    State(keyring): State<Arc<Keyring>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let pasted = async {
        let session = open_session(&keyring, &token).await?;
        require_apps(&keyring)?;
        let body = body.map_err(|_| Problem::FormTooLong)?;
        let form = Form::read(&body)?;
        let browser = browser::known(&headers, &keyring.config.public_base_url).ok_or(Problem::OtherBrowser)?;
        let visitor = Visitor { session, token: Secret::new(token), browser };
        if !is_from_our_page(&keyring, &headers) || !form.token.same_as(&visitor.form_token()) {
            return Err(Problem::OtherBrowser);
        }
        take(&keyring, &visitor, form).await
    };
    pasted.await.unwrap_or_else(|problem| problem.page(&keyring))
}

async fn take(keyring: &Keyring, visitor: &Visitor, form: Form) -> Result<Response, Problem> {
    let kind = form.kind;
    let fields = form.fields(&keyring.config.apps)?;
    let before = store::placed_before(keyring, visitor).await?;
    let notice = if fields.is_empty() {
        Some(Notice::NothingPasted)
    } else if !visitor.session.confirm && !form.agrees {
        Some(Notice::NotAgreed)
    } else {
        None
    };
    if notice.is_some() {
        let view = View { kind: Some(kind), placed: before, mistakes: BTreeMap::new(), notice };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, view.page(&keyring.config, visitor)).into_response());
    }
    let count = u32::try_from(fields.len()).unwrap_or(MOST_PASTED);
    if !keyring.sessions.count_pasted(&visitor.session.id, count, MOST_PASTED).await? {
        return Err(Problem::TooManyTries);
    }
    let mistakes = place(keyring, visitor, fields, &before).await?;
    if mistakes.is_empty() {
        let address = view::address(&visitor.token, Some(kind));
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response());
    }
    // Anew, for the good ones of this time are among them.
    let session = keyring.sessions.session(&visitor.session.id).await?.ok_or(Problem::LinkExpired)?;
    let visitor = Visitor { session, token: visitor.token.clone(), browser: visitor.browser.clone() };
    let placed = store::placed_before(keyring, &visitor).await?;
    let view = View { kind: Some(kind), placed, mistakes, notice: None };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, view.page(&keyring.config, &visitor)).into_response())
}

/// Checks and connects what was pasted, and writes down what was connected. Answers what is wrong with the rest.
async fn place(
    keyring: &Keyring,
    visitor: &Visitor,
    fields: Vec<form::Field>,
    before: &[Placed],
) -> Result<BTreeMap<AppKeyPath, Mistake>, Problem> {
    let mut mistakes = BTreeMap::new();
    let mut good = Vec::new();
    let mut store_before = before.first().map(|placed| placed.connection.seller_id.clone());
    for (path, checked) in check::all(keyring, fields).await {
        match checked.and_then(|good| good.of_one_store(&mut store_before)) {
            Ok(checked) => good.push(checked),
            Err(mistake) => drop(mistakes.insert(path, mistake)),
        }
    }
    let mut connections = Vec::new();
    for (path, stored) in store::all(keyring, visitor, good).await {
        match stored {
            Ok(connected) => connections.push(connected),
            Err(mistake) => drop(mistakes.insert(path, mistake)),
        }
    }
    for (app, mistake) in &mistakes {
        tracing::warn!(%app, session = visitor.session.id, mistake = mistake.name(), "a pasted token was not taken");
    }
    if !connections.is_empty() {
        let outcome = VisitOutcome::Connected { connections, failures: Vec::new() };
        let result = digest(visitor.result().expose());
        let record = VisitRecord { at: Timestamp::local_now(), outcome, result };
        keyring.sessions.remember(&visitor.session.id, &record).await?;
    }
    Ok(mistakes)
}

/// Where the seller goes on to with what was connected here, if the session has an address for it.
pub(crate) fn way_back(visitor: &Visitor) -> Option<String> {
    let return_url = visitor.session.return_url.as_deref()?;
    back_with_result(return_url, &visitor.session.id, &visitor.result())
}

fn require_apps(keyring: &Keyring) -> Result<(), Problem> {
    let has_temu = keyring.config.apps.keys().any(|path| path.marketplace == MarketplaceName::Temu);
    if has_temu { Ok(()) } else { Err(Problem::NotFound) }
}
