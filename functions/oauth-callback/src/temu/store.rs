//! What becomes of good tokens, and what was connected here before.

use futures_util::future::join_all;
use shop_keyring::{
    connect_session::{Connected, VisitOutcome},
    connection::{Purpose, Status, grant::GrantRefused},
    marketplace::temu::permissions::missing,
    names::{AppKeyPath, ConnectionKey},
    protocol::grant::GrantError,
    secret::{Secret, digest},
    time::Timestamp,
};

use super::{Visitor, check::Good, mistake::Mistake, words::place};
use crate::{finish, problem::Problem, router::Keyring};

/// A connection that this browser has made in this session, and that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) connection: ConnectionKey,
    /// The seller's name, or else the vendor's label.
    pub(crate) seller_name: Option<String>,
    pub(crate) purpose: Purpose,
    /// Where the app's stores are; its name where the registry no longer has it.
    pub(crate) place: String,
    pub(crate) expires_at: Option<Timestamp>,
    /// Labels of permissions that the vendor can do without and the seller did not grant.
    pub(crate) left_out: Vec<String>,
    /// Until when the vendor has to confirm it.
    pub(crate) confirm_by: Option<Timestamp>,
}

/// Connects all of them at a time: each stands alone.
pub(super) async fn all(
    keyring: &Keyring,
    visitor: &Visitor,
    good: Vec<Good>,
) -> Vec<(AppKeyPath, Result<Connected, Mistake>)> {
    join_all(good.into_iter().map(async |good| (good.app.path.clone(), one(keyring, visitor, good).await))).await
}

async fn one(keyring: &Keyring, visitor: &Visitor, good: Good) -> Result<Connected, Mistake> {
    let Good { app, purpose, access_token, token, .. } = good;
    let origin = finish::origin(&visitor.session);
    let (mall, name) = (token.mall.to_string(), token.mall_name.clone());
    let tokens = token.tokens(access_token, Timestamp::local_now());
    finish::store(keyring, &app, token.seller(&app, Some(purpose)), tokens, origin).await.map_err(|error| match error {
        GrantError::Refused(GrantRefused::AccountConflict) => Mistake::AccountConflict,
        GrantError::Refused(GrantRefused::OtherSeller) => Mistake::OtherSeller { mall, name },
        GrantError::Refused(GrantRefused::NothingToReconnect | GrantRefused::NothingToRenew) => {
            Mistake::NothingToReconnect
        }
        GrantError::Refused(GrantRefused::LaterGrant | GrantRefused::AlreadyThere) => Mistake::Overtaken,
        GrantError::Vault(_) | GrantError::Store(_) => Mistake::StorageUnavailable,
    })
}

/// What this browser has connected in this session, the latest first. Another browser with the same link sees nothing of
/// it.
pub(super) async fn placed_before(keyring: &Keyring, visitor: &Visitor) -> Result<Vec<Placed>, Problem> {
    let mut placed: Vec<Placed> = Vec::new();
    for key in connections_of(visitor) {
        let Some(item) = keyring.protocol.connections.get(&key).await? else { continue };
        let stands = match item.status {
            Status::Active => true,
            Status::Pending => item.confirm_by.is_some_and(|by| keyring.protocol.connections.now() < by),
            Status::ReauthorizationRequired { .. } | Status::Disconnected => false,
        };
        if !stands || item.account_id.as_ref() != Some(&visitor.session.account_id) {
            continue;
        }
        // Without any the marketplace has not said what the token may do.
        let app = visitor.registry.get(&key.app);
        let place = app.map_or_else(|| key.app.app.to_string(), |app| place(app));
        let app = app.filter(|_| !item.scopes.is_empty());
        let left_out = app.map(|app| missing(&app.permissions, &item.scopes).optional).unwrap_or_default();
        placed.push(Placed {
            left_out,
            place,
            connection: key,
            seller_name: item.name().map(str::to_owned),
            purpose: item.purpose,
            expires_at: item.authorization_expires_at,
            confirm_by: item.confirm_by,
        });
    }
    Ok(placed)
}

fn connections_of(visitor: &Visitor) -> Vec<ConnectionKey> {
    let result = Secret::new(digest(visitor.result().expose()));
    let ours = visitor.session.visits.iter().rev();
    let ours = ours.filter(|visit| Secret::new(visit.result.clone()).same_as(&result));
    let mut keys = Vec::new();
    for visit in ours {
        if let VisitOutcome::Connected { connections, .. } = &visit.outcome {
            for connected in connections {
                if !keys.contains(&connected.connection) {
                    keys.push(connected.connection.clone());
                }
            }
        }
    }
    keys
}
