//! What leaves by the routes, as JSON. Times are RFC 3339, UTC.

use serde::Serialize;
use shop_keyring::{
    connection::{
        Connection, Fault, Shop, Status,
        attention::{Attention, attention, what_to_do},
        due::{check_at, due_at},
    },
    marketplace::{temu::ROUTER_PATH, tiktok_shop::TOKEN_HEADER},
    names::{AccountId, AppName, ConnectionKey, Label, MarketplaceName, SellerId},
    time::Moment,
    token_set::TokenSet,
};
use url::Url;
use utoipa::ToSchema;

use crate::openapi::examples;

/// Where and how the token is used.
#[derive(Debug, Serialize, ToSchema)]
struct Api<'a> {
    /// TikTok Shop: the open API's host. Temu: the router that every call is posted to.
    #[schema(format = "uri", example = "https://open-api.tiktokglobalshop.com")]
    base_url: String,
    /// Temu: each router that serves tokens of this app, the one in `base_url` first. A product token has two, and each call
    /// exists at one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    routers: Vec<RouterView>,
    /// The app key that the token was issued for: sign your calls with it and its app secret.
    #[schema(example = "6us7a1k3q9")]
    app_key: &'a str,
    /// The header that carries the token. Temu has none: its calls carry the token as the parameter `access_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "x-tts-access-token")]
    token_header: Option<&'static str>,
}

/// A router at Temu.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Router)]
struct RouterView {
    /// Which one: `us`, `eu`, `global`, `pa` or `cn`.
    #[schema(example = "pa")]
    name: &'static str,
    /// The address that its calls are posted to.
    #[schema(format = "uri", example = "https://openapi-b-partner.temu.com/openapi/router")]
    base_url: String,
}

impl<'a> Api<'a> {
    fn of(item: &'a Connection) -> Self {
        let (path, token_header) = match item.connection.app.marketplace {
            MarketplaceName::TikTokShop => ("", Some(TOKEN_HEADER)),
            MarketplaceName::Temu => (ROUTER_PATH, None),
        };
        let address = |url: &Url| format!("{}{path}", url.as_str().trim_end_matches('/'));
        let routers = item.api.routers.iter();
        Self {
            base_url: address(&item.api.base_url),
            routers: routers.map(|at| RouterView { name: at.router.as_str(), base_url: address(&at.url) }).collect(),
            app_key: &item.app_key,
            token_header,
        }
    }
}

/// What a connection and a token answer have in common.
#[derive(Debug, Serialize, ToSchema)]
struct Identity<'a> {
    /// The connection's name, `{marketplace}/{app}/{seller_id}`.
    #[schema(value_type = ConnectionKey)]
    connection: String,
    /// Where the seller has the shop.
    marketplace: MarketplaceName,
    /// Your app at the marketplace, as the installation names it.
    #[schema(value_type = AppName)]
    app: &'a str,
    /// The marketplace's own id of the seller: TikTok Shop's `open_id`, Temu's `mallId`.
    #[schema(value_type = SellerId)]
    seller_id: &'a str,
    /// Your customer. Null: a seller who came without a connect session, not claimed yet.
    #[schema(required, value_type = Option<AccountId>)]
    account_id: Option<&'a str>,
    /// What the token is for.
    purpose: shop_keyring::connection::Purpose,
    #[serde(flatten)]
    status: Status,
    /// Counts the changes of the token set; name it when you reject a token. 0: none yet.
    #[schema(example = 7)]
    version: u64,
    /// When the access token ends: cache the token until shortly before. Null: there is none yet, or the marketplace
    /// has not said.
    #[schema(required)]
    expires_at: Option<Moment>,
    /// When the authorization ends, by the marketplace's last response; only the seller can renew it. Null: it has no end, or
    /// the marketplace has not said.
    #[schema(required)]
    authorization_expires_at: Option<Moment>,
    /// The storefronts under the authorization, as listed at the last exchange.
    shops: &'a [Shop],
    /// What the seller granted, in the marketplace's words.
    #[schema(example = json!(["seller.authorization.info"]))]
    scopes: &'a [String],
}

impl<'a> Identity<'a> {
    fn of(item: &'a Connection) -> Self {
        let key = &item.connection;
        Self {
            connection: key.to_string(),
            marketplace: key.app.marketplace,
            app: key.app.app.as_str(),
            seller_id: key.seller_id.as_str(),
            account_id: item.account_id.as_ref().map(AccountId::as_str),
            purpose: item.purpose,
            status: item.status,
            version: item.token_version,
            expires_at: item.access_expires_at.map(Moment),
            authorization_expires_at: item.authorization_expires_at.map(Moment),
            shops: &item.shops,
            scopes: &item.scopes,
        }
    }
}

/// A token that works, whose it is, and how to use it. The only answer that holds a token.
#[derive(Serialize, ToSchema)]
#[schema(as = Token, examples(examples::token, examples::unrefreshable))]
pub(crate) struct TokenView<'a> {
    /// The token. A secret: never log it.
    #[schema(format = Password, read_only, min_length = 1, example = "TTP_OPHSu4HHu3b-AdwJjt4nfQg_y7pZ")]
    access_token: &'a str,
    #[serde(flatten)]
    identity: Identity<'a>,
    /// Where and how the token is used.
    api: Api<'a>,
    /// What came of a forced refresh, or why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh: Option<RefreshOutcome>,
    /// What you should know of it, in words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Temu knows no refresh: this token lasts until expires_at.")]
    notice: Option<String>,
}

