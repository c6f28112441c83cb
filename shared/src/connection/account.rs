//! Whose connection it is: the vendor gives it to an account, or takes it from one.

use super::{Connection, Status};
use crate::{names::AccountId, time::Timestamp};

/// The revisions that a change was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is by now.
    Any,
    /// One of these.
    Revisions(Vec<u64>),
}

impl Expected {
    /// Whether the item is as it was seen.
    pub fn holds(&self, item: &Connection) -> bool {
        match self {
            Self::Any => true,
            Self::Revisions(seen) => seen.contains(&item.revision),
        }
    }
}

/// Why the account stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAssigned {
    /// It belongs to the account whose session it came by until that one has confirmed it.
    #[error("the connection waits for its confirmation")]
    Pending,
    /// There is nothing left to give away.
    #[error("the connection was ended")]
    Disconnected,
    /// Somebody has written since it was seen.
    #[error("the connection has changed since it was read")]
    Changed,
}

/// Sets the account, or clears it with `None`. What is the same already is left alone, the revision too.
///
/// A claim that is held stays: whoever works on the token set works on it for the new account.
///
/// # Errors
/// [`NotAssigned`]: first what holds of the connection whatever was seen, then whether it is as it was seen.
pub fn assign(
    item: &Connection,
    account: Option<&AccountId>,
    expected: &Expected,
    now: Timestamp,
) -> Result<Connection, NotAssigned> {
    match item.status {
        Status::Pending => return Err(NotAssigned::Pending),
        Status::Disconnected => return Err(NotAssigned::Disconnected),
        Status::Active | Status::ReauthorizationRequired { .. } => {}
    }
    if !expected.holds(item) {
        return Err(NotAssigned::Changed);
    }
    if item.account_id.as_ref() == account {
        return Ok(item.clone());
    }
    Ok(Connection { account_id: account.cloned(), updated_at: now, ..item.clone() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connection::fixtures::{T0, active, arbitrary};

    proptest! {
        #[test]
        fn only_the_account_changes(
            item in arbitrary(), account in proptest::option::of("[a-z]{1,8}"), seen in 0_u64..5, any in any::<bool>(),
        ) {
            let account: Option<AccountId> = account.map(|account| account.parse().unwrap());
            let expected = if any { Expected::Any } else { Expected::Revisions(vec![99, seen]) };
            let now = T0.plus(7);
            match assign(&item, account.as_ref(), &expected, now) {
                Ok(after) => {
                    prop_assert_eq!(&after.account_id, &account);
                    let touched = after.account_id != item.account_id;
                    let updated_at = if touched { now } else { item.updated_at };
                    prop_assert_eq!(Connection { account_id: item.account_id.clone(), updated_at: item.updated_at, ..after.clone() }, item.clone());
                    prop_assert_eq!(after.updated_at, updated_at);
                    prop_assert!(any || item.revision == seen);
                }
                Err(NotAssigned::Pending) => prop_assert_eq!(item.status, Status::Pending),
                Err(NotAssigned::Disconnected) => prop_assert_eq!(item.status, Status::Disconnected),
                Err(NotAssigned::Changed) => prop_assert!(!any && item.revision != seen),
            }
        }
    }

    #[test]
    fn what_is_the_same_already_is_no_change() {
        let item = active();
        let seen = Expected::Revisions(vec![item.revision]);
        assert_eq!(assign(&item, item.account_id.as_ref(), &seen, T0.plus(9)), Ok(item.clone()));
        assert_eq!(assign(&item, None, &seen, T0.plus(9)).unwrap().account_id, None);
    }
}
