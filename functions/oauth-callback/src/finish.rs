//! From an authorization code, or from a token that was checked, to a stored connection, and what came of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::join_all;
use shop_keyring::{
    apps::App,
    connect_session::{ConnectFailure, ConnectSession, Connected, VisitOutcome},
    connection::grant::{Grant, GrantRefused, Origin},
    marketplace::{
        Authorizer, ExchangeError, Exchanged, Granted, Marketplace, NewTokens, Seller, temu::permissions::Missing,
    },
    names::{AppKeyPath, ConnectionKey},
    protocol::{grant::GrantError, health::Turns},
    secret::Secret,
    token_set::fingerprint,
};

use crate::router::{Keyring, NoApp};

/// Where a grant by this session comes from.
pub(crate) fn origin(session: &ConnectSession) -> Origin {
    Origin::Session {
        account_id: session.account_id.clone(),
        confirm: session.confirm,
        reconnect: session.reconnect.as_ref().map(|reconnect| reconnect.connection.clone()),
    }
}

/// Exchanges the code and stores what it gives. Whatever happens is an outcome that a page can tell.
/// `turns`: at the circuit breakers, which were passed before.
pub(crate) async fn connect(
    keyring: &Keyring,
    path: &AppKeyPath,
    code: &Secret,
    origin: Origin,
    mut turns: Turns,
) -> VisitOutcome {
    let (mut connections, mut failures) = (Vec::new(), Vec::new());
    let vault_failed = AtomicBool::new(false);
    match exchange(keyring, path, code, &mut turns).await {
        Ok((app, exchanged)) => {
            let storing = exchanged
                .into_iter()
                .map(|granted| store_granted(keyring, &app, granted, origin.clone(), &vault_failed));
            for stored in join_all(storing).await {
                match stored {
                    Ok(connected) => connections.push(connected),
                    Err(failure) => failures.push(failure),
                }
            }
        }
        Err(failure) => failures.push(failure),
    }
    if !connections.is_empty() {
        keyring.protocol.note_stored(&mut turns).await;
    } else if vault_failed.into_inner() {
        turns.use_up_that_of_vault();
    }
    keyring.protocol.give_back(turns).await;
    for failure in &failures {
        tracing::warn!(app = %path, failure = failure.as_str(), "not connected");
    }
    outcome(connections, failures)
}

/// Outcome for all stores of one authorization, or of all tokens pasted at once. That further stores are not the one that the
/// session is for is worth telling only where nothing else is: a seller who has several stores authorizes them together. A
/// refused token comes last, for the seller can correct it and has been told how.
pub(crate) fn outcome(connections: Vec<Connected>, mut failures: Vec<ConnectFailure>) -> VisitOutcome {
    let other_sellers = failures.extract_if(.., |failure| *failure == ConnectFailure::OtherSeller).count();
    let is_refused_token = |failure: &ConnectFailure| *failure == ConnectFailure::TokenRefused;
    failures.sort_by_key(is_refused_token);
    if connections.is_empty() && failures.iter().all(is_refused_token) && other_sellers > 0 {
        failures.insert(0, ConnectFailure::OtherSeller);
    }
    match failures.first() {
        Some(failure) if connections.is_empty() => VisitOutcome::Failed { failure: *failure },
        _ => VisitOutcome::Connected { connections, failures },
    }
}

async fn exchange(
    keyring: &Keyring,
    path: &AppKeyPath,
    code: &Secret,
    turns: &mut Turns,
) -> Result<(Arc<App>, Exchanged), ConnectFailure> {
    let app = keyring.app(path).await.map_err(|why| match why {
        NoApp::NotNow => ConnectFailure::StorageUnavailable,
        NoApp::Misconfigured => ConnectFailure::Misconfigured,
    })?;
    let exchanged = keyring.protocol.marketplace.exchange_code(&app, code).await;
    keyring.protocol.note_code_exchange(&app, exchanged.as_ref().map(|_| ()), turns).await;
    match exchanged {
        Ok(exchanged) => Ok((app, exchanged)),
        Err(error) => Err(failure_of_exchange(keyring, path, &error)),
    }
}

async fn store_granted(
    keyring: &Keyring,
    app: &App,
    granted: Result<Granted, ExchangeError>,
    origin: Origin,
    vault_failed: &AtomicBool,
) -> Result<Connected, ConnectFailure> {
    let Granted { tokens, seller } = granted.map_err(|error| failure_of_exchange(keyring, &app.path, &error))?;
    let Authorizer::Seller(seller) = seller else { return Err(ConnectFailure::NotASeller) };
    store(keyring, app, seller, tokens, origin).await.map_err(|error| {
        vault_failed.fetch_or(matches!(error, GrantError::Vault(_)), Ordering::Relaxed);
        failure_of_storing(&error)
    })
}

