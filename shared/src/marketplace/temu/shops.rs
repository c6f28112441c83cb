//! The shop under an authorization: at Temu the mall is the one shop.

use super::token::Token;
use crate::connection::Shop;

impl Token {
    /// The mall as the one shop, if its id can stand in a path.
    pub fn shops(&self) -> Vec<Shop> {
        let shop =
            |id| Shop { id, cipher: None, name: self.mall_name.clone(), region: self.region().map(str::to_owned) };
        self.mall.as_str().parse().ok().map(shop).into_iter().collect()
    }
}
