//! A connection: one seller's authorization of one app, and everything that is decided about it.
//!
//! All here is pure: values in, values out, `now` a parameter. [`due`] says when there is something to do, [`next`]
//! what, [`claim`] and [`settle`] how the item changes by each step of a refresh, [`watch`] by a check or a reminder,
//! [`grant`] by a new authorization, [`edit`] and [`disconnect`] by the vendor's word, [`notice`] by what a marketplace
//! says of its own accord, [`wanted`] by a caller who has to wait for the schedule; [`verdict`] says whether a refusal ends
//! it, given the [`evidence`] of its app; [`webhooks`] says which notifications are registered per shop. [`attention`] says what a person has to look at, [`change`] what a write
//! changes, [`event`] what the vendor is told of it.
//! The store applies such a change only to the very revision that it was decided on, so these functions are the
//! whole truth about what may become of an item.

pub mod attention;
pub mod change;
pub mod claim;
pub mod disconnect;
pub mod due;
pub mod edit;
pub mod end;
pub mod ended;
pub mod event;
pub mod evidence;
pub mod fleet;
pub mod grant;
pub mod next;
pub mod notice;
mod reconnect;
pub mod settle;
mod status;
pub mod verdict;
pub mod wanted;
pub mod watch;
pub mod webhooks;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod lifecycle_tests;

pub use status::{Reason, Status};

use serde::{Deserialize, Serialize};

use crate::{
    api::Api,
    names::{AccountId, AttemptId, ConnectionKey, Label, ShopId, VersionId},
    time::Timestamp,
};

/// The form of the item that this release writes. A reader refuses a higher one.
pub const FORMAT: u32 = 1;

/// Metadata of one connection: the item in the table `connections`. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Connection {
    /// `{marketplace}/{app}/{seller_id}`.
    pub connection: ConnectionKey,
    /// Form of the item: [`FORMAT`].
    pub format: u32,
    /// Rises with each write, and with time: of any two writes the later has the higher, even if the item was made anew or
    /// restored from a backup in between. Every write names the revision that it was decided on.
    pub revision: u64,

    /// The app key that the current token set was issued for.
    pub app_key: String,
    /// As the marketplace says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_name: Option<String>,
    /// The vendor's own name for the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// As the marketplace says, e.g. `US`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_base_region: Option<String>,
    /// Who authorized the app.
    pub user_type: UserType,
    /// What its tokens are for.
    pub purpose: Purpose,
    /// Where its token is used, as the registry said at the last authorization, refresh or check.
    pub api: Api,
    /// The vendor's customer. Absent: an accepted callback that nobody asked for, not claimed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The storefronts under this authorization, as listed at the last exchange.
    #[serde(default)]
    pub shops: Vec<Shop>,
    /// Since when the marketplace says that the shop or the seller is inactive; absent while it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive_since: Option<Timestamp>,
    /// What the seller granted.
    #[serde(default)]
    pub scopes: Vec<String>,

    /// Where it stands.
    #[serde(flatten)]
    pub status: Status,
    /// Counts successful changes of the token set; what callers see as `version`.
    pub token_version: u64,
    /// The current token set's version in the vault. Absent: none was committed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_version: Option<VersionId>,
    /// When the current access token ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_expires_at: Option<Timestamp>,
    /// When the authorization ends, by the last response that states it; absent also while that is unclear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_expires_at: Option<Timestamp>,
    /// Set while the end is unclear: the last response stated one that cannot be right, or none where there was one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_unclear: bool,
    /// An earlier end that a notification has announced for the current grant. It leads to reminders and to nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_end: Option<Timestamp>,
    /// Names and orders grants: strictly later for every new authorization of this seller.
    pub granted_at: Timestamp,
    /// When the first token set of the current grant was committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_at: Option<Timestamp>,
    /// When the current token set was committed, by a grant or a refresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed_at: Option<Timestamp>,
    /// When the marketplace was last asked whether the token works, and said yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// The digest of the access token, where there is no refresh: the same token handed in twice is recognised by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// When the item was made.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,

    /// The claim now held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Claim>,
    /// Attempts whose outcome is not settled, oldest first, the one now held among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptId>,
    /// No exchange before this. Of a disconnected one: when its secret is to be deleted; absent afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When to ask the marketplace whether the token still works. Where a refresh tells, only after a notice that the
    /// seller took the authorization back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_at: Option<Timestamp>,
    /// When a signed notification said that the seller took the authorization back; absent after a success since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deauthorized_at: Option<Timestamp>,
    /// Since when the marketplace lists no shops although there were some; absent while it lists some, or once it is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_shops_since: Option<Timestamp>,
    /// When it has ended, while it needs a new authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How often the marketplace was asked again since.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked_again: u32,
    /// The last reminder before the end of the authorization that is sent or past, by its days: none under 30 yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<u32>,
    /// Until when the vendor has to confirm the connection; absent when it has nothing to confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<Timestamp>,
    /// Of a pending connection that the seller has renewed since: the `granted_at` that the vendor is to confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_granted_at: Option<Timestamp>,
    /// When the marketplace refused for the first time since the last success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
    /// Refusals since the last success.
    #[serde(default)]
    pub refusals: u32,
    /// Transient failures since the last success.
    #[serde(default)]
    pub failures: u32,
    /// What the last failed exchange said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,

    /// What the vendor is to be told, oldest first: not published yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<event::Event>,
    /// No publishing before this, after a failed try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<Timestamp>,

    /// A caller for whom this version of the token set will not do, and who could not be served at once. Says nothing once
    /// the version is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<wanted::Wanted>,

    /// Which webhooks are registered for its shops.
    #[serde(default, skip_serializing_if = "webhooks::Webhooks::is_empty")]
    pub webhooks: webhooks::Webhooks,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An empty list of shops where there were some is believed if a second one comes so many seconds later or more.
