//! Sellers' connections in virtual time. The product's own functions decide what happens to them and when; this module only
//! plays the marketplace.

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use shop_keyring::{
    api::Api,
    connection::{
        Connection, Fault, Purpose,
        claim::{Claimed, Trigger, claim},
        due::{Work as Kind, due_at},
        ended::has_ended,
        grant::{Grant, Origin, claim_for_grant},
        next::{Next, next as next_of},
        settle::{Kept, Right, commit, refuse},
        verdict::Verdict,
        watch::{Checked, remind, verify},
    },
    names::{AttemptId, ConnectionKey, MarketplaceName, VersionId},
    secret::Secret,
    time::Timestamp,
    token_set::TokenSet,
};

pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Seconds that an access token of TikTok Shop lives.
pub(crate) const ACCESS_LIFE: i64 = 7 * DAY;

/// Seconds that an authorization lives, and a token of Temu with it.
pub(crate) const AUTHORIZATION_LIFE: i64 = 365 * DAY;

/// When everything begins.
pub(crate) const T0: Timestamp = Timestamp(1_800_000_000);

/// Nobody else is at work on these connections.
const HELD: &str = "the claim is held";

/// A marketplace with its sellers.
#[derive(Debug)]
pub(crate) struct Sellers {
    marketplace: MarketplaceName,
    seed: u64,
    /// One for all: nobody else is at work on a connection.
    attempt: AttemptId,
    version: VersionId,
    set: TokenSet,
    api: Api,
}

/// Work on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Refresh,
    Check,
    Reminder,
    /// A refresh or a check at the known end of the authorization, which is refused.
    End,
    /// The same after the end.
    AskedAgain,
}

/// What was done with a connection.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) work: Work,
    pub(crate) after: Connection,
    /// When the next thing is to be done.
    pub(crate) due: Option<Timestamp>,
}

impl Sellers {
    pub(crate) fn new(marketplace: MarketplaceName, seed: u64) -> Self {
        let attempt = AttemptId::random();
        let set = TokenSet {
            access_token: Secret::new("access"),
            refresh_token: marketplace.has_refresh().then(|| Secret::new("refresh")),
            access_expires_at: T0,
            authorization_expires_at: None,
            end_unclear: false,
            scopes: Vec::new(),
            app_key: "app-key".to_owned(),
            parent: None,
            granted_at: T0,
        };
        let api = Api::at("https://open-api.tiktokglobalshop.com".parse().expect("a URL"));
        Self { marketplace, seed, attempt, version: attempt.version(), set, api }
    }

    /// When this seller connects: at a random second within so many from [`T0`] on, the same in every run of the seed.
    pub(crate) fn connects_at(&self, number: u64, within: i64) -> Timestamp {
        let seed = self.seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        T0.plus(SmallRng::seed_from_u64(seed).random_range(0..within))
    }

    /// The seller authorizes and the token set is committed.
    pub(crate) fn connect(&mut self, number: u64, now: Timestamp) -> Connection {
        let grant = Grant {
            connection: self.key(number),
            app_key: self.set.app_key.clone(),
            seller_name: None,
            seller_base_region: None,
            purpose: Purpose::All,
            api: self.api.clone(),
            shops: None,
            fingerprint: None,
            origin: Origin::Session {
                account_id: "acme".parse().expect("an account id"),
                confirm: false,
                reconnect: None,
            },
        };
        let claimed = claim_for_grant(None, &grant, self.attempt, now).expect("nobody else authorizes").item;
        self.set.authorization_expires_at = Some(now.plus(AUTHORIZATION_LIFE));
        self.commit(&claimed, now)
    }

    fn key(&self, number: u64) -> ConnectionKey {
        format!("{}/us/{:016x}-{number}", self.marketplace, self.seed).parse().expect("a connection's key")
    }

    /// Claims an item that is due at `now` or before.
    pub(crate) fn claim(&self, item: &Connection, now: Timestamp) -> Claimed {
        let [asking, chore] = Kind::ALL.map(|kind| claim(item, Trigger::Schedule(kind), now, self.attempt));
        asking.or(chore).expect("it is due")
    }

    /// The marketplace accepts a refresh.
    pub(crate) fn refreshed(&mut self, held: &Connection, now: Timestamp) -> Connection {
        // The end of the authorization is the grant's.
        self.set.authorization_expires_at = held.authorization_expires_at;
        self.commit(held, now)
    }

    /// The marketplace accepts a check.
    pub(crate) fn checked(&self, held: &Connection, now: Timestamp) -> Connection {
        verify(held, self.attempt, Checked::default(), now).expect(HELD)
    }

    /// The marketplace refuses a refresh or a check, with this verdict. Unless that ends the connection, it is asked again
    /// after `wait` seconds.
    pub(crate) fn refused(&self, held: &Connection, verdict: Verdict, wait: i64, now: Timestamp) -> Connection {
        let fault = Fault { message: "the marketplace refuses".into(), code: None, request_id: None };
        refuse(held, self.attempt, fault.into(), verdict, wait, now).expect(HELD)
    }

    /// Does what is due, at a marketplace that accepts everything until the known end. The item is due at `now` or before.
    pub(crate) fn work(&mut self, item: &Connection, now: Timestamp) -> Done {
        let Claimed { item: held, next } = self.claim(item, now);
        let (work, after) = match next {
            Next::Refresh | Next::Check if held.is_at_end(now) => {
                let work = if has_ended(&held) { Work::AskedAgain } else { Work::End };
                (work, self.refused(&held, Verdict::Expired, 0, now))
            }
            Next::Refresh => (Work::Refresh, self.refreshed(&held, now)),
            Next::Check => (Work::Check, self.checked(&held, now)),
            Next::Remind => (Work::Reminder, remind(&held, self.attempt, now).expect(HELD)),
            Next::Nothing
            | Next::LookBack
            | Next::Remove
            | Next::DeleteSecret
            | Next::RegisterWebhooks
            | Next::Publish => {
                panic!("{next:?} is due at {now:?}: {item:?}")
            }
        };
        let due = due_at(&after);
        let again = Kind::ALL.into_iter().any(|kind| next_of(&after, now, kind) == next);
        assert!(!again, "{next:?} is due again and again at {now:?}: {after:?}");
        Done { work, after, due }
    }

    fn commit(&mut self, held: &Connection, now: Timestamp) -> Connection {
        let set = &mut self.set;
        let end = set.authorization_expires_at;
        let refreshed_until = Some(now.plus(ACCESS_LIFE)).filter(|_| self.marketplace.has_refresh());
        set.access_expires_at = refreshed_until.or(end).expect("an authorization has an end");
        set.granted_at = held.granted_at;
        let kept = Kept::new(set, self.version.clone());
        commit(held, Right::Claim(self.attempt), kept, None, now).expect(HELD)
    }
}
