//! A new authorization: its claim from any holder, then keep, then commit; as `shop_keyring::protocol::grant` does it.

use shop_keyring::{
    connection::{
        Connection, Listed, Purpose, Status,
        end::KnownEnd,
        grant::{Grant, Origin, claim_for_grant},
        settle::{Right, commit},
    },
    time::Timestamp,
};

use crate::{
    config::Naive,
    explore::{How, Protocol},
    market::Token,
    state::{State, Step, Work, api, shop},
    vault::{Number, Set, id, number_of},
};

/// A code that was exchanged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authorized {
    pub(crate) token: Token,
    pub(crate) attempt: Number,
    pub(crate) began: Timestamp,
}

impl Protocol {
    /// The first step after the exchange of the code.
    pub(crate) fn authorized(&self, s: &State, authorized: Authorized) -> Step {
        let Authorized { token, attempt, began } = authorized;
        if !self.config.is(Naive::GrantWithoutClaim) {
            return Step::ClaimForGrant { token };
        }
        let parent = s.item.as_ref().and_then(|item| item.secret_version.as_ref()).map(number_of);
        let version = s.item.as_ref().map_or(0, |item| item.token_version);
        Step::KeepGrant { set: Self::granted(s, Set::new(attempt, token, parent, began)), version }
    }

    pub(crate) fn after_authorized(&self, s: &mut State, work: &Work, how: How) -> Option<Step> {
        let attempt = work.attempt;
        match work.step {
            Step::ClaimForGrant { token } => {
                let item = self.claim_it(s, work)?;
                let parent = item.secret_version.as_ref().map(number_of);
                let (granted_at, version) = (item.granted_at, item.token_version);
                s.past.unknown |= s.item.as_ref().is_some_and(|item| item.attempt.is_some());
                s.past.ended = false;
                s.past.struck_at = None;
                self.write(s, item);
                Some(Step::KeepGrant { set: Self::granted(s, Set::new(attempt, token, parent, granted_at)), version })
            }
            Step::KeepGrant { set, version } => match how {
                How::Well => {
                    s.vault.put(set);
                    Some(Step::CommitGrant { set, version })
                }
                How::Late => Some(Step::LatePut { set, grant: true }),
                How::Unheard => {
                    s.vault.put(set);
                    None
                }
                _ => None,
            },
            Step::CommitGrant { set, version } => {
                let mut item = (**s.item.as_ref()?).clone();
                let (mut granted_at, mut version) = (set.granted_at, version);
                if self.config.is(Naive::GrantWithoutClaim) {
                    item = self.claim_it(s, work)?;
                    (granted_at, version) = (item.granted_at, item.token_version);
                    s.past.ended = false;
                }
                if self.config.is(Naive::CommitAfterDisconnect) && item.status == Status::Disconnected {
                    item.status = Status::Active;
                }
                let right = Right::Grant { granted_at, token_version: version };
                let committed = commit(&item, right, set.kept(s.now), Some(Listed::Shops(vec![shop()])), s.now).ok()?;
                self.write_commit(s, &item, committed, set);
                None
            }
            _ => None,
        }
    }

    /// A new authorization's token set, with the end that the response states.
    fn granted(s: &State, set: Set) -> Set {
        set.with_end(s.market.stated_end(set.token), KnownEnd::default(), s.now)
    }

    /// The product's decision to claim for a grant.
    fn claim_it(&self, s: &State, work: &Work) -> Option<Connection> {
        let grant = Grant {
            connection: "tiktok-shop/us/seller-1".parse().ok()?,
            app_key: "app-key".into(),
            seller_name: None,
            seller_base_region: None,
            purpose: Purpose::All,
            api: api(),
            shops: None,
            fingerprint: None,
            origin: Origin::Session {
                account_id: "acme".parse().ok()?,
                confirm: self.config.confirm,
                reconnect: if self.config.elsewhere { Some("tiktok-shop/us/seller-2".parse().ok()?) } else { None },
            },
        };
        let mine = id(work.attempt);
        let mut item = claim_for_grant(s.item.as_deref(), &grant, mine, work.began).ok()?.item;
        if self.config.is(Naive::GrantForgets) {
            item.attempts.retain(|known| *known == mine);
        }
        Some(item)
    }
}
