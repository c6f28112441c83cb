//! From an authorization code to a stored connection, and what came of it.

use shop_keyring::{
    connect_session::{ConnectFailure, VisitOutcome},
    connection::grant::{Grant, GrantRefused, Origin},
    marketplace::{Authorizer, ExchangeError, Marketplace},
    names::{AppKeyPath, ConnectionKey},
    protocol::grant::GrantError,
    secret::Secret,
};

use crate::router::Keyring;

/// Exchanges the code and stores what it gives. Whatever happens is an outcome that a page can tell.
pub(crate) async fn connect(keyring: &Keyring, path: &AppKeyPath, code: &Secret, origin: Origin) -> VisitOutcome {
    match store(keyring, path, code, origin).await {
        Ok(connected) => connected,
        Err(failure) => {
            tracing::warn!(app = %path, failure = failure.as_str(), "a visit connected nothing");
            VisitOutcome::Failed { failure }
        }
    }
}

async fn store(
    keyring: &Keyring,
    path: &AppKeyPath,
    code: &Secret,
    origin: Origin,
) -> Result<VisitOutcome, ConnectFailure> {
    let app = keyring.protocol.apps.get(path).await.map_err(|error| {
        tracing::error!(alarm = "configuration_fault", app = %path, %error, "the app's credentials cannot be had");
        ConnectFailure::Misconfigured
    })?;
    let granted = keyring.protocol.marketplace.exchange_code(&app, code).await.map_err(|error| {
        if matches!(error, ExchangeError::Configuration { .. }) {
            keyring.protocol.apps.forget(path);
            tracing::error!(alarm = "configuration_fault", app = %path, %error, "the marketplace rejects the app");
        } else {
            tracing::warn!(app = %path, %error, "the code could not be exchanged");
        }
        failure_of_exchange(&error)
    })?;
    let Authorizer::Seller { id, name, base_region } = granted.seller else {
        return Err(ConnectFailure::NotASeller);
    };
    let grant = Grant {
        connection: ConnectionKey { app: path.clone(), seller_id: id },
        app_key: app.app_key.clone(),
        seller_name: name.clone(),
        seller_base_region: base_region,
        origin,
    };
    match keyring.protocol.store_grant(&grant, granted.tokens).await {
        Ok(stored) => {
            let awaits_confirmation = stored.awaits_confirmation;
            tracing::info!(connection = %grant.connection, awaits_confirmation, "connected");
            Ok(VisitOutcome::Connected {
                connection: grant.connection,
                granted_at: stored.connection.granted_at,
                seller_name: name,
                awaits_confirmation,
            })
        }
        Err(error) => {
            tracing::warn!(connection = %grant.connection, %error, "the grant was not stored");
            Err(failure_of_storing(&error))
        }
    }
}

fn failure_of_exchange(error: &ExchangeError) -> ConnectFailure {
    match error {
        ExchangeError::Transient { .. } | ExchangeError::OutcomeUnknown { .. } => {
            ConnectFailure::MarketplaceUnavailable
        }
        ExchangeError::Refused { .. } => ConnectFailure::CodeRefused,
        ExchangeError::Configuration { .. } => ConnectFailure::Misconfigured,
    }
}

fn failure_of_storing(error: &GrantError) -> ConnectFailure {
    match error {
        GrantError::Refused(GrantRefused::AccountConflict) => ConnectFailure::AccountConflict,
        GrantError::Refused(GrantRefused::LaterGrant) => ConnectFailure::Overtaken,
        GrantError::Vault(_) | GrantError::Store(_) => ConnectFailure::StorageUnavailable,
    }
}
