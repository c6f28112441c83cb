//! The evidence of one app, as the processes of the sweep share it: each counts in memory, adds its part to the table, and
//! judges by what the table held at most five seconds ago plus its own unwritten part.

use shop_keyring::{connection::evidence::Evidence, time::Timestamp};

/// Partitions of the sweep, each a process of its own.
pub(super) const PROCESSES: u8 = 4;

/// From one write to the next, and how old evidence may be by which a connection is judged, in seconds.
pub(super) const EVERY: i64 = 5;

#[derive(Debug, Default)]
pub(super) struct SharedEvidence {
    stored: Evidence,
    processes: [Process; PROCESSES as usize],
    /// Whether a process has met a mass refusal since this was last asked.
    has_alarmed: bool,
}

#[derive(Debug, Default)]
struct Process {
    unwritten: Evidence,
    seen: Evidence,
    seen_at: Option<Timestamp>,
}

impl SharedEvidence {
    /// Counts something in the memory of one process.
    pub(super) fn note(&mut self, process: u8, note: impl FnOnce(&mut Evidence)) {
        note(&mut self.processes[usize::from(process)].unwritten);
    }

    /// What a process judges by.
    pub(super) fn read(&mut self, process: u8, now: Timestamp) -> Evidence {
        let Process { seen_at, .. } = &self.processes[usize::from(process)];
        if seen_at.is_none_or(|at| now.since(at) >= EVERY) {
            self.exchange(process, now);
        }
        let Process { unwritten, seen, .. } = &self.processes[usize::from(process)];
        seen.plus(unwritten)
    }

    /// Every process writes what it has counted.
    pub(super) fn write(&mut self, now: Timestamp) {
        for process in 0..PROCESSES {
            if !self.processes[usize::from(process)].unwritten.is_empty() {
                self.exchange(process, now);
            }
        }
    }

    /// Whether the alarm `mass_refusal` has rung since this was last asked.
    pub(super) fn take_alarm(&mut self) -> bool {
        std::mem::take(&mut self.has_alarmed)
    }

    fn exchange(&mut self, process: u8, now: Timestamp) {
        let Process { unwritten, seen, seen_at } = &mut self.processes[usize::from(process)];
        self.stored = self.stored.plus(&std::mem::take(unwritten));
        (*seen, *seen_at) = (self.stored.clone(), Some(now));
        self.has_alarmed |= self.stored.is_mass_refusal(now);
    }
}

#[cfg(test)]
mod tests {
    use shop_keyring::{connection::evidence::Call, names::MarketplaceName};

    use super::*;
    use crate::sellers::{Sellers, T0};

    #[test]
    fn a_process_knows_its_own_part_at_once_and_that_of_others_five_seconds_after_it_was_written() {
        let mut shared = SharedEvidence::default();
        let item = Sellers::new(MarketplaceName::TikTokShop, 1).connect(1, T0);
        assert!(shared.read(1, T0).is_empty());
        shared.note(0, |evidence| evidence.note_refused(&item, Call::Refresh, T0));
        assert_eq!(shared.read(0, T0).counts(T0), (0, 1));
        shared.write(T0);
        assert_eq!(shared.read(0, T0).counts(T0), (0, 1), "once");
        assert!(shared.read(1, T0.plus(4)).is_empty());
        assert_eq!(shared.read(1, T0.plus(5)).counts(T0), (0, 1));
    }
}
