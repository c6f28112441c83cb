//! A look at the observed connection, in the order of `shop_keyring::protocol`: claim, response, evidence, verdict, write.

use std::convert::Infallible;

use rand::TryRng;
use shop_keyring::{
    connection::{
        Connection, Reason,
        claim::{Trigger, claim},
        due::Work,
        ended::has_ended,
        evidence::Evidence,
        next::Next,
        settle::{Refused, Right, Spent, commit, let_go, refuse},
        verdict::{Asked, Verdict, next_look, verdict},
        watch::{Checked, verify},
    },
    names::AttemptId,
    time::Timestamp,
};

use super::{
    config::{Incident, Lane, Naive},
    explore::Lanes,
    state::{Broken, Response, State},
};
use crate::{
    settling::fault,
    state::T0,
    vault::{Number, Set, id, number, version},
};

/// How the first process gets the evidence for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It does not read: a first refusal ends nothing.
    Needless,
    /// From the table.
    Fresh,
    /// What it has read within the last five seconds.
    Reused,
    /// It cannot.
    Fails,
}

/// Refusals beyond this make no wait longer.
const MOST_REFUSALS: u32 = 5;

const LONGEST_WAIT: i64 = 6 * 3_600;
const DAY: i64 = 86_400;

/// Time that a trouble may cost a look, in seconds: it is repeated after the longest wait.
const PER_TROUBLE: i64 = LONGEST_WAIT + 60;

impl Lanes {
    /// Claims the observed connection, and gets the marketplace's response; `None` if there is nothing to claim.
    pub(super) fn look(&self, state: &State, on_demand: bool, accepted: bool) -> Option<State> {
        let mut s = state.clone();
        let claim = |trigger| claim(&s.item, trigger, s.now, id(free(&s.item)));
        let claimed = claim(trigger(&s.item, on_demand));
        let claimed = if on_demand { claimed } else { claimed.or_else(|_| claim(Trigger::Schedule(Work::Chore))) };
        let claimed = claimed.ok()?;
        let (held, attempt) = (claimed.item, id(free(&s.item)));
        match claimed.next {
            Next::Refresh | Next::Check => {}
            Next::LookBack => {
                Self::put(&mut s, let_go(&held, attempt, Spent::No, state.now).ok()?);
                return Some(s);
            }
            next => unreachable!("{next:?}: nothing else is due here"),
        }
        if accepted && !on_demand {
            self.note(&mut s, 0, &held, true);
        }
        s.item = held.into();
        s.response = Some(Response { accepted, on_demand });
        Some(s)
    }