/// Stores what a seller has given.
pub(crate) async fn store(
    keyring: &Keyring,
    app: &App,
    seller: Seller,
    tokens: NewTokens,
    origin: Origin,
) -> Result<Connected, GrantError> {
    // What a code has given is kept all the same, for an earlier token may have ended with it; the page says what to tick
    // the next time.
    let Missing { needed: missing_permissions, optional } =
        app.missing_permissions(seller.purpose, tokens.scopes.as_deref());
    let grant = Grant {
        connection: ConnectionKey { app: app.path.clone(), seller_id: seller.id },
        app_key: app.app_key.clone(),
        seller_name: seller.name,
        seller_base_region: seller.base_region,
        purpose: seller.purpose,
        api: app.config.api.clone(),
        shops: seller.shops,
        fingerprint: fingerprint(&tokens.access_token, tokens.refresh_token.as_ref()),
        origin,
    };
    // On the heap: it holds several copies of the item.
    match Box::pin(keyring.protocol.store_grant(&grant, tokens)).await {
        Ok(stored) => {
            let (awaits_confirmation, unchanged) = (stored.awaits_confirmation, stored.unchanged);
            tracing::info!(connection = %grant.connection, awaits_confirmation, unchanged, "connected");
            if !optional.is_empty() {
                let left_out = optional.join(", ");
                tracing::info!(connection = %grant.connection, left_out, "optional permissions were not granted");
            }
            if !missing_permissions.is_empty() {
                let missing = missing_permissions.join(", ");
                tracing::warn!(connection = %grant.connection, missing, "permissions that are needed were not granted");
            }
            Ok(Connected {
                connection: grant.connection,
                granted_at: stored.connection.granted_at,
                seller_name: stored.connection.name().map(str::to_owned),
                awaits_confirmation,
                missing_permissions,
            })
        }
        Err(error) => {
            let connection = &grant.connection;
            match error {
                // The seller has to repeat it; only the operator can see that the vault is to blame.
                GrantError::Vault(_) => {
                    tracing::error!(alarm = "vault_fault", %connection, %error, "the grant was not stored");
                }
                GrantError::Refused(GrantRefused::NothingToRenew) => {
                    tracing::warn!(%connection, "a seller who is not connected came without a link; the tokens were dropped");
                }
                _ => tracing::warn!(%connection, %error, "the grant was not stored"),
            }
            Err(error)
        }
    }
}

fn failure_of_exchange(keyring: &Keyring, path: &AppKeyPath, error: &ExchangeError) -> ConnectFailure {
    match error {
        ExchangeError::Configuration { .. } => {
            keyring.note_rejected(path, error);
            ConnectFailure::Misconfigured
        }
        ExchangeError::Transient { .. } | ExchangeError::NoAnswerFrom { .. } | ExchangeError::OutcomeUnknown { .. } => {
            tracing::warn!(app = %path, %error, "the code could not be exchanged");
            ConnectFailure::MarketplaceUnavailable
        }
        ExchangeError::Refused { .. } => {
            tracing::warn!(app = %path, %error, "the code was not accepted");
            ConnectFailure::CodeRefused
        }
    }
}

fn failure_of_storing(error: &GrantError) -> ConnectFailure {
    match error {
        GrantError::Refused(GrantRefused::AccountConflict) => ConnectFailure::AccountConflict,
        GrantError::Refused(GrantRefused::OtherSeller) => ConnectFailure::OtherSeller,
        GrantError::Refused(GrantRefused::NothingToReconnect) => ConnectFailure::NothingToReconnect,
        GrantError::Refused(GrantRefused::NothingToRenew) => ConnectFailure::Unsolicited,
        GrantError::Refused(GrantRefused::LaterGrant | GrantRefused::AlreadyThere) => ConnectFailure::Overtaken,
        GrantError::Vault(_) | GrantError::Store(_) => ConnectFailure::StorageUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_stores_of_one_authorization_do_not_spoil_a_reconnect() {
        use ConnectFailure::{AccountConflict, MarketplaceUnavailable, OtherSeller, TokenRefused};
        let wanted = || Connected {
            connection: "temu/us/7".parse().unwrap(),
            granted_at: shop_keyring::time::Timestamp(0),
            seller_name: None,
            awaits_confirmation: false,
            missing_permissions: Vec::new(),
        };
        for (connections, failures, told) in [
            (vec![wanted()], vec![OtherSeller, OtherSeller], vec![]),
            (vec![wanted()], vec![OtherSeller, MarketplaceUnavailable], vec![MarketplaceUnavailable]),
            (vec![], vec![OtherSeller, OtherSeller], vec![OtherSeller]),
            // The one that failed may be the very store.
            (vec![], vec![OtherSeller, MarketplaceUnavailable], vec![MarketplaceUnavailable]),
            (vec![], vec![TokenRefused, OtherSeller], vec![OtherSeller]),
            (vec![], vec![TokenRefused, AccountConflict], vec![AccountConflict]),
            (vec![wanted()], vec![TokenRefused, AccountConflict], vec![AccountConflict, TokenRefused]),
        ] {
            let count = connections.len();
            match outcome(connections, failures) {
                VisitOutcome::Connected { connections, failures } => {
                    assert_eq!((connections.len(), failures), (count, told));
                }
                VisitOutcome::Failed { failure } => assert_eq!((0, vec![failure]), (count, told)),
            }
        }
    }
}
