//! Writes of the item, with the rules that are about writes; and what is left out of it, so that states that differ in
//! nothing that anybody decides on are one.

use shop_keyring::{
    connection::{Claim, Connection, Status, due::due_at},
    time::Timestamp,
};

use crate::{
    config::Naive,
    explore::Protocol,
    settling::fault,
    state::{Broken, State, Step, T0},
    vault::{LIFE, Set, number_of},
};

impl Protocol {
    /// Writes the item, on the condition that it is the one that was decided on; whoever has read it before has to
    /// decide anew.
    pub(crate) fn write(&self, s: &mut State, item: Connection) {
        let item = self.bare(item);
        if s.past.ended && matches!(item.status, Status::Active | Status::Pending) {
            s.breaks(Broken::Resurrected);
        }
        let has_future = match item.status {
            Status::Active | Status::Pending => Some(true),
            Status::ReauthorizationRequired { .. } => Some(item.attempt.is_some()),
            // Without a token set and a secret there may be something to clear away, or not.
            Status::Disconnected => item.secret_version.is_some().then_some(true),
        };
        if has_future.is_some_and(|has_future| has_future != due_at(&item).is_some()) {
            s.breaks(Broken::DueWrongly);
        }
        s.item = Some(item.into());
        wrote(s);
    }

    /// Writes a commit.
    pub(crate) fn write_commit(&self, s: &mut State, before: &Connection, mut after: Connection, set: Set) {
        if self.config.is(Naive::CommitKeepsAttempts) || self.config.is(Naive::AnyParentAndCommitKeepsAttempts) {
            after.attempts.clone_from(&before.attempts);
        }
        if self.config.is(Naive::CommitClearsNotice) {
            after.check_at = None;
        }
        // Naively that is broken at once: what comes of it is worth seeing.
        let rash = self.config.is(Naive::CommitsBeforeKeep);
        if s.vault.get(set.attempt).is_none() && !s.vault.deleted && !rash {
            s.breaks(Broken::NotKept);
        }
        let current = before.secret_version.as_ref().map(number_of);
        let current = current.and_then(|current| s.vault.sets.iter().find(|set| set.attempt == current));
        if current.is_some_and(|current| s.market.age(current.token) >= s.market.age(set.token)) {
            s.breaks(Broken::NotNewer);
        }
        s.past.struck_at = None;
        s.past.unknown = false;
        self.write(s, after);
    }

    /// Without what no decision reads, or none here: see the list in the crate's documentation.
    fn bare(&self, mut item: Connection) -> Connection {
        item.revision = 0;
        item.failures = 0;
        item.verified_at = None;
        item.authorized_at = None;
        item.created_at = T0;
        if item.status != Status::Pending {
            item.updated_at = T0;
        }
        // Whether there was one decides, and whether it came during the work; and an ended connection is not asked again here.
        let begun = item.attempt.map(Claim::begun);
        item.deauthorized_at =
            item.deauthorized_at.map(|at| if begun.is_some_and(|begun| begun <= at) { at } else { T0 });
        item.ended_at = None;
        if let Some(error) = &mut item.last_error {
            error.at = T0;
            error.fault = fault();
        }
        if !self.quiet && item.refreshed_at.is_some_and(|at| at >= T0) {
            item.refreshed_at = Some(T0);
            item.access_expires_at = Some(T0.plus(LIFE));
        }
        item
    }

    /// A `not_before` that is past for every clock says nothing any more, unless it is what makes an item due.
    pub(crate) fn forget_what_is_past(&self, s: &mut State) {
        let furthest = self.config.clocks.iter().map(|off| off.abs()).max().unwrap_or_default();
        let Some(item) = s.item.as_ref() else { return };
        let past = item.not_before.is_some_and(|at: Timestamp| at.plus(furthest) <= s.now);
        if past && item.status == Status::Active && item.refusals == 0 {
            s.item = Some(Connection { not_before: None, ..(**item).clone() }.into());
        }
    }
}

/// Takes the item away.
pub(crate) fn remove(s: &mut State) {
    s.item = None;
    wrote(s);
}

fn wrote(s: &mut State) {
    for work in &mut s.works {
        match &mut work.step {
            Step::Claim { stale, .. } | Step::Delete { stale, .. } | Step::Forget { stale, .. } => *stale = true,
            _ => {}
        }
    }
}
