//! The calls, and the labels under which sellers give them.
//!
//! The two calls about tokens have their real names. The rest is a plausible part of what there
//! is: which calls there are, and under which label, is not for a token broker to know.

pub(super) const TOKEN_INFO: &str = "bg.open.accesstoken.info.get";
pub(super) const TOKEN_CREATE: &str = "bg.open.accesstoken.create";

/// How the names of calls end that have migrated from CN to PA.
pub(super) const MIGRATED: &str = ".global";
pub(super) const MIGRATED_TOKEN_INFO: &str = "bg.open.accesstoken.info.get.global";
/// Calls for products that have migrated.
const MIGRATED_GOODS: &[&str] = &[MIGRATED_TOKEN_INFO, "bg.goods.quantity.get.global"];
const MIGRATED_GOODS_SPECIAL: &[&str] = &["bg.goods.price.update.global"];

const GOODS: &[&str] =
    &["bg.goods.list.get", "bg.goods.detail.get", "bg.goods.cats.get", "bg.goods.add", "bg.goods.quantity.update"];
const GOODS_SPECIAL: &[&str] = &["bg.goods.price.list.get", "bg.goods.price.update"];
const ORDERS: &[&str] = &[
    "bg.order.list.get",
    "bg.order.list.v2.get",
    "bg.order.detail.v2.get",
    "bg.logistics.companies.get",
    "bg.logistics.shipment.get",
    "bg.logistics.shipment.confirm",
];
const ORDERS_SPECIAL: &[&str] = &["bg.order.shippinginfo.v2.get", "bg.order.decryptshippinginfo.get"];

/// Which calls are compliance calls is not documented.
const COMPLIANCE: &[&str] = &["bg.compliance.label.query", "bg.compliance.label.upload"];

const AFTERSALES: &[&str] = &["bg.aftersales.parentaftersales.list.get", "bg.aftersales.aftersales.list.get"];
const PROMOTION: &[&str] = &["bg.promotion.activity.query", "bg.promotion.activity.goods.enroll"];
const ADVERTISING: &[&str] = &["temu.searchrec.ad.create", "temu.searchrec.ad.detail.query"];

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A local seller's one token.
    All,
    /// A cross-border seller's token for products.
    Product,
    /// A cross-border seller's token for the orders of one region.
    Order,
    /// A fully managed seller's token of the GLOBAL partition.
    Compliance,
}

impl Purpose {
    /// The calls that its tokens may use when the seller ticks everything.
    pub fn default_permissions(self) -> Vec<String> {
        let mut calls = self.general_permissions();
        calls.extend(self.special_permissions());
        calls
    }

    /// The calls under *General Authorization*, and the one that every token may use.
    pub fn general_permissions(self) -> Vec<String> {
        [TOKEN_INFO].into_iter().chain(self.general_calls()).map(str::to_owned).collect()
    }

    /// The calls under *Special Authorization*; for a local seller the optional ones, too.
    pub fn special_permissions(self) -> Vec<String> {
        let groups: &[&[&str]] = match self {
            Self::All => &[GOODS_SPECIAL, ORDERS_SPECIAL, AFTERSALES, PROMOTION, ADVERTISING],
            Self::Product => &[GOODS_SPECIAL, MIGRATED_GOODS_SPECIAL],
            Self::Order => &[ORDERS_SPECIAL],
            Self::Compliance => &[],
        };
        groups.concat().into_iter().map(str::to_owned).collect()
    }

    pub(super) fn general_calls(self) -> impl Iterator<Item = &'static str> {
        let groups: &[&[&str]] = match self {
            Self::All => &[GOODS, ORDERS],
            Self::Product => &[GOODS, MIGRATED_GOODS],
            Self::Order => &[ORDERS],
            Self::Compliance => &[COMPLIANCE],
        };
        groups.concat().into_iter()
    }
}

/// What a local seller may leave out when authorizing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionalPermission {
    /// *Local Aftersales Management*
    Aftersales,
    /// *Promotion Activity Interface Management*
    Promotion,
    /// *Local Advertising Management*
    Advertising,
}

impl OptionalPermission {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aftersales, Self::Promotion, Self::Advertising];

    /// The words on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Aftersales => "Local Aftersales Management",
            Self::Promotion => "Promotion Activity Interface Management",
            Self::Advertising => "Local Advertising Management",
        }
    }

    /// What it is called in the page's form.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Aftersales => "aftersales",
            Self::Promotion => "promotion",
            Self::Advertising => "advertising",
        }
    }

    /// The calls that come with it.
    pub fn calls(self) -> &'static [&'static str] {
        match self {
            Self::Aftersales => AFTERSALES,
            Self::Promotion => PROMOTION,
            Self::Advertising => ADVERTISING,
        }
    }
}

/// Whether the platform has such a call.
pub(super) fn is_call(name: &str) -> bool {
    let known = |purpose: Purpose| purpose.default_permissions().iter().any(|call| call == name);
    name == TOKEN_CREATE || [Purpose::All, Purpose::Product, Purpose::Compliance].into_iter().any(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_and_order_tokens_share_only_the_call_about_themselves() {
        let product = Purpose::Product.default_permissions();
        let order = Purpose::Order.default_permissions();
        let both: Vec<_> = product.iter().filter(|call| order.contains(call)).collect();
        assert_eq!(both, [TOKEN_INFO]);
        assert!(!product.iter().any(|call| call.starts_with("bg.order.")));
        assert!(!order.iter().any(|call| call.starts_with("bg.goods.")));
    }

    #[test]
    fn all_has_everything_once() {
        let mut all = Purpose::All.default_permissions();
        for call in Purpose::Product.default_permissions().iter().chain(&Purpose::Order.default_permissions()) {
            assert!(all.contains(call) || call.ends_with(MIGRATED), "{call}");
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|call| is_call(call)) && !is_call("bg.nonsense"));
    }
}