    /// Whether the marketplace may accept, and refuse, a connection.
    pub(super) fn responses(&self, s: &State, alive: bool) -> &'static [bool] {
        match (alive, s.refusing, self.config.incident) {
            (true, false, _) => &[true],
            (true, true, Incident::Whim) => &[true, false],
            _ => &[false],
        }
    }

    /// How the evidence for the verdict on a refusal may be got.
    pub(super) fn reads(s: &State, response: Response) -> Vec<Read> {
        if response.accepted || (s.item.refused_at.is_none() && !s.item.is_at_end(s.now)) {
            return vec![Read::Needless];
        }
        let mut reads = vec![Read::Fresh];
        if s.seen.is_some() {
            reads.push(Read::Reused);
        }
        if s.troubles > 0 {
            reads.push(Read::Fails);
        }
        reads
    }

    /// Writes what the response means.
    pub(super) fn settle(&self, state: &State, read: Read) -> Option<State> {
        let mut s = state.clone();
        let Response { accepted, on_demand } = s.response.take()?;
        let (held, now) = (s.item.clone(), s.now);
        let attempt = held.attempt?.id;
        if accepted {
            let after = self.accept(&held, attempt, now)?;
            Self::put(&mut s, after);
            return Some(s);
        }
        let evidence = match read {
            Read::Needless => None,
            Read::Fresh => Some(self.read(&mut s)),
            Read::Reused => s.seen.clone(),
            Read::Fails => {
                s.troubles -= 1;
                None
            }
        };
        let evidence = evidence.map(|read| self.judged_by(&s, &read));
        let asked = Asked { call: self.call(), trigger: trigger(&held, on_demand) };
        let verdict = self.verdict_on(&held, attempt, asked, evidence.as_ref(), now);
        let wait = next_look(held.refusals + 1, &mut Extreme { longest: s.longest_wait });
        let after = refuse(&held, attempt, Refused::from(fault()), verdict, wait, now).ok()?;
        self.judge(&mut s, &held, &after);
        Self::put(&mut s, after);
        self.note(&mut s, 0, &held, false);
        if on_demand {
            self.write(&mut s, 0, true);
        }
        Some(s)
    }

    fn accept(&self, held: &Connection, attempt: AttemptId, now: Timestamp) -> Option<Connection> {
        match self.config.lane {
            Lane::Checked => verify(held, attempt, Checked::default(), now).ok(),
            Lane::Refreshed => {
                let kept = Set::new(number(attempt), 0, None, held.granted_at).kept(now);
                commit(held, Right::Claim(attempt), kept, None, now).ok()
            }
        }
    }

    /// The product's verdict, unless a rule is left out.
    fn verdict_on(
        &self,
        item: &Connection,
        attempt: AttemptId,
        asked: Asked,
        evidence: Option<&Evidence>,
        now: Timestamp,
    ) -> Verdict {
        let product = |evidence| verdict(item, attempt, Reason::Refused, asked, evidence, now);
        let (told, Some(naive)) = (product(evidence), self.config.naive) else { return product(evidence) };
        let mass = evidence.is_none_or(|evidence| evidence.is_mass_refusal(now));
        let (mine, refused_at) = (&item.connection, item.refused_at.unwrap_or(now));
        let another = |than, since| evidence.is_some_and(|evidence| evidence.has_accepted_another(than, since));
        let nobody = &"tiktok-shop/us/nobody".parse().unwrap();
        let ended = |is_ended| if is_ended { Verdict::Ended } else { told };
        let second = item.refused_at.is_some();
        match naive {
            Naive::FirstIsBelieved => Verdict::Ended,
            Naive::SecondIsBelieved => ended(second),
            Naive::EarlierCounts => ended(second && !mass && another(mine, refused_at.plus(-3_600))),
            Naive::ClocksAgree => ended(second && !mass && another(mine, refused_at.plus(-5))),
            Naive::OwnCounts => ended(second && !mass && another(nobody, refused_at)),
            Naive::NeverAlone if !another(mine, refused_at) => Verdict::Doubted,
            Naive::NoSevenDays if mass => Verdict::Doubted,
            Naive::NeverAlone
            | Naive::NoSevenDays
            | Naive::CountsWhenWritten
            | Naive::EveryLookCounts
            | Naive::NeverAskedAgain => told,
        }
    }

    /// The rules about a refusal that is being written.
    fn judge(&self, s: &mut State, held: &Connection, after: &Connection) {
        let config = &self.config;
        if has_ended(held) {
            return;
        }
        if has_ended(after) {
            if held.refused_at.is_none() && !config.at_end {
                s.breaks(Broken::EndedAtOnce);
            } else if s.alive && self.is_known_mass_refusal(s) {
                s.breaks(Broken::EndedInMassRefusal);
            } else if s.alive && config.incident == Incident::Everybody && !config.at_end {
                s.breaks(Broken::EndedThoughAlive);
            }
            return;
        }
        let believed_after = if config.crowd { 7 * DAY } else { DAY };
        let latest = believed_after + LONGEST_WAIT + PER_TROUBLE * i64::from(config.troubles);
        let since = held.refused_at.map_or(0, |refused_at| s.now.since(refused_at));
        let bounded = !config.may_be_mass() || config.incident == Incident::None;
        if bounded && !s.alive && since > latest {
            s.breaks(Broken::EndedLate);
        }
    }

    /// Puts the item into the state, without what no decision reads or none here.
    fn put(s: &mut State, mut item: Connection) {
        (item.updated_at, item.last_error, item.failures) = (T0, None, 0);
        item.refusals = item.refusals.min(MOST_REFUSALS);
        (item.verified_at, item.token_version) = (None, 1);
        item.secret_version = Some(version(0));
        s.item = item.into();
    }
}

/// By whom the work is begun. The schedule alone asks again after a refusal.
fn trigger(item: &Connection, on_demand: bool) -> Trigger {
    if on_demand {
        Trigger::OnDemand { rejected_version: item.token_version }
    } else {
        Trigger::Schedule(Work::Marketplace)
    }
}

/// The first number of an attempt that the item does not remember.
fn free(item: &Connection) -> Number {
    let known = |n: &Number| item.attempts.contains(&id(*n)) || item.is_held_by(id(*n));
    (1..u8::MAX).find(|n| !known(n)).unwrap()
}

/// Chooses the least or the greatest of everything.
struct Extreme {
    longest: bool,
}

impl TryRng for Extreme {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(if self.longest { u32::MAX } else { 0 })
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(if self.longest { u64::MAX } else { 0 })
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(if self.longest { u8::MAX } else { 0 });
        Ok(())
    }
}
