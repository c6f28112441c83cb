//! Where the evidence lies: in the memory of two processes and in the table.

use shop_keyring::{
    connection::{
        Connection,
        evidence::{Call, Evidence},
    },
    time::Timestamp,
};

use super::{
    config::{Lane, Naive},
    explore::Lanes,
    state::{State, other},
};

/// Length of the periods in which the product counts, in seconds.
const PERIOD: i64 = 15 * 60;

/// First refusals that a large lane meets in each period.
const CROWD: u32 = 6;

/// Longest difference of clocks that the product allows for, and a second more.
const AFTER_MARGIN: i64 = 6;

impl Lanes {
    /// The call that tells whether an authorization of the lane stands.
    pub(super) const fn call(&self) -> Call {
        match self.config.lane {
            Lane::Refreshed => Call::Refresh,
            Lane::Checked => Call::Check,
        }
    }

    /// Counts a response in a process's memory, with the time of its clock.
    pub(super) fn note(&self, s: &mut State, process: u8, item: &Connection, accepted: bool) {
        let at = s.now.plus(if process == 1 { self.config.clock } else { 0 });
        let first = Connection { refused_at: None, ..item.clone() };
        let item = if self.config.is(Naive::EveryLookCounts) { &first } else { item };
        let part = &mut s.unwritten[usize::from(process)];
        if accepted {
            part.note_accepted(item, self.call(), at);
        } else {
            part.note_refused(item, self.call(), at);
        }
    }

    /// Adds what a process has counted to the table. If the process does not hear that it was added, it keeps it.
    pub(super) fn write(&self, s: &mut State, process: u8, heard: bool) {
        let mut part = s.unwritten[usize::from(process)].clone();
        if self.config.is(Naive::CountsWhenWritten) && part.has_accepted_another(&s.item.connection, Timestamp(0)) {
            part.note_accepted(&other(self.config.lane, true, s.now), self.call(), s.now);
        }
        s.table = s.table.plus(&part);
        if heard {
            s.unwritten[usize::from(process)] = Evidence::default();
            if process == 0 {
                s.seen = Some(s.table.clone());
            }
        }
    }

    /// What the first process reads, with what it has written by that.
    pub(super) fn read(&self, s: &mut State) -> Evidence {
        self.write(s, 0, true);
        s.table.clone()
    }

    /// The evidence by which the first process judges, given what it has read.
    pub(super) fn judged_by(&self, s: &State, read: &Evidence) -> Evidence {
        self.with_crowd(&read.plus(&s.unwritten[0]), s.now)
    }

    /// Whether the table has said since time last moved that many are refused.
    pub(super) fn is_known_mass_refusal(&self, s: &State) -> bool {
        self.with_crowd(&s.known, s.now).is_mass_refusal(s.now)
    }

    /// With what the connections of a large lane meet that are not modelled one by one.
    fn with_crowd(&self, evidence: &Evidence, now: Timestamp) -> Evidence {
        let mut evidence = evidence.clone();
        let item = other(self.config.lane, false, now);
        let crowd = if self.config.crowd { CROWD } else { 0 };
        (0..crowd).for_each(|_| evidence.note_refused(&item, self.call(), now));
        evidence
    }

    /// Replaces all evidence with the least that says the same, now and later, so that states that differ in nothing that
    /// anybody decides on are one.
    pub(super) fn normalize(&self, s: &mut State) {
        if self.config.naive.is_some() {
            return;
        }
        let (item, now) = (s.item.clone(), s.now);
        if item.refused_at.is_none() && !self.config.at_end {
            s.seen = None;
        }
        let normal = |evidence: &mut Evidence| *evidence = self.normal(evidence, &item, now);
        [&mut s.table, &mut s.known].into_iter().for_each(normal);
        s.unwritten.iter_mut().chain(s.seen.as_mut()).for_each(normal);
        if !self.config.may_be_mass() {
            s.known = Evidence::default();
        }
    }

    fn normal(&self, evidence: &Evidence, item: &Connection, now: Timestamp) -> Evidence {
        if evidence.is_empty() {
            return Evidence::default();
        }
        // An acceptance says nothing unless it came after a refusal; then it does not matter when.
        let accepted = item.refused_at.filter(|at| evidence.has_accepted_another(&item.connection, *at));
        let accepted = accepted.map(|refused_at| refused_at.plus(AFTER_MARGIN));
        if accepted.is_some_and(|at| at > now) {
            return evidence.clone();
        }
        let mut normal = Evidence::default();
        if self.config.may_be_mass() {
            self.add_counts(&mut normal, evidence, now);
        }
        if let Some(at) = accepted {
            normal.note_accepted(&other(self.config.lane, true, now), self.call(), at);
        }
        normal
    }

    fn add_counts(&self, normal: &mut Evidence, evidence: &Evidence, now: Timestamp) {
        // Of this period and the one before, of the next and this one, of the next alone: a clock may be ahead.
        let [both, from_this, next] = [0, 1, 2].map(|ahead| evidence.counts(now.plus(ahead * PERIOD)));
        let this = (from_this.0 - next.0, from_this.1 - next.1);
        let before = (both.0 - this.0, both.1 - this.1);
        let fresh = other(self.config.lane, false, now);
        for (ahead, (accepted, refused)) in [(-1, before), (0, this), (1, next)] {
            // The earliest time of the period, so that none comes after a refusal unless it did before.
            let at = Timestamp((now.0.div_euclid(PERIOD) + ahead) * PERIOD);
            (0..accepted).for_each(|_| normal.note_accepted(&fresh, self.call(), at));
            (0..refused).for_each(|_| normal.note_refused(&fresh, self.call(), at));
        }
    }
}
