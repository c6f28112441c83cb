//! What a write changes about the token or the status: for the audit a line, for the vendor perhaps an event. Found by
//! comparing the item before and after, so that no way to write one can forget either.

use super::{Connection, Reason, Status, ended::has_ended, event::EventKind};
use crate::names::AttemptId;

/// A change of the token or of the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What led to it.
    pub cause: Cause,
    /// Whose claim it was made under, if under one.
    pub attempt: Option<AttemptId>,
    /// What the vendor is told. Nothing, while a connection waits for its confirmation.
    pub event: Option<EventKind>,
}

/// What led to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The seller authorized.
    Grant,
    /// A refresh.
    Refresh,
    /// A token set was found in the vault that an earlier attempt had kept, or that came after the item's backup.
    LookBack,
    /// The vendor confirmed.
    Confirmation,
    /// The marketplace refused.
    Refusal,
    /// The authorization's own time is over.
    Expiry,
    /// Its end is near.
    Reminder,
    /// The marketplace has accepted an authorization that had ended.
    AcceptedAgain,
    /// The vendor ended the connection.
    Disconnect,
    /// The vendor did not confirm it in time.
    Unconfirmed,
}

impl Cause {
    /// As it stands in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Refresh => "refresh",
            Self::LookBack => "look_back",
            Self::Confirmation => "confirmation",
            Self::Refusal => "refusal",
            Self::Expiry => "expiry",
            Self::Reminder => "reminder",
            Self::AcceptedAgain => "accepted_again",
            Self::Disconnect => "disconnect",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

impl Change {
    /// What changes with this write; `None` if neither the token nor the status does, and no reminder is sent.
    pub fn between(before: Option<&Connection>, after: &Connection) -> Option<Self> {
        let change = |cause, event| {
            // A grant takes the claim from any holder; the vendor needs none.
            let claim = match cause {
                Cause::Confirmation | Cause::Disconnect => None,
                _ => after.attempt.or_else(|| before.and_then(|before| before.attempt)),
            };
            Some(Self { cause, attempt: claim.map(|claim| claim.id), event })
        };
        let Some(before) = before else { return change(Cause::Grant, None) };
        if after.token_version != before.token_version {
            return change(token_cause(before, after), told_of_token(before, after));
        }
        match after.status {
            status if status == before.status => {
                // Nothing else moves the reminder and leaves the end where it was.
                let same_end = after.reminded_end() == before.reminded_end();
                // One whose turn came too late is not told.
                let is_before_end = after.reminded_end().is_some_and(|end| after.updated_at < end);
                if after.reminded != before.reminded && same_end && is_before_end && status == Status::Active {
                    change(Cause::Reminder, Some(EventKind::Expiring))
                } else {
                    None
                }
            }
            Status::Pending => change(Cause::Grant, None),
            Status::Active if has_ended(before) => change(Cause::AcceptedAgain, Some(EventKind::Reauthorized)),
            Status::Active => change(Cause::Confirmation, Some(EventKind::Created)),
            Status::ReauthorizationRequired { reason } => {
                let cause = if reason == Reason::AuthorizationExpired { Cause::Expiry } else { Cause::Refusal };
                change(cause, Some(EventKind::ReauthorizationRequired))
            }
            Status::Disconnected if before.status == Status::Pending => {
                // Its secret is gone already, and not by the vendor's word only to be deleted.
                let given_up = after.secret_version.is_none() && after.not_before.is_none();
                change(if given_up { Cause::Unconfirmed } else { Cause::Disconnect }, None)
            }
            Status::Disconnected => change(Cause::Disconnect, Some(EventKind::Disconnected)),
        }
    }
}

fn token_cause(before: &Connection, after: &Connection) -> Cause {
    if after.authorized_at != before.authorized_at {
        Cause::Grant
    } else if has_ended(before) {
        Cause::AcceptedAgain
    } else if before.attempt.map(|claim| claim.id.version()) == after.secret_version {
        Cause::Refresh
    } else {
        Cause::LookBack
    }
}

fn told_of_token(before: &Connection, after: &Connection) -> Option<EventKind> {
    match (before.status, after.status) {
        (Status::Pending | Status::Disconnected, Status::Active) => Some(EventKind::Created),
        (Status::ReauthorizationRequired { .. }, Status::Active) => Some(EventKind::Reauthorized),
        (_, Status::Active) if after.authorized_at != before.authorized_at => Some(EventKind::Reauthorized),
        (_, Status::Active) => Some(EventKind::Refreshed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        connection::{
            disconnect::{disconnect, give_up},
            end::AuthorizationEnd,
            fixtures::{T0, active, claim_any, fault, token_set},
            grant::{Grant, Origin, claim_for_grant, confirm},
            settle::{Kept, Right, Spent, commit, fail, refuse},
            verdict::{SECOND_LOOK_AFTER, Verdict},
            watch::{Checked, remind, verify},
        },
        time::Timestamp,
    };

    fn claimed(item: &Connection, now: Timestamp) -> (Connection, AttemptId) {
        let attempt = AttemptId::random();
        (claim_any(item, now, attempt).unwrap().item, attempt)
    }

    fn told(before: &Connection, after: &Connection) -> Option<(Cause, Option<EventKind>)> {
        Change::between(Some(before), after).map(|change| (change.cause, change.event))
    }

    #[test]
    fn a_refresh_is_told_and_a_claim_is_not() {
        let now = T0.plus(6 * 86_400);
        let (held, attempt) = claimed(&active(), now);
        assert_eq!(told(&active(), &held), None);
        let kept = |version| Kept::new(&token_set(held.secret_version.clone(), T0, now), version);
        let refreshed = commit(&held, Right::Claim(attempt), kept(attempt.version()), None, now).unwrap();
        assert_eq!(told(&held, &refreshed), Some((Cause::Refresh, Some(EventKind::Refreshed))));
        let earlier = AttemptId::random();
        let healed = commit(&held, Right::Claim(attempt), kept(earlier.version()), None, now).unwrap();
        assert_eq!(told(&held, &healed), Some((Cause::LookBack, Some(EventKind::Refreshed))));
        assert_eq!(Change::between(Some(&held), &refreshed).unwrap().attempt, Some(attempt));
        let failed = fail(&held, attempt, fault(), Spent::No, 60, now).unwrap();
        assert_eq!(told(&held, &failed), None);
    }

    #[test]
    fn only_the_second_refusal_is_told() {
        let now = T0.plus(6 * 86_400);
        let (held, attempt) = claimed(&active(), now);
        let once = refuse(&held, attempt, fault().into(), Verdict::Doubted, SECOND_LOOK_AFTER, now).unwrap();
        assert_eq!(told(&held, &once), None);
        let (held, attempt) = claimed(&once, now.plus(900));
        let twice = refuse(&held, attempt, fault().into(), Verdict::Ended, 0, now.plus(900)).unwrap();
        assert_eq!(told(&held, &twice), Some((Cause::Refusal, Some(EventKind::ReauthorizationRequired))));
    }

    #[test]
    fn the_end_and_its_reminders_are_told() {
        let item = active();
        let end = item.authorization_expires_at.unwrap();
        let near = Connection { access_expires_at: Some(end), refreshed_at: Some(end.plus(-60)), ..item };
        let (held, attempt) = claimed(&near, end.plus(-86_400));
        let reminded = remind(&held, attempt, end.plus(-86_400)).unwrap();
        assert_eq!(told(&held, &reminded), Some((Cause::Reminder, Some(EventKind::Expiring))));
        let (held, attempt) = claimed(&reminded, end);
        let over = refuse(&held, attempt, fault().into(), Verdict::Expired, 0, end).unwrap();
        assert_eq!(told(&held, &over), Some((Cause::Expiry, Some(EventKind::ReauthorizationRequired))));
    }

    #[test]
    fn a_check_that_moves_the_end_reminds_nobody() {
        let item = Connection { check_at: Some(T0), ..active() };
        let (held, attempt) = claimed(&item, T0.plus(1_000));
        let checked = Checked { authorization_end: AuthorizationEnd::At(T0.plus(5 * 86_400)), ..Checked::default() };
        let verified = verify(&held, attempt, checked, T0.plus(1_001)).unwrap();
        assert_eq!(told(&held, &verified), None);
    }

    #[test]
    fn a_grant_is_told_once_it_counts() {
        let grant = |confirm| Grant {
            connection: active().connection,
            app_key: "app-key".into(),
            seller_name: None,
            seller_base_region: None,
            purpose: active().purpose,
            api: active().api,
            shops: None,
            fingerprint: None,
            origin: Origin::Session { account_id: "acme".parse().unwrap(), confirm, reconnect: None },
        };
        let stored = |existing: Option<&Connection>, confirm, now: Timestamp| {
            let attempt = AttemptId::random();
            let held = claim_for_grant(existing, &grant(confirm), attempt, now).unwrap().item;
            let set = token_set(held.secret_version.clone(), held.granted_at, now);
            let right = Right::Grant { granted_at: held.granted_at, token_version: held.token_version };
            let after = commit(&held, right, Kept::new(&set, attempt.version()), None, now).unwrap();
            (held, after)
        };
        let (held, new) = stored(None, false, T0);
        assert_eq!(Change::between(None, &held).unwrap().event, None);
        assert_eq!(told(&held, &new), Some((Cause::Grant, Some(EventKind::Created))));

        let (held, waiting) = stored(None, true, T0);
        assert_eq!(told(&held, &waiting), Some((Cause::Grant, None)));
        let confirmed = confirm(&waiting, &"acme".parse().unwrap(), waiting.granted_at, T0.plus(9)).unwrap();
        assert_eq!(told(&waiting, &confirmed), Some((Cause::Confirmation, Some(EventKind::Created))));

        let (held, again) = stored(Some(&active()), false, T0.plus(9));
        assert_eq!(told(&held, &again), Some((Cause::Grant, Some(EventKind::Reauthorized))));

        let gone = disconnect(&waiting, T0.plus(9));
        assert_eq!(told(&waiting, &gone), Some((Cause::Disconnect, None)));
        let attempt = AttemptId::random();
        let held = claim_any(&waiting, T0.plus(3_600), attempt).unwrap().item;
        let given_up = give_up(&held, attempt, T0.plus(3_601)).unwrap();
        assert_eq!(told(&held, &given_up), Some((Cause::Unconfirmed, None)));
        assert_eq!(
            told(&active(), &disconnect(&active(), T0)),
            Some((Cause::Disconnect, Some(EventKind::Disconnected)))
        );
    }
}
