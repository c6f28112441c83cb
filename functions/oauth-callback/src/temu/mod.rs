//! Temu's own page, `/connect/{session}/temu`: what kind of seller, the steps for exactly that kind, and the form to
//! paste tokens.
//!
//! [`form`] reads what was sent, [`pasted`] cleans a token, [`check`] finds out what it is, [`mistake`] names what may
//! be wrong with it, [`store`] connects it, [`view`] is what the seller sees. Nothing pasted is ever printed back or
//! kept outside the vault.

mod check;
mod form;
mod mistake;
mod offered;
mod pasted;
mod store;
mod view;
mod words;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shop_keyring::{
    connect_session::{ConnectSession, RefusedToken, VisitRecord, form_token, paste_state, result_of},
    connection::Purpose,
    metrics,
    names::{AppKeyPath, MarketplaceName},
    registry::Registry,
    secret::{Secret, digest},
    time::Timestamp,
};

use crate::{
    browser,
    connect::{back_with_result, is_from_our_page, session_of},
    finish,
    problem::Problem,
    router::Keyring,
};
pub use form::{Field, Form};
pub use mistake::Mistake;
use offered::kinds;
pub use offered::{Offered, SellerKind, offered};
pub use pasted::clean;
use view::{Notice, View};
pub(crate) use words::place;

/// Longest form that is read: a few tokens among sixty empty fields are far below.
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
    registry: Arc<Registry>,
    token: Secret,
    browser: Secret,
}

impl Visitor {
    /// Whether the link's time is over.
    fn is_late(&self) -> bool {
        self.session.expires_at <= Timestamp::local_now()
    }

    /// The kinds of seller that the session is for: one where it is for one connection.
    fn kinds(&self) -> Vec<SellerKind> {
        match self.session.reconnect.as_ref().map(|reconnect| reconnect.purpose) {
            Some(Purpose::All) => vec![SellerKind::Local],
            Some(Purpose::Product | Purpose::Order) => vec![SellerKind::SemiManaged],
            Some(Purpose::Compliance) => vec![SellerKind::FullyManaged],
            None => kinds(&self.registry, &self.session),
        }
    }

    /// The apps that this kind of seller gives tokens for.
    fn apps(&self, kind: SellerKind) -> Vec<Offered> {
        offered(&self.registry, &self.session, kind)
    }

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
    query: Result<Query<PageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let page = async {
        let (session, registry) = session_at_temu(&keyring, &token).await?;
        let (browser, cookie) = browser::known_or_new(&headers, &keyring.config.public_base_url);
        let visitor = Visitor { session, registry, token: Secret::new(token), browser };
        let asked = query.ok().and_then(|Query(query)| query.seller);
        let kind = match visitor.kinds()[..] {
            [only] => Some(only),
            ref kinds => asked.filter(|kind| kinds.contains(kind)),
        };
        let mut response = shown(&keyring, &visitor, kind, BTreeMap::new(), None).await?;
        if let Some(cookie) = cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
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
        let (session, registry) = session_at_temu(&keyring, &token).await?;
        let body = body.map_err(|_| Problem::FormTooLong)?;
        let form = Form::read(&body)?;
        let browser = browser::known(&headers, &keyring.config.public_base_url).ok_or(Problem::OtherBrowser)?;
        let visitor = Visitor { session, registry, token: Secret::new(token), browser };
        if !is_from_our_page(&keyring, &headers) || !form.token.same_as(&visitor.form_token()) {
            return Err(Problem::OtherBrowser);
        }
        take(&keyring, visitor, form).await
    };
    pasted.await.unwrap_or_else(|problem| problem.page(&keyring))
}

async fn take(keyring: &Keyring, visitor: Visitor, form: Form) -> Result<Response, Problem> {
    let kind = Some(form.kind);
    let apps = visitor.apps(form.kind);
    if apps.is_empty() && visitor.session.reconnect.is_some() {
        return Err(Problem::OtherConnection);
    }
    let fields = form.fields(&apps)?;
    let count = u32::try_from(fields.len()).unwrap_or(MOST_PASTED);
    let notice = if visitor.is_late() {
        Some(Notice::LinkExpired)
    } else if fields.is_empty() {
        Some(Notice::NothingPasted)
    } else if !visitor.session.confirm && !form.agrees {
        Some(Notice::NotAgreed)
    } else if keyring.sessions.count_pasted(&visitor.session.id, count, MOST_PASTED).await? {
        None
    } else {
        Some(Notice::TooManyTries)
    };
    if notice.is_some() {
        return shown(keyring, &visitor, kind, BTreeMap::new(), notice).await;
    }
    let mistakes = take_each(keyring, &visitor, form.kind, fields).await?;
    if mistakes.is_empty() {
        let address = view::address(&visitor.token, kind);
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response());
    }
    // Read again, because it now has the tokens that were accepted.
    let session = session_of(keyring, visitor.token.expose()).await?;
    shown(keyring, &Visitor { session, ..visitor }, kind, mistakes, None).await
}

