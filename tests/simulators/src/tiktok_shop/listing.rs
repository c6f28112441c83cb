//! Which shops a token opens, and to whom they are shown.

use serde::Serialize;

use super::answer::ApiError;
use super::entrance::invalid_input;
use super::request::Request;
use super::seller::Shop;
use super::world::World;

pub(super) const SHOPS_PATH: &str = "/authorization/202309/shops";

/// The `data` of a success.
#[derive(Debug, Serialize)]
pub(super) struct Shops {
    pub(super) shops: Vec<Shop>,
}

impl World {
    pub(super) fn list_shops(&mut self, request: &Request, now: u64) -> Result<Shops, ApiError> {
        self.check_signed(request, now)?;
        if request.parameter("shop_cipher").is_some() {
            return Err(invalid_input(
                "Unexpected identifier. The `shop_cipher` query parameter is not required here.",
            ));
        }
        let grant = self.enter(request, now)?;
        let (grant, seller) = self.open(grant)?;
        let shops = seller.shops.iter().filter(|shop| grant.covers(&shop.id));
        Ok(Shops { shops: shops.cloned().collect() })
    }
}

#[cfg(test)]
mod tests;
