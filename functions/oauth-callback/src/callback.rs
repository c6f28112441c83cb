//! The way back: the Redirect URL of an app. A path per app, so that no answer can be taken for another's; the
//! answer leads on to a clean address, without the code in it, save where another request with the same code got it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use shop_keyring::{
    connect_session::{ConnectFailure, StateCheck, Visit, VisitOutcome, VisitRecord, result_of, state_of_code},
    connection::grant::Origin,
    health::Breaker,
    marketplace::temu::authorization::is_own_host,
    metrics,
    names::{AppKeyPath, MarketplaceName},
    protocol::health::{NotPassed, Turns},
    secret::{Secret, digest},
    time::Timestamp,
};
use url::form_urlencoded;

use crate::{
    browser,
    config::Unsolicited,
    connect::{app_of, back_with_result},
    finish,
    problem::Problem,
    result,
    router::Keyring,
};

/// How long a callback waits for another one of the same visit, from its own start: with the reads before and after it,
/// inside API Gateway's 30 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// The pauses between two looks, in order; the last one repeats.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(800)];

/// What the marketplace sent the browser back with.
#[derive(Debug, Default)]
pub struct Answer {
    code: Option<Secret>,
    /// Ours, if we had sent the browser there.
    pub state: Option<Secret>,
    /// The app that the answer is for.
    pub app_key: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// Temu: the router where the code is to be exchanged.
    pub callback_host: Option<String>,
}

impl Answer {
    /// Reads the query. Unknown parameters are ignored; one of ours that is there twice is refused (RFC 6749 §3.1).
    ///
    /// # Errors
    /// If one is there twice.
    pub fn read(query: &str) -> Result<Self, Problem> {
        let mut answer = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let repeated = match &*name {
                "code" => answer.code.replace(Secret::new(value)).is_some(),
                "state" => answer.state.replace(Secret::new(value)).is_some(),
                "app_key" => answer.app_key.replace(value.into_owned()).is_some(),
                "callback_host" => answer.callback_host.replace(value.into_owned()).is_some(),
                "error" => answer.error.replace(value.into_owned()).is_some(),
                _ => false,
            };
            if repeated {
                return Err(Problem::BadCallback);
            }
        }
        answer.state = answer.state.filter(|state| !state.is_empty());
        // Who says no is sent back with the literal text `null` for a code.
        answer.code = answer.code.filter(|code| !code.is_empty() && code.expose() != "null");
        Ok(answer)
    }

    /// The code, or how the visit failed without one. Temu sends a seller who says no back with neither code nor error.
    ///
    /// # Errors
    /// How it failed.
    pub fn code(&self, marketplace: MarketplaceName) -> Result<&Secret, ConnectFailure> {
        match (&self.code, self.error.as_deref()) {
            (Some(code), None) => Ok(code),
            (_, Some("auth_denied" | "access_denied")) => Err(ConnectFailure::Denied),
            (None, None) if marketplace == MarketplaceName::Temu => Err(ConnectFailure::Denied),
            _ => Err(ConnectFailure::BadCallback),
        }
    }
}

