//! How a claim in our hands ends: each outcome is written only while the item still shows the claim.

use super::{Protocol, outcome::Outcome};
use crate::{
    clock::ClaimTimer,
    connection::{
        Connection, Fault, Listed,
        claim::Trigger,
        evidence::Call,
        settle::{self, ClaimLost, Kept, Refused, Right, Spent, back_off},
        verdict::{self, Asked, SECOND_LOOK_AFTER, Verdict},
    },
    marketplace::Marketplace,
    names::AttemptId,
    store::{ApplyError, StoreError},
    vault::{Vault, VaultError},
};

/// Over how many seconds the next tries are spread after something that is no connection's fault.
const SPREAD: i64 = 45 * 60;

/// A claim in our hands.
pub(super) struct Held {
    pub(super) item: Connection,
    pub(super) attempt: AttemptId,
    pub(super) trigger: Trigger,
    pub(super) timer: ClaimTimer,
}

impl<M: Marketplace, V: Vault> Protocol<M, V> {
    /// The marketplace has accepted a call.
    pub(super) fn accepted(&self, held: &Held, call: Call) {
        // Callers ask about tokens that do not work: their acceptances are no sample of the app's, and cost a write each.
        if held.trigger.is_schedule() {
            let (item, now) = (&held.item, self.connections.now());
            self.evidence.note(&item.connection.app, |evidence| evidence.note_accepted(item, call, now));
        }
    }

    /// The marketplace has refused a call.
    pub(super) async fn refused(&self, held: &Held, call: Call, refused: Refused) -> Result<Outcome, StoreError> {
        let outcome = self.judge(held, call, refused).await?;
        if matches!(outcome, Outcome::Refused(_)) {
            let (item, now) = (&held.item, self.connections.now());
            self.evidence.note(&item.connection.app, |evidence| evidence.note_refused(item, call, now));
            // Lambda may freeze this execution environment next.
            if !held.trigger.is_schedule() {
                self.write_evidence().await;
            }
        }
        Ok(outcome)
    }

    /// Settles a refusal, without counting it. Whether it ends the connection depends on the other connections of its app.
    pub(super) async fn judge(&self, held: &Held, call: Call, refused: Refused) -> Result<Outcome, StoreError> {
        let Held { item, attempt, trigger, timer } = held;
        let (app, asked) = (&item.connection.app, Asked { call, trigger: *trigger });
        let may_end = verdict::may_end(item, asked, self.connections.now());
        let evidence = if may_end { self.evidence_of(app, timer).await } else { None };
        let wait = verdict::next_look(item.refusals.saturating_add(1), &mut rand::rng());
        let mut verdict = Verdict::Doubted;
        let settled = self.settle(held, Outcome::Refused(Verdict::Doubted), |item| {
            let now = self.connections.now();
            verdict = verdict::verdict(item, *attempt, refused.reason, asked, evidence.as_ref(), now);
            settle::refuse(item, *attempt, refused.clone(), verdict, wait, now)
        });
        let Outcome::Refused(_) = settled.await? else { return Ok(Outcome::Lost) };
        tracing::warn!(connection = %item.connection, %attempt, fault = %refused.fault, ?verdict, "refused");
        Ok(Outcome::Refused(verdict))
    }

    /// The kept token set becomes the current one.
    pub(super) async fn commit(
        &self,
        held: &Held,
        kept: Kept,
        listed: Option<Listed>,
        outcome: Outcome,
    ) -> Result<Outcome, StoreError> {
        let mine = kept.version().clone();
        let kept = kept.delivered(self.delivery(&held.item.connection.app).await);
        let written = self.settle(held, outcome, |item| {
            settle::commit(item, Right::Claim(held.attempt), kept.clone(), listed.clone(), self.connections.now())
        });
        match written.await? {
            Outcome::Lost => {
                // Whoever took over may have found what we had kept: then it is committed all the same.
                let item = self.connections.get(&held.item.connection).await?;
                let won = item.is_some_and(|item| item.secret_version == Some(mine));
                Ok(if won { Outcome::Healed } else { Outcome::Lost })
            }
            outcome => Ok(outcome),
        }
    }

    /// A failure that may pass: back-off, grown by the failures before.
    pub(super) async fn fail(
        &self,
        held: &Held,
        fault: Fault,
        spent: Spent,
        retry_after: Option<i64>,
    ) -> Result<Outcome, StoreError> {
        let connection = &held.item.connection;
        tracing::warn!(%connection, attempt = %held.attempt, %fault, "failed; it is tried again");
        let wait = back_off(held.item.failures, retry_after, &mut rand::rng());
        self.settle(held, Outcome::Transient, |item| {
            settle::fail(item, held.attempt, fault.clone(), spent, wait, self.connections.now())
        })
        .await
    }

    /// Ends the claim and changes nothing else.
    pub(super) async fn let_go(&self, held: &Held, outcome: Outcome) -> Result<Outcome, StoreError> {
        self.settle(held, outcome, |item| settle::let_go(item, held.attempt, Spent::No, self.connections.now())).await
    }

    /// The vendor's configuration is wrong. The connection gives way to others, in case that it is the only one.
    pub(super) async fn misconfigured(
        &self,
        held: &Held,
        problem: &(impl ToString + Sync),
    ) -> Result<Outcome, StoreError> {
        self.apps.forget(&held.item.connection.app);
        let problem = problem.to_string();
        self.defer(held, local_fault(&problem), Outcome::Misconfigured(problem)).await
    }

    /// The vault did not give a token set. The connection gives way to others, in case that it is the only one.
    pub(super) async fn vault_fault(&self, held: &Held, error: VaultError) -> Result<Outcome, StoreError> {
        self.defer(held, local_fault(&error), Outcome::VaultFault(error)).await
    }

    /// Nobody's fault: a later try, and no mark.
    pub(super) async fn defer(&self, held: &Held, fault: Fault, outcome: Outcome) -> Result<Outcome, StoreError> {
        let wait = spread_wait();
        self.settle(held, outcome, |item| {
            settle::defer(item, held.attempt, fault.clone(), wait, self.connections.now())
        })
        .await
    }

    /// Writes an outcome, if the claim is still ours.
    pub(super) async fn settle(
        &self,
        held: &Held,
        outcome: Outcome,
        mut decide: impl FnMut(&Connection) -> Result<Connection, ClaimLost>,
    ) -> Result<Outcome, StoreError> {
        let current = Some(held.item.clone());
        match self.connections.apply_to(current, |item| decide(item.ok_or(ClaimLost)?)).await {
            Ok(after) => {
                tell_of_no_shops(&held.item, &after);
                Ok(outcome)
            }
            Err(ApplyError::Decided(ClaimLost)) => Ok(Outcome::Lost),
            Err(ApplyError::Store(error)) => Err(error),
        }
    }
}

/// The marketplace lists no shops where there were some.
pub(super) fn tell_of_no_shops(before: &Connection, after: &Connection) {
    if before.no_shops_since.is_none() && after.no_shops_since.is_some() {
        tracing::error!(
            alarm = "shops_not_listed",
            connection = %after.connection,
            known = after.shops.len(),
            "the marketplace lists no shops where there were some; those known stay until it says so again in an hour"
        );
    }
}

fn spread_wait() -> i64 {
    SECOND_LOOK_AFTER + rand::random_range(0..=SPREAD)
}

/// A fault of our own making, in the words given.
pub(super) fn local_fault(what: &(impl ToString + ?Sized)) -> Fault {
    Fault { message: what.to_string(), code: None, request_id: None }
}
