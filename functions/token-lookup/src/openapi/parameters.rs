//! What stands in the paths. The handlers parse it into names; these types are for the contract only.

use shop_keyring::names::{AppName, MarketplaceName, SellerId, ShopId};
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
    id: String,
}
