//! What a person has to look at: what the schedule cannot mend by itself, and what may come to that.
//!
//! Pure, and without a clock: what depends on time is a state of the item already, such as `reminded`. The store writes
//! to the index `attention` with every change whether there is anything, so item and index cannot disagree.

use super::{Connection, Reason, Status};

/// Failures in a row that are more than a hiccup. With the back-offs between them that is some minutes of trouble.
pub const SEVERAL: u32 = 3;

/// Why a connection needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attention {
    /// Only the seller can help.
    ReauthorizationRequired(Reason),
    /// The marketplace has refused it, and nothing has confirmed that yet.
    InDoubt,
    /// The last [`SEVERAL`] tries or more have failed.
    Failing,
    /// Work on it was put off for a reason that lies outside it: the app's configuration or the vault.
    HeldBack,
    /// It was ended, and its secret could not be deleted.
    SecretNotDeleted,
    /// The marketplace says that the shop or the seller is inactive.
    ShopInactive,
    /// A reminder before the end of the authorization is reached.
    Expiring,
    /// It works, and its end is unclear.
    EndUnclear,
    /// It works, and no account has it.
    Unclaimed,
}

impl Attention {
    /// Its stable name in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired(_) => "reauthorization_required",
            Self::InDoubt => "in_doubt",
            Self::Failing => "failing",
            Self::HeldBack => "held_back",
            Self::SecretNotDeleted => "secret_not_deleted",
            Self::ShopInactive => "shop_inactive",
            Self::Expiring => "expiring",
            Self::EndUnclear => "end_unclear",
            Self::Unclaimed => "unclaimed",
        }
    }

    /// What it is, and what to do, in a sentence or two.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired(reason) => authorize_again(reason),
            Self::InDoubt => {
                "The marketplace has refused the authorization; `refused_at` says since when. Nothing to do yet: it is asked \
                 again automatically, and the connection ends only if the refusal is confirmed, within 30 hours unless \
                 many are refused. Ask the seller whether they took the authorization away."
            }
            Self::Failing => {
                "Several tries in a row have failed; `last_error` says how. They go on by themselves. If other \
                 connections of the app work, quote `last_error`'s `request_id` to the marketplace's support."
            }
            Self::HeldBack => {
                "Work on it was put off for a reason that lies outside this connection; `last_error` says which. Put \
                 that right (the app's secret, the app at the marketplace, the vault); the connection follows by \
                 itself within an hour."
            }
            Self::SecretNotDeleted => {
                "The connection is ended, but its secret could not be deleted; `last_error` says why. Put that right \
                 (the role of refresh-sweep, Secrets Manager); the deletion is tried again by itself."
            }
            Self::ShopInactive => {
                "The marketplace says that the shop or the seller is inactive, so calls for it fail. The token is not to \
                 blame and continues to be refreshed. Ask the seller. When the shop is active again, this entry \
                 disappears with the next refresh."
            }
            Self::Expiring => {
                "The authorization ends soon, at `authorization_expires_at` or, if that is earlier, at `announced_end`. Only \
                 the seller can move that: send them through a connect session in time."
            }
            Self::EndUnclear => {
                "The marketplace's last response stated an end of the authorization that cannot be right, or none where \
                 there was one before. The token works and continues to be looked after. Look in the seller's account at \
                 the marketplace how long the authorization lasts; a connect session makes it certain."
            }
            Self::Unclaimed => {
                "The connection belongs to no account: nobody asked for it, or its account was cleared. Give it its \
                 account with PATCH, or end it with DELETE."
            }
        }
    }

    /// Whether it is the last error that it is about.
    const fn is_an_error(self) -> bool {
        !matches!(self, Self::ShopInactive | Self::Expiring | Self::EndUnclear | Self::Unclaimed)
    }
}

const fn authorize_again(reason: Reason) -> &'static str {
    match reason {
        Reason::AuthorizationExpired => {
            "The time that the seller granted is over. Send the seller through a connect session."
        }
        Reason::Refused => {
            "The marketplace has refused the authorization again and again. Send the seller through a connect session."
        }
        Reason::RotationLost => {
            "The marketplace has refused the refresh token after an exchange whose answer never arrived: it was \
             probably spent then. Send the seller through a connect session."
        }
        Reason::Deauthorized => {
            "The seller took the authorization back at the marketplace. Ask them whether they meant to; a connect \
             session connects them again, DELETE ends the connection."
        }
        Reason::Replaced => {
            "The seller had a new token issued, which ended this one. Send them through a connect session to hand the \
             new one in."
        }
        Reason::PermissionsMissing => {
            "The seller took back a permission that you need; `last_error` names it. Send them through a connect \
             session to grant it again."
        }
    }
}

