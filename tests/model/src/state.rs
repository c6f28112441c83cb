//! A state: the item, the vault, the marketplace, and what everybody at work is about to do.

use std::sync::Arc;

use shop_keyring::{
    api::Api,
    connection::{Connection, FORMAT, Purpose, Shop, Status, UserType, evidence::Call, webhooks::Webhooks},
    time::Timestamp,
};

use crate::{
    config::{Beginning, Config},
    market::{Market, Token},
    vault::{LIFE, Number, Set, Vault, version},
};

/// When everything begins.
pub(crate) const T0: Timestamp = Timestamp(1_800_000_000);

const DAY: i64 = 86_400;

/// One state of everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(crate) now: Timestamp,
    pub(crate) item: Option<Arc<Connection>>,
    pub(crate) backup: Option<Arc<Connection>>,
    pub(crate) vault: Vault,
    pub(crate) market: Market,
    /// Those at work, in the order of their beginnings.
    pub(crate) works: Vec<Work>,
    pub(crate) next_attempt: Number,
    pub(crate) left: Left,
    pub(crate) past: Past,
    pub(crate) broken: Option<Broken>,
}

/// What may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) workers: u8,
    pub(crate) grants: u8,
    pub(crate) disconnects: u8,
    pub(crate) leaves: u8,
    pub(crate) notices: u8,
    pub(crate) renewals: u8,
    pub(crate) announcements: u8,
    pub(crate) backups: u8,
    pub(crate) restores: u8,
    pub(crate) troubles: u8,
}

/// What has been, as far as rules speak of it and no item tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(crate) struct Past {
    /// When the first of two refusals was written.
    pub(crate) struck_at: Option<Timestamp>,
    /// The vendor has ended the connection, and no grant has claimed it since.
    pub(crate) ended: bool,
    /// A notice has said that the seller left, and it was true.
    pub(crate) told: bool,
    /// Since the last commit an exchange has ended without an answer, or its claim without an outcome.
    pub(crate) unknown: bool,
    /// Somebody died between a deletion and taking it back.
    pub(crate) died_deleting: bool,
    /// The item is out of a backup: what was ended since is active again, and the operator is told.
    pub(crate) restored: bool,
}

/// Somebody at work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Work {
    pub(crate) attempt: Number,
    /// When the work's own timer was started.
    pub(crate) began: Timestamp,
    pub(crate) step: Step,
    /// Whether a caller wants the work done, where that makes a difference later than at the claim.
    pub(crate) on_demand: bool,
}

impl Work {
    /// The next step's name.
    pub(crate) fn name(&self) -> String {
        format!("{:?}", self.step).split(' ').next().unwrap_or_default().to_owned()
    }
}

/// What a claim is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    LookBack,
    Refresh,
    Check,
    Remind,
    Remove,
    DeleteSecret,
}

/// What somebody at work does next. Each is one access to something shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Write the claim that was decided, if nobody has written since.
    Claim { decided: Arc<Connection>, task: Task, version: u64, on_demand: bool, stale: bool },
    /// Ask the vault for what earlier attempts have kept.
    LookBack { held: Arc<Connection>, task: Task },
    /// Read the current token set and send the exchange.
    Send { held: Arc<Connection> },
    /// The marketplace gets the exchange and answers.
    Exchange { held: Arc<Connection>, token: Token, sent_at: Timestamp },
    /// Refused: look back once more.
    LookAgain { held: Arc<Connection>, sent_at: Timestamp },
    /// Put what was obtained into the vault.
    Keep { set: Set },
    /// A put that was given up arrives all the same.
    LatePut { set: Set, grant: bool },
    /// Write that this version is the current one.
    Commit { set: Set, listed: bool },
    /// Write a refusal.
    Refuse { call: Call, sent_at: Timestamp },
    /// Write a failure; a put may still be on its way.
    Fail { unknown: bool, late: Option<Set> },
    /// Write that it is tried later.
    Defer,
    /// End the claim.
    LetGo,
    /// Ask the marketplace whether the token works.
    Check { held: Arc<Connection> },
    /// Write that it does.
    Verify,
    /// Write that the vendor was reminded of the end.
    Remind,
    /// Read the item once more before a deletion.
    StillHeld { task: Task },
    /// Delete the secret.
    Delete { task: Task, stale: bool },
    /// Write that it is deleted, or take the item away.
    Forget { task: Task, stale: bool },
    /// Not written: read the item, to know whether the deletion is to be taken back.
    LookWhose { task: Task },
    /// Take the deletion back.
    Restore,
    /// Naive: the item first, then the vault.
    KeepCommitted { set: Set },
    /// Write the claim of a new authorization.
    ClaimForGrant { token: Token },
    /// Put a new authorization's token set into the vault.
    KeepGrant { set: Set, version: u64 },
    /// Write that it is the current one.
    CommitGrant { set: Set, version: u64 },
}

impl Step {
    /// Whether something is in flight that the claim's time has to cover.
    pub(crate) const fn is_in_flight(&self) -> bool {
        matches!(
            self,
            Self::Exchange { .. }
                | Self::Keep { .. }
                | Self::KeepCommitted { .. }
                | Self::LatePut { .. }
                | Self::Fail { late: Some(_), .. }
                | Self::Check { .. }
                | Self::Delete { .. }
                | Self::Forget { .. }
                | Self::LookWhose { .. }
                | Self::Restore
                | Self::ClaimForGrant { .. }
                | Self::KeepGrant { .. }
        )
    }
}

