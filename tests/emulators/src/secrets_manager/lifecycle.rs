//! Deleting, restoring, and what the recovery window's end takes away.

use std::{
    ops::RangeInclusive,
    time::{Duration, SystemTime},
};

use super::{
    refusal::Refusal,
    secret::Secret,
    store::{Store, arn},
};

const RECOVERY_WINDOW: RangeInclusive<i64> = 7..=30;
const DEFAULT_RECOVERY_WINDOW: i64 = 30;

/// What `DeleteSecret` answers with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deleted {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) window_end: SystemTime,
}

impl Store {
    /// # Errors
    /// When there is no such secret, it is deleted already, or the window is out of bounds.
    pub(super) fn delete(
        &mut self,
        id: &str,
        window_days: Option<i64>,
        force: bool,
        now: SystemTime,
    ) -> Result<Deleted, Refusal> {
        if window_days.is_some_and(|days| !RECOVERY_WINDOW.contains(&days)) {
            return Err(Refusal::parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            ));
        }
        if force && window_days.is_some() {
            return Err(Refusal::parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        if force {
            return Ok(self.delete_at_once(id, now));
        }
        let secret = self.find_mut(id, now)?;
        secret.alive()?;
        let days = window_days.unwrap_or(DEFAULT_RECOVERY_WINDOW).unsigned_abs();
        let window_end = now + Duration::from_hours(24 * days);
        secret.window_end = Some(window_end);
        let deleted = Deleted { arn: secret.arn.clone(), name: secret.name.clone(), window_end };
        self.window_ends = Some(self.window_ends.map_or(window_end, |end| end.min(window_end)));
        Ok(deleted)
    }

    /// Without an error also where there is nothing to delete, so that it can be repeated.
    fn delete_at_once(&mut self, id: &str, now: SystemTime) -> Deleted {
        let found = self.find_mut(id, now).map(|secret| secret.name.clone());
        match found.ok().and_then(|name| self.secrets.remove(&name)) {
            Some(secret) => Deleted { arn: secret.arn, name: secret.name, window_end: now },
            None => Deleted { arn: arn(id, now), name: id.to_owned(), window_end: now },
        }
    }

    /// # Errors
    /// When there is no such secret.
    pub(super) fn restore(&mut self, id: &str, now: SystemTime) -> Result<&Secret, Refusal> {
        let secret = self.find_mut(id, now)?;
        secret.window_end = None;
        Ok(secret)
    }

    /// Removes the secrets whose recovery window is over.
    pub(super) fn purge(&mut self, now: SystemTime) {
        // Among a hundred thousand secrets every call would wait for the search.
        if self.window_ends.is_none_or(|end| now < end) {
            return;
        }
        self.secrets.retain(|_, secret| secret.window_end.is_none_or(|end| now < end));
        self.window_ends = self.secrets.values().filter_map(|secret| secret.window_end).min();
    }
}
