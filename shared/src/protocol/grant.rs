//! A new authorization, stored: the claim from any holder, then keep, then commit.

use std::time::Duration;

use crate::{
    clock::ClaimTimer,
    connection::{
        Connection, Listed, Status,
        grant::{Grant, GrantRefused, claim_for_grant},
        settle::{self, ClaimLost, Kept, Right},
    },
    marketplace::{Marketplace, NewTokens},
    names::AttemptId,
    store::{ApplyError, StoreError},
    vault::{Create, Vault, VaultError},
};

use super::{Protocol, health::Turns, settling::tell_of_no_shops, token_set};

/// How long storing may take while a seller waits: with the exchange before it, inside API Gateway's 30 seconds.
const PATIENCE: Duration = Duration::from_secs(12);

/// A grant that became a connection, or renewed one.
#[derive(Debug)]
pub struct Stored {
    /// The connection as it stands now.
    pub connection: Connection,
    /// Whether it waits for the vendor's confirmation.
    pub awaits_confirmation: bool,
    /// Whether this very token was there already, so that nothing was changed.
    pub unchanged: bool,
}

impl Stored {
    fn new(connection: Connection, unchanged: bool) -> Self {
        Self { awaits_confirmation: connection.status == Status::Pending, connection, unchanged }
    }
}

/// Why a grant was not stored.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// It is not to be.
    #[error(transparent)]
    Refused(#[from] GrantRefused),
    /// The vault could not keep it. Nothing half-written stays: the next sweep heals the item.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The table failed. What was kept is found by the next sweep.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ApplyError<GrantRefused>> for GrantError {
    fn from(error: ApplyError<GrantRefused>) -> Self {
        match error {
            ApplyError::Decided(refused) => Self::Refused(refused),
            ApplyError::Store(error) => Self::Store(error),
        }
    }
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// Stores what the exchange of an authorization code gave.
    ///
    /// # Errors
    /// [`GrantError`].
    pub async fn store_grant(&self, grant: &Grant, tokens: NewTokens) -> Result<Stored, GrantError> {
        let attempt = AttemptId::random();
        let timer = ClaimTimer::start_within(PATIENCE);
        let (mut refused, mut secret_may_go) = (None, false);
        let existing = self.connections.get(&grant.connection).await?;
        // By the table's clock, when the exchange answered: before the table was read.
        let answered_at = self.connections.now().plus(-timer.seconds());
        let mut there = None;
        let claimed = self.connections.apply_to(existing, |item| {
            there = item.cloned();
            let claimed = claim_for_grant(item, grant, attempt, answered_at)?;
            refused = claimed.refused;
            secret_may_go = claimed.secret_may_go;
            Ok(claimed.item)
        });
        let item = match (claimed.await, there) {
            (Err(ApplyError::Decided(GrantRefused::AlreadyThere)), Some(item)) => return Ok(Stored::new(item, true)),
            (claimed, _) => claimed?,
        };
        let (parent, granted_at) = (item.secret_version.clone(), item.granted_at);
        let set = token_set(tokens, &grant.app_key, None, parent, granted_at, self.connections.now());
        let mut turns = Turns::none(attempt);
        let version = self.keep(&item.connection, attempt, &set, Create::Allowed, &timer, &mut turns).await?;
        let listed = match &grant.shops {
            Some(shops) => Some(Listed::Shops(shops.clone())),
            None => self.shops(&item, &set.access_token, &timer).await,
        };
        let right = Right::Grant { granted_at, token_version: item.token_version };
        let kept = Kept::new(&set, version.clone()).delivered(self.delivery(&grant.connection.app).await);
        let before = item.clone();
        let committed = self.connections.apply_to(Some(item), |item| {
            settle::commit(item.ok_or(ClaimLost)?, right, kept.clone(), listed.clone(), self.connections.now())
        });
        let connection = match committed.await {
            Ok(connection) => {
                tell_of_no_shops(&before, &connection);
                connection
            }
            Err(ApplyError::Store(error)) => return Err(error.into()),
            // A sweep may have found what was kept and committed it, or a later grant has taken over.
            Err(ApplyError::Decided(ClaimLost)) => match self.connections.get(&grant.connection).await? {
                Some(item) if item.secret_version == Some(version) => item,
                _ => return Err(refused.unwrap_or(GrantRefused::LaterGrant).into()),
            },
        };
        // A deletion may have come after the put. Whoever sent it takes it back, too, if it still lives.
        if secret_may_go && let Err(error) = self.vault.restore(&grant.connection).await {
            tracing::error!(alarm = "vault_fault", connection = %grant.connection, %error, "its secret may be deleted");
        }
        if let Some(why) = refused {
            tracing::warn!(
                connection = %grant.connection,
                version = connection.token_version,
                %why,
                "renewed under its own account; the session that it came by is refused"
            );
            return Err(why.into());
        }
        Ok(Stored::new(connection, false))
    }
}