/// What came of a forced refresh, or why there was none.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(
    description = "What came of a forced refresh, or why there was none. `refreshed`: this token is new. `superseded`: the \
        rejected version was not the current one any more. `refreshed_recently`: the last refresh is only just over; the \
        current token once more. `not_refreshable`: the marketplace knows no refresh; only the seller can renew."
)]
pub(crate) enum RefreshOutcome {
    /// This token is new.
    Refreshed,
    /// The rejected version was not the current one any more.
    Superseded,
    /// The last refresh is only just over: the current token, once more.
    RefreshedRecently,
    /// The marketplace knows no refresh: only the seller can renew, by authorizing again.
    NotRefreshable,
}

impl<'a> TokenView<'a> {
    pub(crate) fn new(item: &'a Connection, set: &'a TokenSet, refresh: Option<RefreshOutcome>) -> Self {
        let notice = matches!(refresh, Some(RefreshOutcome::NotRefreshable)).then(|| {
            let marketplace = item.connection.app.marketplace.title();
            format!(
                "{marketplace} knows no refresh: this token lasts until expires_at, and only the seller can give a new \
                 one. Open a connect session in time."
            )
        });
        Self {
            access_token: set.access_token.expose(),
            identity: Identity::of(item),
            api: Api::of(item),
            refresh,
            notice,
        }
    }
}

/// A connection's metadata and health. Holds no token.
#[derive(Serialize, ToSchema)]
#[schema(as = Connection, examples(examples::connection, examples::ended))]
pub(crate) struct ConnectionView<'a> {
    #[serde(flatten)]
    identity: Identity<'a>,
    /// The seller's name, as the marketplace says it.
    #[schema(required, example = "Ann's Attic")]
    seller_name: Option<&'a str>,
    /// Your own name for the connection, set with `PATCH`. Null: none.
    #[schema(required, value_type = Option<Label>)]
    label: Option<&'a str>,
    /// The seller's base region, as the marketplace says it.
    #[schema(required, example = "US")]
    seller_base_region: Option<&'a str>,
    /// When the seller first came.
    created_at: Moment,
    /// When the current authorization began.
    #[schema(required)]
    authorized_at: Option<Moment>,
    /// When the current token was obtained.
    #[schema(required)]
    refreshed_at: Option<Moment>,
    /// When the marketplace last said that the token works, where there is no refresh.
    #[schema(required)]
    verified_at: Option<Moment>,
    /// When the marketplace is asked next whether the token works.
    #[schema(required)]
    next_check_at: Option<Moment>,
    /// An end of the authorization that the marketplace has announced by a webhook, where it comes before
    /// `authorization_expires_at`. It leads to reminders; only the marketplace's response to a refresh or check ends the
    /// connection. Null: none.
    #[schema(required)]
    announced_end: Option<Moment>,
    /// The last reminder before the end of the authorization that is sent or past, by its days. Null: none yet.
    #[schema(required, example = 30)]
    reminded_days: Option<u32>,
    /// When there is next something to do: a refresh, a check, a reminder, the end, the registration of webhooks. Null: never.
    #[schema(required)]
    next_due_at: Option<Moment>,
    /// Transient failures since the last success.
    #[schema(example = 0)]
    failures: u32,
    /// When the marketplace refused for the first time since the last success. Null: it has not.
    #[schema(required)]
    refused_at: Option<Moment>,
    /// Refusals since the last success. One alone does not end the connection.
    #[schema(example = 0)]
    refusals: u32,
    /// What went wrong since the last success. Null: nothing.
    #[schema(required)]
    last_error: Option<ErrorView<'a>>,
    /// What a person has to look at, the most urgent first.
    needs_attention: Vec<AttentionView>,
}

/// What went wrong, in words that an operator can act on.
#[derive(Serialize, ToSchema)]
#[schema(as = LastError)]
struct ErrorView<'a> {
    /// When.
    at: Moment,
    #[serde(flatten)]
    fault: &'a Fault,
    /// What that means for the connection, and what to do.
    #[schema(example = "Nothing: it is tried again automatically.")]
    what_to_do: &'static str,
}

/// What a person has to look at.
#[derive(Serialize, ToSchema)]
#[schema(as = Attention)]
struct AttentionView {
    /// As a word that stays: `reauthorization_required`, `in_doubt`, `failing`, `held_back`, `secret_not_deleted`, `shop_inactive`, `expiring`,
    /// `end_unclear` or `unclaimed`; new ones may come.
    #[schema(example = "expiring")]
    code: &'static str,
    /// What it is, and what to do.
    #[schema(example = "The authorization ends soon, at `authorization_expires_at`.")]
    detail: &'static str,
}

impl From<Attention> for AttentionView {
    fn from(attention: Attention) -> Self {
        Self { code: attention.code(), detail: attention.detail() }
    }
}

impl<'a> ConnectionView<'a> {
    pub(crate) fn new(item: &'a Connection) -> Self {
        Self {
            identity: Identity::of(item),
            seller_name: item.seller_name.as_deref(),
            label: item.label.as_ref().map(Label::as_str),
            seller_base_region: item.seller_base_region.as_deref(),
            created_at: Moment(item.created_at),
            authorized_at: item.authorized_at.map(Moment),
            refreshed_at: item.refreshed_at.map(Moment),
            verified_at: item.verified_at.map(Moment),
            next_check_at: check_at(item).map(Moment),
            announced_end: item.announced_end.map(Moment),
            reminded_days: item.reminded,
            next_due_at: due_at(item).map(Moment),
            failures: item.failures,
            refused_at: item.refused_at.map(Moment),
            refusals: item.refusals,
            last_error: item.last_error.as_ref().map(|error| ErrorView {
                at: Moment(error.at),
                fault: &error.fault,
                what_to_do: what_to_do(item),
            }),
            needs_attention: attention(item).into_iter().map(AttentionView::from).collect(),
        }
    }
}
