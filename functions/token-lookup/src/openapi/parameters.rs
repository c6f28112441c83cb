//! What stands in the paths. The handlers parse it into names; these types are for the contract only.

use shop_keyring::{
    connection::Status,
    names::{AccountId, AppName, MarketplaceName, SellerId, ShopId},
};
use utoipa::IntoParams;

/// The path of a connection.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes, is never made")]
pub(crate) struct ConnectionPath {
    /// Where the seller has the shop.
    marketplace: MarketplaceName,
    /// Your app at the marketplace, as the installation names it.
    app: AppName,
    /// The marketplace's own id of the seller: TikTok Shop's `open_id`, Temu's `mallId`.
    seller_id: SellerId,
}

/// Which state of the connection a change is meant for.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes, is never made")]
pub(crate) struct IfMatch {
    /// The connection's `ETag` as you have read it, or `*` for whatever it is by now. If the connection has changed since,
    /// nothing is changed: 412.
    #[param(rename = "If-Match", pattern = r#"^(\*|"[0-9]{1,19}")$"#, example = "*")]
    if_match: String,
}

/// The same where it may be left out.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes, is never made")]
pub(crate) struct IfMatchAtAll {
    /// The connection's `ETag` as you have read it. If the connection has changed since, nothing is changed: 412.
    #[param(rename = "If-Match", nullable = false, pattern = r#"^(\*|"[0-9]{1,19}")$"#, example = "*")]
    if_match: Option<String>,
}

/// What a list can be asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes, is never made")]
pub(crate) struct ListQuery {
    /// Those of this customer of yours.
    #[param(nullable = false, value_type = Option<AccountId>)]
    account_id: Option<AccountId>,
    /// Those at this marketplace.
    #[param(nullable = false)]
    marketplace: Option<MarketplaceName>,
    /// Those of this app of yours; needs `marketplace`.
    #[param(nullable = false)]
    app: Option<AppName>,
    /// Those that stand so.
    #[param(nullable = false, value_type = Option<Status>)]
    status: Option<Status>,
    /// Those that need attention, or those that do not.
    #[param(nullable = false, example = true)]
    needs_attention: Option<bool>,
    /// Connections in a page at most.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 50, example = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before, with the same filters.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]{1,512}$")]
    cursor: Option<String>,
}

/// The path of a shop.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes, is never made")]
pub(crate) struct ShopPath {
    /// Where the shop is.
    marketplace: MarketplaceName,
    /// Your app at the marketplace, as the installation names it.
    app: AppName,
    /// The marketplace's own id of the shop.
    shop_id: ShopId,
}

/// The path of a connect session.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes, is never made")]
pub(crate) struct SessionPath {
    /// The `session_id` that the session was opened with.
    #[param(pattern = "^[A-Za-z0-9_-]{43}$", example = "V1XkQzJ7m3F0cW9yB5tHn2LpRuGdSe8aKoTiYxNvM4Q")]
    session_id: String,
}
