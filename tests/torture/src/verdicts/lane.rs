//! All connections of one vendor's app in virtual time. A run begins each minute and asks about what is due; the product's
//! own functions decide when that is, what a refusal means and what becomes of the item.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use rand::{SeedableRng, rngs::SmallRng};
use shop_keyring::{
    connection::{
        Connection, Reason,
        claim::{Claimed, Trigger},
        due::{Work, due_at, shard},
        ended::has_ended,
        evidence::{Call, Evidence},
        next::Next,
        notice::{Notice, take_note},
        verdict::{Asked, SECOND_LOOK_AFTER, Verdict, next_look, verdict},
    },
    names::{AttemptId, MarketplaceName},
    time::Timestamp,
};

use super::{
    evidence::{EVERY, PROCESSES, SharedEvidence},
    tally::{Ground, Tally},
    world::{END, GROWN_OVER, PERCENT, Seller, World},
};
use crate::sellers::{DAY, HOUR, Sellers};

const MINUTE: i64 = 60;

/// By how much a look may come after its time, in seconds: a run begins each minute.
const LATE: i64 = 2 * MINUTE;

/// Longest wait between two looks at a refused connection, in seconds.
const LOOK: i64 = 6 * HOUR;

/// How long after the last refusals a mass refusal may be seen, in seconds.
const MASS_REFUSAL_ENDS: i64 = HOUR / 2;

/// By which rule connections are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The product's.
    Evidence,
    /// The one before, to compare with: any second refusal is believed, and an ended connection is never asked again.
    SecondRefusal,
}

/// A vendor's app.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    rule: Rule,
    /// Calls per second of one process.
    rate: i64,
    world: &'a World,
    sellers: Sellers,
    random: SmallRng,
    members: Vec<Member>,
    /// By the time at which each is due. An entry that its member does not know is void.
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    evidence: SharedEvidence,
    /// Numbers of the incidents in which the alarm rang.
    alarmed: BTreeSet<usize>,
    tally: Tally,
}

