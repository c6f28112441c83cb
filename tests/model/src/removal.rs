//! Deletions, as `shop_keyring::protocol` does them: one that came too late is taken back.

use shop_keyring::connection::{Status, disconnect::forget};

use crate::{
    config::Naive,
    explore::{How, Protocol},
    state::{State, Step, Task, Work},
    vault::id,
    write::remove,
};

/// Nothing is deleted later than this after the claim, in seconds.
const FLIGHT: i64 = 45;

impl Protocol {
    /// The next step of a deletion.
    pub(crate) fn removes(&self, s: &mut State, work: &Work, how: How) -> Option<Step> {
        let (now, mine) = (self.now_of(s, work.attempt), id(work.attempt));
        match work.step.clone() {
            Step::StillHeld { task } => {
                let ours = s.item.as_ref().is_some_and(|item| item.is_held_by(mine));
                (ours && s.now.since(work.began) < FLIGHT).then_some(Step::Delete { task, stale: false })
            }
            Step::Delete { .. } if how == How::Fails => Some(Step::Defer),
            Step::Delete { task, stale } => {
                s.vault.deleted = !s.vault.sets.is_empty();
                Some(Step::Forget { task, stale })
            }
            Step::Forget { task: Task::DeleteSecret, .. } => {
                let task = Task::DeleteSecret;
                let Some(item) = s.item.clone() else { return Some(Step::LookWhose { task }) };
                match forget(&item, mine, now) {
                    Ok(item) => {
                        self.write(s, item);
                        None
                    }
                    Err(_) => Some(Step::LookWhose { task }),
                }
            }
            Step::Forget { task, stale } => {
                if stale {
                    return Some(Step::LookWhose { task });
                }
                remove(s);
                None
            }
            Step::LookWhose { task } => {
                let status = s.item.as_ref().map(|item| item.status);
                let restore = status.is_some_and(|status| task == Task::Remove || status != Status::Disconnected);
                (restore && !self.config.is(Naive::NeverRestores)).then_some(Step::Restore)
            }
            Step::Restore => {
                s.vault.deleted = false;
                None
            }
            _ => None,
        }
    }
}
