//! A new authorization by the seller: how it takes the claim from any holder, and how the vendor confirms it.

use super::{
    Claim, Connection, FORMAT, Purpose, Shop, Status, UserType,
    claim::{CLAIM_SECONDS, remember},
    reconnect,
    webhooks::Webhooks,
};
use crate::{
    api::Api,
    names::{AccountId, AttemptId, ConnectionKey},
    time::Timestamp,
};

/// How long the vendor has to confirm a new connection, in seconds.
pub const CONFIRM_WITHIN: i64 = 3_600;

/// Seconds within which the table's clock cannot order two grants: then the one that claims later counts.
const SAME_MOMENT: i64 = 2;

/// What an authorization brought: who authorized, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The connection that it is for.
    pub connection: ConnectionKey,
    /// The app key that it was given to.
    pub app_key: String,
    /// As the marketplace says.
    pub seller_name: Option<String>,
    /// As the marketplace says.
    pub seller_base_region: Option<String>,
    /// What its tokens are for.
    pub purpose: Purpose,
    /// Where they are used.
    pub api: Api,
    /// The shops under it, if they are known already.
    pub shops: Option<Vec<Shop>>,
    /// The digest of the access token, where the seller may hand in the same one twice.
    pub fingerprint: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where an authorization came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From a connect session of this account.
    Session {
        /// The session's account.
        account_id: AccountId,
        /// Whether a connection new to the account waits for the vendor's confirmation.
        confirm: bool,
        /// Set when the session is for this one connection: nothing new comes of it, and nothing changes its account.
        reconnect: Option<ConnectionKey>,
    },
    /// Nobody asked for it: begun in the platform's store or seller center. It never changes an account.
    Unsolicited {
        /// Whether it may become a new connection, without an account. Otherwise it only renews one that is there: what the
        /// seller does in the platform's own seller center.
        creates: bool,
    },
}

/// A grant's claim that was decided: to be written before the token set is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantClaimed {
    /// The item as it is to be written.
    pub item: Connection,
    /// Set when the connection is renewed, for the exchange may have ended its old tokens, but not for this session,
    /// which is refused: the seller is another account's, or another one than the session is for.
    pub refused: Option<GrantRefused>,
    /// Set when whoever held the claim may have been deleting the secret: its process may be dead and cannot take back
    /// what was on its way.
    pub secret_may_go: bool,
}

/// Why a grant does not become a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefused {
    /// The seller is connected under another account.
    #[error("the seller is connected under another account")]
    AccountConflict,
    /// A later authorization by the same seller is there already; this one is history.
    #[error("a later authorization is there already")]
    LaterGrant,
    /// This very token is the connection's current one, and nothing speaks against it.
    #[error("this token is connected already")]
    AlreadyThere,
    /// Nobody asked for it, and there is no connection that it could renew.
    #[error("nobody asked for this authorization, and the seller is not connected")]
    NothingToRenew,
    /// The session reconnects one connection, and another seller has authorized.
    #[error("another seller authorized than the one to be connected anew")]
    OtherSeller,
    /// The session reconnects one connection, which is not there any more.
    #[error("the connection to be connected anew is not there any more")]
    NothingToReconnect,
}

