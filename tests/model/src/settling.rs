//! How a claim ends, as `shop_keyring::protocol` writes it.

use shop_keyring::{
    connection::{
        Connection, Fault, Listed, Reason, Status,
        claim::Trigger,
        due::Work as Kind,
        evidence::{Call, Evidence},
        settle::{Refused, Right, Spent, commit, defer, fail, let_go, refuse},
        verdict::{Asked, SECOND_LOOK_AFTER, Verdict, verdict},
        watch::{Checked, remind, verify},
    },
    time::Timestamp,
};

use crate::{
    config::Naive,
    explore::Protocol,
    state::{Broken, State, Step, Work, due, shop},
    vault::{Number, id},
};

/// The shortest back-off: that of a first failure, with no luck.
const BACK_OFF: i64 = 60;

/// Evidence of an app that works: another connection was accepted just now.
fn others_work(now: Timestamp) -> Evidence {
    let mut evidence = Evidence::default();
    let other = Connection { connection: "tiktok-shop/us/seller-2".parse().unwrap(), ..due() };
    evidence.note_accepted(&other, Call::Refresh, now);
    evidence
}

/// What is said of any failure.
pub(crate) fn fault() -> Fault {
    Fault { message: "it failed".into(), code: None, request_id: None }
}

impl Protocol {
    /// Writes an outcome, if the item still shows the claim.
    pub(crate) fn settles(&self, s: &mut State, work: &Work) -> Option<Step> {
        let attempt = work.attempt;
        let (now, mine) = (self.now_of(s, attempt), id(attempt));
        match work.step.clone() {
            Step::Commit { set, listed } => {
                let right = Right::Claim(mine);
                let item = s.item.clone()?;
                let item = self.held_or_not(&item, attempt);
                let listed = listed.then(|| Listed::Shops(vec![shop()]));
                let committed = commit(&item, right, set.kept(now), listed, now).ok()?;
                let early = self.config.is(Naive::CommitsBeforeKeep) && s.vault.get(set.attempt).is_none();
                self.write_commit(s, &item, committed, set);
                early.then_some(Step::KeepCommitted { set })
            }
            Step::Refuse { call, sent_at } => {
                let item = s.item.clone()?;
                let item = self.held_or_not(&item, attempt);
                let refused = Refused::from(fault());
                let on_demand = Trigger::OnDemand { rejected_version: item.token_version };
                let asked = Asked {
                    call,
                    trigger: if work.on_demand { on_demand } else { Trigger::Schedule(Kind::Marketplace) },
                };
                let rash = self.config.is(Naive::IgnoresBackOff) && item.refused_at.is_some();
                let item = self.with_end_or_not(item);
                let verdict = match verdict(&item, mine, refused.reason, asked, Some(&others_work(now)), now) {
                    Verdict::Doubted if rash => Verdict::Ended,
                    Verdict::Doubted if self.expires_rashly(&item, now) => Verdict::Expired,
                    verdict => verdict,
                };
                let refused = refuse(&item, mine, refused, verdict, SECOND_LOOK_AFTER, now).ok()?;
                self.note_strike(s, &refused, sent_at);
                self.write(s, refused);
                None
            }
            Step::Fail { unknown, late } => {
                let item = s.item.clone()?;
                let spent = if unknown { Spent::Unknown } else { Spent::No };
                if let Ok(failed) = fail(&self.held_or_not(&item, attempt), mine, fault(), spent, BACK_OFF, now) {
                    self.write(s, failed);
                }
                late.map(|set| Step::LatePut { set, grant: false })
            }
            Step::Defer => {
                let item = defer(s.item.as_deref()?, mine, fault(), SECOND_LOOK_AFTER, now).ok()?;
                self.write(s, item);
                None
            }
            Step::LetGo => {
                let item = let_go(s.item.as_deref()?, mine, Spent::No, now).ok()?;
                self.write(s, item);
                None
            }
            Step::Remind => {
                let item = remind(s.item.as_deref()?, mine, now).ok()?;
                self.write(s, item);
                None
            }
            Step::Verify => {
                let item = verify(s.item.as_deref()?, mine, Checked::default(), now).ok()?;
                s.past.struck_at = None;
                self.write(s, item);
                None
            }
            _ => None,
        }
    }

    /// The item as it is; or naively, as if no end were known.
    fn with_end_or_not(&self, item: Connection) -> Connection {
        let known = item.authorization_expires_at.filter(|_| !self.config.is(Naive::EndSaysNothing));
        Connection { authorization_expires_at: known, ..item }
    }

    /// Whether naively it ends at an end, and nobody asks.
    pub(crate) fn expires_unasked(&self, item: &Connection, now: Timestamp) -> bool {
        let announced = item.announced_end.is_some_and(|end| end <= now);
        self.config.is(Naive::ExpiresUnasked) && item.is_at_end(now)
            || self.config.is(Naive::AnnouncedExpires) && announced
    }

    /// Whether naively a refusal at an end is believed at once.
    fn expires_rashly(&self, item: &Connection, now: Timestamp) -> bool {
        self.expires_unasked(item, now) || self.config.is(Naive::ExpiresUnsettled) && item.is_at_end(now)
    }

    /// The item as it is; or naively, as if the claim were still ours.
    fn held_or_not(&self, item: &Connection, attempt: Number) -> Connection {
        let mut item = item.clone();
        if self.config.is(Naive::OutcomeWithoutClaim)
            && let Some(claim) = &mut item.attempt
        {
            claim.id = id(attempt);
        }
        item
    }

    fn note_strike(&self, s: &mut State, after: &Connection, sent_at: Timestamp) {
        if !matches!(after.status, Status::ReauthorizationRequired { .. }) {
            s.past.struck_at = Some(s.now);
            return;
        }
        if after.status == (Status::ReauthorizationRequired { reason: Reason::AuthorizationExpired }) {
            s.past.struck_at = None;
            return;
        }
        let off = self.config.clocks.iter().map(|off| off.abs()).max().unwrap_or_default();
        let second = s.past.struck_at.is_some_and(|at| sent_at.since(at) >= SECOND_LOOK_AFTER - 2 * off);
        if !second {
            s.breaks(Broken::TwoStrikesInARow);
        }
        s.past.struck_at = None;
    }
}