/// `GET /callback/{marketplace}/{app}`
pub(crate) async fn come_back(
    State(keyring): State<Arc<Keyring>>,
    Path((marketplace, app)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let back = async {
        let marketplace = marketplace.parse().map_err(|_| Problem::NotFound)?;
        let until = Instant::now() + PATIENCE;
        let app = app_of(&keyring, marketplace, &app).await?;
        let answer = Answer::read(query.as_deref().unwrap_or_default())?;
        check_app(&keyring, &app, &answer).await?;
        match &answer.state {
            Some(state) => solicited(&keyring, &app, &answer, state, &headers, until).await,
            None => unsolicited(&keyring, &app, &answer, &headers, until).await,
        }
    };
    back.await.unwrap_or_else(|problem| problem.page(&keyring))
}

/// An answer that names another app, or another host than the app's own, was not meant for this path. The app is read
/// here in any case: without it the code could not be exchanged, and the `state` shall not be used up for that.
async fn check_app(keyring: &Keyring, path: &AppKeyPath, answer: &Answer) -> Result<(), Problem> {
    let app = keyring.app(path).await?;
    if answer.app_key.as_ref().is_some_and(|app_key| *app_key != app.app_key) {
        return Err(Problem::OtherApp);
    }
    match &answer.callback_host {
        Some(host) if !is_own_host(&app.config.api.routers, host) => {
            tracing::warn!(app = %path, "a callback named a `callback_host` that is not the app's router; see `routers`");
            Err(Problem::ForeignHost)
        }
        _ => Ok(()),
    }
}

/// The way back of somebody whom we had sent.
async fn solicited(
    keyring: &Keyring,
    app: &AppKeyPath,
    answer: &Answer,
    state: &Secret,
    headers: &HeaderMap,
    until: Instant,
) -> Result<Response, Problem> {
    let now = Timestamp::local_now();
    let visit = keyring.sessions.visit(&digest(state.expose())).await?.ok_or(Problem::UnknownState)?;
    let browser = browser::known(headers, &keyring.config.public_base_url);
    match visit.check(app, browser.as_ref(), now) {
        StateCheck::Fresh => {}
        StateCheck::Ended => return arrive(keyring, &visit, Some(state)).await,
        StateCheck::UnderWay => return arrive(keyring, &ended(keyring, &visit, until).await?, Some(state)).await,
        StateCheck::Expired => return Err(Problem::StateExpired),
        StateCheck::OtherBrowser => return Err(Problem::BackInOtherBrowser),
        StateCheck::OtherApp => return Err(Problem::OtherApp),
    }
    let session_id = visit.session_id.clone().unwrap_or_default();
    let session = keyring.sessions.session(&session_id).await?.ok_or(Problem::LinkExpired)?;
    let taken = match answer.code(app.marketplace) {
        Ok(code) => take(keyring, &visit, Record::Stored, now).await?.map(|turns| Ok((code, turns))),
        Err(failure) => keyring.sessions.use_state(&visit, now).await?.then_some(Err(failure)),
    };
    let Some(taken) = taken else {
        let visit = Visit { used_at: Some(now), ..visit };
        return arrive(keyring, &ended(keyring, &visit, until).await?, Some(state)).await;
    };
    let outcome = match taken {
        Ok((code, turns)) => finish::connect(keyring, app, code, finish::origin(&session), turns).await,
        Err(failure) => VisitOutcome::Failed { failure },
    };
    end(keyring, visit, outcome, &result_of(state), Some(state)).await
}

/// Somebody whom we had not sent: a renewal that the seller began in the platform's seller center, a development shop, an
/// install begun in the platform's store. The code takes the place of a `state`, so that a reload finds the visit again.
/// Nothing is bound by the cookie alone: it does not say which session a code without a `state` would belong to.
async fn unsolicited(
    keyring: &Keyring,
    app: &AppKeyPath,
    answer: &Answer,
    headers: &HeaderMap,
    until: Instant,
) -> Result<Response, Problem> {
    if app.marketplace == MarketplaceName::Temu && browser::has_open_form(headers, &keyring.config.public_base_url) {
        return Err(Problem::OpenForm);
    }
    let creates = match keyring.config.unsolicited {
        Unsolicited::Refuse => {
            tracing::warn!(%app, "a callback without a `state` was refused; see UNSOLICITED_CALLBACKS");
            return Err(Problem::Unsolicited);
        }
        Unsolicited::Renew => false,
        Unsolicited::Accept => true,
    };
    let code = answer.code(app.marketplace).map_err(|failure| Problem::Failed(app.marketplace, failure))?;
    let (browser, cookie) = browser::known_or_new(headers, &keyring.config.public_base_url);
    let now = Timestamp::local_now();
    let begun = Visit::begin(&state_of_code(code), None, app, &browser, now);
    let (visit, record) = match keyring.sessions.visit(&begun.id).await? {
        Some(known) if known.app != *app => return Err(Problem::OtherApp),
        Some(known) if known.expires_at <= now => return Err(Problem::StateExpired),
        Some(known) => (known, Record::Stored),
        None => (begun, Record::New),
    };
    let taken = if visit.used_at.is_some() { None } else { take(keyring, &visit, record, now).await? };
    let Some(turns) = taken else {
        return show(keyring, &ended(keyring, &visit, until).await?, headers).await;
    };
    let outcome = finish::connect(keyring, app, code, Origin::Unsolicited { creates }, turns).await;
    let mut response = end(keyring, visit, outcome, &result_of(code), None).await?;
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Whether a visit is stored.
enum Record {
    Stored,
    /// It is stored together with the use of its `state`, so that a seller who has to wait keeps no visit of a browser without
    /// a cookie.
    New,
}

/// Takes a visit's code for its exchange: passes the circuit breakers and then uses the `state` up, so that an open breaker
/// leaves the address as it was. `None` if another request was first: browsers send a callback twice.
async fn take(keyring: &Keyring, visit: &Visit, record: Record, now: Timestamp) -> Result<Option<Turns>, Problem> {
    let turns = match pass_gate(keyring, &visit.app).await {
        Ok(turns) => turns,
        Err(problem) => {
            // The other request may have the only turn, and then its result is what counts.
            let stored = keyring.sessions.visit(&visit.id).await?;
            return if stored.is_some_and(|visit| visit.used_at.is_some()) { Ok(None) } else { Err(problem) };
        }
    };
    let using = async {
        if let Record::New = record {
            // If another request has begun it at the same time, that one's record counts as well.
            keyring.sessions.begin_visit(visit).await?;
        }
        keyring.sessions.use_state(visit, now).await
    };
    match using.await {
        Ok(true) => Ok(Some(turns)),
        not_used => {
            keyring.protocol.give_back(turns).await;
            not_used?;
            Ok(None)
        }
    }
}

/// Passes the circuit breakers before a code is exchanged.
///
/// # Errors
/// By whose it is, if one is open.
async fn pass_gate(keyring: &Keyring, app: &AppKeyPath) -> Result<Turns, Problem> {
    keyring.protocol.gate_for_grant(app).await.map_err(|why| match why {
        NotPassed::Open { ref breaker, retry_after } => {
            tracing::warn!(%app, %why, "a seller has to wait");
            match breaker {
                Breaker::Vault => Problem::StorageUnavailable,
                Breaker::Host(_) | Breaker::Lane(_) => Problem::NotNow { marketplace: app.marketplace, retry_after },
            }
        }
        NotPassed::Store(error) => Problem::from(error),
    })
}

/// The visit as it has ended. The request that used its `state` up may still be at work: browsers and people send a
/// callback twice, and the second response is the one that is shown. This waits while the first request can still end.
async fn ended(keyring: &Keyring, visit: &Visit, until: Instant) -> Result<Visit, Problem> {
    let mut visit = visit.clone();
    let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
    while visit.ended.is_none() {
        let pause = pauses.next().unwrap_or_default();
        if Instant::now() + pause >= until || visit.seconds_under_way(Timestamp::local_now()) <= 0 {
            return Err(Problem::UnderWay);
        }
        tokio::time::sleep(pause).await;
        visit = keyring.sessions.visit(&visit.id).await?.ok_or(Problem::UnknownState)?;
    }
    Ok(visit)
}

/// Where an ended visit without a session leads. In a browser that does not know it, its result is shown at once: who has
/// the code is the seller, and two requests without a cookie get two cookies, of which the browser keeps one.
async fn show(keyring: &Keyring, visit: &Visit, headers: &HeaderMap) -> Result<Response, Problem> {
    if visit.is_of(browser::known(headers, &keyring.config.public_base_url).as_ref()) {
        return arrive(keyring, visit, None).await;
    }
    match &visit.ended {
        Some(outcome) => Ok(result::page_of(keyring, visit, outcome, None, None)),
        None => Err(Problem::UnderWay),
    }
}

/// Writes down how the visit ended and leads on.
async fn end(
    keyring: &Keyring,
    visit: Visit,
    outcome: VisitOutcome,
    result: &Secret,
    state: Option<&Secret>,
) -> Result<Response, Problem> {
    let record =
        VisitRecord { at: Timestamp::local_now(), outcome, refused: Vec::new(), result: digest(result.expose()) };
    count(visit.app.marketplace, &record.outcome);
    keyring.sessions.end_visit(&visit, &record).await?;
    arrive(keyring, &Visit { ended: Some(record.outcome), ..visit }, state).await
}

fn count(marketplace: MarketplaceName, outcome: &VisitOutcome) {
    let (connections, failures) = match outcome {
        VisitOutcome::Connected { connections, failures } => (connections.len(), failures.as_slice()),
        VisitOutcome::Failed { failure } => (0, std::slice::from_ref(failure)),
    };
    metrics::connected(marketplace, "connected", connections);
    for failure in failures {
        metrics::connected(marketplace, failure.as_str(), 1);
    }
}

/// Where an ended visit leads: a connected seller back to the vendor, everybody else, and who has something to read
/// first, to the result page.
async fn arrive(keyring: &Keyring, visit: &Visit, state: Option<&Secret>) -> Result<Response, Problem> {
    let mut location = format!("{}/result/{}", keyring.config.public_base_url.as_str().trim_end_matches('/'), visit.id);
    if let (Some(VisitOutcome::Connected { connections, failures }), Some(session_id), Some(state)) =
        (&visit.ended, &visit.session_id, state)
    {
        let session = keyring.sessions.session(session_id).await?.ok_or(Problem::LinkExpired)?;
        let result = result_of(state);
        let all_is_well = failures.is_empty() && connections.iter().all(|it| it.missing_permissions.is_empty());
        let return_url = session.return_url.as_deref();
        match return_url.and_then(|url| back_with_result(url, session_id, &result)) {
            Some(back) if all_is_well => location = back,
            Some(_) => location = format!("{location}?result={}", result.expose()),
            None => {}
        }
    }
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> Result<String, ConnectFailure> {
        let answer = Answer::read(query).unwrap();
        answer.code(MarketplaceName::TikTokShop).map(|code| code.expose().to_owned())
    }

    #[test]
    fn answers_are_read_as_the_platform_writes_them() {
        let query = "app_key=6b&code=ROW_x-y_z%3D&locale=en&shop_region=US&state=s&unknown=1";
        assert_eq!(code(query).unwrap(), "ROW_x-y_z=");
        assert_eq!(code("code=null&error=auth_denied&state=s"), Err(ConnectFailure::Denied));
        assert_eq!(code("error=auth_denied"), Err(ConnectFailure::Denied));
        assert_eq!(code("code=null"), Err(ConnectFailure::BadCallback));
        assert_eq!(code("code=x&error=server_error"), Err(ConnectFailure::BadCallback));
        assert_eq!(code(""), Err(ConnectFailure::BadCallback));
        let at_temu = |query: &str| Answer::read(query).unwrap().code(MarketplaceName::Temu).map(|_| ()).unwrap_err();
        assert_eq!(at_temu("state=s&callback_host=x"), ConnectFailure::Denied);
        assert_eq!(at_temu("error=server_error"), ConnectFailure::BadCallback);
    }

    #[test]
    fn a_parameter_that_is_there_twice_is_refused() {
        for query in ["code=a&code=b", "code=a&state=s&state=s", "app_key=1&app_key=1"] {
            assert!(matches!(Answer::read(query), Err(Problem::BadCallback)), "{query}");
        }
    }
}
