//! A check: the marketplace is asked whether a token still works. Nothing is spent and nothing new obtained.

use super::{
    Protocol,
    outcome::Outcome,
    settling::{Held, local_fault},
};
use crate::{
    connection::{
        Connection, Fault, Listed, Reason, Status,
        evidence::Call,
        settle::{ClaimLost, Refused, Spent},
        watch::{self, Checked},
        webhooks,
    },
    marketplace::{ExchangeError, Marketplace, TransientCause, temu::permissions},
    names::AccountId,
    store::{ApplyError, StoreError},
    vault::Vault,
};

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    pub(super) async fn check(&self, held: &Held) -> Result<Outcome, StoreError> {
        let Held { item, attempt, timer, .. } = held;
        let (current, app) = match self.current(held).await? {
            Ok(current) => current,
            Err(outcome) => return Ok(outcome),
        };
        let mut turns = match self.gate(held, &app, Call::Check).await? {
            Ok(turns) => turns,
            Err(outcome) => return Ok(outcome),
        };
        let further_hosts = self.further_hosts(held);
        let asking = self.marketplace.check(&app, &current.access_token, &further_hosts);
        let answer = tokio::time::timeout(timer.left(), asking).await.unwrap_or_else(|_| {
            let fault = local_fault("the check took longer than its claim allows");
            Err(ExchangeError::Transient { fault, retry_after: None, cause: TransientCause::Other })
        });
        self.tell_breakers(held, &app, Call::Check, answer.as_ref().map(|_| ()), &mut turns).await;
        let checked = match answer {
            Ok(checked) => checked,
            Err(ExchangeError::Transient { cause: TransientCause::RateLimited, .. }) => {
                return self.let_go(held, Outcome::RateLimited).await;
            }
            Err(
                ExchangeError::Transient { fault, retry_after, .. }
                | ExchangeError::OutcomeUnknown { fault, retry_after },
            ) => {
                return self.fail(held, fault, Spent::No, retry_after).await;
            }
            Err(error @ ExchangeError::NoAnswerFrom { .. }) => {
                return self.defer(held, local_fault(&error), Outcome::Transient).await;
            }
            Err(ExchangeError::Refused { refused }) => return self.refused(held, Call::Check, refused).await,
            Err(ExchangeError::Configuration { fault }) => return self.misconfigured(held, &fault).await,
        };
        if checked.listed == Some(Listed::NotNow) {
            let fault = local_fault("the shop's own calls of this hour are used up at the marketplace");
            return self.defer(held, fault, Outcome::Transient).await;
        }
        if !is_about(item, &checked) {
            let fault = local_fault("the marketplace's answer is about another store");
            return self.fail(held, fault, Spent::No, None).await;
        }
        let now_granted = checked.scopes.as_deref().unwrap_or(&item.scopes);
        let lost = match item.status {
            // It has ended because of them, and shows those that were left.
            Status::ReauthorizationRequired { reason: Reason::PermissionsMissing } => {
                app.missing_permissions(item.purpose, Some(now_granted)).needed
            }
            _ => permissions::lost(&app.config.permissions, &item.scopes, now_granted),
        };
        if !lost.is_empty() {
            return self.refused(held, Call::Check, permissions_lost(&lost, checked)).await;
        }
        self.accepted(held, Call::Check);
        if differ(now_granted, &item.scopes) {
            let (before, after) = (item.scopes.len(), now_granted.len());
            tracing::info!(connection = %item.connection, before, after, "the seller has changed the permissions");
        }
        let delivery = app.config.webhook_delivery(&app.path, &self.public_base_url);
        self.settle(held, Outcome::Verified, |item| {
            let now = self.connections.now();
            let verified = watch::verify(item, *attempt, checked.clone(), now)?;
            Ok(webhooks::plan(Connection { api: app.config.api.clone(), ..verified }, &delivery, now))
        })
        .await
    }

    /// Tells the vendor, in the log, that the authorization ends soon.
    pub(super) async fn remind(&self, held: &Held) -> Result<Outcome, StoreError> {
        let connection = &held.item.connection;
        let decide = |item: &Connection| watch::remind(item, held.attempt, self.connections.now());
        let written = self.connections.apply_to(Some(held.item.clone()), |item| decide(item.ok_or(ClaimLost)?));
        match written.await {
            Ok(item) => {
                // Written first: a reminder is rather lost by a crash just here than repeated.
                tracing::warn!(
                    event = "connection_expiring",
                    %connection,
                    account_id = item.account_id.as_ref().map(AccountId::as_str),
                    days = item.reminded,
                    authorization_expires_at = item.authorization_expires_at.map(|end| end.0),
                    announced_end = item.announced_end.map(|end| end.0),
                    "the authorization ends soon: ask the seller to authorize again"
                );
                Ok(Outcome::Reminded)
            }
            Err(ApplyError::Decided(ClaimLost)) => Ok(Outcome::Lost),
            Err(ApplyError::Store(error)) => Err(error),
        }
    }
}

/// Whether a check of a Temu token tells of its own mall.
fn is_about(item: &Connection, checked: &Checked) -> bool {
    let seller = item.connection.seller_id.as_str();
    let Some(Listed::Shops(shops)) = &checked.listed else { return true };
    item.has_refresh() || shops.is_empty() || shops.iter().any(|shop| shop.id.as_str() == seller)
}

/// Whether two lists name different things, in whatever order.
fn differ(some: &[String], others: &[String]) -> bool {
    let has = |list: &[String], name| list.contains(name);
    some.iter().any(|name| !has(others, name)) || others.iter().any(|name| !has(some, name))
}

fn permissions_lost(labels: &[String], checked: Checked) -> Refused {
    let message = format!("the seller has taken back what is needed: {}", labels.join(", "));
    let fault = Fault { message, code: None, request_id: None };
    Refused { fault, reason: Reason::PermissionsMissing, scopes: checked.scopes }
}