/// The page. When the link's time is over there is no form any more, but what was connected in time is there, and the
/// way back with it.
async fn shown(
    keyring: &Keyring,
    visitor: &Visitor,
    kind: Option<SellerKind>,
    mistakes: BTreeMap<AppKeyPath, Mistake>,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let placed = store::placed_before(keyring, visitor).await?;
    if visitor.is_late() && placed.is_empty() {
        return Err(Problem::LinkExpired);
    }
    let notice = if visitor.is_late() { Some(Notice::LinkExpired) } else { notice };
    let status = match notice {
        Some(Notice::LinkExpired) => StatusCode::GONE,
        Some(Notice::TooManyTries) => StatusCode::TOO_MANY_REQUESTS,
        Some(Notice::NothingPasted | Notice::NotAgreed) => StatusCode::UNPROCESSABLE_ENTITY,
        None if !mistakes.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let kind = kind.filter(|_| !visitor.is_late());
    // Open until the first token is in.
    let form = browser::form_is_open(kind.is_some() && placed.is_empty(), &keyring.config.public_base_url);
    let view = View { kind, placed, mistakes, notice };
    let mut response = (status, view.page(&keyring.config, visitor)).into_response();
    response.headers_mut().extend(form.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// Checks and connects what was pasted, and records both in the session: the connections and the refused tokens. Returns
/// what is wrong with the refused ones.
async fn take_each(
    keyring: &Keyring,
    visitor: &Visitor,
    kind: SellerKind,
    fields: Vec<form::Field>,
) -> Result<BTreeMap<AppKeyPath, Mistake>, Problem> {
    let purposes: BTreeMap<_, _> = fields.iter().map(|field| (field.app.path.clone(), field.app.purpose)).collect();
    let mut mistakes = BTreeMap::new();
    let mut good = Vec::new();
    let mut stores =
        store::placed_before(keyring, visitor).await?.into_iter().map(|it| it.connection.seller_id).collect();
    for (path, checked) in check::all(keyring, visitor, kind, fields).await {
        // A session for one store asks about no other.
        let is_for_one = visitor.session.reconnect.is_some();
        match checked.and_then(|good| if is_for_one { Ok(good) } else { good.of_known_store(&mut stores) }) {
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
    metrics::connected(MarketplaceName::Temu, "connected", connections.len());
    let refused: Vec<_> = purposes
        .into_iter()
        .filter_map(|(app, purpose)| {
            let reason = mistakes.get(&app)?.reason();
            Some(RefusedToken { app, purpose, reason })
        })
        .collect();
    for RefusedToken { app, reason, .. } in &refused {
        metrics::connected(app.marketplace, reason.as_str(), 1);
        tracing::warn!(%app, session = visitor.session.id, reason = reason.as_str(), "a pasted token was refused");
    }
    let outcome = finish::outcome(connections, refused.iter().map(|token| token.reason.failure()).collect());
    let result = digest(visitor.result().expose());
    let record = VisitRecord { at: Timestamp::local_now(), outcome, refused, result };
    keyring.sessions.remember(&visitor.session.id, &record).await?;
    Ok(mistakes)
}

/// Where the seller goes on to with what was connected here, if the session has an address for it.
pub(crate) fn way_back(visitor: &Visitor) -> Option<String> {
    let return_url = visitor.session.return_url.as_deref()?;
    back_with_result(return_url, &visitor.session.id, &visitor.result())
}

/// The session of a connect link, if it offers an app at Temu, and the registry.
async fn session_at_temu(keyring: &Keyring, token: &str) -> Result<(ConnectSession, Arc<Registry>), Problem> {
    let session = session_of(keyring, token).await?;
    let registry = keyring.registry_for(&session).await?;
    let leads_here = registry.offered(&session).any(|(path, _)| path.marketplace == MarketplaceName::Temu);
    match (leads_here, &session.reconnect) {
        (true, _) => Ok((session, registry)),
        (false, Some(_)) => Err(Problem::OtherConnection),
        (false, None) => Err(Problem::NotFound),
    }
}
