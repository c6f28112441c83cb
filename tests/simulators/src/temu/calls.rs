use super::permissions::{MIGRATED_TOKEN_INFO, TOKEN_CREATE, TOKEN_INFO};

/// What calls are told apart by: all of them come to the same path. Logged, and can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `bg.open.accesstoken.info.get`, at PA under its new name
    TokenInfo,
    /// `bg.open.accesstoken.create`
    TokenCreate,
    /// `bg.order.list.get` and `bg.order.list.v2.get`
    OrderList,
    /// `bg.goods.list.get`
    GoodsList,
    /// Any other, be it known or not.
    Other,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TokenInfo, Self::TokenCreate, Self::OrderList, Self::GoodsList, Self::Other];

    pub(super) fn of(call: &str) -> Self {
        match call {
            TOKEN_INFO | MIGRATED_TOKEN_INFO => Self::TokenInfo,
            TOKEN_CREATE => Self::TokenCreate,
            "bg.order.list.get" | "bg.order.list.v2.get" => Self::OrderList,
            "bg.goods.list.get" => Self::GoodsList,
            _ => Self::Other,
        }
    }
}

/// A call as Temu saw it.
pub type Call = crate::calls::Call<Route>;
