//! What leaves by the routes, as JSON. Times are RFC 3339, UTC.

use jiff::Timestamp as Moment;
use serde::{Serialize, Serializer};
use shop_keyring::{
    apps::Sites,
    connection::{
        Connection, Fault, Shop, Status,
        attention::{Attention, attention, what_to_do},
        due::{check_at, due_at},
    },
    marketplace::{temu::ROUTER_PATH, tiktok_shop::TOKEN_HEADER},
    names::{AccountId, MarketplaceName},
    time::Timestamp,
    token_set::TokenSet,
};

/// A point in time as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Past the year 9999 there is no RFC 3339; an authorization that ends then does not end.
        serializer.collect_str(&Moment::from_second(self.0.0).unwrap_or(Moment::MAX))
    }
}

/// Where and how the token is used.
#[derive(Debug, Serialize)]
struct Api<'a> {
    /// TikTok Shop: the open API's host. Temu: the router that every call is posted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
    app_key: &'a str,
    /// Temu has none: its calls carry the token as a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_header: Option<&'static str>,
}

impl<'a> Api<'a> {
    fn of(item: &'a Connection, apps: &Sites) -> Self {
        let (path, token_header) = match item.connection.app.marketplace {
            MarketplaceName::TikTokShop => ("", Some(TOKEN_HEADER)),
            MarketplaceName::Temu => (ROUTER_PATH, None),
        };
        let host = apps.get(&item.connection.app).map(|site| site.api_url.as_str().trim_end_matches('/'));
        Self { base_url: host.map(|host| format!("{host}{path}")), app_key: &item.app_key, token_header }
    }
}

/// What a connection and a token answer have in common.
#[derive(Debug, Serialize)]
struct Identity<'a> {
    connection: String,
    marketplace: MarketplaceName,
    app: &'a str,
    seller_id: &'a str,
    account_id: Option<&'a str>,
    purpose: shop_keyring::connection::Purpose,
    #[serde(flatten)]
    status: Status,
    version: u64,
    expires_at: Option<Time>,
    authorization_expires_at: Option<Time>,
    shops: &'a [Shop],
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
            expires_at: item.access_expires_at.map(Time),
            authorization_expires_at: item.authorization_expires_at.map(Time),
            shops: &item.shops,
            scopes: &item.scopes,
        }
    }
}

/// The token answer: the only view that holds a token.
#[derive(Serialize)]
pub(crate) struct TokenView<'a> {
    access_token: &'a str,
    #[serde(flatten)]
    identity: Identity<'a>,
    api: Api<'a>,
    /// What came of a forced refresh, or why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<RefreshOutcome>,
    /// What the caller should know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

/// What came of a forced refresh, or why there was none.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
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
    pub(crate) fn new(
        item: &'a Connection,
        set: &'a TokenSet,
        apps: &'a Sites,
        refresh: Option<RefreshOutcome>,
    ) -> Self {
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
            api: Api::of(item, apps),
            refresh,
            notice,
        }
    }
}

/// A connection's metadata and health.
#[derive(Serialize)]
pub(crate) struct ConnectionView<'a> {
    #[serde(flatten)]
    identity: Identity<'a>,
    seller_name: Option<&'a str>,
    seller_base_region: Option<&'a str>,
    created_at: Time,
    authorized_at: Option<Time>,
    refreshed_at: Option<Time>,
    /// When the marketplace last said that the token works, where there is no refresh.
    verified_at: Option<Time>,
    next_check_at: Option<Time>,
    /// The last reminder before the end of the authorization that is sent or past, by its days.
    reminded_days: Option<u32>,
    next_due_at: Option<Time>,
    failures: u32,
    strikes: u32,
    last_error: Option<ErrorView<'a>>,
    /// What a person has to look at, the most urgent first.
    needs_attention: Vec<AttentionView>,
}

#[derive(Serialize)]
struct ErrorView<'a> {
    at: Time,
    #[serde(flatten)]
    fault: &'a Fault,
    what_to_do: &'static str,
}

#[derive(Serialize)]
struct AttentionView {
    code: &'static str,
    /// What it is, and what to do.
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
            seller_base_region: item.seller_base_region.as_deref(),
            created_at: Time(item.created_at),
            authorized_at: item.authorized_at.map(Time),
            refreshed_at: item.refreshed_at.map(Time),
            verified_at: item.verified_at.map(Time),
            next_check_at: check_at(item).map(Time),
            reminded_days: item.reminded,
            next_due_at: due_at(item).map(Time),
            failures: item.failures,
            strikes: item.strikes,
            last_error: item.last_error.as_ref().map(|error| ErrorView {
                at: Time(error.at),
                fault: &error.fault,
                what_to_do: what_to_do(item),
            }),
            needs_attention: attention(item).into_iter().map(AttentionView::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_and_the_far_future_is_no_error() {
        assert_eq!(serde_json::json!(Time(Timestamp(1_795_219_200))), "2026-11-21T00:00:00Z");
        assert_eq!(serde_json::json!(Time(Timestamp(4_900_000_000))), "2125-04-10T23:06:40Z");
        assert!(serde_json::json!(Time(Timestamp(i64::MAX))).as_str().unwrap().starts_with("9999-"));
    }
}
