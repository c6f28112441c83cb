//! Changes that the vendor makes to a connection: account and label.

use serde::{Deserialize, Deserializer};

use super::{Connection, Status};
use crate::{
    names::{AccountId, Label},
    time::Timestamp,
};

/// What a JSON merge patch (RFC 7396) says of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patched<T> {
    /// Nothing: it is absent from the patch.
    #[default]
    Keep,
    /// `null`: clears it.
    Clear,
    /// This value.
    Set(T),
}

impl<T: Clone> Patched<T> {
    /// What becomes of a field that holds `before`.
    fn of(&self, before: Option<&T>) -> Option<T> {
        match self {
            Self::Keep => before.cloned(),
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        }
    }
}

/// For a field with `#[serde(default)]`, without which an absent one is an error.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// What is to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The account that the connection belongs to.
    pub account_id: Patched<AccountId>,
    /// The vendor's own name for the connection.
    pub label: Patched<Label>,
}

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

/// Why the connection stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditRefused {
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

/// Changes the account and the label. What is the same already is left alone, the revision too.
///
/// A claim that is held stays: the work on the token set continues for the new account.
///
/// # Errors
/// [`EditRefused`]: first what holds of the connection whatever was seen, then whether it is as it was seen.
pub fn edit(item: &Connection, wanted: &Edit, expected: &Expected, now: Timestamp) -> Result<Connection, EditRefused> {
    match item.status {
        Status::Pending => return Err(EditRefused::Pending),
        Status::Disconnected => return Err(EditRefused::Disconnected),
        Status::Active | Status::ReauthorizationRequired { .. } => {}
    }
    if !expected.holds(item) {
        return Err(EditRefused::Changed);
    }
    let account_id = wanted.account_id.of(item.account_id.as_ref());
    let label = wanted.label.of(item.label.as_ref());
    if (&account_id, &label) == (&item.account_id, &item.label) {
        return Ok(item.clone());
    }
    Ok(Connection { account_id, label, updated_at: now, ..item.clone() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::connection::{
        change::Change,
        fixtures::{T0, active, arbitrary},
    };

    /// What a patch may say of a field, with the value that is to be there afterwards, `before` being there now.
    fn patched<T: std::str::FromStr + Clone>(before: Option<T>, choice: u8, text: &str) -> (Patched<T>, Option<T>) {
        let value = || text.parse().ok().unwrap();
        match choice {
            0 => (Patched::Keep, before),
            1 => (Patched::Clear, None),
            _ => (Patched::Set(value()), Some(value())),
        }
    }

    proptest! {
        #[test]
        fn only_what_the_patch_names_changes(
            item in arbitrary(), labelled in any::<bool>(), account in 0_u8..3, label in 0_u8..3, seen in 0_u64..5,
            any in any::<bool>(),
        ) {
            let item = Connection { label: labelled.then(|| "Ann".parse().unwrap()), ..item };
            let (account_id, account_after) = patched(item.account_id.clone(), account, "other");
            let (label, label_after) = patched(item.label.clone(), label, "Bea");
            let expected = if any { Expected::Any } else { Expected::Revisions(vec![99, seen]) };
            let now = T0.plus(7);
            match edit(&item, &Edit { account_id, label }, &expected, now) {
                Ok(after) => {
                    let touched = (&account_after, &label_after) != (&item.account_id, &item.label);
                    let updated_at = if touched { now } else { item.updated_at };
                    prop_assert_eq!(Change::between(Some(&item), &after), None, "nobody is told");
                    prop_assert_eq!(after, Connection { account_id: account_after, label: label_after, updated_at, ..item.clone() });
                    prop_assert!(any || item.revision == seen);
                }
                Err(EditRefused::Pending) => prop_assert_eq!(item.status, Status::Pending),
                Err(EditRefused::Disconnected) => prop_assert_eq!(item.status, Status::Disconnected),
                Err(EditRefused::Changed) => prop_assert!(!any && item.revision != seen),
            }
        }
    }

    #[test]
    fn what_is_the_same_already_is_no_change() {
        let item = Connection { label: Some("Ann".parse().unwrap()), ..active() };
        let seen = Expected::Revisions(vec![item.revision]);
        let same = Edit {
            account_id: item.account_id.clone().map_or(Patched::Clear, Patched::Set),
            label: Patched::Set("Ann".parse().unwrap()),
        };
        for wanted in [same, Edit::default()] {
            assert_eq!(edit(&item, &wanted, &seen, T0.plus(9)), Ok(item.clone()));
        }
    }
}