/// Takes the claim for a new grant, from any holder. `now` is when the exchange answered, and orders grants.
///
/// # Errors
/// [`GrantRefused`] says why nothing is to be written.
pub fn claim_for_grant(
    existing: Option<&Connection>,
    grant: &Grant,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<GrantClaimed, GrantRefused> {
    match &grant.origin {
        Origin::Session { reconnect: Some(wanted), .. } => reconnect::claim(wanted, existing, grant, attempt, now),
        _ => claim_any(existing, grant, attempt, now),
    }
}

/// The claim of a grant that may be for any connection.
pub(super) fn claim_any(
    existing: Option<&Connection>,
    grant: &Grant,
    attempt: AttemptId,
    now: Timestamp,
) -> Result<GrantClaimed, GrantRefused> {
    let stands = existing.is_some_and(|item| item.status != Status::Disconnected && !is_lapsed(item, now));
    if matches!(grant.origin, Origin::Unsolicited { creates: false }) && !stands {
        return Err(GrantRefused::NothingToRenew);
    }
    let Some(existing) = existing else {
        let item = hold(create(grant, now), grant, now, attempt, now);
        return Ok(GrantClaimed { item, refused: None, secret_may_go: false });
    };
    let relation = match Relation::of(existing, grant) {
        // Nobody confirms it any more.
        Relation::Same if account(grant).is_none() && is_lapsed(existing, now) => Relation::Free,
        relation => relation,
    };
    if is_there(existing, grant, now) {
        match relation {
            Relation::Same => return Err(GrantRefused::AlreadyThere),
            Relation::OtherAccountWorking | Relation::OtherAccount => return Err(GrantRefused::AccountConflict),
            Relation::Free => {}
        }
    }
    if existing.granted_at > now.plus(SAME_MOMENT) {
        return Err(GrantRefused::LaterGrant);
    }
    // Grants of one moment need names of their own.
    let granted_at = now.max(existing.granted_at.plus(1));
    let item = match relation {
        Relation::Same if existing.status == Status::Pending => match grant.origin {
            Origin::Session { .. } => {
                Connection { confirm_by: confirm_by(grant, now), confirm_granted_at: None, ..existing.clone() }
            }
            // It waits for the same confirmation as before, with new tokens.
            Origin::Unsolicited { .. } => {
                let confirmed = existing.confirm_granted_at.unwrap_or(existing.granted_at);
                Connection { confirm_granted_at: existing.confirm_by.map(|_| confirmed), ..existing.clone() }
            }
        },
        Relation::Free => Connection {
            status: Status::Pending,
            account_id: account(grant),
            secret_version: None,
            fingerprint: None,
            attempts: Vec::new(),
            confirm_by: confirm_by(grant, now),
            confirm_granted_at: None,
            ..existing.clone()
        },
        Relation::Same | Relation::OtherAccountWorking => existing.clone(),
        Relation::OtherAccount => return Err(GrantRefused::AccountConflict),
    };
    Ok(GrantClaimed {
        item: hold(item, grant, granted_at, attempt, now),
        refused: (relation == Relation::OtherAccountWorking).then_some(GrantRefused::AccountConflict),
        secret_may_go: existing.attempt.is_some() && matches!(existing.status, Status::Pending | Status::Disconnected),
    })
}

/// Whether the time to confirm a pending connection is over: the sweep is about to remove it.
fn is_lapsed(item: &Connection, now: Timestamp) -> bool {
    item.status == Status::Pending && item.confirm_by.is_some_and(|by| by <= now)
}

/// Whether the connection has the grant's very token, and no doubt about it.
fn is_there(existing: &Connection, grant: &Grant, now: Timestamp) -> bool {
    let same_token = grant.fingerprint.is_some() && existing.fingerprint == grant.fingerprint;
    let stands = match existing.status {
        Status::Active => existing.refusals == 0,
        Status::Pending => existing.confirm_by.is_none_or(|by| now < by),
        Status::ReauthorizationRequired { .. } | Status::Disconnected => false,
    };
    same_token && stands
}

/// How a grant stands to the connection that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The same account, or a grant that asks for none and takes none away.
    Same,
    /// Nobody has it: disconnected, or never confirmed.
    Free,
    /// Another account's, and working.
    OtherAccountWorking,
    /// Another account's, whose seller took the authorization away or let it end: not ours to revive.
    OtherAccount,
}

impl Relation {
    pub(super) fn of(existing: &Connection, grant: &Grant) -> Self {
        let same = match &grant.origin {
            Origin::Session { account_id, .. } => existing.account_id.as_ref() == Some(account_id),
            Origin::Unsolicited { .. } => true,
        };
        match existing.status {
            Status::Disconnected => Self::Free,
            _ if same => Self::Same,
            Status::Pending => Self::Free,
            Status::Active => Self::OtherAccountWorking,
            Status::ReauthorizationRequired { .. } => Self::OtherAccount,
        }
    }
}