/// Everything about a connection that needs attention, the most urgent first.
pub fn attention(item: &Connection) -> Vec<Attention> {
    let failed = item.last_error.is_some();
    let of_status = match item.status {
        Status::ReauthorizationRequired { reason } => Some(Attention::ReauthorizationRequired(reason)),
        Status::Active if item.refusals > 0 => Some(Attention::InDoubt),
        Status::Active if item.failures >= SEVERAL => Some(Attention::Failing),
        // A failure of its own is counted; an error without one was put off.
        Status::Active | Status::Pending if failed && item.failures == 0 => Some(Attention::HeldBack),
        Status::Disconnected if failed => Some(Attention::SecretNotDeleted),
        Status::Active | Status::Pending | Status::Disconnected => None,
    };
    let works = item.status == Status::Active;
    let inactive = (works && item.inactive_since.is_some()).then_some(Attention::ShopInactive);
    let expiring = (works && item.reminded.is_some()).then_some(Attention::Expiring);
    let unclear = (works && item.end_unclear).then_some(Attention::EndUnclear);
    let unclaimed = (works && item.account_id.is_none()).then_some(Attention::Unclaimed);
    [of_status, inactive, expiring, unclear, unclaimed].into_iter().flatten().collect()
}

/// What to do about the last error.
pub fn what_to_do(item: &Connection) -> &'static str {
    let about_it = attention(item).into_iter().find(|attention| attention.is_an_error());
    about_it.map_or("Nothing: it is tried again automatically.", Attention::detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        connection::{
            LastError,
            fixtures::{T0, active, arbitrary, claim_any, fault},
            settle::{Spent, defer, fail, refuse},
            verdict::{SECOND_LOOK_AFTER, Verdict},
            watch,
        },
        names::AttemptId,
    };

    fn held(item: &Connection) -> (Connection, AttemptId) {
        let attempt = AttemptId::random();
        (claim_any(item, T0.plus(6 * 86_400), attempt).unwrap().item, attempt)
    }

    fn codes(item: &Connection) -> Vec<&'static str> {
        attention(item).into_iter().map(Attention::code).collect()
    }

    #[test]
    fn what_works_and_has_an_account_needs_none() {
        assert_eq!(attention(&active()), []);
        assert_eq!(attention(&watched()), []);
    }

    fn watched() -> Connection {
        crate::connection::fixtures::watched()
    }

    #[test]
    fn several_failures_in_a_row_do_fewer_do_not() {
        let mut item = active();
        for failures in 1..=SEVERAL {
            let (claimed, attempt) = held(&Connection { not_before: None, ..item });
            item = fail(&claimed, attempt, fault(), Spent::No, 60, T0.plus(6 * 86_400)).unwrap();
            assert_eq!(!attention(&item).is_empty(), failures == SEVERAL, "{failures}");
            assert_eq!(what_to_do(&item).starts_with("Nothing"), failures < SEVERAL);
        }
        assert_eq!(codes(&item), ["failing"]);
    }

    #[test]
    fn a_refused_connection_is_in_doubt_until_it_ends() {
        let (claimed, attempt) = held(&active());
        let doubted =
            refuse(&claimed, attempt, fault().into(), Verdict::Doubted, SECOND_LOOK_AFTER, T0.plus(6 * 86_400))
                .unwrap();
        assert_eq!(codes(&doubted), ["in_doubt"]);
        let attempt = AttemptId::random();
        let again = claim_any(&doubted, T0.plus(6 * 86_400 + 901), attempt).unwrap().item;
        let ended = refuse(&again, attempt, fault().into(), Verdict::Ended, 0, T0.plus(6 * 86_400 + 902)).unwrap();
        assert_eq!(attention(&ended), [Attention::ReauthorizationRequired(Reason::Refused)]);
    }

    #[test]
    fn what_was_put_off_does_whoever_is_at_fault() {
        let (claimed, attempt) = held(&active());
        let deferred = defer(&claimed, attempt, fault(), 900, T0.plus(6 * 86_400)).unwrap();
        assert_eq!(codes(&deferred), ["held_back"]);
        let error = Some(LastError { at: T0, fault: fault() });
        let undeleted = Connection { status: Status::Disconnected, last_error: error, ..active() };
        assert_eq!(codes(&undeleted), ["secret_not_deleted"]);
    }

    #[test]
    fn an_inactive_shop_a_reminder_and_a_missing_account_come_on_top() {
        let inactive_since = Some(T0);
        let item = Connection { inactive_since, reminded: Some(14), account_id: None, refusals: 1, ..active() };
        assert_eq!(codes(&item), ["in_doubt", "shop_inactive", "expiring", "unclaimed"]);
        let ended = Connection { status: Status::Disconnected, refusals: 0, ..item };
        assert_eq!(attention(&ended), [], "what was ended needs no account and ends no more");
    }

    proptest! {
        #[test]
        fn each_has_a_name_of_its_own_and_whoever_needs_the_seller_is_among_them(item in arbitrary()) {
            let all = attention(&item);
            let mut codes = codes(&item);
            codes.sort_unstable();
            codes.dedup();
            prop_assert_eq!(codes.len(), all.len());
            let needs_seller = matches!(item.status, Status::ReauthorizationRequired { .. });
            prop_assert_eq!(needs_seller, codes.contains(&"reauthorization_required"));
            let reached = item.status == Status::Active && item.reminded.is_some();
            prop_assert_eq!(reached, codes.contains(&"expiring"));
            prop_assert!(item.reminded.is_none_or(|days| watch::REMINDERS.contains(&days)));
        }
    }
}