#[derive(Debug)]
struct Member {
    item: Connection,
    seller: Seller,
    process: u8,
    /// Its time in the queue.
    queued_for: Option<Timestamp>,
    /// The number of the last incident in which it was asked.
    asked_in: Option<usize>,
    /// The first refusal after the seller had left.
    refused_since: Option<Timestamp>,
    /// By when the verdict has to come.
    verdict_by: Option<Timestamp>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(rule: Rule, marketplace: MarketplaceName, world: &'a World, seed: u64) -> Self {
        let mut sellers = Sellers::new(marketplace, seed);
        let mut connect = |(number, seller): (u64, &Seller)| {
            let item = sellers.connect(number, sellers.connects_at(number, GROWN_OVER));
            let process = shard(&item.connection) % PROCESSES;
            Member {
                item,
                seller: *seller,
                process,
                queued_for: None,
                asked_in: None,
                refused_since: None,
                verdict_by: None,
            }
        };
        let members: Vec<_> = (0..).zip(&world.sellers).map(&mut connect).collect();
        let calls = match marketplace {
            MarketplaceName::TikTokShop => 30,
            MarketplaceName::Temu => 8,
        };
        Self {
            rule,
            rate: (calls / i64::from(PROCESSES)).max(1),
            world,
            sellers,
            // Not the one of the world: the rules may ask in different order.
            random: SmallRng::seed_from_u64(seed.rotate_left(32)),
            members,
            queue: BinaryHeap::new(),
            evidence: SharedEvidence::default(),
            alarmed: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    /// Lets the fleet live until [`END`].
    pub(super) fn live(mut self) -> Tally {
        (0..self.members.len()).for_each(|index| self.enqueue(index));
        let mut notifications: Vec<_> = self.members.iter().enumerate().filter_map(notification).collect();
        notifications.sort_unstable();
        let mut notifications = notifications.into_iter().peekable();
        let mut free_at = Timestamp(0);
        loop {
            let due = self.queue.peek().map(|Reverse((due, _))| *due);
            let notified_at = notifications.peek().map(|(at, _)| *at);
            let Some(next) = [due, notified_at].into_iter().flatten().min().filter(|next| *next < END) else { break };
            let run = minute(next.max(free_at));
            while let Some((at, index)) = notifications.next_if(|(at, _)| *at <= run) {
                self.notify(index, at);
            }
            free_at = self.run_at(run);
        }
        self.finish()
    }

    /// The marketplace tells, signed, that the seller has left.
    fn notify(&mut self, index: usize, at: Timestamp) {
        let member = &mut self.members[index];
        // An ended connection has nothing to learn.
        if let Ok(item) = take_note(&member.item, Notice::Deauthorized, at, at) {
            member.item = item;
            self.enqueue(index);
        }
    }

    fn enqueue(&mut self, index: usize) {
        let member = &mut self.members[index];
        let is_over = self.rule == Rule::SecondRefusal && has_ended(&member.item);
        member.queued_for = due_at(&member.item).filter(|_| !is_over);
        self.queue.extend(member.queued_for.map(|due| Reverse((due, index))));
    }

    /// One run of every process, over what is due by then; answers when it is over.
    fn run_at(&mut self, run: Timestamp) -> Timestamp {
        let mut taken = [0; PROCESSES as usize];
        let mut calls = Vec::new();
        while let Some(Reverse((due, index))) = self.queue.pop() {
            if run < due {
                self.queue.push(Reverse((due, index)));
                break;
            }
            let member = &mut self.members[index];
            if member.queued_for.take_if(|queued_for| *queued_for == due).is_none() {
                continue;
            }
            let before = &mut taken[usize::from(member.process)];
            calls.push((run.plus(*before / self.rate), index));
            *before += 1;
        }
        // The processes work side by side.
        calls.sort_by_key(|(at, _)| *at);
        let mut write_at = run.plus(EVERY);
        let mut now = run;
        for (at, index) in calls {
            while write_at <= at {
                self.write_evidence(write_at);
                write_at = write_at.plus(EVERY);
            }
            now = at;
            self.ask(index, now);
            self.enqueue(index);
        }
        self.write_evidence(now);
        now.plus(1)
    }

    fn write_evidence(&mut self, now: Timestamp) {
        self.evidence.write(now);
        self.hear_alarm(now);
    }

    fn hear_alarm(&mut self, now: Timestamp) {
        if self.evidence.take_alarm() {
            match self.world.incident_within(now, MASS_REFUSAL_ENDS) {
                Some((number, _)) => {
                    self.alarmed.insert(number);
                }
                None => self.tally.wrong.push(format!("the alarm mass_refusal rang at {now:?}, in no incident")),
            }
        }
    }

    /// The marketplace is asked about one connection.
    fn ask(&mut self, index: usize, now: Timestamp) {
        let Claimed { item: held, next } = self.sellers.claim(&self.members[index].item, now);
        let call = match next {
            Next::Refresh => Call::Refresh,
            Next::Check => Call::Check,
            next => panic!("{next:?} is due at {now:?}: {held:?}"),
        };
        let has_left = self.members[index].seller.has_left(now);
        let incident = self.world.incident_at(now);
        if let Some((number, incident)) = incident.filter(|_| !has_left && !has_ended(&held)) {
            let is_first = self.members[index].asked_in.replace(number) != Some(number);
            self.tally.asked[incident.kind] += u64::from(is_first);
        }
        if has_left || incident.is_some_and(|(_, incident)| incident.refuses(&mut self.random)) {
            self.refuse(index, &held, call, now);
        } else {
            self.accept(index, &held, call, now);
        }
    }

    fn accept(&mut self, index: usize, held: &Connection, call: Call, now: Timestamp) {
        let member = &mut self.members[index];
        if self.rule == Rule::Evidence {
            self.evidence.note(member.process, |evidence| evidence.note_accepted(held, call, now));
        }
        member.item = match call {
            Call::Refresh => self.sellers.refreshed(held, now),
            Call::Check => self.sellers.checked(held, now),
        };
        self.tally.ended_for.extend(held.ended_at.map(|at| now.since(at)));
    }

    fn refuse(&mut self, index: usize, held: &Connection, call: Call, now: Timestamp) {
        let (verdict, wait, evidence) = match self.rule {
            Rule::Evidence => self.by_evidence(index, held, call, now),
            Rule::SecondRefusal => {
                let is_second = held.refused_at.is_some_and(|at| now.since(at) >= SECOND_LOOK_AFTER);
                let is_believed = is_second && call.is_decisive(held);
                (if is_believed { Verdict::Ended } else { Verdict::Doubted }, SECOND_LOOK_AFTER, None)
            }
        };
        if !has_ended(held) {
            self.judge(index, held, verdict, evidence.as_ref(), now);
        }
        self.members[index].item = self.sellers.refused(held, verdict, wait, now);
    }

    /// The product's verdict and the wait before the next look, with the evidence that it was based on.
    fn by_evidence(
        &mut self,
        index: usize,
        held: &Connection,
        call: Call,
        now: Timestamp,
    ) -> (Verdict, i64, Option<Evidence>) {
        let process = self.members[index].process;
        let asked = Asked { call, trigger: Trigger::Schedule(Work::Marketplace) };
        let evidence = held.refused_at.map(|_| self.evidence.read(process, now));
        self.hear_alarm(now);
        let attempt = held.attempt.map_or_else(AttemptId::random, |claim| claim.id);
        let verdict = verdict(held, attempt, Reason::Refused, asked, evidence.as_ref(), now);
        let wait = next_look(held.refusals.saturating_add(1), &mut self.random);
        self.evidence.note(process, |evidence| evidence.note_refused(held, call, now));
        (verdict, wait, evidence)
    }

    /// Counts a refusal of a connection that has not ended, and whether its verdict is right and in time.
    fn judge(
        &mut self,
        index: usize,
        held: &Connection,
        verdict: Verdict,
        evidence: Option<&Evidence>,
        now: Timestamp,
    ) {
        let member = &mut self.members[index];
        let is_mass_refusal = evidence.is_some_and(|evidence| evidence.is_mass_refusal(now));
        let is_over = verdict != Verdict::Doubted;
        let waited = held.refused_at.map_or(0, |at| now.since(at));
        if is_over && is_mass_refusal && waited < 7 * DAY {
            self.tally.wrong.push(format!("{} was ended in a mass refusal at {now:?}", held.connection));
        }
        if !member.seller.has_left(now) {
            if let Some((_, incident)) = self.world.incident_at(now).filter(|_| is_over) {
                self.tally.wrongly_ended[incident.kind] += 1;
                if self.rule == Rule::Evidence && PERCENT[incident.kind] == 100 {
                    self.tally.wrong.push(format!("{} works and was ended while all are refused", held.connection));
                }
            }
            return;
        }
        let refused_since = *member.refused_since.get_or_insert(now);
        let by = member.verdict_by.get_or_insert(refused_since.plus(DAY + LOOK + LATE));
        if self.rule == Rule::Evidence && *by < now {
            self.tally.wrong.push(format!("{} was to be ended by {by:?}, and was not at {now:?}", held.connection));
        }
        if is_mass_refusal {
            let last = held.refused_at.unwrap_or(now).plus(7 * DAY + LOOK + LATE);
            *by = (*by).max(now.plus(MASS_REFUSAL_ENDS + LOOK + LATE)).min(last);
        }
        if is_over {
            self.tally.verdict_after.push(now.since(refused_since));
            let accepted_another = held
                .refused_at
                .zip(evidence)
                .is_some_and(|(at, evidence)| evidence.has_accepted_another(&held.connection, at));
            self.tally.count_ground(if is_mass_refusal {
                Ground::SevenDays
            } else if held.deauthorized_at.is_some() {
                Ground::Notified
            } else if accepted_another {
                Ground::AcceptedAnother
            } else {
                Ground::Day
            });
        }
    }

    /// How everybody stands at the end.
    fn finish(mut self) -> Tally {
        for member in &self.members {
            let (item, is_over) = (&member.item, has_ended(&member.item));
            match member.seller.leaves_at {
                None if is_over && self.rule == Rule::Evidence => {
                    self.tally.wrong.push(format!("{} works and is still ended", item.connection));
                }
                Some(_) if !is_over => {
                    self.tally.wrong.push(format!("{} is not ended although its seller has left", item.connection));
                }
                Some(at) if item.ended_at.is_some_and(|ended_at| ended_at < at) => self.tally.left_while_ended += 1,
                _ => {}
            }
        }
        for (number, incident) in self.world.incidents.iter().enumerate() {
            self.tally.incidents[incident.kind] += 1;
            self.tally.alarmed[incident.kind] += u64::from(self.alarmed.contains(&number));
        }
        self.tally
    }
}

fn notification((index, member): (usize, &Member)) -> Option<(Timestamp, usize)> {
    Some((member.seller.notified_at?, index))
}

/// The next full minute: then a run begins.
fn minute(time: Timestamp) -> Timestamp {
    Timestamp((time.0 + MINUTE - 1).div_euclid(MINUTE) * MINUTE)
}