fn create(grant: &Grant, now: Timestamp) -> Connection {
    Connection {
        connection: grant.connection.clone(),
        format: FORMAT,
        revision: 0,
        app_key: grant.app_key.clone(),
        seller_name: None,
        label: None,
        seller_base_region: None,
        user_type: UserType::Seller,
        purpose: grant.purpose,
        api: grant.api.clone(),
        account_id: account(grant),
        shops: Vec::new(),
        inactive_since: None,
        scopes: Vec::new(),
        status: Status::Pending,
        token_version: 0,
        secret_version: None,
        access_expires_at: None,
        authorization_expires_at: None,
        end_unclear: false,
        announced_end: None,
        granted_at: now,
        authorized_at: None,
        refreshed_at: None,
        verified_at: None,
        fingerprint: None,
        created_at: now,
        updated_at: now,
        attempt: None,
        attempts: Vec::new(),
        not_before: None,
        check_at: None,
        deauthorized_at: None,
        no_shops_since: None,
        ended_at: None,
        asked_again: 0,
        reminded: None,
        confirm_by: confirm_by(grant, now),
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

/// The item with the claim in the grant's hands, and everything forgotten that concerned the grant before. Only what was
/// under way is remembered: should this grant's token set never be kept, that of a refresh may have been.
fn hold(mut item: Connection, grant: &Grant, granted_at: Timestamp, attempt: AttemptId, now: Timestamp) -> Connection {
    remember(&mut item.attempts, attempt);
    // A notice was about the grant before, unless it came after this one had been exchanged.
    let check_at = item.check_at.filter(|at| !item.has_refresh() || *at >= granted_at);
    Connection {
        granted_at,
        purpose: grant.purpose,
        api: grant.api.clone(),
        seller_name: grant.seller_name.clone().or(item.seller_name),
        seller_base_region: grant.seller_base_region.clone().or(item.seller_base_region),
        attempt: Some(Claim { id: attempt, until: now.plus(CLAIM_SECONDS) }),
        not_before: None,
        check_at,
        deauthorized_at: item.deauthorized_at.filter(|_| check_at.is_some()),
        announced_end: None,
        no_shops_since: None,
        refused_at: None,
        refusals: 0,
        failures: 0,
        last_error: None,
        updated_at: now,
        ..item
    }
}

pub(super) fn account(grant: &Grant) -> Option<AccountId> {
    match &grant.origin {
        Origin::Session { account_id, .. } => Some(account_id.clone()),
        Origin::Unsolicited { .. } => None,
    }
}

fn confirm_by(grant: &Grant, now: Timestamp) -> Option<Timestamp> {
    matches!(grant.origin, Origin::Session { confirm: true, .. }).then(|| now.plus(CONFIRM_WITHIN))
}

/// Why a confirmation changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The connection that the result stands for is not there any more: the seller has to connect again.")]
pub struct NothingToConfirm;

/// The vendor's logged-in backend says that the seller who came back is its own: `pending` becomes `active`.
/// An active connection of that grant is left as it is, so confirming twice is harmless.
///
/// # Errors
/// [`NothingToConfirm`] if the item stands for another grant or account by now, was never committed, or is being
/// taken away.
pub fn confirm(
    item: &Connection,
    account_id: &AccountId,
    granted_at: Timestamp,
    now: Timestamp,
) -> Result<Connection, NothingToConfirm> {
    if item.account_id.as_ref() != Some(account_id) || item.granted_at < granted_at || item.secret_version.is_none() {
        return Err(NothingToConfirm);
    }
    match item.status {
        Status::Active => Ok(item.clone()),
        Status::Pending
            if item.confirm_granted_at.unwrap_or(item.granted_at) == granted_at
                && item.attempt.is_none()
                && item.confirm_by.is_some_and(|by| now < by) =>
        {
            Ok(Connection {
                status: Status::Active,
                confirm_by: None,
                confirm_granted_at: None,
                updated_at: now,
                ..item.clone()
            })
        }
        _ => Err(NothingToConfirm),
    }
}