impl Step {
    /// Whether it belongs to a new authorization or a deletion.
    pub(crate) const fn is_of_grant_or_deletion(&self) -> bool {
        matches!(
            self,
            Self::ClaimForGrant { .. }
                | Self::KeepGrant { .. }
                | Self::LatePut { grant: true, .. }
                | Self::Delete { .. }
                | Self::Forget { .. }
                | Self::LookWhose { .. }
                | Self::Restore
        )
    }
}

/// A rule that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// The item names a token set that the vault does not have.
    NotKept,
    /// What was committed is not newer than what it replaced.
    NotNewer,
    /// Two refusals without the back-off between them.
    TwoStrikesInARow,
    /// Two exchanges of one refresh token at a time.
    TwoExchanges,
    /// A connection that the vendor had ended works again, and no seller has authorized it since.
    Resurrected,
    /// An item with a future that nothing wakes, or one without a future that is woken.
    DueWrongly,
    /// Due again and again, and nothing comes of it.
    Stuck,
    /// Active with a token set that does not work.
    SilentlyDead,
    /// Not active, though the vault holds a token set that the marketplace takes.
    LostThoughKept,
    /// Lost where no refresh token works only once.
    LostWithoutRotation,
    /// Lost by the rotation, and not said so.
    NotSaidRotationLost,
    /// The seller left, and another reason is said.
    NotSaidLeft,
    /// The authorization has come to its end, and another reason is said.
    NotSaidExpired,
    /// The seller left, the marketplace said so, and it was not looked into.
    NoticeLost,
    /// A refresh token was spent though the vault showed that its authorization was over.
    SpentWhatHadEnded,
    /// The secret of an ended connection is still there.
    SecretLeft,
    /// The secret of a working connection is deleted.
    SecretDeleted,
}

impl State {
    /// How everything begins.
    pub(crate) fn first(config: &Config) -> Self {
        let mut market = Market::default();
        let mut vault = Vault::default();
        let mut item = None;
        if config.beginning == Beginning::Due {
            let ends_at = config.end.map(|end| T0.plus(end));
            let token = market.authorize(true, ends_at);
            vault.put(Set { ends_at, ..Set::new(0, token, None, due().granted_at) });
            vault.fresh.clear();
            // All reminders were sent.
            item =
                Some(Arc::new(Connection { authorization_expires_at: ends_at, reminded: ends_at.map(|_| 1), ..due() }));
        }
        Self {
            now: T0,
            backup: item.clone(),
            item,
            vault,
            market,
            works: Vec::new(),
            next_attempt: 1,
            left: Left {
                workers: config.workers,
                grants: config.grants,
                disconnects: config.disconnects,
                leaves: config.leaves,
                notices: config.notices,
                renewals: config.renewals,
                announcements: config.announcements,
                backups: config.backups,
                restores: config.restores,
                troubles: config.troubles,
            },
            past: Past::default(),
            broken: None,
        }
    }

    /// The first rule that is broken stays.
    pub(crate) fn breaks(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
    }
}

/// The one shop under the connection.
pub(crate) fn shop() -> Shop {
    Shop { id: "shop-1".parse().unwrap(), cipher: None, name: None, region: None }
}

/// Where tokens are used.
pub(crate) fn api() -> Api {
    Api::at("https://open-api.tiktokglobalshop.com".parse().unwrap())
}

/// The item in the beginning.
pub(crate) fn due() -> Connection {
    let granted_at = T0.plus(-30 * DAY);
    let refreshed_at = T0.plus(-6 * DAY);
    Connection {
        connection: "tiktok-shop/us/seller-1".parse().unwrap(),
        format: FORMAT,
        revision: 0,
        app_key: "app-key".into(),
        seller_name: None,
        label: None,
        seller_base_region: None,
        user_type: UserType::Seller,
        purpose: Purpose::All,
        api: api(),
        account_id: Some("acme".parse().unwrap()),
        shops: vec![shop()],
        inactive_since: None,
        scopes: Vec::new(),
        status: Status::Active,
        token_version: 1,
        secret_version: Some(version(0)),
        access_expires_at: Some(refreshed_at.plus(LIFE)),
        authorization_expires_at: None,
        end_unclear: false,
        announced_end: None,
        granted_at,
        authorized_at: None,
        refreshed_at: Some(refreshed_at),
        verified_at: None,
        fingerprint: None,
        created_at: T0,
        updated_at: T0,
        attempt: None,
        attempts: Vec::new(),
        not_before: None,
        check_at: None,
        deauthorized_at: None,
        no_shops_since: None,
        ended_at: None,
        asked_again: 0,
        reminded: None,
        confirm_by: None,
        confirm_granted_at: None,
        refused_at: None,
        refusals: 0,
        failures: 0,
        last_error: None,
        events: Vec::new(),
        publish_at: None,
        wanted: None,
        webhooks: Webhooks::default(),
    }
}