const NO_SHOPS_BELIEVED_AFTER: i64 = 3_600;

impl Connection {
    /// The item with what the marketplace said about its shops; `None` leaves those known. The first empty list where there
    /// were shops changes nothing but that it is looked at again: with the shops their callers lose the way to the token.
    pub(super) fn with_listed(self, listed: Option<Listed>, now: Timestamp) -> Self {
        match listed {
            Some(Listed::Shops(shops)) if shops.is_empty() && self.doubts_no_shops(now) => {
                let second_look = now.plus(NO_SHOPS_BELIEVED_AFTER);
                Self {
                    no_shops_since: self.no_shops_since.or(Some(now)),
                    check_at: Some(self.check_at.map_or(second_look, |check_at| check_at.min(second_look))),
                    inactive_since: None,
                    ..self
                }
            }
            Some(Listed::Shops(shops)) => Self { shops, no_shops_since: None, inactive_since: None, ..self },
            Some(Listed::Inactive) => Self { inactive_since: self.inactive_since.or(Some(now)), ..self },
            Some(Listed::NotNow) | None => self,
        }
    }

    /// What people know it by: the seller's name, or else the vendor's label.
    pub fn name(&self) -> Option<&str> {
        self.seller_name.as_deref().or(self.label.as_ref().map(Label::as_str))
    }

    fn doubts_no_shops(&self, now: Timestamp) -> bool {
        let seen_before = self.no_shops_since.is_some_and(|since| since.plus(NO_SHOPS_BELIEVED_AFTER) <= now);
        !(self.shops.is_empty() || seen_before || self.deauthorized_at.is_some())
    }

    /// Whether this attempt holds the claim, its time over or not.
    pub fn is_held_by(&self, attempt: AttemptId) -> bool {
        self.attempt.is_some_and(|claim| claim.id == attempt)
    }

    /// The claim, if its time is not over.
    pub fn held_at(&self, now: Timestamp) -> Option<Claim> {
        self.attempt.filter(|claim| now < claim.until)
    }

    /// Whether its token can be renewed without the seller.
    pub const fn has_refresh(&self) -> bool {
        self.connection.app.marketplace.has_refresh()
    }

    /// Seconds that the current access token lives in all; none without one.
    pub fn access_life(&self) -> Option<i64> {
        Some(self.access_expires_at?.since(self.refreshed_at?))
    }

    /// Seconds that the current access token still has; zero or negative once it has ended.
    pub fn access_left(&self, now: Timestamp) -> Option<i64> {
        Some(self.access_expires_at?.since(now))
    }
}

/// What kind of user authorized an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserType {
    /// A seller.
    Seller,
}

/// What the tokens of a connection are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "What the tokens of a connection are for. `all`: everything that the seller granted. `product`: a Temu \
        cross-border seller's products. `order`: their orders in one region. `compliance`: their compliance calls."
    )
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Everything that the seller granted.
    All,
    /// A Temu cross-border seller's products.
    Product,
    /// A Temu cross-border seller's orders in one region.
    Order,
    /// A Temu cross-border seller's compliance calls.
    Compliance,
}

impl Purpose {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Product => "product",
            Self::Order => "order",
            Self::Compliance => "compliance",
        }
    }
}

/// A storefront under a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shop {
    /// The marketplace's id of it.
    pub id: ShopId,
    /// What TikTok Shop wants beside the id in calls that concern this shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3"))]
    pub cipher: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "Ann's Attic"))]
    pub name: Option<String>,
    /// Its market, e.g. `GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "US"))]
    pub region: Option<String>,
}

/// What the marketplace said when the shops under an authorization were listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// These.
    Shops(Vec<Shop>),
    /// None, for the shop or the seller is inactive. That says nothing about the token.
    Inactive,
    /// None now, for a sandbox shop has used up its calls of this hour. Those known stay.
    NotNow,
}

/// The right to work on a connection, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Whose it is.
    pub id: AttemptId,
    /// From when on anyone may take it over.
    pub until: Timestamp,
}

impl Claim {
    /// When it was taken.
    pub const fn begun(self) -> Timestamp {
        self.until.plus(-claim::CLAIM_SECONDS)
    }
}

/// What the last failed exchange said, in words that an operator can act on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub fault: Fault,
}

/// A marketplace's fault as we tell it: never the marketplace's own text, which may repeat what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{message} (code {}, request {})", self.code.as_deref().unwrap_or("none"), self.request_id.as_deref().unwrap_or("unknown"))]
pub struct Fault {
    /// In our words.
    #[cfg_attr(feature = "openapi", schema(example = "the marketplace cannot answer now"))]
    pub message: String,
    /// The marketplace's code, or `http_503` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "http_503"))]
    pub code: Option<String>,
    /// The marketplace's id of the request, to quote to its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "202611210509061A2B3C4D5E6F708192A3"))]
    pub request_id: Option<String>,
}
